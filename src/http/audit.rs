//! `GET /api/v1/audit`: who did what, newest first. A token for some groups reads what was done in these.

use axum::{
    Extension, Json,
    extract::{Query, State},
};
use serde::Deserialize;

use super::{Api, auth::Caller, problem::Problem, queries::time};
use crate::{
    audit::{self, Act, Page, Wanted},
    model::GroupId,
};

/// Filters; all narrow.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    group: Option<String>,
    by: Option<String>,
    action: Option<String>,
    subject: Option<String>,
    since: Option<String>,
    until: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

/// Records, newest first; pass `next` as `after` for the page that follows.
pub async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Query(filter): Query<Filter>,
) -> Result<Json<Page>, Problem> {
    let action = filter.action.map(|action| action.parse::<Act>()).transpose();
    let action = action.map_err(|_| Problem::one_of("action", Act::ALL.iter().map(|act| act.id())))?;
    let group = filter.group.map(|group| api.groups.get(&GroupId::from(group)));
    let wanted = Wanted {
        by: filter.by,
        action,
        subject: filter.subject,
        since: time("since", filter.since)?,
        until: time("until", filter.until)?,
        after: filter.after,
        limit: filter.limit.unwrap_or(50).clamp(1, 500),
        ..Wanted::default()
    };
    Ok(Json(audit::list(api.store.as_ref(), &caller.0, group.as_deref(), wanted).await?))
}
