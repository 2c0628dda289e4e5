//! One clock for the simulator and a bot in another process: `GET /sim/api/clock?follow=NAME&seen=MOVES` answers when the clock
//! was moved, and whoever moves it through the control API is answered when every follower knows the new time. So a script
//! that has moved the clock need not wonder whether the bot still lives in the past.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use jiff::Timestamp;
use qunguan_wecom::clock::{Clock, ShiftedClock};

/// A follower that does not come back for the next move in such a time is not waited for any more.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest wait for a move in one call.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(25);
/// Pause before a call that failed is made again.
const AGAIN: Duration = Duration::from_millis(200);

/// The clock as the control API tells it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Reading {
    now: Timestamp,
    stands: bool,
    moves: u64,
}

impl Reading {
    /// The clock now.
    pub(super) fn of(clock: &ShiftedClock) -> Self {
        let moves = clock.moves(); // before the time: a move in between is told again, never missed
        Self { now: clock.now(), stands: clock.stands(), moves }
    }
}

/// Who follows, and how many moves each knows of.
#[derive(Debug, Default)]
pub(super) struct Followers(watch::Sender<BTreeMap<String, u64>>);

impl Followers {
    /// `name` has come back knowing of `seen` moves; it stays a follower until the guard is dropped, unless it got an answer.
    pub(super) fn came<'a>(&'a self, name: &'a str, seen: u64) -> Listening<'a> {
        self.0.send_modify(|all| {
            all.insert(name.to_owned(), seen);
        });
        Listening { all: self, name, answered: false }
    }

    /// Returns when every follower knows of `moves` moves.
    pub(super) async fn know(&self, moves: u64) {
        let mut changes = self.0.subscribe();
        let all = changes.wait_for(|all| all.values().all(|seen| *seen >= moves));
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            self.0.send_modify(|all| all.retain(|_, seen| *seen >= moves));
        }
    }
}

/// A follower on the line.
pub(super) struct Listening<'a> {
    all: &'a Followers,
    name: &'a str,
    answered: bool,
}

impl Listening<'_> {
    /// It will come back.
    pub(super) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.all.0.send_modify(|all| {
                all.remove(self.name);
            });
        }
    }
}

/// A clock that goes as the simulator's does, for a bot in a process of its own. `control` is the control API's address as
/// `qunguan simulate` prints it.
///
/// # Errors
/// Nobody answers there.
pub async fn follow(control: &str) -> anyhow::Result<Arc<ShiftedClock>> {
    qunguan_wecom::client::install_tls();
    let http = reqwest::Client::builder().no_proxy().build().context("HTTP client for the simulator's clock")?;
    let url = format!("{}/clock", control.trim_end_matches('/'));
    let first = ask(&http, &url).await.with_context(|| format!("the simulator's clock at {url}"))?;
    let clock = if first.stands { ShiftedClock::fixed(first.now) } else { ShiftedClock::new() };
    let clock = Arc::new(clock);
    set(&clock, first);
    let (set_by, name) = (clock.clone(), format!("{}-{}", std::process::id(), rand::random::<u32>()));
    tokio::spawn(async move {
        let mut seen = first.moves;
        loop {
            match ask(&http, &format!("{url}?follow={name}&seen={seen}")).await {
                Ok(reading) if reading.moves == seen => {}
                Ok(reading) => {
                    set(&set_by, reading);
                    seen = reading.moves;
                }
                Err(error) => {
                    tracing::debug!(%error, "the simulator's clock does not answer");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    });
    Ok(clock)
}

fn set(clock: &ShiftedClock, reading: Reading) {
    clock.advance(reading.now.duration_since(clock.now()));
}

async fn ask(http: &reqwest::Client, url: &str) -> anyhow::Result<Reading> {
    Ok(http.get(url).send().await?.error_for_status()?.json().await?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Config, Simulator};

    #[tokio::test]
    async fn who_moved_the_clock_is_answered_when_the_followers_know() {
        let start: Timestamp = "2026-11-23T10:00:00+08:00".parse().unwrap();
        let clock = Arc::new(ShiftedClock::fixed(start));
        let sim = Simulator::start(Config::default(), clock.clone()).await.unwrap();
        let control = sim.credentials().control;
        let followers = [follow(&control).await.unwrap(), follow(&control).await.unwrap()];
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut expected = start;
        for advance in ["2h", "1m", "-10m"] {
            let moved = http.post(format!("{control}/clock")).json(&json!({ "advance": advance }));
            assert!(moved.send().await.unwrap().status().is_success());
            expected += super::super::clock::parse(advance).unwrap();
            for follower in &followers {
                assert_eq!(follower.now(), expected, "after {advance}");
            }
        }
        assert!(follow("http://127.0.0.1:1/sim/api").await.is_err(), "nobody is there");
    }

    #[tokio::test]
    async fn a_follower_that_is_gone_holds_nobody_up() {
        let followers = Followers::default();
        drop(followers.came("dead", 0)); // its connection broke
        followers.came("alive", 3).answered();
        followers.know(3).await;
        assert_eq!(followers.0.borrow().len(), 1);
    }
}
