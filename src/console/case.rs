//! A case: what was said (masked until somebody opens it, and that stays on record), what of it was found and how, what
//! followed, what counts; and the decision.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};

use super::{
    Console, allowed,
    door::{self, Fields},
    frame::{Frame, Page, encode, named, not_found, page},
    visit::Visit,
};
use crate::{
    access::Action,
    cases::{Answered, Evidence, RequestAnswer},
    detect::Finding,
    model::{CaseId, Step, TaskId},
    moderation::case_id,
    store::{Case, CaseState},
    tasks::{Happened, Request},
    zh,
};

/// A piece of what was said; `hit` was found.
struct Piece {
    text: String,
    hit: bool,
}

/// One message, opened.
struct Line {
    who: String,
    at: String,
    pieces: Vec<Piece>,
}

/// One finding, as the microscope shows it.
struct Found {
    original: String,
    normalized: String,
    steps: Vec<&'static str>,
    rule: String,
    category: &'static str,
    severity: &'static str,
    score: String,
    entry: String,
}

struct Event {
    at: String,
    by: String,
    what: String,
    note: String,
}

/// A button.
pub(super) struct Answer {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
}

/// What is asked of a person about it.
struct Asked {
    task: String,
    what: &'static str,
    due: String,
    /// What follows a yes, where something does.
    then: &'static str,
    answers: Vec<Answer>,
}

#[derive(Template)]
#[template(path = "console/case.html")]
struct CasePage {
    frame: Frame,
    id: String,
    group: String,
    group_id: String,
    member: String,
    member_id: String,
    at: String,
    category: &'static str,
    severity: &'static str,
    grave: &'static str,
    step: &'static str,
    state: &'static str,
    rule: String,
    policy: String,
    /// `记 2 分，当时累计 4 分`.
    points: String,
    expires: Option<String>,
    until: Option<String>,
    masked: String,
    messages: u32,
    others: Vec<String>,
    same_text: Vec<String>,
    findings: Vec<Found>,
    lines: Option<Vec<Line>>,
    /// What was said before and after, once the words are open.
    around: Vec<Line>,
    silent: Vec<(String, String)>,
    events: Vec<Event>,
    asked: Option<Asked>,
    can_open: bool,
    can_decide: bool,
    revoked: bool,
    by_hand: bool,
    can_undo: bool,
}

pub(super) const fn button(answer: RequestAnswer) -> Answer {
    match answer {
        RequestAnswer::Done => Answer { id: "done", name: "已处理" },
        RequestAnswer::OnlyWarn => Answer { id: "warn", name: "改为警告" },
        RequestAnswer::Confirm => Answer { id: "confirm", name: "确认违规" },
        RequestAnswer::Wrong => Answer { id: "wrong", name: "误判" },
    }
}

