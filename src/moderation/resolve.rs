//! Where a message was said and by whom, under the ids and names that are used everywhere.

use std::sync::Arc;

use tracing::warn;

use super::Moderation;
use crate::{
    groups::Group,
    model::{GroupId, Message},
    store::StoreError,
};

impl Moderation {
    /// The group under the id used everywhere, and the sender's name where the channel did not tell it.
    pub(super) fn place(&self, message: &mut Message) {
        message.group = self.groups.resolve(&message.group);
        if message.sender_name.is_none() && !message.group.as_str().is_empty() {
            let group = self.groups.get(&message.group);
            message.sender_name = group.known_name(&message.sender).map(str::to_owned);
        }
    }

    /// The group, from now on known if it was not.
    pub(super) async fn group_heard_of(&self, id: &GroupId) -> Result<Arc<Group>, StoreError> {
        let group = self.groups.get(id);
        if self.groups.register_if_new(&group).await? {
            warn!(
                "a group that is not in the settings is only watched; to keep it in order, add: [[group]] id = \"{id}\", mode = \"assisted\""
            );
        }
        Ok(group)
    }
}
