//! 解除警告: whoever leads a group takes a case back, out of kindness or because it was their own doing.

use super::{Cases, entry, stands};
use crate::{
    access::{self, Action, Actor},
    audit::Act,
    groups::Group,
    model::{CaseId, MemberId},
    moderation::revoke::Why,
    refusal::{ActError, Code, Refusal},
    store::{Case, transaction::transact},
};

impl Cases {
    /// Takes a case back; of two who do so at once the first is heard.
    pub async fn revoke(&self, actor: &Actor, id: &CaseId) -> Result<Case, ActError> {
        let now = self.clock.now();
        let case = transact!(self.store.as_ref(), |tx| {
            let before = self.open_to(tx, actor, Action::DecideCase, id).await?;
            let case = self.moderation.revoke_in(tx, id, actor.name(), Why::Owner).await?;
            tx.audit(actor, now, entry(Act::RevokeCase, &case).was(stands(&before)).now(stands(&case))).await?;
            case
        });
        self.moderation.revoked(&case, Why::Owner).await?;
        Ok(case)
    }

    /// The case of a member who has only one that still counts.
    pub async fn only_live(&self, actor: &Actor, group: &Group, member: &MemberId) -> Result<Case, ActError> {
        access::ask(actor, Action::DecideCase, Some(group))?;
        let standing = self.store.member(group.id(), member).await?.standing;
        let live: Vec<&CaseId> = standing.live_strikes(self.clock.now()).map(|strike| &strike.case).collect();
        let name = group.member_name(member);
        match live[..] {
            [only] if let Some(case) = self.store.case(only).await? => Ok(case),
            [] | [_] => Err(Refusal::not_found(format!("「{name}」没有记分")).into()),
            _ => {
                let codes: Vec<&str> = live.iter().map(|id| id.as_str()).collect();
                let text = format!("「{name}」有 {} 条记录，请写编号：{}", live.len(), codes.join("、"));
                Err(Refusal::new(Code::BadRequest, text).into())
            }
        }
    }
}
