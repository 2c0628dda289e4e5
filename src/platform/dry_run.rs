//! `dry_run`: nothing is sent. What would have been said or done is a line in the log; reading goes on.

use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use serde_json::Value;

use super::{Moved, Platform, PlatformError, Private, Sent};
use crate::{
    capability::Capabilities,
    groups::{Group, GroupState},
    model::{MemberId, Timestamp},
};

/// A platform on which nothing is done while the settings say so.
pub struct DryRun {
    /// The real one.
    pub platform: Arc<dyn Platform>,
    /// Whether `dry_run` is on now.
    pub capabilities: Arc<ArcSwap<Capabilities>>,
}

impl DryRun {
    fn is_on(&self, what: &str, group: Option<&Group>, to: &[MemberId]) -> bool {
        let on = self.capabilities.load().dry_run;
        if on {
            let group = group.map(|group| group.id().as_str()).unwrap_or_default();
            tracing::info!(what, group, ?to, "dry run: not done");
        }
        on
    }
}

#[async_trait]
impl Platform for DryRun {
    async fn tell(&self, to: &[MemberId], message: &Private, now: Timestamp) -> Result<Sent, PlatformError> {
        if self.is_on("tell", None, to) {
            return Ok(Sent::default());
        }
        self.platform.tell(to, message, now).await
    }
    async fn ring(&self, people: &[MemberId], now: Timestamp) -> Result<Vec<MemberId>, PlatformError> {
        if self.is_on("ring", None, people) {
            return Ok(Vec::new());
        }
        self.platform.ring(people, now).await
    }
    async fn announce(&self, group: &Group, text: &str, now: Timestamp) -> Result<(), PlatformError> {
        if self.is_on("announce", Some(group), &[]) {
            return Ok(());
        }
        self.platform.announce(group, text, now).await
    }
    async fn group_card(&self, group: &Group, card: &Value, now: Timestamp) -> Result<bool, PlatformError> {
        if self.is_on("put a card", Some(group), &[]) {
            return Ok(false);
        }
        self.platform.group_card(group, card, now).await
    }
    async fn read_group(&self, group: &Group, now: Timestamp) -> Result<Option<GroupState>, PlatformError> {
        self.platform.read_group(group, now).await
    }
    async fn remove_member(&self, group: &Group, member: &MemberId, now: Timestamp) -> Result<Moved, PlatformError> {
        if self.is_on("take out", Some(group), std::slice::from_ref(member)) {
            return Ok(Moved::Gone);
        }
        self.platform.remove_member(group, member, now).await
    }
    async fn add_member(&self, group: &Group, member: &MemberId, now: Timestamp) -> Result<Moved, PlatformError> {
        if self.is_on("bring back", Some(group), std::slice::from_ref(member)) {
            return Ok(Moved::Gone);
        }
        self.platform.add_member(group, member, now).await
    }
    async fn update_card(
        &self,
        response_code: &str,
        to: &[MemberId],
        card: &Value,
        now: Timestamp,
    ) -> Result<(), PlatformError> {
        if self.is_on("update a card", None, to) {
            return Ok(());
        }
        self.platform.update_card(response_code, to, card, now).await
    }
}
