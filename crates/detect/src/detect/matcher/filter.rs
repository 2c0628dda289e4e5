//! Which neighbouring symbols can begin a word, so that the automaton is entered only where it pays. Sixty-four places of a
//! text are asked at a time by two or three symbols, without a branch, and the few that are left by one symbol more.

use super::words::Sorted;

/// Says yes too often, never no where a word begins.
#[derive(Debug)]
pub(super) struct Filter {
    /// Words of one symbol, a bit a symbol; empty if there are none.
    singles: Vec<u64>,
    /// Neighbours looked at first: two, or three if no word is shorter.
    width: usize,
    /// One bit a slot, the slots a power of two: some word begins with these neighbours.
    near: Vec<u64>,
    /// The same of these neighbours and the symbol after them, or [`END`].
    far: Vec<u64>,
}

/// Places of one answer.
pub(super) const BLOCK: usize = 64;

/// What follows a word that has ended: no symbol has this number.
const END: u16 = 0xffff;

/// A symbol is worth so much more than the next one. Symbols are numbered by frequency: what is frequent lies together.
const WEIGHT: u32 = 605;

/// Words that may begin at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    Nothing,
    /// Only some no longer than [`Filter::width`].
    Short,
    Long,
}

impl Filter {
    pub(super) fn build(words: &Sorted<'_>) -> Self {
        let all = || (0..words.len()).map(|i| words.word(i));
        let width = match all().map(<[u16]>::len).filter(|len| *len > 1).min() {
            Some(3..) => 3,
            _ => 2,
        };
        let mut before: &[u16] = &[];
        let mut starts = 0;
        for near in all().filter_map(|word| word.get(..width)) {
            starts += usize::from(near != before);
            before = near;
        }
        // Well within what a core's own cache holds.
        let bits = |count: usize| vec![0; (count * 10).next_power_of_two().clamp(1 << 15, 1 << 21) / 64];
        let mut filter = Self { singles: Vec::new(), width, near: bits(starts * 4), far: bits(words.len()) };
        for word in all() {
            if let [a] = *word {
                filter.singles.resize(1 << 10, 0);
                filter.singles[usize::from(a) / 64] |= 1 << (a % 64);
                continue;
            }
            let (near, rest) = word.split_at(width);
            let key = key(near);
            let last = filter.near.len() - 1;
            filter.near[slot(key) & last] |= 1 << (key % 64);
            let far = far(key, rest.first().copied().unwrap_or(END));
            let last = filter.far.len() - 1;
            filter.far[slot(far) & last] |= 1 << (far % 64);
        }
        filter
    }

    /// Symbols that are looked at first.
    pub(super) const fn width(&self) -> usize {
        self.width
    }

    /// One bit a place where a word may begin, for the first [`BLOCK`] places of padded symbols.
    #[inline]
    pub(super) fn block(&self, symbols: &[u16]) -> u64 {
        let mut places = if self.width == 2 { self.near::<false>(symbols) } else { self.near::<true>(symbols) };
        if !self.singles.is_empty() {
            for (i, a) in symbols.iter().take(BLOCK).enumerate() {
                places |= u64::from(self.is_single(*a)) << i;
            }
        }
        places
    }

    /// The same question for one of these places.
    #[inline]
    pub(super) fn ask(&self, symbols: &[u16]) -> Begins {
        let key = key(&symbols[..self.width]);
        let last = self.far.len() - 1;
        let ask = |next| {
            let far = far(key, next);
            self.far[slot(far) & last] >> (far % 64) & 1 != 0
        };
        if ask(symbols[self.width]) {
            Begins::Long
        } else if ask(END) || self.is_single(symbols[0]) {
            Begins::Short
        } else {
            Begins::Nothing
        }
    }

    #[inline]
    fn is_single(&self, symbol: u16) -> bool {
        self.singles.get(usize::from(symbol) / 64).is_some_and(|bits| bits >> (symbol % 64) & 1 != 0)
    }

    #[inline]
    fn near<const THREE: bool>(&self, symbols: &[u16]) -> u64 {
        let places = BLOCK.min(symbols.len() - 3);
        let (first, rest) = symbols[..places + 1 + usize::from(THREE)].split_at(1 + usize::from(THREE));
        let near = &self.near[..];
        let last = near.len() - 1;
        let mut before = u32::from(first[first.len() - 1]);
        let mut two = key(first);
        let mut known = 0_u64;
        for symbol in rest {
            let symbol = u32::from(*symbol);
            let next = before * WEIGHT + symbol;
            let key = if THREE { two.wrapping_mul(WEIGHT).wrapping_add(symbol) } else { next };
            (two, before) = (next, symbol);
            known = known * 2 + (near[slot(key) & last] >> (key % 64) & 1);
        }
        known.reverse_bits() >> (BLOCK - places)
    }
}

#[inline]
fn key(near: &[u16]) -> u32 {
    near.iter().fold(0_u32, |key, symbol| key.wrapping_mul(WEIGHT).wrapping_add(u32::from(*symbol)))
}

#[inline]
const fn far(key: u32, next: u16) -> u32 {
    (key ^ (next as u32) << 16).wrapping_mul(0x9e37_79b1).rotate_left(16)
}

/// The word of bits of a key, before it is cut to the size of a table.
#[inline]
const fn slot(key: u32) -> usize {
    (key >> 6) as usize
}
