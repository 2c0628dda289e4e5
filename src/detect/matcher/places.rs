//! Where the nodes of a double array go while it is built.

use super::double_array::{NONE, Node};

/// Free places looked at for one word's tail, and for the children of a node.
const TRIES: [usize; 2] = [32, 600];

/// Nodes in a cache line.
const LINE: usize = 8;

/// The double array so far and its free places.
pub(super) struct Places {
    pub(super) nodes: Vec<Node>,
    /// Next and previous free place by place; only free places are linked.
    next: Vec<u32>,
    prev: Vec<u32>,
    head: u32,
    tail: u32,
    /// The first free place where children are looked for; those before it have been in vain for a while.
    first_for_children: u32,
    used_bases: Vec<bool>,
}

impl Places {
    pub(super) fn new() -> Self {
        // Place 0 is the root. Base 0 is no node's, so that a node with base 0 has no children.
        Self {
            nodes: vec![Node::FREE],
            next: vec![NONE],
            prev: vec![NONE],
            head: NONE,
            tail: NONE,
            first_for_children: NONE,
            used_bases: vec![true],
        }
    }

    /// Puts the children of a node (their symbols ascend) somewhere: its base.
    pub(super) fn children<T>(&mut self, parent: usize, children: &[(u16, T)]) -> usize {
        let lowest = usize::from(children[0].0);
        let highest = usize::from(children[children.len() - 1].0);
        let mut at = if self.first_for_children == NONE { self.head } else { self.first_for_children };
        let mut base = None;
        for _ in 0..TRIES[1] {
            if at == NONE {
                break;
            }
            let place = at as usize;
            if place > lowest
                && !self.used_bases[place - lowest]
                && children[1..].iter().all(|(symbol, _)| self.is_free(place - lowest + usize::from(*symbol)))
            {
                base = Some(place - lowest);
                break;
            }
            at = self.next[place];
        }
        let base = base.unwrap_or_else(|| {
            self.first_for_children = at;
            self.fresh_base(lowest)
        });
        self.grow(base + highest + 1);
        for (symbol, _) in children {
            self.take(base + usize::from(*symbol), *symbol);
        }
        self.set_base(parent, base);
        base
    }

    /// Puts the rest of a word below a node, one near the other where that is possible: their places.
    pub(super) fn chain(&mut self, mut parent: usize, symbols: &[u16]) -> Vec<usize> {
        let mut places = Vec::with_capacity(symbols.len());
        for symbol in symbols {
            let place = self.near(parent, *symbol).or_else(|| self.anywhere(*symbol)).unwrap_or_else(|| {
                let low = usize::from(*symbol);
                self.fresh_base(low) + low
            });
            self.grow(place + 1);
            self.take(place, *symbol);
            self.set_base(parent, place - usize::from(*symbol));
            places.push(place);
            parent = place;
        }
        places
    }

    /// A place that the processor reads together with another one.
    fn near(&self, other: usize, symbol: u16) -> Option<usize> {
        let line = other / LINE * LINE;
        (line..(line + LINE).min(self.nodes.len())).find(|place| self.fits(*place, symbol))
    }

    fn anywhere(&self, symbol: u16) -> Option<usize> {
        let mut at = self.head;
        for _ in 0..TRIES[0] {
            if at == NONE {
                break;
            }
            if self.fits(at as usize, symbol) {
                return Some(at as usize);
            }
            at = self.next[at as usize];
        }
        None
    }

    fn fits(&self, place: usize, symbol: u16) -> bool {
        let low = usize::from(symbol);
        place > low && self.is_free(place) && !self.used_bases[place - low]
    }

    fn is_free(&self, place: usize) -> bool {
        self.nodes.get(place).is_none_or(|node| node.is_free())
    }

    /// A base whose children all lie beyond the end.
    fn fresh_base(&self, lowest: usize) -> usize {
        let mut base = self.nodes.len().saturating_sub(lowest).max(1);
        while self.used_bases.get(base).is_some_and(|used| *used) {
            base += 1;
        }
        base
    }

    fn set_base(&mut self, node: usize, base: usize) {
        self.used_bases[base] = true;
        self.nodes[node].set_base(base);
    }

    fn take(&mut self, place: usize, symbol: u16) {
        self.unlink(place);
        self.nodes[place] = Node::new(symbol);
    }

    fn grow(&mut self, len: usize) {
        while self.nodes.len() < len {
            let at = self.nodes.len() as u32;
            self.nodes.push(Node::FREE);
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
            NONE => self.head = next,
            prev => self.next[prev as usize] = next,
        }
        match next {
            NONE => self.tail = prev,
            next => self.prev[next as usize] = prev,
        }
        if self.first_for_children == at as u32 {
            self.first_for_children = next;
        }
        (self.next[at], self.prev[at]) = (NONE, NONE);
    }
}
