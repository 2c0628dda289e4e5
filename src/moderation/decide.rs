//! From a report to a decision: what policy knows of the member, the group and the hour, and what it says.

use super::{Hearing, Moderation, breaker};
use crate::{
    detect::{Report, Verdict},
    groups::Group,
    in_force::InForce,
    model::{Category, MemberId, Mode, Timestamp},
    policy::{self, Decision, Facts, breaker::Breaker},
    store::{Document, MemberRecord, StoreError},
};

/// What policy said, and what it was said on.
pub(super) struct Decided {
    /// What policy said.
    pub decision: Decision,
    /// The group's breaker, if something may be done.
    pub breaker: Option<(Document, Breaker)>,
    /// Nothing is done here, everything is only tried.
    pub dry_run: bool,
    /// Somebody permitted the member everything for the time being.
    pub exempt: bool,
}

impl Moderation {
    /// Asks the group's policy.
    pub(super) async fn decide(
        &self,
        hearing: &Hearing<'_>,
        record: &mut MemberRecord,
        report: &Report,
        now: Timestamp,
    ) -> Result<Decided, StoreError> {
        let Hearing { rules, group, message, .. } = hearing;
        let breaker = match report.verdict {
            Verdict::Act => Some(breaker::load(self.store.as_ref(), &message.group).await?),
            _ => None, // nothing is done, so nothing can be held back
        };
        let closed = Breaker::default();
        let state = breaker.as_ref().map_or(&closed, |(_, breaker)| breaker);
        let watched = rules.watched(group, report, message.at.min(now));
        let facts = facts(rules, group, &message.sender, message.at, now, report, state);
        let facts = Facts { watched: &watched, ..facts };
        record.standing.joined = group.joined(&message.sender).or(record.standing.joined);
        let dry_run = self.is_dry_run(group);
        if !dry_run {
            record.standing.forget_dry_runs();
        }
        let mut decision = policy::decide(rules.policy(group), &record.standing, &facts, now);
        if dry_run {
            decision.state = None;
        }
        let exempt = facts.exempt;
        Ok(Decided { decision, breaker, dry_run, exempt })
    }

    /// Nothing is done here for the time being: everything is only tried.
    pub fn is_dry_run(&self, group: &Group) -> bool {
        self.capabilities.load().dry_run || group.set.mode == Mode::Watch
    }
}

/// What a decision about a member's message depends on besides their record.
pub(super) fn facts<'a>(
    rules: &InForce,
    group: &'a Group,
    member: &MemberId,
    at: Timestamp,
    now: Timestamp,
    report: &'a Report,
    breaker: &Breaker,
) -> Facts<'a> {
    let orders = &group.learned.orders;
    let until =
        |map: &std::collections::BTreeMap<_, Timestamp>| map.get(member).is_some_and(|until| *until > at.min(now));
    Facts {
        report,
        group: group.id(),
        kind: group.set.kind,
        mode: group.set.mode,
        role: group.role(member),
        external: group.is_external(member),
        at,
        breaker_open: breaker.is_open(),
        strict_until: orders.strict_until,
        exempt: until(&orders.exempt),
        permitted: if until(&orders.ads_permitted) { &[Category::Ads, Category::CrossPromotion] } else { &[] },
        working: rules.calendar.is_working(at),
        watched: &[],
        untold: rules.untold(group, at.min(now)),
    }
}
