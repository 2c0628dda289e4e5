//! `qunguan check`: everything an admin edits, judged before it is in force; each mistake as `file:line: message`.

use std::{path::Path, process::ExitCode};

use super::{ConfigArg, Problems, WRONG_INPUT};
use crate::{
    model::{Clock, SystemClock},
    policy::rulebook::promises_beyond,
    settings::{Files, Problem, Settings},
};

/// 检查设置、策略、群规和词表。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
}

/// Prints every problem on stdout, one a line, and ends with 1 if there is one.
pub fn run(args: &Args) -> ExitCode {
    let mut problems = Vec::new();
    let settings = match args.config.load_or_built_in() {
        Ok(settings) => settings,
        Err(Problems(found)) => {
            problems.extend(found);
            let folder = args.config.path().parent().unwrap_or(Path::new(""));
            Settings { files: Files::in_folder(folder), ..Settings::default() }
        }
    };
    problems.extend(lists(&settings));
    problems.extend(settings.policies().err().unwrap_or_default());
    problems.extend(settings.rulebooks().err().unwrap_or_default());
    for problem in &problems {
        println!("{problem}");
    }
    for hint in promises(&settings) {
        eprintln!("提示：{hint}");
    }
    if problems.is_empty() {
        println!("没有发现问题");
        return ExitCode::SUCCESS;
    }
    println!("共 {} 个问题", problems.len());
    ExitCode::from(WRONG_INPUT)
}

fn lists(settings: &Settings) -> Vec<Problem> {
    settings.detector(SystemClock.now()).err().unwrap_or_default()
}

/// Where a group's rulebook asks for more than its policy does: worth a look, not a mistake.
fn promises(settings: &Settings) -> Vec<String> {
    let (Ok(policies), Ok(rulebooks)) = (settings.policies(), settings.rulebooks()) else { return Vec::new() };
    let mut hints = Vec::new();
    for group in &settings.groups {
        let Some(policy) = policies.get(&group.policy) else { continue };
        for rulebook in group.rulebook.iter().filter_map(|name| rulebooks.get(name)) {
            let beyond = promises_beyond(rulebook, policy.for_group(&group.id));
            hints.extend(beyond.into_iter().map(|hint| format!("群 {}：{hint}", group.id)));
        }
    }
    hints
}
