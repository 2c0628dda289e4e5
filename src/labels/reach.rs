//! How far each rule of the lists can go by itself: what a single hit may bring. Lists, points and stages decide it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    detect::Detector,
    model::{Category, Severity, Stage},
    policy::rulebook::Check,
};

/// What one hit of a rule may bring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strength {
    /// How bad the hits are that the policy may act on alone.
    pub acts: BTreeSet<Severity>,
    /// Some hit is shown to a person.
    pub asks: bool,
    /// Some hit is only written down, or counts beside another one.
    pub records: bool,
}

impl Strength {
    fn add(&mut self, other: &Self) {
        self.acts.extend(&other.acts);
        self.asks |= other.asks;
        self.records |= other.records;
    }
}

/// Of every rule that can hit.
#[derive(Clone, Debug, Default)]
pub struct Reach(BTreeMap<String, Strength>);

impl Reach {
    /// Of the rules of a detector: its lists' entries, and what it sees without a list.
    pub fn of(detector: &Detector) -> Self {
        let scores = &detector.settings().scores;
        let mut rules: BTreeMap<String, Strength> = BTreeMap::new();
        let mut add = |rule: &str, points: f32, severity: Severity, stage: Stage| {
            let strength = rules.entry(rule.to_owned()).or_default();
            match stage {
                Stage::Enforce if points + 1e-4 >= scores.act => drop(strength.acts.insert(severity)),
                Stage::Enforce | Stage::Pilot if points + 1e-4 >= scores.review => strength.asks = true,
                _ => strength.records = true,
            }
        };
        for entry in detector.entries() {
            let (points, severity) = scores.weight(entry.category, &entry.rule);
            let stage = detector.own().stage_of(&entry.file, &entry.entry).unwrap_or(entry.entry.stage);
            let points = entry.entry.points.unwrap_or(points);
            add(&entry.rule, points, entry.entry.severity.unwrap_or(severity), stage);
        }
        for rule in scores.rule.keys().map(String::as_str).chain(["flood/repeat"]) {
            let category = rule.split_once('/').and_then(|(category, _)| category.parse::<Category>().ok());
            if let Some(category) = category {
                let (points, severity) = scores.weight(category, rule);
                add(rule, points, severity, Stage::Enforce);
            }
        }
        Self(rules)
    }

    /// Of what a check sees in a category; `None`: nothing of it can ever hit.
    pub fn check(&self, check: &Check, category: Category) -> Option<Strength> {
        let of = |rule: &&String| rule.split_once('/').is_some_and(|(own, _)| own == category.id());
        let wanted = |rule: &&String| match check {
            Check::Rule(..) => check.names(&[rule.as_str()]),
            Check::Message(_) | Check::Duty(_) => true,
        };
        let mut all = self.0.keys().filter(of).filter(wanted).peekable();
        all.peek()?;
        let mut sum = Strength::default();
        all.for_each(|rule| sum.add(&self.0[rule]));
        Some(sum)
    }

    /// How bad the hits of a check are on which the policy may act.
    pub fn severities(&self, check: &Check, category: Category) -> Vec<Severity> {
        self.check(check, category).map(|strength| strength.acts.into_iter().collect()).unwrap_or_default()
    }

    /// The rule whose name comes nearest, for whoever mistyped one.
    pub fn nearest(&self, rule: &str) -> Option<String> {
        crate::model::UnknownName::new(rule, self.0.keys().map(String::as_str)).nearest
    }
}
