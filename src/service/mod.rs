//! A customer's or colleague's question is answered in time, or whoever is responsible hears of it, then their superiors.
//!
//! Members notice nothing: the bot answers nobody. A question ([`question`]) opens a [`thread`]; from then on an answer is owed
//! within so much working time. 稍等 is a reply, and the answer is still owed; an answer, or a question back, stops the clock
//! until whoever asked speaks again. 「已解决」 from either side ends it. Who is reminded of what is in [`due`].
//!
//! | document | holds |
//! |---|---|
//! | `service/GROUP/ASKER` | an open thread |
//! | `service_month/MONTH/GROUP` | how many were asked, and answered in time |
//! | `ticket/ID` | 投诉, 建议, 异议 in private ([`ticket`]) |
//! | `service_time/GROUP/MEMBER` | what somebody said outside the group's times ([`times`]) |

pub mod due;
pub mod question;
pub mod reply;
pub mod thread;
pub mod ticket;
pub mod times;

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use self::{
    reply::Reply,
    thread::{Said, Step, Thread},
};
use crate::{
    access::{self, Action, Actor},
    calendar::Calendar,
    contacts::Company,
    groups::{Group, Groups},
    in_force::InForce,
    model::{Attachment, Clock, MemberId, Message, Role, Timestamp},
    observer::{Heard, Observer},
    refusal::ActError,
    settings::{Askers, ServiceRules, reload::Live},
    store::{Collection, Name, Store, StoreError, Tx, transaction::transact},
};

/// Open threads, by group and asker.
const THREADS: Collection<Thread> = Collection::new(Name::Service);
/// Figures, by month and group.
const MONTHS: Collection<Figures> = Collection::new(Name::ServiceMonth);
/// Threads of a group that are looked at for one message.
const LOOKED_AT: usize = 200;

/// What became of a month's questions in a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// First questions.
    pub asked: u32,
    /// First replies that came in time.
    pub in_time: u32,
    /// First replies that came later.
    pub late: u32,
    /// Seconds from a first question to the first reply, of all that were replied to.
    pub waited_seconds: u64,
    /// Said to be solved, or not asked on.
    pub closed: u32,
    /// Times that a superior was told.
    pub climbed: u32,
}

/// The use cases.
pub struct Service {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    groups: Arc<Groups>,
    rules: Arc<Live<InForce>>,
    company: Arc<Company>,
    escalation: Vec<MemberId>,
    /// When this life of the program began.
    started: Timestamp,
}

