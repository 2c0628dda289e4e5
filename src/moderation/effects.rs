//! From a decision to tasks: who is told what, who is moved, who is asked.
//!
//! Task ids are made from the case, so the same decision never makes a thing happen twice.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    capability::{Act, Capabilities, Provider},
    groups::Group,
    model::{CaseId, GroupId, MemberId, Step, Timestamp, named_enum},
    policy::Decision,
    store::{Case, Task},
    wording,
};

named_enum! {
    /// What a private message to a member is about; `wording` has the sentences.
    pub enum Topic {
        /// Something to mind, no strike.
        Hint = "hint", "提示";
        /// A warning with a strike.
        Warn = "warn", "警告";
        /// Muted until a time.
        Mute = "mute", "禁言";
        /// Removed.
        Remove = "remove", "移出";
        /// Please take a message back (leaks).
        Recall = "recall", "请撤回";
        /// A mute is over.
        MuteOver = "mute_over", "禁言结束";
        /// A case was taken back.
        Revoked = "revoked", "已撤销";
        /// An appeal was refused.
        AppealRefused = "appeal_refused", "申诉不成立";
    }
}

named_enum! {
    /// What an owner is asked for.
    pub enum Request {
        /// Mute somebody in the client (or take them out for the time).
        Mute = "mute", "请禁言";
        /// Take somebody out.
        Remove = "remove", "请移出";
        /// Say the ready sentence to a customer.
        Warn = "warn", "请提醒";
        /// Judge: is this a violation?
        Review = "review", "请复核";
        /// A leak: see to it that it is taken back.
        Leak = "leak", "疑似泄露";
        /// A mute is over: let them speak again.
        Lift = "lift", "请解除";
    }
}

/// Payload of a `tell` task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tell {
    /// What about.
    pub topic: Topic,
    /// This violation's number among those that count.
    pub n: u32,
    /// How many steps the ladder has.
    pub of: u32,
    /// What the next one would bring, or what else is to be said about the topic, in Chinese; empty for nothing.
    pub next: String,
    /// The policy counts violations, not points: then points are not spoken of.
    #[serde(default)]
    pub counts: bool,
    /// A person did it in the client, not the bot.
    #[serde(default)]
    pub by_person: bool,
    /// Once it is said, the group hears one neutral line.
    #[serde(default)]
    pub announce: bool,
}

impl Tell {
    /// News that has no number.
    pub fn new(topic: Topic) -> Self {
        Self { topic, n: 0, of: 0, next: String::new(), counts: false, by_person: false, announce: false }
    }

    /// The task; told once for each case and topic.
    pub fn task(&self, case: &CaseId, member: &MemberId, group: &GroupId, now: Timestamp) -> Task {
        let mut task = Task::new(format!("tell-{case}-{}", self.topic), "tell", group, now, json!(self));
        task.member = Some(member.clone());
        task.case = Some(case.clone());
        task
    }
}

/// In a case's history: why its author sent what looked like a leak.
pub const REASON: &str = "reason";

/// Payload of an `ask` task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ask {
    /// What for.
    pub request: Request,
    /// Whom we asked so far, in order.
    #[serde(default)]
    pub asked: Vec<crate::model::MemberId>,
    /// The person asked last has time until then.
    #[serde(default)]
    pub answer_by: Option<Timestamp>,
    /// Somebody said it is done; it is being verified since then.
    #[serde(default)]
    pub claimed_done: Option<Timestamp>,
    /// Cards sent so far: each needs an id of its own, also when the request is opened again.
    #[serde(default)]
    pub cards: u32,
    /// Reply codes of the cards sent, for updating them.
    #[serde(default)]
    pub response_codes: Vec<String>,
    /// Rounds through everybody who may decide that ended without an answer.
    #[serde(default)]
    pub rounds: u32,
    /// What the member is told once it is done, not before.
    #[serde(default)]
    pub tell: Option<Tell>,
}

impl Ask {
    /// Nobody asked yet.
    pub fn new(request: Request) -> Self {
        Self {
            request,
            asked: Vec::new(),
            answer_by: None,
            claimed_done: None,
            response_codes: Vec::new(),
            cards: 0,
            rounds: 0,
            tell: None,
        }
    }
}

/// Payload of a `remove` task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remove {
    /// End of the mute; `None` for good.
    pub until: Option<Timestamp>,
    /// Written before the call goes out: from now on "not in the group" means "by us".
    #[serde(default)]
    pub begun: bool,
    /// What the member is told once they are out, not before.
    #[serde(default)]
    pub tell: Option<Tell>,
}

/// Payload of a `readd` task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Readd {
    /// When the mute ends.
    pub until: Timestamp,
    /// Written before the call goes out: from now on "back in the group" means "by us".
    #[serde(default)]
    pub begun: bool,
    /// A case was taken back: who is there already needs no word about it.
    #[serde(default)]
    pub undo: bool,
}

