//! What a second opinion moves. Where a person would be asked about a message, the model is asked first: it may confirm, then
//! happens what the group's policy has for the sure case; or wave the message through, then no card is sent and the case is
//! kept. In groups that want it, it also reads what the lists found nothing in, and may only bring that before a person.
//!
//! The question is a task of its own, written with the case. The card for the person is written with it, due when the
//! opinion's time is over: it comes at once if there is no opinion, and it comes all the same if the process dies. A card is
//! never taken back, so an opinion that comes later than the card changes nothing but the record.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Hearing, Moderation, breaker, decide::facts, record};
use crate::{
    detect::{Finding, Report, Verdict, contents, kinds},
    groups::Group,
    in_force::InForce,
    model::{Category, GroupId, Message, Role, SignedDuration, Stage, Step, TaskId, Timestamp},
    policy::{self, Decision, breaker::Breaker, ladder::Treatment},
    second_opinion::{
        Opinion, Question,
        ledger::{self, Month},
        mask::masked,
        question::{self, LONGEST},
        speaks_to_model,
    },
    settings::{SecondOpinion, SecondOpinionMode},
    store::{
        Case, CaseEvent, CaseState, Commit, Committed, StoreError, Task, TaskState, TaskUpdate, Tx,
        transaction::transact,
    },
    tasks::{self, Ask, Happened, Request},
};

/// A person is asked as if there were no opinion.
const ASKED: &str = "仍请人看";
/// A message with fewer letters says too little to be read.
const SHORTEST: usize = 6;

/// What a task of this kind is about.
enum Subject {
    /// A case that a person would be asked about.
    Case(Box<Case>),
    /// A message that nobody suspects.
    Message(Box<Message>),
}

