//! Everything with a due time or an effect outside: one file a kind of task.
//!
//! A task is a row; nothing important lives in a spawned future alone. The runner claims what is due under a lease, runs
//! the tasks of one group one after the other and different groups side by side, and writes how each ended together with
//! everything that follows from it. Killed at any instant, it starts again from the rows.

pub mod announce;
pub mod ask;
pub mod breaker;
#[cfg(test)]
mod card_tests;
pub mod hands;
pub mod notice;
pub mod prune;
pub mod readd;
pub mod refresh;
pub mod rehearsal;
pub mod remove;
pub mod review;
pub mod seats;
pub mod simulated;
pub mod take_over;
pub mod tell;
pub mod wecom_hands;
pub mod words;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use rand::{Rng, RngExt};
use tokio::sync::Notify;
use tracing::{debug, error, info, warn};

use crate::{
    model::{Clock, GroupId, SignedDuration, Timestamp},
    store::{Store, StoreError, Task, TaskState, TaskUpdate, changes::Changes},
};

/// How long a claim protects a task from being claimed again.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Most tasks claimed at once.
const BATCH: usize = 64;
/// First retry after this long; doubles with every attempt, up to [`BACKOFF_MAX`].
const BACKOFF_FIRST: Duration = Duration::from_secs(2);
/// No retry waits longer than this.
const BACKOFF_MAX: Duration = Duration::from_secs(15 * 60);
/// Failed attempts before a person is told.
const MAX_ATTEMPTS: u32 = 12;
/// A configuration fault is looked at again this often; an admin has to mend it.
const CONFIGURATION_RECHECK: SignedDuration = SignedDuration::from_mins(10);

/// How one run of a task ended, with everything that is to be written together with that.
pub enum Ended {
    /// Done, and verified where that is possible.
    Done {
        /// For people.
        reason: String,
        /// Written in the same transaction.
        with: Changes,
    },
    /// Not yet: look again at `due`. Does not count as a failure.
    Later {
        /// When.
        due: Timestamp,
        /// For people.
        reason: String,
        /// Replaces the payload, if given.
        payload: Option<serde_json::Value>,
        /// Written in the same transaction.
        with: Changes,
    },
    /// A person was asked; look again at `due` (the end of their time to answer).
    WaitsForPerson {
        /// When the asked person's time is over.
        due: Timestamp,
        /// For people.
        reason: String,
        /// Replaces the payload, if given.
        payload: Option<serde_json::Value>,
        /// Written in the same transaction.
        with: Changes,
    },
    /// It can't be done; a person has been or will be told.
    GaveUp {
        /// For people.
        reason: String,
        /// Written in the same transaction.
        with: Changes,
    },
    /// No longer wanted.
    Cancelled {
        /// For people.
        reason: String,
    },
}

impl Ended {
    /// Done with nothing more to write.
    pub fn done(reason: impl Into<String>) -> Self {
        Self::Done { reason: reason.into(), with: Changes::new() }
    }
    /// Looks again later with nothing more to write.
    pub fn later(due: Timestamp, reason: impl Into<String>) -> Self {
        Self::Later { due, reason: reason.into(), payload: None, with: Changes::new() }
    }
    /// Gives up with nothing more to write.
    pub fn gave_up(reason: impl Into<String>) -> Self {
        Self::GaveUp { reason: reason.into(), with: Changes::new() }
    }
}

/// Why a run of a task did not end.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Worth another try with backoff.
    #[error("{0}")]
    Retry(String),
    /// Worth another try, not before then (rate limits).
    #[error("wait until {until}: {reason}")]
    Wait {
        /// Not before.
        until: Timestamp,
        /// For people.
        reason: String,
    },
    /// Somebody has to change the configuration (WeCom's or ours) first.
    #[error("configuration: {0}")]
    Configuration(String),
    /// No try will ever succeed.
    #[error("final: {0}")]
    Final(String),
    /// The store failed; the lease runs out and the task is tried again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One kind of task.
