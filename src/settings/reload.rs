//! An admin saves a file, and a second later it is in force without a restart; or it is wrong, and then the old settings
//! stay and the log, the console and `/readyz` say why.
//!
//! The folders are watched rather than the files, because editors and mounted config maps rename; where a file system
//! tells nothing, the files are hashed every [`REHASH`]. `SIGHUP` asks at once. Everything is read, validated and built
//! beside the running state and then swapped in one step, so a message sees the old or the new, never a mixture.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arc_swap::{ArcSwap, Guard};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use sha2::{Digest, Sha256};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tracing::{debug, error, info, warn};

use super::{Problem, Settings, files};
use crate::model::{Clock, Timestamp};

/// After the last change of a file, wait this long for the next: saving twenty files is one reload.
const QUIET: Duration = Duration::from_millis(200);
/// A second request for the same broken files within this time says nothing new: an admin saved and sent `SIGHUP`.
const ONCE_WITHIN: Duration = Duration::from_secs(5);
/// Hash the files this often, also without being told of a change.
pub const REHASH: Duration = Duration::from_secs(30);

/// What is in force and how the last reload went.
#[derive(Debug)]
pub struct Live<T> {
    value: ArcSwap<T>,
    status: ArcSwap<Status>,
    attempts: watch::Sender<u64>,
}

/// How the last reload went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Since when the present settings are in force.
    pub since: Timestamp,
    /// The first eight hexadecimal digits of the files' hash.
    pub version: String,
    /// Settings that were changed and come in force with the next start.
    pub waiting: Vec<&'static str>,
    /// Set while the files on disk are not what is in force: when that was found, and what is wrong with them.
    pub rejected: Option<(Timestamp, Vec<Problem>)>,
}

impl<T> Live<T> {
    /// In force from the start.
    pub fn new(value: Arc<T>, now: Timestamp) -> Self {
        let status = Status { since: now, version: String::new(), waiting: Vec::new(), rejected: None };
        Self { value: ArcSwap::new(value), status: ArcSwap::from_pointee(status), attempts: watch::Sender::new(0) }
    }
    /// What is in force; take it once a message.
    pub fn get(&self) -> Guard<Arc<T>> {
        self.value.load()
    }
    /// The same, to keep over an await.
    pub fn get_full(&self) -> Arc<T> {
        self.value.load_full()
    }
    /// How the last reload went.
    pub fn status(&self) -> Arc<Status> {
        self.status.load_full()
    }
    /// The files on disk are not what is in force, for these reasons.
    pub fn reject(&self, now: Timestamp, problems: &[Problem]) {
        self.status.rcu(|old| Status { rejected: Some((now, problems.to_vec())), ..Status::clone(old) });
    }
    /// Rises with every reload, accepted or not.
    pub fn attempts(&self) -> watch::Receiver<u64> {
        self.attempts.subscribe()
    }
}

/// The files as they were at a moment. Take it before they are read for the first time: what changes in between is seen as
/// a change then, and not as what is in force.
#[derive(Clone, Debug)]
pub struct Watched {
    file: PathBuf,
    others: Vec<PathBuf>,
    known: [u8; 32],
}

impl Watched {
    /// The settings file as it is now, with everything that belongs to it.
    pub fn now(file: PathBuf) -> Self {
        let others = Settings::load_offline(&file).map(|s| s.other_files()).unwrap_or_default();
        let known = fingerprint(&file, &others);
        Self { file, others, known }
    }
}

/// Watches until the future is dropped; from this call on a `SIGHUP` asks for a look and no longer ends the process. `began` is what the process started with; `build` makes the new state from
/// validated settings, off the async threads; `swapped` is told after it came in force.
pub fn watch<T: Send + Sync + 'static>(
    live: Arc<Live<T>>,
    watched: Watched,
    began: Settings,
    clock: Arc<dyn Clock>,
    build: impl Fn(Settings) -> Result<T, Vec<Problem>> + Send + Sync + 'static,
    swapped: impl Fn(&Arc<T>) + Send + Sync,
) -> impl Future<Output = ()> + Send {
    let hangup = Hangup::new();
    looking(hangup, live, watched, Arc::new(began), clock, Arc::new(build), swapped)
}

