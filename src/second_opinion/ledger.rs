//! What the second opinion took and what came of it: a budget a day for all groups, and for each group and month how often
//! it agreed with people.

use serde::{Deserialize, Serialize};

use super::{NoAnswer, Opinion, Usage};
use crate::{
    model::{GroupId, Timestamp},
    settings::SecondOpinion,
    store::{Collection, Document, Name, Store, StoreError, Tx, transaction::transact},
    zh,
};

/// What a day took, by date.
pub const DAYS: Collection<Day> = Collection::new(Name::SecondOpinionDay);
/// What came of it, by `MONTH/GROUP`.
pub const MONTHS: Collection<Month> = Collection::new(Name::SecondOpinionMonth);

/// Of the budget, reading what nobody suspects may take so much; the rest is for what a person would be asked about.
const SHARE_OF_READING: f64 = 0.8;

/// What a day took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Day {
    /// Questions, those under way included.
    pub requests: u32,
    /// Tokens; a question under way counts with the most it can take.
    pub tokens: u64,
    /// Millionths of the prices' unit.
    pub cost_micros: u64,
}

/// A question that was counted before it was asked, so that a process killed meanwhile does not forget it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    day: String,
    tokens: u64,
    cost_micros: u64,
}

/// What came of it in a group in a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Month {
    /// Questions.
    pub asked: u32,
    /// It said: a violation.
    pub violation: u32,
    /// It said: none.
    pub fine: u32,
    /// It did not know.
    pub unsure: u32,
    /// No answer, or none that could be used.
    pub no_answer: u32,
    /// Violations that were dealt with without asking a person.
    pub acted: u32,
    /// Cards that were not sent.
    pub waved_through: u32,
    /// Messages it brought before a person that the lists had not seen.
    pub brought: u32,
    /// It said violation and a person said so, too.
    pub violation_agreed: u32,
    /// It said violation and a person said no.
    pub violation_disagreed: u32,
    /// It said none and a person said so, too.
    pub fine_agreed: u32,
    /// It said none and a person said violation.
    pub fine_disagreed: u32,
    /// Tokens, questions and answers together.
    pub tokens: u64,
    /// Millionths of the prices' unit.
    pub cost_micros: u64,
}

impl Month {
    /// Counts an answer and what it took.
    pub fn count(&mut self, answer: Result<&Opinion, &NoAnswer>, usage: Usage, cost_micros: u64) {
        self.asked += 1;
        self.tokens += usage.tokens_in + usage.tokens_out;
        self.cost_micros += cost_micros;
        match answer {
            Ok(Opinion::Violation { .. }) => self.violation += 1,
            Ok(Opinion::Fine { .. }) => self.fine += 1,
            Ok(Opinion::Unsure { .. }) => self.unsure += 1,
            Err(_) => self.no_answer += 1,
        }
    }

    /// Counts what a person said of a case that it had called a violation or none; `by` is 1, or -1 for what a person took back.
    pub fn judged(&mut self, it_said_violation: bool, person_says_violation: bool, by: i32) {
        let counter = match (it_said_violation, person_says_violation) {
            (true, true) => &mut self.violation_agreed,
            (true, false) => &mut self.violation_disagreed,
            (false, false) => &mut self.fine_agreed,
            (false, true) => &mut self.fine_disagreed,
        };
        *counter = counter.saturating_add_signed(by);
    }

    /// Adds another group's.
    pub fn add(&mut self, other: &Self) {
        let Self { asked, violation, fine, unsure, no_answer, acted, waved_through, brought, .. } = other;
        self.asked += asked;
        self.violation += violation;
        self.fine += fine;
        self.unsure += unsure;
        self.no_answer += no_answer;
        self.acted += acted;
        self.waved_through += waved_through;
        self.brought += brought;
        self.violation_agreed += other.violation_agreed;
        self.violation_disagreed += other.violation_disagreed;
        self.fine_agreed += other.fine_agreed;
        self.fine_disagreed += other.fine_disagreed;
        self.tokens += other.tokens;
        self.cost_micros += other.cost_micros;
    }

    /// Agreed with people in so many of so many cases that people judged.
    pub fn agreement(&self) -> (u32, u32) {
        let agreed = self.violation_agreed + self.fine_agreed;
        (agreed, agreed + self.violation_disagreed + self.fine_disagreed)
    }
}

/// `2026-05`, as people of the settings' time zone count.
pub fn month_of(at: Timestamp) -> String {
    at.to_zoned(zh::zone()).strftime("%Y-%m").to_string()
}

fn day_id(now: Timestamp) -> String {
    now.to_zoned(zh::zone()).date().to_string()
}

/// The id of a group's month.
fn month_id(at: Timestamp, group: &GroupId) -> String {
    format!("{}/{group}", month_of(at))
}

