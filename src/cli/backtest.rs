//! `qunguan backtest`: what a policy would have done with the messages of the past. It touches nobody.
//!
//! The report compares the policies in force with the candidate, counts hits by rule and by entry, and names the entry that
//! people most often called wrong. The progress bar appears on a terminal only.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use indicatif::{ProgressBar, ProgressStyle};

use super::{ConfigArg, UserError, history};
use crate::{
    backtest::{Count, Parted, Replay, Tally},
    detect::{Detector, Verdict},
    duration::parse_duration,
    model::{Clock, GroupId, Step, SystemClock, Timestamp},
    policy::{Policy, rulebook::Rulebook},
    settings::Problems,
    settings::{
        Settings,
        files::{Kind, Text},
    },
};

/// So many lines of a table are shown; `--json` has them all.
const SHOWN: usize = 20;

/// 用历史消息试一个策略：会发生什么，不影响任何人。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// 要试的策略：名字或文件；不写则只看现行策略
    #[arg(long, value_name = "FILE")]
    policy: Option<String>,
    /// 要试的词表：一个文件（类别/名字.txt，加在现有词表上，同名的换成它），或放词表的文件夹（换掉自己的全部词表）
    #[arg(long, value_name = "FILE")]
    words: Option<PathBuf>,
    /// 只看最近多久，如 30d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// 结果用 JSON 表示
    #[arg(long)]
    json: bool,
    /// 历史消息，JSON 行 {"id","text","group","sender","at"}，可加 "false_alarm":true/false；- 为标准输入；
    /// 不写则用已保存的消息
    #[arg(value_name = "FILE.jsonl")]
    file: Option<PathBuf>,
}

/// Replays and prints the report on stdout.
pub async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let settings = args.config.load_offline()?;
    let now = SystemClock.now();
    let since = match &args.since {
        Some(text) => Some(now - parse_duration(text).map_err(UserError)?),
        None => None,
    };
    let in_force = settings.policies().map_err(Problems)?;
    let rulebooks = settings.rulebooks().map_err(Problems)?;
    let calendar = settings.calendar().map_err(Problems)?;
    let candidate = args.policy.as_deref().map(|named| read_policy(&settings, named)).transpose()?;
    let detector = super::detector(&settings, now)?;
    let mut said = match &args.file {
        Some(path) => history::read(path)?,
        None => history::stored(&settings, since.unwrap_or(Timestamp::MIN)).await?,
    };
    said.retain(|(message, _)| since.is_none_or(|since| message.at >= since));
    said.sort_by_key(|(message, _)| message.at);

    let choose = |group: &GroupId| choose(&settings, &in_force, &rulebooks, group);
    let mut policies: Vec<(String, crate::backtest::Choose<'_>)> = vec![("现行".to_owned(), Box::new(choose))];
    if let Some(policy) = &candidate {
        policies.push((policy.name.clone(), Box::new(move |_| policy)));
    }
    let other = args.words.as_deref().map(|path| other_lists(&settings, path, now)).transpose()?;
    let mut replay = Replay::new(&detector, &settings, &calendar, policies);
    if let Some(other) = &other {
        replay = replay.beside(other, Box::new(choose));
    }
    let bar = bar(said.len());
    for (message, wrong) in &said {
        replay.see(message, *wrong);
        bar.inc(1);
    }
    bar.finish_and_clear();
    if args.json {
        println!("{}", serde_json::to_string(replay.tally())?);
    } else {
        print(replay.tally(), &settings);
    }
    Ok(ExitCode::SUCCESS)
}

/// The detector with a list more, or with the lists of a folder in place of the company's own.
fn other_lists(settings: &Settings, path: &Path, now: Timestamp) -> anyhow::Result<Detector> {
    std::fs::metadata(path).map_err(|e| UserError::refused("读不了", path, &e))?;
    let files = settings.files.clone();
    let files = if path.is_dir() {
        let folder = path.join(Kind::Wordlist.folder());
        files.with_lists(if folder.is_dir() { &folder } else { path })
    } else {
        let text = "不知道是哪一类的词；请放在以类别命名的文件夹里，如 ads/new.txt";
        files.with_list(path).ok_or_else(|| UserError(format!("{}：{text}", path.display())))?
    };
    let settings = Settings { files, ..settings.clone() };
    let (detector, troubles) = settings.detector(now).map_err(Problems)?;
    let wrong: Vec<_> = troubles.grave.into_iter().chain(troubles.lines).collect();
    if wrong.is_empty() { Ok(detector) } else { Err(Problems(wrong).into()) }
}

/// The policy a group is judged by today.
fn choose<'a>(
    settings: &Settings,
    policies: &'a BTreeMap<String, Arc<Policy>>,
    rulebooks: &BTreeMap<String, Arc<Rulebook>>,
    group: &GroupId,
) -> &'a Policy {
    let named = settings.groups.iter().find(|g| g.id == *group || g.aliases().any(|alias| alias == group.as_str()));
    named
        .and_then(|group| policies.get(group.policy(rulebooks)))
        .or_else(|| policies.get("default"))
        .expect("the default policy is built in")
}

