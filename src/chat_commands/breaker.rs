//! 熔断 恢复 / 熔断 撤销: the answer to the circuit breaker without its card.

use async_trait::async_trait;

use super::{Call, Command, words};
use crate::{access::Action, refusal::ActError};

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
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let group = call.group()?;
        let orders = &call.commands.orders;
        let answer = match call.words.as_slice() {
            ["恢复"] => orders.resume_breaker(&call.actor, group).await.map(|()| words::resumed())?,
            ["撤销"] => orders.undo_breaker(&call.actor, group).await.map(words::undone)?,
            _ => return Err(Call::usage(self).into()),
        };
        Ok(format!("「{}」{answer}。", group.name()))
    }
}
