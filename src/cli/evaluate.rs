//! `qunguan evaluate`: how well the lists in force judge texts that people have labelled, set by set; with `--by-entry` each
//! entry, with `--curve` other acting thresholds, with `--wrong` the lines that were judged wrongly.

use std::{path::PathBuf, process::ExitCode};

use super::{ConfigArg, UserError};
use crate::{
    detect::{
        Detector,
        evaluate::{self, ByEntry, Curve, Honest, Set, Table},
    },
    model::{Clock, SystemClock},
    settings::did_you_mean,
};

/// 用标好的文本衡量识别效果，每个文件一组，不混在一起。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// 按词条和规则统计：各命中多少正常的和违规的文本、多少次由它一条决定，最不准的在前
    #[arg(long)]
    by_entry: bool,
    /// 列出一组里判错的行：正常的被命中，违规的没看出来
    #[arg(long, value_name = "文件名/标签", conflicts_with = "by_entry")]
    wrong: Option<String>,
    /// 换一条处置线会怎样：每条线上正常的误判多少、违规的处置多少
    #[arg(long, conflicts_with_all = ["by_entry", "wrong"])]
    curve: bool,
    /// 哪些标签是正常的文本，其余都算违规；不写则为 0 和 ok
    #[arg(long, value_name = "标签")]
    honest: Vec<String>,
    /// 结果用 JSON 表示（--by-entry 和 --wrong）
    #[arg(long)]
    json: bool,
    /// 放 .tsv 文件的文件夹，每行：标签、制表符、文本
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Prints a table as Markdown, or the wrong lines.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let settings = args.config.load_offline()?;
    let detector = super::detector(&settings, SystemClock.now())?;
    let sets = evaluate::sets(&args.dir).map_err(|e| UserError::refused("读不了文件夹", &args.dir, &e))?;
    if sets.iter().all(|set| set.records().next().is_none()) {
        return Err(
            UserError(format!("{} 里没有 .tsv 文件，或文件里没有“标签<制表符>文本”的行", args.dir.display())).into()
        );
    }
    let honest = if args.honest.is_empty() { Honest::default() } else { Honest(args.honest.clone()) };
    if let Some(which) = &args.wrong {
        return wrong(&detector, &sets, which, &honest, args.json);
    }
    if args.curve {
        print!("{}", Curve::of(&detector, &sets, &honest));
    } else if args.by_entry {
        let found = ByEntry::of(&detector, &sets, &honest);
        if args.json { println!("{}", serde_json::to_string(&found)?) } else { print!("{found}") }
    } else {
        print!("{}", Table::of(&detector, &sets));
        eprintln!("判错的行：--wrong 文件名/标签；每个词条：--by-entry");
    }
    Ok(ExitCode::SUCCESS)
}

fn wrong(detector: &Detector, sets: &[Set], which: &str, honest: &Honest, json: bool) -> anyhow::Result<ExitCode> {
    let (name, label) = which.split_once('/').map_or((which, None), |(name, label)| (name, Some(label)));
    let Some(set) = sets.iter().find(|set| set.name == name) else {
        let near = did_you_mean(name, sets.iter().map(|set| set.name.as_str()));
        return Err(UserError(format!("没有 {name}.tsv 这个文件{near}")).into());
    };
    if let Some(label) = label
        && !set.records().any(|(_, found, _)| found == label)
    {
        return Err(UserError(format!("{name}.tsv 里没有标签 {label}")).into());
    }
    for line in evaluate::wrong(detector, set, label, honest) {
        if json { println!("{}", serde_json::to_string(&line)?) } else { println!("{line}") }
    }
    Ok(ExitCode::SUCCESS)
}
