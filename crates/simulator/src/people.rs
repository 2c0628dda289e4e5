//! What people say in the client: in groups, to the app, to the bot; and who may do what in a group.

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use serde_json::{Value, json};

use super::{
    act::{Refused, refuse},
    ids,
    state::{BotChat, Effect, Said, State},
    world::{Group, Item, Person, PersonKind, words},
    xml::Writer,
};
use jiff::Timestamp;
use qunguan_model::{GroupKind, Role};
use qunguan_wecom::archive::message::quote::without_labels;

impl State {
    pub(super) fn someone(&self, who: &str) -> Result<&Person, Refused> {
        match self.people.get(who) {
            Some(person) if person.kind != PersonKind::Robot && !person.left => Ok(person),
            _ => refuse(format!("nobody is called {who:?}")),
        }
    }
    pub(super) fn open_group(&self, group: &str) -> Result<&Group, Refused> {
        match self.groups.get(group) {
            Some(g) if g.dissolved => refuse("the group was dissolved"),
            Some(g) => Ok(g),
            None => refuse(format!("no group is called {group:?}")),
        }
    }
    pub(super) fn member_role(&self, who: &str, group: &str) -> Result<Role, Refused> {
        let g = self.open_group(group)?;
        if g.has(who) { Ok(g.role(who)) } else { refuse(format!("{who} is not in the group")) }
    }
    pub(super) fn managing(&self, who: &str, group: &str) -> Result<Role, Refused> {
        match self.member_role(who, group)? {
            role @ (Role::Owner | Role::Admin) => Ok(role),
            _ => refuse("only the owner and admins can do that"),
        }
    }
    pub(super) fn owning(&self, who: &str, group: &str) -> Result<(), Refused> {
        if self.member_role(who, group)? == Role::Owner { Ok(()) } else { refuse("only the owner can do that") }
    }

