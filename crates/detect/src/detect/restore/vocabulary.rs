//! The words of all lists, a million of them in a few bytes each.

use std::hash::BuildHasher;

use foldhash::{HashSet, fast::FixedState};

use crate::text::sounds;

/// Words of Han characters, by number in the order of their characters.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    chars: Vec<char>,
    /// One past the last character of each.
    ends: Vec<u32>,
    wished: Vec<bool>,
    alone: Vec<bool>,
    /// Hashes of these words and of those that ask not to be heard.
    known: HashSet<u64>,
    /// The two characters that they begin with, one bit for the hash of each pair.
    first: Vec<u64>,
    /// Pairs of blurred sounds that words begin with, one bit each, and how many there are before each part.
    pairs: Vec<(u64, u32)>,
    /// Where the words of each such pair begin in `by_pair`; one entry more than pairs.
    starts: Vec<u32>,
    by_pair: Vec<(u32, Third)>,
}

/// What the third character of a word sounds like; most words are told apart from a message by that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Third(u16);

impl Third {
    /// There is none.
    const END: Self = Self(0);

    fn of(word: &[char]) -> Self {
        word.get(2).map_or(Self::END, |c| Self(sounds::blurred(*c)))
    }

    /// What is taken for a sound there may be the character.
    pub(super) fn may_be(self, sound: Option<u16>) -> bool {
        self == Self::END || sound == Some(self.0)
    }
}

/// Words on their way into a [`Vocabulary`].
#[derive(Default)]
pub(super) struct Builder {
    chars: Vec<char>,
    /// First character, length, what the list says of homophones, and whether it says something by itself.
    words: Vec<(u32, u8, Option<bool>, bool)>,
}

impl Builder {
    /// Adds a word; `homophone` is what its entry says, `alone` that it says something without others beside it.
    pub(super) fn add(&mut self, word: &[char], homophone: Option<bool>, alone: bool) {
        self.words.push((self.chars.len() as u32, word.len() as u8, homophone, alone));
        self.chars.extend_from_slice(word);
    }

    pub(super) fn build(mut self) -> Vocabulary {
        let chars = &self.chars;
        let text =
            |word: &(u32, u8, Option<bool>, bool)| &chars[word.0 as usize..word.0 as usize + usize::from(word.1)];
        self.words.sort_unstable_by(|a, b| text(a).cmp(text(b)));
        let bits = (self.words.len() * 16).next_power_of_two().clamp(1 << 12, 1 << 20);
        let mut all = Vocabulary { first: vec![0; bits / 64], ..Vocabulary::default() };
        let mut by_pair: Vec<(u32, u32, Third)> = Vec::new();
        for same in self.words.chunk_by(|a, b| text(a) == text(b)) {
            let word = text(&same[0]);
            let alone = same.iter().any(|(.., alone)| *alone);
            if alone {
                all.known.insert(hash(word));
                let bit = all.first_bit(word[0], word[1]);
                all.first[bit / 64] |= 1 << (bit % 64);
            }
            if same.iter().all(|(.., homophone, _)| *homophone == Some(false)) {
                continue;
            }
            if let Some(key) = key(sounds::blurred(word[0]), sounds::blurred(word[1])) {
                by_pair.push((key, all.ends.len() as u32, Third::of(word)));
            }
            all.chars.extend_from_slice(word);
            all.ends.push(all.chars.len() as u32);
            all.wished.push(same.iter().any(|(.., homophone, _)| *homophone == Some(true)));
            all.alone.push(alone);
        }
        by_pair.sort_unstable();
        let limit = sounds::blurred_limit();
        all.pairs = vec![(0, 0); (limit * limit).div_ceil(64)];
        for pair in by_pair.chunk_by(|a, b| a.0 == b.0) {
            all.pairs[pair[0].0 as usize / 64].0 |= 1 << (pair[0].0 % 64);
            all.starts.push(all.by_pair.len() as u32);
            all.by_pair.extend(pair.iter().map(|(_, word, third)| (*word, *third)));
        }
        all.starts.push(all.by_pair.len() as u32);
        let mut before = 0;
        for (bits, count) in &mut all.pairs {
            *count = before;
            before += bits.count_ones();
        }
        all.chars.shrink_to_fit();
        all
    }
}

impl Vocabulary {
    pub(super) const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// A word by its number.
    pub(super) fn word(&self, number: usize) -> &[char] {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.chars[start..self.ends[number] as usize]
    }

    /// Its entry says that people do write it by sound.
    pub(super) fn is_wished(&self, number: usize) -> bool {
        self.wished[number]
    }

    /// It says something without others beside it.
    pub(super) fn is_alone(&self, number: usize) -> bool {
        self.alone[number]
    }

    /// A list has the word of two characters and more as it stands.
    pub(super) fn knows(&self, word: &[char]) -> bool {
        self.knows_first(word[0], word[1]) && self.known.contains(&hash(word))
    }

    /// A word of a list begins so, probably.
    pub(super) fn knows_first(&self, first: char, second: char) -> bool {
        let bit = self.first_bit(first, second);
        self.first.get(bit / 64).is_some_and(|bits| bits >> (bit % 64) & 1 != 0)
    }

    fn first_bit(&self, first: char, second: char) -> usize {
        let hash = (u64::from(first) << 21 | u64::from(second)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (hash >> 32) as usize & (self.first.len() * 64).wrapping_sub(1)
    }

    /// The words that begin with two sounds, in order, and what they go on with.
    pub(super) fn beginning(&self, first: u16, second: u16) -> &[(u32, Third)] {
        let Some(key) = key(first, second) else { return &[] };
        let Some((bits, before)) = self.pairs.get(key as usize / 64) else { return &[] };
        if bits >> (key % 64) & 1 == 0 {
            return &[];
        }
        let pair = *before as usize + (bits & ((1 << (key % 64)) - 1)).count_ones() as usize;
        &self.by_pair[self.starts[pair] as usize..self.starts[pair + 1] as usize]
    }
}

fn hash(word: &[char]) -> u64 {
    FixedState::default().hash_one(word)
}

/// The key of a pair of sounds, if both are some.
fn key(first: u16, second: u16) -> Option<u32> {
    (first != 0 && second != 0).then(|| u32::from(first) * sounds::blurred_limit() as u32 + u32::from(second))
}
