//! A button on a card was pressed: by the member it warned, by the owner it asked, by a reviewer.
//!
//! Recorded first, shown second: the answer is the short text that the buttons turn into. Who may not decide is told so and
//! nothing changes. A press that WeCom delivers three times does one thing.

use std::sync::Arc;

use serde_json::json;

use crate::{
    appeals::Appeals,
    chat_commands::{self, CommandError},
    groups::Groups,
    model::{CaseId, Clock, MemberId, Step, TaskId, Timestamp, UserError},
    moderation::{
        Moderation,
        effects::{Ask, REASON, Request},
        manual::Punishment,
        undo::UndoError,
    },
    notices::{Notices, answer::Pressed, outgoing::Counter},
    policy::MemberState,
    reports::{ReportState, Reports},
    store::{CaseEvent, CaseState, Store, StoreError, Task, TaskState, TaskUpdate, changes::Changes},
};

/// The use case.
pub struct Clicks {
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// The main use case.
    pub moderation: Arc<Moderation>,
    /// Appeals.
    pub appeals: Arc<Appeals>,
    /// Members' reports.
    pub reports: Arc<Reports>,
    /// Notices.
    pub notices: Arc<Notices>,
    /// Who may decide besides the group's own people.
    pub escalation: Vec<MemberId>,
}

/// What becomes of a card whose button was pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Its buttons turn into these words, for the person who pressed.
    Label(String),
    /// It shows the new count to everybody, with its button.
    Count(Counter),
    /// Nothing.
    AsBefore,
}

impl Clicks {
    /// Handles a press that was made at `at`, as WeCom says.
    pub async fn press(&self, by: &MemberId, card: &str, key: &str, at: Timestamp) -> Result<Shown, StoreError> {
        // A clock of theirs that is ahead of ours makes nobody late.
        let at = at.min(self.clock.now());
        match chat_commands::notice::press(&self.notices, &self.groups, key, by).await {
            Ok(None) => {}
            Ok(Some(label)) => {
                self.moderation.ring();
                return Ok(Shown::Label(label.into()));
            }
            Err(CommandError::User(error)) => return Ok(Shown::Label(error.0)),
            Err(CommandError::Store(error)) => return Err(error),
        }
        match self.notices.press(key, by, at).await.map_err(CommandError::from) {
            Ok(Some(pressed)) => {
                let shown = match pressed {
                    Pressed::Settled(label) => Shown::Label(label),
                    Pressed::Counted(counter) => Shown::Count(counter),
                    Pressed::Told(text) => {
                        self.notices.hint(key, by, at, text).await?;
                        Shown::AsBefore
                    }
                };
                self.moderation.ring();
                return Ok(shown);
            }
            Ok(None) => {}
            Err(CommandError::User(error)) => return Ok(Shown::Label(error.0)),
            Err(CommandError::Store(error)) => return Err(error),
        }
        match self.pressed(by, card, key).await {
            Ok(label) => Ok(Shown::Label(label)),
            Err(CommandError::User(error)) => Ok(Shown::Label(error.0)),
            Err(CommandError::Store(error)) => Err(error),
        }
    }

    async fn pressed(&self, by: &MemberId, card: &str, key: &str) -> Result<String, CommandError> {
        // A card sent again to the next person carries `@2` after the task's id.
        let task_id = card.split('@').next().unwrap_or_default();
        if let Some(rest) = task_id.strip_prefix("tell-") {
            return self.on_warning(by, rest.split('-').next().unwrap_or_default(), key).await;
        }
        if task_id.starts_with("ask-") {
            return self.on_request(by, &TaskId::from(task_id), key).await;
        }
        if let Some(case) = task_id.strip_prefix("appeal-") {
            return self.on_appeal(by, &CaseId::from(case), key).await;
        }
        if task_id.starts_with("breaker-") {
            return self.on_breaker(by, &TaskId::from(task_id), key).await;
        }
        if let Some(report) = task_id.strip_prefix("report-") {
            return self.on_report(by, report, key).await;
        }
        Err(UserError::new("这张卡片已失效").into())
    }

    async fn on_warning(&self, by: &MemberId, case: &str, key: &str) -> Result<String, CommandError> {
        let case = CaseId::from(case);
        match key {
            "appeal" => return Ok(self.appeals.open(by, &case, "（通过卡片申诉）").await?.label.into()),
            "false_alarm" => return Ok(self.appeals.open(by, &case, "本人认为是误报").await?.label.into()),
            "needed" => return self.needed_for_work(by, &case).await,
            _ => {}
        }
        let now = self.clock.now();
        let who = by.clone();
        Changes::new()
            .case(&case, move |case| {
                if case.member == who && !case.history.iter().any(|e| e.what == "read") {
                    case.history.push(CaseEvent {
                        at: now,
                        by: who.to_string(),
                        what: "read".into(),
                        note: "本人已读".into(),
                    });
                }
            })
            .commit(self.store.as_ref())
            .await?;
        Ok("已知晓，谢谢".into())
    }

