//! What people decide about violations: was it one, is it taken back, was the appeal right, was the report true; and what
//! they do by hand.
//!
//! One file an act. Each asks for the right, decides, writes and leaves its record ([`crate::audit`]) in one transaction; what
//! a decision changes of standings, cases and tasks is in `moderation/`. Chat, cards, HTTP and pages only translate.

pub mod allow;
mod along;
pub mod appeal;
mod confirm;
mod evidence;
pub mod heard_reports;
mod read;
pub mod report;
mod request;
mod revoke;
mod sanction;
mod search;
pub mod waiting;
mod warning;

use std::sync::Arc;

use serde_json::{Value, json};

pub use self::{
    evidence::{Evidence, Said},
    read::Story,
    request::{Answered, RequestAnswer},
    sanction::{Sanction, Sanctioned},
    search::{Found, Search},
};
use crate::{
    access::{self, Action, Actor, People},
    audit::{Act, Entry},
    groups::Groups,
    model::{CaseId, Clock},
    moderation::{Moderation, revoke::no_case},
    refusal::ActError,
    store::{Case, Store, Tx},
};

/// The use cases.
pub struct Cases {
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// What a decision changes.
    pub moderation: Arc<Moderation>,
    /// Whom tokens belong to, where two people are wanted.
    pub people: People,
}

impl Cases {
    /// The case, if who acts may do this about it.
    async fn open_to(&self, tx: &mut Tx<'_>, actor: &Actor, action: Action, id: &CaseId) -> Result<Case, ActError> {
        let Some(case) = tx.case(id).await? else { return Err(no_case(id).into()) };
        access::ask(actor, action, Some(&self.groups.get(&case.group)))?;
        Ok(case)
    }
}

/// A record about a case.
fn entry(act: Act, case: &Case) -> Entry {
    Entry::case(act, &case.id).within(&case.group).concerning(&case.member)
}

/// What of a case people change, for records.
fn stands(case: &Case) -> Value {
    json!({ "state": case.state, "step": case.step })
}
