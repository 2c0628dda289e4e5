//! The answer to what an owner or admin was asked for: 已处理, 改为警告, 确认违规, 误判.
//!
//! Whoever acts on a case says with it that the rule was right. Of two who answer at once the first is heard, and the other
//! reads what became of it.

use serde_json::json;

use super::{Cases, along, entry, stands};
use crate::{
    access::{self, Action, Actor},
    audit::Act,
    model::{CaseId, Step, TaskId},
    moderation::{revoke::Why, sanction::Punishment},
    policy::MemberState,
    refusal::{ActError, Refusal},
    store::{Case, StoreError, Task, TaskState, TaskUpdate, Tx, transaction::transact},
    tasks::{self, Ask, Happened, Tell, Topic},
};

/// What somebody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestAnswer {
    /// They did what was asked for; that is verified where it can be.
    Done,
    /// A warning is enough: the strike stays, the member stays too.
    OnlyWarn,
    /// It was a violation: what the ladder has for it follows.
    Confirm,
    /// There was nothing wrong.
    Wrong,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It is being verified.
    Done,
    /// It became a warning.
    OnlyWarned,
    /// It was confirmed; the cases that followed, one for each person, and what each brings.
    Confirmed(Vec<(CaseId, Step)>),
    /// The case was taken back.
    Misjudged,
}

/// What follows the commit.
enum Settled {
    Revoked(Box<Case>),
    /// Nothing if somebody had agreed before.
    Confirmed(Option<Box<Case>>),
}

/// The card asks for something that is no more.
pub(super) fn gone() -> Refusal {
    Refusal::not_found("这张卡片已失效")
}

impl RequestAnswer {
    const fn act(self) -> Act {
        match self {
            Self::Done => Act::ClaimDone,
            Self::OnlyWarn => Act::OnlyWarn,
            Self::Confirm => Act::ConfirmCase,
            Self::Wrong => Act::MisjudgeCase,
        }
    }
}

impl Cases {
    /// Answers a request.
    pub async fn answer_request(
        &self,
        actor: &Actor,
        id: &TaskId,
        answer: RequestAnswer,
    ) -> Result<Answered, ActError> {
        let now = self.clock.now();
        let (answered, settled) = transact!(self.store.as_ref(), |tx| {
            let Some(task) = tx.task(id).await? else { return Err(gone().into()) };
            let action = if answer == RequestAnswer::Confirm { Action::Punish } else { Action::DecideCase };
            access::ask(actor, action, Some(&self.groups.get(&task.group)))?;
            if matches!(task.state, TaskState::Done | TaskState::Cancelled) {
                return Err(Refusal::decided(format!("已处理：{}", task.reason)).into());
            }
            let Some(id) = task.case.clone() else { return Err(gone().into()) };
            let Some(case) = tx.case(&id).await? else { return Err(gone().into()) };
            let (answered, settled) = match answer {
                RequestAnswer::Done => self.claim_done(tx, actor, &task, &id).await?,
                RequestAnswer::OnlyWarn => self.only_warn(tx, actor, &task, &id).await?,
                RequestAnswer::Confirm => self.confirm_request(tx, actor, &task, &case).await?,
                RequestAnswer::Wrong => {
                    let case = self.moderation.revoke_in(tx, &id, actor.name(), Why::Misjudged).await?;
                    along::end(tx, &case, actor, now).await?;
                    self.ask_to_allow(tx, actor, &case);
                    (Answered::Misjudged, Settled::Revoked(Box::new(case)))
                }
            };
            let mut before = stands(&case);
            before["request"] = json!(task.state);
            let mut after = tx.case(&id).await?.as_ref().map_or_else(|| json!({}), stands);
            after["request"] = json!("answered");
            if let Answered::Confirmed(followed) = &answered {
                after["followed_by"] = json!(followed.iter().map(|(id, _)| id).collect::<Vec<_>>());
            }
            let record = entry(answer.act(), &case).within(&task.group).was(before).now(after);
            tx.audit(actor, now, record).await?;
            (answered, settled)
        });
        match settled {
            Settled::Revoked(case) => self.moderation.revoked(&case, Why::Misjudged).await?,
            Settled::Confirmed(case) => self.moderation.confirmed(case.as_deref()).await?,
        }
        self.moderation.ring();
        Ok(answered)
    }

