//! `qunguan read-file`: what the bot starts by itself to read one file that somebody posted.

use std::process::ExitCode;

use super::INTERNAL;
use crate::file_text::{FileKind, Limits, apart};

/// 读一个文件里的文字（群管自己用）。
#[derive(Debug, clap::Args)]
pub struct Args {
    kind: FileKind,
    /// As JSON.
    #[arg(value_parser = limits)]
    limits: Limits,
}

/// Before anything else is started, so that the memory it may take is the reader's alone.
pub fn run(args: &Args) -> ExitCode {
    match apart::answer(args.kind, &args.limits) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(INTERNAL),
    }
}

fn limits(json: &str) -> Result<Limits, serde_json::Error> {
    serde_json::from_str(json)
}
