//! 大促: a group is strict from a planned moment to another; before, its owner sees it in 待办, and afterwards reads what the bot did
//! in that time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Orders;
use crate::{
    access::{self, Action, Actor},
    audit::{Act, Entry},
    groups::{Group, Groups, Ordered},
    model::{SignedDuration, Step, Timestamp},
    notices::outgoing::{self, Tell},
    refusal::{ActError, Code},
    store::{Case, CaseQuery, CaseState, Collection, Name, StoreError, Task, transaction::transact},
    tasks::{self, Kind, Payload},
    zh,
};

/// The collection, by group: the one that is planned or runs.
const SEASONS: Collection<Season> = Collection::new(Name::Season);
/// Nobody plans further ahead, or for longer.
const FURTHEST: SignedDuration = SignedDuration::from_hours(366 * 24);
const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);
/// Cases of a season that its report counts.
const COUNTED: usize = 10_000;

/// A time that was planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Season {
    /// 双十一; may be empty.
    pub name: String,
    /// Strict from then …
    pub from: Timestamp,
    /// … until then.
    pub until: Timestamp,
    /// Who planned it.
    pub by: String,
}

/// Payload of a `season` task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Which season.
    pub from: Timestamp,
    /// It is over, rather than begun.
    pub over: bool,
}

impl Payload for Turn {
    const KIND: Kind = Kind::Season;
}

impl Orders {
    /// The season of a group that is planned or runs.
    pub async fn season(&self, actor: &Actor, group: &Group) -> Result<Option<Season>, ActError> {
        access::ask(actor, Action::Order, Some(group))?;
        let now = self.clock.now();
        let season = SEASONS.get(self.store.as_ref(), group.id().as_str()).await?;
        Ok(season.filter(|season| season.until > now))
    }

    /// Plans one; one that was planned before is replaced.
    pub async fn plan_season(&self, actor: &Actor, group: &Group, season: &Season) -> Result<(), ActError> {
        access::ask(actor, Action::Order, Some(group))?;
        let now = self.clock.now();
        if season.until <= season.from || season.until <= now {
            return Err(ActError::wrong("until", "结束时间要在开始时间和现在之后"));
        }
        if season.from.duration_since(now) > FURTHEST || season.until.duration_since(season.from) > LONGEST {
            return Err(ActError::wrong("from", "最远安排一年以后，最长 31 天"));
        }
        let season = Season { by: actor.name().to_owned(), ..season.clone() };
        let key = group.id().as_str();
        transact!(self.store.as_ref(), |tx| {
            let before = tx.get(SEASONS, key).await?;
            tx.put(SEASONS, key, &season).await?;
            for (over, due) in [(false, season.from.max(now)), (true, season.until)] {
                let turn = Turn { from: season.from, over };
                let id =
                    format!("season/{key}/{}/{}/{}", now.as_millisecond(), season.from.as_second(), u8::from(over));
                let mut task = tasks::task(id, group.id(), now, &turn);
                task.due = due;
                tx.add_task(task);
            }
            let record = Entry::group(Act::PlanSeason, group.id()).within(group.id());
            tx.audit(actor, now, record.was(json!(before)).now(json!(season))).await?;
        });
        self.moderation.ring();
        Ok(())
    }

    /// Calls it off; if it runs, the group is no longer strict.
    pub async fn call_off_season(&self, actor: &Actor, group: &Group) -> Result<(), ActError> {
        access::ask(actor, Action::Order, Some(group))?;
        let (now, key) = (self.clock.now(), group.id().as_str());
        let written = transact!(self.store.as_ref(), |tx| {
            let Some(season) = tx.get(SEASONS, key).await?.filter(|season| season.until > now) else {
                return Err(ActError::refused(Code::NotFound, "本群没有安排大促"));
            };
            tx.delete(SEASONS, key).await?;
            let record = Entry::group(Act::PlanSeason, group.id()).within(group.id());
            tx.audit(actor, now, record.was(json!(season)).now(json!(null))).await?;
            let runs = season.from <= now;
            Groups::update_in(tx, group.id(), |known| {
                if runs && known.orders.strict_until == Some(season.until) {
                    known.orders.strict_until = None;
                    known.orders.note(Ordered::Strict, None, now, None);
                }
            })
            .await?
        });
        self.groups.updated(group.id(), written);
        Ok(())
    }

