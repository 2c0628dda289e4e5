//! What somebody sees on their screen, as JSON for the chat page and for scripts.

use serde_json::{Value, json};

use super::{
    state::State,
    world::{Card, Group, Line, PersonKind},
};
use jiff::Timestamp;

/// The 1:1 talk with the app, as the page names it.
pub const APP_CHAT: &str = "~app";
/// The 1:1 talk with the bot, as the page names it.
pub const BOT_CHAT: &str = "~bot";
/// Lines given to a page at once.
pub const LINES: usize = 300;

/// The company: people, groups, clock, switches.
pub fn world(state: &State, now: Timestamp) -> Value {
    let people = people(state);
    let groups: Vec<_> = state
        .order
        .iter()
        .filter_map(|id| state.groups.get(id))
        .map(|g| {
            let webhook = state.webhooks.iter().find(|(_, group)| **group == g.id).map(|(key, _)| key);
            json!({"id": g.id, "room": g.room, "name": g.name, "kind": g.kind, "kind_name": g.kind.zh(),
                "owner": g.owner, "size": g.members.len(), "members": g.members.iter().map(|m| &m.id).collect::<Vec<_>>(),
                "archived": state.archived(&g.id), "dissolved": g.dissolved, "webhook": webhook,
                "last": g.lines.last().map(|l| json!({"at": l.at, "text": l.text, "from": l.from.as_deref().map(|f| state.name(f))}))})
        })
        .collect();
    json!({"now": now, "people": people, "groups": groups, "faults": state.faults.on,
        "greetings": state.greetings, "phones_rang": state.calls_rung,
        "callbacks": {"app": state.hooks.app, "bot": state.hooks.bot},
        "bot_connected": state.bot.socket.is_some(), "archive_seq": state.archive.seq()})
}

/// One group as `who` sees it: the last `limit` lines after number `after`.
pub fn group(state: &State, id: &str, who: Option<&str>, after: u64, limit: usize, now: Timestamp) -> Option<Value> {
    let g = state.groups.get(id)?;
    let mut lines: Vec<_> = g
        .lines
        .iter()
        .rev()
        .filter(|l| l.no > after && who.is_none_or(|w| l.seen_by.contains(w)))
        .take(limit)
        .map(|l| line(state, l, who))
        .collect();
    lines.reverse();
    Some(json!({"id": g.id, "name": g.name, "kind": g.kind, "kind_name": g.kind.zh(), "notice": g.notice,
        "owner": g.owner, "dissolved": g.dissolved, "archived": state.archived(&g.id), "now": now,
        "can_post": who.is_some_and(|w| g.has(w) && !g.muted.contains(w)) && !g.dissolved,
        "members": members(state, g), "gone": gone(state, g), "lines": lines}))
}

/// Everything the chat page shows to `who` with the conversation `chat` open: a group id, [`APP_CHAT`] or [`BOT_CHAT`].
pub fn screen(state: &State, who: &str, chat: &str, now: Timestamp) -> Value {
    let people = people(state);
    let mut chats: Vec<_> =
        state.order.iter().filter_map(|id| state.groups.get(id)).map(|g| group_row(state, g, who)).collect();
    let person = state.people.get(who);
    if person.is_some_and(|p| p.kind == PersonKind::Employee) {
        let robots = [(APP_CHAT, super::config::APP_ROBOT, true), (BOT_CHAT, super::config::BOT_ROBOT, false)];
        for (id, robot, app) in robots {
            let last = state.talks.get(who).into_iter().flatten().rfind(|i| i.agent.is_some() == app);
            let count = state.talks.get(who).into_iter().flatten().filter(|i| i.agent.is_some() == app).count();
            chats.push(json!({"id": id, "name": state.name(robot), "kind": "single", "member": true, "no": count,
                "kind_name": if app { "应用消息" } else { "智能机器人" }, "faces": [robot],
                "last": last.map(|i| json!({"at": i.at, "text": i.text}))}));
        }
    }
    let open = match chat {
        APP_CHAT | BOT_CHAT => {
            let app = chat == APP_CHAT;
            let items: Vec<_> = inbox(state, who).into_iter().filter(|i| i["agent"].is_null() != app).collect();
            json!({"id": chat, "name": state.name(if app { super::config::APP_ROBOT } else { super::config::BOT_ROBOT }),
                "kind": "single", "kind_name": if app { "应用消息" } else { "智能机器人" }, "lines": items,
                "can_post": true, "members": [], "gone": []})
        }
        _ => group(state, chat, Some(who), 0, LINES, now).unwrap_or(Value::Null),
    };
    json!({"now": now, "people": people, "chats": chats, "chat": open, "faults": state.faults.on,
        "bot_name": state.credentials.bot.name,
        "status": {"app": state.hooks.app.is_some(), "bot": state.bot.socket.is_some() || state.hooks.bot.is_some(),
            "archive": state.archive.seq()}})
}

