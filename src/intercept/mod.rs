//! WeCom's own 敏感词: the words of chosen wordlists are pushed to WeCom, whose clients then stop (or remind about) what
//! employees write to customers, before it is sent. Customers' messages and internal groups are not touched by it.
//!
//! Only rules whose name begins with [`PREFIX`] are ours; the company's own rules are never read further, changed or removed.

mod client_rules;
mod plan;
mod words;

use serde_json::{Value, json};

pub use client_rules::for_harassment;
pub use plan::{Change, PREFIX, Plan, Range, Rule, TooMany, Wanted, plan};
pub use words::{Choice, LeftOut, choose};

use crate::{
    model::Timestamp,
    settings::{Intercept, Problem, Settings, files::Kind},
    wecom::client::{Client, ClientError},
};

/// The rule was deleted meanwhile, or never existed.
const GONE: [i64; 2] = [41070, 41071];

/// What the lists give that WeCom can do something with by itself: those named, or with `None` all.
pub fn chosen(
    settings: &Settings,
    lists: Option<&[String]>,
    block: bool,
    now: Timestamp,
) -> Result<Choice, Vec<Problem>> {
    let (documents, _) = settings.lists().0.read_all();
    let weights = settings.scores()?;
    let fine: Vec<&str> =
        settings.detect.brands.iter().chain(&settings.detect.staff_names).map(String::as_str).collect();
    let from: Vec<String> = match lists {
        None => documents.iter().map(|document| document.name().to_owned()).collect(),
        Some(lists) => lists.iter().map(|name| Kind::Wordlist.file(name)).collect(),
    };
    let today = now.to_zoned(settings.time_zone.clone()).date();
    Ok(choose(&documents, &from, &fine, &weights, block, today))
}

/// What the settings want to be pushed, and what of the chosen lists cannot be.
pub fn wanted(settings: &Settings, intercept: &Intercept, now: Timestamp) -> Result<(Wanted, Choice), Vec<Problem>> {
    let choice = chosen(settings, Some(&intercept.wordlists), intercept.block, now)?;
    let range = Range {
        users: intercept.users.iter().map(|user| user.to_lowercase()).collect(),
        departments: intercept.departments.iter().copied().collect(),
    };
    Ok((Wanted { words: choice.words.clone(), block: intercept.block, range }, choice))
}

/// Our rules as WeCom has them, and how many others there are.
pub async fn read(client: &Client) -> Result<(Vec<Rule>, usize), ClientError> {
    let mut ours = Vec::new();
    let mut others = 0;
    for (id, name) in client.intercept_rules().await? {
        if !name.starts_with(PREFIX) {
            others += 1;
            continue;
        }
        match client.intercept_rule(&id).await {
            Ok(rule) => ours.push(from_json(id, name, &rule)),
            Err(error) if error.code().is_some_and(|code| GONE.contains(&code)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok((ours, others))
}

/// Does what is planned: first what makes room. Stopped in between, the next plan holds the rest.
pub async fn apply(client: &Client, plan: &Plan) -> Result<(), ClientError> {
    for change in &plan.changes {
        match change {
            Change::Delete { id, .. } => match client.delete_intercept_rule(id).await {
                Err(error) if error.code().is_some_and(|code| GONE.contains(&code)) => {}
                other => other?,
            },
            Change::Update { .. } => client.update_intercept_rule(&update_json(change, &plan.wanted)).await?,
            Change::Create { name, words } => {
                client.add_intercept_rule(&create_json(name, words, &plan.wanted)).await?;
            }
        }
    }
    Ok(())
}

fn texts(value: &Value) -> impl Iterator<Item = String> + '_ {
    value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned))
}

fn from_json(id: String, name: String, rule: &Value) -> Rule {
    let range = &rule["applicable_range"];
    Rule {
        id,
        name,
        words: texts(&rule["word_list"]).collect(),
        block: rule["intercept_type"] == 1,
        range: Range {
            users: texts(&range["user_list"]).map(|user| user.to_lowercase()).collect(),
            departments: range["department_list"].as_array().into_iter().flatten().filter_map(Value::as_i64).collect(),
        },
    }
}

fn kind(block: bool) -> i64 {
    if block { 1 } else { 2 }
}

fn range_json(range: &Range) -> Value {
    json!({ "user_list": range.users, "department_list": range.departments })
}

fn create_json(name: &str, words: &[String], wanted: &Wanted) -> Value {
    json!({
        "rule_name": name,
        "word_list": words,
        "intercept_type": kind(wanted.block),
        "applicable_range": range_json(&wanted.range),
    })
}

/// The shape of a change differs from that of a creation: the range goes by deltas, and only what is given changes.
fn update_json(change: &Change, wanted: &Wanted) -> Value {
    let Change::Update { id, words, added, removed, block, add_range, remove_range, .. } = change else {
        return Value::Null;
    };
    let mut body = json!({ "rule_id": id });
    if !added.is_empty() || !removed.is_empty() {
        body["word_list"] = json!(words);
    }
    if *block {
        body["intercept_type"] = json!(kind(wanted.block));
    }
    if !add_range.is_empty() {
        body["add_applicable_range"] = range_json(add_range);
    }
    if !remove_range.is_empty() {
        body["remove_applicable_range"] = range_json(remove_range);
    }
    body
}
