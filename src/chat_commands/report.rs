//! 举报: a member points at a message by quoting it (or pasting it); a person reviews it.

use async_trait::async_trait;

use super::{Call, Command};
use crate::{cases::report::Reported, model::UserError, refusal::ActError};

/// The command.
pub struct Report;

#[async_trait]
impl Command for Report {
    fn names(&self) -> &'static [&'static str] {
        &["举报", "/report"]
    }
    fn usage(&self) -> &'static str {
        "举报（引用那条消息，或写上原话）"
    }
    fn help(&self) -> &'static str {
        "请管理者看一条消息，结果会告诉您"
    }
    fn reaches_a_person(&self) -> bool {
        true
    }
    fn personal(&self) -> bool {
        true
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let group = call.group()?;
        let text = call.quote.map_or_else(|| call.rest(), str::to_owned);
        if text.trim().is_empty() {
            return Err(UserError::new("请引用要举报的消息，或在「举报」后写上原话").into());
        }
        let reason = if call.quote.is_some() { call.rest() } else { String::new() };
        Ok(match call.commands.cases.open_report(&call.actor, group, &text, &reason).await? {
            Reported::Taken(id) => {
                format!("举报已收到（{id}），管理者会尽快查看，结果私信您。谢谢您维护群里的秩序。")
            }
            Reported::Before(id, state) => format!("这条消息您已举报过（{id}）：{}。", state.zh()),
            Reported::Handled => "这条消息已经按群规处理了。谢谢您维护群里的秩序。".into(),
        })
    }
}
