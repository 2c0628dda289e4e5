//! 为什么 8F2K: how a case came about: the rule, the points, what followed. The member reads their own, deciders their group's.

use async_trait::async_trait;

use super::{Call, Command, CommandError, words};
use crate::{access::Action, model::UserError, moderation::second_opinion, wording};

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
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let Some(id) = call.words.first().map(|word| words::case(word)) else {
            return Err(Call::usage(self).into());
        };
        let unknown = || UserError::new(format!("没有找到记录 {id}"));
        let case = call.desk.store.case(&id).await?.ok_or_else(unknown)?;
        let group = call.desk.groups.get(&case.group);
        if case.member != *call.by && !call.may(Action::ReadCase, &group) {
            return Err(unknown().into());
        }
        if call.public && case.member != *call.by {
            return Err(UserError::new("这条记录不是您本人的，请私信问我，不在群里公开。").into());
        }
        let now = call.desk.clock.now();
        let mut answer = format!(
            "记录 {id}（{}）：{}，{}，处置：{}。",
            wording::when(case.at, now),
            case.category.zh(),
            case.severity.zh(),
            case.step.zh()
        );
        if case.points > 0 {
            let rules = call.desk.rules.get_full();
            let unit = rules.policy(&group).for_group(group.id()).unit.zh();
            answer.push_str(&format!("记 {} {unit}，当时累计 {} {unit}。", case.points, case.live_points));
        }
        if let Some(expires) = case.expires_at {
            answer.push_str(&format!("{} 失效。", wording::when(expires, now)));
        }
        // What a model thought is a hint for those who decide; it is the reason for nothing.
        let decides = call.may(Action::DecideCase, &group);
        let shown = case.history.iter().filter(|e| !e.note.is_empty() && (decides || !second_opinion::is_hint(e)));
        for event in shown {
            let appeal = if event.what == "appealed" { "申诉：" } else { "" };
            answer.push_str(&format!("\n· {} {appeal}{}", wording::when(event.at, now), event.note));
        }
        Ok(answer)
    }
}
