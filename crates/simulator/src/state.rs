//! All of the simulated platform's memory, and the few steps that everything else is made of: say something in a group,
//! put something into a person's 1:1 talk, raise an event.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use serde_json::Value;

use super::{
    archive::Archive,
    bot::Bot,
    callbacks::Hooks,
    config::{APP_ROBOT, BOT_ROBOT, Credentials},
    faults::{FaultKind, Faults},
    ids,
    limits::Limits,
    rights::Rights,
    unknowns::Unknowns,
    world::{Card, Group, Item, Line, Person, PersonKind, words},
};
use jiff::Timestamp;
use qunguan_model::GroupKind;

/// Items a person's 1:1 talk keeps.
const ITEMS_KEPT: usize = 1000;
/// API calls remembered for scripts.
const CALLS_KEPT: usize = 500;

/// Something that leaves the simulator after the state was changed.
#[derive(Clone, Debug)]
pub enum Effect {
    /// An event or message for the app's callback address: the plain XML.
    App(String),
    /// A message or event for the bot: the plain JSON of `receiving.md`, without what the way of sending adds.
    Bot(Value),
    /// Something new in the archive.
    Archived,
}

/// An API call as scripts read it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ApiCall {
    /// When.
    pub at: Timestamp,
    /// Without `/cgi-bin/`.
    pub path: String,
    /// The JSON body, or null.
    pub body: Value,
    /// The answer.
    pub errcode: i64,
}

/// A token that `gettoken` gave.
#[derive(Clone, Debug)]
pub struct Token {
    /// Whose.
    pub agent: i64,
    /// The value clients send.
    pub value: String,
    /// End of its life.
    pub until: Timestamp,
}

/// A code with which an interactive card may be changed once.
#[derive(Clone, Debug)]
pub struct ResponseCode {
    /// Which app sent the card.
    pub agent: i64,
    /// Which card.
    pub task: String,
    /// When the code was given.
    pub since: Timestamp,
    /// Each works once.
    pub used: bool,
}

/// An uploaded file.
#[derive(Clone, Debug)]
pub struct Media {
    /// File name.
    pub name: String,
    /// Content.
    pub bytes: Arc<Vec<u8>>,
    /// Uploaded at; dies after three days.
    pub at: Timestamp,
}

/// One rule of WeCom's own 敏感词.
#[derive(Clone, Debug)]
pub struct InterceptRule {
    /// `rule_id`.
    pub id: String,
    /// `rule_name`.
    pub name: String,
    /// `word_list`.
    pub words: Vec<String>,
    /// `semantics_list`.
    pub semantics: Vec<i64>,
    /// 1 warn and block, 2 warn only.
    pub kind: i64,
    /// Employees it is for.
    pub users: BTreeSet<String>,
    /// Departments it is for.
    pub departments: BTreeSet<i64>,
    /// `create_time`.
    pub created: Timestamp,
}

/// Everything.
pub struct State {
    serial: u64,
    /// Accounts of the company.
    pub credentials: Credentials,
    /// By id.
    pub people: BTreeMap<String, Person>,
    /// By id.
    pub groups: BTreeMap<String, Group>,
    /// Group ids in the order of the page.
    pub order: Vec<String>,
    /// 1:1 talks with app and bot, by person.
    pub talks: BTreeMap<String, Vec<Item>>,
    /// Live tokens, by agent.
    pub tokens: BTreeMap<i64, Token>,
    /// Tokens that lived once.
    pub dead_tokens: HashMap<String, bool>,
    /// Frequency counters.
    pub limits: Limits,
    /// Fault switches.
    pub faults: Faults,
    /// What is not documented, as it is to be here.
    pub unknowns: Unknowns,
    /// After the switch 60020 went off, calls are refused until then.
    pub ip_refused_until: Option<Timestamp>,
    /// Used `task_id`s: (agent, id).
    pub task_ids: BTreeSet<(i64, String)>,
    /// Codes for card updates.
    pub response_codes: BTreeMap<String, ResponseCode>,
    /// Codes of people who signed in.
    pub codes: BTreeMap<String, super::sign_in::Code>,
    /// Duplicate check of `message/send`: (receiver, content hash) → last time.
    pub sent_before: HashMap<(String, String), Timestamp>,
    /// Uploaded files by media id.
    pub media: BTreeMap<String, Media>,
    /// What the admin console grants the app.
    pub rights: Rights,
    /// 敏感词 rules.
    pub rules: Vec<InterceptRule>,
    /// Ids of deleted 敏感词 rules.
    pub deleted_rules: BTreeSet<String>,
    /// 入群欢迎语 by `template_id`.
    pub greetings: BTreeMap<String, Value>,
    /// Phones that rang: when, and whose.
    pub calls_rung: Vec<(Timestamp, String)>,
    /// 消息推送 keys and the group each posts into.
    pub webhooks: BTreeMap<String, String>,
    /// 会话内容存档.
    pub archive: Archive,
    /// Callback addresses and what was sent there.
    pub hooks: Hooks,
    /// 智能机器人.
    pub bot: Bot,
    /// Recent API calls.
    pub calls: VecDeque<ApiCall>,
    /// What leaves when the lock is given back.
    pub effects: Vec<Effect>,
}

