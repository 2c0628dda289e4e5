//! What survives `kill -9`: members' standings, cases, tasks, notices, cursors.
//!
//! The trait is shaped by the domain: every call is one transaction, records carry a version and are written with
//! compare-and-set, tasks are claimed under a lease with a fence. The embedded engine (sled) and the in-memory one pass
//! the same contract suite; a PostgreSQL engine can stand beside them.

pub mod backup;
pub mod changes;
pub mod collection;
#[cfg(test)]
mod contract;
pub mod embedded;
pub mod export_socket;
mod fsck;
mod kv;
mod logic;
#[cfg(test)]
pub mod meanwhile;
pub mod memory;
#[cfg(test)]
mod model_test;
pub mod open;
pub mod private;
pub mod transaction;

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

pub use self::{
    collection::{Collection, Name},
    transaction::Tx,
};
use crate::{
    detect::{Finding, contents, history::Earlier},
    model::{CaseId, Category, GroupId, MemberId, Message, MessageId, Severity, Step, TaskId, Timestamp, named_enum},
    policy::Standing,
    zh,
};

/// Why a store call failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk or the engine refused.
    #[error("store i/o: {0}")]
    Io(String),
    /// The system refuses the folder; what lies in it may be whole.
    #[error("store {path}: {1}; nothing is damaged", path = .0.display())]
    Unusable(PathBuf, #[source] Arc<std::io::Error>),
    /// Bytes that no known version explains; never guessed at.
    #[error("store format: {0}")]
    Format(String),
    /// The engine found its own files damaged.
    #[error("store is damaged: {0}")]
    Damaged(String),
    /// It cannot take this: an id too long, an import into a store that is not empty.
    #[error("store refuses: {0}")]
    Refused(String),
    /// Another process has it open.
    #[error("store {0} is in use by another process; stop that one first")]
    InUse(String),
    /// The writer has stopped.
    #[error("store is closed")]
    Closed,
}

/// The member's record: one row, one version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberRecord {
    /// Where.
    pub group: GroupId,
    /// Who.
    pub member: MemberId,
    /// 0 = not stored yet. On commit it must equal the stored version, which then rises by one.
    pub version: u64,
    /// What the ladder knows.
    pub standing: Standing,
    /// What is kept of recent messages, oldest first, bounded; flood, repetition and what is said over several messages are
    /// judged from it.
    #[serde(default)]
    pub recent: Vec<RecentMessage>,
    /// When they last said words to the bot in the group that would have been acted on: the second time is no question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tried: Option<Timestamp>,
    /// The name under which they were known when names were looked at last: it is judged once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl MemberRecord {
    /// A member nobody has met yet.
    pub fn new(group: GroupId, member: MemberId) -> Self {
        Self { group, member, version: 0, standing: Standing::default(), recent: Vec::new(), tried: None, name: None }
    }
}

/// One entry of the bounded ring of recent messages; stored as `[unix ms, hash, length, exact hash, text]`, the last two of
/// which older stores lack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "RecentRow", try_from = "RecentRow")]
pub struct RecentMessage(pub Earlier);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum RecentRow {
    Before(i64, u64, u32),
    Now(i64, u64, u32, u32, Option<String>),
}

impl From<RecentMessage> for RecentRow {
    fn from(RecentMessage(e): RecentMessage) -> Self {
        Self::Now(e.at.as_millisecond(), e.hash, e.len, e.exact, e.piece)
    }
}

impl TryFrom<RecentRow> for RecentMessage {
    type Error = jiff::Error;
    fn try_from(row: RecentRow) -> Result<Self, jiff::Error> {
        let (at, hash, len, exact, piece) = match row {
            RecentRow::Before(at, hash, len) => (at, hash, len, 0, None),
            RecentRow::Now(at, hash, len, exact, piece) => (at, hash, len, exact, piece),
        };
        Ok(Self(Earlier { at: Timestamp::from_millisecond(at)?, hash, len, exact, piece }))
    }
}

