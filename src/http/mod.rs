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
pub mod second_opinion;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{MethodRouter, get, post},
};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    access::Action,
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

/// `/api/v1`, behind tokens; `body_limit` in bytes. Each line says what the caller must be allowed to do.
pub fn api_routes(api: Api, tokens: auth::Tokens, body_limit: usize) -> Router {
    use Action::{Check, DecideCase, KeepLedger, PublishNotice, ReadCase, WriteMessages};
    let needs = |action: Action, route: MethodRouter<Api>| {
        route.route_layer(middleware::from_fn_with_state((action, false), auth::require_scope))
    };
    // What concerns the whole company is not for a token of some groups.
    let needs_all = |action: Action, route: MethodRouter<Api>| {
        route.route_layer(middleware::from_fn_with_state((action, true), auth::require_scope))
    };
    Router::new()
        .route("/check", needs(Check, post(messages::check)))
        .route("/messages", needs(WriteMessages, post(messages::take_in)))
        .route("/groups/{group}/members/{member}", needs(ReadCase, get(queries::standing)))
        .route("/cases", needs(ReadCase, get(queries::cases)))
        .route("/cases/{id}", needs(ReadCase, get(queries::case)))
        .route("/cases/{id}/verdict", needs(DecideCase, post(rules::judge)))
        .route("/rules", needs(ReadCase, get(rules::list)))
        .route("/rulebooks", needs(ReadCase, get(rules::rulebooks)))
        .route("/second-opinion", needs(ReadCase, get(second_opinion::show)))
        .route("/tasks", needs(ReadCase, get(queries::tasks)))
        .route("/notices", needs(PublishNotice, post(notices::publish).get(notices::list)))
        .route("/notices/preview", needs(PublishNotice, post(notices::preview)))
        .route("/notices/{id}", needs(PublishNotice, get(notices::status)))
        .route("/notices/{id}/cancel", needs(PublishNotice, post(notices::cancel)))
        .route("/notices/{id}/review", needs(PublishNotice, post(notices::review)))
        .route("/notices/{id}/answers", needs(PublishNotice, post(notices::write_in)))
        .route("/ledger/settle", needs_all(KeepLedger, post(ledger::settle)))
        .route("/ledger/{month}", needs_all(KeepLedger, get(ledger::month)))
        .route("/ledger/{month}/close", needs_all(KeepLedger, post(ledger::close)))
        .route("/ledger/{month}/sign", needs_all(KeepLedger, post(ledger::sign)))
        .route("/exemptions", needs_all(PublishNotice, post(ledger::exempt).get(ledger::exemptions)))
        .route("/absences", needs_all(PublishNotice, post(ledger::absent).get(ledger::absences)))
        .route("/activities", needs(PublishNotice, post(activities::announce)))
        .route("/activities/{id}", needs(PublishNotice, get(activities::show)))
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
