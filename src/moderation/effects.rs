//! From a decision to tasks: who is told what, who is moved, who is asked.
//!
//! Task ids are made from the case, so the same decision never makes a thing happen twice.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    capability::{Act, Capabilities, Provider},
    groups::Group,
    model::{Step, Timestamp, named_enum},
    policy::Decision,
    store::{Case, Task},
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
}

impl Tell {
    /// News that has no number.
    pub fn new(topic: Topic) -> Self {
        Self { topic, n: 0, of: 0, next: String::new(), counts: false }
    }
}

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
}

impl Ask {
    /// Nobody asked yet.
    pub fn new(request: Request) -> Self {
        Self { request, asked: Vec::new(), answer_by: None, claimed_done: None, cards: 0, response_codes: Vec::new() }
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
}

/// Payload of a `readd` task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Readd {
    /// When the mute ends.
    pub until: Timestamp,
    /// Written before the call goes out: from now on "back in the group" means "by us".
    #[serde(default)]
    pub begun: bool,
}

/// Everything that follows from a decision.
pub fn tasks(can: &Capabilities, group: &Group, case: &Case, decision: &Decision, now: Timestamp) -> Vec<Task> {
    let plan = Plan { can, group, case, decision, now };
    let mut tasks = Vec::new();
    if decision.needs_human {
        tasks.extend(plan.ask(match decision.step {
            Step::Mute => Request::Mute,
            Step::Remove => Request::Remove,
            Step::Warn | Step::Hint => Request::Warn,
            Step::None | Step::Review => Request::Review,
        }));
        return tasks;
    }
    if decision.leak {
        tasks.extend(plan.tell(Topic::Recall));
        tasks.extend(plan.ask(Request::Leak));
        return tasks;
    }
    match decision.step {
        Step::None => {}
        Step::Hint => tasks.extend(plan.tell(Topic::Hint)),
        Step::Review => tasks.extend(plan.ask(Request::Review)),
        Step::Warn => {
            tasks.extend(plan.tell(Topic::Warn));
            if !case.by_hand() {
                tasks.extend(plan.announce());
            }
        }
        Step::Mute => {
            tasks.extend(plan.take_out(decision.until));
            tasks.extend(plan.tell(Topic::Mute));
        }
        Step::Remove => {
            tasks.extend(plan.take_out(None));
            tasks.extend(plan.tell(Topic::Remove));
        }
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
                let Decision { n, of, counts, ref next, .. } = *self.decision;
                let tell = Tell { topic, n, of, next: next.clone(), counts };
                Some(self.task("tell", &format!("-{topic}"), json!(tell)))
            }
            Provider::Person if topic == Topic::Warn => self.ask(Request::Warn),
            Provider::Person => None,
            Provider::Simulated => Some(self.simulated(topic.id())),
        }
    }

    /// A line for everybody that names nobody.
    fn announce(&self) -> Option<Task> {
        match self.can.provider(Act::Announce, self.group, None)? {
            Provider::Api => Some(self.task("announce", "", json!({}))),
            Provider::Person | Provider::Simulated => None,
        }
    }

    fn take_out(&self, until: Option<Timestamp>) -> Option<Task> {
        match self.can.provider(Act::Move, self.group, Some(&self.case.member))? {
            Provider::Api => Some(self.task("remove", "", json!(Remove { until, begun: false }))),
            Provider::Person => self.ask(if until.is_some() { Request::Mute } else { Request::Remove }),
            Provider::Simulated => Some(self.simulated(if until.is_some() { "mute" } else { "remove" })),
        }
    }

    fn ask(&self, request: Request) -> Option<Task> {
        if self.can.dry_run {
            return Some(self.simulated(request.id()));
        }
        let ask = Ask::new(request);
        Some(self.task("ask", &format!("-{request}"), json!(ask)))
    }
}