named_enum! {
    /// Where a case stands.
    pub enum CaseState {
        /// Decided, the effects are under way or a person is asked.
        Open = "open", "处理中";
        /// All effects ended.
        Closed = "closed", "已结束";
        /// Taken back.
        Revoked = "revoked", "已撤销";
    }
}

/// One violation with its evidence and everything that happened about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// As people say it.
    pub id: CaseId,
    /// 0 = not stored yet; compare-and-set like a member's.
    pub version: u64,
    /// Where.
    pub group: GroupId,
    /// Who.
    pub member: MemberId,
    /// The message it is about.
    pub message: MessageId,
    /// When that was said.
    pub at: Timestamp,
    /// What was said; shown only to those with the right, and that is recorded in `history`.
    pub evidence: String,
    /// What the detector found.
    pub findings: Vec<Finding>,
    /// The category that decided.
    pub category: Category,
    /// Its severity after policy (newcomers …).
    pub severity: Severity,
    /// The step decided.
    pub step: Step,
    /// Points of the strike, 0 for none.
    pub points: u32,
    /// Live points after it.
    pub live_points: u32,
    /// End of the mute, if one.
    pub until: Option<Timestamp>,
    /// Expiry of the strike, if one.
    pub expires_at: Option<Timestamp>,
    /// The policy's name and version it was judged by.
    pub policy: String,
    /// The clause it broke, `rulebook@version/clause`, if the group has a rulebook.
    #[serde(default)]
    pub clause: Option<String>,
    /// What a warning cites, as people read it: the clause, or the category.
    #[serde(default)]
    pub rule: String,
    /// Where it stands.
    pub state: CaseState,
    /// What happened since, oldest first.
    pub history: Vec<CaseEvent>,
    /// Further messages of the same deed, oldest first; the newest [`Case::KEPT`] of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<Further>,
    /// How many further messages there were in all.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u32,
    /// Other people who said the same while a person was asked about it, in that order: the answer is about all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Participant>,
    /// Cases of other people about the same text: the first one names all that followed, each of those names the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_text: Vec<CaseId>,
}

/// One of several people who said the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Participant {
    /// Who.
    pub member: MemberId,
    /// In which message, the first of theirs.
    pub message: MessageId,
    /// When.
    pub at: Timestamp,
    /// What was said, like [`Case::evidence`].
    pub evidence: String,
}

/// Another message of the same deed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Further {
    /// Which.
    pub message: MessageId,
    /// When it was said.
    pub at: Timestamp,
    /// What was said, like [`Case::evidence`].
    pub evidence: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Case {
    /// Further messages that are kept.
    pub const KEPT: usize = 20;
    /// Other people that one case holds.
    pub const MOST_OTHERS: usize = 100;

    /// Messages of the deed, the first one included.
    pub const fn messages(&self) -> u32 {
        self.more.saturating_add(1)
    }
    /// When the last of them was said.
    pub fn last_at(&self) -> Timestamp {
        self.further.iter().map(|further| further.at).fold(self.at, Timestamp::max)
    }
    /// Everything that was said, each sentence once.
    pub fn all_evidence(&self) -> String {
        let mut lines = vec![self.evidence.as_str()];
        let further = self.further.iter().map(|further| further.evidence.as_str());
        for said in further.chain(self.others.iter().map(|other| other.evidence.as_str())) {
            if !lines.contains(&said) {
                lines.push(said);
            }
        }
        lines.join("\n")
    }
    /// Words of the case as those read them who decide about it: of a leak no more than tells which message it is. What a file
    /// holds was never kept, so its numbers are shown.
    pub fn shown(&self, words: String) -> String {
        let in_files = |finding: &Finding| contents::is_rule(&finding.rule);
        let only_in_files = self.further.is_empty()
            && self.findings.iter().any(in_files)
            && self.findings.iter().all(|finding| !finding.category.is_leak() || in_files(finding));
        if self.category.is_leak() && !only_in_files { zh::masked(&words) } else { words }
    }

    /// A person's own decision (`警告 李销售`, a report found true), not the bot's.
    pub fn by_hand(&self) -> bool {
        self.message.as_str().starts_with(Self::BY_HAND)
    }
    /// What it is about, in words; `None` where a person decided and gave no reason.
    pub fn about(&self) -> Option<&str> {
        match self.category {
            Category::Junk if self.by_hand() => Some(self.rule.as_str()).filter(|reason| *reason != Self::NO_REASON),
            category => Some(category.zh()),
        }
    }
    /// Whose matter it is, for lists: its category, or that a person decided without a message behind it.
    pub fn matter(&self) -> &'static str {
        match self.category {
            Category::Junk if self.by_hand() && self.evidence.is_empty() => Self::NO_REASON,
            category => category.zh(),
        }
    }
    /// The rule of a decision for which a person gave no reason.
    pub const NO_REASON: &str = "管理者处理";
    /// Beginning of the message id of a person's own decision, which no message of a channel has.
    pub const BY_HAND: &str = "manual:";
}

