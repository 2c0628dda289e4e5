//! A colleague's userid changed: what is on record under the old one is theirs under the new one, so that strikes, mutes,
//! exemptions and what still has to be done about them follow the person.
//!
//! Each group is one commit; doing it again finds nothing left to move. WeCom tells the change once more if it was not
//! answered, so a crash in between only means that the rest follows then.

use crate::{
    detect::history::PER_MEMBER,
    groups::{GroupState, Groups},
    model::{GroupId, MemberId, Timestamp},
    policy::Standing,
    store::{Case, CaseQuery, Store, StoreError, Task, TaskQuery, TaskState, TaskUpdate, transaction::transact},
};

/// Read at once.
const PAGE: usize = 200;

/// Moves everything from one id to the other, in every group.
pub async fn renamed(
    store: &dyn Store,
    groups: &Groups,
    old: &MemberId,
    new: &MemberId,
    now: Timestamp,
) -> Result<(), StoreError> {
    if old == new || old.as_str().is_empty() || new.as_str().is_empty() {
        return Ok(());
    }
    for group in groups.all() {
        if group.set.owner.as_ref() == Some(old) || group.set.admins.contains(old) {
            tracing::warn!(%old, %new, group = %group.id(), "the settings name an id that has changed; please change it there");
        }
        if knows(&group.learned, old) {
            let (old, new) = (old.clone(), new.clone());
            groups.update(group.id(), move |learned| rename(learned, &old, &new)).await?;
        }
        moved(store, group.id(), old, new, now).await?;
    }
    Ok(())
}

/// One group's record, cases and open tasks in one transaction.
async fn moved(
    store: &dyn Store,
    group: &GroupId,
    old: &MemberId,
    new: &MemberId,
    now: Timestamp,
) -> Result<(), StoreError> {
    transact!(store, |tx| {
        let mut before = tx.member(group, old).await?;
        if before.version > 0 && (before.standing != Standing::default() || !before.recent.is_empty()) {
            let mut after = tx.member(group, new).await?;
            after.standing.absorb(std::mem::take(&mut before.standing));
            after.recent.append(&mut before.recent);
            after.recent.sort_by_key(|message| message.0.at);
            after.recent.drain(..after.recent.len().saturating_sub(PER_MEMBER));
            tx.put_member(before);
            tx.put_member(after);
        }
        for mut case in cases(store, group, old).await? {
            case.member = new.clone();
            tx.put_case(case);
        }
        for task in open_tasks(store, group, old).await? {
            tx.update_task(TaskUpdate {
                id: task.id.clone(),
                fence: Some(task.fence),
                state: TaskState::Cancelled,
                due: task.due,
                reason: format!("成员的账号改成了 {new}，另有一项待办接着做"),
                payload: None,
                failed: false,
            });
            tx.add_task(Task {
                id: format!("{}~{new}", task.id).into(),
                member: Some(new.clone()),
                created: now,
                fence: 0,
                attempts: 0,
                leased_until: None,
                ..task
            });
        }
    });
    Ok(())
}

async fn cases(store: &dyn Store, group: &GroupId, member: &MemberId) -> Result<Vec<Case>, StoreError> {
    let mut all: Vec<Case> = Vec::new();
    loop {
        let query = CaseQuery {
            group: Some(group.clone()),
            member: Some(member.clone()),
            after: all.last().map(|case| case.id.clone()),
            limit: PAGE,
            ..CaseQuery::default()
        };
        let page = store.cases(&query).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// What is still to be done about somebody in a group.
async fn open_tasks(store: &dyn Store, group: &GroupId, member: &MemberId) -> Result<Vec<Task>, StoreError> {
    let mut open = Vec::new();
    for state in [TaskState::Pending, TaskState::WaitsForPerson] {
        let mut after = None;
        loop {
            let query = TaskQuery {
                state: Some(state),
                group: Some(group.clone()),
                after: after.take(),
                limit: PAGE,
                ..TaskQuery::default()
            };
            let page = store.tasks(&query).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            open.extend(page.into_iter().filter(|task| task.member.as_ref() == Some(member)));
        }
    }
    Ok(open)
}

fn knows(learned: &GroupState, member: &MemberId) -> bool {
    learned.owner.as_ref() == Some(member)
        || learned.admins.contains(member)
        || learned.members.contains_key(member)
        || learned.gone.contains_key(member)
        || learned.joined.contains_key(member)
        || learned.seen.contains(member)
        || learned.orders.exempt.contains_key(member)
        || learned.orders.ads_permitted.contains_key(member)
}

fn rename(learned: &mut GroupState, old: &MemberId, new: &MemberId) {
    for id in learned.owner.iter_mut().chain(&mut learned.admins).filter(|id| *id == old) {
        id.clone_from(new);
    }
    if let Some(person) = learned.members.remove(old) {
        learned.members.entry(new.clone()).or_insert(person);
    }
    if let Some(at) = learned.left.remove(old) {
        learned.left.entry(new.clone()).or_insert(at);
    }
    if let Some(name) = learned.gone.remove(old) {
        learned.gone.entry(new.clone()).or_insert(name);
    }
    // Who was there before is no newcomer under another id.
    if learned.seen.remove(old) || learned.joined.contains_key(old) {
        learned.seen.insert(new.clone());
        learned.joined.remove(new);
    }
    if let Some(at) = learned.joined.remove(old) {
        learned.joined.insert(new.clone(), at);
    }
    for orders in [&mut learned.orders.exempt, &mut learned.orders.ads_permitted] {
        if let Some(until) = orders.remove(old) {
            let known = orders.entry(new.clone()).or_insert(until);
            *known = until.max(*known);
        }
    }
}
