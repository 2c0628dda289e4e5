//! The words of one alphabet before they are compiled: small numbers from 1 instead of characters.

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