    /// Its time has come, or is over. Answers what was done.
    pub async fn turn_season(&self, task: &Task, now: Timestamp) -> Result<String, ActError> {
        let turn: Turn = tasks::payload(task).ok_or_else(|| ActError::refused(Code::BadRequest, "待办内容读不懂"))?;
        let group = self.groups.get(&task.group);
        let key = task.group.as_str();
        let season = SEASONS.get(self.store.as_ref(), key).await?.filter(|season| season.from == turn.from);
        let Some(season) = season.filter(|season| !turn.over || season.until <= now) else {
            return Ok("已取消或改期".into());
        };
        if !turn.over {
            if season.until <= now {
                return Ok("开始时程序没有运行，已过结束时间".into());
            }
            let written = Groups::update(&self.groups, &task.group, move |known| {
                let held = known.orders.strict_until.is_some_and(|until| until >= season.until);
                if !held {
                    known.orders.strict_until = Some(season.until);
                    known.orders.note(Ordered::Strict, None, now, Some(season.until));
                }
            });
            written.await?;
            return Ok("已从严处理".into());
        }
        let report = self.season_report(&group, &season, now).await?;
        let to = group.deciders();
        transact!(self.store.as_ref(), |tx| {
            if tx.get(SEASONS, key).await?.is_some_and(|stored| stored == season) {
                tx.delete(SEASONS, key).await?;
                let tell = Tell::text(to.clone(), report.clone());
                if !to.is_empty() {
                    tx.add_tasks(outgoing::tell(&format!("{}/report", task.id), &task.group, now, &tell));
                }
            }
        });
        Ok("已恢复平常尺度，报告已发".into())
    }

    async fn season_report(&self, group: &Group, season: &Season, now: Timestamp) -> Result<String, StoreError> {
        let query = CaseQuery { group: Some(group.id().clone()), limit: COUNTED, ..CaseQuery::default() };
        let mut cases = self.store.cases(&query).await?;
        cases.retain(|case| (season.from..season.until).contains(&case.at));
        Ok(report(group.name(), season, &cases, now))
    }
}

/// What the owner reads.
fn report(group: &str, season: &Season, cases: &[Case], now: Timestamp) -> String {
    let counted: Vec<&Case> = cases.iter().filter(|case| case.step != Step::None).collect();
    let mut steps: BTreeMap<Step, usize> = BTreeMap::new();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &counted {
        *steps.entry(case.step).or_default() += 1;
        *kinds.entry(case.category.zh()).or_default() += 1;
    }
    let name = if season.name.is_empty() { "大促".to_owned() } else { format!("「{}」", season.name) };
    let (from, until) = (zh::when(season.from, now), zh::when(season.until, now));
    let head = format!("「{group}」{name}结束，已恢复平常尺度（{from} 到 {until} 从严处理）。");
    if counted.is_empty() {
        return format!("{head}\n期间没有违规记录。");
    }
    let steps: Vec<String> = steps.iter().map(|(step, count)| format!("{} {count}", step.zh())).collect();
    let mut kinds: Vec<(&str, usize)> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let kinds: Vec<String> = kinds.iter().take(3).map(|(kind, count)| format!("{kind} {count}")).collect();
    let revoked = counted.iter().filter(|case| case.state == CaseState::Revoked).count();
    let revoked = if revoked > 0 { format!("\n其中撤销 {revoked} 条。") } else { String::new() };
    format!("{head}\n违规记录 {} 条：{}。\n最多的：{}。{revoked}", counted.len(), steps.join("，"), kinds.join("，"))
}
