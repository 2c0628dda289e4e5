//! `/api/v1/ledger`: who was late in a month, what became of it, the month's close; who need not answer for a time.

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Api, auth::Caller, body::read, problem::Problem};
use crate::{
    calendar::Absence,
    model::{MemberId, Timestamp},
    notices::{export, ledger::Line, roster::Settled},
    zh,
};

/// How a month is wanted.
#[derive(Debug, Default, Deserialize)]
pub struct Wanted {
    /// `json` (default), `csv` or `xlsx`.
    format: Option<String>,
}

/// `GET /api/v1/ledger/{month}`: every line of a month (`2026-11`), as JSON or as a file for a spreadsheet.
pub async fn month(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(month): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    if format!("{month}-01").parse::<jiff::civil::Date>().is_err() {
        return Err(Problem::invalid("month", "月份应当像 2026-11"));
    }
    let lines = api.notices.ledger(&caller.0, &month).await?;
    let file = |kind: &'static str, ending: &str, bytes: Vec<u8>| {
        let name = format!("attachment; filename=\"ledger-{month}.{ending}\"");
        ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)], bytes).into_response()
    };
    match wanted.format.as_deref() {
        None | Some("json") => {
            let total: u64 = counted(&lines).map(|line| line.amount_fen).sum();
            let close = api.notices.close_of(&month).await?;
            Ok(Json(json!({ "month": month, "lines": lines, "total_fen": total, "close": close })).into_response())
        }
        Some("csv") => Ok(file("text/csv; charset=utf-8", "csv", export::csv(&lines, &zh::zone()))),
        Some("xlsx") => {
            let bytes = export::xlsx(&lines, &zh::zone()).map_err(|error| {
                tracing::error!(%error, "the ledger could not be written as XLSX");
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "表格没有生成，请重试")
            })?;
            Ok(file("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", bytes))
        }
        Some(other) => Err(Problem::invalid("format", format!("应当是 json、csv 或 xlsx，不是“{other}”"))),
    }
}

fn counted(lines: &[Line]) -> impl Iterator<Item = &Line> {
    lines.iter().filter(|line| line.settled != Some(Settled::Waived))
}

/// What became of a line; `settled` null opens it again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settling {
    notice: String,
    member: MemberId,
    settled: Option<Settled>,
    #[serde(default)]
    note: String,
}

/// `POST /api/v1/ledger/settle`.
pub async fn settle(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let said: Settling = read(&body)?;
    api.notices.settle(&caller.0, &said.notice, &said.member, said.settled, &said.note).await?;
    Ok(Json(json!({ "notice": said.notice, "member": said.member, "settled": said.settled })))
}

/// `POST /api/v1/ledger/{month}/close`: freezes a month that is over, for a second person to sign.
pub async fn close(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(month): Path<String>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "close": api.notices.close_month(&caller.0, &month).await? })))
}

/// Yes or no of the second person.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    accept: bool,
}

/// `POST /api/v1/ledger/{month}/sign`: another token than the one that closed it; `false` opens the month again.
pub async fn sign(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(month): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let said: Signature = read(&body)?;
    Ok(Json(json!({ "close": api.notices.sign_month(&caller.0, &month, said.accept).await? })))
}

/// A time of one person.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    member: MemberId,
    from: Timestamp,
    to: Timestamp,
    #[serde(default)]
    reason: String,
}

/// `POST /api/v1/exemptions`: somebody need not answer notices whose deadline lies in a time.
pub async fn exempt(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Json<Span>, Problem> {
    let said: Span = read(&body)?;
    let span = Absence { from: said.from, to: said.to, reason: said.reason.clone() };
    api.notices.exempt(&caller.0, &said.member, span).await?;
    Ok(Json(said))
}

/// `GET /api/v1/exemptions`, by member.
pub async fn exemptions(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "exemptions": api.notices.standing_exemptions().await? })))
}

/// `POST /api/v1/absences`: leave or a shift; it stops the clock of notices that say so.
pub async fn absent(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Json<Span>, Problem> {
    let said: Span = read(&body)?;
    let absence = Absence { from: said.from, to: said.to, reason: said.reason.clone() };
    api.notices.absent(&caller.0, &said.member, absence).await?;
    Ok(Json(said))
}

/// `GET /api/v1/absences`, by member.
pub async fn absences(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "absences": api.notices.all_absences().await? })))
}
