//! 投诉, 建议, 异议 in private: whoever leads the group gets it, somebody answers, and whoever wrote it reads the answer. Not
//! answered within a working day, it goes to those who are asked in an emergency.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Service, calendar_of};
use crate::{
    access::{self, Action, Actor},
    audit::{Act, Entry},
    groups::Group,
    model::{GroupId, MemberId, SignedDuration, Timestamp, named_enum},
    notices::{
        notice::id_candidates,
        outgoing::{self, Tell},
    },
    refusal::{ActError, Code, Refusal},
    store::{Collection, Name, Task, TaskUpdate, transaction::transact},
    tasks::{self, Kind, Payload},
    zh,
};

/// The collection, by id.
const TICKETS: Collection<Ticket> = Collection::new(Name::Ticket);
/// Working time for an answer, before it is asked for once more.
const ANSWER_WITHIN: SignedDuration = SignedDuration::from_hours(8);
/// It is asked for so often.
const ASKED: u8 = 3;
/// Characters of what is written, and of an answer.
const LONGEST: usize = 500;

named_enum! {
    /// What it is.
    pub enum About {
        /// 投诉.
        Complaint = "complaint", "投诉";
        /// 建议.
        Suggestion = "suggestion", "建议";
        /// 异议.
        Objection = "objection", "异议";
    }
}

/// Somebody wrote, and somebody answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// As people say it.
    pub id: String,
    /// What it is.
    pub about: About,
    /// Which group; absent: the whole company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// Who wrote it.
    pub by: MemberId,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
    /// The answer, by whom and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// By whom.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

/// Payload of a `ticket` task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Which.
    pub ticket: String,
    /// Times that people were asked.
    #[serde(default)]
    pub asked: u8,
}

impl Payload for Asked {
    const KIND: Kind = Kind::Ticket;
}

/// How a run of its task ended.
#[derive(Debug)]
pub enum Ran {
    /// There is no more to do.
    Done(&'static str),
    /// People are asked, and once more after a while.
    Asked(Timestamp, String, Asked, Vec<Task>),
}

impl Service {
    /// Somebody complains, suggests or objects.
    pub async fn write(
        &self,
        actor: &Actor,
        about: About,
        group: Option<&Group>,
        text: &str,
    ) -> Result<Ticket, ActError> {
        let by = actor.own()?;
        let text: String = text.trim().chars().take(LONGEST).collect();
        if text.is_empty() {
            let text = format!("请写明内容，例如：{} 仓库发货太慢", about.zh());
            return Err(ActError::refused(Code::BadRequest, text));
        }
        let now = self.clock.now();
        if self.readers(about, group, by, 0).is_empty() {
            return Err(ActError::refused(Code::NoReceivers, "没有可以收的人，请直接联系管理者"));
        }
        let home = group.map(|group| group.id().clone());
        Ok(transact!(self.store.as_ref(), |tx| {
            let mut id = String::new();
            for candidate in id_candidates(by.as_str(), now, &text) {
                if tx.get(TICKETS, &candidate).await?.is_none() {
                    id = candidate;
                    break;
                }
            }
            let (by, text, group) = (by.clone(), text.clone(), home.clone());
            let ticket = Ticket { id: id.clone(), about, group, by, at: now, text, answer: None };
            tx.put(TICKETS, &id, &ticket).await?;
            let place = home.clone().unwrap_or_else(|| GroupId::from(""));
            tx.add_task(tasks::task(task_id(&id), &place, now, &Asked { ticket: id.clone(), asked: 0 }));
            tx.audit(actor, now, entry(Act::OpenTicket, &ticket).now(json!({ "about": about }))).await?;
            ticket
        }))
    }

