//! 帮助: what can be typed, as far as the person may use it. A group reads one line of it; the rest is told in private.

use async_trait::async_trait;

use super::{ALL, Call, Command, CommandError};
use crate::access::Action;

/// What is no command and understood all the same: answers to notices and activities.
const ANSWERS: &str =
    "\n· 收到（或：特殊情况 编号 原因）：回执通知，或说明原因\n· 签到（或：请假 编号 原因）：参加活动，或请假";

/// The command.
pub struct Help;

#[async_trait]
impl Command for Help {
    fn names(&self) -> &'static [&'static str] {
        &["帮助", "/help", "/帮助", "?", "？"]
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
    fn fits(&self, words: &[&str]) -> bool {
        words.is_empty()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let may = |action: Action| match &call.group {
            Some(group) => call.may(action, group),
            None => call.desk.groups.all().iter().any(|group| call.may(action, group)),
        };
        let decides = ALL.iter().filter_map(|command| command.action()).any(may);
        if call.public {
            let more = if decides { "管理指令请私信我发送「帮助」查看。" } else { "" };
            return Ok(format!("可以对我说：我的状态、群规、举报、申诉。{more}"));
        }
        let mut answer = String::from("可以发送：");
        for command in ALL.iter().filter(|command| command.action().is_none_or(may)) {
            answer.push_str("\n· ");
            answer.push_str(command.usage());
            answer.push('：');
            answer.push_str(command.help());
        }
        answer.push_str(ANSWERS);
        if call.group.is_none() && decides {
            answer.push_str("\n您在几个群里，私信时请在前面写明群名，例如：#华东销售群 我的状态");
        }
        Ok(answer)
    }
}
