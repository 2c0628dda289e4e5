//! 打开原文: evidence is masked wherever cases are listed; who needs the words opens them, and that stays on record.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::json;

use super::{Cases, entry};
use crate::{
    access::{self, Action, Actor},
    audit::Act,
    model::{CaseId, MemberId, MessageId, Role, SignedDuration, Timestamp},
    moderation::names::is_name,
    refusal::ActError,
    store::{Case, Processed, transaction::transact},
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

/// What was said around a case: so many messages before, and as many after, …
const AROUND: usize = 3;
/// … within so long.
const NEAR: SignedDuration = SignedDuration::from_mins(10);
/// Messages of all groups that are looked through for them.
const LOOKED_THROUGH: usize = 5000;
/// Read at once.
const PAGE: usize = 500;

impl Cases {
    /// What was said in the group shortly before a case and after it, oldest first, for who decides; without the messages that
    /// it is about, and without what was said to the bot and by it. What a leak stands among is not shown.
    pub async fn around(&self, actor: &Actor, case: &Case) -> Result<Vec<Said>, ActError> {
        let group = self.groups.get(&case.group);
        access::ask(actor, Action::OpenEvidence, Some(&group))?;
        if case.category.is_leak() || case.by_hand() || is_name(&case.message) {
            return Ok(Vec::new());
        }
        let own: Vec<&MessageId> = std::iter::once(&case.message)
            .chain(case.further.iter().map(|more| &more.message))
            .chain(case.others.iter().map(|other| &other.message))
            .collect();
        let until = case.last_at().saturating_add(NEAR).unwrap_or(Timestamp::MAX);
        let bot: Vec<String> = self.groups.bot_names.known().iter().map(|name| format!("@{name}")).collect();
        let (mut before, mut after) = (VecDeque::new(), Vec::new());
        let mut last: Option<MessageId> = None;
        let since = case.at.saturating_sub(NEAR).unwrap_or(Timestamp::MIN);
        'read: for _ in 0..LOOKED_THROUGH / PAGE {
            let page = self.store.messages(since, last.as_ref(), PAGE).await?;
            let Some(newest) = page.last() else { break };
            last = Some(newest.message.id.clone());
            for Processed { message, .. } in page {
                if message.at > until || after.len() == AROUND {
                    break 'read;
                }
                let words = !message.text.trim().is_empty() && !message.to_bot && message.revokes.is_none();
                let elsewhere = message.group != case.group || group.role(&message.sender) == Role::Bot;
                let text = message.text.trim_start().to_lowercase();
                let to_bot = bot.iter().any(|name| text.starts_with(name.as_str()));
                if elsewhere || own.contains(&&message.id) || !words || to_bot || is_name(&message.id) {
                    continue;
                }
                let said = Said { message: message.id, member: message.sender, at: message.at, text: message.text };
                if said.at < case.at {
                    before.push_back(said);
                    before.drain(..before.len().saturating_sub(AROUND));
                } else {
                    after.push(said);
                }
            }
        }
        Ok(before.into_iter().chain(after).collect())
    }

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
