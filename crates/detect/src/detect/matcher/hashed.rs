//! The engine for huge lists: a table of all words by the hash of their symbols, asked wherever two symbols stand that some
//! word begins with, for the lengths such words have. Half as fast as the automaton, built in a moment, and it takes little
//! more room than the words themselves, whatever they are.

use super::PAD;
use super::words::Words;

/// Lengths that share a bit of `begins`: this one and all longer ones.
const LONG: usize = 31;
/// No word.
const NONE: u32 = u32::MAX;

/// The words of one alphabet.
#[derive(Debug)]
pub(crate) struct Hashed {
    words: Words,
    /// The next word of the same symbols, by word.
    next: Vec<u32>,
    /// Words by hash; what is taken moves to the place behind.
    slots: Vec<u32>,
    /// Lengths of the words that begin with two symbols, by their hash.
    begins: Vec<u32>,
    longest: usize,
}

const fn step(hash: u64, symbol: u16) -> u64 {
    (hash ^ symbol as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
}

fn hash(word: &[u16]) -> u64 {
    word.iter().fold(0, |all, symbol| step(all, *symbol))
}

impl Hashed {
    /// Compiles the words; those without symbols never match.
    pub(crate) fn build(words: Words) -> Self {
        let count = words.iter().count();
        let mut hashed = Self {
            next: vec![NONE; count],
            slots: vec![NONE; (count * 2).next_power_of_two().max(2)],
            begins: vec![0; count.next_power_of_two().clamp(1 << 10, 1 << 20)],
            longest: 0,
            words,
        };
        for number in 0..count as u32 {
            let word = hashed.words.word(number as usize);
            let (Some(first), length) = (word.first().copied(), word.len()) else { continue };
            let second = word.get(1).copied().unwrap_or(0);
            let (slot, found) = hashed.slot(hash(word), word);
            if found != NONE {
                hashed.next[number as usize] = found;
            }
            hashed.slots[slot] = number;
            hashed.longest = hashed.longest.max(length);
            let begin = hashed.begin(first, second);
            hashed.begins[begin] |= 1 << length.min(LONG);
        }
        hashed
    }

    /// Where a word stands or would stand, and the first word there.
    fn slot(&self, hash: u64, word: &[u16]) -> (usize, u32) {
        let mask = self.slots.len() - 1;
        let mut slot = (hash >> 20) as usize & mask;
        loop {
            match self.slots[slot] {
                NONE => return (slot, NONE),
                number if self.words.word(number as usize) == word => return (slot, number),
                _ => slot = (slot + 1) & mask,
            }
        }
    }

    #[inline]
    fn begin(&self, first: u16, second: u16) -> usize {
        (step(step(0, first), second) >> 24) as usize & (self.begins.len() - 1)
    }

    /// Calls back with owner, start and end of every match, overlapping ones included. `symbols` end with [`PAD`].
    pub(crate) fn search(&self, symbols: &[u16], mut found: impl FnMut(u32, usize, usize)) {
        let len = symbols.len() - PAD.len();
        for start in 0..len {
            let (first, second) = (symbols[start], symbols[start + 1]);
            // A word of one symbol begins with it and anything.
            let lengths = self.begins[self.begin(first, second)] | self.begins[self.begin(first, 0)] & 0b10;
            if lengths == 0 {
                continue;
            }
            let mut hash = 0;
            for length in 1..=self.longest.min(len - start) {
                hash = step(hash, symbols[start + length - 1]);
                let left = lengths >> length.min(LONG);
                if left == 0 {
                    break;
                }
                if left & 1 == 0 {
                    continue;
                }
                let mut word = self.slot(hash, &symbols[start..start + length]).1;
                while word != NONE {
                    found(self.words.owner(word as usize), start, start + length);
                    word = self.next[word as usize];
                }
            }
        }
    }
}
