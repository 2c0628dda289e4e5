//! `qunguan store export | import | verify`: everything stored as lines that any engine reads, made while the bot runs.
//!
//! A line is `<bytes of the JSON> <SHA-256 of the JSON, hex> <JSON>`. The first holds the format and its version, the
//! last the number of records and a hash over all lines before it, so that a file cut anywhere is recognised. Records
//! are the domain's (message, member, case, task, document, cursor), not rows of an engine: indexes are made new by the
//! import, and a file from the embedded engine goes into any other.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::{Case, Document, MemberRecord, Processed, Store, StoreError, Task};
use crate::model::{MessageId, TaskId, Timestamp};

const FORMAT: &str = "qunguan-store";
const VERSION: u32 = 1;
/// Records of one import transaction.
const IMPORT_BATCH: usize = 256;
/// Longest line that is believed; a damaged length must not ask for the machine's memory.
const LONGEST_LINE: usize = 256 << 20;

/// One stored thing. The last two tell that something exported earlier in the same file was deleted meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", content = "value", rename_all = "snake_case")]
pub enum Record {
    /// A processed message.
    Message(Box<Processed>),
    /// A member's record.
    Member(MemberRecord),
    /// A case.
    Case(Box<Case>),
    /// A task.
    Task(Box<Task>),
    /// A document.
    Document(Document),
    /// A stream position.
    Cursor {
        /// Its name.
        name: String,
        /// Its value.
        value: u64,
    },
    /// The message was pruned.
    ForgottenMessage {
        /// Which.
        id: MessageId,
    },
    /// The task was forgotten after it had ended.
    ForgottenTask {
        /// Which.
        id: TaskId,
    },
    /// The document was deleted.
    DeletedDocument {
        /// Which use case.
        collection: String,
        /// Which document.
        id: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    made: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct End {
    records: u64,
    sha256: String,
}

/// What a backup holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Lines with records.
    pub records: u64,
    /// Messages among them.
    pub messages: u64,
    /// Members among them.
    pub members: u64,
    /// Cases among them.
    pub cases: u64,
    /// Tasks among them.
    pub tasks: u64,
    /// Documents among them.
    pub documents: u64,
    /// Stream positions among them.
    pub cursors: u64,
}

impl Summary {
    fn count(&mut self, record: &Record) {
        self.records += 1;
        match record {
            Record::Message(_) => self.messages += 1,
            Record::Member(_) => self.members += 1,
            Record::Case(_) => self.cases += 1,
            Record::Task(_) => self.tasks += 1,
            Record::Document(_) => self.documents += 1,
            Record::Cursor { .. } => self.cursors += 1,
            Record::ForgottenMessage { .. } | Record::ForgottenTask { .. } | Record::DeletedDocument { .. } => {}
        }
    }
}

/// Why a backup failed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file could not be written, for example because the disk is full.
    #[error("backup cannot be written: {0}; what is there is incomplete and is not a backup")]
    Write(io::Error),
    /// The file could not be read.
    #[error("backup cannot be read at line {line}: {error}")]
    Read {
        /// Where.
        line: u64,
        /// Why.
        error: io::Error,
    },
    /// The file is cut, changed or no backup at all.
    #[error("backup is not intact at line {line}: {why}")]
    Damaged {
        /// Where.
        line: u64,
        /// Why.
        why: String,
    },
    /// A newer program wrote it.
    #[error(
        "backup has version {found}, this program reads version {VERSION}; use the version of qunguan that wrote it"
    )]
    Version {
        /// What it says.
        found: u32,
    },
}

/// Writes everything as of one moment; the store goes on working.
pub async fn export<W: Write + Send>(store: &dyn Store, made: Timestamp, writer: W) -> Result<Summary, BackupError> {
    let mut lines = LineWriter { writer, hash: Sha256::new() };
    lines.write(&Header { format: FORMAT.to_owned(), version: VERSION, made })?;
    let (to, mut from) = mpsc::channel(1024);
    let mut summary = Summary::default();
    let receive = async {
        while let Some(record) = from.recv().await {
            summary.count(&record);
            lines.write(&record)?;
        }
        drop(from); // a full disk ends the export, not only its file
        Ok(())
    };
    let (sent, received): (_, Result<(), BackupError>) = tokio::join!(store.export(to), receive);
    received?;
    sent?;
    let sha256 = hex(&lines.hash.clone().finalize());
    lines.write(&End { records: summary.records, sha256 })?;
    lines.writer.flush().map_err(BackupError::Write)?;
    Ok(summary)
}

