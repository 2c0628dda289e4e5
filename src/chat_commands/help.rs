//! 帮助: what can be typed, as far as the person may use it.

use async_trait::async_trait;

use super::{ALL, Call, Command, CommandError, Who, decides};

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
    fn fits(&self, words: &[&str]) -> bool {
        words.is_empty()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let decides = call.group.as_ref().is_some_and(|group| decides(group, call.by));
        let mut answer = String::from("可以发送：");
        for command in ALL.iter().filter(|c| decides || c.who() == Who::Anyone) {
            answer.push_str("\n· ");
            answer.push_str(command.usage());
            answer.push('：');
            answer.push_str(command.help());
        }
        Ok(answer)
    }
}
