//! One message as the signals see it: folded characters without what lies between them, what lay between them, and the
//! way back to what was typed. Built once a message; every signal reads it.

use crate::text::Transform;

/// What lay before a folded character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Gap {
    /// Nothing: it touches the one before.
    #[default]
    None,
    /// White space, invisible characters, symbols or emoji.
    Soft,
    /// Punctuation that ends a clause, or a line break.
    Hard,
}

/// A half-open range of folded characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First.
    pub start: usize,
    /// One past the last.
    pub end: usize,
}

impl Span {
    /// `other` lies wholly inside.
    pub const fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
    /// Both share a character.
    pub const fn touches(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
    /// Characters between two spans; 0 if they touch or overlap.
    pub const fn distance(self, other: Self) -> usize {
        if self.end <= other.start {
            other.start - self.end
        } else if other.end <= self.start {
            self.start - other.end
        } else {
            0
        }
    }
}

/// The message.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// What was typed.
    pub raw: Vec<char>,
    /// Folded characters.
    pub chars: Vec<char>,
    /// The same as a string, for the matcher.
    pub text: String,
    /// Character index by byte of `text`; one entry more than bytes.
    pub char_at: Vec<u32>,
    /// First raw character of each folded one.
    pub from: Vec<u32>,
    /// One past the last raw character of each folded one.
    pub to: Vec<u32>,
    /// What lay before each folded character.
    pub gap: Vec<Gap>,
    /// Steps of each folded character, bit by declaration order of [`Transform`].
    pub steps: Vec<u32>,
    /// `text` with a blank where a hard gap was, for regular expressions.
    pub clauses: String,
    /// Character index by byte of `clauses`; one entry more than bytes.
    pub clause_char_at: Vec<u32>,
    /// Pinyin of each folded character without tone as a number, 0 where it has none.
    pub sounds: Vec<u16>,
}

impl View {
    /// Reads a message.
    pub fn new(text: &str) -> Self {
        use unicode_normalization::UnicodeNormalization;
        let mut view = Self { raw: text.chars().collect(), ..Self::default() };
        let mut gap = Gap::None;
        for (i, &c) in view.raw.iter().enumerate() {
            let mut kept = false;
            for folded in std::iter::once(c).nfkc().flat_map(char::to_lowercase) {
                if !folded.is_alphanumeric() {
                    continue;
                }
                view.chars.push(folded);
                view.from.push(i as u32);
                view.to.push(i as u32 + 1);
                view.gap.push(if view.gap.is_empty() { Gap::None } else { gap });
                view.steps.push(if folded == c { 0 } else { bit(Transform::Width) });
                view.sounds.push(0);
                gap = Gap::None;
                kept = true;
            }
            if !kept {
                gap = gap.max(if "，。！？；：、,.!?;:\n\r…".contains(c) { Gap::Hard } else { Gap::Soft });
            }
        }
        view.finish()
    }

    /// Fills the derived fields from `chars` and `gap`.
    pub fn finish(mut self) -> Self {
        self.text.reserve(self.chars.len() * 3);
        for (i, &c) in self.chars.iter().enumerate() {
            if i > 0 && self.gap[i] == Gap::Hard {
                self.clauses.push(' ');
                self.clause_char_at.push(i as u32);
            }
            self.text.push(c);
            self.clauses.push(c);
            self.char_at.extend(std::iter::repeat_n(i as u32, c.len_utf8()));
            self.clause_char_at.extend(std::iter::repeat_n(i as u32, c.len_utf8()));
        }
        self.char_at.push(self.chars.len() as u32);
        self.clause_char_at.push(self.chars.len() as u32);
        self
    }

    /// The span of a byte range of [`View::text`].
    pub fn span(&self, bytes: std::ops::Range<usize>) -> Span {
        Span { start: self.char_at[bytes.start] as usize, end: self.char_at[bytes.end] as usize }
    }

    /// The span of a byte range of [`View::clauses`].
    pub fn clause_span(&self, bytes: std::ops::Range<usize>) -> Span {
        Span { start: self.clause_char_at[bytes.start] as usize, end: self.clause_char_at[bytes.end] as usize }
    }

    /// Raw characters of a span: first, one past the last.
    pub fn raw_range(&self, span: Span) -> (usize, usize) {
        if span.start >= span.end {
            return (0, 0);
        }
        (self.from[span.start] as usize, self.to[span.end - 1] as usize)
    }

    /// What was typed in a span.
    pub fn original(&self, span: Span) -> String {
        let (start, end) = self.raw_range(span);
        self.raw[start..end].iter().collect()
    }

    /// What a span was read as.
    pub fn folded(&self, span: Span) -> String {
        self.chars[span.start..span.end].iter().collect()
    }

    /// The steps its characters went through, [`Transform::Separator`] for gaps inside.
    pub fn transforms(&self, span: Span) -> Vec<Transform> {
        let mut bits = self.steps[span.start..span.end].iter().fold(0, |all, steps| all | steps);
        if (span.start + 1..span.end).any(|i| self.gap[i] != Gap::None) {
            bits |= bit(Transform::Separator);
        }
        Transform::ALL.iter().copied().filter(|t| bits & bit(*t) != 0).collect()
    }

    /// A word may be read across what lies inside the span: no clause ends in it, or every character is set apart.
    pub fn joined(&self, span: Span) -> bool {
        let inside = span.start + 1..span.end;
        !inside.clone().any(|i| self.gap[i] == Gap::Hard) || inside.into_iter().all(|i| self.gap[i] != Gap::None)
    }

    /// No letter of the same word touches the span, for spans that begin or end with an ASCII letter or digit.
    pub fn bounded(&self, span: Span) -> bool {
        let kind = |c: char| if c.is_ascii_digit() { 1 } else { 2 * u8::from(c.is_ascii_alphabetic()) };
        let before = span.start > 0
            && self.gap[span.start] == Gap::None
            && kind(self.chars[span.start]) != 0
            && kind(self.chars[span.start]) == kind(self.chars[span.start - 1]);
        let after = span.end < self.chars.len()
            && self.gap[span.end] == Gap::None
            && kind(self.chars[span.end]) != 0
            && kind(self.chars[span.end]) == kind(self.chars[span.end - 1]);
        !before && !after
    }
}

/// The bit of a step in [`View::steps`].
pub const fn bit(transform: Transform) -> u32 {
    1 << transform as u32
}

/// A word of a list as the view would read it.
pub fn fold(text: &str) -> String {
    View::new(text).text
}

/// Bytes of one sound in [`sound_text`].
pub const SOUND_BYTES: usize = 3;

/// Sounds as text that a matcher can search: one character of three bytes each.
pub fn sound_text(sounds: &[u16]) -> String {
    sounds.iter().map(|s| char::from_u32(0x1000 + u32::from(*s)).unwrap_or('\u{1000}')).collect()
}

/// The sounds of a word to search for; `None` if a character has none.
pub fn sound_key(folded: &str) -> Option<String> {
    let view = View::new(folded);
    (!view.sounds.contains(&0)).then(|| sound_text(&view.sounds))
}
