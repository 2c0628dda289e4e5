//! At the start: what the previous process had begun goes on at once, instead of when its leases run out.
//!
//! Only for a store that one process holds alone: nobody else can be working on these tasks.

use crate::{
    model::{SignedDuration, Timestamp},
    store::{Store, StoreError, Task, TaskQuery, TaskState, TaskUpdate, changes::Changes},
    tasks,
};

/// Tasks read at once.
const PAGE: usize = 500;
/// A call to WeCom that was marked as begun comes due again within this time.
pub(super) const BEGUN_AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// Makes everything due that was under a lease or marked as begun; returns how many tasks that were.
pub async fn recover_leases(store: &dyn Store, now: Timestamp) -> Result<usize, StoreError> {
    let mut taken = 0;
    for state in [TaskState::Pending, TaskState::WaitsForPerson] {
        let mut after = None;
        loop {
            let query = TaskQuery { state: Some(state), after, limit: PAGE, ..TaskQuery::default() };
            let page = store.tasks(&query).await?;
            for task in page.iter().filter(|task| was_begun(task, now)) {
                let update = TaskUpdate {
                    id: task.id.clone(),
                    fence: None,
                    state,
                    due: task.due.min(now),
                    reason: task.reason.clone(),
                    payload: None,
                    failed: true,
                };
                Changes::new().update_task(update).commit(store).await?;
                taken += 1;
            }
            if page.len() < PAGE {
                break;
            }
            after = page.last().map(|task| task.id.clone());
        }
    }
    Ok(taken)
}

fn was_begun(task: &Task, now: Timestamp) -> bool {
    let marked = tasks::is_begun(task) && task.due <= now + BEGUN_AGAIN;
    task.leased_until.is_some() || marked
}
