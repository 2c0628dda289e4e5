//! Opens sled carefully: its known ways to fail are met here, loudly, and never by throwing data away.
//!
//! * A snapshot file that a crash left half-written makes `open` report corruption although the log is whole: the folder is
//!   copied aside, the snapshots are removed, and opening is tried once more; nothing acknowledged is lost by that.
//! * A damaged log can make `open` hang or panic: it runs on a thread of its own with a time limit, and the error names the
//!   command that restores a backup.
//! * A full disk and a folder that may not be written to are no damage: they are named, and nobody is sent to a backup.
//! * A second process finds the lock taken and is told so, after a moment in which one that is just ending may let it go.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use super::StoreError;

/// Opening longer than this counts as hanging; a healthy store of a year opens in well under a second.
const LIMIT: Duration = Duration::from_secs(60);

/// How long a lock that is taken is asked for again: a process that ends, or is being replaced, needs a moment to let it go.
const HANDOVER: Duration = Duration::from_secs(2);

/// Pause between two such tries; the lock itself raises no event that could be waited for with a limit.
const TRY_AGAIN: Duration = Duration::from_millis(20);

/// An open database.
pub struct Opened {
    /// It.
    pub db: sled::Db,
    /// It was damaged and is open again without its snapshots: every row wants to be checked.
    pub recovered: bool,
}

/// Opens the database in `folder`, repairing what can be repaired without loss.
pub fn open(folder: &Path, config: sled::Config) -> Result<Opened, StoreError> {
    open_within(folder, &config, LIMIT)
}

pub(super) fn open_within(folder: &Path, config: &sled::Config, limit: Duration) -> Result<Opened, StoreError> {
    let began = Instant::now();
    let mut first = attempt(config, limit);
    while matches!(first, Err(Failure::Locked)) && began.elapsed() < HANDOVER {
        std::thread::sleep(TRY_AGAIN);
        first = attempt(config, limit);
    }
    match first {
        Ok(db) => Ok(Opened { db, recovered: false }),
        Err(Failure::Locked) => Err(StoreError::InUse(folder.display().to_string())),
        Err(Failure::Refused(why)) => Err(refused(folder, why)),
        Err(Failure::Corrupt(first)) => {
            let aside = copy_aside(folder)?;
            let removed = remove_snapshots(folder)?;
            tracing::error!(error = %first, kept_copy = %aside.display(), snapshots_removed = removed,
                "the store reported corruption; snapshots removed, reading the log instead");
            match attempt(config, limit) {
                Ok(db) => {
                    tracing::warn!("the store was opened from its log");
                    Ok(Opened { db, recovered: true })
                }
                Err(Failure::Refused(why)) => Err(refused(folder, why)),
                Err(second) => Err(damaged(folder, &second.to_string(), Some(&aside))),
            }
        }
        Err(failure) => Err(damaged(folder, &failure.to_string(), None)),
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("another process holds it")]
    Locked,
    #[error("{0}")]
    Corrupt(String),
    #[error("{0}")]
    Refused(std::io::Error),
    #[error("{0}")]
    Io(String),
    #[error("opening it did not end within {0:?}")]
    Hangs(Duration),
    #[error("opening it panicked: {0}")]
    Panics(String),
}

fn attempt(config: &sled::Config, limit: Duration) -> Result<sled::Db, Failure> {
    let (send, receive) = mpsc::channel();
    let config = config.clone();
    std::thread::Builder::new()
        .name("store-open".into())
        .spawn(move || {
            let opened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| config.open()));
            // The receiver is gone if the limit passed; then nobody may use the database.
            let _ = send.send(opened);
        })
        .map_err(|e| Failure::Io(e.to_string()))?;
    match receive.recv_timeout(limit) {
        Ok(Ok(Ok(db))) => Ok(db),
        Ok(Ok(Err(sled::Error::Io(error)))) if is_refusal(&error) => Err(Failure::Refused(error)),
        Ok(Ok(Err(sled::Error::Io(error)))) if error.to_string().contains("lock") => Err(Failure::Locked),
        Ok(Ok(Err(sled::Error::Io(error)))) if error.kind() == std::io::ErrorKind::WouldBlock => Err(Failure::Locked),
        Ok(Ok(Err(error @ sled::Error::Corruption { .. }))) => Err(Failure::Corrupt(error.to_string())),
        Ok(Ok(Err(error))) => Err(Failure::Io(error.to_string())),
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<String>().cloned();
            Err(Failure::Panics(
                text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default(),
            ))
        }
        Err(_) => Err(Failure::Hangs(limit)),
    }
}

/// The system refuses although the data may be whole.
fn is_refusal(error: &std::io::Error) -> bool {
    use ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | PermissionDenied | ReadOnlyFilesystem)
}

pub(super) fn refused(folder: &Path, why: std::io::Error) -> StoreError {
    StoreError::Unusable(folder.to_owned(), Arc::new(why))
}

