//! What taking a case back changes: the strike no longer counts, a mute ends, somebody removed is brought back or invited
//! again, and the member is told. Who may do it, and why, is asked in `cases/` and `orders/`.

use std::collections::BTreeSet;

use super::{Moderation, campaign, false_positives, second_opinion};
use crate::{
    capability::{Act, Provider},
    model::{CaseId, GroupId, MemberId, Step, Timestamp, named_enum},
    policy::{self, MemberState, lifecycle::Verdict},
    refusal::{ActError, Refusal},
    store::{Case, CaseQuery, CaseState, Commit, Store, StoreError, Task, TaskQuery, TaskState, TaskUpdate, Tx},
    tasks::{self, Announce, Ask, Happened, Kind, OWNER_CARDS, OwnerCard, Readd, Remove, Request, Tell, Topic},
};

/// Cases of a member that are looked at to know how they came to be where they are.
const LOOK_BACK: usize = 50;

named_enum! {
    /// Why a case is taken back.
    pub enum Why {
        /// Whoever leads the group is kind, or had acted by hand.
        Owner = "owner", "管理者决定";
        /// There was nothing wrong with the sentence.
        Misjudged = "misjudged", "误判";
        /// The member appealed and was right.
        AppealUpheld = "appeal_upheld", "申诉成立";
        /// It was one of too many removals.
        Breaker = "breaker", "熔断后全部撤销";
    }
}

impl Why {
    /// What it says of the rules behind the case.
    const fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Misjudged => Some(Verdict::Misjudged),
            Self::AppealUpheld => Some(Verdict::AppealUpheld),
            Self::Owner | Self::Breaker => None,
        }
    }
}

/// There is no such case.
pub fn no_case(id: &CaseId) -> Refusal {
    Refusal::not_found(format!("没有编号为 {id} 的违规记录"))
}

impl Moderation {
    /// Takes back the other cases about a text that was no violation. What is remembered of the text and of the rules behind it
    /// is remembered once.
    async fn take_back_campaign(&self, tx: &mut Tx<'_>, case: &Case, by: &str, why: Why) -> Result<(), ActError> {
        for other in campaign::named(tx.store(), case).await? {
            if tx.case(&other.id).await?.is_some_and(|other| other.state != CaseState::Revoked) {
                self.take_back(tx, &other.id, by, why).await?;
            }
        }
        Ok(())
    }

    /// Takes a case back in the name of `by`; twice is refused. A sentence that was misjudged is remembered as harmless
    /// (must-miss); one that was forgiven is not. After the commit call [`Self::revoked`] with the case that this answers.
    pub async fn revoke_in(&self, tx: &mut Tx<'_>, id: &CaseId, by: &str, why: Why) -> Result<Case, ActError> {
        let case = self.take_back(tx, id, by, why).await?;
        if let Some(verdict) = why.verdict() {
            let now = self.clock.now();
            false_positives::remember(tx, &case, by, now).await?;
            self.credit_rules(tx, &case, verdict, now).await?;
            second_opinion::agreement(tx, &case, second_opinion::person_said(&case), false).await?;
            self.take_back_campaign(tx, &case, by, why).await?;
        }
        Ok(case)
    }

    /// What the case did ends, and its member is told.
    pub(super) async fn take_back(&self, tx: &mut Tx<'_>, id: &CaseId, by: &str, why: Why) -> Result<Case, ActError> {
        let Some(mut case) = tx.case(id).await? else { return Err(no_case(id).into()) };
        if case.state == CaseState::Revoked {
            return Err(Refusal::decided(format!("{id} 已经撤销过了")).into());
        }
        let now = self.clock.now();
        let tasks = tx.tasks_of(id).await?;
        for task in tasks.iter().filter(|task| !task.state.is_final()) {
            tasks::end(tx, task, TaskUpdate::cancel(task.id.clone(), now, "记录已撤销"), by, now);
        }
        // Its own group, and the owner's other groups that a critical case reached.
        let mut places = BTreeSet::from([&case.group]);
        places.extend(tasks.iter().map(|task| &task.group));
        let mut left = String::new();
        for place in places {
            let stands = self.lift(tx, &case, place, &tasks, now).await?;
            if let Some(stands) = stands.filter(|_| *place == case.group) {
                left = stands_now(&stands, now);
            }
        }
        let group = self.groups.get(&case.group);
        if (case.points > 0 || took_out(&case))
            && let Some(Provider::Api) = self.capabilities.load().provider(Act::Tell, &group, Some(&case.member))
        {
            let tell = Tell { next: format!("{}{left}", why.zh()), ..Tell::new(Topic::Revoked) };
            tx.add_task(tell.task(id, &case.member, &case.group, now));
        }
        if tasks.iter().any(|task| task.kind == Kind::Announce.id() && task.state == TaskState::Done) {
            // What was said to everybody is put right before everybody.
            let text = format!(
                "【群管更正】{} 提醒涉及「{}」的那条消息，经复核不算违规，特此更正。",
                crate::zh::when(case.at, now),
                case.category.zh()
            );
            tx.add_task(Announce { text, ..Announce::default() }.correction(&case, now));
        }
        // Whoever heard of it on a card does not go on being asked there.
        let mut about = vec![case.member.clone()];
        about.extend(campaign::named(self.store.as_ref(), &case).await?.into_iter().map(|other| other.member));
        for member in about {
            let card = tx.get(OWNER_CARDS, &OwnerCard::key(&case.group, &member)).await?;
            tx.add_tasks(card.and_then(|card| card.retired(&case, by, now)));
        }
        case.state = CaseState::Revoked;
        case.note(now, by, Happened::Revoked, format!("记录已撤销（{}{left}）", why.zh()));
        tx.put_case(case.clone());
        Ok(case)
    }

