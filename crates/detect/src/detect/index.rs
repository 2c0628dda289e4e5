//! All wordlists compiled into one matcher: one pass over the message finds every word, group and allow-phrase; near
//! entries are then put together from the words that were found, regular expressions run last and only where they can hit.

use std::cell::Cell;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use jiff::civil::Date;

use super::addresses::{Address, Addresses};
use super::context::{self, Outcome, Reason, Talk};
use super::edges::{Edges, Stand};
use super::expressions::Expressions;
use super::lexicon::{Document, Entry, Group, ListError, Pattern, Sign, Term, VIRTUAL_GROUPS};
use super::matcher::{self, Matcher};
use super::near::{self, Word};
use super::score;
use super::symbols::Symbols;
use super::view::{self, Gap, Span, View, bit};
use crate::model::Category;
use crate::text::Transform;

/// An entry of a list, ready to hit.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// As it was written.
    pub entry: Arc<Entry>,
    section: Arc<Section>,
    /// Disguises it may be seen through.
    allowed_steps: u32,
}

/// What the entries of a section have in common.
#[derive(Clone, Debug)]
pub struct Section {
    /// What they are about.
    pub category: Category,
    /// `category/rule`.
    pub rule: Arc<str>,
    /// The list they stand in.
    pub file: Arc<str>,
}

impl Deref for Compiled {
    type Target = Section;

    fn deref(&self) -> &Section {
        &self.section
    }
}

impl Compiled {
    /// `file:line`.
    pub fn place(&self) -> Arc<str> {
        self.entry.place(&self.file).into()
    }
}

/// One hit of an entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Index into [`Index::entries`].
    pub entry: usize,
    /// Where.
    pub span: Span,
    /// Only by sound.
    pub by_sound: bool,
    /// Why it is never enough to act on.
    pub asks: Option<Reason>,
    /// The person an insult is aimed at.
    pub target: Option<Span>,
}

impl Hit {
    const fn of(entry: usize, span: Span, by_sound: bool) -> Self {
        Self { entry, span, by_sound, asks: None, target: None }
    }

    /// The words around it leave it its edges; where they hardly do, a person has to look.
    fn stands(&mut self, edges: &Edges<'_>) -> bool {
        let stand = edges.stand(self.span, self.by_sound);
        if stand == Some(Stand::Doubtful) {
            self.asks = Some(Reason::Boundary);
        }
        stand.is_some()
    }
}

/// What the lists find in a message.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// By position.
    pub hits: Vec<Hit>,
    /// Hits that say nothing where they stand, and why.
    pub excused: Vec<(Hit, Reason)>,
    /// Where the message asks to be reached, if it offers something.
    pub call: Option<Span>,
    /// Where it says what is paid, if it offers something.
    pub pay: Option<Span>,
}

/// What a word of the matcher is there for, in few bits: messages are full of words that many entries have a use for.
#[derive(Clone, Copy, Debug)]
struct Use(u32);

#[derive(Clone, Copy, Debug)]
enum To {
    Entry(u32),
    Slot(u32),
    Allow(u32),
}

impl Use {
    /// `bounded`: begins or ends with a Latin letter or a digit, and no other may touch it there.
    const fn new(to: To, bounded: bool) -> Self {
        let (kind, number) = match to {
            To::Entry(entry) => (0, entry),
            To::Slot(slot) => (1, slot),
            To::Allow(scope) => (2, scope),
        };
        Self(number << 3 | kind << 1 | bounded as u32)
    }

    const fn to(self) -> To {
        let number = self.0 >> 3;
        match self.0 >> 1 & 3 {
            0 => To::Entry(number),
            1 => To::Slot(number),
            _ => To::Allow(number),
        }
    }

    const fn bounded(self) -> bool {
        self.0 & 1 != 0
    }
}

#[derive(Clone, Debug)]
enum AllowScope {
    Everything,
    Category(Category),
    Entry(usize),
}

