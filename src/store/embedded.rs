//! The store on this machine's disk: one sled tree, one writer, many commits sharing one flush.
//!
//! Every change goes through one writer thread. It takes what is waiting, applies each request to a draft (so requests in
//! one batch see each other), writes the draft as one atomic batch, flushes, **and calls `sync_data` on sled's file**, because
//! sled 0.34's own `flush` only calls `sync_file_range` (docs/storage.md). Only then is everybody in the batch answered.
//!
//! A write or a sync that fails stops the writer for good: what the disk holds is unknown then, and a later sync that
//! succeeds would not prove the earlier pages (the kernel forgets them). Every later call says why; a restart reads the disk.
//!
//! Reads look at sled directly. A read that sees a batch which is not yet synced waits for that sync before it answers, so
//! nothing that could still be lost is ever shown or acted upon.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    ops::Bound,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    Case, CaseQuery, Commit, Committed, Document, MemberRecord, Processed, Store, StoreError, StoreStats, Task,
    TaskQuery,
    backup::Record,
    fsck::{self, Checked},
    kv::{Draft, Row, Rows, Table, row_name},
    logic, private,
};
use crate::model::{CaseId, GroupId, MemberId, MessageId, SignedDuration, TaskId, Timestamp};

/// Most requests in one batch.
const BATCH: usize = 512;
/// After a batch of so many the next one waits for more: a sync costs as much for one as for a hundred. A lone committer,
/// or a few, never wait.
const CROWD: usize = 4;
/// A batch grows in steps of this, while anybody still comes …
const GATHER: Duration = Duration::from_micros(50);
/// … and for no longer than this.
const GATHER_AT_MOST: Duration = Duration::from_millis(2);
/// Requests that may wait; beyond it callers wait in turn.
const QUEUE: usize = 4096;
/// Page cache of sled, bytes; its default is 1 GB.
const CACHE: u64 = 64 * 1024 * 1024;
/// The one tree; its name is part of the stored format.
const TREE: &str = "rows-1";

/// Longest value of one row, bytes; longer ones are cut into parts. A page holds up to 20 rows, and one that outgrows
/// 128 KiB sled writes to a file of its own that it never syncs.
const PART: usize = 4096;
/// First byte of a value that lies in parts; what follows is their number. No format has it.
const IN_PARTS: u8 = 0xff;
/// File that says that the folder has held a store, so that an emptied one is never taken for a new one.
const MARKER: &str = "qunguan-store";

/// The store on disk.
pub struct EmbeddedStore {
    rows: SledRows,
    requests: mpsc::Sender<Request>,
    progress: Arc<Progress>,
    synced: watch::Receiver<Synced>,
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

/// What is on the disk.
#[derive(Clone, Debug, Default)]
struct Synced {
    /// Every batch up to this number.
    batch: u64,
    /// Why the writer stopped for good.
    failed: Option<StoreError>,
}

type Changes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Whether a read found something.
trait Found {
    fn is_nothing(&self) -> bool;
}

impl<T> Found for Option<T> {
    fn is_nothing(&self) -> bool {
        self.is_none()
    }
}

impl<T> Found for Vec<T> {
    fn is_nothing(&self) -> bool {
        self.is_empty()
    }
}

impl Found for u64 {
    fn is_nothing(&self) -> bool {
        *self == 0
    }
}

impl Found for StoreStats {
    fn is_nothing(&self) -> bool {
        false
    }
}

enum Request {
    Commit(Box<Commit>, oneshot::Sender<Result<Committed, StoreError>>),
    Claim(Timestamp, usize, SignedDuration, oneshot::Sender<Result<Vec<Task>, StoreError>>),
    Prune(Timestamp, usize, oneshot::Sender<Result<usize, StoreError>>),
    Import(Vec<Record>, bool, oneshot::Sender<Result<(), StoreError>>),
    /// Remember from now on which rows change; answers a number for [`Request::Changes`].
    Watch(oneshot::Sender<Result<u64, StoreError>>),
    /// The rows that changed since, as they are now.
    Changes(u64, oneshot::Sender<Result<Changes, StoreError>>),
}

/// An answer that waits for the sync.
enum Answer {
    Commit(Committed, oneshot::Sender<Result<Committed, StoreError>>),
    Claim(Vec<Task>, oneshot::Sender<Result<Vec<Task>, StoreError>>),
    Prune(usize, oneshot::Sender<Result<usize, StoreError>>),
    Import(oneshot::Sender<Result<(), StoreError>>),
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

impl SledRows {
    /// Puts the parts of a value together. `None`: it was replaced meanwhile.
    fn whole(&self, key: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(count) = parts(value) else { return Ok(Some(value.to_vec())) };
        let mut whole = Vec::with_capacity(count as usize * PART);
        for number in 0..count {
            match self.0.get(part_key(key, number))? {
                Some(part) => whole.extend_from_slice(&part),
                None => return Ok(None),
            }
        }
        let unchanged = self.0.get(key)?.as_deref() == Some(value);
        Ok(unchanged.then_some(whole))
    }

