//! The names that people carry: an advert in a nickname, or the name of the owner, an admin or a colleague on somebody else.
//!
//! A name is judged when it is new: its bearer joins or changes it, or speaks for the first time under it. What is found is a
//! case about the name, never about a message, and the same name never makes a second one. Whoever was there before the bot
//! came is looked at when they first speak.

use sha2::{Digest, Sha256};

use super::{Hearing, Manner, Moderation};
use crate::{
    detect::Report,
    groups::Group,
    in_force::InForce,
    model::{Channel, GroupId, GroupKind, MemberId, Message, MessageId, Role, Timestamp},
    store::{StoreError, transaction::transact},
};

/// Names shorter than this are everybody's.
const SHORTEST: usize = 2;

impl Moderation {
    /// Judges the name that a member of a group is known by now, if it is new.
    pub async fn see_name(&self, group: &GroupId, member: &MemberId, at: Timestamp) -> Result<(), StoreError> {
        let group = self.groups.get(group);
        let Some(name) = group.known_name(member) else { return Ok(()) };
        let carried = carried(&group, member, name, at);
        let _turn = self.sender_locks.enter(&carried).await;
        self.name_seen(&self.rules.get_full(), &group, carried).await
    }

    /// The same for the name under which somebody speaks; their turn is taken.
    pub(super) async fn speaks_as(
        &self,
        rules: &InForce,
        group: &std::sync::Arc<Group>,
        message: &Message,
    ) -> Result<(), StoreError> {
        let Some(name) = message.sender_name.as_deref().filter(|_| !message.group.as_str().is_empty()) else {
            return Ok(());
        };
        self.name_seen(rules, group, carried(group, &message.sender, name, message.at)).await
    }

    async fn name_seen(
        &self,
        rules: &InForce,
        group: &std::sync::Arc<Group>,
        carried: Message,
    ) -> Result<(), StoreError> {
        if group.role(&carried.sender) != Role::Member
            || self.store.member(group.id(), &carried.sender).await?.name == carried.sender_name
        {
            return Ok(());
        }
        if self.store.processed(&carried.id).await?.is_none() {
            let hearing = Hearing { rules, group, message: carried, manner: Manner::Carried };
            return self.decide_and_commit(hearing, None).await.map(drop);
        }
        // They are called again as they were when it became a case.
        transact!(self.store.as_ref(), |tx| {
            let known = carried.sender_name.clone();
            tx.edit_member(group.id(), &carried.sender, |record| record.name = known).await?;
        });
        Ok(())
    }

    /// What is found in a name.
    pub(super) fn scan_name(&self, rules: &InForce, carried: &Message) -> Report {
        let group = self.groups.get(&carried.group);
        let name = carried.sender_name.as_deref().unwrap_or_default();
        let stages = self.stages.stages(rules);
        rules.detector.scan_name(name, protected(&group, &carried.sender, name).as_deref(), Some(&stages))
    }
}

/// What stands for a name where everything else is about messages.
fn carried(group: &Group, member: &MemberId, name: &str, at: Timestamp) -> Message {
    let hash = Sha256::digest(format!("{}\n{member}\n{name}", group.id()));
    let id: String = hash[..12].iter().map(|byte| format!("{byte:02x}")).collect();
    let mut carried = Message::text(Channel::Name, &id, group.id().as_str(), member.as_str(), at, "");
    carried.sender_name = Some(name.to_owned());
    carried
}

/// Whether a message stands for a name.
pub fn is_name(message: &MessageId) -> bool {
    message.as_str().starts_with("name:")
}

/// The names that nobody else may carry: of the owner and the admins, and on people from outside those of the colleagues in
/// the group and of whoever in the company is called just so (two characters are too many people's). `None` for the name that
/// the company itself gave its bearer.
fn protected(group: &Group, bearer: &MemberId, name: &str) -> Option<Vec<String>> {
    // Only a customer group's list shows names that people chose themselves.
    let given = group.colleagues.get(bearer).or_else(|| {
        let listed = group.learned.members.get(bearer).filter(|_| group.set.kind != GroupKind::Customer);
        listed.map(|person| &person.name)
    });
    if given.is_some_and(|given| given == name) {
        return None;
    }
    let deciders = group.deciders();
    let colleagues = group.learned.members.iter().filter(|(_, person)| !person.external).map(|(id, _)| id);
    let colleagues = colleagues.filter(|_| group.is_external(bearer));
    let mut names: Vec<String> = deciders
        .iter()
        .chain(colleagues)
        .filter(|member| *member != bearer)
        .filter_map(|member| group.known_name(member))
        .filter(|name| name.chars().count() >= SHORTEST)
        .map(str::to_owned)
        .collect();
    if group.is_external(bearer) {
        let elsewhere =
            group.colleagues.values().filter(|real| real.chars().count() > SHORTEST && name.contains(*real));
        names.extend(elsewhere.cloned());
    }
    names.sort();
    names.dedup();
    Some(names)
}
