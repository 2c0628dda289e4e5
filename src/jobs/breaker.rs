//! Pages the owner when the circuit breaker opened: resume, or take everything back.

use async_trait::async_trait;

use super::{Ended, Job, JobError, review::ask_next};
use crate::{
    deps::Deps,
    model::Timestamp,
    moderation::breaker,
    store::Task,
    tasks::{self, Kind},
    wecom::cards,
};

/// The job.
pub struct BreakerJob(pub Deps);

#[async_trait]
impl Job for BreakerJob {
    fn kind(&self) -> Kind {
        Kind::Breaker
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let breaker = breaker::BREAKERS.get(self.0.store.as_ref(), task.group.as_str()).await?;
        let Some(open) = breaker.as_ref().and_then(|breaker| breaker.opened()) else {
            return Ok(Ended::done("已恢复"));
        };
        let group = self.0.groups.get(&task.group);
        let mut removed: Vec<String> = Vec::new();
        for id in &open.cases {
            if let Some(case) = self.0.store.case(id).await? {
                removed.push(group.member_name(&case.member).to_owned());
            }
        }
        let removed = removed.join("、");
        let mut people = group.deciders();
        people.extend(self.0.escalation.iter().cloned());
        let why = &super::payload::<tasks::Breaker>(task)?.why;
        ask_next::<tasks::Breaker>(self.0.platform.as_ref(), task, people, now, |id| {
            cards::breaker(id, group.name(), why, &removed)
        })
        .await
    }
}
