//! `qunguan store export|import|verify`: the whole store as lines of JSON, each with its length and checksum.
//!
//! The format is logical, so it is also the way to another engine. It works while the bot runs: rows are read in key order,
//! and every row is whole; what changes during the export is in it either as before or as after.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{StoreError, embedded::EmbeddedStore};

/// First line of a backup.
const HEADER: &str = "qunguan-backup 1";
/// Rows written at once when importing.
const CHUNK: usize = 1000;

/// One row as it stands in a backup: key and value as hex and text.
#[derive(Serialize, Deserialize)]
struct Line {
    k: String,
    v: String,
}

/// How many rows a backup has and the checksum over all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Rows.
    pub rows: u64,
    /// SHA-256 over all lines, hex.
    pub checksum: String,
}

/// What is wrong with a backup file.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The disk refused.
    #[error("backup i/o: {0}")]
    Io(#[from] std::io::Error),
    /// The file is not a whole backup.
    #[error("line {line}: {what}")]
    Broken {
        /// 1-based.
        line: u64,
        /// In words.
        what: String,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes every row of the store.
pub fn export(store: &EmbeddedStore, mut to: impl Write) -> Result<Summary, BackupError> {
    writeln!(to, "{HEADER}")?;
    let mut hash = Sha256::new();
    let mut rows = 0;
    let mut failed = None;
    store.each_row(|key, value| {
        let line = Line { k: hex(key), v: hex(value) };
        let text = serde_json::to_string(&line).unwrap_or_default();
        hash.update(text.as_bytes());
        rows += 1;
        let written = writeln!(to, "{} {:08x} {text}", text.len(), crc(text.as_bytes()));
        failed = written.err();
        failed.is_none()
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let checksum = hex(&hash.finalize());
    writeln!(to, "end {rows} {checksum}")?;
    to.flush()?;
    Ok(Summary { rows, checksum })
}

/// Reads a backup through and checks every line, changing nothing.
pub fn verify(from: impl BufRead) -> Result<Summary, BackupError> {
    read(from, |_| Ok(()))
}

/// Puts a backup into an **empty** store. The backup is checked line by line; a broken one leaves the store unusable, so
/// check it with [`verify`] first (the command does).
pub fn import(store: &EmbeddedStore, from: impl BufRead) -> Result<Summary, BackupError> {
    if !store.is_empty()? {
        return Err(StoreError::Io("the store is not empty; import goes into an empty folder only".into()).into());
    }
    let summary = read(from, |rows| store.put_rows(rows).map_err(BackupError::from))?;
    Ok(summary)
}

fn read(
    from: impl BufRead,
    mut take: impl FnMut(Vec<(Vec<u8>, Vec<u8>)>) -> Result<(), BackupError>,
) -> Result<Summary, BackupError> {
    let mut hash = Sha256::new();
    let mut rows = 0;
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut number = 0;
    for line in from.lines() {
        number += 1;
        let line = line?;
        let broken = |what: &str| BackupError::Broken { line: number, what: what.into() };
        if number == 1 {
            if line != HEADER {
                return Err(broken("this is not a backup, or one of a newer version"));
            }
            continue;
        }
        if let Some(end) = line.strip_prefix("end ") {
            let checksum = hex(&hash.finalize());
            if end != format!("{rows} {checksum}") {
                return Err(broken("the checksum over all rows differs"));
            }
            if !chunk.is_empty() {
                take(chunk)?;
            }
            return Ok(Summary { rows, checksum });
        }
        let mut parts = line.splitn(3, ' ');
        let (Some(length), Some(sum), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(broken("the line is cut"));
        };
        if length.parse() != Ok(text.len()) {
            return Err(broken("the line is cut"));
        }
        if u32::from_str_radix(sum, 16) != Ok(crc(text.as_bytes())) {
            return Err(broken("the line was changed"));
        }
        hash.update(text.as_bytes());
        let row: Line = serde_json::from_str(text).map_err(|_| broken("the line cannot be read"))?;
        let (Some(key), Some(value)) = (unhex(&row.k), unhex(&row.v)) else {
            return Err(broken("the line cannot be read"));
        };
        chunk.push((key, value));
        rows += 1;
        if chunk.len() == CHUNK {
            take(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK)))?;
        }
    }
    Err(BackupError::Broken { line: number, what: "the file ends before its last line".into() })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(text.get(i..i + 2)?, 16).ok()).collect()
}

/// A short checksum of one line (the first bytes of its SHA-256).
fn crc(bytes: &[u8]) -> u32 {
    let hash = Sha256::digest(bytes);
    u32::from_be_bytes(hash[..4].try_into().expect("a hash has four bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Commit, Store};

    #[tokio::test]
    async fn a_backup_comes_back_and_broken_ones_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(&dir.path().join("a")).unwrap();
        for i in 1..=50u64 {
            store.commit(Commit { cursors: vec![(format!("c{i}"), i)], ..Commit::default() }).await.unwrap();
        }
        let mut bytes = Vec::new();
        let summary = export(&store, &mut bytes).unwrap();
        assert_eq!(summary.rows, 50);
        assert_eq!(verify(&bytes[..]).unwrap(), summary);

        let other = EmbeddedStore::open(&dir.path().join("b")).unwrap();
        assert_eq!(import(&other, &bytes[..]).unwrap(), summary);
        assert_eq!(other.cursor("c50").await.unwrap(), 50);
        assert!(import(&other, &bytes[..]).is_err(), "only into an empty store");

        let text = String::from_utf8(bytes).unwrap();
        let cut = &text[..text.len() / 2];
        assert!(verify(cut.as_bytes()).unwrap_err().to_string().starts_with("line "));
        let changed = text.replacen("\"k\":\"71", "\"k\":\"72", 1);
        assert!(verify(changed.as_bytes()).unwrap_err().to_string().contains("changed"));
        assert!(verify(&b"something else\n"[..]).is_err());
    }
}
