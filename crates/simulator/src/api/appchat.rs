//! `appchat/*`: groups the app created. The one place where a server removes somebody.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Call, Errcode, fail, message};
use crate::{
    config::{APP_AGENT, APP_ROBOT},
    limits::{DAY, HOUR, MINUTE},
    state::Said,
    world::Group,
};
use qunguan_model::GroupKind;

const CREATES_PER_DAY: u64 = 1000;
const CHANGES_PER_HOUR: u64 = 1000;
const PERSON_TIMES_PER_MINUTE: u64 = 20_000;
const PERSON_TIMES_PER_HOUR: u64 = 150_000;
/// What one member gets from one app over all its groups; the rest is dropped with errcode 0.
const TO_ONE_MEMBER: &[(u64, i64)] = &[(200, MINUTE), (10_000, DAY)];
const MEMBERS: std::ops::RangeInclusive<usize> = 2..=2000;
const NAME_CHARS: usize = 50;
/// What the app may say in a group; no `template_card`.
const TYPES: &[&str] = &["text", "image", "voice", "video", "file", "textcard", "news", "mpnews", "markdown"];

/// Checks that these are employees and returns their stored ids, each once.
fn employees(call: &Call<'_>, ids: &[String]) -> Result<Vec<String>, Errcode> {
    let mut known = Vec::new();
    for id in ids {
        match call.state.employee(id) {
            Some(person) if known.contains(&person.id) => {}
            Some(person) => known.push(person.id.clone()),
            None => return fail(86216, format!("invalid userid in list: {id}")),
        }
    }
    Ok(known)
}

/// The group, if this app created it.
fn own_group<'a>(call: &'a Call<'_>, id: &str) -> Result<&'a Group, Errcode> {
    if id.is_empty() {
        return fail(86201, "missing chatid");
    }
    match call.state.groups.get(id) {
        Some(group) if group.kind == GroupKind::App && group.agent == Some(call.agent) => {
            if group.dissolved {
                fail(86003, "chatid does not exist")
            } else {
                Ok(group)
            }
        }
        Some(_) => fail(86008, "chat was not created by this app"),
        None => fail(86003, "chatid does not exist"),
    }
}

fn cut_name(name: &str) -> String {
    name.chars().take(NAME_CHARS).collect()
}

/// `POST appchat/create`
pub fn create(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let wanted = call.texts("userlist")?;
    if wanted.is_empty() {
        return fail(86204, "missing userlist");
    }
    let members = employees(call, &wanted)?;
    if !MEMBERS.contains(&members.len()) {
        return fail(86006, "number of members must be 2..2000");
    }
    let owner = match call.text("owner") {
        "" => members[0].clone(),
        owner => match call.state.employee(owner).map(|p| p.id.clone()).filter(|id| members.contains(id)) {
            Some(owner) => owner,
            None => return fail(86207, "owner is not in userlist"),
        },
    };
    let chatid = match call.text("chatid") {
        "" => call.state.id("wr", 30),
        id if id.len() > 32 => return fail(86205, "chatid too long"),
        id if !id.bytes().all(|b| b.is_ascii_alphanumeric()) => return fail(86001, "illegal chatid"),
        id if call.state.groups.contains_key(id) => return fail(86215, "chatid already exists"),
        id => id.to_owned(),
    };
    if !call.state.limits.allow("appchat-create", CREATES_PER_DAY, DAY, 1, call.now) {
        return fail(45009, "api freq out of limit");
    }
    let name = cut_name(call.text("name"));
    let name = if name.is_empty() { "群聊".to_owned() } else { name };
    let mut order: Vec<&str> = vec![&owner];
    order.extend(members.iter().filter(|m| **m != owner).map(String::as_str));
    let mut group = Group::new(&chatid, GroupKind::App, &name, &order, call.now);
    group.agent = Some(call.agent);
    call.state.add_group(group);
    Ok(json!({ "chatid": chatid }))
}

