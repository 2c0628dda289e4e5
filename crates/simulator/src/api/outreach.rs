//! `pstncc/call`: phones that ring. `externalcontact/group_welcome_template/*`: greetings that owners of customer groups may choose.

use serde_json::{Value, json};

use super::{Call, Errcode, fail};
use qunguan_wecom::outreach::WELCOME_BYTES;

/// Greetings a company may have.
const TEMPLATES: usize = 100;
/// Nobody of that name, in a call's own state.
const NOBODY: i64 = 60111;

/// `POST pstncc/call`
pub fn call(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let people = call.texts("callee_userid")?;
    if people.is_empty() {
        return fail(40058, "callee_userid is empty");
    }
    let mut states = Vec::new();
    for person in people {
        match call.state.employee(&person).map(|known| known.id.clone()) {
            Some(id) => {
                let callid = call.state.id("call", 20);
                call.state.calls_rung.push((call.now, id.clone()));
                states.push(json!({"code": 0, "callid": callid, "userid": id}));
            }
            None => states.push(json!({"code": NOBODY, "userid": person})),
        }
    }
    Ok(json!({ "states": states }))
}

fn content(call: &Call<'_>) -> Result<Value, Errcode> {
    let text = call.body.pointer("/text/content").and_then(Value::as_str).unwrap_or_default();
    if text.len() > WELCOME_BYTES {
        return fail(40058, "text.content exceeds 3000 bytes");
    }
    let link = &call.body["link"];
    let linked = ["title", "url"].iter().all(|field| link[field].as_str().is_some_and(|text| !text.is_empty()));
    if !link.is_null() && !linked {
        return fail(40063, "link needs a title and a url");
    }
    if text.is_empty() && link.is_null() {
        return fail(40063, "text and link are both missing");
    }
    Ok(json!({ "text": call.body["text"], "link": link }))
}

/// `POST externalcontact/group_welcome_template/add`
pub fn add(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let content = content(call)?;
    if call.state.greetings.len() >= TEMPLATES {
        return fail(41055, "too many welcome templates");
    }
    let id = call.state.id("msg", 24);
    call.state.greetings.insert(id.clone(), content);
    Ok(json!({ "template_id": id }))
}

fn known(call: &Call<'_>) -> Result<String, Errcode> {
    let id = call.text("template_id").to_owned();
    if call.state.greetings.contains_key(&id) { Ok(id) } else { fail(40058, "invalid template_id") }
}

/// `POST externalcontact/group_welcome_template/edit`
pub fn edit(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let (id, content) = (known(call)?, content(call)?);
    call.state.greetings.insert(id, content);
    Ok(Value::Null)
}

/// `POST externalcontact/group_welcome_template/get`
pub fn get(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let id = known(call)?;
    Ok(call.state.greetings[&id].clone())
}

/// `POST externalcontact/group_welcome_template/del`
pub fn delete(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let id = known(call)?;
    call.state.greetings.remove(&id);
    Ok(Value::Null)
}