/// Counts a question before it is asked; `None` if the day's budget has no room for it.
pub async fn reserve(
    store: &dyn Store,
    settings: &SecondOpinion,
    most: Usage,
    only_reading: bool,
    now: Timestamp,
) -> Result<Option<Reserved>, StoreError> {
    let id = day_id(now);
    let share = if only_reading { SHARE_OF_READING } else { 1.0 };
    let tokens = most.tokens_in + most.tokens_out;
    let cost_micros = settings.cost_micros(most.tokens_in, most.tokens_out);
    transact!(store, |tx| {
        let mut day = tx.get(DAYS, &id).await?.unwrap_or_default();
        day.requests += 1;
        day.tokens += tokens;
        day.cost_micros += cost_micros;
        let over = |used: f64, limit: Option<f64>| limit.is_some_and(|limit| used > limit * share);
        if over(f64::from(day.requests), Some(f64::from(settings.requests_per_day)))
            || over(day.tokens as f64, settings.tokens_per_day.map(|limit| limit as f64))
            || over(day.cost_micros as f64, settings.cost_per_day.map(|limit| limit * 1e6))
        {
            return Ok(None);
        }
        tx.put(DAYS, &id, &day).await?;
    });
    Ok(Some(Reserved { day: id, tokens, cost_micros }))
}

/// Now it is known what the question really took; returns its cost in millionths.
pub async fn settle(
    store: &dyn Store,
    settings: &SecondOpinion,
    reserved: &Reserved,
    usage: Usage,
) -> Result<u64, StoreError> {
    let cost = settings.cost_micros(usage.tokens_in, usage.tokens_out);
    transact!(store, |tx| {
        let mut day = tx.get(DAYS, &reserved.day).await?.unwrap_or_default();
        day.tokens = (day.tokens + usage.tokens_in + usage.tokens_out).saturating_sub(reserved.tokens);
        day.cost_micros = (day.cost_micros + cost).saturating_sub(reserved.cost_micros);
        tx.put(DAYS, &reserved.day, &day).await?;
    });
    Ok(cost)
}

/// Changes a group's month.
pub async fn edit(
    tx: &mut Tx<'_>,
    at: Timestamp,
    group: &GroupId,
    edit: impl FnOnce(&mut Month),
) -> Result<(), StoreError> {
    let id = month_id(at, group);
    let mut month = tx.get(MONTHS, &id).await?.unwrap_or_default();
    edit(&mut month);
    tx.put(MONTHS, &id, &month).await
}

/// A group's month, changed: for a commit that writes more.
pub async fn edited(
    store: &dyn Store,
    at: Timestamp,
    group: &GroupId,
    edit: impl FnOnce(&mut Month),
) -> Result<Document, StoreError> {
    let id = month_id(at, group);
    let known = store.document(MONTHS.name(), &id).await?;
    let (version, mut month) = match known {
        Some(document) => (document.version, MONTHS.decode(&id, document.body)?),
        None => (0, Month::default()),
    };
    edit(&mut month);
    Ok(Document { collection: MONTHS.name().into(), version, body: MONTHS.encode(&id, &month)?, id })
}

/// What a day took so far.
pub async fn day(store: &dyn Store, now: Timestamp) -> Result<Day, StoreError> {
    Ok(DAYS.get(store, &day_id(now)).await?.unwrap_or_default())
}

/// All months by group, oldest first: (`2026-05`, group, what came of it).
pub async fn months(store: &dyn Store) -> Result<Vec<(String, GroupId, Month)>, StoreError> {
    let all = MONTHS.all(store, "").await?.into_iter();
    Ok(all
        .filter_map(|(id, count)| id.split_once('/').map(|(month, group)| (month.into(), group.into(), count)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryStore;

    fn settings(more: &str) -> SecondOpinion {
        toml::from_str(&format!("url = \"https://llm.example/v1\"\nmodel = \"m\"\n{more}")).unwrap()
    }

    #[tokio::test]
    async fn a_day_has_a_budget_and_the_next_one_begins_anew() {
        let store = MemoryStore::new();
        let now: Timestamp = "2026-05-04T23:30:00+08:00".parse().unwrap();
        let settings = settings("tokens_per_day = 1000\nprice_in = 0.5\nprice_out = 1.0\ncost_per_day = 0.9");
        let most = Usage { tokens_in: 600, tokens_out: 300 };
        let first = reserve(&store, &settings, most, false, now).await.unwrap().unwrap();
        assert_eq!(
            reserve(&store, &settings, most, false, now).await.unwrap(),
            None,
            "nothing is left while it is asked"
        );
        let cost = settle(&store, &settings, &first, Usage { tokens_in: 90, tokens_out: 10 }).await.unwrap();
        assert_eq!(cost, 55_000);
        assert_eq!(day(&store, now).await.unwrap(), Day { requests: 1, tokens: 100, cost_micros: 55_000 });
        assert_eq!(
            reserve(&store, &settings, most, true, now).await.unwrap(),
            None,
            "reading leaves a fifth to the rest"
        );
        assert!(reserve(&store, &settings, most, false, now).await.unwrap().is_some());
        let tomorrow = "2026-05-05T00:00:00+08:00".parse().unwrap();
        assert!(reserve(&store, &settings, most, false, tomorrow).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn questions_are_counted() {
        let store = MemoryStore::new();
        let now: Timestamp = "2026-05-04T10:00:00+08:00".parse().unwrap();
        let settings = settings("requests_per_day = 2");
        let mut told = Vec::new();
        for _ in 0..3 {
            told.push(reserve(&store, &settings, Usage::default(), false, now).await.unwrap().is_some());
        }
        assert_eq!(told, [true, true, false]);
    }

    #[test]
    fn whoever_changes_their_mind_is_counted_once() {
        let mut month = Month::default();
        month.judged(true, true, 1);
        month.judged(false, true, 1);
        assert_eq!(month.agreement(), (1, 2));
        month.judged(true, true, -1);
        month.judged(true, false, 1);
        assert_eq!(month.agreement(), (0, 2));
    }
}
