//! 帮助: what can be typed, as far as the person may use it. A group reads one line of it; the rest is told in private.

use async_trait::async_trait;

use super::{ALL, Call, Command, words};
use crate::{access::Action, refusal::ActError};

/// What is no command and understood all the same: answers to notices and activities.
const ANSWERS: &str =
    "\n· 收到（或：特殊情况 编号 原因）：回执通知，或说明原因\n· 签到（或：请假 编号 原因）：参加活动，或请假";

/// The command.
pub struct Help;

#[async_trait]
impl Command for Help {
    fn names(&self) -> &'static [&'static str] {
        &["帮助", "help", "?", "帮助菜单", "菜单"]
    }
    fn usage(&self) -> &'static str {
        "帮助"
    }
    fn help(&self) -> &'static str {
        "看看能做什么"
    }
    fn personal(&self) -> bool {
        true
    }
    fn in_group(&self) -> &'static str {
        "可以对我说：我的状态、群规、举报、申诉。全部指令已私信您；没收到的话，请到群管应用里直接问我。"
    }
    fn fits(&self, typed: &[&str]) -> bool {
        typed.iter().all(|word| words::is_filler(word))
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let may = |action: Action| match &call.group {
            Some(group) => call.may(action, group),
            None => call.commands.groups.all().iter().any(|group| call.may(action, group)),
        };
        let decides = ALL.iter().filter_map(|command| command.action()).any(may);
        if call.public {
            let more = if decides { "管理指令请私信我发送「帮助」查看。" } else { "" };
            return Ok(format!("可以对我说：我的状态、群规、举报、申诉。{more}"));
        }
        if let Some(topic) = call.words.first() {
            return Ok(about(topic, may));
        }
        let mut answer = String::from("可以发送：");
        for command in ALL.iter().filter(|command| command.action().is_none_or(may)) {
            answer.push_str("\n· ");
            answer.push_str(command.usage());
            answer.push('：');
            answer.push_str(command.help());
        }
        answer.push_str(ANSWERS);
        if decides {
            answer.push_str("\n只看一类：帮助 通知");
        }
        if call.group.is_none() && decides {
            answer.push_str("\n您在几个群里，私信时请在前面写明群名，例如：#华东销售群 我的状态");
        }
        Ok(answer)
    }
}

/// 帮助 通知: only what has to do with a word.
fn about(topic: &str, may: impl Fn(Action) -> bool) -> String {
    let topic = super::words::without_end(topic);
    let lines: Vec<String> = ALL
        .iter()
        .filter(|command| command.action().is_none_or(&may))
        .filter(|c| c.names().contains(&topic) || c.usage().contains(topic) || c.help().contains(topic))
        .map(|command| format!("\n· {}：{}", command.usage(), command.help()))
        .collect();
    if lines.is_empty() {
        let names: Vec<&str> =
            ALL.iter().filter(|command| command.action().is_none_or(&may)).map(|c| c.names()[0]).collect();
        return format!("没有关于「{topic}」的指令。可以用的有：{}", names.join("、"));
    }
    format!("关于「{topic}」：{}", lines.concat())
}
