//! Numbers that belong to somebody: mobile, ID card, bank card, e-mail; a table of them; keys and passwords.
//!
//! One mobile number is ordinary chat and only noted; an ID card, a bank card or a list of customers is for the owner.
//! Staff and shop numbers from the settings are nobody's secret. Digits count however they were disguised, because
//! the view has already folded them.

use std::sync::LazyLock;

use regex::Regex;

use super::view::{Gap, Span, View};
use crate::text::{Normalized, digits};

/// What kind of number was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A Chinese mobile number.
    Mobile,
    /// A Chinese ID card with the right check character (18 digits, or the old 15).
    IdCard,
    /// The shape and birthday of an ID card with a wrong check character.
    IdCardShape,
    /// A bank card: known issuer prefix, its length, Luhn.
    BankCard,
    /// An e-mail address.
    Email,
    /// A key, token, password or private key.
    Credential,
}

/// Digits of the shortest number.
const LEAST: usize = 11;
/// Every key that stands without a word for it has so many letters, digits and hyphens in a row.
const KEY: usize = 10;

/// Finds every number; the longest reading of a run of digits wins.
pub fn find(view: &View, text: &Normalized) -> Vec<(Kind, Span)> {
    let mut found = Vec::new();
    for run in digit_runs(view) {
        classify(view, run, &mut found);
    }
    for run in digits::long_runs(text, LEAST) {
        let span = Span { start: run.folded_start, end: run.folded_end };
        if run.digits.len() < LEAST || found.iter().any(|(_, other)| other.touches(span)) {
            continue;
        }
        let x = view.chars.get(span.end) == Some(&'x');
        if x && run.digits.len() == 17
            && let Some(kind) = whole(&format!("{}x", run.digits))
        {
            found.push((kind, Span { start: span.start, end: span.end + 1 }));
        } else if let Some(kind) = whole(&run.digits) {
            found.push((kind, span));
        }
    }
    emails(view, &mut found);
    credentials(view, &mut found);
    found.sort_by_key(|(_, span)| *span);
    found
}

/// The speaker says that the number is their own: `有事打我电话138…`, `我的手机号：138…`. Who tells theirs leaks nobody's.
pub fn is_speakers(view: &View, number: Span) -> bool {
    static MINE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            "(?:我的?|本人的?)(?:新|工作|办公)?(?:电话|手机|手机号|号码|手机号码|电话号码|联系方式|号)(?:是|为|换成)?$",
        )
        .expect("a fixed expression")
    });
    let before: String = view.chars[number.start.saturating_sub(12)..number.start].iter().collect();
    MINE.is_match(&before)
}

/// Runs of digits (and a final X), allowing the usual blanks, dots and hyphens inside; letters end a run.
fn digit_runs(view: &View) -> Vec<Span> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < view.chars.len() {
        if !view.chars[start].is_ascii_digit() {
            start += 1;
            continue;
        }
        let mut end = start + 1;
        while end < view.chars.len() && view.chars[end].is_ascii_digit() && narrow(view, end) {
            end += 1;
        }
        let x = end < view.chars.len() && view.chars[end] == 'x' && end - start == 17 && narrow(view, end);
        if x {
            end += 1;
        }
        if end - start >= LEAST {
            runs.push(Span { start, end });
        }
        start = end;
    }
    runs
}

/// The gap before `i` is one that people put inside a number: nothing, or one or two blanks, hyphens or dots, or a disguise.
fn narrow(view: &View, i: usize) -> bool {
    if view.gap[i] == Gap::None {
        return true;
    }
    let (from, to) = (view.to[i - 1] as usize, view.from[i] as usize);
    let between = view.raw.get(from..to).unwrap_or_default();
    between.len() <= 3
        && !between.iter().any(|c| {
            matches!(
                c,
                '\n' | '\r' | '\t' | ',' | '，' | '、' | ';' | '；' | '/' | '|' | ':' | '：' | '。' | '~' | '+' | '='
            )
        })
}

/// Parts of a run as they were typed: cut where a gap is.
fn blocks(view: &View, run: Span) -> Vec<Span> {
    let mut parts = Vec::new();
    let mut start = run.start;
    for i in run.start + 1..run.end {
        if view.gap[i] != Gap::None {
            parts.push(Span { start, end: i });
            start = i;
        }
    }
    parts.push(Span { start, end: run.end });
    parts
}

