//! `qunguan init`: the files an admin edits appear in a folder, and the next steps are said.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::UserError;
use crate::settings::{Files, files::Kind};

/// 写出设置、策略、群规和词表，供修改。
#[derive(Debug, clap::Args)]
pub struct Args {
    /// 写到哪个文件夹；不写则为 config
    #[arg(value_name = "DIR", default_value = "config")]
    dir: PathBuf,
    /// 覆盖已有的文件
    #[arg(long)]
    force: bool,
}

/// Refuses to touch a folder that has any of the files, unless forced.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let dir = &args.dir;
    if !args.force {
        let taken = ["qunguan.toml", "policies", "rulebooks", "wordlists"].map(|name| dir.join(name));
        if let Some(taken) = taken.iter().find(|path| path.exists()) {
            return Err(UserError(format!("{} 已经存在，没有写任何文件；要覆盖请加 --force", taken.display())).into());
        }
    }
    let written = Files::write_out(dir, args.force).map_err(|e| UserError::refused("不能写入", dir, &e))?;
    let within = |kind: Kind| written.iter().filter(|path| path.starts_with(dir.join(kind.folder()))).count();
    let settings = dir.join("qunguan.toml");
    println!("已写出：");
    println!("  {}", settings.display());
    for kind in [Kind::Policy, Kind::Rulebook, Kind::Wordlist] {
        println!("  {}/（{} {} 个）", dir.join(kind.folder()).display(), kind.zh(), within(kind));
    }
    let option = if settings == Path::new(super::DEFAULT_CONFIG) {
        String::new()
    } else {
        format!(" --config {}", settings.display())
    };
    println!("接下来：");
    println!("  1. 打开 {}，填写企业微信账号和要管理的群（文件里有说明）", settings.display());
    println!("  2. qunguan check{option}    检查有没有写错");
    println!("  3. qunguan run{option}      启动");
    Ok(ExitCode::SUCCESS)
}