    /// What follows once a case was taken back.
    pub async fn revoked(&self, case: &Case, why: Why) -> Result<(), StoreError> {
        if why.verdict().is_some() {
            second_opinion::tell_agreement(case, false);
        }
        self.stages.refresh(self.store.as_ref(), case).await?;
        self.bring_back_who_left_meanwhile(case, self.clock.now()).await?;
        for other in campaign::named(self.store.as_ref(), case).await? {
            if other.state == CaseState::Revoked {
                self.bring_back_who_left_meanwhile(&other, self.clock.now()).await?;
            }
        }
        self.wake.notify_one();
        Ok(())
    }

    /// A case that was taken back out of kindness turns out to have been wrong: its sentence is remembered as harmless. After
    /// the commit call [`Self::was_misjudged`].
    pub async fn misjudge_revoked_in(&self, tx: &mut Tx<'_>, case: &Case, by: &str) -> Result<(), ActError> {
        let now = self.clock.now();
        if tx.get(false_positives::JUDGEMENTS, case.id.as_str()).await?.is_some() {
            return Err(Refusal::decided(format!("{} 已经记为误判了", case.id)).into());
        }
        false_positives::remember(tx, case, by, now).await?;
        second_opinion::agreement(tx, case, second_opinion::person_said(case), false).await?;
        self.credit_rules(tx, case, Verdict::Misjudged, now).await?;
        tx.edit_case(&case.id, |case| case.note(now, by, Happened::Misjudged, "经人看过，属于误判")).await?;
        Ok(())
    }

    /// What follows once a forgiven case was found to be wrong.
    pub async fn was_misjudged(&self, case: &Case) -> Result<(), StoreError> {
        self.stages.refresh(self.store.as_ref(), case).await
    }

    /// What somebody said of a sentence holds from now on.
    pub fn taught(&self, case: &CaseId, judgement: &false_positives::Judgement) {
        self.false_positives.learn(case, judgement);
    }

    /// What the case did in one group ends, as far as the member's other strikes do not bring it by themselves. Answers how they
    /// stand there now, if that changed.
    async fn lift(
        &self,
        tx: &mut Tx<'_>,
        case: &Case,
        place: &GroupId,
        tasks: &[Task],
        now: Timestamp,
    ) -> Result<Option<MemberState>, StoreError> {
        let group = self.groups.get(place);
        let mut record = tx.member(place, &case.member).await?;
        let before = record.standing.state.clone();
        policy::revoke(&mut record.standing, &case.id);
        let cases = self.standing_cases(tx, case, place).await?;
        let later = cases.iter().filter(|other| took_out(other) && other.at >= case.at).max_by_key(|other| other.at);
        let holds = later.map_or(!took_out(case), Case::by_hand);
        if !holds {
            let rules = self.rules.get_full();
            let policy = rules.policy(&group).for_group(place);
            let left = policy::recount(policy, &record.standing, now, |strike, ladder| {
                match cases.iter().find(|other| other.id == strike.case) {
                    Some(other) if other.by_hand() => moved_to(other),
                    // Who was spared then is not taken out now.
                    Some(other) => ladder.milder(moved_to(other)),
                    None => ladder,
                }
            });
            record.standing.state = left.milder(before.clone());
        }
        let after = record.standing.state.clone();
        tx.put_member(record);
        if after == before {
            return Ok(None);
        }
        match self.capabilities.load().provider(Act::Move, &group, Some(&case.member)) {
            // Somebody muted stays outside; the way back waits for the end of the mute.
            Some(Provider::Api)
                if was_taken_out(case, tasks, place) || self.is_out_by_us(place, &case.member).await? =>
            {
                let until = if let MemberState::Muted { until } = after { until } else { now };
                tx.add_task(Readd::undone(case, place, until, now));
            }
            Some(Provider::Person) => {
                let mut lift = Ask::new(Request::Lift).task(case, place, now);
                if let MemberState::Muted { until } = after {
                    lift.due = until;
                }
                tx.add_task(lift);
            }
            _ => {}
        }
        Ok(Some(after))
    }