/// What is to be asked, or why not.
pub enum Wanted {
    /// This, within so long.
    Question {
        /// The question.
        question: Box<Question>,
        /// Whom to ask, and what it may cost.
        settings: Box<SecondOpinion>,
        /// For how long the opinion can still move something.
        within: SignedDuration,
        /// Nobody suspects it; it is only read.
        only_reading: bool,
    },
    /// Nothing any more; in Chinese.
    Nothing(&'static str),
}

/// Before a person is asked, the model is: the card waits for it.
pub(super) fn before_a_person(
    rules: &InForce,
    group: &Group,
    case: &Case,
    decision: &Decision,
    now: Timestamp,
    tasks: &mut Vec<Task>,
) {
    let Some((opinion, _)) = rules.settings.second_opinion_of(group.id()) else { return };
    if !decision.review()
        || !may_leave(&case.evidence, &case.findings, case.category)
        || speaks_to_model(&case.evidence)
    {
        return;
    }
    let id = card_id(case);
    let Some(card) = tasks.iter_mut().find(|task| task.id == id) else { return };
    card.due = now + opinion.timeout;
    card.reason = "先听第二意见".into();
    tasks.push(tasks::SecondOpinion::about(case, now));
}

/// Words only, short enough to be seen whole, nothing of a leak, nothing that somebody else said; and nothing that the words
/// alone do not show. Where an owner wants a kind of message looked at, or a file holds something, a person looks.
fn may_leave(evidence: &str, findings: &[Finding], category: Category) -> bool {
    let unseen = |finding: &Finding| kinds::Kind::is_rule(&finding.rule) || contents::is_rule(&finding.rule);
    let leaks =
        findings.iter().any(unseen) || category.is_leak() || findings.iter().any(|finding| finding.category.is_leak());
    let shown = !matches!(category, Category::Flood | Category::Impersonation);
    !leaks
        && shown
        && !record::shows_others(evidence)
        && !evidence.trim().is_empty()
        && evidence.chars().count() <= LONGEST
}

fn card_id(case: &Case) -> TaskId {
    Ask::id(&case.id, Request::Review)
}

/// The card that nobody has seen yet.
fn is_unsent(card: &Task) -> bool {
    card.state == TaskState::Pending && card.leased_until.is_none() && card.payload["asked"] == json!([])
}

/// What the model thought of a case, if it was asked: a violation or none.
fn thought(case: &Case) -> Option<(&CaseEvent, Option<bool>)> {
    let says = |event: &CaseEvent| match event.what.parse() {
        Ok(Happened::SecondOpinionViolation) => Some(Some(true)),
        Ok(Happened::SecondOpinionFine | Happened::SecondOpinionChecked) => Some(Some(false)),
        Ok(Happened::SecondOpinionUnsure) => Some(None),
        _ => None,
    };
    case.history.iter().find_map(|event| says(event).map(|said| (event, said)))
}

/// Is this line of a case's history for those who decide only?
pub fn is_hint(event: &CaseEvent) -> bool {
    const HINTS: [Happened; 4] = [
        Happened::SecondOpinionViolation,
        Happened::SecondOpinionFine,
        Happened::SecondOpinionChecked,
        Happened::SecondOpinionUnsure,
    ];
    event.what.parse().is_ok_and(|what| HINTS.contains(&what))
}

/// What a person who judges may read of it on the card; empty for nothing.
pub fn hint(case: &Case) -> &str {
    let shown = |event: &&CaseEvent| event.what != Happened::SecondOpinionChecked.id();
    thought(case).map(|(event, _)| event).filter(shown).map_or("", |event| event.note.as_str())
}

/// How it is written down.
fn event(opinion: &Opinion) -> Happened {
    match opinion {
        Opinion::Violation { .. } => Happened::SecondOpinionViolation,
        Opinion::Fine { .. } => Happened::SecondOpinionFine,
        Opinion::Unsure { .. } => Happened::SecondOpinionUnsure,
    }
}

/// What a person said of a case so far.
pub(super) fn person_said(case: &Case) -> Option<bool> {
    case.happened(Happened::Confirmed).map(|_| true)
}

/// A person judges a case: counts whether the model had agreed, instead of what was counted `before`.
pub(super) async fn agreement(
    tx: &mut Tx<'_>,
    case: &Case,
    before: Option<bool>,
    violation: bool,
) -> Result<(), StoreError> {
    let Some((event, Some(said))) = thought(case) else { return Ok(()) };
    if before == Some(violation) {
        return Ok(());
    }
    ledger::edit(tx, event.at, &case.group, |month| {
        if let Some(before) = before {
            month.judged(said, before, -1);
        }
        month.judged(said, violation, 1);
    })
    .await
}

/// The same for whoever watches `/metrics`.
pub(super) fn tell_agreement(case: &Case, violation: bool) {
    if let Some((_, Some(said))) = thought(case) {
        let agreed = if said == violation { "yes" } else { "no" };
        metrics::counter!("qunguan_second_opinion_agreement_total", "agreed" => agreed).increment(1);
    }
}

impl Moderation {
    /// Is a message that nobody suspects to be read?
    pub(super) fn may_be_read(&self, hearing: &Hearing<'_>, report: &Report, exempt: bool) -> bool {
        let Hearing { rules, group, message, .. } = hearing;
        let wants = rules.settings.second_opinion_of(&message.group);
        let words = || record::evidence(message);
        wants.is_some_and(|(_, mode)| mode == SecondOpinionMode::Read)
            && report.verdict == Verdict::Clean
            && hearing.role() == Role::Member
            && !exempt
            && !message.to_bot
            && words().chars().filter(|c| c.is_alphanumeric()).count() >= SHORTEST
            && may_leave(&words(), &report.findings, Category::Ads)
            && !rules.rulebooks_of(group, message.at).is_empty()
            && self.false_positives.passes(&words(), Some(&message.group), message.at).is_none()
    }

    async fn subject(&self, task: &Task) -> Result<Option<Subject>, StoreError> {
        if let Some(id) = &task.case {
            return Ok(self.store.case(id).await?.map(|case| Subject::Case(Box::new(case))));
        }
        let Some(id) = tasks::payload::<tasks::SecondOpinion>(task).and_then(|asks| asks.message) else {
            return Ok(None);
        };
        let processed = self.store.processed(&id).await?;
        Ok(processed.map(|processed| Subject::Message(Box::new(processed.message))))
    }

