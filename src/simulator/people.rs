//! What people do in the client: talk, take back, invite, remove, mute, press buttons. The client's own rules apply, so a
//! member cannot remove anybody and a muted one cannot talk.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    cards::Selected,
    config::BOT_ROBOT,
    state::{BotChat, ChatChange, Effect, Said, State},
    world::{Group, Item, Person, PersonKind, words},
    xml::Writer,
};
use crate::model::{GroupKind, Role, Timestamp};

/// Why the client (or the control API) would not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// Something a person does in the client, or a script does to the world. In JSON: `{"do":"post","as":"li","group":"…",…}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Says something in a group: `text`, or any `msgtype` with its archive `body`.
    Post {
        /// Who.
        #[serde(rename = "as")]
        who: String,
        /// Where.
        group: String,
        /// Words.
        #[serde(default)]
        text: String,
        /// Type, if not `text`.
        #[serde(default)]
        msgtype: Option<String>,
        /// Body for that type.
        #[serde(default)]
        body: Value,
        /// Number of the line it quotes.
        #[serde(default)]
        quote: Option<u64>,
    },
    /// Takes an own message back.
    Recall {
        /// Who.
        #[serde(rename = "as")]
        who: String,
        /// Where.
        group: String,
        /// Line number.
        line: u64,
    },
    /// Comes in by QR code (`scene` 3, the default) or link (2).
    Join {
        /// Who.
        #[serde(rename = "as")]
        who: String,
        /// Where.
        group: String,
        /// How.
        #[serde(default)]
        scene: Option<u8>,
    },
    /// Brings others in.
    Invite {
        /// Who brings.
        #[serde(rename = "as")]
        who: String,
        /// Where.
        group: String,
        /// Whom.
        people: Vec<String>,
    },
    /// Leaves.
    Leave {
        /// Who.
        #[serde(rename = "as")]
        who: String,
        /// Where.
        group: String,
    },
    /// Removes a member; owner and admins can.
    Remove {
        /// Who removes.
        #[serde(rename = "as")]
        who: String,
        /// Where.
        group: String,
        /// Whom.
        person: String,
    },
    /// Mutes a member in the client, or lets them talk again; owner and admins of internal groups can.
    Mute {
        /// Who mutes.
        #[serde(rename = "as")]
        who: String,
        /// Where.
        group: String,
        /// Whom.
        person: String,
        /// False lets them talk again.
        #[serde(default = "yes")]
        on: bool,
    },
    /// Renames the group; owner and admins can.
    Rename {
        /// Who.
        #[serde(rename = "as")]
        who: String,
        /// Where.
        group: String,
        /// New name.
        name: String,
    },
    /// Sets 群公告; owner and admins can.
    Notice {
        /// Who.
        #[serde(rename = "as")]
        who: String,
        /// Where.
        group: String,
        /// Text.
        text: String,
    },
    /// Gives the group to somebody else; the owner can.
    Hand {
        /// Owner.
        #[serde(rename = "as")]
        who: String,
        /// Where.
        group: String,
        /// New owner.
        person: String,
    },
    /// Makes a member an admin or not; the owner can.
    Admin {
        /// Owner.
        #[serde(rename = "as")]
        who: String,
        /// Where.
        group: String,
        /// Whom.
        person: String,
        /// False takes it away.
        #[serde(default = "yes")]
        on: bool,
    },
    /// Ends the group; the owner can.
    Dissolve {
        /// Owner.
        #[serde(rename = "as")]
        who: String,
        /// Where.
        group: String,
    },
    /// Writes to the app in the 1:1 talk.
    TellApp {
        /// Who.
        #[serde(rename = "as")]
        who: String,
        /// Words.
        text: String,
    },
    /// Opens the app.
    EnterApp {
        /// Who.
        #[serde(rename = "as")]
        who: String,
    },
    /// Writes to the bot in the 1:1 talk.
    TellBot {
        /// Who.
        #[serde(rename = "as")]
        who: String,
        /// Words.
        text: String,
    },
    /// Opens the bot's talk for the first time today.
    EnterBot {
        /// Who.
        #[serde(rename = "as")]
        who: String,
    },
    /// Presses a button of a card, in a group or in a 1:1 talk.
    Press {
        /// Who.
        #[serde(rename = "as")]
        who: String,
        /// The group the card is in; absent for 1:1.
        #[serde(default)]
        group: Option<String>,
        /// The card.
        task_id: String,
        /// The button, submit button or menu entry.
        key: String,
        /// Choices by question.
        #[serde(default)]
        selected: Selected,
    },
    /// A new account.
    NewPerson {
        /// Id; external ones start with `wm` or `wo`.
        id: String,
        /// Name.
        name: String,
        /// Sort.
        #[serde(default = "employee")]
        kind: PersonKind,
        /// Department, root by default.
        #[serde(default = "root")]
        department: u64,
        /// Consent to the archive.
        #[serde(default = "yes")]
        consents: bool,
    },
    /// Changes somebody's name.
    NewName {
        /// Who.
        #[serde(rename = "as")]
        who: String,
        /// New name.
        name: String,
    },
    /// Leaves the company and all its groups.
    LeaveCompany {
        /// Who.
        #[serde(rename = "as")]
        who: String,
    },
    /// An external person agrees to the archive or not any more.
    Consent {
        /// Who.
        #[serde(rename = "as")]
        who: String,
        /// Agrees.
        agrees: bool,
    },
    /// A group made by people; `app` groups are made through `appchat/create`.
    NewGroup {
        /// Id.
        id: String,
        /// `internal`, `customer` or `bot`.
        kind: GroupKind,
        /// Name.
        name: String,
        /// Members, owner first.
        members: Vec<String>,
        /// Room id in the archive, if it should differ.
        #[serde(default)]
        room: Option<String>,
        /// 消息推送 key for it.
        #[serde(default)]
        webhook: Option<String>,
    },
    /// Who has an archive seat.
    Seats {
        /// Employees.
        people: Vec<String>,
    },
    /// Puts any message into the archive as it is.
    ArchiveRaw {
        /// As `DecryptData` would give it.
        message: Value,
    },
}

