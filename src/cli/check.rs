//! `qunguan check`: everything an admin edits, judged before it is in force; each mistake as `file:line: message`.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{ConfigArg, WRONG_INPUT, history, rulebook};
use crate::{
    backtest::Replay,
    detect::{
        Detector, Lists,
        lexicon::{Entry, Overlaid},
        lint::{Company, Level, lint},
    },
    labels::Reach,
    model::{Clock, SignedDuration, Stage, SystemClock, Timestamp},
    ocr::Pictures,
    policy::rulebook::{Check, promises_beyond},
    rulebooks,
    settings::Problems,
    settings::{Files, ListTroubles, Problem, Settings, files::Kind},
};

/// Entries of a file that are listed one by one.
const LISTED: usize = 20;
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
    /// 一个词条最多命中日常聊天的百分之几，不写则 0.5
    #[arg(long, value_name = "PERCENT", default_value = "0.5")]
    share: f64,
    /// 用已保存的消息指出误伤太多的、90 天没有命中过的词条；群管正在运行也可以
    #[arg(long)]
    stored: bool,
    /// 也列出自带的词表里可以精简的词条
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
    let mut hints = Vec::new();
    match settings.detector(now) {
        Ok((detector, ListTroubles { lines, grave, hints: read })) => {
            problems.extend(grave);
            problems.extend(lines);
            hints
                .extend(read.into_iter().map(|p| Problem { message: format!("提示：{}", p.message), ..p }.to_string()));
            problems.extend(promises(args.config.path(), &settings, &detector));
            hints.extend(remarks(args, &settings, &detector, now).await?);
        }
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
    if let Some(check) = Pictures::open(settings.detect.ocr.as_ref()).check().filter(|check| !check.ok()) {
        problems.push(Problem::new(args.config.path(), 0, format!("[detect.ocr] {}", check.note)));
    }
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

/// 词库体检: what is dangerous or useless in the lists. What is useless in the shipped ones nobody asked for.
async fn remarks(args: &Args, settings: &Settings, detector: &Detector, now: Timestamp) -> anyhow::Result<Vec<String>> {
    let mut sample: Option<Vec<String>> = match &args.sample {
        Some(path) => Some(super::read_text(path)?.lines().map(str::to_owned).collect()),
        None => None,
    };
    let mut hints = Vec::new();
    let mut hits = None;
    if args.stored {
        let said = history::stored(settings, now - IDLE).await?;
        let first = said.iter().map(|(message, _)| message.at).min().unwrap_or(now);
        let days = (now.duration_since(first).as_hours() + 12) / 24;
        if days < IDLE.as_hours() / 24 {
            hints.push(format!(
                "提示：保存的消息只有 {days} 天；要看 90 天没有命中的词条，在设置里写 [retention] messages = \"90d\""
            ));
        }
        let calendar = settings.calendar().map_err(Problems)?;
        let mut replay = Replay::new(detector, settings, &calendar, Vec::new());
        for (message, wrong) in &said {
            replay.see(message, *wrong);
        }
        hits = Some((replay.tally().entries.keys().cloned().collect::<HashSet<_>>(), days));
        if sample.is_none() {
            sample = Some(said.into_iter().map(|(message, _)| message.text).collect());
        }
    }
    let names: Vec<String> = settings.detect.brands.iter().chain(&settings.detect.staff_names).cloned().collect();
    let company = Company {
        names: &names,
        sample: sample.as_deref(),
        ordinary: args.sample.is_some(),
        share: args.share / 100.0,
        hits: hits.as_ref().map(|(hits, days)| (hits, *days)),
        today: now.to_zoned(settings.time_zone.clone()).date(),
    };
    let (lists, _) = settings.lists();
    let found = lint(&lists, &company);
    let shown = found.into_iter().filter(|l| args.all || l.own || l.level == Level::Warning);
    hints.extend(shown.map(|l| {
        let file = settings.files.shown(Kind::Wordlist, &l.file);
        Problem::new(file, l.line, format!("提示：{}", l.message)).to_string()
    }));
    hints.extend(frozen(settings));
    hints.extend(overlaid(settings, &lists));
    hints.extend(on_trial(settings, &lists, detector));
    for path in settings.files.unread_lists() {
        let message = "提示：这个文件没有读；词表可以是 .txt、.csv、.xlsx 或 .json";
        hints.push(Problem::new(path, 0, message).to_string());
    }
    Ok(hints)
}

/// Copies of what ships keep better ones of later versions away.
fn frozen(settings: &Settings) -> Vec<String> {
    let copies = settings.files.copies();
    let mut hints = Vec::new();
    if !copies.same.is_empty() {
        let files = copies.same.len();
        hints.push(format!("提示：{files} 个文件和内置的一模一样，升级后还会用旧的；qunguan init --own 删掉它们"));
    }
    if !copies.differ.is_empty() {
        let names: Vec<String> = copies.differ.iter().take(LISTED).map(|path| path.display().to_string()).collect();
        let more = if copies.differ.len() > LISTED { " 等" } else { "" };
        let files = copies.differ.len();
        hints.push(format!("提示：{files} 个文件和内置的同名而不同，升级时不会更新：{}{more}", names.join("、")));
    }
    hints
}

/// What own lists change of shipped ones of the same name.
fn overlaid(settings: &Settings, lists: &Lists) -> Vec<String> {
    let said = |list: Overlaid| {
        let counts = [(list.added, "加"), (list.changed, "改"), (list.off, "停用")];
        let changes: Vec<String> =
            counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{what} {n} 条")).collect();
        let changes = if changes.is_empty() { "没有不同".to_owned() } else { changes.join("、") };
        let copied = match list.same {
            0 => String::new(),
            n => format!("；{n} 条照抄内置的，升级后还会用旧的，qunguan init --own 删掉它们"),
        };
        let rest = match list.only_shipped.len() {
            0 => String::new(),
            n => format!("；内置的另外 {n} 条照用，不要的写“停用：词条”"),
        };
        let text = format!("提示：和内置的比，{changes}{rest}{copied}");
        Problem::new(settings.files.shown(Kind::Wordlist, &list.file), 0, text).to_string()
    };
    lists.overlaid().into_iter().map(said).collect()
}

/// New words do not act at once: those of a file that say so themselves or first only record.
fn on_trial(settings: &Settings, lists: &Lists, detector: &Detector) -> Vec<String> {
    let mut hints = Vec::new();
    for (file, _) in lists.iter() {
        let shown = settings.files.shown(Kind::Wordlist, file);
        for stage in [Stage::Observe, Stage::Pilot] {
            let rules: Vec<_> = detector.own().in_file(file).filter(|(_, begins)| *begins == stage).collect();
            let (edited, rules): (Vec<_>, Vec<_>) =
                rules.into_iter().partition(|(entry, _)| detector.own().is_edit(file, entry));
            if !edited.is_empty() {
                let back = if stage == Stage::Observe {
                    "回到观察，只记录不处置"
                } else {
                    "回到试点，只请人看"
                };
                let words: Vec<String> =
                    edited.iter().take(LISTED).map(|(entry, _)| format!("“{}”", entry.pattern)).collect();
                let more = if edited.len() > LISTED { "等" } else { "" };
                let line = edited[0].0.line;
                let text =
                    format!("提示：{} 条因改动{back}：{}{more}（只加 允许= 的不会）", edited.len(), words.concat());
                hints.push(Problem::new(&shown, line, text).to_string());
            }
            let does =
                if stage == Stage::Observe { "先观察，只记录不处置" } else { "在试点，只请人看" };
            if rules.len() <= LISTED {
                let said = |(entry, _): &(&Entry, Stage)| {
                    Problem::new(&shown, entry.line, format!("提示：“{}”{does}", entry.pattern)).to_string()
                };
                hints.extend(rules.iter().map(said));
            } else {
                hints.push(Problem::new(&shown, 0, format!("提示：{} 条{does}", rules.len())).to_string());
            }
        }
    }
    if !hints.is_empty() {
        hints
            .push("提示：新词是否已经升级，运行中的群管用 qunguan rule list 看；要立刻执行，写 [阶段=执行]".to_owned());
    }
    hints
}

/// What a rulebook says that is not kept: a response that the group's policy is milder than, a rule that no list has.
fn promises(config: &Path, settings: &Settings, detector: &Detector) -> Vec<Problem> {
    let (Ok(policies), Ok(rulebooks)) = (settings.policies(), settings.rulebooks()) else { return Vec::new() };
    let reach = Reach::of(detector);
    let mut problems = Vec::new();
    for (name, book) in &rulebooks {
        let Ok(text) = settings.files.read(Kind::Rulebook, name) else { continue };
        let rules = book.clauses.iter().flat_map(|clause| &clause.checks).filter(|c| matches!(c, Check::Rule(..)));
        for rule in rules.filter(|rule| rule.categories().iter().any(|category| reach.check(rule, *category).is_none()))
        {
            let id = rule.id();
            let line =
                text.text.lines().position(|line| line.contains(&format!("\"{id}\""))).map_or(0, |line| line + 1);
            let near = reach.nearest(&id).map(|near| format!("，是不是想写 `{near}`？")).unwrap_or_default();
            problems.push(Problem::new(&text.shown, line, format!("词表里没有规则 `{id}`{near}")));
        }
        if let Some(policy) = book.policy.as_ref().filter(|policy| !policies.contains_key(*policy)) {
            problems.push(Problem::new(&text.shown, 0, format!("没有叫 `{policy}` 的策略")));
        }
    }
    for group in &settings.groups {
        let Some(policy) = policies.get(group.policy(&rulebooks)) else { continue };
        for book in group.rulebook.iter().filter_map(|name| rulebooks.get(name)) {
            let severities = |check: &Check, category| reach.severities(check, category);
            for beyond in promises_beyond(book, policy.for_group(&group.id), severities) {
                let own = match &book.policy {
                    Some(own) if group.policy.is_some() => format!("；不写 policy 就用群规自带的 {own}"),
                    _ => String::new(),
                };
                problems.push(Problem::new(config, 0, format!("群 {}：{beyond}{own}", group.id)));
            }
        }
    }
    problems
}
