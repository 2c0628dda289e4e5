//! Who reads what of cases and tasks: members their own, deciders their group's, programs what their token is for.

use super::Cases;
use crate::{
    access::{self, Action, Actor},
    groups::Group,
    model::{CaseId, GroupId, MemberId},
    moderation::{revoke::no_case, second_opinion},
    refusal::{ActError, Refusal},
    store::{Case, CaseEvent, CaseQuery, StoreError, Task, TaskQuery},
};

/// How a case came about, as far as who asks may know.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// The case.
    pub case: Case,
    /// What happened, oldest first; without the hints that only deciders read.
    pub events: Vec<CaseEvent>,
}

impl Cases {
    /// One case.
    pub async fn case(&self, actor: &Actor, id: &CaseId) -> Result<Case, ActError> {
        let Some(case) = self.store.case(id).await? else { return Err(no_case(id).into()) };
        access::ask(actor, Action::ReadCase, Some(&self.groups.get(&case.group)))?;
        Ok(case)
    }

    /// Whose case it is.
    pub async fn member_of(&self, id: &CaseId) -> Result<Option<MemberId>, StoreError> {
        Ok(self.store.case(id).await?.map(|case| case.member))
    }

    /// A case of one group; one of another group looks like no case at all.
    pub async fn of_group(&self, actor: &Actor, group: &Group, id: &CaseId) -> Result<Option<Case>, ActError> {
        access::ask(actor, Action::ReadCase, Some(group))?;
        Ok(self.store.case(id).await?.filter(|case| case.group == *group.id()))
    }

    /// Cases, newest first. Who is limited to groups asks for one of them.
    pub async fn cases(&self, actor: &Actor, query: &CaseQuery) -> Result<Vec<Case>, ActError> {
        self.may_list(actor, query.group.as_ref())?;
        Ok(self.store.cases(query).await?)
    }

    /// Tasks by id, likewise.
    pub async fn tasks(&self, actor: &Actor, query: &TaskQuery) -> Result<Vec<Task>, ActError> {
        self.may_list(actor, query.group.as_ref())?;
        Ok(self.store.tasks(query).await?)
    }

    fn may_list(&self, actor: &Actor, group: Option<&GroupId>) -> Result<(), Refusal> {
        let group = group.map(|group| self.groups.get(group));
        access::ask(actor, Action::ReadCase, group.as_deref())
    }

    /// How a case came about: to the member it concerns, and to who may read it; to others there is none.
    pub async fn story(&self, actor: &Actor, id: &CaseId) -> Result<Story, ActError> {
        let unknown = || Refusal::not_found(format!("没有找到记录 {id}"));
        let case = self.store.case(id).await?.ok_or_else(unknown)?;
        let group = self.groups.get(&case.group);
        let may = |action| access::may(&actor.who, action, Some(&group)).is_ok();
        if !actor.is(&case.member) && !may(Action::ReadCase) {
            return Err(unknown().into());
        }
        // What a model thought is a hint for those who decide; it is the reason for nothing.
        let decides = may(Action::DecideCase);
        let shown = case.history.iter().filter(|event| decides || !second_opinion::is_hint(event));
        let events = shown.cloned().collect();
        Ok(Story { case, events })
    }
}
