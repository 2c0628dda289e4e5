//! One message as the signals see it: folded characters without what lies between them, what lay between them, and the
//! way back to what was typed. Built once a message ([`Reading`]); every signal reads it.

use std::cell::{OnceCell, RefCell};

use crate::text::{Break, Normalized, Transform, sounds};

pub use crate::text::fold;

/// What lay before a folded character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Gap {
    /// Nothing: it touches the one before.
    #[default]
    None,
    /// White space, invisible characters, symbols or emoji.
    Soft,
    /// Punctuation that ends a clause, or a line break.
    Hard,
}

/// A half-open range of folded characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First.
    pub start: usize,
    /// One past the last.
    pub end: usize,
}

impl Span {
    /// `other` lies wholly inside.
    pub const fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
    /// Both share a character.
    pub const fn touches(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
    /// Characters between two spans; 0 if they touch or overlap.
    pub const fn distance(self, other: Self) -> usize {
        if self.end <= other.start { other.start - self.end } else { self.start.saturating_sub(other.end) }
    }
}

/// The message.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// What was typed.
    pub raw: Vec<char>,
    /// Folded characters.
    pub chars: Vec<char>,
    /// First raw character of each folded one.
    pub from: Vec<u32>,
    /// One past the last raw character of each folded one.
    pub to: Vec<u32>,
    /// What lay before each folded character.
    pub gap: Vec<Gap>,
    /// Steps of each folded character, bit by declaration order of [`Transform`].
    pub steps: Vec<u32>,
    /// Pinyin of each folded character without tone as a number, 0 where it has none.
    pub sounds: Vec<u16>,
    /// Made when the first one asks.
    pub(super) clauses: OnceCell<Clauses>,
    /// Its buffers from the message before.
    pub(super) spare: Buffers,
}

/// The folded characters as a string with a blank where a hard gap was, for regular expressions.
#[derive(Clone, Debug, Default)]
pub(super) struct Clauses {
    text: String,
    /// Character index by byte; one entry more than bytes.
    char_at: Vec<u32>,
}

/// Buffers that nobody but their view sees; a copy has none.
#[derive(Debug, Default)]
pub(super) struct Buffers(RefCell<Clauses>);

impl Clone for Buffers {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// A message in all its readings. Its buffers are kept for the next one.
#[derive(Debug, Default)]
pub struct Reading {
    first: View,
    /// As the text module has it.
    normalized: Normalized,
    others: [View; 2],
    /// How many of the others there are.
    count: usize,
    again: Normalized,
}

impl Reading {
    /// Reads a message, and again where emoji, split or repeated characters give it another meaning.
    pub fn read(&mut self, text: &str) {
        self.normalized.read(text);
        self.first.fill(&self.normalized);
        self.count = 0;
        if self.normalized.rewrite_into(&mut self.again) {
            self.others[0].fill(&self.again);
            self.count = 1;
        }
        if self.normalized.join_into(&mut self.again) {
            self.others[self.count].fill(&self.again);
            self.count += 1;
        }
    }

    /// The first reading.
    pub const fn first(&self) -> &View {
        &self.first
    }

    /// The others, the one with the emoji read first.
    pub fn others(&self) -> &[View] {
        &self.others[..self.count]
    }

    /// The first reading as the text module has it.
    pub const fn normalized(&self) -> &Normalized {
        &self.normalized
    }
}

impl View {
    /// Reads a message.
    pub fn new(text: &str) -> Self {
        let mut view = Self::default();
        view.fill(&crate::text::normalize(text));
        view
    }

    /// All readings of a message: the first, the others, and the first as the text module has it.
    pub fn all(text: &str) -> (Self, Vec<Self>, Normalized) {
        let mut reading = Reading::default();
        reading.read(text);
        let Reading { first, normalized, others, count, .. } = reading;
        (first, others.into_iter().take(count).collect(), normalized)
    }

    /// Takes over a folded text.
    fn fill(&mut self, text: &Normalized) {
        let length = text.folded().len();
        let origin = |i: usize| text.origin(i..i + 1);
        self.raw.clear();
        self.raw.extend_from_slice(text.typed());
        self.chars.clear();
        self.chars.extend_from_slice(text.folded());
        self.from.clear();
        self.from.extend((0..length).map(|i| origin(i).start as u32));
        self.to.clear();
        self.to.extend((0..length).map(|i| origin(i).end as u32));
        self.gap.clear();
        self.gap.extend((0..length).map(|i| match text.gap(i).kind {
            Break::None => Gap::None,
            Break::Soft => Gap::Soft,
            Break::Clause | Break::Sentence => Gap::Hard,
        }));
        self.steps.clear();
        self.steps.extend((0..length).map(|i| text.steps(i).bits()));
        self.hear();
        if let Some(clauses) = self.clauses.take() {
            self.spare.0.replace(clauses);
        }
    }

    /// Fills the sounds from the characters.
    pub fn hear(&mut self) {
        self.sounds.clear();
        self.sounds.extend(self.chars.iter().map(|c| sounds::of(*c)));
    }

