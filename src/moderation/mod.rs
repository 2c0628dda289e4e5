//! A message in, a committed decision out: the main job of the bot.
//!
//! Scan, read the member's record, decide, and write everything that follows in one commit: the mark that this message is
//! done, the member's record, the case, the tasks, the channel's cursor. If somebody was faster, read and decide again. The
//! caller gets its answer only when that commit is durable; a message delivered twice gets its first answer again.

pub mod brake;
pub mod case_id;
pub mod deed;
pub mod effects;
pub mod harmless;
mod lanes;
pub mod lives;
pub mod manual;
mod record;
pub mod renamed;
pub mod second_opinion;
pub mod taken_back;
pub mod undo;

use std::sync::Arc;

use arc_swap::ArcSwap;
use deed::Continued;
use lanes::Lanes;
use tokio::sync::Notify;
use tracing::{debug, info, warn};

use crate::{
    capability::{Act, Capabilities, Provider},
    detect::{
        Detector, Input, Report, Verdict,
        history::{Before, Crowd, OVERALL},
    },
    groups::{Group, Groups},
    model::{Attachment, CaseId, Category, Clock, MemberId, Message, Mode, Role, SignedDuration, Step, Timestamp},
    notices::{NoticeError, Notices, ack},
    policy::{self, Decision, Facts, Policy, breaker::Breaker},
    rulebooks::Rulebooks,
    settings::reload::Live,
    store::{
        Case, CaseState, Commit, Committed, Document, MemberRecord, Processed, Store, StoreError, TaskQuery, TaskState,
        TaskUpdate,
    },
    tasks::Kind,
};

/// Everything that lists and policies say; swapped as a whole on reload.
pub struct Rules {
    /// Wordlists, signals, thresholds.
    pub detector: Detector,
    /// What is wrong with the lists.
    pub troubles: crate::settings::ListTroubles,
    /// Policies by name; `default` is always there.
    pub policies: std::collections::BTreeMap<String, Arc<Policy>>,
    /// Rulebooks by name, as the files have them.
    pub rulebooks: std::collections::BTreeMap<String, Arc<policy::rulebook::Rulebook>>,
    /// The versions of them that groups live under.
    pub lived: Arc<Rulebooks>,
    /// When deadlines in working time run.
    pub calendar: Arc<crate::notices::Calendar>,
    /// The settings they came from.
    pub settings: crate::settings::Settings,
    /// When working hours are, if the settings say.
    pub working_hours: Option<crate::settings::WorkingHours>,
}

impl Rules {
    /// The group's policy, or the default one if its name is not known (settings refuse that; unknown groups have none).
    pub fn policy(&self, group: &Group) -> &Arc<Policy> {
        self.policies
            .get(&group.set.policy)
            .or_else(|| self.policies.get("default"))
            .expect("the default policy is embedded")
    }
    /// The rulebooks that held in a group at a moment.
    pub fn rulebooks_of(&self, group: &Group, at: Timestamp) -> Vec<Arc<policy::rulebook::Rulebook>> {
        let names = group.set.rulebooks.iter();
        let of = |name| self.lived.at(group.id(), name, at).or_else(|| self.rulebooks.get(name).cloned());
        names.filter_map(|name| of(name)).collect()
    }
    /// The clause a warning cites for a category: as a case keeps it, and as people read it.
    pub(crate) fn clause(&self, group: &Group, category: Category, at: Timestamp) -> Option<(String, String)> {
        let books = self.rulebooks_of(group, at);
        let cited = policy::rulebook::cite(books.iter().map(Arc::as_ref), category);
        cited.map(|citation| (citation.key(), citation.to_string()))
    }
    /// Does a rulebook of the group hold what a record says against whoever forwards it?
    fn holds_forwarded(&self, group: &Group, message: &Message, at: Timestamp) -> bool {
        message.attachments.iter().any(|part| matches!(part, Attachment::Forwarded { .. }))
            && self.rulebooks_of(group, at).iter().any(|book| book.asks(policy::rulebook::Duty::Forwarded))
    }
    fn is_working(&self, at: Timestamp) -> Option<bool> {
        self.working_hours.as_ref().map(|hours| hours.contains(at, &crate::wording::zone()))
    }
}

