//! The fast engine: an Aho-Corasick automaton over small symbols, entered only where the filter says that a word could
//! begin. It is laid out for the processor's caches, which is where the time of a big list goes:
//!
//! - **Nodes** of eight bytes stand in a double array, those near the root together at its front.
//! - Where only one word is left, the rest of its symbols lies in a **record** together with whose word it is, two bytes a
//!   symbol: most words cost a few nodes and one record.
//! - Only words that share [`ENTANGLED`] symbols and more with the inside of another one have all their nodes, with the
//!   failure links that lead from one to the other. Everywhere else there is little to be gained from what was read: the
//!   search goes back [`KEPT`] symbols and asks the filter again.
//!
//! So time is linear in the text plus the matches, whatever the text: a link is followed forwards only, and without one no
//! symbol is read by more than `KEPT + 2` of the walks that begin at different places.

use super::build;
use super::filter::{BLOCK, Begins, Filter};
use super::words::{ENTANGLED, Words};

/// Ends every searched text, so that the filter may look ahead.
pub(super) const PAD: [u16; 3] = [0; 3];

/// A failure link leads to more symbols than these.
pub(super) const KEPT: usize = ENTANGLED - 1;

/// A node: base (23 bits), is a leaf (1), ends a word (1), failure link (23), symbol that leads here (16). A child's place is
/// its parent's base plus its symbol; no two nodes share a base, so the symbol alone proves the parent. A leaf has its record
/// in the place of a base; the record of another node that ends a word is that of its child without a symbol.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node(u64);

/// Also the most numbers in records.
pub(super) const MOST: usize = 1 << 23;
const LEAF: u64 = 1 << 40;
const ENDS: u64 = 1 << 39;

impl Node {
    /// Nobody's place: no symbol has this number.
    pub(super) const FREE: Self = Self(0xffff);
    /// What the child without a symbol has instead of one.
    const END: u16 = 0xfffe;

    pub(super) const fn new(symbol: u16) -> Self {
        Self(if symbol == 0 { Self::END } else { symbol } as u64)
    }
    pub(super) const fn is_free(self) -> bool {
        self.symbol() == Self::FREE.symbol()
    }
    pub(super) const fn base(self) -> usize {
        (self.0 >> 41) as usize
    }
    pub(super) const fn is_leaf(self) -> bool {
        self.0 & LEAF != 0
    }
    const fn ends(self) -> bool {
        self.0 & ENDS != 0
    }
    const fn fail(self) -> usize {
        (self.0 >> 16 & 0x7f_ffff) as usize
    }
    pub(super) const fn symbol(self) -> u16 {
        self.0 as u16
    }
    pub(super) const fn set_base(&mut self, base: usize) {
        self.0 = self.0 & !(!0 << 41) | (base as u64) << 41;
    }
    pub(super) const fn set_record(&mut self, record: usize) {
        self.set_base(record);
        self.0 |= LEAF;
    }
    pub(super) const fn set_ends(&mut self) {
        self.0 |= ENDS;
    }
    pub(super) const fn set_fail(&mut self, fail: usize) {
        self.0 = self.0 & !(0x7f_ffff << 16) | (fail as u64) << 16;
    }
}

pub(super) const ROOT: usize = 0;
pub(super) const NONE: u32 = u32::MAX;

/// A word that ends: the record of the next one that ends there too (32 bits), its owner (23), its length (9).
#[derive(Clone, Copy, Debug)]
pub(super) struct Output(u64);

pub(super) const LONGEST: usize = (1 << 9) - 1;

