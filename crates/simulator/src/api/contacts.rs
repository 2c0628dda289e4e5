//! `user/*`, `department/*`, `agent/get`: the address book as a new self-built app sees it, without private fields.

use serde_json::{Value, json};

use super::{Call, Errcode, fail};
use crate::{bot::open_userid, world::Person};
use qunguan_wecom::directory::OPEN_IDS_AT_ONCE;

/// The sample departments: id, parent, name, leader.
const DEPARTMENTS: &[(u64, u64, &str, &str)] =
    &[(1, 0, "华东公司", "wang"), (2, 1, "销售部", "zhang"), (3, 1, "客服部", ""), (4, 1, "商品部", "")];

fn employees<'a>(call: &'a Call<'_>) -> impl Iterator<Item = &'a Person> {
    call.state.people.values().filter(|p| call.state.in_range(&p.id).is_some())
}

fn shown(person: &Person) -> Value {
    json!({"userid": person.id, "name": person.name, "alias": "", "position": "",
        "department": [person.department], "main_department": person.department, "order": [0],
        "is_leader_in_dept": [0], "direct_leader": [], "status": 1, "enable": 1, "isleader": 0,
        "extattr": {"attrs": []}})
}

/// `GET user/get?userid=`
pub fn user(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let id = call.param("userid");
    match (call.state.in_range(id), call.state.employee(id)) {
        (Some(person), _) => Ok(shown(person)),
        (None, Some(_)) => fail(60011, "no privilege to access this user"),
        (None, None) => fail(60111, "userid not found"),
    }
}

/// `GET user/list?department_id=`: the department's own people.
pub fn users(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let wanted = call.param("department_id").to_owned();
    match DEPARTMENTS.iter().find(|(id, ..)| id.to_string() == wanted) {
        None => return fail(60123, "invalid party id"),
        Some((id, ..)) if !call.state.rights.sees(*id) => return fail(60011, "no privilege to access this party"),
        Some(_) => {}
    }
    let rows: Vec<_> = employees(call).filter(|p| p.department.to_string() == wanted).map(shown).collect();
    Ok(json!({ "userlist": rows }))
}

/// `GET user/simplelist?department_id=`
pub fn simple_list(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let wanted = call.param("department_id").to_owned();
    let rows: Vec<_> = employees(call)
        .filter(|p| wanted == "1" || p.department.to_string() == wanted)
        .map(|p| json!({"userid": p.id, "name": p.name, "department": [p.department]}))
        .collect();
    Ok(json!({ "userlist": rows }))
}

/// `POST user/list_id`
pub fn list_id(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let limit = call.body["limit"].as_u64().unwrap_or(10_000).min(10_000) as usize;
    let after = call.text("cursor").to_owned();
    let mut rows: Vec<_> = employees(call).filter(|p| p.id > after).take(limit + 1).collect();
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map_or("", |p| p.id.as_str());
    let list: Vec<_> = rows.iter().map(|p| json!({"userid": p.id, "department": p.department})).collect();
    Ok(json!({"dept_user": list, "next_cursor": next}))
}

/// `GET department/list`
pub fn departments(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let wanted = call.param("id");
    let rows: Vec<_> = DEPARTMENTS
        .iter()
        .filter(|(id, ..)| call.state.rights.sees(*id))
        .filter(|(id, parent, ..)| wanted.is_empty() || id.to_string() == wanted || parent.to_string() == wanted)
        .map(|(id, parent, name, leader)| {
            let leaders: Vec<_> = employees(call).filter(|p| p.id == *leader).map(|p| &p.id).collect();
            json!({"id": id, "name": name, "parentid": parent, "order": 0, "department_leader": leaders})
        })
        .collect();
    Ok(json!({ "department": rows }))
}

/// `GET department/get?id=`
pub fn department(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let wanted = call.param("id").to_owned();
    let all = departments(call)?;
    let mut rows = all["department"].as_array().into_iter().flatten();
    match rows.find(|row| row["id"].as_u64().is_some_and(|id| id.to_string() == wanted)) {
        Some(row) => Ok(json!({ "department": row })),
        None => fail(60123, "invalid party id"),
    }
}

/// `GET department/simplelist`
pub fn department_ids(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let rows: Vec<_> = DEPARTMENTS
        .iter()
        .filter(|(id, ..)| call.state.rights.sees(*id))
        .map(|(id, parent, ..)| json!({"id": id, "parentid": parent, "order": 0}))
        .collect();
    Ok(json!({ "department_id": rows }))
}

/// `POST batch/openuserid_to_userid`: who is behind the ids that the smart bot was given.
pub fn behind_open_userids(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let asked = call.texts("open_userid_list")?;
    match asked.len() {
        0 => return fail(40058, "open_userid_list is empty"),
        1..=OPEN_IDS_AT_ONCE => {}
        _ => return fail(40058, "open_userid_list has more than 1000 entries"),
    }
    let (mut found, mut invalid) = (Vec::new(), Vec::new());
    for open in asked {
        let behind = employees(call).find(|person| open_userid(&person.id) == open);
        match behind {
            Some(person) => found.push(json!({"open_userid": open, "userid": person.id})),
            None => invalid.push(open),
        }
    }
    Ok(json!({"userid_list": found, "invalid_open_userid_list": invalid}))
}

/// `GET agent/get?agentid=`: name and visible range.
pub fn agent(call: &mut Call<'_>) -> Result<Value, Errcode> {
    if call.param("agentid") != call.agent.to_string() {
        return fail(301_002, "agentid does not belong to this token");
    }
    Ok(json!({"agentid": call.agent, "name": "群管助手", "description": "", "close": 0, "redirect_domain": "",
        "allow_userinfos": {"user": []}, "allow_partys": {"partyid": call.state.rights.departments}, "allow_tags": {"tagid": []}}))
}
