//! One message, one decision: hint, warning, mute, removal, a person's look, or nothing, and always why.

use super::{
    MemberState, Policy, Standing,
    ladder::{CategoryRule, Rung, Treatment, Unit, When},
};
use crate::{
    detect::{Report, Verdict},
    model::{Category, GroupId, GroupKind, Mode, Role, Severity, Stage, Step, Timestamp},
    zh,
};

/// What is known about one message beside the member's standing.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What the detector found.
    pub report: &'a Report,
    /// Where it was said.
    pub group: &'a GroupId,
    /// How the group came to exist.
    pub kind: GroupKind,
    /// What the bot can do there.
    pub mode: Mode,
    /// The sender's part in the group.
    pub role: Role,
    /// The sender is not of the company: a customer.
    pub external: bool,
    /// When it was said.
    pub at: Timestamp,
    /// Said in working hours; `None` if the settings have none, then every hour counts alike.
    pub working: Option<bool>,
    /// The group's circuit breaker is open: everything is only recorded.
    pub breaker_open: bool,
    /// The owner's strict mode (严管) lasts until then.
    pub strict_until: Option<Timestamp>,
    /// The sender's messages are not judged for now (豁免).
    pub exempt: bool,
    /// The sender may post these for now (授权广告).
    pub permitted: &'a [Category],
    /// The group's rulebooks want these written down and nothing else.
    pub watched: &'a [Category],
    /// The group has rules and was not told of them yet: nobody is punished by them.
    pub untold: bool,
}

/// A strike before it has a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStrike {
    /// When the message was said; never far ahead of our clock.
    pub at: Timestamp,
    /// When it stops counting.
    pub expires_at: Timestamp,
    /// Its weight.
    pub points: u32,
    /// What it is for.
    pub category: Category,
    /// How bad it is.
    pub severity: Severity,
}

/// What follows from one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What is done.
    pub step: Step,
    /// What would have been done if nothing held it back (breaker); equals `step` otherwise.
    pub would: Step,
    /// What it is about; says something only if [`Decision::opens_case`].
    pub category: Category,
    /// How bad, after newcomer, strict mode and the category's own rule.
    pub severity: Severity,
    /// Weight of the strike, 0 for none.
    pub points: u32,
    /// The strike, if there is one.
    pub strike: Option<NewStrike>,
    /// Live points on this ladder before it.
    pub live_before: u32,
    /// Live points on this ladder after it.
    pub live_after: u32,
    /// It is the n-th violation that counts on this ladder …
    pub n: u32,
    /// … of so many like this one until the ladder's top.
    pub of: u32,
    /// What the next one like this would bring, in Chinese; empty if nothing is left.
    pub next: String,
    /// The policy counts violations, not points.
    pub counts: bool,
    /// End of the mute.
    pub until: Option<Timestamp>,
    /// The state it brings; `None` leaves it, because it is milder, only proposed, or only recorded.
    pub state: Option<MemberState>,
    /// Only proposed: nothing is done to the member before a person says yes.
    pub needs_human: bool,
    /// Said to the member alone, never to the group.
    pub private: bool,
    /// The first low hit in this category: said once, free of charge.
    pub first_hint: bool,
    /// A leak is part of it: ask to take it back, open a ticket, tell the owner.
    pub leak: bool,
    /// The leak should be taken back by then.
    pub recall_by: Option<Timestamp>,
    /// Also out of the other groups of the same owner.
    pub cross_group: bool,
    /// Banned for good.
    pub ban: bool,
    /// Found where the rulebooks want it written down and nothing else.
    pub watched: Option<Category>,
    /// Why, and why not more, in Chinese, for admins.
    pub reasons: Vec<String>,
}

impl Decision {
    fn nothing(live: u32) -> Self {
        Self {
            step: Step::None,
            would: Step::None,
            category: Category::Ads,
            severity: Severity::Low,
            points: 0,
            strike: None,
            live_before: live,
            live_after: live,
            n: 0,
            of: 0,
            next: String::new(),
            counts: false,
            until: None,
            state: None,
            needs_human: false,
            private: false,
            first_hint: false,
            leak: false,
            recall_by: None,
            cross_group: false,
            ban: false,
            watched: None,
            reasons: Vec::new(),
        }
    }
    /// The ground of a decision that a person took by hand: nothing yet, but counted.
    pub fn by_person(live: u32, n: u32) -> Self {
        Self { n, ..Self::nothing(live) }
    }
    /// Is there anything to keep: a step, a strike, a leak?
    pub fn opens_case(&self) -> bool {
        self.step != Step::None || self.strike.is_some() || self.leak
    }
    /// Does a person have to look at the message itself?
    pub fn review(&self) -> bool {
        self.step == Step::Review
    }
}

