//! Meters for WeCom's limits, above all the silent ones: a message over 30 a minute to one person is answered with "ok" and
//! thrown away (acting.md §12.2). The meter says when there is room, so that nothing is lost.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

use jiff::{SignedDuration, Timestamp};

/// At most `count` in any span of `span`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub count: usize,
    /// In how long.
    pub span: SignedDuration,
}

const fn per(count: usize, seconds: i64) -> Limit {
    Limit { count, span: SignedDuration::from_secs(seconds) }
}

/// One app to one member: 30 a minute, 1000 an hour; one kept back for people who write to the app meanwhile.
pub const MEMBER: &[Limit] = &[per(29, 60), per(990, 3600)];
/// One webhook: 20 a minute.
pub const WEBHOOK: &[Limit] = &[per(19, 60)];
/// One conversation of the bot: 30 a minute, 1000 an hour, replies included.
pub const CONVERSATION: &[Limit] = &[per(29, 60), per(990, 3600)];
/// Changes of app groups, whole company: 1000 an hour.
pub const GROUP_CHANGES: &[Limit] = &[per(980, 3600)];
/// Messages of one app into one group: every member gets them, 200 a minute.
pub const GROUP_MESSAGES: &[Limit] = &[per(190, 60), per(9900, 86_400)];

/// Keys beyond this many are swept of those that have room again.
const MANY: usize = 10_000;

/// Remembers when what was used.
#[derive(Debug, Default)]
pub struct Meter {
    used: Mutex<HashMap<String, VecDeque<Timestamp>>>,
}

impl Meter {
    /// Uses one of `key` if all limits have room; else says when there is.
    pub fn take(&self, key: &str, limits: &[Limit], now: Timestamp) -> Result<(), Timestamp> {
        self.take_all(&[key], limits, now)
    }

    /// Uses one of each key, or none of any.
    pub fn take_all(&self, keys: &[&str], limits: &[Limit], now: Timestamp) -> Result<(), Timestamp> {
        let mut used = self.used.lock();
        let longest = limits.iter().map(|l| l.span).max().unwrap_or_default();
        if used.len() > MANY {
            used.retain(|_, times| times.back().is_some_and(|last| now.duration_since(*last) < longest));
        }
        let mut free_at = now;
        for key in keys {
            let Some(times) = used.get_mut(*key) else { continue };
            // A clock that was set back must not freeze the meter.
            while times.back().is_some_and(|last| *last > now) {
                times.pop_back();
            }
            while times.front().is_some_and(|first| now.duration_since(*first) >= longest) {
                times.pop_front();
            }
            for limit in limits {
                if let Some(index) = times.len().checked_sub(limit.count)
                    && now.duration_since(times[index]) < limit.span
                {
                    free_at = free_at.max(times[index].saturating_add(limit.span).unwrap_or(now));
                }
            }
        }
        if free_at > now {
            return Err(free_at);
        }
        for key in keys {
            used.entry((*key).to_owned()).or_default().push_back(now);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    #[test]
    fn says_when_there_is_room() {
        let meter = Meter::default();
        let limits = [per(2, 60)];
        assert_eq!(meter.take("a", &limits, at(0)), Ok(()));
        assert_eq!(meter.take("a", &limits, at(10)), Ok(()));
        assert_eq!(meter.take("a", &limits, at(20)), Err(at(60)));
        assert_eq!(meter.take("b", &limits, at(20)), Ok(()), "keys are apart");
        assert_eq!(meter.take("a", &limits, at(60)), Ok(()));
        assert_eq!(meter.take("a", &limits, at(-3600)), Ok(()), "a clock set back does not freeze it");
    }

    #[test]
    fn all_or_none() {
        let meter = Meter::default();
        let limits = [per(1, 60)];
        meter.take("a", &limits, at(0)).unwrap();
        assert!(meter.take_all(&["a", "b"], &limits, at(1)).is_err());
        assert_eq!(meter.take("b", &limits, at(1)), Ok(()), "nothing of b was used");
    }

    proptest! {
        #[test]
        fn never_more_than_the_limit_in_any_window(gaps in prop::collection::vec(0i64..30, 1..200)) {
            let meter = Meter::default();
            let mut now = 0;
            let mut sent = Vec::new();
            for gap in gaps {
                now += gap;
                if meter.take("k", MEMBER, at(now)).is_ok() {
                    sent.push(now);
                }
            }
            for (i, start) in sent.iter().enumerate() {
                let in_minute = sent[i..].iter().filter(|t| **t - start < 60).count();
                prop_assert!(in_minute <= 30, "{in_minute}");
            }
        }
    }
}
