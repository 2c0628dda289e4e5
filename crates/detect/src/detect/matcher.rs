//! Finds every word of the lists in a folded message in one pass, read or only heard.
//!
//! ```text
//! let mut words = Builder::default();
//! words.add("加微信", true);                                   // heard too: 伽薇芯
//! let matcher = words.build();
//! let message = normalize("➕ 薇.信");
//! matcher.scan(message.folded(), &message.sounds(), |found| …)  // whoever asks judges what lies between the characters
//! ```
//!
//! Lists run on `daachorse` ([`Engine::Automaton`]), huge ones on a table of hashes that takes little room ([`Engine::Hashed`]). Both
//! find the same.

mod automaton;
mod cells;
mod classes;
mod hashed;
mod words;

use std::cell::Cell;
use std::ops::Range;

use self::automaton::Automaton;
use self::classes::{Classes, Symbols};
use self::hashed::Hashed;
use self::words::Words;
use crate::text::table::LIMIT;
use crate::text::{Normalized, sounds};

/// From this number of words on the automaton takes too long to build and too much room.
const HUGE: usize = 200_000;
/// Behind the last symbol of a text: an engine may ask for the one after.
const PAD: [u16; 1] = [0];

/// A word that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Found {
    /// First folded character.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// Number of the word in the order of [`Builder::add`].
    pub word: usize,
    /// Only its sound is there.
    pub heard: bool,
}

/// Which engine searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Double array.
    Automaton,
    /// A table of hashes.
    Hashed,
}

/// Words on their way into a [`Matcher`].
#[derive(Debug, Default)]
pub struct Builder {
    reader: Normalized,
    folded: Vec<char>,
    /// Ends in `folded`, and whether the word is looked for by sound too.
    words: Vec<(u32, bool)>,
}

impl Builder {
    /// Adds a word as the list has it and says how it is folded; one that folds to nothing never matches. Looking for the
    /// sound is worth it from three syllables on; two match much that is innocent.
    pub fn add(&mut self, text: &str, by_sound: bool) -> &[char] {
        self.reader.read(text);
        let folded = self.reader.folded();
        // Characters beyond the last Han block have no number, so a word with one cannot be found.
        if folded.iter().all(|c| u32::from(*c) < LIMIT) && u16::try_from(folded.len()).is_ok() {
            self.folded.extend_from_slice(folded);
        }
        self.words.push((self.folded.len() as u32, by_sound));
        folded
    }

    /// Compiles the words with the engine that fits their number.
    pub fn build(self) -> Matcher {
        let engine = if self.words.len() < HUGE { Engine::Automaton } else { Engine::Hashed };
        self.build_with(engine)
    }

    /// Compiles the words for one engine. Lists beyond the limits of [`Engine::Automaton`] fall back to [`Engine::Hashed`].
    pub fn build_with(self, engine: Engine) -> Matcher {
        let classes = Classes::build(&self.folded);
        let mut read = Words::default();
        let mut heard = Words::default();
        let mut spelt = Vec::new();
        let mut start = 0;
        for (i, (end, by_sound)) in self.words.iter().enumerate() {
            let chars = &self.folded[start..*end as usize];
            start = *end as usize;
            // Who reads a word hears it too, so a word is looked for in one way only.
            let mut sounds = false;
            if *by_sound {
                sounds::words(chars, |word| {
                    heard.add(word.iter().copied(), i as u32);
                    sounds = true;
                });
            }
            if sounds {
                spelt.resize(i, 0);
                spelt.push(chars.iter().fold(EMPTY, |all, c| hash(all, classes.of(*c))));
            } else {
                read.add(chars.iter().map(|c| classes.of(*c)), i as u32);
            }
        }
        drop((self.folded, self.words));
        let by_sound = !heard.is_empty();
        let automaton =
            (engine == Engine::Automaton).then(|| Automaton::build(&read).zip(Automaton::build(&heard))).flatten();
        let search = match automaton {
            Some((read, heard)) => Search::Automaton { read: Box::new(read), heard: Box::new(heard) },
            None => {
                read.shrink();
                heard.shrink();
                Search::Hashed { read: Box::new(Hashed::build(read)), heard: Box::new(Hashed::build(heard)) }
            }
        };
        spelt.shrink_to_fit();
        Matcher { spelt, classes, search, by_sound }
    }
}