#[async_trait]
pub trait Job: Send + Sync + 'static {
    /// The name in [`Task::kind`]; it never changes.
    fn kind(&self) -> &'static str;
    /// Does it, or finds that it is done already: a task may be run again after a crash in the middle.
    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError>;
    /// False for what must not be given up because it failed many times.
    fn gives_up(&self) -> bool {
        true
    }
    /// What should happen when the runner gives the task up after too many failures.
    fn on_give_up(&self, _task: &Task, _reason: &str, _now: Timestamp) -> Changes {
        Changes::new()
    }
}

/// Reads a task's payload; one that this version cannot read is never guessed at.
fn payload<T: serde::de::DeserializeOwned>(task: &Task) -> Result<T, JobError> {
    serde_json::from_value(task.payload.clone()).map_err(|e| JobError::Final(format!("待办内容读不懂：{e}")))
}

/// Runs tasks until told to stop.
pub struct Runner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    jobs: BTreeMap<&'static str, Arc<dyn Job>>,
    wake: Arc<Notify>,
}

impl Runner {
    /// `wake` is rung by whoever commits new tasks, so that nothing waits for a poll.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        wake: Arc<Notify>,
        jobs: impl IntoIterator<Item = Arc<dyn Job>>,
    ) -> Self {
        Self { store, clock, wake, jobs: jobs.into_iter().map(|job| (job.kind(), job)).collect() }
    }

    /// Works until `stop` resolves; what was begun is ended first.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()> + Send) {
        tokio::pin!(stop);
        loop {
            let worked = match self.clone().run_due().await {
                Ok(worked) => worked,
                Err(error) => {
                    error!(%error, "the task queue cannot be read");
                    tokio::select! {
                        () = &mut stop => return,
                        () = tokio::time::sleep(BACKOFF_FIRST) => 0,
                    }
                }
            };
            if worked == 0 {
                let idle = self.idle_for().await;
                tokio::select! {
                    () = &mut stop => return,
                    () = self.wake.notified() => {}
                    () = self.clock.moved() => {}
                    () = tokio::time::sleep(idle) => {}
                }
            } else {
                tokio::select! {
                    biased;
                    () = &mut stop => return,
                    () = std::future::ready(()) => {}
                }
            }
        }
    }

    /// Claims and runs what is due now; returns how many tasks were run.
    pub async fn run_due(self: Arc<Self>) -> Result<usize, StoreError> {
        let now = self.clock.now();
        let claimed = self.store.claim(now, BATCH, LEASE).await?;
        let count = claimed.len();
        let mut by_group: BTreeMap<GroupId, Vec<Task>> = BTreeMap::new();
        for task in claimed {
            by_group.entry(task.group.clone()).or_default().push(task);
        }
        let mut running = tokio::task::JoinSet::new();
        for (_, tasks) in by_group {
            let runner = self.clone();
            running.spawn(async move {
                for task in tasks {
                    runner.run_one(task).await;
                }
            });
        }
        while let Some(ended) = running.join_next().await {
            if let Err(error) = ended {
                error!(%error, "a task panicked; it is tried again when its lease runs out");
            }
        }
        Ok(count)
    }

    async fn idle_for(&self) -> Duration {
        const LONGEST: Duration = Duration::from_secs(1);
        match self.store.next_due().await {
            Ok(Some(due)) => {
                let left = due.duration_since(self.clock.now());
                Duration::try_from(left).unwrap_or(Duration::from_millis(5)).clamp(Duration::from_millis(5), LONGEST)
            }
            _ => LONGEST,
        }
    }

    async fn run_one(&self, task: Task) {
        let now = self.clock.now();
        let Some(job) = self.jobs.get(task.kind.as_str()) else {
            warn!(task = %task.id, kind = %task.kind, "no job of this kind in this version; left for later");
            self.end(
                &task,
                TaskState::Pending,
                now + CONFIGURATION_RECHECK,
                "这个版本不认识该待办".into(),
                None,
                Changes::new(),
                false,
            )
            .await;
            return;
        };
        match job.run(&task, now).await {
            Ok(ended) => {
                let (state, due, reason, payload, with) = match ended {
                    Ended::Done { reason, with } => (TaskState::Done, now, reason, None, with),
                    Ended::Later { due, reason, payload, with } => (TaskState::Pending, due, reason, payload, with),
                    Ended::WaitsForPerson { due, reason, payload, with } => {
                        (TaskState::WaitsForPerson, due, reason, payload, with)
                    }
                    Ended::GaveUp { reason, with } => (TaskState::GaveUp, now, reason, None, with),
                    Ended::Cancelled { reason } => (TaskState::Cancelled, now, reason, None, Changes::new()),
                };
                if state == TaskState::GaveUp {
                    warn!(task = %task.id, reason, "task given up");
                } else {
                    info!(task = %task.id, state = %state, reason, "task");
                }
                metrics::counter!("qunguan_tasks_total", "kind" => job.kind(), "state" => state.id()).increment(1);
                self.end(&task, state, due, reason, payload, with, false).await;
            }
            Err(JobError::Store(error)) => {
                warn!(task = %task.id, %error, "task stopped by the store; tried again when its lease runs out");
            }
            Err(JobError::Wait { until, reason }) => {
                debug!(task = %task.id, reason, "task waits");
                self.end(&task, TaskState::Pending, until, reason, None, Changes::new(), false).await;
            }
            Err(JobError::Configuration(reason)) => {
                warn!(task = %task.id, reason, "task waits for somebody to mend the configuration");
                let due = now + CONFIGURATION_RECHECK;
                self.end(&task, TaskState::WaitsForPerson, due, reason, None, Changes::new(), false).await;
            }
            Err(JobError::Final(reason)) if job.gives_up() => self.give_up(job.as_ref(), &task, reason, now).await,
            Err(JobError::Final(reason)) => {
                warn!(task = %task.id, reason, "task failed for good as it is; looked at again later");
                let due = now + CONFIGURATION_RECHECK;
                self.end(&task, TaskState::Pending, due, reason, None, Changes::new(), true).await;
            }
            Err(JobError::Retry(reason)) => {
                if task.attempts >= MAX_ATTEMPTS && job.gives_up() {
                    let reason = format!("试了 {} 次仍未成功：{reason}", task.attempts);
                    self.give_up(job.as_ref(), &task, reason, now).await;
                } else {
                    let wait = backoff(task.attempts, &mut rand::rng());
                    warn!(task = %task.id, attempts = task.attempts, wait_ms = wait.as_millis() as u64, reason, "task failed, will retry");
                    let due = now + SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_secs(60));
                    self.end(&task, TaskState::Pending, due, reason, None, Changes::new(), true).await;
                }
            }
        }
    }

    async fn give_up(&self, job: &dyn Job, task: &Task, reason: String, now: Timestamp) {
        warn!(task = %task.id, reason, "task given up");
        metrics::counter!("qunguan_tasks_total", "kind" => job.kind(), "state" => "gave_up").increment(1);
        let with = job.on_give_up(task, &reason, now);
        self.end(task, TaskState::GaveUp, now, reason, None, with, true).await;
    }

    async fn end(
        &self,
        task: &Task,
        state: TaskState,
        due: Timestamp,
        reason: String,
        payload: Option<serde_json::Value>,
        with: Changes,
        failed: bool,
    ) {
        let update = TaskUpdate { id: task.id.clone(), fence: Some(task.fence), state, due, reason, payload, failed };
        match with.update_task(update).commit(self.store.as_ref()).await {
            Ok(true) => {}
            Ok(false) => info!(task = %task.id, "task was taken over or cancelled meanwhile"),
            Err(error) => error!(task = %task.id, %error, "the end of a task could not be written; it is run again"),
        }
    }
}

/// The wait before the next attempt: doubles from [`BACKOFF_FIRST`], half of it random, never above [`BACKOFF_MAX`].
fn backoff(attempts: u32, rng: &mut impl Rng) -> Duration {
    let full = BACKOFF_FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(BACKOFF_MAX);
    full / 2 + full.mul_f64(rng.random::<f64>() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_within_bounds() {
        let mut rng = rand::rng();
        for attempts in 1..40 {
            let wait = backoff(attempts, &mut rng);
            let full = BACKOFF_FIRST.saturating_mul(1 << (attempts - 1).min(16)).min(BACKOFF_MAX);
            assert!(wait >= full / 2 && wait <= full, "{attempts}: {wait:?}");
        }
    }
}
