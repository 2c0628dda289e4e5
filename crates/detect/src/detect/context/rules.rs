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

/// Offers of work, which employers make as well.
pub(super) const WORK: u8 = 16;

/// What the company keeps to itself.
pub(super) const SECRET: u8 = 32;

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
    /// So many characters between them, or along an enumeration that the cue begins or sums up: `禁止说｜蠢货、笨蛋`.
    Listed(usize),
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
    rule(Reason::Quoted, Cue::SuchWords, Side::After, Reach::Listed(0), RUDE | OFFER, Outcome::Excuse),
    rule(Reason::Reported, Cue::Insulted, Side::Before, Reach::Touching(6), RUDE | THREAT, Outcome::Excuse),
    rule(Reason::Reported, Cue::Complaint, Side::Before, Reach::Message, RUDE | OFFER, Outcome::Excuse),
    rule(Reason::Reported, Cue::Report, Side::Either, Reach::Neighbour, OFFER | THREAT, Outcome::Excuse),
    rule(Reason::Forbidden, Cue::Warning, Side::Either, Reach::Listed(12), OFFER, Outcome::Excuse),
    rule(Reason::Forbidden, Cue::Ban, Side::Before, Reach::Listed(16), OFFER | THREAT, Outcome::Excuse),
    rule(Reason::Forbidden, Cue::Dont, Side::Before, Reach::Touching(8), OFFER, Outcome::Excuse),
    rule(Reason::Forbidden, Cue::Secret, Side::Before, Reach::Touching(6), SECRET, Outcome::Excuse),
    rule(Reason::Reported, Cue::Wondered, Side::Before, Reach::Touching(6), OFFER, Outcome::Excuse),
    rule(Reason::Hiring, Cue::Hiring, Side::Either, Reach::Message, WORK, Outcome::Excuse),
    rule(Reason::Forbidden, Cue::BanWords, Side::Before, Reach::Neighbour, RUDE, Outcome::Excuse),
    rule(Reason::Forbidden, Cue::BanWords, Side::Before, Reach::Listed(0), RUDE, Outcome::Excuse),
    rule(Reason::Denied, Cue::No, Side::Before, Reach::Touching(1), RUDE | OFFER, Outcome::Excuse),
    rule(Reason::Denied, Cue::NoDeal, Side::Before, Reach::Touching(3), OFFER, Outcome::Excuse),
    rule(Reason::Denied, Cue::NoDeal, Side::Before, Reach::Listed(0), OFFER, Outcome::Excuse),
    rule(Reason::Asked, Cue::Ask, Side::Either, Reach::Clause, RUDE, Outcome::Excuse),
    rule(Reason::Asked, Cue::Ask, Side::Either, Reach::Neighbour, OFFER, Outcome::Excuse),
    rule(Reason::Asked, Cue::AskHow, Side::Either, Reach::Neighbour, OFFER, Outcome::Excuse),
    rule(Reason::Asked, Cue::AskHow, Side::Before, Reach::Listed(0), OFFER, Outcome::Excuse),
    rule(Reason::SelfMocking, Cue::Me, Side::Before, Reach::Touching(0), RUDE, Outcome::Excuse),
    rule(Reason::SelfMocking, Cue::MeAfter, Side::After, Reach::Touching(0), RUDE, Outcome::Excuse),
    rule(Reason::Body, Cue::Body, Side::Either, Reach::Neighbour, RUDE, Outcome::Excuse),
    rule(Reason::Thing, Cue::Thing, Side::Either, Reach::Touching(3), RUDE, Outcome::Ask),
    rule(Reason::Thing, Cue::Thing, Side::Either, Reach::Touching(3), RUDE, Outcome::Excuse),
    rule(Reason::Creature, Cue::Animal, Side::Before, Reach::Touching(1), RUDE, Outcome::Ask),
    rule(Reason::Creature, Cue::Goods, Side::After, Reach::Touching(0), RUDE | CRIME, Outcome::Ask),
    rule(Reason::Sign, Cue::Sign, Side::After, Reach::Touching(1), OFFER, Outcome::Ask),
    rule(Reason::Fact, Cue::Aid, Side::Either, Reach::Neighbour, RUDE, Outcome::Excuse),
    rule(Reason::Praised, Cue::Praise, Side::Either, Reach::Neighbour, RUDE, Outcome::Ask),
    rule(Reason::Disclaimer, Cue::Disclaimer, Side::Either, Reach::Clause, OFFER, Outcome::Excuse),
    rule(Reason::Medical, Cue::Medical, Side::Either, Reach::Clause, CRIME, Outcome::Excuse),
    rule(Reason::Medical, Cue::Medical, Side::Either, Reach::Touching(4), RUDE, Outcome::Excuse),
    rule(Reason::Legal, Cue::Legal, Side::Either, Reach::Neighbour, OFFER | THREAT, Outcome::Excuse),
    rule(Reason::Training, Cue::Training, Side::Either, Reach::Neighbour, CRIME | THREAT, Outcome::Excuse),
    rule(Reason::Training, Cue::Course, Side::Either, Reach::Clause, CRIME | THREAT, Outcome::Ask),
];

/// Talk of somebody's family, which is excused even where it says 你.
pub(super) const FAMILY: &[Rule] = &[
    rule(Reason::Family, Cue::Wish, Side::Either, Reach::Neighbour, RUDE, Outcome::Excuse),
    rule(Reason::Family, Cue::Urged, Side::Either, Reach::Touching(0), RUDE, Outcome::Ask),
    rule(Reason::Family, Cue::Home, Side::After, Reach::Touching(0), RUDE, Outcome::Ask),
];

/// The kinds that a category belongs to; none of what is never a matter of who says it (numbers, flood, politics).
pub(super) fn kind(category: Category) -> u8 {
    match category {
        Category::Insult | Category::Disrespect => RUDE,
        Category::Violence => THREAT,
        Category::LeakSecret => SECRET,
        Category::Porn
        | Category::Drugs
        | Category::Gambling
        | Category::Fraud
        | Category::FakeGoods
        | Category::Bribery
        | Category::Malware => OFFER | CRIME,
        Category::Ads => OFFER | WORK,
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
