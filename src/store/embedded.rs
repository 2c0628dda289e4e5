//! The store on this machine's disk: one sled tree, one writer, many commits sharing one flush.
//!
//! Every change goes through one writer thread. It takes what is waiting, applies each request to a draft (so requests in
//! one batch see each other), writes the draft as one atomic batch, flushes, **and calls `sync_data` on sled's file**, because
//! sled 0.34's own `flush` only calls `sync_file_range` (docs/storage.md). Only then is everybody in the batch answered.
//!
//! Reads look at sled directly. A read that sees a batch which is not yet synced waits for that sync before it answers, so
//! nothing that could still be lost is ever shown or acted upon.

use std::{
    collections::BTreeMap,
    fs::File,
    ops::Bound,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    Case, CaseQuery, Commit, Committed, Document, MemberRecord, Processed, Store, StoreError, StoreStats, Task,
    TaskQuery, logic,
    rows::{Draft, Row, Rows},
};
use crate::model::{CaseId, GroupId, MemberId, MessageId, SignedDuration, TaskId, Timestamp};

/// Most requests in one batch.
const BATCH: usize = 512;
/// Requests that may wait; beyond it callers wait in turn.
const QUEUE: usize = 4096;
/// Page cache of sled, bytes; its default is 1 GB.
const CACHE: u64 = 64 * 1024 * 1024;
/// The one tree; its name is part of the stored format.
const TREE: &str = "rows-1";

/// The store on disk.
pub struct EmbeddedStore {
    rows: SledRows,
    requests: mpsc::Sender<Request>,
    progress: Arc<Progress>,
    synced: watch::Receiver<u64>,
    writer: Option<std::thread::JoinHandle<()>>,
    data_path: PathBuf,
}

#[derive(Clone)]
struct SledRows(sled::Tree);

/// How far the writer has come: batches handed to sled, and batches on the disk.
#[derive(Default)]
struct Progress {
    applied: AtomicU64,
}

enum Request {
    Commit(Box<Commit>, oneshot::Sender<Result<Committed, StoreError>>),
    Claim(Timestamp, usize, SignedDuration, oneshot::Sender<Result<Vec<Task>, StoreError>>),
    Prune(Timestamp, usize, oneshot::Sender<Result<usize, StoreError>>),
}

/// An answer that waits for the sync.
enum Answer {
    Commit(Committed, oneshot::Sender<Result<Committed, StoreError>>),
    Claim(Vec<Task>, oneshot::Sender<Result<Vec<Task>, StoreError>>),
    Prune(usize, oneshot::Sender<Result<usize, StoreError>>),
}

impl From<sled::Error> for StoreError {
    fn from(error: sled::Error) -> Self {
        match error {
            sled::Error::Io(error) => Self::Io(error.to_string()),
            sled::Error::Corruption { .. } => Self::Damaged(error.to_string()),
            other => Self::Io(other.to_string()),
        }
    }
}

impl Rows for SledRows {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(key)?.map(|value| value.to_vec()))
    }
    fn next(&self, from: Bound<&[u8]>, to: &[u8]) -> Result<Option<Row>, StoreError> {
        if let Bound::Included(start) | Bound::Excluded(start) = from
            && start >= to
        {
            return Ok(None);
        }
        let found = self.0.range::<&[u8], _>((from, Bound::Excluded(to))).next().transpose()?;
        Ok(found.map(|(key, value)| (key.to_vec(), value.to_vec())))
    }
}

