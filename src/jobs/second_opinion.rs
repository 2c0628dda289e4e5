//! Asks the model of the settings about one message. Whatever goes wrong (slow, odd, over the budget, switched off), the
//! person who would have been asked is asked at once, and it is not tried again.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::{Ended, Job, JobError};
use crate::{
    deps::Deps,
    model::{GroupId, Timestamp},
    moderation::second_opinion::Wanted,
    second_opinion::{Client, Usage, ledger, question::ANSWER_TOKENS},
    store::{StoreError, Task},
    tasks::Kind,
};

/// Questions under way at the same time.
const AT_ONCE: usize = 8;

/// The job.
pub struct SecondOpinionJob {
    deps: Deps,
    client: Client,
    room: Semaphore,
}

impl SecondOpinionJob {
    /// Asks nobody yet.
    ///
    /// # Errors
    /// The client cannot be made (TLS).
    pub fn new(deps: Deps) -> anyhow::Result<Self> {
        Ok(Self { deps, client: Client::new()?, room: Semaphore::new(AT_ONCE) })
    }

    async fn nothing(&self, task: &Task, why: &str, word: &'static str) -> Result<Ended, StoreError> {
        count(task, word);
        self.deps.moderation.without_second_opinion(task).await?;
        Ok(Ended::done(why))
    }
}

#[async_trait]
impl Job for SecondOpinionJob {
    fn kind(&self) -> Kind {
        Kind::SecondOpinion
    }

    /// Waiting for a model holds up nothing else in the group.
    fn lane(&self, task: &Task) -> GroupId {
        GroupId::new(task.id.as_str())
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let Ok(_place) = self.room.acquire().await else { return Ok(Ended::done("正在停止")) };
        let (question, settings, within, only_reading) = match self.deps.moderation.second_opinion_wanted(task).await? {
            Wanted::Nothing(why) => return Ok(self.nothing(task, why, "not_asked").await?),
            Wanted::Question { question, settings, within, only_reading } => (question, settings, within, only_reading),
        };
        let most = Usage { tokens_in: question.estimate() - ANSWER_TOKENS, tokens_out: ANSWER_TOKENS };
        let reserved = ledger::reserve(self.deps.store.as_ref(), &settings, most, only_reading, now).await?;
        let Some(reserved) = reserved else {
            return Ok(self.nothing(task, "今天的预算已用完", "over_budget").await?);
        };
        let started = std::time::Instant::now();
        let within = Duration::try_from(within).unwrap_or_default();
        let (answer, usage) = self.client.ask(&settings, &question, within).await;
        metrics::histogram!("qunguan_second_opinion_seconds").record(started.elapsed().as_secs_f64());
        let cost = ledger::settle(self.deps.store.as_ref(), &settings, &reserved, usage).await?;
        for (way, tokens) in [("in", usage.tokens_in), ("out", usage.tokens_out)] {
            metrics::counter!("qunguan_second_opinion_tokens_total", "way" => way).increment(tokens);
        }
        metrics::counter!("qunguan_second_opinion_cost_micros_total").increment(cost);
        match answer {
            Ok(opinion) => {
                count(task, opinion.id());
                let add = |month: &mut ledger::Month| month.count(Ok(&opinion), usage, cost);
                Ok(Ended::done(self.deps.moderation.second_opinion_given(task, &question, &opinion, &add).await?))
            }
            Err(error) => {
                tracing::info!(task = %task.id, %error, "no second opinion");
                count(task, error.id());
                self.deps.moderation.without_second_opinion(task).await?;
                let add = |month: &mut ledger::Month| month.count(Err(&error), usage, cost);
                self.deps.moderation.counted(&task.group, &add).await?;
                Ok(Ended::done("没有得到第二意见"))
            }
        }
    }
}

fn count(task: &Task, answer: &'static str) {
    let mode = if task.case.is_some() { "confirm" } else { "read" };
    metrics::counter!("qunguan_second_opinion_total", "mode" => mode, "answer" => answer).increment(1);
}
