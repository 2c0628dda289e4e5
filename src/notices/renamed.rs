//! A colleague's userid changed: the notices they owe an answer to, what they answered and what they were excused from stay
//! theirs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Notice, Notices, ROLLS, decode, encode,
    exemption::{ABSENCES, STANDING},
    roll::{Bucket, Entry, bucket_id, bucket_of},
};
use crate::{
    model::MemberId,
    store::{Commit, Committed, Document, StoreError},
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
        for collection in [STANDING, ABSENCES] {
            while !self.move_list(collection, old, new).await? {}
        }
        let mut after: Option<String> = None;
        loop {
            let page = self.list(after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            for notice in &page {
                while !self.move_entry(notice, old, new).await? {}
            }
        }
    }

    /// Their place on the roll of one notice; false if somebody else was faster.
    async fn move_entry(&self, notice: &Notice, old: &MemberId, new: &MemberId) -> Result<bool, StoreError> {
        let bucket = |member| bucket_id(&notice.id, bucket_of(member, notice.buckets));
        let (from, to) = (bucket(old), bucket(new));
        let mut buckets: BTreeMap<String, (u64, Bucket)> = BTreeMap::new();
        for id in [&from, &to] {
            let document = self.store.document(ROLLS, id).await?;
            let version = document.as_ref().map_or(0, |d| d.version);
            buckets.insert(id.clone(), (version, document.map(decode).transpose()?.unwrap_or_default()));
        }
        let Some(entry) = buckets.get_mut(&from).and_then(|(_, bucket)| bucket.remove(old)) else { return Ok(true) };
        if let Some((_, bucket)) = buckets.get_mut(&to) {
            let entry = match bucket.remove(new) {
                Some(known) => one_person(entry, known),
                None => entry,
            };
            bucket.insert(new.clone(), entry);
        }
        let document = |(id, (version, bucket)): (String, (u64, Bucket))| Document {
            collection: ROLLS.into(),
            id,
            version,
            body: encode(&bucket),
        };
        self.all_or_nothing(buckets.into_iter().map(document).collect()).await
    }

    /// What is on record about them in a list of their own.
    async fn move_list(&self, collection: &str, old: &MemberId, new: &MemberId) -> Result<bool, StoreError> {
        let read = |document: Option<Document>, id: &MemberId| {
            document.unwrap_or_else(|| Document {
                collection: collection.into(),
                id: id.to_string(),
                version: 0,
                body: Value::Array(Vec::new()),
            })
        };
        let mut from = read(self.store.document(collection, old.as_str()).await?, old);
        let mut to = read(self.store.document(collection, new.as_str()).await?, new);
        let (Some(theirs), Some(known)) = (from.body.as_array_mut(), to.body.as_array_mut()) else { return Ok(true) };
        if theirs.is_empty() {
            return Ok(true);
        }
        for value in theirs.drain(..) {
            if !known.contains(&value) {
                known.push(value);
            }
        }
        self.all_or_nothing(vec![from, to]).await
    }

    async fn all_or_nothing(&self, documents: Vec<Document>) -> Result<bool, StoreError> {
        let commit = Commit { documents, ..Commit::default() };
        Ok(self.store.commit(commit).await? != Committed::Conflict)
    }
}

/// Somebody who came onto the roll under the new id before the change was told: the first answer counts.
fn one_person(old: Entry, new: Entry) -> Entry {
    let answer = match (old.answer, new.answer) {
        (Some(a), Some(b)) => Some(if b.at < a.at { b } else { a }),
        (a, b) => a.or(b),
    };
    let mut groups = [old.groups, new.groups].concat();
    groups.sort_unstable();
    groups.dedup();
    let mut history = [old.history, new.history].concat();
    history.sort_by_key(|event| event.at);
    Entry {
        answer,
        groups,
        history,
        named: old.named || new.named,
        // The earlier deadline bound them first.
        due: old.due,
        excuse: old.excuse.or(new.excuse),
        left: old.left.and(new.left),
        settled: old.settled.or(new.settled),
        name: new.name,
        department: new.department,
        superior: new.superior.or(old.superior),
    }
}