impl EmbeddedStore {
    /// Opens or creates the store in a folder. See `guard` for what happens when its files are damaged.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|e| StoreError::Io(format!("{}: {e}", folder.display())))?;
        let db = super::guard::open(folder, config(folder))?;
        let tree = db.open_tree(TREE)?;
        let file = data_file(folder)?;
        let rows = SledRows(tree);
        let (requests, queue) = mpsc::channel(QUEUE);
        let (synced_tx, synced) = watch::channel(0);
        let progress = Arc::new(Progress::default());
        let writer = Writer { db, rows: rows.clone(), file, progress: progress.clone(), synced: synced_tx };
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.run(queue))
            .map_err(|e| StoreError::Io(e.to_string()))?;
        Ok(Self { rows, requests, progress, synced, writer: Some(thread), data_path: folder.join("db") })
    }

    /// Reads; if the writer is between handing a batch to sled and the end of its sync, waits for that end.
    async fn settled<T>(&self, read: impl FnOnce(&SledRows) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let answer = read(&self.rows)?;
        let applied = self.progress.applied.load(Ordering::Acquire);
        let mut synced = self.synced.clone();
        if *synced.borrow_and_update() < applied {
            synced.wait_for(|done| *done >= applied).await.map_err(|_| StoreError::Closed)?;
        }
        Ok(answer)
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Request,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }
}

/// For backups: rows as they are.
impl EmbeddedStore {
    /// Every row in key order, until `visit` says stop.
    pub(super) fn each_row(&self, mut visit: impl FnMut(&[u8], &[u8]) -> bool) -> Result<(), StoreError> {
        for row in self.rows.0.iter() {
            let (key, value) = row?;
            if !visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }
    /// Nothing stored yet?
    pub(super) fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.rows.0.iter().next().transpose()?.is_none())
    }
    /// Puts rows back, durably.
    pub(super) fn put_rows(&self, rows: Vec<(Vec<u8>, Vec<u8>)>) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in rows {
            batch.insert(key, value);
        }
        self.rows.0.apply_batch(batch)?;
        self.rows.0.flush()?;
        File::options()
            .write(true)
            .open(&self.data_path)
            .and_then(|file| file.sync_data())
            .map_err(|e| StoreError::Io(e.to_string()))
    }
}

