//! What a person's decision changes: a warning, a mute or a removal by hand, a report found true, the end of a mute. The same
//! case, tasks and messages as a decision of the bot's, with the person's name in the history. Who may decide is asked in
//! `cases/` and `orders/`.

use super::{Moderation, case_id, effects};
use crate::{
    capability::{Act, Provider},
    groups::Group,
    in_force::hits,
    model::{CaseId, Category, MemberId, MessageId, Role, Severity, SignedDuration, Step, Timestamp},
    policy::{self, Decision, MemberState, NewStrike, ladder::Unit, rulebook::Broken},
    refusal::{ActError, Code, Refusal},
    store::{Case, CaseState, StoreError, TaskUpdate, Tx},
    tasks::{Happened, Readd},
    zh,
};

/// What a person wants to happen to a member.
#[derive(Clone, Copy, Debug)]
pub struct Punishment<'a> {
    /// This step (with the length of a mute); `None` = what the group's ladder has for one more ordinary violation.
    pub step: Option<(Step, Option<SignedDuration>)>,
    /// For the record and for the member.
    pub reason: &'a str,
    /// What it is about (if that is known), what was said and when, if a message is behind it.
    pub about: Option<(Option<Category>, &'a str, Timestamp)>,
    /// What makes it one and the same decision (a report's id); `None` = the person, the step and the minute, so that a
    /// command sent twice is one case.
    pub cause: Option<&'a str>,
}

impl Moderation {
    /// Who would carry out a step against a member: the API, a person; nobody where everything is only recorded.
    pub fn carried_out_by(&self, step: Step, group: &Group, member: &MemberId) -> Option<Provider> {
        let act = if step == Step::Warn { Act::Tell } else { Act::Move };
        self.capabilities.load().provider(act, group, Some(member))
    }

    /// Punishes a member in the name of `by`; after the commit the tasks want [`Self::ring`].
    pub async fn punish_in(
        &self,
        tx: &mut Tx<'_>,
        group: &Group,
        member: &MemberId,
        by: &str,
        what: Punishment<'_>,
    ) -> Result<CaseId, ActError> {
        let role = group.role(member);
        if role != Role::Member {
            return Err(Refusal::new(Code::Immune, format!("对方是{}，不能处置", role.zh())).into());
        }
        let rules = self.rules.get_full();
        let policy = rules.policy(group).for_group(group.id());
        let now = self.clock.now();
        let mut record = tx.member(group.id(), member).await?;
        let cause = what.cause.map_or_else(
            || format!("{by}:{}:{}", what.step.map_or("", |(step, _)| step.id()), now.as_second() / 60),
            str::to_owned,
        );
        let message = MessageId::new(format!("{}{}:{member}:{cause}", Case::BY_HAND, group.id()));
        let Some(id) = new_manual_case(tx, &message).await? else {
            let again = if what.cause.is_some() { "这条消息已处理过" } else { "刚刚已经处理过了" };
            return Err(Refusal::decided(again).into());
        };
        let mut decision = decision(policy, &record.standing, group, member, &what, now);
        let dry_run = self.is_dry_run(group);
        if dry_run {
            decision.state = None;
        } else {
            record.standing.forget_dry_runs();
        }
        policy::apply(&mut record.standing, &decision, &id, now);
        if dry_run {
            record.standing.rehearse(&id);
        }
        // A message that a person judged is held against the same clause as one that the bot judges.
        let asked = match what.cause {
            Some(id) => tx.case(&CaseId::from(id)).await?,
            None => None,
        };
        let cited = what.about.and_then(|(category, _, said)| {
            let category = category?;
            let hits = asked.as_ref().map(|asked| hits(&asked.findings, category)).unwrap_or_default();
            let broken = Broken { category, hits: &hits, acts: true };
            rules.clause(group, broken, said.min(now))
        });
        let (clause, rule) =
            cited.map_or_else(|| (None, what.reason.chars().take(60).collect()), |(clause, rule)| (Some(clause), rule));
        let mut case = Case {
            id: id.clone(),
            version: 0,
            group: group.id().clone(),
            member: member.clone(),
            message,
            at: now,
            evidence: what.about.map_or_else(String::new, |(_, said, _)| said.to_owned()),
            findings: Vec::new(),
            category: decision.category,
            severity: decision.severity,
            step: decision.step,
            points: decision.points,
            live_points: decision.live_after,
            until: decision.until,
            expires_at: decision.strike.as_ref().map(|s| s.expires_at),
            policy: policy.label(),
            clause,
            rule,
            state: CaseState::Open,
            history: Vec::new(),
            further: Vec::new(),
            more: 0,
            others: Vec::new(),
            same_text: Vec::new(),
        };
        case.note(now, by, Happened::Decided, what.reason.chars().take(200).collect::<String>());
        tx.add_tasks(effects::tasks(self.capabilities.load().as_ref(), group, &case, &decision, now));
        tx.put_member(record);
        tx.put_case(case);
        Ok(id)
    }

