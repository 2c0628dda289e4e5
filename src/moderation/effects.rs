//! From a decision to tasks: who is told what, who is moved, who is asked.
//!
//! Task ids are made from the case, so the same decision never makes a thing happen twice.

use super::names::is_name;
use crate::{
    capability::{Act, Capabilities, Provider},
    groups::Group,
    model::{Step, Timestamp},
    policy::Decision,
    store::{Case, Task},
    tasks::{Ask, Kind, Remove, Request, Simulated, Tell, Topic},
    zh,
};

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
        Step::Mute => tasks.extend(plan.remove_member(decision.until, true)),
        Step::Remove => tasks.extend(plan.remove_member(None, true)),
    }
    tasks
}

/// Taking the case's member out of another group of the same owner. They are told of it once, in the case's own group.
pub fn take_out_of(
    can: &Capabilities,
    sister: &Group,
    case: &Case,
    decision: &Decision,
    now: Timestamp,
) -> Option<Task> {
    Plan { can, group: sister, case, decision, now }.remove_member(None, false)
}

struct Plan<'a> {
    can: &'a Capabilities,
    group: &'a Group,
    case: &'a Case,
    decision: &'a Decision,
    now: Timestamp,
}

impl Plan<'_> {
    fn simulated(&self, would: &str) -> Task {
        Simulated::task(would, self.case, self.group.id(), self.now)
    }

    fn tell(&self, topic: Topic) -> Option<Task> {
        match self.can.provider(Act::Tell, self.group, Some(&self.case.member))? {
            Provider::Api => {
                let said = !self.case.by_hand() && !is_name(&self.case.message);
                let announce = topic == Topic::Warn && said && self.may_announce();
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
            if told.as_ref().is_some_and(|told| told.kind == Kind::Tell.id()) {
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
            next: recall_by.map_or_else(|| self.decision.next.clone(), |by| zh::when(by, self.now)),
            counts: self.decision.counts,
            ..Tell::new(topic)
        }
    }

    /// May the group hear a line that names nobody?
    fn may_announce(&self) -> bool {
        self.can.provider(Act::Announce, self.group, None) == Some(Provider::Api)
    }

    fn remove_member(&self, until: Option<Timestamp>, tell: bool) -> Option<Task> {
        match self.can.provider(Act::Move, self.group, Some(&self.case.member))? {
            Provider::Api => {
                let tell = tell.then(|| self.words(if until.is_some() { Topic::Mute } else { Topic::Remove }));
                Some(Remove { until, begun: false, tell }.task(self.case, self.group.id(), self.now))
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
        Some(ask.task(self.case, self.group.id(), self.now))
    }
}
