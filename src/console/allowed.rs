//! 放行的句子: what passes in the groups one leads, by whom and until when; and the end of it.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::{Path, State},
};

use super::{
    Console,
    door::{self, Fields},
    frame::{Frame, Page, named, page},
    visit::Visit,
};
use crate::{access::Action, cases::allow::Where, model::CaseId, moderation::case_id, refusal::ActError};

struct Row {
    case: String,
    text: String,
    category: &'static str,
    place: String,
    by: String,
    until: String,
}

#[derive(Template)]
#[template(path = "console/allowed.html")]
struct AllowedPage {
    frame: Frame,
    rows: Vec<Row>,
    can_end: bool,
}

/// The list.
pub(super) async fn list(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Page {
    let all = console.api.cases.allowed_somewhere(&visit.who.actor).await?;
    let rows = all.into_iter().map(|allowed| {
        let group = allowed.pass.group.as_ref().map(|group| console.api.groups.get(group));
        Row {
            case: allowed.case.to_string(),
            category: allowed.category.zh(),
            by: match (&group, allowed.pass.by.as_str()) {
                (_, "") => "旧版本留下的".into(),
                (Some(group), by) => named(group, &by.into()),
                (None, by) => by.into(),
            },
            place: group.map_or_else(|| "全公司".into(), |group| group.name().to_owned()),
            until: allowed.pass.until.map_or_else(|| "一直有效".into(), |until| console.when(until)),
            text: allowed.text,
        }
    });
    page(&AllowedPage {
        frame: console.frame(&visit, "放行的句子", "/words"),
        rows: rows.collect(),
        can_end: !console.groups_for(&visit, Action::DecideCase).is_empty(),
    })
}

/// A sentence passes no more.
pub(super) async fn end(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Page {
    console.api.cases.end_allowance(&visit.who.actor, &case_id::typed(&id)).await?;
    Ok(door::told("/allowed", "已取消放行。"))
}

/// What whoever said "harmless" chose for the same words from now on; a half sentence for the line that tells what was done.
pub(super) async fn chosen(console: &Console, visit: &Visit, fields: &Fields, id: &CaseId) -> Result<String, ActError> {
    let place = match fields.get("allow") {
        "here" => Where::Here,
        "everywhere" => Where::Everywhere,
        _ => return Ok("记录已撤销。".into()),
    };
    let until = console.api.cases.allow(&visit.who.actor, id, place, None).await?;
    let place = if place == Where::Here { "在本群" } else { "在全公司" };
    Ok(format!("记录已撤销；同样的话{place}放行到{}。", console.when(until)))
}