#[derive(Clone, Debug)]
struct Near {
    entry: usize,
    terms: Vec<NearSlot>,
}

#[derive(Clone, Copy, Debug)]
struct NearSlot {
    slot: usize,
    within: usize,
    ordered: bool,
}

/// Places of the groups of words in one message, by group once a combination may be whole: most messages have none, so
/// nothing is kept for the others; and which groups have some, one bit each. A place is group, start, and twice the end, one
/// more if the word is only heard.
#[derive(Default)]
struct Slots(Vec<(u32, u32, u32)>, Vec<u64>);

impl Slots {
    fn clear(&mut self, groups: usize) {
        self.0.clear();
        self.1.clear();
        self.1.resize(groups.div_ceil(64), 0);
    }

    fn push(&mut self, slot: usize, span: Span, heard: bool) {
        self.1[slot / 64] |= 1 << (slot % 64);
        self.0.push((slot as u32, span.start as u32, (span.end as u32) << 1 | u32::from(heard)));
    }

    /// One of a group's words is there.
    fn has(&self, slot: usize) -> bool {
        self.1.get(slot / 64).is_some_and(|bits| bits >> (slot % 64) & 1 != 0)
    }

    /// The groups that are there, in order.
    fn present(&self) -> impl Iterator<Item = usize> {
        self.1.iter().enumerate().flat_map(|(at, bits)| {
            let mut left = *bits;
            std::iter::from_fn(move || {
                let bit = (left != 0).then_some(left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(at * 64 + bit)
            })
        })
    }

    /// Forgets the places of all other groups.
    fn keep(&mut self, wanted: impl Iterator<Item = usize>) {
        self.1.fill(0);
        wanted.for_each(|slot| self.1[slot / 64] |= 1 << (slot % 64));
        let Self(places, wanted) = self;
        places.retain(|(slot, ..)| wanted[*slot as usize / 64] >> (slot % 64) & 1 != 0);
    }

    /// A word of the second group stands so near one of the first; of many words that is only supposed.
    fn meet(&self, first: usize, second: usize, within: usize, ordered: bool) -> bool {
        const MANY: usize = 1 << 10;
        if self.of(first).count() * self.of(second).count() > MANY {
            return true;
        }
        let near = |a: Span, b: Span| a.distance(b) <= within && (!ordered || a.end <= b.start);
        self.of(first).any(|(a, _)| self.of(second).any(|(b, _)| near(a, b)))
    }

    /// Where a group's words stand, and whether they are only heard.
    fn of(&self, slot: usize) -> impl Iterator<Item = (Span, bool)> {
        let from = self.0.partition_point(|(other, ..)| (*other as usize) < slot);
        let places = self.0[from..].iter().take_while(move |(other, ..)| *other as usize == slot);
        places.map(|(_, start, end)| (Span { start: *start as usize, end: (end >> 1) as usize }, end & 1 != 0))
    }
}

/// Allow-phrases of one message with what they excuse, by where they begin.
#[derive(Default)]
struct Allows(Vec<(Span, usize)>);

/// What the matcher finds in one message, besides entries.
#[derive(Default)]
struct Matches {
    allows: Allows,
    slots: Slots,
    /// Entries where they stand, before it is asked whether they count.
    hits: Vec<Hit>,
}

thread_local! {
    /// The buffers of the message before.
    static MATCHES: Cell<Matches> = Cell::default();
}

/// An insult of so few points says nothing by itself.
const WEAK: f32 = 0.5;

/// Longest allow-phrase in characters; the matcher knows no longer words.
const LONGEST_ALLOW: usize = 512;

impl Allows {
    /// What the phrases excuse that a span lies in.
    fn over(&self, span: Span) -> impl Iterator<Item = usize> {
        let before = self.0.partition_point(|(phrase, _)| phrase.start <= span.start);
        let far = move |phrase: &Span| phrase.start + LONGEST_ALLOW <= span.start;
        let near = self.0[..before].iter().rev().take_while(move |(phrase, _)| !far(phrase));
        near.filter(move |(phrase, _)| phrase.covers(span)).map(|(_, scope)| *scope)
    }
}

/// The compiled lists.
#[derive(Debug)]
pub struct Index {
    /// Every entry.
    pub entries: Vec<Compiled>,
    words: Matcher,
    /// By word of the matcher.
    uses: Vec<Use>,
    allow_scopes: Vec<AllowScope>,
    nears: Vec<Near>,
    /// The near entries that each group has a part in.
    slot_nears: Vec<Vec<usize>>,
    /// Each near entry once, at the group that has a part in the fewest, with its next such group.
    begun_by: Vec<(u32, u32)>,
    /// Where those of each group begin there; one more than groups.
    begun: Vec<u32>,
    expressions: Expressions,
    /// (inner, outer): what the inner group finds, the outer one finds too.
    nested: Vec<(usize, usize)>,
    /// Who says what about whom.
    context: context::Words,
    symbols: Symbols,
    addresses: Addresses,
}

/// Words of the virtual groups found by other signals: (group of [`VIRTUAL_GROUPS`], where).
pub type Atoms = Vec<(usize, Span)>;

#[derive(Default)]
struct Builder {
    words: matcher::Builder,
    uses: Vec<Use>,
}

impl Builder {
    fn word(&mut self, text: &str, to: To, by_sound: bool) -> Result<(), String> {
        let folded = self.words.add(text, by_sound);
        let edge = |c: Option<&char>| c.is_some_and(char::is_ascii_alphanumeric);
        self.uses.push(Use::new(to, edge(folded.first()) || edge(folded.last())));
        if folded.is_empty() { Err(format!("“{text}”里没有可以查找的字，没有读")) } else { Ok(()) }
    }

