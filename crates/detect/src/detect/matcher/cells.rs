//! A number for every character. Nearly all that people write in Chinese takes three bytes a character, so the characters of
//! the first plane stand in one flat row that is indexed by any three bytes without asking what they are: those that are
//! something else lead beyond its end, or to cells that say so.

/// The characters of one and two bytes.
const LOW: usize = 0x800;
const PLANE: usize = 0x1_0000;
const PAGE: usize = 128;

/// The number of cells that no character of three bytes leads to.
pub(super) const NOT_THREE: u16 = 0xffff;

/// Characters to numbers.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    low: Vec<u16>,
    /// By code point; below [`LOW`] all [`NOT_THREE`].
    three: Vec<u16>,
    /// Where the page of a character beyond the first plane begins; page 0 is that of all without a number.
    index: Vec<u32>,
    pages: Vec<u16>,
}

impl Cells {
    /// All 0, up to the last code point that may get a number.
    pub(super) fn new(limit: u32) -> Self {
        let mut three = vec![0; PLANE];
        three[..LOW].fill(NOT_THREE);
        let pages = (limit as usize - PLANE).div_ceil(PAGE);
        Self { low: vec![0; LOW], three, index: vec![0; pages], pages: vec![0; PAGE] }
    }

    pub(super) fn set(&mut self, c: char, number: u16) {
        let code = c as usize;
        if code < LOW {
            self.low[code] = number;
        } else if code < PLANE {
            self.three[code] = number;
        } else if let Some(page) = self.index.get_mut((code - PLANE) / PAGE) {
            if *page == 0 {
                *page = self.pages.len() as u32;
                self.pages.resize(self.pages.len() + PAGE, 0);
            }
            self.pages[*page as usize + code % PAGE] = number;
        }
    }

    /// `None` beyond the limit.
    #[inline]
    pub(super) fn get(&self, c: char) -> Option<u16> {
        let code = c as usize;
        match code {
            ..LOW => Some(self.low[code]),
            LOW..PLANE => Some(self.three[code]),
            _ => {
                let page = *self.index.get((code - PLANE) / PAGE)? as usize;
                Some(self.pages[page + code % PAGE])
            }
        }
    }

    /// By ASCII character.
    pub(super) fn ascii(&self) -> &[u16; 128] {
        self.low.first_chunk().expect("there are more")
    }

    /// By [`three`].
    pub(super) fn threes(&self) -> &[u16; PLANE] {
        self.three.first_chunk().expect("there are as many")
    }
}

/// Where in [`Cells::threes`] a character stands if these are its bytes. If other characters begin with them it is beyond the
/// end or leads to [`NOT_THREE`].
#[inline]
pub(super) const fn three(bytes: [u8; 3]) -> usize {
    const FIRST: u32 = (0xe0 << 12) + (0x80 << 6) + 0x80;
    let sum = ((bytes[0] as u32) << 12) + ((bytes[1] as u32) << 6) + bytes[2] as u32;
    sum.wrapping_sub(FIRST) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_bytes_lead_to_their_character_and_all_others_nowhere() {
        let after = ["", "a", "é", "界", "😀"];
        for c in '\0'..=char::MAX {
            for after in after {
                let text = format!("{c}{after}{after}");
                let Some(bytes) = text.as_bytes().first_chunk() else { continue };
                let at = three(*bytes);
                if c.len_utf8() == 3 {
                    assert_eq!(at, c as usize);
                } else {
                    assert!(!(LOW..PLANE).contains(&at), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn every_character_has_its_own_number() {
        let mut cells = Cells::new(0x2_0000);
        let some = ['a', 'é', '界', '\u{ffff}', '😀', '🀄'];
        for (c, number) in some.into_iter().zip(1..) {
            cells.set(c, number);
        }
        assert_eq!(some.map(|c| cells.get(c)), [1, 2, 3, 4, 5, 6].map(Some));
        assert_eq!(
            ['b', 'è', '世', '😁', '\u{20000}'].map(|c| cells.get(c)),
            [Some(0), Some(0), Some(0), Some(0), None]
        );
        assert_eq!(cells.threes()[three("界".as_bytes().try_into().unwrap())], 3);
        assert_eq!(cells.threes()[..LOW], [NOT_THREE; LOW]);
    }
}