/// Decides about one message of one member.
pub fn decide(policy: &Policy, standing: &Standing, facts: &Facts<'_>, now: Timestamp) -> Decision {
    let policy = policy.for_group(facts.group);
    let report = facts.report;
    if report.verdict == Verdict::Clean && report.findings.is_empty() {
        return Decision::nothing(standing.live_points(now));
    }
    Case { policy, standing, facts, now }.decide()
}

/// Second sentence of a warning: the n-th of so many, and what one more like it (of that weight) brings.
pub fn outlook(policy: &Policy, external: bool, decision: &mut Decision, weight: u32) {
    let ladder = policy.ladder_of(decision.category);
    let missing = ladder.top().map_or(0, |top| top.at.saturating_sub(decision.live_after));
    // Whoever was only warned by hand where the ladder would have removed them still has the top before them.
    let spared = missing == 0 && decision.step > Step::None && ladder.top().is_some_and(|top| top.step > decision.step);
    decision.of = decision.n + if weight == 0 { 0 } else { missing.div_ceil(weight).max(u32::from(spared)) };
    if decision.step == Step::Remove {
        return;
    }
    let next = ladder.rung(decision.live_after.saturating_add(weight)).filter(|_| weight > 0);
    decision.next = match next {
        None => String::new(),
        Some(rung) if rung.ask || (external && rung.step >= policy.external_ask_from) => {
            "再次违规将提请管理者处理".to_owned()
        }
        Some(Rung { step: Step::Mute, length, .. }) => format!("再次违规将被禁言 {}", zh::length(*length)),
        Some(Rung { step: Step::Remove, .. }) => "再次违规将被移出本群".to_owned(),
        Some(_) => "再次违规将被警告".to_owned(),
    };
}

/// Everything a decision is made from.
#[derive(Clone, Copy)]
struct Case<'a> {
    policy: &'a Policy,
    standing: &'a Standing,
    facts: &'a Facts<'a>,
    now: Timestamp,
}

