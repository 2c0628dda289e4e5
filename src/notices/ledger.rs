//! 台账: who was late with which notice, by how many minutes, and what became of it.
//!
//! The ledger records lateness. Money is counted only for a notice that was published with a [`Fine`], and that only past a
//! plain warning. A month is closed by one person and signed by a second; what is signed never changes.

use serde::{Deserialize, Serialize};

use super::{
    MONTHS, NoticeError, Notices, decode,
    notice::{Event, Notice},
    publish::document,
    roll::{Edited, MemberState, Settled},
    status::late_minutes,
};
use crate::{
    model::{MemberId, Timestamp, UserError, named_enum},
    store::{Commit, Committed, StoreError},
};

/// The collection of month closes.
pub const CLOSES: &str = "notice_month_close";
/// The collection of lines frozen by a close.
pub const FROZEN: &str = "notice_month_line";
/// Frozen lines a document.
const LINES: usize = 200;

/// What whoever switches money on must have read.
pub const FINE_WARNING: &str = "向员工罚款或要求发红包，在劳动争议中多次被认定为没有法律依据，可能违法并须退还。\
请先取得法务的书面意见；只记录迟到、不计金额，是默认的做法。确认已知悉后，请把 understood 设为 true。";

/// How an amount grows with lateness. One fen is a hundredth of a yuan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Fine {
    /// For being late at all, fen.
    pub first_fen: u64,
    /// It stays at that for so many minutes after the deadline.
    pub grace_minutes: u64,
    /// Added for each full step after the grace, fen.
    pub step_fen: u64,
    /// Length of a step, minutes, at least 1.
    pub step_minutes: u64,
    /// Never more than this, fen.
    pub cap_fen: u64,
    /// [`FINE_WARNING`] was read.
    pub understood: bool,
}

/// The name of [`Fine::sales_staff_2016`].
pub const PRESET: &str = "sales-staff-2016";

/// How people write a [`Fine`]: every number, or the name of a preset and what differs from it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    preset: Option<String>,
    first_fen: Option<u64>,
    grace_minutes: Option<u64>,
    step_fen: Option<u64>,
    step_minutes: Option<u64>,
    cap_fen: Option<u64>,
    #[serde(default)]
    understood: bool,
}

impl TryFrom<Written> for Fine {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let preset = match written.preset.as_deref() {
            None => None,
            Some(PRESET) => Some(Self::sales_staff_2016()),
            Some(other) => return Err(format!("没有金额规则“{other}”，现有：{PRESET}")),
        };
        let number = |name: &str, own: Option<u64>, of: fn(&Self) -> u64| {
            own.or_else(|| preset.as_ref().map(of)).ok_or_else(|| format!("fine 里缺少 {name}（或写 preset）"))
        };
        Ok(Self {
            first_fen: number("first_fen", written.first_fen, |fine| fine.first_fen)?,
            grace_minutes: number("grace_minutes", written.grace_minutes, |fine| fine.grace_minutes)?,
            step_fen: number("step_fen", written.step_fen, |fine| fine.step_fen)?,
            step_minutes: number("step_minutes", written.step_minutes, |fine| fine.step_minutes)?,
            cap_fen: number("cap_fen", written.cap_fen, |fine| fine.cap_fen)?,
            understood: written.understood,
        })
    }
}

