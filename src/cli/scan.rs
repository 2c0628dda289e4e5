//! `qunguan scan`: one message a line in, one result a line out, in order, and nothing else on stdout.
//!
//! The detector alone speaks here: no policy, no memory of people, nothing is changed. With `--jsonl` the messages say
//! who wrote them where and when, so flood, repetition and campaigns are seen too.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::{ConfigArg, Problems, UserError};
use crate::{
    detect::{
        Detector, History, Input, Report, Verdict,
        view::{Span, View},
    },
    model::{Attachment, Clock, GroupId, MemberId, Role, SystemClock, Timestamp},
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
    let detector = settings.detector(SystemClock.now()).map_err(Problems)?;
    let input: Box<dyn Read> = match &args.file {
        Some(path) if path.as_os_str() != "-" => {
            Box::new(File::open(path).map_err(|e| UserError(format!("打不开 {}：{e}", path.display())))?)
        }
        _ => Box::new(io::stdin().lock()),
    };
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
    detector.scan(&input, history.filter(|_| line.at.is_some()))
}

fn as_json(
    line: usize,
    id: Option<&serde_json::Value>,
    report: &Report,
    text: &str,
    explain: bool,
) -> anyhow::Result<String> {
    let characters = explain.then(|| characters(text));
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
        let _ = write!(said, "\t「{}」{read}（{}{steps}）", finding.original, finding.rule);
    }
    if explain {
        for c in characters(text) {
            let steps: Vec<&str> = c.transforms.iter().map(|t| t.id()).collect();
            let _ = write!(said, "\t{}→{} {}", c.original, c.normalized, steps.join("+"));
        }
        for silent in &report.silent {
            let _ = write!(said, "\t{}：{}", silent.rule, silent.why);
        }
    }
    said.replace(['\n', '\r'], " ")
}

/// Every character that was not read as itself.
fn characters(text: &str) -> Vec<Character> {
    let view = View::new(text);
    (0..view.chars.len())
        .filter_map(|index| {
            let span = Span { start: index, end: index + 1 };
            let transforms = view.transforms(span);
            let (start, end) = view.raw_range(span);
            (!transforms.is_empty()).then(|| Character {
                start,
                end,
                original: view.original(span),
                normalized: view.folded(span),
                transforms,
            })
        })
        .collect()
}
