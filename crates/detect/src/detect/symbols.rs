//! Entries without a letter: `🔞`, `🈲️🔞`, `💰💰`. The fold passes signs over, so these are looked for in what was typed.

use foldhash::HashMap;

/// The entries by their first sign.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    by_first: HashMap<char, Vec<(Vec<char>, u32)>>,
}

/// Colours, skins and joints of a picture: it is the same without them.
fn is_shade(c: char) -> bool {
    matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{200d}' | '\u{1f3fb}'..='\u{1f3ff}')
}

/// Something one can see that is neither a letter nor punctuation.
fn is_sign(c: char) -> bool {
    // Letters in circles are letters.
    let pictures = matches!(c, '\u{2190}'..='\u{245f}' | '\u{2500}'..='\u{2bff}' | '\u{1f000}'..='\u{1f0ff}')
        || matches!(c, '\u{1f200}'..='\u{1faff}' | '※' | '〄');
    pictures && !is_shade(c)
}

impl Symbols {
    /// Takes an entry, if it is one of signs alone.
    pub(super) fn add(&mut self, word: &str, entry: u32) -> bool {
        if !word.chars().all(|c| is_sign(c) || is_shade(c) || c.is_whitespace()) {
            return false;
        }
        let signs: Vec<char> = word.chars().filter(|c| is_sign(*c)).collect();
        let Some(first) = signs.first() else { return false };
        self.by_first.entry(*first).or_default().push((signs, entry));
        true
    }

    /// Entry, first typed character and one past the last of every place.
    pub(super) fn find(&self, typed: &[char]) -> Vec<(usize, usize, usize)> {
        let mut found = Vec::new();
        if self.by_first.is_empty() {
            return found;
        }
        for (start, c) in typed.iter().enumerate().filter(|(_, c)| is_sign(**c)) {
            for (signs, entry) in self.by_first.get(c).map(Vec::as_slice).unwrap_or_default() {
                let mut wanted = signs.iter().peekable();
                let mut end = start;
                while let (Some(sign), Some(c)) = (wanted.peek(), typed.get(end)) {
                    if *sign == c {
                        wanted.next();
                    } else if !is_shade(*c) && !c.is_whitespace() {
                        break;
                    }
                    end += 1;
                }
                if wanted.peek().is_none() {
                    found.push((*entry as usize, start, end));
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_found_whatever_their_shade() {
        let mut symbols = Symbols::default();
        assert!(symbols.add("🔞", 0) && symbols.add("🈲️🔞", 1) && symbols.add("👍", 2));
        assert!(!symbols.add("看🔞", 3) && !symbols.add("……", 4) && !symbols.add("微信", 5));
        let find = |text: &str| symbols.find(&text.chars().collect::<Vec<_>>());
        assert_eq!(find("夜场🔞"), [(0, 2, 3)]);
        assert_eq!(find("🈲🔞"), [(1, 0, 2), (0, 1, 2)]);
        assert_eq!(find("👍🏻好"), [(2, 0, 1)]);
        assert_eq!(find("🈲 止"), []);
    }
}
