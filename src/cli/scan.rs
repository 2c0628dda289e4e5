//! `qunguan scan`: one message a line in, one result a line out, in order, and nothing else on stdout.
//!
//! The detector alone speaks here: no policy, no memory of people, nothing is changed. With `--jsonl` the messages say
//! who wrote them where and when, so flood, repetition and campaigns are seen too. What a new word of the lists would do is
//! said, not counted: in the running bot it first only records, until people found it right.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::ConfigArg;
use crate::{
    detect::{
        Detector, Finding, History, Input, Report, Verdict,
        view::{Span, View},
    },
    model::{Attachment, Clock, GroupId, MemberId, Role, Stage, SystemClock, Timestamp},
    text::Transform,
};

/// 逐行判断消息：每行一条，结果也每行一条。
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// 结果用 JSON 表示
    #[arg(long)]
    json: bool,
    /// 输入是 JSON 行 {"id","text","group","sender","at"}，按先后看得出刷屏、重复和群发；结果也用 JSON
    #[arg(long)]
    jsonl: bool,
    /// 说明每个字是怎么读的，以及没有命中的原因
    #[arg(long)]
    explain: bool,
    /// 要判断的文件；不写则读标准输入
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// A line of `--jsonl`.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    id: Option<serde_json::Value>,
    #[serde(default)]
    text: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    sender: String,
    #[serde(default)]
    sender_name: Option<String>,
    #[serde(default)]
    at: Option<Timestamp>,
    #[serde(default)]
    attachments: Vec<Attachment>,
}

/// One result as JSON.
#[derive(Serialize)]
struct Outcome<'a> {
    line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a serde_json::Value>,
    #[serde(flatten)]
    report: &'a Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    characters: Option<Vec<Character>>,
}

/// A line that could not be understood, so that results still come one a line.
#[derive(Serialize)]
struct Wrong {
    line: usize,
    error: String,
}

/// A character that was read as something else.
#[derive(Serialize)]
struct Character {
    start: usize,
    end: usize,
    original: String,
    normalized: String,
    transforms: Vec<Transform>,
}

/// Reads to the end; ends with 1 if a line of `--jsonl` could not be understood.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let settings = args.config.load_offline()?;
    let detector = super::detector(&settings, SystemClock.now())?;
    let input = super::open(args.file.as_deref().unwrap_or(Path::new("-")))?;
    let wrong = scan(args, &detector, BufReader::with_capacity(1 << 16, input), io::stdout().lock())?;
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(super::WRONG_INPUT) })
}

/// Answers every line; returns how many could not be understood.
fn scan<R: Read>(
    args: &Args,
    detector: &Detector,
    mut input: BufReader<R>,
    output: impl Write,
) -> anyhow::Result<usize> {
    let mut output = io::BufWriter::with_capacity(1 << 16, output);
    let history = History::new();
    let mut wrong = 0;
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        if input.read_until(b'\n', &mut bytes).context("cannot read the messages")? == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let text = if number == 1 { text.trim_start_matches('\u{feff}') } else { text };
        let said = if args.jsonl {
            match serde_json::from_str::<Line>(text) {
                Ok(line) => {
                    let report = judge(detector, &line, args.explain, Some(&history));
                    as_json(number, line.id.as_ref(), &report, &line.text, args.explain)?
                }
                Err(error) => {
                    wrong += 1;
                    serde_json::to_string(&Wrong { line: number, error: error.to_string() })?
                }
            }
        } else {
            let line = Line {
                id: None,
                text: text.to_owned(),
                group: String::new(),
                sender: String::new(),
                sender_name: None,
                at: None,
                attachments: Vec::new(),
            };
            let report = judge(detector, &line, args.explain, None);
            if args.json {
                as_json(number, None, &report, text, args.explain)?
            } else {
                as_text(number, &report, text, args.explain)
            }
        };
        writeln!(output, "{said}")?;
        if input.buffer().is_empty() {
            output.flush()?; // whoever writes line by line and waits gets the answer
        }
    }
    output.flush()?;
    Ok(wrong)
}

fn judge(detector: &Detector, line: &Line, explain: bool, history: Option<&History>) -> Report {
    let input = Input {
        text: &line.text,
        attachments: &line.attachments,
        group: &GroupId::new(&line.group),
        sender: &MemberId::new(&line.sender),
        sender_name: line.sender_name.as_deref(),
        role: Role::Member,
        at: line.at.unwrap_or(Timestamp::UNIX_EPOCH),
        explain,
    };
    // Without a time there is nothing to compare with.
    detector.scan_staged(&input, history.filter(|_| line.at.is_some()), Some(&detector.own().as_new()))
}

fn as_json(
    line: usize,
    id: Option<&serde_json::Value>,
    report: &Report,
    text: &str,
    explain: bool,
) -> anyhow::Result<String> {
    let characters = explain.then(|| characters(text, report));
    Ok(serde_json::to_string(&Outcome { line, id, report, characters })?)
}

