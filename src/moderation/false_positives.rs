//! Sentences that a person declared harmless, and those of them that pass from then on.
//!
//! A 误判 or an appeal that was right says that one message was no violation. Whether the same words pass the next time, where
//! and how long, somebody says besides (`cases/allow.rs`): in that group, or in the whole company. What was declared harmless
//! stays on record, so that it is also what `train` learns from.

use std::collections::HashMap;

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::{
    model::{CaseId, Category, GroupId, SignedDuration, Timestamp},
    store::{Case, Collection, Name, Store, StoreError, Tx},
};

/// The collection of persons' judgements, by case.
pub const JUDGEMENTS: Collection<Judgement> = Collection::new(Name::Judgement);
/// A sentence passes for so long, unless somebody says otherwise.
pub const PASSES_FOR: SignedDuration = SignedDuration::from_hours(24 * 90);

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
    /// Whether the same sentence passes from then on; what earlier versions wrote down passes everywhere.
    #[serde(default = "Pass::as_before")]
    pub passes: Option<Pass>,
}

/// Where and how long a sentence passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pass {
    /// In this group; `None`: in the whole company.
    pub group: Option<GroupId>,
    /// Who said so.
    pub by: String,
    /// When.
    pub since: Option<Timestamp>,
    /// Until when; `None`: for good, as earlier versions had it.
    pub until: Option<Timestamp>,
}

impl Pass {
    fn as_before() -> Option<Self> {
        Some(Self { group: None, by: String::new(), since: None, until: None })
    }

    /// Does it hold there, now? Without a group: a place that is none of the company's groups.
    fn holds(&self, group: Option<&GroupId>, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now) && self.group.as_ref().is_none_or(|own| Some(own) == group)
    }
}

/// A sentence that passes, as people look at it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Allowed {
    /// The number of the case it came from; it is ended by that.
    pub case: CaseId,
    /// The sentence.
    pub text: String,
    /// What it had been taken for.
    pub category: Category,
    /// Where, who, how long.
    #[serde(flatten)]
    pub pass: Pass,
    /// What else is to be known of it, in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// The sentences that pass, by the hash of their folded text.
#[derive(Default)]
pub struct FalsePositives {
    passing: RwLock<HashMap<u64, Vec<(CaseId, Pass)>>>,
}

impl FalsePositives {
    /// Reads them from the store.
    pub async fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let learned = Self::default();
        for (case, judgement) in JUDGEMENTS.all(store, "").await? {
            learned.learn(&CaseId::new(case), &judgement);
        }
        Ok(learned)
    }

    /// Does exactly this sentence pass there? The case that it passes by.
    pub fn passes(&self, text: &str, group: Option<&GroupId>, now: Timestamp) -> Option<CaseId> {
        let passing = self.passing.read();
        if passing.is_empty() {
            return None;
        }
        let found = passing.get(&fingerprint(text))?.iter().find(|(_, pass)| pass.holds(group, now));
        found.map(|(case, _)| case.clone())
    }

    /// Takes over what was written down; called once it is committed.
    pub fn learn(&self, case: &CaseId, judgement: &Judgement) {
        if judgement.text.trim().is_empty() {
            return;
        }
        let mut passing = self.passing.write();
        let entries = passing.entry(fingerprint(&judgement.text)).or_default();
        entries.retain(|(known, _)| known != case);
        entries.extend(judgement.passes.clone().filter(|_| !judgement.violation).map(|pass| (case.clone(), pass)));
    }
}

/// The sentences that pass at this moment, newest first.
pub async fn allowed(store: &dyn Store, now: Timestamp) -> Result<Vec<Allowed>, StoreError> {
    let mut all: Vec<(Timestamp, Allowed)> = Vec::new();
    for (case, judgement) in JUDGEMENTS.all(store, "").await?.into_iter().filter(|(_, said)| !said.violation) {
        let Some(mut pass) = judgement.passes.filter(|pass| pass.until.is_none_or(|until| until > now)) else {
            continue;
        };
        let note = pass.since.is_none().then_some("早先的版本记下的，全公司有效，没有期限");
        if pass.by.is_empty() {
            pass.by.clone_from(&judgement.by);
        }
        let at = pass.since.unwrap_or(judgement.at);
        let (case, category) = (CaseId::new(case), judgement.category);
        all.push((at, Allowed { case, text: judgement.text, category, pass, note }));
    }
    all.sort_by(|(a, _), (b, _)| b.cmp(a));
    Ok(all.into_iter().map(|(_, allowed)| allowed).collect())
}

/// Writes down that the case's sentence is harmless: that one message, until somebody lets the words pass.
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
        passes: None,
    };
    tx.put(JUDGEMENTS, case.id.as_str(), &judgement).await
}

/// A hash of the folded text that stays the same over restarts.
fn fingerprint(sentence: &str) -> u64 {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(crate::text::fold(sentence));
    u64::from_be_bytes(hash[..8].try_into().expect("a hash has eight bytes"))
}
