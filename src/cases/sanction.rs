//! 警告, 禁言, 移出: what an owner or admin does to a member by hand. The record says who did it.

use serde_json::json;

use super::Cases;
use crate::{
    access::{self, Action, Actor},
    audit::{Act, Entry},
    capability::Provider,
    groups::Group,
    model::{CaseId, MemberId, SignedDuration, Step},
    moderation::sanction::Punishment,
    policy::MemberState,
    refusal::{ActError, Refusal},
    store::{Case, transaction::transact},
};

/// Without a length a mute lasts so long.
const USUAL_MUTE: SignedDuration = SignedDuration::from_hours(2);

/// What is to happen to a member.
#[derive(Clone, Copy, Debug)]
pub struct Sanction<'a> {
    /// Whom.
    pub member: &'a MemberId,
    /// A warning, a mute or a removal.
    pub step: Step,
    /// Of a mute; `None`: the usual one.
    pub length: Option<SignedDuration>,
    /// For the record and for the member; may be empty.
    pub reason: &'a str,
}

/// What was written down.
#[derive(Clone, Debug, PartialEq)]
pub struct Sanctioned {
    /// The case.
    pub case: CaseId,
    /// Who carries it out; nobody where everything is only recorded.
    pub by: Option<Provider>,
    /// Of a mute.
    pub length: Option<SignedDuration>,
}

impl Cases {
    /// Punishes a member. The same step of the same person within a minute is one case, and the second time is refused;
    /// so is what is wished for somebody who is not in the group, where it is known who is.
    pub async fn punish(&self, actor: &Actor, group: &Group, what: Sanction<'_>) -> Result<Sanctioned, ActError> {
        access::ask(actor, Action::Punish, Some(group))?;
        let now = self.clock.now();
        let reason = if what.reason.trim().is_empty() { Case::NO_REASON } else { what.reason };
        let length = (what.step == Step::Mute).then(|| what.length.unwrap_or(USUAL_MUTE));
        let punishment = Punishment { step: Some((what.step, length)), reason, about: None, cause: None };
        let case = transact!(self.store.as_ref(), |tx| {
            let before = tx.member(group.id(), what.member).await?.standing.state;
            // Who is muted is out of the group for a while.
            if group.lacks(what.member) && !matches!(before, MemberState::Muted { .. }) {
                let text = format!("「{}」不在群里", group.member_name(what.member));
                return Err(Refusal::not_found(text).into());
            }
            let case = self.moderation.punish_in(tx, group, what.member, actor.name(), punishment).await?;
            let minutes = length.map(|length| length.as_mins());
            let record = Entry::case(Act::Punish, &case)
                .within(group.id())
                .concerning(what.member)
                .was(json!({ "member": before }))
                .now(json!({ "step": what.step, "minutes": minutes, "reason": reason }));
            tx.audit(actor, now, record).await?;
            case
        });
        self.moderation.ring();
        Ok(Sanctioned { case, length, by: self.moderation.carried_out_by(what.step, group, what.member) })
    }
}
