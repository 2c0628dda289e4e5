//! One deed is one case. What somebody goes on saying of the same kind before they can have read the bot's answer belongs to
//! the case that is there: it gets further messages and a count, the card that asks about it is renewed, and no second strike
//! comes of it. Where the deed turns out to be worse than it looked (a person was asked, and now it is plain), the same case
//! takes the step that follows.
//!
//! As long as a person is asked about somebody, whatever else of theirs would only be asked about joins that one question,
//! however much later and whatever it is: one card, one answer, one violation.

use super::{Moderation, names::is_name, record};
use crate::{
    detect::Report,
    model::{Category, Message, Severity, SignedDuration, Step, Timestamp},
    policy::Decision,
    settings::Flood,
    store::{Case, CaseEvent, CaseQuery, CaseState, Further, StoreError, Task, TaskQuery, TaskState, TaskUpdate},
    tasks::{self, Ask, Happened, Request},
};

/// Why a question ended without an answer.
pub const SETTLED_ITSELF: &str = "同一件事已按群规处理，无需复核";
/// Cases of a member that are looked at.
const LOOK_BACK: usize = 8;
/// A card that asks is renewed so long after it was outgrown: a burst is over by then.
const RENEW_AFTER: SignedDuration = SignedDuration::from_mins(2);

/// What is known of a deed when its doer speaks again.
#[derive(Clone, Copy, Debug)]
pub struct Deed {
    /// What it was.
    pub category: Category,
    /// How bad.
    pub severity: Severity,
    /// A person is asked about it, and nobody has answered.
    pub asked: bool,
    /// When its doer was told, if they were.
    pub told: Option<Timestamp>,
    /// When its last message was said.
    pub last: Timestamp,
}

impl Deed {
    /// How a message said `at` goes on with it.
    pub fn goes_on(&self, at: Timestamp, decision: &Decision, windows: &Flood) -> Option<Continued> {
        let alike = decision.category == self.category || decision.category == Category::Flood;
        let at_once = match self.told {
            // No time to read means that each message counts, also one that was said before the answer went out.
            Some(told) => !windows.deed_read.is_zero() && at < told + windows.deed_read,
            None => at.duration_since(self.last).abs() < windows.deed_within,
        };
        let one_by_one = windows.deed_within.is_zero();
        match decision.step {
            _ if decision.leak || self.category.is_leak() => None,
            Step::Review if self.asked && !one_by_one => Some(Continued::Counted),
            _ if !alike || !at_once => None,
            Step::Review => Some(Continued::Counted),
            _ if self.asked => Some(Continued::Worse),
            _ if decision.severity > self.severity => None,
            _ => Some(Continued::Counted),
        }
    }
}

/// How a message continues a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continued {
    /// One message more.
    Counted,
    /// With it the deed is one to act on.
    Worse,
}

/// Whether a message of the case's member continues it, and how.
fn continues(case: &Case, message: &Message, decision: &Decision, windows: &Flood) -> Option<Continued> {
    let says = |event: &CaseEvent, what: &[Happened]| what.iter().any(|what| event.what == what.id());
    let decided = case.history.first().is_some_and(|event| says(event, &[Happened::Decided]));
    // Whoever answered it, or read the answer, has ended it.
    let ends = |event: &CaseEvent| event.by != "bot" && !says(event, &[Happened::Recalled, Happened::Reason]);
    let ended = case.by_hand() || case.state == CaseState::Revoked || case.history.iter().any(ends);
    if !decided || ended {
        return None;
    }
    let deed = Deed {
        category: case.category,
        severity: case.severity,
        asked: case.step == Step::Review && case.state == CaseState::Open && case.happened(Happened::GaveUp).is_none(),
        told: case.history.iter().filter(|event| says(event, &[Happened::Told])).map(|event| event.at).max(),
        last: case.last_at(),
    };
    // What several people are asked about waits for the one answer; what is plain now is a deed of its own.
    deed.goes_on(message.at, decision, windows).filter(|how| *how != Continued::Worse || case.others.is_empty())
}

