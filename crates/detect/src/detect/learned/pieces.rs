//! A message taken to pieces: runs of one to four characters and of two to three sounds, each once, as buckets.
//!
//! Nothing is allocated for a message: the buckets and the table that keeps them apart are a thread's own and grow with the
//! longest message it has seen.

use std::cell::RefCell;

use crate::detect::view::View;

/// A power of two: one byte each, 512 KiB a model.
pub(super) const BUCKETS: usize = 1 << 19;
/// Longest runs.
const CHARS: usize = 4;
const SOUNDS: usize = 3;

#[derive(Default)]
struct Scratch {
    pieces: Vec<u32>,
    /// Open addressing; a place is taken if its round is the present one.
    seen: Vec<(u32, u32)>,
    round: u32,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

fn mix(hash: u64, part: u64) -> u64 {
    let hash = (hash ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ (hash >> 31)
}

impl Scratch {
    fn begin(&mut self, most: usize) {
        self.pieces.clear();
        self.round = self.round.wrapping_add(1);
        let places = (most * 2).next_power_of_two();
        if self.seen.len() < places || self.round == 0 {
            self.seen.clear();
            self.seen.resize(places, (0, 0));
            self.round = 1;
        }
    }

    fn add(&mut self, hash: u64) {
        let piece = (hash.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as u32 & (BUCKETS as u32 - 1);
        let last = self.seen.len() - 1;
        let mut at = piece as usize & last;
        while self.seen[at].0 == self.round {
            if self.seen[at].1 == piece {
                return;
            }
            at = (at + 1) & last;
        }
        self.seen[at] = (self.round, piece);
        self.pieces.push(piece);
    }
}

/// Hands over the buckets of a message.
pub(super) fn with_pieces<R>(view: &View, take: impl FnOnce(&[u32]) -> R) -> R {
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.begin(view.chars.len() * (CHARS + SOUNDS) + 1);
        // Digits say little by themselves, so that a changing number is no new word.
        let class = |c: char| if c.is_ascii_digit() { '0' as u64 } else { c as u64 };
        for start in 0..view.chars.len() {
            let mut hash = 1;
            for c in view.chars[start..].iter().take(CHARS) {
                hash = mix(hash, class(*c));
                scratch.add(hash);
            }
            let mut hash = 2;
            for (n, sound) in view.sounds[start..].iter().take(SOUNDS).enumerate() {
                if *sound == 0 {
                    break;
                }
                hash = mix(hash, u64::from(*sound));
                if n > 0 {
                    scratch.add(hash);
                }
            }
        }
        take(&scratch.pieces)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_once_whatever_was_read_before() {
        let read = |text: &str| with_pieces(&View::new(text), <[u32]>::to_vec);
        let first = read("好好好好");
        assert_eq!(first.len(), 6, "four runs of characters, two of sounds");
        read(&"很长的一段话，里面什么都有".repeat(300));
        assert_eq!(read("好好好好"), first);
        assert_eq!(read("买3斤"), read("买5斤"));
        assert!(read("").is_empty());
    }
}
