//! Keeps WeCom's own 敏感词 equal to the chosen wordlists: after a start, and again every hour.

use async_trait::async_trait;

use super::{Ended, Job, JobError};
use crate::{
    deps::Deps,
    intercept,
    model::{SignedDuration, Timestamp},
    platform::wecom::classified,
    store::Task,
    tasks::Kind,
};

/// Looked at this often.
const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// The job; it never ends.
pub struct WordsJob(pub Deps);

#[async_trait]
impl Job for WordsJob {
    fn kind(&self) -> Kind {
        Kind::Words
    }

    async fn run(&self, _task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let again = now + EVERY;
        let rules = self.0.rules.get_full();
        let chosen = rules.settings.wecom.as_ref().and_then(|wecom| wecom.intercept.as_ref());
        let (Some(chosen), Some(client)) = (chosen, &self.0.wecom.app) else {
            return Ok(Ended::later(again, "没有要推送的词表"));
        };
        if rules.settings.dry_run {
            return Ok(Ended::later(again, "演练：不推送敏感词"));
        }
        let (wanted, _) = intercept::wanted(&rules.settings, chosen, now).map_err(|problems| {
            JobError::Configuration(problems.first().map(ToString::to_string).unwrap_or_default())
        })?;
        let (ours, others) = intercept::read(client).await.map_err(|error| classified(error, now))?;
        let plan =
            intercept::plan(wanted, &ours, others).map_err(|error| JobError::Configuration(error.to_string()))?;
        if plan.changes.is_empty() {
            return Ok(Ended::later(again, "敏感词与词表一致"));
        }
        intercept::apply(client, &plan).await.map_err(|error| classified(error, now))?;
        tracing::info!(changes = plan.changes.len(), "WeCom's own word rules were brought up to date");
        Ok(Ended::later(again, format!("已更新 {} 条敏感词规则", plan.changes.len())))
    }
}
