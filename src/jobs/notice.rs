//! The tasks of notices: their own kinds are planned by `notices`, what they want said goes out through here.

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    Ended, Job, JobError,
    hands::{Hands, Private},
};
use crate::{
    model::Timestamp,
    notices::{
        self, NoticeError, Notices, Ran,
        outgoing::{self, Tell},
    },
    store::{Task, changes::Changes},
    wecom::cards::{self, Button},
};

/// One of the kinds of [`notices::run`].
pub struct NoticeJob {
    /// Which.
    pub kind: &'static str,
    /// The use case.
    pub notices: Arc<Notices>,
}

#[async_trait]
impl Job for NoticeJob {
    fn kind(&self) -> &'static str {
        self.kind
    }

    async fn run(&self, task: &Task, _now: Timestamp) -> Result<Ended, JobError> {
        match notices::run_task(&self.notices, task).await {
            Ok(Ran::Done(reason)) => Ok(Ended::done(reason)),
            Ok(Ran::Later { due, reason, payload }) => {
                Ok(Ended::Later { due, reason, payload: Some(payload), with: Changes::new() })
            }
            Err(error @ (NoticeError::User(_) | NoticeError::KeyTaken)) => Err(JobError::Final(error.to_string())),
            Err(NoticeError::Store(error)) => Err(JobError::Store(error)),
        }
    }
}

/// Tells people in private.
pub struct NoticeTellJob {
    /// WeCom.
    pub hands: Arc<dyn Hands>,
}

#[async_trait]
impl Job for NoticeTellJob {
    fn kind(&self) -> &'static str {
        outgoing::TELL
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let tell: Tell = super::payload(task)?;
        let message = message(task.id.as_str(), &tell);
        let sent = self.hands.tell(&tell.to, &message, now).await?;
        let reached = tell.to.len() - sent.unreachable.len();
        Ok(Ended::done(match sent.unreachable.len() {
            0 => format!("已私信 {reached} 人"),
            missed => format!("已私信 {reached} 人，{missed} 人收不到"),
        }))
    }
}

/// The message itself; pure, so that tests read it word for word.
pub fn message(id: &str, tell: &Tell) -> Private {
    if tell.buttons.is_empty() {
        return Private::Text(tell.text.clone());
    }
    let choices: Vec<Button<'_>> = tell
        .buttons
        .iter()
        .enumerate()
        .map(|(index, button)| Button { text: &button.text, key: &button.key, primary: index == 0 })
        .collect();
    Private::Card(cards::notice(id, &tell.title, &tell.text, &choices))
}

/// The counter card of a group. WeCom has no card that an app could change in a group, so the count is kept in the status
/// and the reports instead; the task says so.
pub struct NoticeCardJob;

#[async_trait]
impl Job for NoticeCardJob {
    fn kind(&self) -> &'static str {
        outgoing::CARD
    }

    async fn run(&self, task: &Task, _now: Timestamp) -> Result<Ended, JobError> {
        let counter: outgoing::Counter = super::payload(task)?;
        Ok(Ended::done(format!("{}/{} 人已回执（本群没有可更新的卡片）", counter.acknowledged, counter.required)))
    }
}
