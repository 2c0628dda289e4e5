//! Words that are looked for by sound and sound like another word: of the lists, or one that people write every day.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{EVERYDAY, Level, Lint, Words, remark};
use crate::text::{ordinary, sounds};

/// Everyday words that are named.
const NAMED: usize = 3;

/// Characters people write, by sound.
static BY_SOUND: LazyLock<HashMap<u16, Vec<char>>> = LazyLock::new(|| {
    let mut by_sound: HashMap<u16, Vec<char>> = HashMap::new();
    for c in ('\u{4e00}'..='\u{9fff}').filter(|c| sounds::of(*c) != 0 && ordinary::rarity(*c) < ordinary::RARE) {
        by_sound.entry(sounds::of(c)).or_default().push(c);
    }
    by_sound
});

pub(super) fn remarks(words: &Words<'_>, found: &mut Vec<Lint>) {
    let mut heard: HashMap<Vec<u16>, (&str, String)> = HashMap::new();
    for word in &words.0 {
        let chars: Vec<char> = word.folded.chars().collect();
        let sounds: Vec<u16> = chars.iter().map(|c| sounds::of(*c)).collect();
        if chars.len() < 2 || sounds.contains(&0) || !word.entry.homophone.unwrap_or(chars.len() >= 3) {
            continue;
        }
        if let [first, second] = sounds[..] {
            let everyday = everyday(first, second, &word.folded);
            if !everyday.is_empty() {
                let message = format!("和常用的“{}”读音相同，可能听错；可以写“谐音=否”", everyday.join("”“"));
                remark(found, word.document, word.entry.line, Level::Hint, message);
            }
        }
        match heard.get(&sounds) {
            Some((other, place)) if *other != word.folded => {
                remark(found, word.document, word.entry.line, Level::Hint, format!("和 {place} 读音相同"));
            }
            Some(_) => {}
            None => {
                let place = format!("{}:{}", word.document.file, word.entry.line);
                heard.insert(sounds, (&word.folded, place));
            }
        }
    }
}

/// Words that people write and that sound like this.
fn everyday(first: u16, second: u16, but: &str) -> Vec<String> {
    let of = |sound: u16| BY_SOUND.get(&sound).map(Vec::as_slice).unwrap_or_default();
    let pairs = of(first).iter().flat_map(|a| of(second).iter().map(move |b| [*a, *b]));
    let mut words: Vec<(f32, String)> = pairs
        .filter(|pair| ordinary::is_word(pair))
        .map(|pair| (ordinary::rarity_of(&pair), pair.iter().collect::<String>()))
        .filter(|(rarity, word)| *rarity < EVERYDAY && word != but)
        .collect();
    words.sort_by(|a, b| a.0.total_cmp(&b.0));
    words.truncate(NAMED);
    words.into_iter().map(|(_, word)| word).collect()
}
