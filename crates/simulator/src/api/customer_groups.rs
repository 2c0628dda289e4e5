//! `externalcontact/get` and `externalcontact/groupchat/*`: customers and their groups, to look at.

use serde_json::{Value, json};

use super::{Call, Errcode, fail};
use crate::world::PersonKind;
use qunguan_model::GroupKind;

/// `POST externalcontact/groupchat/list`
pub fn list(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let limit = match call.body["limit"].as_u64() {
        Some(limit @ 1..=1000) => limit as usize,
        _ => return fail(40058, "limit must be 1..1000"),
    };
    let owners = call.body.pointer("/owner_filter/userid_list").and_then(Value::as_array).cloned().unwrap_or_default();
    if owners.len() > 100 {
        return fail(40032, "userid_list has more than 100 entries");
    }
    let owned = |owner: &str| owners.is_empty() || owners.iter().any(|o| o.as_str() == Some(owner));
    let all: Vec<_> = call
        .state
        .groups
        .values()
        .filter(|g| g.kind == GroupKind::Customer && !g.dissolved && owned(&g.owner))
        .map(|g| g.id.clone())
        .collect();
    let from = match call.text("cursor") {
        "" => 0,
        cursor => match cursor.strip_prefix("after-").and_then(|n| n.parse().ok()) {
            Some(from) => from,
            None => return fail(40058, "invalid cursor"),
        },
    };
    let page: Vec<_> = all.iter().skip(from).take(limit).map(|id| json!({"chat_id": id, "status": 0})).collect();
    let mut answer = json!({ "group_chat_list": page });
    if from + limit < all.len() {
        answer["next_cursor"] = format!("after-{}", from + limit).into();
    }
    Ok(answer)
}

/// `POST externalcontact/groupchat/get`
pub fn get(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let id = call.text("chat_id");
    let Some(group) = call.state.groups.get(id).filter(|g| g.kind == GroupKind::Customer) else {
        return fail(40050, "invalid chat_id");
    };
    if group.dissolved {
        return fail(49008, "the chat was dismissed");
    }
    let names = call.body["need_name"] == 1;
    let (version, members) = group.list_at(call.shown_as_of("externalcontact/groupchat/get"));
    let members: Vec<_> = members
        .iter()
        .map(|member| {
            let person = call.state.people.get(&member.id);
            let external = person.is_some_and(|p| p.kind == PersonKind::External);
            let mut row = json!({"userid": member.id, "type": if external { 2 } else { 1 },
                "join_time": member.joined.as_second(), "join_scene": member.scene});
            if names {
                row["name"] = call.state.name(&member.id).into();
                row["group_nickname"] = "".into();
            }
            if let Some(inviter) = &member.inviter {
                row["invitor"] = json!({ "userid": inviter });
            }
            row
        })
        .collect();
    let admins: Vec<_> = group.admins.iter().map(|id| json!({ "userid": id })).collect();
    Ok(json!({"group_chat": {"chat_id": group.id, "name": group.name, "owner": group.owner,
        "create_time": group.created.as_second(), "notice": group.notice,
        "member_version": group.version_text(version), "member_list": members, "admin_list": admins}}))
}

/// `GET externalcontact/get?external_userid=`: a customer, whom the owners of their groups follow.
pub fn customer(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let id = call.param("external_userid");
    let Some(person) = call.state.people.get(id).filter(|person| person.kind == PersonKind::External) else {
        return fail(40096, "invalid external userid");
    };
    let groups = call.state.groups.values().filter(|g| g.kind == GroupKind::Customer && !g.dissolved);
    let mut followers: Vec<_> = groups
        .filter_map(|group| Some((group.owner.as_str(), group.members.iter().find(|member| member.id == id)?.joined)))
        .filter(|(owner, _)| call.state.in_range(owner).is_some())
        .collect();
    followers.sort_unstable();
    followers.dedup_by_key(|(owner, _)| *owner);
    if followers.is_empty() {
        return fail(84061, "not external contact");
    }
    let follow_user: Vec<_> = followers
        .into_iter()
        .map(|(owner, since)| {
            json!({"userid": owner, "remark": person.name, "description": "",
            "createtime": since.as_second(), "tags": [], "add_way": 0})
        })
        .collect();
    Ok(json!({"external_contact": {"external_userid": person.id, "name": person.name, "avatar": "",
        "type": if person.id.starts_with("wo") { 2 } else { 1 }, "gender": 0}, "follow_user": follow_user}))
}
