//! What becomes of each single character: kept, read as another, or dropped. One table over all of Unicode, built once from
//! the crates that keep the data (compatibility forms, traditional characters) plus the few forms they leave out.

use std::collections::HashMap;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::{Steps, Transform, emoji, split};

/// Characters of one page of the table.
const PAGE: usize = 256;
/// The table ends here, after the last block of Han characters; what lies beyond is kept as it is.
pub(crate) const LIMIT: u32 = 0x33400;

/// What the table says of one character, packed: low 21 bits the folded character or an index, then kind, then flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Entry(u32);

/// What becomes of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Kept, as one character.
    Keep = 0,
    /// Kept, as several characters (`㎏`, `⑩`).
    Multi = 1,
    /// Space, symbol or emoji: dropped.
    Soft = 2,
    /// Comma, full stop within a line, colon: dropped.
    Clause = 3,
    /// End of a sentence or line: dropped.
    Sentence = 4,
    /// Zero-width and other invisible characters: dropped.
    Invisible = 5,
    /// Combining mark: dropped.
    Combining = 6,
    /// Regional letter: a letter or half a flag.
    Regional = 7,
}

const KINDS: [Kind; 8] = [
    Kind::Keep,
    Kind::Multi,
    Kind::Soft,
    Kind::Clause,
    Kind::Sentence,
    Kind::Invisible,
    Kind::Combining,
    Kind::Regional,
];

const FLAG_SHIFT: u32 = 24;
const STEPS_IN_TABLE: [Transform; 6] = [
    Transform::Width,
    Transform::Case,
    Transform::Fancy,
    Transform::Digit,
    Transform::Traditional,
    Transform::Combining,
];
/// The character may take part in a second reading: an emoji that stands for a word, or a part of a split character.
const FLAG_REWRITE: u32 = 1 << 30;
/// A letter of another script than Latin and Han: look-alikes are possible.
const FLAG_FOREIGN: u32 = 1 << 31;

impl Entry {
    const fn new(kind: Kind, value: u32, flags: u32) -> Self {
        Self(value | (kind as u32) << 21 | flags)
    }
    /// What becomes of it.
    pub(crate) const fn kind(self) -> Kind {
        KINDS[(self.0 >> 21 & 7) as usize]
    }
    /// Kept, and nothing else is to be said of it.
    pub(crate) const fn is_plain(self) -> bool {
        self.0 & (7 << 21 | FLAG_REWRITE | FLAG_FOREIGN) == 0
    }
    /// The folded character of [`Kind::Keep`] and [`Kind::Regional`].
    pub(crate) fn folded(self) -> char {
        char::from_u32(self.0 & 0x1f_ffff).unwrap_or(char::REPLACEMENT_CHARACTER)
    }
    /// May take part in a second reading.
    pub(crate) const fn rewrites(self) -> bool {
        self.0 & FLAG_REWRITE != 0
    }
    /// A letter of another script.
    pub(crate) const fn foreign(self) -> bool {
        self.0 & FLAG_FOREIGN != 0
    }
    /// The steps it goes through.
    pub(crate) fn steps(self) -> Steps {
        let bits = self.0 >> FLAG_SHIFT & 0x3f;
        let mut steps = Steps::default();
        if bits != 0 {
            for (i, step) in STEPS_IN_TABLE.iter().enumerate() {
                if bits >> i & 1 != 0 {
                    steps.insert(*step);
                }
            }
        }
        steps
    }
}

fn flag(step: Transform) -> u32 {
    STEPS_IN_TABLE.iter().position(|s| *s == step).map_or(0, |i| 1 << (FLAG_SHIFT + i as u32))
}

/// The table of all characters.
pub(crate) struct Table {
    index: Vec<u16>,
    entries: Vec<Entry>,
    multi: Vec<Vec<char>>,
}

/// Built on first use, in some ten milliseconds.
pub(crate) static TABLE: LazyLock<Table> = LazyLock::new(Table::build);

impl Table {
    /// What becomes of a character.
    #[inline]
    pub(crate) fn get(&self, c: char) -> Entry {
        let code = c as usize;
        match self.index.get(code / PAGE) {
            Some(page) => self.entries[*page as usize * PAGE + code % PAGE],
            None if c.is_alphanumeric() => Entry::new(Kind::Keep, c as u32, 0),
            None => Entry::new(Kind::Invisible, 0, 0),
        }
    }

    /// The characters of a [`Kind::Multi`] entry.
    pub(crate) fn multi(&self, entry: Entry) -> &[char] {
        &self.multi[(entry.0 & 0x1f_ffff) as usize]
    }

    fn build() -> Self {
        let simplified = super::simplified::pairs().collect();
        let mut table = Self { index: Vec::new(), entries: Vec::new(), multi: Vec::new() };
        let mut pages: HashMap<Vec<Entry>, u16> = HashMap::new();
        for start in (0..LIMIT).step_by(PAGE) {
            let page: Vec<Entry> = (start..start + PAGE as u32)
                .map(|code| match char::from_u32(code) {
                    Some(c) => table.entry(c, &simplified),
                    None => Entry::new(Kind::Invisible, 0, 0),
                })
                .collect();
            let next = (table.entries.len() / PAGE) as u16;
            let number = *pages.entry(page).or_insert_with_key(|page| {
                table.entries.extend_from_slice(page);
                next
            });
            table.index.push(number);
        }
        table
    }

