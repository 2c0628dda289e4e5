//! `qunguan check`: everything an admin edits, judged before it is in force; each mistake as `file:line: message`.

use std::process::ExitCode;

use super::{ConfigArg, Problems};
use crate::settings::{Files, files::Kind};

/// 检查设置、策略、群规和词表。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
}

/// Prints the problems and ends with 1 if there are any.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let settings = args.config.load_or_built_in();
    let files = settings.as_ref().map_or_else(
        |_| Files::in_folder(args.config.path().parent().unwrap_or("".as_ref())),
        |settings| settings.files.clone(),
    );
    let mut problems = settings.err().map(|Problems(list)| list).unwrap_or_default();
    for kind in [Kind::Policy, Kind::Rulebook, Kind::Wordlist] {
        if let Err(list) = files.read_all(kind) {
            problems.extend(list);
        }
    }
    if problems.is_empty() {
        println!("没有发现问题");
        return Ok(ExitCode::SUCCESS);
    }
    Err(Problems(problems).into())
}
