//! Pages the owner when the circuit breaker opened: resume, or take everything back.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Ended, Job, JobError, hands::Hands, review::ask_next};
use crate::{
    groups::Groups,
    model::{MemberId, Timestamp},
    moderation::brake,
    store::{Store, Task},
    tasks::{self, Kind},
    wecom::cards,
};

/// The job.
pub struct BreakerJob {
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// WeCom.
    pub hands: Arc<dyn Hands>,
    /// Asked after the group's own people.
    pub escalation: Vec<MemberId>,
}

#[async_trait]
impl Job for BreakerJob {
    fn kind(&self) -> Kind {
        Kind::Breaker
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let breaker = brake::BREAKERS.get(self.store.as_ref(), task.group.as_str()).await?;
        if breaker.is_none_or(|breaker| !breaker.is_open()) {
            return Ok(Ended::done("已恢复"));
        }
        let group = self.groups.get(&task.group);
        let mut people = group.deciders();
        people.extend(self.escalation.iter().cloned());
        let why = &super::payload::<tasks::Breaker>(task)?.why;
        ask_next::<tasks::Breaker>(self.hands.as_ref(), task, people, now, |id| cards::breaker(id, group.name(), why))
            .await
    }
}
