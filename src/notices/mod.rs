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
//! that is processed late is judged like one that was processed at once. Nobody is late for what has not reached them
//! ([`delivery`]). Nothing here talks to WeCom: what should reach people becomes task rows ([`outgoing`]), and what has a due
//! time becomes task rows of the kinds in [`run`].

pub mod activity;
pub mod answer;
mod cards;
pub mod deadline;
pub mod delivery;
pub mod directory;
pub mod due;
pub mod exemption;
pub mod export;
pub mod fine;
pub mod ledger;
mod lifecycle;
mod member_renamed;
pub mod notice;
mod open;
pub mod outgoing;
pub mod propose;
pub mod publish;
pub mod repeat;
pub mod roster;
pub mod run;
pub mod status;
#[cfg(test)]
mod tests;
mod typed;
pub mod wording;

use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::{Serialize, de::DeserializeOwned};

pub use self::{
    deadline::Deadline,
    directory::{Directory, Person},
    notice::{Draft, Notice},
    run::{Ran, run_task},
};
use crate::{
    access::{self, Action, Actor, People, Principal},
    audit::{Act, Entry},
    calendar::Calendar,
    model::{Clock, GroupId, Timestamp},
    refusal::{ActError, Code, Refusal},
    store::{Collection, Name, Store, StoreError},
};

/// The collection of notices.
const NOTICES: Collection<Notice> = Collection::new(Name::Notice);
/// The collection of who must answer.
const ROLLS: Collection<roster::Bucket> = Collection::new(Name::NoticeRoll);
/// The collection of notices that can still be answered, by group.
const OPEN: Collection<open::Open> = Collection::new(Name::NoticeOpen);
/// The collection of notices by the month of their deadline.
const MONTHS: Collection<serde_json::Value> = Collection::new(Name::NoticeMonth);
/// The collection of keys under which callers published: sent again, the notice is the same.
const KEYS: Collection<lifecycle::Key> = Collection::new(Name::NoticeKey);

/// The id of a notice as people say it, in any case and with or without `#`.
fn named(id: &str) -> String {
    id.trim().trim_start_matches('#').to_uppercase()
}

/// A record about a notice.
fn entry(act: Act, notice: &Notice) -> Entry {
    Entry::of(act, "notice", &notice.id).within_all(&notice.what.groups)
}

/// There is no such notice.
fn no_notice(id: &str) -> ActError {
    ActError::refused(Code::NotFound, format!("没有编号为 {id} 的通知"))
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
    pub async fn get(&self, id: &str) -> Result<Notice, ActError> {
        let id = named(id);
        match self.read::<Notice>(NOTICES, &id).await? {
            Some(notice) => Ok(notice),
            None => Err(no_notice(&id)),
        }
    }
    /// Refuses who may not speak to all of these groups; without any: to the whole company.
    fn may_speak(&self, actor: &Actor, groups: &[GroupId]) -> Result<(), Refusal> {
        if groups.is_empty() {
            access::ask(actor, Action::PublishNotice, None)?;
        }
        groups
            .iter()
            .try_for_each(|group| access::ask(actor, Action::PublishNotice, Some(&self.directory.group_record(group))))
    }
    /// Refuses who may not speak to everybody a draft is for.
    fn may_publish(&self, actor: &Actor, what: &Draft) -> Result<(), Refusal> {
        if !what.members.is_empty() || !what.departments.is_empty() {
            self.may_speak(actor, &[])?;
        }
        self.may_speak(actor, &what.groups)
    }
    /// Refuses who may not do something about a notice: among people its author alone may.
    fn may_change(&self, actor: &Actor, notice: &Notice) -> Result<(), Refusal> {
        match actor.who {
            Principal::Member { .. } if self.people.same(&notice.by, actor) => Ok(()),
            // Who is asked to review a draft may turn it down.
            Principal::Member { .. } if self.can_review(actor, notice) => Ok(()),
            Principal::Member { .. } => Err(Refusal::new(Code::Forbidden, "只有起草的人可以这样做")),
            _ => self.may_publish(actor, &notice.what),
        }
    }
    /// May they be the second person who reads this draft?
    pub fn can_review(&self, actor: &Actor, notice: &Notice) -> bool {
        notice.waits_for_review()
            && !self.people.same(&notice.by, actor)
            && self.may_publish(actor, &notice.what).is_ok()
    }
    /// Notices that somebody may see, by id, after `after`; looks at most at `limit`. With where the next page begins.
    pub async fn visible(
        &self,
        actor: &Actor,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Notice>, Option<String>), ActError> {
        let mut notices = self.list(after, limit).await?;
        let next = notices.last().filter(|_| notices.len() == limit).map(|notice| notice.id.clone());
        notices.retain(|notice| self.may_publish(actor, &notice.what).is_ok());
        Ok((notices, next))
    }
    /// The newest notices that somebody wrote or that went to groups they lead, newest first.
    pub async fn lately(&self, actor: &Actor, limit: usize) -> Result<Vec<Notice>, ActError> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.list(after.as_deref(), 500).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            let leads = |group: &GroupId| self.may_speak(actor, std::slice::from_ref(group)).is_ok();
            let theirs = |notice: &Notice| self.people.same(&notice.by, actor) || notice.what.groups.iter().any(leads);
            all.extend(page.into_iter().filter(theirs));
        }
        all.sort_by_key(|notice| std::cmp::Reverse(notice.created));
        all.truncate(limit);
        Ok(all)
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
