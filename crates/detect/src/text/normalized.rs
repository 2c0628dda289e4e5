//! One message, folded, with the way back to what was typed.

use std::ops::Range;

use super::marks::{Break, Gap, Mark, is_han};
use super::table::{Entry, Kind, TABLE};
use super::{Steps, Transform, emoji, lookalike, sounds, split};

/// A folded message. `folded` positions index [`Normalized::folded`]; `original` positions count the Unicode scalar
/// values of what was typed.
#[derive(Clone, Debug, Default)]
pub struct Normalized {
    original: Vec<char>,
    folded: Vec<char>,
    /// One for each folded character.
    marks: Vec<Mark>,
    /// It has something that a second reading may read otherwise.
    rewritable: bool,
    /// It has an emoji that stands for a word.
    emoji: bool,
}

/// One typed character and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Position in the original.
    pub at: usize,
    /// What was typed.
    pub original: char,
    /// What it was read as; empty if it was dropped or belongs to the character before.
    pub normalized: String,
    /// The steps, empty if it stayed as it was.
    pub transforms: Vec<Transform>,
}

/// Folds a text.
pub fn normalize(text: &str) -> Normalized {
    let mut normalized = Normalized::default();
    normalized.read(text);
    normalized
}

/// A word of a list, folded like a message.
pub fn fold(text: &str) -> String {
    normalize(text).folded.iter().collect()
}

impl Normalized {
    /// Folds another text into the same buffers.
    pub fn read(&mut self, text: &str) {
        self.original.clear();
        self.original.reserve(text.len());
        self.original.extend(text.chars());
        self.fill(false);
    }

    /// The second reading of the same message: emoji as the words they stand for, split characters joined, repeated
    /// characters collapsed. `None` if it says nothing that the first does not.
    ///
    /// Only hits that use one of these steps are worth having from it: the first reading has the others.
    pub fn rewritten(&self) -> Option<Self> {
        let mut other = Self::default();
        self.rewrite_into(&mut other).then_some(other)
    }

    /// [`Normalized::rewritten`] into buffers that are there already; false if it says nothing new.
    pub fn rewrite_into(&self, other: &mut Self) -> bool {
        self.rewritable && (self.emoji || self.joins()) && self.again(true, other)
    }

    /// The second reading without the emoji, for words between which an emoji is only decoration (`力口❤微信`). `None` where
    /// [`Normalized::rewritten`] says the same.
    pub fn joined(&self) -> Option<Self> {
        let mut other = Self::default();
        self.join_into(&mut other).then_some(other)
    }

    /// [`Normalized::joined`] into buffers that are there already; false if it says nothing new.
    pub fn join_into(&self, other: &mut Self) -> bool {
        self.emoji && self.again(false, other)
    }

    /// Two characters that touch are one, or one stands for another.
    fn joins(&self) -> bool {
        let letter = |c: char| is_han(c) || c.is_ascii_alphabetic();
        let mut pairs = self.folded.windows(2).zip(self.marks.iter().skip(1));
        let meets = |(pair, mark): (&[char], &Mark)| {
            mark.gap.kind == Break::None
                && (pair[0] == pair[1] && letter(pair[0]) || split::join(pair[0], pair[1]).is_some())
        };
        pairs.any(meets) || self.folded.iter().any(|c| split::alone(*c).is_some())
    }

    fn again(&self, read_emoji: bool, other: &mut Self) -> bool {
        other.original.clone_from(&self.original);
        other.fill(read_emoji);
        other.join();
        other.marks.iter().any(|mark| mark.steps.intersects(Steps::REWRITE))
    }

