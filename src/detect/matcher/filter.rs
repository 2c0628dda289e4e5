//! Which neighbouring symbols can begin a word: asked for sixty-four places of a text at a time and without a branch, so that
//! the automaton is entered only where it pays.

use super::double_array::Words;

/// Says yes too often, never no where a word begins.
#[derive(Debug)]
pub(super) struct Filter {
    /// Words of one symbol, a bit a symbol; empty if there are none.
    singles: Vec<u64>,
    /// Neighbours looked at first: two, or three if no word is shorter.
    width: usize,
    /// Two bits a slot: these neighbours are a whole word; they begin a longer one.
    near: Vec<u64>,
    /// One bit a slot: these neighbours and one more begin a word.
    far: Vec<u64>,
    /// Slots are numbered by so many bits, in `near` and in `far`.
    near_bits: u32,
    far_bits: u32,
}

const WHOLE: u64 = 1;
const BEGINS: u64 = 2;
/// Places of one answer.
pub(super) const BLOCK: usize = 64;

impl Filter {
    pub(super) fn build(words: &Words) -> Self {
        let count = words.iter().count();
        let shortest = words.iter().map(|(word, _)| word.len()).filter(|len| *len > 1).min();
        let width = if shortest.is_some_and(|len| len > 2) { 3 } else { 2 };
        // Some ten bits a word, well within what a core's own cache holds.
        let bits = (count * 10).next_power_of_two().clamp(1 << 15, 1 << 21).trailing_zeros();
        let mut filter = Self {
            singles: Vec::new(),
            width,
            near: vec![0; 1 << (bits - 6)],
            far: vec![0; 1 << (bits - 6)],
            near_bits: bits - 1,
            far_bits: bits,
        };
        for (word, _) in words.iter() {
            match *word {
                [] => {}
                [a] => {
                    filter.singles.resize(1 << 10, 0);
                    filter.singles[usize::from(a) / 64] |= 1 << (a % 64);
                }
                _ => {
                    let (near, rest) = word.split_at(width);
                    let key = filter.key(near);
                    let slot = filter.near_slot(key);
                    filter.near[slot / 32] |= if rest.is_empty() { WHOLE } else { BEGINS } << (slot % 32 * 2);
                    if let Some(next) = rest.first() {
                        let slot = filter.far_slot(key, *next);
                        filter.far[slot / 64] |= 1 << (slot % 64);
                    }
                }
            }
        }
        filter
    }

    /// Symbols are numbered by frequency: what is frequent lies together.
    #[inline]
    fn key(&self, near: &[u16]) -> u32 {
        let shift = (self.near_bits - 8) / (near.len() as u32 - 1);
        near.iter().fold(0, |key, symbol| key << shift ^ u32::from(*symbol))
    }

    #[inline]
    fn near_slot(&self, key: u32) -> usize {
        (key & ((1 << self.near_bits) - 1)) as usize
    }

    #[inline]
    fn far_slot(&self, key: u32, next: u16) -> usize {
        ((key ^ u32::from(next) << 16).wrapping_mul(0x9e37_79b1) >> (32 - self.far_bits)) as usize
    }

    /// One bit a place where a word may begin, for the first [`BLOCK`] places of padded symbols.
    #[inline]
    pub(super) fn block(&self, symbols: &[u16]) -> u64 {
        let mut places = match self.width {
            2 => self.places::<3>(symbols),
            _ => self.places::<4>(symbols),
        };
        if !self.singles.is_empty() {
            for (i, a) in symbols.iter().take(BLOCK).enumerate() {
                places |= (self.singles[usize::from(*a) / 64] >> (a % 64) & 1) << i;
            }
        }
        places
    }

    #[inline]
    fn places<const LOOK: usize>(&self, symbols: &[u16]) -> u64 {
        let symbols = &symbols[..symbols.len().min(BLOCK + LOOK - 1)];
        let mut places = 0;
        for window in symbols.windows(LOOK) {
            let key = self.key(&window[..LOOK - 1]);
            let slot = self.near_slot(key);
            let near = self.near[slot / 32] >> (slot % 32 * 2);
            let slot = self.far_slot(key, window[LOOK - 1]);
            let far = self.far[slot / 64] >> (slot % 64);
            let known = u64::from(window[0] != 0);
            places = places >> 1 | ((near & WHOLE | near >> 1 & far) & known) << 63;
        }
        places >> (BLOCK - (symbols.len() - (LOOK - 1)))
    }
}
