//! How ordinary a stretch of Chinese is: whether its characters belong to words that people write every day. A homophone in
//! the place of another character nearly always breaks such a word, which is how a disguise by sound gives itself away.
//!
//! The words and how often they are written come from the dictionary of `jieba-rs`, loaded on first use.

use std::{cell::RefCell, sync::LazyLock};

use foldhash::HashMap;
use jieba_rs::Jieba;

static WORDS: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// Words whose rarity a thread remembers, about half a megabyte.
const REMEMBERED: usize = 8192;
/// Words counted to make the dictionary's frequencies.
const COUNTED: f32 = 6.0e7;

/// Characters rarer than this ([`rarity`]) are hardly ever written.
pub const RARE: f32 = 11.5;

/// A character alone is never rarer than this: that somebody writes an unusual one says little by itself.
const RAREST_ALONE: f32 = 10.0;
/// How rare a word of everyday speech is; the dictionary counted books.
const SPOKEN_RARITY: f32 = 6.0;
const SPOKEN: &str = "吗吧呢啊呀嘛哈哦嗯啦的了是我你您他她在有不没么这那";
/// Names of people and places that are rarer than this are no words that people write every day.
const RAREST_NAME: f32 = 15.0;

/// How rare a character is by itself: −ln of its share of all written words, about 4 for 的, 9 for everyday characters.
pub fn rarity(c: char) -> f32 {
    thread_local!(static MEASURED: RefCell<HashMap<char, f32>> = RefCell::default());
    MEASURED.with_borrow_mut(|known| *known.entry(c).or_insert_with(|| measured(c.encode_utf8(&mut [0; 4]))))
}

/// A word of everyday speech.
pub fn is_spoken(c: char) -> bool {
    SPOKEN.contains(c)
}

/// How rare the likeliest words of a stretch are together, in the measure of [`rarity`].
pub fn rarity_of(chars: &[char]) -> f32 {
    if chars.is_empty() {
        return 0.0;
    }
    let text: String = chars.iter().collect();
    WORDS.cut(&text, false).iter().map(|token| word(token.word)).sum()
}

/// The dictionary has it, and not as a rare name.
pub fn is_word(chars: &[char]) -> bool {
    let text: String = chars.iter().collect();
    WORDS.has_word(&text) && !is_rare_name(&text)
}

fn is_rare_name(word: &str) -> bool {
    measured(word) > RAREST_NAME
        && WORDS
            .tag(word, false)
            .first()
            .is_some_and(|t| t.tag.starts_with("nr") || matches!(t.tag, "ns" | "nt" | "nz"))
}

/// How rare a word is; looked up once for the many times that people say it.
fn word(word: &str) -> f32 {
    thread_local!(static MEASURED: RefCell<HashMap<Box<str>, f32>> = RefCell::default());
    if let Some(rarity) = MEASURED.with_borrow(|known| known.get(word).copied()) {
        return rarity;
    }
    let rarity = measure(word);
    MEASURED.with_borrow_mut(|known| {
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(word.into(), rarity);
    });
    rarity
}

fn measure(word: &str) -> f32 {
    let mut chars = word.chars();
    let (Some(first), second) = (chars.next(), chars.next()) else { return 0.0 };
    let Some(second) = second else {
        return measured(word).min(if is_spoken(first) { SPOKEN_RARITY } else { RAREST_ALONE });
    };
    let rarity = measured(word);
    if chars.next().is_none() && is_rare_name(word) {
        return rarity.max([first, second].iter().map(|c| self::word(c.encode_utf8(&mut [0; 4]))).sum());
    }
    rarity
}

fn measured(word: &str) -> f32 {
    COUNTED.ln() - (WORDS.suggest_freq(word) as f32).ln()
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