fn yes() -> bool {
    true
}
fn employee() -> PersonKind {
    PersonKind::Employee
}
fn root() -> u64 {
    1
}
fn refuse<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(why.into()))
}

impl State {
    /// Does it.
    pub fn act(&mut self, act: Act, now: Timestamp) -> Result<Value, Refused> {
        match act {
            Act::Post { who, group, text, msgtype, body, quote } => {
                let msgtype = msgtype.unwrap_or_else(|| "text".into());
                let body = if body.is_null() { json!({ "content": text }) } else { body };
                self.post(&who, &group, &msgtype, body, quote, now)
            }
            Act::Recall { who, group, line } => self.recall(&who, &group, line, now),
            Act::Join { who, group, scene } => self.come(&group, &[who], scene.unwrap_or(3), None, now),
            Act::Invite { who, group, people } => {
                self.member_role(&who, &group)?;
                self.come(&group, &people, 1, Some(who), now)
            }
            Act::Leave { who, group } => {
                self.member_role(&who, &group)?;
                if self.open_group(&group)?.owner == who {
                    return refuse("the owner must hand the group over first");
                }
                self.go(&group, &who, &who, false, now)
            }
            Act::Remove { who, group, person } => {
                let role = self.managing(&who, &group)?;
                let target = self.member_role(&person, &group)?;
                if target == Role::Owner || (target == Role::Admin && role == Role::Admin) {
                    return refuse("nobody here can remove that member");
                }
                self.go(&group, &person, &who, true, now)
            }
            Act::Mute { who, group, person, on } => self.mute(&who, &group, &person, on, now),
            Act::Rename { who, group, name } => {
                self.managing(&who, &group)?;
                let line = format!("「{}」修改群名为“{name}”", self.name(&who));
                self.change_group(&group, line, "change_name", now, |g| g.name = name)
            }
            Act::Notice { who, group, text } => {
                self.managing(&who, &group)?;
                let line = format!("「{}」修改了群公告：{text}", self.name(&who));
                self.change_group(&group, line, "change_notice", now, |g| g.notice = text)
            }
            Act::Hand { who, group, person } => {
                self.owning(&who, &group)?;
                self.member_role(&person, &group)?;
                let line = format!("「{}」成为新的群主", self.name(&person));
                self.change_group(&group, line, "change_owner", now, |g| {
                    g.admins.remove(&person);
                    g.owner = person;
                })
            }
            Act::Admin { who, group, person, on } => {
                self.owning(&who, &group)?;
                self.member_role(&person, &group)?;
                if let Some(g) = self.groups.get_mut(&group) {
                    if on {
                        g.admins.insert(person)
                    } else {
                        g.admins.remove(&person)
                    };
                }
                Ok(json!({}))
            }
            Act::Dissolve { who, group } => {
                self.owning(&who, &group)?;
                self.chat_changed(&group, &ChatChange::Dismissed, now);
                if let Some(g) = self.groups.get_mut(&group) {
                    g.system("群聊已解散".into(), now, None);
                    g.dissolved = true;
                }
                Ok(json!({}))
            }
            Act::TellApp { who, text } => self.tell_app(&who, &text, now),
            Act::EnterApp { who } => {
                self.someone(&who)?;
                let agent = super::config::APP_AGENT.to_string();
                self.app_event(&who, "enter_agent", &[("EventKey", String::new()), ("AgentID", agent)], "", now);
                Ok(json!({}))
            }
            Act::TellBot { who, text } => {
                self.someone(&who)?;
                let msgid = self.own_item(&who, None, &text, now);
                let chat = BotChat::Person(who.clone());
                self.bot_hears(&chat, &who, json!({"msgtype": "text", "text": {"content": text}}), now);
                Ok(json!({ "msgid": msgid }))
            }
            Act::EnterBot { who } => {
                self.someone(&who)?;
                self.bot_event(&BotChat::Person(who.clone()), &who, "enter_chat", Value::Null, now);
                Ok(json!({}))
            }
            Act::Press { who, group, task_id, key, selected } => {
                self.press(&who, group.as_deref(), &task_id, &key, &selected, now)
            }
            Act::NewPerson { id, name, kind, department, consents } => {
                if self.people.contains_key(&id) {
                    return refuse(format!("{id} exists already"));
                }
                self.people.insert(id.clone(), Person { id, name, kind, department, left: false, consents });
                Ok(json!({}))
            }
            Act::NewName { who, name } => match self.people.get_mut(&who) {
                Some(person) => {
                    person.name = name;
                    Ok(json!({}))
                }
                None => refuse(format!("nobody is called {who:?}")),
            },
            Act::LeaveCompany { who } => self.leave_company(&who, now),
            Act::Consent { who, agrees } => self.consent(&who, agrees, now),
            Act::NewGroup { id, kind, name, members, room, webhook } => {
                self.new_group(&id, kind, &name, &members, room, webhook, now)
            }
            Act::Seats { people } => {
                self.archive.seats = people.into_iter().collect();
                Ok(json!({}))
            }
            Act::ArchiveRaw { message } => Ok(json!({"seq": self.archive_raw(message, now)})),
        }
    }

