//! 台账: who was late with which notice, by how many minutes, and what became of it.
//!
//! The ledger records lateness. Money is counted only for a notice that was published with a [`Fine`](super::fine::Fine), and that only past a
//! plain warning. A month is closed by one person and signed by a second; what is signed never changes.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    MONTHS, Notices,
    deadline::late_minutes,
    entry,
    notice::{Event, Notice},
    roster::{Edited, MemberState, RosterEntry, Settled, edit_entry},
};
use crate::{
    access::{self, Action, Actor},
    audit::{Act, Entry},
    model::{MemberId, Timestamp, named_enum},
    refusal::{ActError, Code},
    store::{Collection, Name, StoreError, transaction::transact},
};

/// The collection of month closes.
const CLOSES: Collection<Close> = Collection::new(Name::NoticeMonthClose);
/// The collection of lines frozen by a close.
const FROZEN: Collection<Vec<Line>> = Collection::new(Name::NoticeMonthLine);
/// Frozen lines a document.
const LINES: usize = 200;

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Which notice.
    pub notice: String,
    /// Its first words.
    pub summary: String,
    /// Who.
    pub member: MemberId,
    /// Shown name.
    pub name: String,
    /// Department.
    pub department: String,
    /// The deadline that bound them.
    pub due: Timestamp,
    /// When they answered, if at all.
    pub answered: Option<Timestamp>,
    /// How late, minutes; without an answer: until now, or until the close.
    pub late_minutes: i64,
    /// Fen; 0 where no money is counted.
    pub amount_fen: u64,
    /// What became of it; none: open.
    pub settled: Option<Settled>,
    /// What happened, oldest first.
    pub history: Vec<Event>,
}

named_enum! {
    /// Where a month's close stands.
    pub enum CloseState {
        /// One person has closed it; a second has to sign.
        Proposed = "proposed", "待复核";
        /// Signed: nothing changes any more.
        Signed = "signed", "已结账";
    }
}

/// The close of a month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Close {
    /// `2026-11`.
    pub month: String,
    /// Where it stands.
    pub state: CloseState,
    /// Who closed.
    pub by: String,
    /// Who signed.
    pub signed_by: Option<String>,
    /// Number of lines.
    pub lines: usize,
    /// Sum of the amounts that are not waived, fen.
    pub total_fen: u64,
    /// What happened, oldest first.
    pub history: Vec<Event>,
}

impl Notices {
    /// Every line of a month (`2026-11`, by deadline); of a closed month exactly what was closed.
    pub async fn ledger(&self, actor: &Actor, month: &str) -> Result<Vec<Line>, ActError> {
        access::ask(actor, Action::KeepLedger, None)?;
        if self.close_of(month).await?.is_some() {
            return Ok(self.frozen(month).await?);
        }
        Ok(self.live_lines(month).await?)
    }

    /// The close of a month, if there is one.
    pub async fn close_of(&self, month: &str) -> Result<Option<Close>, StoreError> {
        self.read(CLOSES, month).await
    }

    async fn live_lines(&self, month: &str) -> Result<Vec<Line>, StoreError> {
        let now = self.now();
        let prefix = format!("{month}/");
        let mut lines = Vec::new();
        for (id, _) in MONTHS.all(self.store.as_ref(), &prefix).await? {
            let Some(notice) = self.read(super::NOTICES, &id[prefix.len()..]).await? else { continue };
            self.notice_lines(&notice, now, &mut lines).await?;
        }
        Ok(lines)
    }

    async fn notice_lines(&self, notice: &Notice, now: Timestamp, lines: &mut Vec<Line>) -> Result<(), StoreError> {
        if notice.state == super::notice::State::Cancelled {
            return Ok(());
        }
        let first = lines.len();
        self.walk(notice, |member, entry| {
            let state = entry.state(notice, now);
            if entry.left.is_some() || !matches!(state, MemberState::Late | MemberState::Missing) {
                return;
            }
            let due = entry.due(notice);
            let answered = entry.answer.as_ref().map(|a| a.at);
            let until = answered.unwrap_or(now);
            lines.push(Line {
                notice: notice.id.clone(),
                summary: notice.summary(30),
                member,
                due,
                answered,
                late_minutes: late_minutes(due, until),
                amount_fen: notice.what.fine.as_ref().map_or(0, |fine| fine.amount(until.duration_since(due))),
                settled: entry.settled,
                history: entry.history,
                name: entry.name,
                department: entry.department,
            });
        })
        .await?;
        lines[first..].sort_by(|a, b| a.member.cmp(&b.member));
        Ok(())
    }

    async fn frozen(&self, month: &str) -> Result<Vec<Line>, StoreError> {
        let parts = FROZEN.all(self.store.as_ref(), &format!("{month}/")).await?;
        Ok(parts.into_iter().flat_map(|(_, lines)| lines).collect())
    }

