//! The fast engine: an Aho-Corasick automaton over small symbols in a double array of eight bytes a node, entered only
//! where the next two to four symbols could begin a word.
//!
//! Time is linear in the text plus the matches, whatever the text: the automaton never reads a symbol twice, and where its
//! failure links lead back to the root it hands over to the filter at the very symbol that failed.

use super::filter::{BLOCK, Filter};
use super::places::Places;

/// Ends every searched text, so that the filter may look ahead.
pub(crate) const PAD: [u16; 3] = [0; 3];

/// Words to compile: symbols from 1, and whom each word belongs to.
#[derive(Debug, Default)]
pub(crate) struct Words {
    symbols: Vec<u16>,
    ends: Vec<u32>,
    owners: Vec<u32>,
}

impl Words {
    /// Adds a word.
    pub(crate) fn add(&mut self, symbols: impl Iterator<Item = u16>, owner: u32) {
        self.symbols.extend(symbols);
        self.ends.push(self.symbols.len() as u32);
        self.owners.push(owner);
    }
    pub(crate) const fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }
    fn word(&self, i: usize) -> &[u16] {
        let start = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        &self.symbols[start..self.ends[i] as usize]
    }
    /// Numbers of the words that have symbols, by their symbols.
    fn sorted(&self) -> Vec<u32> {
        let key = |i: u32| {
            let word = self.word(i as usize);
            (0..4).fold(0_u64, |key, at| key << 16 | u64::from(word.get(at).copied().unwrap_or(0)))
        };
        let mut order: Vec<(u64, u32)> = (0..self.owners.len() as u32).map(|i| (key(i), i)).collect();
        order.retain(|(key, _)| *key != 0);
        order.sort_unstable_by(|(a, i), (b, j)| {
            a.cmp(b).then_with(|| self.word(*i as usize).cmp(self.word(*j as usize))).then(i.cmp(j))
        });
        order.into_iter().map(|(_, i)| i).collect()
    }
    /// Words with their owners.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u16], u32)> {
        (0..self.owners.len()).map(|i| (self.word(i), self.owners[i]))
    }
}

/// A node: base (23 bits), is a leaf (1), has an output (1), failure link (23), symbol that leads here (16). A child's place is
/// its parent's base plus its symbol; no two nodes share a base, so the symbol alone proves the parent. A leaf has its
/// output in the place of a base.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node(u64);

/// Also the most outputs.
const MOST_NODES: usize = 1 << 23;
const LEAF: u64 = 1 << 40;
const OUTPUT: u64 = 1 << 39;

impl Node {
    /// Nobody's place: no symbol has this number.
    pub(super) const FREE: Self = Self(0xffff);

    pub(super) const fn new(symbol: u16) -> Self {
        Self(symbol as u64)
    }
    pub(super) const fn is_free(self) -> bool {
        self.symbol() == Self::FREE.symbol()
    }
    const fn base(self) -> usize {
        (self.0 >> 41) as usize
    }
    const fn is_leaf(self) -> bool {
        self.0 & LEAF != 0
    }
    const fn has_output(self) -> bool {
        self.0 & OUTPUT != 0
    }
    const fn fail(self) -> usize {
        (self.0 >> 16 & 0x7f_ffff) as usize
    }
    const fn symbol(self) -> u16 {
        self.0 as u16
    }
    pub(super) const fn set_base(&mut self, base: usize) {
        self.0 = self.0 & !(!0 << 41) | (base as u64) << 41;
    }
    const fn set_fail(&mut self, fail: usize) {
        self.0 = self.0 & !(0x7f_ffff << 16) | (fail as u64) << 16;
    }
}

const ROOT: usize = 0;
pub(super) const NONE: u32 = u32::MAX;

/// A word that ends at a node: the next one that ends there too (32 bits), its owner (23), its length (9).
#[derive(Clone, Copy, Debug)]
struct Output(u64);

const LONGEST: usize = (1 << 9) - 1;