async fn looking<T: Send + Sync + 'static>(
    mut hangup: Hangup,
    live: Arc<Live<T>>,
    watched: Watched,
    began: Arc<Settings>,
    clock: Arc<dyn Clock>,
    build: Arc<impl Fn(Settings) -> Result<T, Vec<Problem>> + Send + Sync + 'static>,
    swapped: impl Fn(&Arc<T>) + Send + Sync,
) {
    let (told, mut changes) = mpsc::channel(1);
    let _ = told.try_send(()); // something may have changed since
    let mut watcher = watcher(told);
    let Watched { file, mut others, mut known } = watched;
    let mut tried: Option<(std::time::Instant, [u8; 32])> = None;
    live.status.rcu(|old| Status { version: short(&known), ..Status::clone(old) });
    loop {
        if let Some(watcher) = &mut watcher {
            watch_folders(watcher, &file, &others);
        }
        let asked = tokio::select! {
            () = hangup.next() => true,
            Some(()) = changes.recv() => {
                let mut quiet = Instant::now() + QUIET;
                loop {
                    tokio::select! {
                        () = sleep_until(quiet) => break,
                        Some(()) = changes.recv() => quiet = Instant::now() + QUIET,
                    }
                }
                false
            }
            () = sleep_until(Instant::now() + REHASH) => false,
        };
        let (path, paths) = (file.clone(), others.clone());
        let Ok(found) = tokio::task::spawn_blocking(move || fingerprint(&path, &paths)).await else { continue };
        if found == known && !asked {
            continue;
        }
        let started = std::time::Instant::now();
        let again = tried.is_some_and(|(at, tried)| tried == found && started - at < ONCE_WITHIN);
        if again && live.status().rejected.is_some() {
            live.attempts.send_modify(|n| *n += 1);
            continue;
        }
        (known, tried) = (found, Some((started, found)));
        let (path, build, began) = (file.clone(), build.clone(), began.clone());
        let built = tokio::task::spawn_blocking(move || {
            let settings = Settings::load(&path)?;
            let (others, waiting) = (settings.other_files(), settings.waits_for_restart(&began));
            Ok::<_, Vec<Problem>>((others, waiting, build(settings)?))
        });
        let now = clock.now();
        match built.await {
            Ok(Ok((files, waiting, value))) => {
                others = files;
                let value = Arc::new(value);
                live.value.store(value.clone());
                let duration_ms = started.elapsed().as_millis() as u64;
                if waiting.is_empty() {
                    info!(version = short(&known), duration_ms, "settings reloaded");
                } else {
                    let waiting = waiting.join(", ");
                    warn!(version = short(&known), duration_ms, waiting, "settings reloaded; some wait for a restart");
                }
                live.status.store(Arc::new(Status { since: now, version: short(&known), waiting, rejected: None }));
                swapped(&value);
                metrics::counter!("qunguan_reloads_total", "result" => "accepted").increment(1);
            }
            Ok(Err(problems)) => {
                for problem in &problems {
                    warn!("settings not reloaded, the old ones stay in force: {problem}");
                }
                reject(&live, now, &problems);
            }
            Err(fault) => {
                error!("settings not reloaded, the old ones stay in force: {fault}");
                reject(&live, now, &[Problem::new(&file, 0, "重新读取设置时程序出错，详见日志")]);
            }
        }
        live.attempts.send_modify(|n| *n += 1);
    }
}

fn reject<T>(live: &Live<T>, now: Timestamp, problems: &[Problem]) {
    metrics::counter!("qunguan_reloads_total", "result" => "rejected").increment(1);
    live.reject(now, problems);
}

/// A hash over names and contents of everything a reload reads.
fn fingerprint(file: &Path, others: &[PathBuf]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let folder = files::Files::in_folder(file.parent().unwrap_or(Path::new("")));
    for path in std::iter::once(file.to_owned()).chain(folder.own_paths()).chain(others.iter().cloned()) {
        let bytes = std::fs::read(&path).unwrap_or_default();
        hash.update(path.as_os_str().as_encoded_bytes());
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(&bytes);
    }
    hash.finalize().into()
}

fn short(hash: &[u8; 32]) -> String {
    format!("{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3])
}

/// A watcher that says only that something changed; without one (too many watches, odd file systems) hashing remains.
fn watcher(told: mpsc::Sender<()>) -> Option<RecommendedWatcher> {
    let changed = move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|e| !e.kind.is_access()) {
            let _ = told.try_send(()); // full: a change is waiting to be noticed anyway
        }
    };
    notify::recommended_watcher(changed)
        .inspect_err(|e| warn!("file changes are noticed only every {} s: {e}", REHASH.as_secs()))
        .ok()
}

/// Watching a folder twice changes nothing; one that is not there yet is found when its parent changes.
fn watch_folders(watcher: &mut RecommendedWatcher, file: &Path, others: &[PathBuf]) {
    let parent = |path: &Path| match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let config = parent(file);
    let mut folders = vec![(config.clone(), RecursiveMode::NonRecursive)];
    for name in ["policies", "rulebooks", "wordlists"] {
        folders.push((config.join(name), RecursiveMode::Recursive));
    }
    for path in others {
        // Where there is no such folder yet, the one in which it would appear.
        let mut folder = parent(path);
        while !folder.is_dir() && folder != Path::new(".") {
            folder = parent(&folder);
        }
        folders.push((folder, RecursiveMode::NonRecursive));
    }
    folders.dedup();
    for (folder, mode) in folders {
        if folder.is_dir()
            && let Err(e) = watcher.watch(&folder, mode)
        {
            debug!("changes in {} are noticed only every {} s: {e}", folder.display(), REHASH.as_secs());
        }
    }
}

