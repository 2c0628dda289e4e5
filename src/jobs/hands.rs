//! What jobs can ask of WeCom, in the words of the house. `wecom_hands` does it through the API; tests use their own.

use async_trait::async_trait;
use serde_json::Value;

use super::JobError;
use crate::{
    groups::{Group, Learned},
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

/// WeCom, as far as a job needs it. Errors come classified: see [`JobError`].
#[async_trait]
pub trait Hands: Send + Sync + 'static {
    /// Sends a private message, metered so that WeCom drops nothing silently.
    async fn tell(&self, to: &[MemberId], message: &Private, now: Timestamp) -> Result<Sent, JobError>;
    /// Says something to a group, where a way exists.
    async fn announce(&self, group: &Group, text: &str, now: Timestamp) -> Result<(), JobError>;
    /// Puts a card with buttons into a group that lets the bot speak; `false` where there is no way. Only the bot's cards in
    /// groups can be changed, and only when somebody presses a button.
    async fn group_card(&self, group: &Group, card: &Value, now: Timestamp) -> Result<bool, JobError>;
    /// Reads who is in the group now. `None` where no API tells.
    async fn read_group(&self, group: &Group, now: Timestamp) -> Result<Option<Learned>, JobError>;
    /// Takes a member out of a group that the app created.
    async fn take_out(&self, group: &Group, member: &MemberId, now: Timestamp) -> Result<Moved, JobError>;
    /// Brings a member back into a group that the app created.
    async fn bring_back(&self, group: &Group, member: &MemberId, now: Timestamp) -> Result<Moved, JobError>;
    /// Changes a card that was sent; a code works once.
    async fn update_card(
        &self,
        response_code: &str,
        to: &[MemberId],
        card: &Value,
        now: Timestamp,
    ) -> Result<(), JobError>;
}
