//! The life of a rule: it first only records (观察), then asks a person each time (试点), then acts (执行).
//!
//! What ships starts at enforce; what an admin adds or edits starts at observe. A person's verdicts on its hits move it up;
//! when upheld appeals push its precision down it falls back to pilot by itself. (Must-hit and must-miss sentences stand in the
//! wordlists beside the rules and are run whenever these are read.)

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::model::{Stage, Timestamp};

/// When a rule moves; from the policy file's `[lifecycle]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gates {
    /// Verdicts needed to go from observe to pilot.
    pub pilot_reviewed: usize,
    /// Share of right ones needed for that, 0 to 1.
    pub pilot_precision: f64,
    /// Verdicts needed to go from pilot to enforce.
    pub enforce_reviewed: usize,
    /// Share of right ones needed for that, 0 to 1.
    pub enforce_precision: f64,
    /// Precision is that of so many latest verdicts.
    pub recent: usize,
    /// Fewer verdicts than this never demote.
    pub demote_least: usize,
    /// An enforced rule below this precision falls back to pilot.
    pub demote_below: f64,
}

/// Who said whether a hit was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A person saw the hit and agreed.
    Confirmed,
    /// A person saw the hit and called it wrong (误判).
    Misjudged,
    /// An appeal against it was upheld.
    AppealUpheld,
}

impl Verdict {
    const fn right(self) -> bool {
        matches!(self, Self::Confirmed)
    }
}

/// Why a rule changed its stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub from: Stage,
    /// To where.
    pub to: Stage,
    /// In Chinese, for the admin.
    pub why: String,
}

/// One rule's counters; serialise it beside the rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleLife {
    /// Where it stands.
    pub stage: Stage,
    /// Verdicts since it came to this stage, bounded by [`Gates::recent`], newest last; `true` = right.
    verdicts: VecDeque<bool>,
    /// Every move, oldest first.
    pub changes: Vec<Change>,
}

impl RuleLife {
    /// A rule that ships with the program: it acts from the start.
    pub fn shipped() -> Self {
        Self::at(Stage::Enforce)
    }
    /// A rule an admin added or edited: it first only records.
    pub fn edited() -> Self {
        Self::at(Stage::Observe)
    }
    /// A rule whose stage the admin wrote down.
    pub fn at(stage: Stage) -> Self {
        Self { stage, verdicts: VecDeque::new(), changes: Vec::new() }
    }

    /// Verdicts that count at this stage.
    pub fn reviewed(&self) -> usize {
        self.verdicts.len()
    }
    /// Share of right verdicts, 0 to 1; `None` before the first.
    pub fn precision(&self) -> Option<f64> {
        let right = self.verdicts.iter().filter(|right| **right).count();
        (!self.verdicts.is_empty()).then(|| right as f64 / self.verdicts.len() as f64)
    }
    /// `23/24 判对（95.8%）`, as it stands beside a rule.
    pub fn precision_zh(&self) -> String {
        match self.precision() {
            None => "还没有人工结论".to_owned(),
            Some(share) => {
                let right = self.verdicts.iter().filter(|right| **right).count();
                format!("{right}/{} 判对（{:.1}%）", self.verdicts.len(), share * 100.0)
            }
        }
    }

    /// A person's verdict on one of its hits; answers the demotion if this one caused it.
    pub fn judge(&mut self, gates: &Gates, verdict: Verdict, now: Timestamp) -> Option<&Change> {
        self.verdicts.push_back(verdict.right());
        let keep = gates.recent.max(gates.pilot_reviewed).max(gates.enforce_reviewed);
        while self.verdicts.len() > keep {
            self.verdicts.pop_front();
        }
        let precision = self.precision()?;
        let falls = self.stage == Stage::Enforce
            && !verdict.right()
            && self.reviewed() >= gates.demote_least
            && precision < gates.demote_below;
        if !falls {
            return None;
        }
        let why = format!("准确率降到 {:.1}%，自动退回试点", precision * 100.0);
        Some(self.go(Stage::Pilot, why, now))
    }

