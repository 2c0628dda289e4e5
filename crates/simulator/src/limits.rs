//! Counters of WeCom's frequency limits: some answer 45009 and stay shut for their window, some drop silently.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;

/// One minute in milliseconds.
pub const MINUTE: i64 = 60_000;
/// One hour in milliseconds.
pub const HOUR: i64 = 3_600_000;
/// One day in milliseconds.
pub const DAY: i64 = 86_400_000;

#[derive(Debug, Default)]
struct Window {
    hits: VecDeque<(i64, u32)>,
    sum: u64,
    blocked_until: i64,
}

impl Window {
    fn forget(&mut self, before: i64) {
        while let Some((at, weight)) = self.hits.front().copied() {
            if at > before {
                break;
            }
            self.hits.pop_front();
            self.sum -= u64::from(weight);
        }
    }
    fn count(&mut self, now: i64, weight: u32) {
        self.sum += u64::from(weight);
        match self.hits.back_mut() {
            Some((at, sum)) if *at == now => *sum += weight,
            _ => self.hits.push_back((now, weight)),
        }
    }
}

/// All counters, by name.
#[derive(Debug, Default)]
pub struct Limits {
    windows: HashMap<String, Window>,
}

impl Limits {
    /// Counts `weight` hits; false if the limit is used up, and from then on for one whole window.
    pub fn allow(&mut self, name: &str, limit: u64, window_ms: i64, weight: u32, now: Timestamp) -> bool {
        let now = now.as_millisecond();
        let window = self.windows.entry(name.to_owned()).or_default();
        if now < window.blocked_until {
            return false;
        }
        window.forget(now - window_ms);
        if window.sum + u64::from(weight) > limit {
            window.blocked_until = now + window_ms;
            return false;
        }
        window.count(now, weight);
        true
    }

    /// Counts one hit against several sliding limits at once; false (and nothing counted) if any is used up. Never blocks
    /// beyond the window: this is how messages to one member are dropped.
    pub fn pass(&mut self, name: &str, limits: &[(u64, i64)], now: Timestamp) -> bool {
        let now = now.as_millisecond();
        let open = limits.iter().all(|(limit, window_ms)| {
            let window = self.windows.entry(format!("{name}/{window_ms}")).or_default();
            window.forget(now - window_ms);
            window.sum < *limit
        });
        if open {
            for (_, window_ms) in limits {
                self.windows.entry(format!("{name}/{window_ms}")).or_default().count(now, 1);
            }
        }
        open
    }

    /// Shuts a counter for a time: somebody is barred.
    pub fn bar(&mut self, name: &str, ms: i64, now: Timestamp) {
        self.windows.entry(name.to_owned()).or_default().blocked_until = now.as_millisecond() + ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    #[test]
    fn a_full_window_shuts_for_its_own_length() {
        let mut limits = Limits::default();
        for i in 0..20 {
            assert!(limits.allow("hook", 20, MINUTE, 1, at(i)));
        }
        assert!(!limits.allow("hook", 20, MINUTE, 1, at(1000)));
        assert!(!limits.allow("hook", 20, MINUTE, 1, at(60_500)), "still shut: the block lasts a minute");
        assert!(limits.allow("hook", 20, MINUTE, 1, at(61_000)));
    }

    #[test]
    fn silent_drops_open_again_as_the_window_slides() {
        let mut limits = Limits::default();
        let rule = [(2, MINUTE), (3, HOUR)];
        assert!(limits.pass("m", &rule, at(0)) && limits.pass("m", &rule, at(10)));
        assert!(!limits.pass("m", &rule, at(20)));
        assert!(limits.pass("m", &rule, at(60_005)), "one minute after the first");
        assert!(!limits.pass("m", &rule, at(130_000)), "three an hour");
    }
}