/// The words with what was found in them; where the places do not fit (what stood in a file), the words alone.
fn pieces(text: &str, findings: &[Finding]) -> Vec<Piece> {
    let chars: Vec<char> = text.chars().collect();
    let mut hit = vec![false; chars.len()];
    for finding in findings.iter().filter(|finding| finding.score > 0.0) {
        let fits = finding.end <= chars.len()
            && finding.start < finding.end
            && chars[finding.start..finding.end].iter().collect::<String>() == finding.original;
        if fits {
            hit[finding.start..finding.end].fill(true);
        }
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for (c, hit) in chars.into_iter().zip(hit) {
        match pieces.last_mut() {
            Some(last) if last.hit == hit => last.text.push(c),
            _ => pieces.push(Piece { text: c.to_string(), hit }),
        }
    }
    pieces
}

fn event(by: &str) -> String {
    if by == "bot" { "群管".into() } else { by.to_owned() }
}

impl Console {
    async fn case_page(&self, visit: &Visit, id: &str, opened: Option<Evidence>) -> Page {
        let actor = &visit.who.actor;
        let id = case_id::typed(id);
        let story = self.api.cases.story(actor, &id).await?;
        let case = story.case;
        let group = self.api.groups.get(&case.group);
        let asked = self.api.cases.request_about(actor, &case).await?.map(|(task, ask)| Asked {
            what: ask.request.zh(),
            due: self.when(ask.answer_by.unwrap_or(task.due)),
            then: match ask.request {
                Request::Review if self.api.moderation.is_dry_run(&group) => "确认违规：试运行，只记录。",
                Request::Review => "确认违规后按群规处理（记分、警告或更重）。",
                _ => "",
            },
            answers: ask.request.answers().iter().copied().map(button).collect(),
            task: task.id.to_string(),
        });
        let name = |member: &str| {
            let member = crate::model::MemberId::from(member);
            named(&group, &member)
        };
        let shown = story.events.iter().filter(|event| event.what != Happened::SecondOpinionChecked.id());
        let events = shown.map(|it| Event {
            at: self.when(it.at),
            by: name(&event(&it.by)),
            what: it.what.parse::<Happened>().map_or_else(|_| it.what.clone(), |what| what.zh().to_owned()),
            note: it.note.clone(),
        });
        let events = events.collect();
        // What a finding says was typed is part of the words.
        let open = opened.is_some();
        let findings = case.findings.iter().map(|finding| Found {
            original: if open { finding.original.clone() } else { zh::masked(&finding.original) },
            normalized: if open { finding.normalized.clone() } else { "…".into() },
            steps: finding.transforms.iter().map(|step| step.zh()).collect(),
            rule: finding.rule.to_string(),
            category: finding.category.zh(),
            severity: finding.severity.zh(),
            score: format!("{:.1}", finding.score),
            entry: finding.entry.as_deref().filter(|_| open).unwrap_or_default().to_owned(),
        });
        let findings = findings.collect();
        let silent = if open { self.silent(&case) } else { Vec::new() };
        let near = if open { self.api.cases.around(actor, &case).await? } else { Vec::new() };
        let around = near.into_iter().map(|said| Line {
            who: named(&group, &said.member),
            at: self.when(said.at),
            pieces: vec![Piece { text: said.text, hit: false }],
        });
        let around = around.collect();
        let lines = opened.map(|evidence| {
            let line = |said: crate::cases::Said| Line {
                who: named(&group, &said.member),
                at: self.when(said.at),
                pieces: if said.message == case.message {
                    pieces(&said.text, &case.findings)
                } else {
                    vec![Piece { text: said.text, hit: false }]
                },
            };
            evidence.said.into_iter().map(line).collect::<Vec<_>>()
        });
        let points = match case.points {
            0 => "不记分".to_owned(),
            points => format!("记 {points} 分，当时累计 {} 分", case.live_points),
        };
        let mut frame = self.frame(visit, format!("记录 {id}"), "/cases");
        frame.live = !open;
        page(&CasePage {
            frame,
            id: id.to_string(),
            group: group.name().to_owned(),
            group_id: encode(group.id().as_str()),
            member: named(&group, &case.member),
            member_id: encode(case.member.as_str()),
            at: self.when(case.at),
            category: case.matter(),
            severity: case.severity.zh(),
            grave: case.severity.id(),
            step: case.step.zh(),
            state: case.state.zh(),
            rule: case.rule.clone(),
            policy: case.policy.clone(),
            points,
            expires: case.expires_at.map(|at| self.when(at)),
            until: case.until.map(|at| self.when(at)),
            masked: zh::masked(&case.evidence),
            messages: case.messages(),
            others: case.others.iter().map(|other| named(&group, &other.member)).collect(),
            same_text: case.same_text.iter().map(ToString::to_string).collect(),
            findings,
            lines,
            around,
            silent,
            events,
            asked,
            can_open: self.may(visit, Action::OpenEvidence, &group),
            can_decide: self.may(visit, Action::DecideCase, &group),
            revoked: case.state == CaseState::Revoked,
            by_hand: case.by_hand(),
            can_undo: case.step >= Step::Warn,
        })
    }

    /// Signals that looked at the words and found nothing, and why.
    fn silent(&self, case: &Case) -> Vec<(String, String)> {
        let report = self.api.moderation.look(&case.evidence, true);
        report.silent.into_iter().map(|silent| (silent.rule.to_string(), silent.why)).collect()
    }
}

/// The page, masked.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Page {
    console.case_page(&visit, &id, None).await
}

