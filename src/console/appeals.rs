//! 申诉与举报: what members say against a case or about a message, with its clock; answered here with a reason.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::{Path, State},
};

use super::{
    Console,
    door::{self, Fields},
    frame::{Frame, Page, named, not_found, page},
    tasks::Waits,
    visit::Visit,
};
use crate::{
    access::Action,
    cases::{
        appeal::{LONGEST, RefusedBecause},
        report::{Followed, ReportState},
        waiting::What,
    },
    moderation::case_id,
    zh,
};

struct AppealRow {
    case: String,
    waits: Waits,
    words: String,
    rule: String,
    masked: String,
    step: &'static str,
    can_answer: bool,
}

struct ReportRow {
    id: String,
    waits: Waits,
    reporter: String,
    /// How often they were right, in percent.
    credit: u32,
    reason: String,
    words: String,
    can_judge: bool,
    /// It is known whom it is about.
    has_author: bool,
}

#[derive(Template)]
#[template(path = "console/appeals.html")]
struct AppealsPage {
    frame: Frame,
    appeals: Vec<AppealRow>,
    reports: Vec<ReportRow>,
    reasons: Vec<&'static str>,
    longest: usize,
}

/// What is open.
pub(super) async fn list(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Page {
    let (mut appeals, mut reports) = (Vec::new(), Vec::new());
    for waiting in console.api.cases.waiting(&visit.who.actor).await? {
        let waits = console.waits(&visit, &waiting);
        let group = &waiting.group;
        match &waiting.what {
            What::Appeal(appeal, case) => appeals.push(AppealRow {
                case: appeal.case.to_string(),
                waits,
                words: appeal.text.clone(),
                rule: case.rule.clone(),
                masked: zh::masked(&case.evidence),
                step: case.step.zh(),
                can_answer: console.may(&visit, Action::AnswerAppeal, group),
            }),
            What::Report(report) => reports.push(ReportRow {
                id: report.id.clone(),
                waits,
                reporter: named(group, &report.reporter),
                credit: (console.api.cases.credit(&report.reporter).await?.credibility() * 100.0).round() as u32,
                reason: report.reason.clone(),
                words: if console.may(&visit, Action::JudgeReport, group) {
                    report.text.clone()
                } else {
                    zh::masked(&report.text)
                },
                has_author: report.author.is_some(),
                can_judge: console.may(&visit, Action::JudgeReport, group),
            }),
            What::Request(..) | What::Breaker(_) => {}
        }
    }
    page(&AppealsPage {
        frame: console.frame(&visit, "申诉与举报", "/appeals"),
        appeals,
        reports,
        reasons: RefusedBecause::ALL.iter().map(|why| why.zh()).collect(),
        longest: LONGEST,
    })
}

/// 成立 or 不成立, with words.
pub(super) async fn answer(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(fields): Extension<Fields>,
    Path(id): Path<String>,
) -> Page {
    let upheld = match fields.get("answer") {
        "upheld" => true,
        "refused" => false,
        _ => return Err(not_found("没有这种答复")),
    };
    let own = fields.get("words");
    let words = if own.is_empty() { fields.get("reason") } else { own };
    let id = case_id::typed(&id);
    console.api.cases.answer_appeal(&visit.who.actor, &id, upheld, words).await?;
    let text = if upheld { "成立，记录已撤销" } else { "不成立，理由已私信本人" };
    Ok(door::told("/appeals", &format!("{id} 的申诉{text}。")))
}

/// 属实, 不属实 or 恶意.
pub(super) async fn judge(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(fields): Extension<Fields>,
    Path(id): Path<String>,
) -> Page {
    let state = match fields.get("answer").parse::<ReportState>() {
        Ok(state) if state != ReportState::Open => state,
        _ => return Err(not_found("没有这种答复")),
    };
    let followed = match console.api.cases.judge_report(&visit.who.actor, &id, state).await? {
        Followed::Nothing => String::new(),
        Followed::Case(case) => format!("已处理，记录 {case}。"),
        Followed::Before(case) => format!("这条消息之前已处理，记录 {case}。"),
        Followed::Refused(why) => format!("没有处置：{why}。"),
    };
    Ok(door::told("/appeals", &format!("举报 {id}：{}。{followed}", state.zh())))
}
