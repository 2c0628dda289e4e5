//! `evaluate --by-entry`: what each entry and signal found in honest and in bad text, the worst first.
//!
//! An entry decided alone where the verdict would have been milder without it. Near-copies of one text count each, so a
//! campaign makes an entry look surer than it is: look at the sets.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::{Honest, Set, judge};
use crate::detect::{Detector, Finding, Verdict};

/// 95 %.
const Z: f64 = 1.959_964;

/// Lower end of the 95 % interval (Wilson) of a share of which `right` of `all` were seen.
pub fn lower_bound(right: usize, all: usize) -> f64 {
    if all == 0 {
        return 0.0;
    }
    let (n, share) = (all as f64, right as f64 / all as f64);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((share + Z * Z / (2.0 * n) - spread) / (1.0 + Z * Z / n)).max(0.0)
}

/// What was found in texts of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hits {
    /// Texts in which it gave points.
    pub texts: usize,
    /// Those that were acted on and would not have been without it.
    pub alone_acted: usize,
    /// Those that went to a human and would have passed without it.
    pub alone_asked: usize,
}

/// One entry, or one signal that is no entry.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// `category/rule`.
    pub rule: String,
    /// `file:line`; `None` for a signal that is no entry of a list.
    pub entry: Option<String>,
    /// The entry as it is written.
    pub words: String,
    /// In honest texts.
    pub honest: Hits,
    /// In all others.
    pub bad: Hits,
    /// Share of bad texts among its hits, lower end of the 95 % interval.
    pub precision: f64,
    /// Hits by set and label, `set/label`.
    pub sets: BTreeMap<String, usize>,
    /// Those of `sets` that are honest.
    pub honest_sets: Vec<String>,
}

/// All that found something, the worst first: by honest texts acted on because of it alone, then asked about because of it
/// alone, then found in, then by precision.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ByEntry(pub Vec<Line>);

/// Rule and, for an entry, its place.
type Key = (String, Option<String>);

impl ByEntry {
    /// Judges every text.
    pub fn of(detector: &Detector, sets: &[Set], honest: &Honest) -> Self {
        let words: HashMap<Arc<str>, String> =
            detector.entries().iter().map(|e| (e.place(), e.entry.pattern.to_string())).collect();
        let key = |f: &Finding| -> Key {
            let place = f.entry.as_deref().filter(|entry| words.contains_key(*entry));
            (f.rule.to_string(), place.map(str::to_owned))
        };
        let mut lines: BTreeMap<Key, Line> = BTreeMap::new();
        for set in sets {
            for (_, label, text) in set.records() {
                let report = judge(detector, text, false);
                let mut keys: Vec<Key> = report.findings.iter().filter(|f| f.score > 0.0).map(key).collect();
                keys.sort();
                keys.dedup();
                for this in keys {
                    let others: Vec<Finding> = report.findings.iter().filter(|f| key(f) != this).cloned().collect();
                    let without = detector.settings().scores.conclude(&others).verdict;
                    let line = lines.entry(this.clone()).or_insert_with(|| Line {
                        words: this.1.as_deref().and_then(|place| words.get(place)).cloned().unwrap_or_default(),
                        rule: this.0,
                        entry: this.1,
                        honest: Hits::default(),
                        bad: Hits::default(),
                        precision: 0.0,
                        sets: BTreeMap::new(),
                        honest_sets: Vec::new(),
                    });
                    let is_honest = honest.has(label);
                    let hits = if is_honest { &mut line.honest } else { &mut line.bad };
                    hits.texts += 1;
                    hits.alone_acted += usize::from(report.verdict == Verdict::Act && without < Verdict::Act);
                    hits.alone_asked += usize::from(report.verdict == Verdict::Review && without < Verdict::Review);
                    let place = format!("{}/{label}", set.name);
                    if is_honest && !line.honest_sets.contains(&place) {
                        line.honest_sets.push(place.clone());
                    }
                    *line.sets.entry(place).or_default() += 1;
                }
            }
        }
        let mut lines: Vec<Line> = lines.into_values().collect();
        for line in &mut lines {
            line.precision = lower_bound(line.bad.texts, line.honest.texts + line.bad.texts);
        }
        let blame = |h: Hits| Reverse((h.alone_acted, h.alone_asked, h.texts));
        lines.sort_by(|a, b| {
            blame(a.honest).cmp(&blame(b.honest)).then(a.precision.total_cmp(&b.precision)).then(a.rule.cmp(&b.rule))
        });
        Self(lines)
    }
}

