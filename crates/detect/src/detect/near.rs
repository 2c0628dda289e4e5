//! `招 ~6 代理`: words near each other. However often one of them is repeated to hide the others, every place is looked at,
//! and the tightest combination is the one that is shown.
//!
//! A combination grows word by word, each beyond one edge of what is already together (the hull). Of two hulls with the same
//! last word the tighter one can grow wherever the wider one can, so one a side is kept for every place of a word: the
//! work is `n log n` in the places, not in their combinations.

use std::collections::BinaryHeap;

use super::view::Span;

/// One word of a combination: where it stands and how it follows the one before.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// Every place, and whether it is only heard there.
    pub places: Vec<(Span, bool)>,
    /// Characters allowed between it and the one before.
    pub within: usize,
    /// It comes after the one before.
    pub ordered: bool,
}

/// Words put together so far.
#[derive(Clone, Copy, Debug)]
struct Chain {
    hull: Span,
    last: Span,
    heard: bool,
}

/// The tightest place where all words stand together, one that is not only heard before any that is. Words do not overlap;
/// `apart` tells where a clause ends before a character: words that have to touch do not do so across it.
pub(super) fn together(words: &[Word], apart: impl Fn(usize) -> bool) -> Option<(Span, bool)> {
    let (first, rest) = words.split_first()?;
    let mut chains: Vec<Chain> =
        first.places.iter().map(|&(span, heard)| Chain { hull: span, last: span, heard }).collect();
    for word in rest {
        if chains.is_empty() {
            return None;
        }
        let meets = |later: Span| word.within > 0 || !apart(later.start);
        let after = word.places.iter().copied().filter(|(span, _)| meets(*span));
        let mut grown = grow(&chains, after, word.within);
        if !word.ordered {
            let whole = words.iter().flat_map(|w| &w.places).map(|(span, _)| span.end).max().unwrap_or_default();
            let turn = |span: Span| Span { start: whole - span.end, end: whole - span.start };
            let turned = |chain: &Chain| Chain { hull: turn(chain.hull), last: turn(chain.last), ..*chain };
            let before: Vec<Chain> = chains.iter().filter(|chain| meets(chain.last)).map(turned).collect();
            let places = word.places.iter().map(|&(span, heard)| (turn(span), heard));
            grown.extend(grow(&before, places, word.within).iter().map(turned));
        }
        chains = grown;
    }
    let best = chains.into_iter().min_by_key(|chain| (chain.heard, chain.hull.end - chain.hull.start, chain.hull));
    best.map(|chain| (chain.hull, chain.heard))
}

/// Every place of the next word that lies beyond the right edge of a chain and near its last word, each with the tightest of
/// such chains: one that is not only heard, one that is.
fn grow(chains: &[Chain], places: impl Iterator<Item = (Span, bool)>, within: usize) -> Vec<Chain> {
    let mut places: Vec<(Span, bool)> = places.collect();
    places.sort_unstable();
    let mut grown: Vec<Chain> = Vec::with_capacity(places.len());
    for heard in [false, true] {
        let mut waiting: Vec<&Chain> = chains.iter().filter(|chain| chain.heard == heard).collect();
        waiting.sort_unstable_by_key(|chain| std::cmp::Reverse(chain.hull.end));
        // By where the hull begins: the tightest first. What has fallen behind the window never comes back into it.
        let mut open: BinaryHeap<(usize, usize)> = BinaryHeap::new();
        for &(span, only_heard) in &places {
            while let Some(chain) = waiting.pop_if(|chain| chain.hull.end <= span.start) {
                open.push((chain.hull.start, chain.last.end));
            }
            while open.peek().is_some_and(|(_, last)| last + within < span.start) {
                open.pop();
            }
            if let Some((start, _)) = open.peek() {
                let hull = Span { start: *start, end: span.end };
                grown.push(Chain { hull, last: span, heard: heard || only_heard });
            }
        }
    }
    grown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every combination, one after the other.
    fn every(words: &[Word], apart: &dyn Fn(usize) -> bool) -> Option<(bool, usize)> {
        fn more(words: &[Word], apart: &dyn Fn(usize) -> bool, chain: Option<Chain>) -> Option<(bool, usize)> {
            let Some((word, rest)) = words.split_first() else {
                return chain.map(|c| (c.heard, c.hull.end - c.hull.start));
            };
            let next = word.places.iter().filter_map(|&(span, heard)| {
                let Some(so_far) = chain else { return Some(Chain { hull: span, last: span, heard }) };
                let fits = !span.touches(so_far.hull)
                    && (!word.ordered || span.start >= so_far.last.end)
                    && span.distance(so_far.last) <= word.within
                    && (word.within > 0 || !apart(span.start.max(so_far.last.start)));
                fits.then(|| Chain {
                    hull: Span { start: so_far.hull.start.min(span.start), end: so_far.hull.end.max(span.end) },
                    last: span,
                    heard: so_far.heard || heard,
                })
            });
            next.filter_map(|chain| more(rest, apart, Some(chain))).min()
        }
        more(words, apart, None)
    }

    fn word() -> impl Strategy<Value = Word> {
        let place = (0usize..40, 1usize..4, any::<bool>());
        (prop::collection::vec(place, 0..7), 0usize..12, any::<bool>()).prop_map(|(places, within, ordered)| Word {
            places: places
                .into_iter()
                .map(|(start, length, heard)| (Span { start, end: start + length }, heard))
                .collect(),
            within,
            ordered,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn it_finds_what_looking_at_every_combination_finds(
            words in prop::collection::vec(word(), 1..5),
            clauses in prop::collection::vec(any::<bool>(), 44),
        ) {
            let apart = |at: usize| clauses[at];
            let found = together(&words, apart).map(|(hull, heard)| (heard, hull.end - hull.start));
            prop_assert_eq!(found, every(&words, &apart));
        }
    }
}
