//! A notice: what was ordered, its life, its history.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{deadline::Deadline, fine::Fine};
use crate::{
    acknowledgement,
    model::{GroupId, MemberId, Timestamp, named_enum},
};

/// No vowels, no look-alikes: nothing to misread aloud.
const ALPHABET: &[u8; 24] = b"23456789BCDFGHJKMNPQRTWX";

/// Characters of the shortest id.
const SHORTEST: usize = 4;

named_enum! {
    /// Where a notice stands.
    pub enum State {
        /// Written, nobody has seen it.
        Draft = "draft", "草稿";
        /// A second person has read it.
        Reviewed = "reviewed", "已审核";
        /// Will be sent at a time.
        Scheduled = "scheduled", "待发送";
        /// Only shown, never stored: sent, and not there yet with everybody.
        Sending = "sending", "发送中";
        /// Sent; people answer.
        Sent = "sent", "进行中";
        /// The deadline is over and its outcome was told.
        Closed = "closed", "已截止";
        /// Taken back.
        Cancelled = "cancelled", "已取消";
    }
}

named_enum! {
    /// What becomes of somebody who joins one of the groups after sending.
    pub enum Joiners {
        /// They need not answer.
        Ignore = "ignore", "后来的人不用回执";
        /// They must answer in the same time, counted from their joining.
        Include = "include", "后来的人也要回执";
    }
}

named_enum! {
    /// What becomes of somebody who leaves the last of the notice's groups.
    pub enum Leavers {
        /// They need not answer any more.
        Drop = "drop", "退群的人不再计入";
        /// They must answer nevertheless.
        Keep = "keep", "退群的人仍要回执";
    }
}

/// A link below the text; attachments are links too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// What it is.
    pub title: String,
    /// Where it leads, `https://…`.
    pub url: String,
}

/// A question that shows whether the notice was read: without the right answer there is no acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The question.
    pub question: String,
    /// Two to five answers; they become the buttons.
    pub answers: Vec<String>,
    /// Position of the right one, from 0.
    pub right: usize,
}

/// When a notice is sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "every", rename_all = "snake_case", deny_unknown_fields)]
pub enum Repeat {
    /// Every day.
    Day,
    /// Every working day.
    Workday,
    /// Every week, on the weekday of the first sending.
    Week,
    /// Every month, on the day of the first sending (or the month's last).
    Month,
}

impl Repeat {
    /// The Chinese name.
    pub fn zh(&self) -> &'static str {
        match self {
            Self::Day => "每天",
            Self::Workday => "每个工作日",
            Self::Week => "每周",
            Self::Month => "每月",
        }
    }
}

/// What somebody wants to publish; the body of `POST /api/v1/notices`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// What people read.
    pub text: String,
    /// Links below it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Everybody in these groups.
    #[serde(default)]
    pub groups: Vec<GroupId>,
    /// Everybody in these departments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub departments: Vec<String>,
    /// These people besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberId>,
    /// By when.
    pub deadline: Deadline,
    /// Accepted words; empty: [`acknowledgement::DEFAULT_ACCEPT`].
    #[serde(default)]
    pub accept: Vec<String>,
    /// A question to confirm reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Confirm>,
    /// Reminders to those missing, at these percent of the time.
    #[serde(default = "half_and_nine_tenths")]
    pub reminders: Vec<u8>,
    /// Who gets the whole list after the deadline; each person's superior gets their own part besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalate_to: Vec<MemberId>,
    /// Who accepts or refuses explanations; empty: those of `escalate_to`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<MemberId>,
    /// A person's leave and shifts stop the running of a deadline that is a duration.
    #[serde(default)]
    pub stop_for_leave: bool,
    /// Rule for joiners.
    #[serde(default = "ignore")]
    pub joiners: Joiners,
    /// Rule for leavers.
    #[serde(default = "drop_leavers")]
    pub leavers: Leavers,
    /// Not before then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_at: Option<Timestamp>,
    /// Again and again from the first sending on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// Counts money for late answers; absent: only lateness is recorded. See [`super::fine::FINE_WARNING`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine: Option<Fine>,
    /// Must be read by a second person before it is sent.
    #[serde(default)]
    pub review: bool,
    /// Its author must acknowledge it, too; by default they need not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub author_acknowledges: bool,
}

fn half_and_nine_tenths() -> Vec<u8> {
    vec![50, 90]
}
fn ignore() -> Joiners {
    Joiners::Ignore
}
fn drop_leavers() -> Leavers {
    Leavers::Drop
}

