//! A member's standing (我的状态): which strikes count, until when, and whether they may speak.

use serde::{Deserialize, Serialize};

use super::Decision;
use crate::model::{CaseId, Category, Severity, SignedDuration, Timestamp};

/// Expired strikes stay so long for the record (`我的状态`, the console, a clock that is set back), then go.
const KEEP_EXPIRED: SignedDuration = SignedDuration::from_hours(24 * 90);

/// One recorded violation that still counts until it expires or is revoked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Strike {
    /// The case it belongs to.
    pub case: CaseId,
    /// When the message was said.
    pub at: Timestamp,
    /// When it stops counting.
    pub expires_at: Timestamp,
    /// Its weight.
    pub points: u32,
    /// What it was for.
    pub category: Category,
    /// How bad it was.
    pub severity: Severity,
    /// Taken back by an admin or an appeal.
    #[serde(default)]
    pub revoked: bool,
    /// From a dry run or a watched group: it counts only while that lasts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rehearsed: bool,
}

/// Whether a member may speak.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum MemberState {
    /// In the group.
    #[default]
    Normal,
    /// Out of the conversation until then.
    Muted {
        /// When it ends.
        until: Timestamp,
    },
    /// Removed; may come back if somebody invites them.
    Removed,
    /// Removed for good, in sister groups too where the policy says so.
    Banned,
}

impl MemberState {
    /// From mild to hard; of two mutes the longer one is harder.
    fn rank(&self) -> (u8, Timestamp) {
        match self {
            Self::Normal => (0, Timestamp::MIN),
            Self::Muted { until } => (1, *until),
            Self::Removed => (2, Timestamp::MIN),
            Self::Banned => (3, Timestamp::MIN),
        }
    }
    /// The harder of two states.
    pub fn harder(self, other: Self) -> Self {
        if self.rank() < other.rank() { other } else { self }
    }
    /// The milder of two states.
    pub fn milder(self, other: Self) -> Self {
        if other.rank() < self.rank() { other } else { self }
    }
}

/// All that the ladder needs to know of one member in one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Every strike not yet pruned, oldest first.
    pub strikes: Vec<Strike>,
    /// May they speak?
    pub state: MemberState,
    /// First message seen or join time, whichever was first.
    pub since: Option<Timestamp>,
    /// When they joined, if the bot saw that; only then can they be a newcomer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Timestamp>,
    /// Messages seen so far.
    pub messages: u64,
    /// Categories in which the first-ever hint was already given.
    #[serde(default)]
    pub hinted: Vec<Category>,
}

impl Standing {
    /// Points that count at `now`.
    pub fn live_points(&self, now: Timestamp) -> u32 {
        self.live_strikes(now).fold(0, |sum, strike| sum.saturating_add(strike.points))
    }
    /// Strikes that count at `now`.
    pub fn live_strikes(&self, now: Timestamp) -> impl Iterator<Item = &Strike> {
        self.strikes.iter().filter(move |s| !s.revoked && s.expires_at > now)
    }
}

/// Writes a decision down: adds the strike under its case, sets the state, drops strikes that expired long ago. The same
/// case twice changes nothing the second time.
pub fn apply(standing: &mut Standing, decision: &Decision, case: &CaseId, now: Timestamp) {
    if standing.strikes.iter().any(|s| s.case == *case) {
        return;
    }
    standing.strikes.retain(|s| now.duration_since(s.expires_at) < KEEP_EXPIRED);
    if let Some(strike) = &decision.strike {
        standing.strikes.push(Strike {
            case: case.clone(),
            at: strike.at,
            expires_at: strike.expires_at,
            points: strike.points,
            category: strike.category,
            severity: strike.severity,
            revoked: false,
            rehearsed: false,
        });
        standing.strikes.sort_by_key(|s| s.at);
    }
    if decision.first_hint && !standing.hinted.contains(&decision.category) {
        standing.hinted.push(decision.category);
    }
    if let Some(state) = &decision.state {
        standing.state = state.clone();
    }
}

impl Standing {
    /// Two records of one person become one: every strike counts once, the harder state holds.
    pub fn absorb(&mut self, other: Self) {
        let known = |strikes: &[Strike], strike: &Strike| strikes.iter().any(|s| s.case == strike.case);
        for strike in other.strikes {
            if !known(&self.strikes, &strike) {
                self.strikes.push(strike);
            }
        }
        self.strikes.sort_by_key(|s| s.at);
        self.state = std::mem::take(&mut self.state).harder(other.state);
        self.since = [self.since, other.since].into_iter().flatten().min();
        // Known under the other id already: when that one joined is what counts.
        self.joined = if other.since.is_some() { other.joined } else { self.joined };
        self.messages += other.messages;
        for category in other.hinted {
            if !self.hinted.contains(&category) {
                self.hinted.push(category);
            }
        }
    }

    /// The strike of this case was a dry run: nobody was told, so it never leads to anything real.
    pub fn rehearse(&mut self, case: &CaseId) {
        self.strikes.iter_mut().filter(|strike| strike.case == *case).for_each(|strike| strike.rehearsed = true);
    }
    /// The dry run is over: what was only tried does not count.
    pub fn forget_dry_runs(&mut self) {
        self.strikes.retain(|strike| !strike.rehearsed);
    }
}

/// Takes a case's strike back; what that changes of the state, [`super::recount()`] says. Doing it twice changes nothing the
/// second time.
pub fn revoke(standing: &mut Standing, case: &CaseId) {
    standing.strikes.iter_mut().filter(|strike| strike.case == *case).for_each(|strike| strike.revoked = true);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour)
    }

    fn strike(case: &str, hour: i64) -> Strike {
        Strike {
            case: case.into(),
            at: at(hour),
            expires_at: at(hour + 24),
            points: 2,
            category: Category::Ads,
            severity: Severity::Medium,
            revoked: false,
            rehearsed: false,
        }
    }

    #[test]
    fn two_records_of_one_person_become_one() {
        let old = Standing {
            strikes: vec![strike("A", 1), strike("B", 5)],
            state: MemberState::Muted { until: at(9) },
            since: Some(at(0)),
            joined: None,
            messages: 7,
            hinted: vec![Category::Ads],
        };
        let mut new = Standing {
            strikes: vec![strike("B", 5), strike("C", 3)],
            state: MemberState::Muted { until: at(7) },
            since: Some(at(4)),
            joined: Some(at(4)),
            messages: 2,
            hinted: vec![Category::Ads, Category::Insult],
        };
        new.absorb(old);
        let cases: Vec<String> = new.strikes.iter().map(|s| s.case.to_string()).collect();
        assert_eq!(cases, ["A", "C", "B"]);
        assert_eq!(
            (new.state.clone(), new.since, new.joined),
            (MemberState::Muted { until: at(9) }, Some(at(0)), None)
        );
        assert_eq!((new.messages, new.hinted.len()), (9, 2));
        let whole = new.clone();
        new.absorb(Standing::default());
        assert_eq!(new, whole, "nothing left to absorb");
        new.absorb(Standing { state: MemberState::Banned, ..Standing::default() });
        assert_eq!(new.state, MemberState::Banned);
    }
}
