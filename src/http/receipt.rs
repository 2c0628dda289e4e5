//! `/n/8F2K`: the link below a notice. It shows the notice to those who must answer it, and one button acknowledges. Opening
//! the link alone is no answer.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use serde::Deserialize;

use super::wecom_sign_in::{self, Back, Refused, WecomSignIn};
use crate::{
    access::{Actor, Face},
    model::MemberId,
    moderation::Moderation,
    notices::{Notices, answer::Pressed},
    refusal::ActError,
    web,
};

/// What the page works with.
pub struct Receipts {
    /// The use case.
    pub notices: Arc<Notices>,
    /// Rung after an answer.
    pub moderation: Arc<Moderation>,
    /// The way in.
    pub sign_in: Arc<WecomSignIn>,
}

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage {
    title: String,
    text: String,
    /// With it the button is there.
    token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    token: String,
}

/// `/n/{id}`.
pub fn routes(receipts: Arc<Receipts>) -> Router {
    Router::new().route("/n/{id}", get(open).post(press)).with_state(receipts)
}

fn page(status: StatusCode, title: impl Into<String>, text: impl Into<String>, token: Option<String>) -> Response {
    let page = ReceiptPage { title: title.into(), text: text.into(), token };
    web::page(status, &page)
}

async fn open(
    State(receipts): State<Arc<Receipts>>,
    Path(id): Path<String>,
    Query(back): Query<Back>,
    headers: HeaderMap,
) -> Response {
    match receipts.sign_in.enter(&wecom_sign_in::path("n", &id), &back, &headers).await {
        Ok(member) => receipts.show(&id, &member).await,
        Err(Refused::SignIn(away)) => away,
        Err(Refused::Stranger) => {
            page(StatusCode::FORBIDDEN, "打不开", "这条通知只给公司成员，请用企业微信打开。", None)
        }
        Err(Refused::Unknown) => {
            page(StatusCode::BAD_GATEWAY, "暂时打不开", "没能确认您的身份，请回到企业微信重新点开链接。", None)
        }
    }
}

async fn press(State(receipts): State<Arc<Receipts>>, Path(id): Path<String>, Form(answer): Form<Answer>) -> Response {
    let Some(member) = receipts.sign_in.answered(&wecom_sign_in::path("n", &id), &answer.token) else {
        return page(StatusCode::FORBIDDEN, "页面已过期", "请回到企业微信重新点开链接。", None);
    };
    let now = receipts.sign_in.clock.now();
    let actor = Actor::member(&member, &[], Face::Page);
    let pressed = receipts.notices.press(&format!("notice:{id}:ack:link"), &actor, now).await;
    receipts.moderation.ring();
    match pressed {
        Ok(Some(Pressed::Settled(text) | Pressed::Told(text))) => {
            page(StatusCode::OK, format!("通知 {id}"), text, None)
        }
        Ok(Some(Pressed::Counted(_)) | None) => page(StatusCode::NOT_FOUND, "打不开", "没有这条通知。", None),
        Err(error) => failed(&error),
    }
}

fn failed(error: &ActError) -> Response {
    if let ActError::Store(error) = error {
        tracing::error!(%error, "a receipt could not be stored");
        return page(StatusCode::SERVICE_UNAVAILABLE, "暂时处理不了", "请稍后再点一次。", None);
    }
    page(StatusCode::OK, "通知", error.to_string(), None)
}

impl Receipts {
    /// The notice, to somebody who must answer it.
    async fn show(&self, id: &str, member: &MemberId) -> Response {
        let shown = match self.notices.shown_to(id, member).await {
            Ok(shown) => shown,
            Err(error) => return failed(&error),
        };
        let Some(shown) = shown else {
            return page(StatusCode::OK, format!("通知 {id}"), "这条通知不需要您回执。", None);
        };
        let token = shown.open.then(|| self.sign_in.opened(&wecom_sign_in::path("n", id), member));
        page(StatusCode::OK, shown.title, shown.text, token)
    }
}
