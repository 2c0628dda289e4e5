//! 为什么 8F2K: how a case came about: the rule, the points, what followed. The member reads their own, deciders their group's.

use async_trait::async_trait;

use super::{Call, Command, words};
use crate::{
    cases::Said,
    groups::Group,
    model::{Timestamp, UserError},
    refusal::ActError,
    store::{Case, CaseQuery},
    zh,
};

/// The command.
pub struct Why;

#[async_trait]
impl Command for Why {
    fn names(&self) -> &'static [&'static str] {
        &["为什么", "/why"]
    }
    fn usage(&self) -> &'static str {
        "为什么 编号"
    }
    fn help(&self) -> &'static str {
        "一条违规记录的来龙去脉"
    }
    fn personal(&self) -> bool {
        true
    }
    fn fits(&self, typed: &[&str]) -> bool {
        typed.first().is_some_and(|word| words::is_case(word))
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let Some(id) = call.words.first().map(|word| words::case(word)) else {
            return own(call).await;
        };
        let story = call.commands.cases.story(&call.actor, &id).await?;
        let case = &story.case;
        if call.public && !call.actor.is(&case.member) {
            return Err(UserError::new("这条记录不是您本人的，请私信问我，不在群里公开。").into());
        }
        let group = call.commands.groups.get(&case.group);
        let now = call.commands.clock.now();
        let mut answer = format!(
            "记录 {id}（{}）：{}，处置：{}。",
            zh::when(case.at, now),
            match case.about() {
                None => Case::NO_REASON.to_owned(),
                Some(reason) if case.by_hand() => reason.to_owned(),
                Some(about) => format!("{about}，{}", case.severity.zh()),
            },
            case.step.zh()
        );
        if case.points > 0 {
            let rules = call.commands.rules.get_full();
            let unit = rules.policy(&group).for_group(group.id()).unit.zh();
            answer.push_str(&format!("记 {} {unit}，当时累计 {} {unit}。", case.points, case.live_points));
        }
        if let Some(expires) = case.expires_at {
            answer.push_str(&format!("{} 失效。", zh::when(expires, now)));
        }
        // The words and what hit belong to their author and to who decides about them.
        if !call.public {
            let said = case.shown(case.all_evidence());
            if !said.trim().is_empty() {
                answer.push_str(&format!("\n原话：{}", cut(&said)));
            }
            answer.push_str(&hits(case));
            answer.push_str(&around(call, case, &group, now).await?);
        }
        for event in story.events.iter().filter(|event| !event.note.is_empty()) {
            let appeal = if event.what == "appealed" { "申诉：" } else { "" };
            answer.push_str(&format!("\n· {} {appeal}{}", zh::when(event.at, now), event.note));
        }
        Ok(answer)
    }
}

/// Cases in a list.
const SHOWN: usize = 10;
/// Characters of what was said; a burst of forty lines is longer.
const LONGEST: usize = 1200;
/// Hits that are named.
const HITS: usize = 5;

/// Characters of what was said before or after.
const BESIDE: usize = 40;

fn cut(said: &str) -> String {
    cut_to(said, LONGEST)
}

fn cut_to(said: &str, longest: usize) -> String {
    if said.chars().count() <= longest {
        return said.to_owned();
    }
    said.chars().take(longest).chain(['…']).collect()
}

/// What was found in the words: as it was typed, and as it was read.
fn hits(case: &Case) -> String {
    if case.category.is_leak() {
        return String::new();
    }
    let mut lines: Vec<String> = Vec::new();
    for hit in case.findings.iter().filter(|hit| hit.score > 0.0 && !hit.original.trim().is_empty()) {
        let read =
            if hit.original == hit.normalized { String::new() } else { format!("，读作「{}」", hit.normalized) };
        let line = format!("\n命中：「{}」{read}（{}）", hit.original, hit.category.zh());
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.truncate(HITS);
    lines.concat()
}

/// What was said before and after, for who decides.
async fn around(call: &Call<'_>, case: &Case, group: &Group, now: Timestamp) -> Result<String, ActError> {
    let said = match call.commands.cases.around(&call.actor, case).await {
        Ok(said) => said,
        Err(ActError::Refused(_)) => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    let line = |said: &Said| {
        let which = if said.at < case.at { "之前" } else { "之后" };
        format!(
            "\n{which} {} {}：{}",
            zh::when(said.at, now),
            group.member_name(&said.member),
            cut_to(&said.text.replace('\n', " "), BESIDE)
        )
    };
    Ok(said.iter().map(line).collect())
}

/// 为什么 alone: the numbers there are.
async fn own(call: &Call<'_>) -> Result<String, ActError> {
    let now = call.commands.clock.now();
    let mut own: Vec<Case> = Vec::new();
    for group in call.commands.standings.groups_of(call.by()?).await? {
        let query = CaseQuery {
            group: Some(group.id().clone()),
            member: Some(call.by()?.clone()),
            limit: SHOWN,
            ..CaseQuery::default()
        };
        own.extend(
            call.commands.store.cases(&query).await?.into_iter().filter(|case| case.step >= crate::model::Step::Hint),
        );
    }
    if own.is_empty() {
        return Ok("您没有违规记录。看群里的请发：记录（群主和管理员）".into());
    }
    own.sort_by_key(|case| std::cmp::Reverse(case.at));
    let mut answer = String::from("您的记录：");
    for case in own.iter().take(SHOWN) {
        let what = super::lists::about(case);
        answer.push_str(&format!("\n· {} {what}，{}（{}）", zh::when(case.at, now), super::lists::did(case), case.id));
    }
    answer.push_str("\n详情请发：为什么 编号");
    Ok(answer)
}
