//! What each reason asks for: its cue, on which side of the hit it stands and how far it reaches, and what it excuses.

use super::{Cue, Outcome, Reason};
use crate::detect::score;
use crate::model::Category;

/// Offers, and the claims and promises that go with them.
pub(super) const OFFER: u8 = 1;
/// Insults and slurs.
pub(super) const RUDE: u8 = 2;
/// Threats.
pub(super) const THREAT: u8 = 4;
/// Offers of what is forbidden, which police, pharmacies and trainers speak of.
pub(super) const CRIME: u8 = 8;

/// On which side of the hit the cue stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Before,
    After,
    Either,
}

/// How far from the hit the cue may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reach {
    /// So many characters between them, in one clause.
    Touching(usize),
    Clause,
    /// The same clause or the one beside it.
    Neighbour,
    /// So many characters between them.
    Within(usize),
    Message,
}

/// One way to be excused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) reason: Reason,
    pub(super) cue: Cue,
    pub(super) side: Side,
    pub(super) reach: Reach,
    /// [`OFFER`], [`RUDE`], [`THREAT`], [`CRIME`].
    pub(super) about: u8,
    pub(super) outcome: Outcome,
}

const fn rule(reason: Reason, cue: Cue, side: Side, reach: Reach, about: u8, outcome: Outcome) -> Rule {
    Rule { reason, cue, side, reach, about, outcome }
}

/// Every way, the table of this module's head; a quotation and a text of rules are judged as wholes in `mod.rs`.
pub(super) const RULES: &[Rule] = &[
    rule(Reason::Reported, Cue::Insulted, Side::Before, Reach::Touching(6), RUDE | THREAT, Outcome::Excuse),
    rule(Reason::Reported, Cue::Complaint, Side::Before, Reach::Message, RUDE | OFFER, Outcome::Excuse),
    rule(Reason::Reported, Cue::Report, Side::Either, Reach::Neighbour, OFFER | THREAT, Outcome::Excuse),
    rule(Reason::Forbidden, Cue::Warning, Side::Either, Reach::Within(12), OFFER, Outcome::Excuse),
    rule(Reason::Forbidden, Cue::Ban, Side::Before, Reach::Within(16), OFFER | THREAT, Outcome::Excuse),
    rule(Reason::Forbidden, Cue::BanWords, Side::Before, Reach::Neighbour, RUDE, Outcome::Excuse),
    rule(Reason::Denied, Cue::No, Side::Before, Reach::Touching(1), RUDE | OFFER, Outcome::Excuse),
    rule(Reason::Denied, Cue::NoDeal, Side::Before, Reach::Touching(3), OFFER, Outcome::Excuse),
    rule(Reason::Asked, Cue::Ask, Side::Either, Reach::Clause, RUDE, Outcome::Excuse),
    rule(Reason::Asked, Cue::Ask, Side::Either, Reach::Neighbour, OFFER, Outcome::Excuse),
    rule(Reason::Asked, Cue::AskHow, Side::Either, Reach::Neighbour, OFFER, Outcome::Excuse),
    rule(Reason::SelfMocking, Cue::Me, Side::Before, Reach::Touching(0), RUDE, Outcome::Excuse),
    rule(Reason::SelfMocking, Cue::MeAfter, Side::After, Reach::Touching(0), RUDE, Outcome::Excuse),
    rule(Reason::Body, Cue::Body, Side::Either, Reach::Neighbour, RUDE, Outcome::Excuse),
    rule(Reason::Thing, Cue::Thing, Side::Either, Reach::Touching(3), RUDE, Outcome::Ask),
    rule(Reason::Thing, Cue::Thing, Side::Either, Reach::Touching(3), RUDE, Outcome::Excuse),
    rule(Reason::Disclaimer, Cue::Disclaimer, Side::Either, Reach::Clause, OFFER, Outcome::Excuse),
    rule(Reason::Medical, Cue::Medical, Side::Either, Reach::Clause, CRIME, Outcome::Excuse),
    rule(Reason::Medical, Cue::Medical, Side::Either, Reach::Touching(4), RUDE, Outcome::Excuse),
    rule(Reason::Legal, Cue::Legal, Side::Either, Reach::Neighbour, OFFER | THREAT, Outcome::Excuse),
    rule(Reason::Training, Cue::Training, Side::Either, Reach::Neighbour, CRIME | THREAT, Outcome::Excuse),
    rule(Reason::Training, Cue::Course, Side::Either, Reach::Clause, CRIME | THREAT, Outcome::Ask),
];

/// The kinds that a category belongs to; none of what is never a matter of who says it (leaks, flood, politics).
pub(super) fn kind(category: Category) -> u8 {
    match category {
        Category::Insult | Category::Disrespect => RUDE,
        Category::Violence => THREAT,
        Category::Porn
        | Category::Drugs
        | Category::Gambling
        | Category::Fraud
        | Category::FakeGoods
        | Category::Bribery
        | Category::Malware => OFFER | CRIME,
        Category::Junk
        | Category::FalseClaim
        | Category::UnauthorisedPromise
        | Category::Repost
        | Category::Minors
        | Category::Disparage => OFFER,
        other if score::is_spam(other) => OFFER,
        _ => 0,
    }
}
