//! Which groups there are, what can be done in each, and who is in them.
//!
//! The settings name the groups an operator cares about; WeCom tells names, owners and members (events, polling). What was
//! learned is kept in the store, so a restart knows it at once. A group nobody configured is only watched.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::{
    model::{GroupId, GroupKind, MemberId, Mode, Role, Timestamp},
    store::{Collection, Name, Store, StoreError, transaction::transact},
};

/// The collection of what was learned about groups.
pub const GROUPS: Collection<Learned> = Collection::new(Name::Group);

/// What the settings say about one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Configured {
    /// The id used everywhere.
    pub id: GroupId,
    /// Shown name; WeCom's own name wins once it is known and this is empty.
    pub name: String,
    /// How it came to exist.
    pub kind: GroupKind,
    /// What may be done.
    pub mode: Mode,
    /// Name of the policy.
    pub policy: String,
    /// Names of the rulebooks, first wins when several forbid the same.
    pub rulebooks: Vec<String>,
    /// The owner; of app and customer groups WeCom's answer wins.
    pub owner: Option<MemberId>,
    /// Helpers of the owner.
    pub admins: Vec<MemberId>,
    /// Other ids of the same group: archive room, bot chat, customer group.
    pub aliases: Vec<String>,
    /// Its id in the bot's callbacks, if it is another.
    pub bot_chat: Option<String>,
    /// Key of a webhook into the group, named in the settings; the client holds the secret.
    pub webhook: bool,
}

/// A person in a group as WeCom told it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Shown name, if known.
    #[serde(default)]
    pub name: String,
    /// Not of the company.
    #[serde(default)]
    pub external: bool,
}

/// What WeCom told about a group; the stored document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Learned {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its owner.
    #[serde(default)]
    pub owner: Option<MemberId>,
    /// Its admins, where WeCom tells them (customer groups).
    #[serde(default)]
    pub admins: Vec<MemberId>,
    /// Who is in it.
    #[serde(default)]
    pub members: BTreeMap<MemberId, Person>,
    /// Names of people who are out of it.
    #[serde(default)]
    pub gone: BTreeMap<MemberId, String>,
    /// WeCom's version of the member list, if it has one.
    #[serde(default)]
    pub member_version: String,
    /// When it was read last.
    #[serde(default)]
    pub refreshed: Option<Timestamp>,
    /// When the bot saw somebody join; who was there before it came is not in it and counts as an old member.
    #[serde(default)]
    pub joined: BTreeMap<MemberId, Timestamp>,
    /// Everybody who ever was in it: who comes back is no newcomer.
    #[serde(default)]
    pub seen: std::collections::BTreeSet<MemberId>,
    /// Gone (dissolved).
    #[serde(default)]
    pub dissolved: bool,
    /// What the owner ordered for a time.
    #[serde(default)]
    pub orders: Orders,
}

/// Names of people who are out are kept for so many.
const NAMES_KEPT: usize = 500;

impl Learned {
    /// Somebody is out; their name stays known.
    pub fn leaves(&mut self, member: &MemberId) {
        if let Some(person) = self.members.remove(member).filter(|person| !person.name.is_empty()) {
            if self.gone.len() >= NAMES_KEPT {
                self.gone.pop_first();
            }
            self.gone.insert(member.clone(), person.name);
        }
    }
}

/// What an owner or admin ordered in a group for a time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Orders {
    /// Every medium hit counts as a high one until then.
    #[serde(default)]
    pub strict_until: Option<Timestamp>,
    /// Members whose messages are not judged until then.
    #[serde(default)]
    pub exempt: BTreeMap<MemberId, Timestamp>,
    /// Members whose advertisements are welcome until then.
    #[serde(default)]
    pub ads_permitted: BTreeMap<MemberId, Timestamp>,
}

/// A group as the rest of the house sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// From the settings, or the defaults for a group nobody configured.
    pub set: Configured,
    /// Named in the settings?
    pub configured: bool,
    /// From WeCom.
    pub learned: Learned,
    /// Everybody's names in the company, shared by all groups: WeCom does not list the members of every kind of group.
    pub colleagues: Arc<Names>,
}

/// Shown names by userid.
pub type Names = BTreeMap<MemberId, String>;

