//! What a job leaves to be written together with how it ended.
//!
//! A job lists what should become of members and cases as closures; [`Changes::commit`] runs them in a transaction. The
//! closures may therefore run several times and must depend on nothing else.

use super::{Case, MemberRecord, Store, StoreError, Task, TaskUpdate, Tx};
use crate::model::{CaseId, GroupId, MemberId};

type Edit<T> = Box<dyn Fn(&mut T) + Send + Sync>;

/// A set of changes that happen together or not at all.
#[derive(Default)]
pub struct Changes {
    members: Vec<(GroupId, MemberId, Edit<MemberRecord>)>,
    cases: Vec<(CaseId, Edit<Case>)>,
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
        self.members.is_empty() && self.cases.is_empty() && self.tasks.is_empty() && self.task_updates.is_empty()
    }

    /// Writes all of it. `Ok(false)`: a task update's fence no longer holds, so somebody else owns that task now and
    /// nothing was written.
    pub async fn commit(&self, store: &dyn Store) -> Result<bool, StoreError> {
        loop {
            let mut tx = Tx::new(store);
            tx.add_tasks(self.tasks.iter().cloned());
            for update in &self.task_updates {
                tx.update_task(update.clone());
            }
            for (group, member, edit) in &self.members {
                tx.edit_member(group, member, edit).await?;
            }
            for (id, edit) in &self.cases {
                tx.edit_case(id, edit).await?;
            }
            if tx.commit().await? {
                return Ok(true);
            }
            for update in &self.task_updates {
                if let Some(fence) = update.fence
                    && store.task(&update.id).await?.is_none_or(|task| task.fence != fence || task.state.is_final())
                {
                    return Ok(false);
                }
            }
        }
    }
}
