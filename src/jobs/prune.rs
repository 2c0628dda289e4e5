//! Forgets what was said once its retention is over; cases and strikes stay.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::{Ended, Job, JobError};
use crate::{
    model::{GroupId, SignedDuration, Timestamp},
    moderation::Rules,
    settings::reload::Live,
    store::{Commit, Store, StoreError, Task},
};

/// Looked at this often.
const EVERY: SignedDuration = SignedDuration::from_hours(1);
/// Messages forgotten in one step.
const AT_ONCE: usize = 2000;

/// The job; it never ends.
pub struct PruneJob {
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Settings in force.
    pub live: Arc<Live<Rules>>,
}

/// Plans it once.
pub async fn plan(store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
    let task = Task::new("prune", "prune", &GroupId::from(""), now, json!({}));
    store.commit(Commit { tasks: vec![task], ..Commit::default() }).await.map(drop)
}

#[async_trait]
impl Job for PruneJob {
    fn kind(&self) -> &'static str {
        "prune"
    }

    async fn run(&self, _task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let keep = self.live.get().settings.retention.messages;
        let before = now.saturating_sub(keep).unwrap_or(Timestamp::MIN);
        let mut forgotten = 0;
        loop {
            let count = self.store.prune(before, AT_ONCE).await?;
            forgotten += count;
            if count < AT_ONCE {
                return Ok(Ended::later(now + EVERY, format!("清理过期消息 {forgotten} 条")));
            }
        }
    }
}
