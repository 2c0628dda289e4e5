//! `webhook/send`: 消息推送, one key one group, send only.

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use serde_json::Value;

use super::{Call, Errcode, fail, template_card};
use crate::{config::APP_ROBOT, ids, limits::MINUTE, state::Said};
use qunguan_model::GroupKind;

const PER_MINUTE: u64 = 20;

/// `POST webhook/send?key=`
pub fn send(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let key = call.param("key").to_owned();
    let Some(group) = call.state.webhooks.get(&key).cloned() else {
        return fail(93000, "invalid webhook url or the robot was removed from the chat");
    };
    let msgtype = call.text("msgtype").to_owned();
    let body = call.body[&msgtype].clone();
    let content = body["content"].as_str().unwrap_or_default();
    match msgtype.as_str() {
        "text" | "markdown" | "markdown_v2" => {
            let most = if msgtype == "text" { 2048 } else { 4096 };
            if content.is_empty() {
                return fail(44004, "content is empty");
            }
            if content.len() > most {
                return fail(40058, format!("{msgtype}.content exceed max length {most}. Invalid input"));
            }
        }
        "news" if body["articles"].as_array().is_none_or(|a| a.is_empty() || a.len() > 8) => {
            return fail(40058, "news.articles must have 1..8 entries");
        }
        "file" | "voice" => {
            if call.state.live_media(body["media_id"].as_str().unwrap_or_default(), call.now).is_none() {
                return fail(40007, "invalid media_id");
            }
        }
        "image" => {
            let bytes = STANDARD.decode(body["base64"].as_str().unwrap_or_default()).unwrap_or_default();
            let digest = ids::hex(&Md5::digest(&bytes));
            if bytes.is_empty() || !body["md5"].as_str().is_some_and(|md5| md5.eq_ignore_ascii_case(&digest)) {
                return fail(301_019, "media MD5 does not match");
            }
        }
        "template_card" => template_card::check(&body, template_card::From::Webhook, call.state.unknowns.card_lengths)?,
        "news" => {}
        "" => return fail(93017, "empty request"),
        _ => return fail(40008, "invalid msgtype"),
    }
    if !call.state.limits.allow(&format!("webhook/{key}"), PER_MINUTE, MINUTE, 1, call.now) {
        return fail(45009, "api freq out of limit");
    }
    let open = call.state.groups.get(&group).is_some_and(|g| !g.dissolved && g.kind != GroupKind::Customer);
    if !open {
        return fail(93001, "the chat does not allow pushes");
    }
    call.state.say(&group, Said { from: APP_ROBOT.into(), msgtype, body, ..Said::default() }, call.now);
    Ok(Value::Null)
}
