//! `aibot/response`: one more word of the bot after a callback, without a token.

use serde_json::Value;

use super::{Call, Errcode, fail, template_card};
use crate::{limits::HOUR, state::BotChat};

/// `POST aibot/response?response_code=`: once a code, within an hour, cards only in 1:1 talks.
pub fn response(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let code = call.param("response_code").to_owned();
    let Some(url) = call.state.bot.response_urls.get(&code).cloned() else {
        return fail(call.state.unknowns.used_response_url_code, "response_code is invalid or used");
    };
    if call.now.as_millisecond() - url.since.as_millisecond() > HOUR {
        return fail(call.state.unknowns.used_response_url_code, "response_code is expired");
    }
    let msgtype = call.text("msgtype").to_owned();
    let body = call.body[&msgtype].clone();
    match msgtype.as_str() {
        "markdown" => {
            let content = body["content"].as_str().unwrap_or_default();
            if content.is_empty() || content.len() > 20_480 {
                return fail(40058, "markdown.content must have 1..20480 bytes");
            }
        }
        "template_card" if matches!(url.chat, BotChat::Group(_)) => return fail(40008, "no cards in a group here"),
        "template_card" => template_card::check(&body, template_card::From::Bot, call.state.unknowns.card_lengths)?,
        _ => return fail(40008, "invalid msgtype"),
    }
    if !call.state.bot_may_talk(&url.chat, call.now) {
        return fail(call.state.unknowns.bot_limit_code, "api freq out of limit");
    }
    call.state.bot.response_urls.remove(&code);
    call.state.bot_says(&url.chat, &msgtype, &body, None, call.now);
    Ok(Value::Null)
}