    /// What is still missing to the next stage, in Chinese; `None` if the gate is open or it already acts.
    pub fn missing(&self, gates: &Gates) -> Option<String> {
        let (reviewed, precision) = match self.stage {
            Stage::Observe => (gates.pilot_reviewed, gates.pilot_precision),
            Stage::Pilot => (gates.enforce_reviewed, gates.enforce_precision),
            Stage::Enforce => return None,
        };
        if self.reviewed() < reviewed {
            return Some(format!("还需人工看 {} 条命中", reviewed - self.reviewed()));
        }
        let have = self.precision().unwrap_or(0.0);
        (have < precision).then(|| format!("准确率 {:.1}%，需达到 {:.1}%", have * 100.0, precision * 100.0))
    }

    /// An admin moves it one stage up, through the gate.
    ///
    /// # Errors
    /// What is missing, in Chinese.
    pub fn promote(&mut self, gates: &Gates, now: Timestamp) -> Result<&Change, String> {
        let to = match self.stage {
            Stage::Observe => Stage::Pilot,
            Stage::Pilot => Stage::Enforce,
            Stage::Enforce => return Err("规则已在执行".to_owned()),
        };
        if let Some(missing) = self.missing(gates) {
            return Err(missing);
        }
        let why = format!("{}，进入{}", self.precision_zh(), to.zh());
        Ok(self.go(to, why, now))
    }

    /// An admin edited the rule: what was said about the old one no longer counts.
    pub fn start_again(&mut self, stage: Stage, now: Timestamp) -> &Change {
        self.go(stage, format!("规则有改动，从{}重新开始", stage.zh()), now)
    }

    fn go(&mut self, to: Stage, why: String, now: Timestamp) -> &Change {
        let from = std::mem::replace(&mut self.stage, to);
        self.verdicts.clear();
        self.changes.push(Change { at: now, from, to, why });
        &self.changes[self.changes.len() - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn an_added_rule_climbs_through_both_gates() {
        let gates = &Policy::shipped("default").lifecycle;
        let mut rule = RuleLife::edited();
        assert_eq!(rule.promote(gates, NOW), Err("还需人工看 10 条命中".to_owned()));
        for i in 0..10 {
            rule.judge(gates, if i < 7 { Verdict::Confirmed } else { Verdict::Misjudged }, NOW);
        }
        assert_eq!(rule.promote(gates, NOW), Err("准确率 70.0%，需达到 80.0%".to_owned()));
        for _ in 0..10 {
            rule.judge(gates, Verdict::Confirmed, NOW);
        }
        assert_eq!(rule.precision_zh(), "17/20 判对（85.0%）");
        assert_eq!(rule.promote(gates, NOW).unwrap().to, Stage::Pilot);
        assert_eq!(rule.reviewed(), 0, "each stage proves itself anew");
        for _ in 0..30 {
            rule.judge(gates, Verdict::Confirmed, NOW);
        }
        assert_eq!(rule.promote(gates, NOW).unwrap().to, Stage::Enforce);
        assert!(rule.promote(gates, NOW).is_err());
        assert_eq!(rule.start_again(Stage::Observe, NOW).to, Stage::Observe);
        assert_eq!(rule.changes.len(), 3);
        let kept: RuleLife = serde_json::from_str(&serde_json::to_string(&rule).unwrap()).unwrap();
        assert_eq!(kept, rule);
    }

    #[test]
    fn upheld_appeals_pull_an_enforced_rule_back() {
        let gates = &Policy::shipped("default").lifecycle;
        let mut rule = RuleLife::shipped();
        for _ in 0..20 {
            assert!(rule.judge(gates, Verdict::Confirmed, NOW).is_none());
        }
        for _ in 0..2 {
            assert!(rule.judge(gates, Verdict::AppealUpheld, NOW).is_none());
        }
        let change = rule.judge(gates, Verdict::AppealUpheld, NOW).cloned().unwrap();
        assert_eq!((change.from, change.to), (Stage::Enforce, Stage::Pilot));
        assert_eq!(change.why, "准确率降到 87.0%，自动退回试点");
    }

    #[test]
    fn a_few_verdicts_never_demote() {
        let gates = &Policy::shipped("default").lifecycle;
        let mut rule = RuleLife::shipped();
        for _ in 0..9 {
            assert!(rule.judge(gates, Verdict::AppealUpheld, NOW).is_none());
        }
        assert!(rule.judge(gates, Verdict::AppealUpheld, NOW).is_some());
    }
}
