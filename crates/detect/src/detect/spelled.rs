//! Insults of the lists that are not written out: a sign hides a character (`傻*`), a letter or digit stands in between
//! (`傻1逼`), some or all of it is pinyin (`脑can`, `caonima`), or it is written backwards.
//!
//! Only words of the insult lists are looked for: in other talk a digit between two characters counts something and Latin
//! letters are a code. What is guessed or read by sound is soft ([`super::Finding::is_soft`]): it asks a human.

use foldhash::HashMap;

use super::lexicon::{Document, Pattern};
use super::view::{Gap, Span, View, bit, fold};
use crate::model::Category;
use crate::text::{Transform, is_han, sounds};

/// Longest word that is looked for, in characters.
const LONGEST: usize = 4;
/// Fewest points of a word that is looked for.
const LEAST: f32 = 1.0;
/// Letters of a word that is pinyin throughout; shorter ones are abbreviations and English words.
const LEAST_LETTERS: usize = 5;
/// Places that a word may have in a message.
const MOST: usize = 8;
/// Longest run of letters that is read as pinyin.
const LONGEST_RUN: usize = 16;
/// Of a word of two characters one hides the other only if it gives the word away: `李*` is a name.
const TELLING: &str = "傻操艹肏屄屌婊尼脑智妈骚贱煞畜";
/// What says that the message is to be read from its end.
const BACKWARDS: [&str; 8] = ["反过来", "倒过来", "倒着念", "倒着读", "倒着看", "反着念", "反着读", "从右往左"];

/// Signs that hide a character.
fn is_mask(c: char) -> bool {
    matches!(
        c,
        '*' | '＊'
            | '✱'
            | '∗'
            | '×'
            | '✕'
            | '╳'
            | '✖'
            | '○'
            | '◯'
            | '〇'
            | '□'
            | '■'
            | '▇'
            | '█'
            | '▢'
            | '●'
            | '◎'
    )
}

/// A place of a word: the character itself, its sound, or hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Char(char),
    Sound(u16),
    Hidden,
}

/// The words, by every way they may be written.
#[derive(Debug, Default)]
pub struct Speller {
    words: Vec<Vec<char>>,
    ways: HashMap<Vec<Place>, u32>,
}

/// Characters of a message that stand for others.
#[derive(Clone, Debug, PartialEq)]
struct Edit {
    /// Folded characters that go; empty if something is put between two.
    span: Span,
    /// Raw characters it was read from.
    raw: (u32, u32),
    put: Vec<char>,
    step: Transform,
}

/// One place of a message as it may be part of a word.
#[derive(Clone, Copy, Debug)]
struct Unit {
    place: Place,
    /// Folded characters; empty for a sign.
    span: Span,
    raw: (u32, u32),
    /// It begins or ends a run of Latin letters.
    first: bool,
    last: bool,
    /// It touches the one before.
    joined: bool,
}

impl Speller {
    /// Takes the insults of two to four characters.
    pub fn build(documents: &[Document]) -> Self {
        let mut speller = Self::default();
        for document in documents.iter().filter(|d| d.category == Some(Category::Insult)) {
            for entry in document.entries() {
                if let Pattern::Literal(word) = &entry.pattern
                    && entry.points.is_none_or(|points| points >= LEAST)
                {
                    speller.add(fold(word).chars().collect());
                }
            }
        }
        speller
    }

    fn add(&mut self, word: Vec<char>) {
        let latin = word.len() >= LONGEST && word.iter().all(char::is_ascii_lowercase);
        let han = (2..=LONGEST).contains(&word.len()) && word.iter().all(|c| is_han(*c));
        if !latin && !han {
            return;
        }
        let number = self.words.len() as u32;
        let plain: Vec<Place> = word.iter().map(|c| Place::Char(*c)).collect();
        for hidden in 0..word.len() {
            let mut way = plain.clone();
            way[hidden] = Place::Hidden;
            let telling = |c: &char| TELLING.contains(*c);
            if word.len() > 2 || word.iter().enumerate().any(|(i, c)| i != hidden && telling(c)) {
                self.ways.entry(way).or_insert(number);
            }
        }
        if !latin && word.iter().all(|c| sounds::of(*c) != 0) {
            for spelled in 1_u32..1 << word.len() {
                let place = |(i, c): (usize, &char)| {
                    if spelled >> i & 1 == 1 { Place::Sound(sounds::of(*c)) } else { Place::Char(*c) }
                };
                self.ways.entry(word.iter().enumerate().map(place).collect()).or_insert(number);
            }
        }
        if !latin {
            self.ways.entry(plain).or_insert(number);
        }
        self.words.push(word);
    }

