//! A button on a card was pressed: by the member it warned, by the owner it asked, by a reviewer.
//!
//! Recorded first, shown second: the answer is the short text that the buttons turn into. Who may not decide is told so and
//! nothing changes. A press that WeCom delivers three times does one thing.

use std::sync::Arc;

use crate::{
    access::{self, Action, Principal},
    appeals::Appeals,
    chat_commands::{self, CommandError},
    groups::Groups,
    model::{CaseId, Clock, GroupId, MemberId, Step, TaskId, Timestamp, UserError},
    moderation::{Moderation, manual::Punishment, undo::UndoError},
    notices::{Notices, answer::Pressed, outgoing::Counter},
    policy::MemberState,
    reports::{ReportState, Reports},
    store::{Case, CaseState, Store, StoreError, Task, TaskState, TaskUpdate, Tx, transaction::transact},
    tasks::{self, Ask, CardId, Happened, Request, Tell, Topic},
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
        match CardId::parse(card) {
            Some(CardId::Warning(case)) => self.on_warning(by, &case, key).await,
            Some(CardId::Request(task)) => self.on_request(by, &task, key).await,
            Some(CardId::Appeal(case)) => self.on_appeal(by, &case, key).await,
            Some(CardId::Breaker(task)) => self.on_breaker(by, &task, key).await,
            Some(CardId::Report(report)) => self.on_report(by, &report, key).await,
            None => Err(gone()),
        }
    }

    async fn on_warning(&self, by: &MemberId, case: &CaseId, key: &str) -> Result<String, CommandError> {
        match key {
            "appeal" => return Ok(self.appeals.open(by, case, "（通过卡片申诉）").await?.label.into()),
            "false_alarm" => return Ok(self.appeals.open(by, case, "本人认为是误报").await?.label.into()),
            "needed" => return self.needed_for_work(by, case).await,
            _ => {}
        }
        let now = self.clock.now();
        transact!(self.store.as_ref(), |tx| {
            if let Some(mut case) = tx.case(case).await?
                && case.member == *by
                && case.happened(Happened::Read).is_none()
            {
                case.note(now, by, Happened::Read, "本人已读");
                tx.put_case(case);
            }
        });
        Ok("已知晓，谢谢".into())
    }

    /// What looked like a leak was meant to be sent: whoever looks after it reads the reason, and at once.
    async fn needed_for_work(&self, by: &MemberId, case: &CaseId) -> Result<String, CommandError> {
        let now = self.clock.now();
        transact!(self.store.as_ref(), |tx| {
            let found = tx.case(case).await?.filter(|found| found.member == *by);
            let Some(mut found) = found else { return Err(gone()) };
            if found.state != CaseState::Open {
                return Ok("已处理，无需说明".into());
            }
            if found.happened(Happened::Reason).is_none() {
                found.note(now, by, Happened::Reason, "本人说明：工作需要");
                tx.put_case(found);
            }
            let ticket = tx.task(&Ask::id(case, Request::Leak)).await?;
            let nobody_asked = |task: &Task| tasks::payload::<Ask>(task).is_some_and(|ask| ask.asked.is_empty());
            if let Some(ticket) = ticket.filter(|task| !task.state.is_final() && task.due > now && nobody_asked(task)) {
                tx.update_task(TaskUpdate::wake(ticket.id, now, "本人已说明原因"));
            }
        });
        self.moderation.ring();
        Ok("已告知管理者".into())
    }

    fn may(&self, by: &MemberId, action: Action, group: &GroupId) -> Result<(), UserError> {
        let may = access::may(Principal::member(by, &self.escalation), action, Some(&self.groups.get(group)));
        may.map_err(|_| UserError::new("您没有权限处理"))
    }

    /// The person who is asked decides. Whoever acts on a case says with it that the rule was right. Of two who press at once
    /// the first is heard, and the other reads what became of it.
    async fn on_request(&self, by: &MemberId, id: &TaskId, key: &str) -> Result<String, CommandError> {
        let (answer, settled) = transact!(self.store.as_ref(), |tx| {
            let Some(task) = tx.task(id).await? else { return Err(gone()) };
            let action = if key == "confirm" { Action::Punish } else { Action::DecideCase };
            self.may(by, action, &task.group)?;
            if matches!(task.state, TaskState::Done | TaskState::Cancelled) {
                return Ok(format!("已处理：{}", task.reason));
            }
            let Some(case) = task.case.clone() else { return Err(gone()) };
            match key {
                "done" => self.claimed_done(tx, by, &task, &case).await?,
                "warn" => self.only_a_warning(tx, by, &task, &case).await?,
                "confirm" => self.confirm(tx, by, &task, &case).await?,
                "wrong" => {
                    let revoked = self.moderation.revoke_in(tx, &case, by.as_str(), MISJUDGED).await?;
                    ("已记为误判并撤销".into(), Settled::Revoked(Box::new(revoked)))
                }
                _ => return Err(gone()),
            }
        });
        match settled {
            Settled::Revoked(case) => self.moderation.revoked(&case, MISJUDGED).await?,
            Settled::Confirmed(case) => self.moderation.confirmed(case.as_deref()).await?,
        }
        self.moderation.ring();
        Ok(answer)
    }

    async fn agrees(&self, tx: &mut Tx<'_>, by: &MemberId, case: &CaseId) -> Result<Settled, CommandError> {
        match self.moderation.confirm_in(tx, case, by.as_str()).await {
            Ok(case) => Ok(Settled::Confirmed(case.map(Box::new))),
            Err(UndoError::User(_)) => Ok(Settled::Confirmed(None)),
            Err(UndoError::Store(error)) => Err(error.into()),
        }
    }

    async fn claimed_done(
        &self,
        tx: &mut Tx<'_>,
        by: &MemberId,
        task: &Task,
        case: &CaseId,
    ) -> Result<(String, Settled), CommandError> {
        let now = self.clock.now();
        let mut ask: Ask = tasks::payload(task).ok_or_else(gone)?;
        ask.claimed_done = ask.claimed_done.or(Some(now));
        tx.update_task(TaskUpdate::wake(task.id.clone(), now, "群主说已处理，正在核实").carrying(&ask));
        tx.edit_case(case, |case| case.note(now, by, Happened::OwnerDone, "反馈已处理")).await?;
        Ok(("已反馈，正在核实".into(), self.agrees(tx, by, case).await?))
    }

    /// The owner is milder than the ladder: the strike stays, the member stays too.
    async fn only_a_warning(
        &self,
        tx: &mut Tx<'_>,
        by: &MemberId,
        task: &Task,
        case: &CaseId,
    ) -> Result<(String, Settled), CommandError> {
        let now = self.clock.now();
        tx.update_task(TaskUpdate::done(task.id.clone(), now, "改为警告"));
        tx.edit_case(case, |case| {
            case.step = Step::Warn;
            case.until = None;
            case.note(now, by, Happened::OnlyWarned, "改为警告");
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
        Ok(("已改为警告".into(), self.agrees(tx, by, case).await?))
    }

    /// It was a violation: what the ladder has for it follows.
    async fn confirm(
        &self,
        tx: &mut Tx<'_>,
        by: &MemberId,
        task: &Task,
        case: &CaseId,
    ) -> Result<(String, Settled), CommandError> {
        let Some(known) = tx.case(case).await? else { return Err(gone()) };
        let group = self.groups.get(&task.group);
        let about = Some((Some(known.category), known.evidence.as_str(), known.at));
        let what = Punishment { step: None, reason: &known.rule, about, cause: Some(case.as_str()) };
        let punished = self.moderation.punish_in(tx, &group, &known.member, by, what).await?;
        let settled = self.agrees(tx, by, case).await?;
        let (reason, now) = ("已确认违规，按群规处理", self.clock.now());
        tx.update_task(TaskUpdate::done(task.id.clone(), now, reason));
        tx.edit_case(case, |case| {
            case.close_if_open();
            case.note(now, by, Happened::Confirmed, reason);
        })
        .await?;
        Ok((format!("已确认违规（{punished}）"), settled))
    }

    async fn on_appeal(&self, by: &MemberId, case: &CaseId, key: &str) -> Result<String, CommandError> {
        let Some(appeal) = self.appeals.get(case).await? else {
            return Err(gone());
        };
        self.may(by, Action::AnswerAppeal, &appeal.group)?;
        let answer = self.appeals.answer(case, by, key == "uphold", "").await?;
        self.end(&tasks::Appeal::id(case), by, "申诉已处理").await?;
        Ok(answer)
    }

    async fn on_breaker(&self, by: &MemberId, id: &TaskId, key: &str) -> Result<String, CommandError> {
        let Some(task) = self.store.task(id).await? else { return Err(gone()) };
        self.may(by, Action::AnswerBreaker, &task.group)?;
        let answer = match key {
            "undo" => self.moderation.undo_all(&task.group, by.as_str()).await?,
            _ => self.moderation.resume(&task.group).await?,
        };
        self.end(id, by, "群主已确认").await?;
        Ok(answer)
    }

    async fn on_report(&self, by: &MemberId, id: &str, key: &str) -> Result<String, CommandError> {
        let Some(report) = self.reports.get(id).await? else {
            return Err(gone());
        };
        self.may(by, Action::JudgeReport, &report.group)?;
        let state = match key {
            "founded" => ReportState::Founded,
            "malicious" => ReportState::Malicious,
            _ => ReportState::Unfounded,
        };
        let answer = self.reports.close(id, by, state).await?;
        self.end(&tasks::Report::id(id), by, "举报已处理").await?;
        Ok(answer)
    }

    /// What was asked for is answered.
    async fn end(&self, id: &TaskId, by: &MemberId, reason: &'static str) -> Result<(), CommandError> {
        let now = self.clock.now();
        transact!(self.store.as_ref(), |tx| {
            if let Some(task) = tx.task(id).await? {
                tx.update_task(TaskUpdate::done(id.clone(), now, reason));
                if let Some(case) = &task.case {
                    tx.edit_case(case, |case| case.note(now, by, Happened::Answered, reason)).await?;
                }
            }
        });
        Ok(())
    }
}

const MISJUDGED: &str = "misjudged";

/// What somebody said of a case by acting on it.
enum Settled {
    /// It was none.
    Revoked(Box<Case>),
    /// It was one; nothing if that had been said before.
    Confirmed(Option<Box<Case>>),
}

fn gone() -> CommandError {
    UserError::new("这张卡片已失效").into()
}