impl Group {
    /// A group that only appeared in a message: watched, default policy.
    fn unknown(id: &GroupId) -> Self {
        let set = Configured {
            id: id.clone(),
            name: String::new(),
            kind: GroupKind::Internal,
            mode: Mode::Watch,
            policy: "default".into(),
            rulebooks: Vec::new(),
            owner: None,
            admins: Vec::new(),
            aliases: Vec::new(),
            bot_chat: None,
            webhook: false,
        };
        Self { set, configured: false, learned: Learned::default(), colleagues: Arc::default() }
    }
    /// The id under which the bot speaks here.
    pub fn bot_chat(&self) -> &str {
        self.set.bot_chat.as_deref().unwrap_or(self.set.id.as_str())
    }
    /// The id used everywhere.
    pub fn id(&self) -> &GroupId {
        &self.set.id
    }
    /// The name people know it by, or its id.
    pub fn name(&self) -> &str {
        [self.set.name.as_str(), self.learned.name.as_str(), self.set.id.as_str()]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or_default()
    }
    /// The owner. Of app and customer groups WeCom tells them; of others it only tells who made the group once, so there the
    /// settings come first.
    pub fn owner(&self) -> Option<&MemberId> {
        let (learned, set) = (self.learned.owner.as_ref(), self.set.owner.as_ref());
        match self.set.kind {
            GroupKind::App | GroupKind::Customer => learned.or(set),
            GroupKind::Internal | GroupKind::Bot => set.or(learned),
        }
    }
    /// Everybody who may decide, the owner first.
    pub fn deciders(&self) -> Vec<MemberId> {
        let mut all: Vec<MemberId> = self.owner().cloned().into_iter().collect();
        for admin in self.set.admins.iter().chain(&self.learned.admins) {
            if !all.contains(admin) {
                all.push(admin.clone());
            }
        }
        all
    }
    /// A member's part in the group.
    pub fn role(&self, member: &MemberId) -> Role {
        if self.owner() == Some(member) {
            Role::Owner
        } else if self.set.admins.contains(member) || self.learned.admins.contains(member) {
            Role::Admin
        } else if member.as_str().starts_with("wb") && !self.is_person(member) {
            Role::Bot // robots have ids of this shape in the archive
        } else {
            Role::Member
        }
    }
    /// Somebody whose id only looks like a robot's: the app's own groups and customers' groups list people and nobody else; the
    /// archive's list of an internal group has its robots too, of whom the address book knows no name.
    fn is_person(&self, member: &MemberId) -> bool {
        match self.set.kind {
            GroupKind::App | GroupKind::Customer => self.learned.members.contains_key(member),
            GroupKind::Internal | GroupKind::Bot => {
                self.colleagues.contains_key(member)
                    || self.learned.members.get(member).is_some_and(|person| !person.name.is_empty())
            }
        }
    }
    /// Not of the company? WeCom's member list answers where it is known; else customer groups' id shapes.
    pub fn is_external(&self, member: &MemberId) -> bool {
        if let Some(person) = self.learned.members.get(member) {
            return person.external;
        }
        let id = member.as_str();
        self.set.kind == GroupKind::Customer && id.len() > 8 && (id.starts_with("wm") || id.starts_with("wo"))
    }
    /// When the bot saw the member join, if it did.
    pub fn joined(&self, member: &MemberId) -> Option<Timestamp> {
        self.learned.joined.get(member).copied()
    }
    /// The name people know a member by, or the id.
    pub fn member_name<'a>(&'a self, member: &'a MemberId) -> &'a str {
        let inside = self.learned.members.get(member).map(|p| p.name.as_str());
        let gone = self.learned.gone.get(member).map(String::as_str);
        let colleague = || self.colleagues.get(member).map(String::as_str);
        inside.filter(|name| !name.is_empty()).or(gone).or_else(colleague).unwrap_or(member.as_str())
    }
}

/// All groups; cheap to ask, swapped entry by entry.
pub struct Groups {
    store: Arc<dyn Store>,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    groups: BTreeMap<GroupId, Arc<Group>>,
    /// Which version of the stored record each group has.
    versions: BTreeMap<GroupId, u64>,
    aliases: BTreeMap<String, GroupId>,
    colleagues: Arc<Names>,
}

impl Groups {
    /// Reads what was learned before and puts the settings over it.
    pub async fn load(store: Arc<dyn Store>, configured: Vec<Configured>) -> Result<Self, StoreError> {
        let groups = Self { store: store.clone(), state: RwLock::default() };
        for (id, learned) in GROUPS.all(store.as_ref(), "").await? {
            let id = GroupId::from(id);
            let group = Group { learned, ..Group::unknown(&id) };
            groups.state.write().groups.insert(id, Arc::new(group));
        }
        groups.configure(configured);
        Ok(groups)
    }