/// One line of a case's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseEvent {
    /// When.
    pub at: Timestamp,
    /// Who: a member id, `bot`, or an API token's name.
    pub by: String,
    /// What, a stable word: `decided`, `removed`, `readded`, `owner_done`, `verified`, `recalled` (the message), `revoked` (the case), `evidence_opened` …
    pub what: String,
    /// Details in Chinese, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

named_enum! {
    /// Where a task stands.
    pub enum TaskState {
        /// Due some time, or being worked on under a lease.
        Pending = "pending", "等待中";
        /// A person has to do something; the task looks again at its due time.
        WaitsForPerson = "waits_for_person", "等人处理";
        /// Done, and verified where that is possible.
        Done = "done", "已完成";
        /// Tried as often as the rules allow; a person was told.
        GaveUp = "gave_up", "已放弃";
        /// No longer wanted.
        Cancelled = "cancelled", "已取消";
    }
}

impl TaskState {
    /// True once nothing more will happen to the task.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::GaveUp | Self::Cancelled)
    }
}

/// Something with a due time or an effect outside: the only way anything reaches WeCom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Also the idempotency key: inserting the same id again changes nothing.
    pub id: TaskId,
    /// Which job does it (`jobs/` has one file a kind): `send`, `remove`, `readd`, `remind` …; a name that never changes.
    pub kind: String,
    /// The job's own data.
    pub payload: serde_json::Value,
    /// Group it is about; empty for none. Jobs of one group run one after the other, except those that say otherwise.
    pub group: GroupId,
    /// Member it is about, if any.
    pub member: Option<MemberId>,
    /// Case it belongs to, if any.
    pub case: Option<CaseId>,
    /// When it was made.
    pub created: Timestamp,
    /// Not before.
    pub due: Timestamp,
    /// Where it stands.
    pub state: TaskState,
    /// Tries in a row that failed or have not ended yet.
    pub attempts: u32,
    /// Rises with every claim; an update must name it, so a worker whose lease ran out can't write.
    pub fence: u64,
    /// Claimed until then.
    pub leased_until: Option<Timestamp>,
    /// Why it is where it is, in Chinese, for people.
    #[serde(default)]
    pub reason: String,
}

impl Task {
    /// A pending task due at once.
    pub fn new(id: impl Into<TaskId>, kind: &str, group: &GroupId, now: Timestamp, payload: serde_json::Value) -> Self {
        Self {
            id: id.into(),
            kind: kind.to_owned(),
            payload,
            group: group.clone(),
            member: None,
            case: None,
            created: now,
            due: now,
            state: TaskState::Pending,
            attempts: 0,
            fence: 0,
            leased_until: None,
            reason: String::new(),
        }
    }
}

/// What happened to a claimed task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskUpdate {
    /// Which.
    pub id: TaskId,
    /// The fence of the claim: if the task has another one by now, or ended, the commit is a [`Committed::Conflict`]. `None`
    /// for an outside decision (cancel), which wins over a lease and raises the fence, but comes too late for a task that has
    /// ended or is unknown: that one stays as it is.
    pub fence: Option<u64>,
    /// New state.
    pub state: TaskState,
    /// New due time (retry, look again); ignored for end states.
    pub due: Timestamp,
    /// For people.
    pub reason: String,
    /// Replaces the payload, if given.
    pub payload: Option<serde_json::Value>,
    /// This try failed: it counts. Otherwise the count of failed tries starts again.
    pub failed: bool,
}

