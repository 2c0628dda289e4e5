//! By which names people mention the bot in a group: what the settings say (`[wecom.bot] names`), and what was seen when
//! somebody spoke to it. WeCom tells a program nowhere what its bot is called.

use std::collections::BTreeSet;

use parking_lot::RwLock;

/// More than so many are not learned.
const MOST: usize = 16;

/// The names, as they are compared.
#[derive(Debug, Default)]
pub struct BotNames {
    names: RwLock<BTreeSet<String>>,
}

impl BotNames {
    /// Adds a name.
    pub fn add(&self, name: &str) {
        let name = name.trim().to_lowercase();
        let mut names = self.names.write();
        if !name.is_empty() && names.len() < MOST {
            names.insert(name);
        }
    }

    /// Every name that is known, in lower case, the longest first.
    pub fn known(&self) -> Vec<String> {
        let mut names: Vec<String> = self.names.read().iter().cloned().collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        names
    }
}
