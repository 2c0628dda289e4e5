//! `GET /api/v1/groups/{group}/questions`: what waits for an answer, and how the month went.

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use serde_json::{Value, json};

use super::{Api, auth::Caller, problem::Problem};
use crate::{model::GroupId, service::question};

/// The questions of a group that nobody has answered yet.
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(group): Path<String>,
) -> Result<Json<Value>, Problem> {
    let group = api.groups.get(&api.groups.resolve(&GroupId::from(group)));
    let waiting = api.service.waiting(&caller.0, &group).await?;
    let month = api.service.this_month();
    let figures = api.service.figures(&caller.0, &group, &month).await?;
    let replied = u64::from(figures.in_time) + u64::from(figures.late);
    let questions: Vec<Value> = waiting
        .into_iter()
        .map(|waiting| {
            let thread = waiting.thread;
            json!({ "member": thread.asker, "name": thread.name, "first": thread.first, "since": waiting.since,
                "due": waiting.due, "text": thread.words, "because": question::zh(&thread.because) })
        })
        .collect();
    Ok(Json(json!({ "group": group.id(), "questions": questions, "month": month, "asked": figures.asked,
        "in_time": figures.in_time, "late": figures.late, "closed": figures.closed, "climbed": figures.climbed,
        "first_reply_seconds": figures.waited_seconds.checked_div(replied) })))
}
