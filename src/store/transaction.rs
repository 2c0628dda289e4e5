//! Changing what is stored: read, decide, write, all as if nobody else were there.
//!
//! `transact!` runs its block on a fresh [`Tx`]. What the block reads through it must still stand when the block's writes
//! are committed; if somebody was faster, none of it is written and the block runs again, on what stands by then. So "is it
//! still open?" is asked inside and holds. A `?` in the block leaves the function: a refusal writes nothing. The block may
//! run several times and must change nothing but through the `Tx`.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    Case, CaseState, Collection, Commit, Committed, Document, MemberRecord, Processed, Seen, Store, StoreError, Task,
    TaskQuery, TaskUpdate,
};
use crate::model::{CaseId, GroupId, MemberId, MessageId, TaskId};

/// Runs a block as one transaction on a store (`&dyn Store`): `transact!(store, |tx| { …; answer })`.
macro_rules! transact {
    ($store:expr, |$tx:ident| $body:expr) => {
        loop {
            let mut held = $crate::store::Tx::new($store);
            let $tx = &mut held;
            let answer = $body;
            if held.commit().await? {
                break answer;
            }
        }
    };
}
pub(crate) use transact;

/// Something read and perhaps written.
struct Held<T> {
    value: T,
    written: bool,
}

struct Body {
    version: u64,
    /// `None`: there is none, or it is to be deleted.
    value: Option<Value>,
    written: bool,
}

/// What one run of a transaction has read and wants to write.
pub struct Tx<'s> {
    store: &'s dyn Store,
    members: BTreeMap<(GroupId, MemberId), Held<MemberRecord>>,
    cases: BTreeMap<CaseId, Held<Option<Case>>>,
    documents: BTreeMap<(&'static str, String), Body>,
    tasks: BTreeMap<TaskId, Option<Task>>,
    commit: Commit,
}

