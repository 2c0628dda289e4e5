//! Reading `/api/v1`: standings, cases, tasks. Evidence is masked; opening it is another right and leaves a record.

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Api, auth::Caller, problem::Problem};
use crate::{
    access::{self, Action},
    cases::{Evidence, Search},
    groups::Groups,
    model::{CaseId, Category, GroupId, MemberId, Step, TaskId, Timestamp},
    moderation::case_id,
    policy::MemberState,
    store::{Case, CaseEvent, CaseState, Task, TaskQuery, TaskState},
    tasks::{Happened, Kind},
    zh,
};

/// Answer of `GET /api/v1/groups/{group}/members/{member}`.
#[derive(Debug, Serialize)]
pub struct StandingView {
    group: GroupId,
    group_name: String,
    member: MemberId,
    member_name: String,
    state: &'static str,
    until: Option<Timestamp>,
    live_points: u32,
    strikes: Vec<StrikeView>,
}

#[derive(Debug, Serialize)]
struct StrikeView {
    case: CaseId,
    at: Timestamp,
    expires_at: Timestamp,
    points: u32,
    category: Category,
    revoked: bool,
}

/// A member's standing in a group; somebody never seen is in good standing.
pub async fn standing(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((group, member)): Path<(String, String)>,
) -> Result<Json<StandingView>, Problem> {
    let member = MemberId::from(member);
    let standing = api.standings.of(&caller.0, &GroupId::from(group.as_str()), &member).await?;
    let group = api.groups.get(&api.groups.resolve(&GroupId::from(group)));
    let (state, until) = match standing.state {
        MemberState::Normal => ("normal", None),
        MemberState::Muted { until } => ("muted", Some(until)),
        MemberState::Removed => ("removed", None),
        MemberState::Banned => ("banned", None),
    };
    let strikes = standing
        .strikes
        .into_iter()
        .map(|s| StrikeView {
            case: s.case,
            at: s.at,
            expires_at: s.expires_at,
            points: s.points,
            category: s.category,
            revoked: s.revoked,
        })
        .collect();
    Ok(Json(StandingView {
        group: group.id().clone(),
        group_name: group.name().to_owned(),
        member_name: group.member_name(&member).to_owned(),
        member,
        state,
        until,
        live_points: standing.live_points,
        strikes,
    }))
}

