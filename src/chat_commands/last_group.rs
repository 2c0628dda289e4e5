//! Whoever named a group in the private talk need not name it again for a while.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::model::{GroupId, MemberId, SignedDuration, Timestamp};

/// For so long the group is remembered.
const FOR: SignedDuration = SignedDuration::from_mins(30);
/// When so many are remembered, those that are over are forgotten.
const MOST: usize = 4096;

/// Who spoke of which group last, and when; forgotten at a restart.
#[derive(Default)]
pub struct LastGroup {
    groups: Mutex<HashMap<MemberId, (GroupId, Timestamp)>>,
}

impl LastGroup {
    /// Somebody named a group.
    pub fn named(&self, by: &MemberId, group: &GroupId, now: Timestamp) {
        let mut groups = self.groups.lock();
        if groups.len() >= MOST {
            groups.retain(|_, (_, at)| now.duration_since(*at).abs() < FOR);
        }
        groups.insert(by.clone(), (group.clone(), now));
    }

    /// The group somebody spoke of last; each time they go on with it the time begins anew.
    pub fn of(&self, by: &MemberId, now: Timestamp) -> Option<GroupId> {
        let mut groups = self.groups.lock();
        let (group, at) = groups.get_mut(by).filter(|(_, at)| now.duration_since(*at).abs() < FOR)?;
        *at = now;
        Some(group.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_remembered_for_half_an_hour_by_who_named_it() {
        let last = LastGroup::default();
        let at = |minute: i64| Timestamp::from_second(1_700_000_000 + 60 * minute).unwrap();
        let (wang, zhang) = (MemberId::from("wang"), MemberId::from("zhang"));
        last.named(&wang, &"g".into(), at(0));
        assert_eq!(last.of(&wang, at(29)), Some("g".into()));
        assert_eq!(last.of(&wang, at(58)), Some("g".into()), "it goes on");
        assert_eq!((last.of(&wang, at(90)), last.of(&zhang, at(1))), (None, None));
    }
}