impl Moderation {
    /// The case that a message continues.
    pub(super) async fn continued(
        &self,
        message: &Message,
        decision: &Decision,
        windows: &Flood,
    ) -> Result<Option<(Case, Continued)>, StoreError> {
        let query = CaseQuery {
            group: Some(message.group.clone()),
            member: Some(message.sender.clone()),
            limit: LOOK_BACK,
            ..CaseQuery::default()
        };
        // What somebody says does not continue what they are called.
        let alike = |case: &Case| is_name(&case.message) == is_name(&message.id);
        let mut cases =
            self.store.cases(&query).await?.into_iter().filter(|case| case.message != message.id && alike(case));
        Ok(cases.find_map(|case| continues(&case, message, decision, windows).map(|how| (case, how))))
    }

    /// What becomes of the requests about a case that has grown: a card that says less than half of it is renewed, a question
    /// that answered itself ends.
    pub(super) async fn renewed(
        &self,
        case: &Case,
        how: Continued,
        now: Timestamp,
    ) -> Result<Vec<TaskUpdate>, StoreError> {
        let query = TaskQuery { case: Some(case.id.clone()), limit: 1000, ..TaskQuery::default() };
        let tasks = self.store.tasks(&query).await?.into_iter();
        let open = tasks.filter(|task| !task.state.is_final());
        Ok(open.filter_map(|task| renewal(&task, &tasks::payload(&task)?, case, how, now)).collect())
    }
}

fn renewal(task: &Task, ask: &Ask, case: &Case, how: Continued, now: Timestamp) -> Option<TaskUpdate> {
    let update = |state, due, reason: &str, fence| TaskUpdate {
        id: task.id.clone(),
        fence,
        state,
        due,
        reason: reason.to_owned(),
        payload: None,
        failed: false,
    };
    let under_way = task.leased_until.is_some();
    match how {
        Continued::Worse if ask.request != Request::Review => None,
        // Its card may just be going out: whoever presses it reads that it is over.
        Continued::Worse if under_way => Some(update(TaskState::Cancelled, now, SETTLED_ITSELF, None)),
        Continued::Worse => Some(update(TaskState::Pending, now, &task.reason, Some(task.fence))),
        Continued::Counted if under_way || task.state != TaskState::WaitsForPerson => None,
        Continued::Counted => {
            let outgrown = case.messages() >= ask.shown.max(1).saturating_mul(2);
            let due = task.due.min(now + RENEW_AFTER);
            (outgrown && due < task.due).then(|| update(task.state, due, &task.reason, Some(task.fence)))
        }
    }
}

/// One message more in the case.
pub(super) fn grow(case: &mut Case, message: &Message) {
    case.more = case.more.saturating_add(1);
    case.further.push(Further { message: message.id.clone(), at: message.at, evidence: record::evidence(message) });
    let surplus = case.further.len().saturating_sub(Case::KEPT);
    case.further.drain(..surplus);
}

