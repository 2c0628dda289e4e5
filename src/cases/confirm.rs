//! 违规 or 误判: a person looked at a case and says whether it was one. The rules behind it move up or down. Whether the sentence
//! of one that was none passes from then on is asked besides.

use serde_json::json;

use super::{Cases, entry, stands};
use crate::{
    access::{Action, Actor},
    audit::Act,
    model::CaseId,
    moderation::revoke::Why,
    refusal::{ActError, Code, Refusal},
    store::{Case, CaseState, transaction::transact},
};

impl Cases {
    /// It was one. The first who says so is heard, with the first who says the opposite.
    pub async fn confirm(&self, actor: &Actor, id: &CaseId) -> Result<(), ActError> {
        let now = self.clock.now();
        let case = transact!(self.store.as_ref(), |tx| {
            let before = self.open_to(tx, actor, Action::DecideCase, id).await?;
            let Some(case) = self.moderation.confirm_in(tx, id, actor.name()).await? else {
                return Err(Refusal::decided(format!("{id} 已经确认过了")).into());
            };
            let record = entry(Act::ConfirmCase, &case).was(stands(&before)).now(json!({ "violation": true }));
            tx.audit(actor, now, record).await?;
            case
        });
        self.moderation.confirmed(Some(&case)).await?;
        Ok(())
    }

    /// There was nothing wrong with the sentence: the case is taken back, unless that was done before out of kindness.
    pub async fn misjudge(&self, actor: &Actor, id: &CaseId) -> Result<Case, ActError> {
        let now = self.clock.now();
        let (before, after) = transact!(self.store.as_ref(), |tx| {
            let before = self.open_to(tx, actor, Action::DecideCase, id).await?;
            if before.by_hand() {
                let text = format!("记录 {id} 是管理者自己处理的，请发送：解除警告 {id}");
                return Err(Refusal::new(Code::WrongState, text).into());
            }
            let after = if before.state == CaseState::Revoked {
                self.moderation.misjudge_revoked_in(tx, &before, actor.name()).await?;
                before.clone()
            } else {
                self.moderation.revoke_in(tx, id, actor.name(), Why::Misjudged).await?
            };
            self.ask_to_allow(tx, actor, &after);
            let now_stands = json!({ "violation": false, "state": after.state });
            tx.audit(actor, now, entry(Act::MisjudgeCase, &after).was(stands(&before)).now(now_stands)).await?;
            (before, after)
        });
        if before.state == CaseState::Revoked {
            self.moderation.was_misjudged(&after).await?;
        } else {
            self.moderation.revoked(&after, Why::Misjudged).await?;
        }
        Ok(before)
    }
}