    /// A word that cannot be searched for leaves the others; the first is told.
    fn group(&mut self, group: &Group, slot: usize, nested: &mut Vec<(usize, usize)>) -> Result<(), String> {
        let mut told = Ok(());
        for word in &group.words {
            let inner = word.strip_prefix('【').and_then(|w| w.strip_suffix('】'));
            if let Some(inner) = VIRTUAL_GROUPS.iter().position(|name| inner == Some(name)) {
                nested.push((inner, slot));
                continue;
            }
            let added = self.word(word, To::Slot(slot as u32), group.homophone && han_count(word) >= 2);
            told = told.and(added);
        }
        told
    }
}

fn han_count(text: &str) -> usize {
    text.chars().filter(|c| ('\u{3400}'..='\u{9fff}').contains(c)).count()
}

impl Index {
    /// Compiles the lists; `names` are words that are always fine (brands, products, staff), `today` drops expired entries.
    /// Entries that cannot be searched for are told and left out.
    pub fn build(documents: &[Document], names: &[String], today: Date) -> (Self, Vec<ListError>) {
        let mut errors = Vec::new();
        let mut build = Builder::default();
        let mut symbols = Symbols::default();
        let mut addresses = Addresses::default();
        let mut entries: Vec<Compiled> = Vec::with_capacity(documents.iter().map(|d| d.entries().count()).sum());
        let mut allow_scopes = vec![AllowScope::Everything];
        let mut nears: Vec<Near> = Vec::new();
        let mut expressions = Expressions::default();
        let mut slots: HashMap<String, usize> =
            VIRTUAL_GROUPS.iter().enumerate().map(|(i, name)| (format!("【{name}】"), i)).collect();
        let mut nested: Vec<(usize, usize)> = Vec::new();
        let groups: HashMap<&str, &Group> =
            documents.iter().flat_map(Document::groups).map(|g| (g.name.as_str(), g)).collect();
        for name in names.iter().filter(|name| !view::fold(name).is_empty()) {
            let _ = build.word(name, To::Allow(0), false);
        }
        for document in documents {
            let Some(category) = document.category else { continue };
            let mut fail = |line: usize, message: String| {
                errors.push(ListError { file: document.file.clone(), line, message });
            };
            let mut section: Option<(Arc<str>, Arc<Section>)> = None;
            let scope = allow_scopes.len();
            allow_scopes.push(AllowScope::Category(category));
            for (line, phrase) in document.allows() {
                addresses.allow(phrase);
                if let Err(message) = build.word(phrase, To::Allow(scope as u32), false) {
                    fail(line, message);
                }
            }
            for entry in document.entries() {
                if entry.expires.is_some_and(|last| last < today) {
                    continue;
                }
                let id = entries.len();
                let homophone_default = |word: &str| entry.homophone.unwrap_or(han_count(word) >= 3);
                let mut found = true;
                match &entry.pattern {
                    Pattern::Literal(word) => {
                        if !symbols.add(word, id as u32)
                            && let Err(message) = build.word(word, To::Entry(id as u32), homophone_default(word))
                        {
                            fail(entry.line, message);
                            found = false;
                        }
                    }
                    Pattern::Address(word) => {
                        if let Some(address) = Address::read(word) {
                            addresses.deny(address, id as u32);
                        }
                    }
                    Pattern::Regex(regex) => {
                        if let Err(error) = expressions.add(regex, id) {
                            fail(entry.line, error.to_string());
                            found = false;
                        }
                    }
                    Pattern::Near(terms) => {
                        let mut near = Near { entry: id, terms: Vec::new() };
                        for term in terms {
                            let key = match &term.term {
                                Term::Word(word) => word.clone(),
                                Term::Group(name) => format!("【{name}】"),
                            };
                            let next = slots.len();
                            let slot = *slots.entry(key).or_insert(next);
                            if slot == next {
                                let added = match &term.term {
                                    Term::Word(word) => {
                                        build.word(word, To::Slot(slot as u32), homophone_default(word))
                                    }
                                    Term::Group(name) => groups
                                        .get(name.as_str())
                                        .map_or(Ok(()), |group| build.group(group, slot, &mut nested)),
                                };
                                if let Err(message) = added {
                                    fail(entry.line, message);
                                }
                            }
                            near.terms.push(NearSlot { slot, within: term.within, ordered: term.ordered });
                        }
                        nears.push(near);
                    }
                }
                if !found {
                    continue;
                }
                if !entry.allow.is_empty() {
                    let scope = allow_scopes.len();
                    allow_scopes.push(AllowScope::Entry(id));
                    for phrase in &entry.allow {
                        if let Err(message) = build.word(phrase, To::Allow(scope as u32), false) {
                            fail(entry.line, message);
                        }
                    }
                }
                let allowed_steps = entry.transforms.as_ref().map_or(u32::MAX, |list| {
                    list.iter().fold(bit(Transform::Width) | bit(Transform::Case), |all, t| all | bit(*t))
                });
                let shared = match &section {
                    Some((rule, section)) if Arc::ptr_eq(rule, &entry.rule) => section.clone(),
                    _ => {
                        let rule = format!("{category}/{}", entry.rule).into();
                        let new = Arc::new(Section { category, rule, file: document.file.clone() });
                        section = Some((entry.rule.clone(), new.clone()));
                        new
                    }
                };
                entries.push(Compiled { entry: entry.clone(), section: shared, allowed_steps });
            }
        }
        let signs = entries.iter().flat_map(|compiled| &compiled.entry.needs);
        let needed: Vec<Box<str>> =
            signs.filter_map(|sign| if let Sign::Group(name) = sign { Some(name.clone()) } else { None }).collect();
        let context = context::Words::build(documents.iter().flat_map(Document::groups), &needed);
        let mut slot_nears = vec![Vec::new(); slots.len()];
        for (i, near) in nears.iter().enumerate() {
            near.terms.iter().for_each(|term| slot_nears[term.slot].push(i));
        }
        let mut by_rarest: Vec<(usize, (u32, u32))> = Vec::with_capacity(nears.len());
        for (i, near) in nears.iter().enumerate() {
            let mut rarest: Vec<usize> = near.terms.iter().map(|term| term.slot).collect();
            rarest.sort_by_key(|slot| slot_nears[*slot].len());
            if let [first, ..] = rarest[..] {
                by_rarest.push((first, (i as u32, *rarest.get(1).unwrap_or(&first) as u32)));
            }
        }
        by_rarest.sort_unstable();
        let begun =
            (0..=slots.len()).map(|slot| by_rarest.partition_point(|(first, _)| *first < slot) as u32).collect();
        let begun_by = by_rarest.into_iter().map(|(_, near)| near).collect();
        entries.shrink_to_fit();
        build.uses.shrink_to_fit();
        let index = Self {
            words: build.words.build(),
            uses: build.uses,
            entries,
            allow_scopes,
            nears,
            slot_nears,
            begun_by,
            begun,
            expressions,
            nested,
            context,
            symbols,
            addresses,
        };
        (index, errors)
    }