/// `POST appchat/update`: all of it or nothing of it, unless the switch says otherwise.
pub fn update(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let id = call.text("chatid").to_owned();
    own_group(call, &id)?;
    let mut wanted = call.texts("add_user_list")?;
    if !call.state.unknowns.update_is_atomic {
        wanted.retain(|id| call.state.employee(id).is_some());
    }
    let add = employees(call, &wanted)?;
    let delete = call.texts("del_user_list")?;
    let group = own_group(call, &id)?;
    let mut leaving = BTreeSet::new();
    for person in &delete {
        match call.state.find_person(person).map(|p| p.id.clone()).filter(|p| group.has(p)) {
            Some(person) => leaving.insert(person),
            None if call.state.unknowns.update_is_atomic => {
                return fail(86216, format!("userid not in chat: {person}"));
            }
            None => false,
        };
    }
    let mut after: BTreeSet<_> = group.members.iter().map(|m| m.id.clone()).collect();
    after.extend(add.iter().cloned());
    after.retain(|m| !leaving.contains(m));
    let owner = match call.text("owner") {
        "" if leaving.contains(&group.owner) => return fail(86203, "missing owner: the owner is being removed"),
        "" => group.owner.clone(),
        wanted => match call.state.employee(wanted).map(|p| p.id.clone()).filter(|p| after.contains(p)) {
            Some(owner) => owner,
            None => return fail(86207, "owner is not in the chat"),
        },
    };
    if !MEMBERS.contains(&after.len()) {
        return fail(86006, "number of members must be 2..2000");
    }
    if !call.state.limits.allow("appchat-change", CHANGES_PER_HOUR, HOUR, 1, call.now) {
        return fail(45009, "api freq out of limit");
    }
    let name = cut_name(call.text("name"));
    let now = call.now;
    let joined: Vec<_> = add.into_iter().filter(|p| !call.state.groups[&id].has(p)).collect();
    let named = |ids: &mut dyn Iterator<Item = &String>| {
        ids.map(|id| format!("「{}」", call.state.name(id))).collect::<Vec<_>>().join("、")
    };
    let left_names = named(&mut leaving.iter());
    let joined_names = named(&mut joined.iter());
    let owner_name = call.state.name(&owner);
    let Some(group) = call.state.groups.get_mut(&id) else { return fail(86003, "chatid does not exist") };
    for person in &leaving {
        group.remove_member(person, APP_ROBOT, true, now);
    }
    if !leaving.is_empty() {
        let only = leaving.first().filter(|_| leaving.len() == 1).cloned();
        group.system(format!("{left_names}被移出群聊"), now, only.as_deref());
    }
    for person in &joined {
        group.add(person, now, 1, None);
    }
    if !joined.is_empty() {
        group.system(format!("{joined_names}加入群聊"), now, None);
    }
    if group.owner != owner {
        group.admins.remove(&owner);
        group.owner = owner;
        group.system(format!("「{owner_name}」成为新的群主"), now, None);
    }
    if !name.is_empty() && name != group.name {
        group.name.clone_from(&name);
        group.system(format!("群名改为“{name}”"), now, None);
    }
    Ok(Value::Null)
}

/// `GET appchat/get?chatid=`
pub fn get(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let id = call.param("chatid").to_owned();
    let group = own_group(call, &id)?;
    let (_, members) = group.list_at(call.shown_as_of("appchat/get"));
    let users: Vec<_> = members.iter().map(|m| m.id.as_str()).collect();
    Ok(json!({"chat_info": {"chatid": group.id, "name": group.name, "owner": group.owner, "userlist": users,
        "chat_type": 0}}))
}

/// `POST appchat/send`
pub fn send(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let id = call.text("chatid").to_owned();
    let group = own_group(call, &id)?;
    let members: Vec<_> = group.members.iter().map(|m| m.id.clone()).collect();
    let msgtype = call.text("msgtype").to_owned();
    if !TYPES.contains(&msgtype.as_str()) {
        return fail(86214, "invalid msgtype for appchat/send");
    }
    let body = message::check_body(call, &msgtype)?;
    let weight = members.len() as u32;
    if !call.state.limits.allow("appchat-send", PERSON_TIMES_PER_MINUTE, MINUTE, weight, call.now)
        || !call.state.limits.allow("appchat-send-hour", PERSON_TIMES_PER_HOUR, HOUR, weight, call.now)
    {
        return fail(45009, "api freq out of limit");
    }
    let dropped = members
        .into_iter()
        .filter(|m| !call.state.limits.pass(&format!("in-groups/{APP_AGENT}/{m}"), TO_ONE_MEMBER, call.now))
        .collect();
    let said = Said { from: APP_ROBOT.into(), msgtype, body, dropped, ..Said::default() };
    call.state.say(&id, said, call.now);
    Ok(Value::Null)
}
