//! The fast engine: an Aho-Corasick automaton over small symbols in a double array of eight bytes a node, entered only
//! where the next two and three symbols could begin a word.
//!
//! Time is linear in the text plus the matches, whatever the text: the automaton never reads a symbol twice, and where its
//! failure links lead back to the root it hands over to the filter at the very symbol that failed.

use std::ops::Range;

/// Ends every searched text, so that the filter may look ahead.
pub(crate) const PAD: [u16; 2] = [0, 0];

/// Words to compile: symbols from 1, and whom each word belongs to.
#[derive(Debug, Default)]
pub(crate) struct Words {
    symbols: Vec<u16>,
    ends: Vec<u32>,
    owners: Vec<u32>,
}

impl Words {
    /// Where the next word begins, for [`Words::since`].
    pub(crate) const fn begin(&self) -> usize {
        self.symbols.len()
    }
    /// Adds a symbol to the word being written.
    pub(crate) fn symbol(&mut self, symbol: u16) {
        self.symbols.push(symbol);
    }
    /// The symbols written from a place on.
    pub(crate) fn since(&self, from: usize) -> &[u16] {
        &self.symbols[from..]
    }
    /// Ends the word.
    pub(crate) fn end(&mut self, owner: u32) {
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
    /// Words with their owners.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u16], u32)> {
        (0..self.owners.len()).map(|i| (self.word(i), self.owners[i]))
    }
}

/// A node: base (23 bits), has an output (1), failure link (24), symbol that leads here (16). A child's place is its
/// parent's base plus its symbol; no two nodes share a base, so the symbol alone proves the parent.
#[derive(Clone, Copy, Debug, Default)]
struct Node(u64);

const MOST_NODES: usize = 1 << 23;

impl Node {
    const fn base(self) -> usize {
        (self.0 >> 41) as usize
    }
    const fn has_output(self) -> bool {
        self.0 >> 40 & 1 != 0
    }
    const fn fail(self) -> usize {
        (self.0 >> 16 & 0xff_ffff) as usize
    }
    const fn symbol(self) -> u16 {
        self.0 as u16
    }
    fn set_base(&mut self, base: usize) {
        self.0 = self.0 & !(!0 << 41) | (base as u64) << 41;
    }
    fn set_output(&mut self) {
        self.0 |= 1 << 40;
    }
    fn set_fail(&mut self, fail: usize) {
        self.0 = self.0 & !(0xff_ffff << 16) | (fail as u64) << 16;
    }
}

const ROOT: usize = 0;
const NONE: u32 = u32::MAX;
/// Marks the last owner of one word.
const LAST: u32 = 1 << 31;

/// The words that end at a node: its own, then those of a shorter suffix.
#[derive(Clone, Copy, Debug)]
struct Output {
    first: u32,
    next: u32,
}

/// The compiled words of one alphabet.
#[derive(Debug)]
pub(crate) struct Automaton {
    filter: Filter,
    nodes: Vec<Node>,
    /// Nodes with an output, one bit each, and how many came before each word of bits.
    with_output: Vec<(u64, u32)>,
    /// Output by rank of the node among those.
    output_of: Vec<u32>,
    outputs: Vec<Output>,
    owners: Vec<u32>,
}

