//! Taking a case back: the strike no longer counts, a mute ends, somebody removed is brought back or invited again, and the
//! member is told. Used by the 误判 button, by upheld appeals and by the owner's command.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    Moderation,
    effects::{Ask, Readd, Request, Tell, Topic},
    harmless,
};
use crate::{
    capability::{Act, Provider},
    model::{CaseId, GroupId, MemberId, Step, Timestamp, UserError},
    policy::{self, MemberState, lifecycle::Verdict},
    store::{
        Case, CaseEvent, CaseQuery, CaseState, Store, StoreError, Task, TaskQuery, TaskState, TaskUpdate,
        changes::Changes,
    },
};

/// Cases of a member that are looked at to know how they came to be where they are.
const LOOK_BACK: usize = 50;

/// Why a case could not be taken back.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// Shown to whoever asked.
    #[error(transparent)]
    User(#[from] UserError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Moderation {
    /// Takes a case back. `by` is the person who decided that, `why` a stable word (`misjudged`, `appeal_upheld`, `owner`, `breaker`).
    /// Taking back twice is an error shown to the second person. A sentence that was misjudged is remembered as harmless
    /// (must-miss); one that was forgiven is not.
    pub async fn revoke(&self, id: &CaseId, by: &str, why: &'static str) -> Result<(), UndoError> {
        let Some(case) = self.store.case(id).await? else {
            return Err(UserError::new(format!("没有编号为 {id} 的违规记录")).into());
        };
        if case.state == CaseState::Revoked {
            return Err(UserError::new(format!("{id} 已经撤销过了")).into());
        }
        let now = self.clock.now();
        let by_whom = by.to_owned();
        let mut changes = Changes::new().case(id, move |case| {
            if case.state != CaseState::Revoked {
                case.state = CaseState::Revoked;
                case.history.push(CaseEvent {
                    at: now,
                    by: by_whom.clone(),
                    what: "revoked".into(),
                    note: format!("记录已撤销（{}）", why_zh(why)),
                });
            }
        });
        let query = TaskQuery { case: Some(id.clone()), limit: 1000, ..TaskQuery::default() };
        let tasks = self.store.tasks(&query).await?;
        for task in tasks.iter().filter(|task| !task.state.is_final()) {
            changes = changes.update_task(TaskUpdate {
                id: task.id.clone(),
                fence: None,
                state: TaskState::Cancelled,
                due: now,
                reason: "记录已撤销".into(),
                payload: None,
                failed: false,
            });
        }
        // Its own group, and the owner's other groups that a critical case reached.
        let mut places = BTreeSet::from([&case.group]);
        places.extend(tasks.iter().map(|task| &task.group));
        for place in places {
            changes = self.lift(changes, &case, place, &tasks, now).await?;
        }
        let group = self.groups.get(&case.group);
        if (case.points > 0 || took_out(&case))
            && let Some(Provider::Api) = self.capabilities.load().provider(Act::Tell, &group, Some(&case.member))
        {
            changes = changes.task(Tell { next: why_zh(why).into(), ..Tell::new(Topic::Revoked) }.task(
                id,
                &case.member,
                &case.group,
                now,
            ));
        }
        if tasks.iter().any(|task| task.kind == "announce" && task.state == TaskState::Done) {
            // What was said to everybody is put right before everybody.
            let text = format!(
                "【群管更正】{} 提醒涉及「{}」的那条消息，经复核不算违规，特此更正。",
                crate::wording::when(case.at, now),
                case.category.zh()
            );
            let mut line =
                Task::new(format!("announce-{id}-undo"), "announce", &case.group, now, json!({ "text": text }));
            line.case = Some(id.clone());
            changes = changes.task(line);
        }
        if matches!(why, "misjudged" | "appeal_upheld") {
            changes = self.harmless.remember(changes, &case, by, now);
            let verdict = if why == "misjudged" { Verdict::Misjudged } else { Verdict::AppealUpheld };
            changes = self.judge(changes, &case, verdict, now);
        }
        changes.commit(self.store.as_ref()).await?;
        self.lives.reread(self.store.as_ref(), &case).await?;
        self.bring_back_who_left_meanwhile(&case, now).await?;
        self.wake.notify_one();
        Ok(())
    }

    /// A case that was taken back out of kindness turns out to have been wrong: its sentence is remembered as harmless.
    pub async fn forgiven_was_misjudged(&self, case: &Case, by: &str) -> Result<(), UndoError> {
        if self.store.document(harmless::COLLECTION, case.id.as_str()).await?.is_some() {
            return Err(UserError::new(format!("{} 已经记为误判了", case.id)).into());
        }
        let now = self.clock.now();
        let by_whom = by.to_owned();
        let changes = Changes::new().case(&case.id, move |case| {
            case.history.push(CaseEvent {
                at: now,
                by: by_whom.clone(),
                what: "misjudged".into(),
                note: "经人看过，属于误判".into(),
            });
        });
        let changes = self.harmless.remember(changes, case, by, now);
        self.judge(changes, case, Verdict::Misjudged, now).commit(self.store.as_ref()).await?;
        Ok(self.lives.reread(self.store.as_ref(), case).await?)
    }

    /// Takes back what the case did in one group. What a later case did there stays.
    async fn lift(
        &self,
        changes: Changes,
        case: &Case,
        place: &GroupId,
        tasks: &[Task],
        now: Timestamp,
    ) -> Result<Changes, StoreError> {
        let caused = took_out(case) && !self.moved_later(case, place).await?;
        let id = case.id.clone();
        let changes = changes.member(place, &case.member, move |record| {
            policy::revoke(&mut record.standing, &id, caused);
        });
        let state = self.store.member(place, &case.member).await?.standing.state;
        if !caused || state == MemberState::Normal {
            return Ok(changes);
        }
        let group = self.groups.get(place);
        Ok(match self.capabilities.load().provider(Act::Move, &group, Some(&case.member)) {
            Some(Provider::Api)
                if was_taken_out(case, tasks, place) || self.is_out_by_us(place, &case.member).await? =>
            {
                changes.task(readd(case, place, now))
            }
            Some(Provider::Person) => {
                let mut ask =
                    Task::new(format!("ask-{}-lift", case.id), "ask", place, now, json!(Ask::new(Request::Lift)));
                ask.member = Some(case.member.clone());
                ask.case = Some(case.id.clone());
                changes.task(ask)
            }
            _ => changes,
        })
    }

    /// Did a later case of the same member, one that still stands, mute or remove them in this group?
    async fn moved_later(&self, case: &Case, place: &GroupId) -> Result<bool, StoreError> {
        let later = self.cases_of(place, &case.member).await?;
        Ok(later.iter().any(|other| {
            other.id != case.id && other.at >= case.at && other.state != CaseState::Revoked && took_out(other)
        }))
    }

    /// The last thing that happened to the member's place in the group is that the bot took them out.
    pub(crate) async fn is_out_by_us(&self, group: &GroupId, member: &MemberId) -> Result<bool, StoreError> {
        is_out_by_us(self.store.as_ref(), group, member).await
    }

    async fn cases_of(&self, group: &GroupId, member: &MemberId) -> Result<Vec<Case>, StoreError> {
        cases_of(self.store.as_ref(), group, member).await
    }

    /// A removal that was just being carried out while it was cancelled has happened nevertheless.
    async fn bring_back_who_left_meanwhile(&self, case: &Case, now: Timestamp) -> Result<(), StoreError> {
        let query = TaskQuery { case: Some(case.id.clone()), limit: 1000, ..TaskQuery::default() };
        let begun = |task: &&Task| {
            task.kind == "remove" && task.state == TaskState::Cancelled && task.payload["begun"] == json!(true)
        };
        for task in self.store.tasks(&query).await?.iter().filter(begun) {
            if self.store.member(&task.group, &case.member).await?.standing.state == MemberState::Normal {
                Changes::new().task(readd(case, &task.group, now)).commit(self.store.as_ref()).await?;
            }
        }
        Ok(())
    }
}

