//! 智能机器人 as the platform keeps it: where somebody has talked to it, which answers are still open, its connection.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    bot_files::BotFile,
    bot_socket::Connection,
    bot_upload::Upload,
    config::BOT_ROBOT,
    ids,
    limits::{HOUR, MINUTE},
    state::{BotChat, Effect, State},
};
use jiff::Timestamp;

/// Replies and pushes together, per conversation.
const PER_MINUTE: u64 = 30;
const PER_HOUR: u64 = 1000;

/// The right to answer once through a `response_url`.
#[derive(Clone, Debug)]
pub struct ResponseUrl {
    /// Where the answer goes.
    pub chat: BotChat,
    /// When the callback went out.
    pub since: Timestamp,
}

/// What a `req_id` of the socket may be used for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where it came from.
    pub chat: BotChat,
    /// When.
    pub since: Timestamp,
    /// `message`, `enter_chat`, `template_card_event` or another event type.
    pub kind: String,
    /// The card it is about.
    pub task: String,
}

/// A streaming answer that may still grow.
#[derive(Clone, Debug)]
pub struct Stream {
    /// When its first part came.
    pub since: Timestamp,
    /// No more parts.
    pub finished: bool,
}

/// The bot's part of the state.
#[derive(Debug, Default)]
pub struct Bot {
    /// Conversations in which somebody has talked to it.
    pub spoken: BTreeSet<BotChat>,
    /// Open `response_code`s.
    pub response_urls: BTreeMap<String, ResponseUrl>,
    /// `req_id`s of callbacks sent over the socket.
    pub requests: BTreeMap<String, Request>,
    /// Streams by id.
    pub streams: BTreeMap<String, Stream>,
    /// The subscribed connection.
    pub socket: Option<Connection>,
    /// Pictures people sent to it, by the id of their address.
    pub files: BTreeMap<String, BotFile>,
    /// Uploads under way.
    pub uploads: BTreeMap<String, Upload>,
    /// Messages of a user that the bot is answering (callback mode), at most three.
    pub busy: BTreeMap<String, u32>,
    /// `task_id`s of its cards.
    pub task_ids: BTreeSet<String>,
    /// It was not created by a super administrator: the userids it is given are encrypted.
    pub encrypts_ids: bool,
}

/// The encrypted form of a userid: as long as those of other companies' people, and the same for ever.
pub fn open_userid(person: &str) -> String {
    format!("wo{}", ids::printable(&format!("open/{person}"), 30))
}

impl State {
    /// Counts one word of the bot against the limits of the conversation.
    pub fn bot_may_talk(&mut self, chat: &BotChat, now: Timestamp) -> bool {
        let name = format!("bot/{chat:?}");
        self.limits.allow(&name, PER_MINUTE, MINUTE, 1, now)
            && self.limits.allow(&format!("{name}/hour"), PER_HOUR, HOUR, 1, now)
    }

    /// The group with this chat id if the bot is in it; ids are case-sensitive.
    pub fn bot_group(&self, id: &str) -> Option<&super::world::Group> {
        self.groups.get(id).filter(|g| !g.dissolved && g.has(BOT_ROBOT))
    }

    /// The userid that the bot is given for somebody.
    pub fn id_for_bot(&self, person: &str) -> String {
        if self.bot.encrypts_ids { open_userid(person) } else { person.to_owned() }
    }

    /// Who is behind a userid that the bot was given.
    pub fn behind_bot_id(&self, id: &str) -> Option<String> {
        if !self.bot.encrypts_ids {
            return Some(id.to_owned());
        }
        self.people.keys().find(|person| open_userid(person) == id).cloned()
    }

    /// A callback as it goes out to the bot, over its connection or to its address.
    pub fn as_told_to_bot(&self, body: &Value, socket: bool) -> Value {
        let mut told = body.clone();
        if !socket || self.unknowns.socket_encrypts_ids {
            let from = body.pointer("/from/userid").and_then(Value::as_str).unwrap_or_default();
            told["from"]["userid"] = self.id_for_bot(from).into();
        }
        told
    }