/// Everything that follows from a decision.
pub fn tasks(can: &Capabilities, group: &Group, case: &Case, decision: &Decision, now: Timestamp) -> Vec<Task> {
    let plan = Plan { can, group, case, decision, now };
    let mut tasks = Vec::new();
    if decision.leak {
        tasks.extend(plan.recall());
        if decision.category.is_leak() {
            return tasks; // nothing else was wrong with it
        }
    }
    if decision.needs_human {
        match decision.step {
            Step::Mute | Step::Remove => tasks.extend(plan.ask_to_move(decision.until)),
            Step::Warn | Step::Hint => tasks.extend(plan.ask(Request::Warn)),
            Step::None | Step::Review => tasks.extend(plan.ask(Request::Review)),
        }
        return tasks;
    }
    match decision.step {
        Step::None => {}
        Step::Hint => tasks.extend(plan.tell(Topic::Hint)),
        Step::Review => tasks.extend(plan.ask(Request::Review)),
        Step::Warn => tasks.extend(plan.tell(Topic::Warn)),
        Step::Mute => tasks.extend(plan.take_out(decision.until)),
        Step::Remove => tasks.extend(plan.take_out(None)),
    }
    tasks
}

/// Taking the case's member out of another group of the same owner.
pub fn take_out_of(
    can: &Capabilities,
    sister: &Group,
    case: &Case,
    decision: &Decision,
    now: Timestamp,
) -> Option<Task> {
    let mut task = Plan { can, group: sister, case, decision, now }.take_out(None)?;
    task.id = format!("{}-{}", task.id, sister.id()).into();
    Some(task)
}

struct Plan<'a> {
    can: &'a Capabilities,
    group: &'a Group,
    case: &'a Case,
    decision: &'a Decision,
    now: Timestamp,
}

impl Plan<'_> {
    fn task(&self, kind: &str, suffix: &str, payload: serde_json::Value) -> Task {
        let id = format!("{kind}-{}{suffix}", self.case.id);
        let mut task = Task::new(id, kind, self.group.id(), self.now, payload);
        task.member = Some(self.case.member.clone());
        task.case = Some(self.case.id.clone());
        task
    }

    fn simulated(&self, what: &str) -> Task {
        self.task("simulated", &format!("-{what}"), json!({ "would": what }))
    }

    fn tell(&self, topic: Topic) -> Option<Task> {
        match self.can.provider(Act::Tell, self.group, Some(&self.case.member))? {
            Provider::Api => {
                let announce = topic == Topic::Warn && !self.case.by_hand() && self.may_announce();
                let tell = Tell { announce, ..self.words(topic) };
                Some(tell.task(&self.case.id, &self.case.member, self.group.id(), self.now))
            }
            Provider::Person if topic == Topic::Warn => self.ask(Request::Warn),
            Provider::Person => None,
            Provider::Simulated => Some(self.simulated(topic.id())),
        }
    }

    /// The author has some minutes to take it back before others are asked; who cannot be told has none.
    fn recall(&self) -> Vec<Task> {
        let by = self.decision.recall_by.unwrap_or(self.now);
        let told = self.tell(Topic::Recall);
        let owner = self.ask(Request::Leak).map(|mut owner| {
            if told.as_ref().is_some_and(|told| told.kind == "tell") {
                owner.due = by;
            }
            owner
        });
        told.into_iter().chain(owner).collect()
    }

    fn words(&self, topic: Topic) -> Tell {
        let recall_by = self.decision.recall_by.filter(|_| topic == Topic::Recall);
        Tell {
            n: self.decision.n,
            of: self.decision.of,
            next: recall_by.map_or_else(|| self.decision.next.clone(), |by| wording::when(by, self.now)),
            counts: self.decision.counts,
            ..Tell::new(topic)
        }
    }

    /// May the group hear a line that names nobody?
    fn may_announce(&self) -> bool {
        self.can.provider(Act::Announce, self.group, None) == Some(Provider::Api)
    }

    fn take_out(&self, until: Option<Timestamp>) -> Option<Task> {
        match self.can.provider(Act::Move, self.group, Some(&self.case.member))? {
            Provider::Api => {
                let tell = Some(self.words(if until.is_some() { Topic::Mute } else { Topic::Remove }));
                Some(self.task("remove", "", json!(Remove { until, begun: false, tell })))
            }
            Provider::Person => self.ask_to_move(until),
            Provider::Simulated => Some(self.simulated(if until.is_some() { "mute" } else { "remove" })),
        }
    }

    /// The owner mutes or removes in the client; the member hears of it when it is done.
    fn ask_to_move(&self, until: Option<Timestamp>) -> Option<Task> {
        let (request, topic) =
            if until.is_some() { (Request::Mute, Topic::Mute) } else { (Request::Remove, Topic::Remove) };
        let reachable = self.can.provider(Act::Tell, self.group, Some(&self.case.member)) == Some(Provider::Api);
        let tell = reachable.then(|| Tell { by_person: true, ..self.words(topic) });
        self.request(Ask { tell, ..Ask::new(request) })
    }

    fn ask(&self, request: Request) -> Option<Task> {
        self.request(Ask::new(request))
    }

    fn request(&self, ask: Ask) -> Option<Task> {
        if self.can.dry_run {
            return Some(self.simulated(ask.request.id()));
        }
        Some(self.task("ask", &format!("-{}", ask.request), json!(ask)))
    }
}
