//! `msgaudit/*`: the HTTP side of 会话内容存档, with the archive's own secret.

use serde_json::{Value, json};

use super::{Call, Errcode, fail};
use crate::world::{Group, PersonKind};
use qunguan_model::GroupKind;

fn room<'a>(call: &'a Call<'_>) -> Result<&'a Group, Errcode> {
    let room = call.text("roomid");
    match call.state.groups.values().find(|g| g.room == room) {
        Some(group) if call.state.archived(&group.id) => Ok(group),
        _ => fail(301_059, "invalid roomid or no archived member in it"),
    }
}

/// `POST msgaudit/groupchat/get`: internal groups only.
pub fn group(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let group = room(call)?;
    if group.kind == GroupKind::Customer {
        return fail(301_059, "not an internal group");
    }
    let members: Vec<_> =
        group.members.iter().map(|m| json!({"memberid": m.id, "jointime": m.joined.as_second()})).collect();
    Ok(json!({"roomname": group.name, "creator": group.owner, "room_create_time": group.created.as_second(),
        "notice": group.notice, "members": members}))
}

/// `POST msgaudit/get_permit_user_list`
pub fn permitted(call: &mut Call<'_>) -> Result<Value, Errcode> {
    Ok(json!({ "ids": call.state.archive.seats }))
}

/// `POST msgaudit/check_room_agree`
pub fn room_agree(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let group = room(call)?;
    let rows: Vec<_> = group
        .members
        .iter()
        .filter_map(|m| call.state.people.get(&m.id).filter(|p| p.kind == PersonKind::External).map(|p| (m, p)))
        .map(|(member, person)| {
            json!({"status_change_time": member.joined.as_second(), "exteranalopenid": person.id,
                "agree_status": if person.consents { "Agree" } else { "Disagree" }})
        })
        .collect();
    Ok(json!({ "agreeinfo": rows }))
}

/// `POST msgaudit/check_single_agree`
pub fn single_agree(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let asked = call.body["info"].as_array().cloned().unwrap_or_default();
    if asked.is_empty() || asked.len() > 100 {
        return fail(40058, "info must have 1..100 entries");
    }
    let rows: Vec<_> = asked
        .iter()
        .map(|row| {
            let person = call.state.people.get(row["exteranalopenid"].as_str().unwrap_or_default());
            let agrees = person.is_some_and(|p| p.consents);
            json!({"status_change_time": call.now.as_second(), "userid": row["userid"],
                "exteranalopenid": row["exteranalopenid"], "agree_status": if agrees { "Agree" } else { "Disagree" }})
        })
        .collect();
    Ok(json!({ "agreeinfo": rows }))
}

/// `GET msgaudit/get_robot_info?robot_id=`
pub fn robot(call: &mut Call<'_>) -> Result<Value, Errcode> {
    match call.state.people.get(call.param("robot_id")).filter(|p| p.kind == PersonKind::Robot) {
        Some(robot) => Ok(json!({"data": {"robot_id": robot.id, "name": robot.name, "creator_userid": "wang"}})),
        None => fail(40058, "invalid robot_id"),
    }
}
