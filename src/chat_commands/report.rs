//! 举报: a member points at a message by quoting it (or pasting it); a person reviews it.

use async_trait::async_trait;

use super::{Call, Command, CommandError};
use crate::model::UserError;

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
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let group = call.group()?;
        let text = call.quote.map_or_else(|| call.rest(), str::to_owned);
        if text.trim().is_empty() {
            return Err(UserError::new("请引用要举报的消息，或在「举报」后写上原话").into());
        }
        let reason = if call.quote.is_some() { call.rest() } else { String::new() };
        Ok(call.desk.reports.open(group, call.by, &text, &reason).await?)
    }
}