    fn someone(&self, who: &str) -> Result<&Person, Refused> {
        match self.people.get(who) {
            Some(person) if person.kind != PersonKind::Robot && !person.left => Ok(person),
            _ => refuse(format!("nobody is called {who:?}")),
        }
    }
    fn open_group(&self, group: &str) -> Result<&Group, Refused> {
        match self.groups.get(group) {
            Some(g) if g.dissolved => refuse("the group was dissolved"),
            Some(g) => Ok(g),
            None => refuse(format!("no group is called {group:?}")),
        }
    }
    fn member_role(&self, who: &str, group: &str) -> Result<Role, Refused> {
        let g = self.open_group(group)?;
        if g.has(who) { Ok(g.role(who)) } else { refuse(format!("{who} is not in the group")) }
    }
    fn managing(&self, who: &str, group: &str) -> Result<Role, Refused> {
        match self.member_role(who, group)? {
            role @ (Role::Owner | Role::Admin) => Ok(role),
            _ => refuse("only the owner and admins can do that"),
        }
    }
    fn owning(&self, who: &str, group: &str) -> Result<(), Refused> {
        if self.member_role(who, group)? == Role::Owner { Ok(()) } else { refuse("only the owner can do that") }
    }

    fn post(
        &mut self,
        who: &str,
        group: &str,
        msgtype: &str,
        body: Value,
        quote: Option<u64>,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        self.someone(who)?;
        self.member_role(who, group)?;
        let place = self.open_group(group)?;
        if place.muted.contains(who) {
            return refuse("muted by the owner");
        }
        let quoted = match quote {
            Some(no) => match place.lines.iter().find(|l| l.no == no && l.seen_by.contains(who)) {
                Some(line) => Some(line.clone()),
                None => return refuse(format!("{who} sees no line {no}")),
            },
            None => None,
        };
        let kind = place.kind;
        let mut answer = json!({});
        if kind == GroupKind::Customer
            && let Some((rule, block)) = self.intercepted(who, &words(msgtype, &body))
        {
            if block {
                return refuse(format!("intercepted by rule {rule}"));
            }
            answer["warned"] = rule.into();
        }
        let quote_words = quoted.as_ref().map(|l| {
            let from = l.from.as_deref().map_or_else(String::new, |f| self.name(f));
            format!("{from}:\n{}", l.text)
        });
        let said = Said {
            from: who.into(),
            msgtype: msgtype.into(),
            body: body.clone(),
            quote: quote_words,
            ..Said::default()
        };
        let (line, msgid) = self.say(group, said, now);
        let at_bot = format!("@{}", self.credentials.bot.name);
        let heard = matches!(msgtype, "text" | "mixed") && words(msgtype, &body).contains(&at_bot);
        if heard && self.bot_group(group).is_some() {
            let mut message = bot_message(msgtype, &body);
            if let Some(line) = quoted {
                message["quote"] = bot_message(&line.msgtype, &line.body);
            }
            self.bot_hears(&BotChat::Group(group.into()), who, message, now);
        }
        answer["line"] = line.into();
        answer["msgid"] = msgid.into();
        Ok(answer)
    }

