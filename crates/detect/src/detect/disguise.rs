//! Disguise itself as a signal: honest people do not write account names in mathematical letters, hide a word between
//! symbols or put invisible characters into it.

use super::view::{Gap, Span, View};
use crate::text::is_han;

/// One kind of disguise and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disguise {
    /// Second half of the rule's name.
    pub name: &'static str,
    /// Where.
    pub span: Span,
}

/// Finds disguise in what was typed.
pub fn find(view: &View) -> Vec<Disguise> {
    let mut found = Vec::new();
    let all = Span { start: 0, end: view.chars.len() };
    let raw = &view.raw;
    if raw.iter().all(char::is_ascii) || all.end == 0 {
        return found;
    }
    find_odd(view, all, &mut found);
    // A symbol between every two Han characters: 加❤我❤微❤信.
    let han = |i: usize| ('\u{3400}'..='\u{9fff}').contains(&view.chars[i]);
    let mut run = 0;
    for i in 1..view.chars.len() {
        let apart = view.gap[i] == Gap::Soft && han(i) && han(i - 1) && {
            let (from, to) = (view.to[i - 1] as usize, view.from[i] as usize);
            raw.get(from..to).is_some_and(|between| {
                between.len() <= 3
                    && between.iter().any(|c| !c.is_whitespace() && !"\"'()（）《》“”[]【】".contains(*c))
            })
        };
        run = if apart { run + 1 } else { 0 };
        if run == 3 {
            found.push(Disguise { name: "set-apart", span: Span { start: i - 3, end: i + 1 } });
            break;
        }
    }
    found
}

/// What nobody types by hand.
fn find_odd(view: &View, all: Span, found: &mut Vec<Disguise>) {
    let raw = &view.raw;
    if raw.iter().all(|c| is_everyday(*c)) {
        return;
    }
    let styled = raw.iter().filter(|c| is_styled(**c)).count();
    if styled >= 3 {
        found.push(Disguise { name: "styled-letters", span: all });
    }
    let hidden =
        raw.windows(3).filter(|w| is_invisible(w[1]) && w[0].is_alphanumeric() && w[2].is_alphanumeric()).count();
    if hidden >= 1 {
        found.push(Disguise { name: "invisible", span: all });
    }
    let marks = raw.iter().filter(|c| is_stray_mark(**c)).count();
    if marks >= 3 {
        found.push(Disguise { name: "marks", span: all });
    }
    let mixed = raw.split(|c| !(c.is_alphanumeric() && !is_han(*c) || ".-".contains(*c))).any(|token| {
        let labels = || token.split(|c| *c == '.').filter(|label| !label.is_empty());
        labels().count() > 1
            && labels().any(|label| label.iter().any(char::is_ascii_alphabetic) && label.iter().any(|c| is_twin(*c)))
    });
    if mixed {
        found.push(Disguise { name: "mixed-script", span: all });
    }
    let odd = raw.iter().filter(|c| is_odd_script(**c)).count();
    if odd >= 1 && all.end > odd {
        found.push(Disguise { name: "odd-script", span: all });
    }
}

/// ASCII, Han and the usual Chinese punctuation: none of it is odd.
const fn is_everyday(c: char) -> bool {
    matches!(c, '\0'..='\x7f' | '\u{3000}'..='\u{303f}' | '\u{3400}'..='\u{9fff}' | '\u{ff00}'..='\u{ff5e}')
}

/// Mathematical, circled, squared and small-capital letters and digits; not the plain ①②③ of lists.
pub fn is_styled(c: char) -> bool {
    matches!(c, '\u{1d400}'..='\u{1d7ff}' | '\u{24b6}'..='\u{24e9}' | '\u{1f110}'..='\u{1f169}' | '\u{1f170}'..='\u{1f189}'
        | '\u{1d00}'..='\u{1d2b}' | '\u{20e3}' | '\u{2776}'..='\u{2793}' | '\u{249c}'..='\u{24b5}' | '\u{2c60}'..='\u{2c7f}')
}

/// Greek and Cyrillic letters, some of which look like Latin ones.
const fn is_twin(c: char) -> bool {
    matches!(c, '\u{0370}'..='\u{03ff}' | '\u{0400}'..='\u{052f}')
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200c}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{00ad}' | '\u{180e}' | '\u{202a}'..='\u{202e}' | '\u{3164}' | '\u{115f}'..='\u{1160}')
}

fn is_stray_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036f}' | '\u{0483}'..='\u{0489}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20e2}' | '\u{0f71}'..='\u{0f84}')
}

/// Runes, box elements beside letters and other scripts that nobody types in a Chinese group by hand.
fn is_odd_script(c: char) -> bool {
    matches!(c, '\u{16a0}'..='\u{16ff}' | '\u{1400}'..='\u{167f}' | '\u{a000}'..='\u{a4cf}' | '\u{13a0}'..='\u{13ff}' | '\u{2d30}'..='\u{2d7f}' | '\u{a500}'..='\u{a63f}')
}