    /// A site of the company's own is none that an entry means, unless the entry names a part of it.
    pub fn allow_site(&mut self, domain: &str) {
        self.addresses.allow(domain);
    }

    /// Entries and exceptions that are addresses.
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Entries that are signs without a letter (🔞), with the typed characters they stand at.
    pub fn signs(&self, typed: &[char]) -> Vec<(usize, usize, usize)> {
        self.symbols.find(typed)
    }

    /// Every hit that no allow-phrase cancels and that is meant as it stands there.
    pub fn scan(&self, view: &View, atoms: &Atoms) -> Found {
        self.scan_for(view, atoms, 0)
    }

    /// The same for another reading of a message: nothing if no hit has one of the `needed` steps.
    pub fn scan_for(&self, view: &View, atoms: &Atoms, needed: u32) -> Found {
        let mut matches = MATCHES.take();
        self.hits(view, atoms, &mut matches);
        let hits = matches.hits.clone();
        MATCHES.set(matches);
        let steps = |hit: &Hit| view.steps[hit.span.start..hit.span.end].iter().fold(0, |all, s| all | s);
        if hits.is_empty() || needed != 0 && hits.iter().all(|hit| steps(hit) & needed == 0) {
            return Found::default();
        }
        self.as_meant(view, atoms, hits)
    }

