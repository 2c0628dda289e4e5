//! Everything with a due time or an effect outside: one file a kind of task.
//!
//! A task is a row; nothing important lives in a spawned future alone. The [`runner`] claims what is due and writes how it
//! ended together with everything that follows from it. Killed at any instant, it starts again from the rows.

pub mod announce;
pub mod ask;
pub mod breaker;
#[cfg(test)]
mod card_tests;
pub mod contacts;
pub mod hands;
pub mod notice;
pub mod prune;
pub mod readd;
pub mod refresh;
pub mod rehearsal;
pub mod remove;
mod repeats;
pub mod review;
pub mod rulebook;
pub mod runner;
pub mod seats;
pub mod second_opinion;
pub mod simulated;
pub mod take_over;
pub mod tell;
pub mod wecom_hands;
pub mod words;

use async_trait::async_trait;

use crate::{
    model::{GroupId, Timestamp},
    store::{Store, StoreError, Task, TaskUpdate, changes::Changes},
    tasks::{Kind, Payload},
};

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
    fn kind(&self) -> Kind;
    /// Does it, or finds that it is done already: a task may be run again after a crash in the middle.
    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError>;
    /// What waits for what: tasks of one lane run one after the other. By default a group's.
    fn lane(&self, task: &Task) -> GroupId {
        task.group.clone()
    }
    /// False for what must not be given up because it failed many times.
    fn gives_up(&self) -> bool {
        true
    }
    /// What should happen when the runner gives the task up after too many failures.
    fn on_give_up(&self, _task: &Task, _reason: &str, _now: Timestamp) -> Changes {
        Changes::new()
    }
}

/// Makes a standing task due at its time, whether it is new or was planned for another.
async fn due(store: &dyn Store, task: Task) -> Result<(), StoreError> {
    let changes = match store.task(&task.id).await? {
        Some(_) => Changes::new().update_task(TaskUpdate::wake(task.id, task.due, "")),
        None => Changes::new().task(task),
    };
    changes.commit(store).await.map(drop)
}

/// Reads a task's payload; one that this version cannot read is never guessed at.
fn payload<P: Payload>(task: &Task) -> Result<P, JobError> {
    P::deserialize(&task.payload).map_err(|e| JobError::Final(format!("待办内容读不懂：{e}")))
}
