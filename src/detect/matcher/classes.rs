//! Characters as small numbers: those that occur in some word are numbered from 1 by frequency, all others are 0. One
//! table leads from the typed character through the fold to number and sound at once.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::text::sounds;
use crate::text::table::{Kind, LIMIT, TABLE};

use super::double_array::PAD;

const PAGE: usize = 128;

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

#[derive(Clone, Debug)]
struct Pages<T> {
    index: Vec<u16>,
    cells: Vec<T>,
    /// Pages that no other place shares.
    own: Vec<bool>,
}

impl<T: Copy + Default + PartialEq> Pages<T> {
    /// All cells empty.
    fn new() -> Self {
        Self {
            index: vec![0; LIMIT as usize / PAGE],
            cells: vec![T::default(); PAGE],
            own: vec![false; LIMIT as usize / PAGE],
        }
    }

    /// Changes one cell; the shared page it was on is copied first.
    fn set(&mut self, c: char, change: impl FnOnce(&mut T)) {
        let (page, at) = (c as usize / PAGE, c as usize % PAGE);
        let Some(own) = self.own.get_mut(page) else { return };
        if !*own {
            *own = true;
            let from = self.index[page] as usize * PAGE;
            self.index[page] = (self.cells.len() / PAGE) as u16;
            self.cells.extend_from_within(from..from + PAGE);
        }
        change(&mut self.cells[self.index[page] as usize * PAGE + at]);
    }

    #[inline]
    fn get(&self, c: char) -> Option<T> {
        let code = c as usize;
        let page = *self.index.get(code / PAGE)? as usize;
        self.cells.get(page * PAGE + code % PAGE).copied()
    }
}

/// What all lists share: which typed characters are skipped or special, how they sound, and which typed characters fold
/// to one and the same.
struct Template {
    typed: Pages<u32>,
    folds_to: Vec<(char, char)>,
}

static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
    let mut template = Template { typed: Pages::new(), folds_to: Vec::new() };
    let mut uniform: HashMap<u32, u16> = HashMap::from([(0, 0)]);
    for page in 0..LIMIT as usize / PAGE {
        let cells: Vec<u32> = (page * PAGE..(page + 1) * PAGE)
            .map(|code| {
                let Some(c) = char::from_u32(code as u32) else { return u32::from(SKIP) };
                let entry = TABLE.get(c);
                match entry.kind() {
                    Kind::Keep if entry.foreign() => u32::from(SLOW),
                    Kind::Keep => {
                        template.folds_to.push((entry.folded(), c));
                        u32::from(sounds::of(entry.folded())) << 16
                    }
                    Kind::Multi => u32::from(MULTI),
                    Kind::Regional => u32::from(SLOW),
                    _ => u32::from(SKIP),
                }
            })
            .collect();
        let same = cells.iter().all(|cell| *cell == cells[0]);
        let next = (template.typed.cells.len() / PAGE) as u16;
        let number = if same { *uniform.entry(cells[0]).or_insert(next) } else { next };
        if number == next {
            template.typed.cells.extend_from_slice(&cells);
        }
        // A page of its own may be written in place.
        template.typed.own[page] = !same;
        template.typed.index[page] = number;
    }
    template.folds_to.sort_unstable();
    template
});

impl Classes {
    /// Numbers the characters of all words.
    pub(crate) fn build(folded: &[char]) -> Self {
        let mut counts: HashMap<char, u32> = HashMap::new();
        for c in folded {
            *counts.entry(*c).or_default() += 1;
        }
        let mut chars: Vec<(char, u32)> = counts.into_iter().collect();
        chars.sort_unstable_by_key(|(c, count)| (std::cmp::Reverse(*count), *c));
        let mut classes = Self { folded: Pages::new(), typed: TEMPLATE.typed.clone(), count: chars.len() };
        let folds_to = &TEMPLATE.folds_to;
        for ((c, _), number) in chars.iter().zip(1..FIRST_SPECIAL) {
            classes.folded.set(*c, |cell| *cell = number);
            let from = folds_to.partition_point(|(folded, _)| folded < c);
            for (_, typed) in folds_to[from..].iter().take_while(|(folded, _)| folded == c) {
                classes.typed.set(*typed, |cell| *cell |= u32::from(number));
            }
        }
        classes.folded.cells.shrink_to_fit();
        classes.typed.cells.shrink_to_fit();
        classes
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

    /// Reads a text into numbers, sounds and byte positions: how many. `None` if it needs the whole fold. The numbers and
    /// sounds are followed by [`PAD`], and by rubbish after that: the buffers only grow.
    #[inline]
    pub(crate) fn read(
        &self,
        text: &str,
        symbols: &mut Vec<u16>,
        heard: &mut Vec<u16>,
        at: &mut Vec<u32>,
        with_sounds: bool,
    ) -> Option<usize> {
        fn fit<T: Clone + Default>(buffer: &mut Vec<T>, len: usize) {
            if buffer.len() < len {
                buffer.resize(len, T::default());
            }
        }
        let most = text.len() + PAD.len() + 1;
        fit(symbols, most);
        fit(at, most);
        fit(heard, if with_sounds { most } else { 0 });
        let mut n = 0;
        for (byte, c) in text.char_indices() {
            let cell = self.typed.get(c)?;
            let class = cell as u16;
            if class >= FIRST_SPECIAL {
                match class {
                    SKIP => {}
                    MULTI => {
                        let folded = TABLE.multi(TABLE.get(c));
                        // More characters may come out than bytes went in.
                        let most = n + folded.len() + text.len() - byte + PAD.len() + 1;
                        fit(symbols, most);
                        fit(at, most);
                        fit(heard, if with_sounds { most } else { 0 });
                        for folded in folded {
                            symbols[n] = self.of(*folded);
                            at[n] = byte as u32;
                            if with_sounds {
                                heard[n] = sounds::of(*folded);
                            }
                            n += 1;
                        }
                    }
                    _ => return None,
                }
                continue;
            }
            symbols[n] = class;
            at[n] = byte as u32;
            if with_sounds {
                heard[n] = (cell >> 16) as u16;
            }
            n += 1;
        }
        symbols[n..n + PAD.len()].copy_from_slice(&PAD);
        if with_sounds {
            heard[n..n + PAD.len()].copy_from_slice(&PAD);
        }
        Some(n)
    }
}
