//! Who comes and who goes, by their own or by somebody else's hand; new groups, and people who leave the company.

use serde_json::{Value, json};

use super::{
    act::{Refused, refuse},
    config::BOT_ROBOT,
    state::{ChatChange, State},
    world::{Group, PersonKind},
};
use jiff::Timestamp;
use qunguan_model::{GroupKind, Role};

impl State {
    pub(super) fn come(
        &mut self,
        group: &str,
        people: &[String],
        scene: u8,
        by: Option<&str>,
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
        let line = match by {
            Some(by) => format!("「{}」邀请{}加入了群聊", self.name(by), names.join("、")),
            None => format!("{}通过扫描二维码加入群聊", names.join("、")),
        };
        if let Some(g) = self.groups.get_mut(group) {
            for id in &new {
                g.add(id, now, scene, by.map(str::to_owned));
            }
            g.system(line, now, None);
        }
        let scene = if scene == 1 { 0 } else { 3 };
        self.chat_changed(group, &ChatChange::Joined { who: &new, scene, before }, now);
        Ok(json!({}))
    }

    pub(super) fn go(
        &mut self,
        group: &str,
        who: &str,
        by: &str,
        removed: bool,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        let before = self.open_group(group)?.member_version;
        let (name, by_name) = (self.name(who), self.name(by));
        if let Some(g) = self.groups.get_mut(group) {
            g.remove_member(who, by, removed, now);
            if removed {
                g.system(format!("「{name}」被「{by_name}」移出群聊"), now, Some(who));
            } else {
                g.system(format!("「{name}」退出了群聊"), now, None);
            }
        }
        self.chat_changed(group, &ChatChange::Gone { who: &[who.to_owned()], removed, before }, now);
        Ok(json!({}))
    }

    pub(super) fn mute(
        &mut self,
        who: &str,
        group: &str,
        person: &str,
        on: bool,
        now: Timestamp,
    ) -> Result<Value, Refused> {
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

    pub(super) fn change_group(
        &mut self,
        group: &str,
        line: String,
        detail: &'static str,
        now: Timestamp,
        change: impl FnOnce(&mut Group),
    ) {
        if let Some(g) = self.groups.get_mut(group) {
            change(g);
            g.system(line, now, None);
        }
        self.chat_changed(group, &ChatChange::Updated(detail), now);
    }

    pub(super) fn leave_company(&mut self, who: &str, now: Timestamp) -> Result<Value, Refused> {
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

    pub(super) fn consent(&mut self, who: &str, agrees: bool, now: Timestamp) -> Result<Value, Refused> {
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

    pub(super) fn new_group(
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
