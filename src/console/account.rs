//! Somebody's own account: a new password, and the app that shows codes.

use std::sync::Arc;

use askama::Template;
use axum::{Extension, extract::State};

use super::{
    Console,
    door::{self, Fields},
    frame::{Frame, Page, page},
    visit::Visit,
};
use crate::accounts::totp;

#[derive(Template)]
#[template(path = "console/account.html")]
struct Own {
    frame: Frame,
    name: String,
    part: &'static str,
    /// They came with an account, not through WeCom alone.
    has_account: bool,
    has_totp: bool,
    /// For a new app.
    secret: String,
    address: String,
}

/// The page.
pub(super) async fn show(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Page {
    let account = console.accounts.own(&visit.who.actor).await?;
    let secret = totp::secret();
    let mut frame = console.frame(&visit, "我的账号", "/account");
    frame.live = false;
    page(&Own {
        frame,
        has_account: account.is_some(),
        has_totp: account.is_some_and(|account| account.has_totp()),
        address: totp::address(&visit.who.name, &secret),
        secret,
        name: visit.who.name.clone(),
        part: visit.who.part,
    })
}

/// A new password; whoever is signed in with the old one signs in anew.
pub(super) async fn password(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(fields): Extension<Fields>,
) -> Page {
    console.accounts.change_password(&visit.who.actor, fields.raw("known"), fields.raw("password")).await?;
    Ok(axum::response::IntoResponse::into_response(axum::response::Redirect::to("/login")))
}

/// The app, or none any more.
pub(super) async fn totp(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(fields): Extension<Fields>,
) -> Page {
    let secret = fields.get("secret");
    console.accounts.set_totp(&visit.who.actor, fields.raw("known"), secret, fields.get("code")).await?;
    let text = if secret.is_empty() { "已关闭动态码。" } else { "已开通动态码，下次登录要填。" };
    Ok(door::told("/account", text))
}
