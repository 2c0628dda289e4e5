//! What a disguised message really says: `加 薇❤信` becomes `加微信`, and every character of the result still knows where
//! it came from, so evidence always shows what was really typed.
//!
//! One pass, no I/O, no policy. The steps have names ([`Transform`]) that `scan --explain` prints per character.

use serde::{Deserialize, Serialize};

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
        /// An alias of a contact way (V, vx, 卫星 → 微信).
        Alias = "alias", "联系方式代称";
        /// A broken domain put together again (点com).
        Domain = "domain", "拆开的网址";
    }
}
