//! Who else listens to what is said: notices take answers, activities take sign-ins. They hear a message before it counts as
//! handled.

use super::Moderation;
use crate::{model::Message, store::StoreError};

impl Moderation {
    /// Lets everybody hear the message. Returns what its sender should read, if they are talked to.
    pub(super) async fn observe(&self, message: &Message) -> Result<Option<String>, StoreError> {
        for observer in &self.observers {
            if let Some(heard) = observer.hear(message).await? {
                self.wake.notify_one();
                return Ok(Some(heard.reply).filter(|reply| !reply.is_empty()));
            }
        }
        Ok(None)
    }
}
