//! A dry run or a watched group: nothing is done; the task says what would have been done.

use async_trait::async_trait;

use super::{Ended, Job, JobError, written::note};
use crate::{
    model::Timestamp,
    store::{Task, changes::Changes},
    tasks::{Happened, Kind, Simulated},
};

/// The job.
pub struct SimulatedJob;

#[async_trait]
impl Job for SimulatedJob {
    fn kind(&self) -> Kind {
        Kind::Simulated
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let would = match super::payload::<Simulated>(task)?.would.as_str() {
            "hint" => "私下提示",
            "warn" => "警告",
            "mute" => "禁言",
            "remove" => "移出",
            "review" => "请人复核",
            "recall" => "请成员撤回",
            _ => "处理",
        };
        let reason = format!("只观察：正式执行时会{would}");
        Ok(Ended::Done { with: note(Changes::new(), task, now, Happened::Simulated, &reason), reason })
    }
}
