//! Interactive cards after they were sent: who sees what, and what a press on a button sets in motion.

use serde_json::{Value, json};

use super::{
    act::Refused,
    state::{BotChat, Effect, ResponseCode, State},
    world::{Card, Item, words},
    xml::{self, Writer},
};
use jiff::Timestamp;

/// What happens to somebody's card.
#[derive(Clone, Debug)]
pub enum Change {
    /// The buttons give way to a grey label.
    Freeze(String),
    /// A new card.
    Face(Value),
}

/// A choice made in a selector: question and option ids.
pub type Selected = std::collections::BTreeMap<String, Vec<String>>;

impl State {
    /// A fresh code for one change of a card.
    pub fn response_code(&mut self, agent: i64, task: &str, now: Timestamp) -> String {
        let code = self.id("rc-", 32);
        let entry = ResponseCode { agent, task: task.to_owned(), since: now, used: false };
        self.response_codes.insert(code.clone(), entry);
        code
    }

    /// A message of the app in somebody's 1:1 talk, outside `message/send`.
    pub fn tell_from_app(&mut self, person: &str, msgtype: &str, body: Value, at: Timestamp) {
        let msgid = self.id("msg-", 40);
        let item = Item {
            msgid,
            at,
            agent: Some(super::config::APP_AGENT),
            mine: false,
            msgtype: msgtype.into(),
            text: words(msgtype, &body),
            card: (msgtype == "template_card").then(|| Card::new(body.clone())),
            body,
            recalled: false,
            stream: None,
        };
        self.tell(person, item);
    }

    /// Changes the card of one person's talk with the app.
    pub fn change_card(&mut self, person: &str, agent: i64, task: &str, change: &Change) {
        let Some(talk) = self.talks.get_mut(person) else { return };
        for item in talk.iter_mut().filter(|i| i.agent == Some(agent)) {
            let Some(card) = item.card.as_mut().filter(|c| c.face["task_id"] == task) else { continue };
            match change {
                Change::Freeze(label) => {
                    card.frozen.insert(person.to_owned(), label.clone());
                }
                Change::Face(face) => {
                    let mut face = face.clone();
                    if face["task_id"].is_null() {
                        face["task_id"] = task.into();
                    }
                    card.frozen.remove(person);
                    if let Some(label) = face["replace_text"].as_str() {
                        card.frozen.insert(person.to_owned(), label.to_owned());
                    }
                    card.faces.insert(person.to_owned(), face);
                }
            }
        }
    }

    /// Somebody presses a button (or submits, or picks from the menu) of a card in a 1:1 talk or, with `group`, in a group.
    pub fn press(
        &mut self,
        who: &str,
        group: Option<&str>,
        task: &str,
        key: &str,
        selected: &Selected,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        let missing = || Refused(format!("{who} sees no card {task:?}"));
        let (card, bot) = if let Some(group) = group {
            let lines = self.groups.get(group).map(|g| &g.lines).into_iter().flatten().rev();
            let mut cards = lines.filter(|l| l.seen_by.contains(who)).filter_map(|l| l.card.as_ref());
            (cards.find(|c| c.face["task_id"] == task).ok_or_else(missing)?, true)
        } else {
            let items = self.talks.get(who).into_iter().flatten().rev().filter(|i| !i.recalled);
            let mut cards = items.filter_map(|i| i.card.as_ref().map(|c| (c, i.agent.is_none())));
            cards.find(|(c, _)| c.face["task_id"] == task).ok_or_else(missing)?
        };
        if card.frozen.contains_key(who) {
            return Err(Refused("the card is already closed".into()));
        }
        let face = card.face_for(who).clone();
        let menu = has_key(&face["action_menu"]["action_list"], key);
        let button = has_key(&face["button_list"], key) || face["submit_button"]["key"] == key;
        if !menu && !button {
            return Err(Refused(format!("the card has no button {key:?}")));
        }
        let event = if menu { "template_card_menu_event" } else { "template_card_event" };
        let kind = face["card_type"].as_str().unwrap_or_default().to_owned();
        if bot {
            let chat = group.map_or_else(|| BotChat::Person(who.into()), |g| BotChat::Group(g.into()));
            let rows: Vec<_> =
                selected.iter().map(|(q, ids)| json!({"question_key": q, "option_ids": {"option_id": ids}})).collect();
            let mut detail = json!({"card_type": kind, "event_key": key, "task_id": task});
            if !rows.is_empty() {
                detail["selected_items"] = json!({ "selected_item": rows });
            }
            self.bot_event(&chat, who, event, detail, now);
            return Ok(json!({}));
        }
        let code = self.response_code(super::config::APP_AGENT, task, now);
        let mut xml = Writer::new();
        xml.text("ToUserName", &self.credentials.corp_id);
        xml.text("FromUserName", who);
        xml.number("CreateTime", self.faults.shown(now).as_second());
        xml.text("MsgType", "event");
        xml.text("Event", event);
        xml.text("EventKey", key);
        xml.text("TaskId", task);
        xml.text("CardType", &kind);
        xml.text("ResponseCode", &code);
        xml.number("AgentID", super::config::APP_AGENT);
        if !menu && !selected.is_empty() {
            xml.raw(&selected_items(selected));
        }
        self.effects.push(Effect::App(xml.finish()));
        Ok(json!({ "response_code": code }))
    }
}

fn has_key(list: &Value, key: &str) -> bool {
    list.as_array().is_some_and(|l| l.iter().any(|b| b["key"] == key && b["type"].as_i64() != Some(1)))
}

fn selected_items(selected: &Selected) -> String {
    let mut out = String::from("<SelectedItems>");
    for (question, ids) in selected {
        out += "<SelectedItem><QuestionKey>";
        out += &xml::cdata(question);
        out += "</QuestionKey><OptionIds>";
        out += &xml::repeated("OptionId", ids);
        out += "</OptionIds></SelectedItem>";
    }
    out + "</SelectedItems>"
}