impl State {
    /// An empty company with its app, bot and archive.
    pub fn new(credentials: Credentials) -> Self {
        let robot = |id: &str, name: &str| Person {
            id: id.into(),
            name: name.into(),
            kind: PersonKind::Robot,
            department: 0,
            left: false,
            consents: true,
        };
        let people = [robot(APP_ROBOT, "群管助手"), robot(BOT_ROBOT, &credentials.bot.name)];
        Self {
            serial: 0,
            people: people.into_iter().map(|p| (p.id.clone(), p)).collect(),
            groups: BTreeMap::new(),
            order: Vec::new(),
            talks: BTreeMap::new(),
            tokens: BTreeMap::new(),
            dead_tokens: HashMap::new(),
            limits: Limits::default(),
            faults: Faults::default(),
            unknowns: Unknowns::default(),
            ip_refused_until: None,
            task_ids: BTreeSet::new(),
            response_codes: BTreeMap::new(),
            codes: BTreeMap::new(),
            sent_before: HashMap::new(),
            media: BTreeMap::new(),
            rights: Rights::default(),
            rules: Vec::new(),
            deleted_rules: BTreeSet::new(),
            greetings: BTreeMap::new(),
            calls_rung: Vec::new(),
            webhooks: BTreeMap::new(),
            archive: Archive::default(),
            hooks: Hooks::default(),
            bot: Bot::default(),
            calls: VecDeque::new(),
            effects: Vec::new(),
            credentials,
        }
    }

    /// Takes over what a reset leaves alone: callback addresses, archive keys and seats, the bot's connection, the numbering.
    pub fn inherit(&mut self, old: &mut Self) {
        self.serial = self.serial.max(old.serial);
        self.hooks.app = old.hooks.app.take();
        self.hooks.bot = old.hooks.bot.take();
        self.bot.socket = old.bot.socket.take();
        self.archive.inherit(&mut old.archive);
        self.unknowns = old.unknowns.clone();
    }

    /// Ends all live tokens before their time.
    pub fn kill_tokens(&mut self) {
        for (_, token) in std::mem::take(&mut self.tokens) {
            self.dead_tokens.insert(token.value, false);
        }
    }

    /// A number never used before.
    pub fn serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// An id never used before, with WeCom's looks.
    pub fn id(&mut self, prefix: &str, len: usize) -> String {
        let serial = self.serial();
        format!("{prefix}{}", ids::printable(&format!("{prefix}{serial}"), len))
    }

    /// The stored spelling of a userid; employees' ids are case-insensitive, all others are not.
    pub fn find_person(&self, id: &str) -> Option<&Person> {
        self.people.get(id).or_else(|| self.people.get(&id.to_lowercase()).filter(|p| p.kind == PersonKind::Employee))
    }

    /// An employee who has not left.
    pub fn employee(&self, id: &str) -> Option<&Person> {
        self.find_person(id).filter(|p| p.kind == PersonKind::Employee && !p.left)
    }

    /// The name to show.
    pub fn name(&self, id: &str) -> String {
        self.people.get(id).map_or_else(|| id.to_owned(), |p| p.name.clone())
    }

    /// Adds a group to the page and the world.
    pub fn add_group(&mut self, group: Group) {
        if !self.order.contains(&group.id) {
            self.order.push(group.id.clone());
        }
        self.groups.insert(group.id.clone(), group);
    }

    /// Says something in a group: a line on everybody's screen and an entry of the archive. `dropped` members do not get it.
    /// Returns the line's number and the archive's message id.
    pub fn say(&mut self, group: &str, said: Said, now: Timestamp) -> (u64, String) {
        let serial = self.serial();
        let msgid = format!("{}{}_{}", ids::printable(&format!("msg{serial}"), 20), serial, now.as_millisecond());
        let Some(place) = self.groups.get_mut(group) else { return (0, String::new()) };
        let msgid = if place.kind == GroupKind::Customer { format!("{msgid}_external") } else { msgid };
        let mut seen_by = place.present();
        if !said.dropped.is_empty() {
            Arc::make_mut(&mut seen_by).retain(|id| !said.dropped.contains(id));
        }
        let line = place.push(Line {
            no: 0,
            at: now,
            from: Some(said.from.clone()),
            msgid: msgid.clone(),
            msgtype: said.msgtype.clone(),
            text: words(&said.msgtype, &said.body),
            body: said.body.clone(),
            quote: said.quote.clone(),
            seen_by,
            recalled: false,
            card: said.card,
            stream: said.stream,
        });
        let quoted = said.quote.map(|quote| super::archive::with_quote(&quote, &said.body));
        self.archive_message(group, &said.from, &msgid, &said.msgtype, quoted.unwrap_or(said.body), now);
        (line, msgid)
    }

    /// Puts a message into a person's 1:1 talk.
    pub fn tell(&mut self, person: &str, item: Item) {
        let talk = self.talks.entry(person.to_owned()).or_default();
        talk.push(item);
        if talk.len() > ITEMS_KEPT + ITEMS_KEPT / 4 {
            talk.drain(..ITEMS_KEPT / 4);
        }
    }

