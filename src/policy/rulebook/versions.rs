//! A changed rulebook is announced first and takes effect days later; a case keeps the version it was judged by.

use serde::{Deserialize, Serialize};

use super::{Clause, Rulebook};
use crate::model::{SignedDuration, Timestamp};

/// What is different in a new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// New.
    Added(&'a Clause),
    /// Other words, checks or response.
    Changed(&'a Clause),
    /// Gone.
    Dropped(&'a Clause),
}

impl std::fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (word, clause) = match self {
            Self::Added(clause) => ("新增", clause),
            Self::Changed(clause) => ("改为", clause),
            Self::Dropped(clause) => ("取消", clause),
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
                Some(before) if before != clause => changes.push(Change::Changed(clause)),
                Some(_) => {}
            }
        }
        changes.extend(older.clauses.iter().filter(|clause| self.clause(&clause.id).is_none()).map(Change::Dropped));
        changes
    }
}

/// The versions of one rulebook in a group: the one in force, and perhaps one that was announced. Serialise it beside the
/// group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    in_force: Rulebook,
    announced: Option<Announced>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Announced {
    rulebook: Rulebook,
    effective: Timestamp,
}

/// What to tell the group about a new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// From then on it holds.
    pub effective: Timestamp,
    /// One line a change, in Chinese.
    pub changes: Vec<String>,
}

impl Versions {
    /// A group that picks a rulebook for the first time: it holds at once.
    pub fn new(rulebook: Rulebook) -> Self {
        Self { in_force: rulebook, announced: None }
    }

    /// The version that holds at a moment; never one before its announced time.
    pub fn at(&self, now: Timestamp) -> &Rulebook {
        match &self.announced {
            Some(next) if next.effective <= now => &next.rulebook,
            _ => &self.in_force,
        }
    }

    /// The file has changed: answers what to announce, or nothing if that was done already or no clause differs.
    ///
    /// # Errors
    /// Clauses differ although the version is not higher; in Chinese, for the admin.
    pub fn offer(&mut self, new: &Rulebook, now: Timestamp) -> Result<Option<Announcement>, String> {
        self.in_force = self.at(now).clone();
        self.announced.take_if(|next| next.effective <= now);
        if self.announced.as_ref().is_some_and(|next| next.rulebook == *new) || self.in_force == *new {
            return Ok(None);
        }
        let lines: Vec<String> = new.changes_since(&self.in_force).iter().map(ToString::to_string).collect();
        if lines.is_empty() {
            self.in_force = new.clone();
            self.announced = None;
            return Ok(None);
        }
        let latest = self.announced.as_ref().map_or(self.in_force.version, |next| next.rulebook.version);
        if new.version <= latest {
            return Err(format!("群规 {} 有改动，请把 version 改为 {} 或更大", new.name, latest + 1));
        }
        let effective = now + SignedDuration::from_hours(24 * i64::from(new.announce_days));
        self.announced = Some(Announced { rulebook: new.clone(), effective });
        Ok(Some(Announcement { effective, changes: lines }))
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
        let mut versions = Versions::new(old.clone());
        assert_eq!(versions.offer(&old, days(0)), Ok(None));
        assert_eq!(
            versions.offer(&new, days(0)),
            Err("群规 sales-group 有改动，请把 version 改为 2 或更大".to_owned())
        );
        new.version = 2;
        let told = versions.offer(&new, days(1)).unwrap().unwrap();
        assert_eq!(told.effective, days(4));
        assert_eq!(told.changes, ["改为 第一条：别的字", "取消 第二条(1)：群名写成「公司或品牌名＋销售群」"]);
        assert_eq!(versions.offer(&new, days(2)), Ok(None), "told once");
        let kept: Versions = serde_json::from_str(&serde_json::to_string(&versions).unwrap()).unwrap();
        assert_eq!(kept, versions);
        assert_eq!(versions.at(days(3)).version, 1);
        assert_eq!(versions.at(days(4)).version, 2);
        assert_eq!(versions.offer(&new, days(5)), Ok(None));
        assert_eq!(versions.at(days(0)).version, 2, "in force stays in force when the clock is set back");
    }
}
