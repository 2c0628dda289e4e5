//! 大促 begins, or is over.

use async_trait::async_trait;

use super::{Ended, Job, JobError, notice::refused};
use crate::{deps::Deps, model::Timestamp, store::Task, tasks::Kind};

/// The job.
pub struct SeasonJob(pub Deps);

#[async_trait]
impl Job for SeasonJob {
    fn kind(&self) -> Kind {
        Kind::Season
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        Ok(Ended::done(refused(self.0.orders.turn_season(task, now).await)?))
    }
}
