//! Reads who has an archive seat, so that groups nobody hears are known.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;

use super::{Ended, Job, JobError, wecom_hands::job_error};
use crate::{
    coverage::Coverage,
    model::{MemberId, SignedDuration, Timestamp},
    store::{Store, StoreError, Task},
    tasks::{Kind, Standing},
    wecom::client::Client,
};

/// Read this often.
const EVERY: SignedDuration = SignedDuration::from_mins(10);

/// The job; it never ends.
pub struct SeatsJob {
    /// What is covered.
    pub coverage: Arc<Coverage>,
    /// The archive's client; absent without an archive.
    pub archive: Option<Arc<Client>>,
}

/// Plans a look at once.
pub async fn plan(store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
    super::due(store, Standing::Seats.task(now)).await
}

#[async_trait]
impl Job for SeatsJob {
    fn kind(&self) -> Kind {
        Kind::Seats
    }

    async fn run(&self, _task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let again = now + EVERY;
        let Some(archive) = &self.archive else { return Ok(Ended::later(again, "没有配置会话存档")) };
        let members = archive.archived_members().await.map_err(|error| job_error(error, now))?;
        let members: BTreeSet<MemberId> = members.into_iter().map(MemberId::from).collect();
        let count = members.len();
        self.coverage.learn(members, now).await?;
        Ok(Ended::later(again, format!("{count} 位成员开通了存档")))
    }
}
