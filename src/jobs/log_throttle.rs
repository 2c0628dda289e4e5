//! What the log says of tasks: the same thing once, then once an hour with the number of times it was held back. Ten
//! thousand tasks that lack the same line of the settings are one line of the log.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::model::{SignedDuration, Timestamp};

/// Something known is said again after this long.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// Most things remembered; reasons may hold names and numbers, and there is no end of those.
const MOST: usize = 1000;

/// What was said, and how often it was held back since.
#[derive(Default)]
pub struct LogThrottle(Mutex<HashMap<(String, String), Said>>);

struct Said {
    at: Timestamp,
    held_back: u64,
}

impl LogThrottle {
    /// Whether to say now that `what` happened to a task of this kind: `Some` with how often that was held back since it was
    /// said last, `None` to hold it back.
    pub fn say(&self, kind: &str, what: String, now: Timestamp) -> Option<u64> {
        let mut said = self.0.lock();
        let key = (kind.to_owned(), what);
        if let Some(known) = said.get_mut(&key) {
            if now.duration_since(known.at) < AGAIN {
                known.held_back += 1;
                return None;
            }
            return Some(std::mem::replace(known, Said { at: now, held_back: 0 }).held_back);
        }
        if said.len() >= MOST {
            said.retain(|_, known| now.duration_since(known.at) < AGAIN);
        }
        if said.len() >= MOST {
            said.clear(); // a thousand different things within the hour: saying some of them twice is no harm
        }
        said.insert(key, Said { at: now, held_back: 0 });
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(n: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(n)
    }

    #[test]
    fn the_same_is_said_once_an_hour_with_the_count() {
        let repeats = LogThrottle::default();
        let say = |kind: &str, what: &str, at| repeats.say(kind, what.into(), minute(at));
        assert_eq!(say("remove", "没有 [wecom.app]", 0), Some(0));
        for at in 1..60 {
            assert_eq!(say("remove", "没有 [wecom.app]", at), None);
        }
        assert_eq!(say("warn", "没有 [wecom.app]", 30), Some(0), "another kind");
        assert_eq!(say("remove", "接口限流", 30), Some(0), "another reason");
        assert_eq!(say("remove", "没有 [wecom.app]", 60), Some(59));
        assert_eq!(say("remove", "没有 [wecom.app]", 61), None);
        assert_eq!(say("remove", "没有 [wecom.app]", 120), Some(1));
    }

    #[test]
    fn no_more_than_so_much_is_remembered() {
        let repeats = LogThrottle::default();
        for n in 0..10_000 {
            assert_eq!(repeats.say("remove", n.to_string(), minute(0)), Some(0));
            assert!(repeats.0.lock().len() <= MOST);
        }
    }
}
