//! 今天: is it hearing and acting, what waits, what was done and can be taken back.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Redirect},
};
use tokio::sync::Mutex;

use super::{
    Console,
    cases::Row,
    frame::{Frame, Page, page},
    tasks::Waits,
    visit::Visit,
};
use crate::{
    access::{self, Action},
    cases::Search,
    coverage::Gap,
    health::{self, Check, Level},
    http::Api,
    model::{Channel, GroupId, MessageId, Role, Step, Timestamp},
    notices::notice::State as NoticeState,
    store::StoreError,
    zh,
};

/// Acts of today that are listed.
const LISTED: usize = 30;
/// Messages counted at once.
const AT_ONCE: usize = 2_000;
/// A notice that ends so soon is mentioned.
const SOON: crate::model::SignedDuration = crate::model::SignedDuration::from_hours(24);
/// Notices looked at.
const NOTICES: usize = 500;

/// How many messages each group brought today; counts on from where it stopped.
#[derive(Default)]
pub struct ReadToday(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    midnight: Timestamp,
    last: Option<MessageId>,
    groups: BTreeMap<GroupId, usize>,
}

/// When today began, as people count days.
pub(super) fn midnight(now: Timestamp) -> Timestamp {
    let day = now.to_zoned(zh::zone()).start_of_day();
    day.map_or(now, |day| day.timestamp())
}

impl ReadToday {
    async fn of(&self, api: &Api, sees: impl Fn(&GroupId) -> bool) -> Result<usize, StoreError> {
        let now = api.clock.now();
        let (mut counted, midnight) = (self.0.lock().await, midnight(now));
        if counted.midnight != midnight {
            *counted = Counted { midnight, ..Counted::default() };
        }
        loop {
            let page = api.store.messages(midnight, counted.last.as_ref(), AT_ONCE).await?;
            let last = page.len() < AT_ONCE;
            for said in page {
                // What was said in private, names that were looked at and what robots say were not said by people in a group.
                let message = &said.message;
                let in_group = !message.group.as_str().is_empty() && message.channel != Channel::Name;
                let by_people = api.groups.get(&message.group).role(&message.sender) != Role::Bot;
                *counted.groups.entry(said.message.group).or_default() += usize::from(in_group && by_people);
                counted.last = Some(said.message.id);
            }
            if last {
                break;
            }
        }
        Ok(counted.groups.iter().filter(|(group, _)| sees(group)).map(|(_, count)| count).sum())
    }
}

/// `12,408`.
pub(super) fn number(count: usize) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|part| std::str::from_utf8(part).ok()).collect();
    groups.join(",")
}

#[derive(Template)]
#[template(path = "console/today.html")]
struct Today {
    frame: Frame,
    /// Everything hears and acts, or what does not.
    first_line: String,
    /// Nothing is lacking.
    well: bool,
    /// What does not, or lacks something.
    lacks: Vec<Check>,
    /// What does.
    works: Vec<Check>,
    /// What of the groups they see is not covered.
    gaps: Vec<(String, String)>,
    waits: Vec<Waits>,
    waiting: usize,
    notices: Vec<(String, String, String)>,
    done: Vec<Row>,
    /// More was done than is listed.
    more: bool,
    summary: String,
}

/// The first page; who has nothing to decide sees how they stand instead.
pub(super) async fn show(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Page {
    let groups = console.groups_for(&visit, Action::ReadCase);
    let actor = &visit.who.actor;
    if groups.is_empty() && access::may(&actor.who, Action::ReadCase, None).is_err() {
        let to = if actor.person().is_some() { "/me" } else { "/account" };
        return Ok(Redirect::to(to).into_response());
    }
    let now = console.api.clock.now();
    let company = access::may(&actor.who, Action::ReadCase, None).is_ok();
    // Sentences that name groups are for who sees all of them.
    let mut checks = console.api.checks().await;
    checks.retain(|check| company || !check.names_groups());
    let gaps = groups.iter().filter(|group| !company && group.configured).filter_map(|group| {
        let gaps: Vec<_> = console.api.readiness.gaps(group).into_iter().map(Gap::zh).collect();
        (!gaps.is_empty()).then(|| (group.name().to_owned(), gaps.join("；")))
    });
    let gaps: Vec<(String, String)> = gaps.collect();
    // Who sees some groups only reads of theirs what the company's admins read of all.
    let theirs = gaps.iter().map(|(group, lacks)| Check::lacking("groups", format!("「{group}」{lacks}")));
    let all: Vec<Check> = checks.iter().cloned().chain(theirs).collect();
    let (first_line, well) = (health::sentence(&all), health::worst(&all) < Level::Degraded);
    let (works, lacks): (Vec<_>, Vec<_>) = checks.into_iter().partition(Check::ok);

    // What waits for others only is on the list of what waits.
    let mut all = console.api.cases.waiting(actor).await?;
    all.retain(|waiting| console.may(&visit, waiting.what.takes(), &waiting.group));
    let mut waits: Vec<Waits> = all.iter().map(|waiting| console.waits(&visit, waiting)).collect();
    waits.extend(console.drafts(&visit).await?);
    let waiting = waits.len();
    waits.truncate(LISTED);

    let mut notices = Vec::new();
    for notice in console.api.notices.visible(actor, None, NOTICES).await?.0 {
        if notice.state != NoticeState::Sent || notice.due.is_none_or(|due| due < now || due > now + SOON) {
            continue;
        }
        let status = console.api.notices.progress(actor, &notice.id).await?;
        let left = notice.due.map(|due| zh::when(due, now)).unwrap_or_default();
        let count = format!("{}/{} 已回执，{left} 截止", status.acknowledged, status.required);
        notices.push((notice.id, status.summary, count));
    }

    let wanted = Search { since: Some(midnight(now)), limit: 500, ..Search::default() };
    let found = console.api.cases.search(actor, &wanted).await?;
    // What a person did by hand, or what followed a yes to what was found before, was not found anew.
    let hits = found.cases.iter().filter(|case| !case.by_hand()).count();
    let sees = |id: &GroupId| console.may(&visit, Action::ReadCase, &console.api.groups.get(id));
    let read = console.read_today.of(&console.api, sees).await?;
    let acted = found.cases.iter().filter(|case| case.step >= Step::Warn && !case.by_hand()).count();
    let summary = match (read, hits) {
        (0, 0) => "今天还没有读到消息".to_owned(),
        (read, 0) => format!("读了 {} 条，没有命中", number(read)),
        (read, hits) if found.next.is_some() => format!("读了 {} 条，命中 {hits} 条以上", number(read)),
        (read, hits) => format!("读了 {} 条，命中 {hits} 条，自动处置 {acted} 条", number(read)),
    };
    let more = found.cases.len() > LISTED;
    let done = found.cases.iter().take(LISTED).map(|case| console.row(&visit, case)).collect();
    page(&Today {
        frame: console.frame(&visit, "今天", "/"),
        first_line,
        well,
        lacks,
        works,
        gaps,
        waits,
        waiting,
        notices,
        done,
        more,
        summary,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_read_in_threes() {
        for (count, text) in [(0, "0"), (999, "999"), (12_408, "12,408"), (1_000_000, "1,000,000")] {
            assert_eq!(super::number(count), text);
        }
    }
}