    /// Marks a line as paid, waived or disputed, or open again; refused in a closed month.
    pub async fn settle(
        &self,
        actor: &Actor,
        notice: &str,
        member: &MemberId,
        settled: Option<Settled>,
        note: &str,
    ) -> Result<(), ActError> {
        access::ask(actor, Action::KeepLedger, None)?;
        let notice = self.get(notice).await?;
        let month = self.calendar.load().month(notice.due.unwrap_or(notice.created));
        if actor.is(member) && settled != Some(Settled::Disputed) {
            return Err(ActError::refused(Code::SamePerson, "自己的记录只能提出异议，由别人处理"));
        }
        let now = self.now();
        transact!(self.store.as_ref(), |tx| {
            if tx.get(CLOSES, &month).await?.is_some() {
                return Err(ActError::refused(Code::MonthClosed, format!("{month} 已结账，不能再改")));
            }
            let edited = edit_entry(tx, &notice, member, |entry| {
                let late =
                    |e: &&mut RosterEntry| matches!(e.state(&notice, now), MemberState::Late | MemberState::Missing);
                let Some(entry) = entry.as_mut().filter(late) else {
                    return Err(ActError::refused(Code::NotFound, "台账里没有这条记录"));
                };
                let before = std::mem::replace(&mut entry.settled, settled);
                let what = settled.map_or("重新打开", Settled::zh);
                let what = if note.is_empty() { what.to_owned() } else { format!("{what}：{note}") };
                entry.history.push(Event::new(now, actor.name(), what));
                Ok(Edited::write(before, Vec::new()))
            })
            .await?;
            let record = entry(Act::SettleLine, &notice)
                .concerning(member)
                .was(json!({ "settled": edited.answer }))
                .now(json!({ "settled": settled, "note": note }));
            tx.audit(actor, now, record).await?;
        });
        Ok(())
    }

    /// Closes a month that is over: its lines are frozen and wait for a second person.
    pub async fn close_month(&self, actor: &Actor, month: &str) -> Result<Close, ActError> {
        access::ask(actor, Action::KeepLedger, None)?;
        let now = self.now();
        let well_formed = month.len() == 7 && format!("{month}-01").parse::<jiff::civil::Date>().is_ok();
        if !well_formed || *month >= *self.calendar.load().month(now) {
            return Err(ActError::refused(Code::MonthOpen, format!("{month} 还没有结束，不能结账")));
        }
        let close = transact!(self.store.as_ref(), |tx| {
            if tx.get(CLOSES, month).await?.is_some() {
                return Err(ActError::refused(Code::MonthClosed, format!("{month} 已经结过账")));
            }
            let lines = self.live_lines(month).await?;
            let due = lines.iter().filter(|line| line.settled != Some(Settled::Waived));
            let close = Close {
                month: month.to_owned(),
                state: CloseState::Proposed,
                by: actor.name().to_owned(),
                signed_by: None,
                lines: lines.len(),
                total_fen: due.map(|line| line.amount_fen).sum(),
                history: vec![Event::new(now, actor.name(), "结账")],
            };
            for (n, part) in lines.chunks(LINES).enumerate() {
                tx.put(FROZEN, &format!("{month}/{n:06}"), &part.to_vec()).await?;
            }
            tx.put(CLOSES, month, &close).await?;
            let after = json!({ "close": close.state, "lines": close.lines, "total_fen": close.total_fen });
            tx.audit(actor, now, Entry::of(Act::CloseMonth, "month", month).now(after)).await?;
            close
        });
        Ok(close)
    }

    /// A second person signs a close, or sends it back (then the month is open again).
    pub async fn sign_month(&self, actor: &Actor, month: &str, accept: bool) -> Result<Option<Close>, ActError> {
        access::ask(actor, Action::KeepLedger, None)?;
        let close = transact!(self.store.as_ref(), |tx| {
            let Some(mut close) = tx.get(CLOSES, month).await? else {
                return Err(ActError::refused(Code::WrongState, format!("{month} 还没有结账")));
            };
            if close.state == CloseState::Signed {
                return Err(ActError::refused(Code::MonthClosed, format!("{month} 已复核")));
            }
            if self.people.same(&close.by, actor) {
                return Err(ActError::refused(Code::SamePerson, "要由另一个人复核"));
            }
            if accept {
                close.state = CloseState::Signed;
                close.signed_by = Some(actor.name().to_owned());
                close.history.push(Event::new(self.now(), actor.name(), "复核通过"));
                tx.put(CLOSES, month, &close).await?;
            } else {
                for n in 0..close.lines.div_ceil(LINES) {
                    tx.delete(FROZEN, &format!("{month}/{n:06}")).await?;
                }
                tx.delete(CLOSES, month).await?;
            }
            let record = Entry::of(Act::SignMonth, "month", month)
                .was(json!({ "close": CloseState::Proposed }))
                .now(json!({ "close": accept.then_some(CloseState::Signed) }));
            tx.audit(actor, self.now(), record).await?;
            accept.then_some(close)
        });
        Ok(close)
    }
}
