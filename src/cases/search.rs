//! Looking for cases: in all groups that who asks may see, narrowed by what a person remembers of one.

use super::Cases;
use crate::{
    access::{self, Action, Actor},
    model::{CaseId, Category, GroupId, MemberId, Step, Timestamp},
    refusal::ActError,
    store::{Case, CaseQuery, CaseState},
};

/// Cases read at once.
const AT_ONCE: usize = 200;
/// One page looks at no more cases; `next` goes on behind them.
const MOST_READ: usize = 5_000;

/// What is looked for; all fields narrow.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// In this group.
    pub group: Option<GroupId>,
    /// About this person.
    pub member: Option<MemberId>,
    /// Where it stands.
    pub state: Option<CaseState>,
    /// What it is about.
    pub category: Option<Category>,
    /// What was decided.
    pub step: Option<Step>,
    /// Said at or after.
    pub since: Option<Timestamp>,
    /// Said before.
    pub until: Option<Timestamp>,
    /// Its number, its member's name, its rule or, for who may open them, its words hold this.
    pub words: String,
    /// Only older than this one, for paging.
    pub after: Option<CaseId>,
    /// At most so many.
    pub limit: usize,
}

/// What was found, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The cases.
    pub cases: Vec<Case>,
    /// Where to go on. A page may be short, or empty, and still have one.
    pub next: Option<CaseId>,
}

impl Cases {
    /// Looks for cases. Who may see only some groups finds what happened there.
    pub async fn search(&self, actor: &Actor, wanted: &Search) -> Result<Found, ActError> {
        let group = wanted.group.as_ref().map(|group| self.groups.get(group));
        if let Some(group) = &group {
            access::ask(actor, Action::ReadCase, Some(group))?;
        }
        let mut found = Found { next: wanted.after.clone(), ..Found::default() };
        let mut looked_at = 0;
        loop {
            let query = CaseQuery {
                group: group.as_ref().map(|group| group.id().clone()),
                member: wanted.member.clone(),
                state: wanted.state,
                after: found.next.take(),
                limit: AT_ONCE,
            };
            let page = self.store.cases(&query).await?;
            let last = page.len() < AT_ONCE;
            for case in page {
                // Newest first, by the time they were opened; messages that come late are some hours older at most.
                looked_at += 1;
                found.next = Some(case.id.clone());
                if self.is_wanted(actor, wanted, &case) {
                    found.cases.push(case);
                    if found.cases.len() >= wanted.limit.max(1) {
                        return Ok(found);
                    }
                }
            }
            if last {
                return Ok(Found { next: None, ..found });
            }
            if looked_at >= MOST_READ {
                return Ok(found);
            }
        }
    }

    fn is_wanted(&self, actor: &Actor, wanted: &Search, case: &Case) -> bool {
        let group = self.groups.get(&case.group);
        let may = |action| access::may(&actor.who, action, Some(&group)).is_ok();
        let words = wanted.words.trim();
        let holds = |text: &str| text.to_lowercase().contains(&words.to_lowercase());
        let named = || {
            holds(case.id.as_str())
                || holds(group.member_name(&case.member))
                || holds(case.member.as_str())
                || holds(&case.rule)
        };
        wanted.category.is_none_or(|category| category == case.category)
            && wanted.step.is_none_or(|step| step == case.step)
            && wanted.since.is_none_or(|since| case.at >= since)
            && wanted.until.is_none_or(|until| case.at < until)
            && may(Action::ReadCase)
            && (words.is_empty() || named() || (may(Action::OpenEvidence) && holds(&case.all_evidence())))
    }
}
