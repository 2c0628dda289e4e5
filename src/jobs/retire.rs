//! Cards of a matter that has ended say how it ended. Only a courtesy: a card that cannot be changed any more says so when it is
//! pressed.

use async_trait::async_trait;

use super::{Ended, Job, JobError};
use crate::{
    deps::Deps,
    model::Timestamp,
    platform::Platform,
    store::Task,
    tasks::{Kind, Retire, SentCard},
    wecom::cards,
};

/// The job.
pub struct RetireJob(pub Deps);

#[async_trait]
impl Job for RetireJob {
    fn kind(&self) -> Kind {
        Kind::Retire
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let Retire { cards, text } = super::payload(task)?;
        close_cards(self.0.platform.as_ref(), &cards, &text, now).await;
        Ok(Ended::done(format!("收起 {} 张卡片", cards.len())))
    }
}

/// Everybody who holds one of the cards sees on it how it ended.
pub(super) async fn close_cards(platform: &dyn Platform, out: &[SentCard], text: &str, now: Timestamp) {
    for card in out {
        if let Err(error) = platform.update_card(&card.code, &card.to, &cards::receipt(text), now).await {
            tracing::debug!(%error, "a card keeps its buttons");
        }
    }
}