fn classify(view: &View, run: Span, found: &mut Vec<(Kind, Span)>) {
    let text: String = view.chars[run.start..run.end].iter().collect();
    let preceded_by_letter = run.start > 0
        && view.gap[run.start] == Gap::None
        && (view.chars[run.start - 1].is_ascii_alphabetic() || view.chars[run.start - 1] == '_');
    if let Some(kind) = whole(&text) {
        if !(preceded_by_letter && kind != Kind::IdCard) {
            found.push((kind, run));
        }
        return;
    }
    // Several numbers side by side, or a country code before the mobile.
    let parts = blocks(view, run);
    if parts.iter().any(|part| part.end - part.start < 2) {
        return;
    }
    let mut i = 0;
    while i < parts.len() {
        let mut hit = None;
        for j in (i..parts.len()).rev() {
            let span = Span { start: parts[i].start, end: parts[j].end };
            let text: String = view.chars[span.start..span.end].iter().collect();
            if let Some(kind) = whole(&text) {
                hit = Some((kind, span, j));
                break;
            }
        }
        if let Some((kind, span, last)) = hit {
            found.push((kind, span));
            i = last + 1;
        } else {
            i += 1;
        }
    }
}

/// What a whole run of digits is.
fn whole(text: &str) -> Option<Kind> {
    let digits = text.strip_prefix("0086").or_else(|| text.strip_prefix("86")).filter(|t| t.len() == 11);
    if is_mobile(digits.unwrap_or(text)) {
        return Some(Kind::Mobile);
    }
    match text.len() {
        18 if is_id_card(text) => Some(Kind::IdCard),
        18 if is_id_shape(text) => Some(Kind::IdCardShape),
        15 if is_old_id_card(text) => Some(Kind::IdCard),
        _ if is_bank_card(text) => Some(Kind::BankCard),
        _ => None,
    }
}

/// Mobile numbers of the Chinese numbering plan: 11 digits, 13x–19x without the data-only 140–144, 154 … ranges
/// that were never given to people.
pub fn is_mobile(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() == 11
        && b.iter().all(u8::is_ascii_digit)
        && b[0] == b'1'
        && matches!(
            (b[1], b[2]),
            (b'3' | b'8' | b'9', _)
                | (b'4', b'5'..=b'9')
                | (b'5', b'0'..=b'3' | b'5'..=b'9')
                | (b'6', b'2' | b'5' | b'6' | b'7')
                | (b'7', b'0'..=b'8')
        )
}

const REGIONS: [u8; 35] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63,
    64, 65, 71, 81, 82, 83,
];

/// The check character of GB 11643 (ISO 7064 MOD 11-2) for the first seventeen digits.
pub fn id_check(first17: &[u8]) -> u8 {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = first17.iter().zip(WEIGHTS).map(|(d, w)| u32::from(d - b'0') * w).sum();
    b"10x98765432"[(sum % 11) as usize]
}

fn birthday(year: u32, month: u32, day: u32) -> bool {
    (1900..=2035).contains(&year) && jiff::civil::Date::new(year as i16, month as i8, day as i8).is_ok()
}

fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |n, d| n * 10 + u32::from(d - b'0'))
}

fn is_id_shape(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() == 18
        && b[..17].iter().all(u8::is_ascii_digit)
        && (b[17].is_ascii_digit() || b[17] == b'x')
        && REGIONS.contains(&(number(&b[..2]) as u8))
        && birthday(number(&b[6..10]), number(&b[10..12]), number(&b[12..14]))
}

/// An 18-character ID card with region, birthday and check character in order; `x` lower case.
pub fn is_id_card(text: &str) -> bool {
    is_id_shape(text) && id_check(&text.as_bytes()[..17]) == text.as_bytes()[17]
}

/// The 15-digit ID card of before 1999: no check character, so region and birthday must be in order.
pub fn is_old_id_card(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() == 15
        && b.iter().all(u8::is_ascii_digit)
        && REGIONS.contains(&(number(&b[..2]) as u8))
        && number(&b[2..6]) != 0
        && birthday(1900 + number(&b[6..8]), number(&b[8..10]), number(&b[10..12]))
}