    /// What a task asks, as things stand now.
    pub async fn second_opinion_wanted(&self, task: &Task) -> Result<Wanted, StoreError> {
        let rules = self.rules.get_full();
        let group = self.groups.get(&task.group);
        let Some((settings, mode)) = rules.settings.second_opinion_of(group.id()) else {
            return Ok(Wanted::Nothing("没有启用第二意见"));
        };
        let now = self.clock.now();
        let (at, suspected, evidence, within) = match self.subject(task).await? {
            None => return Ok(Wanted::Nothing("消息已过保留期")),
            Some(Subject::Case(case)) => {
                if case.state != CaseState::Open || thought(&case).is_some() {
                    return Ok(Wanted::Nothing("已有结论"));
                }
                let card = self.store.task(&card_id(&case)).await?.filter(is_unsent);
                let Some(left) = card.map(|card| card.due.duration_since(now)).filter(SignedDuration::is_positive)
                else {
                    return Ok(Wanted::Nothing("已请人看，不再问"));
                };
                (case.at, Some(case.category), case.evidence, left.min(settings.timeout))
            }
            Some(Subject::Message(_)) if mode != SecondOpinionMode::Read => {
                return Ok(Wanted::Nothing("本群不再通读"));
            }
            Some(Subject::Message(message)) => (message.at, None, record::evidence(&message), settings.timeout),
        };
        let known = group.learned.members.iter().flat_map(|(id, person)| [id.as_str(), person.name.as_str()]);
        let gone = group.learned.gone.iter().flat_map(|(id, name)| [id.as_str(), name.as_str()]);
        let colleagues = group.colleagues.iter().flat_map(|(id, name)| [id.as_str(), name.as_str()]);
        let detect = &rules.settings.detect;
        let own = detect.staff_names.iter().chain(&detect.protected_names).map(String::as_str);
        let said = masked(&evidence, known.chain(gone).chain(colleagues).chain(own));
        let books = rules.rulebooks_of(&group, at.min(now));
        let key = settings.key.as_ref().map_or("", |key| key.expose());
        Ok(Wanted::Question {
            question: Box::new(Question {
                sign: question::sign(task.id.as_str(), key),
                suspected,
                clauses: question::clauses(books.iter().map(AsRef::as_ref)),
                said,
            }),
            settings: Box::new(settings.clone()),
            within,
            only_reading: suspected.is_none(),
        })
    }

    /// There is no opinion: the person is asked at once.
    pub async fn without_second_opinion(&self, task: &Task) -> Result<(), StoreError> {
        let Some(Subject::Case(case)) = self.subject(task).await? else { return Ok(()) };
        if let Some(card) = self.store.task(&card_id(&case)).await?.filter(is_unsent) {
            // Somebody may just be sending it: then there is nothing to hurry.
            let commit = Commit { task_updates: vec![send_now(&card, self.clock.now())], ..Commit::default() };
            self.store.commit(commit).await?;
            self.ring();
        }
        Ok(())
    }

    /// Takes an opinion in; `count` adds what it took to the month. Returns what came of it, in Chinese. Said again after a
    /// crash it changes nothing.
    pub async fn second_opinion_given(
        &self,
        task: &Task,
        question: &Question,
        opinion: &Opinion,
        count: &(dyn Fn(&mut Month) + Send + Sync),
    ) -> Result<String, StoreError> {
        match self.subject(task).await? {
            None => Ok("消息已过保留期".into()),
            Some(Subject::Case(_)) => self.about_a_case(task, question, opinion, count).await,
            Some(Subject::Message(message)) => self.about_a_message(*message, question, opinion, count).await,
        }
    }

