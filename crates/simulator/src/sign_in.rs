//! Signing in from a page inside WeCom: `open.weixin.qq.com/connect/oauth2/authorize`, here under the same path. Inside WeCom
//! nobody is asked; a browser outside does not know who sits before it, so it shows the company's people to choose from.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    Router,
    extract::{Query, State as Extract},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{
    Sim,
    api::{Call, Errcode, fail},
    config::APP_AGENT,
    ids,
    state::State,
    world::PersonKind,
};
use jiff::{SignedDuration, Timestamp};
use qunguan_wecom::clock::Clock;

/// A code is good for so long, once.
const CODE_LIVES: SignedDuration = SignedDuration::from_mins(5);

/// A code that was given out.
#[derive(Clone, Debug)]
pub struct Code {
    person: String,
    until: Timestamp,
    used: bool,
}

#[derive(Template)]
#[template(path = "simulator/sign_in.html")]
struct Choice {
    people: Vec<Choosable>,
}

/// Somebody who may be sitting before the browser.
struct Choosable {
    name: String,
    /// The last two characters of the name, as pictures in the chat show it.
    short: String,
    /// Which of the eight colours.
    colour: usize,
    external: bool,
    link: String,
}

/// The route.
pub fn router() -> Router<Arc<Sim>> {
    Router::new().route("/connect/oauth2/authorize", get(authorize))
}

async fn authorize(Extract(sim): Extract<Arc<Sim>>, Query(asked): Query<BTreeMap<String, String>>) -> Response {
    let get = |name: &str| asked.get(name).map_or("", String::as_str);
    let refused = |what: &str| (StatusCode::BAD_REQUEST, what.to_owned()).into_response();
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let now = sim.clock.now();
    let mut state = sim.state.lock();
    if get("appid") != state.credentials.corp_id || get("agentid") != APP_AGENT.to_string() {
        return refused("40013 invalid appid or agentid");
    }
    if get("response_type") != "code" || get("scope") != "snsapi_base" {
        return refused("response_type must be code, scope snsapi_base");
    }
    let back = get("redirect_uri");
    if !(back.starts_with("http://") || back.starts_with("https://")) {
        return refused("50001 redirect_uri");
    }
    let own = get("state");
    if own.len() > 128 || !own.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return refused("84025 state");
    }
    let who = get("as");
    if who.is_empty() {
        let query: String = asked.iter().map(|(name, value)| format!("{}={}&", encode(name), encode(value))).collect();
        let people = state.people.values().filter(|p| !p.left && p.kind != PersonKind::Robot);
        let people = people.map(|p| Choosable {
            short: p.name.chars().skip(p.name.chars().count().saturating_sub(2)).collect(),
            colour: p.id.bytes().map(usize::from).sum::<usize>() % 8,
            external: p.kind == PersonKind::External,
            link: format!("?{query}as={}", encode(&p.id)),
            name: p.name.clone(),
        });
        let people = people.collect();
        return match (Choice { people }).render() {
            Ok(page) => Html(page).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        };
    }
    if state.find_person(who).is_none() {
        return refused("no such person");
    }
    let serial = state.serial();
    let code = ids::printable(&format!("code{serial}"), 43);
    state.codes.insert(code.clone(), Code { person: who.to_owned(), until: now + CODE_LIVES, used: false });
    let mark = if back.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{back}{mark}code={code}&state={own}")).into_response()
}

/// `GET auth/getuserinfo?code=`
pub fn user_info(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let code = call.param("code").to_owned();
    let now = call.now;
    let state: &mut State = call.state;
    let person = match state.codes.get_mut(&code) {
        None => return fail(40029, "invalid code"),
        Some(code) if code.used => return fail(42022, "code was used"),
        Some(code) if code.until <= now => return fail(42003, "code expired"),
        Some(code) => {
            code.used = true;
            code.person.clone()
        }
    };
    match state.find_person(&person) {
        Some(p) if p.kind == PersonKind::Employee && !p.left => Ok(json!({ "userid": p.id })),
        Some(p) => Ok(json!({ "openid": format!("o{}", p.id), "external_userid": p.id })),
        None => fail(40029, "invalid code"),
    }
}

/// `GET user/getuserinfo?code=`: the call's older name and spelling.
pub fn user_info_before(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let info = user_info(call)?;
    Ok(match info["userid"].as_str() {
        Some(id) => json!({ "UserId": id, "DeviceId": "" }),
        None => json!({ "OpenId": info["openid"], "DeviceId": "", "external_userid": info["external_userid"] }),
    })
}
