//! `qunguan store export` while the bot runs: the store's folder belongs to one process, so the command asks that process
//! over a socket in the folder, which only the folder's owner can open.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::net::UnixListener;
use tracing::{info, warn};

use super::{Store, backup};
use crate::model::Clock;

/// A reader that takes nothing for so long has gone.
const STALLED: Duration = Duration::from_secs(60);

/// The socket of a store's folder.
pub fn socket(folder: &Path) -> PathBuf {
    folder.join("export.sock")
}

/// Answers every connection with a backup, until `stop` resolves. Runs in the process that has the store open.
pub async fn serve(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    folder: &Path,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let path = socket(folder);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {} // a killed process leaves its socket behind; the folder's lock says that nobody else is there
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    tokio::pin!(stop);
    loop {
        let stream = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted?.0,
        };
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(STALLED))?;
        let (store, made) = (store.clone(), clock.now());
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || {
            match runtime.block_on(backup::export(store.as_ref(), made, io::BufWriter::new(stream))) {
                Ok(summary) => info!(records = summary.records, "a backup was made"),
                Err(error) => warn!(%error, "a backup failed"),
            }
        });
    }
    let _ = std::fs::remove_file(path);
    Ok(())
}

/// Copies the backup that the running process makes; checks every line on the way.
pub fn fetch(folder: &Path, mut to: impl io::Write) -> Result<backup::Summary, backup::BackupError> {
    let read = |error| backup::BackupError::Read { line: 0, error };
    let stream = std::os::unix::net::UnixStream::connect(socket(folder)).map_err(read)?;
    stream.set_read_timeout(Some(STALLED)).map_err(read)?;
    backup::copy(io::BufReader::new(stream), &mut to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::SystemClock,
        store::{Commit, memory::MemoryStore},
    };

    #[tokio::test(flavor = "multi_thread")]
    async fn another_process_gets_a_backup_of_the_open_store() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(MemoryStore::new());
        store.commit(Commit { cursors: vec![("archive".into(), 7)], ..Commit::default() }).await.unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let path = folder.path().to_owned();
        std::fs::write(socket(&path), "left behind").unwrap();
        let serving = tokio::spawn({
            let path = path.clone();
            async move { serve(store, Arc::new(SystemClock), &path, async { drop(stopped.await) }).await }
        });
        let (copied, summary) = tokio::task::spawn_blocking(move || {
            let mut copied = Vec::new();
            loop {
                match fetch(&path, &mut copied) {
                    Ok(summary) => return (copied, summary),
                    Err(_) => std::thread::yield_now(), // not listening yet
                }
            }
        })
        .await
        .unwrap();
        assert_eq!(summary.cursors, 1);
        assert_eq!(backup::verify(&copied[..]).unwrap(), summary);
        stop.send(()).unwrap();
        serving.await.unwrap().unwrap();
        assert!(!socket(folder.path()).exists());
    }
}
