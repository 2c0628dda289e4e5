//! One answer about somebody is one decision: what else is asked about the same person, in the same group, ends with it. Nothing
//! more is held against them, and nothing more is taken back.

use crate::{
    access::Actor,
    model::{Step, Timestamp},
    moderation::names::is_name,
    store::{Case, CaseQuery, CaseState, StoreError, TaskUpdate, Tx},
    tasks::{self, Ask, Happened, Request},
};

/// Cases of a member that are looked at.
const LOOK_BACK: usize = 100;

/// Ends the other questions about the member of a case that was decided.
pub(super) async fn end(tx: &mut Tx<'_>, decided: &Case, actor: &Actor, now: Timestamp) -> Result<(), StoreError> {
    let query = CaseQuery {
        group: Some(decided.group.clone()),
        member: Some(decided.member.clone()),
        limit: LOOK_BACK,
        ..CaseQuery::default()
    };
    let asked = |case: &Case| case.step == Step::Review && case.state == CaseState::Open && case.others.is_empty();
    let alike = |case: &Case| case.id != decided.id && is_name(&case.message) == is_name(&decided.message);
    for other in tx.store().cases(&query).await?.into_iter().filter(|case| asked(case) && alike(case)) {
        let Some(task) = tx.task(&Ask::id(&other.id, Request::Review)).await?.filter(|task| !task.state.is_final())
        else {
            continue;
        };
        let text = format!("已随 {} 一并处理", decided.id);
        tasks::end(tx, &task, TaskUpdate::done(task.id.clone(), now, &*text), actor.name(), now);
        tx.edit_case(&other.id, |case| {
            case.close_if_open();
            case.note(now, actor.name(), Happened::Answered, text.as_str());
        })
        .await?;
    }
    Ok(())
}
