//! A colleague's userid changed: the notices they owe an answer to, what they answered and what they were excused from stay
//! theirs.

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Notice, Notices, ROLLS,
    exemption::{ABSENCES, STANDING},
    roster::{RosterEntry, bucket_id, bucket_of},
};
use crate::{
    model::MemberId,
    store::{Collection, StoreError, transaction::transact},
};

/// Read at once.
const PAGE: usize = 64;

impl Notices {
    /// Moves everything from one id to the other; doing it again finds nothing left to move.
    ///
    /// # Errors
    /// The store's.
    pub async fn renamed(&self, old: &MemberId, new: &MemberId) -> Result<(), StoreError> {
        if old == new {
            return Ok(());
        }
        self.move_list(STANDING, old, new).await?;
        self.move_list(ABSENCES, old, new).await?;
        let mut after: Option<String> = None;
        loop {
            let page = self.list(after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            for notice in &page {
                self.move_entry(notice, old, new).await?;
            }
        }
    }

    /// Their place on the roll of one notice.
    async fn move_entry(&self, notice: &Notice, old: &MemberId, new: &MemberId) -> Result<(), StoreError> {
        let bucket = |member| bucket_id(&notice.id, bucket_of(member, notice.buckets));
        let (from, to) = (bucket(old), bucket(new));
        transact!(self.store.as_ref(), |tx| {
            let mut left = tx.get(ROLLS, &from).await?.unwrap_or_default();
            if let Some(entry) = left.remove(old) {
                tx.put(ROLLS, &from, &left).await?;
                let mut joined = tx.get(ROLLS, &to).await?.unwrap_or_default();
                let entry = match joined.remove(new) {
                    Some(known) => one_person(entry, known),
                    None => entry,
                };
                joined.insert(new.clone(), entry);
                tx.put(ROLLS, &to, &joined).await?;
            }
        });
        Ok(())
    }

    /// What is on record about them in a list of their own.
    async fn move_list<T: Serialize + DeserializeOwned + PartialEq>(
        &self,
        collection: Collection<Vec<T>>,
        old: &MemberId,
        new: &MemberId,
    ) -> Result<(), StoreError> {
        transact!(self.store.as_ref(), |tx| {
            let theirs = tx.get(collection, old.as_str()).await?.unwrap_or_default();
            if !theirs.is_empty() {
                tx.put(collection, old.as_str(), &Vec::new()).await?;
                let mut known = tx.get(collection, new.as_str()).await?.unwrap_or_default();
                for value in theirs {
                    if !known.contains(&value) {
                        known.push(value);
                    }
                }
                tx.put(collection, new.as_str(), &known).await?;
            }
        });
        Ok(())
    }
}

/// Somebody who came onto the roll under the new id before the change was told: the first answer counts.
fn one_person(old: RosterEntry, new: RosterEntry) -> RosterEntry {
    let answer = match (old.answer, new.answer) {
        (Some(a), Some(b)) => Some(if b.at < a.at { b } else { a }),
        (a, b) => a.or(b),
    };
    let mut groups = [old.groups, new.groups].concat();
    groups.sort_unstable();
    groups.dedup();
    let mut history = [old.history, new.history].concat();
    history.sort_by_key(|event| event.at);
    RosterEntry {
        answer,
        groups,
        history,
        named: old.named || new.named,
        // The earlier deadline bound them first.
        due: old.due,
        told: old.told.or(new.told),
        unreachable: old.unreachable && new.unreachable,
        excuse: old.excuse.or(new.excuse),
        left: old.left.and(new.left),
        settled: old.settled.or(new.settled),
        name: new.name,
        department: new.department,
        superior: new.superior.or(old.superior),
    }
}