/// `1  处置  广告引流 2.0  「加 薇❤信」→加微信（ads/contact-drop 夹杂符号、谐音）`
fn as_text(line: usize, report: &Report, text: &str, explain: bool) -> String {
    let verdict = match report.verdict {
        Verdict::Clean => "正常",
        Verdict::Review => "复核",
        Verdict::Act => "处置",
    };
    let mut said = format!("{line}\t{verdict}");
    if !report.categories.is_empty() {
        let names: Vec<&str> = report.categories.iter().map(|c| c.zh()).collect();
        let _ = write!(said, "\t{} {:.1}", names.join("、"), report.score);
    }
    for finding in &report.findings {
        let steps: Vec<&str> = finding.transforms.iter().map(|t| t.zh()).collect();
        let read =
            if finding.original == finding.normalized { String::new() } else { format!("→{}", finding.normalized) };
        let steps = if steps.is_empty() { String::new() } else { format!(" {}", steps.join("、")) };
        let stage = match finding.stage {
            Stage::Enforce => "",
            Stage::Pilot => " 试点",
            Stage::Observe => " 观察",
        };
        let _ = write!(said, "\t「{}」{read}（{}{steps}{stage}）", finding.original, finding.rule);
    }
    if report.findings.iter().any(|finding| finding.stage == Stage::Observe) {
        said.push_str("\t新词先观察：运行中的群管会先只记录");
    }
    if explain {
        for c in characters(text, report) {
            let steps: Vec<&str> = c.transforms.iter().map(|t| t.id()).collect();
            let _ = write!(said, "\t{}→{} {}", c.original, c.normalized, steps.join("+"));
        }
        for silent in &report.silent {
            let _ = write!(said, "\t{}：{}", silent.rule, silent.why);
        }
    }
    said.replace(['\n', '\r'], " ")
}

/// Every character that was not read as itself, and how: what the fold makes of it, and what the findings took it for
/// (`薇→微信 alias+homophone`, `🐴→马 emoji`).
fn characters(text: &str, report: &Report) -> Vec<Character> {
    let (first, others, normalized) = View::all(text);
    let mut found: BTreeMap<usize, Character> = BTreeMap::new();
    // What was left out: always if it cannot be seen, else where a finding reads across it.
    for left_out in normalized.explain().into_iter().filter(|one| one.normalized.is_empty()) {
        let at = left_out.at;
        let across = |f: &Finding| f.start < at && at < f.end && f.transforms.contains(&Transform::Separator);
        let matters = match left_out.transforms[..] {
            [Transform::Separator] => report.findings.iter().any(across),
            _ => true,
        };
        if matters {
            let original = left_out.original.to_string();
            let (normalized, transforms) = (left_out.normalized, left_out.transforms);
            found.insert(at, Character { start: at, end: at + 1, original, normalized, transforms });
        }
    }
    let mut add = |view: &View, index: usize, normalized: String, transforms: Vec<Transform>| {
        let (start, end) = view.raw_range(Span { start: index, end: index + 1 });
        let original = view.original(Span { start: index, end: index + 1 });
        found.insert(start, Character { start, end, original, normalized, transforms });
    };
    for index in 0..first.chars.len() {
        let span = Span { start: index, end: index + 1 };
        let transforms = first.transforms(span);
        if !transforms.is_empty() {
            add(&first, index, first.folded(span), transforms);
        }
    }
    for finding in &report.findings {
        // The reading that says what the finding says.
        let mut readings = others.iter().map(|other| (other, false)).chain([(&first, true)]);
        let reading = readings.find_map(|(view, is_first)| {
            let span = view.span_of(finding.start, finding.end);
            let read = view.chars[span.start..span.end].to_vec();
            let meant: Vec<char> = finding.normalized.chars().collect();
            let rewritten = finding.transforms.iter().any(|t| REREAD.contains(t));
            (read.len() == meant.len() || !rewritten && is_first).then_some((view, span, read, meant))
        });
        let Some((view, span, read, meant)) = reading else { continue };
        for (index, part) in aligned(&read, &meant) {
            let here = Span { start: span.start + index, end: span.start + index + 1 };
            let mut transforms = view.transforms(here);
            if part.chars().ne([read[index]]) {
                transforms.extend(finding.transforms.iter().filter(|t| SAID.contains(t)));
            }
            transforms.sort_unstable();
            transforms.dedup();
            if !transforms.is_empty() {
                add(view, here.start, part, transforms);
            }
        }
    }
    found.into_values().collect()
}

/// Steps of the other readings of a message.
const REREAD: [Transform; 3] = [Transform::Emoji, Transform::Split, Transform::Repeat];
/// Steps that a finding knows and the fold does not.
const SAID: [Transform; 2] = [Transform::Homophone, Transform::Alias];

/// Which character was taken for what: the same number of characters one by one; else what lies between the common
/// beginning and end is one piece, told of its first character.
fn aligned(read: &[char], meant: &[char]) -> Vec<(usize, String)> {
    if read.len() == meant.len() {
        return meant.iter().map(ToString::to_string).enumerate().collect();
    }
    let head = read.iter().zip(meant).take_while(|(a, b)| a == b).count();
    let most = read.len().min(meant.len()) - head;
    let tail = read.iter().rev().zip(meant.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let same = (0..head).chain(read.len() - tail..read.len()).map(|index| (index, read[index].to_string()));
    let piece = (head < read.len() - tail).then(|| (head, meant[head..meant.len() - tail].iter().collect()));
    same.chain(piece).collect()
}
