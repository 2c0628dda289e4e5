//! 群与成员: which groups there are, what may be done in them and what is not covered; who is in them and how they stand;
//! what is ordered for a time, and its end.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    Extension,
    extract::{Path, Query, State},
    http::StatusCode,
};

use super::{
    Console,
    door::{self, Fields},
    frame::{self, Frame, Page, encode, named, not_found, page},
    me::{StandingView, stands},
    visit::Visit,
};
use crate::{
    access::{self, Action},
    cases::Sanction,
    coverage::Gap,
    duration::parse_duration,
    groups::Group,
    model::{GroupId, MemberId, Step, Timestamp},
    moderation::breaker::BREAKERS,
    orders::Term,
    policy::breaker::Breaker,
    refusal::ActError,
};

/// Members on a page.
const AT_ONCE: usize = 100;

struct Row {
    to: String,
    name: String,
    kind: &'static str,
    mode: &'static str,
    owner: String,
    members: usize,
    lacks: String,
    configured: bool,
}

#[derive(Template)]
#[template(path = "console/groups.html")]
struct Groups {
    frame: Frame,
    rows: Vec<Row>,
    unlisted: Vec<Row>,
}

impl Console {
    fn group_row(&self, group: &Group) -> Row {
        let lacks: Vec<_> = self.api.readiness.gaps(group).into_iter().map(Gap::zh).collect();
        Row {
            to: format!("/groups/{}", encode(group.id().as_str())),
            name: group.name().to_owned(),
            kind: group.set.kind.zh(),
            mode: group.set.mode.zh(),
            owner: group.owner().map(|owner| named(group, owner)).unwrap_or_default(),
            members: group.learned.members.len(),
            lacks: lacks.join("；"),
            configured: group.configured,
        }
    }

    fn group(&self, visit: &Visit, id: &str) -> Result<Arc<Group>, ActError> {
        let group = self.api.groups.get(&GroupId::from(id));
        access::ask(&visit.who.actor, Action::ReadCase, Some(&group))?;
        Ok(group)
    }
}