    /// All changes as one atomic batch, not durable yet.
    fn apply(&self, changes: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            if Table::of(key).is_some_and(Table::is_record)
                && let Some(count) = self.0.get(key)?.as_deref().and_then(parts)
            {
                for number in 0..count {
                    batch.remove(part_key(key, number));
                }
            }
            match value {
                None => batch.remove(key.as_slice()),
                Some(value) if value.len() <= PART => batch.insert(key.as_slice(), value.as_slice()),
                Some(value) => {
                    let mut head = vec![IN_PARTS];
                    head.extend_from_slice(&(value.len().div_ceil(PART) as u32).to_be_bytes());
                    batch.insert(key.as_slice(), head);
                    for (number, part) in (0..).zip(value.chunks(PART)) {
                        batch.insert(part_key(key, number), part);
                    }
                }
            }
        }
        Ok(self.0.apply_batch(batch)?)
    }
}

fn parts(value: &[u8]) -> Option<u32> {
    match value.split_first() {
        Some((&IN_PARTS, count)) => count.try_into().ok().map(u32::from_be_bytes),
        _ => None,
    }
}

fn part_key(key: &[u8], number: u32) -> Vec<u8> {
    [&[Table::Part as u8], key, &number.to_be_bytes()].concat()
}

impl Rows for SledRows {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        // A value replaced between its head and its parts is read again; one whose parts stay away is damaged.
        for _ in 0..100 {
            let Some(value) = self.0.get(key)? else { return Ok(None) };
            if let Some(whole) = self.whole(key, &value)? {
                return Ok(Some(whole));
            }
        }
        Err(StoreError::Damaged(format!("{} lacks parts of its value", row_name(key))))
    }
    fn next(&self, from: Bound<&[u8]>, to: &[u8]) -> Result<Option<Row>, StoreError> {
        if let Bound::Included(start) | Bound::Excluded(start) = from
            && start >= to
        {
            return Ok(None);
        }
        for row in self.0.range::<&[u8], _>((from, Bound::Excluded(to))) {
            let (key, value) = row?;
            if parts(&value).is_none() {
                return Ok(Some((key.to_vec(), value.to_vec())));
            }
            if let Some(value) = self.get(&key)? {
                return Ok(Some((key.to_vec(), value)));
            }
        }
        Ok(None)
    }
}

impl EmbeddedStore {
    /// Opens or creates the store in a folder. See `open` for what happens when its files are damaged.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        private_folder(folder).map_err(|e| super::open::refused(folder, e))?;
        let opened = super::open::open(folder, config(folder))?;
        let db = opened.db;
        let is_new = known_layout(&db, folder)?;
        let rows = SledRows(db.open_tree(TREE)?);
        let file = data_file(folder)?;
        if is_new {
            db.flush()?;
            file.sync_data().and_then(|()| create_marker(folder)).map_err(|e| io_error(folder, &e))?;
        }
        if opened.recovered {
            let checked = fsck::check(&rows)?;
            if !checked.faults.is_empty() {
                return Err(super::open::damaged(folder, &checked.faults.join("; "), None));
            }
            tracing::warn!(rows = checked.rows, "every row of the recovered store was checked and agrees");
        }
        Self::start(db, rows, file, folder)
    }

    /// The writer on its thread, and the handle to it.
    fn start(db: sled::Db, rows: SledRows, file: File, folder: &Path) -> Result<Self, StoreError> {
        let (requests, queue) = mpsc::channel(QUEUE);
        let (synced_tx, synced) = watch::channel(Synced::default());
        let progress = Arc::new(Progress::default());
        let writer = Writer {
            db,
            rows: rows.clone(),
            file,
            progress: progress.clone(),
            synced: synced_tx,
            watched: BTreeMap::new(),
        };
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.run(queue))
            .map_err(|e| StoreError::Io(e.to_string()))?;
        Ok(Self { rows, requests, progress, synced, writer: Some(thread), data_path: folder.join("db") })
    }

    /// Reads; if the writer is between handing a batch to sled and the end of its sync, waits for that end. Only what is
    /// there can be lost again: an answer that holds nothing is given at once.
    async fn settled<T: Found>(&self, read: impl FnOnce(&SledRows) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let answer = read(&self.rows)?;
        if answer.is_nothing() {
            return Ok(answer);
        }
        let applied = self.progress.applied.load(Ordering::Acquire);
        let mut synced = self.synced.clone();
        let reached = synced.wait_for(|s| s.batch >= applied || s.failed.is_some()).await;
        match reached.map(|s| s.batch >= applied) {
            Ok(true) => Ok(answer),
            _ => Err(self.stopped()),
        }
    }

    fn stopped(&self) -> StoreError {
        self.synced.borrow().failed.clone().unwrap_or(StoreError::Closed)
    }

    /// Reads every row and follows every index: about a second for 100 000 rows.
    pub fn check(&self) -> Result<Checked, StoreError> {
        fsck::check(&self.rows)
    }

    async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Request,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).await.map_err(|_| self.stopped())?;
        answered.await.unwrap_or_else(|_| Err(self.stopped()))
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

