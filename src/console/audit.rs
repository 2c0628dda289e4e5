//! 审计: who did what, newest first; never what was said.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    Extension,
    extract::{Query, State},
};

use super::{
    Console,
    frame::{Frame, Page, encode, named, page},
    visit::Visit,
};
use crate::audit::{self, Act, Wanted};

/// Records on a page.
const AT_ONCE: usize = 50;

struct Row {
    at: String,
    by: String,
    face: &'static str,
    act: &'static str,
    group: String,
    subject: String,
    /// Where the subject is shown, if it is.
    to: Option<String>,
    member: String,
}

#[derive(Template)]
#[template(path = "console/audit.html")]
struct Audit {
    frame: Frame,
    acts: Vec<(&'static str, &'static str, bool)>,
    by: String,
    subject: String,
    rows: Vec<Row>,
    next: Option<String>,
}

/// The list.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Page {
    let get = |name: &str| query.get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let action = get("action").and_then(|action| action.parse::<Act>().ok());
    let wanted = Wanted {
        by: get("by"),
        subject: get("subject"),
        action,
        after: get("after"),
        limit: AT_ONCE,
        ..Wanted::default()
    };
    let found = audit::list(console.api.store.as_ref(), &visit.who.actor, None, wanted).await?;
    let rows = found.records.into_iter().map(|listed| {
        let record = listed.record;
        let group = record.group.as_ref().map(|group| console.api.groups.get(group));
        let member = record.member.as_ref().map(|member| match &group {
            Some(group) => named(group, member),
            None => member.to_string(),
        });
        let (kind, id) = record.subject.split_once(':').unwrap_or(("", &record.subject));
        let to = match kind {
            "case" => Some(format!("/cases/{id}")),
            "notice" => Some(format!("/notices/{id}")),
            "group" => Some(format!("/groups/{}", encode(id))),
            _ => None,
        };
        Row {
            at: console.when(record.at),
            by: match &record.by.person {
                Some(person) if person.as_str() != record.by.name => format!("{}（{person}）", record.by.name),
                _ => record.by.name.clone(),
            },
            face: record.face.zh(),
            act: record.action.zh(),
            group: group.map(|group| group.name().to_owned()).unwrap_or_default(),
            member: member.unwrap_or_default(),
            subject: id.to_owned(),
            to,
        }
    });
    let rows = rows.collect();
    let next = found.next.map(|after| {
        let kept = query.iter().filter(|(name, value)| *name != "after" && !value.is_empty());
        let kept: String = kept.map(|(name, value)| format!("{}={}&", encode(name), encode(value))).collect();
        format!("/audit?{kept}after={}", encode(&after))
    });
    page(&Audit {
        frame: console.frame(&visit, "审计", "/audit"),
        acts: Act::ALL.iter().map(|act| (act.id(), act.zh(), Some(*act) == action)).collect(),
        by: get("by").unwrap_or_default(),
        subject: get("subject").unwrap_or_default(),
        rows,
        next,
    })
}
