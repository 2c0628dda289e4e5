//! A message in, a committed decision out: the main job of the bot.
//!
//! One message visits each of these once, a file a step:
//!
//! `resolve` who and where → `observe` others listen → `judge` what is found → `decide` what policy says →
//! `open_case` a case, or the one it continues → `follow_up` who is told, moved, asked → commit.
//!
//! The commit holds everything that follows: the mark that this message is done, the member's record, the case, the tasks,
//! the channel's cursor. If somebody was faster, record and decision are made again. The caller gets its answer only when that
//! commit is durable; a message delivered twice gets its first answer again.

pub mod breaker;
pub mod campaign;
pub mod case_id;
mod decide;
pub mod deed;
pub mod effects;
pub mod false_positives;
mod follow_up;
mod judge;
pub mod member_renamed;
pub mod names;
mod observe;
mod open_case;
pub mod recall;
mod record;
mod resolve;
pub mod revoke;
pub mod rule_stages;
pub mod sanction;
pub mod second_opinion;
mod sender_locks;
mod shown;

use std::sync::Arc;

use arc_swap::ArcSwap;
use open_case::Opened;
pub use record::{evidence_line, shows_others};
use sender_locks::SenderLocks;
use tokio::sync::Notify;
use tracing::{debug, info};

use crate::{
    bot_names::BotNames,
    capability::Capabilities,
    detect::{Verdict, history::Crowd},
    groups::{Group, Groups},
    in_force::InForce,
    model::{CaseId, Clock, GroupId, Message, Role, Step},
    observer::Observer,
    rulebooks::Rulebooks,
    settings::reload::Live,
    store::{Commit, Committed, Processed, Store, StoreError, TaskQuery, TaskState, TaskUpdate},
    tasks::Kind,
};

/// The answer to one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// It had been handled before; `answer` is the first answer.
    pub duplicate: bool,
    /// … and the words were other ones then: these were not judged.
    pub differs: bool,
    /// What was decided.
    pub answer: Answer,
}

/// What became of a message that was not judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Noted {
    /// It had been noted before.
    pub duplicate: bool,
    /// A private word that answered a notice: what its sender should read.
    pub reply: Option<String>,
}

/// What was decided about a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Detector's conclusion.
    pub verdict: Verdict,
    /// Step decided.
    pub step: Step,
    /// Points of the strike.
    pub points: u32,
    /// Live points after it.
    pub live_points: u32,
    /// The case, if one was opened.
    pub case: Option<CaseId>,
}

impl Answer {
    /// The message only made a case grow; nothing follows from it for its sender.
    fn only_counted(self, case: &CaseId, live_points: u32) -> Self {
        Self { step: Step::None, points: 0, live_points, case: Some(case.clone()), ..self }
    }

    /// The mark that a message got this answer.
    fn to(&self, message: &Message) -> Processed {
        Processed {
            message: message.clone(),
            verdict: self.verdict,
            step: self.step,
            points: self.points,
            live_points: self.live_points,
            case: self.case.clone(),
        }
    }
}

impl Outcome {
    /// A message comes again.
    fn again(first: &Processed, message: &Message) -> Self {
        Self { duplicate: true, differs: first.message.text != message.text, answer: Answer::from(first) }
    }
}

impl From<&Processed> for Answer {
    fn from(p: &Processed) -> Self {
        Self { verdict: p.verdict, step: p.step, points: p.points, live_points: p.live_points, case: p.case.clone() }
    }
}

/// How a message was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// To the group.
    Said,
    /// To the bot, as a command.
    ToBot {
        /// Nobody but the group would read the words.
        may_be_cloak: bool,
    },
    /// Not at all: a name that its bearer carries.
    Carried,
}

/// A message whose sender and place are known.
struct Hearing<'a> {
    rules: &'a InForce,
    group: &'a Arc<Group>,
    message: Message,
    manner: Manner,
}

impl Hearing<'_> {
    fn role(&self) -> Role {
        self.group.role(&self.message.sender)
    }
}

/// The use case.
pub struct Moderation {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    groups: Arc<Groups>,
    rules: Arc<Live<InForce>>,
    capabilities: Arc<ArcSwap<Capabilities>>,
    crowd: Crowd,
    sender_locks: SenderLocks,
    false_positives: false_positives::FalsePositives,
    stages: rule_stages::RuleStages,
    observers: Vec<Arc<dyn Observer>>,
    wake: Arc<Notify>,
}

/// What people said of the bot's work.
pub struct Feedback {
    /// Sentences that are none.
    pub false_positives: false_positives::FalsePositives,
    /// Rules that were right or wrong.
    pub stages: rule_stages::RuleStages,
}

