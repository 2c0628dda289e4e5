//! Letters of other scripts that look like Latin ones (`wеixin` with a Cyrillic `е`). Read only where scripts are
//! mixed, so that a sentence in Russian or Greek stays one.

use super::Transform;
use super::marks::{Break, Mark, is_han};

/// Rewrites the look-alikes of a folded message in place.
pub(super) fn read(original: &[char], folded: &mut [char], marks: &mut [Mark]) {
    let is_letter = |c: char| c.is_alphanumeric() && !is_han(c);
    let mut start = 0;
    while start < folded.len() {
        let mut end = start + 1;
        if !is_letter(folded[start]) {
            start = end;
            continue;
        }
        while end < folded.len() && marks[end].gap.kind == Break::None && is_letter(folded[end]) {
            end += 1;
        }
        let run = start..end;
        let mixed = folded[run.clone()].iter().any(char::is_ascii_alphanumeric);
        let beside_han = (start > 0 && marks[start].gap.kind == Break::None && is_han(folded[start - 1]))
            || (end < folded.len() && marks[end].gap.kind == Break::None && is_han(folded[end]));
        let latin: Vec<Option<char>> = run
            .clone()
            .map(|i| {
                if folded[i].is_ascii() { Some(folded[i]) } else { latin(original[marks[i].from as usize], folded[i]) }
            })
            .collect();
        if mixed || (beside_han && latin.iter().all(Option::is_some)) {
            for (i, latin) in run.zip(latin) {
                if let Some(latin) = latin
                    && latin != folded[i]
                {
                    folded[i] = latin;
                    marks[i].steps.insert(Transform::Lookalike);
                }
            }
        }
        start = end;
    }
}

/// Letters with hooks, tails and bars, which the usual data keeps apart from the plain ones.
const HOOKED: &str = "aɑα bɓƀβ cƈɕϲ dɗđɖ eɛєεɘǝҽ fƒ gɠɡǥց hɦħհ iɨιıї jʝɉյ kƙκҡ lɭłʟɩ mɱм nɲŋηռ oɵοσօ pƥρ qɋզ rɾɽʀг sʂѕ tƭŧτͳ uʉʋυմ vνѵ wɯωѡ xχҳ yɣγყү zƶʐʑ";

/// The Latin letter or digit a character looks like, as typed or in lower case.
pub(super) fn latin(typed: char, folded: char) -> Option<char> {
    let hooked = HOOKED.split(' ').find(|group| group.chars().skip(1).any(|c| c == typed || c == folded));
    if let Some(plain) = hooked.and_then(|group| group.chars().next()) {
        return Some(plain);
    }
    [typed, folded].into_iter().find_map(|c| {
        let text = c.to_string();
        let mut skeleton = unicode_security::skeleton(&text);
        let one = skeleton.next()?;
        (skeleton.next().is_none() && one.is_ascii_alphanumeric()).then(|| one.to_ascii_lowercase())
    })
}
