//! Web addresses in pieces: `abc点com`, `abc。cc`, `abc d0t com`, `a b c . c n`, `abc[.]top`, `abc.c0m` put together again, with
//! the place they stood.

use std::ops::Range;

use super::Transform;
use super::table::{Kind, TABLE};

/// Endings that make a name an address. Common ones, and the cheap ones that spam prefers.
const ENDINGS: &str = "com cn net org cc top xyz vip club site online shop store icu fun pw tk ml ga cf gq me io co info biz \
                       tv in link live work ltd wang ren xin pub pro asia mobi app dev ai la so hk tw jp kr us uk ru gg im to \
                       ly cfd sbs bond cyou buzz click rest monster lol win bet casino space website tech cloud fit ink";

/// A web address that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Host in lower case with plain dots: `abc.com`.
    pub host: String,
    /// First original character.
    pub start: usize,
    /// One past the last original character.
    pub end: usize,
    /// How it was broken; empty if it was typed plainly.
    pub transforms: Vec<Transform>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Letter(char),
    Dot { plain: bool },
    Blank,
    Other,
}

/// A piece with the original characters it came from.
struct Token {
    piece: Piece,
    at: Range<usize>,
    changed: Option<Transform>,
}

/// Finds the addresses of a message, plain and broken. A blank inside is read only next to a dot or between single
/// letters; an ending must be a known one and must not go on in Latin letters.
pub fn find(text: &str) -> Vec<Domain> {
    if !may_have_dot(text) {
        return Vec::new();
    }
    let tokens = tokens(&text.chars().collect::<Vec<_>>());
    let mut found: Vec<Domain> = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        if !matches!(tokens[i].piece, Piece::Letter(_)) {
            i += 1;
            continue;
        }
        if let Some((domain, next)) = read(&tokens, i) {
            found.push(domain);
            i = next;
        } else {
            // On to the end of this run of letters: a suffix of a name is no better.
            while i < tokens.len() && matches!(tokens[i].piece, Piece::Letter(_)) {
                i += 1;
            }
        }
    }
    found
}

/// A dot stands in it, or something that is read as one.
fn may_have_dot(text: &str) -> bool {
    let mut before = ' ';
    text.chars().any(|c| {
        let dot = match c {
            '.' | '。' | '．' | '｡' | '·' | '•' | '点' | '點' | '丶' | '・' | '●' => true,
            'o' | 'O' | '0' => matches!(before, 'd' | 'D'),
            ',' | '，' => before.is_ascii_alphanumeric(),
            _ => false,
        };
        before = c;
        dot
    })
}

fn tokens(text: &[char]) -> Vec<Token> {
    let table = &*TABLE;
    let mut tokens = Vec::new();
    let mut i = 0;
    while i < text.len() {
        let c = text[i];
        let rest = |n: usize| text[i..].iter().take(n).flat_map(|c| c.to_lowercase()).collect::<String>();
        let touches_letter = tokens.last().is_some_and(|t: &Token| matches!(t.piece, Piece::Letter(_)));
        let (piece, len, changed) = match c {
            '.' => (Piece::Dot { plain: true }, 1, None),
            '。' | '．' | '｡' | '·' | '•' | '点' | '點' | '丶' | '・' | '●' => {
                (Piece::Dot { plain: false }, 1, Some(Transform::Domain))
            }
            '[' | '(' | '（' | '【' | '{' if bracketed_dot(text, i).is_some() => {
                (Piece::Dot { plain: false }, bracketed_dot(text, i).unwrap_or(1), Some(Transform::Domain))
            }
            ',' | '，' if comma_dot(text, i) => (Piece::Dot { plain: false }, 1, Some(Transform::Domain)),
            'd' | 'D' if matches!(&*rest(3), "dot" | "d0t") && !touches_letter && !latin_at(text, i + 3) => {
                (Piece::Dot { plain: false }, 3, Some(Transform::Domain))
            }
            '-' => (Piece::Letter('-'), 1, None),
            '⭕' | '◯' | '○' | '〇' if touches_letter => (Piece::Letter('o'), 1, Some(Transform::Lookalike)),
            ' ' | '\u{3000}' | '\t' => (Piece::Blank, 1, None),
            _ => {
                let entry = table.get(c);
                match entry.kind() {
                    Kind::Keep | Kind::Regional if entry.folded().is_ascii_alphanumeric() => {
                        let step = entry.steps().iter().find(|s| *s != Transform::Case);
                        (Piece::Letter(entry.folded()), 1, step)
                    }
                    Kind::Keep if entry.foreign() && super::lookalike::latin(c, entry.folded()).is_some() => {
                        let letter = super::lookalike::latin(c, entry.folded()).unwrap_or(c);
                        (Piece::Letter(letter), 1, Some(Transform::Lookalike))
                    }
                    Kind::Invisible | Kind::Combining => {
                        i += 1;
                        continue;
                    }
                    _ => (Piece::Other, 1, None),
                }
            }
        };
        tokens.push(Token { piece, at: i..i + len, changed });
        i += len;
    }
    tokens
}

