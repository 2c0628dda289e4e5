//! Several people who say the same: one question to one person, and one answer about all of them.
//!
//! While a person is asked about a text, whoever else posts it in the same group joins that case instead of bringing a card of
//! their own; 确认违规 then does to each of them what the group's ladder has for them. Where the text is acted on without a
//! question, everybody has a case of their own, because the ladder knows people and not texts; the cases name each other, and a
//! 误判 or an appeal that was right takes all of them back.

use super::{Moderation, names::is_name, record};
use crate::{
    detect::{Report, history},
    model::{CaseId, MemberId, Message, Step},
    policy::Decision,
    settings::Flood,
    store::{Case, CaseEvent, CaseQuery, CaseState, Participant, Store, StoreError},
    tasks::Happened,
};

/// Cases of each other person that are looked at.
const LOOK_BACK: usize = 8;

impl Moderation {
    /// The first case in the group about what somebody else said, if this message says the same.
    pub(super) async fn campaign_case(
        &self,
        message: &Message,
        report: &Report,
        decision: &Decision,
        windows: &Flood,
    ) -> Result<Option<Case>, StoreError> {
        let Some(seen) = report.seen.as_ref().filter(|_| !decision.leak && !is_name(&message.id)) else {
            return Ok(None);
        };
        let said = record::evidence(message);
        let mut first: Option<Case> = None;
        for (_, other) in seen.people.iter().filter(|(group, who)| *group == message.group && *who != message.sender) {
            let query = CaseQuery {
                group: Some(message.group.clone()),
                member: Some(other.clone()),
                limit: LOOK_BACK,
                ..CaseQuery::default()
            };
            for case in self.store.cases(&query).await? {
                let lately = message.at.duration_since(case.at).abs() <= windows.campaign_window;
                let decided = case.history.first().is_some_and(|event| event.what == Happened::Decided.id());
                let stands = decided && case.state != CaseState::Revoked && !case.by_hand();
                if lately
                    && stands
                    && first.as_ref().is_none_or(|first| case.at < first.at)
                    && history::alike(&case.evidence, &said)
                {
                    first = Some(case);
                }
            }
        }
        Ok(first)
    }
}

/// The other cases of a campaign.
pub async fn named(store: &dyn Store, case: &Case) -> Result<Vec<Case>, StoreError> {
    let mut ids: Vec<CaseId> = case.same_text.clone();
    let mut cases = Vec::new();
    while let Some(id) = ids.pop() {
        if id == case.id || cases.iter().any(|known: &Case| known.id == id) {
            continue;
        }
        if let Some(other) = store.case(&id).await? {
            ids.extend(other.same_text.iter().cloned());
            cases.push(other);
        }
    }
    Ok(cases)
}

/// Is a person being asked about the case, and nobody has answered yet?
pub(super) fn is_asked(case: &Case) -> bool {
    let answered = |event: &CaseEvent| event.by != "bot" && event.what != Happened::Recalled.id();
    case.step == Step::Review && case.state == CaseState::Open && !case.history.iter().any(answered)
}

/// One more who said it; `false` if there is no room for more people.
pub(super) fn join(case: &mut Case, message: &Message) -> bool {
    if !has_joined(case, &message.sender) {
        if case.others.len() >= Case::MOST_OTHERS {
            return false;
        }
        case.others.push(Participant {
            member: message.sender.clone(),
            message: message.id.clone(),
            at: message.at,
            evidence: record::evidence(message),
        });
    }
    case.more = case.more.saturating_add(1);
    true
}

/// Is somebody one of those who said the same as the case's member?
pub(super) fn has_joined(case: &Case, member: &MemberId) -> bool {
    case.others.iter().any(|other| other.member == *member)
}