/// All of them.
pub(super) async fn list(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Page {
    let groups = console.groups_for(&visit, Action::ReadCase);
    let (rows, unlisted): (Vec<_>, Vec<_>) =
        groups.iter().map(|group| console.group_row(group)).partition(|row| row.configured);
    page(&Groups { frame: console.frame(&visit, "群与成员", "/groups"), rows, unlisted })
}

struct Member {
    to: String,
    name: String,
    id: String,
    role: &'static str,
    external: bool,
    points: u32,
    state: String,
}

/// Something that holds for a time.
struct Holds {
    what: &'static str,
    /// Whom; empty: the group.
    member: String,
    /// Where it is ended.
    at: String,
    order: &'static str,
    until: String,
}

#[derive(Template)]
#[template(path = "console/group.html")]
struct GroupPage {
    frame: Frame,
    row: Row,
    id: String,
    policy: String,
    explained: String,
    rulebooks: String,
    breaker: Option<String>,
    orders: Vec<Holds>,
    strict: bool,
    members: Vec<Member>,
    words: String,
    more: bool,
    can_order: bool,
    can_answer_breaker: bool,
}

/// One group.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Page {
    let group = console.group(&visit, &id)?;
    let now = console.api.clock.now();
    let rules = console.rules.get_full();
    let policy = rules.policy(&group);
    let words = query.get("q").map(|words| words.trim().to_owned()).unwrap_or_default();
    let records = console.api.store.members(group.id()).await?;
    let records: BTreeMap<&MemberId, _> = records.iter().map(|record| (&record.member, record)).collect();
    let everybody = group.learned.members.keys().chain(records.keys().copied());
    let everybody: std::collections::BTreeSet<&MemberId> = everybody.collect();
    let mut members: Vec<Member> = everybody
        .into_iter()
        .filter(|id| words.is_empty() || id.as_str().contains(&words) || group.member_name(id).contains(&words))
        .map(|id| {
            let standing = records.get(id).map(|record| &record.standing);
            Member {
                to: format!("/groups/{}/members/{}", encode(group.id().as_str()), encode(id.as_str())),
                name: named(&group, id),
                id: id.to_string(),
                role: group.role(id).zh(),
                external: group.is_external(id),
                points: standing.map_or(0, |standing| standing.live_points(now)),
                state: standing.map_or_else(String::new, |standing| stands(&standing.state, now)),
            }
        })
        .collect();
    members.sort_by(|a, b| b.points.cmp(&a.points).then_with(|| a.name.cmp(&b.name)));
    let more = members.len() > AT_ONCE;
    members.truncate(AT_ONCE);
    let ordered = &group.learned.orders;
    let holds = |until: &Timestamp| *until > now;
    let here = format!("/groups/{}", encode(group.id().as_str()));
    let about = |what, order, all: &BTreeMap<MemberId, Timestamp>| {
        let all = all.iter().filter(|(_, until)| holds(until));
        all.map(|(member, until)| Holds {
            what,
            order,
            member: named(&group, member),
            at: format!("{here}/members/{}/order", encode(member.as_str())),
            until: console.when(*until),
        })
        .collect::<Vec<_>>()
    };
    let mut orders = about("豁免", "exempt", &ordered.exempt);
    orders.extend(about("授权广告", "ads", &ordered.ads_permitted));
    let strict = ordered.strict_until.filter(holds);
    orders.extend(strict.map(|until| Holds {
        what: "严管",
        order: "strict",
        member: String::new(),
        at: format!("{here}/strict"),
        until: console.when(until),
    }));
    let breaker = BREAKERS.get(console.api.store.as_ref(), group.id().as_str()).await?;
    page(&GroupPage {
        frame: console.frame(&visit, group.name(), "/groups"),
        id: encode(group.id().as_str()),
        policy: policy.title.clone(),
        explained: crate::policy::explain::explain(policy),
        rulebooks: group.set.rulebooks.join("、"),
        breaker: breaker.as_ref().and_then(Breaker::opened).map(|open| open.why.clone()),
        orders,
        strict: strict.is_some(),
        members,
        words,
        more,
        can_order: console.may(&visit, Action::Order, &group),
        can_answer_breaker: console.may(&visit, Action::AnswerBreaker, &group),
        row: console.group_row(&group),
    })
}

#[derive(Template)]
#[template(path = "console/member.html")]
struct MemberPage {
    frame: Frame,
    group: String,
    to_group: String,
    name: String,
    id: String,
    here: String,
    standing: StandingView,
    others: Vec<(String, String, u32)>,
    muted: bool,
    can_order: bool,
    can_punish: bool,
}

/// Somebody in a group, and how they stand in others.
pub(super) async fn member(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path((group, member)): Path<(String, String)>,
) -> Page {
    let group = console.group(&visit, &group)?;
    let member = MemberId::from(member);
    let now = console.api.clock.now();
    let actor = &visit.who.actor;
    let standing = console.api.standings.of(actor, group.id(), &member).await?;
    let muted = matches!(standing.state, crate::policy::MemberState::Muted { until } if until > now);
    let mut others = Vec::new();
    for other in console.api.standings.groups_of(&member).await? {
        if other.id() != group.id() && console.may(&visit, Action::ReadCase, &other) {
            let points = console.api.standings.of(actor, other.id(), &member).await?.live_points;
            let to = format!("/groups/{}/members/{}", encode(other.id().as_str()), encode(member.as_str()));
            others.push((to, other.name().to_owned(), points));
        }
    }
    page(&MemberPage {
        frame: console.frame(&visit, named(&group, &member), "/groups"),
        group: group.name().to_owned(),
        to_group: format!("/groups/{}", encode(group.id().as_str())),
        name: named(&group, &member),
        here: format!("/groups/{}/members/{}", encode(group.id().as_str()), encode(member.as_str())),
        id: member.to_string(),
        standing: StandingView::new(&standing, now),
        others,
        muted,
        can_order: console.may(&visit, Action::Order, &group),
        can_punish: console.may(&visit, Action::Punish, &group),
    })
}

/// How long, as the form says: empty is the usual, `end` ends it.
fn term(fields: &Fields) -> Result<Term, ActError> {
    Ok(match fields.get("term") {
        "" => Term::Usual,
        "end" => Term::Ended,
        length => Term::For(parse_duration(length).map_err(|why| ActError::wrong("term", why))?),
    })
}

