//! Messages that say nothing: only punctuation, keys pressed at random, one character over and over.

use super::view::{Span, View};
use crate::text::is_han;

/// Punctuation that makes a message by itself.
const SIGNS: usize = 6;
/// Keys side by side, in one run or in several.
const KEYS: usize = 6;
/// Shortest of several runs.
const RUN: usize = 4;
/// One character over and over.
const TIMES: usize = 8;
/// What people write so: laughter, cheers, sighs, a figure.
const CHEERS: &str = "哈嘿呵嘻啊呜嗯哦噢耶赞好顶呀哇咯牛冲嘤";
const ROWS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// What makes a message empty.
pub fn find(view: &View) -> Option<(&'static str, Span)> {
    let all = Span { start: 0, end: view.chars.len() };
    let mut said = view.raw.iter().filter(|c| !c.is_whitespace());
    let sign = |c: &&char| {
        matches!(c, '。' | '，' | '、' | '.' | ',' | '?' | '？' | '!' | '！' | '…' | ';' | '；' | '~' | '～')
    };
    if said.clone().all(|c| sign(&c)) && said.nth(SIGNS - 1).is_some() {
        return Some(("no-words", all));
    }
    let one = view.chars.first().filter(|c| is_han(**c) && !CHEERS.contains(**c));
    if view.chars.len() >= TIMES && one.is_some_and(|one| view.chars.iter().all(|c| c == one)) {
        return Some(("no-words", all));
    }
    let (mut keys, mut longest) = (0, 0);
    let mut i = 0;
    while i < view.chars.len() {
        let length = 1 + view.chars[i..].windows(2).take_while(|pair| neighbours(pair[0], pair[1])).count();
        if length >= RUN {
            keys += length;
            longest = longest.max(length);
        }
        i += length;
    }
    (longest >= KEYS || keys >= KEYS + 2).then_some(("mashed", all))
}

/// The key to the right in the same row.
fn neighbours(a: char, b: char) -> bool {
    a.is_ascii_lowercase()
        && b.is_ascii_lowercase()
        && ROWS.iter().any(|row| row.find(a).is_some_and(|at| row[at + 1..].starts_with(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_is_told_from_little_said() {
        for text in ["。。。。。。。", "？？？！！！", "asdfghjkl", "qwer asdf", "啦啦啦啦啦啦啦啦啦"]
        {
            assert!(find(&View::new(text)).is_some(), "{text}");
        }
        for text in [
            "。。。",
            "？",
            "哈哈哈哈哈哈哈哈哈哈",
            "qwerty",
            "666666666",
            "好的",
            "wert",
            "👍👍👍👍👍👍👍👍",
            "------",
            "",
        ] {
            assert_eq!(find(&View::new(text)).is_some(), text == "qwerty", "{text}");
        }
    }
}
