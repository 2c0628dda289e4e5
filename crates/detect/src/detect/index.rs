//! All wordlists compiled into one matcher: one pass over the message finds every word, group and allow-phrase; near
//! entries are then put together from the words that were found, regular expressions run last and only where they can hit.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use jiff::civil::Date;
use regex::Regex;

use super::addresses::{Address, Addresses};
use super::lexicon::{Document, Entry, Group, ListError, Pattern, Term, VIRTUAL_GROUPS};
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
}

/// What a word of the matcher is there for.
#[derive(Clone, Copy, Debug)]
struct Use {
    to: To,
    /// Begins or ends with a Latin letter or a digit, and no other may touch it there.
    bounded: bool,
}

#[derive(Clone, Copy, Debug)]
enum To {
    Entry(u32),
    Slot(u32),
    Allow(u32),
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

/// Places of the groups of words in one message, by group: most messages have none, so nothing is kept for the others.
#[derive(Default)]
struct Slots(Vec<(usize, Span, bool)>);

impl Slots {
    /// Where a group's words stand, and whether they are only heard.
    fn of(&self, slot: usize) -> impl Iterator<Item = (Span, bool)> {
        let from = self.0.partition_point(|(other, ..)| *other < slot);
        self.0[from..].iter().take_while(move |(other, ..)| *other == slot).map(|(_, span, heard)| (*span, *heard))
    }
}

/// Allow-phrases of one message with what they excuse, by where they begin.
#[derive(Default)]
struct Allows(Vec<(Span, usize)>);

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
    slot_nears: Vec<Vec<(usize, usize)>>,
    regexes: Vec<(usize, Regex, bool)>,
    /// (inner, outer): what the inner group finds, the outer one finds too.
    nested: Vec<(usize, usize)>,
    /// The groups [`WARNING`] and [`INVITING`].
    warning: Option<usize>,
    inviting: Option<usize>,
    symbols: Symbols,
    addresses: Addresses,
}

