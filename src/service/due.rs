//! What follows when an answer is owed for too long: whoever is responsible is reminded, then one superior after the other. All of
//! it in working time, so nobody is called at night, on holidays or over lunch; what came due while the bot was down waits until
//! the words of that time are in.

use serde::{Deserialize, Serialize};

use super::{Place, Service, THREADS, calendar_of, owed_by, question, thread::Thread};
use crate::{
    groups::Group,
    in_force::InForce,
    model::{GroupId, MemberId, SignedDuration, Timestamp},
    notices::{
        Directory,
        outgoing::{self, Tell},
    },
    refusal::{ActError, Code},
    settings::ServiceRules,
    store::{Task, transaction::transact},
    tasks::{self, Kind, Payload},
    zh,
};

/// Superiors above whoever is responsible.
const HIGHEST: usize = 4;
/// A start later than this after a due time has slept through it, and lets in what was said meanwhile for so long.
const SLEPT: SignedDuration = SignedDuration::from_mins(3);
const WAIT: SignedDuration = SignedDuration::from_mins(5);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Payload of a `service.reply` task: an answer is owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// Whose question.
    pub asker: MemberId,
    /// Which thread of theirs.
    pub first: Timestamp,
    /// Which time that an answer came to be owed; 0: the problem is to be solved.
    pub round: u32,
    /// How many were told already, one above the other.
    #[serde(default)]
    pub level: usize,
    /// Waiting messages were let in already.
    #[serde(default)]
    pub waited: bool,
}

impl Payload for Owed {
    const KIND: Kind = Kind::ServiceReply;
}

/// How a run ended.
#[derive(Debug)]
pub enum Ran {
    /// There is no more to do.
    Done(String),
    /// Not now.
    Later(Timestamp, &'static str, Owed),
    /// Somebody is told, and the next one after a while.
    Told(Timestamp, String, Owed, Vec<Task>),
}

/// The task for an answer that is owed since then.
pub(super) fn owed(place: &Place<'_>, thread: &Thread, since: Timestamp) -> Result<Task, ActError> {
    let due = owed_by(place.calendar, place.set, thread, since)?;
    Ok(planned(thread, thread.round, due, since))
}

/// The task for a problem that is to be solved by then, where that is wanted.
pub(super) fn unsolved(place: &Place<'_>, thread: &Thread) -> Result<Option<Task>, ActError> {
    let Some(within) = place.set.solve_within else { return Ok(None) };
    let due = place.calendar.add(thread.first, within, true, &[])?;
    Ok(Some(planned(thread, 0, due, thread.first)))
}

fn planned(thread: &Thread, round: u32, due: Timestamp, now: Timestamp) -> Task {
    let payload = Owed { asker: thread.asker.clone(), first: thread.first, round, level: 0, waited: false };
    let id = format!("service/{}/{}/{}/{round}", thread.group, thread.asker, thread.first.as_millisecond());
    let mut task = tasks::task(id, &thread.group, now, &payload);
    task.member = Some(thread.asker.clone());
    task.due = due;
    task
}

impl Service {
    /// An answer is owed, or a problem not solved: tells whoever comes next. Running it again is harmless.
    pub async fn run(&self, task: &Task, now: Timestamp) -> Result<Ran, ActError> {
        let owed: Owed = tasks::payload(task).ok_or_else(|| ActError::refused(Code::BadRequest, "待办内容读不懂"))?;
        let key = Thread::key(&task.group, &owed.asker);
        let thread = THREADS.get(self.store.as_ref(), &key).await?.filter(|thread| thread.first == owed.first);
        let Some(thread) = thread else { return Ok(Ran::Done("已解决".into())) };
        let solving = owed.round == 0;
        if solving && thread.waits.is_none() {
            // It was answered, and nobody asked on.
            self.rests(&task.group, &thread).await?;
            return Ok(Ran::Done("已答复，没有再问".into()));
        }
        if !solving && (thread.round != owed.round || thread.waits.is_none()) {
            return Ok(Ran::Done("已有人回复".into()));
        }
        let rules = self.rules.get_full();
        let group = self.groups.get(&task.group);
        let Some(set) = rules.settings.service_of(group.id()) else {
            return Ok(Ran::Done("本群不再计回复时间".into()));
        };
        if task.due < self.started && now.duration_since(task.due) > SLEPT && !owed.waited {
            return Ok(Ran::Later(now + WAIT, "先处理停机期间的消息", Owed { waited: true, ..owed }));
        }
        let calendar = calendar_of(&rules, &group);
        let open = calendar.add(now - SECOND, SignedDuration::ZERO, true, &[])?;
        if open > now {
            return Ok(Ran::Later(open, "不在上班时间，上班再提醒", owed));
        }
        if let Some(until) = rules.settings.owner_news.quiet_until(now, rules.calendar.zone()) {
            return Ok(Ran::Later(until, "免打扰时间，过后再提醒", owed));
        }
        let chain = self.chain(&group, &set, &thread);
        // What is not solved goes to a superior at once: whoever is responsible knows of it.
        let level = owed.level.max(usize::from(solving));
        let Some(to) = chain.get(level).or_else(|| chain.last().filter(|_| solving && owed.level == 0)) else {
            return Ok(Ran::Done("已告诉每一位负责人".into()));
        };
        if level > 0 {
            let place = Place { group: &group, set: &set, calendar: &calendar };
            transact!(self.store.as_ref(), |tx| self.count(tx, &place, thread.first, |f| f.climbed += 1).await?);
        }
        let before = chain.first().map(|first| names(&group, first)).unwrap_or_default();
        let text = words(&group, &thread, &before, level, solving, now);
        let id = format!("{}/tell/{level}", task.id);
        let tell = outgoing::tell(&id, &task.group, now, &Tell::text(to.clone(), text));
        let next = calendar.add(now, set.climb_after, true, &[])?;
        let reason = format!("{}{}", if level == 0 { "已提醒 " } else { "已告诉 " }, names(&group, to));
        Ok(Ran::Told(next, reason, Owed { level: level + 1, ..owed }, tell))
    }

