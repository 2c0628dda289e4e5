//! For operators: `/healthz` (alive), `/readyz` (can do its work, and what is not covered), `/metrics`.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension, Json,
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    Api,
    auth::{self, Tokens},
    session_cookie,
};
use crate::{accounts::Accounts, health::Check, store::Store};

/// Whoever asks may know the names of groups.
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

/// Ready: 200 if messages can be taken in, with a list of what is not covered. Which groups that are is for this machine and for
/// who has a token or is signed in.
pub async fn readyz(State(api): State<Api>, Extension(Known(known)): Extension<Known>) -> impl IntoResponse {
    let mut checks = api.checks().await;
    if !known {
        checks = checks.into_iter().map(Check::without_names).collect();
    }
    let ready = checks.iter().all(|c| c.ok || !c.required);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(serde_json::json!({ "ready": ready, "checks": checks })))
}

/// Prometheus text.
pub async fn metrics(State(api): State<Api>) -> impl IntoResponse {
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
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
