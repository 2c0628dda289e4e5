//! Numbers in disguise: `①③８ ooo 一二三四`, `幺三八`, `1-3-8` read as ASCII digits, with the way back to what was typed.
//! The folded text keeps 一 as 一; only here is it a digit, and only beside other digits.

use super::marks::Break;
use super::normalized::Normalized;
use super::{Steps, Transform};

/// Most characters dropped between two digits of one number.
const MOST_GAP: u8 = 3;

/// A number as it was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigitRun {
    /// ASCII digits.
    pub digits: String,
    /// First original character.
    pub start: usize,
    /// One past the last original character.
    pub end: usize,
    /// First folded character.
    pub folded_start: usize,
    /// One past the last folded character.
    pub folded_end: usize,
    /// How it was disguised; empty for plain digits.
    pub transforms: Vec<Transform>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A digit.
    Plain,
    /// A Han numeral.
    Han,
    /// A letter that looks like a digit, or a word of radio speech: only between digits.
    Loose,
}

fn read(c: char) -> Option<(char, Kind)> {
    if c.is_ascii_digit() {
        return Some((c, Kind::Plain));
    }
    let (digit, kind) = match c {
        '零' => ('0', Kind::Han),
        '一' | '壹' | '弌' => ('1', Kind::Han),
        '二' | '贰' | '弍' => ('2', Kind::Han),
        '三' | '叁' | '弎' | '参' => ('3', Kind::Han),
        '四' | '肆' => ('4', Kind::Han),
        '五' | '伍' => ('5', Kind::Han),
        '六' | '陆' => ('6', Kind::Han),
        '七' | '柒' | '漆' => ('7', Kind::Han),
        '八' | '捌' => ('8', Kind::Han),
        '九' | '玖' => ('9', Kind::Han),
        'o' | '洞' | '欧' | '灵' | '铃' | '玲' => ('0', Kind::Loose),
        'l' | 'i' | '幺' | '妖' | '衣' | '医' | '依' => ('1', Kind::Loose),
        'z' | '两' | '俩' | '尔' | '而' | '耳' => ('2', Kind::Loose),
        '伞' | '散' | '山' => ('3', Kind::Loose),
        '丝' | '司' | '死' | '寺' => ('4', Kind::Loose),
        's' | '吾' | '舞' | '屋' | '午' => ('5', Kind::Loose),
        'b' | '溜' | '流' | '留' | '刘' => ('6', Kind::Loose),
        '拐' | '妻' | '期' | '气' | '齐' => ('7', Kind::Loose),
        '巴' | '吧' | '爸' | '霸' => ('8', Kind::Loose),
        'g' | 'q' | '勾' | '久' | '酒' | '就' | '狗' => ('9', Kind::Loose),
        _ => return None,
    };
    Some((digit, kind))
}

/// All runs of two or more digits, in order. A run may hold separators and emoji, but no end of a sentence unless the
/// digits go on as digits; Han numerals count when at least two of them touch or other digits are beside; letters and
/// radio words (幺洞拐勾) count only inside a run that has at least as many real digits.
pub fn runs(text: &Normalized) -> impl Iterator<Item = DigitRun> + '_ {
    long_runs(text, 2)
}

/// The same without those that cannot have `least` digits.
pub fn long_runs(text: &Normalized, least: usize) -> impl Iterator<Item = DigitRun> + '_ {
    let folded = text.folded();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < folded.len() {
            let start = at;
            if read(folded[at]).is_none() {
                at += 1;
                continue;
            }
            at += 1;
            while at < folded.len() {
                let gap = text.gap(at);
                if read(folded[at]).is_none() || gap.len > MOST_GAP || gap.kind == Break::Sentence {
                    break;
                }
                at += 1;
            }
            if at - start >= least
                && let Some(run) = run(text, start, at)
            {
                return Some(run);
            }
        }
        None
    })
}

fn run(text: &Normalized, mut start: usize, mut end: usize) -> Option<DigitRun> {
    let folded = text.folded();
    let kind = |i: usize| read(folded[i]).map(|(_, kind)| kind);
    let certain = |range: std::ops::Range<usize>| range.filter(|i| kind(*i) != Some(Kind::Loose)).count();
    // A loose character at an edge is an ordinary letter or word unless it stands in a long number (幺三八…, 138ooo).
    if certain(start..end) * 2 < end - start || end - start < 5 || touches_letter(text, start, end) {
        while start < end && kind(start) == Some(Kind::Loose) {
            start += 1;
        }
        while start < end && kind(end - 1) == Some(Kind::Loose) {
            end -= 1;
        }
    }
    if end - start < 2 || certain(start..end) * 2 < end - start {
        // Too few real digits: take the longest stretch of them.
        let mut best = start..start;
        let mut from = start;
        for i in start..=end {
            if i == end || kind(i) == Some(Kind::Loose) {
                if i - from > best.len() {
                    best = from..i;
                }
                from = i + 1;
            }
        }
        if best.len() < 2 {
            return None;
        }
        (start, end) = (best.start, best.end);
    }
    let mut steps = text.transforms(start..end).into_iter().fold(Steps::default(), |all, s| all | Steps::of(s));
    let digits = (start..end)
        .filter_map(|i| {
            let (digit, kind) = read(folded[i])?;
            match kind {
                Kind::Plain => {}
                Kind::Han => steps.insert(Transform::Digit),
                Kind::Loose if folded[i].is_ascii() => steps.insert(Transform::Lookalike),
                Kind::Loose => steps.insert(Transform::Homophone),
            }
            Some(digit)
        })
        .collect();
    let origin = text.origin(start..end);
    Some(DigitRun {
        digits,
        start: origin.start,
        end: origin.end,
        folded_start: start,
        folded_end: end,
        transforms: steps.iter().collect(),
    })
}

/// A letter that is no digit touches the run: then its outer letters belong to a word (`q123`, `app1`).
fn touches_letter(text: &Normalized, start: usize, end: usize) -> bool {
    let folded = text.folded();
    let letter = |i: usize| folded[i].is_ascii_alphabetic();
    (start > 0 && letter(start - 1) && text.gap(start).kind == Break::None)
        || (end < folded.len() && letter(end) && text.gap(end).kind == Break::None)
}
