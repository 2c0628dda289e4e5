//! What can be asked of the chat platform: tell, announce, show a card, read a group, take somebody out or bring them back.
//! [`wecom`] does it through WeCom's API, [`dry_run`] only says what it would have done; tests use their own.

pub mod dry_run;
pub mod wecom;

use async_trait::async_trait;
use serde_json::Value;

use crate::{
    groups::{Group, GroupState},
    model::{MemberId, Timestamp},
};

/// A private message to one or more people of the company.
#[derive(Clone, Debug, PartialEq)]
pub enum Private {
    /// Plain words.
    Text(String),
    /// A `template_card` object.
    Card(Value),
}

/// How sending went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Nobody of that name, or outside the app's visible range.
    pub unreachable: Vec<MemberId>,
    /// For updating the card once.
    pub response_code: Option<String>,
}

/// Why the platform did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// Worth another try with backoff.
    #[error("{0}")]
    Retry(String),
    /// Worth another try, not before then (rate limits).
    #[error("wait until {until}: {reason}")]
    Wait {
        /// Not before.
        until: Timestamp,
        /// For people.
        reason: String,
    },
    /// Somebody has to change the configuration (WeCom's or ours) first.
    #[error("configuration: {0}")]
    Configuration(String),
    /// No try will ever succeed.
    #[error("final: {0}")]
    Final(String),
}

/// What a change of members came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// WeCom did it.
    Done,
    /// There was nothing to do any more (left the company, already out).
    Gone,
    /// The group is full; a person has to help.
    Full,
}

/// The platform, as far as the product needs it. Errors come sorted by what to do about them: see [`PlatformError`].
#[async_trait]
pub trait Platform: Send + Sync + 'static {
    /// Sends a private message, metered so that WeCom drops nothing silently.
    async fn tell(&self, to: &[MemberId], message: &Private, now: Timestamp) -> Result<Sent, PlatformError>;
    /// Rings people's phones, where the company has bought that. Answers who cannot be rung.
    async fn ring(&self, people: &[MemberId], now: Timestamp) -> Result<Vec<MemberId>, PlatformError>;
    /// Says something to a group, where a way exists.
    async fn announce(&self, group: &Group, text: &str, now: Timestamp) -> Result<(), PlatformError>;
    /// Puts a card with buttons into a group that lets the bot speak; `false` where there is no way. Only the bot's cards in
    /// groups can be changed, and only when somebody presses a button.
    async fn group_card(&self, group: &Group, card: &Value, now: Timestamp) -> Result<bool, PlatformError>;
    /// Reads who is in the group now. `None` where no API tells.
    async fn read_group(&self, group: &Group, now: Timestamp) -> Result<Option<GroupState>, PlatformError>;
    /// Takes a member out of a group that the app created.
    async fn remove_member(&self, group: &Group, member: &MemberId, now: Timestamp) -> Result<Moved, PlatformError>;
    /// Brings a member back into a group that the app created.
    async fn add_member(&self, group: &Group, member: &MemberId, now: Timestamp) -> Result<Moved, PlatformError>;
    /// Changes a card that was sent; a code works once.
    async fn update_card(
        &self,
        response_code: &str,
        to: &[MemberId],
        card: &Value,
        now: Timestamp,
    ) -> Result<(), PlatformError>;
}
