//! `/api/v1/rules`: at which stage each rule is and how often it was right, and what people say of its hits.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, auth::Caller, body, problem::Problem};
use crate::{access::Action, model::CaseId, moderation::undo::UndoError};

/// `GET /api/v1/rules`: every rule that an admin added or edited, and every other one that people have said something about.
pub async fn list(State(api): State<Api>) -> Json<Value> {
    Json(json!({ "rules": api.moderation.rules_shown() }))
}

/// `GET /api/v1/rulebooks`: which version of its rulebooks each group lives under, and which one comes when.
pub async fn rulebooks(State(api): State<Api>, Extension(caller): Extension<Caller>) -> Json<Value> {
    let mut all = api.moderation.rulebooks().all();
    all.retain(|lived| caller.may(Action::ReadCase, [&*api.groups.get(&lived.group)]).is_ok());
    Json(json!({ "rulebooks": all }))
}

/// Body of `POST /api/v1/cases/{id}/verdict`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judgement {
    violation: bool,
}

/// A person looked at a case: it was a violation, or it was none and is taken back.
pub async fn judge(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let said: Judgement = body::read(&body)?;
    let id = CaseId::new(id.to_uppercase());
    let Some(case) = api.store.case(&id).await? else { return Err(Problem::not_found("违规记录")) };
    caller.may(Action::DecideCase, [&*api.groups.get(&case.group)])?;
    match api.moderation.judged(&id, caller.name(), said.violation).await {
        Ok(()) => Ok(Json(json!({ "case": id, "violation": said.violation }))),
        Err(UndoError::User(error)) => Err(error.into()),
        Err(UndoError::Store(error)) => Err(error.into()),
    }
}
