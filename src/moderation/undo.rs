//! Taking a case back: the strike no longer counts, a mute ends, somebody removed is brought back or invited again, and the
//! member is told. Used by the 误判 button, by upheld appeals and by the owner's command.

use serde_json::json;

use super::{
    Moderation,
    effects::{Ask, Readd, Request, Tell, Topic},
};
use crate::{
    capability::{Act, Provider},
    model::{CaseId, Step, UserError},
    policy,
    store::{CaseEvent, CaseState, StoreError, Task, TaskQuery, TaskState, TaskUpdate, changes::Changes},
};

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
    /// Takes a case back. `by` is the person who decided that, `why` a stable word (`misjudged`, `appeal_upheld`, `owner`).
    /// Taking back twice is an error shown to the second person. The sentence is remembered as harmless (must-miss).
    pub async fn revoke(&self, id: &CaseId, by: &str, why: &'static str) -> Result<(), UndoError> {
        let Some(case) = self.store.case(id).await? else {
            return Err(UserError::new(format!("没有编号为 {id} 的违规记录")).into());
        };
        if case.state == CaseState::Revoked {
            return Err(UserError::new(format!("{id} 已经撤销过了")).into());
        }
        let now = self.clock.now();
        let group = self.groups.get(&case.group);
        let by_whom = by.to_owned();
        let case_id = id.clone();
        let took_out = matches!(case.step, Step::Mute | Step::Remove);
        let mut changes = Changes::new()
            .case(id, move |case| {
                if case.state != CaseState::Revoked {
                    case.state = CaseState::Revoked;
                    case.history.push(CaseEvent {
                        at: now,
                        by: by_whom.clone(),
                        what: "revoked".into(),
                        note: format!("记录已撤销（{}）", why_zh(why)),
                    });
                }
            })
            .member(&case.group, &case.member, move |record| {
                policy::revoke(&mut record.standing, &case_id, took_out);
            });
        let tasks =
            self.store.tasks(&TaskQuery { case: Some(id.clone()), limit: 1000, ..TaskQuery::default() }).await?;
        let mut removal_begun = case.history.iter().any(|event| event.what == "removed");
        for task in &tasks {
            removal_begun |= task.kind == "remove" && task.payload.get("begun") == Some(&json!(true));
            if !task.state.is_final() {
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
        }
        let new_task = |kind: &str, suffix: &str, payload| {
            let mut task = Task::new(format!("{kind}-{id}-{suffix}"), kind, &case.group, now, payload);
            task.member = Some(case.member.clone());
            task.case = Some(id.clone());
            task
        };
        if took_out {
            match self.capabilities.load().provider(Act::Move, &group, Some(&case.member)) {
                Some(Provider::Api) if removal_begun => {
                    changes = changes.task(new_task("readd", "undo", json!(Readd { until: now, begun: false })));
                }
                Some(Provider::Person) => {
                    let ask = Ask::new(Request::Lift);
                    changes = changes.task(new_task("ask", "lift", json!(ask)));
                }
                _ => {}
            }
        }
        if (case.points > 0 || took_out)
            && let Some(Provider::Api) = self.capabilities.load().provider(Act::Tell, &group, Some(&case.member))
        {
            let tell = Tell { next: why_zh(why).into(), ..Tell::new(Topic::Revoked) };
            changes = changes.task(new_task("tell", "revoked", json!(tell)));
        }
        if tasks.iter().any(|task| task.kind == "announce" && task.state == TaskState::Done) {
            // What was said to everybody is put right before everybody.
            let text = format!(
                "【群管更正】{} 提醒涉及「{}」的那条消息，经复核不算违规，特此更正。",
                crate::wording::when(case.at, now),
                case.category.zh()
            );
            changes = changes.task(new_task("announce", "undo", json!({ "text": text })));
        }
        changes = self.harmless.remember(changes, &case, by, now);
        changes.commit(self.store.as_ref()).await?;
        self.wake.notify_one();
        Ok(())
    }
}

fn why_zh(why: &str) -> &'static str {
    match why {
        "appeal_upheld" => "申诉成立",
        "misjudged" => "误判",
        _ => "管理者决定",
    }
}
