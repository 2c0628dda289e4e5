//! Pages an operator opens in the browser. Until the admin console comes, `/` is a status page: what is connected, what is
//! not covered, how many tasks wait.

use askama::Template;
use axum::{
    Router,
    extract::State,
    http::header,
    response::{Html, IntoResponse},
    routing::get,
};

use crate::http::{Api, ops::Check};

/// No script, no third party; the style is our own.
pub const CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    checks: Vec<Check>,
    groups: Vec<(String, &'static str, &'static str)>,
    ready: bool,
}

/// `/` of `run`.
pub fn routes(api: Api) -> Router {
    Router::new().route("/", get(status)).route("/style.css", get(style)).with_state(api)
}

async fn status(State(api): State<Api>) -> impl IntoResponse {
    let checks = api.checks().await;
    let groups = api.groups.all();
    let groups = groups
        .iter()
        .filter(|g| g.configured)
        .map(|g| (g.name().to_owned(), g.set.kind.zh(), g.set.mode.zh()))
        .collect();
    let ready = checks.iter().all(|c| c.ok || !c.required);
    let page = StatusPage { checks, groups, ready }.render().unwrap_or_default();
    ([(header::CONTENT_SECURITY_POLICY, CSP)], Html(page))
}

/// The style of all pages.
pub async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../templates/style.css"))
}