/// Characters of `(dot)`, `[点]`, `（.）`.
fn bracketed_dot(text: &[char], i: usize) -> Option<usize> {
    let end = i + 2 + text.get(i + 2..)?.iter().take(3).position(|c| matches!(c, ']' | ')' | '）' | '】' | '}'))?;
    let inside: String = text[i + 1..end].iter().flat_map(|c| c.to_lowercase()).collect();
    matches!(&*inside, "." | "。" | "点" | "·" | "dot" | "d0t" | "點").then_some(end + 1 - i)
}

/// `wode88,top`: a name with digits, and nothing but a cheap ending behind the comma.
fn comma_dot(text: &[char], i: usize) -> bool {
    const ENDS: [&str; 10] = ["top", "vip", "com", "xyz", "icu", "club", "net", "win", "bet", "cc"];
    let name = text[..i].iter().rev().take_while(|c| c.is_ascii_alphanumeric());
    let (mut letters, mut digits) = (0, 0);
    for c in name {
        if c.is_ascii_digit() {
            digits += 1;
        } else {
            letters += 1;
        }
    }
    let end: String =
        text[i + 1..].iter().take_while(|c| c.is_ascii_alphanumeric()).flat_map(|c| c.to_lowercase()).collect();
    letters >= 2 && digits >= 2 && ENDS.contains(&&*end)
}

fn latin_at(text: &[char], i: usize) -> bool {
    text.get(i).is_some_and(char::is_ascii_alphanumeric)
}

/// Reads one address from a letter on: the address and the token after it.
fn read(tokens: &[Token], start: usize) -> Option<(Domain, usize)> {
    let mut labels = vec![String::new()];
    let mut best: Option<(usize, usize)> = None;
    let mut i = start;
    // `a b c`: single letters set apart are one name; `hello world` is not.
    let spaced = |at: usize| {
        let letter = |j: usize| matches!(tokens.get(j).map(|t| t.piece), Some(Piece::Letter(_)));
        letter(at.wrapping_sub(1))
            && letter(at + 1)
            && !letter(at + 2)
            && (at < 2 || at - 1 == start || !letter(at - 2))
    };
    while let Some(token) = tokens.get(i) {
        match token.piece {
            Piece::Letter(c) => labels.last_mut()?.push(c),
            Piece::Dot { .. } => {
                if labels.last()?.is_empty() {
                    break;
                }
                labels.push(String::new());
            }
            Piece::Blank => {
                // An English sentence has a blank after its full stop, a broken address also one before it.
                let before = i.checked_sub(2).map(|j| tokens[j].piece);
                let after_dot = labels.last()?.is_empty()
                    && (tokens[i - 1].piece != Piece::Dot { plain: true } || before == Some(Piece::Blank));
                let before_dot = matches!(tokens.get(i + 1).map(|t| t.piece), Some(Piece::Dot { plain: false }))
                    || (matches!(tokens.get(i + 1).map(|t| t.piece), Some(Piece::Dot { .. })) && labels.len() == 1);
                if !(after_dot || before_dot || spaced(i)) {
                    break;
                }
            }
            Piece::Other => break,
        }
        i += 1;
        let goes_on = matches!(tokens.get(i).map(|t| t.piece), Some(Piece::Letter(_)));
        if labels.len() >= 2 && !goes_on && labels.last().is_some_and(|l| ending(l).is_some()) {
            best = Some((i, labels.len()));
        }
    }
    let (end, count) = best?;
    labels.truncate(count);
    let last = tokens[start..end].iter().filter(|t| matches!(t.piece, Piece::Letter(_))).count();
    let mut host = labels.join(".");
    // The last label may have grown after the best end (`com cn` → spaced letters).
    let letters: usize = host.chars().filter(|c| *c != '.').count();
    for _ in last..letters {
        host.pop();
    }
    let typed_ending = host.rsplit('.').next()?;
    let ending = ending(typed_ending)?;
    let disguised = ending != typed_ending;
    host.replace_range(host.len() - ending.len().., ending);
    let name = host.rsplit('.').nth(1)?;
    if name.is_empty() || name.starts_with('-') || (name.len() < 3 && name.chars().all(|c| c.is_ascii_digit())) {
        return None;
    }
    let mut transforms: Vec<Transform> = tokens[start..end].iter().filter_map(|t| t.changed).collect();
    let typed = tokens[end - 1].at.end - tokens[start].at.start;
    let read: usize = tokens[start..end].iter().filter(|t| t.piece != Piece::Blank).map(|t| t.at.len()).sum();
    if typed != read || disguised {
        transforms.push(Transform::Domain);
    }
    transforms.sort_by_key(|t| *t as usize);
    transforms.dedup();
    Some((Domain { host, start: tokens[start].at.start, end: tokens[end - 1].at.end, transforms }, end))
}

/// A label that makes a name an address.
pub fn is_ending(label: &str) -> bool {
    ENDINGS.split_ascii_whitespace().any(|ending| ending == label)
}

/// The ending that a label is or, with zeros for o, is meant to be.
fn ending(label: &str) -> Option<&'static str> {
    let same = |ending: &&str| {
        ending.len() == label.len() && ending.bytes().zip(label.bytes()).all(|(e, l)| e == l || e == b'o' && l == b'0')
    };
    ENDINGS.split_ascii_whitespace().find(same)
}