    /// The first 敏感词 rule that an employee's words to customers break, and whether it blocks.
    fn intercepted(&self, who: &str, text: &str) -> Option<(String, bool)> {
        let person = self.people.get(who).filter(|p| p.kind == PersonKind::Employee)?;
        self.rules
            .iter()
            .filter(|r| {
                r.users.contains(who)
                    || r.departments.contains(&1)
                    || r.departments.contains(&(person.department as i64))
            })
            .find(|r| r.words.iter().any(|w| text.contains(w.as_str())))
            .map(|r| (r.id.clone(), r.kind == 1))
    }

    fn recall(&mut self, who: &str, group: &str, no: u64, now: Timestamp) -> Result<Value, Refused> {
        self.member_role(who, group)?;
        let line = self.groups.get_mut(group).and_then(|g| g.lines.iter_mut().find(|l| l.no == no));
        let Some(line) = line.filter(|l| l.from.as_deref() == Some(who) && !l.recalled) else {
            return refuse("only one's own messages can be taken back");
        };
        line.recalled = true;
        let before = line.msgid.clone();
        let msgid = format!("{before}_recall");
        self.archive_message(group, who, &msgid, "revoke", json!({ "pre_msgid": before }), now);
        Ok(json!({}))
    }

    fn come(
        &mut self,
        group: &str,
        people: &[String],
        scene: u8,
        by: Option<String>,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        let (kind, before) = self.open_group(group).map(|g| (g.kind, g.member_version))?;
        let mut new = Vec::new();
        for id in people {
            let person = self.someone(id)?;
            if kind != GroupKind::Customer && person.kind == PersonKind::External {
                return refuse("external people can only be in customer groups");
            }
            if !self.groups.get(group).is_some_and(|g| g.has(id)) && !new.contains(id) {
                new.push(id.clone());
            }
        }
        if new.is_empty() {
            return refuse("already in the group");
        }
        let names: Vec<_> = new.iter().map(|id| format!("「{}」", self.name(id))).collect();
        let line = match &by {
            Some(by) => format!("「{}」邀请{}加入了群聊", self.name(by), names.join("、")),
            None => format!("{}通过扫描二维码加入群聊", names.join("、")),
        };
        if let Some(g) = self.groups.get_mut(group) {
            for id in &new {
                g.add(id, now, scene, by.clone());
            }
            g.system(line, now, None);
        }
        let scene = if scene == 1 { 0 } else { 3 };
        self.chat_changed(group, &ChatChange::Joined { who: &new, scene, before }, now);
        Ok(json!({}))
    }

