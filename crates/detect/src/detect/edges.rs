//! A word stands in a sentence: 门口交接钥匙 is 门口 and 交接, and what a list has of 口交 does not stand there. A hit counts where
//! the words around it leave it its edges.

use std::cell::{OnceCell, RefCell};

use super::view::{Gap, Span, View};
use crate::text::is_han;
use crate::text::ordinary::Paths;

/// How rare a listed word of two characters is at most, in the measure of [`Paths`]: it may be slang that no dictionary has …
const LISTED: f32 = 14.0;
/// … and what each further character adds.
const LISTED_MORE: f32 = 4.0;
/// How much less likely than another reading a word may be that has one edge inside another word …
const ONE_EDGE: f32 = 4.0;
/// … how much likelier it has to be if both edges are …
const BOTH_EDGES: f32 = 8.0;
/// … and how much less likely a character may be as a word of its own.
const ALONE: f32 = 5.0;

/// What counts something is no part of a word that has it: 五千, 三块.
const UNITS: &str = "十百千万亿元块毛角";
const NUMERALS: &str = "0123456789一二三四五六七八九十百千两几";

thread_local! {
    /// Buffers of messages before.
    static SPARE: RefCell<Vec<Paths>> = const { RefCell::new(Vec::new()) };
}

/// How much likelier the word has to be than a reading whose longer word goes on beyond its end (`三级｜片区`), not to be in
/// doubt …
const DOUBT_BEYOND: f32 = 4.0;
/// … and how much likelier the word has to be than one that gives away both.
const DOUBT_ACROSS: f32 = 12.0;

/// Whether a word stands where somebody sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stand {
    /// It may merely be there because two words meet: a person has to look.
    Doubtful,
    /// It does.
    Sure,
}

/// The edges of words in one message; read when the first hit asks.
pub(super) struct Edges<'v> {
    view: &'v View,
    paths: OnceCell<Paths>,
}

impl Drop for Edges<'_> {
    fn drop(&mut self) {
        SPARE.with_borrow_mut(|spare| spare.extend(self.paths.take()));
    }
}

impl<'v> Edges<'v> {
    pub(super) const fn of(view: &'v View) -> Self {
        Self { view, paths: OnceCell::new() }
    }

    /// A word, or one that sounds like it, may stand there.
    pub(super) fn leave(&self, span: Span, heard: bool) -> bool {
        self.stand(span, heard).is_some()
    }

    /// How sure it is that a word, or one that sounds like it, stands there; `None` if it does not.
    ///
    /// A longer word with the same beginning or end (强奸罪) takes nothing away from it, but from a single character (增加).
    pub(super) fn stand(&self, span: Span, heard: bool) -> Option<Stand> {
        let length = span.end - span.start;
        if length == 0 || !(self.glued(span.start) || self.glued(span.end)) {
            return Some(Stand::Sure);
        }
        let chars = &self.view.chars;
        if length == 1
            && span.start > 0
            && UNITS.contains(chars[span.start])
            && NUMERALS.contains(chars[span.start - 1])
        {
            return Some(Stand::Sure);
        }
        let gap = &self.view.gap;
        let paths = self.paths.get_or_init(|| {
            let mut paths = SPARE.with_borrow_mut(Vec::pop).unwrap_or_default();
            paths.read(chars, |i| gap[i] != Gap::None);
            paths
        });
        let around = paths.around(span.start, span.end);
        if length == 1 {
            return (around.alone <= around.covered.min(around.across) + ALONE).then_some(Stand::Sure);
        }
        // What is set apart or only sounds like it is no word that somebody wrote.
        let written = !heard && gap[span.start + 1..span.end].iter().all(|gap| *gap == Gap::None);
        let listed = if written { LISTED + LISTED_MORE * (length - 2) as f32 } else { f32::INFINITY };
        let word = around.alone - (around.inside - listed).max(0.0);
        let stands = word <= around.beside + ONE_EDGE && word + BOTH_EDGES <= around.across;
        let sure =
            word <= around.beside && word + DOUBT_BEYOND <= around.beyond && word + DOUBT_ACROSS <= around.across;
        stands.then_some(if sure { Stand::Sure } else { Stand::Doubtful })
    }

    /// The same for a word of another reading that was typed there: of a character typed twice one is enough.
    pub(super) fn leave_typed(&self, mut span: Span, heard: bool) -> bool {
        let chars = &self.view.chars;
        while span.start + 2 < span.end && chars[span.start] == chars[span.start + 1] {
            span.start += 1;
        }
        while span.start + 2 < span.end && chars[span.end - 1] == chars[span.end - 2] {
            span.end -= 1;
        }
        self.leave(span, heard)
    }

