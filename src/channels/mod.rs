//! The ways a message comes in. Each channel translates its own protocol into [`crate::model::Message`] and hands it to
//! `moderation`; nothing else reads from WeCom.

pub mod app;
pub mod archive;
pub mod bot;
pub mod callback_guard;
pub mod looks;
pub mod socket;

use async_trait::async_trait;
use axum::Router;
use tokio::sync::watch;

use crate::health::Check;

/// One way in.
#[async_trait]
pub trait Channel: Send + Sync + 'static {
    /// Addresses it answers, if WeCom calls us.
    fn routes(self: std::sync::Arc<Self>) -> Router {
        Router::new()
    }
    /// Work of its own, if we call WeCom; ends soon after `stop` turns true.
    async fn run(self: std::sync::Arc<Self>, mut stop: watch::Receiver<bool>) {
        let _ = stop.wait_for(|stop| *stop).await;
    }
    /// What `/readyz` says of it.
    fn check(&self) -> Check;
}
