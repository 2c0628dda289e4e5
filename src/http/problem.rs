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

/// Errors that the router or an extractor answers become problems too: unknown paths, wrong methods, bodies too large.
pub async fn every_error(response: Response) -> Response {
    let status = response.status();
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"));
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (code, title) = match status {
        StatusCode::NOT_FOUND => ("not_found", "没有这个地址"),
        StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "这个地址不支持这种请求"),
        StatusCode::PAYLOAD_TOO_LARGE => ("too_large", "请求太大"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupported_media_type", "请用 application/json"),
        status if status.is_server_error() => ("internal", "处理时出错，请重试"),
        _ => ("bad_request", "请求内容有误"),
    };
    let allow = response.headers().get(header::ALLOW).cloned();
    let words = axum::body::to_bytes(response.into_body(), 2048).await.unwrap_or_default();
    let detail = (!words.is_empty() && !status.is_server_error()).then(|| String::from_utf8_lossy(&words).into_owned());
    let mut problem = Problem { detail, ..Problem::new(status, code, title) }.into_response();
    if let Some(allow) = allow {
        problem.headers_mut().insert(header::ALLOW, allow);
    }
    problem
}
