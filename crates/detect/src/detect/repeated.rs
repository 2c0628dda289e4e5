//! One message that fills the screen by saying the same over and over: `加群领券加群领券加群领券…`.
//!
//! Laughter, applause and rulers (`哈哈哈`, `[鼓掌][鼓掌]`, `------`) are what people write; so one sign has to come very often, and
//! signs that say nothing never count.

/// Longest text that is repeated, in signs.
const LONGEST_UNIT: usize = 30;
/// Times in a row.
const TIMES: usize = 8;
/// Signs that are repetition, if several make the text.
const SIGNS: usize = 40;
/// The same for one sign (哈哈哈) …
const SIGNS_OF_ONE: usize = 300;
/// … and for two characters (加油加油).
const SIGNS_OF_TWO: usize = 120;
/// WeCom's own pictures are written `[玫瑰]`.
const LONGEST_PICTURE: usize = 5;

/// What is said over and over in a message, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// First raw character and one past the last.
    pub range: (usize, usize),
    /// How often.
    pub times: usize,
}

/// A sign: a character or one of WeCom's pictures, white space left out.
#[derive(Clone, Copy)]
struct Sign<'t> {
    at: usize,
    chars: &'t [char],
}

/// The first repetition in the characters as they were typed.
pub fn find(typed: &[char]) -> Option<Repeated> {
    if typed.len() < SIGNS {
        return None;
    }
    let signs = signs(typed);
    let same = |a: usize, b: usize| signs[a].chars == signs[b].chars;
    // The signs of a long enough run are those `unit` before them; some of them stand at places so far apart.
    let may_be = |unit: usize| {
        let run = SIGNS.max(unit * TIMES) - unit;
        (unit + run - 1..signs.len()).step_by(run).any(|i| same(i, i - unit))
    };
    (1..=LONGEST_UNIT.min(signs.len() / TIMES)).filter(|unit| may_be(*unit)).find_map(|unit| {
        let mut run = 0;
        (unit..=signs.len()).find_map(|i| {
            if i < signs.len() && same(i, i - unit) {
                run += 1;
                return None;
            }
            let long = std::mem::take(&mut run) + unit;
            let first = i - long;
            // 加油加油 says no more than 加油.
            let period = (1..=2).find(|period| (first..first + unit).all(|j| same(j, first + (j - first) % period)));
            let least = match period {
                Some(1) => SIGNS_OF_ONE,
                Some(_) if signs[first].chars.iter().all(|c| c.is_alphanumeric()) => SIGNS_OF_TWO,
                _ => SIGNS,
            };
            let enough = long >= least && long >= unit * TIMES;
            let says = signs[first..first + unit].iter().any(|sign| sign.chars.iter().any(|c| says_something(*c)));
            (enough && says).then(|| Repeated {
                range: (signs[first].at, signs[i - 1].at + signs[i - 1].chars.len()),
                times: long / unit,
            })
        })
    })
}

fn says_something(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\u{2600}'..='\u{27bf}' | '\u{1f000}'..)
}

fn signs(typed: &[char]) -> Vec<Sign<'_>> {
    let mut signs = Vec::with_capacity(typed.len());
    let mut at = 0;
    while at < typed.len() {
        let picture =
            (typed[at] == '[').then(|| typed[at..].iter().take(LONGEST_PICTURE + 2).position(|c| *c == ']')).flatten();
        let length = picture.map_or(1, |last| last + 1);
        if !typed[at].is_whitespace() {
            signs.push(Sign { at, chars: &typed[at..at + length] });
        }
        at += length;
    }
    signs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(String, usize)> {
        let typed: Vec<char> = text.chars().collect();
        find(&typed).map(|r| (typed[r.range.0..r.range.1].iter().collect(), r.times))
    }

    #[test]
    fn a_screen_full_of_one_sentence_is_found() {
        let text = "加群领券，".repeat(10);
        assert_eq!(found(&format!("看这里 {text}")), Some((text, 10)));
        assert_eq!(found(&"顶".repeat(300)).map(|(_, times)| times), Some(300));
        assert_eq!(found(&"🎉".repeat(320)).map(|(_, times)| times), Some(320));
        assert_eq!(found(&"上新".repeat(60)).map(|(_, times)| times), Some(60));
        assert_eq!(found(&"给个说法\n".repeat(12)).map(|(_, times)| times), Some(12));
    }

    #[test]
    fn what_people_write_is_not() {
        for text in [
            "哈".repeat(200),
            "哈哈".repeat(25),
            "[鼓掌]".repeat(20),
            "加油".repeat(40),
            "-".repeat(200),
            "=-".repeat(100),
            "。".repeat(90),
            "收到，谢谢大家的配合，明天上午九点在门口集合，请带好身份证和充电宝，谢谢大家的配合。".to_owned(),
        ] {
            assert_eq!(found(&text), None, "{text}");
        }
    }
}