impl Automaton {
    /// Compiles the words; `None` beyond eight million nodes.
    pub(crate) fn build(words: &Words) -> Option<Self> {
        let mut order: Vec<(u64, u32)> = (0..words.owners.len())
            .filter(|i| !words.word(*i).is_empty())
            .map(|i| {
                let word = words.word(i);
                let key = (0..4).fold(0_u64, |key, at| key << 16 | u64::from(word.get(at).copied().unwrap_or(0)));
                (key, i as u32)
            })
            .collect();
        order.sort_unstable_by(|(a, i), (b, j)| {
            a.cmp(b).then_with(|| words.word(*i as usize).cmp(words.word(*j as usize))).then(i.cmp(j))
        });
        let order: Vec<u32> = order.into_iter().map(|(_, i)| i).collect();
        let word = |at: usize| words.word(order[at] as usize);
        let mut owners: Vec<u32> = order.iter().map(|i| words.owners[*i as usize]).collect();
        let filter = Filter::build(words);
        let mut place = Places::new();
        let mut flagged: Vec<(u32, u32)> = Vec::new(); // node, output
        let mut outputs: Vec<Output> = Vec::new();
        let mut output_at: Vec<u32> = vec![NONE];
        let mut level: Vec<(u32, Range<u32>)> = vec![(ROOT as u32, 0..order.len() as u32)];
        let mut next_level = Vec::new();
        let mut children: Vec<(u16, Range<u32>)> = Vec::new();
        let mut depth = 0;
        while !level.is_empty() {
            for (node, range) in level.drain(..) {
                let node = node as usize;
                let (mut at, end) = (range.start as usize, range.end as usize);
                let first = at;
                while at < end && word(at).len() == depth {
                    at += 1;
                }
                let fail = place.nodes[node].fail();
                let inherited = if node == ROOT { NONE } else { output_at[fail] };
                let mine = if at > first {
                    owners[at - 1] |= LAST;
                    outputs.push(Output { first: first as u32, next: inherited });
                    outputs.len() as u32 - 1
                } else {
                    inherited
                };
                if mine != NONE {
                    output_at[node] = mine;
                    place.nodes[node].set_output();
                    flagged.push((node as u32, mine));
                }
                children.clear();
                while at < end {
                    let symbol = word(at)[depth];
                    let from = at;
                    while at < end && word(at)[depth] == symbol {
                        at += 1;
                    }
                    children.push((symbol, from as u32..at as u32));
                }
                if children.is_empty() {
                    continue;
                }
                let base = place.children(&children)?;
                place.nodes[node].set_base(base);
                output_at.resize(place.nodes.len(), NONE);
                for (symbol, range) in children.drain(..) {
                    let child = base + usize::from(symbol);
                    let fail = if node == ROOT { ROOT } else { step(&place.nodes, fail, symbol) };
                    place.nodes[child].set_fail(fail);
                    next_level.push((child as u32, range));
                }
            }
            std::mem::swap(&mut level, &mut next_level);
            depth += 1;
        }
        flagged.sort_unstable();
        let mut with_output = vec![(0_u64, 0_u32); place.nodes.len() / 64 + 1];
        for (node, _) in &flagged {
            with_output[*node as usize / 64].0 |= 1 << (node % 64);
        }
        let mut before = 0;
        for (bits, rank) in &mut with_output {
            *rank = before;
            before += bits.count_ones();
        }
        let output_of = flagged.into_iter().map(|(_, output)| output).collect();
        let mut nodes = place.nodes;
        nodes.shrink_to_fit();
        outputs.shrink_to_fit();
        Some(Self { filter, nodes, with_output, output_of, outputs, owners })
    }

    /// Calls back with owner and end of every match, overlapping ones included. `symbols` end with [`PAD`].
    #[inline]
    pub(crate) fn search(&self, symbols: &[u16], found: impl FnMut(u32, usize)) {
        self.search_counted(symbols, found, |_| ());
    }

