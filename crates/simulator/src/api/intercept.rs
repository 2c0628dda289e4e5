//! `externalcontact/*_intercept_rule`: WeCom's own 敏感词, which stop what employees write to customers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Call, Errcode, fail};
use crate::state::{InterceptRule, State};

/// Ids are numbers, written as text in some answers.
const FIRST_ID: u64 = 1_684_000_000;
const RULES: usize = 100;
const WORDS: usize = 300;
const WORD_CHARS: usize = 32;
const NAME_CHARS: usize = 20;
const RANGE: usize = 1000;

fn check_name(state: &State, name: &str, own: Option<&str>) -> Result<String, Errcode> {
    let length = name.chars().count();
    let taken = state.rules.iter().any(|r| r.name == name && Some(r.id.as_str()) != own);
    if length == 0 || length > NAME_CHARS || taken {
        return fail(41077, "rule_name must be unique and have 1..20 characters");
    }
    Ok(name.to_owned())
}

fn check_words(words: Vec<String>) -> Result<Vec<String>, Errcode> {
    if words.is_empty() || words.len() > WORDS {
        return fail(41068, "word_list must have 1..300 words");
    }
    if words.iter().any(|w| !(1..=WORD_CHARS).contains(&w.chars().count())) {
        return fail(41083, "a word must have 1..32 characters");
    }
    Ok(words)
}

fn check_semantics(value: &Value) -> Result<Vec<i64>, Errcode> {
    let list: Vec<_> = value.as_array().map_or_else(Vec::new, |l| l.iter().map(|v| v.as_i64().unwrap_or(0)).collect());
    if list.iter().any(|s| !(1..=3).contains(s)) { fail(41084, "semantics_list: 1, 2 or 3") } else { Ok(list) }
}

fn range(state: &State, value: &Value) -> Result<(BTreeSet<String>, BTreeSet<i64>), Errcode> {
    let users = value["user_list"].as_array().cloned().unwrap_or_default();
    let departments = value["department_list"].as_array().cloned().unwrap_or_default();
    if users.len() > RANGE || departments.len() > RANGE {
        return fail(41076, "applicable_range has more than 1000 entries");
    }
    let mut known = BTreeSet::new();
    for user in users.iter().filter_map(Value::as_str) {
        match state.in_range(user) {
            Some(person) => known.insert(person.id.clone()),
            None => return fail(60011, format!("no privilege to access user: {user}")),
        };
    }
    Ok((known, departments.iter().filter_map(Value::as_i64).collect()))
}

fn index(call: &Call<'_>) -> Result<usize, Errcode> {
    let id = &call.body["rule_id"];
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    match call.state.rules.iter().position(|r| r.id == id) {
        Some(at) => Ok(at),
        None if call.state.deleted_rules.contains(&id) => fail(41071, "rule was deleted"),
        None => fail(41070, "invalid rule_id"),
    }
}

fn kind(value: &Value) -> Result<i64, Errcode> {
    match value.as_i64() {
        Some(kind @ 1..=2) => Ok(kind),
        _ => fail(40058, "intercept_type: 1 or 2"),
    }
}

/// `POST externalcontact/add_intercept_rule`: `semantics_list` stands at the top level here.
pub fn add(call: &mut Call<'_>) -> Result<Value, Errcode> {
    if call.state.rules.len() >= RULES {
        return fail(41069, "more than 100 rules");
    }
    let name = check_name(call.state, call.text("rule_name"), None)?;
    let words = check_words(call.texts("word_list")?)?;
    let semantics = check_semantics(&call.body["semantics_list"])?;
    let kind = kind(&call.body["intercept_type"])?;
    let (users, departments) = range(call.state, &call.body["applicable_range"])?;
    if users.is_empty() && departments.is_empty() {
        return fail(41076, "applicable_range is empty");
    }
    let id = (FIRST_ID + call.state.serial()).to_string();
    let rule = InterceptRule { id: id.clone(), name, words, semantics, kind, users, departments, created: call.now };
    call.state.rules.push(rule);
    Ok(json!({ "rule_id": id }))
}

/// `GET externalcontact/get_intercept_rule_list`
pub fn list(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let rules: Vec<_> = call
        .state
        .rules
        .iter()
        .map(|r| json!({"rule_id": r.id, "rule_name": r.name, "create_time": r.created.as_second()}))
        .collect();
    Ok(json!({ "rule_list": rules }))
}

/// `POST externalcontact/get_intercept_rule`: the id is a number here, and `semantics_list` stands inside `extra_rule` in older
/// answers and at the top in newer ones.
pub fn get(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let rule = &call.state.rules[index(call)?];
    let id: Option<u64> = rule.id.parse().ok();
    Ok(json!({"rule": {"rule_id": id, "rule_name": rule.name, "word_list": rule.words,
        "semantics_list": rule.semantics, "extra_rule": {"semantics_list": rule.semantics}, "intercept_type": rule.kind,
        "applicable_range": {"user_list": rule.users, "department_list": rule.departments}}}))
}

/// `POST externalcontact/update_intercept_rule`: only what is given changes; the range by deltas.
pub fn update(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let at = index(call)?;
    let mut rule = call.state.rules[at].clone();
    if call.body.get("rule_name").is_some() {
        rule.name = check_name(call.state, call.text("rule_name"), Some(&rule.id))?;
    }
    if call.body.get("word_list").is_some() {
        rule.words = check_words(call.texts("word_list")?)?;
    }
    if let Some(semantics) = call.body.pointer("/extra_rule/semantics_list") {
        rule.semantics = check_semantics(semantics)?;
    }
    if let Some(value) = call.body.get("intercept_type") {
        rule.kind = kind(value)?;
    }
    let (users, departments) = range(call.state, &call.body["add_applicable_range"])?;
    rule.users.extend(users);
    rule.departments.extend(departments);
    let (users, departments) = range(call.state, &call.body["remove_applicable_range"])?;
    rule.users.retain(|u| !users.contains(u));
    rule.departments.retain(|d| !departments.contains(d));
    if rule.users.is_empty() && rule.departments.is_empty() {
        return fail(41076, "applicable_range would be empty");
    }
    call.state.rules[at] = rule;
    Ok(Value::Null)
}

/// `POST externalcontact/del_intercept_rule`
pub fn delete(call: &mut Call<'_>) -> Result<Value, Errcode> {
    let rule = index(call)?;
    let rule = call.state.rules.remove(rule);
    call.state.deleted_rules.insert(rule.id);
    Ok(Value::Null)
}
