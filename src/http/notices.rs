//! `/api/v1/notices`: publish, preview, read and cancel notices.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, auth::Caller, body, problem::Problem};
use crate::{
    access::Action,
    model::{MemberId, Timestamp},
    notices::{Code, Draft, NoticeError, status::Status},
};

impl From<NoticeError> for Problem {
    fn from(error: NoticeError) -> Self {
        match error {
            NoticeError::User(error) => error.into(),
            NoticeError::Refused { code: Code::NotFound, text, .. } => {
                Self::new(StatusCode::NOT_FOUND, Code::NotFound.id(), text)
            }
            NoticeError::Refused { code, field, text } => Self {
                detail: Some(text),
                field: field.map(ToOwned::to_owned),
                ..Self::new(StatusCode::BAD_REQUEST, code.id(), code.zh())
            },
            NoticeError::KeyTaken => Self::new(StatusCode::CONFLICT, "key_taken", error.to_string()),
            NoticeError::Store(error) => error.into(),
        }
    }
}

fn draft(api: &Api, body: &Bytes) -> Result<Draft, Problem> {
    let mut draft: Draft = body::read(body)?;
    for group in &mut draft.groups {
        *group = api.groups.resolve(group);
    }
    Ok(draft)
}

/// A token for some groups speaks to these groups alone.
fn may_publish(api: &Api, caller: &Caller, what: &Draft) -> Result<(), Problem> {
    if what.groups.is_empty() || !what.members.is_empty() || !what.departments.is_empty() {
        caller.may_everywhere(Action::PublishNotice)?;
    }
    what.groups.iter().try_for_each(|group| caller.may(Action::PublishNotice, [&*api.groups.get(group)]))
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
    may_publish(&api, &caller, &draft)?;
    let warnings = api.notices.doubts(&draft);
    let notice = api.notices.publish(draft, caller.name(), key).await?;
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
    may_publish(&api, &caller, &draft)?;
    let preview = api.notices.preview(&draft).await?;
    Ok(Json(serde_json::to_value(preview).unwrap_or_default()))
}

/// How a notice stands: who has answered, who is missing.
pub async fn status(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Status>, Problem> {
    may_publish(&api, &caller, &api.notices.get(&id).await?.what)?;
    Ok(Json(api.notices.status(&id).await?))
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
    let mut notices = api.notices.list(filter.after.as_deref(), limit).await?;
    let next = notices.last().filter(|_| notices.len() == limit).map(|n| n.id.clone());
    notices.retain(|notice| may_publish(&api, &caller, &notice.what).is_ok());
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
    may_publish(&api, &caller, &api.notices.get(&id).await?.what)?;
    let notice = api.notices.cancel(&id, caller.name()).await?;
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
    may_publish(&api, &caller, &api.notices.get(&id).await?.what)?;
    let heard = api.notices.write_in(&id, &said.member, said.at, caller.name(), &said.note).await?;
    api.moderation.ring();
    Ok(Json(json!({ "id": heard.notice, "member": said.member, "state": heard.state })))
}

/// A second person has read it: it goes out.
pub async fn review(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    may_publish(&api, &caller, &api.notices.get(&id).await?.what)?;
    api.notices.review(&id, caller.name()).await?;
    let notice = api.notices.release(&id, caller.name()).await?;
    api.moderation.ring();
    Ok(Json(json!({ "id": notice.id, "state": notice.state })))
}
