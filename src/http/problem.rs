//! Errors of `/api/v1` as `application/problem+json` with a stable `code`.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{model::UserError, store::StoreError};

/// What a caller gets instead of an answer.
#[derive(Debug, Serialize)]
pub struct Problem {
    /// HTTP status, repeated in the body as RFC 9457 asks.
    pub status: u16,
    /// Stable word for programs: `unauthorised`, `bad_request`, `not_found`, `too_large`, `unavailable` …
    pub code: &'static str,
    /// For people.
    pub title: String,
    /// What exactly, if more is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Problem {
    /// A problem with its stable code and a sentence.
    pub fn new(status: StatusCode, code: &'static str, title: impl Into<String>) -> Self {
        Self { status: status.as_u16(), code, title: title.into(), detail: None }
    }
    /// The input is wrong; `detail` says where.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(StatusCode::BAD_REQUEST, "bad_request", "请求内容有误") }
    }
    /// There is no such thing.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("没有这个{what}"))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed while answering the API");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "存储暂时不可用，请稍后重试")
    }
}

impl From<UserError> for Problem {
    fn from(error: UserError) -> Self {
        Self::bad_request(error.0)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        (status, [(header::CONTENT_TYPE, "application/problem+json; charset=utf-8")], body).into_response()
    }
}
