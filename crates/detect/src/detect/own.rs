//! Which rules of the lists an admin added or edited: those that are not word for word in the lists that ship.
//!
//! Such a rule first only records (`policy::lifecycle`), unless its line or section says another stage. It is known by its
//! file and its words, so moving it to another line changes nothing; a changed weight, exception or expiry is an edit.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use super::lexicon::{Document, Entry, Lists};
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

/// All of them, by place (`ads/own.txt:12`).
#[derive(Clone, Debug, Default)]
pub struct OwnRules(HashMap<Arc<str>, Own>);

impl OwnRules {
    /// Compares the lists, and what they were read as, with those that ship.
    pub fn of(lists: &Lists, documents: &[Document]) -> Self {
        let shipped_lists = Lists::shipped();
        let shipped: HashMap<&str, &str> = shipped_lists.iter().map(|(name, text)| (&**name, text)).collect();
        let texts: HashMap<&str, &str> = lists.iter().map(|(name, text)| (&**name, text)).collect();
        let mut rules = HashMap::new();
        for document in documents.iter().filter(|d| shipped.get(&*d.file) != texts.get(&*d.file)) {
            let known: HashSet<u64> = shipped
                .get(&*document.file)
                .and_then(|text| Document::parse(&document.file, text).ok())
                .map(|shipped| shipped.entries().map(|entry| print(entry)).collect())
                .unwrap_or_default();
            for entry in document.entries() {
                let print = print(entry);
                if !known.contains(&print) {
                    let given = entry.stage_given.then_some(entry.stage);
                    let own = Own { id: id(&document.file, entry).into(), print, given };
                    rules.insert(Arc::from(format!("{}:{}", document.file, entry.line)), own);
                }
            }
        }
        Self(rules)
    }

    /// The rule at a place, if it is not as it ships.
    pub fn at(&self, place: &str) -> Option<&Own> {
        self.0.get(place)
    }
    /// The rule with an id.
    pub fn by_id(&self, id: &str) -> Option<&Own> {
        self.0.values().find(|own| &*own.id == id)
    }
    /// Every one, by id.
    pub fn all(&self) -> Vec<&Own> {
        let mut all: Vec<&Own> = self.0.values().collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all.dedup_by(|a, b| a.id == b.id);
        all
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
fn print(entry: &Entry) -> u64 {
    let Entry { rule, severity, points, expires, allow, transforms, homophone, .. } = entry;
    hash(&format!(
        "{}\n{rule}\n{severity:?}\n{points:?}\n{expires:?}\n{allow:?}\n{transforms:?}\n{homophone:?}",
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
        assert!(own(&lists).0.is_empty());
        let (name, text) = {
            let (name, text) = lists.iter().find(|(name, _)| &***name == "ads/contact.txt").unwrap();
            (name.to_string(), text.to_owned())
        };
        let edited = text.replacen("需要的加我\n", "需要的加我 | 分=2\n", 1);
        lists.insert(&name, format!("# 挪了一行\n{edited}\n新来的词\n"));
        lists.insert("ads/own.txt", "[阶段=执行]\n我们自己的词\n".to_owned());
        let own = own(&lists);
        let ids: Vec<&str> = own.all().iter().map(|own| &*own.id).collect();
        assert_eq!(ids, ["ads/contact.txt#新来的词", "ads/contact.txt#需要的加我", "ads/own.txt#我们自己的词"]);
        assert_eq!(own.at("ads/own.txt:2").unwrap().given, Some(Stage::Enforce));
        assert_eq!(own.by_id("ads/contact.txt#新来的词").unwrap().given, None);
    }
}