    /// A word may lie across the place before a character.
    fn glued(&self, at: usize) -> bool {
        let View { chars, gap, .. } = self.view;
        at > 0 && at < chars.len() && gap[at] == Gap::None && is_han(chars[at]) && is_han(chars[at - 1])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use super::*;
    use crate::detect::lexicon::{Pattern, Term};
    use crate::detect::{Detector, Lists, Settings, Verdict, evaluate};
    use crate::text::ordinary;

    /// The word stands in the text.
    fn stands(text: &str, word: &str) -> bool {
        let view = View::new(text);
        let word: Vec<char> = word.chars().collect();
        let start = view.chars.windows(word.len()).position(|w| w == word).unwrap();
        Edges::of(&view).leave(Span { start, end: start + word.len() }, false)
    }

    #[test]
    fn a_word_stands_where_the_words_around_it_leave_room() {
        for (text, word) in [
            ("你个傻逼", "傻逼"),
            ("大傻逼东西", "傻逼"),
            ("真他妈的难吃", "他妈"),
            ("判了强奸罪", "强奸"),
            ("加微信群", "加"),
            ("月薪才五千", "千"),
            ("请加一下", "加"),
            ("裸聊软件", "裸聊"),
            ("线上下注赢钱", "下注"),
            ("卧槽尼玛的", "槽尼玛"),
        ] {
            assert!(stands(text, word), "{text}");
        }
        for (text, word) in [
            ("路口交警在指挥", "口交"),
            ("楼下注水试压", "下注"),
            ("库存增加了", "加"),
            ("门店零售价", "售"),
            ("机器人体检报告", "人体"),
            ("路口 交警", "口交"),
        ] {
            assert!(!stands(text, word), "{text}");
        }
    }

    #[test]
    fn where_two_everyday_words_may_meet_a_person_has_to_look() {
        let stand = |text: &str, word: &str| {
            let view = View::new(text);
            let start = text[..text.find(word).unwrap()].chars().count();
            Edges::of(&view).stand(Span { start, end: start + word.chars().count() }, false)
        };
        for (text, word) in [
            ("去窗口交材料", "口交"),
            ("三号窗口交材料", "口交"),
            ("三级片区经理会议", "三级片"),
            ("辣鸡翅到货", "辣鸡"),
            ("狗日粮一袋", "狗日"),
        ] {
            assert_ne!(stand(text, word), Some(Stand::Sure), "{text}");
        }
        for (text, word) in [("辣鸡公司", "辣鸡"), ("她给我口交", "口交"), ("你个傻逼", "傻逼"), ("裸聊软件", "裸聊")]
        {
            assert_eq!(stand(text, word), Some(Stand::Sure), "{text}");
        }
    }

    /// The commonest words by each of their beginnings and ends that a listed word has, too.
    fn commonest<'w>(words: &'w [(String, f32)], parts: &BTreeSet<&str>, end: bool) -> HashMap<&'w str, Vec<&'w str>> {
        let mut found: HashMap<&str, Vec<&str>> = HashMap::new();
        for (word, _) in words {
            for (cut, _) in word.char_indices().skip(1) {
                let part = if end { &word[cut..] } else { &word[..cut] };
                if parts.contains(part) {
                    let known = found.entry(part).or_default();
                    if known.len() < COMMONEST {
                        known.push(word);
                    }
                }
            }
        }
        found
    }

    /// Words tried for each part of an entry.
    const COMMONEST: usize = 5;

    #[test]
    fn no_entry_that_ships_acts_where_two_everyday_words_meet() {
        let detector = Detector::build(&Lists::shipped(), Settings::new(jiff::civil::date(2026, 1, 1))).unwrap();
        let judge = |text: &str| evaluate::judge(&detector, text, false);
        let documents = Lists::shipped().parse().unwrap();
        let mut listed: BTreeSet<&str> = BTreeSet::new();
        for document in &documents {
            for entry in document.entries() {
                match &entry.pattern {
                    Pattern::Literal(word) => _ = listed.insert(word),
                    Pattern::Near(terms) => listed.extend(terms.iter().filter_map(|near| match &near.term {
                        Term::Word(word) => Some(word.as_str()),
                        Term::Group(_) => None,
                    })),
                    Pattern::Regex(_) | Pattern::Address(_) => {}
                }
            }
            listed.extend(document.groups().flat_map(|group| group.words.iter().map(String::as_str)));
        }
        listed.retain(|word| {
            word.chars().count() > 1 && word.chars().all(is_han) && judge(word).verdict != Verdict::Clean
        });
        let cuts = |word: &'static str| word.char_indices().skip(1).map(move |(cut, _)| word.split_at(cut));
        let listed: Vec<&'static str> = listed.into_iter().map(|word| &*word.to_owned().leak()).collect();
        let mut words: Vec<(String, f32)> = ordinary::words().collect();
        words.sort_by(|a, b| a.1.total_cmp(&b.1));
        let ends = listed.iter().flat_map(|word| cuts(word)).map(|(first, _)| first).collect();
        let begins = listed.iter().flat_map(|word| cuts(word)).map(|(_, second)| second).collect();
        let (ends, begins) = (commonest(&words, &ends, true), commonest(&words, &begins, false));
        let mut clean: HashMap<&str, bool> = HashMap::new();
        let mut is_clean = |word| *clean.entry(word).or_insert_with(|| judge(word).verdict == Verdict::Clean);
        let (mut tried, mut seen, mut acted) = (0, Vec::new(), Vec::new());
        for word in &listed {
            for (first, second) in cuts(word) {
                for before in ends.get(first).into_iter().flatten().filter(|word| is_clean(word)).collect::<Vec<_>>() {
                    for after in begins.get(second).into_iter().flatten().filter(|word| is_clean(word)) {
                        let text = format!("{before}{after}");
                        let report = judge(&text);
                        tried += 1;
                        if report.verdict != Verdict::Clean {
                            seen.push(text.clone());
                        }
                        // Another entry may have one of the two words as a whole.
                        let across = |start: usize, end: usize| start > 0 && end < text.chars().count();
                        if report.verdict == Verdict::Act
                            && report.findings.iter().any(|f| f.score > 0.0 && across(f.start, f.end))
                        {
                            acted.push(text);
                        }
                    }
                }
            }
        }
        assert!(tried > 20_000, "{tried}");
        assert!(seen.len() * 100 <= tried, "{} of {tried}: {seen:?}", seen.len());
        assert!(acted.is_empty(), "{acted:?}");
    }
}