    /// What looked like a leak was meant to be sent: whoever looks after it reads the reason, and at once.
    async fn needed_for_work(&self, by: &MemberId, case: &CaseId) -> Result<String, CommandError> {
        let found = self.store.case(case).await?.filter(|found| found.member == *by);
        let Some(found) = found else { return Err(UserError::new("这张卡片已失效").into()) };
        if found.state != CaseState::Open {
            return Ok("已处理，无需说明".into());
        }
        let now = self.clock.now();
        let who = by.to_string();
        let mut changes = Changes::new().case(case, move |case| {
            if !case.history.iter().any(|event| event.what == REASON) {
                let note = "本人说明：工作需要".into();
                case.history.push(CaseEvent { at: now, by: who.clone(), what: REASON.into(), note });
            }
        });
        let ticket = self.store.task(&TaskId::new(format!("ask-{case}-{}", Request::Leak))).await?;
        if let Some(ticket) =
            ticket.filter(|ticket| !ticket.state.is_final() && ticket.due > now && ticket.payload["asked"] == json!([]))
        {
            changes = changes.update_task(TaskUpdate {
                id: ticket.id,
                fence: None,
                state: TaskState::Pending,
                due: now,
                reason: "本人已说明原因".into(),
                payload: None,
                failed: false,
            });
        }
        changes.commit(self.store.as_ref()).await?;
        self.moderation.ring();
        Ok("已告知管理者".into())
    }

    /// May this person decide in the task's group?
    fn may_decide(&self, by: &MemberId, group: &crate::model::GroupId) -> Result<(), UserError> {
        let group = self.groups.get(group);
        if group.deciders().contains(by) || self.escalation.contains(by) {
            Ok(())
        } else {
            Err(UserError::new("您没有权限处理"))
        }
    }

    async fn on_request(&self, by: &MemberId, id: &TaskId, key: &str) -> Result<String, CommandError> {
        let Some(task) = self.store.task(id).await? else { return Err(UserError::new("这张卡片已失效").into()) };
        self.may_decide(by, &task.group)?;
        if matches!(task.state, TaskState::Done | TaskState::Cancelled) {
            return Ok(format!("已处理：{}", task.reason));
        }
        let Some(case) = task.case.clone() else { return Err(UserError::new("这张卡片已失效").into()) };
        match key {
            "done" => {
                let answer = self.claimed_done(by, &task).await?;
                self.agrees(by, &case).await?;
                Ok(answer)
            }
            "warn" => {
                let answer = self.only_a_warning(by, &task, &case).await?;
                self.agrees(by, &case).await?;
                Ok(answer)
            }
            "wrong" => {
                self.moderation.revoke(&case, by.as_str(), "misjudged").await?;
                Ok("已记为误判并撤销".into())
            }
            "confirm" => {
                let Some(known) = self.store.case(&case).await? else {
                    return Err(UserError::new("这张卡片已失效").into());
                };
                let group = self.groups.get(&task.group);
                let about = Some((Some(known.category), known.evidence.as_str(), known.at));
                let what = Punishment { step: None, reason: &known.rule, about, cause: Some(case.as_str()) };
                let punished = self.moderation.punish(&group, &known.member, by, what).await?;
                self.agrees(by, &case).await?;
                self.end(&task, by, TaskState::Done, "已确认违规，按群规处理", "confirmed").await?;
                Ok(format!("已确认违规（{punished}）"))
            }
            _ => Err(UserError::new("这张卡片已失效").into()),
        }
    }

    /// Whoever acts on a case says with it that the rule was right.
    async fn agrees(&self, by: &MemberId, case: &CaseId) -> Result<(), CommandError> {
        match self.moderation.confirm(case, by.as_str()).await {
            Ok(()) | Err(UndoError::User(_)) => Ok(()),
            Err(UndoError::Store(error)) => Err(error.into()),
        }
    }

    async fn claimed_done(&self, by: &MemberId, task: &Task) -> Result<String, CommandError> {
        let now = self.clock.now();
        let mut ask: Ask =
            serde_json::from_value(task.payload.clone()).map_err(|_| UserError::new("这张卡片已失效"))?;
        ask.claimed_done = ask.claimed_done.or(Some(now));
        let update = TaskUpdate {
            id: task.id.clone(),
            fence: None,
            state: TaskState::Pending,
            due: now,
            reason: "群主说已处理，正在核实".into(),
            payload: Some(json!(ask)),
            failed: false,
        };
        let who = by.to_string();
        let mut changes = Changes::new().update_task(update);
        if let Some(case) = &task.case {
            changes = changes.case(case, move |case| {
                case.history.push(CaseEvent {
                    at: now,
                    by: who.clone(),
                    what: "owner_done".into(),
                    note: "反馈已处理".into(),
                });
            });
        }
        changes.commit(self.store.as_ref()).await?;
        self.moderation.ring();
        Ok("已反馈，正在核实".into())
    }

