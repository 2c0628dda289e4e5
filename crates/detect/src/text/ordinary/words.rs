//! The dictionary: a tree of characters, level by level, that tells which words begin at a place.

use std::sync::LazyLock;

/// `data/words.txt` explains itself.
static TEXT: &str = include_str!("../../../data/words.txt");

pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| Words::read(TEXT));

/// First and last character that begins a word.
const FIRST: u32 = 0x3400;
const LAST: u32 = 0x9fff;
/// Longest word, in characters.
pub(super) const LONGEST: usize = 8;
/// No word ends here.
const NONE: u8 = u8::MAX;
/// No word begins with the character.
const NOWHERE: u16 = u16::MAX;
/// Signs for rarity count from here, five to one.
const SIGN: u8 = b'!';
const STEPS: f32 = 5.0;
/// A name that is hardly ever written: not what makes a stretch ordinary.
const NAME: u8 = b'}' - SIGN;

/// The characters that stand at one place of words, those after the same beginning side by side and in order.
#[derive(Default)]
struct Level {
    chars: Vec<u16>,
    /// In fifths.
    rarity: Vec<u8>,
    /// Where those that follow begin in the next level; one entry more than characters.
    next: Vec<u32>,
}

#[derive(Default)]
pub(super) struct Words {
    /// Place in the first level, by code point from [`FIRST`].
    first: Vec<u16>,
    levels: Vec<Level>,
    /// The first two characters of words, one bit for the hash of each pair: what most pairs of a text are not.
    pairs: Vec<u64>,
    /// How rare each character is as a word of its own, by code point from [`FIRST`].
    alone: Vec<f32>,
}

impl Words {
    /// Reads lines of words that are in order of code points.
    fn read(text: &str) -> Self {
        let mut words = Self { first: vec![NOWHERE; (LAST - FIRST + 1) as usize], ..Self::default() };
        let mut word: Vec<u16> = Vec::new();
        let mut before: Vec<u16> = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut chars = line.chars();
            let Some(first) = chars.next() else { continue };
            if let Some(place) = words.first.get_mut((first as u32).wrapping_sub(FIRST) as usize) {
                *place = words.levels.first().map_or(0, |level| level.chars.len()) as u16;
            }
            word.clear();
            word.push(first as u16);
            for c in chars {
                if !c.is_ascii() {
                    word.push(c as u16);
                    continue;
                }
                words.add(&word, &before, c as u8 - SIGN);
                before.clone_from(&word);
                word.truncate(1);
            }
        }
        for depth in 0..words.levels.len() {
            let end = words.levels.get(depth + 1).map_or(0, |level| level.chars.len());
            words.levels[depth].next.push(end as u32);
        }
        words.pairs = vec![0; PAIRS / 64];
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let first = line.chars().next().unwrap_or_default();
            // A character is the second one of a word behind the sign of the word before.
            for (before, c) in line.chars().zip(line.chars().skip(1)).skip(1) {
                if before.is_ascii() && !c.is_ascii() {
                    words.pairs[pair(first, c) / 64] |= 1 << (pair(first, c) % 64);
                }
            }
            if let Some(c) = line.chars().nth(1).filter(|c| !c.is_ascii()) {
                words.pairs[pair(first, c) / 64] |= 1 << (pair(first, c) % 64);
            }
        }
        let chars = (FIRST..=LAST).map(|code| char::from_u32(code).unwrap_or_default());
        words.alone = chars.map(|c| as_word(c, words.of(&[c]))).collect();
        words
    }

    /// How rare a character is as a word of its own.
    #[inline]
    pub(super) fn alone(&self, c: char) -> f32 {
        let known = self.alone.get((c as u32).wrapping_sub(FIRST) as usize);
        known.copied().unwrap_or_else(|| as_word(c, None))
    }

    fn add(&mut self, word: &[u16], before: &[u16], rarity: u8) {
        let shared = word.iter().zip(before).take_while(|(a, b)| a == b).count();
        for depth in shared..word.len() {
            if self.levels.len() == depth {
                self.levels.push(Level::default());
            }
            let next = self.levels.get(depth + 1).map_or(0, |level| level.chars.len());
            let level = &mut self.levels[depth];
            level.chars.push(word[depth]);
            level.rarity.push(if depth + 1 == word.len() { rarity } else { NONE });
            level.next.push(next as u32);
        }
    }

    fn start(&self, c: char) -> Option<usize> {
        let place = *self.first.get((c as u32).wrapping_sub(FIRST) as usize)?;
        (place != NOWHERE).then_some(place as usize)
    }

    /// The place in level `depth` of a character that follows a place in the level before.
    fn step(&self, depth: usize, place: usize, c: char) -> Option<usize> {
        let (before, level) = (&self.levels[depth - 1], self.levels.get(depth)?);
        let (from, to) = (before.next[place] as usize, before.next[place + 1] as usize);
        level.chars[from..to].binary_search(&u16::try_from(c as u32).ok()?).ok().map(|found| from + found)
    }

    /// A word begins with two characters, probably.
    fn has_pair(&self, first: char, second: char) -> bool {
        let bit = pair(first, second);
        self.pairs[bit / 64] >> (bit % 64) & 1 != 0
    }

    fn rarity(&self, depth: usize, place: usize) -> Option<f32> {
        let rarity = self.levels[depth].rarity[place];
        (rarity < NAME).then(|| f32::from(rarity) / STEPS)
    }

    /// Every word of two characters and more that begins here, rare names left out: length, rarity.
    pub(super) fn beginning(&self, chars: &[char], mut found: impl FnMut(usize, f32)) {
        self.and_names(chars, |length, rarity| {
            if rarity < NAME {
                found(length, f32::from(rarity) / STEPS);
            }
        });
    }

    /// The same with rare names, in fifths.
    fn and_names(&self, chars: &[char], mut found: impl FnMut(usize, u8)) {
        let [first, second, ..] = chars else { return };
        if !self.has_pair(*first, *second) {
            return;
        }
        let Some(mut place) = self.start(*first) else { return };
        for (depth, c) in chars.iter().enumerate().skip(1) {
            let Some(next) = self.step(depth, place, *c) else { return };
            place = next;
            let rarity = self.levels[depth].rarity[place];
            if rarity != NONE {
                found(depth + 1, rarity);
            }
        }
    }

    /// The same with rare names.
    pub(super) fn all_beginning(&self, chars: &[char], mut found: impl FnMut(usize, f32)) {
        self.and_names(chars, |length, rarity| found(length, f32::from(rarity) / STEPS));
    }

    /// How rare a word is; `None` if there is none of these characters.
    pub(super) fn of(&self, word: &[char]) -> Option<f32> {
        let (first, rest) = word.split_first()?;
        if rest.first().is_some_and(|second| !self.has_pair(*first, *second)) {
            return None;
        }
        let mut place = self.start(*first)?;
        for (i, c) in rest.iter().enumerate() {
            place = self.step(i + 1, place, *c)?;
        }
        self.rarity(rest.len(), place)
    }
}

