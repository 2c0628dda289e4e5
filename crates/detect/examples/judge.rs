//! `cargo run --release --example judge < messages.txt`: a verdict a line with the shipped lists. JSON lines
//! (`{"text":…,"group":…,"sender":…,"at":…}`) are answered in JSON. `judge evaluate DIR` measures labelled texts,
//! `judge by-entry DIR` each entry on them, `judge curve DIR` other thresholds, and `judge wrong DIR SET/LABEL` shows the lines that were judged wrongly.
//! `judge --lists DIR …` puts the lists of a folder over the shipped ones.

use std::io::{self, BufRead, Write};

use qunguan_detect::detect::{Detector, History, Input, Lists, Settings, evaluate};
use qunguan_detect::model::{GroupId, MemberId, Role, Timestamp};

fn main() -> io::Result<()> {
    let mut settings = Settings::new(jiff::civil::Date::constant(2026, 1, 1));
    settings.names = vec!["群管".to_owned()];
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut lists = Lists::shipped();
    if arguments.first().is_some_and(|first| first == "--lists") {
        lists.overlay(Lists::read(arguments.drain(..2).next_back().unwrap_or_default().as_ref())?);
    }
    let (detector, mistakes) = Detector::load(&lists, settings);
    drop(lists);
    for mistake in mistakes.lines.iter().chain(&mistakes.examples).chain(&mistakes.hints) {
        eprintln!("{mistake}");
    }
    if let [command, folder, which @ ..] = &arguments[..]
        && command != "scan"
    {
        return measure(&detector, command, &evaluate::sets(folder.as_ref())?, which.first().map_or("", |w| w));
    }
    let history = History::new();
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let object: Option<serde_json::Value> = serde_json::from_str(&line).ok().filter(serde_json::Value::is_object);
        let field = |name: &str| object.as_ref().and_then(|o| o[name].as_str()).unwrap_or_default();
        let at = field("at").parse::<Timestamp>().ok();
        let input = Input {
            text: if object.is_some() { field("text") } else { &line },
            attachments: &[],
            group: &GroupId::from(field("group")),
            sender: &MemberId::from(field("sender")),
            sender_name: None,
            role: Role::Member,
            at: at.unwrap_or(Timestamp::UNIX_EPOCH),
            explain: object.is_none(),
        };
        let report = detector.scan(&input, at.map(|_| &history));
        if object.is_some() {
            writeln!(out, "{}", serde_json::to_string(&report)?)?;
        } else {
            let found: Vec<String> = report
                .findings
                .iter()
                .map(|f| format!("{} {} {:.1} “{}”", f.rule, f.entry.as_deref().unwrap_or("-"), f.score, f.normalized))
                .collect();
            let excused = report.silent.iter().filter(|s| s.why.starts_with('“')).map(|s| s.why.as_str());
            let excused: Vec<&str> = excused.collect();
            writeln!(out, "{:?}\t{line}\t{}\t{}", report.verdict, found.join(" · "), excused.join(" · "))?;
        }
    }
    Ok(())
}

fn measure(detector: &Detector, command: &str, sets: &[evaluate::Set], which: &str) -> io::Result<()> {
    let honest = evaluate::Honest::default();
    match command {
        "by-entry" => print!("{}", evaluate::ByEntry::of(detector, sets, &honest)),
        "curve" => print!("{}", evaluate::Curve::of(detector, sets, &honest)),
        "evaluate" => print!("{}", evaluate::Table::of(detector, sets)),
        "wrong" => {
            let (name, label) = which.split_once('/').map_or((which, None), |(name, label)| (name, Some(label)));
            for set in sets.iter().filter(|set| set.name == name) {
                for line in evaluate::wrong(detector, set, label, &honest) {
                    println!("{line}");
                }
            }
        }
        other => return Err(io::Error::other(format!("evaluate, by-entry, curve or wrong, not {other}"))),
    }
    Ok(())
}
