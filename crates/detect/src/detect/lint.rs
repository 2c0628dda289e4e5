//! 词库体检: what is dangerous or useless in the wordlists, before it hits an honest message.

mod everyday;
mod heard;

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::addresses::Address;
use super::detector::Settings;
use super::index::Index;
use super::lexicon::{self, Document, Entry, Lists, Pattern};
use super::own::OwnRules;
use super::view::{View, fold};
use super::{Detector, evaluate};
use crate::model::{Category, Stage};
use crate::text::{emoji, ordinary};

/// Share of ordinary messages that one entry may hit, unless the caller says another.
pub const ORDINARY_SHARE: f64 = 0.005;

/// A word rarer than this is hardly ever written ([`ordinary::rarity`]).
const EVERYDAY: f32 = 13.0;

/// Fewer hits among messages that nobody called ordinary say nothing.
const FEW: usize = 3;

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
    /// The line is not as it ships.
    pub own: bool,
    /// In Chinese.
    pub message: String,
}

impl std::fmt::Display for Lint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// What is known about the company besides its lists.
#[derive(Clone, Debug)]
pub struct Company<'a> {
    /// Brands, products, staff.
    pub names: &'a [String],
    /// Messages.
    pub sample: Option<&'a [String]>,
    /// Somebody chose them as ordinary ones; else they are whatever was said, real violations among them.
    pub ordinary: bool,
    /// Share of them that one entry may hit.
    pub share: f64,
    /// Entries (`file:line`) that hit stored messages, and over how many days.
    pub hits: Option<(&'a HashSet<String>, i64)>,
    /// The present day.
    pub today: Date,
}

/// Examines the lists; lines that are wrong are [`Lists::read_all`]'s to tell.
pub fn lint(lists: &Lists, company: &Company<'_>) -> Vec<Lint> {
    let (documents, _) = lists.read_all();
    let mut found = Vec::new();
    let own = OwnRules::of(lists, &documents);
    let words = Words::of(&documents, &own);
    words.alone(company.names, &mut found);
    words.twice(&documents, &mut found);
    words.shadowed(&mut found);
    words.cancelled(&documents, &mut found);
    heard::remarks(&words, &mut found);
    allows(&documents, &mut found);
    for (document, entry) in all(&documents) {
        if let Some(last) = entry.expires.filter(|last| *last < company.today) {
            remark(&mut found, document, entry.line, Level::Hint, format!("{last} 已经到期，不再起作用"));
        } else if let Some((hits, days)) = company.hits
            && !hits.contains(&entry.place(&document.file))
        {
            let message = format!("{days} 天没有命中过，可以考虑删掉");
            remark(&mut found, document, entry.line, Level::Hint, message);
        }
    }
    let detector = LazyCell::new(|| Detector::load(lists, Settings::new(Date::constant(2000, 1, 1))).0);
    if documents.iter().any(|document| own.has(&document.file)) {
        everyday::remarks(&documents, &own, &detector, &mut found);
    }
    if let Some(sample) = company.sample {
        ordinary(&detector, sample, company, &mut found);
    }
    let shipped_lists = Lists::shipped();
    let shipped: HashMap<&str, HashSet<&str>> =
        shipped_lists.iter().map(|(name, text)| (&**name, text.lines().collect())).collect();
    let texts: HashMap<&str, Vec<&str>> = lists.iter().map(|(name, text)| (&**name, text.lines().collect())).collect();
    for lint in &mut found {
        let line = texts.get(&*lint.file).and_then(|lines| lines.get(lint.line - 1)).copied().unwrap_or_default();
        let ships = lint.file.starts_with(lexicon::BENEATH);
        lint.own = !ships && shipped.get(&*lint.file).is_none_or(|lines| !lines.contains(line));
    }
    found.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    found
}

fn all(documents: &[Document]) -> impl Iterator<Item = (&Document, &Entry)> {
    documents.iter().flat_map(|d| d.entries().map(move |e| (d, &**e)))
}

fn remark(found: &mut Vec<Lint>, document: &Document, line: usize, level: Level, message: String) {
    found.push(Lint { file: document.file.clone(), line, level, own: false, message });
}

/// Entries that look for one word, those that ship first: what an admin added is what is too much.
struct Words<'d>(Vec<Word<'d>>);

