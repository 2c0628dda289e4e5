//! Entries that are regular expressions. Each says by itself which characters a text must have to match it (`毛利(?:率)?[0-9]+`
//! needs 毛 and 利), and only those whose characters are all in a message are run on it.

use regex::Regex;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::view::{Span, View};
use crate::text::ordinary;

/// Of more characters than these a text nearly always has one.
const MOST: usize = 64;
/// Cells of [`Expressions::told`]; characters share them.
const CELLS: usize = 1 << 11;
/// From so many expressions on they share bits.
const BITS: usize = u128::BITS as usize;
/// Sets of characters that are asked for, of each expression.
const ASKED: usize = 3;

/// The expressions of all lists.
#[derive(Debug, Default)]
pub(super) struct Expressions {
    all: Vec<(usize, Regex)>,
    /// By the last bits of a character: the expressions whose first, second and third set it is in, one bit each;
    /// expressions share the bits.
    told: Vec<[u128; ASKED]>,
    /// Expressions that ask for nothing.
    always: [u128; ASKED],
}

impl Expressions {
    /// Takes an entry.
    pub(super) fn add(&mut self, expression: &str, entry: usize) -> Result<(), regex::Error> {
        let regex = Regex::new(expression)?;
        let mut needed = regex_syntax::parse(expression).map(|hir| needed(&hir)).unwrap_or_default();
        needed.sort_by(|a, b| frequency(a).total_cmp(&frequency(b)));
        self.told.resize(CELLS, [0; ASKED]);
        let bit = 1 << (self.all.len() % BITS);
        for asked in 0..ASKED {
            match needed.get(asked) {
                Some(set) => set.iter().for_each(|c| self.told[*c as usize % CELLS][asked] |= bit),
                None => self.always[asked] |= bit,
            }
        }
        self.all.push((entry, regex));
        Ok(())
    }

    /// Calls back with every place where an expression matches.
    pub(super) fn find(&self, view: &View, mut found: impl FnMut(usize, Span)) {
        if self.all.is_empty() {
            return;
        }
        let mut there = self.always;
        for c in &view.chars {
            let told = self.told[*c as usize % CELLS];
            there.iter_mut().zip(told).for_each(|(there, told)| *there |= told);
        }
        let may_match = there.into_iter().fold(!0, |all, there| all & there);
        if may_match == 0 {
            return;
        }
        for (_, (entry, regex)) in self.all.iter().enumerate().filter(|(i, _)| may_match >> (i % BITS) & 1 != 0) {
            for place in regex.find_iter(view.clauses()) {
                found(*entry, view.clause_span(place.range()));
            }
        }
    }
}

/// About how often a text has one of the characters.
fn frequency(set: &[char]) -> f32 {
    let of = |c: &char| if c.is_ascii() { 0.02 } else { (-ordinary::rarity(*c)).exp() };
    set.iter().map(of).sum()
}

/// Sets of characters, of each of which a text must have one for the expression to match.
fn needed(hir: &Hir) -> Vec<Vec<char>> {
    match hir.kind() {
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).map_or_else(
            |_| Vec::new(),
            // A hard gap is a blank in the text and no character of the message.
            |text| text.chars().filter(|c| *c != ' ').map(|c| vec![c]).collect(),
        ),
        HirKind::Class(Class::Unicode(class)) => {
            let count: usize = class.iter().map(|range| range.end() as usize - range.start() as usize + 1).sum();
            let chars = || class.iter().flat_map(|range| range.start()..=range.end());
            if count == 0 || count > MOST || chars().any(|c| c == ' ') { Vec::new() } else { vec![chars().collect()] }
        }
        HirKind::Repetition(repetition) if repetition.min > 0 => needed(&repetition.sub),
        HirKind::Capture(capture) => needed(&capture.sub),
        HirKind::Concat(parts) => parts.iter().flat_map(needed).collect(),
        HirKind::Alternation(ways) => {
            let rarest = |way: &Hir| needed(way).into_iter().min_by(|a, b| frequency(a).total_cmp(&frequency(b)));
            let sets: Option<Vec<Vec<char>>> = ways.iter().map(rarest).collect();
            sets.map(|sets| vec![sets.concat()]).unwrap_or_default()
        }
        HirKind::Empty | HirKind::Class(Class::Bytes(_)) | HirKind::Look(_) | HirKind::Repetition(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(expression: &str) -> Vec<String> {
        needed(&regex_syntax::parse(expression).unwrap()).into_iter().map(|set| set.into_iter().collect()).collect()
    }

    #[test]
    fn an_expression_tells_what_it_needs() {
        assert_eq!(sets("毛利(?:率)?[0-9]{1,2}"), ["毛", "利", "0123456789"]);
        assert_eq!(sets("(?:日|月)(?:入|赚)[^0-9]{0,4}"), ["日月", "入赚"]);
        assert_eq!(sets("一(?:单|[0-9]{1,3}条)").concat(), "一单条");
        assert_eq!(sets("(?:日|)赚?.*"), Vec::<String>::new());
    }

    #[test]
    fn what_is_left_out_could_not_match() {
        let lists = crate::detect::Lists::shipped().parse().unwrap();
        let mut expressions = Expressions::default();
        let mut plain = Vec::new();
        for entry in lists.iter().flat_map(crate::detect::lexicon::Document::entries) {
            if let crate::detect::lexicon::Pattern::Regex(regex) = &entry.pattern {
                expressions.add(regex, plain.len()).unwrap();
                plain.push(Regex::new(regex).unwrap());
            }
        }
        assert!(plain.len() > 20);
        for text in [
            "充100送50 注册送28",
            "日入300，月赚5000",
            "内部底价 320",
            "毛利率有30个点",
            "验证码123456快",
            "一条5块 评论3元一条",
            "今天天气不错",
            "看 皇 片",
            "",
        ] {
            let view = View::new(text);
            let mut found = Vec::new();
            expressions.find(&view, |entry, span| found.push((entry, span)));
            let places = |(entry, regex): (usize, &Regex)| {
                let all: Vec<_> =
                    regex.find_iter(view.clauses()).map(|m| (entry, view.clause_span(m.range()))).collect();
                all
            };
            assert_eq!(found, plain.iter().enumerate().flat_map(places).collect::<Vec<_>>(), "{text}");
        }
    }
}
