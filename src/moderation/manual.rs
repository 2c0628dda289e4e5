//! What an owner or admin decides by hand: a warning, a mute, a removal, the end of a mute. The same case, tasks and
//! messages as a decision of the bot's, with the person's name in the history.

use super::{
    Moderation, case_id,
    effects::{self, Readd},
    undo::UndoError,
};
use crate::{
    capability::{Act, Provider},
    groups::Group,
    model::{CaseId, Category, MemberId, MessageId, Role, Severity, SignedDuration, Step, Timestamp, UserError},
    policy::{self, Decision, MemberState, NewStrike},
    store::{Case, CaseEvent, CaseState, Commit, Committed, Task, TaskState, TaskUpdate, changes::Changes},
};
use serde_json::json;

impl Moderation {
    /// A person punishes a member. The reason is for the record and for the member.
    pub async fn punish(
        &self,
        group: &Group,
        member: &MemberId,
        by: &MemberId,
        step: Step,
        length: Option<SignedDuration>,
        reason: &str,
    ) -> Result<CaseId, UndoError> {
        let role = group.role(member);
        if role != Role::Member {
            return Err(UserError::new(format!("对方是{}，不能处置", role.zh())).into());
        }
        let rules = self.rules.get_full();
        let policy = rules.policy(group).for_group(group.id());
        loop {
            let now = self.clock.now();
            let mut record = self.store.member(group.id(), member).await?;
            // One decision per person, member, step and minute: a command sent twice is one case.
            let minute = now.as_second() / 60;
            let message = MessageId::new(format!("manual:{}:{member}:{by}:{step}:{minute}", group.id()));
            let Some(id) = self.new_manual_case(&message).await? else {
                return Err(UserError::new("刚刚已经处理过了").into());
            };
            let decision = manual_decision(policy, &record.standing, step, length, now);
            policy::apply(&mut record.standing, &decision, &id, now);
            let case = Case {
                id: id.clone(),
                version: 0,
                group: group.id().clone(),
                member: member.clone(),
                message,
                at: now,
                evidence: String::new(),
                findings: Vec::new(),
                category: decision.category,
                severity: decision.severity,
                step,
                points: decision.points,
                live_points: decision.live_after,
                until: decision.until,
                expires_at: decision.strike.as_ref().map(|s| s.expires_at),
                policy: policy.label(),
                clause: None,
                rule: reason.chars().take(60).collect(),
                state: CaseState::Open,
                history: vec![CaseEvent {
                    at: now,
                    by: by.to_string(),
                    what: "decided".into(),
                    note: reason.chars().take(200).collect(),
                }],
            };
            let tasks = effects::tasks(self.capabilities.load().as_ref(), group, &case, &decision, now);
            let commit = Commit { members: vec![record], cases: vec![case], tasks, ..Commit::default() };
            if self.store.commit(commit).await? != Committed::Conflict {
                self.ring();
                return Ok(id);
            }
        }
    }

    async fn new_manual_case(&self, message: &MessageId) -> Result<Option<CaseId>, UndoError> {
        for id in case_id::candidates(message) {
            match self.store.case(&id).await? {
                None => return Ok(Some(id)),
                Some(case) if case.message == *message => return Ok(None),
                Some(_) => {}
            }
        }
        Ok(None)
    }

    /// A person ends a mute early: the strikes stay, the member is brought back at once.
    pub async fn end_mute(
        &self,
        group: &Group,
        member: &MemberId,
        by: &MemberId,
        cases: &[Case],
    ) -> Result<(), UndoError> {
        let now = self.clock.now();
        let mut changes = Changes::new().member(group.id(), member, |record| {
            if matches!(record.standing.state, MemberState::Muted { .. }) {
                record.standing.state = MemberState::Normal;
            }
        });
        for case in cases.iter().filter(|case| case.step == Step::Mute) {
            let by = by.to_string();
            changes = changes.case(&case.id, move |case| {
                case.history.push(CaseEvent {
                    at: now,
                    by: by.clone(),
                    what: "mute_ended".into(),
                    note: "禁言提前结束".into(),
                });
            });
            let removed = case.history.iter().any(|event| event.what == "removed");
            let readd = format!("readd-remove-{}", case.id);
            changes = changes.update_task(TaskUpdate {
                id: readd.as_str().into(),
                fence: None,
                state: TaskState::Cancelled,
                due: now,
                reason: "禁言提前结束".into(),
                payload: None,
                failed: false,
            });
            if removed && self.capabilities.load().provider(Act::Move, group, Some(member)) == Some(Provider::Api) {
                let payload = json!(Readd { until: now, begun: false });
                let mut task = Task::new(format!("readd-{}-early", case.id), "readd", group.id(), now, payload);
                task.member = Some(member.clone());
                task.case = Some(case.id.clone());
                changes = changes.task(task);
            }
        }
        changes.commit(self.store.as_ref()).await?;
        self.ring();
        Ok(())
    }
}

/// The decision a person took, in the words of the ladder: a warning weighs as a medium hit, more as a high one.
fn manual_decision(
    policy: &policy::Policy,
    standing: &policy::Standing,
    step: Step,
    length: Option<SignedDuration>,
    now: Timestamp,
) -> Decision {
    let severity = if step >= Step::Mute { Severity::High } else { Severity::Medium };
    let category = Category::Junk;
    let points = policy.points_of(category, severity);
    let live = standing.live_points(now);
    let until = length.map(|length| now.saturating_add(length).unwrap_or(Timestamp::MAX));
    let state = match (step, until) {
        (Step::Mute, Some(until)) => Some(MemberState::Muted { until }),
        (Step::Remove, _) => Some(MemberState::Removed),
        _ => None,
    };
    Decision {
        step,
        category,
        severity,
        points,
        strike: Some(NewStrike {
            at: now,
            expires_at: now.saturating_add(policy.expiry_of(category)).unwrap_or(Timestamp::MAX),
            points,
            category,
            severity,
        }),
        live_after: live + points,
        until,
        state,
        ..Decision::by_person(live, standing.live_strikes(now).count() as u32 + 1)
    }
}