    /// Tells the app about a change in a customer group; other groups raise no event.
    pub fn chat_changed(&mut self, group: &str, change: &ChatChange, now: Timestamp) {
        let commas = self.faults.has(&FaultKind::CommaLists);
        let Some(place) = self.groups.get(group).filter(|g| g.kind == GroupKind::Customer) else { return };
        let mut fields = vec![("ChatId", place.id.clone())];
        match change {
            ChatChange::Dismissed => fields.push(("ChangeType", "dismiss".into())),
            ChatChange::Created => fields.push(("ChangeType", "create".into())),
            ChatChange::Updated(detail) => {
                fields.extend([("ChangeType", "update".into()), ("UpdateDetail", (*detail).into())]);
            }
            ChatChange::Joined { scene, .. } => fields.extend([
                ("ChangeType", "update".into()),
                ("UpdateDetail", "add_member".into()),
                ("JoinScene", scene.to_string()),
            ]),
            ChatChange::Gone { removed, .. } => fields.extend([
                ("ChangeType", "update".into()),
                ("UpdateDetail", "del_member".into()),
                ("QuitScene", u8::from(*removed).to_string()),
            ]),
        }
        let mut tail = String::new();
        if let ChatChange::Joined { who, before, .. } | ChatChange::Gone { who, before, .. } = change {
            fields.push(("MemChangeCnt", who.len().to_string()));
            let items = if commas { super::xml::cdata(&who.join(",")) } else { super::xml::repeated("Item", *who) };
            tail = format!("<MemChangeList>{items}</MemChangeList>");
            fields.push(("LastMemVer", place.version_text(*before)));
            fields.push(("CurMemVer", place.version_text(place.member_version)));
        }
        self.app_event("sys", "change_external_chat", &fields, &tail, now);
    }

    /// Queues an event for the app's callback address. `tail` is ready-made XML.
    pub fn app_event(&mut self, from: &str, event: &str, fields: &[(&str, String)], tail: &str, now: Timestamp) {
        let mut xml = super::xml::Writer::new();
        xml.text("ToUserName", &self.credentials.corp_id);
        xml.text("FromUserName", from);
        xml.number("CreateTime", self.faults.shown(now).as_second());
        xml.text("MsgType", "event");
        xml.text("Event", event);
        for (name, value) in fields {
            xml.text(name, value);
        }
        xml.raw(tail);
        self.effects.push(Effect::App(xml.finish()));
    }

    /// Remembers an API call for scripts.
    pub fn remember_call(&mut self, at: Timestamp, path: &str, body: Value, errcode: i64) {
        if self.calls.len() >= CALLS_KEPT {
            self.calls.pop_front();
        }
        self.calls.push_back(ApiCall { at, path: path.to_owned(), body, errcode });
    }

    /// Sends one of the bot's messages to where `chat` says: a group or a person's 1:1 talk with the bot.
    pub fn bot_says(&mut self, chat: &BotChat, msgtype: &str, body: &Value, stream: Option<String>, now: Timestamp) {
        let card = (msgtype == "template_card").then(|| Card::new(body.clone()));
        match chat {
            BotChat::Group(id) => {
                self.say(
                    id,
                    Said {
                        from: BOT_ROBOT.into(),
                        msgtype: msgtype.into(),
                        body: body.clone(),
                        card,
                        stream,
                        ..Said::default()
                    },
                    now,
                );
            }
            BotChat::Person(id) => {
                let msgid = self.id("", 24);
                self.tell(
                    id,
                    Item {
                        msgid,
                        at: now,
                        agent: None,
                        mine: false,
                        msgtype: msgtype.into(),
                        text: words(msgtype, body),
                        body: body.clone(),
                        recalled: false,
                        card,
                        stream,
                    },
                );
            }
        }
    }
}

/// Where the bot talks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BotChat {
    /// A group by its id.
    Group(String),
    /// A person by id.
    Person(String),
}

/// What is said in a group.
#[derive(Debug, Default)]
pub struct Said {
    /// Who.
    pub from: String,
    /// Type of message.
    pub msgtype: String,
    /// Its body.
    pub body: Value,
    /// Words quoted.
    pub quote: Option<String>,
    /// Card, if it is one.
    pub card: Option<Card>,
    /// Stream id, if the text still grows.
    pub stream: Option<String>,
    /// Members the platform silently leaves out.
    pub dropped: BTreeSet<String>,
}

/// What changed in a customer group.
#[derive(Debug)]
pub enum ChatChange<'a> {
    /// It is new.
    Created,
    /// It is no more.
    Dismissed,
    /// `change_owner`, `change_name` or `change_notice`.
    Updated(&'static str),
    /// Somebody came.
    Joined {
        /// Ids.
        who: &'a [String],
        /// 0 added, 3 by QR code.
        scene: u8,
        /// Member version before.
        before: u64,
    },
    /// Somebody went.
    Gone {
        /// Ids.
        who: &'a [String],
        /// Removed by owner or admin.
        removed: bool,
        /// Member version before.
        before: u64,
    },
}