/// The case takes the step that follows from the whole deed.
pub(super) fn worsen(case: &mut Case, report: &Report, decision: &Decision, now: Timestamp) {
    case.findings.extend(report.findings.iter().cloned());
    (case.category, case.severity, case.step) = (decision.category, decision.severity, decision.step);
    (case.points, case.live_points, case.until) = (decision.points, decision.live_after, decision.until);
    case.expires_at = decision.strike.as_ref().map(|strike| strike.expires_at);
    let note = decision.reasons.join("；");
    case.note(now, "bot", Happened::Grew, note);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Channel, settings::Settings};

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    fn event(minute: i64, by: &str, what: Happened) -> CaseEvent {
        CaseEvent { at: at(minute), by: by.into(), what: what.id().into(), note: String::new() }
    }

    fn case(step: Step, then: Vec<CaseEvent>) -> Case {
        Case {
            id: "8F2K".into(),
            version: 1,
            group: "g".into(),
            member: "li".into(),
            message: "http:0".into(),
            at: at(0),
            evidence: "第一句".into(),
            findings: Vec::new(),
            category: Category::Ads,
            severity: Severity::Medium,
            step,
            points: 0,
            live_points: 0,
            until: None,
            expires_at: None,
            policy: "default@1".into(),
            clause: None,
            rule: String::new(),
            state: CaseState::Open,
            history: std::iter::once(event(0, "bot", Happened::Decided)).chain(then).collect(),
            further: Vec::new(),
            more: 0,
            others: Vec::new(),
            same_text: Vec::new(),
        }
    }

    fn said(minute: i64) -> Message {
        Message::text(Channel::Http, &minute.to_string(), "g", "li", at(minute), "又一句")
    }

    fn decided(category: Category, severity: Severity, step: Step) -> Decision {
        Decision { step, category, severity, ..Decision::by_person(0, 1) }
    }

    #[test]
    fn no_time_to_read_makes_every_message_count() {
        let off = Flood {
            deed_read: SignedDuration::ZERO,
            deed_within: SignedDuration::ZERO,
            ..Settings::default().detect.flood
        };
        let ad = decided(Category::Ads, Severity::Medium, Step::Mute);
        for history in [vec![], vec![event(5, "bot", Happened::Told)]] {
            assert_eq!(continues(&case(Step::Warn, history), &said(2), &ad, &off), None);
        }
    }

    #[test]
    fn what_continues_a_case() {
        use Continued::{Counted, Worse};
        let windows = Settings::default().detect.flood;
        let told = || vec![event(1, "bot", Happened::Told)];
        let ad = decided(Category::Ads, Severity::Medium, Step::Mute);
        let look = decided(Category::Ads, Severity::Medium, Step::Review);
        let flood = decided(Category::Flood, Severity::Low, Step::Review);
        let insult = decided(Category::Insult, Severity::High, Step::Warn);
        let worse = decided(Category::Ads, Severity::High, Step::Mute);
        for (what, case, minute, decision, continues_as) in [
            ("before the time to read is over", case(Step::Warn, told()), 2, &ad, Some(Counted)),
            ("after it", case(Step::Warn, told()), 3, &ad, None),
            ("not told yet", case(Step::Warn, vec![]), 9, &ad, Some(Counted)),
            ("never told", case(Step::Warn, vec![]), 10, &ad, None),
            ("the same again and again", case(Step::Warn, told()), 2, &flood, Some(Counted)),
            ("something else", case(Step::Warn, told()), 2, &insult, None),
            ("something worse", case(Step::Warn, told()), 2, &worse, None),
            ("a question, and another", case(Step::Review, vec![]), 2, &look, Some(Counted)),
            ("as long as nobody has answered", case(Step::Review, vec![]), 600, &look, Some(Counted)),
            ("a question about something else", case(Step::Review, vec![]), 2, &flood, Some(Counted)),
            ("nobody is asked any more", case(Step::Review, vec![event(1, "bot", Happened::GaveUp)]), 600, &look, None),
            ("a question that becomes plain", case(Step::Review, vec![]), 2, &worse, Some(Worse)),
            ("somebody answered", case(Step::Review, vec![event(1, "wang", Happened::Confirmed)]), 2, &look, None),
            ("it was read", case(Step::Warn, vec![event(1, "li", Happened::Read)]), 1, &ad, None),
            ("taken back meanwhile", case(Step::Warn, vec![event(1, "li", Happened::Recalled)]), 2, &ad, Some(Counted)),
        ] {
            assert_eq!(continues(&case, &said(minute), decision, &windows), continues_as, "{what}");
        }
        let revoked = Case { state: CaseState::Revoked, ..case(Step::Warn, vec![]) };
        assert_eq!(continues(&revoked, &said(1), &ad, &windows), None);
        let grown = (1..40).fold(case(Step::Warn, vec![]), |mut case, minute| {
            grow(&mut case, &said(minute));
            case
        });
        assert_eq!((grown.messages(), grown.further.len(), grown.last_at()), (40, Case::KEPT, at(39)));
        assert_eq!(grown.all_evidence(), "第一句\n又一句");
        assert_eq!(continues(&grown, &said(45), &ad, &windows), Some(Counted), "counted from the last one");
    }
}
