//! What a character sounds like, tone dropped: 薇, 威 and 微 are one sound. A character of a message has its most common
//! sound; a word of a list is looked for under every sound its characters may have ([`words`]).

use std::collections::HashMap;
use std::sync::LazyLock;

use pinyin::{ToPinyin, ToPinyinMulti};

/// Readings that a character has and a word is looked for under, up to four characters and beyond: rare readings of long
/// words would multiply the automaton for nothing.
const MOST_READINGS: [usize; 2] = [4, 2];

/// Readings that the usual data puts second though people type them for their sound first.
const USUAL: [(char, &str); 6] =
    [('伽', "jia"), ('嘿', "hei"), ('茄', "qie"), ('咖', "ka"), ('卡', "ka"), ('嘎', "ga")];

struct Sounds {
    /// Sound by code point from U+3400 to U+9FFF; 0 is none.
    of: Vec<u16>,
    ids: HashMap<&'static str, u16>,
}

const FIRST: u32 = 0x3400;
const LAST: u32 = 0x9fff;

static SOUNDS: LazyLock<Sounds> = LazyLock::new(|| {
    let mut sounds = Sounds { of: Vec::with_capacity((LAST - FIRST + 1) as usize), ids: HashMap::new() };
    for code in FIRST..=LAST {
        let c = char::from_u32(code);
        let usual = c.and_then(|c| USUAL.iter().find(|(u, _)| *u == c)).map(|(_, sound)| *sound);
        let sound = usual.or_else(|| c.and_then(|c| c.to_pinyin()).map(pinyin::Pinyin::plain));
        let next = sounds.ids.len() as u16 + 1;
        let id = sound.map_or(0, |sound| *sounds.ids.entry(sound).or_insert(next));
        sounds.of.push(id);
    }
    sounds
});

/// The most common sound of a character as a number from 1, 0 if it has none. Numbers are stable within one build.
#[inline]
pub fn of(c: char) -> u16 {
    let code = (c as u32).wrapping_sub(FIRST);
    SOUNDS.of.get(code as usize).copied().unwrap_or(0)
}

/// The number of a syllable in Latin letters without tone, `weixin`'s `wei`; 0 if there is none.
pub fn syllable(latin: &str) -> u16 {
    SOUNDS.ids.get(latin).copied().unwrap_or(0)
}

/// Every sound a character may have, most common first; four at most.
pub fn all(c: char) -> &'static [u16] {
    let code = (c as u32).wrapping_sub(FIRST);
    let readings = READINGS.get(code as usize).map_or(&[][..], |readings| &readings[..]);
    &readings[..readings.iter().position(|id| *id == 0).unwrap_or(readings.len())]
}

static READINGS: LazyLock<Vec<[u16; MOST_READINGS[0]]>> = LazyLock::new(|| {
    let readings = |c: char| {
        let mut found = [of(c), 0, 0, 0];
        for id in c.to_pinyin_multi().into_iter().flatten().map(|reading| syllable(reading.plain())) {
            if !found.contains(&id)
                && let Some(place) = found.iter_mut().find(|place| **place == 0)
            {
                *place = id;
            }
        }
        found
    };
    (FIRST..=LAST).map(|code| char::from_u32(code).map_or([0; 4], readings)).collect()
});

/// Calls back with every way a folded word may sound, most common first; not at all if a character has no sound.
pub fn words(folded: &[char], mut found: impl FnMut(&[u16])) {
    let most = MOST_READINGS[usize::from(folded.len() > 4)];
    let mut words: Vec<u16> = Vec::new();
    let mut count = 1;
    for (i, c) in folded.iter().enumerate() {
        // `count` words of `i` sounds each become longer by one.
        let mut longer = Vec::with_capacity(most * (i + 1));
        for sound in all(*c) {
            for word in 0..count {
                if longer.len() < most * (i + 1) {
                    longer.extend_from_slice(&words[word * i..(word + 1) * i]);
                    longer.push(*sound);
                }
            }
        }
        words = longer;
        count = words.len() / (i + 1);
    }
    if !folded.is_empty() {
        words.chunks_exact(folded.len()).for_each(&mut found);
    }
}

/// What a character is taken for by ear, as a number from 1, 0 if it has no sound: its most common sound ([`of`]), those that
/// accents and fast typing mix up (zh and z, n and l, f and h, -ng and -n) being one.
#[inline]
pub fn blurred(c: char) -> u16 {
    let code = (c as u32).wrapping_sub(FIRST);
    BLURRED.of.get(code as usize).copied().unwrap_or_default()
}

/// Every number of [`blurred`] is below this.
pub fn blurred_limit() -> usize {
    BLURRED.limit
}

struct Blurred {
    of: Vec<u16>,
    limit: usize,
}

static BLURRED: LazyLock<Blurred> = LazyLock::new(|| {
    let mut ids: HashMap<String, u16> = HashMap::new();
    let mut of_sound = vec![0; SOUNDS.ids.len() + 1];
    let mut names: Vec<_> = SOUNDS.ids.iter().collect();
    names.sort_by_key(|(_, id)| **id);
    for (latin, id) in names {
        let next = ids.len() as u16 + 1;
        of_sound[usize::from(*id)] = *ids.entry(blur(latin)).or_insert(next);
    }
    let of = SOUNDS.of.iter().map(|sound| of_sound[usize::from(*sound)]).collect();
    Blurred { of, limit: ids.len() + 1 }
});

/// A syllable without what people mix up.
fn blur(latin: &str) -> String {
    let blurred = match latin.as_bytes() {
        [b'z' | b'c' | b's', b'h', ..] => format!("{}{}", &latin[..1], &latin[2..]),
        [b'n', _, ..] => format!("l{}", &latin[1..]),
        [b'f', ..] => format!("h{}", &latin[1..]),
        _ => latin.to_owned(),
    };
    blurred
        .strip_suffix("ng")
        .filter(|rest| rest.ends_with(['a', 'e', 'i']))
        .map(|rest| format!("{rest}n"))
        .unwrap_or(blurred)
}

/// Reads a run of ASCII letters as syllables (`jiawo` → jia, wo): their numbers with the letters they cover. `None` if
/// some letter is left over.
pub fn latin(letters: &str) -> Option<Vec<(u16, std::ops::Range<usize>)>> {
    // Backwards, so that the longest first syllable that leaves a readable rest wins.
    let n = letters.len();
    if n == 0 || !letters.bytes().all(|b| b.is_ascii_lowercase()) {
        return None;
    }
    let mut next: Vec<Option<usize>> = vec![None; n + 1];
    next[n] = Some(n);
    for start in (0..n).rev() {
        next[start] = (start + 1..=n.min(start + 6))
            .rev()
            .find(|end| next[*end].is_some() && syllable(&letters[start..*end]) != 0);
    }
    let mut read = Vec::new();
    let mut at = 0;
    while at < n {
        let end = next[at]?;
        read.push((syllable(&letters[at..end]), at..end));
        at = end;
    }
    Some(read)
}
