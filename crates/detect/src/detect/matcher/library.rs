//! The plain engine: `aho-corasick` over the symbols written as characters. Right by reputation, quick to build, and what
//! the other engine is tested against.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::automaton::PAD;
use super::words::Words;

/// Above this number of words the state table of a DFA no longer fits a cache.
const DFA_LIMIT: usize = 2_000;

/// The words of one alphabet.
#[derive(Debug)]
pub(crate) struct Library {
    machine: Option<AhoCorasick>,
    owners: Vec<u32>,
}

/// A symbol as a character of four bytes, so that byte positions divide evenly.
fn letter(symbol: u16) -> char {
    char::from_u32(0x10000 + u32::from(symbol)).unwrap_or('\u{10000}')
}

const LETTER_BYTES: usize = 4;

impl Library {
    /// Compiles the words; owners of words without symbols never match.
    pub(crate) fn build(words: &Words) -> Self {
        let mut owners = Vec::new();
        let mut texts: Vec<String> = Vec::new();
        for (word, owner) in words.iter() {
            if !word.is_empty() {
                texts.push(word.iter().map(|s| letter(*s)).collect());
                owners.push(owner);
            }
        }
        let kind = if texts.len() < DFA_LIMIT { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
        let machine = (!texts.is_empty())
            .then(|| AhoCorasick::builder().match_kind(MatchKind::Standard).kind(Some(kind)).build(&texts))
            .and_then(Result::ok);
        Self { machine, owners }
    }

    /// Calls back with owner, start and end of every match, overlapping ones included.
    pub(crate) fn search(&self, symbols: &[u16], mut found: impl FnMut(u32, usize, usize)) {
        let Some(machine) = &self.machine else { return };
        let text: String = symbols[..symbols.len() - PAD.len()].iter().map(|s| letter(*s)).collect();
        for hit in machine.find_overlapping_iter(&text) {
            let owner = self.owners[hit.pattern().as_usize()];
            found(owner, hit.start() / LETTER_BYTES, hit.end() / LETTER_BYTES);
        }
    }
}
