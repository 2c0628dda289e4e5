//! Reads who has an archive seat, so that groups nobody hears are known.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{Ended, Job, JobError};
use crate::{
    deps::Deps,
    model::{MemberId, SignedDuration, Timestamp},
    platform::wecom::classified,
    store::Task,
    tasks::Kind,
};

/// Read this often.
const EVERY: SignedDuration = SignedDuration::from_mins(10);

/// The job; it never ends.
pub struct SeatsJob(pub Deps);

#[async_trait]
impl Job for SeatsJob {
    fn kind(&self) -> Kind {
        Kind::Seats
    }

    async fn run(&self, _task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let again = now + EVERY;
        let Some(archive) = &self.0.wecom.archive else { return Ok(Ended::later(again, "没有配置会话存档")) };
        let members = archive.archived_members().await.map_err(|error| classified(error, now))?;
        let members: BTreeSet<MemberId> = members.into_iter().map(MemberId::from).collect();
        let count = members.len();
        self.0.coverage.learn(members, now).await?;
        Ok(Ended::later(again, format!("{count} 位成员开通了存档")))
    }
}
