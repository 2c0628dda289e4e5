//! 严管 2h: for a while every medium hit counts as a high one.

use async_trait::async_trait;

use super::{Call, Command, CommandError, words};
use crate::{access::Action, wording};

/// The command.
pub struct Strict;

#[async_trait]
impl Command for Strict {
    fn names(&self) -> &'static [&'static str] {
        &["严管", "/strict"]
    }
    fn usage(&self) -> &'static str {
        "严管 2h（或：严管 结束）"
    }
    fn help(&self) -> &'static str {
        "一段时间内从严处理"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::Order)
    }
    fn fits(&self, typed: &[&str]) -> bool {
        matches!(typed, [word] if words::ends(word) || words::duration(word).is_ok())
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let group = call.group()?;
        let now = call.desk.clock.now();
        let Some(word) = call.words.first() else { return Err(Call::usage(self).into()) };
        if words::ends(word) {
            call.desk.groups.learn(group.id(), |learned| learned.orders.strict_until = None).await?;
            return Ok(format!("「{}」已恢复平常尺度。", group.name()));
        }
        let until = now + words::duration(word)?;
        call.desk.groups.learn(group.id(), move |learned| learned.orders.strict_until = Some(until)).await?;
        Ok(format!("「{}」从严处理至 {}。", group.name(), wording::when(until, now)))
    }
}