    /// Somebody who may answers; whoever wrote it reads it in private. The first answer counts.
    pub async fn answer(&self, actor: &Actor, id: &str, text: &str) -> Result<Ticket, ActError> {
        let id = id.trim().trim_start_matches('#').to_uppercase();
        let text: String = text.trim().chars().take(LONGEST).collect();
        if text.is_empty() {
            return Err(ActError::refused(Code::BadRequest, format!("请写明答复，例如：答复 {id} 已经安排处理")));
        }
        let now = self.clock.now();
        Ok(transact!(self.store.as_ref(), |tx| {
            let Some(mut ticket) = tx.get(TICKETS, &id).await? else {
                return Err(Refusal::not_found(format!("没有编号为 {id} 的投诉或建议")).into());
            };
            let group = ticket.group.as_ref().map(|group| self.groups.get(group));
            access::ask(actor, Action::AnswerAppeal, group.as_deref())?;
            if actor.is(&ticket.by) {
                return Err(ActError::refused(Code::SamePerson, "自己提的要由别人答复"));
            }
            if ticket.answer.is_some() {
                return Err(ActError::refused(Code::WrongState, format!("{id} 已经有人答复过了")));
            }
            ticket.answer = Some(Answer { by: actor.name().to_owned(), at: now, text: text.clone() });
            tx.put(TICKETS, &id, &ticket).await?;
            tx.update_task(TaskUpdate::cancel(task_id(&id).into(), now, "已答复"));
            let words = format!("您 {} 提的{}（{id}）有了答复：\n{text}", zh::when(ticket.at, now), ticket.about.zh());
            let place = ticket.group.clone().unwrap_or_else(|| GroupId::from(""));
            let tell = Tell::text(vec![ticket.by.clone()], words);
            tx.add_tasks(outgoing::tell(&format!("ticket-{id}-answer"), &place, now, &tell));
            let record = entry(Act::AnswerTicket, &ticket).concerning(&ticket.by).now(json!({ "answered": true }));
            tx.audit(actor, now, record).await?;
            ticket
        }))
    }

    /// Asks for an answer.
    pub async fn ask_for_answer(&self, task: &Task, now: Timestamp) -> Result<Ran, ActError> {
        let asked: Asked = tasks::payload(task).ok_or_else(|| ActError::refused(Code::BadRequest, "待办内容读不懂"))?;
        let ticket = TICKETS.get(self.store.as_ref(), &asked.ticket).await?;
        let Some(ticket) = ticket.filter(|ticket| ticket.answer.is_none()) else { return Ok(Ran::Done("已答复")) };
        if asked.asked >= ASKED {
            return Ok(Ran::Done("多次提醒，没有人答复"));
        }
        let group = ticket.group.as_ref().map(|group| self.groups.get(group));
        let to = self.readers(ticket.about, group.as_deref(), &ticket.by, asked.asked);
        let text = words(&ticket, group.as_deref(), asked.asked, now);
        let id = format!("ticket-{}-ask-{}", ticket.id, asked.asked);
        let tell = outgoing::tell(&id, &task.group, now, &Tell::text(to, text));
        let rules = self.rules.get_full();
        let calendar = group.map_or_else(|| (*rules.calendar).clone(), |group| calendar_of(&rules, &group));
        let due = calendar.add(now, ANSWER_WITHIN, true, &[])?;
        let reason = format!("{} {}，等答复", ticket.about.zh(), ticket.id);
        Ok(Ran::Asked(due, reason, Asked { asked: asked.asked + 1, ..asked }, tell))
    }

    /// Who reads it: those who lead the group, at a complaint those of `[escalation]` too, and everybody when nobody answers.
    fn readers(&self, about: About, group: Option<&Group>, by: &MemberId, asked: u8) -> Vec<MemberId> {
        let mut to: Vec<MemberId> = group.map(Group::deciders).unwrap_or_default();
        to.retain(|id| id != by);
        if to.is_empty() || about == About::Complaint || asked > 0 {
            to.extend(self.escalation.iter().filter(|id| *id != by).cloned());
        }
        let mut known = std::collections::BTreeSet::new();
        to.retain(|id| known.insert(id.clone()));
        to
    }
}

fn task_id(id: &str) -> String {
    format!("ticket-{id}")
}

fn entry(act: Act, ticket: &Ticket) -> Entry {
    let entry = Entry::of(act, "ticket", &ticket.id);
    match &ticket.group {
        Some(group) => entry.within(group),
        None => entry,
    }
}

fn words(ticket: &Ticket, group: Option<&Group>, asked: u8, now: Timestamp) -> String {
    let who = group.map_or(ticket.by.as_str(), |group| group.member_name(&ticket.by));
    let place = group.map(|group| format!("「{}」", group.name())).unwrap_or_default();
    let again = if asked > 0 { "还没有答复，再提醒一次。\n" } else { "" };
    let (at, about, id) = (zh::when(ticket.at, now), ticket.about.zh(), &ticket.id);
    format!("{again}{place}{who} {at} 私下提了{about}（{id}）：\n{}\n请私信我答复：答复 {id} 内容", ticket.text)
}
