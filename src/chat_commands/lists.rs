//! 记录, 今天, 上周违规 …: what happened lately in the groups of whoever asks; 待办: what waits for a person there.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{ToSpan, civil::Date};

use super::{Call, Command};
use crate::{
    access::Action,
    groups::Group,
    model::{Step, Timestamp, UserError},
    refusal::ActError,
    service::Waiting,
    store::{Case, CaseQuery, CaseState, Task, TaskQuery, TaskState},
    tasks::{self, Ask, Kind},
    zh,
};

/// Lines of an answer.
const SHOWN: usize = 10;
/// Cases of a group that are looked at for a day or a week.
const READ: usize = 1000;

/// Of which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Days {
    Lately,
    Today,
    Yesterday,
    ThisWeek,
    LastWeek,
}

impl Days {
    /// The first day and the one after the last.
    fn of(self, today: Date) -> Option<(Date, Date)> {
        let monday = today.checked_sub(i64::from(today.weekday().to_monday_zero_offset()).days()).ok()?;
        let after = |day: Date, days: i64| day.checked_add(days.days()).ok();
        Some(match self {
            Self::Lately => return None,
            Self::Today => (today, after(today, 1)?),
            Self::Yesterday => (after(today, -1)?, today),
            Self::ThisWeek => (monday, after(monday, 7)?),
            Self::LastWeek => (after(monday, -7)?, monday),
        })
    }
}

/// What happened, of some days.
pub struct Records {
    names: &'static [&'static str],
    about: &'static str,
    days: Days,
}

/// 记录.
pub static RECORDS: Records =
    Records {
        names: &["记录", "违规记录", "违规", "/records"], about: "最近的违规记录", days: Days::Lately
    };
/// 今天.
pub static TODAY: Records =
    Records { names: &["今天", "今天违规", "今日"], about: "今天的违规记录", days: Days::Today };
/// 昨天.
pub static YESTERDAY: Records =
    Records { names: &["昨天", "昨天违规", "昨日"], about: "昨天的违规记录", days: Days::Yesterday };
/// 本周违规.
pub static THIS_WEEK: Records =
    Records { names: &["本周违规", "本周", "这周"], about: "本周的违规记录", days: Days::ThisWeek };
/// 上周违规.
pub static LAST_WEEK: Records =
    Records { names: &["上周违规", "上周"], about: "上周的违规记录", days: Days::LastWeek };

/// The groups that are meant: the one named or the only one, or all in which whoever asks may do this.
fn groups(call: &Call<'_>, action: Action) -> Result<Vec<Arc<Group>>, ActError> {
    let all = match &call.group {
        Some(group) => vec![group.clone()],
        None => call.commands.groups.all(),
    };
    let theirs: Vec<_> = all.into_iter().filter(|group| call.may(action, group)).collect();
    if theirs.is_empty() {
        return Err(UserError::new("这条指令只有群主和管理员可以使用。").into());
    }
    Ok(theirs)
}

/// What became of somebody, in a word or two.
pub(super) fn did(case: &Case) -> String {
    let step = match (case.state, case.step) {
        (CaseState::Revoked, _) => return "已撤销".into(),
        (CaseState::Open, Step::Review) => "等人看",
        (_, Step::Review) => "请人看过",
        (_, step) => step.zh(),
    };
    step.to_owned()
}

/// What a case is about; a warning by hand in the words of whoever gave it.
pub(super) fn about(case: &Case) -> &str {
    if case.by_hand() && case.evidence.is_empty() && !case.rule.is_empty() { &case.rule } else { case.category.zh() }
}

#[async_trait]
impl Command for Records {
    fn names(&self) -> &'static [&'static str] {
        self.names
    }
    fn usage(&self) -> &'static str {
        self.names[0]
    }
    fn help(&self) -> &'static str {
        self.about
    }
    fn action(&self) -> Option<Action> {
        Some(Action::ReadCase)
    }
    fn is_at_large(&self) -> bool {
        true
    }
    fn fits(&self, typed: &[&str]) -> bool {
        typed.is_empty()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let now = call.commands.clock.now();
        let span = self.days.of(now.to_zoned(zh::zone()).date());
        let within = |case: &Case| {
            let day = case.at.to_zoned(zh::zone()).date();
            span.is_none_or(|(from, to)| (from..to).contains(&day))
        };
        let mut found: Vec<(Arc<Group>, Case)> = Vec::new();
        let groups = groups(call, Action::ReadCase)?;
        for group in &groups {
            let limit = if span.is_some() { READ } else { 5 * SHOWN };
            let query = CaseQuery { group: Some(group.id().clone()), limit, ..CaseQuery::default() };
            let cases = call.commands.cases.cases(&call.actor, &query).await?;
            let told = cases.into_iter().filter(|case| case.step != Step::None && within(case));
            found.extend(told.map(|case| (group.clone(), case)));
        }
        let place = if let [only] = &groups[..] { format!("「{}」", only.name()) } else { String::new() };
        if found.is_empty() {
            return Ok(format!("{place}没有{}。", self.about));
        }
        found.sort_by_key(|(_, case)| std::cmp::Reverse(case.at));
        let mut answer = format!("{place}{}，共 {} 条：", self.about, found.len());
        for (group, case) in found.iter().take(SHOWN) {
            answer.push_str(&line(group, case, groups.len() > 1, now));
        }
        if found.len() > SHOWN {
            answer.push_str(&format!("\n还有 {} 条更早的。", found.len() - SHOWN));
        }
        answer.push_str("\n详情：为什么 编号；撤销：解除警告 编号；误判：误判 编号");
        Ok(answer)
    }
}

