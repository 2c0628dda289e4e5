//! Forgets what was said once its retention is over, the errands that were run meanwhile, and old records of who did what;
//! cases, with their tasks, and strikes stay.

use async_trait::async_trait;

use super::{Ended, Job, JobError};
use crate::{
    audit,
    deps::Deps,
    model::{SignedDuration, TaskId, Timestamp},
    store::{Commit, Store, StoreError, Task, TaskQuery, TaskState},
    tasks::{Kind, Standing},
};

/// Looked at this often.
const EVERY: SignedDuration = SignedDuration::from_hours(1);
/// Messages forgotten in one step, and tasks looked at in one.
const AT_ONCE: usize = 2000;

/// The job; it never ends.
pub struct PruneJob(pub Deps);

/// Plans it once.
pub async fn plan(store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
    let task = Standing::Prune.task(now);
    store.commit(Commit { tasks: vec![task], ..Commit::default() }).await.map(drop)
}

#[async_trait]
impl Job for PruneJob {
    fn kind(&self) -> Kind {
        Kind::Prune
    }

    async fn run(&self, _task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let keep = self.0.rules.get().settings.retention.clone();
        let past = |keep| now.saturating_sub(keep).unwrap_or(Timestamp::MIN);
        let before = past(keep.messages);
        let mut messages = 0;
        loop {
            let count = self.0.store.prune(before, AT_ONCE).await?;
            messages += count;
            if count < AT_ONCE {
                break;
            }
        }
        while audit::prune(self.0.store.as_ref(), past(keep.audit), AT_ONCE).await? == AT_ONCE {}
        let mut tasks = 0;
        for state in TaskState::ALL.iter().copied().filter(|state| state.is_final()) {
            tasks += self.forget_tasks(state, before).await?;
        }
        Ok(Ended::later(now + EVERY, format!("清理过期消息 {messages} 条、待办 {tasks} 条")))
    }
}

impl PruneJob {
    /// Tasks that ended before then and belong to no case.
    async fn forget_tasks(&self, state: TaskState, before: Timestamp) -> Result<usize, StoreError> {
        let (mut after, mut forgotten) = (None::<TaskId>, 0);
        loop {
            let query = TaskQuery { state: Some(state), after, limit: AT_ONCE, ..TaskQuery::default() };
            let page = self.0.store.tasks(&query).await?;
            let old = page.iter().filter(|task| task.case.is_none() && task.due < before);
            let old: Vec<TaskId> = old.map(|task| task.id.clone()).collect();
            if !old.is_empty() {
                forgotten += old.len();
                self.0.store.commit(Commit { forgotten_tasks: old, ..Commit::default() }).await?;
            }
            match page.last() {
                Some(last) if page.len() == AT_ONCE => after = Some(last.id.clone()),
                _ => return Ok(forgotten),
            }
        }
    }
}
