//! Which groups the bot does not hear or cannot act in, and why: shown by `/readyz` and the status page, so that nobody trusts
//! in a guard who is not there.
//!
//! WeCom archives a group while one of its members has a seat (开通存档的成员). Who has one is read every ten minutes and kept,
//! so a restart knows it at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::{
    capability::Capabilities,
    groups::{Group, Groups},
    model::{MemberId, Mode, Timestamp, named_enum},
    store::{Collection, Name, Store, StoreError, transaction::transact},
};

/// The collection of what was read about the archive.
const COVERAGE: Collection<Seats> = Collection::new(Name::Coverage);
/// The one document in it.
const SEATS: &str = "seats";
/// Names of groups in one sentence.
const NAMED: usize = 5;

named_enum! {
    /// What a group lacks.
    pub enum Gap {
        /// It is gone.
        Dissolved = "dissolved", "已解散";
        /// Its messages are not archived: only what @ the bot is heard.
        NoSeat = "no_seat", "没有开通存档的成员";
        /// Whether it is archived and who is in it cannot be known.
        NoMembers = "no_members", "还没有读到成员名单";
        /// Nobody can be told or asked.
        NoApp = "no_app", "没有配置应用，不能提醒和处置";
    }
}

/// Who has a seat, as WeCom told it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seats {
    /// When it was read.
    pub read: Option<Timestamp>,
    /// Who has one.
    pub members: BTreeSet<MemberId>,
}

/// What is covered.
pub struct Coverage {
    store: Arc<dyn Store>,
    groups: Arc<Groups>,
    seats: RwLock<Seats>,
}

impl Coverage {
    /// Reads what was known before.
    pub async fn load(store: Arc<dyn Store>, groups: Arc<Groups>) -> Result<Self, StoreError> {
        let seats = COVERAGE.get(store.as_ref(), SEATS).await?.unwrap_or_default();
        Ok(Self { store, groups, seats: RwLock::new(seats) })
    }

    /// Writes down who has a seat and uses it from now on.
    pub async fn learn(&self, members: BTreeSet<MemberId>, now: Timestamp) -> Result<(), StoreError> {
        let seats = Seats { read: Some(now), members };
        transact!(self.store.as_ref(), |tx| tx.put(COVERAGE, SEATS, &seats).await?);
        *self.seats.write() = seats;
        Ok(())
    }

    /// What a group lacks; empty if nothing.
    pub fn gaps(&self, group: &Group, can: Capabilities) -> Vec<Gap> {
        gaps(group, &self.seats.read(), can)
    }

    /// One sentence a kind of gap, and one for groups that nobody configured; the most urgent first.
    pub fn sentences(&self, can: Capabilities) -> Vec<(Gap, String)> {
        let all = self.groups.all();
        let mut lacking: BTreeMap<Gap, Vec<&str>> = BTreeMap::new();
        for group in all.iter().filter(|group| group.configured) {
            for gap in self.gaps(group, can) {
                lacking.entry(gap).or_default().push(group.name());
            }
        }
        lacking.into_iter().map(|(gap, names)| (gap, sentence(gap, &names))).collect()
    }

    /// Groups that WeCom told of and nobody configured: they are only watched.
    pub fn unlisted(&self) -> Option<String> {
        let all = self.groups.all();
        let names: Vec<&str> = all
            .iter()
            .filter(|group| !group.configured && !group.learned.dissolved)
            .map(|group| group.name())
            .collect();
        (!names.is_empty()).then(|| format!("{} 个群没有写进设置，只观察：{}", names.len(), list(&names)))
    }
}

fn gaps(group: &Group, seats: &Seats, can: Capabilities) -> Vec<Gap> {
    let learned = &group.learned;
    if learned.dissolved {
        return vec![Gap::Dissolved];
    }
    let mut gaps = Vec::new();
    if learned.refreshed.is_none() && learned.members.is_empty() {
        gaps.push(Gap::NoMembers);
    } else if seats.read.is_some() && !learned.members.keys().any(|member| seats.members.contains(member)) {
        gaps.push(Gap::NoSeat);
    }
    if group.set.mode != Mode::Watch && !can.app && !can.dry_run {
        gaps.push(Gap::NoApp);
    }
    gaps
}

fn sentence(gap: Gap, names: &[&str]) -> String {
    format!("{} 个群{}：{}", names.len(), gap.zh(), list(names))
}

fn list(names: &[&str]) -> String {
    let more = if names.len() > NAMED { " 等" } else { "" };
    format!("{}{more}", names[..names.len().min(NAMED)].join("、"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        groups::{Configured, GroupState, Person},
        model::GroupKind,
    };

    fn group(mode: Mode, members: &[&str], read: bool) -> Group {
        let set = Configured {
            id: "g".into(),
            name: "群".into(),
            kind: GroupKind::Internal,
            mode,
            policy: None,
            rulebooks: Vec::new(),
            tell_rules: crate::settings::TellRules::All,
            owner: None,
            admins: Vec::new(),
            aliases: Vec::new(),
            bot_chat: None,
            webhook: false,
        };
        let learned = GroupState {
            members: members.iter().map(|m| (MemberId::from(*m), Person::default())).collect(),
            refreshed: read.then_some(Timestamp::UNIX_EPOCH),
            ..GroupState::default()
        };
        Group { set, configured: true, learned, colleagues: Arc::default() }
    }

    #[test]
    fn each_gap_and_none() {
        let app = Capabilities { app: true, ..Capabilities::default() };
        let seats = Seats { read: Some(Timestamp::UNIX_EPOCH), members: [MemberId::from("wang")].into() };
        let unknown = Seats::default();
        assert_eq!(gaps(&group(Mode::Full, &["wang", "li"], true), &seats, app), []);
        assert_eq!(gaps(&group(Mode::Full, &["li"], true), &seats, app), [Gap::NoSeat]);
        assert_eq!(gaps(&group(Mode::Full, &["li"], true), &unknown, app), [], "nobody told who has a seat");
        assert_eq!(gaps(&group(Mode::Full, &[], false), &seats, app), [Gap::NoMembers]);
        let nobody = Capabilities::default();
        assert_eq!(gaps(&group(Mode::Assisted, &["wang"], true), &seats, nobody), [Gap::NoApp]);
        assert_eq!(gaps(&group(Mode::Watch, &["wang"], true), &seats, nobody), []);
        let mut gone = group(Mode::Full, &["li"], true);
        gone.learned.dissolved = true;
        assert_eq!(gaps(&gone, &seats, nobody), [Gap::Dissolved]);
    }

    #[test]
    fn sentences_stay_short() {
        let names = ["甲", "乙", "丙", "丁", "戊", "己", "庚"];
        assert_eq!(sentence(Gap::NoSeat, &names[..3]), "3 个群没有开通存档的成员：甲、乙、丙");
        assert_eq!(sentence(Gap::NoSeat, &names), "7 个群没有开通存档的成员：甲、乙、丙、丁、戊 等");
    }
}