/// Colours an avatar may have.
const COLOURS: usize = 8;

fn people(state: &State) -> Vec<Value> {
    let there = state.people.values().filter(|p| !p.left);
    there
        .enumerate()
        .map(|(at, person)| {
            let mut row = json!(person);
            row["colour"] = (at % COLOURS).into();
            row
        })
        .collect()
}

fn group_row(state: &State, g: &Group, who: &str) -> Value {
    let last = g.lines.iter().rfind(|l| l.seen_by.contains(who));
    let faces: Vec<_> = g.members.iter().take(4).map(|m| &m.id).collect();
    json!({"id": g.id, "name": g.name, "kind": g.kind, "kind_name": g.kind.zh(), "size": g.members.len(),
        "member": g.has(who), "dissolved": g.dissolved, "no": last.map_or(0, |l| l.no), "faces": faces,
        "last": last.map(|l| json!({"at": l.at, "recalled": l.recalled, "text": l.text,
            "name": l.from.as_deref().map(|f| state.name(f))}))})
}

fn members(state: &State, g: &Group) -> Vec<Value> {
    g.members
        .iter()
        .map(|m| {
            let role = g.role(&m.id);
            json!({"id": m.id, "name": state.name(&m.id), "role": role, "role_name": role.zh(), "since": m.joined,
                "muted": g.muted.contains(&m.id), "kind": state.people.get(&m.id).map(|p| p.kind)})
        })
        .collect()
}

fn gone(state: &State, g: &Group) -> Vec<Value> {
    g.gone
        .iter()
        .map(|(id, gone)| {
            json!({"id": id, "name": state.name(id), "at": gone.at, "removed": gone.removed,
                "by": gone.by, "by_name": state.name(&gone.by)})
        })
        .collect()
}

fn line(state: &State, l: &Line, who: Option<&str>) -> Value {
    let mut out = json!({"no": l.no, "at": l.at, "from": l.from, "name": l.from.as_deref().map(|f| state.name(f)),
        "msgtype": l.msgtype, "text": l.text, "quote": l.quote, "recalled": l.recalled, "msgid": l.msgid});
    show_body(&mut out, &l.msgtype, &l.body, l.card.as_ref(), who);
    out
}

/// A person's 1:1 talks with the app and the bot, oldest first.
pub fn inbox(state: &State, person: &str) -> Vec<Value> {
    let talk = state.talks.get(person).map_or(&[][..], Vec::as_slice);
    talk.iter()
        .enumerate()
        .map(|(no, item)| {
            let mut out = json!({"no": no, "at": item.at, "agent": item.agent, "mine": item.mine,
                "msgtype": item.msgtype, "text": item.text, "recalled": item.recalled, "msgid": item.msgid});
            show_body(&mut out, &item.msgtype, &item.body, item.card.as_ref(), Some(person));
            out
        })
        .collect()
}

fn show_body(out: &mut Value, msgtype: &str, body: &Value, card: Option<&Card>, who: Option<&str>) {
    if let Some(card) = card {
        out["card"] = who.map_or(&card.face, |w| card.face_for(w)).clone();
        if let Some(label) = who.and_then(|w| card.frozen.get(w)) {
            out["frozen"] = label.clone().into();
        }
    } else if !matches!(msgtype, "text" | "markdown" | "system") {
        out["body"] = body.clone();
    }
}
