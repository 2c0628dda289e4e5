//! What jobs write down once something happened: a line in the case, and how the member stands.

use crate::{
    model::{MemberId, Timestamp},
    policy::MemberState,
    store::{Case, Task, changes::Changes},
    tasks::Happened,
};

/// Adds a line to the task's case.
pub(super) fn note(with: Changes, task: &Task, now: Timestamp, what: Happened, text: &str) -> Changes {
    let Some(case) = &task.case else { return with };
    let text = text.to_owned();
    with.case(case, move |case: &mut Case| case.note(now, "bot", what, text.as_str()))
}

/// The member may speak again.
pub(super) fn set_normal(with: Changes, task: &Task, member: &MemberId) -> Changes {
    with.member(&task.group, member, |record| {
        if matches!(record.standing.state, MemberState::Muted { .. }) {
            record.standing.state = MemberState::Normal;
        }
    })
}
