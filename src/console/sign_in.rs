//! In and out: name and password, through WeCom, by the first link, by a link of a demo.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    Console,
    door::{self, Fields, From},
    frame::{self, Page},
};
use crate::{
    accounts::NotIn,
    http::wecom_sign_in::{Back, Refused},
    model::MemberId,
    refusal::{ActError, Refusal},
    web,
};

/// Who a demo's link signs in: the owner of the sample groups.
const DEMO: (&str, &str) = ("演示店长", "wang");

#[derive(Template)]
#[template(path = "console/login.html")]
struct Login {
    told: String,
    name: String,
    next: String,
    wecom: bool,
    /// Nothing protects what is typed on its way.
    bare: bool,
}

#[derive(Template)]
#[template(path = "console/setup.html")]
struct Setup {
    told: String,
    code: String,
    /// Whose password it is; none: the first account, which wants a name.
    account: Option<String>,
    name: String,
}

/// Only ever a place of ours: a plain path. Browsers drop tabs and line breaks and read `\` as `/`, so nothing of the kind
/// may stand anywhere in it.
fn next(asked: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>');
    let ours = asked.starts_with('/') && !asked.starts_with("//") && asked.bytes().all(plain);
    if ours { asked } else { "/" }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    next: String,
    #[serde(default)]
    code: String,
}

impl Console {
    fn login(&self, status: StatusCode, from: &From, told: &str, name: &str, after: &str) -> Response {
        let page = Login {
            told: told.to_owned(),
            name: name.to_owned(),
            next: next(after).to_owned(),
            wecom: self.sign_in.is_some(),
            bare: !from.secure && !from.near,
        };
        web::console_page(status, &page)
    }

    /// A demo's first page, with a link that signs in.
    pub(super) async fn greet(&self) -> Response {
        let Some(welcome) = &self.welcome else { return Redirect::to("/login").into_response() };
        match self.accounts.demo(DEMO.0, &MemberId::from(DEMO.1)).await {
            Ok(code) => welcome(format!("/enter?code={code}")),
            Err(error) => frame::failed(&error),
        }
    }
}

/// In, with this cookie.
fn inside(from: &From, cookie: &str, after: &str) -> Response {
    ([(header::SET_COOKIE, door::set_session(from.secure, cookie))], Redirect::to(next(after))).into_response()
}

/// The form.
pub(super) async fn form(
    State(console): State<Arc<Console>>,
    Extension(from): Extension<From>,
    Query(asked): Query<Asked>,
) -> Response {
    console.login(StatusCode::OK, &from, "", "", &asked.next)
}

/// What was typed into it.
pub(super) async fn enter(
    State(console): State<Arc<Console>>,
    Extension(from): Extension<From>,
    Extension(fields): Extension<Fields>,
) -> Response {
    let (name, after) = (fields.get("name"), fields.get("next"));
    match console.accounts.sign_in(name, fields.raw("password"), fields.get("code"), &from.address).await {
        Ok(cookie) => inside(&from, &cookie, after),
        Err(NotIn::Store(error)) => frame::failed(&error.into()),
        Err(NotIn::Link(error)) => frame::failed(&error),
        Err(wrong @ NotIn::Wrong) => console.login(StatusCode::UNAUTHORIZED, &from, &wrong.to_string(), name, after),
        Err(wait @ NotIn::Wait(_)) => {
            console.login(StatusCode::TOO_MANY_REQUESTS, &from, &wait.to_string(), name, after)
        }
    }
}

/// There and back through WeCom.
pub(super) async fn wecom(
    State(console): State<Arc<Console>>,
    Extension(from): Extension<From>,
    Query(back): Query<Back>,
    headers: HeaderMap,
) -> Page {
    let Some(sign_in) = &console.sign_in else {
        return Ok(frame::trouble(StatusCode::NOT_FOUND, "没有配置企业微信登录，请用名字和密码登录。"));
    };
    Ok(match sign_in.enter("/login/wecom", &back, &headers).await {
        Ok(member) => inside(&from, &console.accounts.begin_for(&member).await?, "/"),
        Err(Refused::SignIn(away)) => away,
        Err(Refused::Stranger) => frame::trouble(StatusCode::FORBIDDEN, "控制台只给公司成员。"),
        Err(Refused::Unknown) => frame::trouble(StatusCode::BAD_GATEWAY, "没能确认您的身份，请再试一次。"),
    })
}

/// A link that signs in once.
pub(super) async fn by_link(
    State(console): State<Arc<Console>>,
    Extension(from): Extension<From>,
    Query(asked): Query<Asked>,
) -> Response {
    match console.accounts.sign_in_by_link(&asked.code).await {
        Ok(cookie) => inside(&from, &cookie, "/"),
        Err(NotIn::Link(error)) => frame::failed(&error),
        Err(error) => frame::trouble(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

const SPENT: &str = "这个链接已经用过或过期。第一个账号：重启群管会打印新的链接；其他人：请管理员重置密码。";

/// The page behind the first link, and behind that of everybody who gets an account.
pub(super) async fn setup(State(console): State<Arc<Console>>, Query(asked): Query<Asked>) -> Page {
    let Some(account) = console.accounts.opens(&asked.code).await? else {
        return Ok(frame::trouble(StatusCode::GONE, SPENT));
    };
    let page = Setup { told: String::new(), code: asked.code, account, name: String::new() };
    Ok(web::console_page(StatusCode::OK, &page))
}

/// A password was chosen: in at once.
pub(super) async fn choose(
    State(console): State<Arc<Console>>,
    Extension(from): Extension<From>,
    Extension(fields): Extension<Fields>,
) -> Page {
    let (code, name, chosen) = (fields.get("code"), fields.get("name"), fields.raw("password"));
    let Some(account) = console.accounts.opens(code).await? else {
        return Ok(frame::trouble(StatusCode::GONE, SPENT));
    };
    let shown = account.clone().unwrap_or_else(|| name.to_owned());
    // Whoever fills the form twice is not asked to; the page wants it.
    let made = if ["", chosen].contains(&fields.raw("again")) {
        console.accounts.choose_password(code, &shown, chosen).await
    } else {
        Err(Refusal::wrong("again", "两次输入的密码不一样").into())
    };
    let name = match made {
        Ok(name) => name,
        Err(ActError::Refused(refusal)) => {
            let page = Setup { told: refusal.text, code: code.to_owned(), account, name: name.to_owned() };
            return Ok(web::console_page(StatusCode::BAD_REQUEST, &page));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(match console.accounts.sign_in(&name, chosen, "", &from.address).await {
        Ok(cookie) => inside(&from, &cookie, "/"),
        Err(_) => Redirect::to("/login").into_response(),
    })
}

/// Out.
pub(super) async fn leave(
    State(console): State<Arc<Console>>,
    Extension(from): Extension<From>,
    headers: HeaderMap,
) -> Page {
    if let Some(cookie) = door::session(&headers) {
        console.accounts.leave(cookie).await?;
    }
    Ok(([(header::SET_COOKIE, door::set_session(from.secure, ""))], Redirect::to("/login")).into_response())
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for (asked, to) in [
            ("/cases?state=open", "/cases?state=open"),
            ("", "/"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil.example", "/"),
            ("/\t/evil.example", "/"),
            ("/\u{0}/evil.example", "/"),
            ("/cases\n//evil.example", "/"),
            ("/\u{a0}/evil.example", "/"),
            ("/groups/wr%E7%BE%A4?q=%09", "/groups/wr%E7%BE%A4?q=%09"),
        ] {
            assert_eq!(next(asked), to);
        }
    }
}