impl Output {
    const fn new(owner: u32, len: usize, next: u32) -> Self {
        Self((next as u64) << 32 | (owner as u64) << 9 | len as u64)
    }
    const fn next(self) -> u32 {
        (self.0 >> 32) as u32
    }
    const fn owner(self) -> u32 {
        (self.0 as u32) >> 9
    }
    const fn len(self) -> usize {
        (self.0 & LONGEST as u64) as usize
    }
    const fn then(&mut self, next: u32) {
        self.0 = self.0 & 0xffff_ffff | (next as u64) << 32;
    }
}

/// The compiled words of one alphabet.
#[derive(Debug)]
pub(crate) struct Automaton {
    filter: Filter,
    nodes: Vec<Node>,
    /// Nodes with an output that are no leaves, one bit each, and how many came before each word of bits.
    inner: Vec<(u64, u32)>,
    /// Their outputs, in order.
    inner_outputs: Vec<u32>,
    outputs: Vec<Output>,
}

impl Automaton {
    /// Compiles the words; `None` beyond eight million nodes, or with a word of more than 511 symbols.
    pub(crate) fn build(words: &Words) -> Option<Self> {
        if words.owners.len() >= MOST_NODES || words.iter().any(|(word, _)| word.len() > LONGEST) {
            return None;
        }
        let order = words.sorted();
        let word = |at: usize| words.word(order[at] as usize);
        let mut outputs: Vec<Output> =
            order.iter().map(|i| Output::new(words.owners[*i as usize], words.word(*i as usize).len(), NONE)).collect();
        let mut places = Places::new();
        // Nodes with their parents by depth, for the failure links.
        let mut levels: Vec<Vec<(u32, u32)>> = Vec::new();
        // The first word that ends at a node.
        let mut ends: Vec<(u32, u32)> = Vec::new();
        let mut open = vec![(ROOT, 0..order.len(), 0)];
        let mut children: Vec<(u16, usize)> = Vec::new();
        while let Some((node, words, depth)) = open.pop() {
            let mut at = words.start;
            while at < words.end && word(at).len() == depth {
                at += 1;
            }
            if at > words.start {
                ends.push((node as u32, words.start as u32));
                for (output, next) in outputs[words.start..at - 1].iter_mut().zip(words.start as u32 + 1..) {
                    output.then(next);
                }
            }
            levels.resize_with(levels.len().max(depth + 1), Vec::new);
            if words.end - at == 1 {
                // One word is left: its nodes stand side by side.
                let mut parent = node;
                for (i, child) in places.chain(node, &word(at)[depth..]).into_iter().enumerate() {
                    levels.resize_with(levels.len().max(depth + i + 1), Vec::new);
                    levels[depth + i].push((child as u32, parent as u32));
                    parent = child;
                }
                ends.push((parent as u32, at as u32));
                continue;
            }
            children.clear();
            while at < words.end {
                let symbol = word(at)[depth];
                let from = at;
                while at < words.end && word(at)[depth] == symbol {
                    at += 1;
                }
                children.push((symbol, from));
            }
            if children.is_empty() {
                continue;
            }
            let base = places.children(node, &children);
            let mut end = words.end;
            for (symbol, from) in children.iter().rev() {
                let child = base + usize::from(*symbol);
                levels[depth].push((child as u32, node as u32));
                open.push((child, *from..end, depth + 1));
                end = *from;
            }
        }
        let mut nodes = places.nodes;
        if nodes.len() > MOST_NODES {
            return None;
        }
        nodes.shrink_to_fit();
        let mut output_at = vec![NONE; nodes.len()];
        for (node, first) in ends {
            output_at[node as usize] = first;
        }
        let mut inner = vec![(0_u64, 0_u32); nodes.len() / 64 + 1];
        let mut inner_nodes = Vec::new();
        for (node, parent) in levels.into_iter().flatten() {
            let (node, parent) = (node as usize, parent as usize);
            let symbol = nodes[node].symbol();
            let suffix = if parent == ROOT { ROOT } else { step(&nodes, nodes[parent].fail(), symbol) };
            // A leaf leads nowhere: the link goes on to where it would fail to.
            let fail = if nodes[suffix].is_leaf() { nodes[suffix].fail() } else { suffix };
            nodes[node].set_fail(fail);
            let inherited = output_at[suffix];
            if output_at[node] == NONE {
                output_at[node] = inherited;
            } else {
                let mut last = output_at[node] as usize;
                while outputs[last].next() != NONE {
                    last = outputs[last].next() as usize;
                }
                outputs[last].then(inherited);
            }
            if output_at[node] == NONE {
                continue;
            }
            nodes[node].0 |= OUTPUT;
            if nodes[node].base() == 0 {
                nodes[node].0 |= LEAF;
                nodes[node].set_base(output_at[node] as usize);
            } else {
                inner[node / 64].0 |= 1 << (node % 64);
                inner_nodes.push(node as u32);
            }
        }
        inner_nodes.sort_unstable();
        let inner_outputs: Vec<u32> = inner_nodes.iter().map(|node| output_at[*node as usize]).collect();
        let mut before = 0;
        for (bits, rank) in &mut inner {
            *rank = before;
            before += bits.count_ones();
        }
        Some(Self { filter: Filter::build(words), nodes, inner, inner_outputs, outputs })
    }

