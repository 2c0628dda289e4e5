//! 熔断 恢复 / 熔断 撤销: the answer to the circuit breaker without its card.

use async_trait::async_trait;

use super::{Call, Command, CommandError};
use crate::access::Action;

/// The command.
pub struct Breaker;

#[async_trait]
impl Command for Breaker {
    fn names(&self) -> &'static [&'static str] {
        &["熔断", "/breaker"]
    }
    fn usage(&self) -> &'static str {
        "熔断 恢复（或：熔断 撤销）"
    }
    fn help(&self) -> &'static str {
        "短时间移出太多人而暂停后：继续处置，或全部撤销"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::AnswerBreaker)
    }
    fn fits(&self, typed: &[&str]) -> bool {
        matches!(typed, ["恢复" | "撤销"])
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let group = call.group()?;
        let answer = match call.words.as_slice() {
            ["恢复"] => call.desk.moderation.resume(group.id()).await?,
            ["撤销"] => call.desk.moderation.undo_all(group.id(), call.by.as_str()).await?,
            _ => return Err(Call::usage(self).into()),
        };
        Ok(format!("「{}」{answer}。", group.name()))
    }
}
