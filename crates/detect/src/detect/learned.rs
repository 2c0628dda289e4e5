//! What the group's own admins taught: a light linear model over character and pinyin pieces.
//!
//! It trains on verdicts and on a company's own files ([`Lessons`]), never ships trained, and may only ask a human (review)
//! until its own reviewed hits have shown that it can be trusted. From which likeness it speaks up was measured on texts
//! that it had not been shown. One model is 512 KiB.

mod copies;
mod file;
mod lessons;
mod pieces;

pub use file::NotAModel;
pub use lessons::{Lessons, Measured};

use serde::{Deserialize, Serialize};

use super::view::View;
use pieces::{BUCKETS, with_pieces};

/// Reviewed hits before the model may act.
const PROBATION: u32 = 50;
/// Share of right ones among them from which it may.
const TRUST: f64 = 0.98;
/// Fewer characters say too little.
const SHORTEST: usize = 4;

/// How reviewed hits of the model turned out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// A human agreed.
    pub right: u32,
    /// A human did not.
    pub wrong: u32,
}

impl Record {
    /// Share of right ones; `None` before the first.
    pub fn precision(self) -> Option<f64> {
        let all = self.right + self.wrong;
        (all > 0).then(|| f64::from(self.right) / f64::from(all))
    }

    /// It earned the right to act: enough reviewed hits, nearly all of them right.
    pub fn may_act(self) -> bool {
        self.right + self.wrong >= PROBATION && self.precision().is_some_and(|p| p >= TRUST)
    }
}

/// The model: one weight a bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// In units of `unit`.
    weights: Vec<i8>,
    unit: f32,
    bias: f32,
    /// Likeness from which a human is asked, and from which a trusted model acts.
    review: f32,
    act: f32,
    /// Examples it has seen.
    pub examples: u64,
    /// How its hits turned out.
    pub record: Record,
}

/// How alike a text is to what was taught.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness {
    /// Worth a human's look.
    pub review: bool,
    /// So alike that it may be acted on once the model is trusted.
    pub act: bool,
    /// For people: 50 where a human begins to be asked.
    pub percent: u8,
}

impl Model {
    fn sum(&self, pieces: &[u32]) -> f32 {
        let sum: i32 = pieces.iter().map(|p| i32::from(self.weights[*p as usize])).sum();
        self.bias + self.unit * sum as f32 / (pieces.len().max(1) as f32).sqrt()
    }

    fn likeness_of(&self, pieces: &[u32], chars: usize) -> Likeness {
        let sum = self.sum(pieces);
        let said = chars >= SHORTEST;
        let percent = 100.0 / (1.0 + (-4.0 * (sum - self.review)).exp());
        Likeness { review: said && sum > self.review, act: said && sum > self.act, percent: percent as u8 }
    }

    /// How alike a text is to what was taught.
    pub fn likeness(&self, text: &str) -> Likeness {
        let mut found = [Likeness { review: false, act: false, percent: 0 }];
        likenesses(&View::new(text), [self], |i, likeness| found[i] = likeness);
        found[0]
    }
}

/// Asks all models about a message that is read already; the message is taken to pieces once.
pub fn likenesses<'a>(view: &View, models: impl IntoIterator<Item = &'a Model>, mut tell: impl FnMut(usize, Likeness)) {
    with_pieces(view, |pieces| {
        for (i, model) in models.into_iter().enumerate() {
            tell(i, model.likeness_of(pieces, view.chars.len()));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_may_act_only_when_reviewed_hits_were_right() {
        assert!(!Record { right: 49, wrong: 0 }.may_act());
        assert!(Record { right: 50, wrong: 0 }.may_act());
        assert!(!Record { right: 90, wrong: 10 }.may_act());
    }
}