    /// The message with the words written out; `None` if there are none.
    pub fn read(&self, view: &View) -> Option<View> {
        let telling = view.raw.iter().any(|c| c.is_ascii_alphanumeric() || is_mask(*c));
        if !telling || self.words.is_empty() || !view.chars.iter().any(|c| is_han(*c) || c.is_ascii_lowercase()) {
            return None;
        }
        let mut edits: Vec<Edit> = Vec::new();
        self.spelled(view, &mut edits);
        self.parted(view, &mut edits);
        self.hidden(view, &mut edits);
        if edits.is_empty() { None } else { Some(apply(view, edits)) }
    }

    /// Pinyin in the place of characters.
    fn spelled(&self, view: &View, edits: &mut Vec<Edit>) {
        if !view.chars.iter().any(char::is_ascii_lowercase) {
            return;
        }
        let mut units: Vec<Unit> = Vec::new();
        let mut i = 0;
        while i < view.chars.len() {
            let joined = i > 0 && view.gap[i] == Gap::None;
            let raw = |span: Span| (view.from[span.start], view.to[span.end - 1]);
            if !view.chars[i].is_ascii_lowercase() {
                let span = Span { start: i, end: i + 1 };
                units.push(Unit {
                    place: Place::Char(view.chars[i]),
                    span,
                    raw: raw(span),
                    first: true,
                    last: true,
                    joined,
                });
                i += 1;
                continue;
            }
            let start = i;
            while i < view.chars.len() && view.chars[i].is_ascii_lowercase() && (i == start || view.gap[i] == Gap::None)
            {
                i += 1;
            }
            let letters = view.folded(Span { start, end: i });
            let glued = view.chars.get(i).is_some_and(char::is_ascii_digit) && view.gap[i] == Gap::None;
            let read = if glued || letters.len() > LONGEST_RUN { None } else { sounds::latin(&letters) };
            let Some(read) = read else {
                let span = Span { start, end: i };
                units.push(Unit { place: Place::Hidden, span, raw: raw(span), first: true, last: true, joined: false });
                continue;
            };
            let count = read.len();
            for (n, (sound, range)) in read.into_iter().enumerate() {
                let span = Span { start: start + range.start, end: start + range.end };
                let joined = n > 0 || joined;
                let (first, last) = (n == 0, n + 1 == count);
                units.push(Unit { place: Place::Sound(sound), span, raw: raw(span), first, last, joined });
            }
        }
        let spelled = |unit: &Unit| matches!(unit.place, Place::Sound(_));
        for window in windows(&units) {
            let letters: usize = window.iter().filter(|u| spelled(u)).map(|u| u.span.end - u.span.start).sum();
            let mixed = window.iter().any(|u| matches!(u.place, Place::Char(c) if is_han(c)));
            if letters == 0 || !mixed && letters < LEAST_LETTERS || mixed && letters < 2 {
                continue;
            }
            self.take(window, Transform::Homophone, edits);
        }
    }

