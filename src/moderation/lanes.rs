//! Takes turns: of one person's messages one is worked on at a time.

use std::hash::{BuildHasher, RandomState};

use tokio::sync::{Mutex, MutexGuard};

use crate::model::Message;

/// How many people can be worked on side by side without waiting for one another by chance.
const LANES: usize = 1024;

/// The queue in front of the decision.
pub struct Lanes {
    lanes: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { lanes: (0..LANES).map(|_| Mutex::new(())).collect(), hasher: RandomState::new() }
    }
}

impl Lanes {
    /// Waits for the turn of this message; it lasts until the guard is dropped.
    pub async fn enter(&self, message: &Message) -> MutexGuard<'_, ()> {
        let hash = self.hasher.hash_one((&message.group, &message.sender));
        self.lanes[hash as usize % LANES].lock().await
    }
}
