//! `/api/v1/second-opinion`: what it took today, and month by month how often it agreed with people.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{Api, problem::Problem};
use crate::second_opinion::ledger;

/// `GET /api/v1/second-opinion`: today of all groups, and each group's months, oldest first.
pub async fn show(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    let today = ledger::day(api.store.as_ref(), api.clock.now()).await?;
    let months: Vec<Value> = ledger::months(api.store.as_ref())
        .await?
        .into_iter()
        .map(|(month, group, count)| {
            let (agreed, judged) = count.agreement();
            json!({ "month": month, "group": group, "count": count, "agreed": agreed, "judged": judged })
        })
        .collect();
    Ok(Json(json!({ "today": today, "months": months })))
}
