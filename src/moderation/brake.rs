//! The circuit breaker at work: too many removals in a short time, and everything is only recorded until the owner says
//! whether they were right. One button resumes, one takes them all back.

use super::{Moderation, undo::UndoError};
use crate::{
    groups::Group,
    model::{CaseId, GroupId, Timestamp, UserError},
    policy::{Policy, breaker::Breaker},
    store::{Collection, Document, Name, Store, StoreError, Task, transaction::transact},
    tasks,
};

/// The collection of breakers, by group.
pub const BREAKERS: Collection<Breaker> = Collection::new(Name::Breaker);

/// The breaker of a group as it is stored.
pub(super) async fn load(store: &dyn Store, group: &GroupId) -> Result<(Document, Breaker), StoreError> {
    let document = store.document(BREAKERS.name(), group.as_str()).await?.unwrap_or_else(|| Document {
        collection: BREAKERS.name().into(),
        id: group.to_string(),
        version: 0,
        body: serde_json::json!({}),
    });
    let breaker = BREAKERS.decode(group.as_str(), document.body.clone())?;
    Ok((document, breaker))
}

/// Groups in which everything is only recorded at the moment.
pub async fn open_in(store: &dyn Store) -> Result<Vec<GroupId>, StoreError> {
    let all = BREAKERS.all(store, "").await?;
    Ok(all.into_iter().filter(|(_, breaker)| breaker.is_open()).map(|(group, _)| GroupId::new(group)).collect())
}

/// Counts a removal; the page to the owner if this one was too many.
pub(super) fn count(
    breaker: &mut Breaker,
    policy: &Policy,
    group: &Group,
    case: &CaseId,
    now: Timestamp,
) -> Option<Task> {
    let open = breaker.removed(&policy.breaker, case, group.learned.members.len(), now)?;
    tracing::error!(group = %group.id(), why = open.why, "the circuit breaker opened: everything is only recorded now");
    Some(tasks::Breaker::task(&open.why, open.since, group.id(), now))
}

impl Moderation {
    /// The owner says the removals were right: acting goes on.
    pub async fn resume(&self, group: &GroupId) -> Result<String, UndoError> {
        transact!(self.store.as_ref(), |tx| {
            opened(tx.get(BREAKERS, group.as_str()).await?)?;
            tx.put(BREAKERS, group.as_str(), &Breaker::default()).await?;
        });
        Ok("已恢复自动处置".into())
    }

    /// The owner says they were wrong: every one of them is taken back, and acting goes on. Stopped in the middle it can be
    /// said again: the breaker closes last.
    pub async fn undo_all(&self, group: &GroupId, by: &str) -> Result<String, UndoError> {
        let mut undone = 0;
        for case in &opened(BREAKERS.get(self.store.as_ref(), group.as_str()).await?)?.undo() {
            match self.revoke(case, by, "breaker").await {
                Ok(()) => undone += 1,
                Err(UndoError::User(_)) => {} // taken back one by one meanwhile
                Err(error) => return Err(error),
            }
        }
        transact!(self.store.as_ref(), |tx| tx.put(BREAKERS, group.as_str(), &Breaker::default()).await?);
        Ok(format!("已撤销 {undone} 次移出，并恢复自动处置"))
    }
}

fn opened(breaker: Option<Breaker>) -> Result<Breaker, UserError> {
    breaker.filter(Breaker::is_open).ok_or_else(|| UserError::new("没有熔断，无需处理"))
}