/// 打开原文: the same with its words. It is an act, so it is sent, and reloading it is another one.
pub(super) async fn open(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Page {
    let (actor, case) = (&visit.who.actor, case_id::typed(&id));
    // Whoever may not even see it is told no more than of one that is not there.
    console.api.cases.story(actor, &case).await?;
    let evidence = console.api.cases.open_evidence(actor, &case).await?;
    console.case_page(&visit, &id, Some(evidence)).await
}

/// Where to go on: the page an act was sent from, or the case.
fn back(fields: &Fields, id: &CaseId, text: &str) -> Response {
    let to = match fields.get("back") {
        "/" => "/".to_owned(),
        "/tasks" => "/tasks".to_owned(),
        "/cases" => "/cases".to_owned(),
        _ => format!("/cases/{id}"),
    };
    door::told(&to, text)
}

/// It was one.
pub(super) async fn confirm(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(fields): Extension<Fields>,
    Path(id): Path<String>,
) -> Page {
    let id = case_id::typed(&id);
    console.api.cases.confirm(&visit.who.actor, &id).await?;
    Ok(back(&fields, &id, &format!("{id} 已确认违规。")))
}

/// There was nothing wrong.
pub(super) async fn wrong(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(fields): Extension<Fields>,
    Path(id): Path<String>,
) -> Page {
    let id = case_id::typed(&id);
    console.api.cases.misjudge(&visit.who.actor, &id).await?;
    let then = allowed::chosen(&console, &visit, &fields, &id).await?;
    Ok(back(&fields, &id, &format!("{id} 已记为误判，{then}")))
}

/// Taken back out of kindness.
pub(super) async fn revoke(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(fields): Extension<Fields>,
    Path(id): Path<String>,
) -> Page {
    let id = case_id::typed(&id);
    let case = console.api.cases.revoke(&visit.who.actor, &id).await?;
    let group = console.api.groups.get(&case.group);
    Ok(back(
        &fields,
        &id,
        &format!("已撤销「{}」的记录 {id}，{}一并收回。", named(&group, &case.member), case.step.zh()),
    ))
}

/// What was asked of a person is answered.
pub(super) async fn answer(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(fields): Extension<Fields>,
    Path(id): Path<String>,
) -> Page {
    let id = case_id::typed(&id);
    let said = match fields.get("answer") {
        "done" => RequestAnswer::Done,
        "warn" => RequestAnswer::OnlyWarn,
        "confirm" => RequestAnswer::Confirm,
        "wrong" => RequestAnswer::Wrong,
        _ => return Err(not_found("没有这种答复")),
    };
    let task = TaskId::new(fields.get("task"));
    let text = match console.api.cases.answer_request(&visit.who.actor, &task, said).await? {
        Answered::Done => "已记下，正在核实。".to_owned(),
        Answered::OnlyWarned => format!("{id} 已改为警告。"),
        Answered::Confirmed(followed) => {
            let ids: Vec<&str> = followed.iter().map(|(id, _)| id.as_str()).collect();
            format!("{id} 已确认违规，按群规处理（新记录 {}）。", ids.join("、"))
        }
        Answered::Misjudged => format!("{id} 已记为误判。"),
    };
    Ok(back(&fields, &id, &text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_marked_where_it_stands() {
        let report = qunguan_detect::detect::evaluate::judge;
        let (detector, _) = crate::settings::Settings::default().detector(crate::model::Timestamp::UNIX_EPOCH).unwrap();
        let text = "今天加我V信领红包哦";
        let found = report(&detector, text, false);
        let shown = pieces(text, &found.findings);
        assert_eq!(shown.iter().map(|piece| piece.text.as_str()).collect::<String>(), text);
        assert!(shown.iter().any(|piece| piece.hit && piece.text.contains("加我V信")), "{:?}", found.findings);
        assert!(!shown.last().unwrap().hit);
        assert_eq!(pieces("别的话", &found.findings).len(), 1, "places of other words mark nothing");
    }
}