    fn clause_text(&self) -> &Clauses {
        self.clauses.get_or_init(|| {
            let mut clauses = self.spare.0.take();
            clauses.text.clear();
            clauses.char_at.clear();
            clauses.text.reserve(self.chars.len() * 4);
            clauses.char_at.reserve(self.chars.len() * 4 + 1);
            for (i, &c) in self.chars.iter().enumerate() {
                if i > 0 && self.gap[i] == Gap::Hard {
                    clauses.text.push(' ');
                    clauses.char_at.push(i as u32);
                }
                clauses.text.push(c);
                clauses.char_at.extend(std::iter::repeat_n(i as u32, c.len_utf8()));
            }
            clauses.char_at.push(self.chars.len() as u32);
            clauses
        })
    }

    /// The folded characters as a string with a blank where a hard gap was, for regular expressions.
    pub fn clauses(&self) -> &str {
        &self.clause_text().text
    }

    /// The span of a byte range of [`View::clauses`].
    pub fn clause_span(&self, bytes: std::ops::Range<usize>) -> Span {
        let char_at = &self.clause_text().char_at;
        Span { start: char_at[bytes.start] as usize, end: char_at[bytes.end] as usize }
    }

    /// One of the phrases stands in a clause.
    pub fn says(&self, phrases: &[&str]) -> bool {
        // Few characters begin a phrase, so one bit of each tells most others.
        let bit = |c: char| 1_u128 << (c as u32 % u128::BITS);
        let begin = phrases.iter().filter_map(|phrase| phrase.chars().next()).fold(0, |all, c| all | bit(c));
        let may_begin = |start: &usize| begin & bit(self.chars[*start]) != 0;
        (0..self.chars.len()).filter(may_begin).any(|start| phrases.iter().any(|phrase| self.says_at(start, phrase)))
    }

    fn says_at(&self, start: usize, phrase: &str) -> bool {
        let mut wanted = phrase.chars();
        if wanted.next() != Some(self.chars[start]) {
            return false;
        }
        let mut at = start + 1;
        wanted.all(|c| {
            let there = self.chars.get(at) == Some(&c) && self.gap[at] != Gap::Hard;
            at += 1;
            there
        })
    }

    /// Raw characters of a span: first, one past the last.
    pub fn raw_range(&self, span: Span) -> (usize, usize) {
        if span.start >= span.end {
            return (0, 0);
        }
        (self.from[span.start] as usize, self.to[span.end - 1] as usize)
    }

    /// The folded characters that come from a raw range.
    pub fn span_of(&self, start: usize, end: usize) -> Span {
        let first = self.to.partition_point(|to| *to as usize <= start);
        let last = self.from.partition_point(|from| (*from as usize) < end);
        Span { start: first, end: last.max(first) }
    }

    /// What was typed in a span.
    pub fn original(&self, span: Span) -> String {
        let (start, end) = self.raw_range(span);
        self.raw[start..end].iter().collect()
    }

    /// What a span was read as.
    pub fn folded(&self, span: Span) -> String {
        self.chars[span.start..span.end].iter().collect()
    }

    /// The steps its characters went through, [`Transform::Separator`] for gaps inside.
    pub fn transforms(&self, span: Span) -> Vec<Transform> {
        let mut bits = self.steps[span.start..span.end].iter().fold(0, |all, steps| all | steps);
        if (span.start + 1..span.end).any(|i| self.gap[i] != Gap::None) {
            bits |= bit(Transform::Separator);
        }
        Transform::ALL.iter().copied().filter(|t| bits & bit(*t) != 0).collect()
    }

    /// A word may be read across what lies inside the span: no clause ends in it, or one ends after every character of it; of
    /// two characters one has to be all its clause says (`傻。逼`, not `家庭装，比单瓶划算`), unless dots part them.
    pub fn joined(&self, span: Span) -> bool {
        let hard = (span.start + 1..span.end).filter(|i| self.gap[*i] == Gap::Hard).count();
        let ends = |at: usize| at == 0 || at == self.chars.len() || self.gap[at] == Gap::Hard;
        // Read backwards, nothing lies between.
        let between = |at: usize| self.raw.get(self.to[at - 1] as usize..self.from[at] as usize);
        let dots = |at: usize| between(at).is_some_and(|between| between.iter().all(|c| *c == '.'));
        hard == 0
            || hard + 1 == span.end - span.start
                && (hard > 1 || ends(span.start) || ends(span.end) || dots(span.start + 1))
    }

    /// No letter of the same word touches the span, for spans that begin or end with an ASCII letter or digit.
    pub fn bounded(&self, span: Span) -> bool {
        let kind = |c: char| if c.is_ascii_digit() { 1 } else { 2 * u8::from(c.is_ascii_alphabetic()) };
        let before = span.start > 0
            && self.gap[span.start] == Gap::None
            && kind(self.chars[span.start]) != 0
            && kind(self.chars[span.start]) == kind(self.chars[span.start - 1]);
        let after = span.end < self.chars.len()
            && self.gap[span.end] == Gap::None
            && kind(self.chars[span.end]) != 0
            && kind(self.chars[span.end]) == kind(self.chars[span.end - 1]);
        !before && !after
    }
}

/// The bit of a step in [`View::steps`].
pub const fn bit(transform: Transform) -> u32 {
    1 << transform as u32
}
