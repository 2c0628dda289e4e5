//! `/api/v1/rules`: at which stage each rule is and how often it was right, and what people say of its hits.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, auth::Caller, body, problem::Problem};
use crate::{access::Action, cases::allow::Where, model::GroupId, moderation::case_id};

/// `GET /api/v1/rules`: every rule that an admin added or edited, and every other one that people have said something about.
pub async fn list(State(api): State<Api>) -> Json<Value> {
    Json(json!({ "rules": api.moderation.rules_shown() }))
}

/// `GET /api/v1/rulebooks`: which version of its rulebooks each group lives under, and which one comes when.
pub async fn rulebooks(State(api): State<Api>, Extension(caller): Extension<Caller>) -> Json<Value> {
    let mut all = api.moderation.rulebooks().all();
    all.retain(|lived| caller.may(Action::ReadCase, &api.groups.get(&lived.group)).is_ok());
    Json(json!({ "rulebooks": all }))
}

/// Body of `POST /api/v1/cases/{id}/verdict`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judgement {
    violation: bool,
    /// Of one that was none: whether the same words pass from now on, `group` or `company`.
    #[serde(default)]
    allow: Option<String>,
}

/// A person looked at a case: it was a violation, or it was none and is taken back.
pub async fn judge(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let said: Judgement = body::read(&body)?;
    let place = match said.allow.as_deref() {
        None => None,
        Some("group") => Some(Where::Here),
        Some("company") => Some(Where::Everywhere),
        Some(_) => return Err(Problem::one_of("allow", ["group", "company"])),
    };
    if said.violation && place.is_some() {
        return Err(Problem::invalid("allow", "只有误判的句子可以放行"));
    }
    let id = case_id::typed(&id);
    if said.violation {
        api.cases.confirm(&caller.0, &id).await?;
    } else {
        api.cases.misjudge(&caller.0, &id).await?;
    }
    let until = match place {
        Some(place) => Some(api.cases.allow(&caller.0, &id, place, None).await?),
        None => None,
    };
    Ok(Json(json!({ "case": id, "violation": said.violation, "allowed_until": until })))
}

/// Filter of the list of sentences that pass.
#[derive(Debug, Default, Deserialize)]
pub struct AllowedFilter {
    group: Option<String>,
}

/// `GET /api/v1/allowed`: sentences that pass in a group, or everywhere; by whom, where and until when.
pub async fn allowed(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(filter): Query<AllowedFilter>,
) -> Result<Json<Value>, Problem> {
    let group = filter.group.map(|group| api.groups.get(&api.groups.resolve(&GroupId::from(group))));
    let all = api.cases.allowed(&caller.0, group.as_deref()).await?;
    Ok(Json(json!({ "allowed": all })))
}

/// `DELETE /api/v1/allowed/{case}`: the sentence of a case passes no more.
pub async fn end_allowed(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let id = case_id::typed(&id);
    api.cases.end_allowance(&caller.0, &id).await?;
    Ok(Json(json!({ "case": id, "allowed": false })))
}
