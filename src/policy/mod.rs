//! What follows from a finding: the ladder an owner can read. Pure: no clock, no randomness, no I/O.
//!
//! [`decide`] takes the group's [`Policy`], the member's [`Standing`], the facts of one message and the present, and
//! answers a [`Decision`]; `moderation` stores it and turns it into tasks.

use serde::{Deserialize, Serialize};

use crate::model::{CaseId, Category, Severity, Timestamp};

/// One recorded violation that still counts until it expires or is revoked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Strike {
    /// The case it belongs to.
    pub case: CaseId,
    /// When the message was said.
    pub at: Timestamp,
    /// When it stops counting.
    pub expires_at: Timestamp,
    /// Its weight.
    pub points: u32,
    /// What it was for.
    pub category: Category,
    /// How bad it was.
    pub severity: Severity,
    /// Taken back by an admin or an appeal.
    #[serde(default)]
    pub revoked: bool,
}

/// Whether a member may speak.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum MemberState {
    /// In the group.
    #[default]
    Normal,
    /// Out of the conversation until then.
    Muted {
        /// When it ends.
        until: Timestamp,
    },
    /// Removed; may come back if somebody invites them.
    Removed,
    /// Removed for good, in sister groups too where the policy says so.
    Banned,
}

/// All that the ladder needs to know of one member in one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Every strike not yet pruned, oldest first.
    pub strikes: Vec<Strike>,
    /// May they speak?
    pub state: MemberState,
    /// First message seen or join time, whichever was first: newcomers are judged by it.
    pub since: Option<Timestamp>,
    /// Messages seen so far.
    pub messages: u64,
    /// Categories in which the first-ever hint was already given.
    #[serde(default)]
    pub hinted: Vec<Category>,
}

impl Standing {
    /// Points that count at `now`.
    pub fn live_points(&self, now: Timestamp) -> u32 {
        self.live_strikes(now).map(|s| s.points).sum()
    }
    /// Strikes that count at `now`.
    pub fn live_strikes(&self, now: Timestamp) -> impl Iterator<Item = &Strike> {
        self.strikes.iter().filter(move |s| !s.revoked && s.expires_at > now)
    }
}
