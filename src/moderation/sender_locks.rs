//! Takes turns: of one person's messages one is worked on at a time.

use std::hash::{BuildHasher, RandomState};

use tokio::sync::{Mutex, MutexGuard};

use crate::model::Message;

/// How many people can be worked on side by side without waiting for one another by chance.
const LOCKS: usize = 1024;

/// The queue in front of the decision.
pub struct SenderLocks {
    locks: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Default for SenderLocks {
    fn default() -> Self {
        Self { locks: (0..LOCKS).map(|_| Mutex::new(())).collect(), hasher: RandomState::new() }
    }
}

impl SenderLocks {
    /// Waits for the turn of this message; it lasts until the guard is dropped.
    pub async fn enter(&self, message: &Message) -> MutexGuard<'_, ()> {
        let hash = self.hasher.hash_one((&message.group, &message.sender));
        self.locks[hash as usize % LOCKS].lock().await
    }
}
