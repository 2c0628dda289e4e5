//! Brings a muted member back when the time is over.
//!
//! While the mute lasts the job looks at the group now and then: if a person brought the member back by hand, the mute ends
//! there, because nobody fights the owner.

use async_trait::async_trait;
use serde_json::json;

use super::{
    Ended, Job, JobError,
    recover_leases::BEGUN_AGAIN,
    written::{note, set_normal},
};
use crate::{
    deps::Deps,
    model::{SignedDuration, Timestamp},
    platform::{Moved, PlatformError},
    policy::MemberState,
    store::{Case, Task, TaskState, TaskUpdate, changes::Changes},
    tasks::{Ask, Happened, Kind, Readd, Tell, Topic},
};

/// While a mute lasts the group is looked at this often.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// When to look next: at the end of the mute, or earlier to notice a re-add by hand.
pub(super) fn next_look(now: Timestamp, until: Timestamp) -> Timestamp {
    until.min(now + LOOK_EVERY)
}

/// The job.
pub struct ReaddJob(pub Deps);

#[async_trait]
impl Job for ReaddJob {
    fn kind(&self) -> Kind {
        Kind::Readd
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let payload: Readd = super::payload(task)?;
        let Some(member) = task.member.clone() else { return Err(JobError::Final("待办缺少成员".into())) };
        let group = self.0.groups.get(&task.group);
        let state = self.0.store.member(&task.group, &member).await?.standing.state;
        if matches!(state, MemberState::Removed | MemberState::Banned) {
            return Ok(Ended::Cancelled { reason: "期间已被移出，不再拉回".into() });
        }
        // A later case may have prolonged the mute; an upheld appeal may have ended it.
        let until = match state {
            MemberState::Muted { until } => until,
            _ => now,
        };
        let Some(learned) = self.0.platform.read_group(&group, now).await? else {
            return Err(JobError::Final("读不到群成员，无法拉回".into()));
        };
        if learned.members.contains_key(&member) && payload.undo {
            return Ok(Ended::Done {
                reason: "成员已在群里".into(), with: set_normal(Changes::new(), task, &member)
            });
        }
        if learned.members.contains_key(&member) {
            let (what, text) = if payload.begun {
                (Happened::Readded, "禁言结束，已拉回群聊")
            } else {
                (Happened::ReaddedByPerson, "有人已手动拉回，禁言提前结束")
            };
            return self.over(task, &member, now, what, text);
        }
        if until > now {
            return Ok(Ended::later(next_look(now, until), "禁言中"));
        }
        if !payload.begun {
            let update = TaskUpdate {
                id: task.id.clone(),
                fence: Some(task.fence),
                state: TaskState::Pending,
                due: now + BEGUN_AGAIN,
                reason: "正在拉回".into(),
                payload: Some(json!(Readd { begun: true, ..payload })),
                failed: true,
            };
            if !Changes::new().update_task(update).commit(self.0.store.as_ref()).await? {
                return Err(JobError::Retry("待办已被取消".into()));
            }
        }
        let moved = match self.0.platform.add_member(&group, &member, now).await {
            Err(PlatformError::Final(why)) => return Ok(self.by_hand(task, &format!("企业微信拒绝拉回：{why}"), now)),
            moved => moved?,
        };
        match moved {
            Moved::Done => {
                let back = member.clone();
                self.0
                    .groups
                    .update(&task.group, move |learned| {
                        learned.left.remove(&back);
                    })
                    .await?;
                // Who is still muted after a removal was taken back comes with the end of the mute.
                let at_once = payload.undo && payload.until <= task.created;
                let text = if at_once { "撤销移出，已拉回群聊" } else { "禁言结束，已拉回群聊" };
                self.over(task, &member, now, Happened::Readded, text)
            }
            Moved::Gone => Ok(Ended::Done {
                reason: "成员已不在公司，不再拉回".into(),
                with: set_normal(
                    note(Changes::new(), task, now, Happened::Left, "成员已不在公司，未拉回"),
                    task,
                    &member,
                ),
            }),
            Moved::Full => Ok(self.by_hand(task, "群已满员，请群主手动拉回", now)),
        }
    }

    /// Nobody may stay outside because WeCom had a bad hour.
    fn gives_up(&self) -> bool {
        false
    }

    fn on_give_up(&self, task: &Task, reason: &str, now: Timestamp) -> Changes {
        note(Changes::new(), task, now, Happened::GaveUp, reason)
    }
}

impl ReaddJob {
    /// The bot cannot; the owner is asked to.
    fn by_hand(&self, task: &Task, reason: &str, now: Timestamp) -> Ended {
        let with = note(Changes::new(), task, now, Happened::GaveUp, reason);
        let with = match Ask::lift_after(task, now) {
            Some(lift) => with.task(lift),
            None => with,
        };
        Ended::GaveUp { reason: reason.into(), with }
    }

    fn over(
        &self,
        task: &Task,
        member: &crate::model::MemberId,
        now: Timestamp,
        what: Happened,
        text: &'static str,
    ) -> Result<Ended, JobError> {
        let mut with = set_normal(note(Changes::new(), task, now, what, text), task, member);
        if let Some(case) = &task.case {
            with = with.case(case, Case::close_if_open);
            let mut tell = Tell::new(Topic::MuteOver).task(case, member, &task.group, now);
            let payload: Readd = super::payload(task)?;
            if payload.undo {
                tell.id = format!("{}-undo", tell.id).into(); // the case's own mute may have ended before
            }
            // Who was let in at once has just read that the case is taken back.
            if !payload.undo || payload.until > task.created {
                with = with.task(tell);
            }
        }
        Ok(Ended::Done { reason: text.into(), with })
    }
}