fn said(what: &str, until: Option<Timestamp>, console: &Console) -> String {
    match until {
        Some(until) => format!("{what}到 {}。", console.when(until)),
        None => format!("{what}已结束。"),
    }
}

/// 严管.
pub(super) async fn strict(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(fields): Extension<Fields>,
    Path(id): Path<String>,
) -> Page {
    let group = console.api.groups.get(&GroupId::from(id));
    let until = console.orders.be_strict(&visit.who.actor, &group, term(&fields)?).await?;
    let to = format!("/groups/{}", encode(group.id().as_str()));
    Ok(door::told(&to, &said(&format!("「{}」严管", group.name()), until, &console)))
}

/// The circuit breaker: go on, or take everything back.
pub(super) async fn breaker(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(fields): Extension<Fields>,
    Path(id): Path<String>,
) -> Page {
    let group = console.api.groups.get(&GroupId::from(id));
    let actor = &visit.who.actor;
    let text = match fields.get("answer") {
        "resume" => {
            console.orders.resume_breaker(actor, &group).await?;
            format!("「{}」已恢复自动处置。", group.name())
        }
        "undo" => {
            let undone = console.orders.undo_breaker(actor, &group).await?;
            format!("「{}」已恢复自动处置，撤销了 {undone} 条记录。", group.name())
        }
        _ => return Err(not_found("没有这种答复")),
    };
    Ok(door::told(&format!("/groups/{}", encode(group.id().as_str())), &text))
}

/// 豁免, 授权广告, 解除禁言.
pub(super) async fn order(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(fields): Extension<Fields>,
    Path((group, member)): Path<(String, String)>,
) -> Page {
    let (group, member) = (console.api.groups.get(&GroupId::from(group)), MemberId::from(member));
    let actor = &visit.who.actor;
    let name = named(&group, &member);
    let text = match fields.get("order") {
        "exempt" => {
            let until = console.orders.exempt(actor, &group, &member, term(&fields)?).await?;
            said(&format!("「{name}」豁免"), until, &console)
        }
        "ads" => {
            let until = console.orders.permit_ads(actor, &group, &member, term(&fields)?).await?;
            said(&format!("「{name}」授权广告"), until, &console)
        }
        "end_mute" => {
            console.orders.end_mute(actor, &group, &member).await?;
            format!("「{name}」已解除禁言。")
        }
        _ => return Err(not_found("没有这种指令")),
    };
    let to = match fields.get("back") {
        "group" => format!("/groups/{}", encode(group.id().as_str())),
        _ => format!("/groups/{}/members/{}", encode(group.id().as_str()), encode(member.as_str())),
    };
    Ok(door::told(&to, &text))
}

/// 警告, 禁言, 移出 by hand.
pub(super) async fn punish(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(fields): Extension<Fields>,
    Path((group, member)): Path<(String, String)>,
) -> Page {
    let (group, member) = (console.api.groups.get(&GroupId::from(group)), MemberId::from(member));
    let Ok(step @ (Step::Warn | Step::Mute | Step::Remove)) = fields.get("step").parse::<Step>() else {
        return Err(not_found("没有这种处置"));
    };
    let length = match fields.get("term") {
        "" => None,
        length => Some(parse_duration(length).map_err(|why| ActError::wrong("term", why))?),
    };
    if fields.get("sure") != "yes" {
        return Ok(frame::trouble(StatusCode::BAD_REQUEST, "请勾选“确认处置”再提交。"));
    }
    let reason = fields.get("reason");
    if reason.is_empty() {
        return Err(ActError::wrong("reason", "请写处置的理由，本人会看到").into());
    }
    let what = Sanction { member: &member, step, length, reason };
    let done = console.api.cases.punish(&visit.who.actor, &group, what).await?;
    let by = if done.by.is_some() { "已执行或已请人执行" } else { "只记录，不处置" };
    let text = format!("「{}」{}，记录 {}（{by}）。", named(&group, &member), step.zh(), done.case);
    Ok(door::told(&format!("/cases/{}", done.case), &text))
}
