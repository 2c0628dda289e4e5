//! 大促 11月10日20:00 到 11月12日2:00 双十一: strict from a planned moment to another.

use async_trait::async_trait;

use super::{Call, Command, when, words};
use crate::{
    access::Action,
    model::{Timestamp, UserError},
    orders::season::Season as Planned,
    refusal::ActError,
    zh,
};

/// Between the two moments.
const UNTIL: [&str; 3] = ["到", "至", "-"];

/// The command.
pub struct Season;

#[async_trait]
impl Command for Season {
    fn names(&self) -> &'static [&'static str] {
        &["大促", "/season"]
    }
    fn usage(&self) -> &'static str {
        "大促 明天20:00 到 周五2:00 双十一（或：大促 取消）"
    }
    fn help(&self) -> &'static str {
        "安排一段从严处理的时间，结束后有报告"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::Order)
    }
    fn fits(&self, typed: &[&str]) -> bool {
        typed.is_empty() || matches!(typed, [word] if words::ends(word) || *word == "取消") || span(typed).is_some()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let (group, orders) = (call.group()?, &call.commands.orders);
        let now = call.commands.clock.now();
        if call.words.is_empty() {
            return Ok(match orders.season(&call.actor, group).await? {
                Some(season) => format!("{}。取消请发：大促 取消", said(group.name(), &season, now)),
                None => format!("「{}」没有安排大促。用法：{}", group.name(), self.usage()),
            });
        }
        let Some((from, until, name)) = span(&call.words) else {
            orders.call_off_season(&call.actor, group).await?;
            return Ok(format!("「{}」的大促已取消。", group.name()));
        };
        let (from, until) = (moment(call, &from)?, moment(call, &until)?);
        let season = Planned { name, from, until, by: String::new() };
        orders.plan_season(&call.actor, group, &season).await?;
        Ok(format!("{}，结束后给您报告。取消请发：大促 取消", said(group.name(), &season, now)))
    }
}

fn said(group: &str, season: &Planned, now: Timestamp) -> String {
    let name = if season.name.is_empty() { String::new() } else { format!("（{}）", season.name) };
    let (from, until) = (zh::when(season.from, now), zh::when(season.until, now));
    format!("「{group}」{from} 到 {until} 从严处理{name}")
}

/// The words of both moments, and what follows them.
fn span(typed: &[&str]) -> Option<(String, String, String)> {
    let at = typed.iter().position(|word| UNTIL.contains(word))?;
    let rest = &typed[at + 1..];
    let clock = |word: &&str| word.contains([':', '：', '点']);
    let end = rest.iter().position(clock)?;
    let begins = at > 0 && end < 2;
    begins.then(|| (typed[..at].concat(), rest[..=end].concat(), rest[end + 1..].join(" ")))
}

fn moment(call: &Call<'_>, text: &str) -> Result<Timestamp, ActError> {
    let rules = call.commands.rules.get();
    let now = call.commands.clock.now().to_zoned(rules.settings.time_zone.clone());
    let unclear = || UserError::new(format!("看不懂时间「{text}」，请写成 明天20:00、周五2:00 或 11月11日 0:00"));
    let at = when::moment(text, &now).ok_or_else(unclear)?;
    Ok(rules.calendar.instant(at)?)
}