impl Case<'_> {
    fn decide(self) -> Decision {
        let mut reasons = Vec::new();
        let mut best: Option<Decision> = None;
        let mut leak = None;
        let mut review = None;
        let mut watched = None;
        for (rank, category) in self.facts.report.categories.iter().copied().enumerate() {
            let Some(treat) = self.treatment(category, &mut reasons) else { continue };
            if self.facts.watched.contains(&category) {
                reasons.push(format!("{}：群规只要求记录，不处置", category.zh()));
                watched = watched.or(Some(category));
                continue;
            }
            if treat == Treatment::Review || !self.facts.report.acting.contains(&category) {
                review = review.or(Some((rank, category)));
            } else if category.is_leak() {
                leak = leak.or(Some(category));
            } else {
                let decision = self.on_ladder(category);
                if best.as_ref().is_none_or(|b| (decision.step, decision.points) > (b.step, b.points)) {
                    best = Some(decision);
                }
            }
        }
        let mut decision = match (best, leak, review) {
            (Some(decision), ..) => decision,
            (None, Some(category), _) => self.about(category, Step::Hint),
            (None, None, Some((_, category))) => {
                reasons.push(format!("疑似{}，由人工复核", category.zh()));
                self.about(category, Step::Review)
            }
            (None, None, None) => {
                self.explain_silence(&mut reasons);
                Decision::nothing(self.standing.live_points(self.now))
            }
        };
        if let Some(category) = leak {
            decision.leak = true;
            decision.private |= decision.step <= Step::Hint;
            decision.recall_by = Some(self.now + self.policy.recall_within);
            reasons.push(format!("疑似{}：私下请本人撤回，不记分", category.zh()));
        }
        reasons.append(&mut decision.reasons);
        decision.reasons = reasons;
        decision.counts = self.policy.unit == Unit::Count;
        decision.watched = watched;
        self.hold_back(decision)
    }

    /// What happens with hits of a category here, or `None` (and why) if nothing does.
    fn treatment(self, category: Category, reasons: &mut Vec<String>) -> Option<Treatment> {
        let Facts { role, exempt, permitted, working, .. } = *self.facts;
        let rule = self.policy.category(category);
        let zh = category.zh();
        let immune = self.policy.immune.roles.contains(&role);
        let asked_anyway = category.is_leak() && !self.policy.immune.leaks && role != Role::Bot;
        if immune && !asked_anyway {
            reasons.push(format!("{zh}：{}豁免，不处置", role.zh()));
            return None;
        }
        if exempt {
            reasons.push(format!("{zh}：该成员在豁免期内，不处置"));
            return None;
        }
        if permitted.contains(&category) {
            reasons.push(format!("{zh}：已授权该成员发布，不处置"));
            return None;
        }
        let on = match rule.and_then(|r| r.when).unwrap_or(When::Always) {
            When::Always => true,
            When::Working => working != Some(false),
            When::Off => working != Some(true),
        };
        if !on {
            reasons.push(format!("{zh}：本群{}才管，此时不处置", rule.and_then(|r| r.when).map_or("", When::zh)));
            return None;
        }
        match rule.and_then(|r| r.treat).unwrap_or(Treatment::Act) {
            Treatment::Ignore => {
                reasons.push(format!("{zh}：本群不管"));
                None
            }
            treat => Some(treat),
        }
    }

    /// How bad: the worst acting hit of the category, then the policy's own view of it.
    fn severity(self, category: Category, reasons: &mut Vec<String>) -> Severity {
        let hits = self.facts.report.findings.iter().filter(|f| f.category == category && f.stage == Stage::Enforce);
        let found = hits.filter(|f| f.score > 0.0).map(|f| f.severity).max().unwrap_or(Severity::Medium);
        let severity = self.policy.category(category).and_then(|rule: &CategoryRule| rule.severity).unwrap_or(found);
        let mut worst = severity;
        let mut raise = |by: &super::ladder::Raise, why: &str| {
            if let Some(raised) = by.get(&severity).filter(|raised| **raised > worst) {
                reasons.push(format!("{why}：{}按{}计", severity.zh(), raised.zh()));
                worst = *raised;
            }
        };
        if self.is_newcomer() {
            raise(&self.policy.newcomer.raise, "新成员");
        }
        if self.facts.strict_until.is_some_and(|until| self.now < until) {
            raise(&self.policy.strict_raise, "严管期间");
        }
        worst
    }

    /// New: the bot saw them join, and that was a short time or few messages ago.
    fn is_newcomer(self) -> bool {
        let new = &self.policy.newcomer;
        self.standing.joined.is_some_and(|joined| {
            self.facts.at.duration_since(joined) < new.within || self.standing.messages < new.messages
        })
    }

    fn on_ladder(self, category: Category) -> Decision {
        let policy = self.policy;
        let mut reasons = Vec::new();
        let severity = self.severity(category, &mut reasons);
        let live = || self.standing.live_strikes(self.now).filter(|s| policy.same_ladder(s.category, category));
        let live_before = live().fold(0u32, |sum, s| sum.saturating_add(s.points));
        let count = live().count() as u32;
        let weight = policy.points_of(category, severity);
        let mut decision = Decision {
            category,
            severity,
            live_before,
            live_after: live_before,
            n: count,
            ..Decision::nothing(live_before)
        };

        let new_here = !self.standing.hinted.contains(&category)
            && !self.standing.strikes.iter().any(|s| s.category == category && !s.revoked);
        if severity == Severity::Low && policy.first_low_is_hint && new_here {
            decision.step = Step::Hint;
            decision.first_hint = true;
            decision.private = true;
            reasons.push(format!("{}首次轻微情况，只提示，不记分", category.zh()));
        } else {
            let at = self.facts.at.min(self.now + policy.clock_tolerance);
            let expires_at = at + policy.expiry_of(category);
            if expires_at <= self.now {
                reasons.push(format!("{}：消息太早，记分已过有效期，不处置", category.zh()));
            } else if weight == 0 {
                decision.step = Step::Hint;
                decision.private = true;
                reasons.push(format!("{}（{}）：按策略不记分，只提示", category.zh(), severity.zh()));
            } else {
                decision.points = weight;
                decision.strike = Some(NewStrike { at, expires_at, points: weight, category, severity });
                decision.live_after = live_before.saturating_add(weight);
                decision.n = count + 1;
                let unit = policy.unit.zh();
                reasons.push(format!(
                    "{}（{}）：计 {weight} {unit}，有效共 {} {unit}",
                    category.zh(),
                    severity.zh(),
                    decision.live_after
                ));
                self.climb(&mut decision, &mut reasons);
            }
        }
        decision.would = decision.step;
        self.look_ahead(&mut decision, weight);
        decision.reasons = reasons;
        decision
    }

    /// Finds the rung and what hangs on it.
    fn climb(self, decision: &mut Decision, reasons: &mut Vec<String>) {
        let policy = self.policy;
        let Some(rung) = policy.ladder_of(decision.category).rung(decision.live_after) else {
            decision.step = Step::Hint;
            decision.private = true;
            return;
        };
        let out = matches!(self.standing.state, MemberState::Removed | MemberState::Banned);
        let last = self.standing.strikes.iter().filter(|s| !s.revoked).map(|s| s.at).max();
        if out && last.is_some_and(|last| self.facts.at.duration_since(last) <= policy.settle) {
            reasons.push("该成员已在移出处理中，只记录".to_owned());
            return;
        }
        decision.step = rung.step;
        decision.needs_human = rung.ask;
        if rung.ask {
            reasons.push(format!("{}须由管理者确认", rung.step.zh()));
        }
        if self.facts.external && rung.step >= policy.external_ask_from {
            decision.needs_human = true;
            reasons.push(format!("客户：{}须由管理者确认", rung.step.zh()));
        }
        match rung.step {
            Step::Mute => {
                let until = self.now + rung.length;
                let until = match self.standing.state {
                    MemberState::Muted { until: already } => until.max(already),
                    _ => until,
                };
                decision.until = Some(until);
                decision.state = Some(MemberState::Muted { until });
            }
            Step::Remove => {
                decision.cross_group = policy.cross_group.covers(decision.category, decision.severity);
                decision.ban = policy.ban.covers(decision.category, decision.severity)
                    || self.standing.state == MemberState::Banned;
                decision.state = Some(if decision.ban { MemberState::Banned } else { MemberState::Removed });
            }
            _ => {}
        }
    }

    fn look_ahead(self, decision: &mut Decision, weight: u32) {
        outlook(self.policy, self.facts.external, decision, weight);
    }

    /// A decision without points.
    fn about(self, category: Category, step: Step) -> Decision {
        let live = self.standing.live_points(self.now);
        let severity = self.severity(category, &mut Vec::new());
        Decision { step, would: step, category, severity, private: step == Step::Hint, ..Decision::nothing(live) }
    }

    fn explain_silence(self, reasons: &mut Vec<String>) {
        let findings = &self.facts.report.findings;
        if reasons.is_empty() && !findings.is_empty() {
            let observed = findings.iter().all(|f| f.stage == Stage::Observe);
            reasons.push(if observed { "命中的规则还在观察期，只记录" } else { "命中不足以处置" }.to_owned());
        }
    }

    /// What the moment allows: the breaker and a group that is only watched.
    fn hold_back(self, mut decision: Decision) -> Decision {
        // Asking somebody to take a leak back, or a person to look, is no punishment.
        let punishes = decision.strike.is_some() || decision.step > Step::Review;
        let held = match (self.facts.breaker_open, self.facts.untold) {
            (true, _) if decision.opens_case() => Some("熔断中：只记录，不处置"),
            (_, true) if punishes => Some("群规还没有告诉本群：只记录，不处置"),
            _ => None,
        };
        if let Some(why) = held {
            let mut held = Decision::nothing(decision.live_before);
            held.would = decision.would;
            held.category = decision.category;
            held.severity = decision.severity;
            held.watched = decision.watched;
            held.reasons = decision.reasons;
            held.reasons.push(why.to_owned());
            return held;
        }
        if decision.needs_human {
            decision.state = None;
        }
        if self.facts.mode == Mode::Watch && decision.state.take().is_some() {
            decision.reasons.push("本群只观察：报告给管理者，不处置成员".to_owned());
        }
        decision
    }
}
