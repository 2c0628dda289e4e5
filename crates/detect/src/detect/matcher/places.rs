//! Where the nodes of a double array go while it is built.

use super::automaton::{NONE, Node};

/// Free places looked at for the children of a node.
const TRIES: usize = 600;

/// The double array so far and its free places.
pub(super) struct Places {
    pub(super) nodes: Vec<Node>,
    /// Next and previous free place by place; only free places are linked.
    next: Vec<u32>,
    prev: Vec<u32>,
    tail: u32,
    /// The first free place that is looked at; those before it have been in vain for a while.
    first: u32,
    used_bases: Vec<bool>,
}

impl Places {
    pub(super) fn new() -> Self {
        // Place 0 is the root.
        Self {
            nodes: vec![Node::new(1)],
            next: vec![NONE],
            prev: vec![NONE],
            tail: NONE,
            first: NONE,
            used_bases: vec![true],
        }
    }

    /// Puts the children of a node (their symbols ascend) somewhere: its base.
    pub(super) fn children<T>(&mut self, parent: usize, children: &[(u16, T)]) -> usize {
        let lowest = usize::from(children[0].0);
        let highest = usize::from(children[children.len() - 1].0);
        let mut at = self.first;
        let mut base = None;
        for _ in 0..TRIES {
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
            if at != NONE {
                self.first = at;
            }
            self.fresh_base(lowest)
        });
        self.grow(base + highest + 1);
        for (symbol, _) in children {
            self.take(base + usize::from(*symbol), *symbol);
        }
        self.used_bases[base] = true;
        self.nodes[parent].set_base(base);
        base
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
            if self.tail != NONE {
                self.next[self.tail as usize] = at;
            }
            if self.first == NONE {
                self.first = at;
            }
            self.tail = at;
        }
        if self.used_bases.len() < self.nodes.len() {
            self.used_bases.resize(self.nodes.len(), false);
        }
    }

    fn unlink(&mut self, at: usize) {
        let (prev, next) = (self.prev[at], self.next[at]);
        if prev != NONE {
            self.next[prev as usize] = next;
        }
        match next {
            NONE => self.tail = prev,
            next => self.prev[next as usize] = prev,
        }
        if self.first == at as u32 {
            self.first = next;
        }
        (self.next[at], self.prev[at]) = (NONE, NONE);
    }
}