    fn hits(&self, view: &View, atoms: &Atoms, matches: &mut Matches) {
        let Matches { allows, slots, hits } = matches;
        hits.clear();
        allows.0.clear();
        slots.clear(self.slot_nears.len());
        self.words.scan(&view.chars, &view.sounds, |found| {
            let span = Span { start: found.start, end: found.end };
            let used = self.uses[found.word];
            if used.bounded() && !found.heard && !view.bounded(span) {
                return;
            }
            match used.to() {
                To::Allow(scope) => allows.0.push((span, scope as usize)),
                _ if !view.joined(span) => {}
                To::Entry(entry) => hits.push(Hit::of(entry as usize, span, found.heard)),
                To::Slot(slot) => slots.push(slot as usize, span, found.heard),
            }
        });
        allows.0.sort_unstable();
        for &(group, span) in atoms {
            slots.push(group, span, false);
            let outer = self.nested.iter().filter(|(inner, _)| *inner == group);
            outer.for_each(|(_, outer)| slots.push(*outer, span, false));
        }
        let counts = |hit: &Hit| {
            let steps = view.steps[hit.span.start..hit.span.end].iter().fold(0, |all, s| all | s);
            let steps = if hit.by_sound { steps | bit(Transform::Homophone) } else { steps };
            hit.span.start < hit.span.end
                && steps & !self.entries[hit.entry].allowed_steps == 0
                && !self.allowed(hit.entry, hit.span, allows)
        };
        let edges = Edges::of(view);
        hits.retain_mut(|hit| counts(hit) && hit.stands(&edges));
        let words = hits.len();
        self.join_near(view, slots, hits, allows, &edges);
        self.expressions.find(view, |entry, span| hits.push(Hit::of(entry, span, false)));
        let mut at = 0;
        hits.retain(|hit| {
            at += 1;
            at <= words || counts(hit)
        });
        hits.sort_by_key(|hit| (hit.span, hit.entry, hit.by_sound));
        hits.dedup_by_key(|hit| (hit.span, hit.entry));
    }

