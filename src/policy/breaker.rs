//! Circuit breaker (熔断): when the bot removes suspiciously many people, it stops itself and pages the owner.
//!
//! While it is open everything is only recorded ([`super::Facts::breaker_open`]). One button resumes, another takes all
//! removals back that led to it. A pure state machine: the caller keeps it, one for each group.

use serde::{Deserialize, Serialize};

use crate::model::{CaseId, SignedDuration, Timestamp};

/// When it opens; from the policy file's `[breaker]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// More removals than this within `window` open it.
    pub removals: usize,
    /// See `removals`.
    pub window: SignedDuration,
    /// More than this share of the group (percent) within `share_window` opens it …
    pub share_percent: f64,
    /// See `share_percent`.
    pub share_window: SignedDuration,
    /// … but only above so many removals, so that a small group does not open it with the first.
    pub share_least: usize,
}

/// The breaker of one group; serialise it beside the group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Breaker {
    /// Removals that still matter, oldest first.
    #[serde(default)]
    recent: Vec<Removal>,
    /// Set while it is open.
    #[serde(default)]
    open: Option<Open>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Removal {
    at: Timestamp,
    case: CaseId,
}

/// Why and since when everything is only recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// Since when.
    pub since: Timestamp,
    /// In Chinese, for the owner.
    pub why: String,
    /// The removals that led to it, oldest first: what "undo all" takes back.
    pub cases: Vec<CaseId>,
}

impl Breaker {
    /// Is everything only recorded?
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }
    /// Details while it is open.
    pub fn opened(&self) -> Option<&Open> {
        self.open.as_ref()
    }

    /// Notes a removal; answers the opening if this one opened it (page the owner then). `members` is the group's size, 0
    /// if unknown. The same case twice counts once. A clock that was set back does not forget: what lies ahead still counts.
    pub fn removed(&mut self, limits: &Limits, case: &CaseId, members: usize, now: Timestamp) -> Option<&Open> {
        if self.recent.iter().any(|r| r.case == *case) {
            return None;
        }
        let longest = limits.window.max(limits.share_window);
        self.recent.retain(|r| now.duration_since(r.at) < longest);
        self.recent.push(Removal { at: now, case: case.clone() });
        if let Some(open) = &mut self.open {
            open.cases.push(case.clone());
            return None;
        }
        let within = |length: SignedDuration| self.recent.iter().filter(move |r| now.duration_since(r.at) < length);
        let (fast, hour) = (within(limits.window).count(), within(limits.share_window).count());
        let share =
            members > 0 && hour > limits.share_least && hour as f64 * 100.0 > limits.share_percent * members as f64;
        let (length, why) = if fast > limits.removals {
            (limits.window, format!("{} 分钟内移出了 {fast} 人", limits.window.as_mins()))
        } else if share {
            let minutes = limits.share_window.as_mins();
            (limits.share_window, format!("{minutes} 分钟内移出了 {hour} 人，超过群人数的 {}%", limits.share_percent))
        } else {
            return None;
        };
        let cases = within(length).map(|r| r.case.clone()).collect();
        self.open = Some(Open { since: now, why, cases });
        self.open.as_ref()
    }

    /// The owner says the removals were right: acting goes on. What led here no longer counts.
    pub fn resume(&mut self) {
        *self = Self::default();
    }

    /// The owner says they were wrong: acting goes on, and these cases are to be taken back. Empty if it was not open.
    #[must_use = "these cases have to be revoked"]
    pub fn undo(&mut self) -> Vec<CaseId> {
        std::mem::take(self).open.map(|open| open.cases).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    fn removals(breaker: &mut Breaker, n: std::ops::Range<usize>, members: usize, gap: i64) -> Option<usize> {
        let limits = &Policy::shipped("default").breaker;
        for i in n {
            let now = Timestamp::from_second(1_000_000 + i as i64 * gap).unwrap();
            if breaker.removed(limits, &CaseId::new(format!("C{i}")), members, now).is_some() {
                return Some(i);
            }
        }
        None
    }

    #[test]
    fn the_fourth_removal_in_ten_minutes_opens_it() {
        let mut breaker = Breaker::default();
        assert_eq!(removals(&mut breaker, 0..9, 0, 60), Some(3));
        let open = breaker.opened().unwrap();
        assert_eq!(open.why, "10 分钟内移出了 4 人");
        assert_eq!(open.cases.len(), 4);
        let kept: Breaker = serde_json::from_str(&serde_json::to_string(&breaker).unwrap()).unwrap();
        assert_eq!(kept, breaker);
    }

    #[test]
    fn slow_removals_in_a_large_group_do_not() {
        assert_eq!(removals(&mut Breaker::default(), 0..30, 0, 301), None);
        assert_eq!(removals(&mut Breaker::default(), 0..30, 5000, 301), None);
    }

    #[test]
    fn more_than_one_percent_in_an_hour_does() {
        assert_eq!(removals(&mut Breaker::default(), 0..30, 500, 590), Some(5));
        assert_eq!(removals(&mut Breaker::default(), 0..30, 40, 1000), Some(2), "three people of a small group");
    }

    #[test]
    fn undo_gives_back_every_case_once_and_resume_starts_afresh() {
        let mut breaker = Breaker::default();
        removals(&mut breaker, 0..4, 0, 1);
        let limits = &Policy::shipped("default").breaker;
        let now = Timestamp::from_second(1_000_010).unwrap();
        assert!(breaker.removed(limits, &"late".into(), 0, now).is_none(), "in flight while open");
        assert!(breaker.removed(limits, &"late".into(), 0, now).is_none());
        assert_eq!(breaker.undo().len(), 5);
        assert!(breaker.undo().is_empty() && !breaker.is_open());
        assert_eq!(removals(&mut breaker, 10..13, 0, 1), None, "what was before no longer counts");
        breaker.resume();
    }
}