impl Service {
    /// `escalation` are told last.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        groups: Arc<Groups>,
        rules: Arc<Live<InForce>>,
        company: Arc<Company>,
        escalation: Vec<MemberId>,
    ) -> Self {
        let started = clock.now();
        Self { store, clock, groups, rules, company, escalation, started }
    }

    /// Questions of a group that wait for an answer, the oldest first.
    pub async fn waiting(&self, actor: &Actor, group: &Group) -> Result<Vec<Waiting>, ActError> {
        access::ask(actor, Action::ReadCase, Some(group))?;
        let rules = self.rules.get_full();
        let Some(set) = rules.settings.service_of(group.id()) else { return Ok(Vec::new()) };
        let calendar = calendar_of(&rules, group);
        let mut waiting = Vec::new();
        for (_, thread) in THREADS.page(self.store.as_ref(), &format!("{}/", group.id()), None, LOOKED_AT).await? {
            if let Some(since) = thread.waits {
                waiting.push(Waiting { due: owed_by(&calendar, &set, &thread, since)?, since, thread });
            }
        }
        waiting.sort_by_key(|waiting| waiting.since);
        Ok(waiting)
    }

    /// What became of a month's questions (`2026-11`) in a group.
    pub async fn figures(&self, actor: &Actor, group: &Group, month: &str) -> Result<Figures, ActError> {
        access::ask(actor, Action::ReadCase, Some(group))?;
        Ok(MONTHS.get(self.store.as_ref(), &format!("{month}/{}", group.id())).await?.unwrap_or_default())
    }

    /// The month it is, `2026-11`.
    pub fn this_month(&self) -> String {
        self.rules.get_full().calendar.month(self.clock.now())
    }

    async fn listen(&self, message: &Message) -> Result<(), ActError> {
        if message.group.as_str().is_empty() || message.to_bot {
            return Ok(());
        }
        let rules = self.rules.get_full();
        let group = self.groups.get(&message.group);
        let Some(set) = rules.settings.service_of(group.id()) else { return Ok(()) };
        if group.role(&message.sender) == Role::Bot || message.text.contains("@所有人") {
            return Ok(());
        }
        let calendar = calendar_of(&rules, &group);
        let place = Place { group: &group, set: &set, calendar: &calendar };
        let key = Thread::key(group.id(), &message.sender);
        if let Some(taken_back) = &message.revokes {
            transact!(self.store.as_ref(), |tx| {
                let only = |thread: &Thread| thread.heard.len() == 1 && thread.knows(taken_back);
                if tx.get(THREADS, &key).await?.is_some_and(|thread| only(&thread)) {
                    tx.delete(THREADS, &key).await?;
                }
            });
            return Ok(());
        }
        let said = Said { id: &message.id, at: message.at, text: &message.text };
        let named = mentioned(&group, &message.text);
        if !group.is_external(&message.sender) && self.reply(&place, message, &named, &said).await? {
            return Ok(());
        }
        let judged = question::judge(&message.text);
        let colleague = !group.is_external(&message.sender);
        let to: Vec<MemberId> =
            named.into_iter().filter(|id| *id != message.sender && !group.is_external(id)).collect();
        let begins = judged.asks && (!colleague || set.asked_by == Askers::Everyone && !to.is_empty());
        let name = message.sender_name.as_deref().unwrap_or_else(|| group.member_name(&message.sender));
        transact!(self.store.as_ref(), |tx| {
            let stored = tx.get(THREADS, &key).await?;
            match stored {
                None if begins => {
                    let thread = Thread::begin(group.id(), &message.sender, name, to.clone(), &said, &judged);
                    self.begins(tx, &place, &thread).await?;
                }
                None => {}
                Some(mut thread) if !colleague || begins || judged.solved => {
                    let step = thread.asked(&said, &judged);
                    self.went(tx, &place, &thread, step, said.at).await?;
                }
                Some(_) => {}
            }
        });
        Ok(())
    }

    /// Takes a colleague's words for a reply, if somebody waits for one.
    async fn reply(
        &self,
        place: &Place<'_>,
        message: &Message,
        named: &[MemberId],
        said: &Said<'_>,
    ) -> Result<bool, ActError> {
        let prefix = format!("{}/", place.group.id());
        let page = THREADS.page(self.store.as_ref(), &prefix, None, LOOKED_AT).await?;
        let threads: Vec<Thread> = page.into_iter().map(|(_, thread)| thread).collect();
        if threads.iter().any(|thread| thread.asker != message.sender && thread.knows(said.id)) {
            return Ok(true);
        }
        let Some(Chosen { asker, to_colleague }) = chosen(&threads, message, named) else { return Ok(false) };
        let reply = reply::judge(said.text, to_colleague);
        let key = Thread::key(place.group.id(), &asker);
        Ok(transact!(self.store.as_ref(), |tx| {
            let Some(mut thread) = tx.get(THREADS, &key).await? else { return Ok(false) };
            if thread.waits.is_none() && reply != Reply::Solved {
                return Ok(false);
            }
            let first = thread.replied.is_none();
            let step = thread.replied(&message.sender, said, reply);
            if first && thread.replied.is_some() {
                self.first_reply(tx, place, &thread, said.at).await?;
            }
            self.went(tx, place, &thread, step, said.at).await?;
            true
        }))
    }

    async fn begins(&self, tx: &mut Tx<'_>, place: &Place<'_>, thread: &Thread) -> Result<(), ActError> {
        tx.put(THREADS, &Thread::key(&thread.group, &thread.asker), thread).await?;
        tx.add_task(due::owed(place, thread, thread.first)?);
        tx.add_tasks(due::unsolved(place, thread)?);
        self.count(tx, place, thread.first, |figures| figures.asked += 1).await
    }

    async fn first_reply(
        &self,
        tx: &mut Tx<'_>,
        place: &Place<'_>,
        thread: &Thread,
        at: Timestamp,
    ) -> Result<(), ActError> {
        let due = place.calendar.add(thread.first, place.set.reply_within, true, &[])?;
        let waited = at.duration_since(thread.first).as_secs().unsigned_abs();
        self.count(tx, place, thread.first, |figures| {
            *if at <= due { &mut figures.in_time } else { &mut figures.late } += 1;
            figures.waited_seconds += waited;
        })
        .await
    }

    /// Writes what a message did to a thread.
    async fn went(
        &self,
        tx: &mut Tx<'_>,
        place: &Place<'_>,
        thread: &Thread,
        step: Step,
        at: Timestamp,
    ) -> Result<(), ActError> {
        let key = Thread::key(&thread.group, &thread.asker);
        match step {
            Step::Closed => {
                tx.delete(THREADS, &key).await?;
                self.count(tx, place, thread.first, |figures| figures.closed += 1).await?;
            }
            Step::Owed => {
                tx.put(THREADS, &key, thread).await?;
                tx.add_task(due::owed(place, thread, at)?);
            }
            Step::Paused | Step::Same => tx.put(THREADS, &key, thread).await?,
        }
        Ok(())
    }

    async fn count(
        &self,
        tx: &mut Tx<'_>,
        place: &Place<'_>,
        at: Timestamp,
        add: impl FnOnce(&mut Figures) + Send,
    ) -> Result<(), ActError> {
        let key = format!("{}/{}", place.calendar.month(at), place.group.id());
        let mut figures = tx.get(MONTHS, &key).await?.unwrap_or_default();
        add(&mut figures);
        Ok(tx.put(MONTHS, &key, &figures).await?)
    }
}