    /// Signs in the place of characters.
    fn hidden(&self, view: &View, edits: &mut Vec<Edit>) {
        if !view.raw.iter().any(|c| is_mask(*c)) {
            return;
        }
        let mut units: Vec<Unit> = Vec::new();
        for i in 0..view.chars.len() {
            let span = Span { start: i, end: i + 1 };
            let before = i.checked_sub(1).map_or(0, |before| view.to[before]);
            push_mask(view, (before, view.from[i]), i, &mut units);
            let masked = is_mask(view.raw[view.from[i] as usize]);
            let place = if masked { Place::Hidden } else { Place::Char(view.chars[i]) };
            let after_mask = units.last().is_some_and(|u| u.span.end == u.span.start && u.raw.1 == view.from[i]);
            let joined = i > 0 && (view.gap[i] == Gap::None || after_mask);
            units.push(Unit { place, span, raw: (view.from[i], view.to[i]), first: true, last: true, joined });
        }
        let end = view.to.last().copied().unwrap_or_default();
        push_mask(view, (end, view.raw.len() as u32), view.chars.len(), &mut units);
        for window in windows(&units) {
            if window.iter().filter(|u| u.place == Place::Hidden).count() == 1 {
                self.take(window, Transform::Masked, edits);
            }
        }
    }

    /// A single letter or digit between two Han characters of a word.
    fn parted(&self, view: &View, edits: &mut Vec<Edit>) {
        let stray = |i: usize| {
            let c = view.chars[i];
            let touches = i > 0 && i + 1 < view.chars.len() && view.gap[i] == Gap::None && view.gap[i + 1] == Gap::None;
            touches
                && (c.is_ascii_alphanumeric() || c == '零' && view.raw[view.from[i] as usize] != '零')
                && is_han(view.chars[i - 1])
                && is_han(view.chars[i + 1])
        };
        if !(0..view.chars.len()).any(stray) {
            return;
        }
        let kept: Vec<usize> = (0..view.chars.len()).filter(|i| !stray(*i)).collect();
        for start in 0..kept.len() {
            for length in 2..=LONGEST.min(kept.len() - start) {
                let at = &kept[start..start + length];
                let (first, last) = (at[0], at[length - 1]);
                // Something stands between every two that do not touch, and it is one stray.
                let close = at.windows(2).all(|pair| pair[1] - pair[0] <= 2 && view.gap[pair[1]] == Gap::None);
                let mut way = [Place::Hidden; LONGEST];
                way.iter_mut().zip(at).for_each(|(place, i)| *place = Place::Char(view.chars[*i]));
                if last - first + 1 > length && close && self.ways.contains_key(&way[..length]) {
                    let span = Span { start: first, end: last + 1 };
                    add(
                        edits,
                        Edit {
                            span,
                            raw: (view.from[first], view.to[last]),
                            put: at.iter().map(|i| view.chars[*i]).collect(),
                            step: Transform::Masked,
                        },
                    );
                }
            }
        }
    }

    fn take(&self, window: &[Unit], step: Transform, edits: &mut Vec<Edit>) {
        let mut way = [Place::Hidden; MOST];
        way.iter_mut().zip(window).for_each(|(place, unit)| *place = unit.place);
        let Some(word) = self.ways.get(&way[..window.len()]) else { return };
        let (first, last) = (window[0], window[window.len() - 1]);
        add(
            edits,
            Edit {
                span: Span { start: first.span.start, end: last.span.end },
                raw: (first.raw.0, last.raw.1),
                put: self.words[*word as usize].clone(),
                step,
            },
        );
    }
}

/// A run of masks between two characters, as one hidden place.
fn push_mask(view: &View, (from, to): (u32, u32), at: usize, units: &mut Vec<Unit>) {
    // Several characters may come from one.
    let between = view.raw.get(from as usize..to as usize).unwrap_or_default();
    if between.is_empty() || !between.iter().all(|c| is_mask(*c)) || between.len() > 3 {
        return;
    }
    let span = Span { start: at, end: at };
    units.push(Unit { place: Place::Hidden, span, raw: (from, to), first: true, last: true, joined: at > 0 });
}

/// Two to as many units as a Latin word may have, all of which touch and none of which is torn out of a run of letters.
fn windows(units: &[Unit]) -> impl Iterator<Item = &[Unit]> {
    (0..units.len()).flat_map(move |start| {
        let touching = units[start + 1..].iter().take(MOST - 1).take_while(|unit| unit.joined).count();
        let whole = move |end: &usize| units[start].first && units[*end - 1].last;
        (start + 2..=start + 1 + touching).filter(whole).map(move |end| &units[start..end])
    })
}