/// Filters of `GET /api/v1/cases`.
#[derive(Debug, Default, Deserialize)]
pub struct CaseFilter {
    group: Option<String>,
    member: Option<String>,
    state: Option<String>,
    since: Option<String>,
    until: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// A moment in a parameter.
pub(super) fn time(name: &str, written: Option<String>) -> Result<Option<Timestamp>, Problem> {
    match written.map(|written| written.parse::<Timestamp>()) {
        None => Ok(None),
        Some(Ok(at)) => Ok(Some(at)),
        Some(Err(_)) => Err(Problem::invalid(name, "时间应当写成 2026-11-23T18:00:00+08:00")),
    }
}

/// A case without its evidence.
#[derive(Debug, Serialize)]
pub struct CaseView {
    id: CaseId,
    group: GroupId,
    group_name: String,
    member: MemberId,
    member_name: String,
    at: Timestamp,
    category: Category,
    severity: crate::model::Severity,
    rules: Vec<std::sync::Arc<str>>,
    evidence: String,
    step: Step,
    points: u32,
    live_points: u32,
    until: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    policy: String,
    clause: Option<String>,
    state: CaseState,
    /// When the message was taken back, if it was.
    recalled_at: Option<Timestamp>,
    history: Vec<CaseEvent>,
}

impl CaseView {
    fn of(case: Case, groups: &Groups) -> Self {
        let group = groups.get(&case.group);
        let mut rules: Vec<_> = case.findings.iter().map(|f| f.rule.clone()).collect();
        rules.sort_unstable();
        rules.dedup();
        let recalled_at = case.happened(Happened::Recalled).map(|event| event.at);
        Self {
            id: case.id,
            group_name: group.name().to_owned(),
            member_name: group.member_name(&case.member).to_owned(),
            group: case.group,
            member: case.member,
            at: case.at,
            category: case.category,
            severity: case.severity,
            rules,
            evidence: zh::masked(&case.evidence),
            step: case.step,
            points: case.points,
            live_points: case.live_points,
            until: case.until,
            expires_at: case.expires_at,
            policy: case.policy,
            clause: case.clause,
            state: case.state,
            recalled_at,
            history: case.history,
        }
    }
}

/// Cases, newest first; pass `next` as `after` for the page that follows.
pub async fn cases(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(filter): Query<CaseFilter>,
) -> Result<Json<serde_json::Value>, Problem> {
    let limit = filter.limit.unwrap_or(50).clamp(1, 500);
    let wanted = Search {
        group: filter.group.map(|g| api.groups.resolve(&GroupId::from(g))),
        member: filter.member.map(MemberId::from),
        state: filter
            .state
            .map(|s| s.parse::<CaseState>())
            .transpose()
            .map_err(|_| Problem::one_of("state", CaseState::ALL.iter().map(|state| state.id())))?,
        since: time("since", filter.since)?,
        until: time("until", filter.until)?,
        after: filter.after.map(CaseId::from),
        limit,
        ..Search::default()
    };
    // Who may read of some groups only has to say of which.
    if wanted.group.is_none() {
        access::ask(&caller.0, Action::ReadCase, None)?;
    }
    let found = api.cases.search(&caller.0, &wanted).await?;
    let items: Vec<CaseView> = found.cases.into_iter().map(|case| CaseView::of(case, &api.groups)).collect();
    Ok(Json(json!({ "cases": items, "next": found.next })))
}

/// One case.
pub async fn case(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<CaseView>, Problem> {
    let case = api.cases.case(&caller.0, &case_id::typed(&id)).await?;
    Ok(Json(CaseView::of(case, &api.groups)))
}

/// `POST /api/v1/cases/{id}/evidence`: the unmasked words of a case; each time stays on record.
pub async fn evidence(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Evidence>, Problem> {
    Ok(Json(api.cases.open_evidence(&caller.0, &case_id::typed(&id)).await?))
}

/// Filters of `GET /api/v1/tasks`.
#[derive(Debug, Default, Deserialize)]
pub struct TaskFilter {
    state: Option<String>,
    case: Option<String>,
    group: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// A task without its payload (which may hold what was said).
#[derive(Debug, Serialize)]
pub struct TaskView {
    id: TaskId,
    kind: String,
    /// What the bot does by itself again and again; nobody waits for it.
    chore: bool,
    group: GroupId,
    group_name: String,
    member: Option<MemberId>,
    member_name: Option<String>,
    case: Option<CaseId>,
    created: Timestamp,
    due: Timestamp,
    state: TaskState,
    attempts: u32,
    reason: String,
}

impl TaskView {
    fn of(task: Task, groups: &Groups) -> Self {
        let group = groups.get(&task.group);
        Self {
            id: task.id,
            chore: task.kind.parse::<Kind>().is_ok_and(Kind::is_chore),
            kind: task.kind,
            group_name: group.name().to_owned(),
            member_name: task.member.as_ref().map(|member| group.member_name(member).to_owned()),
            group: task.group,
            member: task.member,
            case: task.case,
            created: task.created,
            due: task.due,
            state: task.state,
            attempts: task.attempts,
            reason: task.reason,
        }
    }
}

/// Tasks by id.
pub async fn tasks(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(filter): Query<TaskFilter>,
) -> Result<Json<serde_json::Value>, Problem> {
    let limit = filter.limit.unwrap_or(200).clamp(1, 1000);
    let query = TaskQuery {
        state: filter
            .state
            .map(|s| s.parse::<TaskState>())
            .transpose()
            .map_err(|_| Problem::one_of("state", TaskState::ALL.iter().map(|state| state.id())))?,
        case: filter.case.map(CaseId::from),
        group: filter.group.map(|g| api.groups.resolve(&GroupId::from(g))),
        after: filter.after.map(TaskId::from),
        limit,
    };
    let items: Vec<TaskView> =
        api.cases.tasks(&caller.0, &query).await?.into_iter().map(|task| TaskView::of(task, &api.groups)).collect();
    let next = items.last().filter(|_| items.len() == limit).map(|t| t.id.clone());
    Ok(Json(json!({ "tasks": items, "next": next })))
}
