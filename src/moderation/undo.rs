//! Taking a case back: the strike no longer counts, a mute ends, somebody removed is brought back or invited again, and the
//! member is told. Used by the 误判 button, by upheld appeals and by the owner's command.

use std::collections::BTreeSet;

use super::{Moderation, harmless, second_opinion};
use crate::{
    capability::{Act, Provider},
    model::{CaseId, GroupId, MemberId, Step, Timestamp, UserError},
    policy::{self, MemberState, lifecycle::Verdict},
    store::{
        Case, CaseQuery, CaseState, Commit, Store, StoreError, Task, TaskQuery, TaskState, TaskUpdate, Tx,
        transaction::transact,
    },
    tasks::{self, Announce, Ask, Happened, Kind, Readd, Remove, Request, Tell, Topic},
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
        let case = transact!(self.store.as_ref(), |tx| self.revoke_in(tx, id, by, why).await?);
        self.revoked(&case, why).await
    }

    /// The part of [`Self::revoke`] that happens together with what else was decided; after the commit call
    /// [`Self::revoked`] with the case that this answers.
    pub async fn revoke_in(
        &self,
        tx: &mut Tx<'_>,
        id: &CaseId,
        by: &str,
        why: &'static str,
    ) -> Result<Case, UndoError> {
        let Some(mut case) = tx.case(id).await? else {
            return Err(UserError::new(format!("没有编号为 {id} 的违规记录")).into());
        };
        if case.state == CaseState::Revoked {
            return Err(UserError::new(format!("{id} 已经撤销过了")).into());
        }
        let now = self.clock.now();
        let tasks = tx.tasks_of(id).await?;
        for task in tasks.iter().filter(|task| !task.state.is_final()) {
            tx.update_task(TaskUpdate::cancel(task.id.clone(), now, "记录已撤销"));
        }
        // Its own group, and the owner's other groups that a critical case reached.
        let mut places = BTreeSet::from([&case.group]);
        places.extend(tasks.iter().map(|task| &task.group));
        for place in places {
            self.lift(tx, &case, place, &tasks, now).await?;
        }
        let group = self.groups.get(&case.group);
        if (case.points > 0 || took_out(&case))
            && let Some(Provider::Api) = self.capabilities.load().provider(Act::Tell, &group, Some(&case.member))
        {
            let tell = Tell { next: why_zh(why).into(), ..Tell::new(Topic::Revoked) };
            tx.add_task(tell.task(id, &case.member, &case.group, now));
        }
        if tasks.iter().any(|task| task.kind == Kind::Announce.id() && task.state == TaskState::Done) {
            // What was said to everybody is put right before everybody.
            let text = format!(
                "【群管更正】{} 提醒涉及「{}」的那条消息，经复核不算违规，特此更正。",
                crate::wording::when(case.at, now),
                case.category.zh()
            );
            tx.add_task(Announce { text }.correction(&case, now));
        }
        if let Some(verdict) = verdict(why) {
            harmless::remember(tx, &case, by, now).await?;
            self.judge(tx, &case, verdict, now).await?;
            second_opinion::agreement(tx, &case, second_opinion::person_said(&case), false).await?;
        }
        case.state = CaseState::Revoked;
        case.note(now, by, Happened::Revoked, format!("记录已撤销（{}）", why_zh(why)));
        tx.put_case(case.clone());
        Ok(case)
    }

    /// What follows once a case was taken back.
    pub async fn revoked(&self, case: &Case, why: &'static str) -> Result<(), UndoError> {
        if verdict(why).is_some() {
            self.harmless.learn(&case.evidence);
            second_opinion::tell_agreement(case, false);
        }
        self.lives.reread(self.store.as_ref(), case).await?;
        self.bring_back_who_left_meanwhile(case, self.clock.now()).await?;
        self.wake.notify_one();
        Ok(())
    }

    /// A case that was taken back out of kindness turns out to have been wrong: its sentence is remembered as harmless.
    pub async fn forgiven_was_misjudged(&self, case: &Case, by: &str) -> Result<(), UndoError> {
        let now = self.clock.now();
        transact!(self.store.as_ref(), |tx| {
            if tx.get(harmless::JUDGEMENTS, case.id.as_str()).await?.is_some() {
                return Err(UserError::new(format!("{} 已经记为误判了", case.id)).into());
            }
            harmless::remember(tx, case, by, now).await?;
            second_opinion::agreement(tx, case, second_opinion::person_said(case), false).await?;
            self.judge(tx, case, Verdict::Misjudged, now).await?;
            tx.edit_case(&case.id, |case| case.note(now, by, Happened::Misjudged, "经人看过，属于误判")).await?;
        });
        self.harmless.learn(&case.evidence);
        Ok(self.lives.reread(self.store.as_ref(), case).await?)
    }

    /// Takes back what the case did in one group. What a later case did there stays.
    async fn lift(
        &self,
        tx: &mut Tx<'_>,
        case: &Case,
        place: &GroupId,
        tasks: &[Task],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let caused = took_out(case) && !self.moved_later(case, place).await?;
        let mut record = tx.member(place, &case.member).await?;
        let before = record.standing.state.clone();
        policy::revoke(&mut record.standing, &case.id, caused);
        tx.put_member(record);
        if !caused || before == MemberState::Normal {
            return Ok(());
        }
        let group = self.groups.get(place);
        match self.capabilities.load().provider(Act::Move, &group, Some(&case.member)) {
            Some(Provider::Api)
                if was_taken_out(case, tasks, place) || self.is_out_by_us(place, &case.member).await? =>
            {
                tx.add_task(Readd::undone(case, place, now));
            }
            Some(Provider::Person) => {
                tx.add_task(Ask::new(Request::Lift).task(case, place, now));
            }
            _ => {}
        }
        Ok(())
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
        let begun = |task: &&Task| task.state == TaskState::Cancelled && removal_begun(task);
        for task in self.store.tasks(&query).await?.iter().filter(begun) {
            if self.store.member(&task.group, &case.member).await?.standing.state == MemberState::Normal {
                let tasks = vec![Readd::undone(case, &task.group, now)];
                self.store.commit(Commit { tasks, ..Commit::default() }).await?;
            }
        }
        Ok(())
    }
}

fn took_out(case: &Case) -> bool {
    matches!(case.step, Step::Mute | Step::Remove)
}

fn was_taken_out(case: &Case, tasks: &[Task], place: &GroupId) -> bool {
    let begun = |task: &Task| task.group == *place && removal_begun(task);
    tasks.iter().any(begun) || (case.group == *place && case.happened(Happened::Removed).is_some())
}

fn removal_begun(task: &Task) -> bool {
    tasks::payload::<Remove>(task).is_some_and(|remove| remove.begun)
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
    let moves = cases.iter().flat_map(|case| &case.history).filter_map(|event| match event.what.parse() {
        Ok(Happened::Removed) => Some((event.at, true)),
        Ok(Happened::Readded | Happened::ReaddedByPerson | Happened::Left) => Some((event.at, false)),
        _ => None,
    });
    Ok(moves.max_by_key(|(at, _)| *at).is_some_and(|(_, out)| out))
}

/// What taking a case back for this reason says of the rules behind it.
fn verdict(why: &str) -> Option<Verdict> {
    match why {
        "misjudged" => Some(Verdict::Misjudged),
        "appeal_upheld" => Some(Verdict::AppealUpheld),
        _ => None,
    }
}

fn why_zh(why: &str) -> &'static str {
    match why {
        "appeal_upheld" => "申诉成立",
        "misjudged" => "误判",
        "breaker" => "熔断后全部撤销",
        _ => "管理者决定",
    }
}
