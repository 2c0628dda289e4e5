//! An answer is owed for too long: whoever is responsible, and then their superiors, hear of it.

use async_trait::async_trait;
use serde_json::json;

use super::{Ended, Job, JobError, notice::refused};
use crate::{
    deps::Deps,
    model::Timestamp,
    service::due::Ran,
    store::{Task, changes::Changes},
    tasks::Kind,
};

/// The job.
pub struct ServiceJob(pub Deps);

#[async_trait]
impl Job for ServiceJob {
    fn kind(&self) -> Kind {
        Kind::ServiceReply
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        Ok(match refused(self.0.service.run(task, now).await)? {
            Ran::Done(reason) => Ended::done(reason),
            Ran::Later(due, reason, owed) => {
                Ended::Later { due, reason: reason.into(), payload: Some(json!(owed)), with: Changes::new() }
            }
            Ran::Told(due, reason, owed, tell) => {
                let with = tell.into_iter().fold(Changes::new(), Changes::task);
                Ended::WaitsForPerson { due, reason, payload: Some(json!(owed)), with }
            }
        })
    }
}