    async fn agrees(&self, tx: &mut Tx<'_>, actor: &Actor, case: &CaseId) -> Result<Settled, StoreError> {
        match self.moderation.confirm_in(tx, case, actor.name()).await {
            Ok(case) => Ok(Settled::Confirmed(case.map(Box::new))),
            Err(error) => error.unless_refused().map(|()| Settled::Confirmed(None)),
        }
    }

    async fn claim_done(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        task: &Task,
        case: &CaseId,
    ) -> Result<(Answered, Settled), ActError> {
        let now = self.clock.now();
        let mut ask: Ask = tasks::payload(task).ok_or_else(gone)?;
        ask.claimed_done = ask.claimed_done.or(Some(now));
        tx.update_task(TaskUpdate::wake(task.id.clone(), now, "群主说已处理，正在核实").carrying(&ask));
        tx.edit_case(case, |case| case.note(now, actor.name(), Happened::OwnerDone, "反馈已处理")).await?;
        Ok((Answered::Done, self.agrees(tx, actor, case).await?))
    }

    async fn only_warn(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        task: &Task,
        case: &CaseId,
    ) -> Result<(Answered, Settled), ActError> {
        let now = self.clock.now();
        tasks::end(tx, task, TaskUpdate::done(task.id.clone(), now, "改为警告"), actor.name(), now);
        tx.edit_case(case, |case| {
            case.step = Step::Warn;
            case.until = None;
            case.note(now, actor.name(), Happened::OnlyWarned, "改为警告");
        })
        .await?;
        if let Some(member) = &task.member {
            tx.edit_member(&task.group, member, |record| record.standing.state = MemberState::Normal).await?;
            // Told as what was decided would have been, if the member can be told at all.
            let told = tasks::payload::<Ask>(task).and_then(|ask| ask.tell);
            if let Some(told) = told {
                let tell = Tell { topic: Topic::Warn, next: String::new(), by_person: false, ..told };
                tx.add_task(tell.task(case, member, &task.group, now));
            }
        }
        Ok((Answered::OnlyWarned, self.agrees(tx, actor, case).await?))
    }

    async fn confirm_request(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        task: &Task,
        case: &Case,
    ) -> Result<(Answered, Settled), ActError> {
        let group = self.groups.get(&task.group);
        let mut punished = Vec::new();
        let first = (&case.member, &case.evidence, case.at);
        let all = std::iter::once(first).chain(case.others.iter().map(|o| (&o.member, &o.evidence, o.at)));
        for (member, evidence, at) in all {
            let about = Some((Some(case.category), evidence.as_str(), at));
            let what = Punishment { step: None, reason: &case.rule, about, cause: Some(case.id.as_str()) };
            match self.moderation.punish_in(tx, &group, member, actor.name(), what).await {
                Ok(id) => {
                    let step = tx.case(&id).await?.map_or(Step::Warn, |case| case.step);
                    punished.push((id, step));
                }
                // Of several people one may lead the group by now.
                Err(error) if case.others.is_empty() => return Err(error),
                Err(error) => error.unless_refused()?,
            }
        }
        let settled = self.agrees(tx, actor, &case.id).await?;
        let (reason, now) = ("已确认违规，按群规处理", self.clock.now());
        tasks::end(tx, task, TaskUpdate::done(task.id.clone(), now, reason), actor.name(), now);
        tx.edit_case(&case.id, |case| {
            case.close_if_open();
            case.note(now, actor.name(), Happened::Confirmed, reason);
        })
        .await?;
        along::end(tx, case, actor, now).await?;
        Ok((Answered::Confirmed(punished), settled))
    }
}