    fn go(&mut self, group: &str, who: &str, by: &str, removed: bool, now: Timestamp) -> Result<Value, Refused> {
        let before = self.open_group(group)?.member_version;
        let (name, by_name) = (self.name(who), self.name(by));
        if let Some(g) = self.groups.get_mut(group) {
            g.take_out(who, by, removed, now);
            if removed {
                g.system(format!("「{name}」被「{by_name}」移出群聊"), now, Some(who));
            } else {
                g.system(format!("「{name}」退出了群聊"), now, None);
            }
        }
        self.chat_changed(group, &ChatChange::Gone { who: &[who.to_owned()], removed, before }, now);
        Ok(json!({}))
    }

    fn mute(&mut self, who: &str, group: &str, person: &str, on: bool, now: Timestamp) -> Result<Value, Refused> {
        self.managing(who, group)?;
        if self.member_role(person, group)? != Role::Member {
            return refuse("only ordinary members can be muted");
        }
        if self.open_group(group)?.kind == GroupKind::Customer {
            return refuse("customer groups have no mute");
        }
        let line = format!("「{}」被「{}」{}", self.name(person), self.name(who), if on { "禁言" } else { "解除禁言" });
        if let Some(g) = self.groups.get_mut(group) {
            if on {
                g.muted.insert(person.to_owned())
            } else {
                g.muted.remove(person)
            };
            g.system(line, now, None);
        }
        Ok(json!({}))
    }

    fn change_group(
        &mut self,
        group: &str,
        line: String,
        detail: &'static str,
        now: Timestamp,
        change: impl FnOnce(&mut Group),
    ) -> Result<Value, Refused> {
        if let Some(g) = self.groups.get_mut(group) {
            change(g);
            g.system(line, now, None);
        }
        self.chat_changed(group, &ChatChange::Updated(detail), now);
        Ok(json!({}))
    }

    fn own_item(&mut self, who: &str, agent: Option<i64>, text: &str, now: Timestamp) -> String {
        let msgid = self.id("own-", 20);
        self.tell(
            who,
            Item {
                msgid: msgid.clone(),
                at: now,
                agent,
                mine: true,
                msgtype: "text".into(),
                text: text.into(),
                body: json!({ "content": text }),
                recalled: false,
                card: None,
                stream: None,
            },
        );
        msgid
    }

