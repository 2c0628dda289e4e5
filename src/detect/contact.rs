//! Ways to be reached outside the group: account names, QQ and phone numbers beside an invitation. The words are in
//! `wordlists/`; this file finds what the lists call `【号码】`, `【账号】`, `【网址】` and `【手机】`.

use super::index::Atoms;
use super::leaks::Kind;
use super::links::Link;
use super::view::{Gap, Span, View};

/// Finds the virtual words of a message; a link to a site of the company's own (`own`) or a well-known one is none.
pub fn atoms(view: &View, numbers: &[(Kind, Span)], links: &[Link], own: &[String]) -> Atoms {
    let mut atoms = Atoms::new();
    let mut i = 0;
    while i < view.chars.len() {
        if !view.chars[i].is_ascii_alphanumeric() {
            i += 1;
            continue;
        }
        let start = i;
        let (mut letters, mut digits) = (0, 0);
        // Blanks part letters from what follows, but people also group digits with them.
        let goes_on = |i: usize| {
            view.gap[i] == Gap::None
                || view.gap[i] == Gap::Soft && view.chars[i].is_ascii_digit() && view.chars[i - 1].is_ascii_digit()
        };
        while i < view.chars.len() && view.chars[i].is_ascii_alphanumeric() && (i == start || goes_on(i)) {
            if view.chars[i].is_ascii_digit() {
                digits += 1;
            } else {
                letters += 1;
            }
            i += 1;
        }
        let span = Span { start, end: i };
        if links.iter().any(|link| link.span.touches(span)) {
            continue;
        }
        if letters == 0 && (5..=12).contains(&digits) {
            atoms.push((0, span));
        }
        if (5..=22).contains(&(letters + digits)) && letters > 0 && digits > 0 {
            atoms.push((1, span));
        }
    }
    atoms.extend(links.iter().filter(|link| link.trouble(own).is_some()).map(|link| (2, link.span)));
    atoms.extend(numbers.iter().filter(|(kind, _)| *kind == Kind::Mobile).map(|(_, span)| (3, *span)));
    atoms
}
