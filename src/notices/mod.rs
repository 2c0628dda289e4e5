//! Notices with a deadline: who has answered, who is late, who is excused.
//!
//! A manager publishes a notice to groups, departments or people; everybody concerned answers with a button or with a word
//! such as 收到; who forgets is reminded in private; after the deadline the superior gets the list. Excuses, the ledger of
//! late answers and activities with a sign-in stand on the same records.
//!
//! | document | holds |
//! |---|---|
//! | `notice/ID` | what was ordered, its life and its history |
//! | `notice_roll/ID/BUCKET` | who must answer and how each did, some fifty people a bucket: an answer rewrites one bucket only |
//! | `notice_open/GROUP/ID` | notices that a word said in this group may answer |
//! | `notice_key/CALLER/KEY` | the notice that a caller published under an idempotency key |
//! | `notice_month/YYYY-MM/ID` | notices whose deadline lies in a month, for the ledger |
//! | `activity/ID`, `activity_open/GROUP/ID` | activities with their sign-in lists |
//!
//! Whether somebody is late is never stored: it follows from the time of their own message and their deadline, so a message
//! that is processed late is judged like one that was processed at once. Nothing here talks to WeCom: what should reach
//! people becomes task rows ([`outgoing`]), and what has a due time becomes task rows of the kinds in [`run`].

pub mod ack;
pub mod activity;
pub mod answer;
pub mod calendar;
pub mod deadline;
pub mod directory;
pub mod exemption;
pub mod export;
pub mod ledger;
pub mod notice;
pub mod outgoing;
pub mod publish;
mod renamed;
pub mod roll;
pub mod run;
pub mod status;
#[cfg(test)]
mod tests;
pub mod wording;

use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::{Serialize, de::DeserializeOwned};

pub use self::{
    calendar::Calendar,
    deadline::Deadline,
    directory::{Directory, Person},
    notice::{Draft, Notice},
    run::{Ran, run_task},
};
use crate::{
    access::People,
    model::{Clock, Timestamp, UserError, named_enum},
    store::{Collection, Name, Store, StoreError},
};

/// The collection of notices.
const NOTICES: Collection<Notice> = Collection::new(Name::Notice);
/// The collection of who must answer.
const ROLLS: Collection<roll::Bucket> = Collection::new(Name::NoticeRoll);
/// The collection of notices that can still be answered, by group.
const OPEN: Collection<answer::Open> = Collection::new(Name::NoticeOpen);
/// The collection of notices by the month of their deadline.
const MONTHS: Collection<serde_json::Value> = Collection::new(Name::NoticeMonth);
/// The collection of keys under which callers published: sent again, the notice is the same.
const KEYS: Collection<publish::Key> = Collection::new(Name::NoticeKey);

named_enum! {
    /// Mistakes that a program can tell apart, as `code` of the HTTP API; a caller could do something else about each.
    pub enum Code {
        /// A field has a value it cannot have.
        InvalidValue = "invalid_value", "内容有误";
        /// The deadline lies before the sending.
        DeadlinePassed = "deadline_passed", "截止时间已过";
        /// Nobody would have to answer.
        NoReceivers = "no_receivers", "没有接收人";
        /// There is no such group.
        UnknownGroup = "unknown_group", "没有这个群";
        /// The group is there, and nobody has told who is in it.
        UnknownMembers = "unknown_members", "不知道群里有谁";
        /// There is no such department.
        UnknownDepartment = "unknown_department", "没有这个部门";
        /// Money was switched on without the warning having been read.
        FineNotUnderstood = "fine_not_understood", "没有确认金额提示";
        /// It takes another person than the one who asks.
        SamePerson = "same_person", "要由另一个人处理";
        /// It does not stand where this could be done.
        WrongState = "wrong_state", "现在不能这样做";
        /// The month is not over.
        MonthOpen = "month_open", "这个月还没有结束";
        /// The month is closed.
        MonthClosed = "month_closed", "这个月已结账";
        /// There is no such thing.
        NotFound = "not_found", "没有找到";
    }
}

