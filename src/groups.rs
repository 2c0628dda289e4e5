//! Which groups there are, what can be done in each, and who is in them.
//!
//! The settings name the groups an operator cares about; WeCom tells names, owners and members (events, polling). What was
//! learned is kept in the store, so a restart knows it at once. A group nobody configured is only watched.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::{
    bot_names::BotNames,
    model::{GroupId, GroupKind, MemberId, Mode, Role, SignedDuration, Timestamp, named_enum, same_person},
    settings::{Settings, TellRules},
    store::{Collection, Name, Store, StoreError, Tx, transaction::transact},
};

/// The collection of what was learned about groups.
pub const GROUPS: Collection<GroupState> = Collection::new(Name::Group);

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
    /// Name of the policy; absent: what its rulebooks bring along, else `default`.
    pub policy: Option<String>,
    /// Names of the rulebooks, first wins when several forbid the same.
    pub rulebooks: Vec<String>,
    /// What its members are told of them.
    pub tell_rules: TellRules,
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
pub struct GroupState {
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
    /// 群公告, where WeCom tells it: this one first, and those that it replaced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
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
    /// When WeCom said that somebody left, or the bot took them out; who came back is not in it.
    #[serde(default)]
    pub left: BTreeMap<MemberId, Timestamp>,
    /// Versions of the member list that an event said to be over, and when: WeCom may give them out for some seconds more.
    #[serde(default)]
    pub outdated: Vec<(String, Timestamp)>,
    /// Gone (dissolved).
    #[serde(default)]
    pub dissolved: bool,
    /// What the owner ordered for a time.
    #[serde(default)]
    pub orders: Orders,
}

/// People who are out are remembered up to so many.
const GONE_KEPT: usize = 500;
/// 群公告 that people may still quote.
const NOTICES_KEPT: usize = 8;
/// Versions of the member list that are over, up to so many.
const OUTDATED_KEPT: usize = 8;
/// WeCom tells a change at once and shows it in the member list some seconds later; by then at the latest.
pub const SETTLES: SignedDuration = SignedDuration::from_secs(60);

impl GroupState {
    /// Takes over what was read; who is new since the last reading has joined now, except at the very first.
    pub fn takes_over(&mut self, fresh: &Self, first: bool, now: Timestamp) {
        for member in fresh.members.keys() {
            self.left.remove(member);
            if self.seen.insert(member.clone()) && !first {
                self.joined.entry(member.clone()).or_insert(now);
            }
        }
        let mut members = fresh.members.clone();
        for (id, person) in &mut members {
            if person.name.is_empty()
                && let Some(known) = self.members.get(id)
            {
                person.name.clone_from(&known.name);
            }
        }
        let out: Vec<MemberId> = self.members.keys().filter(|id| !members.contains_key(*id)).cloned().collect();
        for id in &out {
            self.leaves(id, now);
        }
        self.members = members;
        self.name.clone_from(&fresh.name);
        for notice in &fresh.notices {
            self.notices.retain(|known| known != notice);
            self.notices.insert(0, notice.clone());
        }
        self.notices.truncate(NOTICES_KEPT);
        self.owner.clone_from(&fresh.owner);
        self.admins.clone_from(&fresh.admins);
        self.is_at(&fresh.member_version);
        self.refreshed = Some(now);
    }

    /// Somebody is out since `at`; their name stays known.
    pub fn leaves(&mut self, member: &MemberId, at: Timestamp) {
        self.has_left(member, at);
        if let Some(person) = self.members.remove(member).filter(|person| !person.name.is_empty()) {
            if self.gone.len() >= GONE_KEPT {
                self.gone.pop_first();
            }
            self.gone.insert(member.clone(), person.name);
        }
    }

    /// Somebody is out since `at`, whatever the member list says for some seconds more.
    pub fn has_left(&mut self, member: &MemberId, at: Timestamp) {
        if self.left.len() >= GONE_KEPT
            && let Some(oldest) = self.left.iter().min_by_key(|(_, at)| **at).map(|(member, _)| member.clone())
        {
            self.left.remove(&oldest);
        }
        self.left.insert(member.clone(), at);
    }

    /// Did somebody leave so shortly before `now` that a list may still show them?
    pub fn just_left(&self, member: &MemberId, now: Timestamp) -> bool {
        self.left.get(member).is_some_and(|at| now.duration_since(*at).abs() < SETTLES)
    }