impl<'s> Tx<'s> {
    /// Nothing read yet; `transact!` is the way here.
    pub fn new(store: &'s dyn Store) -> Self {
        Self {
            store,
            members: BTreeMap::new(),
            cases: BTreeMap::new(),
            documents: BTreeMap::new(),
            tasks: BTreeMap::new(),
            commit: Commit::default(),
        }
    }
    /// The store, for lists: they are as of some moment and are not held on to.
    pub fn store(&self) -> &'s dyn Store {
        self.store
    }

    /// A member's record; an unknown one is new.
    pub async fn member(&mut self, group: &GroupId, member: &MemberId) -> Result<MemberRecord, StoreError> {
        let key = (group.clone(), member.clone());
        if let Some(held) = self.members.get(&key) {
            return Ok(held.value.clone());
        }
        let value = self.store.member(group, member).await?;
        self.members.insert(key, Held { value: value.clone(), written: false });
        Ok(value)
    }
    /// Writes a member's record that was read here.
    pub fn put_member(&mut self, record: MemberRecord) {
        let key = (record.group.clone(), record.member.clone());
        self.members.insert(key, Held { value: record, written: true });
    }
    /// Reads a member's record, changes and writes it.
    pub async fn edit_member(
        &mut self,
        group: &GroupId,
        member: &MemberId,
        edit: impl FnOnce(&mut MemberRecord) + Send,
    ) -> Result<(), StoreError> {
        let mut record = self.member(group, member).await?;
        edit(&mut record);
        self.put_member(record);
        Ok(())
    }

    /// One case.
    pub async fn case(&mut self, id: &CaseId) -> Result<Option<Case>, StoreError> {
        if let Some(held) = self.cases.get(id) {
            return Ok(held.value.clone());
        }
        let value = self.store.case(id).await?;
        self.cases.insert(id.clone(), Held { value: value.clone(), written: false });
        Ok(value)
    }
    /// Writes a case that was read here, or a new one.
    pub fn put_case(&mut self, case: Case) {
        self.cases.insert(case.id.clone(), Held { value: Some(case), written: true });
    }
    /// Reads a case, changes and writes it; one that does not exist is skipped.
    pub async fn edit_case(&mut self, id: &CaseId, edit: impl FnOnce(&mut Case) + Send) -> Result<(), StoreError> {
        if let Some(mut case) = self.case(id).await? {
            edit(&mut case);
            self.put_case(case);
        }
        Ok(())
    }

    /// One value of a collection.
    pub async fn get<T: Serialize + DeserializeOwned>(
        &mut self,
        collection: Collection<T>,
        id: &str,
    ) -> Result<Option<T>, StoreError> {
        let key = (collection.name(), id.to_owned());
        if !self.documents.contains_key(&key) {
            let document = self.store.document(key.0, id).await?;
            let version = document.as_ref().map_or(0, |document| document.version);
            let body = Body { version, value: document.map(|document| document.body), written: false };
            self.documents.insert(key.clone(), body);
        }
        let value = self.documents.get(&key).and_then(|held| held.value.clone());
        value.map(|body| collection.decode(id, body)).transpose()
    }
    /// Writes a value; one that stands there already and cannot be read is left alone, and that is an error.
    pub async fn put<T: Serialize + DeserializeOwned>(
        &mut self,
        collection: Collection<T>,
        id: &str,
        value: &T,
    ) -> Result<(), StoreError> {
        self.get(collection, id).await?;
        let body = collection.encode(id, value)?;
        if let Some(held) = self.documents.get_mut(&(collection.name(), id.to_owned())) {
            (held.value, held.written) = (Some(body), true);
        }
        Ok(())
    }
    /// Deletes a value.
    pub async fn delete<T: Serialize + DeserializeOwned>(
        &mut self,
        collection: Collection<T>,
        id: &str,
    ) -> Result<(), StoreError> {
        self.get(collection, id).await?;
        if let Some(held) = self.documents.get_mut(&(collection.name(), id.to_owned())) {
            (held.value, held.written) = (None, true);
        }
        Ok(())
    }
    /// The version that a value read here has once the transaction is committed; 0 for none.
    pub fn version<T: Serialize + DeserializeOwned>(&self, collection: Collection<T>, id: &str) -> u64 {
        let held = self.documents.get(&(collection.name(), id.to_owned()));
        held.map_or(0, |held| held.version + u64::from(held.written))
    }

    /// The first answer to a message, if it was processed.
    pub async fn processed(&self, id: &MessageId) -> Result<Option<Processed>, StoreError> {
        self.store.processed(id).await
    }
    /// Marks a message as processed. If it is by then, the block runs again: it must ask [`Self::processed`] first.
    pub fn process(&mut self, processed: Processed) {
        self.commit.processed = Some(processed);
    }

    /// Moves positions of streams forward.
    pub fn move_cursors(&mut self, cursors: impl IntoIterator<Item = (String, u64)>) {
        self.commit.cursors.extend(cursors);
    }

    /// One task, as it stands.
    pub async fn task(&mut self, id: &TaskId) -> Result<Option<Task>, StoreError> {
        if let Some(task) = self.tasks.get(id) {
            return Ok(task.clone());
        }
        let task = self.store.task(id).await?;
        self.tasks.insert(id.clone(), task.clone());
        Ok(task)
    }
    /// All tasks of a case, each as it stands.
    pub async fn tasks_of(&mut self, case: &CaseId) -> Result<Vec<Task>, StoreError> {
        let query = TaskQuery { case: Some(case.clone()), limit: 1000, ..TaskQuery::default() };
        let tasks = self.store.tasks(&query).await?;
        self.tasks.extend(tasks.iter().map(|task| (task.id.clone(), Some(task.clone()))));
        Ok(tasks)
    }
    /// Adds a task, unless one with its id exists.
    pub fn add_task(&mut self, task: Task) {
        self.commit.tasks.push(task);
    }
    /// Adds tasks, each unless one with its id exists.
    pub fn add_tasks(&mut self, tasks: impl IntoIterator<Item = Task>) {
        self.commit.tasks.extend(tasks);
    }
    /// Changes a task's state.
    pub fn update_task(&mut self, update: TaskUpdate) {
        self.commit.task_updates.push(update);
    }

    /// Writes it, if there is anything to write; false if somebody was faster.
    pub async fn commit(mut self) -> Result<bool, StoreError> {
        for ((group, member), held) in self.members {
            if held.written {
                self.commit.members.push(held.value);
            } else {
                self.commit.unchanged.push(Seen::Member(group, member, held.value.version));
            }
        }
        for (id, held) in self.cases {
            match held.value {
                Some(case) if held.written => self.commit.cases.push(case),
                case => self.commit.unchanged.push(Seen::Case(id, case.map_or(0, |case| case.version))),
            }
        }
        for ((collection, id), held) in self.documents {
            match held.value {
                Some(body) if held.written => self.commit.documents.push(Document {
                    collection: collection.into(),
                    id,
                    version: held.version,
                    body,
                }),
                _ => {
                    self.commit.unchanged.push(Seen::Document(collection.into(), id.clone(), held.version));
                    if held.written {
                        self.commit.deletes.push((collection.into(), id));
                    }
                }
            }
        }
        for (id, task) in self.tasks {
            self.commit.unchanged.push(Seen::Task(id, task.map(Box::new)));
        }
        if self.commit.writes_nothing() {
            return Ok(true);
        }
        Ok(self.store.commit(self.commit).await? == Committed::Applied)
    }
}

impl Case {
    /// Ends a case in which nothing more is under way; one that was taken back stays so.
    pub fn close_if_open(&mut self) {
        if self.state == CaseState::Open {
            self.state = CaseState::Closed;
        }
    }
}