    async fn about_a_case(
        &self,
        task: &Task,
        question: &Question,
        opinion: &Opinion,
        count: &(dyn Fn(&mut Month) + Send + Sync),
    ) -> Result<String, StoreError> {
        let rules = self.rules.get_full();
        loop {
            let now = self.clock.now();
            let Some(Subject::Case(mut case)) = self.subject(task).await? else {
                return Ok("记录已不存在".into());
            };
            if case.state != CaseState::Open || thought(&case).is_some() {
                return Ok("已有结论".into());
            }
            let group = self.groups.get(&case.group);
            let card = self.store.task(&card_id(&case)).await?.filter(is_unsent);
            let movable = card.is_some() && may_move(&rules, &group, &case);
            let mut commit = Commit::default();
            let place = case.history.len();
            let mut what = event(opinion);
            let mut waved = false;
            let mut acted = false;
            let (follows, update) = match (card, opinion) {
                (None, _) => ("来得晚，没有采用", None),
                (Some(card), Opinion::Fine { .. }) if movable && self.is_spot_check(&rules, &case) => {
                    what = Happened::SecondOpinionChecked;
                    ("抽查，仍请人看", Some(send_now(&card, now)))
                }
                (Some(card), Opinion::Fine { .. }) if movable => {
                    waved = true;
                    ("没有再请人看", Some(dropped(&card, "第二意见认为没有违规", now)))
                }
                (Some(card), Opinion::Violation { category, .. }) if movable && *category == case.category => {
                    acted = self.as_if_sure(&rules, &group, &mut case, now, &mut commit).await?;
                    if acted {
                        ("按群规处理", Some(dropped(&card, "第二意见认为违规，按群规处理", now)))
                    } else {
                        (ASKED, Some(send_now(&card, now)))
                    }
                }
                (Some(card), _) => (ASKED, Some(send_now(&card, now))),
            };
            if waved {
                case.state = CaseState::Closed;
            }
            let clause = cited(question, opinion).map(|clause| format!("，{}", clause.cited)).unwrap_or_default();
            let follows_on = if follows == ASKED { String::new() } else { format!("（{follows}）") };
            let note = format!("第二意见：{}{clause}{follows_on}", opinion.zh());
            case.history.insert(place, CaseEvent { at: now, by: "bot".into(), what: what.id().into(), note });
            commit.task_updates.extend(update);
            commit.cases.push(*case);
            let month = ledger::edited(self.store.as_ref(), now, &task.group, |month| {
                count(month);
                month.waved_through += u32::from(waved);
                month.acted += u32::from(acted);
            });
            commit.documents.push(month.await?);
            if self.store.commit(commit).await? != Committed::Conflict {
                self.ring();
                return Ok(follows.into());
            }
        }
    }

    /// The case becomes what it would have been, had the lists been sure. False if the policy asks a person even then.
    async fn as_if_sure(
        &self,
        rules: &InForce,
        group: &Group,
        case: &mut Case,
        now: Timestamp,
        commit: &mut Commit,
    ) -> Result<bool, StoreError> {
        let policy = rules.policy(group);
        let (document, breaker) = breaker::load(self.store.as_ref(), group.id()).await?;
        let mut record = self.store.member(group.id(), &case.member).await?;
        record.standing.joined = group.joined(&case.member).or(record.standing.joined);
        let report = Report {
            verdict: Verdict::Act,
            categories: vec![case.category],
            acting: vec![case.category],
            findings: case.findings.clone(),
            ..Report::default()
        };
        let decision = {
            let facts = facts(rules, group, &case.member, case.at, now, &report, &breaker);
            policy::decide(policy, &record.standing, &facts, now)
        };
        if self.is_dry_run(group) || matches!(decision.step, Step::None | Step::Review) {
            return Ok(false);
        }
        policy::apply(&mut record.standing, &decision, &case.id, now);
        case.severity = decision.severity;
        case.step = decision.step;
        case.points = decision.points;
        case.live_points = decision.live_after;
        case.until = decision.until;
        case.expires_at = decision.strike.as_ref().map(|strike| strike.expires_at);
        case.note(now, "bot", Happened::Decided, decision.reasons.join("；"));
        self.follow_up(policy, group, case, &decision, Some((document, breaker)), now, commit).await?;
        commit.members.push(record);
        Ok(true)
    }

    /// One in so many is shown to people all the same.
    fn is_spot_check(&self, rules: &InForce, case: &Case) -> bool {
        let every = rules.settings.second_opinion_of(&case.group).map_or(0, |(settings, _)| settings.spot_check);
        let hash = Sha256::digest(case.message.as_str());
        every > 0 && u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) % every == 0
    }

