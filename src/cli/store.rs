//! `qunguan store export|import|verify`: the bot's memory as a file, and back.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Subcommand;

use super::{ConfigArg, UserError};
use crate::{
    model::{Clock, SystemClock},
    store::{
        StoreError,
        backup::{self, BackupError, Summary},
        embedded::EmbeddedStore,
        export_socket,
    },
    zh,
};

/// 备份、恢复、检查群管保存的数据。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 把全部数据写成一个备份文件；群管正在运行也可以
    Export {
        #[command(flatten)]
        place: Place,
        /// 备份文件；- 为标准输出
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// 把备份文件读进一个空的数据文件夹
    Import {
        #[command(flatten)]
        place: Place,
        /// 备份文件
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// 检查备份文件是否完整；不写文件则检查数据本身（先停下群管）
    Verify {
        #[command(flatten)]
        place: Place,
        /// 备份文件
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
struct Place {
    #[command(flatten)]
    config: ConfigArg,
    /// 数据文件夹，其中有 store；不写则按设置里的 data_dir
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Place {
    fn folder(&self) -> anyhow::Result<PathBuf> {
        Ok(match &self.data {
            Some(data) => data.join("store"),
            None => self.config.load_offline()?.store_folder(),
        })
    }
}

/// Does it and says what was counted.
pub async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.action {
        Action::Export { place, file } => {
            let folder = place.folder()?;
            if !folder.is_dir() {
                return Err(UserError(format!("{} 里没有数据", folder.display())).into());
            }
            if file == Path::new("-") {
                export(&folder, io::stdout()).await.map_err(|e| user_error(&e, &folder))?;
            } else {
                let summary = export_to(&folder, &file).await?;
                // Beside the backup, never in it: the file may be /dev/stdout.
                let told = format!("已备份到 {}：{}", file.display(), counted(&summary));
                if file.is_file() { println!("{told}") } else { eprintln!("{told}") }
            }
        }
        Action::Import { place, file } => {
            let folder = place.folder()?;
            let intact = || -> Result<_, BackupError> {
                let open = || File::open(&file).map_err(|error| BackupError::Read { line: 0, error });
                backup::verify(BufReader::new(open()?))?;
                Ok(BufReader::new(open()?))
            };
            let reader = intact().map_err(|e| user_error(&e, &file))?;
            let store = EmbeddedStore::open(&folder).map_err(|e| user_error(&e.into(), &folder))?;
            let summary = backup::import(&store, reader).await.map_err(|e| user_error(&e, &folder))?;
            println!("已恢复到 {}：{}", folder.display(), counted(&summary));
        }
        Action::Verify { file: Some(file), .. } => {
            let summary = File::open(&file)
                .map_err(|error| BackupError::Read { line: 0, error })
                .and_then(|reader| backup::verify(BufReader::new(reader)))
                .map_err(|e| user_error(&e, &file))?;
            println!("{} 完整：{}", file.display(), counted(&summary));
        }
        Action::Verify { place, file: None } => {
            let folder = place.folder()?;
            if !folder.is_dir() {
                return Err(UserError(format!("{} 里没有数据", folder.display())).into());
            }
            let store = EmbeddedStore::open(&folder).map_err(|e| user_error(&e.into(), &folder))?;
            let checked = store.check()?;
            if !checked.faults.is_empty() {
                let faults = checked.faults.join("\n");
                return Err(UserError(format!("{} 的数据前后不一致：\n{faults}", folder.display())).into());
            }
            println!("{} 完好：{} 行，互相一致", folder.display(), checked.rows);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The store's own process makes the backup if there is one, this one otherwise.
async fn export(folder: &Path, to: impl Write + Send) -> Result<Summary, BackupError> {
    let mut to = BufWriter::new(to);
    match EmbeddedStore::open(folder) {
        Ok(store) => backup::export(&store, SystemClock.now(), to).await,
        Err(StoreError::InUse(_)) => export_socket::fetch(folder, &mut to),
        Err(error) => Err(error.into()),
    }
}

/// A file is written beside itself and renamed at the end, so that its name never stands for half a backup. What exists and
/// is no file (a device, a pipe) is written to as it is and never replaced.
async fn export_to(folder: &Path, file: &Path) -> anyhow::Result<Summary> {
    let refused = |path: &Path, error: &io::Error| UserError::refused("写不了", path, error);
    match fs::metadata(file) {
        Ok(found) if found.is_dir() => {
            return Err(UserError(format!("{} 是文件夹，请写备份文件的名字", file.display())).into());
        }
        Ok(found) if !found.is_file() => {
            let out = File::options().write(true).open(file).map_err(|e| refused(file, &e))?;
            return Ok(export(folder, out).await.map_err(|e| user_error(&e, folder))?);
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(refused(file, &error).into()),
        _ => {}
    }
    let file = &behind_links(file).map_err(|e| refused(file, &e))?;
    let (part, out) = fresh_part(file).map_err(|e| refused(file, &e))?;
    let written = async {
        let summary = export(folder, &out).await.map_err(|e| user_error(&e, folder))?;
        out.sync_all().with_context(|| format!("cannot sync {}", part.display()))?;
        fs::rename(&part, file).with_context(|| format!("cannot rename {}", part.display()))?;
        Ok(summary)
    };
    let written = written.await;
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

/// The name at the end of the symbolic links, whether or not there is a file yet: it is replaced, the links stay.
fn behind_links(file: &Path) -> io::Result<PathBuf> {
    const MOST: usize = 40;
    let mut path = file.to_owned();
    for _ in 0..MOST {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => return Ok(path), // no link
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// A new file beside `file`; one that a killed export left behind stays as it is.
fn fresh_part(file: &Path) -> io::Result<(PathBuf, File)> {
    let mut number = 0_u32;
    loop {
        let mut part = file.as_os_str().to_owned();
        part.push(format!(".part-{}", std::process::id()));
        if number > 0 {
            part.push(format!("-{number}"));
        }
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&part) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            made => return Ok((part.into(), made?)),
        }
    }
}

fn counted(s: &Summary) -> String {
    format!(
        "消息 {}，成员 {}，违规记录 {}，待办 {}，文档 {}，进度 {}",
        s.messages, s.members, s.cases, s.tasks, s.documents, s.cursors
    )
}

/// Every way a backup fails is something the person at the terminal can act on.
fn user_error(error: &BackupError, about: &Path) -> UserError {
    UserError(match error {
        BackupError::Store(StoreError::InUse(_)) => format!("{} 正被另一个进程使用，请先停下群管", about.display()),
        BackupError::Store(StoreError::Refused(_)) => {
            format!("{} 里已经有数据；备份只能恢复到空的文件夹（用 --data 指定）", about.display())
        }
        BackupError::Store(StoreError::Unusable(folder, why)) => {
            format!("数据文件夹 {} 不能用：{}", folder.display(), zh::refusal(why))
        }
        BackupError::Store(error) => format!("{} 的数据读写失败：{error}", about.display()),
        BackupError::Write(error) => format!("备份没有写完：{}", zh::refusal(error)),
        BackupError::Read { line: 0, error } => format!("读不了 {}：{}", about.display(), zh::refusal(error)),
        BackupError::Read { line, error } => format!("{}:{line}: 读到一半失败：{error}", about.display()),
        BackupError::Damaged { line, why } => format!("{}:{line}: 备份不完整或被改动：{why}", about.display()),
        BackupError::Version { found } => {
            format!("{} 是版本 {found} 的备份，请用写出它的群管版本恢复", about.display())
        }
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt, symlink};

    use super::*;

    fn filled() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("store");
        drop(EmbeddedStore::open(&folder).unwrap());
        (dir, folder)
    }

    fn intact(bytes: &[u8]) -> bool {
        backup::verify(bytes).is_ok()
    }

    #[tokio::test]
    async fn a_pipe_is_written_to_and_stays_a_pipe() {
        let (dir, folder) = filled();
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let link = dir.path().join("link");
        symlink("pipe", &link).unwrap();
        for name in [&pipe, &link] {
            let reading = std::thread::spawn({
                let pipe = pipe.clone();
                move || fs::read(pipe).unwrap()
            });
            export_to(&folder, name).await.unwrap();
            assert!(intact(&reading.join().unwrap()));
            assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[tokio::test]
    async fn a_link_leads_to_the_file_that_is_replaced() {
        let (dir, folder) = filled();
        fs::create_dir(dir.path().join("disk")).unwrap();
        let (link, file) = (dir.path().join("link"), dir.path().join("disk/backup"));
        symlink("disk/backup", &link).unwrap();
        for _ in ["not there yet", "there"] {
            export_to(&folder, &link).await.unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert!(intact(&fs::read(&file).unwrap()));
        }
    }

    #[tokio::test]
    async fn a_folder_is_refused_and_what_another_export_left_is_not_touched() {
        let (dir, folder) = filled();
        let error = export_to(&folder, dir.path()).await.unwrap_err();
        assert!(error.to_string().ends_with("是文件夹，请写备份文件的名字"), "{error}");

        let file = dir.path().join("backup");
        let left = [dir.path().join("backup.part"), dir.path().join(format!("backup.part-{}", std::process::id()))];
        for path in &left {
            fs::write(path, "half").unwrap();
        }
        export_to(&folder, &file).await.unwrap();
        assert!(intact(&fs::read(&file).unwrap()));
        for path in &left {
            assert_eq!(fs::read_to_string(path).unwrap(), "half");
        }
        let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names.len(), 4, "{names:?}");
    }
}
