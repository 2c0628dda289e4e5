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
        online,
    },
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
                println!("已备份到 {}：{}", file.display(), counted(&summary));
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
        Err(StoreError::InUse(_)) => online::fetch(folder, &mut to),
        Err(error) => Err(error.into()),
    }
}

/// Writes beside the file and renames at the end, so that the name never stands for half a backup.
async fn export_to(folder: &Path, file: &Path) -> anyhow::Result<Summary> {
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let out = File::create(&part).map_err(|e| UserError(format!("写不了 {}：{e}", part.display())))?;
    let summary = match export(folder, &out).await {
        Ok(summary) => summary,
        Err(error) => {
            let _ = fs::remove_file(&part);
            return Err(user_error(&error, folder).into());
        }
    };
    out.sync_all().with_context(|| format!("cannot sync {}", part.display()))?;
    fs::rename(&part, file).with_context(|| format!("cannot rename {}", part.display()))?;
    Ok(summary)
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
        BackupError::Store(error) => format!("{} 的数据读写失败：{error}", about.display()),
        BackupError::Write(error) => format!("备份没有写完：{error}"),
        BackupError::Read { line: 0, error } => format!("读不了 {}：{error}", about.display()),
        BackupError::Read { line, error } => format!("{}:{line}: 读到一半失败：{error}", about.display()),
        BackupError::Damaged { line, why } => format!("{}:{line}: 备份不完整或被改动：{why}", about.display()),
        BackupError::Version { found } => {
            format!("{} 是版本 {found} 的备份，请用写出它的群管版本恢复", about.display())
        }
    })
}