/// Bits of [`Words::pairs`].
const PAIRS: usize = 1 << 20;

fn pair(first: char, second: char) -> usize {
    let hash = (u64::from(first) << 21 | u64::from(second)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (hash >> 44) as usize % PAIRS
}

fn as_word(c: char, rarity: Option<f32>) -> f32 {
    rarity.unwrap_or(super::UNKNOWN).min(if super::is_spoken(c) { super::SPOKEN_RARITY } else { super::RAREST_ALONE })
}

/// Every word with its rarity, rare names as well.
pub(super) fn all() -> impl Iterator<Item = (String, f32)> {
    TEXT.lines().filter(|line| !line.starts_with('#')).flat_map(|line| {
        let first = line.chars().next().unwrap_or_default();
        let rest = &line[first.len_utf8()..];
        rest.split_inclusive(|c: char| c.is_ascii()).map(move |word| {
            let (word, sign) = word.split_at(word.len() - 1);
            (format!("{first}{word}"), f32::from(sign.as_bytes()[0] - SIGN) / STEPS)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_the_file_is_found() {
        let mut names = 0;
        for (word, rarity) in all() {
            let chars: Vec<char> = word.chars().collect();
            match WORDS.of(&chars) {
                Some(found) => assert!((found - rarity).abs() < f32::EPSILON, "{word}"),
                None => names += 1,
            }
            let mut longest = 0;
            WORDS.all_beginning(&chars, |length, _| longest = length);
            assert!(chars.len() == 1 || longest == chars.len(), "{word}");
        }
        assert!((5_000..15_000).contains(&names), "{names}");
        assert_eq!(WORDS.of(&['不', '蟋']), None);
    }
}
