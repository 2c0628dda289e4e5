//! What notices want said: payloads of the tasks that `jobs` executes.
//!
//! | kind | payload | reaches |
//! |---|---|---|
//! | `notice.tell` | [`Tell`] | people, in private, up to [`RECEIVERS`] a task |
//! | `announce` | [`Announce`] | the group in [`Task::group`] |
//! | `notice.card` | [`Counter`] | the group in [`Task::group`], where the bot may speak; elsewhere it is done at once |

use serde::{Deserialize, Serialize};

use crate::{
    model::{GroupId, MemberId, Timestamp, named_enum},
    store::Task,
    tasks::{self, Announce, Kind, Payload},
};

/// Most receivers of one task, as of one `message/send`.
pub const RECEIVERS: usize = 1000;

/// A button of a private card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    /// At most ten characters.
    pub text: String,
    /// Comes back with the click; [`super::Notices::press`] takes it.
    pub key: String,
}

named_enum! {
    /// Which of a notice's messages.
    pub enum Words {
        /// The whole text, before a card that cannot hold it.
        Whole = "whole", "全文";
        /// The card.
        Card = "card", "卡片";
        /// A reminder.
        Reminder = "reminder", "提醒";
    }
}

/// What a private message is to a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which notice.
    pub notice: String,
    /// Which of its messages.
    pub words: Words,
    /// The deadline of those it was planned for.
    pub due: Timestamp,
}

/// A private message, the same for all its receivers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tell {
    /// Who reads it.
    pub to: Vec<MemberId>,
    /// The whole message; a card shows it below its title.
    pub text: String,
    /// Title of the card; empty for a plain text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Buttons of the card.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
    /// What it is to a notice: its words and its readers are those of the moment at which it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// The one card of a notice in a group. WeCom lets it be changed only when somebody presses its button; it shows the count of
/// that moment then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// Which notice.
    pub notice: String,
    /// Shown title.
    pub title: String,
    /// Shown words, with the count.
    pub text: String,
    /// How many have answered.
    pub acknowledged: usize,
    /// Of how many; the excused are left out.
    pub required: usize,
    /// The button to acknowledge.
    pub button: Button,
}

impl Payload for Tell {
    const KIND: Kind = Kind::NoticeTell;
}
impl Payload for Counter {
    const KIND: Kind = Kind::NoticeCard;
}

impl Tell {
    /// A plain text.
    pub fn text(to: Vec<MemberId>, text: String) -> Self {
        Self { to, text, title: String::new(), buttons: Vec::new(), part: None }
    }
}

/// Tasks telling people; more receivers than one call takes make several.
pub fn tell(id: &str, home: &GroupId, now: Timestamp, message: &Tell) -> Vec<Task> {
    message
        .to
        .chunks(RECEIVERS)
        .enumerate()
        .map(|(index, to)| {
            let id = if index == 0 { id.to_owned() } else { format!("{id}/{index}") };
            let part = Tell { to: to.to_vec(), ..message.clone() };
            tasks::task(id, home, now, &part)
        })
        .collect()
}

/// A task saying something to a group.
pub fn announce(id: &str, group: &GroupId, now: Timestamp, text: String) -> Task {
    tasks::task(id, group, now, &Announce { text, notice: String::new() })
}

/// A task reading a notice out to a group, in the words of the moment at which it is said.
pub fn read_out(id: &str, group: &GroupId, now: Timestamp, notice: &str) -> Task {
    tasks::task(id, group, now, &Announce { text: String::new(), notice: notice.to_owned() })
}