struct Word<'d> {
    document: &'d Document,
    entry: &'d Entry,
    category: Category,
    typed: &'d str,
    folded: String,
    points: f32,
    stage: Stage,
}

impl<'d> Words<'d> {
    fn of(documents: &'d [Document], own: &OwnRules) -> Self {
        let word = |(document, entry): (&'d Document, &'d Entry)| {
            let Pattern::Literal(typed) = &entry.pattern else { return None };
            let category = document.category?;
            let own = own.stage_of(&document.file, entry);
            let stage = own.unwrap_or(entry.stage);
            let points = entry.points.unwrap_or(2.0);
            Some((own.is_some(), Word { document, entry, category, typed, folded: fold(typed), points, stage }))
        };
        let mut words: Vec<(bool, Word<'d>)> = all(documents).filter_map(word).collect();
        words.sort_by_key(|(own, _)| *own);
        Self(words.into_iter().map(|(_, word)| word).collect())
    }

    /// What is wrong with an entry by itself.
    fn alone(&self, names: &[String], found: &mut Vec<Lint>) {
        let names: Vec<(String, &String)> = names.iter().map(|n| (fold(n), n)).collect();
        for Word { document, entry, typed, folded: word, .. } in &self.0 {
            let common = |c: char| ordinary::rarity(c) < ordinary::RARE;
            if word.chars().count() == 1 && word.chars().all(common) && entry.points.is_none_or(|p| p >= 1.0) {
                let message = "单个字会误伤大量正常消息，请写长一点，或把分降到 1 以下".to_owned();
                remark(found, document, entry.line, Level::Warning, message);
            }
            if typed.chars().any(|c| !c.is_ascii() && emoji::reading(c).is_some()) {
                let message = format!("词条里的表情会被略过，这一条其实只找“{word}”");
                remark(found, document, entry.line, Level::Warning, message);
            }
            for (_, name) in names.iter().filter(|(folded, _)| folded.contains(word.as_str())) {
                let message = format!("“{name}”是自己的名字，里面含有这个词条，单独出现在名字里时不会命中");
                remark(found, document, entry.line, Level::Warning, message);
            }
        }
    }

    /// The same entry twice.
    fn twice(&self, documents: &[Document], found: &mut Vec<Lint>) {
        let words = self.0.iter().map(|w| (w.document, w.entry, w.category, w.folded.clone()));
        let others = all(documents)
            .filter(|(_, entry)| !matches!(entry.pattern, Pattern::Literal(_)))
            .filter_map(|(d, entry)| Some((d, entry, d.category?, format!("{:?}", entry.pattern))));
        let mut first: HashMap<(Category, String), (&Document, usize)> = HashMap::new();
        for (document, entry, category, what) in words.chain(others) {
            if let Some((other, line)) = first.get(&(category, what.clone())) {
                let message = format!("和 {}:{line} 重复", other.file);
                remark(found, document, entry.line, Level::Hint, message);
            } else {
                first.insert((category, what), (document, entry.line));
            }
        }
    }

    /// An entry with another inside that already says as much.
    fn shadowed(&self, found: &mut Vec<Lint>) {
        let by_word: HashMap<_, _> = self.0.iter().rev().map(|w| ((w.category, w.folded.clone()), w)).collect();
        for word in &self.0 {
            let chars: Vec<char> = word.folded.chars().collect();
            let parts = (0..chars.len()).flat_map(|a| (a + 2..=chars.len()).map(move |b| (a, b)));
            let shadow = parts.filter(|(a, b)| b - a < chars.len()).find_map(|(a, b)| {
                let key = (word.category, chars[a..b].iter().collect::<String>());
                let other = by_word.get(&key)?;
                let part = key.1;
                // `vx` is not found inside `vxq`.
                let cut = |at: usize| {
                    let sides = [at.checked_sub(1).and_then(|i| chars.get(i)), chars.get(at)];
                    [char::is_ascii_alphabetic, char::is_ascii_digit]
                        .iter()
                        .any(|kind| sides.iter().all(|side| side.is_some_and(kind)))
                };
                if cut(a) || cut(b) {
                    return None;
                }
                (other.points >= word.points && other.stage >= word.stage).then_some((part, other))
            });
            if let Some((part, other)) = shadow {
                let place = format!("{}:{}", other.document.file, other.entry.line);
                let message = format!("里面的“{part}”（{place}）已经够了，这一条不起作用");
                remark(found, word.document, word.entry.line, Level::Hint, message);
            }
        }
    }

    /// An entry that an allow-phrase swallows whole.
    fn cancelled(&self, documents: &[Document], found: &mut Vec<Lint>) {
        let mut allowed: HashMap<(Option<Category>, String), (&Document, usize)> = HashMap::new();
        for document in documents {
            for (line, phrase) in document.allows() {
                allowed.entry((document.category, fold(phrase))).or_insert((document, line));
            }
        }
        for word in &self.0 {
            let message = if word.entry.allow.iter().any(|phrase| fold(phrase) == word.folded) {
                "被自己的“允许”整个抵消，永远不会命中".to_owned()
            } else if let Some((document, line)) = allowed.get(&(Some(word.category), word.folded.clone())) {
                format!("被 {}:{line} 的“允许”整个抵消，永远不会命中", document.file)
            } else {
                continue;
            };
            remark(found, word.document, word.entry.line, Level::Warning, message);
        }
    }
}

/// Allow-phrases that contain no word of their category cancel nothing; a site is allowed by itself.
fn allows(documents: &[Document], found: &mut Vec<Lint>) {
    let today = jiff::civil::Date::constant(2000, 1, 1);
    let (index, _) = Index::build(documents, &[], today);
    let touches = |phrase: &str, wanted: &dyn Fn(&super::index::Compiled) -> bool| {
        let view = View::new(phrase);
        index.touched(&view).iter().any(|entry| wanted(&index.entries[*entry]))
    };
    for document in documents {
        for (line, phrase) in document.allows() {
            let site = Address::read(phrase).is_some();
            if !site && !touches(phrase, &|c| Some(c.category) == document.category) {
                let message = format!("允许短语“{phrase}”里没有这一类的词条，不起作用");
                remark(found, document, line, Level::Hint, message);
            }
        }
        for entry in document.entries() {
            for phrase in &entry.allow {
                let this = |c: &super::index::Compiled| std::ptr::eq(&raw const *c.entry, &raw const **entry);
                if matches!(entry.pattern, Pattern::Literal(_)) && !touches(phrase, &this) {
                    let message = format!("允许短语“{phrase}”里没有这个词条，不起作用");
                    remark(found, document, entry.line, Level::Hint, message);
                }
            }
        }
    }
}

fn ordinary(detector: &Detector, sample: &[String], company: &Company<'_>, found: &mut Vec<Lint>) {
    let mut counts: HashMap<Arc<str>, (usize, f32)> = HashMap::new();
    for text in sample {
        let report = evaluate::judge(detector, text, false);
        let mut seen: Vec<Arc<str>> = Vec::new();
        for finding in report.findings {
            let Some(entry) = finding.entry.filter(|e| lexicon::place(e).is_some() && !seen.contains(e)) else {
                continue;
            };
            let count = counts.entry(entry.clone()).or_default();
            count.0 += 1;
            count.1 = count.1.max(finding.score);
            seen.push(entry);
        }
    }
    for (place, (hits, points)) in counts {
        let share = hits as f64 / sample.len().max(1) as f64;
        let few = !company.ordinary && hits < FEW;
        if few || share <= company.share || points < detector.settings().scores.review {
            continue;
        }
        let Some((file, line, _)) = lexicon::place(&place) else { continue };
        found.push(Lint {
            file: file.into(),
            line,
            level: Level::Warning,
            own: false,
            message: if company.ordinary {
                format!("在 {} 条日常消息里命中 {hits} 条（{:.1}%），会误伤", sample.len(), share * 100.0)
            } else {
                format!("在保存的 {} 条消息里命中 {hits} 条（{:.1}%），请看看是不是误伤", sample.len(), share * 100.0)
            },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = Date::constant(2026, 6, 1);

    pub(super) fn messages(file: &str, text: &str, company: &Company<'_>) -> Vec<String> {
        let mut lists = Lists::default();
        lists.insert(file, text.to_owned());
        lint(&lists, company).iter().map(ToString::to_string).collect()
    }

    pub(super) fn company() -> Company<'static> {
        Company { names: &[], sample: None, ordinary: true, share: ORDINARY_SHARE, hits: None, today: TODAY }
    }

    #[test]
    fn dangerous_and_useless_lines_are_named() {
        let text = "[阶段=执行]\n加\n代购\n代购包税\n代购\n好房\n刷单 | 允许=刷单\n推广 | 允许=没有它\n允许：毫无关系\n补🥚\n\
                    招 ~6 代理\n招 ~6 代理\n允许：新店开业\n新店开业\n允许：good.badsite.com\n过期词 | 到期=2026-05-31\n";
        let names = ["好房网".to_owned()];
        let found = messages("ads/x.txt", text, &Company { names: &names, ..company() });
        let all = found.join("\n");
        for part in [
            "ads/x.txt:2: 单个字",
            "x.txt:4: 里面的“代购”（ads/x.txt:3）",
            "x.txt:5: 和 ads/x.txt:3 重复",
            "x.txt:6: “好房网”",
            "x.txt:7: 被自己",
            "x.txt:8: 允许短语",
            "x.txt:9: 允许短语",
            "x.txt:10: 词条里的表情会被略过，这一条其实只找“补”",
            "x.txt:12: 和 ads/x.txt:11 重复",
            "x.txt:14: 被 ads/x.txt:13 的“允许”整个抵消",
            "x.txt:16: 2026-05-31 已经到期",
        ] {
            assert!(all.contains(part), "{part} in\n{all}");
        }
        assert!(!all.contains("x.txt:15:"), "a site is allowed by itself:\n{all}");
    }

    #[test]
    fn a_word_on_trial_makes_no_other_useless() {
        let mut lists = Lists::shipped();
        lists.insert("ads/own.txt", "需要的\n".to_owned());
        let found = lint(&lists, &company());
        assert!(found.iter().all(|l| !l.message.contains("ads/own.txt:1")), "it only records, the shipped one acts");
        assert!(found.iter().all(|l| l.own == (&*l.file == "ads/own.txt")));
    }

    #[test]
    fn words_that_sound_alike_are_named() {
        let found = messages("ads/x.txt", "[谐音=是]\n微信群\n威信裙\n鱼网\n", &company());
        assert_eq!(found[1], "ads/x.txt:3: 和 ads/x.txt:2 读音相同");
        assert!(found[2].starts_with("ads/x.txt:4: 和常用的“") && found[2].contains("渔网"), "{}", found[2]);
    }

    #[test]
    fn an_entry_that_hits_ordinary_messages_is_named() {
        let sample: Vec<String> =
            (0..300).map(|i| if i % 10 == 0 { "今天去蹦迪吗".into() } else { format!("好的{i}") }).collect();
        let found = messages("ads/x.txt", "蹦迪\n日结躺赚\n", &Company { sample: Some(&sample), ..company() });
        assert_eq!(found, ["ads/x.txt:1: 在 300 条日常消息里命中 30 条（10.0%），会误伤"]);
        let found =
            messages("ads/x.txt", "蹦迪\n日结躺赚\n", &Company { sample: Some(&sample), share: 0.2, ..company() });
        assert_eq!(found, Vec::<String>::new());
        let stored = Company { sample: Some(&sample), ordinary: false, ..company() };
        assert_eq!(
            messages("ads/x.txt", "蹦迪\n", &stored),
            ["ads/x.txt:1: 在保存的 300 条消息里命中 30 条（10.0%），请看看是不是误伤"]
        );
        let stored = Company { sample: Some(&sample[..11]), ordinary: false, ..company() };
        assert_eq!(messages("ads/x.txt", "蹦迪\n", &stored), Vec::<String>::new(), "two hits may be two violations");
    }

    #[test]
    fn an_entry_that_hit_nothing_is_named() {
        let hits = HashSet::from(["ads/x.txt:2".to_owned()]);
        let found = messages("ads/x.txt", "蹦迪\n日结躺赚\n", &Company { hits: Some((&hits, 90)), ..company() });
        assert_eq!(found, ["ads/x.txt:1: 90 天没有命中过，可以考虑删掉"]);
    }
}
