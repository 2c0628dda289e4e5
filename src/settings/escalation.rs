//! `[escalation]`: who is told when an owner leaves a task card unanswered. Absent: only the group's admins are.

use jiff::SignedDuration;
use serde::Deserialize;

use super::units::duration;
use crate::model::MemberId;

/// What happens when nobody acts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// How long the owner has; default 30 minutes.
    #[serde(default = "after", deserialize_with = "duration")]
    pub after: SignedDuration,
    /// Userids of those who are told then.
    pub to: Vec<MemberId>,
}

fn after() -> SignedDuration {
    SignedDuration::from_mins(30)
}