/// The error that names the way back. The command wants the folder that holds the store's.
pub(super) fn damaged(folder: &Path, what: &str, aside: Option<&Path>) -> StoreError {
    let copy = aside.map(|a| format!("; a copy was kept in {}", a.display())).unwrap_or_default();
    StoreError::Damaged(format!(
        "{}: {what}{copy}. Nothing was deleted. Move the folder away and restore the last backup: \
         qunguan store import --data {} BACKUP",
        folder.display(),
        match folder.parent() {
            Some(data) if data != Path::new("") => data.display(),
            _ => Path::new(".").display(),
        }
    ))
}

fn copy_aside(folder: &Path) -> Result<PathBuf, StoreError> {
    let io = |e: std::io::Error| StoreError::Io(format!("{}: {e}", folder.display()));
    let name = folder.file_name().map_or_else(|| "store".into(), |n| n.to_string_lossy().into_owned());
    let aside = (1..u32::MAX)
        .map(|n| folder.with_file_name(format!("{name}.damaged-{n}")))
        .find(|path| !path.exists())
        .expect("there is always a next number");
    std::fs::create_dir_all(&aside).map_err(io)?;
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        if entry.file_type().map_err(io)?.is_file() {
            std::fs::copy(entry.path(), aside.join(entry.file_name())).map_err(io)?;
        }
    }
    Ok(aside)
}

fn remove_snapshots(folder: &Path) -> Result<usize, StoreError> {
    let io = |e: std::io::Error| StoreError::Io(format!("{}: {e}", folder.display()));
    let mut removed = 0;
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("snap.")) {
            std::fs::remove_file(&path).map_err(io)?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::Timestamp,
        store::{Commit, Store, embedded::EmbeddedStore},
    };

    fn fill(folder: &Path) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = EmbeddedStore::open(folder).unwrap();
            for i in 1..=200 {
                let cursors = vec![(format!("cursor-{i}"), i)];
                store.commit(Commit { cursors, ..Commit::default() }).await.unwrap();
            }
        });
    }

    fn check(folder: &Path) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = EmbeddedStore::open(folder).unwrap();
            for i in 1..=200 {
                assert_eq!(store.cursor(&format!("cursor-{i}")).await.unwrap(), i);
            }
            let _ = store.stats().await.unwrap();
            let _ = Timestamp::UNIX_EPOCH;
        });
    }

    fn snapshots(folder: &Path) -> Vec<PathBuf> {
        std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.file_name().unwrap().to_string_lossy().starts_with("snap."))
            .collect()
    }

    #[test]
    fn a_broken_snapshot_loses_nothing_and_leaves_a_copy() {
        for damage in ["emptied", "halved", "stray"] {
            let dir = tempfile::tempdir().unwrap();
            let folder = dir.path().join("store");
            fill(&folder);
            check(&folder); // a clean open and close leaves a snapshot
            let found = snapshots(&folder);
            assert!(!found.is_empty(), "sled left no snapshot to damage");
            match damage {
                "emptied" => std::fs::write(&found[0], b"").unwrap(),
                "halved" => {
                    let bytes = std::fs::read(&found[0]).unwrap();
                    std::fs::write(&found[0], &bytes[..bytes.len() / 2]).unwrap();
                }
                _ => std::fs::write(folder.join("snap.00000000000000FF.generating"), b"half").unwrap(),
            }
            check(&folder);
        }
    }

    #[test]
    fn a_damaged_log_is_an_error_that_names_the_way_back() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("store");
        fill(&folder);
        for path in snapshots(&folder) {
            std::fs::remove_file(path).unwrap();
        }
        let path = folder.join("db");
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = 2048;
        for byte in bytes.iter_mut().skip(middle).take(4096) {
            *byte = 0;
        }
        std::fs::write(&path, bytes).unwrap();
        match open_within(&folder, &super::super::embedded::config(&folder), Duration::from_secs(20)) {
            Ok(_) => {} // sled may still read what is before the damage; then the checks of `store verify` speak
            Err(error) => assert!(error.to_string().contains("qunguan store import"), "{error}"),
        }
    }

    #[test]
    fn the_way_back_names_the_folder_that_the_command_wants() {
        for (folder, command) in [
            ("/srv/qunguan/store", "qunguan store import --data /srv/qunguan BACKUP"),
            ("store", "qunguan store import --data . BACKUP"),
        ] {
            let error = damaged(Path::new(folder), "it is empty", None).to_string();
            assert!(error.ends_with(command), "{error}");
        }
    }

    #[test]
    fn a_full_disk_and_a_missing_permission_are_no_damage() {
        for (code, refused) in [(28, true), (122, true), (13, true), (1, true), (30, true), (5, false)] {
            let error = std::io::Error::from_raw_os_error(code);
            assert_eq!(is_refusal(&error), refused, "{error}: a disk that fails may be damage");
        }
        let said = refused(Path::new("/data/store"), std::io::Error::from_raw_os_error(28)).to_string();
        assert!(said.contains("/data/store") && said.ends_with("nothing is damaged"), "{said}");
    }

    #[test]
    fn a_second_process_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("store");
        let _first = EmbeddedStore::open(&folder).unwrap();
        let error = EmbeddedStore::open(&folder).err().expect("the lock is taken").to_string();
        assert!(error.contains("another process"), "{error}");
    }
}
