//! 待办: everything that waits for a person, with its clock; for who may decide about it.

use std::sync::Arc;

use super::{
    Cases, RequestAnswer,
    appeal::{ANSWER_WITHIN, Appeal, AppealState},
    report::{Report, ReportState},
};
use crate::{
    access::{self, Action, Actor},
    groups::Group,
    model::Timestamp,
    moderation::breaker::BREAKERS,
    policy::breaker::{Breaker, Open},
    refusal::ActError,
    store::{Case, Task, TaskQuery, TaskState},
    tasks::{self, Ask, Kind, Request},
};

/// Tasks read at once.
const AT_ONCE: usize = 1_000;

/// One thing that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Where.
    pub group: Arc<Group>,
    /// Since when.
    pub since: Timestamp,
    /// By when somebody should answer, or is asked next.
    pub due: Timestamp,
    /// What.
    pub what: What,
}

/// What waits.
#[derive(Clone, Debug)]
pub enum What {
    /// Something about a case: judge it, carry it out.
    Request(Box<Task>, Ask, Box<Case>),
    /// An appeal against a case.
    Appeal(Appeal, Box<Case>),
    /// A member's report.
    Report(Report),
    /// Too many removals: everything is only recorded.
    Breaker(Open),
}

impl What {
    /// What one must be allowed to do to settle it.
    pub const fn takes(&self) -> Action {
        match self {
            Self::Request(..) => Action::DecideCase,
            Self::Appeal(..) => Action::AnswerAppeal,
            Self::Report(_) => Action::JudgeReport,
            Self::Breaker(_) => Action::AnswerBreaker,
        }
    }
}

impl Request {
    /// What may be answered to it.
    pub const fn answers(self) -> &'static [RequestAnswer] {
        use RequestAnswer::{Confirm, Done, OnlyWarn, Wrong};
        match self {
            Self::Mute | Self::Remove => &[Done, OnlyWarn, Wrong],
            Self::Warn | Self::Leak => &[Done, Wrong],
            Self::Review => &[Confirm, Wrong],
            Self::Lift => &[Done],
        }
    }
}

impl Cases {
    /// Everything that waits for who asks, or for somebody else who may decide in the same groups; what is due first, first.
    pub async fn waiting(&self, actor: &Actor) -> Result<Vec<Waiting>, ActError> {
        let may = |action, group: &Group| access::may(&actor.who, action, Some(group)).is_ok();
        let mut all = Vec::new();
        for state in [TaskState::WaitsForPerson, TaskState::Pending] {
            let mut after = None;
            loop {
                let query = TaskQuery { state: Some(state), after, limit: AT_ONCE, ..TaskQuery::default() };
                let page = self.store.tasks(&query).await?;
                let last = page.len() < AT_ONCE;
                after = page.last().map(|task| task.id.clone());
                for task in page {
                    let group = self.groups.get(&task.group);
                    if may(Action::ReadCase, &group) {
                        all.extend(self.waits(group, task).await?);
                    }
                }
                if last {
                    break;
                }
            }
        }
        for (id, breaker) in BREAKERS.all(self.store.as_ref(), "").await? {
            let group = self.groups.get(&id.as_str().into());
            if let Some(open) = Breaker::opened(&breaker).filter(|_| may(Action::ReadCase, &group)) {
                all.push(Waiting { group, since: open.since, due: open.since, what: What::Breaker(open.clone()) });
            }
        }
        all.sort_by_key(|waiting| waiting.due);
        Ok(all)
    }

    async fn waits(&self, group: Arc<Group>, task: Task) -> Result<Option<Waiting>, ActError> {
        let Ok(kind) = task.kind.parse::<Kind>() else { return Ok(None) };
        let since = task.created;
        Ok(match kind {
            Kind::Ask if task.state == TaskState::WaitsForPerson => {
                let Some(ask) = tasks::payload::<Ask>(&task) else { return Ok(None) };
                let Some(id) = &task.case else { return Ok(None) };
                let case = self.store.case(id).await?;
                let due = ask.answer_by.unwrap_or(task.due);
                let what = case.map(|case| What::Request(Box::new(task), ask, Box::new(case)));
                what.map(|what| Waiting { group, since, due, what })
            }
            Kind::Appeal => {
                let Some(id) = &task.case else { return Ok(None) };
                let (appeal, case) = (self.appeal(id).await?, self.store.case(id).await?);
                let appeal = appeal.filter(|appeal| appeal.state == AppealState::Open);
                appeal.zip(case).map(|(appeal, case)| Waiting {
                    group,
                    since: appeal.opened,
                    due: appeal.opened + ANSWER_WITHIN,
                    what: What::Appeal(appeal, Box::new(case)),
                })
            }
            Kind::Report => {
                let Some(tasks::Report { report, .. }) = tasks::payload(&task) else { return Ok(None) };
                let report = self.report(&report).await?.filter(|report| report.state == ReportState::Open);
                report.map(|report| Waiting {
                    group,
                    since: report.opened,
                    due: report.opened + ANSWER_WITHIN,
                    what: What::Report(report),
                })
            }
            _ => None,
        })
    }

    /// The request about a case that waits for a person, if there is one.
    pub async fn request_about(&self, actor: &Actor, case: &Case) -> Result<Option<(Task, Ask)>, ActError> {
        access::ask(actor, Action::ReadCase, Some(&self.groups.get(&case.group)))?;
        let query = TaskQuery {
            case: Some(case.id.clone()),
            state: Some(TaskState::WaitsForPerson),
            limit: AT_ONCE,
            ..TaskQuery::default()
        };
        let mut asked = self.store.tasks(&query).await?.into_iter().filter(|task| task.kind == Kind::Ask.id());
        Ok(asked.find_map(|task| tasks::payload::<Ask>(&task).map(|ask| (task, ask))))
    }
}
