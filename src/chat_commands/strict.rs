//! 严管 2h: for a while every medium hit counts as a high one.

use async_trait::async_trait;

use super::{Call, Command, words};
use crate::{access::Action, refusal::ActError, zh};

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
        let a_length = || words::length(typed).map_or(typed.len() == 1, |l| l.is_some_and(|(_, n)| n == typed.len()));
        matches!(typed, [word] if words::ends(word)) || a_length()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let group = call.group()?;
        if call.words.is_empty() {
            return Err(Call::usage(self).into());
        }
        Ok(match call.commands.orders.be_strict(&call.actor, group, words::term(&call.words)?).await? {
            Some(until) => format!(
                "「{}」从严处理至 {}：平时算一般的违规，这段时间按严重的处理，记分更多、处置更快。提前结束请发：严管 结束",
                group.name(),
                zh::when(until, call.commands.clock.now())
            ),
            None => format!("「{}」已恢复平常尺度。", group.name()),
        })
    }
}
