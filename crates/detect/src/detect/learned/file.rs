//! A model as a file: `qglearn2`, the numbers little-endian, then a byte a bucket.

use super::{BUCKETS, Model, Record};

const MAGIC: &[u8; 8] = b"qglearn2";
/// What versions before this one wrote.
const OLD: &[u8; 8] = b"qglearn1";
/// Before the weights.
const HEAD: usize = 32;

/// A file that cannot be read as a model; said to admins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAModel {
    /// Another program's file.
    #[error("不是 qunguan train 写的文件")]
    Foreign,
    /// Written by a former version.
    #[error("是旧版本的 qunguan train 写的，现在读不了；请用 qunguan train --fresh 重新学，或删掉这个文件")]
    Old,
    /// Cut off or changed.
    #[error("文件坏了；请用 qunguan train --fresh 重新学，或删掉这个文件")]
    Damaged,
}

impl Model {
    /// The model as bytes.
    pub fn save(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.examples.to_le_bytes());
        bytes.extend(self.record.right.to_le_bytes());
        bytes.extend(self.record.wrong.to_le_bytes());
        for number in [self.unit, self.bias, self.review, self.act] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.weights.iter().map(|w| w.cast_unsigned()));
        bytes
    }

    /// Reads [`Model::save`]'s bytes.
    ///
    /// # Errors
    /// Anything else.
    pub fn load(bytes: &[u8]) -> Result<Self, NotAModel> {
        if bytes.starts_with(OLD) {
            return Err(NotAModel::Old);
        }
        let body = bytes.strip_prefix(MAGIC).ok_or(NotAModel::Foreign)?;
        if body.len() != HEAD + BUCKETS {
            return Err(NotAModel::Damaged);
        }
        let word = |at: usize| [body[at], body[at + 1], body[at + 2], body[at + 3]];
        let number = |at: usize| Some(f32::from_le_bytes(word(at))).filter(|n| n.is_finite()).ok_or(NotAModel::Damaged);
        Ok(Self {
            examples: u64::from_le_bytes(body[..8].try_into().unwrap_or_default()),
            record: Record { right: u32::from_le_bytes(word(8)), wrong: u32::from_le_bytes(word(12)) },
            unit: number(16)?,
            bias: number(20)?,
            review: number(24)?,
            act: number(28)?,
            weights: body[HEAD..].iter().map(|b| b.cast_signed()).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_anything_else_is_told() {
        let model = Model {
            weights: (0..BUCKETS).map(|i| (i % 255) as u8 as i8).collect(),
            unit: 0.02,
            bias: -1.0,
            review: 0.1,
            act: 0.7,
            examples: 9,
            record: Record { right: 3, wrong: 1 },
        };
        let bytes = model.save();
        assert!(bytes.len() < 1 << 20);
        assert_eq!(Model::load(&bytes).as_ref(), Ok(&model));
        assert_eq!(Model::load(&bytes[..99]), Err(NotAModel::Damaged));
        assert_eq!(Model::load(b"qglearn1and so on"), Err(NotAModel::Old));
        assert_eq!(Model::load(b"PK"), Err(NotAModel::Foreign));
        let mut odd = bytes;
        odd[24..28].copy_from_slice(&f32::NAN.to_le_bytes());
        assert_eq!(Model::load(&odd), Err(NotAModel::Damaged));
    }
}
