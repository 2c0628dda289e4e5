//! Finds every word of the lists in a message in one pass, through the disguises that each word allows.
//!
//! ```text
//! let matcher = Matcher::build(&[Pattern::new("加微信").homophone(true)]);
//! let reading = normalize("➕ 薇.信");
//! matcher.scan(&reading)                          // what the folded text says
//! matcher.scan(&reading.rewritten().unwrap())     // emoji read as words, split characters joined
//! ```
//!
//! Small lists run on `aho-corasick` ([`Engine::Library`], also the oracle of the tests); big ones on a filter over two
//! and three neighbouring characters in front of a compact double array ([`Engine::Filtered`]). Both give the same matches
//! and both take time linear in the text plus the matches.

mod classes;
mod double_array;
mod library;

use std::ops::Range;

use self::classes::Classes;
use self::double_array::{Automaton, PAD, Words};
use self::library::Library;
use crate::text::table::{Kind, LIMIT, TABLE};
use crate::text::{Break, Gap, Normalized, Steps, Transform, normalize, sounds};

/// From this number of words on the own engine pays for its tables.
const BIG: usize = 2_000;

/// Disguises beyond the fold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Layers {
    /// 弓虽 for 强.
    pub split: bool,
    /// 🐧 for QQ.
    pub emoji: bool,
    /// 薇 for 微.
    pub homophone: bool,
}

impl Layers {
    /// Everything.
    pub const ALL: Self = Self { split: true, emoji: true, homophone: true };

    /// No more than `other`.
    pub const fn within(self, other: Self) -> bool {
        (!self.split || other.split) && (!self.emoji || other.emoji) && (!self.homophone || other.homophone)
    }
}

/// A word to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// As the list has it; folded like a message. A word that folds to nothing never matches.
    pub text: String,
    /// Disguises it may be seen through.
    pub layers: Layers,
    /// Most characters dropped between two neighbours; 255 is any number.
    pub max_gap: u8,
    /// Strongest break it may be read across.
    pub across: Break,
}

impl Pattern {
    /// A word that is found folded, across at most six spaces, symbols or emoji at a time.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), layers: Layers::default(), max_gap: 6, across: Break::Soft }
    }
    /// Sets the disguises.
    pub fn layers(mut self, layers: Layers) -> Self {
        self.layers = layers;
        self
    }
    /// Lets it be found by sound. Worth it from three syllables on; two match much that is innocent.
    pub fn homophone(mut self, yes: bool) -> Self {
        self.layers.homophone = yes;
        self
    }
    /// Sets what it may be read across.
    pub fn gap(mut self, max_gap: u8, across: Break) -> Self {
        self.max_gap = max_gap;
        self.across = across;
        self
    }
}

/// A word that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Match {
    /// Index of the pattern as given to [`Matcher::build`].
    pub pattern: usize,
    /// Folded positions of the reading that was scanned.
    pub start: usize,
    /// One past the last folded position.
    pub end: usize,
    /// Seen by sound only.
    pub homophone: bool,
    /// Seen through an emoji.
    pub emoji: bool,
    /// Seen through a split character.
    pub split: bool,
}

impl Match {
    /// Folded positions.
    pub const fn range(&self) -> Range<usize> {
        self.start..self.end
    }
    /// The disguises it took.
    pub const fn needed(&self) -> Layers {
        Layers { split: self.split, emoji: self.emoji, homophone: self.homophone }
    }
}

/// Which engine searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// `aho-corasick` over the folded string.
    Library,
    /// Character filter and double array.
    Filtered,
}

/// Buffers of [`Matcher::scan_str`], to be kept between messages.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    symbols: Vec<u16>,
    sounds: Vec<u16>,
    at: Vec<u32>,
    slow: Normalized,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    /// Folded characters; 0 never matches.
    len: u16,
    max_gap: u8,
    layers: u8,
    /// Of the class symbols, to tell a match by sound from an exact one.
    hash: u32,
}

const SPLIT: u8 = 1;
const EMOJI: u8 = 2;
const HOMOPHONE: u8 = 4;
const ACROSS_SHIFT: u8 = 4;

impl Rule {
    const fn allows(self, layers: u8) -> bool {
        layers & !self.layers == 0
    }
    fn across(self) -> Break {
        [Break::None, Break::Soft, Break::Clause, Break::Sentence][(self.layers >> ACROSS_SHIFT & 3) as usize]
    }
    fn skips_anything(self) -> bool {
        self.max_gap == u8::MAX && self.across() == Break::Sentence
    }
    /// The gaps inside a match are all right: none too wide, and no break too strong unless every single character is
    /// set apart by one (`加。微。信`).
    fn gaps(self, gaps: &(impl Iterator<Item = Gap> + Clone)) -> bool {
        if gaps.clone().any(|gap| self.max_gap != u8::MAX && gap.len > self.max_gap) {
            return false;
        }
        let across = self.across();
        gaps.clone().all(|gap| gap.kind <= across) || (self.len > 2 && gaps.clone().all(|gap| gap.kind != Break::None))
    }
}

