//! One message, folded, with the way back to what was typed.

use std::ops::Range;

use super::table::{Kind, TABLE};
use super::{Steps, Transform, emoji, lookalike, sounds, split};

/// How strongly a gap separates the characters on its two sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Break {
    /// They touch, or only invisible characters lie between.
    #[default]
    None,
    /// White space, symbols or emoji.
    Soft,
    /// A comma, colon or full stop within a line.
    Clause,
    /// The end of a sentence or line.
    Sentence,
}

/// What lies before a folded character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gap {
    /// Characters dropped, invisible ones included; 255 stands for more.
    pub len: u8,
    /// The strongest of them.
    pub kind: Break,
}

/// A folded message. `folded` positions index [`Normalized::folded`]; `original` positions count the Unicode scalar
/// values of what was typed.
#[derive(Clone, Debug, Default)]
pub struct Normalized {
    original: Vec<char>,
    folded: Vec<char>,
    from: Vec<u32>,
    to: Vec<u32>,
    gaps: Vec<Gap>,
    steps: Vec<Steps>,
    rewritable: bool,
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
        self.original.extend(text.chars());
        self.fill(false);
    }

    /// The second reading of the same message: emoji as the words they stand for, split characters joined, repeated
    /// characters collapsed. `None` if it says nothing that the first does not.
    ///
    /// Only hits that use one of these steps are worth having from it: the first reading has the others.
    pub fn rewritten(&self) -> Option<Self> {
        if !self.rewritable {
            return None;
        }
        self.again(true)
    }

    /// The second reading without the emoji, for words between which an emoji is only decoration (`力口❤微信`). `None` where
    /// [`Normalized::rewritten`] says the same.
    pub fn joined(&self) -> Option<Self> {
        let has_emoji = self.rewritable && self.original.iter().any(|c| emoji::reading(*c).is_some());
        if has_emoji { self.again(false) } else { None }
    }

    fn again(&self, read_emoji: bool) -> Option<Self> {
        let mut other = Self { original: self.original.clone(), ..Self::default() };
        other.fill(read_emoji);
        other.join();
        let says_more = other.steps.iter().any(|s| s.intersects(Steps::REWRITE));
        says_more.then_some(other)
    }

    fn fill(&mut self, rewrite: bool) {
        let table = &*TABLE;
        self.folded.clear();
        self.from.clear();
        self.to.clear();
        self.gaps.clear();
        self.steps.clear();
        self.rewritable = false;
        let mut foreign = false;
        let mut gap = Gap::default();
        let mut i = 0;
        while i < self.original.len() {
            let c = self.original[i];
            let entry = table.get(c);
            self.rewritable |= entry.rewrites();
            if rewrite
                && entry.rewrites()
                && let Some(word) = emoji::reading(c)
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
                    let folded = entry.folded();
                    self.rewritable |= gap.kind == Break::None && self.folded.last() == Some(&folded);
                    self.push(folded, i, std::mem::take(&mut gap), entry.steps());
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
                        && let Some(steps) = self.steps.last_mut()
                    {
                        steps.insert(if c == '\u{20e3}' { Transform::Fancy } else { Transform::Combining });
                    }
                }
            }
            i += 1;
        }
        if foreign {
            lookalike::read(&self.original, &self.from, &self.gaps, &mut self.folded, &mut self.steps);
        }
    }

    fn push(&mut self, c: char, at: usize, gap: Gap, steps: Steps) {
        self.folded.push(c);
        self.from.push(at as u32);
        self.to.push(at as u32 + 1);
        self.gaps.push(if self.gaps.is_empty() { Gap::default() } else { gap });
        self.steps.push(steps);
    }

    /// Joins split characters and collapses repeated ones.
    fn join(&mut self) {
        let mut out = 0;
        for i in 0..self.folded.len() {
            let c = self.folded[i];
            let touches = out > 0 && self.gaps[i].kind == Break::None;
            if touches {
                let before = self.folded[out - 1];
                if let Some(whole) = split::join(before, c) {
                    self.folded[out - 1] = whole;
                    self.to[out - 1] = self.to[i];
                    self.steps[out - 1] = self.steps[out - 1] | self.steps[i] | Steps::of(Transform::Split);
                    continue;
                }
                let latin_run = c.is_ascii_alphabetic() && self.folded.get(i + 1) == Some(&c);
                let collapsed = self.steps[out - 1].contains(Transform::Repeat);
                if before == c && (is_han(c) || (c.is_ascii_alphabetic() && (latin_run || collapsed))) {
                    self.to[out - 1] = self.to[i];
                    self.steps[out - 1] = self.steps[out - 1] | self.steps[i] | Steps::of(Transform::Repeat);
                    continue;
                }
            }
            self.folded[out] = c;
            self.from[out] = self.from[i];
            self.to[out] = self.to[i];
            self.gaps[out] = self.gaps[i];
            self.steps[out] = self.steps[i];
            out += 1;
        }
        self.folded.truncate(out);
        self.from.truncate(out);
        self.to.truncate(out);
        self.gaps.truncate(out);
        self.steps.truncate(out);
        for (c, steps) in self.folded.iter_mut().zip(&mut self.steps) {
            if let Some(whole) = split::alone(*c) {
                *c = whole;
                steps.insert(Transform::Split);
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
        self.gaps[at]
    }

    /// The steps of one folded character, without those of gaps.
    pub fn steps(&self, at: usize) -> Steps {
        self.steps[at]
    }

    /// Original positions of a folded range: from its first character to its last, gaps inside included.
    pub fn origin(&self, range: Range<usize>) -> Range<usize> {
        if range.is_empty() {
            let at = self.from.get(range.start).map_or(self.original.len(), |from| *from as usize);
            return at..at;
        }
        self.from[range.start] as usize..self.to[range.end - 1] as usize
    }

    /// Folded positions of all characters that come from an original range; the way a hit of the second reading is
    /// shown in the first.
    pub fn folded_range(&self, original: Range<usize>) -> Range<usize> {
        let start = self.to.partition_point(|to| *to as usize <= original.start);
        let end = self.from.partition_point(|from| (*from as usize) < original.end);
        start..end.max(start)
    }

    /// What was typed in a folded range.
    pub fn original(&self, range: Range<usize>) -> String {
        self.original[self.origin(range)].iter().collect()
    }

    /// The widest gap inside a folded range.
    pub fn widest_gap(&self, range: Range<usize>) -> Gap {
        let inside = self.gaps.get(range.start + 1..range.end).unwrap_or_default();
        inside.iter().fold(Gap::default(), |all, gap| Gap { len: all.len.max(gap.len), kind: all.kind.max(gap.kind) })
    }

    /// The steps a folded range went through, in declaration order; what was dropped inside counts too.
    pub fn transforms(&self, range: Range<usize>) -> Vec<Transform> {
        let mut steps = self.steps[range.clone()].iter().fold(Steps::default(), |all, s| all | *s);
        for i in range.start + 1..range.end {
            if self.gaps[i].len == 0 {
                continue;
            }
            for dropped in &self.original[self.to[i - 1] as usize..self.from[i] as usize] {
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
        for (i, folded) in self.folded.iter().enumerate() {
            let first = &mut all[self.from[i] as usize];
            first.normalized.push(*folded);
            first.transforms = self.steps[i].iter().collect();
            for part in self.from[i] + 1..self.to[i] {
                all[part as usize].transforms = self.steps[i].iter().collect();
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
                let one = &mut all[self.from[i] as usize];
                one.normalized = wanted.to_string();
                one.transforms.push(Transform::Homophone);
            }
        }
        all.drain(origin).collect()
    }
}

/// A Han character.
pub fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}

fn dropped_by(c: char) -> Transform {
    match TABLE.get(c).kind() {
        Kind::Invisible => Transform::Invisible,
        Kind::Combining => Transform::Combining,
        _ => Transform::Separator,
    }
}
