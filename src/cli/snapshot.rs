//! What the bot has stored, for commands that look back: the store itself while nobody uses it, else a copy that the running bot
//! makes of it. The bot goes on meanwhile, and nothing of it changes.

use std::{
    fs,
    io::{BufReader, IsTerminal, stderr},
    path::PathBuf,
};

use indicatif::{ProgressBar, ProgressStyle};

use super::UserError;
use crate::{
    settings::Settings,
    store::{StoreError, backup, embedded::EmbeddedStore, export_socket, private},
};

/// An open store; a copy is gone with it.
pub(super) struct Snapshot {
    store: EmbeddedStore,
    _copy: Option<Copy>,
}

impl std::ops::Deref for Snapshot {
    type Target = EmbeddedStore;
    fn deref(&self) -> &EmbeddedStore {
        &self.store
    }
}

/// The folder of a copy.
struct Copy(PathBuf);

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // what stays behind is as private as the store beside it
    }
}

/// Opens it.
///
/// # Errors
/// Nothing is stored, or it can neither be opened nor copied.
pub(super) async fn open(settings: &Settings) -> anyhow::Result<Snapshot> {
    let folder = settings.store_folder();
    if !folder.is_dir() {
        return Err(UserError(format!("{} 里没有保存的消息；要用文件里的就写上文件名", folder.display())).into());
    }
    match EmbeddedStore::open(&folder) {
        Ok(store) => Ok(Snapshot { store, _copy: None }),
        Err(StoreError::InUse(_)) => copied(settings, folder).await,
        Err(error) => Err(error.into()),
    }
}

async fn copied(settings: &Settings, folder: PathBuf) -> anyhow::Result<Snapshot> {
    let copy = Copy(settings.data_dir.join(format!("copy-{}", std::process::id())));
    let store = EmbeddedStore::open(&copy.0.join("store"))?;
    let file = copy.0.join("backup");
    let bar = if stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{spinner} 群管正在运行，复制它保存的数据：{bytes}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let (shown, path) = (bar.clone(), file.clone());
    let fetched = tokio::task::spawn_blocking(move || {
        let out = private::create(&path).map_err(backup::BackupError::Write)?;
        export_socket::fetch(&folder, shown.wrap_write(out))
    });
    let refused = |error: backup::BackupError| UserError(format!("运行中的群管没有交出它保存的数据：{error}"));
    fetched.await?.map_err(refused)?;
    bar.finish_and_clear();
    backup::import(&store, BufReader::new(fs::File::open(&file)?)).await.map_err(refused)?;
    fs::remove_file(&file)?;
    Ok(Snapshot { store, _copy: Some(copy) })
}
