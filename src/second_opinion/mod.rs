//! A second opinion: a language model of the company's own choice is asked about what the lists are not sure of. Off until
//! the settings name one. A person sees its word as a hint on the card, an owner how often it agreed with people.
//!
//! Here is everything that needs no case: what is sent ([`mask`], [`question`]), what comes back ([`answer`]), how
//! ([`client`]), what it may cost and what came of it ([`ledger`]). What an opinion moves stands in `moderation`.

pub mod answer;
pub mod client;
pub mod ledger;
pub mod mask;
pub mod question;
mod spoken_to;

pub use answer::{Innocent, Opinion};
pub use client::{Client, NoAnswer, Usage};
pub use question::{Clause, Question};
pub use spoken_to::speaks_to_model;