/// The lasting mark of a processed message: its first answer is its only answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Processed {
    /// The message, kept for backtests until its retention ends.
    pub message: Message,
    /// Detector's conclusion.
    pub verdict: crate::detect::Verdict,
    /// Step decided.
    pub step: Step,
    /// Points of the strike.
    pub points: u32,
    /// Live points after it.
    pub live_points: u32,
    /// Case opened, if one.
    pub case: Option<CaseId>,
}

/// A versioned JSON document of one of the other use cases: notices, appeals, reports, groups, rules, ledger lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// Which use case: `notice`, `appeal`, `group` …; a name that never changes.
    pub collection: String,
    /// Its id within the collection; lists come in byte order of it.
    pub id: String,
    /// 0 = not stored yet; compare-and-set like a member's.
    pub version: u64,
    /// The content.
    pub body: serde_json::Value,
}

/// Something that was read and must still stand as it was.
#[derive(Clone, Debug)]
pub enum Seen {
    /// A member's record, and its version.
    Member(GroupId, MemberId, u64),
    /// A case, and its version; 0 if there was none.
    Case(CaseId, u64),
    /// A document (collection, id), and its version; 0 if there was none.
    Document(String, String, u64),
    /// A task, if there was one.
    Task(TaskId, Option<Box<Task>>),
}

/// Everything that must happen together or not at all.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// What the decision rests on besides what it writes; if one of it has changed, [`Committed::Conflict`].
    pub unchanged: Vec<Seen>,
    /// Marks the message as processed; if it already is, nothing at all is written and [`Committed::Duplicate`] answers.
    pub processed: Option<Processed>,
    /// Members, each with the version it was read at.
    pub members: Vec<MemberRecord>,
    /// Cases, each with the version it was read at.
    pub cases: Vec<Case>,
    /// New tasks; one whose id exists already is left as it is.
    pub tasks: Vec<Task>,
    /// Changes to tasks.
    pub task_updates: Vec<TaskUpdate>,
    /// Tasks to forget; one that has not ended is left as it is.
    pub forgotten_tasks: Vec<TaskId>,
    /// Documents, each with the version it was read at.
    pub documents: Vec<Document>,
    /// Documents to delete: (collection, id).
    pub deletes: Vec<(String, String)>,
    /// Stream positions: (name, value). A position never moves back.
    pub cursors: Vec<(String, u64)>,
}

impl Commit {
    /// There is nothing in it to write.
    pub fn writes_nothing(&self) -> bool {
        self.processed.is_none()
            && self.members.is_empty()
            && self.cases.is_empty()
            && self.tasks.is_empty()
            && self.task_updates.is_empty()
            && self.forgotten_tasks.is_empty()
            && self.documents.is_empty()
            && self.deletes.is_empty()
            && self.cursors.is_empty()
    }
}

/// How a commit ended. Whatever it says is durable (synced) when it is said.
#[derive(Clone, Debug, PartialEq)]
pub enum Committed {
    /// All of it is written.
    Applied,
    /// The message had been processed before; nothing was written, except that cursors were moved forward.
    Duplicate(Box<Processed>),
    /// Somebody else was faster (a version or a fence differs); nothing was written. Read again, decide again.
    Conflict,
}

/// Which cases to list; all fields narrow.
#[derive(Clone, Debug, Default)]
pub struct CaseQuery {
    /// Only this group.
    pub group: Option<GroupId>,
    /// Only this member.
    pub member: Option<MemberId>,
    /// Only this state.
    pub state: Option<CaseState>,
    /// Only cases older than this one (its id), for paging; after an unknown one there are none.
    pub after: Option<CaseId>,
    /// At most so many; 0 = 50.
    pub limit: usize,
}