impl Feedback {
    /// Reads it from the store.
    pub async fn load(store: &dyn Store) -> Result<Self, StoreError> {
        Ok(Self {
            false_positives: false_positives::FalsePositives::load(store).await?,
            stages: rule_stages::RuleStages::load(store).await?,
        })
    }
}

impl Moderation {
    /// `observers` hear each message first; `wake` is rung when a commit brought tasks.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        groups: Arc<Groups>,
        rules: Arc<Live<InForce>>,
        capabilities: Arc<ArcSwap<Capabilities>>,
        said: Feedback,
        observers: Vec<Arc<dyn Observer>>,
        wake: Arc<Notify>,
    ) -> Self {
        Self {
            store,
            clock,
            groups,
            rules,
            capabilities,
            crowd: Crowd::default(),
            sender_locks: SenderLocks::default(),
            false_positives: said.false_positives,
            stages: said.stages,
            observers,
            wake,
        }
    }

    /// What groups live under.
    pub fn rulebooks(&self) -> Arc<Rulebooks> {
        self.rules.get().lived.clone()
    }

    /// Everything in force.
    pub fn rules(&self) -> Arc<InForce> {
        self.rules.get_full()
    }

    /// What this installation is able to do.
    pub fn can(&self) -> Capabilities {
        **self.capabilities.load()
    }

    /// The group as the bot knows it; channels have ids of their own.
    pub fn group_of(&self, id: &GroupId) -> GroupId {
        self.groups.resolve(id)
    }

    /// The group by that id or alias.
    pub fn group(&self, id: &GroupId) -> Arc<Group> {
        self.groups.get(&self.groups.resolve(id))
    }

    /// What the bot is called.
    pub fn bot_names(&self) -> &BotNames {
        &self.groups.bot_names
    }

    /// Tells the task runner that there is something new.
    pub fn ring(&self) {
        self.wake.notify_one();
    }

    /// Something happened in a group that requests to people may be waiting for: they look again at once.
    pub async fn look_again(&self, group: &GroupId) -> Result<(), StoreError> {
        let query =
            TaskQuery { state: Some(TaskState::WaitsForPerson), group: Some(group.clone()), ..TaskQuery::default() };
        let now = self.clock.now();
        for task in self.store.tasks(&query).await?.into_iter().filter(|task| task.kind == Kind::Ask.id()) {
            let update = TaskUpdate::wake(task.id, now, task.reason);
            self.store.commit(Commit { task_updates: vec![update], ..Commit::default() }).await?;
        }
        Ok(())
    }

    /// Handles one message; `cursor` moves a stream's position in the same commit.
    pub async fn handle(&self, mut message: Message, cursor: Option<(String, u64)>) -> Result<Outcome, StoreError> {
        let started = std::time::Instant::now();
        let channel = message.channel;
        self.place(&mut message);
        // One after the other for each person: their order is kept, and copies that WeCom delivers at the same moment meet
        // the first one's answer.
        let _turn = self.sender_locks.enter(&message).await;
        self.observe(&message).await?;
        if let Some(first) = self.store.processed(&message.id).await? {
            return self.handled_before(&first, &message, cursor).await;
        }
        if let Some(of) = recall::takes_back(&message).cloned() {
            return self.recalled(message, &of, cursor).await;
        }
        let rules = self.rules.get_full();
        let group = self.group_heard_of(&message.group).await?;
        self.speaks_as(&rules, &group, &message).await?;
        if rules.holds_forwarded(&group, &message, self.clock.now()) {
            message.say_forwarded();
        }
        let hearing = Hearing { rules: &rules, group: &group, message, manner: Manner::Said };
        let outcome = self.decide_and_commit(hearing, cursor).await?;
        metrics::counter!("qunguan_messages_total",
            "channel" => channel.id(), "verdict" => verdict_name(outcome.answer.verdict), "step" => outcome.answer.step.id())
        .increment(1);
        metrics::histogram!("qunguan_decision_seconds", "channel" => channel.id())
            .record(started.elapsed().as_secs_f64());
        Ok(outcome)
    }

    /// The rules under which to look at what a message does not show by itself: its pictures, files and short links. `None` if
    /// nothing can come of it: the rules do not bind its sender, or it was answered before.
    pub async fn worth_a_look(&self, message: &Message) -> Result<Option<Arc<InForce>>, StoreError> {
        let rules = self.rules.get_full();
        let shows_all = message.attachments.is_empty() && !rules.settings.detect.links.resolve;
        if shows_all || self.groups.get(&message.group).role(&message.sender) != Role::Member {
            return Ok(None);
        }
        Ok(self.store.processed(&message.id).await?.is_none().then_some(rules))
    }

    /// What was said to the bot as a command, in a group: noted, and not held against its speaker. Only where the command may
    /// be but a cloak, the words would have been acted on, and the same person had said such words to the bot within the
    /// last day, a person is asked.
    pub async fn said_to_bot(
        &self,
        mut message: Message,
        may_be_cloak: bool,
        cursor: Option<(String, u64)>,
    ) -> Result<Outcome, StoreError> {
        self.place(&mut message);
        let _turn = self.sender_locks.enter(&message).await;
        self.observe(&message).await?;
        if let Some(first) = self.store.processed(&message.id).await? {
            return self.handled_before(&first, &message, cursor).await;
        }
        let rules = self.rules.get_full();
        let group = self.group_heard_of(&message.group).await?;
        let hearing = Hearing { rules: &rules, group: &group, message, manner: Manner::ToBot { may_be_cloak } };
        self.decide_and_commit(hearing, cursor).await
    }

    /// The first answer; the stream goes on behind the message all the same.
    async fn handled_before(
        &self,
        first: &Processed,
        again: &Message,
        cursor: Option<(String, u64)>,
    ) -> Result<Outcome, StoreError> {
        if let Some(cursor) = cursor {
            self.store.commit(Commit { cursors: vec![cursor], ..Commit::default() }).await?;
        }
        Ok(Outcome::again(first, again))
    }

    /// Judges, decides, opens a case, follows up and commits; again from the record on if somebody was faster.
    async fn decide_and_commit(
        &self,
        hearing: Hearing<'_>,
        cursor: Option<(String, u64)>,
    ) -> Result<Outcome, StoreError> {
        let Hearing { rules, message, manner, .. } = &hearing;
        loop {
            let now = self.clock.now();
            let mut record = self.store.member(&message.group, &message.sender).await?;
            let report = self.judge(&hearing, &mut record);
            let decided = self.decide(&hearing, &mut record, &report, now).await?;
            if *manner == Manner::Carried {
                record.name.clone_from(&message.sender_name);
            } else {
                record::note_message(&mut record, message, &report, &rules.detector.settings().limits);
            }
            let mut commit = Commit { cursors: cursor.clone().into_iter().collect(), ..Commit::default() };
            let answer = match self.open_case(&hearing, &report, decided, &mut record, &mut commit, now).await? {
                Opened::Answer(answer) => answer,
                Opened::Before(answer) => {
                    // Its mark was pruned long ago and is back now.
                    commit =
                        Commit { cursors: commit.cursors, processed: Some(answer.to(message)), ..Commit::default() };
                    self.store.commit(commit).await?;
                    return Ok(Outcome { duplicate: true, differs: false, answer });
                }
            };
            commit.members.push(record);
            let kept = *manner != Manner::Carried || answer.case.is_some() || !commit.cases.is_empty();
            commit.processed = kept.then(|| answer.to(message));
            let has_tasks = !commit.tasks.is_empty();
            match self.store.commit(commit).await? {
                Committed::Applied => {
                    if has_tasks {
                        self.wake.notify_one();
                    }
                    if let Some(case) = &answer.case {
                        info!(%case, group = %message.group, member = %message.sender, step = %answer.step,
                            points = answer.points, live_points = answer.live_points, "decided");
                    }
                    return Ok(Outcome { duplicate: false, differs: false, answer });
                }
                Committed::Duplicate(first) => return Ok(Outcome::again(&first, message)),
                Committed::Conflict => debug!(message = %message.id, "somebody was faster; deciding again"),
            }
        }
    }

    /// Takes note of a message without judging it: a private talk with the bot, a command, or a copy of what another
    /// channel hears anyway. `cursor` moves a stream's position in the same commit.
    pub async fn note(&self, mut message: Message, cursor: Option<(String, u64)>) -> Result<Noted, StoreError> {
        self.place(&mut message);
        let _turn = self.sender_locks.enter(&message).await;
        let private = message.group.as_str().is_empty();
        let reply = self.observe(&message).await?.filter(|_| private);
        let answer = Answer { verdict: Verdict::Clean, step: Step::None, points: 0, live_points: 0, case: None };
        let processed = answer.to(&message);
        let cursors = cursor.into_iter().collect();
        Ok(match self.store.commit(Commit { processed: Some(processed), cursors, ..Commit::default() }).await? {
            Committed::Duplicate(_) => Noted { duplicate: true, reply: None },
            Committed::Applied | Committed::Conflict => Noted { duplicate: false, reply },
        })
    }
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Clean => "clean",
        Verdict::Review => "review",
        Verdict::Act => "act",
    }
}