    /// Parts the hits that count from those that only report, forbid, ask … or are everyday words (`detect::context`).
    fn as_meant(&self, view: &View, atoms: &Atoms, hits: Vec<Hit>) -> Found {
        let talk = Talk::read(&self.context, view, atoms);
        let mut found = Found::default();
        for mut hit in hits {
            match self.excuse(view, &talk, hit) {
                Some((reason, Outcome::Excuse)) => found.excused.push((hit, reason)),
                asks => {
                    hit.asks = asks.map(|(reason, _)| reason).or(hit.asks);
                    let Compiled { entry, section, .. } = &self.entries[hit.entry];
                    // Who needs a person to be a sign at all has said so already.
                    if section.category == Category::Insult && entry.needs.is_empty() {
                        hit.target = talk.target(hit.span);
                    }
                    found.hits.push(hit);
                }
            }
        }
        if found.hits.iter().any(|hit| !self.entries[hit.entry].entry.needs.is_empty()) {
            let all = found.hits.clone();
            found.hits.retain(|hit| {
                let needs = &self.entries[hit.entry].entry.needs;
                let signed = needs.is_empty() || needs.iter().any(|sign| self.has_sign(sign, hit, &all, &talk));
                if !signed {
                    found.excused.push((*hit, Reason::Everyday));
                }
                signed
            });
        }
        let spans = |of: fn(Category) -> bool| {
            let offers = found.hits.iter().filter(move |hit| of(self.entries[hit.entry].category));
            offers.map(|hit| hit.span).collect::<Vec<_>>()
        };
        if !spans(score::is_spam).is_empty() {
            let all = spans(|_| true);
            (found.call, found.pay) = (talk.call(&all), talk.pay(&all));
        }
        found
    }

    fn excuse(&self, view: &View, talk: &Talk<'_>, hit: Hit) -> Option<(Reason, Outcome)> {
        let category = self.entries[hit.entry].category;
        // A link may well be named after what it offers, but it insults nobody.
        if matches!(category, Category::Insult | Category::Disrespect) && context::is_code(view, hit.span, talk) {
            return Some((Reason::Code, Outcome::Excuse));
        }
        talk.excuse(category, hit.span)
    }

    /// Why what stands at a place of a message is no proof, though no entry found it there.
    pub fn excuse_at(&self, view: &View, atoms: &Atoms, category: Category, span: Span) -> Option<Reason> {
        Talk::read(&self.context, view, atoms).excuse(category, span).map(|(reason, _)| reason)
    }

    fn has_sign(&self, sign: &Sign, hit: &Hit, all: &[Hit], talk: &Talk<'_>) -> bool {
        let category = |hit: &Hit| self.entries[hit.entry].category;
        match sign {
            Sign::Contact => talk.reached(),
            Sign::Person => talk.speaks_to(hit.span),
            Sign::Jargon => all.iter().any(|other| {
                let entry = &self.entries[other.entry].entry;
                // Two everyday words make an offer, but no insult.
                let sure =
                    score::is_spam(category(hit)) || entry.needs.is_empty() && entry.points.is_none_or(|p| p > WEAK);
                category(other) == category(hit) && other.entry != hit.entry && !hit.span.covers(other.span) && sure
            }),
            Sign::Group(name) => self.context.group(name).is_some_and(|group| talk.has(group, hit.span)),
        }
    }

