//! 放行: a sentence that was declared harmless passes from now on, in its group or in the whole company, for some time; and the
//! end of that.
//!
//! Whoever leads the group lets it pass there; for the whole company it takes somebody who decides everywhere. Everybody who
//! decides in a group sees what passes there, by whom and until when.

use serde_json::json;

use super::{Cases, entry};
use crate::{
    access::{self, Action, Actor, Face, Principal},
    audit::Act,
    groups::Group,
    model::{CaseId, SignedDuration, Timestamp},
    moderation::{
        false_positives::{self, Allowed, JUDGEMENTS, Judgement, PASSES_FOR, Pass},
        revoke::no_case,
    },
    refusal::{ActError, Code, Refusal},
    store::{Case, StoreError, Tx, transaction::transact},
    tasks,
};

/// Where a sentence passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where {
    /// In the group of its case.
    Here,
    /// In every group.
    Everywhere,
}

impl Cases {
    /// The words of a case pass from now on; answers until when.
    pub async fn allow(
        &self,
        actor: &Actor,
        id: &CaseId,
        place: Where,
        length: Option<SignedDuration>,
    ) -> Result<Timestamp, ActError> {
        let now = self.clock.now();
        let until = now.saturating_add(length.unwrap_or(PASSES_FOR)).unwrap_or(Timestamp::MAX);
        let judgement = transact!(self.store.as_ref(), |tx| {
            let (case, mut judgement) = self.judged(tx, actor, id, place).await?;
            let before = judgement.passes.clone();
            let group = (place == Where::Here).then(|| case.group.clone());
            judgement.passes = Some(Pass { group, by: actor.name().to_owned(), since: Some(now), until: Some(until) });
            tx.put(JUDGEMENTS, id.as_str(), &judgement).await?;
            let record = entry(Act::AllowSentence, &case)
                .was(json!({ "passes": before }))
                .now(json!({ "passes": judgement.passes }));
            tx.audit(actor, now, record).await?;
            judgement
        });
        self.moderation.taught(id, &judgement);
        Ok(until)
    }

    /// They do not pass any more.
    pub async fn end_allowance(&self, actor: &Actor, id: &CaseId) -> Result<(), ActError> {
        let now = self.clock.now();
        let judgement = transact!(self.store.as_ref(), |tx| {
            let passes = tx.get(JUDGEMENTS, id.as_str()).await?.and_then(|judgement| judgement.passes);
            // What passes everywhere may be ended in everybody's name by who leads the group it came from.
            let (case, mut judgement) = self.judged(tx, actor, id, Where::Here).await?;
            if passes.is_none() {
                return Err(Refusal::new(Code::WrongState, format!("{id} 的那句话没有放行")).into());
            }
            judgement.passes = None;
            tx.put(JUDGEMENTS, id.as_str(), &judgement).await?;
            let record =
                entry(Act::EndAllowance, &case).was(json!({ "passes": passes })).now(json!({ "passes": null }));
            tx.audit(actor, now, record).await?;
            judgement
        });
        self.moderation.taught(id, &judgement);
        Ok(())
    }

    /// What passes in a group, newest first; without one: everywhere, for who decides everywhere.
    pub async fn allowed(&self, actor: &Actor, group: Option<&Group>) -> Result<Vec<Allowed>, ActError> {
        access::ask(actor, Action::ReadCase, group)?;
        let mut all = false_positives::allowed(self.store.as_ref(), self.clock.now()).await?;
        if let Some(group) = group {
            all.retain(|allowed| allowed.pass.group.as_ref().is_none_or(|own| own == group.id()));
        }
        Ok(all)
    }

    /// What passes in any of the groups whose cases the actor reads, newest first.
    pub async fn allowed_somewhere(&self, actor: &Actor) -> Result<Vec<Allowed>, StoreError> {
        let mut groups = self.groups.all();
        groups.retain(|group| access::may(&actor.who, Action::ReadCase, Some(group)).is_ok());
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let mut all = false_positives::allowed(self.store.as_ref(), self.clock.now()).await?;
        all.retain(|allowed| {
            allowed.pass.group.as_ref().is_none_or(|own| groups.iter().any(|group| group.id() == own))
        });
        Ok(all)
    }

    async fn judged(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        id: &CaseId,
        place: Where,
    ) -> Result<(Case, Judgement), ActError> {
        let Some(case) = tx.case(id).await? else { return Err(no_case(id).into()) };
        let group = self.groups.get(&case.group);
        access::ask(actor, Action::DecideCase, Some(&group))?;
        if place == Where::Everywhere && access::may(&actor.who, Action::DecideCase, None).is_err() {
            let text = "全公司放行要由设置里的应急联系人决定，您可以在本群放行";
            return Err(Refusal::new(Code::Forbidden, text).into());
        }
        match tx.get(JUDGEMENTS, id.as_str()).await?.filter(|judgement| !judgement.violation) {
            Some(judgement) => Ok((case, judgement)),
            None => Err(Refusal::new(Code::WrongState, format!("{id} 还没有记为误判，请先发送：误判 {id}")).into()),
        }
    }

    /// Whoever pressed a button that said "harmless" is asked whether the words pass from now on.
    pub(super) fn ask_to_allow(&self, tx: &mut Tx<'_>, actor: &Actor, case: &Case) {
        if let (Principal::Member { id, .. }, Face::Card) = (&actor.who, actor.face)
            && !case.evidence.trim().is_empty()
        {
            tx.add_task(tasks::Allow::task(case, id, self.clock.now()));
        }
    }
}