    fn fill(&mut self, rewrite: bool) {
        let table = &*TABLE;
        self.folded.clear();
        self.folded.reserve(self.original.len());
        self.marks.clear();
        self.marks.reserve(self.original.len());
        self.rewritable = false;
        self.emoji = false;
        let mut foreign = false;
        let mut gap = Gap::default();
        let mut i = 0;
        while i < self.original.len() {
            let c = self.original[i];
            let entry = table.get(c);
            if entry.is_plain() {
                self.keep(entry, i, std::mem::take(&mut gap));
                i += 1;
                continue;
            }
            self.rewritable |= entry.rewrites();
            let reading = if entry.rewrites() { emoji::reading(c) } else { None };
            self.emoji |= reading.is_some();
            if rewrite
                && let Some(word) = reading
                // `A+B`, `5G+` and `1+1` add something up.
                && !(word == "加" && i > 0 && self.original[i - 1].is_ascii_alphanumeric())
            {
                // Everybody else reads a plus sign as 加: a name for it and no guess.
                let step = if word == "加" { Transform::Alias } else { Transform::Emoji };
                for word in word.chars() {
                    self.push(word, i, std::mem::take(&mut gap), Steps::of(step));
                }
                i += 1;
                continue;
            }
            let mut drop = |kind: Break| {
                gap.len = gap.len.saturating_add(1);
                gap.kind = gap.kind.max(kind);
            };
            match entry.kind() {
                Kind::Keep => {
                    foreign |= entry.foreign();
                    self.keep(entry, i, std::mem::take(&mut gap));
                }
                Kind::Multi => {
                    for folded in table.multi(entry) {
                        self.push(*folded, i, std::mem::take(&mut gap), entry.steps());
                    }
                }
                Kind::Regional => {
                    let next = self.original.get(i + 1).map(|c| table.get(*c)).filter(|e| e.kind() == Kind::Regional);
                    if next.is_some_and(|next| emoji::is_flag(entry.folded(), next.folded())) {
                        drop(Break::Soft);
                        drop(Break::Soft);
                        i += 1;
                    } else {
                        self.push(entry.folded(), i, std::mem::take(&mut gap), entry.steps());
                    }
                }
                Kind::Soft => drop(Break::Soft),
                Kind::Clause => drop(Break::Clause),
                Kind::Sentence => drop(Break::Sentence),
                Kind::Invisible => drop(Break::None),
                Kind::Combining => {
                    drop(Break::None);
                    // A mark belongs to the character before it; invisible ones may lie between (keycaps).
                    if gap.kind == Break::None
                        && let Some(mark) = self.marks.last_mut()
                    {
                        mark.steps.insert(if c == '\u{20e3}' { Transform::Fancy } else { Transform::Combining });
                    }
                }
            }
            i += 1;
        }
        if foreign {
            lookalike::read(&self.original, &mut self.folded, &mut self.marks);
        }
    }

    #[inline]
    fn keep(&mut self, entry: Entry, at: usize, gap: Gap) {
        let folded = entry.folded();
        self.rewritable |= gap.kind == Break::None && self.folded.last() == Some(&folded);
        self.push(folded, at, gap, entry.steps());
    }

    #[inline]
    fn push(&mut self, c: char, at: usize, gap: Gap, steps: Steps) {
        let gap = if self.folded.is_empty() { Gap::default() } else { gap };
        self.folded.push(c);
        self.marks.push(Mark { from: at as u32, to: at as u32 + 1, gap, steps });
    }

    /// Joins split characters and collapses repeated ones.
    fn join(&mut self) {
        let mut out = 0;
        for i in 0..self.folded.len() {
            let (c, mark) = (self.folded[i], self.marks[i]);
            let touches = out > 0 && mark.gap.kind == Break::None;
            if touches {
                let before = self.folded[out - 1];
                let into = &mut self.marks[out - 1];
                if let Some(whole) = split::join(before, c) {
                    self.folded[out - 1] = whole;
                    into.take_in(mark, Transform::Split);
                    continue;
                }
                let latin_run = c.is_ascii_alphabetic() && self.folded.get(i + 1) == Some(&c);
                let collapsed = into.steps.contains(Transform::Repeat);
                if before == c && (is_han(c) || (c.is_ascii_alphabetic() && (latin_run || collapsed))) {
                    into.take_in(mark, Transform::Repeat);
                    continue;
                }
            }
            self.folded[out] = c;
            self.marks[out] = mark;
            out += 1;
        }
        self.folded.truncate(out);
        self.marks.truncate(out);
        for (c, mark) in self.folded.iter_mut().zip(&mut self.marks) {
            if let Some(whole) = split::alone(*c) {
                *c = whole;
                mark.steps.insert(Transform::Split);
            }
        }
    }

    /// The folded characters.
    pub fn folded(&self) -> &[char] {
        &self.folded
    }