/// Reads a whole backup without a store: is every byte what was written?
pub fn verify(reader: impl BufRead) -> Result<Summary, BackupError> {
    let mut lines = LineReader::open(reader)?;
    while lines.next()?.is_some() {}
    Ok(lines.summary)
}

/// Copies a backup and checks it on the way; what was copied of a damaged one is no backup.
pub fn copy(reader: impl BufRead, writer: impl Write) -> Result<Summary, BackupError> {
    let mut lines = LineReader::open(Tee { reader, writer, failed: None });
    if let Ok(lines) = &mut lines {
        loop {
            match lines.next() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => return Err(lines.reader.failed.take().map_or(error, BackupError::Write)),
            }
        }
        lines.reader.writer.flush().map_err(BackupError::Write)?;
    }
    lines.map(|lines| lines.summary)
}

/// Writes everything that is read from it.
struct Tee<R, W> {
    reader: R,
    writer: W,
    failed: Option<io::Error>,
}

impl<R: BufRead, W: Write> io::Read for Tee<R, W> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(into.len());
        into[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        match &self.failed {
            Some(error) => Err(error.kind().into()),
            None => Ok(count),
        }
    }
}

impl<R: BufRead, W: Write> BufRead for Tee<R, W> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }
    fn consume(&mut self, count: usize) {
        if let Ok(bytes) = self.reader.fill_buf()
            && let Err(error) = self.writer.write_all(&bytes[..count])
        {
            self.failed = Some(error);
        }
        self.reader.consume(count);
    }
}

/// Reads a backup into an empty store. The caller has [`verify`]'d the file; a fault found only now leaves the store half
/// filled, and says so.
pub async fn import<R: BufRead + Send>(store: &dyn Store, reader: R) -> Result<Summary, BackupError> {
    let mut lines = LineReader::open(reader)?;
    let mut first = true;
    loop {
        let mut batch = Vec::with_capacity(IMPORT_BATCH);
        while batch.len() < IMPORT_BATCH
            && let Some(record) = lines.next()?
        {
            batch.push(record);
        }
        if batch.is_empty() && !first {
            return Ok(lines.summary);
        }
        store.import(batch, first).await?;
        first = false;
    }
}

struct LineWriter<W> {
    writer: W,
    hash: Sha256,
}

impl<W: Write> LineWriter<W> {
    fn write(&mut self, value: &impl Serialize) -> Result<(), BackupError> {
        let json = serde_json::to_vec(value).map_err(|e| BackupError::Write(e.into()))?;
        let mut line = format!("{} {} ", json.len(), hex(&Sha256::digest(&json))).into_bytes();
        line.extend_from_slice(&json);
        line.push(b'\n');
        self.hash.update(&line);
        self.writer.write_all(&line).map_err(BackupError::Write)
    }
}

struct LineReader<R> {
    reader: R,
    line: u64,
    hash: Sha256,
    summary: Summary,
    ended: bool,
}

impl<R: BufRead> LineReader<R> {
    fn open(reader: R) -> Result<Self, BackupError> {
        let mut lines = Self { reader, line: 0, hash: Sha256::new(), summary: Summary::default(), ended: false };
        let json = lines.read_line()?.ok_or_else(|| lines.damaged("the file is empty"))?;
        let header: Header = serde_json::from_slice(&json).map_err(|_| lines.damaged("this is no qunguan backup"))?;
        if header.format != FORMAT {
            return Err(lines.damaged("this is no qunguan backup"));
        }
        if header.version != VERSION {
            return Err(BackupError::Version { found: header.version });
        }
        Ok(lines)
    }

    /// The next record; `None` after the end line was found and agreed.
    fn next(&mut self) -> Result<Option<Record>, BackupError> {
        if self.ended {
            return Ok(None);
        }
        let so_far = self.hash.clone();
        let Some(json) = self.read_line()? else {
            return Err(self.damaged("the file ends before its end line: it was cut off"));
        };
        if let Ok(end) = serde_json::from_slice::<End>(&json) {
            self.ended = true;
            if end.records != self.summary.records || end.sha256 != hex(&so_far.finalize()) {
                return Err(self.damaged("the end line counts other records: lines are missing or were exchanged"));
            }
            if self.read_line()?.is_some() {
                return Err(self.damaged("something follows the end line"));
            }
            return Ok(None);
        }
        let record = serde_json::from_slice(&json).map_err(|e| self.damaged(&format!("unknown record: {e}")))?;
        self.summary.count(&record);
        Ok(Some(record))
    }