    /// Calls back with owner, start and end of every match, overlapping ones included. `symbols` end with [`PAD`].
    #[inline]
    pub(crate) fn search(&self, symbols: &[u16], found: impl FnMut(u32, usize, usize)) {
        self.search_counted(symbols, found, |_| ());
    }

    /// Filter questions plus automaton steps, and matches.
    #[cfg(test)]
    pub(crate) fn count_steps(&self, symbols: &[u16]) -> (usize, usize) {
        let (mut steps, mut matches) = (0, 0);
        self.search_counted(symbols, |_, _, _| matches += 1, |n| steps += n);
        (steps, matches)
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "without a counter nothing of it may be left")]
    fn search_counted(&self, symbols: &[u16], mut found: impl FnMut(u32, usize, usize), mut count: impl FnMut(usize)) {
        if self.outputs.is_empty() {
            return;
        }
        let len = symbols.len() - PAD.len();
        let mut at = 0;
        while at < len {
            let block = at;
            count(BLOCK.min(len - block));
            let mut places = self.filter.block(&symbols[block..]);
            while places != 0 {
                at = self.run(symbols, block + places.trailing_zeros() as usize, &mut found, &mut count);
                if at - block >= BLOCK {
                    break;
                }
                places &= !0 << (at - block);
            }
            at = at.max(block + BLOCK);
        }
    }

    /// Enters the automaton at a place; returns the first place it has not read when it is back at its root.
    #[inline]
    fn run(
        &self,
        symbols: &[u16],
        mut at: usize,
        found: &mut impl FnMut(u32, usize, usize),
        count: &mut impl FnMut(usize),
    ) -> usize {
        let nodes = &self.nodes[..];
        let mut node = nodes[ROOT];
        let begin = at;
        loop {
            count(1);
            let Some(symbol) = symbols.get(at).copied() else { return at };
            let child = node.base() + usize::from(symbol);
            let fail = match nodes.get(child) {
                Some(next) if next.symbol() == symbol => {
                    at += 1;
                    node = *next;
                    if node.has_output() {
                        self.report(child, node, at, found);
                    }
                    if !node.is_leaf() {
                        continue;
                    }
                    node.fail()
                }
                // The filter was wrong about the first symbol.
                _ if at == begin => return at + 1,
                _ => node.fail(),
            };
            if fail == ROOT {
                return at;
            }
            node = nodes[fail];
        }
    }

    fn report(&self, place: usize, node: Node, end: usize, found: &mut impl FnMut(u32, usize, usize)) {
        let mut output = if node.is_leaf() {
            node.base() as u32
        } else {
            let (bits, rank) = self.inner[place / 64];
            let below = (bits & ((1 << (place % 64)) - 1)).count_ones();
            self.inner_outputs[(rank + below) as usize]
        };
        while let Some(word) = self.outputs.get(output as usize) {
            found(word.owner(), end - word.len(), end);
            output = word.next();
        }
    }
}

/// Where the automaton goes from a state that is no leaf.
fn step(nodes: &[Node], mut state: usize, symbol: u16) -> usize {
    loop {
        let child = nodes[state].base() + usize::from(symbol);
        if nodes.get(child).is_some_and(|n| n.symbol() == symbol) {
            return child;
        }
        if state == ROOT {
            return ROOT;
        }
        state = nodes[state].fail();
    }
}