/// Which tasks to list.
#[derive(Clone, Debug, Default)]
pub struct TaskQuery {
    /// Only this state.
    pub state: Option<TaskState>,
    /// Only of this case.
    pub case: Option<CaseId>,
    /// Only of this group.
    pub group: Option<GroupId>,
    /// Only tasks after this id, for paging.
    pub after: Option<TaskId>,
    /// At most so many; 0 = 200.
    pub limit: usize,
}

/// Numbers for `/metrics` and `/readyz`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StoreStats {
    /// Tasks pending.
    pub pending: u64,
    /// Tasks waiting for a person.
    pub waiting: u64,
    /// When the oldest unfinished task becomes due (a leased one: again), unix ms; 0 for none.
    pub oldest_due_ms: i64,
    /// Bytes on disk; 0 in memory.
    pub disk_bytes: u64,
    /// Bytes that the store's disk still has room for, where that can be known.
    pub disk_free: Option<u64>,
}

/// The durable memory. Every call is one transaction; what it returns is already safe from `kill -9` and power loss.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The first answer to a message, if it was processed.
    async fn processed(&self, id: &MessageId) -> Result<Option<Processed>, StoreError>;
    /// A member's record; an unknown one comes with version 0.
    async fn member(&self, group: &GroupId, member: &MemberId) -> Result<MemberRecord, StoreError>;
    /// All members on record in a group, by id.
    async fn members(&self, group: &GroupId) -> Result<Vec<MemberRecord>, StoreError>;
    /// Writes everything or nothing.
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError>;
    /// One case.
    async fn case(&self, id: &CaseId) -> Result<Option<Case>, StoreError>;
    /// Cases, newest first.
    async fn cases(&self, query: &CaseQuery) -> Result<Vec<Case>, StoreError>;
    /// One task.
    async fn task(&self, id: &TaskId) -> Result<Option<Task>, StoreError>;
    /// Tasks by id.
    async fn tasks(&self, query: &TaskQuery) -> Result<Vec<Task>, StoreError>;
    /// Takes up to `limit` tasks that are due (pending or waiting for a person) and not leased, oldest due first; each gets a
    /// higher fence, one more attempt and a lease until `now + lease`. A task whose lease ran out is due again, since then.
    async fn claim(&self, now: Timestamp, limit: usize, lease: SignedDuration) -> Result<Vec<Task>, StoreError>;
    /// The earliest time at which [`Store::claim`] could return something.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;
    /// One document.
    async fn document(&self, collection: &str, id: &str) -> Result<Option<Document>, StoreError>;
    /// Documents of a collection whose id starts with `prefix`, after `after`, by id.
    async fn documents(
        &self,
        collection: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Document>, StoreError>;
    /// A stream position; 0 if never set.
    async fn cursor(&self, name: &str) -> Result<u64, StoreError>;
    /// Processed messages said at or after `since`, by time, after message `after`, for backtests.
    async fn messages(
        &self,
        since: Timestamp,
        after: Option<&MessageId>,
        limit: usize,
    ) -> Result<Vec<Processed>, StoreError>;
    /// Forgets processed messages said before `before` (at most `limit`); returns how many went.
    async fn prune(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError>;
    /// Numbers for operations.
    async fn stats(&self) -> Result<StoreStats, StoreError>;
    /// Why nothing can be written any more until the process starts anew; costs nothing to ask. Never, in memory.
    fn failed(&self) -> Option<StoreError> {
        None
    }
    /// Sends everything stored, as of one moment during the call, while commits go on; for [`backup`]. Ends when the
    /// receiver is dropped.
    async fn export(&self, to: tokio::sync::mpsc::Sender<backup::Record>) -> Result<(), StoreError>;
    /// Writes exported records as they are, versions included; a later record about the same thing wins. Only the first
    /// call of a restore says `first`, and it is refused unless the store is empty.
    async fn import(&self, records: Vec<backup::Record>, first: bool) -> Result<(), StoreError>;
}
