//! `/api/v1/notices`: publish, preview, read and cancel notices.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::HeaderMap,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, auth::Caller, body, problem::Problem};
use crate::{
    model::{MemberId, Timestamp},
    notices::{Draft, status::Status},
};

fn draft(api: &Api, body: &Bytes) -> Result<Draft, Problem> {
    let mut draft: Draft = body::read(body)?;
    for group in &mut draft.groups {
        *group = api.groups.resolve(group);
    }
    Ok(draft)
}

/// Longest idempotency key, characters.
const LONGEST_KEY: usize = 100;

/// The caller's word for this very request: sent again under it, nothing happens twice.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len()) && !key.contains('/'));
    key.map(Some).ok_or_else(|| Problem::invalid("Idempotency-Key", "1 到 100 个字母、数字或符号，不含 /"))
}

/// Publishes: sent at once, at its time, or after a second person's review, as the draft says.
pub async fn publish(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let key = idempotency_key(&headers)?;
    let draft = draft(&api, &body)?;
    let warnings = api.notices.doubts(&draft);
    let notice = api.notices.publish(&caller.0, &draft, key).await?;
    api.moderation.ring();
    Ok(Json(json!({ "id": notice.id, "state": notice.state, "warnings": warnings })))
}

/// What members will see and how many they are; nothing is sent or kept.
pub async fn preview(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let draft = draft(&api, &body)?;
    let preview = api.notices.preview(&caller.0, &draft).await?;
    Ok(Json(serde_json::to_value(preview).unwrap_or_default()))
}

/// How a notice stands: who has answered, who is missing.
pub async fn status(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Status>, Problem> {
    Ok(Json(api.notices.progress(&caller.0, &id).await?))
}

/// Filters of the list.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    after: Option<String>,
    limit: Option<usize>,
}

/// Notices by id; pass `next` as `after` for the page that follows.
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>, Problem> {
    let limit = filter.limit.unwrap_or(50).clamp(1, 500);
    let (notices, next) = api.notices.visible(&caller.0, filter.after.as_deref(), limit).await?;
    let brief: Vec<Value> =
        notices.iter().map(|n| json!({ "id": n.id, "state": n.state, "text": n.summary(40) })).collect();
    Ok(Json(json!({ "notices": brief, "next": next })))
}

/// Takes a notice back.
pub async fn cancel(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let notice = api.notices.cancel(&caller.0, &id).await?;
    api.moderation.ring();
    Ok(Json(json!({ "id": notice.id, "state": notice.state })))
}

/// An answer that was given by telephone or in person.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenIn {
    member: MemberId,
    /// When it was given; absent: now.
    #[serde(default)]
    at: Option<Timestamp>,
    #[serde(default)]
    note: String,
}

/// Writes an answer in for somebody; who did it stays on record.
pub async fn write_in(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let said: WrittenIn = body::read(&body)?;
    let heard = api.notices.write_in(&caller.0, &id, &said.member, said.at, &said.note).await?;
    api.moderation.ring();
    Ok(Json(json!({ "id": heard.notice, "member": said.member, "state": heard.state })))
}

/// A second person has read it: it goes out.
pub async fn review(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let notice = api.notices.review(&caller.0, &id).await?;
    api.moderation.ring();
    Ok(Json(json!({ "id": notice.id, "state": notice.state })))
}