    /// Nobody asked on: the thread is over.
    async fn rests(&self, group: &GroupId, thread: &Thread) -> Result<(), ActError> {
        let rules: std::sync::Arc<InForce> = self.rules.get_full();
        let group = self.groups.get(group);
        let Some(set) = rules.settings.service_of(group.id()) else { return Ok(()) };
        let calendar = calendar_of(&rules, &group);
        let place = Place { group: &group, set: &set, calendar: &calendar };
        let key = Thread::key(&thread.group, &thread.asker);
        transact!(self.store.as_ref(), |tx| {
            if tx.get(THREADS, &key).await?.is_some_and(|now| now == *thread) {
                tx.delete(THREADS, &key).await?;
                self.count(tx, &place, thread.first, |figures| figures.closed += 1).await?;
            }
        });
        Ok(())
    }

    /// Who hears of it, one after the other: whom the question names, who is responsible, who answered this person last, the
    /// owner; then superiors, the owner, and whoever is asked in an emergency.
    fn chain(&self, group: &Group, set: &ServiceRules, thread: &Thread) -> Vec<Vec<MemberId>> {
        let owner = group.owner().cloned();
        let first = if !thread.to.is_empty() {
            thread.to.clone()
        } else if !set.responsible.is_empty() {
            set.responsible.clone()
        } else {
            thread.replier.clone().or_else(|| owner.clone()).into_iter().chain(group.deciders()).take(1).collect()
        };
        let superior = |id: &MemberId| self.company.person(id).superior;
        climb(first, &superior, owner, &self.escalation)
    }
}

/// The order in which people hear of it; nobody twice.
fn climb(
    first: Vec<MemberId>,
    superior: &dyn Fn(&MemberId) -> Option<MemberId>,
    owner: Option<MemberId>,
    escalation: &[MemberId],
) -> Vec<Vec<MemberId>> {
    let mut known = first.clone();
    let mut chain = vec![first];
    chain.retain(|level| !level.is_empty());
    while chain.len() <= HIGHEST
        && let Some(next) = chain.last().and_then(|level| level.first()).and_then(superior)
        && !known.contains(&next)
    {
        known.push(next.clone());
        chain.push(vec![next]);
    }
    let rest: [Vec<MemberId>; 2] = [owner.into_iter().collect(), escalation.to_vec()];
    for mut level in rest {
        level.retain(|id| !known.contains(id));
        known.extend(level.iter().cloned());
        chain.extend(Some(level).filter(|level| !level.is_empty()));
    }
    chain
}

fn names(group: &Group, people: &[MemberId]) -> String {
    people.iter().map(|id| group.member_name(id)).collect::<Vec<_>>().join("、")
}

/// What people read.
fn words(group: &Group, thread: &Thread, before: &str, level: usize, solving: bool, now: Timestamp) -> String {
    let since = thread.waits.unwrap_or(thread.first);
    let (place, name, asked) = (group.name(), &thread.name, zh::when(thread.first, now));
    let head = if solving {
        format!(
            "「{place}」{name} {asked} 提的问题还没有解决，请您过问（负责人：{before}）。解决后请在群里说「已解决」。"
        )
    } else if level == 0 {
        let owed = if thread.round == 1 { "的提问还没有人回复" } else { "还在等答复" };
        format!("「{place}」{name} {} {owed}，请尽快回复。", zh::when(since, now))
    } else {
        format!("「{place}」{name} {} 的提问还没有回复，已提醒{before}，请您过问。", zh::when(since, now))
    };
    format!("{head}\n「{}」\n（算作提问：{}）", thread.words, question::zh(&thread.because))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_climbs_and_nobody_hears_twice() {
        let superior = |id: &MemberId| match id.as_str() {
            "li" => Some("zhang".into()),
            "zhang" => Some("wang".into()),
            "wang" => Some("zhang".into()),
            _ => None,
        };
        let chain = |first: &[&str], owner: Option<&str>| {
            let first = first.iter().map(|id| MemberId::from(*id)).collect();
            let chain = climb(first, &superior, owner.map(MemberId::from), &["wang".into(), "boss".into()]);
            chain
                .iter()
                .map(|level| level.iter().map(MemberId::as_str).collect::<Vec<_>>().join("+"))
                .collect::<Vec<_>>()
        };
        assert_eq!(chain(&["li"], Some("zhang")), ["li", "zhang", "wang", "boss"]);
        assert_eq!(chain(&["zhao", "lin"], Some("sun")), ["zhao+lin", "sun", "wang+boss"]);
        assert_eq!(chain(&[], None), ["wang+boss"]);
    }
}