    /// The other cases of the member in this group that still stand.
    async fn standing_cases(&self, tx: &mut Tx<'_>, case: &Case, place: &GroupId) -> Result<Vec<Case>, StoreError> {
        let mut standing = Vec::new();
        for other in cases_of(tx.store(), place, &case.member).await? {
            // One that is taken back together with this one does not stand any more.
            if other.id != case.id
                && let Some(other) = tx.case(&other.id).await?.filter(|other| other.state != CaseState::Revoked)
            {
                standing.push(other);
            }
        }
        Ok(standing)
    }

    /// The last thing that happened to the member's place in the group is that the bot took them out.
    pub(crate) async fn is_out_by_us(&self, group: &GroupId, member: &MemberId) -> Result<bool, StoreError> {
        is_out_by_us(self.store.as_ref(), group, member).await
    }

    /// A removal that was just being carried out while it was cancelled has happened nevertheless.
    async fn bring_back_who_left_meanwhile(&self, case: &Case, now: Timestamp) -> Result<(), StoreError> {
        let query = TaskQuery { case: Some(case.id.clone()), limit: 1000, ..TaskQuery::default() };
        let begun = |task: &&Task| task.state == TaskState::Cancelled && removal_begun(task);
        for task in self.store.tasks(&query).await?.iter().filter(begun) {
            if self.store.member(&task.group, &case.member).await?.standing.state == MemberState::Normal {
                let tasks = vec![Readd::undone(case, &task.group, now, now)];
                self.store.commit(Commit { tasks, ..Commit::default() }).await?;
            }
        }
        Ok(())
    }
}

/// What the other strikes come to, as people read it behind the reason; nothing where the member is simply free.
fn stands_now(state: &MemberState, now: Timestamp) -> String {
    match state {
        MemberState::Normal => String::new(),
        MemberState::Muted { until } => format!("；按其余记录，改为禁言至{}", crate::zh::when(*until, now)),
        MemberState::Removed | MemberState::Banned => "；按其余记录，仍为移出".to_owned(),
    }
}

/// Where the step of a case puts its member.
fn moved_to(case: &Case) -> MemberState {
    match (case.step, case.until) {
        (Step::Mute, Some(until)) => MemberState::Muted { until },
        (Step::Remove, _) if case.by_hand() => MemberState::Removed,
        (Step::Remove, _) => MemberState::Banned,
        _ => MemberState::Normal,
    }
}

fn took_out(case: &Case) -> bool {
    matches!(case.step, Step::Mute | Step::Remove)
}

fn was_taken_out(case: &Case, tasks: &[Task], place: &GroupId) -> bool {
    let begun = |task: &Task| task.group == *place && removal_begun(task);
    tasks.iter().any(begun) || (case.group == *place && case.happened(Happened::Removed).is_some())
}

fn removal_begun(task: &Task) -> bool {
    tasks::payload::<Remove>(task).is_some_and(|remove| remove.begun)
}

async fn cases_of(store: &dyn Store, group: &GroupId, member: &MemberId) -> Result<Vec<Case>, StoreError> {
    let query = CaseQuery {
        group: Some(group.clone()),
        member: Some(member.clone()),
        limit: LOOK_BACK,
        ..CaseQuery::default()
    };
    store.cases(&query).await
}

/// The last thing that happened to the member's place in the group is that the bot took them out.
pub(crate) async fn is_out_by_us(store: &dyn Store, group: &GroupId, member: &MemberId) -> Result<bool, StoreError> {
    let cases = cases_of(store, group, member).await?;
    let moves = cases.iter().flat_map(|case| &case.history).filter_map(|event| match event.what.parse() {
        Ok(Happened::Removed) => Some((event.at, true)),
        Ok(Happened::Readded | Happened::ReaddedByPerson | Happened::Left) => Some((event.at, false)),
        _ => None,
    });
    Ok(moves.max_by_key(|(at, _)| *at).is_some_and(|(_, out)| out))
}
