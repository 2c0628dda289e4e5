//! Who must answer a notice, and how each did: the roll, kept in buckets.
//!
//! A member's bucket follows from a hash of their id, so an answer reads and rewrites some fifty people, however large the
//! notice is, and a walk over the roll holds one bucket in memory.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Notices, ROLLS,
    notice::{Event, Notice},
};
use crate::{
    access::Actor,
    audit::Entry,
    model::{MemberId, MessageId, Timestamp, named_enum},
    refusal::ActError,
    store::{StoreError, Task, Tx, transaction::transact},
};

/// People a bucket, on average.
const BUCKET: usize = 50;

named_enum! {
    /// The way somebody answered.
    pub enum How {
        /// A button of the private card.
        Button = "button", "按钮";
        /// The card in the group.
        GroupCard = "group_card", "群卡片";
        /// Words in the group.
        Word = "word", "群里回复";
        /// Quoting the notice.
        Quote = "quote", "引用回复";
        /// Words to the bot in private.
        Private = "private", "私聊回复";
        /// The page behind a link.
        Link = "link", "链接";
        /// Written in by a person.
        Person = "person", "人工补录";
    }
}

named_enum! {
    /// How a member stands with a notice.
    pub enum MemberState {
        /// The deadline is not over.
        Waiting = "waiting", "待回执";
        /// Answered in time.
        Acknowledged = "acknowledged", "已回执";
        /// Answered after the deadline.
        Late = "late", "迟到";
        /// Excused.
        Exempt = "exempt", "豁免";
        /// The deadline is over without an answer.
        Missing = "missing", "未回执";
        /// The deadline is over and the notice has not reached them.
        Undelivered = "undelivered", "未送达";
    }
}

/// An acknowledgement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The time of the message or click itself.
    pub at: Timestamp,
    /// The way.
    pub how: How,
    /// The message, so that its second delivery is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
}

named_enum! {
    /// Where an explanation stands.
    pub enum ExcuseState {
        /// Somebody has to decide.
        Asked = "asked", "待处理";
        /// Accepted.
        Accepted = "accepted", "已同意";
        /// Refused.
        Refused = "refused", "未同意";
    }
}

/// An explanation, or a standing exemption that held at the time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Excuse {
    /// In the member's own words.
    pub reason: String,
    /// When it was given.
    pub at: Timestamp,
    /// Where it stands.
    pub state: ExcuseState,
    /// Who decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// One person on the roll. Short names: there are many of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RosterEntry {
    /// Shown name at sending time.
    #[serde(rename = "n")]
    pub name: String,
    /// Department at sending time.
    #[serde(rename = "d", default, skip_serializing_if = "String::is_empty")]
    pub department: String,
    /// Who gets the list if they do not answer.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub superior: Option<MemberId>,
    /// Positions in the notice's list of groups.
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<u16>,
    /// Named by department or by name, so leaving groups changes nothing.
    #[serde(rename = "x", default, skip_serializing_if = "std::ops::Not::not")]
    pub named: bool,
    /// Their own deadline, if it is another.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// When the notice reached them.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Timestamp>,
    /// They cannot be reached in private.
    #[serde(rename = "w", default, skip_serializing_if = "std::ops::Not::not")]
    pub unreachable: bool,
    /// The first answer.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// An explanation.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub excuse: Option<Excuse>,
    /// Left the last group.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Timestamp>,
    /// What was explained, decided and settled, newest last.
    #[serde(rename = "h", default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Event>,
    /// Paid, waived, disputed; none: open.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Settled>,
}

named_enum! {
    /// What became of a ledger line.
    pub enum Settled {
        /// Paid, or the record taken note of.
        Paid = "paid", "已缴";
        /// Let off.
        Waived = "waived", "免除";
        /// The member objects.
        Disputed = "disputed", "有异议";
    }
}

impl RosterEntry {
    /// The deadline that binds this person.
    pub fn due(&self, notice: &Notice) -> Timestamp {
        self.due.or(notice.due).unwrap_or(Timestamp::MAX)
    }
    /// An accepted explanation or standing exemption.
    pub fn is_exempt(&self) -> bool {
        self.excuse.as_ref().is_some_and(|e| e.state == ExcuseState::Accepted)
    }
    /// It has reached them, and before their deadline. Who answers has it.
    pub fn heard_of(&self, notice: &Notice) -> bool {
        !notice.tracks_delivery || self.told.is_some_and(|told| told < self.due(notice))
    }
    /// Not there yet, and perhaps on its way.
    pub fn is_under_way(&self, notice: &Notice) -> bool {
        notice.tracks_delivery && self.told.is_none() && !self.unreachable && self.is_unanswered()
    }
    /// How they stand at `now`; an exemption wins over a late answer, an answer in time over everything. In the
    /// deadline's own instant an answer is in time, and who has none is missing.
    pub fn state(&self, notice: &Notice, now: Timestamp) -> MemberState {
        let due = self.due(notice);
        match &self.answer {
            Some(answer) if answer.at <= due || !self.heard_of(notice) => MemberState::Acknowledged,
            _ if self.is_exempt() => MemberState::Exempt,
            Some(_) => MemberState::Late,
            None if now < due => MemberState::Waiting,
            None if !self.heard_of(notice) => MemberState::Undelivered,
            None => MemberState::Missing,
        }
    }
    /// Needs to be asked again.
    pub fn is_unanswered(&self) -> bool {
        self.answer.is_none() && self.left.is_none() && !self.is_exempt()
    }
    /// Waits for a decision on an explanation.
    pub fn is_explained(&self) -> bool {
        self.excuse.as_ref().is_some_and(|e| e.state == ExcuseState::Asked)
    }
}

