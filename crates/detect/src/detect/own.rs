//! Which rules of the lists an admin added or edited: those that are not word for word in the lists that ship.
//!
//! Such a rule first only records (`policy::lifecycle`), unless its line or section says another stage. It is known by its
//! file and its words, so moving it to another line changes nothing; a changed weight or expiry is an edit. An exception
//! (`允许=`) added to an entry that ships only narrows it: it stays at its stage.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use super::Stages;
use super::lexicon::{self, Document, Entry, Fields, Lists};
use crate::model::Stage;

/// Longest words in an id, in characters; what is longer is told apart by a hash.
const ID_CHARS: usize = 40;

/// A rule that is not as it ships.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// `ads/own.txt#加我微信`.
    pub id: Arc<str>,
    /// Changes with every edit that matters.
    pub print: u64,
    /// The stage the admin wrote down.
    pub given: Option<Stage>,
}

impl Own {
    /// Where it begins: a new word first only records.
    pub fn stage(&self) -> Stage {
        self.given.unwrap_or(Stage::Observe)
    }
}

/// All of them, by file.
#[derive(Clone, Debug, Default)]
pub struct OwnRules(HashMap<Arc<str>, OwnFile>);

/// A file that is not word for word as it ships.
#[derive(Clone, Debug)]
struct OwnFile {
    entries: Vec<Arc<Entry>>,
    /// What ships under its name: each entry without its exceptions, and those.
    shipped: HashMap<u64, Vec<Vec<String>>>,
    /// The words of what ships.
    words: HashSet<String>,
}

impl OwnFile {
    fn own(&self, file: &str, entry: &Entry) -> Option<Own> {
        self.is_own(entry).then(|| Own { id: id(file, entry).into(), print: print(entry), given: given(entry) })
    }

    fn is_own(&self, entry: &Entry) -> bool {
        let narrowed = |allow: &Vec<String>| allow.iter().all(|phrase| entry.allow.contains(phrase));
        !self.shipped.get(&bare(entry)).is_some_and(|alike| alike.iter().any(narrowed))
    }
}

impl OwnRules {
    /// Compares the lists, and what they were read as, with those that ship.
    pub fn of(lists: &Lists, documents: &[Document]) -> Self {
        let shipped_lists = Lists::shipped();
        let shipped: HashMap<&str, &str> = shipped_lists.iter().map(|(name, text)| (&**name, text)).collect();
        let texts: HashMap<&str, &str> = lists.iter().map(|(name, text)| (&**name, text)).collect();
        let edited = documents.iter().filter(|d| !d.is_beneath() && shipped.get(&*d.file) != texts.get(&*d.file));
        let file = |document: &Document| {
            let ships = shipped.get(&*document.file).and_then(|text| Document::parse(&document.file, text).ok());
            let mut own = OwnFile {
                entries: document.entries().cloned().collect(),
                shipped: HashMap::new(),
                words: HashSet::new(),
            };
            for entry in ships.iter().flat_map(Document::entries) {
                own.shipped.entry(bare(entry)).or_default().push(entry.allow.clone());
                own.words.insert(entry.pattern.to_string());
            }
            own
        };
        Self(edited.map(|document| (document.file.clone(), file(document))).collect())
    }

    /// Some rule of the file is not as it ships.
    pub fn has(&self, file: &str) -> bool {
        self.0.contains_key(file)
    }

    /// The rule at a place (`ads/own.txt:12`), if it is not as it ships.
    pub fn at(&self, place: &str) -> Option<Own> {
        let (file, line, nth) = lexicon::place(place)?;
        let own = self.0.get(file)?;
        let at = own.entries.partition_point(|entry| (entry.line, entry.nth) < (line, nth));
        own.own(file, own.entries.get(at).filter(|entry| (entry.line, entry.nth) == (line, nth))?)
    }

    /// The rule with an id.
    pub fn by_id(&self, wanted: &str) -> Option<Own> {
        let (file, own) = self.0.get_key_value(wanted.split_once('#')?.0)?;
        let entry = own.entries.iter().rev().find(|entry| id(file, entry) == wanted)?;
        own.own(file, entry)
    }

    /// Every one, by id.
    pub fn all(&self) -> Vec<Own> {
        let rules = |(file, own): (&Arc<str>, &OwnFile)| {
            own.entries.iter().filter_map(|e| own.own(file, e)).collect::<Vec<_>>()
        };
        let mut all: Vec<Own> = self.0.iter().flat_map(rules).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all.dedup_by(|a, b| a.id == b.id);
        all
    }

    /// Shipped entries that were edited and therefore only record again: the file, and the first of them, and how many.
    pub fn back_to_observation(&self) -> Vec<(&str, &Entry, usize)> {
        let mut files: Vec<(&str, &Entry, usize)> = self
            .0
            .keys()
            .filter_map(|file| {
                let back = |(entry, stage): &(&Entry, Stage)| *stage == Stage::Observe && self.is_edit(file, entry);
                let back: Vec<_> = self.in_file(file).filter(back).collect();
                Some((&**file, back.first()?.0, back.len()))
            })
            .collect();
        files.sort_by_key(|(file, ..)| *file);
        files
    }

