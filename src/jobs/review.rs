//! Appeals and members' reports: a card to the next person who may judge, and the reporter's answer.

use async_trait::async_trait;
use serde_json::json;

use super::{Ended, Job, JobError};
use crate::{
    cases::{
        appeal::{ANSWER_WITHIN, AppealState, RefusedBecause},
        report::ReportState,
    },
    deps::Deps,
    groups::{Given, Ordered},
    model::{CaseId, MemberId, Step, Timestamp},
    platform::{Platform, Private},
    store::{Task, changes::Changes},
    tasks::{self, Asked, CardId, Kind, SentCard, Tell, TellReport, Topic},
    wecom::cards::{self, Button},
    zh,
};

/// Sends an appeal to another person than the one who acted.
pub struct AppealJob(pub Deps);

#[async_trait]
impl Job for AppealJob {
    fn kind(&self) -> Kind {
        Kind::Appeal
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let Some(case) = &task.case else { return Err(JobError::Final("待办缺少记录".into())) };
        let (Some(appeal), Some(found)) = (self.0.cases.appeal(case).await?, self.0.store.case(case).await?) else {
            return Ok(Ended::gave_up("申诉已不存在"));
        };
        if appeal.state != AppealState::Open {
            return Ok(Ended::done(format!("申诉{}", appeal.state.zh())));
        }
        let group = self.0.groups.get(&task.group);
        let reviewers = self.0.cases.reviewers(&found, &self.0.escalation);
        let rule = found.rule.as_str();
        let name = group.member_name(&found.member);
        let said = found.shown(found.evidence.clone());
        let refusals: Vec<Button<'_>> = RefusedBecause::ALL
            .iter()
            .map(|why| Button { text: why.button(), key: why.id(), primary: false })
            .collect();
        let count = self.count(case).await?;
        ask_next::<tasks::Appeal>(self.0.platform.as_ref(), task, reviewers, now, |id| {
            let mut card = cards::appeal(&cards::Appeal {
                id,
                group: group.name(),
                member: name,
                words: &appeal.text,
                evidence: &said,
                done: format!("{} {}", zh::when(found.at, now), found.step.zh()),
                points: match found.points {
                    0 => "不记分".to_owned(),
                    points => format!("{points} 分（当时累计 {} 分{count}）", found.live_points),
                },
                rule,
                by: format!("{} 前答复", zh::when(now + ANSWER_WITHIN, now)),
                case: case.as_str(),
                upheld: match found.step {
                    Step::Mute | Step::Remove => "成立就撤销记录，按其余记录重新计算去留；",
                    _ => "成立就撤销记录；",
                },
                refusals: &refusals,
            });
            super::leads_to_case(&self.0, &mut card, case);
            card
        })
        .await
    }
}

impl AppealJob {
    /// `，第 2 次 / 共 3 次`: as its member was told; empty where nobody told them.
    async fn count(&self, case: &CaseId) -> Result<String, JobError> {
        for topic in [Topic::Warn, Topic::Mute, Topic::Remove] {
            let told = self.0.store.task(&Tell::id(case, topic)).await?;
            if let Some(told) = told.as_ref().and_then(tasks::payload::<Tell>).filter(|told| told.n > 0) {
                return Ok(format!("，{}", zh::nth(told.n, told.of)));
            }
        }
        Ok(String::new())
    }
}

/// Sends a report to the people who may judge it.
pub struct ReportJob(pub Deps);

#[async_trait]
impl Job for ReportJob {
    fn kind(&self) -> Kind {
        Kind::Report
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let id = &super::payload::<tasks::Report>(task)?.report;
        let Some(report) = self.0.cases.report(id).await? else { return Ok(Ended::gave_up("举报已不存在")) };
        if report.state != ReportState::Open {
            return Ok(Ended::done(format!("举报{}", report.state.zh())));
        }
        let group = self.0.groups.get(&task.group);
        let mut people = group.deciders();
        people.extend(self.0.escalation.iter().cloned());
        people.retain(|p| Some(p) != report.author.as_ref() && *p != report.reporter);
        let credit = self.0.cases.credit(&report.reporter).await?;
        let said = self.0.cases.said_at(&report).await?.unwrap_or(report.opened);
        let held: Vec<Given> =
            report.author.as_ref().map(|author| group.learned.orders.held(author, said)).unwrap_or_default();
        let permitted = held.iter().any(|given| given.what != Ordered::Strict);
        let then: String = held.iter().map(|given| then(given, now)).collect();
        let author = report.author.as_ref().map_or("未能对应到发言人", |a| group.member_name(a));
        ask_next::<tasks::Report>(self.0.platform.as_ref(), task, people, now, |card| {
            cards::report(&cards::Report {
                id: card,
                group: group.name(),
                words: &report.text,
                author,
                reason: &report.reason,
                credit: format!("可信度 {:.0}%", credit.credibility() * 100.0),
                said: zh::when(said, now),
                then: &then,
                permitted,
                number: &report.id,
            })
        })
        .await
    }
}

/// What whoever leads the group had ordered at the time.
fn then(given: &Given, now: Timestamp) -> String {
    let until = zh::when(given.until, now);
    match given.what {
        Ordered::PermitAds => format!("当时有您的广告授权（至{until}）。"),
        Ordered::Exempt => format!("当时有您的豁免（至{until}）。"),
        Ordered::Strict => "当时本群在严管。".to_owned(),
    }
}

/// Tells a reporter what came of it, without a word about the reported person.
pub struct TellReportJob(pub Deps);

#[async_trait]
impl Job for TellReportJob {
    fn kind(&self) -> Kind {
        Kind::TellReport
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let id = &super::payload::<TellReport>(task)?.report;
        let Some(report) = self.0.cases.report(id).await? else { return Ok(Ended::gave_up("举报已不存在")) };
        let text = match report.state {
            ReportState::Founded if self.0.cases.is_dry_run(&report) => {
                format!("您的举报 {id} 经查属实，已记录。谢谢您。")
            }
            ReportState::Founded => format!("您的举报 {id} 经查属实，已按群规处理。谢谢您。"),
            ReportState::Unfounded => format!("您的举报 {id} 已查看，未发现违规。谢谢您的关注。"),
            ReportState::Permitted => format!("您的举报 {id} 已查看：对方当时已获授权，不算违规。谢谢您的关注。"),
            ReportState::Malicious => format!("您的举报 {id} 被认定为恶意举报，已按群规记录。"),
            ReportState::Open => return Ok(Ended::gave_up("举报还没有结果")),
        };
        let sent = self.0.platform.tell(std::slice::from_ref(&report.reporter), &Private::Text(text), now).await?;
        Ok(if sent.unreachable.is_empty() {
            Ended::done("已告知举报人")
        } else {
            Ended::gave_up("举报人收不到私信")
        })
    }
}

/// Sends the card to the first person not asked yet and waits for the answer.
pub(super) async fn ask_next<P: Asked>(
    platform: &dyn Platform,
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
    let sent = platform.tell(std::slice::from_ref(&next), &Private::Card(card(&id)), now).await?;
    asked.push(next.clone());
    payload.sent().extend(sent.response_code.clone().map(|code| SentCard { code, to: vec![next.clone()] }));
    let payload = json!(payload);
    if !sent.unreachable.is_empty() {
        let reason = format!("{next} 收不到私信，询问下一位");
        return Ok(Ended::Later { due: now, reason, payload: Some(payload), with: Changes::new() });
    }
    Ok(Ended::WaitsForPerson {
        due: now + ANSWER_WITHIN,
        reason: format!("已请 {next} 处理"),
        payload: Some(payload),
        with: Changes::new(),
    })
}
