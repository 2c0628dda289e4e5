//! `qunguan check`: everything an admin edits, judged before it is in force; each mistake as `file:line: message`.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{ConfigArg, Problems, UserError, WRONG_INPUT, history, rulebook};
use crate::{
    backtest::Replay,
    detect::{
        Detector,
        lint::{Level, lint},
    },
    model::{Clock, SignedDuration, SystemClock, Timestamp},
    policy::rulebook::promises_beyond,
    rulebooks,
    settings::{Files, Problem, Settings, files::Kind},
};

/// An entry that hit nothing for so long is mentioned, with `--stored`.
const IDLE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// 检查设置、策略、群规和词表。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// 平常的聊天，每行一条：指出误伤太多的词条
    #[arg(long, value_name = "FILE")]
    sample: Option<PathBuf>,
    /// 用已保存的消息指出 90 天没有命中过的词条（先停止服务）
    #[arg(long)]
    stored: bool,
    /// 也列出不起作用、可以精简的词条
    #[arg(long)]
    all: bool,
}

/// Prints every problem on stdout, one a line, and ends with 1 if there is one. Hints come after, and change nothing.
pub async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let mut problems = Vec::new();
    let settings = match args.config.load_or_built_in() {
        Ok(settings) => settings,
        Err(Problems(found)) => {
            problems.extend(found);
            let folder = args.config.path().parent().unwrap_or(Path::new(""));
            Settings { files: Files::in_folder(folder), ..Settings::default() }
        }
    };
    let mut hints = promises(&settings);
    match settings.detector(now) {
        Ok(detector) => hints.extend(remarks(args, &settings, &detector, now).await?),
        Err(found) => problems.extend(found),
    }
    problems.extend(settings.policies().err().unwrap_or_default());
    match settings.rulebooks() {
        Ok(files) => {
            problems.extend(rulebooks::unraised(&rulebook::lived(&args.config).await, &settings, &files, now));
        }
        Err(found) => problems.extend(found),
    }
    problems.extend(settings.calendar().err().unwrap_or_default());
    for problem in &problems {
        println!("{problem}");
    }
    for hint in &hints {
        println!("{hint}");
    }
    let hints = if hints.is_empty() { String::new() } else { format!("，{} 条提示", hints.len()) };
    let only = if args.config.is_built_in() {
        format!("（没有 {}，只检查了内置的设置；qunguan init 写出一份）", super::DEFAULT_CONFIG)
    } else {
        String::new()
    };
    if problems.is_empty() {
        println!("没有发现问题{hints}{only}");
        return Ok(ExitCode::SUCCESS);
    }
    println!("共 {} 个问题{hints}", problems.len());
    Ok(ExitCode::from(WRONG_INPUT))
}

/// 词库体检: what is dangerous or useless in the lists.
async fn remarks(args: &Args, settings: &Settings, detector: &Detector, now: Timestamp) -> anyhow::Result<Vec<String>> {
    let sample = match &args.sample {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| UserError::refused("读不了", path, &e))?;
            Some(text.lines().map(str::to_owned).collect::<Vec<_>>())
        }
        None => None,
    };
    let hits = if args.stored { Some(stored_hits(settings, detector, now - IDLE).await?) } else { None };
    let names: Vec<String> = settings.detect.brands.iter().chain(&settings.detect.staff_names).cloned().collect();
    let lists = settings.lists().map_err(Problems)?;
    let mut found = lint(&lists, &names, sample.as_deref(), hits.as_ref());
    let useless = found.iter().filter(|l| l.level == Level::Hint).count();
    if !args.all {
        found.retain(|l| l.level == Level::Warning);
    }
    let more = (useless > 0 && !args.all).then(|| format!("提示：{useless} 个词条可以精简，--all 列出"));
    Ok(found
        .into_iter()
        .map(|l| {
            let file = settings.files.shown(Kind::Wordlist, &l.file);
            Problem::new(file, l.line, format!("提示：{}", l.message)).to_string()
        })
        .chain(more)
        .collect())
}

/// How often each entry (`ads/contact.txt:12`) would have hit the stored messages.
async fn stored_hits(
    settings: &Settings,
    detector: &Detector,
    since: Timestamp,
) -> anyhow::Result<HashMap<String, u64>> {
    let mut replay = Replay::new(detector, settings, Vec::new());
    for (message, wrong) in history::stored(settings, since).await? {
        replay.see(&message, wrong);
    }
    Ok(replay.tally().entries.iter().map(|(entry, count)| (entry.clone(), count.hits)).collect())
}

/// Where a group's rulebook asks for more than its policy does: worth a look, not a mistake.
fn promises(settings: &Settings) -> Vec<String> {
    let (Ok(policies), Ok(rulebooks)) = (settings.policies(), settings.rulebooks()) else { return Vec::new() };
    let mut hints = Vec::new();
    for group in &settings.groups {
        let Some(policy) = policies.get(&group.policy) else { continue };
        for rulebook in group.rulebook.iter().filter_map(|name| rulebooks.get(name)) {
            let beyond = promises_beyond(rulebook, policy.for_group(&group.id));
            hints.extend(beyond.into_iter().map(|hint| format!("提示：群 {}：{hint}", group.id)));
        }
    }
    hints
}