#[async_trait]
impl Observer for Service {
    async fn hear(&self, message: &Message) -> Result<Option<Heard>, StoreError> {
        match self.listen(message).await {
            Err(ActError::Store(error)) => return Err(error),
            Err(ActError::Refused(why)) => {
                tracing::warn!(message = %message.id, %why, "a question could not be followed");
            }
            Ok(()) => {}
        }
        self.outside_times(message).await?;
        Ok(None) // others hear it too
    }
}

/// A question that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// What was asked, and what happened since.
    pub thread: Thread,
    /// Since when an answer is owed.
    pub since: Timestamp,
    /// By when.
    pub due: Timestamp,
}

/// A group with what holds in it.
pub(crate) struct Place<'a> {
    group: &'a Group,
    set: &'a ServiceRules,
    calendar: &'a Calendar,
}

/// The group's working hours on the company's days.
fn calendar_of(rules: &InForce, group: &Group) -> Calendar {
    match rules.settings.times_of(group.id()).and_then(|times| times.work.clone()) {
        Some(hours) => rules.calendar.with_hours(hours),
        None => (*rules.calendar).clone(),
    }
}

/// By when an answer is owed that was owed since then.
fn owed_by(calendar: &Calendar, set: &ServiceRules, thread: &Thread, since: Timestamp) -> Result<Timestamp, ActError> {
    let within = if thread.round == 1 { set.reply_within } else { set.next_within };
    Ok(calendar.add(since, within, true, &[])?)
}

/// Which thread a colleague's words belong to.
struct Chosen {
    asker: MemberId,
    /// They speak to a colleague, not to whoever asked.
    to_colleague: bool,
}

/// The one that is quoted or whose asker is called; else the newest that waits for whoever speaks.
fn chosen(threads: &[Thread], message: &Message, named: &[MemberId]) -> Option<Chosen> {
    let quote = message.attachments.iter().find_map(|attachment| match attachment {
        Attachment::Quote { text, .. } => Some(text.as_str()),
        _ => None,
    });
    let others = || threads.iter().filter(|thread| thread.asker != message.sender);
    let begins = |thread: &Thread| thread.words.chars().take(12).collect::<String>();
    let quoted = others().find(|thread| quote.is_some_and(|quote| quote.contains(&begins(thread))));
    let called = || others().filter(|thread| named.contains(&thread.asker)).max_by_key(|thread| thread.waits);
    let theirs = |thread: &&Thread| thread.to.is_empty() || thread.to.contains(&message.sender);
    let newest = || others().filter(theirs).max_by_key(|thread| (thread.waits, thread.first));
    let direct = quoted.or_else(called);
    let thread = direct.or_else(newest)?;
    let to_colleague = direct.is_none() && !named.is_empty();
    Some(Chosen { asker: thread.asker.clone(), to_colleague })
}

/// Who of a group is called by `@name`, in the order of the words.
pub fn mentioned(group: &Group, text: &str) -> Vec<MemberId> {
    let mut found = Vec::new();
    for (at, mark) in text.match_indices(['@', '＠']) {
        let rest = &text[at + mark.len()..];
        let known = group.learned.members.keys().chain(group.colleagues.keys());
        let called = known.filter_map(|id| {
            let name = group.member_name(id);
            (!name.is_empty() && rest.starts_with(name)).then_some((name.len(), id))
        });
        if let Some((_, id)) = called.max_by_key(|(length, _)| *length)
            && !found.contains(id)
        {
            found.push(id.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests;
