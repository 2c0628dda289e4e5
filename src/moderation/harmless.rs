//! Sentences that a person declared harmless (must-miss): the same sentence passes the next time, in any dress.
//!
//! They come from the 误判 button, upheld appeals and the owner's commands, and are kept as documents, so that they are
//! also what `train` learns from.

use std::collections::HashSet;

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::{
    model::{Category, Timestamp},
    store::{Case, Store, StoreError, changes::Changes},
};

/// The collection of persons' judgements.
pub const COLLECTION: &str = "judgement";

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
        let mut after: Option<String> = None;
        loop {
            let page = store.documents(COLLECTION, "", after.as_deref(), 1000).await?;
            let Some(last) = page.last() else { return Ok(harmless) };
            after = Some(last.id.clone());
            for document in page {
                if let Ok(judgement) = serde_json::from_value::<Judgement>(document.body)
                    && !judgement.violation
                {
                    harmless.hashes.write().insert(fingerprint(&judgement.text));
                }
            }
        }
    }

    /// Was exactly this sentence declared harmless?
    pub fn contains(&self, text: &str) -> bool {
        let hashes = self.hashes.read();
        !hashes.is_empty() && hashes.contains(&fingerprint(text))
    }

    /// Adds the case's sentence, from now on and in the store.
    pub fn remember(&self, changes: Changes, case: &Case, by: &str, now: Timestamp) -> Changes {
        if case.evidence.trim().is_empty() {
            return changes;
        }
        self.hashes.write().insert(fingerprint(&case.evidence));
        let judgement = Judgement {
            text: case.evidence.clone(),
            violation: false,
            category: case.category,
            by: by.to_owned(),
            at: now,
        };
        changes.document(COLLECTION, case.id.as_str(), move |body| {
            *body = serde_json::to_value(&judgement).unwrap_or_default();
        })
    }
}

/// A hash of the folded text that stays the same over restarts.
fn fingerprint(sentence: &str) -> u64 {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(crate::text::fold(sentence));
    u64::from_be_bytes(hash[..8].try_into().expect("a hash has eight bytes"))
}