    /// The model read a message that nobody suspected: what it calls a violation is brought before a person.
    async fn about_a_message(
        &self,
        message: Message,
        question: &Question,
        opinion: &Opinion,
        count: &(dyn Fn(&mut Month) + Send + Sync),
    ) -> Result<String, StoreError> {
        let Opinion::Violation { category, .. } = opinion else {
            self.counted(&message.group, count).await?;
            return Ok(opinion.zh());
        };
        let rules = self.rules.get_full();
        let group = self.groups.get(&message.group);
        let policy = rules.policy(&group);
        let report = Report {
            verdict: Verdict::Review,
            categories: vec![*category],
            findings: vec![found(*category)],
            ..Report::default()
        };
        loop {
            let now = self.clock.now();
            let Ok(id) = self.case_for(&message).await? else { return Ok("已有记录".into()) };
            let standing = self.store.member(group.id(), &message.sender).await?.standing;
            let decision = {
                let facts = facts(&rules, &group, &message.sender, message.at, now, &report, &Breaker::default());
                policy::decide(policy, &standing, &facts, now)
            };
            if !decision.review() || self.is_dry_run(&group) {
                self.counted(&message.group, count).await?;
                return Ok("本群不管这一类".into());
            }
            let mut case = record::new_case(&id, &message, &report, &decision, policy, now);
            match cited(question, opinion) {
                Some(clause) => (case.clause, case.rule) = (Some(clause.key.clone()), clause.cited.clone()),
                None => record::cite(&rules, &group, &mut case, message.at.min(now)),
            }
            case.note(now, "bot", event(opinion), format!("第二意见：{}", opinion.zh()));
            let card = Ask::new(Request::Review).task(&case, group.id(), now);
            let month = ledger::edited(self.store.as_ref(), now, group.id(), |month| {
                count(month);
                month.brought += 1;
            });
            let documents = vec![month.await?];
            let commit = Commit { cases: vec![case], tasks: vec![card], documents, ..Commit::default() };
            if self.store.commit(commit).await? != Committed::Conflict {
                self.ring();
                return Ok("请人看".into());
            }
        }
    }

    /// Counts a question that moved nothing.
    pub async fn counted(&self, group: &GroupId, count: &(dyn Fn(&mut Month) + Send + Sync)) -> Result<(), StoreError> {
        let now = self.clock.now();
        transact!(self.store.as_ref(), |tx| ledger::edit(tx, now, group, count).await?);
        Ok(())
    }
}

/// A rule that only tries itself out, and a category that the policy always wants seen, stay with people.
fn may_move(rules: &InForce, group: &Group, case: &Case) -> bool {
    let weighs =
        |finding: &Finding| finding.category == case.category && finding.stage == Stage::Enforce && finding.score > 0.0;
    let policy = rules.policy(group).for_group(group.id());
    let always_asks = policy.category(case.category).and_then(|rule| rule.treat) == Some(Treatment::Review);
    case.findings.iter().any(weighs) && !always_asks && case.others.is_empty()
}

/// The clause that the model names.
fn cited<'a>(question: &'a Question, opinion: &Opinion) -> Option<&'a question::Clause> {
    match opinion {
        Opinion::Violation { clause: Some(clause), .. } => question.clauses.get(*clause),
        _ => None,
    }
}

/// What stands for the model among the findings: it asks a person and never acts.
fn found(category: Category) -> Finding {
    Finding {
        rule: format!("{category}/second-opinion").into(),
        category,
        severity: crate::model::Severity::Medium,
        score: 1.0,
        start: 0,
        end: 0,
        original: String::new(),
        normalized: String::new(),
        transforms: Vec::new(),
        stage: Stage::Pilot,
        entry: None,
        asks: None,
        life: None,
    }
}

fn send_now(card: &Task, now: Timestamp) -> TaskUpdate {
    update(card, TaskState::Pending, "", now)
}

fn dropped(card: &Task, why: &str, now: Timestamp) -> TaskUpdate {
    update(card, TaskState::Cancelled, why, now)
}

fn update(card: &Task, state: TaskState, reason: &str, due: Timestamp) -> TaskUpdate {
    let payload: Option<Value> = None;
    TaskUpdate {
        id: card.id.clone(),
        fence: Some(card.fence),
        state,
        due,
        reason: reason.into(),
        payload,
        failed: false,
    }
}
