//! `cargo bench --bench scan` prints one table a list size: what a scan costs against the raw matchers and against the
//! usual chain of normalisers. Lists and messages are made here from a seed; time is CPU time of this thread, the fastest
//! of interleaved passes with warm caches, so compare within one table. The first table is real Chinese ([`talk`]).
//!
//! `QUNGUAN_BENCH_SIZES=1000,15000` picks list sizes, `QUNGUAN_BENCH_DFA=1` runs the DFA above 15,000 words too (a gigabyte).

mod talk;

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use daachorse::CharwiseDoubleArrayAhoCorasick;
use qunguan_detect::detect::matcher::{Builder, Engine, Matcher, Scratch};
use qunguan_detect::detect::{Detector, Input, Lists, Settings};
use qunguan_detect::model::{GroupId, MemberId, Role, Timestamp};
use qunguan_detect::text::{Normalized, fold, is_han};
use regex::Regex;
use rustix::time::{ClockId, clock_gettime};
use unicode_normalization::UnicodeNormalization;

const PASSES: usize = 9;
const MESSAGES: usize = 12_000;
const ATTACKS: usize = 1_500;

struct Counting;

static HEAP: AtomicUsize = AtomicUsize::new(0);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

/// Allocations so far.
fn allocations() -> usize {
    ALLOCATIONS.load(Ordering::Relaxed)
}

#[expect(unsafe_code, reason = "an allocator that counts has to be one")]
// SAFETY: every call is passed on to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HEAP.fetch_add(layout.size(), Ordering::Relaxed);
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HEAP.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn cpu_ns() -> i128 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

/// splitmix64: the same lists on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
    /// Zipf's law: rank 0 most often.
    fn zipf(&mut self, n: usize) -> usize {
        (((n as f64).ln() * self.unit()).exp() as usize - 1).min(n - 1)
    }
}

/// Words of a language that does not exist, the frequent ones first.
fn vocabulary(random: &mut Random) -> Vec<String> {
    let mut chars: Vec<char> = ('\u{4e00}'..='\u{9fa5}').filter(|c| fold(&c.to_string()) == c.to_string()).collect();
    for i in (1..chars.len()).rev() {
        chars.swap(i, random.below(i + 1));
    }
    chars.truncate(4_000);
    (0..24_000)
        .map(|rank| {
            let len = match random.below(20) {
                _ if rank < 200 => 1 + rank % 2,
                0..15 => 2,
                15..18 => 3,
                _ => 4,
            };
            // Rare words are made of rarer characters, or they would stand inside frequent ones all the time.
            let rare = rank >= 12_000;
            (0..len).map(|_| chars[if rare { random.below(chars.len()) } else { random.zipf(chars.len()) }]).collect()
        })
        .collect()
}

/// Few short words, many joined ones, as scraped lists have them.
fn list(random: &mut Random, vocabulary: &[String], size: usize) -> Vec<String> {
    let tail = &vocabulary[vocabulary.len() / 2..];
    let short = match size {
        ..5_000 => size / 3,
        5_000..30_000 => 2_000,
        _ => size / 9,
    };
    let most = match size {
        ..5_000 => 2,
        5_000..30_000 => 3,
        _ => 4,
    };
    let mut words = std::collections::BTreeSet::new();
    while words.len() < short {
        words.insert(tail[random.below(tail.len())].clone());
    }
    while words.len() < size {
        let parts = 2 + random.below(most - 1);
        words.insert((0..parts).map(|_| &*tail[random.below(tail.len())]).collect::<String>());
    }
    words.into_iter().filter(|w| w.chars().count() > 1).collect()
}

fn messages(random: &mut Random, vocabulary: &[String]) -> Vec<String> {
    (0..MESSAGES)
        .map(|_| {
            let words = 3 + (-(1.0 - random.unit()).ln() * 14.0) as usize;
            let mut text = String::new();
            for _ in 0..words.min(200) {
                text += &vocabulary[random.zipf(vocabulary.len())];
                match random.below(24) {
                    0 | 1 => text += "，",
                    2 => text += "。",
                    3 => text += " ",
                    4 => text += "OK",
                    5 => text += &random.below(1000).to_string(),
                    6 => text += "😀",
                    _ => {}
                }
            }
            text
        })
        .collect()
}

