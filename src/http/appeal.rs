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

use super::door::{self, Back, Door, Refused};
use crate::{
    appeals::{Appeals, LONGEST},
    model::{CaseId, MemberId},
    moderation::undo::UndoError,
};

/// What the page works with.
pub struct AppealPages {
    /// The use case.
    pub appeals: Arc<Appeals>,
    /// The way in.
    pub door: Arc<Door>,
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
    door::page(status, page.render().unwrap_or_default())
}

async fn open(
    State(pages): State<Arc<AppealPages>>,
    Path(case): Path<String>,
    Query(back): Query<Back>,
    headers: HeaderMap,
) -> Response {
    match pages.door.enter(&door::path("a", &case), &back, &headers).await {
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
    let Some(member) = pages.door.answered(&door::path("a", &case), &written.token) else {
        return page(StatusCode::FORBIDDEN, "页面已过期", "请回到企业微信重新点开链接。", None);
    };
    if written.reason.trim().is_empty() {
        return pages.show(&case, &member, "请先写明理由。\n").await;
    }
    match pages.appeals.open(&member, &CaseId::new(case.to_uppercase()), &written.reason).await {
        Ok(opened) => page(StatusCode::OK, format!("申诉 {case}"), opened.answer, None),
        Err(error) => failed(&error),
    }
}

fn failed(error: &UndoError) -> Response {
    match error {
        UndoError::User(error) => page(StatusCode::OK, "申诉", error.0.clone(), None),
        UndoError::Store(error) => {
            tracing::error!(%error, "an appeal could not be stored");
            page(StatusCode::SERVICE_UNAVAILABLE, "暂时处理不了", "请稍后再试。", None)
        }
    }
}

impl AppealPages {
    /// What the case is about, to the member it concerns; with the form if it can be appealed.
    async fn show(&self, case: &str, member: &MemberId, before: &str) -> Response {
        match self.appeals.shown_to(&CaseId::new(case.to_uppercase()), member).await {
            Ok(shown) => {
                let token = shown.open.then(|| self.door.opened(&door::path("a", case), member));
                page(StatusCode::OK, format!("申诉 {case}"), format!("{before}{}", shown.text), token)
            }
            Err(error) => failed(&error),
        }
    }
}
