//! What is wrong with a message, and why: the findings that `scan --explain` prints. Nothing here acts.
//!
//! A [`Detector`] is immutable and swapped as a whole when lists or settings change. What needs memory of earlier
//! messages (flood, repetition, campaigns, a word spread over several messages) lives in [`History`].

pub mod addresses;
pub mod budget;
pub mod contact;
pub mod contents;
pub mod context;
pub mod detector;
pub mod disguise;
mod edges;
pub mod evaluate;
mod expressions;
pub mod history;
pub mod index;
pub mod kinds;
pub mod leaks;
pub mod learned;
pub mod lexicon;
pub mod links;
pub mod lint;
mod mash;
pub mod matcher;
pub mod names;
mod near;
pub mod own;
pub mod prices;
pub mod repeated;
pub mod restore;
pub mod score;
mod spelled;
mod symbols;
pub mod talk;
pub mod view;

pub use detector::{ContentRules, Detector, Mistakes, Settings};
pub use history::History;
pub use lexicon::{ListError, Lists};

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::model::{Attachment, Category, GroupId, MemberId, Role, Severity, Stage, Timestamp};
use crate::text::Transform;

/// What the detector concludes, before any policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing worth a look.
    #[default]
    Clean,
    /// A human should look.
    Review,
    /// Over the acting threshold.
    Act,
}

/// One hit: which rule, where, what was really typed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// `category/name`, stable: `ads/contact-drop`.
    pub rule: Arc<str>,
    /// What it is about.
    pub category: Category,
    /// How bad.
    pub severity: Severity,
    /// Points toward the thresholds; 0 for parts that only explain.
    pub score: f32,
    /// First character, counted in Unicode scalar values of the words and, after them, the names and titles of attachments and
    /// what was read in pictures.
    pub start: usize,
    /// One past the last character.
    pub end: usize,
    /// What was typed there.
    pub original: String,
    /// What it was read as.
    pub normalized: String,
    /// The steps that led there; empty for plain text.
    pub transforms: Vec<Transform>,
    /// Life stage of the rule: `observe` records only, `pilot` is for a human only.
    pub stage: Stage,
    /// The wordlist entry or detail behind it (`ads/contact.txt:12`), for admins; never shown in a warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Arc<str>>,
    /// Why it is never enough to act on by itself: a reported, quoted … word that a person should look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<context::Reason>,
    /// Whose record of hits and verdicts it counts towards, if not that of its `rule`; set only while the bot runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life: Option<Arc<str>>,
}

impl Finding {
    /// Known only by sound or by what an emoji stands for: never enough to act on alone. A known alias (薇 for 微信) is
    /// as good as the word.
    pub fn is_soft(&self) -> bool {
        self.transforms.iter().any(|t| matches!(t, Transform::Homophone | Transform::Emoji | Transform::Masked))
            && !self.transforms.contains(&Transform::Alias)
    }
}

/// At which stage a rule is, where that is more than its list says.
pub trait Stages {
    /// The stage and the id of the record it comes from; `place` is the line of the list (`ads/contact.txt:12`), if the rule
    /// has one. `None` leaves what the list says.
    fn stage(&self, rule: &str, place: Option<&str>) -> Option<(Stage, Option<Arc<str>>)>;
}

/// A signal that looked and stayed silent, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silent {
    /// The signal.
    pub rule: Arc<str>,
    /// Why it did not fire, in Chinese.
    pub why: String,
}

/// Everything known about one message after the detector saw it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Conclusion.
    pub verdict: Verdict,
    /// Points of the strongest category.
    pub score: f32,
    /// Categories over the review threshold, strongest first.
    pub categories: Vec<Category>,
    /// Those of them over the acting threshold; the verdict is `act` exactly if there is one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acting: Vec<Category>,
    /// All hits, by position.
    pub findings: Vec<Finding>,
    /// Filled only when asked to explain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silent: Vec<Silent>,
    /// What it looks like beside earlier messages, and what is to be kept of it; only if it was compared with any.
    #[serde(skip)]
    pub seen: Option<history::Seen>,
}

/// A message as the detector sees it.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The sender's own words.
    pub text: &'a str,
    /// Links, files and other parts.
    pub attachments: &'a [Attachment],
    /// Where.
    pub group: &'a GroupId,
    /// Who.
    pub sender: &'a MemberId,
    /// The shown name, if known.
    pub sender_name: Option<&'a str>,
    /// The sender's role: staff may post what members may not.
    pub role: Role,
    /// When it was said.
    pub at: Timestamp,
    /// Ask for [`Report::silent`] too.
    pub explain: bool,
}

impl Input<'_> {
    /// Everything the sender says with the message: the own words first, then a line for each name and title that shows in
    /// the group. What is quoted or forwarded was said by somebody else.
    fn said(&self) -> Cow<'_, str> {
        let mut said = Cow::Borrowed(self.text);
        for attachment in self.attachments {
            let words = match attachment {
                Attachment::Link { title, .. } => title,
                Attachment::File { name, .. } => name,
                Attachment::RedPacket { wish } => wish,
                Attachment::Card { company, .. } => company,
                Attachment::Quote { .. }
                | Attachment::Forwarded { .. }
                | Attachment::Image { .. }
                | Attachment::Other { .. } => continue,
            };
            if !words.is_empty() {
                let all = said.to_mut();
                if !all.is_empty() {
                    all.push('\n');
                }
                all.push_str(words);
            }
        }
        said
    }
}