    pub(super) fn post(
        &mut self,
        who: &str,
        group: &str,
        msgtype: &str,
        body: &Value,
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
        let body = &self.upload_media(msgtype, body, now)?;
        let mut answer = json!({});
        if kind == GroupKind::Customer
            && let Some((rule, block)) = self.intercepted(who, &words(msgtype, body))
        {
            if block {
                return refuse(format!("intercepted by rule {rule}"));
            }
            answer["warned"] = rule.into();
        }
        let quote_words = quoted.as_ref().map(|l| {
            let from = l.from.as_deref().map_or_else(String::new, |f| self.name(f));
            let shown = if self.unknowns.quote_labels { l.text.clone() } else { without_labels(&l.text) };
            format!("{from}:\n{}", shown.trim())
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
        let heard = matches!(msgtype, "text" | "mixed") && words(msgtype, body).contains(&at_bot);
        if heard && self.bot_group(group).is_some() {
            let mut message = self.bot_message(msgtype, body, now);
            if let Some(line) = quoted {
                message["quote"] = self.bot_message(&line.msgtype, &line.body, now);
            }
            self.bot_hears(&BotChat::Group(group.into()), who, message, now);
        }
        answer["line"] = line.into();
        answer["msgid"] = msgid.into();
        Ok(answer)
    }

    /// Keeps the pictures and files that a message brings along as base64; answers its body with their names in the archive.
    fn upload_media(&mut self, msgtype: &str, body: &Value, now: Timestamp) -> Result<Value, Refused> {
        let mut body = body.clone();
        if body["base64"].is_string() {
            body = self.keep_media(msgtype, &body, now)?;
        }
        for part in body.get_mut("item").and_then(Value::as_array_mut).into_iter().flatten() {
            let inner: Value = serde_json::from_str(part["content"].as_str().unwrap_or_default()).unwrap_or_default();
            if inner["base64"].is_string() {
                part["content"] =
                    self.keep_media(part["type"].as_str().unwrap_or_default(), &inner, now)?.to_string().into();
            }
        }
        Ok(body)
    }

    /// Keeps a picture or a file; answers its body in the archive.
    fn keep_media(&mut self, msgtype: &str, body: &Value, now: Timestamp) -> Result<Value, Refused> {
        let base64 = body["base64"].as_str().unwrap_or_default();
        let bytes = STANDARD.decode(base64).map_err(|e| Refused(format!("not base64: {e}")))?;
        let (size, md5) = (bytes.len(), ids::hex(&Md5::digest(&bytes)));
        let name = body["filename"].as_str().unwrap_or("picture");
        let kind = if msgtype == "file" { "file" } else { "image" };
        let stored = self.store_media(kind, name, bytes, now).map_err(|error| Refused(error.1))?;
        let mut kept = json!({"sdkfileid": stored["media_id"], "md5sum": md5, "filesize": size});
        if msgtype == "file" {
            kept["filename"] = name.into();
            kept["fileext"] = name.rsplit_once('.').map_or("", |(_, ending)| ending).into();
        }
        Ok(kept)
    }

    /// The first 敏感词 rule that an employee's words to customers break, and whether it blocks.
    pub(super) fn intercepted(&self, who: &str, text: &str) -> Option<(String, bool)> {
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

    pub(super) fn recall(&mut self, who: &str, group: &str, no: u64, now: Timestamp) -> Result<Value, Refused> {
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

    pub(super) fn own_item(&mut self, who: &str, agent: Option<i64>, text: &str, now: Timestamp) -> String {
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

    pub(super) fn tell_app(&mut self, who: &str, text: &str, now: Timestamp) -> Result<Value, Refused> {
        if self.someone(who)?.kind != PersonKind::Employee {
            return refuse("only employees see the app");
        }
        self.own_item(who, Some(super::config::APP_AGENT), text, now);
        let msgid = 7_300_000_000_000_000_000 + self.serial();
        let mut xml = Writer::new();
        xml.text("ToUserName", &self.credentials.corp_id);
        xml.text("FromUserName", who);
        xml.number("CreateTime", self.faults.shown(now).as_second());
        xml.text("MsgType", "text");
        xml.text("Content", text);
        xml.number("MsgId", msgid);
        xml.number("AgentID", super::config::APP_AGENT);
        self.effects.push(Effect::App(xml.finish()));
        Ok(json!({"msgid": msgid.to_string()}))
    }

    pub(super) fn tell_bot(
        &mut self,
        who: &str,
        text: &str,
        file: Option<&str>,
        kind: Option<&str>,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        self.someone(who)?;
        let (msgtype, body) = match (kind, file) {
            (Some("voice"), _) => ("voice", json!({ "content": text })),
            (Some(kind @ ("file" | "video")), Some(base64)) => {
                (kind, self.keep_media(kind, &json!({ "base64": base64 }), now)?)
            }
            (Some(kind), _) => return Err(Refused(format!("nobody can send the bot a {kind} like this"))),
            (None, Some(base64)) => ("image", self.keep_media("image", &json!({ "base64": base64 }), now)?),
            (None, None) => ("text", json!({ "content": text })),
        };
        let msgid = self.own_item(who, None, &words(msgtype, &body), now);
        let message = self.bot_message(msgtype, &body, now);
        self.bot_hears(&BotChat::Person(who.to_owned()), who, message, now);
        Ok(json!({ "msgid": msgid }))
    }

    /// A message as the bot's callback carries it.
    fn bot_message(&mut self, msgtype: &str, body: &Value, now: Timestamp) -> Value {
        match msgtype {
            "mixed" => {
                let parts = body["item"].as_array().cloned().unwrap_or_default();
                let items: Vec<_> = parts
                    .iter()
                    .map(|part| {
                        let kind = part["type"].as_str().unwrap_or("text");
                        let inner = serde_json::from_str(part["content"].as_str().unwrap_or("{}")).unwrap_or_default();
                        json!({"msgtype": kind, kind: self.bot_file(&inner, now)})
                    })
                    .collect();
                json!({"msgtype": "mixed", "mixed": {"msg_item": items}})
            }
            "image" | "file" | "video" => json!({"msgtype": msgtype, msgtype: self.bot_file(body, now)}),
            "text" | "voice" => json!({"msgtype": msgtype, msgtype: body}),
            other => json!({"msgtype": "text", "text": {"content": words(other, body)}}),
        }
    }
}