    /// Puts new settings in force; what was learned stays.
    pub fn configure(&self, configured: Vec<Configured>) {
        let mut state = self.state.write();
        state.aliases.clear();
        let mut groups: BTreeMap<GroupId, Arc<Group>> = state
            .groups
            .values()
            .map(|old| {
                let id = old.id().clone();
                let colleagues = state.colleagues.clone();
                (id.clone(), Arc::new(Group { learned: old.learned.clone(), colleagues, ..Group::unknown(&id) }))
            })
            .collect();
        for set in configured {
            for alias in &set.aliases {
                state.aliases.insert(alias.clone(), set.id.clone());
            }
            let learned = groups.get(&set.id).map(|g| g.learned.clone()).unwrap_or_default();
            let colleagues = state.colleagues.clone();
            groups.insert(set.id.clone(), Arc::new(Group { set, configured: true, learned, colleagues }));
        }
        state.groups = groups;
    }

    /// Everybody's names in the company, from now on.
    pub fn meet(&self, colleagues: Names) {
        let mut state = self.state.write();
        let State { groups, colleagues: known, .. } = &mut *state;
        *known = Arc::new(colleagues);
        for group in groups.values_mut() {
            Arc::make_mut(group).colleagues = known.clone();
        }
    }

    /// The id used everywhere, for any of a group's ids.
    pub fn resolve(&self, id: &GroupId) -> GroupId {
        self.state.read().aliases.get(id.as_str()).cloned().unwrap_or_else(|| id.clone())
    }

    /// The group with this id (or alias); an unknown one comes as a watched group.
    pub fn get(&self, id: &GroupId) -> Arc<Group> {
        let state = self.state.read();
        let id = state.aliases.get(id.as_str()).unwrap_or(id);
        state.groups.get(id).cloned().unwrap_or_else(|| Arc::new(Group::unknown(id)))
    }

    /// A message came from a group: writes down one that neither settings nor WeCom have told of, so that people see that it
    /// is not covered. True the first time.
    pub async fn noticed(&self, group: &Group) -> Result<bool, StoreError> {
        let id = group.id();
        if group.configured || id.as_str().is_empty() || self.state.read().groups.contains_key(id) {
            return Ok(false);
        }
        self.learn(id, |_| {}).await?;
        Ok(true)
    }

    /// Every known group, by id.
    pub fn all(&self) -> Vec<Arc<Group>> {
        self.state.read().groups.values().cloned().collect()
    }

    /// Writes down what WeCom told and uses it from now on; what is used is what was written. A record that cannot be read is
    /// left as it is.
    pub async fn learn(&self, id: &GroupId, edit: impl Fn(&mut Learned) + Send + Sync) -> Result<(), StoreError> {
        let (learned, version) = transact!(self.store.as_ref(), |tx| {
            let mut learned = tx.get(GROUPS, id.as_str()).await?.unwrap_or_default();
            edit(&mut learned);
            tx.put(GROUPS, id.as_str(), &learned).await?;
            (learned, tx.version(GROUPS, id.as_str()))
        });
        let mut state = self.state.write();
        let known = state.versions.entry(id.clone()).or_default();
        if *known < version {
            *known = version;
            let old = state.groups.get(id).cloned().unwrap_or_else(|| Arc::new(Group::unknown(id)));
            let group = Group { learned, colleagues: state.colleagues.clone(), ..Group::clone(&old) };
            state.groups.insert(id.clone(), Arc::new(group));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_robot_on_the_archives_list_is_no_member_and_a_colleague_of_such_an_id_is_one() {
        let role = |kind: GroupKind, name: &str| {
            let mut group = Group::unknown(&"wr".into());
            group.set.kind = kind;
            group.learned.members.insert("wbwang".into(), Person { name: name.into(), external: false });
            group.role(&"wbwang".into())
        };
        assert_eq!((role(GroupKind::Bot, ""), role(GroupKind::Internal, "")), (Role::Bot, Role::Bot));
        assert_eq!((role(GroupKind::App, ""), role(GroupKind::Internal, "吴斌")), (Role::Member, Role::Member));
    }
}
