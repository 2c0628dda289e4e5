//! Traditional characters as their simplified ones: 「賭場」 is read as 「赌场」. Character by character; words that differ as a
//! whole stay as they are.

use std::{collections::HashMap, sync::LazyLock};

static TABLE: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let pair = |line: &str| {
        let mut chars = line.chars();
        Some((chars.next().filter(|c| *c != '#')?, chars.next()?))
    };
    include_str!("../../data/simplified.txt").lines().filter_map(pair).collect()
});

/// Every traditional character with its simplified one.
pub(super) fn pairs() -> impl Iterator<Item = (char, char)> {
    TABLE.iter().map(|(from, to)| (*from, *to))
}

/// The text with simplified characters.
pub fn simplified(text: &str) -> String {
    text.chars().map(|c| TABLE.get(&c).copied().unwrap_or(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traditional_text_reads_as_simplified() {
        for (traditional, read) in
            [("賭場開業", "赌场开业"), ("收到，謝謝", "收到，谢谢"), ("简体 ABC", "简体 ABC"), ("#", "#")]
        {
            assert_eq!(simplified(traditional), read);
        }
        assert!(pairs().count() > 3000);
    }
}
