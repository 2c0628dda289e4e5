//! Sentences that a person declared harmless (must-miss): the same sentence passes the next time, in any dress.
//!
//! They come from the 误判 button, upheld appeals and the owner's commands, and are kept as documents, so that they are
//! also what `train` learns from.

use std::collections::HashSet;

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::{
    model::{Category, Timestamp},
    store::{Case, Collection, Name, Store, StoreError, Tx},
};

/// The collection of persons' judgements.
pub const JUDGEMENTS: Collection<Judgement> = Collection::new(Name::Judgement);

/// One person's judgement of one sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The sentence.
    pub text: String,
    /// A violation, or harmless?
    pub violation: bool,
    /// Of what, as the bot had thought.
    pub category: Category,
    /// Who judged.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The harmless sentences, by the hash of their folded text.
#[derive(Default)]
pub struct Harmless {
    hashes: RwLock<HashSet<u64>>,
}

impl Harmless {
    /// Reads them from the store.
    pub async fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let harmless = Self::default();
        for (_, judgement) in JUDGEMENTS.all(store, "").await? {
            if !judgement.violation {
                harmless.learn(&judgement.text);
            }
        }
        Ok(harmless)
    }

    /// Was exactly this sentence declared harmless?
    pub fn contains(&self, text: &str) -> bool {
        let hashes = self.hashes.read();
        !hashes.is_empty() && hashes.contains(&fingerprint(text))
    }

    /// Lets the sentence pass from now on; called once the judgement is committed.
    pub fn learn(&self, text: &str) {
        if !text.trim().is_empty() {
            self.hashes.write().insert(fingerprint(text));
        }
    }
}

/// Writes down that the case's sentence is harmless. After the commit call [`Harmless::learn`].
pub async fn remember(tx: &mut Tx<'_>, case: &Case, by: &str, now: Timestamp) -> Result<(), StoreError> {
    if case.evidence.trim().is_empty() {
        return Ok(());
    }
    let judgement = Judgement {
        text: case.evidence.clone(),
        violation: false,
        category: case.category,
        by: by.to_owned(),
        at: now,
    };
    tx.put(JUDGEMENTS, case.id.as_str(), &judgement).await
}

/// A hash of the folded text that stays the same over restarts.
fn fingerprint(sentence: &str) -> u64 {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(crate::text::fold(sentence));
    u64::from_be_bytes(hash[..8].try_into().expect("a hash has eight bytes"))
}