    /// Entries whose words occur in the text, allow-phrases or not; near entries count with any of their words.
    pub fn touched(&self, view: &View) -> Vec<usize> {
        let mut entries = Vec::new();
        self.words.scan(&view.chars, &view.sounds, |found| match self.uses[found.word].to() {
            _ if found.heard => {}
            To::Entry(entry) => entries.push(entry as usize),
            To::Slot(slot) => {
                entries.extend(self.slot_nears[slot as usize].iter().map(|near| self.nears[*near].entry));
            }
            To::Allow(_) => {}
        });
        let all = entries.len();
        self.expressions.find(view, |entry, _| {
            if !entries[all..].contains(&entry) {
                entries.push(entry);
            }
        });
        entries
    }

    fn join_near(&self, view: &View, slots: &mut Slots, hits: &mut Vec<Hit>, allows: &Allows, edges: &Edges<'_>) {
        let of = |slot: usize| &self.begun_by[self.begun[slot] as usize..self.begun[slot + 1] as usize];
        let begun = slots.present().flat_map(of);
        let begun = begun.filter(|(_, next)| slots.has(*next as usize)).map(|(near, _)| &self.nears[*near as usize]);
        let whole: Vec<&Near> = begun.filter(|near| near.terms.iter().all(|term| slots.has(term.slot))).collect();
        if whole.is_empty() {
            return;
        }
        slots.keep(whole.iter().flat_map(|near| &near.terms).map(|term| term.slot));
        slots.0.sort_unstable();
        for near in whole {
            let mut pairs = near.terms.windows(2);
            if !pairs.all(|pair| slots.meet(pair[0].slot, pair[1].slot, pair[1].within, pair[1].ordered)) {
                continue;
            }
            let free = |span: Span| !self.allowed(near.entry, span, allows);
            let words: Vec<Word> = near
                .terms
                .iter()
                .map(|term| Word {
                    places: slots
                        .of(term.slot)
                        .filter(|(span, heard)| free(*span) && edges.leave(*span, *heard))
                        .collect(),
                    within: term.within,
                    ordered: term.ordered,
                })
                .collect();
            if let Some((span, by_sound)) = near::together(&words, |at| view.gap[at] == Gap::Hard)
                && edges.leave(span, by_sound)
            {
                hits.push(Hit::of(near.entry, span, by_sound));
            }
        }
    }

    fn allowed(&self, entry: usize, span: Span, allows: &Allows) -> bool {
        allows.over(span).any(|scope| match self.allow_scopes[scope] {
            AllowScope::Everything => true,
            AllowScope::Category(category) => self.entries[entry].category == category,
            AllowScope::Entry(id) => id == entry,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Lists;

    /// The places of the hits as they were read, entry by entry.
    fn hits(list: &str, text: &str) -> Vec<String> {
        let mut lists = Lists::default();
        lists.insert("ads/x.txt", list.to_owned());
        let index = Index::build(&lists.parse().unwrap(), &[], Date::constant(2026, 1, 1)).0;
        let view = View::new(text);
        index.scan(&view, &Atoms::new()).hits.iter().map(|hit| view.folded(hit.span)).collect()
    }

    #[test]
    fn a_flood_of_one_word_hides_no_combination() {
        let list = "招聘 >6 代理\n";
        let far = "这几天天气都特别好大家出来走走";
        for flood in ["招聘".to_owned() + far, "代理".to_owned() + far] {
            let text = format!("{}招聘本地代理", flood.repeat(100));
            assert_eq!(hits(list, &text), ["招聘本地代理"]);
            let text = format!("招聘本地代理{}", format!("{far}{flood}").repeat(100));
            assert_eq!(hits(list, &text), ["招聘本地代理"]);
        }
        assert_eq!(hits(list, &format!("招聘{far}代理").repeat(100)), Vec::<String>::new());
    }

    #[test]
    fn the_tightest_combination_is_the_one_shown() {
        assert_eq!(hits("招聘 ~6 代理\n", "招聘一二三四五代理，代理招聘"), ["代理招聘"]);
    }
}
