//! `/n/8F2K`: the link below a notice. Opened in WeCom it knows who opened it (OAuth, no question asked), shows the notice to
//! those who must answer it, and one button acknowledges. Opening the link alone is no answer.
//!
//! Nothing is shown before the person is known, and a press is only taken from the page that this person opened.

use std::{collections::HashMap, sync::Arc};

use askama::Template;
use axum::{
    Form, Router,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use parking_lot::Mutex;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::RngExt;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::{
    console::CSP,
    model::{Clock, MemberId, SignedDuration, Timestamp},
    moderation::Moderation,
    notices::{NoticeError, Notices, answer::Pressed},
    wecom::{client::Client, directory::SignedIn},
};

/// A page that was opened stays good for so long.
const PAGE_LIVES: SignedDuration = SignedDuration::from_mins(30);
/// Pages open at the same time; beyond it the oldest are forgotten and have to be opened again.
const MOST_PAGES: usize = 20_000;
/// Ties the way back from WeCom to the browser that went there.
const COOKIE: &str = "qunguan_state";

/// What the page works with.
pub struct Receipts {
    /// The use case.
    pub notices: Arc<Notices>,
    /// Rung after an answer.
    pub moderation: Arc<Moderation>,
    /// Asks WeCom who came.
    pub client: Arc<Client>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// How the world reaches this server, `https://bot.example.com`.
    pub public_url: String,
    /// Where WeCom signs people in.
    pub authorize_url: String,
    /// The company and its app.
    pub app: (String, i64),
    /// Pages that were opened.
    pub pages: Mutex<HashMap<String, Page>>,
}

/// A page somebody has open.
#[derive(Clone, Debug)]
pub struct Page {
    notice: String,
    member: MemberId,
    until: Timestamp,
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
struct Back {
    code: Option<String>,
    state: Option<String>,
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
    let page = ReceiptPage { title: title.into(), text: text.into(), token }.render().unwrap_or_default();
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, Html(page)).into_response()
}

fn random() -> String {
    let bytes: [u8; 16] = rand::rng().random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get(header::COOKIE)?.to_str().ok()?;
    all.split(';').find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

async fn open(
    State(receipts): State<Arc<Receipts>>,
    Path(id): Path<String>,
    Query(back): Query<Back>,
    headers: HeaderMap,
) -> Response {
    let (Some(code), Some(state)) = (&back.code, &back.state) else { return receipts.sign_in(&id) };
    let same = cookie(&headers).is_some_and(|known| bool::from(known.as_bytes().ct_eq(state.as_bytes())));
    if !same {
        return receipts.sign_in(&id); // opened elsewhere, or much later
    }
    match receipts.client.signed_in(code).await {
        Ok(SignedIn::Member(user)) => receipts.show(&id, &MemberId::new(user)).await,
        Ok(SignedIn::Stranger) => {
            page(StatusCode::FORBIDDEN, "打不开", "这条通知只给公司成员，请用企业微信打开。", None)
        }
        Err(error) => {
            tracing::warn!(%error, "WeCom did not say who opened a notice");
            page(StatusCode::BAD_GATEWAY, "暂时打不开", "没能确认您的身份，请回到企业微信重新点开链接。", None)
        }
    }
}

async fn press(State(receipts): State<Arc<Receipts>>, Path(id): Path<String>, Form(answer): Form<Answer>) -> Response {
    let now = receipts.clock.now();
    let known = receipts.pages.lock().remove(&answer.token).filter(|p| p.until > now && p.notice == id);
    let Some(known) = known else {
        return page(StatusCode::FORBIDDEN, "页面已过期", "请回到企业微信重新点开链接。", None);
    };
    let pressed = receipts.notices.press(&format!("notice:{id}:ack:link"), &known.member, now).await;
    receipts.moderation.ring();
    match pressed {
        Ok(Some(Pressed::Settled(text) | Pressed::Told(text))) => {
            page(StatusCode::OK, format!("通知 {id}"), text, None)
        }
        Ok(Some(Pressed::Counted(_)) | None) => page(StatusCode::NOT_FOUND, "打不开", "没有这条通知。", None),
        Err(error) => failed(&error),
    }
}

fn failed(error: &NoticeError) -> Response {
    if let NoticeError::Store(error) = error {
        tracing::error!(%error, "a receipt could not be stored");
        return page(StatusCode::SERVICE_UNAVAILABLE, "暂时处理不了", "请稍后再点一次。", None);
    }
    page(StatusCode::OK, "通知", error.to_string(), None)
}

impl Receipts {
    /// Sends the browser to WeCom, which sends it back with a code.
    fn sign_in(&self, id: &str) -> Response {
        let state = random();
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let back = format!("{}/n/{}", self.public_url, encode(id));
        let (corp, agent) = &self.app;
        let to = format!(
            "{}?appid={}&redirect_uri={}&response_type=code&scope=snsapi_base&state={state}&agentid={agent}#wechat_redirect",
            self.authorize_url,
            encode(corp),
            encode(&back)
        );
        let secure = if self.public_url.starts_with("https:") { "; Secure" } else { "" };
        let cookie = format!("{COOKIE}={state}; Path=/n/; Max-Age=600; HttpOnly; SameSite=Lax{secure}");
        ([(header::SET_COOKIE, cookie)], Redirect::to(&to)).into_response()
    }

    /// The notice, to somebody who must answer it.
    async fn show(&self, id: &str, member: &MemberId) -> Response {
        let shown = match self.notices.shown_to(id, member).await {
            Ok(shown) => shown,
            Err(error) => return failed(&error),
        };
        let Some(shown) = shown else {
            return page(StatusCode::OK, format!("通知 {id}"), "这条通知不需要您回执。", None);
        };
        let token = shown.open.then(random);
        if let Some(token) = &token {
            let now = self.clock.now();
            let until = now + PAGE_LIVES;
            let mut pages = self.pages.lock();
            if pages.len() >= MOST_PAGES {
                pages.retain(|_, page| page.until > now);
            }
            if pages.len() >= MOST_PAGES
                && let Some(oldest) = pages.iter().min_by_key(|(_, page)| page.until).map(|(token, _)| token.clone())
            {
                pages.remove(&oldest);
            }
            pages.insert(token.clone(), Page { notice: id.to_owned(), member: member.clone(), until });
        }
        page(StatusCode::OK, shown.title, shown.text, token)
    }
}