/// A candidate by file or by name.
fn read_policy(settings: &Settings, named: &str) -> anyhow::Result<Policy> {
    let path = Path::new(named);
    let text = if path.extension().is_some_and(|extension| extension == "toml") {
        let text = std::fs::read_to_string(path).map_err(|e| UserError::refused("读不了", path, &e))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Text { name, shown: named.to_owned(), text }
    } else {
        settings.files.read(Kind::Policy, named).map_err(|problem| Problems(vec![problem]))?
    };
    Ok(Settings::policy(&text).map_err(Problems)?)
}

fn bar(total: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("回放 {bar:40} {pos}/{len} 条，还要 {eta}");
    ProgressBar::new(total as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn print(tally: &Tally, settings: &Settings) {
    let day = |at: Timestamp| at.to_zoned(settings.time_zone.clone()).strftime("%Y-%m-%d").to_string();
    let (Some(from), Some(to)) = (tally.from, tally.to) else {
        println!("没有消息可以回放");
        return;
    };
    println!(
        "回放 {} 条消息（{} 至 {}）：命中 {} 条，{} 人",
        tally.messages,
        day(from),
        day(to),
        tally.hits,
        tally.people
    );
    for side in &tally.policies {
        let steps: Vec<String> = Step::ALL
            .iter()
            .filter_map(|step| side.steps.get(step.id()).map(|count| format!("{} {count} 次", step.zh())))
            .collect();
        let steps = if steps.is_empty() { "不处置任何人".to_owned() } else { steps.join("，") };
        println!("\n策略 {}：{steps}", side.policy);
        println!(
            "  涉及 {} 人；其中 {} 次须先由人确认；接着同一件事说的 {} 条不另算；禁言或移出后不会再出现的消息 {} 条",
            side.people, side.proposed, side.continued, side.prevented
        );
    }
    if let Some(lists) = &tally.lists {
        println!(
            "\n换成新词表：多处理 {}，少处理 {}（都按已升到处置算，新词实际先观察）",
            parted(&lists.more),
            parted(&lists.fewer)
        );
        samples("多处理", &lists.more);
        samples("少处理", &lists.fewer);
    }
    table("规则", &tally.rules);
    table("词条", &tally.entries);
    if let Some((name, count)) = tally.worst_entry.as_ref().and_then(|name| Some((name, tally.entries.get(name)?))) {
        println!("\n误判最多的词条：{name}（人工看过 {} 次，误判 {} 次）", count.reviewed, count.false_alarms);
    }
    if tally.policies.len() > 1 {
        println!("\n两种策略处理不同的消息：{} 条", tally.differing);
        for change in tally.changes.iter().take(SHOWN) {
            let steps: Vec<&str> = change.steps.iter().map(|step| step.map_or("不会出现", Step::zh)).collect();
            let at = change.at.to_zoned(settings.time_zone.clone()).strftime("%m-%d %H:%M").to_string();
            println!("  {at} {} {}：{}（{}）", change.group, change.member, steps.join(" → "), change.id);
        }
        let more = usize::try_from(tally.differing).unwrap_or(usize::MAX).saturating_sub(SHOWN);
        if more > 0 {
            println!("  还有 {more} 条，--json 列出前 1000 条");
        }
    }
}

fn parted(side: &Parted) -> String {
    format!("{} 条（{} 人）", side.messages, side.people)
}

/// Some of the messages that other lists treat otherwise.
fn samples(title: &str, side: &Parted) {
    if side.messages == 0 {
        return;
    }
    println!("\n{title}的：");
    for sample in side.samples.iter().take(SHOWN) {
        let said = |side: usize| match (sample.verdicts[side], sample.steps[side]) {
            (Verdict::Review, _) => "请人看",
            (_, step) => step.map_or("不处理", Step::zh),
        };
        println!("  {} → {}「{}」（{}）：{}", said(0), said(1), sample.word, sample.entry, sample.text);
    }
    let more = usize::try_from(side.messages).unwrap_or(usize::MAX).saturating_sub(side.samples.len().min(SHOWN));
    if more > 0 {
        println!("  还有 {more} 条");
    }
}

/// The most frequent first.
fn table(title: &str, counts: &BTreeMap<String, Count>) {
    let mut rows: Vec<_> = counts.iter().collect();
    rows.sort_by_key(|(name, count)| (std::cmp::Reverse(count.hits), *name));
    if rows.is_empty() {
        return;
    }
    println!("\n按{title}：");
    for (name, count) in rows.iter().take(SHOWN) {
        let reviewed = match count.reviewed {
            0 => String::new(),
            reviewed => format!("，人工看过 {reviewed} 次，误判 {} 次", count.false_alarms),
        };
        let word = count.samples.first().map(|sample| format!("「{}」", sample.word)).unwrap_or_default();
        println!("  {name}{word}  {} 次，{} 人{reviewed}", count.hits, count.people);
        for sample in &count.samples {
            println!("      {}", sample.text);
        }
    }
    if rows.len() > SHOWN {
        println!("  另有 {} 项", rows.len() - SHOWN);
    }
}
