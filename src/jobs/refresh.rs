//! Reads names, owners and members of the configured groups now and then, because WeCom does not tell every change.

use std::{collections::BTreeSet, sync::Arc};

use arc_swap::ArcSwap;
use async_trait::async_trait;

use super::{Ended, Job, JobError, hands::Hands};
use crate::{
    capability::{Act, Capabilities, Provider},
    groups::{Group, Groups, Learned},
    model::{GroupId, MemberId, SignedDuration, Timestamp},
    notices::{NoticeError, Notices},
    policy::MemberState,
    store::{MemberRecord, Store, StoreError, Task, TaskQuery, TaskState, changes::Changes},
    tasks::{Ask, Kind, Remove, Request, Standing},
    wecom::client::Client,
};

/// A group is read this often.
const EVERY: SignedDuration = SignedDuration::from_mins(10);
/// Names looked up in one run; the rest follows in the next.
const NAMES_AT_ONCE: usize = 50;

/// The job; it never ends while the group is configured.
pub struct RefreshJob {
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// WeCom.
    pub hands: Arc<dyn Hands>,
    /// What this installation is able to do.
    pub capabilities: Arc<ArcSwap<Capabilities>>,
    /// Looks up colleagues' names; absent without an app.
    pub names: Option<Arc<Client>>,
    /// Told of who came and went, as by an event.
    pub notices: Arc<Notices>,
}

/// Plans a look at every configured group, at once.
pub async fn plan(store: &dyn Store, groups: &Groups, now: Timestamp) -> Result<(), StoreError> {
    for group in groups.all().iter().filter(|group| group.configured) {
        due(store, group.id(), now).await?;
    }
    Ok(())
}

/// An event told of a change and not of all of it: the group is looked at again at once.
pub async fn missed(store: &dyn Store, group: &Group, now: Timestamp) -> Result<(), StoreError> {
    if group.configured { due(store, group.id(), now).await } else { Ok(()) }
}

async fn due(store: &dyn Store, group: &GroupId, due: Timestamp) -> Result<(), StoreError> {
    super::due(store, Standing::Refresh(group).task(due)).await
}

/// Every task of a group in a state.
fn open_tasks(group: &GroupId, state: TaskState) -> TaskQuery {
    TaskQuery { state: Some(state), group: Some(group.clone()), limit: usize::MAX, ..TaskQuery::default() }
}

#[async_trait]
impl Job for RefreshJob {
    fn kind(&self) -> Kind {
        Kind::Refresh
    }

    /// WeCom's bad days end; the group is still there then.
    fn gives_up(&self) -> bool {
        false
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let group = self.groups.get(&task.group);
        if !group.configured {
            // Not ended: the group may come back into the settings, and a task that ended never begins again.
            return Ok(Ended::later(now + EVERY, "群已不在设置里"));
        }
        let again = now + EVERY;
        let Some(fresh) = self.hands.read_group(&group, now).await? else {
            return Ok(Ended::later(again, "企业微信不提供这个群的成员名单"));
        };
        let first = group.learned.refreshed.is_none() && group.learned.members.is_empty();
        let count = fresh.members.len();
        let fresh_for_edit = fresh.clone();
        self.groups.learn(&task.group, move |learned| merge(learned, &fresh_for_edit, first, now)).await?;
        if !first {
            self.tell_notices(&group, &fresh, now).await?;
        }
        self.learn_names(&task.group, &fresh).await?;
        let with = self.who_came_back(task, &fresh, now).await?;
        let reason = format!("已读取成员 {count} 人");
        Ok(Ended::Later { due: again, reason, payload: None, with })
    }
}

/// Takes over what was read; who is new since the last reading has joined now, except at the very first.
fn merge(learned: &mut Learned, fresh: &Learned, first: bool, now: Timestamp) {
    for member in fresh.members.keys() {
        if learned.seen.insert(member.clone()) && !first {
            learned.joined.entry(member.clone()).or_insert(now);
        }
    }
    let mut members = fresh.members.clone();
    for (id, person) in &mut members {
        if person.name.is_empty()
            && let Some(known) = learned.members.get(id)
        {
            person.name.clone_from(&known.name);
        }
    }
    let out: Vec<MemberId> = learned.members.keys().filter(|id| !members.contains_key(*id)).cloned().collect();
    for id in &out {
        learned.leaves(id);
    }
    learned.members = members;
    learned.name.clone_from(&fresh.name);
    learned.owner.clone_from(&fresh.owner);
    learned.admins.clone_from(&fresh.admins);
    learned.member_version.clone_from(&fresh.member_version);
    learned.refreshed = Some(now);
}

