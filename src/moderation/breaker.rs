//! The circuit breaker at work: too many removals in a short time, and everything is only recorded until the owner says
//! whether they were right (`orders/breaker.rs`).

use crate::{
    groups::Group,
    model::{CaseId, GroupId, Timestamp},
    policy::{Policy, breaker::Breaker},
    store::{Collection, Document, Name, Store, StoreError, Task},
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
