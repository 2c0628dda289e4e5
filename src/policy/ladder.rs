//! The ladder an owner can hold in mind: so many live points, and then this happens.
//!
//! Every number here comes from a policy file (`config/policies/*.toml`); [`super::file`] reads and checks it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{breaker, lifecycle};
use crate::model::{Category, GroupId, Role, Severity, SignedDuration, Step, named_enum};

named_enum! {
    /// What the ladder counts.
    pub enum Unit {
        /// Points: a grave violation weighs more.
        Points = "points", "分";
        /// Violations: the first, the second, the third.
        Count = "count", "次";
    }
}

named_enum! {
    /// What happens with hits of a category.
    pub enum Treatment {
        /// The ladder decides.
        Act = "act", "处置";
        /// A person looks at each hit, nothing else.
        Review = "review", "人工复核";
        /// Not forbidden in this group.
        Ignore = "ignore", "不管";
    }
}

named_enum! {
    /// When a category is looked at; without `[working_hours]` in the settings every hour counts alike.
    pub enum When {
        /// At any time.
        Always = "always", "任何时候";
        /// Only in working hours.
        Working = "working", "仅工作时间";
        /// Only outside of them.
        Off = "off", "仅非工作时间";
    }
}

/// Weight of one violation by its severity. Never falls as severity rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Points {
    /// Of a low one.
    pub low: u32,
    /// Of a medium one.
    pub medium: u32,
    /// Of a high one.
    pub high: u32,
    /// Of a critical one.
    pub critical: u32,
}

impl Points {
    /// The weight of one violation.
    pub const fn of(self, severity: Severity) -> u32 {
        match severity {
            Severity::Low => self.low,
            Severity::Medium => self.medium,
            Severity::High => self.high,
            Severity::Critical => self.critical,
        }
    }
}

/// One rung: from `at` live points on, this is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Live points from which it holds.
    pub at: u32,
    /// What is done: warn, mute or remove.
    pub step: Step,
    /// How long a mute lasts; zero for other steps.
    pub length: SignedDuration,
    /// A person has to say yes first.
    pub ask: bool,
}

/// Rungs from low to high; never milder further up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder(pub Vec<Rung>);

impl Ladder {
    /// The highest rung reached with so many live points.
    pub fn rung(&self, live: u32) -> Option<&Rung> {
        self.0.iter().rev().find(|rung| rung.at <= live)
    }
    /// The top rung; a ladder that passed the checks has one.
    pub fn top(&self) -> Option<&Rung> {
        self.0.last()
    }
}

/// Severity read as another one: newcomers, strict mode. Absent ones stay as they are.
pub type Raise = BTreeMap<Severity, Severity>;

/// Who counts as new, and how new members are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newcomer {
    /// New for so long after joining …
    pub within: SignedDuration,
    /// … and until so many messages were seen.
    pub messages: u64,
    /// Their severities.
    pub raise: Raise,
}

/// Who is never given a strike.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Immune {
    /// Their parts in the group.
    pub roles: BTreeSet<Role>,
    /// Not even asked to take back a leak.
    pub leaks: bool,
}

/// From which severity on something reaches further than this group's ladder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// From this severity; absent = never.
    #[serde(default)]
    pub from: Option<Severity>,
    /// Only these categories; empty = all.
    #[serde(default)]
    pub categories: BTreeSet<Category>,
}

impl Reach {
    /// Does it hold for such a violation?
    pub fn covers(&self, category: Category, severity: Severity) -> bool {
        self.from.is_some_and(|from| severity >= from)
            && (self.categories.is_empty() || self.categories.contains(&category))
    }
}

/// What a policy says of one category; absent parts follow the general rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CategoryRule {
    /// Every hit counts as this severe.
    pub severity: Option<Severity>,
    /// Weights of its own.
    pub points: Option<Points>,
    /// A ladder of its own; its strikes then count only there.
    pub ladder: Option<Ladder>,
    /// How long its strikes count.
    pub expires: Option<SignedDuration>,
    /// When it is looked at.
    pub when: Option<When>,
    /// What happens with its hits.
    pub treat: Option<Treatment>,
}

/// Everything that decides what follows from a finding in a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// File name without extension.
    pub name: String,
    /// Shown name.
    pub title: String,
    /// Rises with every change; cases keep it.
    pub version: u32,
    /// What the ladder counts.
    pub unit: Unit,
    /// How long a strike counts, from its message's own time.
    pub strike_expires: SignedDuration,
    /// The first ever low hit in a category is a private hint without a strike.
    pub first_low_is_hint: bool,
    /// Messages of somebody removed that arrive so soon after the last strike are only recorded.
    pub settle: SignedDuration,
    /// A message may be so far ahead of our clock.
    pub clock_tolerance: SignedDuration,
    /// Weights.
    pub points: Points,
    /// The general ladder.
    pub ladder: Ladder,
    /// New members.
    pub newcomer: Newcomer,
    /// Severities while the owner's strict mode lasts.
    pub strict_raise: Raise,
    /// Who gets no strikes.
    pub immune: Immune,
    /// From this step on, an external person is only proposed to a human; never above [`Step::Mute`].
    pub external_ask_from: Step,
    /// Removal from other groups of the same owner.
    pub cross_group: Reach,
    /// Banned for good.
    pub ban: Reach,
    /// Time to take a leak back.
    pub recall_within: SignedDuration,
    /// Categories with rules of their own.
    pub categories: BTreeMap<Category, CategoryRule>,
    /// Circuit breaker.
    pub breaker: breaker::Limits,
    /// Rule life cycle.
    pub lifecycle: lifecycle::Gates,
    /// Groups with rules of their own: the whole policy as it holds there.
    pub groups: BTreeMap<GroupId, Policy>,
}

impl Policy {
    /// The policy as it holds in a group.
    pub fn for_group(&self, group: &GroupId) -> &Self {
        self.groups.get(group).unwrap_or(self)
    }
    /// `default@1`, as a case keeps it.
    pub fn label(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
    /// The rule of a category.
    pub fn category(&self, category: Category) -> Option<&CategoryRule> {
        self.categories.get(&category)
    }
    /// The ladder on which a category's strikes count.
    pub fn ladder_of(&self, category: Category) -> &Ladder {
        self.category(category).and_then(|rule| rule.ladder.as_ref()).unwrap_or(&self.ladder)
    }
    /// The weight of one violation.
    pub fn points_of(&self, category: Category, severity: Severity) -> u32 {
        self.category(category).and_then(|rule| rule.points).unwrap_or(self.points).of(severity)
    }
    /// Do strikes of both categories count together?
    pub fn same_ladder(&self, a: Category, b: Category) -> bool {
        let own = |c| self.category(c).is_some_and(|rule| rule.ladder.is_some());
        a == b || !(own(a) || own(b))
    }
    /// How long a strike of a category counts.
    pub fn expiry_of(&self, category: Category) -> SignedDuration {
        self.category(category).and_then(|rule| rule.expires).unwrap_or(self.strike_expires)
    }
}
