//! `dry_run`: nothing leaves the house. What would have been said or done is a line in the log; reading goes on.

use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use serde_json::Value;

use super::{
    JobError,
    hands::{Hands, Moved, Private, Sent},
};
use crate::{
    capability::Capabilities,
    groups::{Group, Learned},
    model::{MemberId, Timestamp},
};

/// Hands that do nothing while the settings say so.
pub struct Rehearsal {
    /// The real ones.
    pub hands: Arc<dyn Hands>,
    /// Whether it is a rehearsal now.
    pub capabilities: Arc<ArcSwap<Capabilities>>,
}

impl Rehearsal {
    fn is_on(&self, what: &str, group: Option<&Group>, to: &[MemberId]) -> bool {
        let on = self.capabilities.load().dry_run;
        if on {
            let group = group.map(|group| group.id().as_str()).unwrap_or_default();
            tracing::info!(what, group, ?to, "rehearsal: not done");
        }
        on
    }
}

#[async_trait]
impl Hands for Rehearsal {
    async fn tell(&self, to: &[MemberId], message: &Private, now: Timestamp) -> Result<Sent, JobError> {
        if self.is_on("tell", None, to) {
            return Ok(Sent::default());
        }
        self.hands.tell(to, message, now).await
    }
    async fn announce(&self, group: &Group, text: &str, now: Timestamp) -> Result<(), JobError> {
        if self.is_on("announce", Some(group), &[]) {
            return Ok(());
        }
        self.hands.announce(group, text, now).await
    }
    async fn group_card(&self, group: &Group, card: &Value, now: Timestamp) -> Result<bool, JobError> {
        if self.is_on("put a card", Some(group), &[]) {
            return Ok(false);
        }
        self.hands.group_card(group, card, now).await
    }
    async fn read_group(&self, group: &Group, now: Timestamp) -> Result<Option<Learned>, JobError> {
        self.hands.read_group(group, now).await
    }
    async fn take_out(&self, group: &Group, member: &MemberId, now: Timestamp) -> Result<Moved, JobError> {
        if self.is_on("take out", Some(group), std::slice::from_ref(member)) {
            return Ok(Moved::Gone);
        }
        self.hands.take_out(group, member, now).await
    }
    async fn bring_back(&self, group: &Group, member: &MemberId, now: Timestamp) -> Result<Moved, JobError> {
        if self.is_on("bring back", Some(group), std::slice::from_ref(member)) {
            return Ok(Moved::Gone);
        }
        self.hands.bring_back(group, member, now).await
    }
    async fn update_card(
        &self,
        response_code: &str,
        to: &[MemberId],
        card: &Value,
        now: Timestamp,
    ) -> Result<(), JobError> {
        if self.is_on("update a card", None, to) {
            return Ok(());
        }
        self.hands.update_card(response_code, to, card, now).await
    }
}
