//! 智能机器人 in callback mode: encrypted JSON to its address, the answer at once, the streaming answer by asking again.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Sim, api,
    callbacks::post,
    envelope::{Seal, Stamp},
    faults::FaultKind,
    limits::MINUTE,
    state::{BotChat, State},
};
use jiff::Timestamp;
use qunguan_wecom::clock::Clock;

/// Messages of one user that the bot may be answering at the same time.
const BUSY: u32 = 3;
const CONTENT_BYTES: usize = 20_480;

/// Where a callback's answer goes.
pub fn chat_of(body: &Value) -> BotChat {
    match body["chatid"].as_str() {
        Some(group) => BotChat::Group(group.to_owned()),
        None => BotChat::Person(body.pointer("/from/userid").and_then(Value::as_str).unwrap_or_default().to_owned()),
    }
}

/// Sends a callback to the bot's address, if there is one; once, never again.
pub fn send(sim: &Arc<Sim>, mut body: Value) {
    let user = body.pointer("/from/userid").and_then(Value::as_str).unwrap_or_default().to_owned();
    let event = body["msgtype"] == "event";
    let admitted = sim.with(|state, now| {
        state.hooks.bot.as_ref()?;
        if !event {
            let busy = state.bot.busy.entry(user.clone()).or_default();
            if *busy >= BUSY {
                return None;
            }
            *busy += 1;
        }
        let code = state.id("rc", 40);
        let url = super::bot::ResponseUrl { chat: chat_of(&body), since: now };
        state.bot.response_urls.insert(code.clone(), url);
        body["response_url"] =
            format!("{}/cgi-bin/aibot/response?response_code={code}", state.credentials.api_base).into();
        Some(now)
    });
    let Some(began) = admitted else { return };
    let begun = begin(sim, &body);
    let sim = sim.clone();
    tokio::spawn(async move {
        converse(&sim, body, begun, began).await;
        if !event {
            sim.with(|state, _| {
                if let Some(busy) = state.bot.busy.get_mut(&user) {
                    *busy = busy.saturating_sub(1);
                }
            });
        }
    });
}

/// One callback with its answer and, while a stream is unfinished, the refreshes; a few minutes at most.
async fn converse(sim: &Arc<Sim>, first: Value, mut begun: Option<Begun>, began: Timestamp) {
    loop {
        let Some(exchange) = begun else { return };
        let Some(reply) = exchange.end(sim).await else { return };
        let streaming = sim.with(|state, now| state.bot_replied(&first, &reply, now));
        let Some(stream) = streaming else { return };
        tokio::time::sleep(sim.config.stream_refresh).await;
        let life = sim.read(|state, _| state.unknowns.stream_minutes * MINUTE);
        if sim.clock.now().as_millisecond() - began.as_millisecond() > life {
            return;
        }
        let mut body = json!({"msgid": first["msgid"], "aibotid": first["aibotid"], "chattype": first["chattype"],
            "from": first["from"], "msgtype": "stream", "stream": {"id": stream}});
        if !first["chatid"].is_null() {
            body["chatid"] = first["chatid"].clone();
        }
        begun = begin(sim, &body);
    }
}

/// A callback that is on record and not yet on its way.
struct Begun {
    url: String,
    seal: Seal,
    stamp: Stamp,
    id: u64,
    plain: String,
}

/// Puts a callback on record; `None` if it has nowhere to go.
fn begin(sim: &Arc<Sim>, body: &Value) -> Option<Begun> {
    sim.with(|state, now| {
        let plain = state.written(&state.as_told_to_bot(body, false));
        let url = state.hooks.bot.clone()?;
        let id = state.hooks.begin("bot", plain.clone(), now);
        if state.faults.has(&FaultKind::CallbackLost) {
            state.hooks.tried(id, "lost".into());
            state.hooks.end(id, false, None);
            return None;
        }
        Some(Begun { url, seal: Seal::bot(&state.credentials), stamp: state.stamp(now), id, plain })
    })
}

impl Begun {
    /// Posts it and decrypts the answer; `None` if there was none to decrypt.
    async fn end(self, sim: &Arc<Sim>) -> Option<Value> {
        let Self { url, seal, stamp, id, plain } = self;
        let sealed = seal.seal(&plain, &stamp);
        let outcome =
            post(sim, &sealed.url(&url), "application/json", &json!({"encrypt": sealed.encrypt}).to_string()).await;
        let (line, answer) = match outcome {
            Ok((200, answer)) => ("200".to_owned(), Some(answer)),
            Ok((status, _)) => (status.to_string(), None),
            Err(why) => (why, None),
        };
        let opened = answer.as_deref().filter(|a| !a.trim().is_empty()).map(|a| seal.open_json(a, &stamp.nonce));
        sim.with(|state, _| {
            state.hooks.tried(id, line);
            if let Some(Err(why)) = &opened {
                state.hooks.tried(id, (*why).to_owned());
            }
            let text = opened.as_ref().and_then(|o| o.as_ref().ok()).map(Value::to_string);
            state.hooks.end(id, answer.is_some(), text);
        });
        opened?.ok()
    }
}

impl State {
    /// Shows the bot's passive reply; returns the id of a stream that goes on.
    fn bot_replied(&mut self, callback: &Value, reply: &Value, now: Timestamp) -> Option<String> {
        let chat = chat_of(callback);
        let event = callback.pointer("/event/eventtype").and_then(Value::as_str);
        if reply["response_type"] == "update_template_card" {
            if event == Some("template_card_event") {
                let users: Vec<_> = reply["userids"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|u| u.as_str().map(str::to_owned))
                    .collect();
                self.change_bot_card(&chat, &users, &reply["template_card"]);
            }
            return None;
        }
        let kind = reply["msgtype"].as_str().unwrap_or_default();
        if kind == "text" && event == Some("enter_chat") {
            self.bot_says(&chat, "text", &reply["text"], None, now);
        }
        let card = &reply["template_card"];
        if kind.ends_with("template_card")
            && api::card_ok(card, self.unknowns.card_lengths)
            && self.bot_may_talk(&chat, now)
        {
            self.bot.task_ids.extend(card["task_id"].as_str().map(str::to_owned));
            self.bot_says(&chat, "template_card", card, None, now);
        }
        let stream = &reply["stream"];
        if !kind.starts_with("stream") || event.is_some() {
            return None;
        }
        let id = stream["id"].as_str().filter(|id| !id.is_empty())?.to_owned();
        let content = stream["content"].as_str().unwrap_or_default();
        let finish = stream["finish"].as_bool().unwrap_or(false);
        if content.len() <= CONTENT_BYTES {
            self.bot_streams(&chat, &id, content, finish, now);
        }
        (!finish).then_some(id)
    }
}
