//! `qunguan evaluate`: how well the lists in force judge texts that people have labelled, set by set.

use std::{path::PathBuf, process::ExitCode};

use super::{ConfigArg, Problems, UserError};
use crate::{
    detect::evaluate,
    model::{Clock, SystemClock},
};

/// 用标好的文本衡量识别效果，每个文件一组，不混在一起。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// 放 .tsv 文件的文件夹，每行：标签、制表符、文本
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Prints the table as Markdown.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let settings = args.config.load_offline()?;
    let detector = settings.detector(SystemClock.now()).map_err(Problems)?;
    let table = evaluate::table(&detector, &args.dir).map_err(|e| UserError::refused("读不了文件夹", &args.dir, &e))?;
    if table.rows.is_empty() {
        return Err(
            UserError(format!("{} 里没有 .tsv 文件，或文件里没有“标签<制表符>文本”的行", args.dir.display())).into()
        );
    }
    print!("{table}");
    Ok(ExitCode::SUCCESS)
}
