//! Whoever listens to what is said besides moderation: one [`Observer`] a subject, in one list in `app.rs`.

use async_trait::async_trait;

use crate::{model::Message, store::StoreError};

/// What a message was to an observer that it concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// What to answer in a private talk; empty for nothing. In a group nothing is said.
    pub reply: String,
}

/// Listens to every message that is said to a group or to the bot.
#[async_trait]
pub trait Observer: Send + Sync {
    /// Takes note of a message before it counts as handled; hearing it again changes nothing. `None`: it concerned somebody
    /// else, and the next observer hears it.
    async fn hear(&self, message: &Message) -> Result<Option<Heard>, StoreError>;
}
