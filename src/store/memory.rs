//! The store in memory: for tests, `scan --jsonl` and backtests. It forgets everything when it is dropped.

use std::collections::BTreeMap;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::{
    Case, CaseQuery, Commit, Committed, Document, MemberRecord, Processed, Store, StoreError, StoreStats, Task,
    TaskQuery, backup::Record, kv::Draft, logic,
};
use crate::model::{CaseId, GroupId, MemberId, MessageId, SignedDuration, TaskId, Timestamp};

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// The store in memory.
#[derive(Default)]
pub struct MemoryStore {
    rows: Mutex<Map>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn write<T>(&self, change: impl FnOnce(&mut Draft<'_, Map>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut rows = self.rows.lock();
        let mut draft = Draft::new(&*rows);
        let answer = change(&mut draft)?;
        for (key, value) in draft.into_changes() {
            match value {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
        Ok(answer)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn processed(&self, id: &MessageId) -> Result<Option<Processed>, StoreError> {
        logic::processed(&*self.rows.lock(), id)
    }
    async fn member(&self, group: &GroupId, member: &MemberId) -> Result<MemberRecord, StoreError> {
        logic::member(&*self.rows.lock(), group, member)
    }
    async fn members(&self, group: &GroupId) -> Result<Vec<MemberRecord>, StoreError> {
        logic::members(&*self.rows.lock(), group)
    }
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.write(|draft| logic::commit(draft, &commit))
    }
    async fn case(&self, id: &CaseId) -> Result<Option<Case>, StoreError> {
        logic::case(&*self.rows.lock(), id)
    }
    async fn cases(&self, query: &CaseQuery) -> Result<Vec<Case>, StoreError> {
        logic::cases(&*self.rows.lock(), query)
    }
    async fn task(&self, id: &TaskId) -> Result<Option<Task>, StoreError> {
        logic::task(&*self.rows.lock(), id)
    }
    async fn tasks(&self, query: &TaskQuery) -> Result<Vec<Task>, StoreError> {
        logic::tasks(&*self.rows.lock(), query)
    }
    async fn claim(&self, now: Timestamp, limit: usize, lease: SignedDuration) -> Result<Vec<Task>, StoreError> {
        self.write(|draft| logic::claim(draft, now, limit, lease))
    }
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        logic::next_due(&*self.rows.lock())
    }
    async fn document(&self, collection: &str, id: &str) -> Result<Option<Document>, StoreError> {
        logic::document(&*self.rows.lock(), collection, id)
    }
    async fn documents(
        &self,
        collection: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Document>, StoreError> {
        logic::documents(&*self.rows.lock(), collection, prefix, after, limit)
    }
    async fn cursor(&self, name: &str) -> Result<u64, StoreError> {
        logic::cursor(&*self.rows.lock(), name)
    }
    async fn messages(
        &self,
        since: Timestamp,
        after: Option<&MessageId>,
        limit: usize,
    ) -> Result<Vec<Processed>, StoreError> {
        logic::messages(&*self.rows.lock(), since, after, limit)
    }
    async fn prune(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.write(|draft| logic::prune(draft, before, limit))
    }
    async fn stats(&self) -> Result<StoreStats, StoreError> {
        logic::stats(&*self.rows.lock())
    }
    async fn export(&self, to: mpsc::Sender<Record>) -> Result<(), StoreError> {
        let moment = self.rows.lock().clone();
        for (key, value) in moment {
            if let Some(record) = logic::record_of(&key, Some(&value))?
                && to.send(record).await.is_err()
            {
                break;
            }
        }
        Ok(())
    }
    async fn import(&self, records: Vec<Record>, first: bool) -> Result<(), StoreError> {
        self.write(|draft| logic::import(draft, &records, first))
    }
}
