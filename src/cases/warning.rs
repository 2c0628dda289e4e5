//! What a member says to a warning of their own: 知道了, or that what looks like a leak was needed for work.

use serde_json::json;

use super::{Cases, entry};
use crate::{
    access::Actor,
    audit::Act,
    model::CaseId,
    refusal::{ActError, Refusal},
    store::{Case, CaseState, Task, TaskUpdate, Tx, transaction::transact},
    tasks::{self, Ask, Happened, Request},
};

impl Cases {
    /// Somebody's own case; that of somebody else looks like no case at all.
    pub(super) async fn own(&self, tx: &mut Tx<'_>, actor: &Actor, id: &CaseId) -> Result<Option<Case>, ActError> {
        let member = actor.own()?;
        Ok(tx.case(id).await?.filter(|case| case.member == *member))
    }

    /// The member has read the warning; once is enough.
    pub async fn read_warning(&self, actor: &Actor, id: &CaseId) -> Result<(), ActError> {
        let now = self.clock.now();
        transact!(self.store.as_ref(), |tx| {
            if let Some(mut case) = self.own(tx, actor, id).await?
                && case.happened(Happened::Read).is_none()
            {
                case.note(now, actor.name(), Happened::Read, "本人已读");
                tx.audit(actor, now, entry(Act::ReadWarning, &case)).await?;
                tx.put_case(case);
            }
        });
        Ok(())
    }

    /// What looked like a leak was meant to be sent: whoever looks after it reads the reason, and at once.
    pub async fn needed_for_work(&self, actor: &Actor, id: &CaseId) -> Result<(), ActError> {
        let now = self.clock.now();
        transact!(self.store.as_ref(), |tx| {
            let Some(mut case) = self.own(tx, actor, id).await? else { return Err(super::request::gone().into()) };
            if case.state != CaseState::Open {
                return Err(Refusal::decided("已处理，无需说明").into());
            }
            if case.happened(Happened::Reason).is_none() {
                case.note(now, actor.name(), Happened::Reason, "本人说明：工作需要");
                tx.audit(actor, now, entry(Act::ExplainCase, &case).now(json!({ "reason": "工作需要" }))).await?;
                tx.put_case(case);
            }
            let ticket = tx.task(&Ask::id(id, Request::Leak)).await?;
            let nobody_asked = |task: &Task| tasks::payload::<Ask>(task).is_some_and(|ask| ask.asked.is_empty());
            if let Some(ticket) = ticket.filter(|task| !task.state.is_final() && task.due > now && nobody_asked(task)) {
                tx.update_task(TaskUpdate::wake(ticket.id, now, "本人已说明原因"));
            }
        });
        self.moderation.ring();
        Ok(())
    }
}