    fn read_line(&mut self) -> Result<Option<Vec<u8>>, BackupError> {
        self.line += 1;
        let line = self.line;
        let failed = |error: io::Error| BackupError::Read { line, error };
        let cut = |_| BackupError::Damaged { line, why: "the file is cut off in this line".to_owned() };
        let mut head = Vec::new();
        (&mut self.reader).take_until(b' ', 20, &mut head).map_err(failed)?;
        if head.is_empty() {
            return Ok(None);
        }
        let length = std::str::from_utf8(&head).ok().and_then(|t| t.strip_suffix(' ')).and_then(|t| t.parse().ok());
        let Some(length) = length.filter(|length: &usize| *length <= LONGEST_LINE) else {
            return Err(self.damaged("it does not begin with a length"));
        };
        let mut rest = vec![0; 64 + 1 + length + 1];
        self.reader.read_exact(&mut rest).map_err(cut)?;
        let (hash, json) = (&rest[..64], &rest[65..65 + length]);
        if rest[64] != b' ' || rest[65 + length] != b'\n' || hash != hex(&Sha256::digest(json)).as_bytes() {
            return Err(self.damaged("its content does not agree with its hash"));
        }
        self.hash.update(&head);
        self.hash.update(&rest);
        Ok(Some(json.to_vec()))
    }

    fn damaged(&self, why: &str) -> BackupError {
        BackupError::Damaged { line: self.line, why: why.to_owned() }
    }
}

trait TakeUntil {
    fn take_until(self, stop: u8, limit: u64, into: &mut Vec<u8>) -> io::Result<usize>;
}

