//! `/a/8F2K`: the link on a warning. The member it concerns reads what it is about and writes why it was wrong; nobody else
//! learns that there is such a case.

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
    cases::{Cases, appeal::LONGEST},
    model::MemberId,
    moderation::case_id,
    refusal::ActError,
    web,
};

/// What the page works with.
pub struct AppealPages {
    /// The use case.
    pub cases: Arc<Cases>,
    /// The way in.
    pub sign_in: Arc<WecomSignIn>,
}

#[derive(Template)]
#[template(path = "appeal.html")]
struct AppealPage {
    title: String,
    text: String,
    longest: usize,
    /// With it the form is there.
    token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Written {
    token: String,
    #[serde(default)]
    reason: String,
}

/// `/a/{case}`.
pub fn routes(pages: Arc<AppealPages>) -> Router {
    Router::new().route("/a/{case}", get(open).post(send)).with_state(pages)
}

fn page(status: StatusCode, title: impl Into<String>, text: impl Into<String>, token: Option<String>) -> Response {
    let page = AppealPage { title: title.into(), text: text.into(), longest: LONGEST, token };
    web::page(status, &page)
}

async fn open(
    State(pages): State<Arc<AppealPages>>,
    Path(case): Path<String>,
    Query(back): Query<Back>,
    headers: HeaderMap,
) -> Response {
    match pages.sign_in.enter(&wecom_sign_in::path("a", &case), &back, &headers).await {
        Ok(member) => pages.show(&case, &member, "").await,
        Err(Refused::SignIn(away)) => away,
        Err(Refused::Stranger) => page(StatusCode::FORBIDDEN, "打不开", "请用企业微信打开。", None),
        Err(Refused::Unknown) => {
            page(StatusCode::BAD_GATEWAY, "暂时打不开", "没能确认您的身份，请回到企业微信重新点开链接。", None)
        }
    }
}

async fn send(
    State(pages): State<Arc<AppealPages>>,
    Path(case): Path<String>,
    Form(written): Form<Written>,
) -> Response {
    let Some(member) = pages.sign_in.answered(&wecom_sign_in::path("a", &case), &written.token) else {
        return page(StatusCode::FORBIDDEN, "页面已过期", "请回到企业微信重新点开链接。", None);
    };
    if written.reason.trim().is_empty() {
        return pages.show(&case, &member, "请先写明理由。\n").await;
    }
    match pages.cases.open_appeal(&actor(&member), &case_id::typed(&case), &written.reason).await {
        Ok(opened) => page(StatusCode::OK, format!("申诉 {case}"), opened.answer, None),
        Err(error) => failed(&error),
    }
}

fn actor(member: &MemberId) -> Actor {
    Actor::member(member, &[], Face::Page)
}

fn failed(error: &ActError) -> Response {
    match error {
        ActError::Refused(refusal) => page(StatusCode::OK, "申诉", refusal.text.clone(), None),
        ActError::Store(error) => {
            tracing::error!(%error, "an appeal could not be stored");
            page(StatusCode::SERVICE_UNAVAILABLE, "暂时处理不了", "请稍后再试。", None)
        }
    }
}

impl AppealPages {
    /// What the case is about, to the member it concerns; with the form if it can be appealed.
    async fn show(&self, case: &str, member: &MemberId, before: &str) -> Response {
        match self.cases.appeal_page(&actor(member), &case_id::typed(case)).await {
            Ok(shown) => {
                let token = shown.open.then(|| self.sign_in.opened(&wecom_sign_in::path("a", case), member));
                page(StatusCode::OK, format!("申诉 {case}"), format!("{before}{}", shown.text), token)
            }
            Err(error) => failed(&error),
        }
    }
}
