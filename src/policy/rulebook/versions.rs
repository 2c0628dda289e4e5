//! A changed rulebook is announced first and takes effect days later; a case keeps the version it was judged by.

use serde::{Deserialize, Serialize};

use super::{Clause, Rulebook};
use crate::model::{SignedDuration, Timestamp};

/// What is different in a new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// New.
    Added(&'a Clause),
    /// Other words.
    Reworded(&'a Clause),
    /// The same words; who answers for it or what follows is another.
    Handled(&'a Clause),
    /// Gone.
    Dropped(&'a Clause),
    /// Another policy comes along; `None`: none any more.
    Penalties(Option<&'a str>),
}

impl std::fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (word, clause) = match self {
            Self::Added(clause) => ("新增", clause),
            Self::Reworded(clause) => ("改为", clause),
            Self::Handled(clause) => ("执行方式调整", clause),
            Self::Dropped(clause) => ("取消", clause),
            Self::Penalties(Some(policy)) => return write!(f, "处罚办法改为策略 {policy}"),
            Self::Penalties(None) => return write!(f, "不再自带处罚办法"),
        };
        write!(f, "{word} {}：{}", clause.cite, clause.text)
    }
}

impl Rulebook {
    /// Clauses added, changed or gone since an older version.
    pub fn changes_since<'a>(&'a self, older: &'a Self) -> Vec<Change<'a>> {
        let mut changes = Vec::new();
        for clause in &self.clauses {
            match older.clause(&clause.id) {
                None => changes.push(Change::Added(clause)),
                Some(before) if (&before.text, &before.cite) != (&clause.text, &clause.cite) => {
                    changes.push(Change::Reworded(clause));
                }
                // Why people see to something is no rule.
                Some(before) if (&before.checks, before.response) != (&clause.checks, clause.response) => {
                    changes.push(Change::Handled(clause));
                }
                Some(_) => {}
            }
        }
        changes.extend(older.clauses.iter().filter(|clause| self.clause(&clause.id).is_none()).map(Change::Dropped));
        if self.policy != older.policy {
            changes.push(Change::Penalties(self.policy.as_deref()));
        }
        changes
    }
}

/// The versions of one rulebook in a group: the one in force, and perhaps one that was announced. Serialise it beside the
/// group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    in_force: Rulebook,
    announced: Option<Announced>,
    /// Somebody is to tell the group what its rules are.
    #[serde(default)]
    to_be_told: bool,
    /// When the group was told what its rules are; before that nobody is punished there.
    #[serde(default)]
    told: Option<Timestamp>,
}

/// A version that comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// What will hold.
    pub rulebook: Rulebook,
    /// From then on, if people were told by then.
    pub effective: Timestamp,
    /// People have been told.
    pub told: bool,
}

/// What to tell the group about a changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// A new version.
    Coming {
        /// Its number.
        version: u32,
        /// From then on it holds; the present if nothing is announced ahead.
        effective: Timestamp,
        /// One line a change, in Chinese.
        changes: Vec<String>,
    },
    /// The version that was announced does not come: the file is again what is in force.
    Withdrawn {
        /// The number of what will not come.
        version: u32,
    },
}

impl Versions {
    /// A group that picks a rulebook for the first time: it holds at once, and has to be told.
    pub fn new(rulebook: Rulebook) -> Self {
        Self { in_force: rulebook, announced: None, to_be_told: false, told: None }
    }

    /// When the group was told what its rules are, if it was.
    pub const fn told_at(&self) -> Option<Timestamp> {
        self.told
    }

    /// Somebody has to tell the group its rules, and nobody was asked to yet; from now on somebody is.
    pub const fn is_to_be_told(&mut self) -> bool {
        let asks = self.told.is_none() && !self.to_be_told;
        self.to_be_told = true;
        asks
    }

    /// The group knows its rules from then on.
    pub fn knows(&mut self, at: Timestamp) {
        self.told.get_or_insert(at);
    }

    /// The version that holds at a moment; never one before its announced time, and never one that nobody was told of.
    pub fn at(&self, now: Timestamp) -> &Rulebook {
        match &self.announced {
            Some(next) if next.told && next.effective <= now => &next.rulebook,
            _ => &self.in_force,
        }
    }

    /// The version that comes later, if one was announced.
    pub fn coming(&self, now: Timestamp) -> Option<&Announced> {
        self.announced.as_ref().filter(|next| !next.told || next.effective > now)
    }

    /// What has taken effect stays in effect, whatever the clock does later.
    pub fn settle(&mut self, now: Timestamp) {
        if let Some(next) = self.announced.take_if(|next| next.told && next.effective <= now) {
            self.in_force = next.rulebook;
        }
    }

