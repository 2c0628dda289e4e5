//! What follows from a decision besides the strike: who is told, moved or asked; a removal that the breaker counts; the owner's
//! other groups.

use super::{Moderation, breaker, effects};
use crate::{
    capability::{Act, Provider},
    groups::Group,
    model::{Role, Step, Timestamp},
    policy::{Decision, Policy, breaker::Breaker},
    store::{Case, Commit, Document, StoreError},
};

impl Moderation {
    /// Adds to the commit what follows from a decision about a case.
    pub(super) async fn follow_up(
        &self,
        policy: &Policy,
        group: &Group,
        case: &Case,
        decision: &Decision,
        breaker: Option<(Document, Breaker)>,
        now: Timestamp,
        commit: &mut Commit,
    ) -> Result<(), StoreError> {
        let can = self.capabilities.load();
        commit.tasks.extend(effects::tasks(can.as_ref(), group, case, decision, now));
        let by_api = can.provider(Act::Move, group, Some(&case.member)) == Some(Provider::Api);
        if decision.step == Step::Remove
            && !decision.needs_human
            && by_api
            && let Some((mut document, mut breaker)) = breaker
        {
            let page = breaker::count(&mut breaker, policy.for_group(group.id()), group, &case.id, now);
            commit.tasks.extend(page);
            document.body = serde_json::to_value(&breaker).unwrap_or_default();
            commit.documents.push(document);
        }
        if decision.cross_group {
            self.sister_groups(group, case, decision, now, commit).await?;
        }
        Ok(())
    }

    /// A removal for something critical reaches the owner's other groups that the member is in.
    async fn sister_groups(
        &self,
        group: &Group,
        case: &Case,
        decision: &Decision,
        now: Timestamp,
        commit: &mut Commit,
    ) -> Result<(), StoreError> {
        let Some(owner) = group.owner() else { return Ok(()) };
        for sister in self.groups.all() {
            let shared = sister.configured
                && sister.id() != group.id()
                && sister.owner() == Some(owner)
                && sister.learned.members.contains_key(&case.member)
                && sister.role(&case.member) == Role::Member;
            if !shared {
                continue;
            }
            let mut record = self.store.member(sister.id(), &case.member).await?;
            let carried_out = effects::take_out_of(self.capabilities.load().as_ref(), &sister, case, decision, now);
            if let Some(state) = decision.state.as_ref().filter(|_| !self.is_dry_run(&sister)) {
                record.standing.state = state.clone();
                commit.members.push(record);
            }
            commit.tasks.extend(carried_out);
        }
        Ok(())
    }
}