/// What goes wrong: shown in Chinese, or logged.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    /// Shown to the person.
    #[error(transparent)]
    User(#[from] UserError),
    /// Shown to the person; a program can tell it from other mistakes.
    #[error("{text}")]
    Refused {
        /// Which.
        code: Code,
        /// Where in what was sent, if it is one place.
        field: Option<&'static str>,
        /// For people.
        text: String,
    },
    /// An idempotency key that stands for another notice.
    #[error("这个 Idempotency-Key 已用于另一条通知")]
    KeyTaken,
    /// Logged; the person reads a general sentence.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl NoticeError {
    fn user(text: impl Into<String>) -> Self {
        Self::User(UserError::new(text))
    }
    fn refused(code: Code, text: impl Into<String>) -> Self {
        Self::Refused { code, field: None, text: text.into() }
    }
    fn wrong(field: &'static str, text: impl Into<String>) -> Self {
        Self::Refused { code: Code::InvalidValue, field: Some(field), text: text.into() }
    }
    fn no_notice(id: &str) -> Self {
        Self::refused(Code::NotFound, format!("没有编号为 {id} 的通知"))
    }
}

/// The use case: everything that can be asked about notices.
pub struct Notices {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    directory: Arc<dyn Directory>,
    calendar: ArcSwap<Calendar>,
    links: Option<String>,
    people: People,
    /// When this life of the program began.
    started: Timestamp,
}

impl Notices {
    /// `directory` knows who is where, `calendar` when people work.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        directory: Arc<dyn Directory>,
        calendar: Arc<Calendar>,
    ) -> Self {
        let started = clock.now();
        let people = People::default();
        Self { store, clock, directory, calendar: ArcSwap::new(calendar), links: None, people, started }
    }
    /// Whom the API's tokens belong to, where two people are wanted.
    pub fn with_people(self, people: People) -> Self {
        Self { people, ..self }
    }
    /// Notices carry a link to acknowledge, below this address.
    pub fn with_links(self, public_url: Option<String>) -> Self {
        Self { links: public_url, ..self }
    }
    /// The page on which a notice is acknowledged; there is none for one with a question.
    fn link(&self, notice: &Notice) -> Option<String> {
        let base = self.links.as_deref().filter(|_| notice.what.confirm.is_none())?;
        Some(format!("{base}/n/{}", notice.id))
    }
    /// Puts new working hours in force; deadlines already set stay.
    pub fn set_calendar(&self, calendar: Arc<Calendar>) {
        self.calendar.store(calendar);
    }
    /// The durable memory.
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }
    /// Whether the program was down when `due` came: what was said meanwhile has to be let in first, for [`run::WAIT`].
    fn slept_through(&self, due: Timestamp) -> bool {
        due < self.started && self.now().duration_since(due) > run::SLEPT
    }
    /// The present.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
    /// One notice, by its id as people say it (upper or lower case).
    pub async fn get(&self, id: &str) -> Result<Notice, NoticeError> {
        let id = id.trim().trim_start_matches('#').to_uppercase();
        match self.read::<Notice>(NOTICES, &id).await? {
            Some(notice) => Ok(notice),
            None => Err(NoticeError::no_notice(&id)),
        }
    }
    /// Every notice, by id, after `after`, at most `limit`.
    pub async fn list(&self, after: Option<&str>, limit: usize) -> Result<Vec<Notice>, StoreError> {
        let page = NOTICES.page(self.store.as_ref(), "", after, limit).await?;
        Ok(page.into_iter().map(|(_, notice)| notice).collect())
    }
    async fn read<T: Serialize + DeserializeOwned>(
        &self,
        collection: Collection<T>,
        id: &str,
    ) -> Result<Option<T>, StoreError> {
        collection.get(self.store.as_ref(), id).await
    }
}

/// A value as a document's body.
fn encode<T: Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}
