//! 接龙: everybody who joins posts all of it anew. A line belongs to who added it, and the title to who began.

use std::collections::VecDeque;

use crate::{
    model::{Attachment, MemberId, Message},
    wecom::archive::message::{SOLITAIRE, SOLITAIRE_JOINED, SOLITAIRE_TYPED, is_entry, last_entry, quote},
};

/// So many are remembered in one group.
const MOST: usize = 50;

/// A 接龙 as far as it was seen: its lines, each with who added it; nobody (an empty id) where that is not known.
#[derive(Default)]
pub struct Chain {
    head: String,
    lines: Vec<(Box<str>, MemberId)>,
}

/// Those of one group, the latest last.
#[derive(Default)]
pub struct Chains(VecDeque<Chain>);

/// How a message holds a 接龙.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It began one.
    Made,
    /// It joined one.
    Joined,
    /// Either; WeChat writes it as plain text.
    Typed,
}

/// A line without its number, which changes when somebody above drops out.
fn entry(line: &str) -> String {
    folded(line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// The lines that say something, each with what of it is compared.
fn lines(whole: &str) -> impl Iterator<Item = (&str, String)> {
    whole.lines().map(|line| (line.trim(), entry(line))).filter(|(_, entry)| !entry.is_empty())
}

/// Title and explanations: what stands before the first entry.
fn head(whole: &str) -> String {
    let mut before = whole.lines().take_while(|line| !is_entry(line));
    before.by_ref().map(entry).collect()
}

/// The whole of the 接龙 in a message, if there is one.
pub fn of(message: &Message) -> Option<(Held, String)> {
    message.attachments.iter().find_map(|part| match part {
        Attachment::Other { kind, raw } if !raw.is_empty() => {
            let held = match kind.as_str() {
                SOLITAIRE => Held::Made,
                SOLITAIRE_JOINED => Held::Joined,
                SOLITAIRE_TYPED => Held::Typed,
                _ => return None,
            };
            Some((held, raw.clone()))
        }
        _ => None,
    })
}

/// Whose the lines of a 接龙 are.
pub struct Whose {
    /// The sender's own.
    pub own: Vec<String>,
    /// Perhaps the sender's own: they were not there before, as far as is known.
    pub perhaps: Vec<String>,
}

/// Sorts out the lines of a 接龙 that was just posted; `before` is what is known of it, `heard_all` whether that is all.
pub fn sort_out(held: Held, whole: &str, sender: &MemberId, before: Option<&Chain>, heard_all: bool) -> Whose {
    let all: Vec<(&str, String)> = lines(whole).collect();
    let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
    let last: Vec<&str> = lines(last_entry(whole)).map(|(line, _)| line).collect();
    let begun_here =
        held == Held::Made || held == Held::Typed && whole.lines().filter(|line| is_entry(line)).count() < 2;
    let (own, perhaps) = match before {
        Some(before) if held != Held::Made => {
            let mut mine = before.new_lines(&all);
            if mine.is_empty() || held == Held::Typed {
                // Posted again, or typed again by hand.
                mine = all
                    .iter()
                    .filter(|(line, entry)| mine.contains(line) || before.is_by(entry, sender))
                    .map(|(line, _)| *line)
                    .collect();
            }
            if mine.is_empty() {
                mine.clone_from(&last);
            }
            if heard_all { (mine, Vec::new()) } else { mine.into_iter().partition(|line| last.contains(line)) }
        }
        _ if begun_here || held == Held::Typed && heard_all => {
            (all.iter().map(|(line, _)| *line).collect(), Vec::new())
        }
        _ if held == Held::Typed => {
            let rest = all.iter().map(|(line, _)| *line).filter(|line| !last.contains(line)).collect();
            (last, rest)
        }
        _ => (last, Vec::new()),
    };
    Whose { own: owned(&own), perhaps: owned(&perhaps) }
}

impl Chain {
    /// Lines that are there more often than before.
    fn new_lines<'a>(&self, all: &[(&'a str, String)]) -> Vec<&'a str> {
        let mut known: Vec<&str> = self.lines.iter().map(|(line, _)| &**line).collect();
        let mut new = Vec::new();
        for (line, entry) in all {
            match known.iter().position(|known| known == entry) {
                Some(at) => drop(known.swap_remove(at)),
                None => new.push(*line),
            }
        }
        new
    }

    fn is_by(&self, entry: &str, who: &MemberId) -> bool {
        self.lines.iter().any(|(line, by)| **line == *entry && by == who)
    }

    fn add(&mut self, new: &[&str], by: &MemberId) {
        self.lines.extend(new.iter().map(|line| (entry(line).into(), by.clone())));
    }
}

impl Chains {
    /// Whether attachments of this kind hold one.
    pub fn is_one(kind: &str) -> bool {
        matches!(kind, SOLITAIRE | SOLITAIRE_JOINED | SOLITAIRE_TYPED)
    }

    /// The one that goes on in `whole`: the latest of the same title. Whoever types one may change that: then the latest that
    /// an entry comes from.
    pub fn find(&self, held: Held, whole: &str) -> Option<&Chain> {
        self.at(held, whole).map(|at| &self.0[at])
    }

    fn at(&self, held: Held, whole: &str) -> Option<usize> {
        let head = head(whole);
        let same = self.0.iter().rposition(|chain| chain.head == head);
        if same.is_some() || held != Held::Typed {
            return same;
        }
        let entries: Vec<String> = whole.lines().filter(|line| is_entry(line)).map(entry).collect();
        let shares = |chain: &Chain| {
            entries.iter().filter(|entry| !entry.is_empty()).any(|e| chain.lines.iter().any(|(line, _)| **line == **e))
        };
        self.0.iter().rposition(shares)
    }

    /// Somebody else than `by` added every line of these words; the last one may be cut off.
    pub fn shown(&self, words: &str, by: &MemberId) -> bool {
        let wanted: Vec<String> = lines(words).map(|(_, entry)| entry).collect();
        let of = |chain: &Chain, wanted: &String| {
            chain.lines.iter().any(|(line, who)| who != by && line.contains(wanted.as_str()))
        };
        !wanted.is_empty() && self.0.iter().rev().any(|chain| wanted.iter().all(|wanted| of(chain, wanted)))
    }

    /// Takes over what was said later.
    pub fn extend(&mut self, later: Self) {
        self.0.extend(later.0);
        self.cut();
    }

    /// Remembers the 接龙 of a message whose lines were sorted out: what its sender said in it is theirs.
    pub fn remember(&mut self, message: &Message) {
        let Some((held, whole)) = of(message) else { return };
        let at = self.at(held, &whole).filter(|_| held != Held::Made);
        let mut chain = at.and_then(|at| self.0.remove(at)).unwrap_or_default();
        chain.head = head(&whole);
        let all: Vec<(&str, String)> = lines(&whole).collect();
        let new = chain.new_lines(&all);
        let own: Vec<String> = message.text.lines().map(entry).collect();
        let (own, others): (Vec<&str>, Vec<&str>) = new.into_iter().partition(|line| own.contains(&entry(line)));
        chain.add(&own, &message.sender);
        chain.add(&others, &MemberId::from(""));
        self.0.push_back(chain);
        self.cut();
    }

    fn cut(&mut self) {
        while self.0.len() > MOST {
            self.0.pop_front();
        }
    }
}

/// What of a text counts when two are compared: letters, digits and characters, without case and without what stands for a
/// picture or a file.
pub fn folded(text: &str) -> String {
    quote::without_labels(text).chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