/// Makes the folder, and those above it that are not there yet, for this user alone; one that is there becomes so if it is
/// this user's.
fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        builder.mode(0o700).create(folder)?;
        let files = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
        let private = std::iter::once((folder.to_owned(), 0o700)).chain(files.map(|file| (file, 0o600)));
        for (path, mode) in private {
            if let Err(error) = std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)) {
                tracing::warn!(%error, path = %path.display(), "others may be able to read this");
            }
        }
    }
    #[cfg(not(unix))]
    builder.create(folder)?;
    Ok(())
}

/// sled keeps its log in a file named `db`; it is opened a second time only to be synced.
fn data_file(folder: &Path) -> Result<File, StoreError> {
    let path: PathBuf = folder.join("db");
    File::options().read(true).write(true).open(&path).map_err(|e| StoreError::Io(format!("{}: {e}", path.display())))
}

fn io_error(folder: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Io(format!("{}: {error}", folder.display()))
}

/// True for a new store. Refuses what this version did not write, and a store that has lost its rows.
fn known_layout(db: &sled::Db, folder: &Path) -> Result<bool, StoreError> {
    let trees: Vec<String> = db.tree_names().iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    let foreign = trees.iter().find(|name| !matches!(name.as_str(), TREE | "__sled__default"));
    if let Some(foreign) = foreign {
        return Err(StoreError::Format(format!(
            "{} holds {foreign:?}, this version knows only {TREE:?}; it was written by another version or program",
            folder.display()
        )));
    }
    let known = trees.iter().any(|name| name == TREE);
    if !known && folder.join(MARKER).exists() {
        return Err(super::open::damaged(folder, "it has held a store and is empty now", None));
    }
    Ok(!known || !folder.join(MARKER).exists())
}