    /// People have been told of a version, and that it holds from `effective` on. False if it is no longer the one that comes.
    pub fn told(&mut self, version: u32, effective: Timestamp) -> bool {
        match &mut self.announced {
            Some(next) if next.rulebook.version == version => {
                (next.told, next.effective) = (true, effective);
                true
            }
            _ => false,
        }
    }

    /// The file has changed: answers what to announce, or nothing if that was done already or no clause differs.
    ///
    /// # Errors
    /// Clauses differ although the version is not higher; in Chinese, for the admin.
    pub fn offer(&mut self, new: &Rulebook, now: Timestamp) -> Result<Option<Announcement>, String> {
        self.settle(now);
        if self.announced.as_ref().is_some_and(|next| next.rulebook == *new) {
            return Ok(None);
        }
        let changes: Vec<String> = new.changes_since(&self.in_force).iter().map(ToString::to_string).collect();
        if changes.is_empty() {
            self.in_force = new.clone();
            let withdrawn = self.announced.take();
            return Ok(withdrawn.map(|next| Announcement::Withdrawn { version: next.rulebook.version }));
        }
        let latest = self.announced.as_ref().map_or(self.in_force.version, |next| next.rulebook.version);
        if new.version <= latest {
            return Err(format!("群规 {} 有改动，请把 version 改为 {} 或更大", new.name, latest.saturating_add(1)));
        }
        let ahead = SignedDuration::from_hours(24 * i64::from(new.announce_days));
        let effective = now.saturating_add(ahead).unwrap_or(Timestamp::MAX);
        if new.announce_days == 0 {
            (self.in_force, self.announced) = (new.clone(), None);
        } else {
            self.announced = Some(Announced { rulebook: new.clone(), effective, told: false });
        }
        Ok(Some(Announcement::Coming { version: new.version, effective, changes }))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::book, *};

    fn days(n: i64) -> Timestamp {
        Timestamp::from_second(n * 86_400).unwrap()
    }

    #[test]
    fn a_change_takes_effect_only_after_its_announcement() {
        let old = book("sales-group");
        let mut new = old.clone();
        new.clauses.remove(1);
        new.clauses[0].text = "别的字".into();
        new.clauses[1..].iter_mut().find(|clause| !clause.checks.is_empty()).unwrap().checks.clear();
        let mut versions = Versions::new(old.clone());
        assert_eq!(versions.offer(&old, days(0)), Ok(None));
        assert_eq!(
            versions.offer(&new, days(0)),
            Err("群规 sales-group 有改动，请把 version 改为 3 或更大".to_owned())
        );
        new.version = 3;
        let Some(Announcement::Coming { version: 3, effective, changes }) = versions.offer(&new, days(1)).unwrap()
        else {
            panic!("nothing to announce")
        };
        assert_eq!(effective, days(4));
        assert_eq!(changes[0], "改为 第一条：别的字");
        assert!(changes[1].starts_with("执行方式调整 "), "{}", changes[1]);
        assert_eq!(changes[2], "取消 第二条(1)：群名写成「公司或品牌名＋销售群」");
        assert_eq!(versions.offer(&new, days(2)), Ok(None), "told once");
        assert_eq!(versions.at(days(9)).version, 2, "nobody was told");
        assert!(versions.told(3, effective));
        let kept: Versions = serde_json::from_str(&serde_json::to_string(&versions).unwrap()).unwrap();
        assert_eq!(kept, versions);
        assert_eq!(versions.at(days(3)).version, 2);
        assert_eq!(versions.coming(days(3)).unwrap().effective, days(4));
        assert_eq!(versions.at(days(4)).version, 3);
        assert_eq!(versions.coming(days(4)), None);
        assert_eq!(versions.offer(&new, days(5)), Ok(None));
        assert_eq!(versions.at(days(0)).version, 3, "in force stays in force when the clock is set back");
    }

    #[test]
    fn a_file_put_back_withdraws_what_was_announced() {
        let old = book("sales-group");
        let mut new = old.clone();
        new.version = 3;
        new.clauses[0].text = "别的字".into();
        let mut versions = Versions::new(old.clone());
        versions.offer(&new, days(0)).unwrap().unwrap();
        versions.told(3, days(3));
        assert_eq!(versions.offer(&old, days(1)), Ok(Some(Announcement::Withdrawn { version: 3 })));
        assert_eq!(versions.at(days(9)).version, 2);
        assert!(!versions.told(3, days(3)), "it does not come any more");
    }

    #[test]
    fn without_days_ahead_it_holds_at_once() {
        let old = book("sales-group");
        let mut new = old.clone();
        (new.version, new.announce_days) = (3, 0);
        new.clauses[0].text = "别的字".into();
        let mut versions = Versions::new(old);
        assert!(matches!(versions.offer(&new, days(5)), Ok(Some(Announcement::Coming { version: 3, .. }))));
        assert_eq!(versions.at(days(0)).version, 3);
    }
}
