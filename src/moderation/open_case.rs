//! The case about a message: a new one, the one it continues, or one that is only kept for people to judge by.

use super::{
    Answer, Hearing, Manner, Moderation, campaign, case_id, decide::Decided, deed, deed::Continued, record,
    second_opinion,
};
use crate::{
    detect::Report,
    in_force::InForce,
    model::{CaseId, Category, Message, Role, Step, Timestamp},
    policy::{self, Decision},
    store::{Case, CaseState, Commit, MemberRecord, StoreError},
};

/// What became of the message.
pub(super) enum Opened {
    /// This is its answer.
    Answer(Answer),
    /// It was answered so long ago that only its case is left.
    Before(Answer),
}

impl Moderation {
    /// Writes the case that a decision asks for, and all that follows from it, into the member's record and the commit.
    pub(super) async fn open_case(
        &self,
        hearing: &Hearing<'_>,
        report: &Report,
        decided: Decided,
        record: &mut MemberRecord,
        commit: &mut Commit,
        now: Timestamp,
    ) -> Result<Opened, StoreError> {
        let Hearing { rules, group, message, manner } = hearing;
        let Decided { mut decision, breaker, dry_run, exempt } = decided;
        let policy = rules.policy(group);
        let mut answer = Answer {
            verdict: report.verdict,
            step: decision.step,
            points: decision.points,
            live_points: decision.live_after,
            case: None,
        };
        let clause = |case: &mut Case| record::cite(rules, group, case, message.at.min(now));
        if !decision.opens_case() {
            if let Some((category, what)) = only_recorded(rules, hearing.role(), report, &decision)
                && let Ok(id) = self.case_for(message).await?
            {
                // Kept for people to judge by; nobody else hears of it.
                decision.category = category;
                let mut case = record::new_case(&id, message, report, &decision, policy, now);
                clause(&mut case);
                case.state = CaseState::Closed;
                case.history[0].what = what.into();
                commit.cases.push(case);
            } else if !dry_run && *manner == Manner::Said && self.may_be_read(hearing, report, exempt) {
                commit.tasks.push(crate::tasks::SecondOpinion::reading(message, now));
            }
            return Ok(Opened::Answer(answer));
        }
        let continued = self.continued(message, &decision, &rules.settings.detect.flood).await?;
        let mut campaign = match continued {
            None => self.campaign_case(message, report, &decision, &rules.settings.detect.flood).await?,
            Some(_) => None,
        };
        if let Some(case) = campaign.as_mut().filter(|case| campaign::is_asked(case))
            && campaign::join(case, message)
        {
            answer = answer.only_counted(&case.id, record.standing.live_points(now));
            commit.task_updates = self.renewed(case, Continued::Counted, now).await?;
            commit.cases.extend(campaign);
            return Ok(Opened::Answer(answer));
        }
        let mut case = match continued {
            // Nothing follows from it but that the case has grown.
            Some((mut case, Continued::Counted)) => {
                deed::grow(&mut case, message);
                answer = answer.only_counted(&case.id, record.standing.live_points(now));
                commit.task_updates = self.renewed(&case, Continued::Counted, now).await?;
                commit.cases.push(case);
                return Ok(Opened::Answer(answer));
            }
            Some((mut case, Continued::Worse)) => {
                deed::grow(&mut case, message);
                deed::worsen(&mut case, report, &decision, now);
                commit.task_updates = self.renewed(&case, Continued::Worse, now).await?;
                case
            }
            None => match self.case_for(message).await? {
                Ok(id) => record::new_case(&id, message, report, &decision, policy, now),
                Err(own) => {
                    let (step, points, live_points) = (own.step, own.points, own.live_points);
                    return Ok(Opened::Before(Answer { step, points, live_points, case: Some(own.id), ..answer }));
                }
            },
        };
        answer.case = Some(case.id.clone());
        policy::apply(&mut record.standing, &decision, &case.id, now);
        if dry_run {
            record.standing.rehearse(&case.id);
        }
        clause(&mut case);
        self.follow_up(policy, group, &case, &decision, breaker, now, commit).await?;
        if *manner != Manner::Carried {
            // Names stay in the house.
            second_opinion::before_a_person(rules, group, &case, &decision, now, &mut commit.tasks);
        }
        if let Some(mut first) = campaign {
            case.same_text.push(first.id.clone());
            first.same_text.push(case.id.clone());
            commit.cases.push(first);
        }
        commit.cases.push(case);
        Ok(Opened::Answer(answer))
    }

    /// A case for the message; the one it has already if the mark that it was handled is gone by now.
    pub(super) async fn case_for(&self, message: &Message) -> Result<Result<CaseId, Box<Case>>, StoreError> {
        let mut last = CaseId::from("");
        for id in case_id::candidates(&message.id) {
            match self.store.case(&id).await? {
                Some(own) if own.message == message.id => return Ok(Err(Box::new(own))),
                Some(_) => last = id,
                None => return Ok(Ok(id)),
            }
        }
        Ok(Ok(last))
    }
}

/// What is written down although nothing follows from it: what the breaker held back, and what a rule under observation found.
fn only_recorded(
    rules: &InForce,
    role: Role,
    report: &Report,
    decision: &Decision,
) -> Option<(Category, &'static str)> {
    if decision.would != Step::None {
        return Some((decision.category, "held"));
    }
    if let Some(category) = decision.watched {
        return Some((category, "watched"));
    }
    let category = rules.detector.would_find(report).filter(|_| role == Role::Member)?;
    Some((category, "observed"))
}
