//! The last step of an escalation: nobody answered something grave, so the phones of those in `[escalation]` ring. Off unless the
//! company has 紧急通知 and says so in `[wecom.urgent]`; not at night (`[owner_news]`).

use async_trait::async_trait;

use super::{Ended, Job, JobError, written::note};
use crate::{
    deps::Deps,
    model::Timestamp,
    store::{Task, changes::Changes},
    tasks::{Happened, Kind, UrgentCall},
};

/// The job.
pub struct UrgentCallJob(pub Deps);

#[async_trait]
impl Job for UrgentCallJob {
    fn kind(&self) -> Kind {
        Kind::UrgentCall
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let UrgentCall { request } = super::payload(task)?;
        if self.0.store.task(&request).await?.is_none_or(|request| request.state.is_final()) {
            return Ok(Ended::Cancelled { reason: "已有人处理".into() });
        }
        let rules = self.0.rules.get_full();
        if let Some(until) = rules.settings.owner_news.quiet_until(now, rules.calendar.zone()) {
            return Ok(Ended::later(until, "免打扰时间，过后再打电话"));
        }
        let failed = self.0.platform.ring(&self.0.escalation, now).await?;
        if failed.len() >= self.0.escalation.len() {
            return Ok(Ended::gave_up("电话都打不通"));
        }
        let with = note(Changes::new(), task, now, Happened::PhonesRang, "无人处理，已电话提醒");
        Ok(Ended::Done { reason: "已电话提醒".into(), with })
    }
}