/// `SIGHUP`, where there is such a thing.
struct Hangup(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

impl Hangup {
    fn new() -> Self {
        #[cfg(unix)]
        let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
            .inspect_err(|e| warn!("SIGHUP is not listened to: {e}"))
            .ok();
        Self(
            #[cfg(unix)]
            signal,
        )
    }
    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.0
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        detect::learned::Lessons,
        model::{Category, SystemClock},
    };

    /// Starts with `dry_run` off and counts swaps.
    fn start(file: &Path) -> (Arc<Live<bool>>, tokio::task::JoinHandle<()>) {
        let live = Arc::new(Live::new(Arc::new(false), Timestamp::UNIX_EPOCH));
        let build = |settings: Settings| Ok(settings.dry_run);
        let task = tokio::spawn(watch(
            live.clone(),
            Watched::now(file.to_owned()),
            Settings::default(),
            Arc::new(SystemClock),
            build,
            |_| {},
        ));
        (live, task)
    }

    /// The watcher starts with the first poll of the task: wait until it knows the files.
    async fn started(live: &Live<bool>) {
        while live.status().version.is_empty() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_good_file_comes_in_force_and_a_bad_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("qunguan.toml");
        std::fs::write(&file, "").unwrap();
        let (live, task) = start(&file);
        let mut attempts = live.attempts();
        started(&live).await;
        std::fs::write(&file, "dry_run = true\n").unwrap();
        attempts.changed().await.unwrap();
        assert!(**live.get());
        assert_eq!((live.status().rejected.clone(), live.status().waiting.clone()), (None, Vec::new()));

        // The way editors save: a new file is renamed over the old one.
        let fresh = folder.path().join("qunguan.toml.new");
        std::fs::write(&fresh, "dry_run = 5\n").unwrap();
        std::fs::rename(&fresh, &file).unwrap();
        attempts.changed().await.unwrap();
        assert!(**live.get(), "the old settings stay");
        let (_, problems) = live.status().rejected.clone().unwrap();
        assert_eq!(problems[0].line, 1);

        std::fs::write(&file, "dry_run = false\nlisten = \"127.0.0.1:1\"\n").unwrap();
        attempts.changed().await.unwrap();
        assert!(!**live.get());
        assert_eq!((live.status().rejected.clone(), live.status().waiting.clone()), (None, vec!["listen"]));
        task.abort();
    }

    #[tokio::test]
    async fn what_changes_while_the_process_starts_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("qunguan.toml");
        std::fs::write(&file, "dry_run = false\n").unwrap();
        let watched = Watched::now(file.clone());
        std::fs::write(&file, "dry_run = true\n").unwrap();
        let live = Arc::new(Live::new(Arc::new(false), Timestamp::UNIX_EPOCH));
        let mut attempts = live.attempts();
        let build = |settings: Settings| Ok(settings.dry_run);
        let task =
            tokio::spawn(watch(live.clone(), watched, Settings::default(), Arc::new(SystemClock), build, |_| {}));
        attempts.changed().await.unwrap();
        assert!(**live.get());
        task.abort();
    }

    #[tokio::test]
    async fn what_was_learnt_meanwhile_comes_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("qunguan.toml");
        let data = folder.path().join("elsewhere/data");
        std::fs::create_dir_all(folder.path().join("elsewhere")).unwrap();
        std::fs::write(&file, format!("data_dir = '{}'\n", data.display())).unwrap();
        let live = Arc::new(Live::new(Arc::new(0), Timestamp::UNIX_EPOCH));
        let mut attempts = live.attempts();
        let watched = Watched::now(file.clone());
        let build = |settings: Settings| match settings.models() {
            (models, wrong) if wrong.is_empty() => Ok(models.len()),
            (_, wrong) => Err(wrong),
        };
        let task =
            tokio::spawn(watch(live.clone(), watched, Settings::default(), Arc::new(SystemClock), build, |_| {}));
        while live.status().version.is_empty() {
            tokio::task::yield_now().await;
        }
        let settings = Settings::load_offline(&file).unwrap();
        let path = settings.model_path(Category::Ads);
        let (model, _) =
            Lessons::new([("收旧家电", Some(Category::Ads)), ("今天开会", None)], 1).teach(Category::Ads, None);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path.with_extension("new"), model.save()).unwrap();
        std::fs::rename(path.with_extension("new"), &path).unwrap();
        attempts.changed().await.unwrap();
        assert_eq!(**live.get(), 1);

        std::fs::write(&path, "qglearn1").unwrap();
        attempts.changed().await.unwrap();
        assert_eq!(**live.get(), 1, "what was learnt stays");
        let (_, problems) = live.status().rejected.clone().unwrap();
        assert!(problems[0].message.contains("qunguan train --fresh"), "{problems:?}");
        task.abort();
    }

    #[tokio::test]
    async fn a_list_in_a_folder_that_was_not_there_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("qunguan.toml");
        std::fs::write(&file, "dry_run = true\n").unwrap();
        let (live, task) = start(&file);
        let mut attempts = live.attempts();
        started(&live).await;
        std::fs::create_dir_all(folder.path().join("wordlists/ads")).unwrap();
        std::fs::write(folder.path().join("wordlists/ads/own.txt"), "加我\n").unwrap();
        attempts.changed().await.unwrap();
        assert!(**live.get());
        task.abort();
    }
}
