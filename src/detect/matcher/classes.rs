//! Characters as small numbers: those that occur in some word are numbered from 1 by frequency, all others are 0. One
//! table leads from the typed character through the fold to number and sound at once.

use std::collections::HashMap;

use crate::text::sounds;
use crate::text::table::{Kind, TABLE};

use super::double_array::PAD;

const PAGE: usize = 128;
const LIMIT: u32 = 0x30000;

/// Classes from here on say what to do instead of naming a character.
pub(crate) const FIRST_SPECIAL: u16 = 0xfff0;
const SKIP: u16 = 0xffff;
const MULTI: u16 = 0xfffe;
const SLOW: u16 = 0xfffd;

/// Characters to numbers.
#[derive(Debug)]
pub(crate) struct Classes {
    /// By folded character.
    folded: Pages<u16>,
    /// By typed character: class below, sound above.
    typed: Pages<u32>,
    count: usize,
}

#[derive(Debug)]
struct Pages<T> {
    index: Vec<u16>,
    cells: Vec<T>,
}

impl<T: Copy + Default + PartialEq> Pages<T> {
    /// Fills a table; pages of the same content are kept once, which most of Unicode is.
    fn build(cell: impl Fn(char) -> T) -> Self {
        let mut pages = Self { index: Vec::new(), cells: Vec::new() };
        let mut page = Vec::with_capacity(PAGE);
        let mut uniform: Vec<(T, u16)> = Vec::new();
        for start in (0..LIMIT).step_by(PAGE) {
            page.clear();
            page.extend((start..start + PAGE as u32).map(|code| char::from_u32(code).map_or_else(T::default, &cell)));
            let same = page.iter().all(|c| *c == page[0]);
            let known = uniform.iter().find(|(value, _)| same && *value == page[0]).map(|(_, number)| *number);
            let number = known.unwrap_or_else(|| {
                let number = (pages.cells.len() / PAGE) as u16;
                pages.cells.extend_from_slice(&page);
                if same {
                    uniform.push((page[0], number));
                }
                number
            });
            pages.index.push(number);
        }
        pages.cells.shrink_to_fit();
        pages
    }

    #[inline]
    fn get(&self, c: char) -> Option<T> {
        let code = c as usize;
        let page = *self.index.get(code / PAGE)? as usize;
        self.cells.get(page * PAGE + code % PAGE).copied()
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
        let numbers: HashMap<char, u16> =
            chars.iter().zip(1..FIRST_SPECIAL).map(|((c, _), number)| (*c, number)).collect();
        let mut flat = vec![0_u16; LIMIT as usize];
        for (c, number) in &numbers {
            if let Some(cell) = flat.get_mut(*c as usize) {
                *cell = *number;
            }
        }
        let of = |c: char| flat.get(c as usize).copied().unwrap_or(0);
        let typed = |c: char| {
            let entry = TABLE.get(c);
            match entry.kind() {
                Kind::Keep if entry.foreign() => u32::from(SLOW),
                Kind::Keep => u32::from(of(entry.folded())) | u32::from(sounds::of(entry.folded())) << 16,
                Kind::Multi => u32::from(MULTI),
                Kind::Regional => u32::from(SLOW),
                _ => u32::from(SKIP),
            }
        };
        Self { folded: Pages::build(of), typed: Pages::build(typed), count: chars.len() }
    }

    /// Distinct characters of all words.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// The number of a folded character.
    #[inline]
    pub(crate) fn of(&self, folded: char) -> u16 {
        self.folded.get(folded).unwrap_or(0)
    }

    /// Reads a text into numbers, sounds and byte positions. `false` if it needs the whole fold.
    #[inline]
    pub(crate) fn read(
        &self,
        text: &str,
        symbols: &mut Vec<u16>,
        heard: &mut Vec<u16>,
        at: &mut Vec<u32>,
        with_sounds: bool,
    ) -> bool {
        // Written by index into buffers that are big enough: a push a character costs as much as the lookup.
        let most = text.len() + PAD.len();
        if symbols.len() < most {
            symbols.resize(most, 0);
            at.resize(most, 0);
        }
        if with_sounds && heard.len() < most {
            heard.resize(most, 0);
        }
        let mut n = 0;
        for (byte, c) in text.char_indices() {
            let cell = self.typed.get(c).unwrap_or(u32::from(SLOW));
            let class = cell as u16;
            if class >= FIRST_SPECIAL {
                match class {
                    SKIP => {}
                    MULTI => {
                        for folded in TABLE.multi(TABLE.get(c)) {
                            if n + PAD.len() >= symbols.len() {
                                symbols.resize(n * 2 + 16, 0);
                                at.resize(n * 2 + 16, 0);
                            }
                            symbols[n] = self.of(*folded);
                            at[n] = byte as u32;
                            if with_sounds {
                                if heard.len() < symbols.len() {
                                    heard.resize(symbols.len(), 0);
                                }
                                heard[n] = sounds::of(*folded);
                            }
                            n += 1;
                        }
                    }
                    _ => return false,
                }
                continue;
            }
            if n + PAD.len() >= symbols.len() {
                symbols.resize(n * 2 + 16, 0);
                at.resize(n * 2 + 16, 0);
                if with_sounds {
                    heard.resize(n * 2 + 16, 0);
                }
            }
            symbols[n] = class;
            at[n] = byte as u32;
            if with_sounds {
                heard[n] = (cell >> 16) as u16;
            }
            n += 1;
        }
        symbols.truncate(n);
        symbols.extend(PAD);
        at.truncate(n);
        if with_sounds {
            heard.truncate(n);
            heard.extend(PAD);
        }
        true
    }
}
