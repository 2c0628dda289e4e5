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
        // Blanks part letters from what follows, but people also group digits with them; `-` and `_` belong to a name.
        let goes_on = |i: usize| {
            view.gap[i] == Gap::None
                || view.gap[i] == Gap::Soft && view.chars[i].is_ascii_digit() && view.chars[i - 1].is_ascii_digit()
                || matches!(view.raw.get(view.to[i - 1] as usize..view.from[i] as usize), Some(['-' | '_']))
        };
        while i < view.chars.len() && view.chars[i].is_ascii_alphanumeric() && (i == start || goes_on(i)) {
            if view.chars[i].is_ascii_digit() {
                digits += 1;
            } else {
                letters += 1;
            }
            i += 1;
        }
        let (apart, end) = apart(view, start);
        if end > i {
            (letters, digits, i) = (apart.0, apart.1, end);
        }
        let span = Span { start, end: i };
        if links.iter().any(|link| link.span.touches(span)) || is_amount(&view.chars, span) {
            continue;
        }
        if letters == 0 && (5..=12).contains(&digits) && !is_public(&view.chars[start..i]) {
            atoms.push((0, span));
        }
        if (5..=22).contains(&(letters + digits)) && letters > 0 && digits > 0 {
            atoms.push((1, span));
        }
    }
    spoken(view, &mut atoms);
    atoms.extend(links.iter().filter(|link| link.trouble(own).is_some()).map(|link| (2, link.span)));
    atoms.extend(numbers.iter().filter(|(kind, _)| *kind == Kind::Mobile).map(|(_, span)| (3, *span)));
    atoms
}

/// Pieces of one account, each a letter or two digits, with blanks or line breaks between all of them (`l a n 8 8 6 6`).
const PIECES: usize = 5;

/// The letters and digits of an account that is written apart, and where it ends.
fn apart(view: &View, start: usize) -> ((usize, usize), usize) {
    let (mut pieces, mut i) = (0, start);
    let (mut letters, mut digits) = (0, 0);
    // `v：k k 2 0 2 0`: what a colon introduces begins behind it.
    let introduced = |i: usize| {
        let between = view.raw.get(view.to[i - 1] as usize..view.from[i] as usize);
        between.is_some_and(|between| between.iter().any(|c| matches!(c, ':' | '：')))
    };
    while i < view.chars.len()
        && view.chars[i].is_ascii_alphanumeric()
        && (i == start || view.gap[i] != Gap::None && !introduced(i))
    {
        let joined = view.chars.get(i + 1).is_some_and(char::is_ascii_alphanumeric) && view.gap[i + 1] == Gap::None;
        if joined {
            break;
        }
        if view.chars[i].is_ascii_digit() {
            digits += 1;
        } else {
            letters += 1;
        }
        pieces += 1;
        i += 1;
    }
    if pieces >= PIECES { ((letters, digits), i) } else { ((0, 0), start) }
}

/// Digits in Han numerals, plain or as on a cheque: `贰捌捌柒柒叁`.
const NUMERALS: &str = "零一二三四五六七八九壹贰叁肆伍陆柒捌玖弌弍弎幺";

fn is_numeral(c: char) -> bool {
    matches!(
        c,
        '零' | '一'
            | '二'
            | '三'
            | '四'
            | '五'
            | '六'
            | '七'
            | '八'
            | '九'
            | '壹'
            | '贰'
            | '叁'
            | '肆'
            | '伍'
            | '陆'
    ) || matches!(c, '柒' | '捌' | '玖' | '弌' | '弍' | '弎' | '幺')
}

/// Numbers that are spelled out digit by digit; amounts have units.
fn spoken(view: &View, atoms: &mut Atoms) {
    let numeral = |i: usize| is_numeral(view.chars[i]);
    let mut i = 0;
    while i < view.chars.len() {
        let start = i;
        while i < view.chars.len() && numeral(i) && (i == start || view.gap[i] != Gap::Hard) {
            i += 1;
        }
        if (6..=12).contains(&(i - start)) && !counts_something(view.chars.get(i)) && !counts_up(&view.chars[start..i])
        {
            atoms.push((0, Span { start, end: i }));
        }
        i = i.max(start + 1);
    }
}

/// What follows a number says that it is an amount.
fn counts_something(next: Option<&char>) -> bool {
    next.is_some_and(|next| COUNTED.contains(*next) || "十百千".contains(*next))
}

/// 一二三四五.
fn counts_up(numerals: &[char]) -> bool {
    let place = |c: char| NUMERALS.chars().position(|n| n == c).unwrap_or_default();
    numerals.windows(2).all(|pair| place(pair[1]) == place(pair[0]) + 1)
}

/// Numbers of public services and of companies everybody calls: 12345, 10086, 95588, 96110. Nobody is reached there in private.
fn is_public(digits: &[char]) -> bool {
    matches!(digits, ['1', '2', '3', _, _] | ['1', '0', '0', _, _] | ['9', '5' | '6', _, _, _])
}

/// What follows a number that counts something, in Latin letters and in Chinese.
const UNITS: [&str; 14] = ["rmb", "cny", "usd", "usdt", "w", "k", "kg", "g", "ml", "l", "cm", "mm", "gb", "mb"];
const COUNTED: &str = "元块万亿个件箱斤克米套台盒瓶份吨";
/// Nobody's account has so few digits and ends in three zeros.
const ROUND: usize = 6;

/// The digits say how much, not whom to write to: a round number, or one with a unit.
fn is_amount(chars: &[char], span: Span) -> bool {
    let text = &chars[span.start..span.end];
    let digits = text.iter().take_while(|c| c.is_ascii_digit()).count();
    let unit = &text[digits..];
    if digits == 0 || digits > ROUND {
        return false;
    }
    if unit.is_empty() {
        return text.ends_with(&['0'; 3]) || chars.get(span.end).is_some_and(|next| COUNTED.contains(*next));
    }
    UNITS.iter().any(|known| known.chars().eq(unit.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let (view, ..) = View::all(text);
        atoms(&view, &[], &[], &[]).iter().map(|(_, span)| view.original(*span)).collect()
    }

    #[test]
    fn accounts_and_long_numbers_are_found_and_amounts_are_not() {
        let cases = [
            ("加 abc12345", &["abc12345"][..]),
            ("扣扣 1234567", &["1234567"]),
            ("加 kiki_0608", &["kiki_0608"]),
            ("加 ki-06-08", &["ki-06-08"]),
            ("加1234500", &["1234500"]),
            ("加 l a n 8 8 6 6", &["l a n 8 8 6 6"]),
            ("我的v：k k 2 0 2 0", &["k k 2 0 2 0"]),
            ("扣扣：贰捌捌柒柒叁陆壹", &["贰捌捌柒柒叁陆壹"]),
            ("A B C D", &[]),
            ("一二三四五六", &[]),
            ("一二三一二三万", &[]),
            ("有事找12345", &[]),
            ("投诉打96315", &[]),
            ("定金8万加15000", &[]),
            ("总价加2000rmb", &[]),
            ("再加12500块", &[]),
            ("一箱12345件", &[]),
            ("发30000克", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text), expected, "{text}");
        }
    }
}
