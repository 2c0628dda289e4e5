//! Errors of `/api/v1` as `application/problem+json` with a stable `code`.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    refusal::{ActError, Code, Refusal},
    store::StoreError,
};

/// What a caller gets instead of an answer.
#[derive(Debug, Serialize)]
pub struct Problem {
    /// HTTP status, repeated in the body as RFC 9457 asks.
    pub status: u16,
    /// Stable word for programs: `unauthorised`, `not_found`, `invalid_json`, `missing_field`, `unknown_field`, `invalid_value`,
    /// `too_large`, `unavailable`, and those of [`Code`].
    pub code: &'static str,
    /// For people.
    pub title: String,
    /// What exactly, if more is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The place in the request that is wrong: `messages[3].at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Problem {
    /// A problem with its stable code and a sentence.
    pub fn new(status: StatusCode, code: &'static str, title: impl Into<String>) -> Self {
        Self { status: status.as_u16(), code, title: title.into(), detail: None, field: None }
    }
    /// The input is wrong; `detail` says where.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::coded("bad_request", detail)
    }
    /// A field, a parameter or a header has a value it cannot have; `expected` says what it should be.
    pub fn invalid(field: &str, expected: impl AsRef<str>) -> Self {
        let detail = format!("{field}：{}", expected.as_ref());
        Self { field: Some(field.to_owned()), ..Self::coded("invalid_value", detail) }
    }
    /// A field or parameter that is none of the known words.
    pub fn one_of<'a>(field: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        Self::invalid(field, format!("应当是 {} 之一", known.into_iter().collect::<Vec<_>>().join("、")))
    }
    /// The input is wrong in a way that has a word of its own.
    pub fn coded(code: &'static str, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(StatusCode::BAD_REQUEST, code, "请求内容有误") }
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

/// The status of a refusal: what was decided before is a conflict.
const fn status(code: Code) -> StatusCode {
    match code {
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyDecided | Code::KeyTaken | Code::TooLate => StatusCode::CONFLICT,
        Code::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Code::BadRequest
        | Code::InvalidValue
        | Code::SamePerson
        | Code::WrongState
        | Code::Immune
        | Code::DeadlinePassed
        | Code::NoReceivers
        | Code::UnknownGroup
        | Code::UnknownMembers
        | Code::UnknownDepartment
        | Code::FineNotUnderstood
        | Code::MonthOpen
        | Code::MonthClosed => StatusCode::BAD_REQUEST,
    }
}

impl From<Refusal> for Problem {
    fn from(Refusal { code, field, text }: Refusal) -> Self {
        let field = field.map(ToOwned::to_owned);
        Self { detail: Some(text), field, ..Self::new(status(code), code.id(), code.zh()) }
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        match error {
            ActError::Refused(refusal) => refusal.into(),
            ActError::Store(error) => error.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        (status, [(header::CONTENT_TYPE, "application/problem+json; charset=utf-8")], body).into_response()
    }
}

/// What the framework says of parameters in an address that it cannot read.
const QUERY_REJECTED: &str = "Failed to deserialize query string: ";

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
    let words = String::from_utf8_lossy(&words).into_owned();
    if let Some(rest) = words.strip_prefix(QUERY_REJECTED) {
        // `limit: invalid digit found in string`
        return match rest.split_once(": ") {
            Some((name, _)) => Problem::invalid(name, "这个参数的写法不对").into_response(),
            None => Problem::coded("invalid_value", "地址里的参数写法不对").into_response(),
        };
    }
    let detail = (!words.is_empty() && !status.is_server_error()).then_some(words);
    let mut problem = Problem { detail, ..Problem::new(status, code, title) }.into_response();
    if let Some(allow) = allow {
        problem.headers_mut().insert(header::ALLOW, allow);
    }
    problem
}
