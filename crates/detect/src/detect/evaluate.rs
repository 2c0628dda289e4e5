//! The quality table: how much of each label of each set is acted on and how much only asks for a human.
//!
//! Any folder of `label<TAB>text` files works (one record a line, `.tsv`); sets are never pooled. For files whose labels
//! name what a text contains (`id,mobile,email`) precision and recall per kind are given too.
//!
//! [`ByEntry`] says the same for each entry and signal, [`Curve`] for other acting thresholds, [`wrong`] shows the lines that
//! were judged wrongly. They must know which labels stand for honest text ([`Honest`]).

mod by_entry;
mod curve;
mod wrong;

pub use by_entry::{ByEntry, lower_bound};
pub use curve::Curve;
pub use wrong::{Wrong, wrong};

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::{Detector, Input, Report, Verdict};
use crate::encoding;
use crate::model::{Category, GroupId, MemberId, Role, Timestamp};

/// Counts of one label in one set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Records.
    pub total: usize,
    /// Over the acting threshold.
    pub act: usize,
    /// For a human only.
    pub review: usize,
    /// Over the review threshold, by category.
    pub by_category: BTreeMap<Category, usize>,
}

/// Found, missed and wrongly found texts of one kind of number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// In label and findings.
    pub right: usize,
    /// In the label only.
    pub missed: usize,
    /// In the findings only.
    pub wrong: usize,
}

/// Everything measured, by set and label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Set (file name without `.tsv`), label → counts.
    pub rows: BTreeMap<(String, String), Row>,
    /// Set, kind of number → counts.
    pub kinds: BTreeMap<(String, String), Kind>,
}

/// Judges one text without history.
pub fn judge(detector: &Detector, text: &str, explain: bool) -> Report {
    let (group, sender) = (GroupId::new("evaluate"), MemberId::new("evaluate"));
    let input = Input {
        text,
        attachments: &[],
        group: &group,
        sender: &sender,
        sender_name: None,
        role: Role::Member,
        at: Timestamp::UNIX_EPOCH,
        explain,
    };
    detector.scan(&input, None)
}

/// Labels of texts in which nothing is wrong; every other label is a violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Honest(pub Vec<String>);

/// `0` as in most public sets, `ok` as in the files of `qunguan train`.
impl Default for Honest {
    fn default() -> Self {
        Self(vec!["0".to_owned(), "ok".to_owned()])
    }
}

impl Honest {
    /// Nothing is wrong with texts under this label.
    pub fn has(&self, label: &str) -> bool {
        self.0.iter().any(|honest| honest == label)
    }
}

/// One file of labelled texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// The file's name without `.tsv`.
    pub name: String,
    /// `label<TAB>text` lines.
    pub text: String,
}

impl Set {
    /// Line (counted from 1), label and text.
    pub fn records(&self) -> impl Iterator<Item = (usize, &str, &str)> {
        let lines = self.text.lines().enumerate();
        lines.filter_map(|(i, line)| line.split_once('\t').map(|(label, text)| (i + 1, label, text)))
    }
}

/// Reads every `.tsv` file of a folder, in the order of their names.
///
/// # Errors
/// The folder or a file that cannot be read.
pub fn sets(folder: &Path) -> std::io::Result<Vec<Set>> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?.into_iter().map(|f| f.path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "tsv"));
    files.sort();
    let read = |path: std::path::PathBuf| {
        let bytes = std::fs::read(&path)?;
        let text = encoding::decode(&bytes).map_err(|_| std::io::Error::from(std::io::ErrorKind::InvalidData))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Set { name, text: text.into_owned() })
    };
    files.into_iter().map(read).collect()
}

impl Table {
    /// Judges every text.
    pub fn of(detector: &Detector, sets: &[Set]) -> Self {
        let mut table = Self::default();
        for set in sets {
            table.add(detector, set);
        }
        table
    }

    fn add(&mut self, detector: &Detector, set: &Set) {
        for (_, label, text) in set.records() {
            let report = judge(detector, text, false);
            let row = self.rows.entry((set.name.clone(), label.to_owned())).or_default();
            row.total += 1;
            row.act += usize::from(report.verdict == Verdict::Act);
            row.review += usize::from(report.verdict == Verdict::Review);
            for category in &report.categories {
                *row.by_category.entry(*category).or_default() += 1;
            }
            self.add_kinds(&set.name, label, &report);
        }
    }

    fn add_kinds(&mut self, set: &str, label: &str, report: &Report) {
        const KINDS: [(&str, &[&str]); 4] = [
            ("id", &["leak_personal/id-card", "leak_personal/id-card-shape"]),
            ("mobile", &["leak_personal/mobile"]),
            ("email", &["leak_personal/email"]),
            ("bank", &["leak_personal/bank-card"]),
        ];
        let labels: Vec<&str> = label.split(',').collect();
        if !labels.iter().any(|label| KINDS.iter().any(|(kind, _)| kind == label)) {
            return;
        }
        for (kind, rules) in KINDS {
            let found = report.findings.iter().any(|f| rules.contains(&&*f.rule));
            let counts = self.kinds.entry((set.to_owned(), kind.to_owned())).or_default();
            match (labels.contains(&kind), found) {
                (true, true) => counts.right += 1,
                (true, false) => counts.missed += 1,
                (false, true) => counts.wrong += 1,
                (false, false) => {}
            }
        }
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| 文件 | 标签 | 条数 | 处置 % | 请人看 % | 命中 % | 辱骂 % | 最多的类别 |")?;
        writeln!(f, "|---|---|---:|---:|---:|---:|---:|---|")?;
        for ((set, label), row) in &self.rows {
            let mut categories: Vec<_> = row.by_category.iter().collect();
            categories.sort_by_key(|(category, count)| (std::cmp::Reverse(**count), **category));
            let categories: Vec<String> = categories.iter().take(4).map(|(c, n)| format!("{} {n}", c.zh())).collect();
            let insult = row.by_category.get(&Category::Insult).copied().unwrap_or(0);
            writeln!(
                f,
                "| {set} | {label} | {} | {:.2} | {:.2} | {:.2} | {:.2} | {} |",
                row.total,
                percent(row.act, row.total),
                percent(row.review, row.total),
                percent(row.act + row.review, row.total),
                percent(insult, row.total),
                categories.join("、")
            )?;
        }
        if !self.kinds.is_empty() {
            writeln!(f, "\n| 文件 | 说法 | 判对 % | 找到 % |\n|---|---|---:|---:|")?;
            for ((set, kind), k) in &self.kinds {
                let precision = percent(k.right, k.right + k.wrong);
                writeln!(f, "| {set} | {kind} | {precision:.2} | {:.2} |", percent(k.right, k.right + k.missed))?;
            }
        }
        Ok(())
    }
}
