//! The tasks of notices: their own kinds are planned by `notices`, what they want said goes out through here.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::{Ended, Job, JobError};
use crate::{
    deps::Deps,
    model::Timestamp,
    notices::{
        self, Notices, Ran,
        delivery::Ready,
        outgoing::{Counter, Tell},
    },
    platform::Private,
    refusal::ActError,
    store::{Task, changes::Changes},
    tasks::Kind,
    wecom::cards::{self, Button},
};

/// One of the kinds of [`notices::run`].
pub struct NoticeJob {
    /// Which.
    pub kind: Kind,
    /// The use case.
    pub notices: Arc<Notices>,
}

#[async_trait]
impl Job for NoticeJob {
    fn kind(&self) -> Kind {
        self.kind
    }

    async fn run(&self, task: &Task, _now: Timestamp) -> Result<Ended, JobError> {
        match notices::run_task(&self.notices, task).await {
            Ok(Ran::Done(reason)) => Ok(Ended::done(reason)),
            Ok(Ran::Later { due, reason, payload }) => {
                Ok(Ended::Later { due, reason, payload: Some(payload), with: Changes::new() })
            }
            Err(ActError::Store(error)) => Err(JobError::Store(error)),
            Err(error) => Err(JobError::Final(error.to_string())),
        }
    }
}

/// What a use case refuses no other try will bring.
pub(super) fn refused<T>(outcome: Result<T, ActError>) -> Result<T, JobError> {
    outcome.map_err(|error| match error {
        ActError::Store(error) => JobError::Store(error),
        refused @ ActError::Refused(_) => JobError::Final(refused.to_string()),
    })
}

/// Tells people in private.
pub struct NoticeTellJob(pub Deps);

#[async_trait]
impl Job for NoticeTellJob {
    fn kind(&self) -> Kind {
        Kind::NoticeTell
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let tell = match refused(self.0.notices.ready(super::payload(task)?, now).await)? {
            Ready::Say(tell) => tell,
            Ready::Nothing(why) => return Ok(Ended::done(why)),
        };
        let message = message(task.id.as_str(), &tell);
        let sent = self.0.platform.tell(&tell.to, &message, now).await?;
        if let Some(part) = &tell.part {
            refused(self.0.notices.reached(part, &tell.to, &sent.unreachable, now).await)?;
        }
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

/// Puts the card with the count into groups where the bot may speak. It changes when its button is pressed: WeCom has no
/// other way, and no card in a group that an app could change.
pub struct NoticeCardJob(pub Deps);

#[async_trait]
impl Job for NoticeCardJob {
    fn kind(&self) -> Kind {
        Kind::NoticeCard
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let counter: Counter = super::payload(task)?;
        let card = counter_card(task.id.as_str(), &counter);
        let sent = self.0.platform.group_card(&self.0.groups.get(&task.group), &card, now).await?;
        Ok(Ended::done(if sent {
            "群卡片已发出"
        } else {
            "本群发不了卡片，用私信卡片和群里的回复收集"
        }))
    }
}

/// The card itself.
pub fn counter_card(id: &str, counter: &Counter) -> Value {
    let button = Button { text: &counter.button.text, key: &counter.button.key, primary: true };
    cards::notice(id, &counter.title, &counter.text, &[button])
}