impl Output {
    pub(super) const fn new(owner: u32, len: usize) -> Self {
        Self((NONE as u64) << 32 | (owner as u64) << 9 | len as u64)
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
    pub(super) const fn then(self, next: u32) -> Self {
        Self(self.0 & 0xffff_ffff | (next as u64) << 32)
    }
}

/// What lies at the ends of words, one after the other: how many symbols are still to come, an [`Output`], these symbols.
#[derive(Debug, Default)]
pub(super) struct Records(pub(super) Vec<u16>);

/// Numbers of a record before its symbols.
const HEAD: usize = 5;

impl Records {
    pub(super) fn add(&mut self, output: Output, rest: &[u16]) -> usize {
        let at = self.0.len();
        self.0.push(rest.len() as u16);
        self.0.extend((0..4).map(|part| (output.0 >> (16 * part)) as u16));
        self.0.extend_from_slice(rest);
        at
    }
    #[inline]
    fn output(&self, at: usize) -> Output {
        let parts = &self.0[at + 1..at + HEAD];
        Output(parts.iter().rev().fold(0, |all, part| all << 16 | u64::from(*part)))
    }
    #[inline]
    fn rest(&self, at: usize) -> &[u16] {
        &self.0[at + HEAD..at + HEAD + usize::from(self.0[at])]
    }
}

/// The compiled words of one alphabet.
#[derive(Debug)]
pub(crate) struct Automaton {
    pub(super) filter: Filter,
    pub(super) nodes: Vec<Node>,
    pub(super) records: Records,
}

impl Automaton {
    /// Compiles the words; `None` beyond eight million nodes, or with a word of more than 511 symbols.
    pub(crate) fn build(words: &Words) -> Option<Self> {
        build::build(words)
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
        if self.records.0.is_empty() {
            return;
        }
        let len = symbols.len() - PAD.len();
        let mut walk = Walk { nodes: &self.nodes, records: &self.records, place: 0, seen: 0 };
        let mut block = 0;
        while block < len {
            count(BLOCK.min(len - block));
            let mut places = self.filter.block(&symbols[block..]);
            while places != 0 {
                let begin = block + places.trailing_zeros() as usize;
                count(1);
                // Where only short words can begin, nothing further is read.
                let end = match self.filter.ask(&symbols[begin..]) {
                    Begins::Nothing => {
                        places &= places - 1;
                        continue;
                    }
                    Begins::Short => begin + self.filter.width(),
                    Begins::Long => symbols.len(),
                };
                walk.from(&symbols[..end], begin, &mut found, &mut count);
                if walk.place >= block + BLOCK {
                    break;
                }
                places &= !0 << (walk.place - block);
            }
            block = (block + BLOCK).max(walk.place);
        }
    }
}

/// One search.
struct Walk<'a> {
    nodes: &'a [Node],
    records: &'a Records,
    /// The next place where a word may begin that was not found yet.
    place: usize,
    /// All matches are reported that end here or before.
    seen: usize,
}

impl Walk<'_> {
    /// Enters the automaton at a place.
    #[inline]
    fn from(
        &mut self,
        symbols: &[u16],
        begin: usize,
        found: &mut impl FnMut(u32, usize, usize),
        count: &mut impl FnMut(usize),
    ) {
        let mut at = begin;
        let mut node = self.nodes[ROOT];
        loop {
            count(1);
            let Some(symbol) = symbols.get(at).copied() else { break };
            let fail = match self.nodes.get(node.base() + usize::from(symbol)) {
                Some(next) if next.symbol() == symbol => {
                    node = *next;
                    if node.is_leaf() {
                        let rest = self.records.rest(node.base());
                        if !rest.is_empty() {
                            // What ends inside the rest is found from where it begins.
                            let end = at + 1 + rest.len();
                            let same = rest.iter().zip(&symbols[at + 1..]).take_while(|(a, b)| a == b).count();
                            count(same);
                            if same == rest.len() {
                                self.report(node.base(), end, found);
                            }
                            break;
                        }
                        at += 1;
                        if at > self.seen {
                            self.report(node.base(), at, found);
                        }
                        node.fail()
                    } else {
                        at += 1;
                        if node.ends() && at > self.seen {
                            self.report(self.nodes[node.base()].base(), at, found);
                        }
                        continue;
                    }
                }
                _ => node.fail(),
            };
            if fail == ROOT {
                break;
            }
            node = self.nodes[fail];
        }
        self.seen = self.seen.max(at);
        self.place = (begin + 1).max(at.saturating_sub(KEPT));
    }

    #[inline]
    fn report(&self, record: usize, end: usize, found: &mut impl FnMut(u32, usize, usize)) {
        let mut output = self.records.output(record);
        loop {
            found(output.owner(), end - output.len(), end);
            if output.next() == NONE {
                return;
            }
            output = self.records.output(output.next() as usize);
        }
    }
}