impl<R: BufRead> TakeUntil for &mut R {
    fn take_until(self, stop: u8, limit: u64, into: &mut Vec<u8>) -> io::Result<usize> {
        io::Read::take(self, limit).read_until(stop, into)
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;
    use serde_json::json;

    use super::*;
    use crate::store::{
        CaseState, Commit, TaskQuery, TaskState, TaskUpdate,
        contract::{at, case, mark},
        embedded::EmbeddedStore,
        memory::MemoryStore,
    };

    async fn fill(store: &dyn Store, from: u64, to: u64) {
        for n in from..to {
            let name = n.to_string();
            let member = format!("u{}", n % 7);
            let document =
                Document { collection: "notice".into(), id: name.clone(), version: 0, body: json!({"n": n}) };
            let commit = Commit {
                processed: Some(mark(&name, n as i64)),
                members: vec![store.member(&"g".into(), &member.as_str().into()).await.unwrap()],
                cases: vec![case(&name, "g", &member, n as i64, CaseState::Open)],
                tasks: vec![Task::new(name.as_str(), "send", &"g".into(), at(0), json!("长".repeat(n as usize * 20)))],
                documents: vec![document],
                cursors: vec![("archive".into(), n)],
                ..Commit::default()
            };
            store.commit(commit).await.unwrap();
        }
    }

    async fn bytes(store: &dyn Store) -> Vec<u8> {
        let mut bytes = Vec::new();
        export(store, at(0), &mut bytes).await.unwrap();
        bytes
    }

    #[tokio::test]
    async fn every_engine_restores_what_every_engine_saved() {
        let dir = tempfile::tempdir().unwrap();
        let (memory, embedded) = (MemoryStore::new(), EmbeddedStore::open(&dir.path().join("a")).unwrap());
        for store in [&memory as &dyn Store, &embedded] {
            fill(store, 1, 120).await;
            store.claim(at(0), 5, SignedDuration::from_secs(9)).await.unwrap();
        }
        let saved = bytes(&memory).await;
        assert_eq!(saved, bytes(&embedded).await, "the file does not tell the engine");
        let summary = verify(&saved[..]).unwrap();
        assert_eq!((summary.messages, summary.members, summary.cases, summary.cursors), (119, 7, 119, 1));

        let (memory, embedded) = (MemoryStore::new(), EmbeddedStore::open(&dir.path().join("b")).unwrap());
        for store in [&memory as &dyn Store, &embedded] {
            assert_eq!(import(store, &saved[..]).await.unwrap(), summary);
            assert_eq!(bytes(store).await, saved);
            assert_eq!(store.tasks(&TaskQuery { limit: 999, ..TaskQuery::default() }).await.unwrap().len(), 119);
            assert_eq!(store.claim(at(0), 999, SignedDuration::ZERO).await.unwrap().len(), 114, "leases came along");
            let refused = import(store, &saved[..]).await.unwrap_err().to_string();
            assert!(refused.contains("empty store"), "{refused}");
        }
        assert_eq!(embedded.check().unwrap().faults, Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_backup_made_under_load_is_of_one_moment() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(EmbeddedStore::open(&dir.path().join("a")).unwrap());
        fill(store.as_ref(), 1, 60).await;
        let busy = tokio::spawn({
            let store = store.clone();
            async move {
                fill(store.as_ref(), 60, 160).await;
                store.prune(at(30), 99).await.unwrap();
                let deletes = (1..90).map(|n| ("notice".to_owned(), n.to_string())).collect();
                store.commit(Commit { deletes, ..Commit::default() }).await.unwrap();
                let tasks = store.tasks(&TaskQuery { limit: 40, ..TaskQuery::default() }).await.unwrap();
                for task in tasks {
                    let update = TaskUpdate {
                        id: task.id.clone(),
                        fence: None,
                        state: TaskState::Done,
                        due: at(0),
                        reason: String::new(),
                        payload: None,
                        failed: false,
                    };
                    store.commit(Commit { task_updates: vec![update], ..Commit::default() }).await.unwrap();
                    store.commit(Commit { forgotten_tasks: vec![task.id], ..Commit::default() }).await.unwrap();
                }
            }
        });
        let mut saved = Vec::new();
        while !busy.is_finished() {
            saved.push(bytes(store.as_ref()).await);
        }
        busy.await.unwrap();
        saved.push(bytes(store.as_ref()).await);
        for (n, saved) in saved.iter().enumerate() {
            let restored = EmbeddedStore::open(&dir.path().join(n.to_string())).unwrap();
            import(&restored, &saved[..]).await.unwrap();
            assert_eq!(restored.check().unwrap().faults, Vec::<String>::new());
            let counted: u64 = restored.members(&"g".into()).await.unwrap().iter().map(|m| m.version).sum();
            let cases = verify(&saved[..]).unwrap();
            let last = restored.cursor("archive").await.unwrap();
            assert_eq!(counted, last, "members, cursor and cases are of one commit");
            assert!(cases.cases >= last);
        }
    }

    #[tokio::test]
    async fn a_file_cut_or_changed_anywhere_is_refused() {
        let store = MemoryStore::new();
        fill(&store, 1, 4).await;
        let whole = bytes(&store).await;
        for length in 0..whole.len() {
            let error = verify(&whole[..length]).unwrap_err().to_string();
            assert!(error.starts_with("backup is not intact at line "), "{length}: {error}");
        }
        for position in (0..whole.len()).step_by(3) {
            let mut changed = whole.clone();
            changed[position] ^= 1;
            assert!(verify(&changed[..]).is_err(), "a changed byte at {position} goes unnoticed");
        }
        let text = String::from_utf8(whole.clone()).unwrap();
        let without_one: String =
            text.lines().enumerate().filter(|(n, _)| *n != 2).map(|(_, l)| format!("{l}\n")).collect();
        assert!(verify(without_one.as_bytes()).unwrap_err().to_string().contains("lines are missing"));
        let longer = [&whole[..], b"x"].concat();
        assert!(verify(&longer[..]).is_err());
        assert!(verify(&b"{\"a\":1}\n"[..]).is_err());
    }

    #[tokio::test]
    async fn a_full_disk_is_an_error_that_says_so() {
        let store = MemoryStore::new();
        fill(&store, 1, 200).await;
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let error = export(&store, at(0), io::BufWriter::new(full)).await.unwrap_err().to_string();
        assert!(error.contains("No space left") && error.contains("is not a backup"), "{error}");
    }

    #[tokio::test]
    async fn a_newer_version_is_refused() {
        let mut bytes = Vec::new();
        let mut lines = LineWriter { writer: &mut bytes, hash: Sha256::new() };
        lines.write(&Header { format: FORMAT.into(), version: 2, made: at(0) }).unwrap();
        let error = verify(&bytes[..]).unwrap_err().to_string();
        assert!(error.contains("version 2, this program reads version 1"), "{error}");
    }
}