/// Sets of bad text shown in a row.
const SHOWN: usize = 3;

impl fmt::Display for ByEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| 词条 | 词 | 规则 | 正常的命中 | 只凭它处置 | 只凭它请人 | 违规的命中 | 只凭它处置 | 只凭它请人 | 准确率至少 % | 文件 |"
        )?;
        writeln!(f, "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---|")?;
        for line in &self.0 {
            let mut sets: Vec<(&String, &usize, bool)> =
                line.sets.iter().map(|(set, n)| (set, n, line.honest_sets.contains(set))).collect();
            sets.sort_by_key(|(_, n, honest)| (!honest, Reverse(**n)));
            let sets: Vec<String> = sets
                .iter()
                .take(line.honest_sets.len() + SHOWN)
                .map(|(set, n, honest)| format!("{set} {n}{}", if *honest { " 正常" } else { "" }))
                .collect();
            writeln!(
                f,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.1} | {} |",
                line.entry.as_deref().unwrap_or("-"),
                line.words.replace('|', "\\|"),
                line.rule,
                line.honest.texts,
                line.honest.alone_acted,
                line.honest.alone_asked,
                line.bad.texts,
                line.bad.alone_acted,
                line.bad.alone_asked,
                line.precision * 100.0,
                sets.join("、")
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Lists, Settings};

    #[test]
    fn the_bound_is_wilsons() {
        for (right, all, want) in [(0, 0, 0.0), (0, 10, 0.0), (10, 10, 0.7225), (200, 200, 0.9812), (50, 100, 0.4038)] {
            assert!((lower_bound(right, all) - want).abs() < 1e-3, "{right} of {all}: {}", lower_bound(right, all));
        }
    }

    #[test]
    fn an_entry_is_counted_where_it_hits_and_where_it_alone_decides() {
        let mut lists = Lists::default();
        lists.insert("ads/own.txt", "蓝鲸币 | 分=2\n红鲸币 | 分=1\n绿鲸币 | 分=1\n".to_owned());
        let settings = Settings::new(jiff::civil::Date::constant(2026, 1, 1));
        let detector = Detector::build(&lists, settings).unwrap();
        let set = |name: &str, text: &str| Set { name: name.to_owned(), text: text.to_owned() };
        let sets = [
            set("talk", "0\t蓝鲸币是什么\n0\t红鲸币是什么\n"),
            set("sold", "1\t蓝鲸币到货\n1\t蓝鲸币到货，红鲸币到货\n1\t红鲸币到货，绿鲸币也有\n"),
        ];
        let found = ByEntry::of(&detector, &sets, &Honest::default());
        let row = |place: &str| found.0.iter().find(|line| line.entry.as_deref() == Some(place)).unwrap();
        let hits = |texts, alone_acted, alone_asked| Hits { texts, alone_acted, alone_asked };
        assert_eq!((row("ads/own.txt:1").honest, row("ads/own.txt:1").bad), (hits(1, 1, 0), hits(2, 2, 0)));
        assert_eq!((row("ads/own.txt:2").honest, row("ads/own.txt:2").bad), (hits(1, 0, 1), hits(2, 1, 0)));
        assert_eq!((row("ads/own.txt:3").honest, row("ads/own.txt:3").bad), (hits(0, 0, 0), hits(1, 1, 0)));
        let order: Vec<&str> = found.0.iter().map(|line| &*line.words).collect();
        assert_eq!(order, ["蓝鲸币", "红鲸币", "绿鲸币"]);
        let shown = found.to_string();
        assert!(shown.contains("| ads/own.txt:1 | 蓝鲸币 | ads/own | 1 | 1 | 0 | 2 | 2 | 0 |"), "{shown}");
        assert!(shown.contains("talk/0 1 正常、sold/1 2 |"), "{shown}");
        let reversed = ByEntry::of(&detector, &sets, &Honest(vec!["1".to_owned()]));
        assert_eq!(reversed.0.iter().map(|line| line.honest.texts).sum::<usize>(), 5);
    }
}