/// Luhn's check over a run of digits.
pub fn luhn(text: &str) -> bool {
    let sum: u32 = text
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            let d = u32::from(d - b'0');
            if i % 2 == 0 {
                d
            } else if d > 4 {
                d * 2 - 9
            } else {
                d * 2
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// A bank card: an issuer prefix in use, the length cards with it have, Luhn.
pub fn is_bank_card(text: &str) -> bool {
    if !(15..=19).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let b = text.as_bytes();
    let length = text.len();
    let fits = match (b[0], b[1]) {
        (b'6', b'2') => (16..=19).contains(&length),
        (b'6', b'0') => length == 16 || length == 17 || length == 19,
        (b'6', b'8' | b'9' | b'5') => length == 16 || length == 19,
        (b'9', _) => (16..=19).contains(&length) && matches!(&b[..2], b"90" | b"94" | b"95" | b"96" | b"98" | b"99"),
        (b'4', _) | (b'5', b'1'..=b'6') | (b'3', b'5' | b'6') => length == 16,
        (b'3', b'4' | b'7') => length == 15,
        _ => false,
    };
    fits && luhn(text)
}

fn emails(view: &View, found: &mut Vec<(Kind, Span)>) {
    static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?i)[A-Z0-9](?:[A-Z0-9._%+-]{0,62}[A-Z0-9_])?@(?:[A-Z0-9](?:[A-Z0-9-]{0,30}[A-Z0-9])?\.){1,4}[A-Z]{2,12}",
        )
        .expect("a fixed expression")
    });
    if !view.raw.iter().any(|c| matches!(c, '@' | '＠')) {
        return;
    }
    let raw: String = view.raw.iter().map(|c| half_width(*c)).collect();
    for hit in EMAIL.find_iter(&raw) {
        let start = raw[..hit.start()].chars().count();
        let end = start + hit.as_str().chars().count();
        if let Some(span) = folded_span(view, start, end) {
            found.push((Kind::Email, span));
        }
    }
}

fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Folded characters that came from a range of raw ones.
pub fn folded_span(view: &View, start: usize, end: usize) -> Option<Span> {
    let first = view.to.partition_point(|to| *to as usize <= start);
    let last = view.from.partition_point(|from| (*from as usize) < end);
    (first < last).then_some(Span { start: first, end: last })
}

fn credentials(view: &View, found: &mut Vec<(Kind, Span)>) {
    static KEYS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----",
            r"|(?-u:\b)(?:AKIA|ASIA)[0-9A-Z]{16}(?-u:\b)",
            r"|(?-u:\b)LTAI[0-9A-Za-z]{12,24}(?-u:\b)",
            r"|(?-u:\b)AKID[0-9A-Za-z]{32}(?-u:\b)",
            r"|(?-u:\b)gh[pousr]_[0-9A-Za-z]{30,80}",
            r"|(?-u:\b)sk-[0-9A-Za-z_-]{20,120}",
            r"|(?-u:\b)xox[abprs]-[0-9A-Za-z-]{10,80}",
            r"|(?-u:\b)eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}",
            r"|(?i:(?-u:\b)(?:password|passwd|pwd|secret(?:[_-]?key)?|access[_-]?key(?:[_-]?id)?|api[_-]?key|access[_-]?token|token|corpsecret|encodingaeskey))[ \t]{0,3}[:=：][ \t]{0,3}[^\s，。；、：\u{4e00}-\u{9fff}]{6,120}",
            r"|(?:登录|登陆|后台|系统|服务器|数据库|管理员|账号|帐号|初始|邮箱|VPN|vpn|wifi|WiFi|WIFI|root)?(?:密码|口令|密钥)[ \t]{0,3}(?:[:=：是为]|改成|换成)[ \t]{0,3}[A-Za-z0-9!@#$%^&*._+\-]{6,64}",
            r"|(?i:mysql|postgres(?:ql)?|mongodb(?:\+srv)?|redis|amqp)://[^\s:/@]{1,40}:[^\s@/]{3,60}@[^\s]{3,80}",
        ))
        .expect("a fixed expression")
    });
    let telling = |c: &char| matches!(c, '密' | '口' | ':' | '：' | '=');
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let long = || view.raw.chunk_by(|a, b| part(*a) && part(*b)).any(|run| run.len() >= KEY);
    if !view.raw.iter().any(char::is_ascii_alphanumeric) || !view.raw.iter().any(telling) && !long() {
        return;
    }
    let raw: String = view.raw.iter().collect();
    for hit in KEYS.find_iter(&raw) {
        let start = raw[..hit.start()].chars().count();
        let end = start + hit.as_str().chars().count();
        if let Some(span) = folded_span(view, start, end) {
            found.push((Kind::Credential, span));
        }
    }
}
