//! The cards of tasks: which one was pressed, who holds one, and how those that nobody needs any more say so.
//!
//! When a matter ends, everybody who holds a card of it sees there how it ended, also those it had been passed on to; only the
//! person whose press ended it has read that already.

use serde::{Deserialize, Serialize};

use super::{Appeal, Ask, Breaker, Kind, Payload, Report, payload};
use crate::{
    model::{CaseId, GroupId, MemberId, TaskId, Timestamp},
    store::{Case, Collection, Name, Task, TaskUpdate, Tx},
};

/// A card that was sent and can be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentCard {
    /// WeCom's code for changing it; it works once.
    pub code: String,
    /// Who has it; empty: nobody knows any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<MemberId>,
}

/// A task that is asked of one person after the other and remembers whom.
pub trait Asked: Payload {
    /// Whom we asked so far, in order.
    fn asked(&mut self) -> &mut Vec<MemberId>;
    /// The cards they have.
    fn sent(&mut self) -> &mut Vec<SentCard>;
}

macro_rules! asked {
    ($($payload:ty),*) => {
        $(impl Asked for $payload {
            fn asked(&mut self) -> &mut Vec<MemberId> {
                &mut self.asked
            }
            fn sent(&mut self) -> &mut Vec<SentCard> {
                &mut self.sent
            }
        })*
    };
}
asked!(Appeal, Ask, Breaker, Report);

/// The cards of a task that are out.
fn out(task: &Task) -> Vec<SentCard> {
    fn of<P: Asked>(task: &Task) -> Option<Vec<SentCard>> {
        payload::<P>(task).map(|mut payload| std::mem::take(payload.sent()))
    }
    payload::<Ask>(task)
        .map(|ask| ask.out())
        .or_else(|| of::<Appeal>(task))
        .or_else(|| of::<Report>(task))
        .or_else(|| of::<Breaker>(task))
        .unwrap_or_default()
}

/// Payload of a `retire` task: cards that say how their matter ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retire {
    /// Which.
    pub cards: Vec<SentCard>,
    /// What their buttons turn into.
    pub text: String,
}

impl Payload for Retire {
    const KIND: Kind = Kind::Retire;
}

impl Retire {
    /// The cards of a task that ends with `text`, except that of the person who ended it; nothing if nobody holds one.
    pub fn of(task: &Task, by: &str, text: &str, now: Timestamp) -> Option<Task> {
        let mut cards = out(task);
        for card in &mut cards {
            let known = !card.to.is_empty();
            card.to.retain(|holder| holder.as_str() != by);
            if known && card.to.is_empty() {
                card.code.clear();
            }
        }
        cards.retain(|card| !card.code.is_empty());
        if cards.is_empty() {
            return None;
        }
        let mut retire =
            super::task(format!("retire-{}", task.id), &task.group, now, &Self { cards, text: text.to_owned() });
        retire.case.clone_from(&task.case);
        Some(retire)
    }
}

/// Ends a task from outside, and with it the cards of everybody who was asked but `by`.
pub fn end(tx: &mut Tx<'_>, task: &Task, update: TaskUpdate, by: &str, now: Timestamp) {
    if task.state.is_final() {
        return;
    }
    tx.add_tasks(Retire::of(task, by, &update.reason, now));
    tx.update_task(update);
}

/// The newest card by which the owner and the admins of a group hear of a member, or of whoever posts the same as they did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerCard {
    /// What it tells of, oldest first; its buttons are about the last.
    pub cases: Vec<CaseId>,
    /// For changing it.
    pub code: Option<String>,
    /// When it was sent.
    pub at: Timestamp,
    /// Who has it.
    #[serde(default)]
    pub to: Vec<MemberId>,
}

/// By [`OwnerCard::key`].
pub const OWNER_CARDS: Collection<OwnerCard> = Collection::new(Name::OwnerNews);

impl OwnerCard {
    /// Where the card about a member lies.
    pub fn key(group: &GroupId, member: &MemberId) -> String {
        format!("{group}/{member}")
    }

    /// The case that its buttons are about was taken back by `by` elsewhere: everybody else who has it reads so.
    pub fn retired(self, case: &Case, by: &str, now: Timestamp) -> Option<Task> {
        let code = self.code.filter(|_| self.cases.last() == Some(&case.id))?;
        let to: Vec<MemberId> = self.to.into_iter().filter(|holder| holder.as_str() != by).collect();
        let retire = Retire { cards: vec![SentCard { code, to: to.clone() }], text: "已撤销".into() };
        (!to.is_empty()).then(|| super::about(format!("retire-news-{}", case.id), &case.group, case, now, &retire))
    }
}

