//! Reading `/api/v1`: standings, cases, tasks. Evidence is masked; opening it is another right and leaves a record.

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Api, auth::Caller, problem::Problem};
use crate::{
    cases::Evidence,
    model::{CaseId, Category, GroupId, MemberId, Step, TaskId, Timestamp},
    policy::MemberState,
    store::{Case, CaseEvent, CaseQuery, CaseState, Task, TaskQuery, TaskState},
    tasks::Happened,
    zh,
};

/// Answer of `GET /api/v1/groups/{group}/members/{member}`.
#[derive(Debug, Serialize)]
pub struct StandingView {
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
    let standing = api.standings.of(&caller.0, &GroupId::from(group), &MemberId::from(member)).await?;
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
    Ok(Json(StandingView { state, until, live_points: standing.live_points, strikes }))
}

/// Filters of `GET /api/v1/cases`.
#[derive(Debug, Default, Deserialize)]
pub struct CaseFilter {
    group: Option<String>,
    member: Option<String>,
    state: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// A case without its evidence.
#[derive(Debug, Serialize)]
pub struct CaseView {
    id: CaseId,
    group: GroupId,
    member: MemberId,
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

impl From<Case> for CaseView {
    fn from(case: Case) -> Self {
        let mut rules: Vec<_> = case.findings.iter().map(|f| f.rule.clone()).collect();
        rules.sort_unstable();
        rules.dedup();
        let recalled_at = case.happened(Happened::Recalled).map(|event| event.at);
        Self {
            id: case.id,
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
    let query = CaseQuery {
        group: filter.group.map(|g| api.groups.resolve(&GroupId::from(g))),
        member: filter.member.map(MemberId::from),
        state: filter
            .state
            .map(|s| s.parse::<CaseState>())
            .transpose()
            .map_err(|_| Problem::one_of("state", CaseState::ALL.iter().map(|state| state.id())))?,
        after: filter.after.map(CaseId::from),
        limit,
    };
    let items: Vec<CaseView> = api.cases.cases(&caller.0, &query).await?.into_iter().map(CaseView::from).collect();
    let next = items.last().filter(|_| items.len() == limit).map(|c| c.id.clone());
    Ok(Json(json!({ "cases": items, "next": next })))
}

/// One case.
pub async fn case(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<CaseView>, Problem> {
    Ok(Json(api.cases.case(&caller.0, &CaseId::new(id.to_uppercase())).await?.into()))
}

/// `POST /api/v1/cases/{id}/evidence`: the unmasked words of a case; each time stays on record.
pub async fn evidence(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Evidence>, Problem> {
    Ok(Json(api.cases.open_evidence(&caller.0, &CaseId::new(id.to_uppercase())).await?))
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
    group: GroupId,
    member: Option<MemberId>,
    case: Option<CaseId>,
    created: Timestamp,
    due: Timestamp,
    state: TaskState,
    attempts: u32,
    reason: String,
}

impl From<Task> for TaskView {
    fn from(task: Task) -> Self {
        Self {
            id: task.id,
            kind: task.kind,
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
    let items: Vec<TaskView> = api.cases.tasks(&caller.0, &query).await?.into_iter().map(TaskView::from).collect();
    let next = items.last().filter(|_| items.len() == limit).map(|t| t.id.clone());
    Ok(Json(json!({ "tasks": items, "next": next })))
}
