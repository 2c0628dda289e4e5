//! What is known of each folded character: where it was typed, what lay before it, what it went through.

use super::{Steps, Transform};

/// How strongly a gap separates the characters on its two sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Break {
    /// They touch, or only invisible characters lie between.
    #[default]
    None,
    /// White space, symbols or emoji.
    Soft,
    /// A comma, colon or full stop within a line.
    Clause,
    /// The end of a sentence or line.
    Sentence,
}

/// What lies before a folded character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gap {
    /// Characters dropped, invisible ones included; 255 stands for more.
    pub len: u8,
    /// The strongest of them.
    pub kind: Break,
}

/// Where a folded character comes from: original positions, what lies before it, and what it went through.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) gap: Gap,
    pub(super) steps: Steps,
}

impl Mark {
    /// Takes in what comes after it.
    pub(super) fn take_in(&mut self, next: Self, step: Transform) {
        self.to = next.to;
        self.steps = self.steps | next.steps | Steps::of(step);
    }
}

/// A Han character.
pub fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{323af}')
}
