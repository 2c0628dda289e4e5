//! The chat page `/sim`: pick who you are, talk, watch the bot work, press its cards, move the clock.
//!
//! The server gives a frame, one style and a few small scripts; the scripts show what `/sim/api/screen` says and look again
//! whenever `/sim/events` says that something changed. Nothing is inline and nothing comes from elsewhere.

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::Path,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use rust_embed::Embed;

use super::Sim;

/// What the page may load: its own files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Embed)]
#[folder = "src/assets/"]
struct Assets;

#[derive(Template)]
#[template(path = "simulator/chat.html")]
struct Chat;

/// The routes.
pub fn router() -> Router<Arc<Sim>> {
    Router::new()
        .route("/", get(|| async { Redirect::to("/sim") }))
        .route("/sim", get(chat))
        .route("/sim/assets/{file}", get(asset))
}

async fn chat() -> Response {
    match Chat.render() {
        Ok(page) => (
            [
                (header::CONTENT_SECURITY_POLICY, POLICY),
                (header::REFERRER_POLICY, "no-referrer"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::CACHE_CONTROL, "no-store"),
            ],
            Html(page),
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "the chat page did not render");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn asset(Path(file): Path<String>) -> Response {
    let kind = match file.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    match Assets::get(&file) {
        Some(found) => (
            [
                (header::CONTENT_TYPE, kind),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::CACHE_CONTROL, "no-cache"),
            ],
            found.data.into_owned(),
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