    /// Filter questions plus automaton steps, and matches.
    #[cfg(test)]
    pub(crate) fn count_steps(&self, symbols: &[u16]) -> (usize, usize) {
        let (mut steps, mut matches) = (0, 0);
        self.search_counted(symbols, |_, _| matches += 1, |n| steps += n);
        (steps, matches)
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "without a counter nothing of it may be left")]
    fn search_counted(&self, symbols: &[u16], mut found: impl FnMut(u32, usize), mut count: impl FnMut(usize)) {
        if self.owners.is_empty() {
            return;
        }
        let nodes = &self.nodes[..];
        let mut at = 0;
        'filter: while let Some(start) = self.filter.next(symbols, at) {
            count(start - at + 1);
            let mut state = ROOT;
            at = start;
            loop {
                let Some(symbol) = symbols.get(at).copied() else { return };
                loop {
                    count(1);
                    let node = nodes[state];
                    let child = node.base() + usize::from(symbol);
                    if let Some(next) = nodes.get(child)
                        && next.symbol() == symbol
                        && symbol != 0
                    {
                        state = child;
                        if next.has_output() {
                            self.report(child, at + 1, &mut found);
                        }
                        break;
                    }
                    if state == ROOT {
                        // The filter was wrong about the first symbol.
                        at += 1;
                        continue 'filter;
                    }
                    state = node.fail();
                    if state == ROOT {
                        continue 'filter;
                    }
                }
                at += 1;
            }
        }
    }

    fn report(&self, node: usize, end: usize, found: &mut impl FnMut(u32, usize)) {
        let (bits, rank) = self.with_output[node / 64];
        let below = (bits & ((1 << (node % 64)) - 1)).count_ones();
        let mut output = self.output_of[(rank + below) as usize];
        while output != NONE {
            let Output { first, next } = self.outputs[output as usize];
            for owner in &self.owners[first as usize..] {
                found(owner & !LAST, end);
                if owner & LAST != 0 {
                    break;
                }
            }
            output = next;
        }
    }
}

/// Where the automaton goes from a state.
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

/// Free places of the double array.
struct Places {
    nodes: Vec<Node>,
    /// Next free place by place; only free places are linked.
    next: Vec<u32>,
    prev: Vec<u32>,
    head: u32,
    tail: u32,
    used_bases: Vec<bool>,
}

/// Free places tried for one child and for many before the array grows.
const TRIES: [usize; 2] = [24, 600];

impl Places {
    fn new() -> Self {
        // Place 0 is the root. Base 0 is no node's, so that leaves (base 0) have no children.
        Self {
            nodes: vec![Node::default()],
            next: vec![NONE],
            prev: vec![NONE],
            head: NONE,
            tail: NONE,
            used_bases: vec![true],
        }
    }

    fn grow(&mut self, len: usize) {
        while self.nodes.len() < len {
            let at = self.nodes.len() as u32;
            self.nodes.push(Node::default());
            self.next.push(NONE);
            self.prev.push(self.tail);
            match self.tail {
                NONE => self.head = at,
                tail => self.next[tail as usize] = at,
            }
            self.tail = at;
        }
        if self.used_bases.len() < self.nodes.len() {
            self.used_bases.resize(self.nodes.len(), false);
        }
    }

    fn unlink(&mut self, at: usize) {
        let (prev, next) = (self.prev[at], self.next[at]);
        match prev {
            NONE if self.head == at as u32 => self.head = next,
            NONE => {}
            prev => self.next[prev as usize] = next,
        }
        match next {
            NONE if self.tail == at as u32 => self.tail = prev,
            NONE => {}
            next => self.prev[next as usize] = prev,
        }
        self.next[at] = NONE;
        self.prev[at] = NONE;
    }

    /// Puts children somewhere: their parent's base.
    fn children(&mut self, children: &[(u16, Range<u32>)]) -> Option<usize> {
        let lowest = usize::from(children[0].0);
        let highest = usize::from(children[children.len() - 1].0);
        let many = usize::from(children.len() > 1);
        let mut at = self.head;
        let mut base = None;
        for _ in 0..TRIES[many] {
            if at == NONE {
                break;
            }
            let place = at as usize;
            if place > lowest && !self.used_bases[place - lowest] {
                let candidate = place - lowest;
                let free =
                    |symbol: u16| self.nodes.get(candidate + usize::from(symbol)).is_none_or(|node| node.symbol() == 0);
                if children[1..].iter().all(|(symbol, _)| free(*symbol)) {
                    base = Some(candidate);
                    break;
                }
            }
            at = self.next[place];
        }
        let base = base.unwrap_or_else(|| {
            // The first free places were no good for many children for a while: do not ask them again.
            for _ in 0..4 * many {
                if self.head != NONE {
                    self.unlink(self.head as usize);
                }
            }
            let mut base = self.nodes.len().saturating_sub(lowest).max(1);
            while self.used_bases.get(base).is_some_and(|used| *used) {
                base += 1;
            }
            base
        });
        self.grow(base + highest + 1);
        if self.nodes.len() > MOST_NODES {
            return None;
        }
        self.used_bases[base] = true;
        for (symbol, _) in children {
            let place = base + usize::from(*symbol);
            self.unlink(place);
            self.nodes[place] = Node(u64::from(*symbol));
        }
        Some(base)
    }
}

