//! The circuit breaker at work: too many removals in a short time, and everything is only recorded until the owner says
//! whether they were right. One button resumes, one takes them all back.

use serde_json::json;

use super::{Moderation, undo::UndoError};
use crate::{
    groups::Group,
    model::{CaseId, GroupId, Timestamp, UserError},
    policy::{Policy, breaker::Breaker},
    store::{Document, Store, StoreError, Task, changes::Changes},
};

/// The collection of breakers, by group.
pub const COLLECTION: &str = "breaker";

/// The breaker of a group as it is stored.
pub(super) async fn load(store: &dyn Store, group: &GroupId) -> Result<(Document, Breaker), StoreError> {
    let document = store.document(COLLECTION, group.as_str()).await?.unwrap_or_else(|| Document {
        collection: COLLECTION.into(),
        id: group.to_string(),
        version: 0,
        body: serde_json::Value::Null,
    });
    let breaker = if document.body.is_null() {
        Breaker::default()
    } else {
        serde_json::from_value(document.body.clone())
            .map_err(|e| StoreError::Format(format!("breaker of {group}: {e}")))?
    };
    Ok((document, breaker))
}

/// Groups in which everything is only recorded at the moment.
pub async fn open_in(store: &dyn Store) -> Result<Vec<GroupId>, StoreError> {
    let all = store.documents(COLLECTION, "", None, usize::MAX).await?;
    Ok(all.into_iter().filter(|d| !d.body["open"].is_null()).map(|d| GroupId::new(d.id)).collect())
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
    let id = format!("breaker-{}-{}", group.id(), open.since.as_second());
    Some(Task::new(id, "breaker", group.id(), now, json!({ "why": open.why })))
}

impl Moderation {
    /// The owner says the removals were right: acting goes on.
    pub async fn resume(&self, group: &GroupId) -> Result<String, UndoError> {
        self.opened(group).await?;
        self.close_breaker(group).await?;
        Ok("已恢复自动处置".into())
    }

    /// The owner says they were wrong: every one of them is taken back, and acting goes on. Stopped in the middle it can be
    /// said again: the breaker closes last.
    pub async fn undo_all(&self, group: &GroupId, by: &str) -> Result<String, UndoError> {
        let mut undone = 0;
        for case in &self.opened(group).await?.undo() {
            match self.revoke(case, by, "breaker").await {
                Ok(()) => undone += 1,
                Err(UndoError::User(_)) => {} // taken back one by one meanwhile
                Err(error) => return Err(error),
            }
        }
        self.close_breaker(group).await?;
        Ok(format!("已撤销 {undone} 次移出，并恢复自动处置"))
    }

    async fn opened(&self, group: &GroupId) -> Result<Breaker, UndoError> {
        let (_, breaker) = load(self.store.as_ref(), group).await?;
        if breaker.is_open() { Ok(breaker) } else { Err(UserError::new("没有熔断，无需处理").into()) }
    }

    async fn close_breaker(&self, group: &GroupId) -> Result<(), StoreError> {
        let closed = Changes::new().document(COLLECTION, group.as_str(), |body| *body = json!(Breaker::default()));
        closed.commit(self.store.as_ref()).await.map(drop)
    }
}
