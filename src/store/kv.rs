//! Rows under the domain: keys in byte order, values with a format byte, and drafts of changes not yet applied.
//!
//! Both engines keep the same rows, so the same logic (`logic.rs`) serves both. A key starts with its table's byte; numbers
//! are big-endian so that byte order is number order.

use std::{collections::BTreeMap, ops::Bound};

use serde::{Serialize, de::DeserializeOwned};

use super::StoreError;
use crate::model::Timestamp;

/// Format of every value written by this version: 1 = JSON.
const FORMAT: u8 = 1;

/// The tables; the byte is part of the stored format and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Table {
    /// Message id → processed mark.
    Processed = b'p',
    /// Message time, id → nothing.
    ByTime = b't',
    /// Group, member → member record.
    Member = b'm',
    /// Case id → case.
    Case = b'c',
    /// Newest first: inverted time, id → nothing.
    CaseNewest = b'n',
    /// Group, inverted time, id → nothing.
    CaseOfGroup = b'g',
    /// Group, member, inverted time, id → nothing.
    CaseOfMember = b'u',
    /// Task id → task.
    Task = b'k',
    /// Due time (or end of the lease), id → nothing; only tasks that have not ended.
    TaskDue = b'd',
    /// State, id → nothing.
    TaskState = b's',
    /// Case, task id → nothing.
    TaskOfCase = b'x',
    /// Collection, id → document.
    Document = b'o',
    /// Name → position.
    Cursor = b'q',
    /// Table, key, number → a piece of a value too long for one row; the embedded engine's own.
    Part = b'z',
}

impl Table {
    const ALL: [Self; 14] = [
        Self::Processed,
        Self::ByTime,
        Self::Member,
        Self::Case,
        Self::CaseNewest,
        Self::CaseOfGroup,
        Self::CaseOfMember,
        Self::Task,
        Self::TaskDue,
        Self::TaskState,
        Self::TaskOfCase,
        Self::Document,
        Self::Cursor,
        Self::Part,
    ];
    /// The table of a key; `None` for one this version does not know.
    pub fn of(key: &[u8]) -> Option<Self> {
        let first = *key.first()?;
        Self::ALL.into_iter().find(|table| *table as u8 == first)
    }
    /// Its rows only lead to rows of another table.
    pub const fn is_index(self) -> bool {
        !self.is_record() && !matches!(self, Self::Part)
    }
    /// Its rows hold records.
    pub const fn is_record(self) -> bool {
        matches!(self, Self::Processed | Self::Member | Self::Case | Self::Task | Self::Document | Self::Cursor)
    }
}

/// Longest key in bytes. An index page of the embedded engine holds up to 256 keys and must stay below 128 KiB.
const LONGEST_KEY: usize = 400;

/// A key made of parts.
#[derive(Clone, Debug)]
pub struct Key(pub Vec<u8>);

impl Key {
    /// A key of a table, empty so far.
    pub fn of(table: Table) -> Self {
        Self(vec![table as u8])
    }
    /// Adds text and a terminator; ids hold no zero bytes, others are escaped.
    pub fn text(mut self, text: &str) -> Self {
        for byte in text.bytes() {
            self.0.push(byte);
            if byte == 0 {
                self.0.push(0xff);
            }
        }
        self.0.push(0);
        self.0.push(1);
        self
    }
    /// The key, if it is short enough to be stored.
    pub fn checked(self) -> Result<Self, StoreError> {
        match self.0.len() {
            0..=LONGEST_KEY => Ok(self),
            length => {
                Err(StoreError::Refused(format!("an id is too long: its key has {length} bytes of {LONGEST_KEY}")))
            }
        }
    }
    /// Adds text as the last part, which can be read back.
    pub fn last(mut self, text: &str) -> Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }
    /// Adds a time; earlier times sort first.
    pub fn time(mut self, at: Timestamp) -> Self {
        self.0.extend_from_slice(&time_bits(at).to_be_bytes());
        self
    }
    /// Adds a time; later times sort first.
    pub fn newest(mut self, at: Timestamp) -> Self {
        self.0.extend_from_slice(&(!time_bits(at)).to_be_bytes());
        self
    }
}

fn time_bits(at: Timestamp) -> u64 {
    (at.as_millisecond() as u64) ^ (1 << 63)
}

/// `table "rest"` for messages about a row.
pub fn row_name(key: &[u8]) -> String {
    match key.split_first() {
        Some((table, rest)) => format!("row {}{}", char::from(*table), rest.escape_ascii()),
        None => "empty key".to_owned(),
    }
}

/// The text that [`Key::last`] added after a prefix of known length.
pub fn tail(key: &[u8], prefix: usize) -> Result<String, StoreError> {
    String::from_utf8(key.get(prefix..).unwrap_or_default().to_vec())
        .map_err(|_| StoreError::Damaged("a key is not text".into()))
}

/// What [`Key::text`] and then [`Key::last`] added right after the table.
pub fn first_text(key: &[u8]) -> Result<(String, String), StoreError> {
    let mut text = Vec::new();
    let mut at = 1;
    while let Some(&byte) = key.get(at) {
        at += 1;
        if byte == 0 {
            at += 1;
            if key.get(at - 1) == Some(&1) {
                break;
            }
        }
        text.push(byte);
    }
    let text = String::from_utf8(text).map_err(|_| StoreError::Damaged("a key is not text".into()))?;
    Ok((text, tail(key, at)?))
}

