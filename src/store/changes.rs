//! Changes to what is stored, said once and safe to repeat: read, change, commit, and again if somebody was faster.
//!
//! A use case lists what should become of members, cases and documents as closures; [`Changes::commit`] runs them on fresh
//! records until the compare-and-set holds. The closures may therefore run several times and must depend on nothing else.

use super::{Case, Commit, Committed, Document, MemberRecord, Store, StoreError, Task, TaskUpdate};
use crate::model::{CaseId, GroupId, MemberId};

type Edit<T> = Box<dyn Fn(&mut T) + Send + Sync>;

/// A set of changes that happen together or not at all.
#[derive(Default)]
pub struct Changes {
    members: Vec<(GroupId, MemberId, Edit<MemberRecord>)>,
    cases: Vec<(CaseId, Edit<Case>)>,
    documents: Vec<(String, String, Edit<serde_json::Value>)>,
    tasks: Vec<Task>,
    task_updates: Vec<TaskUpdate>,
}

impl Changes {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }
    /// Changes a member's record.
    pub fn member(
        mut self,
        group: &GroupId,
        member: &MemberId,
        edit: impl Fn(&mut MemberRecord) + Send + Sync + 'static,
    ) -> Self {
        self.members.push((group.clone(), member.clone(), Box::new(edit)));
        self
    }
    /// Changes a case; one that does not exist is skipped.
    pub fn case(mut self, id: &CaseId, edit: impl Fn(&mut Case) + Send + Sync + 'static) -> Self {
        self.cases.push((id.clone(), Box::new(edit)));
        self
    }
    /// Changes a document; one that does not exist starts as JSON `null`.
    pub fn document(
        mut self,
        collection: &str,
        id: &str,
        edit: impl Fn(&mut serde_json::Value) + Send + Sync + 'static,
    ) -> Self {
        self.documents.push((collection.to_owned(), id.to_owned(), Box::new(edit)));
        self
    }
    /// Adds a task, unless one with its id exists.
    pub fn task(mut self, task: Task) -> Self {
        self.tasks.push(task);
        self
    }
    /// Changes a task's state.
    pub fn update_task(mut self, update: TaskUpdate) -> Self {
        self.task_updates.push(update);
        self
    }
    /// True if there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
            && self.cases.is_empty()
            && self.documents.is_empty()
            && self.tasks.is_empty()
            && self.task_updates.is_empty()
    }

    /// Writes all of it. `Ok(false)`: a task update's fence no longer holds, so somebody else owns that task now and
    /// nothing was written.
    pub async fn commit(&self, store: &dyn Store) -> Result<bool, StoreError> {
        loop {
            let mut commit =
                Commit { tasks: self.tasks.clone(), task_updates: self.task_updates.clone(), ..Commit::default() };
            for (group, member, edit) in &self.members {
                match commit.members.iter_mut().find(|r| r.group == *group && r.member == *member) {
                    Some(record) => edit(record),
                    None => {
                        let mut record = store.member(group, member).await?;
                        edit(&mut record);
                        commit.members.push(record);
                    }
                }
            }
            for (id, edit) in &self.cases {
                if let Some(case) = commit.cases.iter_mut().find(|c| c.id == *id) {
                    edit(case);
                } else if let Some(mut case) = store.case(id).await? {
                    edit(&mut case);
                    commit.cases.push(case);
                }
            }
            for (collection, id, edit) in &self.documents {
                let known = commit.documents.iter_mut().find(|d| d.collection == *collection && d.id == *id);
                if let Some(document) = known {
                    edit(&mut document.body);
                } else {
                    let mut document = store.document(collection, id).await?.unwrap_or_else(|| Document {
                        collection: collection.clone(),
                        id: id.clone(),
                        version: 0,
                        body: serde_json::Value::Null,
                    });
                    edit(&mut document.body);
                    commit.documents.push(document);
                }
            }
            match store.commit(commit).await? {
                Committed::Applied | Committed::Duplicate(_) => return Ok(true),
                Committed::Conflict => {
                    for update in &self.task_updates {
                        if let Some(fence) = update.fence
                            && store
                                .task(&update.id)
                                .await?
                                .is_none_or(|task| task.fence != fence || task.state.is_final())
                        {
                            return Ok(false);
                        }
                    }
                }
            }
        }
    }
}
