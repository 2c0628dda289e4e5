//! 违规: the queue and the archive. Words are masked here; who needs them opens a case.

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
use crate::{
    access::Action,
    cases::Search,
    model::{CaseId, Category, GroupId, SignedDuration, Step, Timestamp},
    store::{Case, CaseState},
    zh,
};

/// Cases on a page.
const AT_ONCE: usize = 30;

/// One case in a list.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) at: String,
    pub(super) group: String,
    pub(super) member: String,
    pub(super) category: &'static str,
    /// For the style.
    pub(super) grave: &'static str,
    pub(super) step: &'static str,
    pub(super) state: &'static str,
    pub(super) words: String,
    /// They may take it back, and there is something to take back.
    pub(super) can_undo: bool,
}

impl Console {
    pub(super) fn row(&self, visit: &Visit, case: &Case) -> Row {
        let group = self.api.groups.get(&case.group);
        let undoes = case.state != CaseState::Revoked && case.step >= Step::Warn;
        Row {
            id: case.id.to_string(),
            at: self.when(case.at),
            group: group.name().to_owned(),
            member: named(&group, &case.member),
            category: case.matter(),
            grave: case.severity.id(),
            step: case.step.zh(),
            state: case.state.zh(),
            words: zh::masked(&case.evidence),
            can_undo: undoes && self.may(visit, Action::DecideCase, &group),
        }
    }
}

/// What is asked for, as the form shows it again.
#[derive(Default)]
struct Asked {
    group: String,
    state: String,
    category: String,
    step: String,
    from: String,
    to: String,
    words: String,
}

/// An entry of a list to choose from.
struct Choice {
    id: String,
    name: String,
    chosen: bool,
}

fn choices<'a>(all: impl Iterator<Item = (&'a str, &'a str)>, chosen: &str) -> Vec<Choice> {
    all.map(|(id, name)| Choice { id: id.to_owned(), name: name.to_owned(), chosen: id == chosen }).collect()
}

#[derive(Template)]
#[template(path = "console/cases.html")]
struct Cases {
    frame: Frame,
    groups: Vec<Choice>,
    states: Vec<Choice>,
    categories: Vec<Choice>,
    steps: Vec<Choice>,
    asked: Asked,
    /// Something narrows the list.
    narrowed: bool,
    /// `from` and `to` of today, of the last seven days.
    today: String,
    week: String,
    rows: Vec<Row>,
    next: Option<String>,
}

/// Midnight of a day as the browser writes it.
fn day(text: &str) -> Option<Timestamp> {
    let date: jiff::civil::Date = text.parse().ok()?;
    Some(date.at(0, 0, 0, 0).to_zoned(zh::zone()).ok()?.timestamp())
}

/// The next midnight, or the end of time.
fn end_of_day(midnight: Timestamp) -> Timestamp {
    midnight.saturating_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX)
}

/// The list.
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Page {
    let get = |name: &str| query.get(name).map(|value| value.trim().to_owned()).unwrap_or_default();
    let asked = Asked {
        group: get("group"),
        state: get("state"),
        category: get("category"),
        step: get("step"),
        from: get("from"),
        to: get("to"),
        words: get("q"),
    };
    let search = Search {
        group: Some(&asked.group).filter(|id| !id.is_empty()).map(|id| GroupId::from(id.as_str())),
        member: Some(get("member")).filter(|id| !id.is_empty()).map(Into::into),
        state: asked.state.parse::<CaseState>().ok(),
        category: asked.category.parse::<Category>().ok(),
        step: asked.step.parse::<Step>().ok(),
        since: day(&asked.from),
        until: day(&asked.to).map(end_of_day),
        words: asked.words.clone(),
        after: Some(get("after")).filter(|id| !id.is_empty()).map(CaseId::from),
        limit: AT_ONCE,
    };
    let found = console.api.cases.search(&visit.who.actor, &search).await?;
    let groups = console.groups_for(&visit, Action::ReadCase);
    let now = console.api.clock.now().to_zoned(zh::zone());
    let week = now.date().checked_sub(jiff::Span::new().days(6)).unwrap_or(now.date());
    let next = found.next.map(|after| {
        let kept = query.iter().filter(|(name, value)| *name != "after" && !value.is_empty());
        let kept: String = kept.map(|(name, value)| format!("{}={}&", encode(name), encode(value))).collect();
        format!("/cases?{kept}after={}", encode(after.as_str()))
    });
    page(&Cases {
        frame: console.frame(&visit, "违规", "/cases"),
        groups: choices(groups.iter().map(|group| (group.id().as_str(), group.name())), &asked.group),
        states: choices(CaseState::ALL.iter().map(|state| (state.id(), state.zh())), &asked.state),
        categories: choices(Category::ALL.iter().map(|category| (category.id(), category.zh())), &asked.category),
        steps: choices(Step::ALL.iter().skip(1).map(|step| (step.id(), step.zh())), &asked.step),
        narrowed: query.values().any(|value| !value.is_empty()),
        today: format!("/cases?from={0}&to={0}", now.date()),
        week: format!("/cases?from={week}&to={}", now.date()),
        rows: found.cases.iter().map(|case| console.row(&visit, case)).collect(),
        next,
        asked,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_even_the_last_one() {
        let to = |text: &str| day(text).map(end_of_day);
        assert_eq!(to("2026-05-04"), day("2026-05-05"));
        for text in ["9999-12-30", "9999-12-31"] {
            assert!(to(text).is_none_or(|end| day(text).is_some_and(|day| end > day)), "{text}");
        }
        assert_eq!((to(""), to("10000-01-01"), to("昨天")), (None, None, None));
    }
}
