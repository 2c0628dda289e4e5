//! Pages that people open from WeCom (`/n/8F2K`, `/a/8F2K`). Opened there, a page knows who opened it (OAuth, no question
//! asked); nothing is shown before that, and what is sent back is only taken from the page that this person opened.

use std::{collections::HashMap, sync::Arc};

use axum::{
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
};
use parking_lot::Mutex;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::RngExt;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::{
    deps::Deps,
    model::{Clock, MemberId, SignedDuration, Timestamp},
    settings::Settings,
    wecom::{client::Client, directory::SignedIn},
};

/// A page that was opened stays good for so long.
const PAGE_LIVES: SignedDuration = SignedDuration::from_mins(30);
/// Pages open at the same time; beyond it the oldest are forgotten and have to be opened again.
const MOST_PAGES: usize = 20_000;
/// Ties the way back from WeCom to the browser that went there.
const COOKIE: &str = "qunguan_state";

/// The way in for all such pages.
pub struct WecomSignIn {
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
    path: String,
    member: MemberId,
    until: Timestamp,
}

/// What WeCom adds to the address on the way back.
#[derive(Debug, Deserialize)]
pub struct Back {
    code: Option<String>,
    state: Option<String>,
}

/// `/n/8F2K`: the address of a page about a thing with an id.
pub fn path(folder: &str, id: &str) -> String {
    format!("/{folder}/{}", utf8_percent_encode(id, NON_ALPHANUMERIC))
}

fn random() -> String {
    let bytes: [u8; 16] = rand::rng().random();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get(header::COOKIE)?.to_str().ok()?;
    all.split(';').find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Why nobody came in.
pub enum Refused {
    /// They go to WeCom first and come back with a code.
    SignIn(Response),
    /// Not a member of the company.
    Stranger,
    /// WeCom did not say who it is.
    Unknown,
}

impl WecomSignIn {
    /// `None` where the settings say no address that the world can reach, or connect no app.
    pub fn of(settings: &Settings, deps: &Deps) -> Option<Self> {
        let wecom = settings.wecom.as_ref()?;
        Some(Self {
            client: deps.wecom.app.clone()?,
            clock: deps.clock.clone(),
            public_url: deps.public_url.clone()?,
            authorize_url: wecom.authorize_url.clone(),
            app: (wecom.corp_id.clone(), wecom.app.as_ref()?.agent_id),
            pages: Mutex::default(),
        })
    }

    /// Who opened the page at `path`.
    pub async fn enter(&self, path: &str, back: &Back, headers: &HeaderMap) -> Result<MemberId, Refused> {
        let (Some(code), Some(state)) = (&back.code, &back.state) else {
            return Err(Refused::SignIn(self.sign_in(path)));
        };
        let same = cookie(headers).is_some_and(|known| bool::from(known.as_bytes().ct_eq(state.as_bytes())));
        if !same {
            return Err(Refused::SignIn(self.sign_in(path))); // opened elsewhere, or much later
        }
        match self.client.signed_in(code).await {
            Ok(SignedIn::Member(user)) => Ok(MemberId::new(user)),
            Ok(SignedIn::Stranger) => Err(Refused::Stranger),
            Err(error) => {
                tracing::warn!(%error, "WeCom did not say who opened a page");
                Err(Refused::Unknown)
            }
        }
    }

    /// Sends the browser to WeCom, which sends it back with a code.
    fn sign_in(&self, path: &str) -> Response {
        let state = random();
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let (corp, agent) = &self.app;
        let to = format!(
            "{}?appid={}&redirect_uri={}&response_type=code&scope=snsapi_base&state={state}&agentid={agent}#wechat_redirect",
            self.authorize_url,
            encode(corp),
            encode(&format!("{}{path}", self.public_url))
        );
        let secure = if self.public_url.starts_with("https:") { "; Secure" } else { "" };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let cookie = format!("{COOKIE}={state}; Path={folder}/; Max-Age=600; HttpOnly; SameSite=Lax{secure}");
        ([(header::SET_COOKIE, cookie)], Redirect::to(&to)).into_response()
    }

    /// Notes that a member has the page open; its form carries what this returns.
    pub fn opened(&self, path: &str, member: &MemberId) -> String {
        let token = random();
        let now = self.clock.now();
        let mut pages = self.pages.lock();
        if pages.len() >= MOST_PAGES {
            pages.retain(|_, page| page.until > now);
        }
        if pages.len() >= MOST_PAGES
            && let Some(oldest) = pages.iter().min_by_key(|(_, page)| page.until).map(|(token, _)| token.clone())
        {
            pages.remove(&oldest);
        }
        let page = Page { path: path.to_owned(), member: member.clone(), until: now + PAGE_LIVES };
        pages.insert(token.clone(), page);
        token
    }

    /// Who sent the form of the page at `path`; each page answers once.
    pub fn answered(&self, path: &str, token: &str) -> Option<MemberId> {
        let now = self.clock.now();
        let page = self.pages.lock().remove(token)?;
        (page.until > now && page.path == path).then_some(page.member)
    }
}
