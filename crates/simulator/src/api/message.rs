//! `message/*`: the app's 1:1 messages to employees, their recall, and the cards that can be changed later.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Call, Errcode, fail, template_card};
use crate::{
    cards::Change,
    ids,
    limits::{HOUR, MINUTE},
    state::ResponseCode,
    world::{Card, Item, words},
};

const MAX_USERS: usize = 1000;
const MAX_PARTIES: usize = 100;
const TEXT_BYTES: usize = 2048;
/// What one member gets from one app; the rest is dropped with errcode 0.
const TO_ONE_MEMBER: &[(u64, i64)] = &[(30, MINUTE), (1000, HOUR)];
const DUPLICATE_DEFAULT_S: i64 = 1800;
const DUPLICATE_MAX_S: i64 = 14_400;
const RECALL_HOURS: i64 = 24;
const TYPES: &[&str] = &[
    "text",
    "image",
    "voice",
    "video",
    "file",
    "textcard",
    "news",
    "mpnews",
    "markdown",
    "miniprogram_notice",
    "template_card",
];

/// Text that is cut at a byte limit, never inside a character.
fn cut(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Checks the body of a message that is no card, and returns it as receivers see it.
pub fn check_body(call: &Call<'_>, msgtype: &str) -> Result<Value, Errcode> {
    let mut body = call.body[msgtype].clone();
    let sent = body.clone();
    let text = |field: &str| sent[field].as_str().unwrap_or_default();
    match msgtype {
        "text" | "markdown" => {
            if text("content").is_empty() {
                return fail(44004, "content is empty");
            }
            if msgtype == "markdown" && text("content").len() > TEXT_BYTES && !call.state.unknowns.markdown_is_cut {
                return fail(45002, "markdown.content exceeds 2048 bytes");
            }
            body["content"] = cut(text("content"), TEXT_BYTES).into();
        }
        "image" | "voice" | "video" | "file" => {
            let Some(media) = call.state.live_media(text("media_id"), call.now) else {
                return fail(40007, "invalid media_id");
            };
            body["filename"] = media.name.clone().into();
        }
        "textcard" => {
            if text("title").is_empty() {
                return fail(41016, "missing title");
            }
            if text("description").is_empty() {
                return fail(41033, "missing description");
            }
            if text("url").is_empty() {
                return fail(41010, "missing url");
            }
            if !text("url").contains("://") {
                return fail(45034, "url must have a scheme");
            }
            body["title"] = cut(text("title"), 128).into();
            body["description"] = cut(text("description"), 512).into();
        }
        "news" | "mpnews" => match body["articles"].as_array().map_or(0, Vec::len) {
            0 => return fail(44003, "empty articles"),
            1..=8 => {}
            _ => return fail(45008, "too many articles"),
        },
        _ => {}
    }
    Ok(body)
}

fn split(list: &str) -> Vec<String> {
    list.split('|').map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned).collect()
}

/// Known people, unknown users, unknown departments.
type Receivers = (BTreeSet<String>, Vec<String>, Vec<String>);

/// The receivers of a `message/send`: known ids, and the unknown ones in lower case.
fn receivers(call: &Call<'_>) -> Result<Receivers, Errcode> {
    let (to_user, to_party, to_tag) = (call.text("touser"), call.text("toparty"), call.text("totag"));
    if to_user.is_empty() && to_party.is_empty() && to_tag.is_empty() {
        return fail(82001, "touser, toparty and totag are all empty");
    }
    let mut known = BTreeSet::new();
    let (mut bad_users, mut bad_parties) = (Vec::new(), Vec::new());
    if to_user == "@all" {
        known.extend(call.state.people.keys().filter(|id| call.state.in_range(id).is_some()).cloned());
        return Ok((known, bad_users, bad_parties));
    }
    let (users, parties) = (split(to_user), split(to_party));
    if users.len() > MAX_USERS {
        return fail(40032, "too many users");
    }
    if parties.len() > MAX_PARTIES {
        return fail(82002, "too many parties");
    }
    if split(to_tag).len() > MAX_PARTIES {
        return fail(82003, "too many tags");
    }
    for user in users {
        match call.state.in_range(&user) {
            Some(person) => {
                known.insert(person.id.clone());
            }
            None => bad_users.push(user.to_lowercase()),
        }
    }
    for party in parties {
        let people: Vec<_> = call
            .state
            .people
            .values()
            .filter(|p| call.state.in_range(&p.id).is_some() && (party == "1" || p.department.to_string() == party))
            .map(|p| p.id.clone())
            .collect();
        if people.is_empty() {
            bad_parties.push(party);
        }
        known.extend(people);
    }
    Ok((known, bad_users, bad_parties))
}

