//! The words of one alphabet before they are compiled: small numbers from 1 instead of characters.

/// From so many symbols on that a word shares with the inside of another one the two are said to be entangled.
pub(super) const ENTANGLED: usize = 4;

/// Words to compile: their symbols, and whom each belongs to.
#[derive(Debug, Default)]
pub(crate) struct Words {
    symbols: Vec<u16>,
    ends: Vec<u32>,
    owners: Vec<u32>,
}

impl Words {
    /// Adds a word.
    pub(crate) fn add(&mut self, symbols: impl Iterator<Item = u16>, owner: u32) {
        self.symbols.extend(symbols);
        self.ends.push(self.symbols.len() as u32);
        self.owners.push(owner);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Words with their owners.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u16], u32)> {
        (0..self.owners.len()).map(|i| (self.word(i), self.owners[i]))
    }

    /// The symbols of a word.
    pub(super) fn word(&self, i: usize) -> &[u16] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        &self.symbols[start..self.ends[i] as usize]
    }
}

impl Words {
    /// Whom a word belongs to.
    pub(super) fn owner(&self, i: usize) -> u32 {
        self.owners[i]
    }

    /// Gives back what it does not need.
    pub(super) fn shrink(&mut self) {
        self.symbols.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.owners.shrink_to_fit();
    }
}

/// The words that have symbols, in the order of their symbols.
pub(super) struct Sorted<'a> {
    words: &'a Words,
    /// The first symbols of each, and its number.
    order: Vec<(u64, u32)>,
    entangled: Vec<bool>,
}

fn key(symbols: impl Iterator<Item = u16>) -> u64 {
    symbols.fold(0, |key, symbol| key << 16 | u64::from(symbol))
}

impl<'a> Sorted<'a> {
    pub(super) fn new(words: &'a Words) -> Self {
        let first = |word: &[u16]| key((0..ENTANGLED).map(|at| word.get(at).copied().unwrap_or(0)));
        let mut order: Vec<(u64, u32)> = words.iter().map(|(word, _)| first(word)).zip(0..).collect();
        order.retain(|(key, _)| *key != 0);
        order.sort_unstable_by(|(a, i), (b, j)| {
            a.cmp(b).then_with(|| words.word(*i as usize).cmp(words.word(*j as usize))).then(i.cmp(j))
        });
        let mut sorted = Self { words, entangled: vec![false; order.len()], order };
        sorted.entangle();
        sorted
    }

    /// Finds the words that hold the beginning of a word inside, and those that begin as something inside another one.
    fn entangle(&mut self) {
        // One bit each says of nearly everything inside a word that no word begins so.
        let bits = (self.order.len() * 16).next_power_of_two().max(64).trailing_zeros();
        let slot = |key: u64| (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)) as usize;
        let mut begins = vec![0_u64; 1 << (bits - 6)];
        for (key, _) in &self.order {
            begins[slot(*key) / 64] |= 1 << (slot(*key) % 64);
        }
        let mut is_inside = vec![false; self.order.len()];
        for at in 0..self.order.len() {
            for inside in self.words.word(self.order[at].1 as usize).windows(ENTANGLED).skip(1) {
                let key = key(inside.iter().copied());
                if begins[slot(key) / 64] >> (slot(key) % 64) & 1 == 0 {
                    continue;
                }
                let first = self.order.partition_point(|(begin, _)| *begin < key);
                if self.order.get(first).is_some_and(|(begin, _)| *begin == key) {
                    is_inside[first] = true;
                    self.entangled[at] = true;
                }
            }
        }
        let mut at = 0;
        for same in self.order.chunk_by(|(a, _), (b, _)| a == b) {
            if is_inside[at] {
                self.entangled[at..at + same.len()].fill(true);
            }
            at += same.len();
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.order.len()
    }
    pub(super) fn word(&self, at: usize) -> &'a [u16] {
        self.words.word(self.order[at].1 as usize)
    }
    pub(super) fn owner(&self, at: usize) -> u32 {
        self.words.owners[self.order[at].1 as usize]
    }
    pub(super) fn is_entangled(&self, at: usize) -> bool {
        self.entangled[at]
    }
}