/// The answer to one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// It had been handled before; `answer` is the first answer.
    pub duplicate: bool,
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
}

/// Words behind a command that would have been acted on are asked about if they come again so soon.
const TRIED_AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// The use case.
pub struct Moderation {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    groups: Arc<Groups>,
    rules: Arc<Live<Rules>>,
    capabilities: Arc<ArcSwap<Capabilities>>,
    crowd: Crowd,
    lanes: Lanes,
    harmless: harmless::Harmless,
    lives: lives::Lives,
    notices: Option<Arc<Notices>>,
    wake: Arc<Notify>,
}

/// What people said of the bot's work.
pub struct Said {
    /// Sentences that are none.
    pub harmless: harmless::Harmless,
    /// Rules that were right or wrong.
    pub lives: lives::Lives,
}

impl Said {
    /// Reads it from the store.
    pub async fn load(store: &dyn Store) -> Result<Self, StoreError> {
        Ok(Self { harmless: harmless::Harmless::load(store).await?, lives: lives::Lives::load(store).await? })
    }
}

impl Moderation {
    /// `wake` is rung when a commit brought tasks.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        groups: Arc<Groups>,
        rules: Arc<Live<Rules>>,
        capabilities: Arc<ArcSwap<Capabilities>>,
        said: Said,
        notices: Option<Arc<Notices>>,
        wake: Arc<Notify>,
    ) -> Self {
        Self {
            store,
            clock,
            groups,
            rules,
            capabilities,
            crowd: Crowd::default(),
            lanes: Lanes::default(),
            harmless: said.harmless,
            lives: said.lives,
            notices,
            wake,
        }
    }

    /// What groups live under.
    pub fn rulebooks(&self) -> Arc<Rulebooks> {
        self.rules.get().lived.clone()
    }

    /// Tells the task runner that there is something new.
    pub fn ring(&self) {
        self.wake.notify_one();
    }

    /// Something happened in a group that requests to people may be waiting for: they look again at once.
    pub async fn look_again(&self, group: &crate::model::GroupId) -> Result<(), StoreError> {
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
        message.group = self.groups.resolve(&message.group);
        // One after the other for each person: their order is kept, and copies that WeCom delivers at the same moment meet
        // the first one's answer.
        let _turn = self.lanes.enter(&message).await;
        self.hear_for_notices(&message).await?;
        if let Some(first) = self.store.processed(&message.id).await? {
            if let Some(cursor) = cursor {
                self.store.commit(Commit { cursors: vec![cursor], ..Commit::default() }).await?;
            }
            return Ok(Outcome { duplicate: true, answer: Answer::from(&first) });
        }
        if let Some(of) = taken_back::takes_back(&message).cloned() {
            return self.taken_back(message, &of, cursor).await;
        }
        let rules = self.rules.get_full();
        let group = self.groups.get(&message.group);
        if self.groups.noticed(&group).await? {
            warn!(
                "a group that is not in the settings is only watched; to keep it in order, add: [[group]] id = \"{}\", mode = \"assisted\"",
                group.id()
            );
        }
        if rules.holds_forwarded(&group, &message, self.clock.now()) {
            message.say_forwarded();
        }
        let outcome = self.decide_and_commit(&rules, &group, message, Manner::Said, cursor).await?;
        metrics::counter!("qunguan_messages_total",
            "channel" => channel.id(), "verdict" => verdict_name(outcome.answer.verdict), "step" => outcome.answer.step.id())
        .increment(1);
        metrics::histogram!("qunguan_decision_seconds", "channel" => channel.id())
            .record(started.elapsed().as_secs_f64());
        Ok(outcome)
    }

    /// A word that answers a notice is recorded before the message counts as handled; recording it again changes nothing.
    /// Returns what its sender should read, if they are talked to.
    async fn hear_for_notices(&self, message: &Message) -> Result<Option<String>, StoreError> {
        let Some(notices) = &self.notices else { return Ok(None) };
        match notices.hear(message).await {
            Ok(Some(heard)) => {
                self.wake.notify_one();
                Ok(Some(heard.reply).filter(|reply| !reply.is_empty()))
            }
            Ok(None) => Ok(None),
            Err(NoticeError::Store(error)) => Err(error),
            Err(error) => Ok(Some(error.to_string())),
        }
    }

    /// Whether looking into the message's pictures can lead to anything: the settings want it, the rules bind its sender, and
    /// it was not answered before.
    pub async fn wants_pictures(&self, message: &Message) -> Result<bool, StoreError> {
        if !self.rules.get().settings.detect.qr_codes {
            return Ok(false);
        }
        let bound = self.groups.get(&message.group).role(&message.sender) == Role::Member;
        Ok(bound && self.store.processed(&message.id).await?.is_none())
    }

    /// What the detector says of a text alone, in the shape of `scan --json` without the line number.
    pub fn check(&self, text: &str, explain: bool) -> serde_json::Value {
        serde_json::to_value(self.look(text, explain)).unwrap_or_default()
    }

    /// What the detector says of a text alone.
    pub fn look(&self, text: &str, explain: bool) -> Report {
        let rules = self.rules.get();
        let input = Input {
            text,
            attachments: &[],
            group: &crate::model::GroupId::from(""),
            sender: &crate::model::MemberId::from(""),
            sender_name: None,
            role: Role::Member,
            at: self.clock.now(),
            explain,
        };
        rules.detector.scan_at(&input, None, Some(&self.lives.stages(&rules)))
    }

    /// What was said shortly before the last stop: a campaign may have begun then.
    pub async fn recall(&self) -> Result<(), StoreError> {
        let since = self.clock.now() - self.rules.get().detector.settings().limits.campaign_window;
        let mut last: std::collections::VecDeque<Message> = std::collections::VecDeque::new();
        let mut after = None;
        loop {
            let page = self.store.messages(since, after.as_ref(), 1000).await?;
            let Some(newest) = page.last() else { break };
            after = Some(newest.message.id.clone());
            last.extend(page.into_iter().map(|p| p.message).filter(|m| !m.group.as_str().is_empty() && !m.to_bot));
            last.drain(..last.len().saturating_sub(OVERALL));
        }
        for message in &last {
            self.crowd.recall(&input(message, Role::Member));
        }
        Ok(())
    }

    /// What is found in a message beside the sender's last ones, as they are on record.
    fn scan(&self, rules: &Rules, message: &Message, role: Role, record: &MemberRecord, manner: Manner) -> Report {
        if message.to_bot && message.group.as_str().is_empty() {
            return Report::default(); // words for the bot alone, perhaps quoting what somebody else said
        }
        let input = input(message, role);
        let stages = self.lives.stages(rules);
        if message.group.as_str().is_empty() || manner != Manner::Said {
            // A private talk has no crowd to flood, and whoever is asked something is not flooded.
            return rules.detector.scan_at(&input, None, Some(&stages));
        }
        let earlier = record::earlier(record);
        let before = Before { earlier: &earlier, crowd: &self.crowd };
        let mut report = rules.detector.scan_at(&input, Some(&before), Some(&stages));
        if report.verdict != Verdict::Clean && self.harmless.contains(&record::evidence(message)) {
            only_flood(&mut report); // a person judged this very sentence before, not how often it is said
        }
        if report.verdict != Verdict::Clean && is_acknowledgement(&message.text) {
            report.findings.retain(|finding| &*finding.rule != "flood/repeat");
            rules.detector.conclude(&mut report);
        }
        report
    }

    /// What was said to the bot as a command, in a group: noted, and not held against its speaker. Only where the command may
    /// be but a cloak, the words would have been acted on, and the same person had said such words to the bot within the
    /// last day, a person is asked.
    pub async fn said_to_bot(&self, mut message: Message, may_be_cloak: bool) -> Result<Outcome, StoreError> {
        message.group = self.groups.resolve(&message.group);
        let _turn = self.lanes.enter(&message).await;
        self.hear_for_notices(&message).await?;
        if let Some(first) = self.store.processed(&message.id).await? {
            return Ok(Outcome { duplicate: true, answer: Answer::from(&first) });
        }
        let rules = self.rules.get_full();
        let group = self.groups.get(&message.group);
        self.groups.noticed(&group).await?;
        self.decide_and_commit(&rules, &group, message, Manner::ToBot { may_be_cloak }, None).await
    }

    async fn decide_and_commit(
        &self,
        rules: &Rules,
        group: &Arc<Group>,
        message: Message,
        manner: Manner,
        cursor: Option<(String, u64)>,
    ) -> Result<Outcome, StoreError> {
        let policy = rules.policy(group);
        let role = group.role(&message.sender);
        loop {
            let now = self.clock.now();
            let mut record = self.store.member(&message.group, &message.sender).await?;
            let mut report = self.scan(rules, &message, role, &record, manner);
            if let Manner::ToBot { may_be_cloak } = manner {
                let acts = may_be_cloak && report.verdict == Verdict::Act && role == Role::Member;
                let before = record.tried.is_some_and(|at| message.at.duration_since(at).abs() < TRIED_AGAIN);
                if acts {
                    record.tried = Some(message.at);
                }
                if acts && before {
                    ask_only(&mut report);
                } else {
                    report = Report::default();
                }
            }
            let (brake_document, breaker) = match report.verdict {
                Verdict::Act => {
                    let (document, breaker) = brake::load(self.store.as_ref(), &message.group).await?;
                    (Some(document), breaker)
                }
                _ => (None, Breaker::default()), // nothing is done, so nothing can be held back
            };
            let facts = facts(rules, group, &message.sender, message.at, now, &report, &breaker);
            record.standing.joined = group.joined(&message.sender).or(record.standing.joined);
            let rehearsal = self.is_rehearsal(group);
            if !rehearsal {
                record.standing.forget_rehearsals();
            }
            let mut decision = policy::decide(policy, &record.standing, &facts, now);
            if rehearsal {
                decision.state = None;
            }
            record::note_message(&mut record, &message, &report, &rules.detector.settings().limits);
            let mut commit = Commit { cursors: cursor.clone().into_iter().collect(), ..Commit::default() };
            let mut answer = Answer {
                verdict: report.verdict,
                step: decision.step,
                points: decision.points,
                live_points: decision.live_after,
                case: None,
            };
            let continued = if decision.opens_case() {
                self.continued(&message, &decision, &rules.settings.detect.flood).await?
            } else {
                None
            };
            if let Some((mut case, Continued::Counted)) = continued {
                // Nothing follows from it but that the case has grown.
                deed::grow(&mut case, &message);
                (answer.step, answer.points) = (Step::None, 0);
                answer.live_points = record.standing.live_points(now);
                answer.case = Some(case.id.clone());
                commit.task_updates = self.renewed(&case, Continued::Counted, now).await?;
                commit.cases.push(case);
            } else if decision.opens_case() {
                let mut case = if let Some((mut case, how)) = continued {
                    deed::grow(&mut case, &message);
                    deed::worsen(&mut case, &report, &decision, now);
                    commit.task_updates = self.renewed(&case, how, now).await?;
                    case
                } else {
                    match self.case_for(&message).await? {
                        Ok(id) => new_case(&id, &message, &report, &decision, policy, now),
                        Err(own) => return self.again(&message, &report, &own, cursor.clone()).await,
                    }
                };
                let id = case.id.clone();
                policy::apply(&mut record.standing, &decision, &id, now);
                if rehearsal {
                    record.standing.rehearse(&id);
                }
                if let Some((key, text)) = rules.clause(group, decision.category, message.at.min(now)) {
                    (case.clause, case.rule) = (Some(key), text);
                }
                self.follow_up(policy, group, &case, &decision, brake_document.map(|d| (d, breaker)), now, &mut commit)
                    .await?;
                second_opinion::before_a_person(rules, group, &case, &decision, now, &mut commit.tasks);
                answer.case = Some(id);
                commit.cases.push(case);
            } else if let Some((category, what)) = only_recorded(rules, role, &report, &decision)
                && let Ok(id) = self.case_for(&message).await?
            {
                // Kept for people to judge by; nobody else hears of it.
                decision.category = category;
                let mut case = new_case(&id, &message, &report, &decision, policy, now);
                if let Some((key, text)) = rules.clause(group, category, message.at.min(now)) {
                    (case.clause, case.rule) = (Some(key), text);
                }
                case.state = CaseState::Closed;
                case.history[0].what = what.into();
                commit.cases.push(case);
            } else if !rehearsal && manner == Manner::Said && self.may_be_read(rules, &message, &report, &facts) {
                commit.tasks.push(crate::tasks::SecondOpinion::reading(&message, now));
            }
            commit.members.push(record);
            commit.processed = Some(Processed {
                message: message.clone(),
                verdict: answer.verdict,
                step: answer.step,
                points: answer.points,
                live_points: answer.live_points,
                case: answer.case.clone(),
            });
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
                    return Ok(Outcome { duplicate: false, answer });
                }
                Committed::Duplicate(first) => return Ok(Outcome { duplicate: true, answer: Answer::from(&*first) }),
                Committed::Conflict => debug!(message = %message.id, "somebody was faster; deciding again"),
            }
        }
    }

    /// What follows from a decision about a case besides the strike: tasks, a removal that the breaker counts, the owner's
    /// other groups.
    async fn follow_up(
        &self,
        policy: &Policy,
        group: &Group,
        case: &Case,
        decision: &Decision,
        breaker: Option<(Document, Breaker)>,
        now: Timestamp,
        commit: &mut Commit,
    ) -> Result<(), StoreError> {
        let can = self.capabilities.load();
        commit.tasks.extend(effects::tasks(can.as_ref(), group, case, decision, now));
        let by_api = can.provider(Act::Move, group, Some(&case.member)) == Some(Provider::Api);
        if decision.step == Step::Remove
            && !decision.needs_human
            && by_api
            && let Some((mut document, mut breaker)) = breaker
        {
            let page = brake::count(&mut breaker, policy.for_group(group.id()), group, &case.id, now);
            commit.tasks.extend(page);
            document.body = serde_json::to_value(&breaker).unwrap_or_default();
            commit.documents.push(document);
        }
        if decision.cross_group {
            self.sister_groups(group, case, decision, now, commit).await?;
        }
        Ok(())
    }

    /// The same message long after its mark was pruned: the answer is the one its case gives, and the mark is back.
    async fn again(
        &self,
        message: &Message,
        report: &Report,
        case: &Case,
        cursor: Option<(String, u64)>,
    ) -> Result<Outcome, StoreError> {
        let processed = Processed {
            message: message.clone(),
            verdict: report.verdict,
            step: case.step,
            points: case.points,
            live_points: case.live_points,
            case: Some(case.id.clone()),
        };
        let answer = Answer::from(&processed);
        let commit = Commit { processed: Some(processed), cursors: cursor.into_iter().collect(), ..Commit::default() };
        self.store.commit(commit).await?;
        Ok(Outcome { duplicate: true, answer })
    }

    /// Takes note of a message without judging it: a private talk with the bot, a command, or a copy of what another
    /// channel hears anyway.
    pub async fn note(&self, mut message: Message) -> Result<Noted, StoreError> {
        message.group = self.groups.resolve(&message.group);
        let _turn = self.lanes.enter(&message).await;
        let private = message.group.as_str().is_empty();
        let reply = self.hear_for_notices(&message).await?.filter(|_| private);
        let processed =
            Processed { message, verdict: Verdict::Clean, step: Step::None, points: 0, live_points: 0, case: None };
        Ok(match self.store.commit(Commit { processed: Some(processed), ..Commit::default() }).await? {
            Committed::Duplicate(_) => Noted { duplicate: true, reply: None },
            Committed::Applied | Committed::Conflict => Noted { duplicate: false, reply },
        })
    }

    /// A removal for something critical reaches the owner's other groups that the member is in.
    async fn sister_groups(
        &self,
        group: &Group,
        case: &Case,
        decision: &Decision,
        now: Timestamp,
        commit: &mut Commit,
    ) -> Result<(), StoreError> {
        let Some(owner) = group.owner() else { return Ok(()) };
        for sister in self.groups.all() {
            let shared = sister.configured
                && sister.id() != group.id()
                && sister.owner() == Some(owner)
                && sister.learned.members.contains_key(&case.member)
                && sister.role(&case.member) == Role::Member;
            if !shared {
                continue;
            }
            let mut record = self.store.member(sister.id(), &case.member).await?;
            let carried_out = effects::take_out_of(self.capabilities.load().as_ref(), &sister, case, decision, now);
            if let Some(state) = decision.state.as_ref().filter(|_| !self.is_rehearsal(&sister)) {
                record.standing.state = state.clone();
                commit.members.push(record);
            }
            commit.tasks.extend(carried_out);
        }
        Ok(())
    }

    /// Nothing is done here for the time being: everything is only tried.
    pub fn is_rehearsal(&self, group: &Group) -> bool {
        self.capabilities.load().dry_run || group.set.mode == Mode::Watch
    }

    /// A case for the message; the one it has already if the mark that it was handled is gone by now.
    async fn case_for(&self, message: &Message) -> Result<Result<CaseId, Box<Case>>, StoreError> {
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

/// What a decision about a member's message depends on besides their record.
fn facts<'a>(
    rules: &Rules,
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
        working: rules.is_working(at),
    }
}

