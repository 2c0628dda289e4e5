//! Who stands at the door: the cookie, where a form was sent from, what an address needs. A page is only called once all of
//! that is right.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Form,
    body::{Body, to_bytes},
    extract::{ConnectInfo, FromRequest, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use subtle::ConstantTimeEq;

use super::{Console, Needs, frame, visit::Visit};
pub(super) use crate::http::session_cookie::{session, set_session};
use crate::{access, http::session_cookie::cookie};

/// Largest form, bytes.
const LARGEST_FORM: usize = 256 * 1024;
/// What the last act said, for the page that follows it.
const TOLD: &str = "qunguan_told";

/// A page that fetches itself anew says so: nobody need be there.
const BY_ITSELF: &str = "x-by-itself";

/// Where a request came from.
#[derive(Clone)]
pub(super) struct From {
    /// The browser's address.
    pub(super) address: String,
    /// Over https, as far as can be seen from here.
    pub(super) secure: bool,
    /// For this machine itself: nobody else sees what is typed.
    pub(super) near: bool,
}

/// What a form was filled with.
#[derive(Clone, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// One field; empty if it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }
    /// The same as it was typed.
    pub(super) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
    /// Every value of a field that may be there several times.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.trim()).collect()
    }
}

/// To a page that says what was done.
pub(super) fn told(to: &str, text: &str) -> Response {
    let text = utf8_percent_encode(text, NON_ALPHANUMERIC);
    let cookie = format!("{TOLD}={text}; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
    ([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The host of an address, with its port.
fn host(url: &str) -> &str {
    url.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default())
}

fn is_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |h| h.0);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

impl Console {
    /// Was a form sent from a page of ours? Browsers say so; who is no browser says nothing.
    fn is_ours(&self, headers: &HeaderMap) -> bool {
        match (text(headers, "sec-fetch-site"), text(headers, "origin")) {
            (Some(site), _) => matches!(site, "same-origin" | "none"),
            (None, Some(origin)) => {
                let own = [text(headers, "host"), self.public_url.as_deref().map(host)];
                !host(origin).is_empty() && own.into_iter().flatten().any(|own| own == host(origin))
            }
            (None, None) => true,
        }
    }

    /// TLS ends in front of this program, so https shows itself only by what is said about it: by the proxy, by the
    /// browser's own Origin, or by `public_url` where the request is not for this machine itself.
    fn is_secure(&self, headers: &HeaderMap) -> bool {
        let https = |url: &str| url.starts_with("https:");
        let elsewhere = !is_this_machine(text(headers, "host").unwrap_or_default());
        text(headers, "x-forwarded-proto") == Some("https")
            || text(headers, "origin").is_some_and(https)
            || (elsewhere && self.public_url.as_deref().is_some_and(https))
    }
}

/// The browser's address; a proxy on this machine or in the house says for whom it asks. Without `public_url` there is no
/// proxy, and whoever says so says it of themselves.
fn address(request: &Request, proxied: bool) -> String {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let near = peer.is_none_or(|ip| match ip {
        std::net::IpAddr::V4(ip) => ip.is_loopback() || ip.is_private(),
        std::net::IpAddr::V6(ip) => ip.is_loopback(),
    });
    let forwarded = text(request.headers(), "x-forwarded-for").and_then(|all| all.rsplit(',').next());
    match forwarded.filter(|_| near && proxied) {
        Some(client) => client.trim().to_owned(),
        None => peer.map(|ip| ip.to_string()).unwrap_or_default(),
    }
}

/// The middleware of one address.
pub(super) async fn guard(
    State((console, needs)): State<(Arc<Console>, Needs)>,
    mut request: Request,
    next: Next,
) -> Response {
    let acts = request.method() == Method::POST;
    if acts && !console.is_ours(request.headers()) {
        return frame::trouble(StatusCode::FORBIDDEN, "这个请求不是从控制台的页面发出的，没有执行。");
    }
    let near = is_this_machine(text(request.headers(), "host").unwrap_or_default());
    let from = From {
        address: address(&request, console.public_url.is_some()),
        secure: console.is_secure(request.headers()),
        near,
    };
    request.extensions_mut().insert(from);
    let who = match session(request.headers()).map(ToOwned::to_owned) {
        Some(cookie) if needs != Needs::Nobody => {
            let by_itself = request.headers().contains_key(BY_ITSELF) || request.uri().path() == "/live";
            let came =
                if by_itself { console.accounts.look(&cookie).await } else { console.accounts.enter(&cookie).await };
            match came {
                Ok(who) => who,
                Err(error) => return frame::failed(&error.into()),
            }
        }
        _ => None,
    };
    let path = request.uri().path_and_query().map_or("/", |at| at.as_str()).to_owned();
    if needs != Needs::Nobody && who.is_none() {
        return match (&console.welcome, path.as_str()) {
            (Some(_), "/") => console.greet().await,
            (_, "/live") => StatusCode::UNAUTHORIZED.into_response(),
            _ if acts || path == "/" => Redirect::to("/login").into_response(),
            _ => {
                let back = utf8_percent_encode(&path, NON_ALPHANUMERIC);
                Redirect::to(&format!("/login?next={back}")).into_response()
            }
        };
    }
    if acts {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, LARGEST_FORM).await else {
            return frame::trouble(StatusCode::PAYLOAD_TOO_LARGE, "填写的内容太长。");
        };
        let copy = Request::from_parts(parts.clone(), Body::from(body.clone()));
        let Ok(Form(fields)) = Form::<Vec<(String, String)>>::from_request(copy, &()).await else {
            return frame::trouble(StatusCode::BAD_REQUEST, "填写的内容读不懂。");
        };
        let fields = Fields(fields);
        let given = fields.raw("token").as_bytes();
        if let Some(who) = &who
            && !bool::from(given.ct_eq(who.form_token.as_bytes()))
        {
            return frame::trouble(StatusCode::FORBIDDEN, "页面已过期，没有执行。请回到上一页刷新后再试。");
        }
        request = Request::from_parts(parts, Body::from(body));
        request.extensions_mut().insert(fields);
    }
    let Some(who) = who else { return next.run(request).await };
    if let Needs::Right(action) = needs
        && !access::somewhere(&who.actor.who, action, &console.api.groups.all())
    {
        return frame::trouble(StatusCode::FORBIDDEN, format!("您的账号没有“{}”的权限。", action.zh()));
    }
    let told = cookie(request.headers(), TOLD).filter(|_| !acts && path != "/live");
    let told = told.map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned());
    let seen = told.is_some();
    request.extensions_mut().insert(Visit { who, told });
    let mut response = next.run(request).await;
    if seen {
        let gone = format!("{TOLD}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
        if let Ok(gone) = HeaderValue::from_str(&gone) {
            response.headers_mut().append(header::SET_COOKIE, gone);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_from_a_proxy_only_where_there_is_one() {
        let mut request = Request::new(Body::empty());
        request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static("9.9.9.9, 203.0.113.9"));
        for (peer, proxied, seen) in [
            ("127.0.0.1:9", true, "203.0.113.9"),
            ("127.0.0.1:9", false, "127.0.0.1"),
            ("198.51.100.7:9", true, "198.51.100.7"),
        ] {
            request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
            assert_eq!(address(&request, proxied), seen, "{peer} {proxied}");
        }
    }

    #[test]
    fn this_machine_has_three_names() {
        for (host, own) in [
            ("localhost", true),
            ("localhost:8080", true),
            ("127.0.0.1:8080", true),
            ("[::1]:8080", true),
            ("bot.example.com", false),
            ("localhost.example.com:80", false),
            ("", false),
        ] {
            assert_eq!(is_this_machine(host), own, "{host}");
        }
        assert_eq!(host("https://bot.example.com/x"), "bot.example.com");
        assert_eq!(host("null"), "");
    }
}