    /// What confirming a case would bring its member now: `警告`, `禁言 2 小时`; empty where nothing would follow.
    pub async fn would_follow(&self, group: &Group, case: &Case) -> Result<String, StoreError> {
        if group.role(&case.member) != Role::Member || !case.others.is_empty() {
            return Ok(String::new());
        }
        if self.is_dry_run(group) {
            return Ok("试运行，只记录".to_owned());
        }
        let rules = self.rules.get_full();
        let policy = rules.policy(group).for_group(group.id());
        let now = self.clock.now();
        let record = self.store.member(group.id(), &case.member).await?;
        let about = Some((Some(case.category), case.evidence.as_str(), case.at));
        let what = Punishment { step: None, reason: "", about, cause: None };
        let decision = decision(policy, &record.standing, group, &case.member, &what, now);
        let length = decision.until.map(|until| format!(" {}", zh::length(until.duration_since(now))));
        Ok(format!("{}{}", decision.step.zh(), length.unwrap_or_default()))
    }

    /// Ends a mute early in the name of `by`: the strikes stay, the member is brought back at once. `cases` are those that may
    /// have brought it; after the commit the tasks want [`Self::ring`].
    pub async fn end_mute_in(
        &self,
        tx: &mut Tx<'_>,
        group: &Group,
        member: &MemberId,
        by: &str,
        cases: &[Case],
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        tx.edit_member(group.id(), member, |record| {
            if matches!(record.standing.state, MemberState::Muted { .. }) {
                record.standing.state = MemberState::Normal;
            }
        })
        .await?;
        for id in cases.iter().filter(|case| case.step == Step::Mute).map(|case| &case.id) {
            let Some(mut case) = tx.case(id).await? else { continue };
            tx.update_task(TaskUpdate::cancel(Readd::id_after_mute(id), now, "禁言提前结束"));
            let removed = case.happened(Happened::Removed).is_some();
            if removed && self.carried_out_by(Step::Remove, group, member) == Some(Provider::Api) {
                tx.add_task(Readd::early(&case, group.id(), now));
            }
            case.note(now, by, Happened::MuteEnded, "禁言提前结束");
            tx.put_case(case);
        }
        Ok(())
    }
}

async fn new_manual_case(tx: &mut Tx<'_>, message: &MessageId) -> Result<Option<CaseId>, StoreError> {
    for id in case_id::candidates(message) {
        match tx.case(&id).await? {
            None => return Ok(Some(id)),
            Some(case) if case.message == *message => return Ok(None),
            Some(_) => {}
        }
    }
    Ok(None)
}

/// The decision a person took, in the words of the ladder: a warning weighs as a medium hit, more as a high one. Without a
/// step of their own they said only that it was a violation; the ladder says the rest, and asks where it would ask.
fn decision(
    policy: &policy::Policy,
    standing: &policy::Standing,
    group: &Group,
    member: &MemberId,
    what: &Punishment<'_>,
    now: Timestamp,
) -> Decision {
    let severity =
        if what.step.is_some_and(|(step, _)| step >= Step::Mute) { Severity::High } else { Severity::Medium };
    let category = what.about.and_then(|(category, ..)| category).unwrap_or(Category::Junk);
    let points = policy.points_of(category, severity);
    let live = || standing.live_strikes(now).filter(|s| policy.same_ladder(s.category, category));
    let before = live().fold(0u32, |sum, s| sum.saturating_add(s.points));
    let after = before.saturating_add(points);
    let rung = policy.ladder_of(category).rung(after);
    let (step, length) = what.step.unwrap_or_else(|| {
        rung.map_or((Step::Warn, None), |rung| (rung.step, (rung.step == Step::Mute).then_some(rung.length)))
    });
    let asks = rung.is_some_and(|rung| rung.ask) || group.is_external(member) && step >= policy.external_ask_from;
    let needs_human = what.step.is_none() && asks;
    let until = length.map(|length| now.saturating_add(length).unwrap_or(Timestamp::MAX));
    let state = match (step, until) {
        _ if needs_human => None,
        (Step::Mute, Some(until)) => Some(MemberState::Muted { until }),
        (Step::Remove, _) => Some(MemberState::Removed),
        _ => None,
    };
    let strike = NewStrike {
        at: now,
        expires_at: now.saturating_add(policy.expiry_of(category)).unwrap_or(Timestamp::MAX),
        points,
        category,
        severity,
    };
    let mut decision = Decision {
        step,
        would: step,
        category,
        severity,
        points,
        strike: Some(strike),
        live_after: after,
        until,
        state,
        needs_human,
        counts: policy.unit == Unit::Count,
        ..Decision::by_person(before, live().count() as u32 + 1)
    };
    policy::decide::outlook(policy, group.is_external(member), &mut decision, points);
    decision
}