    /// The entries of a file that are not as they ship, with the stage they begin at.
    pub fn in_file(&self, file: &str) -> impl Iterator<Item = (&Entry, Stage)> {
        let own = self.0.get(file).into_iter();
        own.flat_map(|own| {
            own.entries.iter().filter(|entry| own.is_own(entry)).map(|entry| (&**entry, begins_at(entry)))
        })
    }

    /// An entry has the words of one that ships, and is another one by now.
    pub fn is_edit(&self, file: &str, entry: &Entry) -> bool {
        self.0.get(file).is_some_and(|own| own.is_own(entry) && own.words.contains(&entry.pattern.to_string()))
    }

    /// The stage an entry begins at, if it is not as it ships.
    pub fn stage_of(&self, file: &str, entry: &Entry) -> Option<Stage> {
        self.0.get(file).filter(|own| own.is_own(entry)).map(|_| begins_at(entry))
    }

    /// The stages that rules have before anybody said a word about them.
    pub fn as_new(&self) -> impl Stages + '_ {
        AsNew(self)
    }
}

fn given(entry: &Entry) -> Option<Stage> {
    entry.stage_given.then_some(entry.stage)
}

/// A new word first only records, unless its list says something else.
fn begins_at(entry: &Entry) -> Stage {
    given(entry).unwrap_or(Stage::Observe)
}

struct AsNew<'a>(&'a OwnRules);

impl Stages for AsNew<'_> {
    fn stage(&self, _: &str, place: Option<&str>) -> Option<(Stage, Option<Arc<str>>)> {
        let own = self.0.at(place?)?;
        Some((own.stage(), None))
    }
}

fn id(file: &str, entry: &Entry) -> String {
    let words = entry.pattern.to_string();
    if words.chars().count() <= ID_CHARS {
        return format!("{file}#{words}");
    }
    let short: String = words.chars().take(ID_CHARS - 8).collect();
    format!("{file}#{short}…{:08x}", hash(&words) as u32)
}

/// Everything about an entry that changes what it finds or how much that weighs.
pub(super) fn print(entry: &Entry) -> u64 {
    print_with(entry, &entry.allow)
}

/// The same without the exceptions.
fn bare(entry: &Entry) -> u64 {
    print_with(entry, &[])
}

fn print_with(entry: &Entry, allow: &[String]) -> u64 {
    let Fields { rule, severity, points, expires, transforms, homophone, needs, .. } = &**entry;
    // What an entry without them had before there were any.
    let needs = if needs.is_empty() { String::new() } else { format!("\n{needs:?}") };
    hash(&format!(
        "{}\n{rule}\n{severity:?}\n{points:?}\n{expires:?}\n{allow:?}\n{transforms:?}\n{homophone:?}{needs}",
        entry.pattern
    ))
}

fn hash(text: &str) -> u64 {
    let hash = Sha256::digest(text.as_bytes());
    u64::from_be_bytes(hash[..8].try_into().expect("a hash has eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_is_not_own_and_what_is_added_or_edited_is() {
        let mut lists = Lists::shipped();
        let own = |lists: &Lists| OwnRules::of(lists, &lists.parse().unwrap());
        assert!(own(&lists).all().is_empty());
        let (name, text) = {
            let (name, text) = lists.iter().find(|(name, _)| &***name == "ads/contact.txt").unwrap();
            (name.to_string(), text.to_owned())
        };
        let edited = text.replacen("需要的加我\n", "需要的加我 | 分=2\n", 1);
        lists.insert(&name, format!("# 挪了一行\n{edited}\n新来的词\n"));
        lists.insert("ads/own.txt", "[阶段=执行]\n我们自己的词\n".to_owned());
        let own = own(&lists);
        let all = own.all();
        let ids: Vec<&str> = all.iter().map(|own| &*own.id).collect();
        assert_eq!(ids, ["ads/contact.txt#新来的词", "ads/contact.txt#需要的加我", "ads/own.txt#我们自己的词"]);
        assert_eq!(own.at("ads/own.txt:2").unwrap().given, Some(Stage::Enforce));
        assert_eq!(own.by_id("ads/contact.txt#新来的词").unwrap().given, None);
    }

    #[test]
    fn an_exception_only_narrows_and_keeps_the_stage() {
        let mut lists = Lists::shipped();
        let text = lists.iter().find(|(name, _)| &***name == "ads/contact.txt").unwrap().1.to_owned();
        for (edit, own) in [("允许=客户需要的加我", false), ("允许=客户需要的加我 | 分=2", true)] {
            lists.insert("ads/contact.txt", text.replacen("需要的加我\n", &format!("需要的加我 | {edit}\n"), 1));
            let documents = lists.parse().unwrap();
            let rules = OwnRules::of(&lists, &documents);
            assert_eq!(rules.all().len(), usize::from(own), "{edit}");
            let document = documents.iter().find(|document| &*document.file == "ads/contact.txt").unwrap();
            let entry = document.entries().find(|entry| entry.pattern.to_string() == "需要的加我").unwrap();
            assert_eq!(rules.is_edit("ads/contact.txt", entry), own, "{edit}");
        }
    }
}
