//! Appeals and members' reports: a card to the next person who may judge, and the reporter's answer.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::{
    Ended, Job, JobError,
    hands::{Hands, Private},
};
use crate::{
    appeals::{self, AppealState, Appeals},
    groups::Groups,
    model::{MemberId, Timestamp},
    reports::{ReportState, Reports},
    store::{Store, Task, changes::Changes},
    tasks::{self, Asked, CardId, Kind, TellReport},
    wecom::cards,
    wording,
};

/// Sends an appeal to another person than the one who acted.
pub struct AppealJob {
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// The use case.
    pub appeals: Arc<Appeals>,
    /// WeCom.
    pub hands: Arc<dyn Hands>,
    /// Asked after the group's own people.
    pub escalation: Vec<MemberId>,
}

#[async_trait]
impl Job for AppealJob {
    fn kind(&self) -> Kind {
        Kind::Appeal
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let Some(case) = &task.case else { return Err(JobError::Final("待办缺少记录".into())) };
        let (Some(appeal), Some(found)) = (self.appeals.get(case).await?, self.store.case(case).await?) else {
            return Ok(Ended::gave_up("申诉已不存在"));
        };
        if appeal.state != AppealState::Open {
            return Ok(Ended::done(format!("申诉{}", appeal.state.zh())));
        }
        let group = self.groups.get(&task.group);
        let reviewers = self.appeals.reviewers(&found, &self.escalation);
        let rule = found.rule.as_str();
        let name = group.member_name(&found.member);
        let said = if found.category.is_leak() { wording::masked(&found.evidence) } else { found.evidence.clone() };
        ask_next::<tasks::Appeal>(self.hands.as_ref(), task, reviewers, now, |id| {
            cards::appeal(id, group.name(), name, case.as_str(), rule, &said, &appeal.text)
        })
        .await
    }
}

/// Sends a report to the people who may judge it.
pub struct ReportJob {
    /// Known groups.
    pub groups: Arc<Groups>,
    /// The use case.
    pub reports: Arc<Reports>,
    /// WeCom.
    pub hands: Arc<dyn Hands>,
    /// Asked after the group's own people.
    pub escalation: Vec<MemberId>,
}

#[async_trait]
impl Job for ReportJob {
    fn kind(&self) -> Kind {
        Kind::Report
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let id = &super::payload::<tasks::Report>(task)?.report;
        let Some(report) = self.reports.get(id).await? else { return Ok(Ended::gave_up("举报已不存在")) };
        if report.state != ReportState::Open {
            return Ok(Ended::done(format!("举报{}", report.state.zh())));
        }
        let group = self.groups.get(&task.group);
        let mut people = group.deciders();
        people.extend(self.escalation.iter().cloned());
        people.retain(|p| Some(p) != report.author.as_ref() && *p != report.reporter);
        let credit = self.reports.credit(&report.reporter).await?;
        let author = report.author.as_ref().map_or("未能对应到发言人", |a| group.member_name(a));
        ask_next::<tasks::Report>(self.hands.as_ref(), task, people, now, |card| {
            cards::report(&cards::Report {
                id: card,
                group: group.name(),
                words: &report.text,
                author,
                reason: &report.reason,
                credit: format!("{:.0}%", credit.credibility() * 100.0),
                number: &report.id,
            })
        })
        .await
    }
}

/// Tells a reporter what came of it, without a word about the reported person.
pub struct TellReportJob {
    /// The use case.
    pub reports: Arc<Reports>,
    /// WeCom.
    pub hands: Arc<dyn Hands>,
}

#[async_trait]
impl Job for TellReportJob {
    fn kind(&self) -> Kind {
        Kind::TellReport
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let id = &super::payload::<TellReport>(task)?.report;
        let Some(report) = self.reports.get(id).await? else { return Ok(Ended::gave_up("举报已不存在")) };
        let text = match report.state {
            ReportState::Founded if self.reports.is_rehearsal(&report) => {
                format!("您的举报 {id} 经查属实，已记录。谢谢您。")
            }
            ReportState::Founded => format!("您的举报 {id} 经查属实，已按群规处理。谢谢您。"),
            ReportState::Unfounded => format!("您的举报 {id} 已查看，未发现违规。谢谢您的关注。"),
            ReportState::Malicious => format!("您的举报 {id} 被认定为恶意举报，已按群规记录。"),
            ReportState::Open => return Ok(Ended::gave_up("举报还没有结果")),
        };
        let sent = self.hands.tell(std::slice::from_ref(&report.reporter), &Private::Text(text), now).await?;
        Ok(if sent.unreachable.is_empty() {
            Ended::done("已告知举报人")
        } else {
            Ended::gave_up("举报人收不到私信")
        })
    }
}

/// Sends the card to the first person not asked yet and waits for the answer.
pub(super) async fn ask_next<P: Asked>(
    hands: &dyn Hands,
    task: &Task,
    people: Vec<MemberId>,
    now: Timestamp,
    card: impl Fn(&str) -> serde_json::Value,
) -> Result<Ended, JobError> {
    let mut payload: P = super::payload(task)?;
    let asked = payload.asked();
    let Some(next) = people.into_iter().find(|p| !asked.contains(p)) else {
        return Ok(Ended::gave_up(if asked.is_empty() {
            "没有可以询问的群主或管理员"
        } else {
            "逐级询问后仍无人处理"
        }));
    };
    let id = CardId::of(task, asked.len());
    let sent = hands.tell(std::slice::from_ref(&next), &Private::Card(card(&id)), now).await?;
    asked.push(next.clone());
    let payload = json!(payload);
    if !sent.unreachable.is_empty() {
        let reason = format!("{next} 收不到私信，询问下一位");
        return Ok(Ended::Later { due: now, reason, payload: Some(payload), with: Changes::new() });
    }
    Ok(Ended::WaitsForPerson {
        due: now + appeals::ANSWER_WITHIN,
        reason: format!("已请 {next} 处理"),
        payload: Some(payload),
        with: Changes::new(),
    })
}