    /// The owner is milder than the ladder: the strike stays, the member stays too.
    async fn only_a_warning(&self, by: &MemberId, task: &Task, case: &CaseId) -> Result<String, CommandError> {
        let now = self.clock.now();
        let who = by.to_string();
        let mut changes = self.ending(task, TaskState::Done, "改为警告", now).case(case, move |case| {
            case.step = Step::Warn;
            case.until = None;
            case.history.push(CaseEvent {
                at: now,
                by: who.clone(),
                what: "only_warned".into(),
                note: "改为警告".into(),
            });
        });
        if let Some(member) = &task.member {
            changes = changes.member(&task.group, member, |record| record.standing.state = MemberState::Normal);
            let group = self.groups.get(&task.group);
            if !group.is_external(member) {
                let payload = json!({ "topic": "warn", "n": 1, "of": 0, "next": "" });
                let mut tell = Task::new(format!("tell-{case}-warn"), "tell", &task.group, now, payload);
                tell.member = Some(member.clone());
                tell.case = Some(case.clone());
                changes = changes.task(tell);
            }
        }
        changes.commit(self.store.as_ref()).await?;
        self.moderation.ring();
        Ok("已改为警告".into())
    }

    async fn on_appeal(&self, by: &MemberId, case: &CaseId, key: &str) -> Result<String, CommandError> {
        let Some(appeal) = self.appeals.get(case).await? else {
            return Err(UserError::new("这张卡片已失效").into());
        };
        self.may_decide(by, &appeal.group)?;
        let answer = self.appeals.answer(case, by, key == "uphold", "").await?;
        self.end_by_id(&TaskId::new(format!("appeal-{case}")), by, "申诉已处理").await?;
        Ok(answer)
    }

    async fn on_breaker(&self, by: &MemberId, id: &TaskId, key: &str) -> Result<String, CommandError> {
        let Some(task) = self.store.task(id).await? else { return Err(UserError::new("这张卡片已失效").into()) };
        self.may_decide(by, &task.group)?;
        let answer = match key {
            "undo" => self.moderation.undo_all(&task.group, by.as_str()).await?,
            _ => self.moderation.resume(&task.group).await?,
        };
        self.end(&task, by, TaskState::Done, "群主已确认", "answered").await?;
        Ok(answer)
    }

    async fn on_report(&self, by: &MemberId, id: &str, key: &str) -> Result<String, CommandError> {
        let Some(report) = self.reports.get(id).await? else {
            return Err(UserError::new("这张卡片已失效").into());
        };
        self.may_decide(by, &report.group)?;
        let state = match key {
            "founded" => ReportState::Founded,
            "malicious" => ReportState::Malicious,
            _ => ReportState::Unfounded,
        };
        let answer = self.reports.close(id, by, state).await?;
        self.end_by_id(&TaskId::new(format!("report-{id}")), by, "举报已处理").await?;
        Ok(answer)
    }

    fn ending(&self, task: &Task, state: TaskState, reason: &str, now: crate::model::Timestamp) -> Changes {
        let reason = reason.to_owned();
        Changes::new().update_task(TaskUpdate {
            id: task.id.clone(),
            fence: None,
            state,
            due: now,
            reason,
            payload: None,
            failed: false,
        })
    }

    async fn end(
        &self,
        task: &Task,
        by: &MemberId,
        state: TaskState,
        reason: &'static str,
        what: &'static str,
    ) -> Result<(), CommandError> {
        let now = self.clock.now();
        let mut changes = self.ending(task, state, reason, now);
        if let Some(case) = &task.case {
            let who = by.to_string();
            changes = changes.case(case, move |case| {
                if what == "confirmed" && case.state == CaseState::Open {
                    case.state = CaseState::Closed;
                }
                case.history.push(CaseEvent { at: now, by: who.clone(), what: what.into(), note: reason.into() });
            });
        }
        changes.commit(self.store.as_ref()).await?;
        Ok(())
    }

    async fn end_by_id(&self, id: &TaskId, by: &MemberId, reason: &'static str) -> Result<(), CommandError> {
        if let Some(task) = self.store.task(id).await? {
            self.end(&task, by, TaskState::Done, reason, "answered").await?;
        }
        Ok(())
    }
}
