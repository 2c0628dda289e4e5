//! A store for tests in which somebody else is faster: what was handed to [`Meanwhile::just_before`] happens right before the
//! next commit.

use std::pin::Pin;

use async_trait::async_trait;
use jiff::SignedDuration;
use parking_lot::Mutex;

use super::{
    Case, CaseQuery, Commit, Committed, Document, MemberRecord, Processed, Store, StoreError, StoreStats, Task,
    TaskQuery, backup::Record, memory::MemoryStore,
};
use crate::model::{CaseId, GroupId, MemberId, MessageId, TaskId, Timestamp};

type Happening = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A store in memory in which somebody else is faster.
#[derive(Default)]
pub struct Meanwhile {
    under: MemoryStore,
    next: Mutex<Option<Happening>>,
}

impl Meanwhile {
    /// Lets this happen right before the next commit.
    pub fn just_before(&self, happening: impl Future<Output = ()> + Send + 'static) {
        *self.next.lock() = Some(Box::pin(happening));
    }
    /// Whether it did.
    pub fn has_happened(&self) -> bool {
        self.next.lock().is_none()
    }
}

#[async_trait]
impl Store for Meanwhile {
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let happening = self.next.lock().take();
        if let Some(happening) = happening {
            happening.await;
        }
        self.under.commit(commit).await
    }
    async fn processed(&self, id: &MessageId) -> Result<Option<Processed>, StoreError> {
        self.under.processed(id).await
    }
    async fn member(&self, group: &GroupId, member: &MemberId) -> Result<MemberRecord, StoreError> {
        self.under.member(group, member).await
    }
    async fn members(&self, group: &GroupId) -> Result<Vec<MemberRecord>, StoreError> {
        self.under.members(group).await
    }
    async fn case(&self, id: &CaseId) -> Result<Option<Case>, StoreError> {
        self.under.case(id).await
    }
    async fn cases(&self, query: &CaseQuery) -> Result<Vec<Case>, StoreError> {
        self.under.cases(query).await
    }
    async fn task(&self, id: &TaskId) -> Result<Option<Task>, StoreError> {
        self.under.task(id).await
    }
    async fn tasks(&self, query: &TaskQuery) -> Result<Vec<Task>, StoreError> {
        self.under.tasks(query).await
    }
    async fn claim(&self, now: Timestamp, limit: usize, lease: SignedDuration) -> Result<Vec<Task>, StoreError> {
        self.under.claim(now, limit, lease).await
    }
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.under.next_due().await
    }
    async fn document(&self, collection: &str, id: &str) -> Result<Option<Document>, StoreError> {
        self.under.document(collection, id).await
    }
    async fn documents(
        &self,
        collection: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Document>, StoreError> {
        self.under.documents(collection, prefix, after, limit).await
    }
    async fn cursor(&self, name: &str) -> Result<u64, StoreError> {
        self.under.cursor(name).await
    }
    async fn messages(
        &self,
        since: Timestamp,
        after: Option<&MessageId>,
        limit: usize,
    ) -> Result<Vec<Processed>, StoreError> {
        self.under.messages(since, after, limit).await
    }
    async fn prune(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.under.prune(before, limit).await
    }
    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.under.stats().await
    }
    async fn export(&self, to: tokio::sync::mpsc::Sender<Record>) -> Result<(), StoreError> {
        self.under.export(to).await
    }
    async fn import(&self, records: Vec<Record>, first: bool) -> Result<(), StoreError> {
        self.under.import(records, first).await
    }
}
