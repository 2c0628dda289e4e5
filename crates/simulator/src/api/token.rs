//! `gettoken` and what a token is worth: one per secret, 7200 s, the same one until it ends, sometimes dead before.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Call, Errcode, fail};
use crate::{
    config::{APP_AGENT, ARCHIVE_AGENT, URGENT_AGENT},
    faults::FaultKind,
    ids,
    limits::{HOUR, MINUTE},
    state::{State, Token},
};
use jiff::Timestamp;

/// Seconds a token lives.
const LIFE_S: i64 = 7200;
/// So many wrong secrets in a minute bar the address for an hour; the real number is not documented.
const WRONG_PER_MINUTE: u64 = 10;

/// `GET gettoken?corpid=&corpsecret=`
pub fn get(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let (corp, secret) = (call.param("corpid").to_owned(), call.param("corpsecret").to_owned());
    let (state, now) = (&mut *call.state, call.now);
    if corp.is_empty() {
        return fail(41002, "corpid missing");
    }
    if secret.is_empty() {
        return fail(41004, "corpsecret missing");
    }
    if corp != state.credentials.corp_id {
        return fail(40013, "invalid corpid");
    }
    let agent = if secret == state.credentials.app.secret {
        APP_AGENT
    } else if secret == state.credentials.archive.secret {
        ARCHIVE_AGENT
    } else if secret == state.credentials.urgent_secret {
        URGENT_AGENT
    } else {
        if !state.limits.allow("gettoken-wrong", WRONG_PER_MINUTE, MINUTE, 1, now) {
            state.limits.bar("gettoken", HOUR, now);
            return fail(45009, "api freq out of limit");
        }
        return fail(40001, "invalid credential");
    };
    if state.unknowns.token_checks_address {
        super::trusted(state, now)?;
    }
    let per_minute = state.unknowns.token_calls_per_minute;
    if !state.limits.allow("gettoken", per_minute, MINUTE, 1, now) {
        return fail(45009, "api freq out of limit");
    }
    if let Some(live) = state.tokens.get(&agent).filter(|t| t.until > now) {
        let left = live.until.as_second() - now.as_second();
        return Ok(json!({"access_token": live.value, "expires_in": left}));
    }
    let serial = state.serial();
    let value = ids::printable(&format!("token{agent}/{serial}"), 170);
    let until = Timestamp::from_second(now.as_second() + LIFE_S).unwrap_or(now);
    if let Some(old) = state.tokens.insert(agent, Token { agent, value: value.clone(), until }) {
        state.dead_tokens.insert(old.value, true);
    }
    Ok(json!({"access_token": value, "expires_in": LIFE_S}))
}

/// Finds the agent of the call's token.
pub fn check(state: &mut State, query: &HashMap<String, String>, now: Timestamp) -> Result<i64, Errcode> {
    let Some(given) = query.get("access_token").filter(|t| !t.is_empty()) else {
        return fail(41001, "access_token missing");
    };
    let Some(token) = state.tokens.values().find(|t| t.value == *given).cloned() else {
        return match state.dead_tokens.get(given) {
            Some(true) => fail(42001, "access_token expired"),
            _ => fail(40014, "invalid access_token"),
        };
    };
    if state.faults.has(&FaultKind::TokenDeath) {
        kill(state, token.agent);
        return fail(40014, "invalid access_token");
    }
    if token.until <= now {
        return fail(42001, "access_token expired");
    }
    Ok(token.agent)
}

/// Ends a token before its time; it answers 40014 from now on.
pub fn kill(state: &mut State, agent: i64) {
    if let Some(token) = state.tokens.remove(&agent) {
        state.dead_tokens.insert(token.value, false);
    }
}

/// `GET getcallbackip`: where callbacks come from.
pub fn callback_ips(_call: &mut Call<'_>) -> Result<Value, Errcode> {
    Ok(json!({"ip_list": ["127.0.0.1"]}))
}
