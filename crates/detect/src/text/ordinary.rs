//! How ordinary a stretch of Chinese is: whether its characters belong to words that people write every day. A homophone in
//! the place of another character nearly always breaks such a word, which is how a disguise by sound gives itself away; and a
//! listed word that only stands there because two everyday words meet is none ([`Paths`]).
//!
//! The words and how often they are written are `data/words.txt`, read on first use.

mod paths;
mod words;

pub use self::paths::{Around, Paths};
use self::words::WORDS;

/// Characters rarer than this ([`rarity`]) are hardly ever written.
pub const RARE: f32 = 11.5;

/// A character alone is never rarer than this: that somebody writes an unusual one says little by itself.
const RAREST_ALONE: f32 = 10.0;
/// How rare a word of everyday speech is; the dictionary counted books.
const SPOKEN_RARITY: f32 = 6.0;
/// What the dictionary does not know was never counted.
const UNKNOWN: f32 = 18.0;

/// How rare a character is by itself: −ln of its share of all written words, about 4 for 的, 9 for everyday characters.
pub fn rarity(c: char) -> f32 {
    WORDS.of(&[c]).unwrap_or(UNKNOWN)
}

/// A word of everyday speech.
pub fn is_spoken(c: char) -> bool {
    matches!(c, '吗' | '吧' | '呢' | '啊' | '呀' | '嘛' | '哈' | '哦' | '嗯' | '啦' | '的' | '了' | '是')
        || matches!(c, '我' | '你' | '您' | '他' | '她' | '在' | '有' | '不' | '没' | '么' | '这' | '那')
}

/// How rare the likeliest words of a stretch are together, in the measure of [`rarity`].
pub fn rarity_of(chars: &[char]) -> f32 {
    let mut short = [0.0; 32];
    let mut long = Vec::new();
    let least = if chars.len() < short.len() {
        &mut short[..=chars.len()]
    } else {
        long.resize(chars.len() + 1, 0.0);
        &mut long[..]
    };
    least[1..].fill(f32::INFINITY);
    for start in 0..chars.len() {
        let before = least[start];
        least[start + 1] = least[start + 1].min(before + alone(chars[start]));
        WORDS.beginning(&chars[start..], |length, rarity| {
            least[start + length] = least[start + length].min(before + rarity);
        });
    }
    least[chars.len()]
}

/// The dictionary has it.
pub fn is_word(chars: &[char]) -> bool {
    WORDS.of(chars).is_some()
}

/// Every word with its rarity, by code points.
pub fn words() -> impl Iterator<Item = (String, f32)> {
    words::all()
}

/// How rare a character is as a word of its own.
fn alone(c: char) -> f32 {
    WORDS.alone(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> f32 {
        rarity_of(&text.chars().collect::<Vec<_>>())
    }

    #[test]
    fn everyday_words_are_less_rare_than_the_same_sounds_in_other_characters() {
        assert!(of("垃圾") + 5.0 < of("拉鸡"));
        assert!(of("下午可以看房") + 3.0 < of("下午可以刊防"), "{} {}", of("下午可以看房"), of("下午可以刊防"));
        assert!(of("").abs() < f32::EPSILON);
    }
}
