//! Reads names, owners and members of the configured groups now and then, because WeCom does not tell every change.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde_json::json;

use super::{Ended, Job, JobError};
use crate::{
    capability::{Act, Provider},
    deps::Deps,
    groups::{Group, GroupState, Groups},
    model::{GroupId, GroupKind, MemberId, Role, SignedDuration, Timestamp},
    newcomers,
    policy::MemberState,
    refusal::ActError,
    store::{MemberRecord, Store, StoreError, Task, TaskQuery, TaskState, TaskUpdate, changes::Changes},
    tasks::{Announce, Ask, Kind, OwnerNews, Refresh, Remove, Request, Standing},
};

/// A group is read this often.
const EVERY: SignedDuration = SignedDuration::from_mins(10);
/// WeCom shows a change in the member list some seconds after it told of it: the list is read so long after an event …
const SETTLED: SignedDuration = SignedDuration::from_secs(3);
/// … and once more so long after it.
const SETTLED_AT_LAST: SignedDuration = SignedDuration::from_secs(30);
/// Names looked up in one run; the rest follows in the next.
const NAMES_AT_ONCE: usize = 50;

/// The job; it never ends while the group is configured.
pub struct RefreshJob(pub Deps);

/// Plans a look at every configured group, at once.
pub async fn plan(store: &dyn Store, groups: &Groups, now: Timestamp) -> Result<(), StoreError> {
    for group in groups.all().iter().filter(|group| group.configured) {
        due(store, group.id(), now).await?;
    }
    Ok(())
}

/// An event told of a change and not of all of it: the list is read when it shows the change, and once more.
pub async fn after_event(store: &dyn Store, group: &Group, now: Timestamp) -> Result<(), StoreError> {
    if !group.configured {
        return Ok(());
    }
    let mut task = Standing::Refresh(group.id()).task(now + SETTLED);
    let refresh = Refresh { again: Some(now + SETTLED_AT_LAST) };
    let changes = if store.task(&task.id).await?.is_some() {
        let wake = TaskUpdate::wake(task.id, task.due, "企业微信通知了变动");
        Changes::new().update_task(wake.carrying(&refresh))
    } else {
        task.payload = json!(refresh);
        Changes::new().task(task)
    };
    changes.commit(store).await.map(drop)
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
        let group = self.0.groups.get(&task.group);
        if !group.configured {
            // Not ended: the group may come back into the settings, and a task that ended never begins again.
            return Ok(Ended::later(now + EVERY, "群已不在设置里"));
        }
        let after_event = super::payload::<Refresh>(task)?.again.filter(|again| *again > now);
        let again = after_event.unwrap_or(now + EVERY);
        let Some(mut fresh) = self.0.platform.read_group(&group, now).await? else {
            return Ok(Ended::later(again, "企业微信不提供这个群的成员名单"));
        };
        // Read anew: an event may have come meanwhile.
        let group = self.0.groups.get(&task.group);
        if group.learned.is_outdated(&fresh.member_version, now) {
            let again = after_event.unwrap_or(now + SETTLED_AT_LAST);
            return Ok(Ended::later(again, "企业微信给的成员名单还是旧的，稍后再读"));
        }
        if fresh.member_version.is_empty() {
            // Such a list does not say how old it is.
            fresh.members.retain(|member, _| !group.learned.just_left(member, now));
        }
        let first = group.learned.refreshed.is_none() && group.learned.members.is_empty();
        let count = fresh.members.len();
        let fresh_for_edit = fresh.clone();
        self.0.groups.update(&task.group, move |learned| learned.takes_over(&fresh_for_edit, first, now)).await?;
        if !first {
            self.tell_notices(&group, &fresh, now).await?;
        }
        self.learn_names(&task.group, &fresh).await?;
        if !first {
            self.see_names(&group, &fresh, now).await?;
        }
        let with = self.who_came_back(task, &fresh, now).await?;
        let with = self.who_went(task, &fresh, with, now).await?;
        let with = self.greet(&group, &fresh, first, with, now);
        let reason = format!("已读取成员 {count} 人");
        Ok(Ended::Later { due: again, reason, payload: None, with })
    }
}