/// Buffers of [`Matcher::scan_str`], to be kept between messages.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    read: Symbols,
    slow: Normalized,
}

#[derive(Debug)]
enum Search {
    Automaton { read: Box<Automaton>, heard: Box<Automaton> },
    Hashed { read: Box<Hashed>, heard: Box<Hashed> },
}

/// The words of the lists, compiled. Immutable and shared between threads.
#[derive(Debug)]
pub struct Matcher {
    /// Hash of the symbols of a word that is looked for by sound, to tell a word that is only heard from one that is there.
    spelt: Vec<u32>,
    classes: Classes,
    search: Search,
    by_sound: bool,
}

impl Matcher {
    /// The engine in use.
    pub const fn engine(&self) -> Engine {
        match self.search {
            Search::Automaton { .. } => Engine::Automaton,
            Search::Hashed { .. } => Engine::Hashed,
        }
    }

    /// Calls back for every word in the folded characters of a message, overlapping ones included; `sounds` are those of
    /// the characters, as [`sounds::of`] numbers them. Words that are not looked for by sound come first.
    pub fn scan(&self, chars: &[char], sounds: &[u16], mut found: impl FnMut(Found)) {
        let [mut symbols, mut padded] = BUFFERS.take();
        symbols.clear();
        symbols.extend(chars.iter().map(|c| self.classes.of(*c)));
        symbols.extend(PAD);
        if self.by_sound {
            padded.clear();
            padded.extend_from_slice(sounds);
            padded.extend(PAD);
        }
        self.search(&symbols, &padded, |start, end, word, heard| found(Found { start, end, word, heard }));
        BUFFERS.set([symbols, padded]);
    }

    /// The way for bulk: every word in a text as it was typed, given as word, byte range and whether it is only heard,
    /// without building a [`Normalized`]. Finds what [`Matcher::scan`] finds.
    pub fn scan_str(&self, text: &str, scratch: &mut Scratch, mut found: impl FnMut(usize, Range<usize>, bool)) {
        if !self.classes.read(text, &mut scratch.read, self.by_sound) {
            return self.scan_slowly(text, scratch, found);
        }
        let read = &scratch.read;
        self.search(read.classes(), read.sounds(), |start, end, word, heard| {
            let last = read.at(end - 1);
            let end = (last + 1..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
            found(word, read.at(start)..end, heard);
        });
    }

    /// Look-alike letters and flags need the whole fold.
    #[cold]
    fn scan_slowly(&self, text: &str, scratch: &mut Scratch, mut found: impl FnMut(usize, Range<usize>, bool)) {
        let reading = &mut scratch.slow;
        reading.read(text);
        let bytes: Vec<usize> = text.char_indices().map(|(byte, _)| byte).chain([text.len()]).collect();
        self.scan(reading.folded(), &reading.sounds(), |hit| {
            let origin = reading.origin(hit.start..hit.end);
            found(hit.word, bytes[origin.start]..bytes[origin.end], hit.heard);
        });
    }

    #[inline]
    fn search(&self, symbols: &[u16], sounds: &[u16], mut found: impl FnMut(usize, usize, usize, bool)) {
        let read = |word: u32, start: usize, end: usize| found(start, end, word as usize, false);
        match &self.search {
            Search::Automaton { read: words, .. } => words.search(symbols, read),
            Search::Hashed { read: words, .. } => words.search(symbols, read),
        }
        if !self.by_sound {
            return;
        }
        let heard = |word: u32, start: usize, end: usize| {
            let spelt = symbols[start..end].iter().fold(EMPTY, |all, symbol| hash(all, *symbol));
            found(start, end, word as usize, spelt != self.spelt[word as usize]);
        };
        match &self.search {
            Search::Automaton { heard: words, .. } => words.search(sounds, heard),
            Search::Hashed { heard: words, .. } => words.search(sounds, heard),
        }
    }
}

thread_local! {
    /// Symbols and sounds of the message that is searched, to be kept between messages.
    static BUFFERS: Cell<[Vec<u16>; 2]> = const { Cell::new([Vec::new(), Vec::new()]) };
}

/// Hash of no symbols.
const EMPTY: u32 = 0x811c_9dc5;

const fn hash(so_far: u32, symbol: u16) -> u32 {
    (so_far ^ symbol as u32).wrapping_mul(0x0100_0193).rotate_left(5)
}

#[cfg(test)]
mod tests;
