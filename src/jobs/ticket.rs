//! 投诉, 建议, 异议: those who lead the group are asked for an answer, and once more when nobody gives one.

use async_trait::async_trait;
use serde_json::json;

use super::{Ended, Job, JobError, notice::refused};
use crate::{
    deps::Deps,
    model::Timestamp,
    service::ticket::Ran,
    store::{Task, changes::Changes},
    tasks::Kind,
};

/// The job.
pub struct TicketJob(pub Deps);

#[async_trait]
impl Job for TicketJob {
    fn kind(&self) -> Kind {
        Kind::Ticket
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        Ok(match refused(self.0.service.ask_for_answer(task, now).await)? {
            Ran::Done(reason) => Ended::done(reason),
            Ran::Asked(due, reason, asked, tell) => {
                let with = tell.into_iter().fold(Changes::new(), Changes::task);
                Ended::WaitsForPerson { due, reason, payload: Some(json!(asked)), with }
            }
        })
    }
}