    fn entry(&mut self, c: char, simplified: &HashMap<char, char>) -> Entry {
        let rewrite = if emoji::reading(c).is_some() || split::is_part(c) { FLAG_REWRITE } else { 0 };
        if let Some(kind) = dropped(c) {
            return Entry::new(kind, 0, rewrite);
        }
        let code = c as u32;
        if (0x1f1e6..=0x1f1ff).contains(&code) {
            return Entry::new(Kind::Regional, code - 0x1f1e6 + u32::from(b'a'), flag(Transform::Fancy));
        }
        // Plain Han and Hangul have no compatibility forms; asking for each would cost most of the build.
        let plain = matches!(c, '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..='\u{2f7ff}');
        let (mut folded, mut flags) = if plain {
            (vec![c], 0)
        } else if let Some(text) = extra(c) {
            (text.chars().collect(), flag(Transform::Fancy))
        } else {
            compatible(c)
        };
        for c in &mut folded {
            if let Some(simple) = simplified.get(c) {
                *c = *simple;
                flags |= flag(Transform::Traditional);
            }
            if *c == '〇' {
                *c = '零';
                flags |= flag(Transform::Digit);
            }
        }
        folded.retain(|c| c.is_alphanumeric());
        match folded[..] {
            [] => Entry::new(Kind::Soft, 0, rewrite),
            [one] => {
                let foreign = !one.is_ascii()
                    && (matches!(one, '\u{80}'..='\u{58f}' | '\u{1d00}'..='\u{1fff}' | '\u{a720}'..='\u{a7ff}')
                        || matches!(one, '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}'));
                Entry::new(Kind::Keep, one as u32, flags | rewrite | if foreign { FLAG_FOREIGN } else { 0 })
            }
            _ => {
                self.multi.push(folded);
                Entry::new(Kind::Multi, self.multi.len() as u32 - 1, flags | rewrite)
            }
        }
    }
}

/// How a character that is never part of a word is dropped.
fn dropped(c: char) -> Option<Kind> {
    match c {
        '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' | '。' | '！' | '？' | '!' | '?' | ';' | '；' | '…' | '｡' => {
            Some(Kind::Sentence)
        }
        '，' | ',' | '、' | '：' | ':' | '.' | '．' | '﹐' | '､' => Some(Kind::Clause),
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' => Some(Kind::Invisible),
        _ if is_combining_mark(c) => Some(Kind::Combining),
        _ if c.is_control() && c != '\t' => Some(Kind::Invisible),
        _ => None,
    }
}

/// Letters and digits that compatibility decomposition leaves alone.
fn extra(c: char) -> Option<String> {
    let code = c as u32;
    let number = |n: u32| Some(n.to_string());
    let letter = |first: u32| char::from_u32(code - first + u32::from(b'a')).map(String::from);
    match code {
        0x24ff | 0x1f10b | 0x1f10c => number(0),
        0x2776..=0x277f => number(code - 0x2775),
        0x2780..=0x2789 => number(code - 0x277f),
        0x278a..=0x2793 => number(code - 0x2789),
        0x24eb..=0x24f4 => number(code - 0x24eb + 11),
        0x24f5..=0x24fe => number(code - 0x24f4),
        0x1f51f => number(10),
        0x1f150..=0x1f169 => letter(0x1f150),
        0x1f170..=0x1f189 => letter(0x1f170),
        0x1f18e => Some("ab".into()),
        0x1f191 => Some("cl".into()),
        0x1f192 => Some("cool".into()),
        0x1f193 => Some("free".into()),
        0x1f194 => Some("id".into()),
        0x1f195 => Some("new".into()),
        0x1f196 => Some("ng".into()),
        0x1f197 => Some("ok".into()),
        0x1f198 => Some("sos".into()),
        0x1f199 => Some("up".into()),
        0x1f19a => Some("vs".into()),
        _ => None,
    }
}

/// Compatibility form, without marks and in lower case, and the steps that led there.
fn compatible(c: char) -> (Vec<char>, u32) {
    let mut flags = 0;
    let western = matches!(c, '\u{80}'..='\u{58f}' | '\u{1e00}'..='\u{1fff}');
    let parts: Vec<char> = if western {
        let decomposed: Vec<char> = std::iter::once(c).nfkd().collect();
        if decomposed.len() > 1 && decomposed[1..].iter().any(|c| is_combining_mark(*c)) {
            flags |= flag(Transform::Combining);
        }
        decomposed.into_iter().filter(|c| !is_combining_mark(*c)).collect()
    } else {
        std::iter::once(c).nfkc().collect()
    };
    if !western && parts != [c] {
        let fancy = matches!(c,
            '\u{2070}'..='\u{218f}' | '\u{2460}'..='\u{24ff}' | '\u{3200}'..='\u{33ff}' | '\u{1d400}'..='\u{1d7ff}'
            | '\u{1f100}'..='\u{1f2ff}' | '\u{1d00}'..='\u{1dbf}' | '\u{1fbf0}'..='\u{1fbf9}' | '\u{1ccd6}'..='\u{1ccf9}');
        flags |= flag(if fancy { Transform::Fancy } else { Transform::Width });
    }
    let mut folded = Vec::new();
    for part in parts {
        if let Some(digit) = foreign_digit(part) {
            flags |= flag(Transform::Digit);
            folded.push(digit);
            continue;
        }
        let before = folded.len();
        folded.extend(part.to_lowercase().filter(|c| !is_combining_mark(*c)));
        if folded[before..] != [part] {
            flags |= flag(Transform::Case);
        }
    }
    (folded, flags)
}

/// Digits of other scripts.
fn foreign_digit(c: char) -> Option<char> {
    const ZEROS: [u32; 18] = [
        0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20,
        0x1040, 0x17e0, 0x1810,
    ];
    let code = c as u32;
    ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code)).and_then(|zero| char::from_digit(code - zero, 10))
}
