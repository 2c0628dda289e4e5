//! `qunguan init`: the files an admin edits appear in a folder, and the next steps are said. What ships is not copied: it goes on
//! being used from the program, and an upgrade brings better lists. `--own` tidies a folder of earlier versions, which held
//! copies of everything.

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
    /// 把内置的策略、群规和词表也抄一份出来看；抄出来的以后升级不再更新
    #[arg(long, conflicts_with = "own")]
    with_shipped: bool,
    /// 整理已有的文件夹：删掉和内置一模一样的文件和词条，只留自己改过和加的
    #[arg(long, conflicts_with = "force")]
    own: bool,
}

/// Refuses to touch a folder that has any of the files, unless forced.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let dir = &args.dir;
    if args.own {
        return only_own(dir);
    }
    if !args.force {
        let taken = ["qunguan.toml", "policies", "rulebooks", "wordlists"].map(|name| dir.join(name));
        if let Some(taken) = taken.iter().find(|path| path.exists()) {
            return Err(UserError(format!("{} 已经存在，没有写任何文件；要覆盖请加 --force", taken.display())).into());
        }
    }
    let written =
        Files::write_out(dir, args.force, args.with_shipped).map_err(|e| UserError::refused("不能写入", dir, &e))?;
    let within = |kind: Kind| written.iter().filter(|path| path.starts_with(dir.join(kind.folder()))).count();
    let settings = dir.join("qunguan.toml");
    println!("已写出：");
    println!("  {}", settings.display());
    for kind in [Kind::Policy, Kind::Rulebook, Kind::Wordlist] {
        let folder = dir.join(kind.folder());
        match within(kind) {
            0 => println!("  {}/（放自己的{}）", folder.display(), kind.zh()),
            files => println!("  {}/（{} {files} 个）", folder.display(), kind.zh()),
        }
    }
    if !args.with_shipped {
        println!(
            "内置的策略、群规和词表不用抄出来，一直在用，升级时跟着更新；想看就用 --with-shipped 抄到别的文件夹。"
        );
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

/// Removes the files that are as they ship, and of wordlists the lines that are.
fn only_own(dir: &Path) -> anyhow::Result<ExitCode> {
    let copies = Files::in_folder(dir).copies();
    for path in &copies.same {
        std::fs::remove_file(path).map_err(|e| UserError::refused("不能删除", path, &e))?;
    }
    println!("删掉了 {} 个和内置一模一样的文件，以后跟着升级更新。", copies.same.len());
    let files = Files::in_folder(dir);
    let changed = files.keep_own_changes().map_err(|problem| UserError(problem.to_string()))?;
    if !changed.is_empty() {
        let kept = dir.join("before-own");
        println!("{} 个词表只留下了自己加的和改的（原来的在 {}）：", changed.len(), kept.display());
        for path in &changed {
            println!("  {}", path.display());
        }
        println!("内置的其余词条照用；不要的，在词表里写一行“停用：那个词条”。");
    }
    if !copies.differ.is_empty() {
        println!("留下 {} 个和内置不同的，升级时不会更新：", copies.differ.len());
        for path in &copies.differ {
            println!("  {}", path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}