/// Which neighbours of symbols can begin a word. Says yes too often (it is a hash), never no where a word begins.
#[derive(Debug)]
struct Filter {
    /// Words of one symbol, a bit a symbol; empty if there are none.
    singles: Vec<u64>,
    /// Two bits a pair: begins a word of two, begins a longer one.
    pairs: Vec<u8>,
    triples: Vec<u8>,
    pair_shift: u32,
    triple_shift: u32,
}

const SHORT: u8 = 1;
const LONG: u8 = 2;

fn pair_hash(a: u16, b: u16) -> u32 {
    u32::from(a).wrapping_mul(0x9e37_79b1).wrapping_add(u32::from(b).wrapping_mul(0x85eb_ca77))
}

fn triple_hash(pair: u32, c: u16) -> u32 {
    (pair.rotate_left(13)).wrapping_add(u32::from(c).wrapping_mul(0xc2b2_ae3d)).wrapping_mul(0x27d4_eb2f)
}

impl Filter {
    fn build(words: &Words) -> Self {
        // Some twenty bits a word, within what a core's own cache holds.
        let bits = (words.owners.len() * 20).next_power_of_two().clamp(1 << 15, 1 << 21).trailing_zeros();
        let mut filter = Self {
            singles: Vec::new(),
            pairs: vec![0; 1 << (bits - 3)],
            triples: vec![0; 1 << (bits - 3)],
            pair_shift: 32 - (bits - 1),
            triple_shift: 32 - bits,
        };
        for (word, _) in words.iter() {
            match *word {
                [] => {}
                [a] => {
                    filter.singles.resize(1 << 10, 0);
                    filter.singles[usize::from(a) / 64] |= 1 << (a % 64);
                }
                [a, b, ref rest @ ..] => {
                    let hash = pair_hash(a, b);
                    let slot = (hash >> filter.pair_shift) as usize;
                    filter.pairs[slot / 4] |= if rest.is_empty() { SHORT } else { LONG } << (slot % 4 * 2);
                    if let Some(c) = rest.first() {
                        let slot = (triple_hash(hash, *c) >> filter.triple_shift) as usize;
                        filter.triples[slot / 8] |= 1 << (slot % 8);
                    }
                }
            }
        }
        filter
    }

    /// The next place where a word may begin.
    #[inline]
    fn next(&self, symbols: &[u16], from: usize) -> Option<usize> {
        let rest = symbols.get(from..)?;
        let singles = !self.singles.is_empty();
        for (i, window) in rest.windows(3).enumerate() {
            let (a, b, c) = (window[0], window[1], window[2]);
            let hash = pair_hash(a, b);
            let slot = (hash >> self.pair_shift) as usize;
            let pair = self.pairs[slot / 4] >> (slot % 4 * 2);
            if pair & (SHORT | LONG) != 0 && a != 0 {
                if pair & SHORT != 0 {
                    return Some(from + i);
                }
                let slot = (triple_hash(hash, c) >> self.triple_shift) as usize;
                if self.triples[slot / 8] >> (slot % 8) & 1 != 0 {
                    return Some(from + i);
                }
            }
            if singles && self.singles[usize::from(a) / 64] >> (a % 64) & 1 != 0 {
                return Some(from + i);
            }
        }
        None
    }
}