impl RefreshJob {
    /// Somebody removed is back: a person let them in, which counts, unless they are banned; then they go again.
    async fn who_came_back(&self, task: &Task, fresh: &Learned, now: Timestamp) -> Result<Changes, JobError> {
        let mut changes = Changes::new();
        let being_moved = self.being_moved(&task.group).await?;
        for record in self.store.members(&task.group).await? {
            if !fresh.members.contains_key(&record.member) || being_moved.contains(&record.member) {
                continue;
            }
            match record.standing.state {
                MemberState::Banned => {
                    if let Some(again) = self.take_out_again(task, &record, now) {
                        changes = changes.task(again);
                    }
                }
                MemberState::Removed => {
                    changes = changes.member(&task.group, &record.member, |record| {
                        if record.standing.state == MemberState::Removed {
                            record.standing.state = MemberState::Normal;
                        }
                    });
                }
                MemberState::Normal | MemberState::Muted { .. } => {}
            }
        }
        Ok(changes)
    }

    /// Who need not answer a notice any more, or must now: found out by reading, because these groups tell no event.
    async fn tell_notices(&self, before: &Group, fresh: &Learned, now: Timestamp) -> Result<(), JobError> {
        let (old, new) = (&before.learned.members, &fresh.members);
        let mut told = Ok(());
        for (member, _) in new.iter().filter(|(m, person)| !old.contains_key(*m) && !person.external) {
            told = told.and(self.notices.joined(before.id(), member, now).await);
        }
        for member in old.keys().filter(|m| !new.contains_key(*m)) {
            told = told.and(self.notices.left(before.id(), member, now).await);
        }
        match told {
            Err(NoticeError::Store(error)) => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Members whose removal is still under way: that they are in the group says nothing about them coming back.
    async fn being_moved(&self, group: &GroupId) -> Result<BTreeSet<MemberId>, JobError> {
        let mut members = BTreeSet::new();
        for state in [TaskState::Pending, TaskState::WaitsForPerson] {
            let tasks = self.store.tasks(&open_tasks(group, state)).await?.into_iter();
            members.extend(
                tasks.filter(|t| matches!(t.kind.parse(), Ok(Kind::Remove | Kind::Ask))).filter_map(|t| t.member),
            );
        }
        Ok(members)
    }

    /// Who is banned and back goes again, by the bot or by the owner.
    fn take_out_again(&self, task: &Task, record: &MemberRecord, now: Timestamp) -> Option<Task> {
        let group = self.groups.get(&task.group);
        let case = record.standing.strikes.iter().rfind(|s| !s.revoked).map(|s| s.case.clone());
        match self.capabilities.load().provider(Act::Move, &group, Some(&record.member))? {
            Provider::Api => {
                let remove = Remove { until: None, begun: false, tell: None };
                Some(remove.again(case.as_ref(), group.id(), &record.member, now))
            }
            Provider::Person => Some(Ask::new(Request::Remove).again(case.as_ref()?, group.id(), &record.member, now)),
            Provider::Simulated => None,
        }
    }

    async fn learn_names(&self, id: &GroupId, fresh: &Learned) -> Result<(), JobError> {
        let Some(names) = &self.names else { return Ok(()) };
        let known = self.groups.get(id);
        let nameless: Vec<MemberId> = fresh
            .members
            .keys()
            .filter(|m| known.learned.members.get(*m).is_none_or(|p| p.name.is_empty() && !p.external))
            .take(NAMES_AT_ONCE)
            .cloned()
            .collect();
        let mut found = Vec::new();
        for member in nameless {
            match names.user_name(member.as_str()).await {
                Ok(name) if !name.is_empty() => found.push((member, name)),
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%member, %error, "no name to be had");
                    if error.code().is_none() {
                        break; // the network; the next run goes on
                    }
                }
            }
        }
        if !found.is_empty() {
            self.groups
                .learn(id, move |learned| {
                    for (member, name) in &found {
                        if let Some(person) = learned.members.get_mut(member) {
                            person.name.clone_from(name);
                        }
                    }
                })
                .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::Person;

    #[test]
    fn who_was_there_first_is_no_newcomer() {
        let person = |name: &str| Person { name: name.into(), external: false };
        let mut learned = Learned::default();
        let mut fresh = Learned::default();
        fresh.members.insert("a".into(), person(""));
        merge(&mut learned, &fresh, true, Timestamp::UNIX_EPOCH);
        assert!(learned.joined.is_empty());
        learned.members.get_mut(&MemberId::from("a")).unwrap().name = "甲".into();
        fresh.members.insert("b".into(), person(""));
        merge(&mut learned, &fresh, false, Timestamp::UNIX_EPOCH);
        assert_eq!(learned.joined.keys().map(MemberId::as_str).collect::<Vec<_>>(), ["b"]);
        assert_eq!(learned.members[&MemberId::from("a")].name, "甲", "a known name stays");
    }
}
