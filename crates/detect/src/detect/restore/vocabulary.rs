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
    /// Hashes of these words and of those that ask not to be heard.
    known: HashSet<u64>,
    /// What they begin with.
    first: HashSet<char>,
    /// Blurred sounds of the first two characters with the word, in order.
    by_pair: Vec<(u32, u32)>,
    /// The sounds in `by_pair`, one bit each.
    pairs: Vec<u64>,
}

/// Words on their way into a [`Vocabulary`].
#[derive(Default)]
pub(super) struct Builder {
    chars: Vec<char>,
    /// First character, length, and what the list says of homophones.
    words: Vec<(u32, u8, Option<bool>)>,
}

impl Builder {
    /// Adds a word; `homophone` is what its entry says.
    pub(super) fn add(&mut self, word: &[char], homophone: Option<bool>) {
        self.words.push((self.chars.len() as u32, word.len() as u8, homophone));
        self.chars.extend_from_slice(word);
    }

    pub(super) fn build(mut self) -> Vocabulary {
        let chars = &self.chars;
        let text = |word: &(u32, u8, Option<bool>)| &chars[word.0 as usize..word.0 as usize + usize::from(word.1)];
        self.words.sort_unstable_by(|a, b| text(a).cmp(text(b)));
        let mut all = Vocabulary::default();
        let limit = sounds::blurred_limit();
        all.pairs = vec![0; (limit * limit).div_ceil(64)];
        for same in self.words.chunk_by(|a, b| text(a) == text(b)) {
            let word = text(&same[0]);
            all.known.insert(hash(word));
            all.first.insert(word[0]);
            if same.iter().all(|(.., homophone)| *homophone == Some(false)) {
                continue;
            }
            if let Some(key) = key(sounds::blurred(word[0]), sounds::blurred(word[1])) {
                all.pairs[key as usize / 64] |= 1 << (key % 64);
                all.by_pair.push((key, all.ends.len() as u32));
            }
            all.chars.extend_from_slice(word);
            all.ends.push(all.chars.len() as u32);
            all.wished.push(same.iter().any(|(.., homophone)| *homophone == Some(true)));
        }
        all.by_pair.sort_unstable();
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

    /// A list has the word as it stands.
    pub(super) fn knows(&self, word: &[char]) -> bool {
        self.known.contains(&hash(word))
    }

    /// A word of a list begins so.
    pub(super) fn knows_first(&self, first: char) -> bool {
        self.first.contains(&first)
    }

    /// The words that begin with two sounds.
    pub(super) fn beginning(&self, first: u16, second: u16) -> impl Iterator<Item = u32> + '_ {
        let key = key(first, second)
            .filter(|key| self.pairs.get(*key as usize / 64).is_some_and(|bits| bits >> (key % 64) & 1 != 0));
        let from = key.map_or(self.by_pair.len(), |key| self.by_pair.partition_point(|(other, _)| *other < key));
        self.by_pair[from..].iter().take_while(move |(other, _)| Some(*other) == key).map(|(_, word)| *word)
    }
}

fn hash(word: &[char]) -> u64 {
    FixedState::default().hash_one(word)
}

/// The key of a pair of sounds, if both are some.
fn key(first: u16, second: u16) -> Option<u32> {
    (first != 0 && second != 0).then(|| u32::from(first) * sounds::blurred_limit() as u32 + u32::from(second))
}
