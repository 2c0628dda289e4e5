//! 词库体检: what is dangerous or useless in the wordlists, before it hits an honest message.

use std::collections::HashMap;
use std::sync::Arc;

use super::detector::Settings;
use super::index::Index;
use super::lexicon::{Document, Entry, Lists, Pattern};
use super::view::{View, fold};
use super::{Detector, evaluate};
use crate::text::{emoji, ordinary, sounds};

/// Share of ordinary messages that one entry may hit.
const ORDINARY_SHARE: f64 = 0.005;
/// Fewer ordinary messages say nothing about shares.
const SAMPLE_MIN: usize = 200;

/// How urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Useless, but harms nobody.
    Hint,
    /// Likely to hit honest people.
    Warning,
}

/// One remark about one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// `category/name.txt`.
    pub file: Arc<str>,
    /// Counted from 1.
    pub line: usize,
    /// How urgent.
    pub level: Level,
    /// In Chinese.
    pub message: String,
}

impl std::fmt::Display for Lint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Examines the lists. `names` are brands, products and staff; `sample` ordinary messages of the company; `hits` how often
/// each `file:line` hit in the last 90 days, when the caller knows.
///
/// Lists that do not parse give no remarks; their errors are [`Lists::parse`]'s.
pub fn lint<S: std::hash::BuildHasher>(
    lists: &Lists,
    names: &[String],
    sample: Option<&[String]>,
    hits: Option<&HashMap<String, u64, S>>,
) -> Vec<Lint> {
    let Ok(documents) = lists.parse() else { return Vec::new() };
    let mut found = Vec::new();
    words(&documents, names, &mut found);
    allows(&documents, &mut found);
    if let Some(sample) = sample {
        ordinary(lists, sample, &mut found);
    }
    if let Some(hits) = hits {
        for (document, entry) in all(&documents) {
            if !hits.contains_key(&format!("{}:{}", document.file, entry.line)) {
                remark(&mut found, document, entry.line, Level::Hint, "90 天没有命中过，可以考虑删掉".to_owned());
            }
        }
    }
    found.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    found
}

fn all(documents: &[Document]) -> impl Iterator<Item = (&Document, &Entry)> {
    documents.iter().flat_map(|d| d.entries().map(move |e| (d, &**e)))
}

fn remark(found: &mut Vec<Lint>, document: &Document, line: usize, level: Level, message: String) {
    found.push(Lint { file: document.file.clone(), line, level, message });
}

fn words(documents: &[Document], names: &[String], found: &mut Vec<Lint>) {
    let names: Vec<(String, &String)> = names.iter().map(|n| (fold(n), n)).collect();
    let mut first: HashMap<(crate::model::Category, String), (Arc<str>, usize)> = HashMap::new();
    let mut heard: HashMap<Vec<u16>, (String, Arc<str>, usize)> = HashMap::new();
    let literals: Vec<(&Document, &Entry, String)> = all(documents)
        .filter_map(|(d, e)| if let Pattern::Literal(word) = &e.pattern { Some((d, e, fold(word))) } else { None })
        .collect();
    for (document, entry, word) in &literals {
        let Some(category) = document.category else { continue };
        let common = |c: char| ordinary::rarity(c) < ordinary::RARE;
        if word.chars().count() == 1 && word.chars().all(common) && entry.points.is_none_or(|p| p >= 1.0) {
            let message = "单个字会误伤大量正常消息，请写长一点，或把分降到 1 以下".to_owned();
            remark(found, document, entry.line, Level::Warning, message);
        }
        if let Pattern::Literal(typed) = &entry.pattern
            && typed.chars().any(|c| !c.is_ascii() && emoji::reading(c).is_some())
        {
            let message = format!("词条里的表情会被略过，这一条其实只找“{word}”");
            remark(found, document, entry.line, Level::Warning, message);
        }
        if let Some((file, line)) = first.get(&(category, word.clone())) {
            remark(found, document, entry.line, Level::Hint, format!("和 {file}:{line} 重复"));
        } else {
            first.insert((category, word.clone()), (document.file.clone(), entry.line));
        }
        for (folded, name) in &names {
            if folded.contains(word.as_str()) {
                let message = format!("“{name}”是自己的名字，里面含有这个词条，单独出现在名字里时不会命中");
                remark(found, document, entry.line, Level::Warning, message);
            }
        }
        if entry.homophone == Some(true)
            && let Some(key) = word.chars().map(|c| sounds::all(c).first().copied()).collect::<Option<Vec<u16>>>()
        {
            match heard.get(&key) {
                Some((other, file, line)) if other != word => {
                    remark(found, document, entry.line, Level::Hint, format!("和 {file}:{line} 读音相同"));
                }
                Some(_) => {}
                None => drop(heard.insert(key, (word.clone(), document.file.clone(), entry.line))),
            }
        }
        if entry.allow.iter().any(|phrase| fold(phrase) == *word) {
            let message = "被自己的“允许”整个抵消，永远不会命中".to_owned();
            remark(found, document, entry.line, Level::Warning, message);
        }
    }
    let by_word: HashMap<_, _> = literals
        .iter()
        .map(|(d, e, w)| ((d.category, w.as_str()), (e.points.unwrap_or(2.0), d.file.clone(), e.line)))
        .collect();
    for (document, entry, word) in &literals {
        let chars: Vec<char> = word.chars().collect();
        let points = entry.points.unwrap_or(2.0);
        let parts = (0..chars.len()).flat_map(|a| (a + 2..=chars.len()).map(move |b| (a, b)));
        let shadow = parts.filter(|(a, b)| b - a < chars.len()).find_map(|(a, b)| {
            let part: String = chars[a..b].iter().collect();
            by_word
                .get(&(document.category, part.as_str()))
                .filter(|(other, ..)| *other >= points)
                .map(|(_, file, line)| (part.clone(), file.clone(), *line))
        });
        if let Some((part, file, line)) = shadow {
            let message = format!("里面的“{part}”（{file}:{line}）已经够了，这一条不起作用");
            remark(found, document, entry.line, Level::Hint, message);
        }
    }
}