impl Fine {
    /// The preset `sales-staff-2016`: 5 yuan within two hours, 5 more for each further hour, at most 50. Not yet understood.
    pub const fn sales_staff_2016() -> Self {
        Self { first_fen: 500, grace_minutes: 120, step_fen: 500, step_minutes: 60, cap_fen: 5000, understood: false }
    }
    /// The amount for an answer so many minutes late, fen. In time costs nothing; a step counts when it is full.
    pub fn amount(&self, late_minutes: i64) -> u64 {
        let Some(late) = u64::try_from(late_minutes).ok().filter(|late| *late > 0) else { return 0 };
        let steps = late.saturating_sub(self.grace_minutes) / self.step_minutes.max(1);
        self.first_fen.saturating_add(steps.saturating_mul(self.step_fen)).min(self.cap_fen)
    }
    /// Refuses what nobody has understood, or what makes no sense.
    pub fn check(&self) -> Result<(), UserError> {
        if !self.understood {
            return Err(UserError::new(FINE_WARNING));
        }
        if self.step_minutes == 0 || self.cap_fen < self.first_fen {
            return Err(UserError::new("金额规则有误：每步至少 1 分钟，封顶不能低于首次金额"));
        }
        Ok(())
    }
}

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
    pub async fn ledger(&self, month: &str) -> Result<Vec<Line>, NoticeError> {
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
        let (mut lines, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = self.store.documents(MONTHS, &prefix, after.as_deref(), 100).await?;
            let Some(last) = page.last() else { return Ok(lines) };
            after = Some(last.id.clone());
            for id in page.iter().filter_map(|d| d.id.strip_prefix(&prefix)) {
                let Some(notice) = self.read::<Notice>(super::NOTICES, id).await? else { continue };
                self.notice_lines(&notice, now, &mut lines).await?;
            }
        }
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
            let late = late_minutes(due, answered.unwrap_or(now));
            lines.push(Line {
                notice: notice.id.clone(),
                summary: notice.summary(30),
                member,
                due,
                answered,
                late_minutes: late,
                amount_fen: notice.what.fine.as_ref().map_or(0, |fine| fine.amount(late)),
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
        let documents = self.store.documents(FROZEN, &format!("{month}/"), None, usize::MAX).await?;
        let parts: Vec<Vec<Line>> = documents.into_iter().map(decode).collect::<Result<_, _>>()?;
        Ok(parts.concat())
    }

    /// Marks a line as paid, waived or disputed, or open again; refused in a closed month.
    pub async fn settle(
        &self,
        notice: &str,
        member: &MemberId,
        settled: Option<Settled>,
        by: &str,
        note: &str,
    ) -> Result<(), NoticeError> {
        let notice = self.get(notice).await?;
        let month = self.calendar.load().month(notice.due.unwrap_or(notice.created));
        if self.close_of(&month).await?.is_some() {
            return Err(NoticeError::user(format!("{month} 已结账，不能再改")));
        }
        if by == member.as_str() && settled != Some(Settled::Disputed) {
            return Err(NoticeError::user("自己的记录只能提出异议，由别人处理"));
        }
        let now = self.now();
        self.edit_entry(&notice, member, |entry| {
            let Some(entry) =
                entry.as_mut().filter(|e| matches!(e.state(&notice, now), MemberState::Late | MemberState::Missing))
            else {
                return Err(NoticeError::user("台账里没有这条记录"));
            };
            entry.settled = settled;
            let what = settled.map_or("重新打开", Settled::zh);
            let what = if note.is_empty() { what.to_owned() } else { format!("{what}：{note}") };
            entry.history.push(Event::new(now, by, what));
            Ok(Edited::write((), Vec::new()))
        })
        .await
    }

    /// Closes a month that is over: its lines are frozen and wait for a second person.
    pub async fn close_month(&self, month: &str, by: &str) -> Result<Close, NoticeError> {
        let now = self.now();
        let well_formed = month.len() == 7 && format!("{month}-01").parse::<jiff::civil::Date>().is_ok();
        if !well_formed || *month >= *self.calendar.load().month(now) {
            return Err(NoticeError::user(format!("{month} 还没有结束，不能结账")));
        }
        if self.close_of(month).await?.is_some() {
            return Err(NoticeError::user(format!("{month} 已经结过账")));
        }
        let lines = self.live_lines(month).await?;
        let due = lines.iter().filter(|line| line.settled != Some(Settled::Waived));
        let close = Close {
            month: month.to_owned(),
            state: CloseState::Proposed,
            by: by.to_owned(),
            signed_by: None,
            lines: lines.len(),
            total_fen: due.map(|line| line.amount_fen).sum(),
            history: vec![Event::new(now, by, "结账")],
        };
        let mut documents = vec![document(CLOSES, month, 0, &close)];
        for (n, part) in lines.chunks(LINES).enumerate() {
            documents.push(document(FROZEN, &format!("{month}/{n:06}"), 0, &part));
        }
        match self.store.commit(Commit { documents, ..Commit::default() }).await? {
            Committed::Conflict => Err(NoticeError::user(format!("{month} 刚刚被别人结账"))),
            Committed::Applied | Committed::Duplicate(_) => Ok(close),
        }
    }

    /// A second person signs a close, or sends it back (then the month is open again).
    pub async fn sign_month(&self, month: &str, by: &str, accept: bool) -> Result<Option<Close>, NoticeError> {
        let Some(stored) = self.store.document(CLOSES, month).await? else {
            return Err(NoticeError::user(format!("{month} 还没有结账")));
        };
        let version = stored.version;
        let mut close: Close = decode(stored)?;
        if close.state == CloseState::Signed {
            return Err(NoticeError::user(format!("{month} 已复核")));
        }
        if close.by == by {
            return Err(NoticeError::user("要由另一个人复核"));
        }
        let mut commit = Commit::default();
        if accept {
            close.state = CloseState::Signed;
            close.signed_by = Some(by.to_owned());
            close.history.push(Event::new(self.now(), by, "复核通过"));
            commit.documents.push(document(CLOSES, month, version, &close));
        } else {
            let parts = close.lines.div_ceil(LINES);
            commit.deletes = (0..parts).map(|n| (FROZEN.to_owned(), format!("{month}/{n:06}"))).collect();
            commit.deletes.push((CLOSES.to_owned(), month.to_owned()));
        }
        match self.store.commit(commit).await? {
            Committed::Conflict => Err(NoticeError::user("刚刚被别人处理，请再看一次")),
            Committed::Applied | Committed::Duplicate(_) => Ok(accept.then_some(close)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_preset_is_named_and_may_be_changed() {
        let read = |text: &str| serde_json::from_str::<Fine>(text).map_err(|e| e.to_string());
        let preset = read(r#"{"preset":"sales-staff-2016","understood":true}"#).unwrap();
        assert_eq!(preset, Fine { understood: true, ..Fine::sales_staff_2016() });
        assert_eq!(serde_json::from_value::<Fine>(serde_json::to_value(&preset).unwrap()).unwrap(), preset);
        assert_eq!(read(r#"{"preset":"sales-staff-2016","cap_fen":3000}"#).unwrap().cap_fen, 3000);
        assert!(
            !read(r#"{"preset":"sales-staff-2016"}"#).unwrap().understood,
            "naming it is not having read the warning"
        );
        assert!(read(r#"{"preset":"x"}"#).unwrap_err().starts_with("没有金额规则“x”"));
        assert!(read(r#"{"first_fen":500}"#).unwrap_err().starts_with("fine 里缺少 grace_minutes"));
    }

    #[test]
    fn the_preset_at_its_edges() {
        let fine = Fine::sales_staff_2016();
        let yuan = |minutes| fine.amount(minutes) / 100;
        for (minutes, expected) in [
            (i64::MIN, 0),
            (-1, 0),
            (0, 0),
            (1, 5),
            (119, 5),
            (120, 5),
            (121, 5),
            (179, 5),
            (180, 10),
            (239, 10),
            (240, 15),
            (659, 45),
            (660, 50),
            (661, 50),
            (100_000, 50),
            (i64::MAX, 50),
        ] {
            assert_eq!(yuan(minutes), expected, "{minutes} minutes");
        }
        assert!(fine.check().is_err(), "nobody has read the warning");
        assert!(Fine { understood: true, ..fine }.check().is_ok());
    }

    proptest! {
        #[test]
        fn it_never_falls_never_passes_the_cap_and_steps_only_at_full_steps(
            first in 0_u64..10_000, grace in 0_u64..500, step in 0_u64..10_000, every in 1_u64..500, more in 0_u64..100_000,
            late in 1_i64..100_000,
        ) {
            let fine = Fine {
                first_fen: first, grace_minutes: grace, step_fen: step, step_minutes: every, cap_fen: first + more,
                understood: true,
            };
            let amount = fine.amount(late);
            prop_assert!(amount >= first && amount <= fine.cap_fen);
            prop_assert!(fine.amount(late + 1) >= amount);
            prop_assert_eq!(fine.amount(0), 0);
            prop_assert_eq!(fine.amount(grace as i64 + every as i64 - 1).max(first), first.max(fine.amount(1)));
            let after = u64::try_from(late).unwrap().saturating_sub(grace);
            if !after.is_multiple_of(every) {
                prop_assert_eq!(fine.amount(late - 1).max(first), amount, "no step inside a step");
            }
            let steps = after / every;
            prop_assert_eq!(amount, (first + steps * step).min(fine.cap_fen));
        }
    }
}