    fn tell_app(&mut self, who: &str, text: &str, now: Timestamp) -> Result<Value, Refused> {
        if self.someone(who)?.kind != PersonKind::Employee {
            return refuse("only employees see the app");
        }
        self.own_item(who, Some(super::config::APP_AGENT), text, now);
        let msgid = 7_300_000_000_000_000_000 + self.serial();
        let mut xml = Writer::new();
        xml.text("ToUserName", &self.credentials.corp_id);
        xml.text("FromUserName", who);
        xml.number("CreateTime", now.as_second());
        xml.text("MsgType", "text");
        xml.text("Content", text);
        xml.number("MsgId", msgid);
        xml.number("AgentID", super::config::APP_AGENT);
        self.effects.push(Effect::App(xml.finish()));
        Ok(json!({"msgid": msgid.to_string()}))
    }

    fn leave_company(&mut self, who: &str, now: Timestamp) -> Result<Value, Refused> {
        let who = self.someone(who)?.id.clone();
        let places: Vec<_> = self.groups.values().filter(|g| g.has(&who)).map(|g| g.id.clone()).collect();
        for group in places {
            self.go(&group, &who, &who, false, now)?;
        }
        if let Some(person) = self.people.get_mut(&who) {
            person.left = true;
        }
        self.archive.seats.remove(&who);
        let fields = [("ChangeType", "delete_user".to_owned()), ("UserID", who)];
        self.app_event("sys", "change_contact", &fields, "", now);
        Ok(json!({}))
    }

    fn consent(&mut self, who: &str, agrees: bool, now: Timestamp) -> Result<Value, Refused> {
        let Some(person) = self.people.get_mut(who).filter(|p| p.kind == PersonKind::External) else {
            return refuse("only external people are asked");
        };
        person.consents = agrees;
        if let Some(group) = self.groups.values().find(|g| g.has(who)).map(|g| g.id.clone()) {
            let (kind, time) = if agrees { ("agree", "agree_time") } else { ("disagree", "disagree_time") };
            let msgid = self.id("consent", 20);
            let place = &self.groups[&group];
            let message = json!({"msgid": msgid, "action": "send", "from": who, "tolist": [place.owner],
                "roomid": place.room, "msgtime": now.as_millisecond(), "msgtype": kind,
                kind: {"userid": who, time: now.as_millisecond()}});
            self.archive_raw(message, now);
        }
        Ok(json!({}))
    }

    fn new_group(
        &mut self,
        id: &str,
        kind: GroupKind,
        name: &str,
        members: &[String],
        room: Option<String>,
        webhook: Option<String>,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        if kind == GroupKind::App {
            return refuse("app groups are made through appchat/create");
        }
        if self.groups.contains_key(id) {
            return refuse(format!("{id} exists already"));
        }
        let Some(owner) = members.first() else { return refuse("a group needs an owner") };
        for member in members {
            self.someone(member)?;
        }
        let mut ids: Vec<&str> = members.iter().map(String::as_str).collect();
        if kind == GroupKind::Bot {
            ids.push(BOT_ROBOT);
        }
        let mut group = Group::new(id, kind, name, &ids, now);
        if let Some(room) = room {
            group.room = room;
        }
        group.system(format!("「{}」创建了群聊", self.name(owner)), now, None);
        self.add_group(group);
        self.chat_changed(id, &ChatChange::Created, now);
        if let Some(key) = webhook {
            self.webhooks.insert(key, id.to_owned());
        }
        Ok(json!({}))
    }
}

/// A message as the bot's callback carries it.
fn bot_message(msgtype: &str, body: &Value) -> Value {
    if msgtype == "mixed" {
        let items: Vec<_> = body["item"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| {
                let kind = item["type"].as_str().unwrap_or("text");
                let inner: Value = serde_json::from_str(item["content"].as_str().unwrap_or("{}")).unwrap_or_default();
                json!({"msgtype": kind, kind: inner})
            })
            .collect();
        return json!({"msgtype": "mixed", "mixed": {"msg_item": items}});
    }
    match msgtype {
        "text" | "image" | "voice" | "file" | "video" => json!({"msgtype": msgtype, msgtype: body}),
        other => json!({"msgtype": "text", "text": {"content": words(other, body)}}),
    }
}