/// `POST message/send`
pub fn send(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let (known, bad_users, bad_parties) = receivers(call)?;
    let msgtype = call.text("msgtype").to_owned();
    if !TYPES.contains(&msgtype.as_str()) {
        return fail(40008, "invalid msgtype");
    }
    match call.body["agentid"].as_i64().or_else(|| call.text("agentid").parse().ok()) {
        None => return fail(41011, "missing agentid"),
        Some(agent) if agent != call.agent => return fail(301_002, "agentid does not belong to this token"),
        Some(_) => {}
    }
    let mut task = None;
    let body = if msgtype == "template_card" {
        let card = call.body["template_card"].clone();
        template_card::check(&card, template_card::From::App, call.state.unknowns.card_lengths)?;
        task = card["task_id"].as_str().map(str::to_owned);
        if let Some(task) = &task
            && call.state.task_ids.contains(&(call.agent, task.clone()))
        {
            return fail(call.state.unknowns.repeated_task_id_code, "task_id was used before");
        }
        if task.is_some() && call.state.hooks.app.is_none() {
            return fail(43012, "callback url is not set: the card could not be answered");
        }
        card
    } else {
        check_body(call, &msgtype)?
    };
    if known.is_empty() {
        return fail(81013, "user & party & tag all invalid");
    }
    if let Some(task) = &task {
        call.state.task_ids.insert((call.agent, task.clone()));
    }
    let msgid = call.state.id("msg-", 40);
    let check = (call.body["enable_duplicate_check"] == 1)
        .then(|| call.body["duplicate_check_interval"].as_i64().unwrap_or(DUPLICATE_DEFAULT_S).min(DUPLICATE_MAX_S));
    let content = ids::hex32(&format!("{msgtype}{body}"));
    for person in known {
        let key = (person.clone(), content.clone());
        let before = call.state.sent_before.insert(key, call.now);
        if let (Some(seconds), Some(before)) = (check, before)
            && call.now.as_second() - before.as_second() < seconds
        {
            continue;
        }
        if !call.state.limits.pass(&format!("one/{}/{person}", call.agent), TO_ONE_MEMBER, call.now) {
            continue;
        }
        let card = (msgtype == "template_card").then(|| Card::new(body.clone()));
        call.state.tell(
            &person,
            Item {
                msgid: msgid.clone(),
                at: call.now,
                agent: Some(call.agent),
                mine: false,
                msgtype: msgtype.clone(),
                text: words(&msgtype, &body),
                body: body.clone(),
                recalled: false,
                card,
                stream: None,
            },
        );
    }
    let mut answer = json!({"invaliduser": bad_users.join("|"), "invalidparty": bad_parties.join("|"),
        "invalidtag": "", "unlicenseduser": "", "msgid": msgid});
    if let Some(task) = task {
        answer["response_code"] = call.state.response_code(call.agent, &task, call.now).into();
    }
    Ok(answer)
}

/// `POST message/recall`
pub fn recall(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let msgid = call.text("msgid").to_owned();
    let (agent, now) = (call.agent, call.now);
    let mut found = false;
    for item in call.state.talks.values_mut().flatten().filter(|i| i.msgid == msgid && i.agent == Some(agent)) {
        if now.as_millisecond() - item.at.as_millisecond() > RECALL_HOURS * HOUR {
            return fail(42052, "msgid is older than 24 hours");
        }
        item.recalled = true;
        found = true;
    }
    if found { Ok(Value::Null) } else { fail(40058, "invalid msgid") }
}

/// `POST message/get_statistics`: what the app has sent.
pub fn statistics(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let count = call.state.talks.values().flatten().filter(|item| item.agent == Some(call.agent) && !item.mine).count();
    Ok(json!({ "statistics": [{ "agentid": call.agent, "app_name": "群管助手", "count": count }] }))
}

/// `POST message/update_template_card`
pub fn update_card(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let code = call.text("response_code").to_owned();
    let life = call.state.unknowns.response_code_hours * HOUR;
    let known = call
        .state
        .response_codes
        .get(&code)
        .filter(|c| !c.used && call.now.as_millisecond() - c.since.as_millisecond() <= life);
    let Some(ResponseCode { agent, task, .. }) = known.cloned() else {
        return fail(60140, "response_code is invalid, used or expired");
    };
    if agent != call.agent {
        return fail(42015, "response_code belongs to another app");
    }
    let change = if let Some(label) = call.body.pointer("/button/replace_name").and_then(Value::as_str) {
        Change::Freeze(label.to_owned())
    } else if call.body["template_card"].is_object() {
        let card = call.body["template_card"].clone();
        template_card::check(&card, template_card::From::Update, call.state.unknowns.card_lengths)?;
        Change::Face(card)
    } else {
        return fail(40063, "button or template_card is missing");
    };
    let users = call.texts("userids")?;
    let parties = call.body["partyids"].as_array().cloned().unwrap_or_default();
    let all = call.body["atall"] == 1;
    if users.is_empty() && parties.is_empty() && !all {
        return fail(82001, "userids, partyids and atall are all empty");
    }
    let mut invalid = Vec::new();
    let mut targets = BTreeSet::new();
    for user in users {
        match call.state.in_range(&user) {
            Some(person) => {
                targets.insert(person.id.clone());
            }
            None => invalid.push(user.to_lowercase()),
        }
    }
    for person in call.state.people.values() {
        if all || parties.iter().any(|p| p.as_u64() == Some(person.department) || p.as_u64() == Some(1)) {
            targets.insert(person.id.clone());
        }
    }
    if let Some(code) = call.state.response_codes.get_mut(&code) {
        code.used = true;
    }
    for person in targets {
        call.state.change_card(&person, call.agent, &task, &change);
    }
    Ok(json!({ "invaliduser": invalid }))
}

#[cfg(test)]
mod tests {
    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(super::cut("你好吗", 7), "你好");
        assert_eq!(super::cut("ok", 7), "ok");
    }
}
