//! Puts an [`Automaton`] together, level by level from the root: the links of a node lead to nodes that are nearer to the root,
//! so they are known when its children get their places, and what is visited most lies together.

use super::automaton::{Automaton, KEPT, LONGEST, MOST, NONE, Output, ROOT, Records};
use super::filter::Filter;
use super::places::Places;
use super::words::{Sorted, Words};

/// What is known of a node only while the automaton is built.
#[derive(Clone, Copy)]
struct Known {
    /// The node of the longest end of what leads here.
    link: u32,
    depth: u16,
    /// Record of the longest word that ends here.
    record: u32,
}

impl Known {
    const NOTHING: Self = Self { link: ROOT as u32, depth: 0, record: NONE };
}

struct Building<'a> {
    words: Sorted<'a>,
    places: Places,
    known: Vec<Known>,
    records: Records,
}

/// A node whose children have no places yet: its parent, and the words it leads to.
struct Open {
    node: u32,
    parent: u32,
    from: u32,
    to: u32,
}

pub(super) fn build(words: &Words) -> Option<Automaton> {
    if words.iter().any(|(word, owner)| word.len() > LONGEST || owner as usize >= MOST) {
        return None;
    }
    let words = Sorted::new(words);
    let filter = Filter::build(&words);
    let mut building = Building { words, places: Places::new(), known: Vec::new(), records: Records::default() };
    let mut level = vec![Open { node: ROOT as u32, parent: ROOT as u32, from: 0, to: building.words.len() as u32 }];
    let mut depth = 0;
    while !level.is_empty() {
        let mut next = Vec::new();
        for open in &level {
            building.settle(open, depth, &mut next);
        }
        if building.places.nodes.len() > MOST || building.records.0.len() > MOST {
            return None;
        }
        level = next;
        depth += 1;
    }
    let Building { places, mut records, .. } = building;
    let mut nodes = places.nodes;
    nodes.shrink_to_fit();
    records.0.shrink_to_fit();
    Some(Automaton { filter, nodes, records })
}

impl Building<'_> {
    fn known(&self, node: usize) -> Known {
        self.known.get(node).copied().unwrap_or(Known::NOTHING)
    }

    /// Gives a node its link and its words, and its children their places.
    fn settle(&mut self, open: &Open, depth: usize, next: &mut Vec<Open>) {
        let node = open.node as usize;
        let (mut from, to) = (open.from as usize, open.to as usize);
        if from == to {
            return;
        }
        let link = match open.parent as usize {
            _ if depth < 2 => ROOT,
            parent => self.step(self.known(parent).link as usize, self.places.nodes[node].symbol()),
        };
        let mut known = Known { link: link as u32, depth: depth as u16, record: self.known(link).record };
        let fail = self.fail(link);
        self.places.nodes[node].set_fail(fail);

        let first = self.words.word(from);
        let alone = first.len() == self.words.word(to - 1).len() && first == self.words.word(to - 1);
        let rest = &first[depth..];
        let is_tail = depth > 0 && alone && !rest.is_empty() && first.len() > KEPT && !self.words.is_entangled(from);
        if is_tail {
            let record = self.add(from..to, rest, NONE);
            self.places.nodes[node].set_record(record as usize);
            self.set_known(node, known);
            return;
        }
        let ended = (from..to).take_while(|i| self.words.word(*i).len() == depth).count();
        if ended > 0 {
            known.record = self.add(from..from + ended, &[], known.record);
            from += ended;
        }
        self.set_known(node, known);
        if from == to {
            self.places.nodes[node].set_record(known.record as usize);
            return;
        }
        let mut children: Vec<(u16, u32)> = Vec::new();
        if known.record != NONE {
            children.push((0, 0));
        }
        let mut at = from;
        while at < to {
            let symbol = self.words.word(at)[depth];
            children.push((symbol, at as u32));
            at += (at..to).take_while(|i| self.words.word(*i)[depth] == symbol).count();
        }
        let base = self.places.children(node, &children);
        if known.record != NONE {
            self.places.nodes[node].set_ends();
            self.places.nodes[base].set_record(known.record as usize);
        }
        for (i, (symbol, from)) in children.iter().enumerate().filter(|(_, (symbol, _))| *symbol != 0) {
            let to = children.get(i + 1).map_or(to as u32, |(_, next)| *next);
            next.push(Open { node: (base + usize::from(*symbol)) as u32, parent: open.node, from: *from, to });
        }
    }

    /// Records for equal words, each leading to the next, the last one to `then`: the first of them.
    fn add(&mut self, words: std::ops::Range<usize>, rest: &[u16], then: u32) -> u32 {
        let mut then = then;
        for i in words.rev() {
            let output = Output::new(self.words.owner(i), self.words.word(i).len());
            then = self.records.add(output.then(then), rest) as u32;
        }
        then
    }

    fn set_known(&mut self, node: usize, known: Known) {
        if self.known.len() <= node {
            self.known.resize(node + 1, Known::NOTHING);
        }
        self.known[node] = known;
    }

    /// Where a node fails to that is linked to another one: somewhere that leads on and has more than [`KEPT`] symbols.
    fn fail(&self, mut link: usize) -> usize {
        while self.places.nodes[link].is_leaf() {
            link = self.known(link).link as usize;
        }
        if usize::from(self.known(link).depth) > KEPT { link } else { ROOT }
    }

    /// Where the automaton goes from a state.
    fn step(&self, mut state: usize, symbol: u16) -> usize {
        loop {
            let node = self.places.nodes[state];
            let child = node.base() + usize::from(symbol);
            if !node.is_leaf() && self.places.nodes.get(child).is_some_and(|n| n.symbol() == symbol) {
                return child;
            }
            if state == ROOT {
                return ROOT;
            }
            state = self.known(state).link as usize;
        }
    }
}
