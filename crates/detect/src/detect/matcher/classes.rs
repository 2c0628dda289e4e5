//! Characters as small numbers: those that occur in some word are numbered from 1 by frequency, all others are 0. One
//! table leads from the typed character through the fold to its number, another to its sound; reading a text is little more
//! than looking three bytes up and taking down what was found and where.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::text::sounds;
use crate::text::table::{Kind, LIMIT, TABLE};

use super::PAD;
use super::cells::{self, Cells, NOT_THREE};

/// Classes from here on say what to do instead of naming a character.
const FIRST_SPECIAL: u16 = 0xfff0;
const SKIP: u16 = 0xfff0;
/// One that becomes several, or whose neighbours decide what becomes of it.
const SLOW: u16 = 0xfff1;

/// Characters to numbers.
#[derive(Debug)]
pub(crate) struct Classes {
    /// By folded character.
    folded: Cells,
    /// By typed character.
    typed: Cells,
}

/// What all lists share: which typed characters are skipped or special, how they sound, and which typed characters fold
/// to one and the same.
struct Template {
    typed: Cells,
    heard: Cells,
    folds_to: Vec<(char, char)>,
}

static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
    let mut template = Template { typed: Cells::new(LIMIT), heard: Cells::new(LIMIT), folds_to: Vec::new() };
    for c in '\0'..char::from_u32(LIMIT).unwrap_or(char::MAX) {
        let entry = TABLE.get(c);
        let class = match entry.kind() {
            Kind::Keep if entry.foreign() => SLOW,
            Kind::Keep => {
                template.folds_to.push((entry.folded(), c));
                let sound = sounds::of(entry.folded());
                if sound != 0 {
                    template.heard.set(c, sound);
                }
                continue;
            }
            Kind::Multi | Kind::Regional => SLOW,
            _ => SKIP,
        };
        template.typed.set(c, class);
    }
    template.folds_to.sort_unstable();
    template
});

/// What was read of a text; the buffers only grow, and what lies beyond the end is rubbish.
#[derive(Clone, Debug, Default)]
pub(crate) struct Symbols {
    /// Numbers, followed by [`PAD`].
    classes: Vec<u16>,
    /// Sounds, followed by [`PAD`].
    sounds: Vec<u16>,
    /// First byte of each.
    at: Vec<u32>,
    len: usize,
}

impl Symbols {
    pub(crate) fn classes(&self) -> &[u16] {
        &self.classes[..self.len + PAD.len()]
    }
    pub(crate) fn sounds(&self) -> &[u16] {
        self.sounds.get(..self.len + PAD.len()).unwrap_or_default()
    }
    /// The first byte of a symbol.
    pub(crate) fn at(&self, symbol: usize) -> usize {
        self.at[symbol] as usize
    }
    fn fit(&mut self, most: usize, with_sounds: bool) {
        if self.at.len() < most {
            self.classes.resize(most, 0);
            self.at.resize(most, 0);
        }
        if with_sounds && self.sounds.len() < most {
            self.sounds.resize(most, 0);
        }
    }
}

impl Classes {
    /// Numbers the characters of all words.
    pub(crate) fn build(folded: &[char]) -> Self {
        let mut counts: HashMap<char, u32> = HashMap::new();
        for c in folded {
            *counts.entry(*c).or_default() += 1;
        }
        let mut chars: Vec<(char, u32)> = counts.into_iter().collect();
        chars.sort_unstable_by_key(|(c, count)| (std::cmp::Reverse(*count), *c));
        let mut classes = Self { folded: Cells::new(LIMIT), typed: TEMPLATE.typed.clone() };
        let folds_to = &TEMPLATE.folds_to;
        for ((c, _), number) in chars.iter().zip(1..FIRST_SPECIAL) {
            classes.folded.set(*c, number);
            let from = folds_to.partition_point(|(folded, _)| folded < c);
            for (_, typed) in folds_to[from..].iter().take_while(|(folded, _)| folded == c) {
                classes.typed.set(*typed, number);
            }
        }
        classes
    }

    /// The number of a folded character.
    #[inline]
    pub(crate) fn of(&self, folded: char) -> u16 {
        self.folded.get(folded).unwrap_or(0)
    }

    /// Reads a text. False if it needs the whole fold.
    pub(crate) fn read(&self, text: &str, into: &mut Symbols, with_sounds: bool) -> bool {
        into.fit(text.len() + PAD.len(), with_sounds);
        let read = if with_sounds { self.read_into::<true>(text, into) } else { self.read_into::<false>(text, into) };
        let Some(n) = read else { return false };
        into.classes[n..n + PAD.len()].copy_from_slice(&PAD);
        if with_sounds {
            into.sounds[n..n + PAD.len()].copy_from_slice(&PAD);
        }
        into.len = n;
        true
    }

    fn read_into<const SOUNDS: bool>(&self, text: &str, into: &mut Symbols) -> Option<usize> {
        let bytes = text.as_bytes();
        let (class_of, ascii) = (self.typed.threes(), self.typed.ascii());
        let heard = &TEMPLATE.heard;
        let sound_of = heard.threes();
        let most = bytes.len();
        let (classes, at) = (&mut into.classes[..most], &mut into.at[..most]);
        let sounds = if SOUNDS { &mut into.sounds[..most] } else { &mut [] };
        let (mut n, mut byte) = (0, 0);
        while byte < most {
            let from = byte;
            let (mut class, mut sound) = (NOT_THREE, 0);
            if let Some(three) = bytes[byte..].first_chunk() {
                let cell = cells::three(*three);
                if let Some(number) = class_of.get(cell) {
                    class = *number;
                    if SOUNDS {
                        sound = sound_of[cell];
                    }
                    byte += 3;
                }
            }
            if class > SKIP {
                byte = from;
                if let Some(number) = ascii.get(usize::from(bytes[byte])).filter(|class| **class <= SKIP) {
                    (class, sound) = (*number, 0);
                    byte += 1;
                } else {
                    let c = text[byte..].chars().next()?;
                    class = self.typed.get(c).filter(|class| *class != SLOW)?;
                    sound = if SOUNDS { heard.get(c)? } else { 0 };
                    byte += c.len_utf8();
                }
            }
            // What is skipped is written too, and overwritten by what follows.
            classes[n] = class;
            at[n] = from as u32;
            if SOUNDS {
                sounds[n] = sound;
            }
            n += usize::from(class < SKIP);
        }
        Some(n)
    }
}
