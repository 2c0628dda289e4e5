//! For operators: `/healthz` (alive), `/readyz` (can do its work, and what is not covered), `/metrics`.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use serde::Serialize;

use super::Api;
use crate::store::Store;

/// One thing that is looked at to say "ready".
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// A stable word: `store`, `settings`, `archive`, `wecom` …
    pub name: String,
    /// Can it do its work?
    pub ok: bool,
    /// True if the service as a whole is not ready while this is not.
    pub required: bool,
    /// For people, in Chinese.
    pub note: String,
}

impl Check {
    /// All is well.
    pub fn good(name: &str, note: impl Into<String>) -> Self {
        Self { name: name.into(), ok: true, required: false, note: note.into() }
    }
    /// Something is missing, but messages are still handled.
    pub fn lacking(name: &str, note: impl Into<String>) -> Self {
        Self { name: name.into(), ok: false, required: false, note: note.into() }
    }
    /// Nothing can be handled.
    pub fn broken(name: &str, note: impl Into<String>) -> Self {
        Self { name: name.into(), ok: false, required: true, note: note.into() }
    }
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

/// Ready: 200 if messages can be taken in, with a list of what is not covered.
pub async fn readyz(State(api): State<Api>) -> impl IntoResponse {
    let checks = api.checks().await;
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
