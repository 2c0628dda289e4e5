//! The usual engine: `daachorse` over the symbols written as characters. Linear in the text plus the matches, whatever both are.

use std::fmt;

use daachorse::CharwiseDoubleArrayAhoCorasick;

use super::PAD;
use super::words::Words;

/// The words of one alphabet.
pub(crate) struct Automaton {
    machine: Option<CharwiseDoubleArrayAhoCorasick<u32>>,
    /// By word of the machine: symbols, and the end of its owners.
    words: Vec<(u16, u32)>,
    owners: Vec<u32>,
}

impl fmt::Debug for Automaton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Automaton").field("words", &self.words.len()).finish_non_exhaustive()
    }
}

/// A symbol as a character that is none of the surrogates.
fn letter(symbol: u16) -> char {
    const SURROGATES: u32 = 0xd800;
    let code = u32::from(symbol) + 1;
    char::from_u32(if code < SURROGATES { code } else { code + 0x10000 }).unwrap_or('\0')
}

impl Automaton {
    /// Compiles the words; owners of words without symbols never match. `None` beyond the machine's limits.
    pub(crate) fn build(words: &Words) -> Option<Self> {
        let mut sorted: Vec<(&[u16], u32)> = words.iter().filter(|(word, _)| !word.is_empty()).collect();
        sorted.sort_unstable();
        let mut automaton = Self { machine: None, words: Vec::new(), owners: Vec::with_capacity(sorted.len()) };
        let mut texts: Vec<String> = Vec::new();
        for same in sorted.chunk_by(|(a, _), (b, _)| a == b) {
            automaton.owners.extend(same.iter().map(|(_, owner)| *owner));
            automaton.words.push((u16::try_from(same[0].0.len()).ok()?, automaton.owners.len() as u32));
            texts.push(same[0].0.iter().map(|symbol| letter(*symbol)).collect());
        }
        automaton.words.shrink_to_fit();
        if !texts.is_empty() {
            automaton.machine = Some(CharwiseDoubleArrayAhoCorasick::new(&texts).ok()?);
        }
        Some(automaton)
    }

    /// Calls back with owner, start and end of every match, overlapping ones included. `symbols` end with [`PAD`].
    pub(crate) fn search(&self, symbols: &[u16], mut found: impl FnMut(u32, usize, usize)) {
        let Some(machine) = &self.machine else { return };
        let mut stepper = machine.find_overlapping_stepper();
        for (end, symbol) in (1..).zip(&symbols[..symbols.len() - PAD.len()]) {
            stepper.consume(letter(*symbol));
            for hit in stepper.matches() {
                let word = hit.value() as usize;
                let (length, to) = self.words[word];
                let from = word.checked_sub(1).map_or(0, |before| self.words[before].1);
                for owner in &self.owners[from as usize..to as usize] {
                    found(*owner, end - usize::from(length), end);
                }
            }
        }
    }
}
