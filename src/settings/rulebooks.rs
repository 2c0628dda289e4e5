//! The rulebooks as the config folder and the program have them.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Problem, Settings,
    files::{Kind, Text},
    policies::in_file,
};
use crate::policy::rulebook::Rulebook;

impl Settings {
    /// Every rulebook by name. All that is wrong in all files at once.
    pub fn rulebooks(&self) -> Result<BTreeMap<String, Arc<Rulebook>>, Vec<Problem>> {
        let mut rulebooks = BTreeMap::new();
        let mut problems = Vec::new();
        for text in self.files.read_all(Kind::Rulebook)? {
            match Self::rulebook(&text) {
                Ok(rulebook) => {
                    rulebooks.insert(text.name, Arc::new(rulebook));
                }
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(rulebooks) } else { Err(problems) }
    }

    /// One rulebook.
    pub fn rulebook(text: &Text) -> Result<Rulebook, Vec<Problem>> {
        Rulebook::parse(&text.name, &text.text).map_err(|faults| in_file(&text.shown, &faults))
    }
}