fn took_out(case: &Case) -> bool {
    matches!(case.step, Step::Mute | Step::Remove)
}

fn was_taken_out(case: &Case, tasks: &[Task], place: &GroupId) -> bool {
    let begun = |task: &Task| task.kind == "remove" && task.group == *place && task.payload["begun"] == json!(true);
    tasks.iter().any(begun) || (case.group == *place && case.history.iter().any(|event| event.what == "removed"))
}

fn readd(case: &Case, place: &GroupId, now: Timestamp) -> Task {
    let elsewhere = if case.group == *place { String::new() } else { format!("-{place}") };
    let payload = json!(Readd { until: now, begun: false, undo: true });
    let mut task = Task::new(format!("readd-{}-undo{elsewhere}", case.id), "readd", place, now, payload);
    task.member = Some(case.member.clone());
    task.case = Some(case.id.clone());
    task
}

async fn cases_of(store: &dyn Store, group: &GroupId, member: &MemberId) -> Result<Vec<Case>, StoreError> {
    let query = CaseQuery {
        group: Some(group.clone()),
        member: Some(member.clone()),
        limit: LOOK_BACK,
        ..CaseQuery::default()
    };
    store.cases(&query).await
}

/// The last thing that happened to the member's place in the group is that the bot took them out.
pub(crate) async fn is_out_by_us(store: &dyn Store, group: &GroupId, member: &MemberId) -> Result<bool, StoreError> {
    let cases = cases_of(store, group, member).await?;
    let moves = cases.iter().flat_map(|case| &case.history).filter_map(|event| match event.what.as_str() {
        "removed" => Some((event.at, true)),
        "readded" | "readded_by_person" | "left" => Some((event.at, false)),
        _ => None,
    });
    Ok(moves.max_by_key(|(at, _)| *at).is_some_and(|(_, out)| out))
}

fn why_zh(why: &str) -> &'static str {
    match why {
        "appeal_upheld" => "申诉成立",
        "misjudged" => "误判",
        "breaker" => "熔断后全部撤销",
        _ => "管理者决定",
    }
}
