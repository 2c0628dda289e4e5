//! Everything a person can do in the client, and a script to the world, as one list: the chat page and the control API send it
//! as JSON, tests as values.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    cards::Selected,
    rights::Rights,
    state::{BotChat, ChatChange, Effect, State},
    world::{Person, PersonKind},
};
use jiff::Timestamp;
use qunguan_model::{GroupKind, Role};

/// Why the client (or the control API) would not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// Something a person does in the client, or a script does to the world. In JSON: `{"do":"post","as":"li","group":"…",…}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// Says something in a group: `text`, or any `msgtype` with its archive `body` (an `image` may bring its file along, as
    /// `{"base64": …}`).
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
        #[serde(default)]
        text: String,
        /// A picture instead, base64.
        #[serde(default)]
        picture: Option<String>,
        /// Another kind: `voice`, of which the bot hears the words; `file` or `video`, whose bytes are in `picture`.
        #[serde(default)]
        kind: Option<String>,
    },
    /// Rates an answer of the bot that carried a feedback id: 1 right, 2 wrong, 3 takes it back.
    Rate {
        /// Who.
        #[serde(rename = "as")]
        who: String,
        /// 1, 2 or 3.
        rating: u8,
        /// What they write to it.
        #[serde(default)]
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
    /// What the admin console grants the app: departments in its visible range (1 is everybody), and 客户联系.
    Rights {
        /// Departments; none is nobody.
        departments: BTreeSet<u64>,
        /// May call `externalcontact/*`.
        #[serde(default = "yes")]
        customers: bool,
    },
    /// Who created the smart bot: unless it was a super administrator, the userids it is given are encrypted.
    BotCreator {
        /// 超级管理员.
        super_administrator: bool,
    },
    /// A group's 消息推送 robot is removed: its keys answer 93000.
    NoWebhook {
        /// Where.
        group: String,
    },
    /// Who has an archive seat.
    Seats {
        /// Employees.
        people: Vec<String>,
    },
    /// Sends any XML to the app's callback address: events nobody has heard of.
    EventRaw {
        /// The plain document.
        xml: String,
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

/// Refuses with a reason.
pub(super) fn refuse<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(why.into()))
}

impl State {
    /// Does it.
    pub fn act(&mut self, act: Act, now: Timestamp) -> Result<Value, Refused> {
        match act {
            Act::Post { who, group, text, msgtype, body, quote } => {
                let msgtype = msgtype.unwrap_or_else(|| "text".into());
                let body = if body.is_null() { json!({ "content": text }) } else { body };
                self.post(&who, &group, &msgtype, &body, quote, now)
            }
            Act::Recall { who, group, line } => self.recall(&who, &group, line, now),
            Act::Join { who, group, scene } => self.come(&group, &[who], scene.unwrap_or(3), None, now),
            Act::Invite { who, group, people } => {
                self.member_role(&who, &group)?;
                self.come(&group, &people, 1, Some(&who), now)
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
                self.change_group(&group, line, "change_name", now, |g| g.name = name);
                Ok(json!({}))
            }
            Act::Notice { who, group, text } => {
                self.managing(&who, &group)?;
                let line = format!("「{}」修改了群公告：{text}", self.name(&who));
                self.change_group(&group, line, "change_notice", now, |g| g.notice = text);
                Ok(json!({}))
            }
            Act::Hand { who, group, person } => {
                self.owning(&who, &group)?;
                self.member_role(&person, &group)?;
                let line = format!("「{}」成为新的群主", self.name(&person));
                self.change_group(&group, line, "change_owner", now, |g| {
                    g.admins.remove(&person);
                    g.owner = person;
                });
                Ok(json!({}))
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
            Act::TellBot { who, text, picture, kind } => {
                self.tell_bot(&who, &text, picture.as_deref(), kind.as_deref(), now)
            }
            Act::Rate { who, rating, text } => {
                self.someone(&who)?;
                let detail = json!({"id": self.id("feedback-", 24), "type": rating, "content": text});
                self.bot_event(&BotChat::Person(who.clone()), &who, "feedback_event", detail, now);
                Ok(json!({}))
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
            Act::Rights { departments, customers } => {
                self.rights = Rights { departments, customers };
                Ok(json!({}))
            }
            Act::BotCreator { super_administrator } => {
                self.bot.encrypts_ids = !super_administrator;
                Ok(json!({}))
            }
            Act::NoWebhook { group } => {
                self.webhooks.retain(|_, into| *into != group);
                Ok(json!({}))
            }
            Act::Seats { people } => {
                self.archive.seats = people.into_iter().collect();
                Ok(json!({}))
            }
            Act::EventRaw { xml } => {
                self.effects.push(Effect::App(xml));
                Ok(json!({}))
            }
            Act::ArchiveRaw { message } => Ok(json!({"seq": self.archive_raw(message, now)})),
        }
    }
}
