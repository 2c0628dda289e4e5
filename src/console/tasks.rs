//! 待办: everything that waits for a person, what is due first on top, with the buttons that its card has.

use std::sync::Arc;

use askama::Template;
use axum::{Extension, extract::State};

use super::{
    Console,
    case::{Answer, button},
    frame::{Frame, Page, encode, named, page},
    visit::Visit,
};
use crate::{
    access::Action,
    cases::waiting::{Waiting, What},
    model::Timestamp,
    zh,
};

/// One thing that waits, in a list.
pub(super) struct Waits {
    pub(super) what: String,
    pub(super) group: String,
    pub(super) about: String,
    pub(super) since: String,
    pub(super) due: String,
    pub(super) late: bool,
    pub(super) to: String,
    pub(super) answers: Option<Answers>,
}

/// What may be answered on the spot.
pub(super) struct Answers {
    pub(super) case: String,
    pub(super) task: String,
    pub(super) buttons: Vec<Answer>,
}

impl Console {
    pub(super) fn waits(&self, visit: &Visit, waiting: &Waiting) -> Waits {
        let answers = match &waiting.what {
            What::Request(task, ask, case) if self.may(visit, Action::DecideCase, &waiting.group) => Some(Answers {
                case: case.id.to_string(),
                task: task.id.to_string(),
                buttons: ask.request.answers().iter().copied().map(button).collect(),
            }),
            _ => None,
        };
        Waits { answers, ..Waits::new(waiting, self.api.clock.now()) }
    }
}

impl Waits {
    fn new(waiting: &Waiting, now: Timestamp) -> Self {
        let group = &waiting.group;
        let (what, about, to) = match &waiting.what {
            What::Request(_, ask, case) => {
                let about = format!("{} · {}", named(group, &case.member), case.matter());
                (ask.request.zh().to_owned(), about, format!("/cases/{}", case.id))
            }
            What::Appeal(appeal, case) => {
                let about = format!("{} · {} · {}", named(group, &appeal.member), case.matter(), case.step.zh());
                ("申诉".into(), about, format!("/appeals#{}", appeal.case))
            }
            What::Report(report) => {
                let author =
                    report.author.as_ref().map_or("未能对应到发言人".into(), |author| named(group, author));
                ("举报".into(), author, format!("/appeals#{}", report.id))
            }
            What::Breaker(open) => {
                ("熔断".into(), open.why.clone(), format!("/groups/{}", encode(group.id().as_str())))
            }
        };
        Self {
            answers: None,
            what,
            about,
            to,
            group: group.name().to_owned(),
            since: zh::when(waiting.since, now),
            late: waiting.due < now,
            due: if waiting.due < now {
                format!("已过 {}", zh::length(now.duration_since(waiting.due)))
            } else {
                format!("{} 前", zh::when(waiting.due, now))
            },
        }
    }
}

#[derive(Template)]
#[template(path = "console/tasks.html")]
struct Tasks {
    frame: Frame,
    waits: Vec<Waits>,
    late: usize,
}

/// The list.
pub(super) async fn list(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Page {
    let waiting = console.api.cases.waiting(&visit.who.actor).await?;
    let mut waits: Vec<Waits> = waiting.iter().map(|waiting| console.waits(&visit, waiting)).collect();
    waits.extend(console.drafts(&visit).await?);
    let late = waits.iter().filter(|waits| waits.late).count();
    page(&Tasks { frame: console.frame(&visit, "待办", "/tasks"), waits, late })
}