impl Draft {
    /// A notice with every setting at its default.
    pub fn new(text: &str, groups: &[&str], deadline: Deadline) -> Self {
        Self {
            text: text.to_owned(),
            links: Vec::new(),
            groups: groups.iter().map(GroupId::new).collect(),
            departments: Vec::new(),
            members: Vec::new(),
            deadline,
            accept: Vec::new(),
            confirm: None,
            reminders: half_and_nine_tenths(),
            escalate_to: Vec::new(),
            approvers: Vec::new(),
            stop_for_leave: false,
            joiners: Joiners::Ignore,
            leavers: Leavers::Drop,
            send_at: None,
            repeat: None,
            fine: None,
            review: false,
            author_acknowledges: false,
        }
    }
    /// The accepted words in force.
    pub fn accepted(&self) -> Vec<String> {
        if self.accept.is_empty() {
            acknowledgement::DEFAULT_ACCEPT.iter().map(|word| (*word).to_owned()).collect()
        } else {
            self.accept.clone()
        }
    }
    /// Who decides about explanations.
    pub fn deciders(&self) -> &[MemberId] {
        if self.approvers.is_empty() { &self.escalate_to } else { &self.approvers }
    }
}

/// One line of a history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who: a member id, `bot`, or an API token's name.
    pub by: String,
    /// What, in Chinese.
    pub what: String,
}

impl Event {
    /// One line.
    pub fn new(at: Timestamp, by: &str, what: impl Into<String>) -> Self {
        Self { at, by: by.to_owned(), what: what.into() }
    }
}

/// A stored notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// As people say it: `8F2K`; a repeated one adds its date: `8F2K-261123`.
    pub id: String,
    /// What was ordered.
    pub what: Draft,
    /// Who ordered it.
    pub by: String,
    /// When.
    pub created: Timestamp,
    /// Who has reviewed it.
    #[serde(default)]
    pub reviewed_by: Option<String>,
    /// Where it stands.
    pub state: State,
    /// When it was sent.
    #[serde(default)]
    pub sent: Option<Timestamp>,
    /// The common deadline.
    #[serde(default)]
    pub due: Option<Timestamp>,
    /// The last of everybody's deadlines.
    #[serde(default)]
    pub last_due: Option<Timestamp>,
    /// Number of buckets of its roll.
    #[serde(default)]
    pub buckets: u32,
    /// Its clock runs from its delivery; not so for those of earlier versions.
    #[serde(default)]
    pub tracks_delivery: bool,
    /// When it was typed into its group by hand; it is not said there again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Timestamp>,
    /// Who answered such a one before it was followed, and when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub early: BTreeMap<MemberId, Timestamp>,
    /// What happened since, oldest first.
    #[serde(default)]
    pub history: Vec<Event>,
}

impl Notice {
    /// Typed by hand, and nobody has said yet whether it is to be followed.
    pub const fn waits_for_tap(&self) -> bool {
        matches!(self.state, State::Draft) && self.said.is_some()
    }
    /// The group its tasks are counted to: its first, or none.
    pub fn home(&self) -> GroupId {
        self.what.groups.first().cloned().unwrap_or_else(|| GroupId::from(""))
    }
    /// It goes out once a second person has read it.
    pub const fn waits_for_review(&self) -> bool {
        matches!(self.state, State::Draft) && self.what.review
    }
    /// The first words, for lists and cards.
    pub fn summary(&self, characters: usize) -> String {
        let line = self.what.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
        if line.chars().count() <= characters {
            line.to_owned()
        } else {
            line.chars().take(characters.saturating_sub(1)).chain(['…']).collect()
        }
    }
}

/// Whether a word can be a notice's number, as people write it: `8F2K`, `#8f2k`, `8F2K-261123`. Other words and sums are
/// written with letters and digits that no number has.
pub fn is_id(word: &str) -> bool {
    let word = word.trim_start_matches('#');
    let (letters, date) = word.split_once('-').unwrap_or((word, "0"));
    letters.len() >= SHORTEST
        && letters.bytes().all(|byte| ALPHABET.contains(&byte.to_ascii_uppercase()))
        && !date.is_empty()
        && date.bytes().all(|byte| byte.is_ascii_digit())
}

/// Candidates for a new notice's id, from short to long; the first free one is taken.
pub fn id_candidates(by: &str, at: Timestamp, text: &str) -> impl Iterator<Item = String> {
    let hash = Sha256::digest(format!("{by}\n{}\n{text}", at.as_nanosecond()).as_bytes());
    let letters: Vec<u8> = hash.iter().map(|byte| ALPHABET[usize::from(*byte) % ALPHABET.len()]).collect();
    (SHORTEST..=letters.len()).map(move |len| String::from_utf8_lossy(&letters[..len]).into_owned())
}
