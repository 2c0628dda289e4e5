//! The clauses of a message and what stands in quotation marks.

use crate::detect::view::{Gap, Span, View};

/// Where clauses begin, and the quotations.
pub(super) struct Clauses {
    /// First folded characters, ascending; 0 is not among them.
    starts: Vec<usize>,
    quotes: Vec<Span>,
}

/// Opening and closing marks; a straight one closes what it opened.
const QUOTES: [(char, char); 7] =
    [('“', '”'), ('"', '"'), ('「', '」'), ('『', '』'), ('‘', '’'), ('《', '》'), ('＂', '＂')];

impl Clauses {
    pub(super) fn of(view: &View) -> Self {
        let ends = |i: &usize| match view.gap[*i] {
            Gap::None => false,
            Gap::Hard => true,
            // In Chinese a blank ends what is said, between Latin words it does not.
            Gap::Soft => {
                let latin = |c: char| c.is_ascii_alphanumeric();
                let between = view.raw.get(view.to[i - 1] as usize..view.from[*i] as usize).unwrap_or_default();
                between.iter().any(|c| c.is_whitespace()) && !(latin(view.chars[*i]) && latin(view.chars[i - 1]))
            }
        };
        Self { starts: (1..view.chars.len()).filter(ends).collect(), quotes: quotes(view) }
    }

    /// The quotation that a span lies in.
    pub(super) fn quote(&self, span: Span) -> Option<Span> {
        self.quotes.iter().copied().find(|quote| quote.covers(span))
    }

    /// A clause begins with a character, or the text ends before it.
    pub(super) fn starts_at(&self, at: usize) -> bool {
        self.starts.binary_search(&at).is_ok()
    }

    /// A clause ends between two places: `群规：…`, not `群规就是…`.
    pub(super) fn ends_between(&self, from: usize, to: usize) -> bool {
        self.starts.iter().any(|start| from <= *start && *start <= to)
    }

    fn number(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// Both share a clause.
    pub(super) fn same(&self, a: Span, b: Span) -> bool {
        self.apart(a, b) == 0
    }

    /// Both share a clause or stand in neighbouring ones.
    pub(super) fn near(&self, a: Span, b: Span) -> bool {
        self.apart(a, b) <= 1
    }

    fn apart(&self, a: Span, b: Span) -> usize {
        let (first, second) = if a.start <= b.start { (a, b) } else { (b, a) };
        self.number(second.start).saturating_sub(self.number(first.end.saturating_sub(1)))
    }
}

fn quotes(view: &View) -> Vec<Span> {
    let mut found = Vec::new();
    let mut open: Vec<(char, usize)> = Vec::new();
    for (at, c) in view.raw.iter().enumerate() {
        if let Some(start) = open.iter().rposition(|(close, _)| close == c) {
            let span = view.span_of(open[start].1 + 1, at);
            open.truncate(start);
            if span.start < span.end {
                found.push(span);
            }
        } else if let Some((_, close)) = QUOTES.iter().find(|(opening, _)| opening == c) {
            open.push((*close, at));
        }
    }
    found
}