    /// An event at `at` said that the member list has another version than this one now.
    pub fn is_over(&mut self, version: &str, at: Timestamp) {
        if version.is_empty() {
            return;
        }
        self.outdated.retain(|(known, _)| known != version);
        self.outdated.push((version.to_owned(), at));
        self.outdated.drain(..self.outdated.len().saturating_sub(OUTDATED_KEPT));
    }

    /// The member list has this version from now on; it may have had it before.
    pub fn is_at(&mut self, version: &str) {
        self.outdated.retain(|(known, _)| known != version);
        version.clone_into(&mut self.member_version);
    }

    /// Is a list of this version, read at `now`, older than what an event has told?
    pub fn is_outdated(&self, version: &str, now: Timestamp) -> bool {
        self.outdated.iter().any(|(known, at)| known == version && now.duration_since(*at).abs() < SETTLES)
    }
}

/// Of another company or of WeChat, by the looks of the id alone: `wm` or `wo` and thirty more characters.
pub fn looks_external(member: &MemberId) -> bool {
    let id = member.as_str();
    id.len() == EXTERNAL_ID && (id.starts_with("wm") || id.starts_with("wo"))
}

/// Characters of the ids of people outside the company (samples in WeCom's document 92122).
const EXTERNAL_ID: usize = 32;

/// Not of the company? What the group's member list says of them counts first, then that the address book has them, then
/// the looks of the id: a colleague may be called `wongfeihung`.
pub fn is_external(member: &MemberId, listed: Option<&Person>, colleagues: &Names) -> bool {
    match listed {
        Some(person) => person.external,
        None => !colleagues.contains_key(member) && looks_external(member),
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
    /// What was ordered, oldest first, so that it can be told what held when something was said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<Given>,
}

named_enum! {
    /// What can be ordered for a time.
    pub enum Ordered {
        /// Somebody's messages are not judged.
        Exempt = "exempt", "豁免";
        /// Somebody may advertise.
        PermitAds = "permit_ads", "授权广告";
        /// The group is strict.
        Strict = "strict", "严管";
    }
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// What.
    pub what: Ordered,
    /// About whom; the whole group without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// From then on …
    pub from: Timestamp,
    /// … until then.
    pub until: Timestamp,
}

/// Orders of the past that are kept.
const ORDERS_KEPT: usize = 200;

impl Orders {
    /// Notes that something is ordered until then; `None`: that it ends now.
    pub fn note(&mut self, what: Ordered, member: Option<&MemberId>, now: Timestamp, until: Option<Timestamp>) {
        for before in self.given.iter_mut().filter(|given| given.what == what && given.member.as_ref() == member) {
            before.until = before.until.min(now);
        }
        self.given.extend(until.map(|until| Given { what, member: member.cloned(), from: now, until }));
        let surplus = self.given.len().saturating_sub(ORDERS_KEPT);
        self.given.drain(..surplus);
    }

    /// What held for somebody at a moment.
    pub fn held(&self, member: &MemberId, at: Timestamp) -> Vec<Given> {
        let about = |given: &&Given| given.member.as_ref().is_none_or(|about| about == member);
        self.given.iter().filter(about).filter(|given| given.from <= at && at < given.until).cloned().collect()
    }
}

/// What was written of a group, and its version.
#[derive(Debug)]
pub struct Written {
    learned: GroupState,
    version: u64,
}

/// A group as the rest of the house sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// From the settings, or the defaults for a group nobody configured.
    pub set: Configured,
    /// Named in the settings?
    pub configured: bool,
    /// From WeCom.
    pub learned: GroupState,
    /// Everybody's names in the company, shared by all groups: WeCom does not list the members of every kind of group.
    pub colleagues: Arc<Names>,
}

/// Shown names by userid; empty where WeCom keeps them back.
pub type Names = BTreeMap<MemberId, String>;

