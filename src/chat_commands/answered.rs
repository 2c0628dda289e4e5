//! Whoever types the same thing thirty times reads the answer once a minute.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use parking_lot::Mutex;

use super::Utterance;
use crate::model::{MemberId, SignedDuration, Timestamp};

/// For so long the same answer to the same words of the same person is not given again.
const FOR: SignedDuration = SignedDuration::from_mins(1);
/// When so many are remembered, those that are over are forgotten.
const MOST: usize = 4096;

/// The answers of the last minute; after a restart each may be given once more.
#[derive(Default)]
pub struct Answered {
    /// By what was asked: when, and the answer.
    answers: Mutex<HashMap<u64, (Timestamp, u64)>>,
    /// Who read last, and when, that their words were not understood.
    hints: Mutex<HashMap<MemberId, Timestamp>>,
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Answered {
    /// Was this answered in the same way just now? If not, it counts as answered now.
    pub fn again(&self, said: &Utterance<'_>, answer: &str, now: Timestamp) -> bool {
        let key = hash((said.channel, said.by, said.group, said.text.trim(), said.quote));
        let answer = hash(answer);
        let mut answered = self.answers.lock();
        let fresh = |at: Timestamp| now.duration_since(at).abs() < FOR;
        if answered.get(&key).is_some_and(|(at, before)| fresh(*at) && *before == answer) {
            return true;
        }
        if answered.len() >= MOST {
            answered.retain(|_, (at, _)| fresh(*at));
        }
        answered.insert(key, (now, answer));
        false
    }

    /// May somebody be told that their words were not understood? Once a minute, whatever they say.
    pub fn may_hint(&self, to: &MemberId, now: Timestamp) -> bool {
        let mut hints = self.hints.lock();
        let fresh = |at: &Timestamp| now.duration_since(*at).abs() < FOR;
        if hints.get(to).is_some_and(fresh) {
            return false;
        }
        if hints.len() >= MOST {
            hints.retain(|_, at| fresh(at));
        }
        hints.insert(to.clone(), now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Channel, GroupId};

    #[test]
    fn the_same_answer_is_given_once_a_minute_to_each() {
        let answered = Answered::default();
        let (li, sun, group) = (MemberId::from("li"), MemberId::from("sun"), GroupId::from("g"));
        let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).unwrap();
        let said = |by| Utterance { channel: Channel::Bot, by, group: Some(&group), text: "帮助", quote: None };
        let given = (0..30).filter(|n| !answered.again(&said(&li), "可以对我说", at(*n * 4))).count();
        assert_eq!(given, 2, "two minutes");
        let hinted = (0..30).filter(|n| answered.may_hint(&li, at(*n * 4))).count();
        assert_eq!((hinted, answered.may_hint(&sun, at(0))), (2, true), "whatever they say");
        assert!(!answered.again(&said(&sun), "可以对我说", at(1)), "somebody else");
        assert!(!answered.again(&said(&sun), "现在不行", at(2)), "another answer is news");
        assert!(!answered.again(&Utterance { group: None, ..said(&sun) }, "现在不行", at(3)), "elsewhere");
        assert!(
            !answered.again(&Utterance { channel: Channel::App, ..said(&sun) }, "现在不行", at(3)),
            "another voice"
        );
    }
}
