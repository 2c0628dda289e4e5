//! `[escalation]`: who is asked when neither the owner nor an admin answers a task card. Absent: nobody else.

use serde::Deserialize;

use crate::model::MemberId;

/// Who is asked last.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// Userids, asked after the owner and the admins; they may also decide.
    pub to: Vec<MemberId>,
}
