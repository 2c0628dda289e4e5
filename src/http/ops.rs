//! For operators: `/healthz` (alive), `/readyz` (can do its work, and what is not covered), `/metrics`.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension, Json,
    extract::{ConnectInfo, Query, Request, State, rejection::QueryRejection},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use serde::Deserialize;
use serde_json::json;

use super::{
    Api,
    auth::{self, Tokens},
    problem::Problem,
    session_cookie,
};
use crate::{
    accounts::Accounts,
    health::{self, Level},
    store::Store,
};

/// Whoever asks may know the details.
#[derive(Clone, Copy, Debug)]
pub struct Known(pub bool);

/// Middleware: says who asks.
pub async fn who_asks(
    State((accounts, tokens)): State<(Arc<Accounts>, Tokens)>,
    mut request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    // Whoever comes through a proxy on this machine is not of this machine.
    let proxied = headers.contains_key("x-forwarded-for") || headers.contains_key(header::FORWARDED);
    let here = peer.is_none_or(|ip| ip.is_loopback()) && !proxied;
    let known = here || auth::bearer(headers).is_some_and(|token| tokens.find(token).is_some()) || {
        match session_cookie::session(headers).map(ToOwned::to_owned) {
            Some(cookie) => accounts.look(&cookie).await.is_ok_and(|who| who.is_some()),
            None => false,
        }
    };
    request.extensions_mut().insert(Known(known));
    next.run(request).await
}

/// Alive: 200, or 503 once only a restart helps (the store's writer has stopped for good), so that whoever watches the
/// process restarts it.
pub async fn healthz(State(api): State<Api>) -> (StatusCode, String) {
    alive(api.store.as_ref())
}

/// The answer of `/healthz`.
pub fn alive(store: &dyn Store) -> (StatusCode, String) {
    match store.failed() {
        None => (StatusCode::OK, "ok".into()),
        Some(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("the store has stopped: {error}")),
    }
}

/// What else is asked of `/readyz`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// 503 also while a group is not heard or cannot be acted in: for whoever wakes an operator.
    #[serde(default)]
    strict: bool,
}

/// Ready: 200 if messages can be taken in. Whether every group is heard and acted in says `level`, and `summary` in one line;
/// with `?strict=true` the status says it, too. Details are for this machine and for who has a token or is signed in.
pub async fn readyz(
    State(api): State<Api>,
    Extension(Known(known)): Extension<Known>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let Ok(Query(asked)) = asked else { return Problem::invalid("strict", "只认识 ?strict=true").into_response() };
    let checks = api.checks().await;
    let level = health::worst(&checks);
    let ready = level < Level::Down;
    let well = if asked.strict { level < Level::Degraded } else { ready };
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut body = json!({ "ready": ready, "level": level });
    if known {
        body["summary"] = json!(health::sentence(&checks));
        body["checks"] = json!(checks);
    }
    (status, Json(body)).into_response()
}

/// Prometheus text, for this machine and for who has a token or is signed in.
pub async fn metrics(State(api): State<Api>, Extension(Known(known)): Extension<Known>) -> Response {
    if !known {
        let title = "指标只给本机、带令牌或已登录的人";
        return Problem::new(StatusCode::UNAUTHORIZED, "unauthorised", title).into_response();
    }
    if let Ok(stats) = api.store.stats().await {
        let age = match stats.oldest_due_ms {
            0 => 0.0,
            due => ((api.clock.now().as_millisecond() - due).max(0) as f64) / 1000.0,
        };
        metrics::gauge!("qunguan_tasks_pending").set(stats.pending as f64);
        metrics::gauge!("qunguan_tasks_waiting_for_person").set(stats.waiting as f64);
        metrics::gauge!("qunguan_tasks_oldest_due_age_seconds").set(age);
        metrics::gauge!("qunguan_store_disk_bytes").set(stats.disk_bytes as f64);
    }
    let text = api.metrics.as_ref().map(metrics_exporter_prometheus::PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
