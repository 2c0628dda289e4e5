//! What follows from a finding: the ladder an owner can read. Pure: no clock, no randomness, no I/O.
//!
//! [`decide()`] takes the group's [`Policy`], the member's [`Standing`], the facts of one message and the present, and
//! answers a [`Decision`]; `moderation` stores it and turns it into tasks. [`apply`] and [`revoke`] keep the standing, [`recount()`]
//! says what is left of it.

pub mod breaker;
pub mod decide;
pub mod explain;
pub mod file;
pub mod ladder;
pub mod lifecycle;
mod recount;
pub mod rulebook;
pub mod standing;
#[cfg(test)]
mod tests;

pub use decide::{Decision, Facts, NewStrike, decide};
pub use file::Fault;
pub use ladder::Policy;
pub use recount::recount;
pub use standing::{MemberState, Standing, Strike, apply, revoke};
