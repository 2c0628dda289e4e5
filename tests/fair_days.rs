//! Played days on which people are to be treated fairly: bursts, cards that end, notices while WeCom is down, sentences that
//! were taught.

#[path = "fair_days/asks.rs"]
mod asks;
#[path = "fair_days/cards.rs"]
mod cards;
#[path = "common/house.rs"]
mod house;
#[path = "fair_days/newcomer.rs"]
mod newcomer;
#[path = "fair_days/notices.rs"]
mod notices;