/// Encodes a value.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![FORMAT];
    serde_json::to_writer(&mut bytes, value).map_err(|e| StoreError::Format(e.to_string()))?;
    Ok(bytes)
}

/// Decodes a value; an unknown format is refused, never guessed.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&FORMAT, json)) => {
            serde_json::from_slice(json).map_err(|e| StoreError::Format(format!("a stored value cannot be read: {e}")))
        }
        Some((format, _)) => Err(StoreError::Format(format!(
            "a stored value has format {format}, this version knows only {FORMAT}; it was written by a newer version"
        ))),
        None => Err(StoreError::Damaged("an empty value".into())),
    }
}

/// One row: key and value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Where rows can be read.
pub trait Rows {
    /// One value.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// The first row at or after `from` and before `to`.
    fn next(&self, from: Bound<&[u8]>, to: &[u8]) -> Result<Option<Row>, StoreError>;
}

/// The smallest key after all keys with this prefix.
pub fn after_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xff {
            end.push(last + 1);
            return end;
        }
    }
    vec![0xff; 32]
}

/// Rows with this prefix after `after` (a whole key), in order, until `visit` says stop.
pub fn scan(
    rows: &impl Rows,
    prefix: &[u8],
    after: Option<&[u8]>,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    let end = after_prefix(prefix);
    let mut at = match after {
        Some(after) if after >= prefix => Bound::Excluded(after.to_vec()),
        _ => Bound::Included(prefix.to_vec()),
    };
    while let Some((key, value)) = rows.next(at.as_ref().map(Vec::as_slice), &end)? {
        if !visit(&key, &value)? {
            return Ok(());
        }
        at = Bound::Excluded(key);
    }
    Ok(())
}

/// Changes over rows that are not applied yet; reads see them.
pub struct Draft<'a, R> {
    under: &'a R,
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl<'a, R: Rows> Draft<'a, R> {
    /// No changes yet.
    pub fn new(under: &'a R) -> Self {
        Self { under, changes: BTreeMap::new() }
    }
    /// Writes a value.
    pub fn put(&mut self, key: Key, value: Vec<u8>) {
        self.changes.insert(key.0, Some(value));
    }
    /// Removes a row.
    pub fn delete(&mut self, key: Key) {
        self.changes.insert(key.0, None);
    }
    /// The changes, to be applied at once.
    pub fn into_changes(self) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        self.changes
    }
    /// Puts another draft's changes over these.
    pub fn merge(&mut self, changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>) {
        self.changes.extend(changes);
    }
}

impl<R: Rows> Rows for Draft<'_, R> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.changes.get(key) {
            Some(change) => Ok(change.clone()),
            None => self.under.get(key),
        }
    }

    fn next(&self, from: Bound<&[u8]>, to: &[u8]) -> Result<Option<Row>, StoreError> {
        let mut from = from.map(<[u8]>::to_vec);
        loop {
            let below = self.under.next(from.as_ref().map(Vec::as_slice), to)?;
            let range = (from.as_ref().map(Vec::as_slice), Bound::Excluded(to));
            let above = self.changes.range::<[u8], _>(range).next();
            match (below, above) {
                (below, None) => return Ok(below),
                (Some((key, value)), Some((changed, _))) if key < *changed => return Ok(Some((key, value))),
                (_, Some((key, Some(value)))) => return Ok(Some((key.clone(), value.clone()))),
                (_, Some((deleted, None))) => from = Bound::Excluded(deleted.clone()),
            }
        }
    }
}

impl Rows for BTreeMap<Vec<u8>, Vec<u8>> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.get(key).cloned())
    }
    fn next(&self, from: Bound<&[u8]>, to: &[u8]) -> Result<Option<Row>, StoreError> {
        if let Bound::Included(start) | Bound::Excluded(start) = from
            && start >= to
        {
            return Ok(None);
        }
        Ok(self.range::<[u8], _>((from, Bound::Excluded(to))).next().map(|(k, v)| (k.clone(), v.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_covers_what_is_under_it() {
        let mut under = BTreeMap::new();
        for key in [b"ka", b"kb", b"kc"] {
            under.insert(key.to_vec(), b"old".to_vec());
        }
        let mut draft = Draft::new(&under);
        draft.delete(Key(b"ka".to_vec()));
        draft.put(Key(b"kb".to_vec()), b"new".to_vec());
        draft.put(Key(b"kd".to_vec()), b"new".to_vec());
        let mut seen = Vec::new();
        scan(&draft, b"k", None, |k, v| {
            seen.push((k.to_vec(), v.to_vec()));
            Ok(true)
        })
        .unwrap();
        let text: Vec<_> =
            seen.iter().map(|(k, v)| (std::str::from_utf8(k).unwrap(), std::str::from_utf8(v).unwrap())).collect();
        assert_eq!(text, [("kb", "new"), ("kc", "old"), ("kd", "new")]);
    }

    #[test]
    fn an_unknown_format_is_refused() {
        let error = decode::<u64>(&[9, b'1']).unwrap_err();
        assert!(error.to_string().contains("format 9"), "{error}");
    }

    #[test]
    fn times_sort_as_bytes() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let keys: Vec<_> = [-5, 0, 7, 1_700_000_000_000].map(|ms| Key::of(Table::ByTime).time(at(ms)).0).into();
        assert!(keys.is_sorted());
        let newest: Vec<_> = [-5, 0, 7].map(|ms| Key::of(Table::ByTime).newest(at(ms)).0).into();
        assert!(newest.iter().rev().is_sorted());
    }
}
