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

use crate::{
    coverage::Gap,
    http::{Api, ops::Check},
};

/// No script, no third party; the style is our own.
pub const CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

#[derive(Template)]
#[template(path = "status.html")]
struct StatusPage {
    checks: Vec<Check>,
    groups: Vec<GroupRow>,
    ready: bool,
}

/// One group as the page shows it.
struct GroupRow {
    name: String,
    kind: &'static str,
    mode: &'static str,
    /// What it lacks; empty for nothing.
    lacks: String,
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
        .map(|g| GroupRow {
            name: g.name().to_owned(),
            kind: g.set.kind.zh(),
            mode: g.set.mode.zh(),
            lacks: api.readiness.gaps(g).into_iter().map(Gap::zh).collect::<Vec<_>>().join("；"),
        })
        .collect();
    let ready = checks.iter().all(|c| c.ok || !c.required);
    let page = StatusPage { checks, groups, ready }.render().unwrap_or_default();
    ([(header::CONTENT_SECURITY_POLICY, CSP)], Html(page))
}

/// The style of all pages.
pub async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../templates/style.css"))
}