fn line(group: &Group, case: &Case, several: bool, now: Timestamp) -> String {
    let place = if several { format!("{} ", group.name()) } else { String::new() };
    let more = if case.messages() > 1 { format!("（{} 条）", case.messages()) } else { String::new() };
    let (name, when) = (group.member_name(&case.member), zh::when(case.at, now));
    format!("\n· {when} {place}{name}：{}{more}，{}（{}）", about(case), did(case), case.id)
}

/// 待办.
pub struct ToDo;

#[async_trait]
impl Command for ToDo {
    fn names(&self) -> &'static [&'static str] {
        &["待办", "/todo"]
    }
    fn usage(&self) -> &'static str {
        "待办"
    }
    fn help(&self) -> &'static str {
        "等人处理的事"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::ReadCase)
    }
    fn is_at_large(&self) -> bool {
        true
    }
    fn fits(&self, typed: &[&str]) -> bool {
        typed.is_empty()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let now = call.commands.clock.now();
        let groups = groups(call, Action::ReadCase)?;
        let mut waiting: Vec<(Arc<Group>, Task)> = Vec::new();
        for group in &groups {
            let query = TaskQuery {
                state: Some(TaskState::WaitsForPerson),
                group: Some(group.id().clone()),
                limit: READ,
                ..TaskQuery::default()
            };
            let tasks = call.commands.cases.tasks(&call.actor, &query).await?;
            waiting.extend(tasks.into_iter().map(|task| (group.clone(), task)));
        }
        // Questions have lines of their own.
        waiting.retain(|(_, task)| task.kind != Kind::ServiceReply.id());
        let questions = questions(call, &groups, now).await?;
        if waiting.is_empty() {
            return Ok(if questions.is_empty() { "没有等人处理的事。".into() } else { questions });
        }
        waiting.sort_by_key(|(_, task)| task.due);
        let mut answer = format!("等人处理的事，共 {} 件：", waiting.len());
        for (group, task) in waiting.iter().take(SHOWN) {
            let place = if groups.len() > 1 { format!("{} ", group.name()) } else { String::new() };
            let what = match tasks::payload::<Ask>(task) {
                Some(ask) => ask.request.zh().to_owned(),
                None => task.kind.parse::<Kind>().map_or_else(|_| task.kind.clone(), |kind| kind.zh().to_owned()),
            };
            let who = task.member.as_ref().map(|member| format!("：{}", group.member_name(member))).unwrap_or_default();
            let number = task.case.as_ref().map(|case| format!("（{case}）")).unwrap_or_default();
            let due = zh::when(task.due, now);
            answer.push_str(&format!("\n· {place}{what}{who}{number}，{due} 前，{}", task.reason));
        }
        if waiting.len() > SHOWN {
            answer.push_str(&format!("\n还有 {} 件。", waiting.len() - SHOWN));
        }
        answer.push_str("\n请点对应卡片上的按钮。");
        if !questions.is_empty() {
            answer.push('\n');
            answer.push_str(&questions);
        }
        Ok(answer)
    }
}

/// Questions that nobody has answered yet; empty if there are none.
async fn questions(call: &Call<'_>, groups: &[Arc<Group>], now: Timestamp) -> Result<String, ActError> {
    let mut all: Vec<(Arc<Group>, Waiting)> = Vec::new();
    for group in groups {
        let waiting = call.commands.service.waiting(&call.actor, group).await?;
        all.extend(waiting.into_iter().map(|waiting| (group.clone(), waiting)));
    }
    if all.is_empty() {
        return Ok(String::new());
    }
    all.sort_by_key(|(_, waiting)| waiting.since);
    let mut answer = format!("等回复的提问，共 {} 件：", all.len());
    for (group, Waiting { thread, since, due }) in all.iter().take(SHOWN) {
        let place = if groups.len() > 1 { format!("{} ", group.name()) } else { String::new() };
        let late = if *due < now { "已超时" } else { "" };
        let (since, due) = (zh::when(*since, now), zh::when(*due, now));
        answer
            .push_str(&format!("\n· {place}{}「{}」，{since} 起，应在 {due} 前回复{late}", thread.name, thread.words));
    }
    if all.len() > SHOWN {
        answer.push_str(&format!("\n还有 {} 件。", all.len() - SHOWN));
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_and_weeks() {
        let tuesday = date(2026, 5, 5);
        for (days, from, to) in [
            (Days::Today, date(2026, 5, 5), date(2026, 5, 6)),
            (Days::Yesterday, date(2026, 5, 4), date(2026, 5, 5)),
            (Days::ThisWeek, date(2026, 5, 4), date(2026, 5, 11)),
            (Days::LastWeek, date(2026, 4, 27), date(2026, 5, 4)),
        ] {
            assert_eq!(days.of(tuesday), Some((from, to)), "{days:?}");
        }
        assert_eq!(Days::Lately.of(tuesday), None);
    }
}