/// A bucket's people.
pub type Bucket = BTreeMap<MemberId, RosterEntry>;

/// How many buckets for so many people.
pub fn buckets_for(people: usize) -> u32 {
    people.div_ceil(BUCKET).max(1) as u32
}

/// A member's bucket; FNV-1a, which never changes.
pub fn bucket_of(member: &MemberId, buckets: u32) -> u32 {
    let hash = member
        .as_str()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash % u64::from(buckets.max(1))) as u32
}

/// A bucket's document id.
pub fn bucket_id(notice: &str, bucket: u32) -> String {
    format!("{notice}/{bucket:04}")
}

/// What an edit of one person came to: what to answer, and the tasks that follow. `None` writes nothing.
pub(super) struct Edited<T> {
    pub(super) answer: T,
    pub(super) write: bool,
    pub(super) tasks: Vec<Task>,
}

impl<T> Edited<T> {
    pub(super) fn unchanged(answer: T) -> Self {
        Self { answer, write: false, tasks: Vec::new() }
    }
    pub(super) fn write(answer: T, tasks: Vec<Task>) -> Self {
        Self { answer, write: true, tasks }
    }
}

impl Notices {
    /// One person of a notice.
    pub async fn entry(&self, notice: &Notice, member: &MemberId) -> Result<Option<RosterEntry>, StoreError> {
        let id = bucket_id(&notice.id, bucket_of(member, notice.buckets));
        Ok(self.read(ROLLS, &id).await?.and_then(|mut bucket| bucket.remove(member)))
    }

    /// Changes one person's entry, again if somebody was faster. The edit sees a fresh entry each time; what is written is on
    /// record as this act.
    pub(super) async fn edit_entry<T>(
        &self,
        notice: &Notice,
        member: &MemberId,
        act: Option<(&Actor, &Entry)>,
        edit: impl Fn(&mut Option<RosterEntry>) -> Result<Edited<T>, ActError>,
    ) -> Result<T, ActError> {
        let now = self.now();
        Ok(transact!(self.store.as_ref(), |tx| {
            let edited = edit_entry(tx, notice, member, &edit).await?;
            if let (true, Some((actor, entry))) = (edited.write, act) {
                tx.audit(actor, now, entry.clone()).await?;
            }
            edited.answer
        }))
    }

    /// Walks over everybody on the roll, bucket by bucket.
    pub async fn walk(&self, notice: &Notice, mut visit: impl FnMut(MemberId, RosterEntry)) -> Result<(), StoreError> {
        let prefix = format!("{}/", notice.id);
        let mut after: Option<String> = None;
        loop {
            let page = ROLLS.page(self.store.as_ref(), &prefix, after.as_deref(), 16).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for (member, mut entry) in page.into_iter().flat_map(|(_, bucket)| bucket) {
                if entry.name == member.as_str() {
                    entry.name = self.directory.person(&member).name; // learned since
                }
                visit(member, entry);
            }
        }
    }
}

/// The same within a transaction; what it answers has no tasks any more.
pub(super) async fn edit_entry<T>(
    tx: &mut Tx<'_>,
    notice: &Notice,
    member: &MemberId,
    edit: impl Fn(&mut Option<RosterEntry>) -> Result<Edited<T>, ActError>,
) -> Result<Edited<T>, ActError> {
    let id = bucket_id(&notice.id, bucket_of(member, notice.buckets));
    let mut bucket = tx.get(ROLLS, &id).await?.unwrap_or_default();
    let mut entry = bucket.remove(member);
    let mut edited = edit(&mut entry)?;
    if edited.write {
        if let Some(entry) = entry {
            bucket.insert(member.clone(), entry);
        }
        tx.put(ROLLS, &id, &bucket).await?;
        tx.add_tasks(std::mem::take(&mut edited.tasks));
    }
    Ok(edited)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_even_and_never_move() {
        let mut sizes = vec![0; 100];
        for n in 0..5000 {
            sizes[bucket_of(&MemberId::from(format!("u{n:05}")), 100) as usize] += 1;
        }
        assert!(sizes.iter().all(|n| (20..=90).contains(n)), "{sizes:?}");
        assert_eq!(bucket_of(&"zhangsan".into(), 100), bucket_of(&"zhangsan".into(), 100));
        assert_eq!((buckets_for(0), buckets_for(42), buckets_for(51), buckets_for(5000)), (1, 1, 2, 100));
    }
}