fn add(edits: &mut Vec<Edit>, edit: Edit) {
    if !edits.iter().any(|other| other.span.touches(edit.span) || other.span == edit.span) {
        edits.push(edit);
    }
}

/// The view with every edit made.
fn apply(view: &View, mut edits: Vec<Edit>) -> View {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut other = View { raw: view.raw.clone(), ..View::default() };
    let mut at = 0;
    let copy = |other: &mut View, range: std::ops::Range<usize>| {
        other.chars.extend_from_slice(&view.chars[range.clone()]);
        other.from.extend_from_slice(&view.from[range.clone()]);
        other.to.extend_from_slice(&view.to[range.clone()]);
        other.gap.extend_from_slice(&view.gap[range.clone()]);
        other.steps.extend_from_slice(&view.steps[range]);
    };
    for edit in edits {
        copy(&mut other, at..edit.span.start);
        for (n, c) in edit.put.iter().enumerate() {
            other.chars.push(*c);
            other.from.push(edit.raw.0);
            other.to.push(edit.raw.1);
            other.gap.push(if n == 0 { view.gap.get(edit.span.start).copied().unwrap_or_default() } else { Gap::None });
            other.steps.push(bit(edit.step));
        }
        at = edit.span.end;
    }
    copy(&mut other, at..view.chars.len());
    other.hear();
    other
}

/// The message read from its end, if it says so itself or a control character makes it show that way.
pub fn backwards(view: &View) -> Option<View> {
    let turned = view.raw.iter().any(|c| matches!(c, '\u{202e}' | '\u{202b}' | '\u{2067}'));
    let says = || view.chars.iter().any(|c| matches!(c, '反' | '倒' | '从')) && view.says(&BACKWARDS);
    if !turned && !says() {
        return None;
    }
    let length = view.chars.len();
    let (from, to) = (*view.from.first()?, *view.to.last()?);
    let mut other = View {
        raw: view.raw.clone(),
        chars: view.chars.iter().rev().copied().collect(),
        from: vec![from; length],
        to: vec![to; length],
        gap: (0..length).map(|i| if i == 0 { Gap::None } else { view.gap[length - i] }).collect(),
        steps: view.steps.iter().rev().map(|steps| steps | bit(Transform::Reversed)).collect(),
        ..View::default()
    };
    other.hear();
    Some(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let document =
            Document::parse("insult/x.txt", "傻逼\n脑残\n智障\n操你妈\n王八蛋\nfuck\n笨蛋 | 分=0.5\n").unwrap();
        Speller::build(&[document]).read(&View::new(text)).map(|view| view.chars.into_iter().collect())
    }

    #[test]
    fn signs_letters_and_pinyin_stand_for_the_characters_of_an_insult() {
        for (text, expected) in [
            ("你这傻*", "你这傻逼"),
            ("傻**的东西", "傻逼的东西"),
            ("操*妈", "操你妈"),
            ("王＊蛋", "王八蛋"),
            ("f*ck you", "fuckyou"),
            ("傻1逼", "傻逼"),
            ("操1你2妈", "操你妈"),
            ("傻〇逼", "傻逼"),
            ("智a障", "智障"),
            ("真是naocan", "真是脑残"),
            ("caonima", "操你妈"),
            ("脑can", "脑残"),
            ("傻bi一个", "傻逼一个"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn names_codes_and_numbers_are_no_insults() {
        for text in [
            "张*明",
            "李*先生",
            "订单 138****0000",
            "第1次",
            "naochan",
            "can you",
            "脑 can",
            "A1货架3*4",
            "caonimax",
            "",
            "*",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_shows_from_its_end_is_read_from_its_end() {
        let chars = |text: &str| backwards(&View::new(text)).map(|view| view.chars.into_iter().collect::<String>());
        assert_eq!(chars("\u{202e}逼傻\u{202c}").as_deref(), Some("傻逼"));
        assert!(chars("残脑，反过来念").is_some_and(|text| text.ends_with("脑残")));
        assert_eq!(chars("残脑"), None);
    }
}
