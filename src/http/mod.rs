//! What the bot answers over HTTP: WeCom's callbacks, `/api/v1`, operations.

pub mod activities;
pub mod appeal;
pub mod audit;
pub mod auth;
pub mod body;
pub mod groups;
pub mod in_flight;
pub mod ledger;
pub mod messages;
pub mod notices;
pub mod openapi;
pub mod ops;
pub mod parameters;
pub mod problem;
pub mod queries;
pub mod questions;
pub mod receipt;
pub mod routes;
pub mod rules;
pub mod second_opinion;
pub mod session_cookie;
pub mod shape;
pub mod wecom_sign_in;

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::{Router, extract::DefaultBodyLimit, middleware, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    accounts::Accounts,
    capability::Capabilities,
    cases::Cases,
    coverage::Gap,
    deps::Deps,
    groups::{Group, Groups},
    health::Check,
    model::Clock,
    moderation::{Moderation, breaker},
    notices::Notices,
    service::Service,
    standing::Standings,
    store::Store,
};

/// What the handlers work with.
#[derive(Clone)]
pub struct Api {
    /// A message in, a decision out.
    pub moderation: Arc<Moderation>,
    /// What people decide about violations.
    pub cases: Arc<Cases>,
    /// How people stand.
    pub standings: Arc<Standings>,
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// Questions that wait.
    pub service: Arc<Service>,
    /// Notices.
    pub notices: Arc<Notices>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Renders `/metrics`; absent where no recorder was installed (tests).
    pub metrics: Option<PrometheusHandle>,
    /// What this installation is able to do.
    pub capabilities: Arc<ArcSwap<Capabilities>>,
    /// What `/readyz` asks.
    pub readiness: Arc<dyn Readiness>,
}

/// Answers what works and what is not covered.
#[async_trait::async_trait]
pub trait Readiness: Send + Sync + 'static {
    /// One line a concern.
    async fn checks(&self) -> Vec<Check>;
    /// What a group lacks.
    fn gaps(&self, group: &Group) -> Vec<Gap>;
}

impl Api {
    /// On what the whole program works with.
    pub fn new(deps: &Deps, metrics: Option<PrometheusHandle>, readiness: Arc<dyn Readiness>) -> Self {
        Self {
            moderation: deps.moderation.clone(),
            cases: deps.cases.clone(),
            standings: deps.standings.clone(),
            store: deps.store.clone(),
            groups: deps.groups.clone(),
            service: deps.service.clone(),
            notices: deps.notices.clone(),
            clock: deps.clock.clone(),
            metrics,
            capabilities: deps.capabilities.clone(),
            readiness,
        }
    }
    /// Every concern, the store included.
    pub async fn checks(&self) -> Vec<Check> {
        let mut checks = self.readiness.checks().await;
        match self.store.stats().await {
            Ok(stats) => {
                checks.push(Check::good("store", format!("存储正常，排队中的后台任务 {} 项", stats.pending)));
                checks.extend(stats.disk_free.and_then(disk));
            }
            Err(error) => checks.push(Check::broken("store", format!("存储不可用：{error}"))),
        }
        for group in breaker::open_in(self.store.as_ref()).await.unwrap_or_default() {
            let note = format!("「{}」已熔断：只记录，不处置，请群主确认", self.groups.get(&group).name());
            checks.push(Check::lacking("breaker", note));
        }
        checks
    }
}

/// With less than this free on the store's disk, somebody has to make room: what cannot be written is not answered.
const LITTLE: u64 = 512 * 1024 * 1024;

/// What is said of so many free bytes.
fn disk(free: u64) -> Option<Check> {
    let left = free / (1024 * 1024);
    (free < LITTLE).then(|| Check::lacking("disk", format!("磁盘快满了：只剩 {left} MB，写不进去就不能再处理消息")))
}

/// `/api/v1`, behind tokens; `body_limit` in bytes.
pub fn api_routes(api: Api, tokens: auth::Tokens, body_limit: usize) -> Router {
    let mut router = Router::new();
    for route in routes::all() {
        let needs = middleware::from_fn_with_state((route.needs, route.company), auth::require_scope);
        let known = middleware::from_fn_with_state(route.query, parameters::known);
        router = router.route(route.path, route.handler.route_layer(known).route_layer(needs));
    }
    router
        .fallback(|| async { axum::http::StatusCode::NOT_FOUND })
        .layer(middleware::from_fn_with_state(tokens, auth::require_token))
        .route("/openapi.json", get(openapi::show))
        .layer(DefaultBodyLimit::max(body_limit))
        .layer(middleware::map_response(problem::every_error))
        .with_state(api)
}

/// `/healthz`, `/readyz`, `/metrics`.
pub fn ops_routes(api: Api, accounts: Arc<Accounts>, tokens: auth::Tokens) -> Router {
    let knows = middleware::from_fn_with_state((accounts, tokens), ops::who_asks);
    Router::new()
        .route("/readyz", get(ops::readyz))
        .route("/metrics", get(ops::metrics))
        .route_layer(knows)
        .route("/healthz", get(ops::healthz))
        .with_state(api)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_disk_that_is_nearly_full_is_named() {
        assert_eq!(super::disk(super::LITTLE), None);
        let said = super::disk(20 * 1024 * 1024).unwrap();
        assert_eq!((said.ok(), said.brief()), (false, "磁盘快满了"));
        assert!(said.note.contains("只剩 20 MB"), "{}", said.note);
    }
}