/// Payload of an `allow` task: do the words of a case pass from now on?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allow {
    /// Who is asked.
    pub to: MemberId,
}

impl Payload for Allow {
    const KIND: Kind = Kind::Allow;
}

impl Allow {
    /// The task; asked once for a case.
    pub fn task(case: &Case, to: &MemberId, now: Timestamp) -> Task {
        super::about(format!("allow-{}", case.id), &case.group, case, now, &Self { to: to.clone() })
    }
}

/// The card of a task, as WeCom gives it back when a button is pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardId {
    /// A warning about a case.
    Warning(CaseId),
    /// Something is asked of a person.
    Request(TaskId),
    /// An appeal against a case.
    Appeal(CaseId),
    /// The circuit breaker.
    Breaker(TaskId),
    /// A report.
    Report(String),
    /// Do the words of a case pass from now on?
    Allow(CaseId),
    /// The owner heard of what was done about a case.
    News(CaseId),
}

impl CardId {
    /// The card with this id; `None` for one that is not of these (notices carry theirs in the buttons).
    pub fn parse(card: &str) -> Option<Self> {
        // A card sent again ends with its number, a task that went over to a new userid with that.
        let task = match card.rsplit_once('@') {
            Some((task, n)) if n.bytes().all(|byte| byte.is_ascii_digit()) => task,
            _ => card,
        };
        let (kind, rest) = task.split_once('-')?;
        let (named, _) = rest.split_once('~').unwrap_or((rest, ""));
        Some(match kind {
            "tell" => Self::Warning(named.split('-').next().unwrap_or_default().into()),
            "allow" => Self::Allow(named.into()),
            "ask" => Self::Request(task.into()),
            "appeal" => Self::Appeal(named.into()),
            "breaker" => Self::Breaker(task.into()),
            "report" => Self::Report(named.to_owned()),
            "news" => Self::News(named.split('-').next().unwrap_or_default().into()),
            _ => return None,
        })
    }

    /// The id of a task's `n`th card, from 0: WeCom takes each id once.
    pub fn of(task: &Task, n: usize) -> String {
        if n == 0 { task.id.to_string() } else { format!("{}@{}", task.id, n + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::Standing;

    #[test]
    fn a_pressed_card_leads_to_what_it_is_about() {
        let parsed = |card: &str| CardId::parse(card);
        assert_eq!(parsed("tell-8F2K-warn"), Some(CardId::Warning("8F2K".into())));
        assert_eq!(parsed("tell-8F2K-warn~li.si@corp"), Some(CardId::Warning("8F2K".into())));
        assert_eq!(parsed("ask-8F2K-review"), Some(CardId::Request("ask-8F2K-review".into())));
        assert_eq!(parsed("ask-8F2K-review@2"), Some(CardId::Request("ask-8F2K-review".into())));
        assert_eq!(parsed("ask-8F2K-mute~li@corp@3"), Some(CardId::Request("ask-8F2K-mute~li@corp".into())));
        assert_eq!(parsed("appeal-8F2K@2"), Some(CardId::Appeal("8F2K".into())));
        assert_eq!(parsed("appeal-8F2K~lisi"), Some(CardId::Appeal("8F2K".into())));
        assert_eq!(parsed("breaker-g-1700000000@12"), Some(CardId::Breaker("breaker-g-1700000000".into())));
        assert_eq!(parsed("allow-8F2K"), Some(CardId::Allow("8F2K".into())));
        assert_eq!(parsed("report-R8F2K"), Some(CardId::Report("R8F2K".into())));
        assert_eq!(parsed("news-8F2K-mute"), Some(CardId::News("8F2K".into())));
        for other in ["", "notice/K7/tell", "readd-8F2K-early", "8F2K"] {
            assert_eq!(parsed(other), None, "{other}");
        }
        let mut task = Standing::Prune.task(Timestamp::UNIX_EPOCH);
        task.id = "ask-8F2K-warn".into();
        assert_eq!((CardId::of(&task, 0), CardId::of(&task, 1)), ("ask-8F2K-warn".into(), "ask-8F2K-warn@2".into()));
    }
}
