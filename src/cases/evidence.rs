//! 打开原文: evidence is masked wherever cases are listed; who needs the words opens them, and that stays on record.

use serde::Serialize;
use serde_json::json;

use super::{Cases, entry};
use crate::{
    access::{Action, Actor},
    audit::Act,
    model::{CaseId, MemberId, MessageId, Timestamp},
    refusal::ActError,
    store::transaction::transact,
    tasks::Happened,
};

/// The words of a case, unmasked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Which case.
    pub case: CaseId,
    /// Message by message, oldest first.
    pub said: Vec<Said>,
}

/// One message of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Which message.
    pub message: MessageId,
    /// Who said it.
    pub member: MemberId,
    /// When.
    pub at: Timestamp,
    /// What, as it was typed.
    pub text: String,
}

impl Cases {
    /// Opens the words of a case; each time is on record, with the case and in the audit.
    pub async fn open_evidence(&self, actor: &Actor, id: &CaseId) -> Result<Evidence, ActError> {
        let now = self.clock.now();
        let case = transact!(self.store.as_ref(), |tx| {
            let mut case = self.open_to(tx, actor, Action::OpenEvidence, id).await?;
            case.note(now, actor.name(), Happened::EvidenceOpened, "");
            let record =
                entry(Act::OpenEvidence, &case).now(json!({ "messages": 1 + case.further.len() + case.others.len() }));
            tx.audit(actor, now, record).await?;
            tx.put_case(case.clone());
            case
        });
        let member = case.member;
        let mut said = vec![Said { message: case.message, member: member.clone(), at: case.at, text: case.evidence }];
        said.extend(case.further.into_iter().map(|more| Said {
            message: more.message,
            member: member.clone(),
            at: more.at,
            text: more.evidence,
        }));
        said.extend(case.others.into_iter().map(|other| Said {
            message: other.message,
            member: other.member,
            at: other.at,
            text: other.evidence,
        }));
        said.sort_by_key(|said| said.at);
        Ok(Evidence { case: case.id, said })
    }
}
