//! Real Chinese: the sentences of `tests/cases`, by themselves and several in one message, judged as a whole beside a raw
//! matcher with the same words. `QUNGUAN_BENCH_LINES=FILE` takes the lines of a file instead.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Instant;

use qunguan_detect::detect::lexicon::{Pattern, Term};
use qunguan_detect::detect::{Detector, Input, Lists, Settings};
use qunguan_detect::model::{GroupId, MemberId, Role, Timestamp};

use super::{PASSES, Random, allocations, cpu_ns, daachorse};

/// Most sentences of one message.
const MOST: usize = 4;
/// Messages made of sentences, for each of them.
const TIMES: usize = 4;

/// Everything that anybody says in the cases, file by file.
fn sentences() -> Vec<Vec<String>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("the cases").flatten().map(|file| file.path()).collect();
    files.sort();
    let said = |line: &&str| !line.is_empty() && !line.starts_with('#') && !line.starts_with("expect ");
    let read = |path| std::fs::read_to_string(path).expect("a case file");
    files.into_iter().map(read).map(|text| text.lines().filter(said).map(str::to_owned).collect()).collect()
}

/// Each sentence, and messages of several.
fn messages(random: &mut Random) -> Vec<String> {
    if let Ok(file) = std::env::var("QUNGUAN_BENCH_LINES") {
        return std::fs::read_to_string(file).expect("a file of lines").lines().map(str::to_owned).collect();
    }
    let mut messages = Vec::new();
    for sentences in sentences() {
        for first in sentences.iter().cycle().take(sentences.len() * TIMES) {
            let mut message = first.clone();
            for _ in 1..2 + random.below(MOST - 1) {
                message.push('，');
                message += &sentences[random.below(sentences.len())];
            }
            messages.push(message);
        }
        messages.extend(sentences);
    }
    messages
}

/// Every word of the lists, as it is written there.
fn words(lists: &Lists) -> Vec<String> {
    let mut words = BTreeSet::new();
    for document in lists.parse().expect("the lists are right") {
        for entry in document.entries() {
            match &entry.pattern {
                Pattern::Literal(word) | Pattern::Address(word) => _ = words.insert(word.clone()),
                Pattern::Near(terms) => words.extend(terms.iter().filter_map(|near| match &near.term {
                    Term::Word(word) => Some(word.clone()),
                    Term::Group(_) => None,
                })),
                Pattern::Regex(_) => {}
            }
        }
        words.extend(document.groups().flat_map(|group| group.words.iter().cloned()));
        words.extend(document.allows().map(|(_, phrase)| phrase.to_owned()));
    }
    words.into_iter().collect()
}

fn judge(detector: &Detector, text: &str, ids: &(GroupId, MemberId)) -> usize {
    let input = Input {
        text,
        attachments: &[],
        group: &ids.0,
        sender: &ids.1,
        sender_name: None,
        role: Role::Member,
        at: Timestamp::UNIX_EPOCH,
        explain: false,
    };
    black_box(detector.scan(&input, None)).findings.len()
}

/// Prints the table; `more` are words that nobody writes, added to the shipped lists.
pub fn print(random: &mut Random, more: &[Vec<String>]) {
    let messages = messages(random);
    let ids = (GroupId::from("g"), MemberId::from("m"));
    println!("\nReal Chinese; clean messages are those in which nothing is found");
    println!(
        "| words | messages | characters each | daachorse, raw ns | scan ns | × | allocations, mean / most | p50 µs | p99 µs |"
    );
    println!("|---:|---|---:|---:|---:|---:|---:|---:|---:|");
    for more in more {
        let mut lists = Lists::shipped();
        if !more.is_empty() {
            lists.insert("insult/bench.txt", more.join("\n"));
        }
        let all = words(&lists);
        let raw = daachorse(&all);
        let settings = Settings::new(jiff::civil::date(2026, 11, 27));
        let detector = Detector::build(&lists, settings).expect("the lists compile");
        let (clean, found): (Vec<&str>, Vec<&str>) =
            messages.iter().map(String::as_str).partition(|text| judge(&detector, text, &ids) == 0);
        for (name, texts) in [("clean", clean), ("with findings", found)] {
            let chars: usize = texts.iter().map(|text| text.chars().count()).sum();
            let (mut raw_ns, mut scan_ns) = (f64::MAX, f64::MAX);
            let mut each = vec![u128::MAX; texts.len()];
            for _ in 0..PASSES {
                let start = cpu_ns();
                for text in &texts {
                    black_box(raw.find_overlapping_iter(text).map(black_box).count());
                }
                raw_ns = raw_ns.min((cpu_ns() - start) as f64 / chars as f64);
                let start = cpu_ns();
                for text in &texts {
                    judge(&detector, text, &ids);
                }
                scan_ns = scan_ns.min((cpu_ns() - start) as f64 / chars as f64);
                for (text, least) in texts.iter().zip(&mut each) {
                    let start = Instant::now();
                    judge(&detector, text, &ids);
                    *least = start.elapsed().as_nanos().min(*least);
                }
            }
            let count = |text: &&str| {
                let before = allocations();
                judge(&detector, text, &ids);
                allocations() - before
            };
            let counts: Vec<usize> = texts.iter().map(count).collect();
            let mean = counts.iter().sum::<usize>() as f64 / counts.len().max(1) as f64;
            let most = counts.iter().copied().max().unwrap_or_default();
            each.sort_unstable();
            let at = |share: usize| each.get(each.len() * share / 100).copied().unwrap_or_default() as f64 / 1e3;
            println!(
                "| {} | {} {name} | {:.1} | {raw_ns:.1} | {scan_ns:.0} | {:.1} | {mean:.1} / {most} | {:.1} | {:.1} |",
                all.len(),
                texts.len(),
                chars as f64 / texts.len().max(1) as f64,
                scan_ns / raw_ns,
                at(50),
                at(99),
            );
        }
    }
}
