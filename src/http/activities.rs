//! `/api/v1/activities`: announce an activity, and who signed in, was late, asked for leave or stayed away.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
};
use serde_json::{Value, json};

use super::{Api, auth::Caller, body, problem::Problem};
use crate::notices::activity::Plan;

/// `POST /api/v1/activities`: announced at once in its groups.
pub async fn announce(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let mut plan: Plan = body::read(&body)?;
    for group in &mut plan.groups {
        *group = api.groups.resolve(group);
    }
    let activity = api.notices.announce_activity(&caller.0, plan).await?;
    api.moderation.ring();
    Ok(Json(json!({ "id": activity.id, "expected": activity.guests.len() })))
}

/// `DELETE /api/v1/activities/{id}`: it does not take place, and its groups hear so.
pub async fn call_off(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let activity = api.notices.call_off_activity(&caller.0, &id).await?;
    api.moderation.ring();
    Ok(Json(json!({ "id": activity.id, "called_off": activity.called_off })))
}

/// `GET /api/v1/activities/{id}`: the list, and the report that the organiser reads.
pub async fn show(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let activity = api.notices.activity_for(&caller.0, &id).await?;
    let now = api.clock.now();
    let guests: Vec<Value> = activity
        .guests
        .iter()
        .map(|(member, guest)| {
            json!({ "member": member, "name": guest.name, "state": activity.presence(guest, now),
                "signed": guest.signed, "leave": guest.leave })
        })
        .collect();
    Ok(Json(json!({ "id": activity.id, "title": activity.plan.title, "starts": activity.plan.starts,
        "ends": activity.plan.ends, "closed": activity.closed, "guests": guests, "summary": activity.summary,
        "report": activity.report(now) })))
}