/// Nothing but words of the list, or the words without their last character.
fn attack(random: &mut Random, words: &[String], cut: bool) -> Vec<String> {
    (0..ATTACKS)
        .map(|_| {
            let mut text = String::new();
            let mut count = 0;
            while count < 123 {
                let mut word = words[random.below(words.len())].clone();
                if cut {
                    word.pop();
                }
                count += word.chars().count();
                text += &word;
            }
            text
        })
        .collect()
}

type Scan<'a> = Box<dyn FnMut(&str) -> usize + 'a>;

struct Row<'a> {
    name: &'static str,
    build_ms: f64,
    heap_mb: f64,
    scan: Scan<'a>,
    ns: [f64; 3],
    matches: [usize; 3],
}

fn row<'a, T>(rows: &mut Vec<Row<'a>>, name: &'static str, build: impl Fn() -> T, scan: impl FnOnce(T) -> Scan<'a>) {
    drop(build()); // tables that are made once
    let (heap, start) = (HEAP.load(Ordering::Relaxed), cpu_ns());
    let machine = build();
    let build_ms = (cpu_ns() - start) as f64 / 1e6;
    let heap_mb = (HEAP.load(Ordering::Relaxed) - heap) as f64 / 1e6;
    rows.push(Row { name, build_ms, heap_mb, scan: scan(machine), ns: [f64::MAX; 3], matches: [0; 3] });
}

fn aho_corasick(words: &[String], kind: AhoCorasickKind) -> AhoCorasick {
    AhoCorasick::builder().kind(Some(kind)).build(words).expect("the list compiles")
}

fn daachorse(words: &[String]) -> CharwiseDoubleArrayAhoCorasick<u32> {
    CharwiseDoubleArrayAhoCorasick::new(words).expect("the list compiles")
}

fn ours<'a>(machine: Matcher) -> Scan<'a> {
    let mut scratch = Scratch::default();
    Box::new(move |text| {
        let mut n = 0;
        machine.scan_str(text, &mut scratch, |pattern, range, heard| {
            black_box((pattern, range, heard));
            n += 1;
        });
        n
    })
}

/// Everything that judges one message by itself: the shipped lists and these words, numbers, links, names, points.
fn detector(words: &[String]) -> Detector {
    let mut lists = Lists::shipped();
    lists.insert("insult/bench.txt", words.join("\n"));
    Detector::build(&lists, Settings::new(jiff::civil::date(2026, 11, 27))).expect("the lists compile")
}

fn judge<'a>(detector: Detector) -> Scan<'a> {
    let (group, sender) = (GroupId::from("g"), MemberId::from("m"));
    Box::new(move |text| {
        let input = Input {
            text,
            attachments: &[],
            group: &group,
            sender: &sender,
            sender_name: None,
            role: Role::Member,
            at: Timestamp::UNIX_EPOCH,
            explain: false,
        };
        black_box(detector.scan(&input, None)).findings.len()
    })
}

