//! What the bot answers over HTTP: WeCom's callbacks, `/api/v1`, operations.

pub mod activities;
pub mod appeal;
pub mod auth;
pub mod body;
pub mod door;
pub mod in_flight;
pub mod ledger;
pub mod messages;
pub mod notices;
pub mod ops;
pub mod problem;
pub mod queries;
pub mod receipt;
pub mod rules;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    coverage::Gap,
    groups::{Group, Groups},
    model::Clock,
    moderation::{Moderation, brake},
    notices::Notices,
    store::Store,
};

/// What the handlers work with.
#[derive(Clone)]
pub struct Api {
    /// The use case.
    pub moderation: Arc<Moderation>,
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// Notices.
    pub notices: Arc<Notices>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Renders `/metrics`; absent where no recorder was installed (tests).
    pub metrics: Option<PrometheusHandle>,
    /// What `/readyz` asks.
    pub readiness: Arc<dyn Readiness>,
}

/// Answers what works and what is not covered.
#[async_trait::async_trait]
pub trait Readiness: Send + Sync + 'static {
    /// One line a concern.
    async fn checks(&self) -> Vec<ops::Check>;
    /// What a group lacks.
    fn gaps(&self, group: &Group) -> Vec<Gap>;
}

impl Api {
    /// Every concern, the store included.
    pub async fn checks(&self) -> Vec<ops::Check> {
        let mut checks = self.readiness.checks().await;
        checks.push(match self.store.stats().await {
            Ok(stats) => ops::Check::good("store", format!("待办 {} 条，等人处理 {} 条", stats.pending, stats.waiting)),
            Err(error) => ops::Check::broken("store", format!("存储不可用：{error}")),
        });
        for group in brake::open_in(self.store.as_ref()).await.unwrap_or_default() {
            let note = format!("「{}」已熔断：只记录，不处置，请群主确认", self.groups.get(&group).name());
            checks.push(ops::Check::lacking("breaker", note));
        }
        checks
    }
}

/// `/api/v1`, behind tokens; `body_limit` in bytes.
pub fn api_routes(api: Api, tokens: auth::Tokens, body_limit: usize) -> Router {
    Router::new()
        .route("/check", post(messages::check))
        .route("/messages", post(messages::take_in))
        .route("/groups/{group}/members/{member}", get(queries::standing))
        .route("/cases", get(queries::cases))
        .route("/cases/{id}", get(queries::case))
        .route("/cases/{id}/verdict", post(rules::judge))
        .route("/rules", get(rules::list))
        .route("/rulebooks", get(rules::rulebooks))
        .route("/tasks", get(queries::tasks))
        .route("/notices", post(notices::publish).get(notices::list))
        .route("/notices/preview", post(notices::preview))
        .route("/notices/{id}", get(notices::status))
        .route("/notices/{id}/cancel", post(notices::cancel))
        .route("/notices/{id}/review", post(notices::review))
        .route("/notices/{id}/answers", post(notices::write_in))
        .route("/ledger/settle", post(ledger::settle))
        .route("/ledger/{month}", get(ledger::month))
        .route("/ledger/{month}/close", post(ledger::close))
        .route("/ledger/{month}/sign", post(ledger::sign))
        .route("/exemptions", post(ledger::exempt).get(ledger::exemptions))
        .route("/absences", post(ledger::absent).get(ledger::absences))
        .route("/activities", post(activities::announce))
        .route("/activities/{id}", get(activities::show))
        .fallback(|| async { axum::http::StatusCode::NOT_FOUND })
        .layer(middleware::from_fn_with_state(tokens, auth::require_token))
        .layer(DefaultBodyLimit::max(body_limit))
        .layer(middleware::map_response(problem::every_error))
        .with_state(api)
}

/// `/healthz`, `/readyz`, `/metrics`.
pub fn ops_routes(api: Api) -> Router {
    Router::new()
        .route("/healthz", get(ops::healthz))
        .route("/readyz", get(ops::readyz))
        .route("/metrics", get(ops::metrics))
        .with_state(api)
}