impl Group {
    /// A group that only appeared in a message: watched, default policy.
    pub fn unknown(id: &GroupId) -> Self {
        let set = Configured {
            id: id.clone(),
            name: String::new(),
            kind: GroupKind::Internal,
            mode: Mode::Watch,
            policy: None,
            rulebooks: Vec::new(),
            tell_rules: TellRules::All,
            owner: None,
            admins: Vec::new(),
            aliases: Vec::new(),
            bot_chat: None,
            webhook: false,
        };
        Self { set, configured: false, learned: GroupState::default(), colleagues: Arc::default() }
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
    /// Not of the company? See [`is_external`].
    pub fn is_external(&self, member: &MemberId) -> bool {
        is_external(member, self.learned.members.get(member), &self.colleagues)
    }
    /// Is somebody of the group or the company called so?
    pub fn is_called(&self, name: &str) -> bool {
        let members = self.learned.members.iter().map(|(id, person)| (id, person.name.as_str()));
        let colleagues = self.colleagues.iter().chain(&self.learned.gone).map(|(id, name)| (id, name.as_str()));
        members.chain(colleagues).any(|(id, shown)| shown == name || id.as_str() == name)
    }
    /// When the bot saw the member join, if it did.
    pub fn joined(&self, member: &MemberId) -> Option<Timestamp> {
        self.learned.joined.get(member).copied()
    }
    /// Is the member list known, and somebody not in it?
    pub fn lacks(&self, member: &MemberId) -> bool {
        let joined = self.learned.joined.contains_key(member) && !self.learned.left.contains_key(member);
        !self.learned.members.is_empty() && !self.learned.members.contains_key(member) && !joined
    }
    /// The name a member is known by, if any: what a customer group's list shows; elsewhere the address book's.
    pub fn known_name(&self, member: &MemberId) -> Option<&str> {
        let listed = self.learned.members.get(member).map(|person| person.name.as_str());
        let colleague = self.colleagues.get(member).map(String::as_str);
        let named = |name: &&str| !name.is_empty();
        match self.set.kind {
            GroupKind::Customer => listed.filter(named).or(colleague),
            GroupKind::App | GroupKind::Internal | GroupKind::Bot => colleague.filter(named).or(listed),
        }
        .filter(named)
    }
    /// The name people know a member by, or the id.
    pub fn member_name<'a>(&'a self, member: &'a MemberId) -> &'a str {
        let gone = || self.learned.gone.get(member).map(String::as_str);
        self.known_name(member).or_else(gone).unwrap_or(member.as_str())
    }
}

/// All groups; cheap to ask, swapped entry by entry.
pub struct Groups {
    store: Arc<dyn Store>,
    state: RwLock<State>,
    /// What the bot is called in all of them.
    pub bot_names: BotNames,
}

#[derive(Default)]
struct State {
    groups: BTreeMap<GroupId, Arc<Group>>,
    /// Which version of the stored record each group has.
    versions: BTreeMap<GroupId, u64>,
    aliases: BTreeMap<String, GroupId>,
    colleagues: Arc<Names>,
}

/// What the settings say about groups, in the registry's words.
pub fn configured(settings: &Settings) -> Vec<Configured> {
    let groups = settings.groups.iter().map(|group| Configured {
        id: group.id.clone(),
        name: group.name.clone(),
        kind: group.kind(),
        mode: group.mode,
        policy: group.policy.clone(),
        rulebooks: group.rulebook.clone(),
        tell_rules: group.tell_rules,
        owner: group.owner.clone(),
        admins: group.admins.clone(),
        aliases: [&group.archive_room, &group.bot_chat, &group.customer_chat].into_iter().flatten().cloned().collect(),
        bot_chat: group.bot_chat.clone(),
        webhook: group.webhook.is_some(),
    });
    groups.collect()
}

impl Groups {
    /// Reads what was learned before and puts the settings over it.
    pub async fn load(store: Arc<dyn Store>, configured: Vec<Configured>) -> Result<Self, StoreError> {
        let groups = Self { store: store.clone(), state: RwLock::default(), bot_names: BotNames::default() };
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
    pub fn set_colleagues(&self, colleagues: Names) {
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
    pub async fn register_if_new(&self, group: &Group) -> Result<bool, StoreError> {
        let id = group.id();
        if group.configured || id.as_str().is_empty() || self.state.read().groups.contains_key(id) {
            return Ok(false);
        }
        self.update(id, |_| {}).await?;
        Ok(true)
    }

    /// A userid as WeCom spells it, whatever the case it was typed in; `None` for nobody of the address book or of any group.
    /// As long as neither was read, whoever is named is taken for somebody.
    pub fn spelled(&self, typed: &MemberId) -> Option<MemberId> {
        let all = self.all();
        let colleagues = self.state.read().colleagues.clone();
        let read = !colleagues.is_empty() || all.iter().any(|group| !group.learned.members.is_empty());
        let listed = all.iter().flat_map(|group| group.learned.members.keys().cloned().chain(group.deciders()));
        let is = |known: &MemberId| same_person(known, typed);
        let known = colleagues.keys().cloned().chain(listed).find(is);
        known.or_else(|| (!read).then(|| typed.clone()))
    }

    /// Every known group, by id.
    pub fn all(&self) -> Vec<Arc<Group>> {
        self.state.read().groups.values().cloned().collect()
    }

    /// Writes down what WeCom told and uses it from now on; what is used is what was written. A record that cannot be read is
    /// left as it is.
    pub async fn update(&self, id: &GroupId, edit: impl Fn(&mut GroupState) + Send + Sync) -> Result<(), StoreError> {
        let written = transact!(self.store.as_ref(), |tx| Self::update_in(tx, id, &edit).await?);
        self.updated(id, written);
        Ok(())
    }

    /// The same within a transaction; after the commit call [`Self::updated`] with what this answers.
    pub async fn update_in(
        tx: &mut Tx<'_>,
        id: &GroupId,
        edit: impl FnOnce(&mut GroupState) + Send,
    ) -> Result<Written, StoreError> {
        let mut learned = tx.get(GROUPS, id.as_str()).await?.unwrap_or_default();
        edit(&mut learned);
        tx.put(GROUPS, id.as_str(), &learned).await?;
        Ok(Written { learned, version: tx.version(GROUPS, id.as_str()) })
    }

    /// Uses what was written from now on, unless something newer is known.
    pub fn updated(&self, id: &GroupId, Written { learned, version }: Written) {
        let mut state = self.state.write();
        let known = state.versions.entry(id.clone()).or_default();
        if *known < version {
            *known = version;
            let old = state.groups.get(id).cloned().unwrap_or_else(|| Arc::new(Group::unknown(id)));
            let group = Group { learned, colleagues: state.colleagues.clone(), ..Group::clone(&old) };
            state.groups.insert(id.clone(), Arc::new(group));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colleague_may_have_the_name_of_a_hero() {
        let customer = MemberId::from("wmABCDEFGHIJKLMNOPQRSTUVWXYZ0123");
        let person = |external| Person { name: String::new(), external };
        let nobody = Names::new();
        let colleagues: Names = [("wongfeihung".into(), String::new()), (customer.clone(), "奇怪的账号".into())].into();
        for (id, listed, colleagues, external) in [
            ("wongfeihung", None, &nobody, false),
            ("wolf", None, &nobody, false),
            ("wolfgang.amadeus.mozart", None, &nobody, false),
            (customer.as_str(), None, &nobody, true),
            (customer.as_str(), None, &colleagues, false),
            (customer.as_str(), Some(person(false)), &nobody, false),
            ("wongfeihung", Some(person(true)), &colleagues, true),
        ] {
            assert_eq!(is_external(&id.into(), listed.as_ref(), colleagues), external, "{id} {listed:?}");
        }
        let mut group = Group::unknown(&"wr".into());
        group.set.kind = GroupKind::Customer;
        assert!(!group.is_external(&"wongfeihung".into()) && group.is_external(&customer));
    }

    #[test]
    fn a_list_from_before_an_event_is_known_for_a_minute() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut learned = GroupState::default();
        learned.is_at("v1");
        learned.is_over("v1", at(0));
        learned.is_at("v2");
        assert!(learned.is_outdated("v1", at(59)) && !learned.is_outdated("v1", at(60)));
        assert!(!learned.is_outdated("v2", at(0)) && !learned.is_outdated("v3", at(0)));
        // Whoever left is back: the list is as it was.
        learned.is_over("v2", at(1));
        learned.is_at("v1");
        assert!(!learned.is_outdated("v1", at(2)) && learned.is_outdated("v2", at(2)));
        learned.leaves(&"li".into(), at(10));
        assert!(learned.just_left(&"li".into(), at(69)) && !learned.just_left(&"li".into(), at(70)));
        assert!(!learned.just_left(&"sun".into(), at(10)));
    }

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
