//! A rehearsal or a watched group: nothing is done; the task says what would have been done.

use async_trait::async_trait;

use super::{Ended, Job, JobError, remove::note};
use crate::{
    model::Timestamp,
    store::{Task, changes::Changes},
};

/// The job.
pub struct SimulatedJob;

#[async_trait]
impl Job for SimulatedJob {
    fn kind(&self) -> &'static str {
        "simulated"
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let would = match task.payload.get("would").and_then(serde_json::Value::as_str).unwrap_or_default() {
            "hint" => "私下提示",
            "warn" => "警告",
            "mute" => "禁言",
            "remove" => "移出",
            "review" => "请人复核",
            "recall" => "请成员撤回",
            _ => "处理",
        };
        let reason = format!("只观察：正式执行时会{would}");
        Ok(Ended::Done { with: note(Changes::new(), task, now, "simulated", &reason), reason })
    }
}