/// `谨防刷单诈骗` speaks of a swindle and offers none: beside a word of this group an offer is none …
const WARNING: &str = "劝阻";
/// … unless somebody asks to be reached.
const INVITING: &str = "找我";
/// Characters between the warning and what it warns of.
const WARNED_WITHIN: usize = 12;

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
        self.uses.push(Use { to, bounded: edge(folded.first()) || edge(folded.last()) });
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
        let mut regexes = Vec::new();
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
                    Pattern::Regex(regex) => match Regex::new(regex) {
                        Ok(compiled) => {
                            let digits = regex.contains("[0-9]{") && !regex.contains('?') && !regex.contains('|');
                            regexes.push((id, compiled, digits));
                        }
                        Err(error) => {
                            fail(entry.line, error.to_string());
                            found = false;
                        }
                    },
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
        let mut named = |build: &mut Builder, name: &str| {
            let group = groups.get(name)?;
            let next = slots.len();
            let slot = *slots.entry(format!("【{name}】")).or_insert(next);
            // A group that cannot be searched for is an error of the entries that use it.
            let _ = if slot == next { build.group(group, slot, &mut nested) } else { Ok(()) };
            Some(slot)
        };
        let warning = named(&mut build, WARNING);
        let inviting = named(&mut build, INVITING);
        let mut slot_nears = vec![Vec::new(); slots.len()];
        for (i, near) in nears.iter().enumerate() {
            for (term, slot) in near.terms.iter().enumerate() {
                slot_nears[slot.slot].push((i, term));
            }
        }
        entries.shrink_to_fit();
        build.uses.shrink_to_fit();
        let index = Self {
            words: build.words.build(),
            uses: build.uses,
            entries,
            allow_scopes,
            nears,
            slot_nears,
            regexes,
            nested,
            warning,
            inviting,
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

    /// Every hit that no allow-phrase cancels, by position.
    pub fn scan(&self, view: &View, atoms: &Atoms) -> Vec<Hit> {
        let mut hits: Vec<Hit> = Vec::new();
        let mut allows = Allows::default();
        let mut slots = Slots::default();
        for (group, span) in atoms {
            slots.0.push((*group, *span, false));
        }
        self.words.scan(&view.chars, &view.sounds, |found| {
            let span = Span { start: found.start, end: found.end };
            let Use { to, bounded } = self.uses[found.word];
            if bounded && !found.heard && !view.bounded(span) {
                return;
            }
            match to {
                To::Allow(scope) => allows.0.push((span, scope as usize)),
                _ if !view.joined(span) => {}
                To::Entry(entry) => hits.push(Hit { entry: entry as usize, span, by_sound: found.heard }),
                To::Slot(slot) => slots.0.push((slot as usize, span, found.heard)),
            }
        });
        allows.0.sort_unstable();
        if !slots.0.is_empty() {
            for &(inner, outer) in &self.nested {
                for i in 0..slots.0.len() {
                    let (slot, span, heard) = slots.0[i];
                    if slot == inner {
                        slots.0.push((outer, span, heard));
                    }
                }
            }
            slots.0.sort_unstable();
        }
        self.join_near(view, &slots, &mut hits, &allows);
        let has_digit = view.chars.iter().any(char::is_ascii_digit);
        for (entry, regex, digits) in &self.regexes {
            if *digits && !has_digit {
                continue;
            }
            for found in regex.find_iter(&view.clauses) {
                hits.push(Hit { entry: *entry, span: view.clause_span(found.range()), by_sound: false });
            }
        }
        hits.retain(|hit| hit.span.start < hit.span.end && !self.allowed(hit.entry, hit.span, &allows));
        self.leave_warnings(&slots, &mut hits);
        hits.retain(|hit| {
            let steps = view.steps[hit.span.start..hit.span.end].iter().fold(0, |all, s| all | s);
            let steps = if hit.by_sound { steps | bit(Transform::Homophone) } else { steps };
            steps & !self.entries[hit.entry].allowed_steps == 0
        });
        hits.sort_by_key(|hit| (hit.span, hit.entry, hit.by_sound));
        hits.dedup_by_key(|hit| (hit.span, hit.entry));
        hits
    }

    /// Entries whose words occur in the text, allow-phrases or not; near entries count with any of their words.
    pub fn touched(&self, view: &View) -> Vec<usize> {
        let mut entries = Vec::new();
        self.words.scan(&view.chars, &view.sounds, |found| match self.uses[found.word].to {
            _ if found.heard => {}
            To::Entry(entry) => entries.push(entry as usize),
            To::Slot(slot) => {
                entries.extend(self.slot_nears[slot as usize].iter().map(|(near, _)| self.nears[*near].entry));
            }
            To::Allow(_) => {}
        });
        entries.extend(
            self.regexes.iter().filter(|(_, regex, _)| regex.is_match(&view.clauses)).map(|(entry, ..)| *entry),
        );
        entries
    }

    fn join_near(&self, view: &View, slots: &Slots, hits: &mut Vec<Hit>, allows: &Allows) {
        let mut seen: HashMap<usize, u32> = HashMap::new();
        for found in slots.0.chunk_by(|a, b| a.0 == b.0) {
            for &(near, term) in &self.slot_nears[found[0].0] {
                *seen.entry(near).or_default() |= 1 << term;
            }
        }
        for (near, terms) in seen {
            let near = &self.nears[near];
            if terms.count_ones() as usize != near.terms.len() {
                continue;
            }
            let free = |span: Span| !self.allowed(near.entry, span, allows);
            let words: Vec<Word> = near
                .terms
                .iter()
                .map(|term| Word {
                    places: slots.of(term.slot).filter(|(span, _)| free(*span)).collect(),
                    within: term.within,
                    ordered: term.ordered,
                })
                .collect();
            if let Some((span, by_sound)) = near::together(&words, |at| view.gap[at] == Gap::Hard) {
                hits.push(Hit { entry: near.entry, span, by_sound });
            }
        }
    }

    /// Drops what is warned of or forbidden, as long as the message names no way to be reached.
    fn leave_warnings(&self, slots: &Slots, hits: &mut Vec<Hit>) {
        let Some(warning) = self.warning else { return };
        let mut reached = (0..VIRTUAL_GROUPS.len()).chain(self.inviting);
        if slots.of(warning).next().is_none() || reached.any(|slot| slots.of(slot).next().is_some()) {
            return;
        }
        hits.retain(|hit| {
            let offer = score::is_spam(self.entries[hit.entry].category)
                || matches!(
                    self.entries[hit.entry].category,
                    Category::Junk | Category::FalseClaim | Category::UnauthorisedPromise
                );
            let warned = |(span, heard): (Span, bool)| {
                !heard && !span.touches(hit.span) && span.distance(hit.span) <= WARNED_WITHIN
            };
            !(offer && slots.of(warning).any(warned))
        });
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
        index.scan(&view, &Atoms::new()).iter().map(|hit| view.folded(hit.span)).collect()
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
