//! What a disguised message really says: `加 薇❤信` becomes `加薇信`, which sounds like `加微信`, and every character of the
//! result still knows where it came from, so evidence always shows what was really typed.
//!
//! No I/O, no policy. The steps have names ([`Transform`]) that `scan --explain` prints per character.
//!
//! - [`normalize`] folds a message: width, case, invisible and combining characters, fancy letters and digits, traditional
//!   characters, look-alike letters. Spaces, punctuation and emoji are left out, but [`Normalized::gap`] tells what lay
//!   before each character, so a rule decides what it reads across.
//! - [`Normalized::rewritten`] is the second reading: emoji as words, split characters joined, repetition collapsed.
//! - [`sounds`] numbers what characters sound like; [`digits`] reads disguised numbers; [`aliases`] knows the other names of
//!   WeChat and QQ; [`domains`] puts broken web addresses together again.
//!
//! Positions: *folded* positions index [`Normalized::folded`]; *original* positions count Unicode scalar values of the
//! message. [`Normalized::origin`] leads from the first to the second, [`Normalized::folded_range`] back.

pub mod aliases;
pub mod digits;
pub mod domains;
pub mod emoji;
mod lookalike;
mod marks;
mod normalized;
pub mod ordinary;
mod simplified;
pub mod sounds;
pub mod split;
pub(crate) mod table;

pub use marks::{Break, Gap, is_han};
pub use normalized::{Explained, Normalized, fold, normalize};
pub use simplified::simplified;

use crate::model::named_enum;

named_enum! {
    /// One named step of the normalisation; a finding lists those that its characters went through.
    pub enum Transform {
        /// Full width and other compatibility forms.
        Width = "width", "全角";
        /// Upper case.
        Case = "case", "大小写";
        /// Zero-width and other invisible characters dropped.
        Invisible = "invisible", "隐形字符";
        /// Combining marks dropped.
        Combining = "combining", "组合符号";
        /// Circled, mathematical and other fancy letters and digits.
        Fancy = "fancy", "花体字";
        /// Han and other numerals read as digits.
        Digit = "digit", "数字变体";
        /// Traditional characters read as simplified.
        Traditional = "traditional", "繁体";
        /// Separators, spaces or emoji inside a word dropped.
        Separator = "separator", "夹杂符号";
        /// Repeated characters collapsed.
        Repeat = "repeat", "重复字";
        /// Look-alike letters of another script.
        Lookalike = "lookalike", "形近字母";
        /// Characters put together from their parts (弓虽 → 强).
        Split = "split", "拆字";
        /// Same sound, other character.
        Homophone = "homophone", "谐音";
        /// An emoji read as the word it stands for.
        Emoji = "emoji", "表情代字";
        /// An alias of a contact way (V, vx, 卫星 → 微信), or a plus sign for 加.
        Alias = "alias", "联系方式代称";
        /// A broken domain put together again (点com).
        Domain = "domain", "拆开的网址";
        /// A sign or letter in the place of a character or between two (傻*).
        Masked = "masked", "遮字";
        /// Written from its end.
        Reversed = "reversed", "倒写";
    }
}

/// A set of [`Transform`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Steps(u32);

impl Steps {
    /// What only the second reading does.
    pub const REWRITE: Self = Self(
        Self::of(Transform::Split).0
            | Self::of(Transform::Emoji).0
            | Self::of(Transform::Repeat).0
            | Self::of(Transform::Alias).0,
    );

    /// The set of one step.
    pub const fn of(step: Transform) -> Self {
        Self(1 << step as u32)
    }
    /// Adds a step.
    pub const fn insert(&mut self, step: Transform) {
        self.0 |= 1 << step as u32;
    }
    /// The step is in the set.
    pub const fn contains(self, step: Transform) -> bool {
        self.0 & (1 << step as u32) != 0
    }
    /// Both sets share a step.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
    /// One bit a step, in declaration order from bit 0.
    pub const fn bits(self) -> u32 {
        self.0
    }
    /// The steps, in declaration order.
    pub fn iter(self) -> impl Iterator<Item = Transform> {
        Transform::ALL.iter().copied().filter(move |step| self.contains(*step))
    }
}

impl std::ops::BitOr for Steps {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests;