fn create_marker(folder: &Path) -> std::io::Result<()> {
    let path = folder.join(MARKER);
    std::fs::write(&path, "The memory of qunguan. Back it up with: qunguan store export\n")?;
    File::open(path)?.sync_all()?;
    File::open(folder)?.sync_all()?; // the names of sled's files too
    folder.canonicalize()?.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

struct Writer {
    db: sled::Db,
    rows: SledRows,
    file: File,
    progress: Arc<Progress>,
    synced: watch::Sender<Synced>,
    /// Rows changed since a backup began, by its number.
    watched: BTreeMap<u64, BTreeSet<Vec<u8>>>,
}

/// Lets those who are about to commit get into the batch, as long as more of them keep coming.
fn gather(queue: &mut mpsc::Receiver<Request>, batch: &mut Vec<Request>) {
    let begun = std::time::Instant::now();
    while batch.len() < BATCH && begun.elapsed() < GATHER_AT_MOST {
        std::thread::sleep(GATHER);
        let before = batch.len();
        while batch.len() < BATCH
            && let Ok(request) = queue.try_recv()
        {
            batch.push(request);
        }
        if batch.len() == before {
            return;
        }
    }
}

impl Writer {
    fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut last = 0;
        loop {
            let crowded = last >= CROWD;
            if queue.blocking_recv_many(&mut batch, BATCH) == 0 {
                return; // every handle is gone and nothing waits
            }
            if crowded {
                gather(&mut queue, &mut batch);
            }
            last = batch.len();
            if let Err(error) = self.work(batch.drain(..)) {
                tracing::error!(%error, "the store stops: a batch could not be made durable, nobody in it is told it was");
                return; // callers that wait find out why
            }
        }
    }

    fn work(&mut self, requests: impl Iterator<Item = Request>) -> Result<(), StoreError> {
        let mut draft = Draft::new(&self.rows);
        let mut answers = Vec::new();
        let mut after = Vec::new();
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
                Request::Import(records, first, to) => match logic::import(&mut draft, &records, first) {
                    Ok(()) => answers.push(Answer::Import(to)),
                    Err(error) => drop(to.send(Err(error))),
                },
                other => after.push(other),
            }
        }
        let changes = draft.into_changes();
        if !changes.is_empty() {
            self.write(&changes)?;
        }
        for answer in answers {
            match answer {
                Answer::Commit(committed, to) => drop(to.send(Ok(committed))),
                Answer::Claim(tasks, to) => drop(to.send(Ok(tasks))),
                Answer::Prune(count, to) => drop(to.send(Ok(count))),
                Answer::Import(to) => drop(to.send(Ok(()))),
            }
        }
        for request in after {
            match request {
                Request::Watch(to) => {
                    let number = self.watched.last_key_value().map_or(1, |(last, _)| last + 1);
                    if to.send(Ok(number)).is_ok() {
                        self.watched.insert(number, BTreeSet::new());
                    }
                }
                Request::Changes(number, to) => {
                    let keys = self.watched.remove(&number).unwrap_or_default();
                    let changed = keys.into_iter().map(|key| Ok((self.rows.get(&key)?, key)));
                    drop(to.send(changed.map(|row| row.map(|(value, key)| (key, value))).collect()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// One atomic batch, flushed and synced.
    fn write(&mut self, changes: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Result<(), StoreError> {
        for keys in self.watched.values_mut() {
            keys.extend(changes.keys().cloned());
        }
        let number = self.progress.applied.fetch_add(1, Ordering::AcqRel) + 1;
        let written = self.rows.apply(changes).and_then(|()| {
            self.db.flush()?;
            self.file.sync_data().map_err(|e| StoreError::Io(format!("sync: {e}")))
        });
        self.synced.send_modify(|synced| match &written {
            Ok(()) => synced.batch = number,
            Err(error) => synced.failed = Some(error.clone()),
        });
        written
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    fn failed(&self) -> Option<StoreError> {
        let failed = self.synced.borrow().failed.clone();
        failed.or_else(|| self.requests.is_closed().then_some(StoreError::Closed))
    }
    async fn processed(&self, id: &MessageId) -> Result<Option<Processed>, StoreError> {
        self.settled(|rows| logic::processed(rows, id)).await
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
        self.settled(|rows| logic::case(rows, id)).await
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
        let disk_free = private::free_bytes(&self.data_path);
        self.settled(logic::stats).await.map(|stats| StoreStats { disk_bytes, disk_free, ..stats })
    }
    /// Reads while commits go on, then sends once more what they changed: the whole is as of the end of the reading.
    async fn export(&self, to: mpsc::Sender<Record>) -> Result<(), StoreError> {
        let watch = self.ask(Request::Watch).await?;
        let (rows, sink) = (self.rows.clone(), to.clone());
        let read = tokio::task::spawn_blocking(move || {
            for row in rows.0.iter().keys() {
                let key = row?;
                if Table::of(&key).is_some_and(Table::is_record)
                    && let Some(value) = rows.get(&key)?
                    && let Some(record) = logic::record_of(&key, Some(&value))?
                    && sink.blocking_send(record).is_err()
                {
                    break;
                }
            }
            Ok::<_, StoreError>(())
        });
        let read = read.await.map_err(|e| StoreError::Io(format!("export: {e}")));
        let changes = self.ask(|answer| Request::Changes(watch, answer)).await?;
        read??;
        for (key, value) in changes {
            if let Some(record) = logic::record_of(&key, value.as_deref())?
                && to.send(record).await.is_err()
            {
                break;
            }
        }
        Ok(())
    }
    async fn import(&self, records: Vec<Record>, first: bool) -> Result<(), StoreError> {
        self.ask(|answer| Request::Import(records, first, answer)).await
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;
    use crate::http::ops;

    #[cfg(unix)]
    #[test]
    fn what_was_said_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("data/store");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        drop(EmbeddedStore::open(&folder).unwrap());
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        drop(EmbeddedStore::open(&folder).unwrap());
        for (path, wanted) in [("data", 0o700), ("data/store", 0o700), ("data/store/db", 0o600)] {
            assert_eq!(mode(&dir.path().join(path)), wanted, "{path}");
        }
    }

    #[tokio::test]
    async fn a_sync_that_fails_stops_the_writer_and_the_process_is_not_well_any_more() {
        let dir = tempfile::tempdir().unwrap();
        let db = config(dir.path()).open().unwrap();
        let rows = SledRows(db.open_tree(TREE).unwrap());
        let cannot_be_synced = File::options().write(true).open("/dev/null").unwrap();
        let store = EmbeddedStore::start(db, rows, cannot_be_synced, dir.path()).unwrap();
        assert_eq!(ops::alive(&store).0, StatusCode::OK);

        let commit = Commit { cursors: vec![("archive".into(), 1)], ..Commit::default() };
        let error = store.commit(commit).await.unwrap_err().to_string();
        assert!(error.contains("sync"), "{error}");
        assert_eq!(ops::alive(&store), (StatusCode::SERVICE_UNAVAILABLE, format!("the store has stopped: {error}")));
    }
}
