//! Everything with a due time or an effect outside: one file a kind of task.
//!
//! A task is a row; nothing important lives in a spawned future alone. The [`runner`] claims what is due and writes how it
//! ended together with everything that follows from it. Killed at any instant, it starts again from the rows.

pub mod allow;
pub mod announce;
pub mod ask;
pub mod breaker;
#[cfg(test)]
mod card_tests;
pub mod contacts;
mod log_throttle;
pub mod notice;
pub mod owner_news;
pub mod prune;
pub mod readd;
pub mod recover_leases;
pub mod refresh;
pub mod remove;
pub mod retire;
pub mod review;
pub mod rulebook;
pub mod runner;
pub mod season;
pub mod seats;
pub mod second_opinion;
pub mod service;
pub mod simulated;
pub mod tell;
pub mod ticket;
pub mod urgent_call;
pub mod welcome;
pub mod words;
mod written;

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    deps::Deps,
    model::{CaseId, GroupId, Timestamp},
    notices,
    platform::PlatformError,
    store::{Store, StoreError, Task, TaskUpdate, changes::Changes},
    tasks::{Kind, Payload, Standing},
    wecom::cards,
};

/// Every kind of task and who does it: a new kind is a name in [`Kind`], a file here and a line in this list.
///
/// # Errors
/// The client for second opinions cannot be made (TLS).
pub fn all(deps: &Deps) -> anyhow::Result<Vec<Arc<dyn Job>>> {
    let deps = || deps.clone();
    let mut jobs: Vec<Arc<dyn Job>> = vec![
        Arc::new(allow::AllowJob(deps())),
        Arc::new(announce::AnnounceJob(deps())),
        Arc::new(ask::AskJob(deps())),
        Arc::new(breaker::BreakerJob(deps())),
        Arc::new(contacts::ContactsJob(deps())),
        Arc::new(notice::NoticeCardJob(deps())),
        Arc::new(notice::NoticeTellJob(deps())),
        Arc::new(owner_news::OwnerDigestJob(deps())),
        Arc::new(owner_news::OwnerNewsJob(deps())),
        Arc::new(prune::PruneJob(deps())),
        Arc::new(readd::ReaddJob(deps())),
        Arc::new(refresh::RefreshJob(deps())),
        Arc::new(remove::RemoveJob(deps())),
        Arc::new(retire::RetireJob(deps())),
        Arc::new(review::AppealJob(deps())),
        Arc::new(review::ReportJob(deps())),
        Arc::new(review::TellReportJob(deps())),
        Arc::new(rulebook::RulebookJob(deps())),
        Arc::new(season::SeasonJob(deps())),
        Arc::new(seats::SeatsJob(deps())),
        Arc::new(second_opinion::SecondOpinionJob::new(deps())?),
        Arc::new(service::ServiceJob(deps())),
        Arc::new(simulated::SimulatedJob),
        Arc::new(tell::TellJob(deps())),
        Arc::new(ticket::TicketJob(deps())),
        Arc::new(urgent_call::UrgentCallJob(deps())),
        Arc::new(welcome::WelcomeJob(deps())),
        Arc::new(words::WordsJob(deps())),
    ];
    for kind in notices::due::KINDS {
        jobs.push(Arc::new(notice::NoticeJob { kind: *kind, notices: deps().notices }));
    }
    Ok(jobs)
}

/// Plans what goes on for as long as the bot runs, due at once.
///
/// # Errors
/// The store failed.
pub async fn plan(deps: &Deps) -> Result<(), StoreError> {
    let (store, now) = (deps.store.as_ref(), deps.clock.now());
    refresh::plan(store, &deps.groups, now).await?;
    for standing in [Standing::Contacts, Standing::Seats, Standing::Welcome, Standing::Words] {
        due(store, standing.task(now)).await?;
    }
    prune::plan(store, now).await
}

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

impl From<PlatformError> for JobError {
    fn from(error: PlatformError) -> Self {
        match error {
            PlatformError::Retry(why) => Self::Retry(why),
            PlatformError::Wait { until, reason } => Self::Wait { until, reason },
            PlatformError::Configuration(why) => Self::Configuration(why),
            PlatformError::Final(why) => Self::Final(why),
        }
    }
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

/// Whoever decides gets from the card to the case's page, with what was said before and after; there they sign in.
fn leads_to_case(deps: &Deps, card: &mut serde_json::Value, case: &CaseId) {
    let console = deps.rules.get_full().settings.console.enabled;
    if let Some(url) = deps.public_url.as_ref().filter(|_| console) {
        cards::leads_to(card, &format!("{url}/cases/{case}"));
    }
}

/// Reads a task's payload; one that this version cannot read is never guessed at.
fn payload<P: Payload>(task: &Task) -> Result<P, JobError> {
    P::deserialize(&task.payload).map_err(|e| JobError::Final(format!("待办内容读不懂：{e}")))
}
