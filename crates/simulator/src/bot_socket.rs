//! 智能机器人's long connection, `/bot-socket`: subscribe, ping, callbacks as frames, answers and pushes, one connection.

use std::sync::Arc;

use axum::{
    Router,
    extract::{
        State as Extract,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::any,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    Sim, api,
    bot::Request,
    bot_callback::chat_of,
    faults::FaultKind,
    limits::HOUR,
    state::{BotChat, Effect, State},
};
use jiff::Timestamp;

/// Answers to a callback are taken so long.
const ANSWER_HOURS: i64 = 24;
/// Welcomes and card updates are taken so long.
const QUICK_MS: i64 = 5_000;
const CONTENT_BYTES: usize = 20_480;

/// What goes out to one connection.
#[derive(Debug)]
enum Out {
    Frame(String),
    Close,
}

/// The connection that is subscribed.
#[derive(Debug)]
pub struct Connection {
    id: u64,
    out: mpsc::UnboundedSender<Out>,
}

/// The route.
pub fn router() -> Router<Arc<Sim>> {
    Router::new().route("/bot-socket", any(upgrade))
}

async fn upgrade(Extract(sim): Extract<Arc<Sim>>, socket: WebSocketUpgrade) -> Response {
    socket.max_message_size(2 << 20).on_upgrade(move |socket| talk(sim, socket))
}

async fn talk(sim: Arc<Sim>, mut socket: WebSocket) {
    let (out, mut frames) = mpsc::unbounded_channel();
    let me = sim.with(|state, _| state.serial());
    let mut stopping = sim.stopping.subscribe();
    loop {
        tokio::select! {
            _ = stopping.changed() => break,
            frame = frames.recv() => match frame {
                Some(Out::Frame(frame)) => {
                    if socket.send(Message::text(frame)).await.is_err() {
                        break;
                    }
                }
                Some(Out::Close) | None => break,
            },
            said = tokio::time::timeout(sim.config.socket_silence, socket.recv()) => match said {
                Ok(Some(Ok(Message::Text(text)))) => {
                    let Ok(frame) = serde_json::from_str::<Value>(&text) else { break };
                    let answer = sim.with(|state, now| state.bot_frame(me, &out, &frame, now));
                    let mut reply = json!({"headers": {"req_id": frame.pointer("/headers/req_id")}});
                    match answer {
                        Ok(body) => {
                            reply["errcode"] = 0.into();
                            reply["errmsg"] = "ok".into();
                            if !body.is_null() {
                                reply["body"] = body;
                            }
                        }
                        Err((code, text)) => {
                            reply["errcode"] = code.into();
                            reply["errmsg"] = text.into();
                        }
                    }
                    if socket.send(Message::text(reply.to_string())).await.is_err() {
                        break;
                    }
                }
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => break,
                Ok(Some(Ok(_))) => {}
            },
        }
    }
    sim.with(|state, _| {
        if state.bot.socket.as_ref().is_some_and(|c| c.id == me) {
            state.bot.socket = None;
        }
    });
    let _ = socket.send(Message::Close(None)).await;
}

/// Platform a bot message to the subscribed connection; true if there is one.
pub fn push(state: &mut State, effect: &Effect, now: Timestamp) -> bool {
    let Effect::Bot(body) = effect else { return false };
    if state.bot.socket.is_none() {
        return false;
    }
    let times = if state.faults.has(&FaultKind::CallbackTriple) { 3 } else { 1 };
    for _ in 0..times {
        push_once(state, body, now);
    }
    true
}

fn push_once(state: &mut State, body: &Value, now: Timestamp) {
    let event = body.pointer("/event/eventtype").and_then(Value::as_str);
    let req_id = state.id("R-", 24);
    let request = Request {
        chat: chat_of(body),
        since: now,
        kind: event.unwrap_or("message").to_owned(),
        task: body.pointer("/event/template_card_event/task_id").and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    state.bot.requests.insert(req_id.clone(), request);
    let cmd = if event.is_some() { "aibot_event_callback" } else { "aibot_msg_callback" };
    let mut body = state.as_told_to_bot(body, true);
    super::bot_files::with_own_keys(&mut body);
    let frame = state.written(&json!({"cmd": cmd, "headers": {"req_id": req_id}, "body": body}));
    if let Some(socket) = &state.bot.socket {
        let _ = socket.out.send(Out::Frame(frame));
    }
}

type Answer = Result<Value, (i64, &'static str)>;

impl State {
    /// Ends the subscription: with the connection, or silently while it stays open. False if there is none.
    pub fn drop_bot(&mut self, close: bool) -> bool {
        let Some(connection) = self.bot.socket.take() else { return false };
        if close {
            let _ = connection.out.send(Out::Close);
        }
        true
    }

    fn bot_frame(&mut self, me: u64, out: &mpsc::UnboundedSender<Out>, frame: &Value, now: Timestamp) -> Answer {
        let cmd = frame["cmd"].as_str().unwrap_or_default();
        let body = &frame["body"];
        let req_id = frame.pointer("/headers/req_id").and_then(Value::as_str).unwrap_or_default();
        if cmd == "aibot_subscribe" {
            return self.subscribe(me, out, body, now);
        }
        if cmd == "ping" {
            return Ok(Value::Null);
        }
        if self.bot.socket.as_ref().is_none_or(|c| c.id != me) {
            return Err((846_609, "aibot websocket not subscribed"));
        }
        let refused = |kind: &FaultKind| if let FaultKind::Error { code } = kind { Some(*code) } else { None };
        if let Some(code) = self.faults.take(cmd, refused) {
            return Err((code, "simulated fault"));
        }
        match cmd {
            "aibot_respond_msg" => self.bot_answers(req_id, body, now),
            "aibot_respond_welcome_msg" => self.bot_welcomes(req_id, body, now),
            "aibot_respond_update_msg" => self.bot_updates(req_id, body, now),
            "aibot_send_msg" => self.bot_sends(body, now),
            "aibot_upload_media_init" => self.upload_begin(body, now),
            "aibot_upload_media_chunk" => self.upload_piece(body, now),
            "aibot_upload_media_finish" => self.upload_end(body, now),
            _ => Err((40058, "unknown cmd")),
        }
    }

    fn subscribe(&mut self, me: u64, out: &mpsc::UnboundedSender<Out>, body: &Value, now: Timestamp) -> Answer {
        let known = &self.credentials.bot;
        if body["bot_id"] != known.bot_id.as_str() || body["secret"] != known.secret.as_str() {
            return Err((40001, "invalid bot_id or secret"));
        }
        if let Some(old) = self.bot.socket.take()
            && old.id != me
        {
            let req_id = self.id("R-", 24);
            let msgid = self.id("bot-", 32);
            let goodbye = json!({"cmd": "aibot_event_callback", "headers": {"req_id": req_id}, "body": {"msgid": msgid,
                "create_time": now.as_second(), "aibotid": self.credentials.bot.bot_id, "msgtype": "event",
                "event": {"eventtype": "disconnected_event"}}});
            let _ = old.out.send(Out::Frame(goodbye.to_string()));
            let _ = old.out.send(Out::Close);
        }
        self.bot.socket = Some(Connection { id: me, out: out.clone() });
        Ok(Value::Null)
    }

    fn request(&self, req_id: &str, life_ms: i64, now: Timestamp) -> Result<Request, (i64, &'static str)> {
        let request = self.bot.requests.get(req_id).ok_or((846_605, "invalid req_id"))?;
        if now.as_millisecond() - request.since.as_millisecond() > life_ms {
            return Err((846_605, "invalid req_id: too late"));
        }
        Ok(request.clone())
    }

    fn bot_answers(&mut self, req_id: &str, body: &Value, now: Timestamp) -> Answer {
        let request = self.request(req_id, ANSWER_HOURS * HOUR, now)?;
        if request.kind != "message" {
            return Err((846_605, "invalid req_id: not of a message"));
        }
        let with_card = body["msgtype"] == "stream_with_template_card" && self.unknowns.stream_with_card;
        if body["msgtype"] != "stream" && !with_card {
            return self.bot_posts(&request.chat, body, now);
        }
        let stream = &body["stream"];
        let id = stream["id"].as_str().filter(|id| !id.is_empty()).ok_or((40058, "stream.id is missing"))?;
        let content = stream["content"].as_str().unwrap_or_default();
        if content.len() > CONTENT_BYTES {
            return Err((40058, "stream.content exceeds 20480 bytes"));
        }
        if !self.bot_may_talk(&request.chat, now) {
            return Err((self.unknowns.bot_limit_code, "api freq out of limit"));
        }
        if !self.bot_streams(&request.chat, id, content, stream["finish"].as_bool().unwrap_or(false), now) {
            return Err((846_608, "stream can not be updated any more"));
        }
        match &body["template_card"] {
            card @ Value::Object(_) if with_card => {
                self.bot_posts(&request.chat, &json!({"msgtype": "template_card", "template_card": card}), now)
            }
            _ => Ok(Value::Null),
        }
    }

    fn bot_welcomes(&mut self, req_id: &str, body: &Value, now: Timestamp) -> Answer {
        let request = self.request(req_id, QUICK_MS, now)?;
        if request.kind != "enter_chat" {
            return Err((846_605, "invalid req_id: not of an enter_chat"));
        }
        if body["msgtype"] == "text" {
            self.bot_says(&request.chat, "text", &body["text"], None, now);
            return Ok(Value::Null);
        }
        self.bot_posts(&request.chat, body, now)
    }

    fn bot_updates(&mut self, req_id: &str, body: &Value, now: Timestamp) -> Answer {
        let request = self.request(req_id, QUICK_MS, now)?;
        if request.kind != "template_card_event" {
            return Err((846_605, "invalid req_id: not of a card"));
        }
        let card = &body["template_card"];
        if card["task_id"] != request.task.as_str() {
            return Err((42014, "task_id is not the clicked card's"));
        }
        let users: Vec<_> =
            body["userids"].as_array().into_iter().flatten().filter_map(|u| u.as_str().map(str::to_owned)).collect();
        self.change_bot_card(&request.chat, &users, card);
        Ok(Value::Null)
    }

    fn bot_sends(&mut self, body: &Value, now: Timestamp) -> Answer {
        let id = body["chatid"].as_str().unwrap_or_default();
        let as_group = self.bot_group(id).map(|_| BotChat::Group(id.to_owned()));
        let behind = self.behind_bot_id(id).unwrap_or_default();
        let as_person = || self.employee(&behind).map(|p| BotChat::Person(p.id.clone()));
        let chat = match body["chat_type"].as_i64().unwrap_or(0) {
            1 => as_person(),
            2 => as_group,
            _ => as_group.or_else(as_person),
        };
        let chat = chat.ok_or((93006, "invalid chatid"))?;
        if !self.bot.spoken.contains(&chat) {
            return Err((self.unknowns.never_talked_code, "nobody has talked to the bot in this chat"));
        }
        self.bot_posts(&chat, body, now)
    }

    fn bot_posts(&mut self, chat: &BotChat, message: &Value, now: Timestamp) -> Answer {
        let kind = message["msgtype"].as_str().unwrap_or_default().to_owned();
        let mut body = message[&kind].clone();
        match kind.as_str() {
            "markdown" => {
                let length = body["content"].as_str().map_or(0, str::len);
                if length == 0 || length > CONTENT_BYTES {
                    return Err((40058, "markdown.content must have 1..20480 bytes"));
                }
            }
            "template_card" => {
                if !api::card_ok(&body, self.unknowns.card_lengths) {
                    return Err((42031, "invalid template_card"));
                }
                let task = body["task_id"].as_str().map(str::to_owned);
                if task.as_ref().is_some_and(|t| self.bot.task_ids.contains(t)) {
                    return Err((self.unknowns.repeated_task_id_code, "task_id was used before"));
                }
                self.bot.task_ids.extend(task);
            }
            "file" | "image" | "voice" | "video" => {
                let id = body["media_id"].as_str().unwrap_or_default();
                let media = self.live_media(id, now).ok_or((40007, "invalid media_id"))?;
                body["filename"] = media.name.clone().into();
            }
            _ => return Err((40008, "invalid message type")),
        }
        if !self.bot_may_talk(chat, now) {
            return Err((self.unknowns.bot_limit_code, "api freq out of limit"));
        }
        self.bot_says(chat, &kind, &body, None, now);
        Ok(Value::Null)
    }
}
