//! Who did what: every act of a person, a token or an account leaves one record, written in the same commit as the act.
//!
//! A record says who (and the person behind a token), when, where it was wished for, what, in which group, about what, and
//! how that stood before and after; never what was said in a group. Newest first; kept for `[retention] audit`. Answers to
//! notices (收到) and sign-ins are no records here: the roster holds who, when and how.

mod act;
mod read;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{
    act::Act,
    read::{Listed, Page, Wanted, list, prune},
};
use crate::{
    access::{Actor, Face, Principal, PrincipalKind},
    model::{CaseId, GroupId, MemberId, Timestamp},
    store::{Collection, Name, StoreError, Tx},
};

/// The collection of records; ids run from the newest to the oldest.
const AUDIT: Collection<Record> = Collection::new(Name::Audit);
/// Later times have smaller ids; milliseconds up to the year 33658.
const LAST_MS: i64 = 999_999_999_999_999;
/// Records of one millisecond, the later the smaller.
const LAST_N: u32 = 99_999;

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// What kind of principal.
    pub kind: PrincipalKind,
    /// As histories name it.
    pub name: String,
    /// The person behind it, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<MemberId>,
}

/// One act; the stored document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: By,
    /// Where it was wished for.
    pub face: Face,
    /// What.
    pub action: Act,
    /// In which group; none for what concerns the whole company or several groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// About what: `case:8F2K`, `member:li`, `group:…`, `report:…`, `notice:…`, `activity:…`, `month:2026-11`.
    pub subject: String,
    /// Whom it concerns, if it is one person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// What of it changed, as it stood before; null where there was nothing.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// The same afterwards.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub after: Value,
}

/// What of a record the use case knows; who, where and when are the actor's and the clock's.
#[derive(Clone, Debug)]
pub struct Entry {
    act: Act,
    group: Option<GroupId>,
    subject: String,
    member: Option<MemberId>,
    before: Value,
    after: Value,
}

impl Entry {
    fn about(act: Act, subject: String) -> Self {
        Self { act, group: None, subject, member: None, before: Value::Null, after: Value::Null }
    }
    /// About a case.
    pub fn case(act: Act, case: &CaseId) -> Self {
        Self::about(act, format!("case:{case}"))
    }
    /// About a person.
    pub fn member(act: Act, member: &MemberId) -> Self {
        Self { member: Some(member.clone()), ..Self::about(act, format!("member:{member}")) }
    }
    /// About a group.
    pub fn group(act: Act, group: &GroupId) -> Self {
        Self { group: Some(group.clone()), ..Self::about(act, format!("group:{group}")) }
    }
    /// About a report, a notice, an activity, a month: `kind` and its id.
    pub fn of(act: Act, kind: &str, id: &str) -> Self {
        Self::about(act, format!("{kind}:{id}"))
    }
    /// Where.
    pub fn within(self, group: &GroupId) -> Self {
        Self { group: Some(group.clone()).filter(|group| !group.as_str().is_empty()), ..self }
    }
    /// In the one group it is about, if it is one.
    pub fn within_all(self, groups: &[GroupId]) -> Self {
        match groups {
            [only] => self.within(only),
            _ => self,
        }
    }
    /// Whom it concerns.
    pub fn concerning(self, member: &MemberId) -> Self {
        Self { member: Some(member.clone()), ..self }
    }
    /// How it stood.
    pub fn was(self, before: Value) -> Self {
        Self { before, ..self }
    }
    /// How it stands.
    pub fn now(self, after: Value) -> Self {
        Self { after, ..self }
    }
}

impl Tx<'_> {
    /// Writes down who did what, in the same commit. What the bot does by itself is in the histories alone.
    pub async fn audit(&mut self, actor: &Actor, now: Timestamp, entry: Entry) -> Result<(), StoreError> {
        if matches!(actor.who, Principal::Bot) {
            return Ok(());
        }
        let record = Record {
            at: now,
            by: By { kind: actor.kind(), name: actor.name().to_owned(), person: actor.person().cloned() },
            face: actor.face,
            action: entry.act,
            group: entry.group,
            subject: entry.subject,
            member: entry.member,
            before: entry.before,
            after: entry.after,
        };
        let mut n = 0;
        while n < LAST_N && self.get(AUDIT, &id(now, n)).await?.is_some() {
            n += 1;
        }
        self.put(AUDIT, &id(now, n), &record).await
    }
}

fn id(at: Timestamp, n: u32) -> String {
    format!("{}-{:05}", moment(at), LAST_N - n.min(LAST_N))
}

/// Every record of this millisecond begins so.
fn moment(at: Timestamp) -> String {
    format!("{:015}", LAST_MS - at.as_millisecond().clamp(0, LAST_MS))
}