/// Allow-phrases that contain no word of their category cancel nothing.
fn allows(documents: &[Document], found: &mut Vec<Lint>) {
    let today = jiff::civil::Date::constant(2000, 1, 1);
    let Ok(index) = Index::build(documents, &[], today) else { return };
    let touches = |phrase: &str, wanted: &dyn Fn(&super::index::Compiled) -> bool| {
        let view = View::new(phrase);
        index.touched(&view).iter().any(|entry| wanted(&index.entries[*entry]))
    };
    for document in documents {
        for (line, phrase) in document.allows() {
            if !touches(phrase, &|c| Some(c.category) == document.category) {
                let message = format!("允许短语“{phrase}”里没有这一类的词条，不起作用");
                remark(found, document, line, Level::Hint, message);
            }
        }
        for entry in document.entries() {
            for phrase in &entry.allow {
                let place = format!("{}:{}", document.file, entry.line);
                if matches!(entry.pattern, Pattern::Literal(_)) && !touches(phrase, &|c| *c.place == *place) {
                    let message = format!("允许短语“{phrase}”里没有这个词条，不起作用");
                    remark(found, document, entry.line, Level::Hint, message);
                }
            }
        }
    }
}

fn ordinary(lists: &Lists, sample: &[String], found: &mut Vec<Lint>) {
    let today = jiff::civil::Date::constant(2000, 1, 1);
    let Ok(detector) = Detector::build(lists, Settings::new(today)) else { return };
    let mut counts: HashMap<Arc<str>, (usize, f32)> = HashMap::new();
    for text in sample {
        let report = evaluate::judge(&detector, text, false);
        let mut seen: Vec<Arc<str>> = Vec::new();
        for finding in report.findings {
            let Some(entry) = finding.entry.filter(|e| e.contains(".txt:") && !seen.contains(e)) else { continue };
            let count = counts.entry(entry.clone()).or_default();
            count.0 += 1;
            count.1 = count.1.max(finding.score);
            seen.push(entry);
        }
    }
    for (place, (hits, points)) in counts {
        let share = hits as f64 / sample.len().max(1) as f64;
        if sample.len() < SAMPLE_MIN || share < ORDINARY_SHARE || points < detector.settings().scores.review {
            continue;
        }
        let Some((file, line)) = place.rsplit_once(':') else { continue };
        found.push(Lint {
            file: file.into(),
            line: line.parse().unwrap_or_default(),
            level: Level::Warning,
            message: format!("在 {:.1}% 的日常消息里命中，会误伤", share * 100.0),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str, names: &[String], sample: Option<&[String]>) -> Vec<String> {
        let mut lists = Lists::default();
        lists.insert("ads/x.txt", text.to_owned());
        lint::<std::hash::RandomState>(&lists, names, sample, None).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn dangerous_and_useless_lines_are_named() {
        let text = "加\n代购\n代购包税\n代购\n好房\n刷单 | 允许=刷单\n推广 | 允许=没有它\n允许：毫无关系\n补🥚\n";
        let found = messages(text, &["好房网".to_owned()], None);
        let all = found.join("\n");
        for part in [
            "ads/x.txt:1: 单个字",
            "x.txt:3: 里面的“代购”",
            "x.txt:4: 和 ads/x.txt:2 重复",
            "x.txt:5: “好房网”",
            "x.txt:6: 被自己",
            "x.txt:7: 允许短语",
            "x.txt:8: 允许短语",
            "x.txt:9: 词条里的表情会被略过，这一条其实只找“补”",
        ] {
            assert!(all.contains(part), "{part} in\n{all}");
        }
    }

    #[test]
    fn an_entry_that_hits_ordinary_messages_is_named() {
        let sample: Vec<String> =
            (0..300).map(|i| if i % 10 == 0 { "今天看房吗".into() } else { format!("好的{i}") }).collect();
        let found = messages("看房\n稳赚\n", &[], Some(&sample));
        assert_eq!(found, ["ads/x.txt:1: 在 10.0% 的日常消息里命中，会误伤"]);
    }
}
