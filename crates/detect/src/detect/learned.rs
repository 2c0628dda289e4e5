//! What the group's own admins taught: a light linear model over character and pinyin pieces.
//!
//! It trains on verdicts and on a company's own files, never ships trained, and may only ask a human (review) until its
//! own reviewed hits have shown that it can be trusted. One model is under 1 MiB.

use serde::{Deserialize, Serialize};

use super::view::View;

/// Weights; a power of two. 2^17 × 4 bytes = 512 KiB.
const BUCKETS: usize = 1 << 17;
/// Reviewed hits before the model may act.
const PROBATION: u32 = 50;
/// Share of right ones among them from which it may.
const TRUST: f64 = 0.98;
const RATE: f32 = 0.15;
const MAGIC: &[u8; 8] = b"qglearn1";

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
    weights: Vec<f32>,
    bias: f32,
    /// Examples it has seen.
    pub examples: u64,
    /// How its hits turned out.
    pub record: Record,
}

/// A file that is no model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a model of this program: {0}")]
pub struct NotAModel(String);

impl Default for Model {
    fn default() -> Self {
        Self { weights: vec![0.0; BUCKETS], bias: 0.0, examples: 0, record: Record::default() }
    }
}

fn mix(seed: u64, parts: impl IntoIterator<Item = u64>) -> usize {
    let mut h = seed;
    for part in parts {
        h = (h ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        h ^= h >> 31;
    }
    (h.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as usize & (BUCKETS - 1)
}

/// Buckets of a text: runs of one to three characters and of two to three sounds, each once.
fn pieces(view: &View) -> Vec<usize> {
    let mut found = Vec::with_capacity(view.chars.len() * 5);
    // Digits say little by themselves, so that a changing number is no new word.
    let class = |c: &char| if c.is_ascii_digit() { u64::from(b'0') } else { u64::from(*c as u32) };
    for n in 1..=3 {
        found.extend(view.chars.windows(n).map(|w| mix(n as u64, w.iter().map(class))));
    }
    for n in 2..=3 {
        let sounds = view.sounds.windows(n).filter(|w| !w.contains(&0));
        found.extend(sounds.map(|w| mix(16 + n as u64, w.iter().map(|s| u64::from(*s)))));
    }
    found.sort_unstable();
    found.dedup();
    found
}

impl Model {
    /// Learns from scratch: `passes` times over the examples in the given order.
    pub fn train<'a>(examples: &(impl Iterator<Item = (&'a str, bool)> + Clone), passes: usize) -> Self {
        let mut model = Self::default();
        for _ in 0..passes {
            for (text, bad) in examples.clone() {
                model.update(text, bad);
            }
        }
        model
    }

    /// Learns one verdict.
    pub fn update(&mut self, text: &str, bad: bool) {
        let pieces = pieces(&View::new(text));
        let error = f32::from(u8::from(bad)) - self.probability(&pieces);
        self.examples += 1;
        if pieces.is_empty() {
            return;
        }
        let step = RATE * error * 4.0 / (pieces.len() as f32).sqrt();
        for piece in pieces {
            self.weights[piece] += step;
        }
        self.bias += RATE * error * 0.1;
    }

    fn probability(&self, pieces: &[usize]) -> f32 {
        let sum: f32 = pieces.iter().map(|p| self.weights[*p]).sum();
        let z = self.bias + sum / (pieces.len().max(1) as f32).sqrt();
        1.0 / (1.0 + (-z).exp())
    }

    /// 0 (surely fine) to 1 (surely not).
    pub fn score(&self, text: &str) -> f32 {
        self.score_view(&View::new(text))
    }

    /// The same for a text that is read already.
    pub fn score_view(&self, view: &View) -> f32 {
        self.probability(&pieces(view))
    }

    /// The model as bytes.
    pub fn save(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.examples.to_le_bytes());
        bytes.extend(self.record.right.to_le_bytes());
        bytes.extend(self.record.wrong.to_le_bytes());
        bytes.extend(self.bias.to_le_bytes());
        self.weights.iter().for_each(|w| bytes.extend(w.to_le_bytes()));
        bytes
    }

    /// Reads [`Model::save`]'s bytes.
    ///
    /// # Errors
    /// Anything else.
    pub fn load(bytes: &[u8]) -> Result<Self, NotAModel> {
        let body = bytes.strip_prefix(MAGIC).ok_or_else(|| NotAModel("it does not begin like one".to_owned()))?;
        if body.len() != 20 + BUCKETS * 4 {
            return Err(NotAModel(format!("{} bytes are too few or too many", bytes.len())));
        }
        let word = |at: usize| [body[at], body[at + 1], body[at + 2], body[at + 3]];
        let examples = u64::from_le_bytes(body[..8].try_into().unwrap_or_default());
        let weights: Vec<f32> =
            body[20..].chunks_exact(4).map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect();
        if weights.iter().any(|w| !w.is_finite()) {
            return Err(NotAModel("a weight is not a number".to_owned()));
        }
        Ok(Self {
            weights,
            bias: f32::from_le_bytes(word(16)),
            examples,
            record: Record { right: u32::from_le_bytes(word(8)), wrong: u32::from_le_bytes(word(12)) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLES: [(&str, bool); 6] = [
        ("高价回收旧家电上门取", true),
        ("旧家电高价回收电话联系", true),
        ("回收旧手机高价", true),
        ("明天几点看房", false),
        ("合同我下午发过来", false),
        ("家电都在房子里，可以拎包入住", false),
    ];

    #[test]
    fn it_learns_what_it_was_told_and_survives_saving() {
        let model = Model::train(&EXAMPLES.iter().copied(), 20);
        assert!(model.score("上门高价回收旧空调") > 0.7);
        assert!(model.score("下午看房可以吗") < 0.3);
        let bytes = model.save();
        assert!(bytes.len() < 1 << 20);
        assert_eq!(Model::load(&bytes).as_ref(), Ok(&model));
        assert!(Model::load(&bytes[..99]).is_err());
    }

    #[test]
    fn it_may_act_only_when_reviewed_hits_were_right() {
        assert!(!Record { right: 49, wrong: 0 }.may_act());
        assert!(Record { right: 50, wrong: 0 }.may_act());
        assert!(!Record { right: 90, wrong: 10 }.may_act());
    }
}