fn main() {
    let setting = |name: &str| std::env::var(name).ok();
    let sizes: Vec<usize> = setting("QUNGUAN_BENCH_SIZES")
        .unwrap_or_else(|| "1000,15000,60000,100000".into())
        .split(',')
        .filter_map(|n| n.parse().ok())
        .collect();
    let mut random = Random(20_261_123);
    let vocabulary = vocabulary(&mut random);
    let more = [0, 15_000, 100_000].map(|size| list(&mut Random(20_261_130), &vocabulary, size));
    talk::print(&mut Random(20_261_129), &more);
    let ordinary = messages(&mut random, &vocabulary);
    // The cheapest table fold there is, for the anchors: one cell a character, no positions.
    let table: Vec<u32> = (0..0x30000_u32)
        .map(|code| char::from_u32(code).and_then(|c| fold(&c.to_string()).chars().next()).map_or(0, u32::from))
        .collect();
    let fold_into = |text: &str, out: &mut String| {
        out.clear();
        for c in text.chars() {
            if let Some(c) = char::from_u32(table[c as usize]).filter(|c| *c != '\0') {
                out.push(c);
            }
        }
    };
    let noise = Regex::new(r"[^\p{L}\p{N}]+").expect("a constant");
    for size in sizes {
        let words = list(&mut random, &vocabulary, size);
        let texts = [ordinary.clone(), attack(&mut random, &words, false), attack(&mut random, &words, true)];
        let chars: Vec<usize> = texts.iter().map(|set| set.iter().map(|t| t.chars().count()).sum()).collect();
        let folded: Vec<String> = words.iter().map(|w| fold(w)).collect();
        let build = |by_sound: bool| {
            let mut builder = Builder::default();
            for word in &words {
                builder.add(word, by_sound && word.chars().filter(|c| is_han(*c)).count() >= 3);
            }
            builder.build_with(Engine::Automaton)
        };
        let mut rows: Vec<Row<'_>> = Vec::new();
        row(
            &mut rows,
            "aho-corasick NFA, raw",
            || aho_corasick(&words, AhoCorasickKind::ContiguousNFA),
            |machine| Box::new(move |text| machine.find_overlapping_iter(text).map(black_box).count()),
        );
        if size <= 15_000 || setting("QUNGUAN_BENCH_DFA").is_some() {
            row(
                &mut rows,
                "aho-corasick DFA, raw",
                || aho_corasick(&words, AhoCorasickKind::DFA),
                |machine| Box::new(move |text| machine.find_overlapping_iter(text).map(black_box).count()),
            );
        }
        row(
            &mut rows,
            "daachorse charwise, raw",
            || daachorse(&words),
            |machine| Box::new(move |text| machine.find_overlapping_iter(text).map(black_box).count()),
        );
        row(
            &mut rows,
            "table fold + daachorse",
            || daachorse(&folded),
            |machine| {
                let mut buffer = String::new();
                Box::new(move |text| {
                    fold_into(text, &mut buffer);
                    machine.find_overlapping_iter(&buffer).map(black_box).count()
                })
            },
        );
        row(
            &mut rows,
            "NFKC+lower+fast2s+regex+NFA",
            || aho_corasick(&folded, AhoCorasickKind::ContiguousNFA),
            |machine| {
                let noise = &noise;
                Box::new(move |text| {
                    let text = fast2s::convert(&text.nfkc().collect::<String>().to_lowercase());
                    let text = noise.replace_all(&text, "");
                    machine.find_overlapping_iter(&*text).map(black_box).count()
                })
            },
        );
        row(&mut rows, "ours: fold + lexicon", || build(false), ours);
        row(&mut rows, "ours: with homophones", || build(true), ours);
        row(
            &mut rows,
            "ours: full Normalized + scan",
            || build(false),
            |machine| {
                let mut reading = Normalized::default();
                Box::new(move |text| {
                    reading.read(text);
                    let mut n = 0;
                    machine.scan(reading.folded(), &[], |found| {
                        black_box(found);
                        n += 1;
                    });
                    n
                })
            },
        );
        row(&mut rows, "ours: the whole stateless pipeline", || detector(&words), judge);
        // A neighbour on the machine only ever slows a pass down; the engine before left its own tables in the caches.
        for _ in 0..PASSES {
            for row in &mut rows {
                for (t, set) in texts.iter().enumerate() {
                    let mut pass = || set.iter().map(|text| (row.scan)(text)).sum();
                    let _warm: usize = pass();
                    let start = cpu_ns();
                    row.matches[t] = pass();
                    let ns = (cpu_ns() - start) as f64 / chars[t] as f64;
                    row.ns[t] = row.ns[t].min(ns);
                }
            }
        }
        let find = |name: &str| rows.iter().find(|row| row.name == name).map_or([f64::NAN; 3], |row| row.ns);
        let (nfa, daac) = (find("aho-corasick NFA, raw"), find("daachorse charwise, raw"));
        let anchor = find("table fold + daachorse");
        println!(
            "\n{} words, {} messages ({:.1} characters each); ns a character",
            words.len(),
            ordinary.len(),
            chars[0] as f64 / ordinary.len() as f64
        );
        println!(
            "| engine | ordinary | ×NFA | ×daachorse | attack | ×fold+daac | attack, cut | ×fold+daac | matches | build ms | heap MB |"
        );
        println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        for row in &rows {
            println!(
                "| {} | {:.2} | {:.2} | {:.2} | {:.1} | {:.2} | {:.1} | {:.2} | {} / {} / {} | {:.1} | {:.2} |",
                row.name,
                row.ns[0],
                row.ns[0] / nfa[0],
                row.ns[0] / daac[0],
                row.ns[1],
                row.ns[1] / anchor[1],
                row.ns[2],
                row.ns[2] / anchor[2],
                row.matches[0],
                row.matches[1],
                row.matches[2],
                row.build_ms,
                row.heap_mb
            );
        }
    }
}
