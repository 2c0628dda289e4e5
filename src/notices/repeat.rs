//! When something that repeats comes next: 每天, 每个工作日, 每周, 每月.

use jiff::ToSpan;

use super::notice::Repeat;
use crate::{
    calendar::Calendar,
    model::{SignedDuration, Timestamp},
};

/// Steps that are looked at.
const FURTHEST: usize = 800;

/// The first time after `now` that follows `planned`, as `first` began it: a month's 31st is the last day of a shorter one.
pub fn next(
    repeat: Option<&Repeat>,
    first: Timestamp,
    planned: Timestamp,
    now: Timestamp,
    calendar: &Calendar,
) -> Timestamp {
    let first = first.to_zoned(calendar.zone().clone());
    let mut at = planned.to_zoned(calendar.zone().clone());
    for _ in 0..FURTHEST {
        let step = match repeat {
            Some(Repeat::Day | Repeat::Workday) | None => 1.day(),
            Some(Repeat::Week) => 1.week(),
            Some(Repeat::Month) => 1.month(),
        };
        let Ok(mut next) = at.checked_add(step) else { break };
        if repeat == Some(&Repeat::Month) {
            let day = first.day().min(next.days_in_month());
            next = next.with().day(day).build().unwrap_or(next);
        }
        at = next;
        if repeat == Some(&Repeat::Workday) && !calendar.is_workday(at.date()) {
            continue;
        }
        if at.timestamp() > now {
            return at.timestamp();
        }
    }
    now + SignedDuration::from_hours(24)
}