impl RefreshJob {
    /// Somebody removed is back: a person let them in, which counts, unless they are banned; then they go again.
    async fn who_came_back(&self, task: &Task, fresh: &GroupState, now: Timestamp) -> Result<Changes, JobError> {
        let mut changes = Changes::new();
        let being_moved = self.being_moved(&task.group).await?;
        for record in self.0.store.members(&task.group).await? {
            if !fresh.members.contains_key(&record.member) || being_moved.contains(&record.member) {
                continue;
            }
            let case = record.standing.strikes.iter().rfind(|s| !s.revoked).map(|s| s.case.clone());
            if matches!(record.standing.state, MemberState::Banned | MemberState::Removed) {
                changes = changes.task(OwnerNews::back(case.as_ref(), &record.member, &task.group, now));
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

    /// The app greets newcomers in its own groups; whoever was there before is none.
    fn greet(&self, before: &Group, fresh: &GroupState, first: bool, with: Changes, now: Timestamp) -> Changes {
        let rules = self.0.rules.get();
        let set = rules.settings.groups.iter().find(|set| set.id == *before.id());
        let Some(welcome) = set.and_then(|set| set.welcome.as_ref()) else { return with };
        if first || before.set.kind != GroupKind::App || self.0.moderation.is_dry_run(before) {
            return with;
        }
        let after = self.0.groups.get(before.id());
        let new: Vec<&str> = fresh
            .members
            .keys()
            .filter(|member| !before.learned.seen.contains(*member) && after.role(member) != Role::Bot)
            .filter_map(|member| after.known_name(member))
            .collect();
        if new.is_empty() {
            return with;
        }
        let greeting = Announce { text: super::welcome::line(welcome, before.name(), &new), ..Announce::default() };
        with.task(greeting.greeting(before.id(), now))
    }

    /// Who came, or is called otherwise since: their names are judged.
    async fn see_names(&self, before: &Group, fresh: &GroupState, now: Timestamp) -> Result<(), StoreError> {
        let after = self.0.groups.get(before.id());
        for member in fresh.members.keys() {
            let came = !before.learned.members.contains_key(member);
            if came || after.known_name(member) != before.known_name(member) {
                self.0.moderation.see_name(before.id(), member, now).await?;
            }
        }
        Ok(())
    }

    /// Requests to a person about somebody who is not in the group any more look again at once; whoever came and went between
    /// two readings was in no list.
    async fn who_went(
        &self,
        task: &Task,
        fresh: &GroupState,
        mut with: Changes,
        now: Timestamp,
    ) -> Result<Changes, JobError> {
        for asked in self.0.store.tasks(&open_tasks(&task.group, TaskState::WaitsForPerson)).await? {
            let is_out = asked.member.as_ref().is_some_and(|member| !fresh.members.contains_key(member));
            if is_out && asked.kind == Kind::Ask.id() {
                with = with.update_task(TaskUpdate::wake(asked.id, now, asked.reason));
            }
        }
        Ok(with)
    }

    /// Who need not answer a notice any more, or must now: found out by reading, because these groups tell no event.
    async fn tell_notices(&self, before: &Group, fresh: &GroupState, now: Timestamp) -> Result<(), JobError> {
        let (old, new) = (&before.learned.members, &fresh.members);
        let mut told = Ok(());
        for (member, _) in new.iter().filter(|(m, person)| !old.contains_key(*m) && !person.external) {
            told = told.and(self.0.notices.joined(before.id(), member, now).await);
        }
        let rules = self.0.rules.get_full();
        let can = **self.0.capabilities.load();
        let came = new.iter().filter(|(m, person)| !before.learned.seen.contains(*m) && !person.external);
        for (member, _) in came {
            told = told.and(newcomers::joined(&self.0.notices, &rules, can, before, member, now).await);
        }
        for member in old.keys().filter(|m| !new.contains_key(*m)) {
            told = told.and(self.0.notices.left(before.id(), member, now).await);
        }
        match told {
            Err(ActError::Store(error)) => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Members whose removal is still under way: that they are in the group says nothing about them coming back.
    async fn being_moved(&self, group: &GroupId) -> Result<BTreeSet<MemberId>, JobError> {
        let mut members = BTreeSet::new();
        for state in [TaskState::Pending, TaskState::WaitsForPerson] {
            let tasks = self.0.store.tasks(&open_tasks(group, state)).await?.into_iter();
            members.extend(
                tasks.filter(|t| matches!(t.kind.parse(), Ok(Kind::Remove | Kind::Ask))).filter_map(|t| t.member),
            );
        }
        Ok(members)
    }

    /// Who is banned and back goes again, by the bot or by the owner.
    fn take_out_again(&self, task: &Task, record: &MemberRecord, now: Timestamp) -> Option<Task> {
        let group = self.0.groups.get(&task.group);
        let case = record.standing.strikes.iter().rfind(|s| !s.revoked).map(|s| s.case.clone());
        match self.0.capabilities.load().provider(Act::Move, &group, Some(&record.member))? {
            Provider::Api => {
                let remove = Remove { until: None, begun: false, tell: None };
                Some(remove.again(case.as_ref(), group.id(), &record.member, now))
            }
            Provider::Person => Some(Ask::new(Request::Remove).again(case.as_ref()?, group.id(), &record.member, now)),
            Provider::Simulated => None,
        }
    }

    async fn learn_names(&self, id: &GroupId, fresh: &GroupState) -> Result<(), JobError> {
        let Some(names) = &self.0.wecom.app else { return Ok(()) };
        let known = self.0.groups.get(id);
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
            self.0
                .groups
                .update(id, move |learned| {
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
        let mut learned = GroupState::default();
        let mut fresh = GroupState::default();
        fresh.members.insert("a".into(), person(""));
        learned.takes_over(&fresh, true, Timestamp::UNIX_EPOCH);
        assert!(learned.joined.is_empty());
        learned.members.get_mut(&MemberId::from("a")).unwrap().name = "甲".into();
        fresh.members.insert("b".into(), person(""));
        learned.takes_over(&fresh, false, Timestamp::UNIX_EPOCH);
        assert_eq!(learned.joined.keys().map(MemberId::as_str).collect::<Vec<_>>(), ["b"]);
        assert_eq!(learned.members[&MemberId::from("a")].name, "甲", "a known name stays");
    }
}