#[derive(Debug)]
enum Search {
    Library { words: Library, sounds: Library },
    Filtered { words: Box<Automaton>, sounds: Box<Automaton> },
}

/// The words of the lists, compiled. Immutable and shared between threads.
#[derive(Debug)]
pub struct Matcher {
    rules: Vec<Rule>,
    classes: Classes,
    search: Search,
    has_sounds: bool,
}

impl Matcher {
    /// Compiles the words with the engine that fits their number.
    pub fn build(patterns: &[Pattern]) -> Self {
        Self::with_engine(patterns, if patterns.len() < BIG { Engine::Library } else { Engine::Filtered })
    }

    /// Compiles the words for one engine. Lists beyond the limits of [`Engine::Filtered`] (16 bits of distinct
    /// characters, eight million nodes) fall back to [`Engine::Library`].
    pub fn with_engine(patterns: &[Pattern], engine: Engine) -> Self {
        let mut folded = Vec::new();
        let mut ends = Vec::with_capacity(patterns.len());
        let mut reader = Normalized::default();
        for pattern in patterns {
            reader.read(&pattern.text);
            // Characters beyond the last Han block have no number, so a word with one cannot be found.
            let numbered = reader.folded().iter().all(|c| u32::from(*c) < LIMIT);
            if numbered && u16::try_from(reader.folded().len()).is_ok() {
                folded.extend_from_slice(reader.folded());
            }
            ends.push(folded.len());
        }
        let starts = || std::iter::once(0).chain(ends.iter().copied());
        let classes = Classes::build(&folded);
        let mut words = Words::default();
        let mut heard = Words::default();
        let mut rules = Vec::with_capacity(patterns.len());
        for (i, (pattern, (start, end))) in patterns.iter().zip(starts().zip(ends.iter().copied())).enumerate() {
            let chars = &folded[start..end];
            let from = words.begin();
            for c in chars {
                words.symbol(classes.of(*c));
            }
            let hash = hash(words.since(from));
            words.end(i as u32);
            if pattern.layers.homophone {
                for reading in sounds::words(chars) {
                    for sound in reading {
                        heard.symbol(sound);
                    }
                    heard.end(i as u32);
                }
            }
            let Layers { split, emoji, homophone } = pattern.layers;
            let layers = u8::from(split) * SPLIT + u8::from(emoji) * EMOJI + u8::from(homophone) * HOMOPHONE;
            rules.push(Rule {
                len: chars.len() as u16,
                max_gap: pattern.max_gap,
                layers: layers | (pattern.across as u8) << ACROSS_SHIFT,
                hash,
            });
        }
        let has_sounds = !heard.is_empty();
        let filtered = (engine == Engine::Filtered && classes.count() < usize::from(classes::FIRST_SPECIAL))
            .then(|| Automaton::build(&words).zip(Automaton::build(&heard)))
            .flatten();
        let search = match filtered {
            Some((words, sounds)) => Search::Filtered { words: Box::new(words), sounds: Box::new(sounds) },
            None => Search::Library { words: Library::build(&words), sounds: Library::build(&heard) },
        };
        Self { rules, classes, search, has_sounds }
    }

    /// The engine in use.
    pub const fn engine(&self) -> Engine {
        match self.search {
            Search::Library { .. } => Engine::Library,
            Search::Filtered { .. } => Engine::Filtered,
        }
    }

    /// Every match in one reading of a message, overlapping ones included, by position. Of a second reading
    /// ([`Normalized::rewritten`]) only those matches are given that need it.
    pub fn scan(&self, text: &Normalized) -> Vec<Match> {
        let mut matches = Vec::new();
        let mut symbols: Vec<u16> = text.folded().iter().map(|c| self.classes.of(*c)).collect();
        let second = (0..text.folded().len()).any(|i| text.steps(i).intersects(Steps::REWRITE));
        symbols.extend(PAD);
        let mut take = |owner: u32, end: usize, homophone: bool| {
            let rule = self.rules[owner as usize];
            let start = end - usize::from(rule.len);
            let steps = (start..end).fold(Steps::default(), |all, i| all | text.steps(i));
            if second && !steps.intersects(Steps::REWRITE) {
                return;
            }
            if homophone && hash(&symbols[start..end]) == rule.hash {
                return;
            }
            let (split, emoji) = (steps.contains(Transform::Split), steps.contains(Transform::Emoji));
            let needed = u8::from(split) * SPLIT + u8::from(emoji) * EMOJI + u8::from(homophone) * HOMOPHONE;
            if rule.allows(needed) && rule.gaps(&(start + 1..end).map(|i| text.gap(i))) {
                matches.push(Match { pattern: owner as usize, start, end, homophone, emoji, split });
            }
        };
        self.search_words(&symbols, |owner, end| take(owner, end, false));
        if self.has_sounds {
            let mut sounds = text.sounds();
            sounds.extend(PAD);
            self.search_sounds(&sounds, |owner, end| take(owner, end, true));
        }
        matches.sort_unstable_by_key(|m| (m.start, m.end, m.pattern));
        matches
    }

