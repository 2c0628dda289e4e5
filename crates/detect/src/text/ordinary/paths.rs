//! The ways to read a message as a row of everyday words, and how likely it is that a certain word is among them.

use std::cmp::Ordering;

use super::words::LONGEST;
use super::{WORDS, alone};

/// Every way to read a text, counted together: read once a message, asked for many places.
#[derive(Debug, Default)]
pub struct Paths {
    /// Rarity of each character as a word of its own.
    alone: Vec<f32>,
    /// How rare the likeliest words up to a place are together.
    before: Vec<f32>,
    /// The same from a place on.
    after: Vec<f32>,
    /// Words by where they begin: one past the last, rarity.
    words: Vec<(u32, f32)>,
    /// The first of them by place; one more than characters.
    first: Vec<u32>,
}

/// Words are no longer, so most of what is asked for fits.
const SHORT: usize = 16;

impl Paths {
    /// Reads another text; `apart` tells that no word goes on from the character before to this one.
    pub fn read(&mut self, chars: &[char], apart: impl Fn(usize) -> bool) {
        let length = chars.len();
        self.alone.clear();
        self.alone.extend(chars.iter().map(|c| alone(*c)));
        self.before.clear();
        self.before.resize(length + 1, f32::INFINITY);
        self.before[0] = 0.0;
        self.after.clear();
        self.after.resize(length + 1, 0.0);
        self.words.clear();
        self.first.clear();
        let mut end = 0;
        for start in 0..length {
            if start >= end {
                end = (start + 1..length).find(|i| apart(*i)).unwrap_or(length);
            }
            let so_far = self.before[start];
            let mut reach = |end: usize, rarity: f32| self.before[end] = self.before[end].min(so_far + rarity);
            reach(start + 1, self.alone[start]);
            self.first.push(self.words.len() as u32);
            WORDS.all_beginning(&chars[start..end], |length, rarity| {
                reach(start + length, rarity);
                self.words.push(((start + length) as u32, rarity));
            });
        }
        self.first.push(self.words.len() as u32);
        for start in (0..length).rev() {
            let one = self.alone[start] + self.after[start + 1];
            self.after[start] = self.from(start).fold(one, |least, (end, rarity)| least.min(rarity + self.after[end]));
        }
    }

    /// Words of two characters and more that begin at a place: one past the last, rarity.
    fn from(&self, start: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let range = self.first[start] as usize..self.first[start + 1] as usize;
        self.words[range].iter().map(|(end, rarity)| (*end as usize, *rarity))
    }

    /// What is likely where somebody sees a word from `start` to `end`.
    pub fn around(&self, start: usize, end: usize) -> Around {
        let length = end - start;
        let mut short = [[f32::INFINITY; SHORT + 1]; 2];
        let mut long;
        let [within, entered] = if length <= SHORT {
            short.each_mut().map(|row| &mut row[..=length])
        } else {
            long = [0; 2].map(|_| vec![f32::INFINITY; length + 1]);
            long.each_mut().map(|row| &mut row[..])
        };
        within[0] = 0.0;
        self.spread(within, start, end);
        let inside = within[length];
        // What is reached by words that begin before.
        let (mut covered, mut across) = (f32::INFINITY, f32::INFINITY);
        for from in start.saturating_sub(LONGEST - 1)..start {
            for (to, rarity) in self.from(from).filter(|(to, _)| *to > start) {
                let so_far = self.before[from] + rarity;
                match to.cmp(&end) {
                    Ordering::Less => entered[to - start] = entered[to - start].min(so_far),
                    Ordering::Equal => covered = covered.min(so_far),
                    Ordering::Greater => across = across.min(so_far + self.after[to]),
                }
            }
        }
        self.spread(entered, start, end);
        let mut left = f32::INFINITY;
        for from in start..end {
            for (to, rarity) in self.from(from).filter(|(to, _)| *to > end) {
                let rest = rarity + self.after[to];
                if from == start {
                    covered = covered.min(self.before[start] + rest - self.after[end]);
                } else {
                    across = across.min(entered[from - start] + rest);
                    left = left.min(self.before[start] + within[from - start] + rest);
                }
            }
        }
        Around {
            inside,
            alone: self.before[start] + inside + self.after[end],
            beside: left.min(entered[length] + self.after[end]),
            beyond: left,
            covered: covered + self.after[end],
            across,
        }
    }

    /// Goes on from what is reached between two places.
    fn spread(&self, least: &mut [f32], start: usize, end: usize) {
        for from in start..end {
            let so_far = least[from - start];
            let mut reach = |to: usize, rarity: f32| {
                let other = &mut least[to - start];
                *other = other.min(so_far + rarity);
            };
            reach(from + 1, self.alone[from]);
            self.from(from).filter(|(to, _)| *to <= end).for_each(|(to, rarity)| reach(to, rarity));
        }
    }
}

/// How rare the likeliest readings are …
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Around {
    /// of what lies between two places, alone;
    pub inside: f32,
    /// of the text, if a word begins at the first and one ends at the second;
    pub alone: f32,
    /// if a word lies across one of them;
    pub beside: f32,
    /// if a word lies across the second of them, but none across the first;
    pub beyond: f32,
    /// if a longer word has all that lies between at its beginning or its end;
    pub covered: f32,
    /// if words lie across both, or one goes on at both.
    pub across: f32,
}