    /// The folded characters as a string.
    pub fn text(&self) -> String {
        self.folded.iter().collect()
    }

    /// What was typed, character by character.
    pub fn typed(&self) -> &[char] {
        &self.original
    }

    /// What lies before a folded character.
    pub fn gap(&self, at: usize) -> Gap {
        self.marks[at].gap
    }

    /// The steps of one folded character, without those of gaps.
    pub fn steps(&self, at: usize) -> Steps {
        self.marks[at].steps
    }

    /// Original positions of a folded range: from its first character to its last, gaps inside included.
    pub fn origin(&self, range: Range<usize>) -> Range<usize> {
        if range.is_empty() {
            let at = self.marks.get(range.start).map_or(self.original.len(), |mark| mark.from as usize);
            return at..at;
        }
        self.marks[range.start].from as usize..self.marks[range.end - 1].to as usize
    }

    /// Folded positions of all characters that come from an original range; the way a hit of the second reading is
    /// shown in the first.
    pub fn folded_range(&self, original: Range<usize>) -> Range<usize> {
        let start = self.marks.partition_point(|mark| mark.to as usize <= original.start);
        let end = self.marks.partition_point(|mark| (mark.from as usize) < original.end);
        start..end.max(start)
    }

    /// What was typed in a folded range.
    pub fn original(&self, range: Range<usize>) -> String {
        self.original[self.origin(range)].iter().collect()
    }

    /// The widest gap inside a folded range.
    pub fn widest_gap(&self, range: Range<usize>) -> Gap {
        let inside = self.marks.get(range.start + 1..range.end).unwrap_or_default();
        inside.iter().fold(Gap::default(), |all, Mark { gap, .. }| Gap {
            len: all.len.max(gap.len),
            kind: all.kind.max(gap.kind),
        })
    }

    /// The steps a folded range went through, in declaration order; what was dropped inside counts too.
    pub fn transforms(&self, range: Range<usize>) -> Vec<Transform> {
        let mut steps = self.marks[range.clone()].iter().fold(Steps::default(), |all, mark| all | mark.steps);
        for i in range.start + 1..range.end {
            if self.marks[i].gap.len == 0 {
                continue;
            }
            for dropped in &self.original[self.marks[i - 1].to as usize..self.marks[i].from as usize] {
                steps.insert(dropped_by(*dropped));
            }
        }
        steps.iter().collect()
    }

    /// The sound of each folded character without its tone, as [`sounds::of`] numbers them.
    pub fn sounds(&self) -> Vec<u16> {
        self.folded.iter().map(|c| sounds::of(*c)).collect()
    }

    /// Every typed character and what became of it.
    pub fn explain(&self) -> Vec<Explained> {
        let mut all: Vec<Explained> = self
            .original
            .iter()
            .enumerate()
            .map(|(at, c)| Explained { at, original: *c, normalized: String::new(), transforms: Vec::new() })
            .collect();
        for (folded, mark) in self.folded.iter().zip(&self.marks) {
            all[mark.from as usize].normalized.push(*folded);
            for part in mark.from..mark.to {
                all[part as usize].transforms = mark.steps.iter().collect();
            }
        }
        for one in &mut all {
            if one.normalized.is_empty() && one.transforms.is_empty() {
                one.transforms = vec![dropped_by(one.original)];
            }
        }
        all
    }

    /// A folded range explained as the word that was found there: where only the sound agrees, the word's character is
    /// shown with [`Transform::Homophone`] (`薇→微`).
    pub fn explain_as(&self, range: Range<usize>, word: &str) -> Vec<Explained> {
        let word: Vec<char> = normalize(word).folded;
        let origin = self.origin(range.clone());
        let mut all = self.explain();
        for (i, wanted) in range.zip(&word) {
            if self.folded[i] != *wanted {
                let one = &mut all[self.marks[i].from as usize];
                one.normalized = wanted.to_string();
                one.transforms.push(Transform::Homophone);
            }
        }
        all.drain(origin).collect()
    }
}

fn dropped_by(c: char) -> Transform {
    match TABLE.get(c).kind() {
        Kind::Invisible => Transform::Invisible,
        Kind::Combining => Transform::Combining,
        _ => Transform::Separator,
    }
}