    /// A person talked to the bot: a callback with these message fields (`msgtype` and its body, `quote`).
    pub fn bot_hears(&mut self, chat: &BotChat, from: &str, message: Value, now: Timestamp) {
        self.bot.spoken.insert(chat.clone());
        self.bot_callback(chat, from, message, now);
    }

    /// An event for the bot.
    pub fn bot_event(&mut self, chat: &BotChat, from: &str, kind: &str, detail: Value, now: Timestamp) {
        let mut event = json!({ "eventtype": kind });
        if !detail.is_null() {
            event[kind] = detail;
        }
        self.bot_callback(chat, from, json!({"msgtype": "event", "event": event}), now);
    }

    fn bot_callback(&mut self, chat: &BotChat, from: &str, mut body: Value, now: Timestamp) {
        body["msgid"] = self.id("bot-", 32).into();
        body["aibotid"] = self.credentials.bot.bot_id.clone().into();
        body["create_time"] = now.as_second().into();
        body["from"] = json!({ "userid": from });
        match chat {
            BotChat::Group(id) => {
                body["chattype"] = "group".into();
                body["chatid"] = id.clone().into();
            }
            BotChat::Person(_) => body["chattype"] = "single".into(),
        }
        self.effects.push(Effect::Bot(body));
    }

    /// Writes or rewrites a streaming answer; returns false if its minutes are over.
    pub fn bot_streams(&mut self, chat: &BotChat, id: &str, content: &str, finish: bool, now: Timestamp) -> bool {
        let life = self.unknowns.stream_minutes * MINUTE;
        if let Some(stream) = self.bot.streams.get_mut(id) {
            if stream.finished || now.as_millisecond() - stream.since.as_millisecond() > life {
                return false;
            }
            stream.finished = finish;
            self.rewrite_stream(chat, id, content);
        } else {
            self.bot.streams.insert(id.to_owned(), Stream { since: now, finished: finish });
            self.bot_says(chat, "markdown", &json!({ "content": content }), Some(id.to_owned()), now);
        }
        true
    }

    fn rewrite_stream(&mut self, chat: &BotChat, id: &str, content: &str) {
        match chat {
            BotChat::Group(group) => {
                let lines = self.groups.get_mut(group).map(|g| &mut g.lines).into_iter().flatten();
                for line in lines.filter(|l| l.stream.as_deref() == Some(id)) {
                    content.clone_into(&mut line.text);
                    line.body["content"] = content.into();
                }
            }
            BotChat::Person(person) => {
                for item in self.talks.get_mut(person).into_iter().flatten().filter(|i| i.stream.as_deref() == Some(id))
                {
                    content.clone_into(&mut item.text);
                    item.body["content"] = content.into();
                }
            }
        }
    }

    /// Changes a card the bot sent: for these people, or for everybody.
    pub fn change_bot_card(&mut self, chat: &BotChat, users: &[String], card: &Value) {
        let everybody = users.is_empty();
        let users: Vec<String> = users.iter().filter_map(|user| self.behind_bot_id(user)).collect();
        let same = |known: &Value| known["task_id"] == card["task_id"];
        let change = |shown: &mut super::world::Card| {
            if everybody {
                shown.face = card.clone();
                shown.faces.clear();
                shown.frozen.clear();
            }
            for user in &users {
                shown.faces.insert(user.clone(), card.clone());
                shown.frozen.remove(user);
            }
        };
        match chat {
            BotChat::Group(group) => {
                let lines = self.groups.get_mut(group).map(|g| &mut g.lines).into_iter().flatten();
                lines.filter_map(|l| l.card.as_mut()).filter(|c| same(&c.face)).for_each(change);
            }
            BotChat::Person(person) => {
                let items = self.talks.get_mut(person).into_iter().flatten();
                items
                    .filter(|i| i.agent.is_none())
                    .filter_map(|i| i.card.as_mut())
                    .filter(|c| same(&c.face))
                    .for_each(change);
            }
        }
    }
}