impl Drop for EmbeddedStore {
    /// Lets the writer end what was accepted and close sled in order.
    fn drop(&mut self) {
        let (closed, _) = mpsc::channel(1);
        self.requests = closed;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// sled's settings: no flusher of its own (we flush), a small cache.
pub(super) fn config(folder: &Path) -> sled::Config {
    sled::Config::new().path(folder).cache_capacity(CACHE).flush_every_ms(None).mode(sled::Mode::LowSpace)
}

/// sled keeps its log in a file named `db`; it is opened a second time only to be synced.
fn data_file(folder: &Path) -> Result<File, StoreError> {
    let path: PathBuf = folder.join("db");
    File::options().read(true).write(true).open(&path).map_err(|e| StoreError::Io(format!("{}: {e}", path.display())))
}

struct Writer {
    db: sled::Db,
    rows: SledRows,
    file: File,
    progress: Arc<Progress>,
    synced: watch::Sender<u64>,
}

impl Writer {
    fn run(self, mut queue: mpsc::Receiver<Request>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            batch.clear();
            if queue.blocking_recv_many(&mut batch, BATCH) == 0 {
                return; // every handle is gone and nothing waits
            }
            self.work(batch.drain(..));
        }
    }

    fn work(&self, requests: impl Iterator<Item = Request>) {
        let mut draft = Draft::new(&self.rows);
        let mut answers = Vec::new();
        for request in requests {
            match request {
                Request::Commit(commit, to) => match logic::commit(&mut draft, &commit) {
                    Ok(committed) => answers.push(Answer::Commit(committed, to)),
                    Err(error) => drop(to.send(Err(error))),
                },
                Request::Claim(now, limit, lease, to) => match logic::claim(&mut draft, now, limit, lease) {
                    Ok(tasks) => answers.push(Answer::Claim(tasks, to)),
                    Err(error) => drop(to.send(Err(error))),
                },
                Request::Prune(before, limit, to) => match logic::prune(&mut draft, before, limit) {
                    Ok(count) => answers.push(Answer::Prune(count, to)),
                    Err(error) => drop(to.send(Err(error))),
                },
            }
        }
        let written = if draft.is_empty() { Ok(()) } else { self.write(draft.into_changes()) };
        for answer in answers {
            match answer {
                Answer::Commit(committed, to) => drop(to.send(check(&written).map(|()| committed))),
                Answer::Claim(tasks, to) => drop(to.send(check(&written).map(|()| tasks))),
                Answer::Prune(count, to) => drop(to.send(check(&written).map(|()| count))),
            }
        }
    }

    /// One atomic batch, flushed and synced.
    fn write(&self, changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        let number = self.progress.applied.fetch_add(1, Ordering::AcqRel) + 1;
        let written = self.rows.0.apply_batch(batch).map_err(StoreError::from).and_then(|()| {
            self.db.flush()?;
            self.file.sync_data().map_err(|e| StoreError::Io(format!("sync: {e}")))
        });
        if let Err(error) = &written {
            tracing::error!(%error, "a batch could not be made durable; nobody in it is told it was");
        }
        // Readers that wait are let go either way: what they read is in sled, and the failure is reported to the writers.
        self.synced.send_replace(number);
        written
    }
}

fn check(written: &Result<(), StoreError>) -> Result<(), StoreError> {
    match written {
        Ok(()) => Ok(()),
        Err(error) => Err(StoreError::Io(error.to_string())),
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn processed(&self, id: &MessageId) -> Result<Option<Processed>, StoreError> {
        match logic::processed(&self.rows, id)? {
            None => Ok(None), // absence needs no sync
            Some(_) => self.settled(|rows| logic::processed(rows, id)).await,
        }
    }
    async fn member(&self, group: &GroupId, member: &MemberId) -> Result<MemberRecord, StoreError> {
        // Used to decide; the decision's own commit is synced after whatever this saw, so it need not wait.
        logic::member(&self.rows, group, member)
    }
    async fn members(&self, group: &GroupId) -> Result<Vec<MemberRecord>, StoreError> {
        self.settled(|rows| logic::members(rows, group)).await
    }
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.ask(|answer| Request::Commit(Box::new(commit), answer)).await
    }
    async fn case(&self, id: &CaseId) -> Result<Option<Case>, StoreError> {
        match logic::case(&self.rows, id)? {
            None => Ok(None),
            Some(_) => self.settled(|rows| logic::case(rows, id)).await,
        }
    }
    async fn cases(&self, query: &CaseQuery) -> Result<Vec<Case>, StoreError> {
        self.settled(|rows| logic::cases(rows, query)).await
    }
    async fn task(&self, id: &TaskId) -> Result<Option<Task>, StoreError> {
        self.settled(|rows| logic::task(rows, id)).await
    }
    async fn tasks(&self, query: &TaskQuery) -> Result<Vec<Task>, StoreError> {
        self.settled(|rows| logic::tasks(rows, query)).await
    }
    async fn claim(&self, now: Timestamp, limit: usize, lease: SignedDuration) -> Result<Vec<Task>, StoreError> {
        if logic::next_due(&self.rows)?.is_none_or(|due| due > now) {
            return Ok(Vec::new()); // nothing to write
        }
        self.ask(|answer| Request::Claim(now, limit, lease, answer)).await
    }
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        logic::next_due(&self.rows)
    }
    async fn document(&self, collection: &str, id: &str) -> Result<Option<Document>, StoreError> {
        self.settled(|rows| logic::document(rows, collection, id)).await
    }
    async fn documents(
        &self,
        collection: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Document>, StoreError> {
        self.settled(|rows| logic::documents(rows, collection, prefix, after, limit)).await
    }
    async fn cursor(&self, name: &str) -> Result<u64, StoreError> {
        self.settled(|rows| logic::cursor(rows, name)).await
    }
    async fn messages(
        &self,
        since: Timestamp,
        after: Option<&MessageId>,
        limit: usize,
    ) -> Result<Vec<Processed>, StoreError> {
        self.settled(|rows| logic::messages(rows, since, after, limit)).await
    }
    async fn prune(&self, before: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.ask(|answer| Request::Prune(before, limit, answer)).await
    }
    async fn stats(&self) -> Result<StoreStats, StoreError> {
        let disk_bytes = std::fs::metadata(&self.data_path).map_or(0, |file| file.len());
        self.settled(|rows| logic::stats(rows)).await.map(|stats| StoreStats { disk_bytes, ..stats })
    }
}
