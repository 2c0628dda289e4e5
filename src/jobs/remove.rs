//! Takes a member out of a group the app created: a removal, or a mute, which in WeCom can only be "out now, back later".
//!
//! The owner is refused up front. Before the call goes out a mark is written, so that after a crash "not in the group" is
//! known to be our own doing; only then is a re-add planned. Somebody who had left by themself is never dragged back.

use async_trait::async_trait;
use serde_json::json;

use super::{
    Ended, Job, JobError,
    recover_leases::BEGUN_AGAIN,
    written::{note, set_normal},
};
use crate::{
    deps::Deps,
    model::{MemberId, Step, Timestamp},
    moderation::revoke,
    platform::Moved,
    policy::MemberState,
    store::{Case, Task, TaskState, TaskUpdate, changes::Changes},
    tasks::{Happened, Kind, OwnerNews, Readd, Remove},
};

/// The job.
pub struct RemoveJob(pub Deps);

/// Fewer members than this cannot stay in a group (acting.md §3.2).
const FEWEST: usize = 2;

#[async_trait]
impl Job for RemoveJob {
    fn kind(&self) -> Kind {
        Kind::Remove
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let payload: Remove = super::payload(task)?;
        let Some(member) = task.member.clone() else { return Err(JobError::Final("待办缺少成员".into())) };
        let group = self.0.groups.get(&task.group);
        let standing = self.0.store.member(&task.group, &member).await?.standing;
        if matches!(standing.state, MemberState::Normal) && !payload.begun {
            return Ok(Ended::Cancelled { reason: "处置已撤销，无需移出".into() });
        }
        if let Some(until) = payload.until.filter(|until| *until <= now && !payload.begun) {
            let reason = format!("禁言时间（到 {until}）已过，不再移出");
            return Ok(Ended::Done { reason, with: set_normal(Changes::new(), task, &member) });
        }
        let Some(learned) = self.0.platform.read_group(&group, now).await? else {
            return Err(JobError::Final("读不到群成员，无法移出".into()));
        };
        if learned.owner.as_ref() == Some(&member) {
            return Ok(Ended::gave_up("对方是群主，不能移出"));
        }
        if !learned.members.contains_key(&member) {
            let by_us = revoke::is_out_by_us(self.0.store.as_ref(), &task.group, &member).await?;
            return Ok(if payload.begun || (by_us && payload.until.is_none()) {
                removed(task, &member, &payload, now)
            } else if by_us {
                // The way back that is planned already looks at the new end of the mute.
                let with = note(Changes::new(), task, now, Happened::Prolonged, "已在群外，禁言延长");
                Ended::Done {
                    reason: "已在群外，禁言延长".into(), with: told(with, task, &member, &payload, now)
                }
            } else {
                Ended::Done {
                    reason: "成员已自行离开".into(),
                    with: note(Changes::new(), task, now, Happened::Left, "成员已自行离开，未执行移出"),
                }
            });
        }
        if learned.members.len() <= FEWEST {
            return Ok(Ended::gave_up("群里人数太少，企业微信不允许再移出"));
        }
        self.mark_begun(task, &payload, now).await?;
        match self.0.platform.remove_member(&group, &member, now).await? {
            Moved::Done | Moved::Gone => {
                let out = member.clone();
                self.0.groups.update(&task.group, move |learned| learned.has_left(&out, now)).await?;
                Ok(removed(task, &member, &payload, now))
            }
            Moved::Full => Err(JobError::Retry("企业微信拒绝移出".into())),
        }
    }

    fn on_give_up(&self, task: &Task, reason: &str, now: Timestamp) -> Changes {
        note(Changes::new(), task, now, Happened::GaveUp, reason)
    }
}

impl RemoveJob {
    async fn mark_begun(&self, task: &Task, payload: &Remove, now: Timestamp) -> Result<(), JobError> {
        if payload.begun {
            return Ok(());
        }
        let marked = Remove { begun: true, ..payload.clone() };
        let update = TaskUpdate {
            id: task.id.clone(),
            fence: Some(task.fence),
            state: TaskState::Pending,
            due: now + BEGUN_AGAIN,
            reason: "正在移出".into(),
            payload: Some(json!(marked)),
            failed: true,
        };
        if Changes::new().update_task(update).commit(self.0.store.as_ref()).await? {
            Ok(())
        } else {
            Err(JobError::Retry("待办已被取消".into()))
        }
    }
}

/// Removed by us: written into the case, and for a mute the way back is planned in the same commit.
fn removed(task: &Task, member: &MemberId, payload: &Remove, now: Timestamp) -> Ended {
    let until = payload.until;
    let mut with = note(Changes::new(), task, now, Happened::Removed, "已移出群聊");
    with = told(with, task, member, payload, now);
    if let Some(case) = &task.case {
        let did = if until.is_some() { Step::Mute } else { Step::Remove };
        with = with.task(OwnerNews::of(case, did, member, &task.group, now));
        if until.is_none() {
            with = with.case(case, Case::close_if_open);
        }
    }
    if let Some(until) = until {
        let mut readd = Readd::after(task, member, until, now);
        readd.due = super::readd::next_look(now, until);
        with = with.task(readd);
    }
    Ended::Done {
        reason: if until.is_some() { "已移出，到时自动拉回".into() } else { "已移出".into() }, with
    }
}

/// Now that it is so, the member is told.
fn told(with: Changes, task: &Task, member: &MemberId, payload: &Remove, now: Timestamp) -> Changes {
    match (&payload.tell, &task.case) {
        (Some(tell), Some(case)) => with.task(tell.task(case, member, &task.group, now)),
        _ => with,
    }
}