    /// The way for bulk: every match of the first reading of a text, given as pattern, byte range of the text and
    /// whether it is by sound only, without building a [`Normalized`]. Gives what [`Matcher::scan`] gives.
    pub fn scan_str(&self, text: &str, scratch: &mut Scratch, mut found: impl FnMut(usize, Range<usize>, bool)) {
        let Scratch { symbols, sounds, at, .. } = &mut *scratch;
        let Some(n) = self.classes.read(text, symbols, sounds, at, self.has_sounds) else {
            return self.scan_slowly(text, scratch, &mut found);
        };
        let symbols = &symbols[..n + PAD.len()];
        let byte_range = |start: usize, end: usize| {
            let last = at[end - 1] as usize;
            at[start] as usize..last + text[last..].chars().next().map_or(0, char::len_utf8)
        };
        let mut take = |owner: u32, end: usize, homophone: bool| {
            let rule = self.rules[owner as usize];
            let start = end - usize::from(rule.len);
            if homophone && hash(&symbols[start..end]) == rule.hash {
                return;
            }
            let touching = (start + 1..end).all(|i| touches(text, at[i - 1], at[i]));
            if touching || rule.skips_anything() || rule.gaps(&(start + 1..end).map(|i| gap(text, at[i - 1], at[i]))) {
                found(owner as usize, byte_range(start, end), homophone);
            }
        };
        self.search_words(symbols, |owner, end| take(owner, end, false));
        if self.has_sounds {
            self.search_sounds(&sounds[..n + PAD.len()], |owner, end| take(owner, end, true));
        }
    }

    /// Look-alike letters and flags need the whole fold.
    #[cold]
    fn scan_slowly(&self, text: &str, scratch: &mut Scratch, found: &mut impl FnMut(usize, Range<usize>, bool)) {
        scratch.slow.read(text);
        let bytes: Vec<usize> = text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect();
        for hit in self.scan(&scratch.slow) {
            let origin = scratch.slow.origin(hit.range());
            found(hit.pattern, bytes[origin.start]..bytes[origin.end], hit.homophone);
        }
    }

    fn search_words(&self, symbols: &[u16], found: impl FnMut(u32, usize)) {
        match &self.search {
            Search::Library { words, .. } => words.search(symbols, found),
            Search::Filtered { words, .. } => words.search(symbols, found),
        }
    }

    fn search_sounds(&self, symbols: &[u16], found: impl FnMut(u32, usize)) {
        match &self.search {
            Search::Library { sounds, .. } => sounds.search(symbols, found),
            Search::Filtered { sounds, .. } => sounds.search(symbols, found),
        }
    }
}

#[cfg(test)]
impl Matcher {
    /// Filter questions plus automaton steps for a text, and matches.
    fn count_steps(&self, text: &str) -> (usize, usize) {
        let mut symbols: Vec<u16> = normalize(text).folded().iter().map(|c| self.classes.of(*c)).collect();
        symbols.extend(PAD);
        match &self.search {
            Search::Library { .. } => (0, 0),
            Search::Filtered { words, .. } => words.count_steps(&symbols),
        }
    }
}

/// Nothing lies between two kept characters, given by their first bytes. May say no where nothing does.
#[inline]
fn touches(text: &str, before: u32, at: u32) -> bool {
    let width = match text.as_bytes()[before as usize] {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    before + width == at
}

/// What lies between two kept characters, given by their first bytes.
fn gap(text: &str, before: u32, at: u32) -> Gap {
    let mut gap = Gap::default();
    if before == at {
        return gap; // both from one character
    }
    for c in text[before as usize..at as usize].chars().skip(1) {
        gap.len = gap.len.saturating_add(1);
        gap.kind = gap.kind.max(match TABLE.get(c).kind() {
            Kind::Soft => Break::Soft,
            Kind::Clause => Break::Clause,
            Kind::Sentence => Break::Sentence,
            _ => Break::None,
        });
    }
    gap
}

fn hash(symbols: &[u16]) -> u32 {
    symbols.iter().fold(0x811c_9dc5, |h, s| (h ^ u32::from(*s)).wrapping_mul(0x0100_0193).rotate_left(5))
}

/// Words found in any text, for callers that need no positions and no buffers: tests and small tools.
pub fn find_all(matcher: &Matcher, text: &str) -> Vec<Match> {
    matcher.scan(&normalize(text))
}

#[cfg(test)]
mod tests;