/// What is written down although nothing follows from it: what the breaker held back, and what a rule under observation found.
fn only_recorded(rules: &Rules, role: Role, report: &Report, decision: &Decision) -> Option<(Category, &'static str)> {
    if decision.would != Step::None {
        return Some((decision.category, "held"));
    }
    let category = rules.detector.would_find(report).filter(|_| role == Role::Member)?;
    Some((category, "observed"))
}

fn input(message: &Message, role: Role) -> Input<'_> {
    Input {
        text: &message.text,
        attachments: &message.attachments,
        group: &message.group,
        sender: &message.sender,
        sender_name: message.sender_name.as_deref(),
        role,
        at: message.at,
        explain: false,
    }
}

/// 收到, 好的, 辛苦了: said as often as there is something to acknowledge.
fn is_acknowledgement(text: &str) -> bool {
    ack::matches(text, ack::DEFAULT_ACCEPT) || ack::is_assent(text)
}

/// A person looks at what would have been acted on.
fn ask_only(report: &mut Report) {
    report.acting.clear();
    report.verdict = report.verdict.min(Verdict::Review);
}

/// Leaves of a report what does not depend on the words.
fn only_flood(report: &mut Report) {
    let flood = |category: &Category| *category == Category::Flood;
    report.findings.retain(|finding| flood(&finding.category));
    report.categories.retain(flood);
    report.acting.retain(flood);
    report.verdict = match (report.acting.is_empty(), report.categories.is_empty()) {
        (false, _) => Verdict::Act,
        (true, false) => Verdict::Review,
        (true, true) => Verdict::Clean,
    };
}

fn new_case(
    id: &CaseId,
    message: &Message,
    report: &Report,
    decision: &Decision,
    policy: &Policy,
    now: Timestamp,
) -> Case {
    Case {
        id: id.clone(),
        version: 0,
        group: message.group.clone(),
        member: message.sender.clone(),
        message: message.id.clone(),
        at: message.at,
        evidence: record::evidence(message),
        findings: report.findings.clone(),
        category: decision.category,
        severity: decision.severity,
        step: decision.step,
        points: decision.points,
        live_points: decision.live_after,
        until: decision.until,
        expires_at: decision.strike.as_ref().map(|s| s.expires_at),
        policy: policy.label(),
        clause: None,
        rule: decision.category.zh().to_owned(),
        state: CaseState::Open,
        history: vec![crate::store::CaseEvent {
            at: now,
            by: "bot".into(),
            what: "decided".into(),
            note: decision.reasons.join("；"),
        }],
        further: Vec::new(),
        more: 0,
    }
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Clean => "clean",
        Verdict::Review => "review",
        Verdict::Act => "act",
    }
}
