//! What stands beside the chat for somebody who sees it for the first time: what to do as whom, word for word, and a tick where
//! it was done. Whoever runs a bot beside the simulator writes the steps ([`super::Handle::guide`]).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{state::State, view};

/// Beside the chat.
#[derive(Clone, Debug, Default)]
pub struct Tour {
    /// Where the guide and the bot's own pages are.
    pub back: String,
    /// How the bot works in each group, as people read it.
    pub modes: BTreeMap<String, String>,
    /// In order.
    pub steps: Vec<Step>,
}

/// One thing to do.
#[derive(Clone, Debug)]
pub struct Step {
    /// For people.
    pub text: String,
    /// As whom; empty if that does not matter.
    pub who: String,
    /// In which conversation: a group's id, `~app` or `~bot`.
    pub chat: String,
    /// What to send; empty if something else is to be done.
    pub say: String,
    /// How it is known that it was done.
    pub done: Seen,
}

/// What can be seen once a step was done.
#[derive(Clone, Debug)]
pub enum Seen {
    /// So many lines of a group have all these words.
    Group {
        /// Its id.
        group: String,
        /// Who said it; empty for anybody, and for what WeCom says itself.
        by: String,
        /// All of them.
        words: Vec<String>,
        /// At least so many lines.
        lines: usize,
    },
    /// Somebody was told so in private, in a message or on a card.
    Told {
        /// Their id.
        person: String,
        /// All of them.
        words: Vec<String>,
    },
}

impl Seen {
    fn is_there(&self, state: &State) -> bool {
        match self {
            Self::Group { group, by, words, lines } => {
                let said = state.groups.get(group).into_iter().flat_map(|group| &group.lines);
                let said = said.filter(|line| by.is_empty() || line.from.as_ref() == Some(by));
                said.filter(|line| words.iter().all(|word| line.text.contains(word))).count() >= *lines
            }
            Self::Told { person, words } => view::inbox(state, person).into_iter().any(|item| {
                let text = item.to_string();
                item["mine"] == false && words.iter().all(|word| text.contains(word))
            }),
        }
    }
}

impl Tour {
    /// For the page; steps that were done say so.
    pub(super) fn shown(&self, state: &State) -> Value {
        let steps = self.steps.iter().map(|step| {
            let Step { text, who, chat, say, done } = step;
            json!({ "text": text, "who": who, "chat": chat, "say": say, "done": done.is_there(state) })
        });
        json!({ "back": self.back, "modes": self.modes, "steps": steps.collect::<Vec<_>>() })
    }
}
