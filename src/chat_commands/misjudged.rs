//! 误判 8F2K: there was nothing wrong with the sentence. The case is taken back, and the same sentence passes from now on.

use std::path::Path;

use async_trait::async_trait;

use super::{Call, Command, CommandError, words};
use crate::{
    access::Action,
    model::UserError,
    store::{Case, CaseState},
};

/// The command.
pub struct Misjudged;

#[async_trait]
impl Command for Misjudged {
    fn names(&self) -> &'static [&'static str] {
        &["误判", "/misjudged"]
    }
    fn usage(&self) -> &'static str {
        "误判 编号"
    }
    fn help(&self) -> &'static str {
        "撤销一条违规记录，以后同样的话不再提醒"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::DecideCase)
    }
    fn fits(&self, typed: &[&str]) -> bool {
        typed.first().is_some_and(|word| words::is_case(word))
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let Some(id) = call.words.first().map(|word| words::case(word)) else {
            return Err(Call::usage(self).into());
        };
        let group = call.group()?;
        let Some(case) = call.desk.store.case(&id).await?.filter(|case| case.group == *group.id()) else {
            return Err(UserError::new(format!("「{}」没有编号为 {id} 的记录", group.name())).into());
        };
        if case.by_hand() {
            return Err(UserError::new(format!("记录 {id} 是管理者自己处理的，请发送：解除警告 {id}")).into());
        }
        if case.state == CaseState::Revoked {
            call.desk.moderation.forgiven_was_misjudged(&case, call.by.as_str()).await?;
            return Ok(format!("记录 {id} 早已撤销；以后同样的话不再提醒。"));
        }
        call.desk.moderation.revoke(&id, call.by.as_str(), "misjudged").await?;
        let allow = if call.public { None } else { entry(&case) };
        let allow =
            allow.map(|(list, line)| format!("整类说法都没问题的话，请在词表 {list} 第 {line} 行写「允许=说法」。"));
        Ok(format!("记录 {id} 已撤销，以后同样的话不再提醒。{}", allow.unwrap_or_default()))
    }
}

/// The wordlist and the line of the entry that was hit, if it was one: that is where a phrase is allowed, not in a chat.
fn entry(case: &Case) -> Option<(&str, &str)> {
    let is_list = |list: &str| Path::new(list).extension().is_some_and(|kind| kind == "txt");
    let hits = case.findings.iter().filter(|finding| finding.category == case.category && finding.score > 0.0);
    hits.filter_map(|finding| finding.entry.as_deref()?.rsplit_once(':')).find(|(list, _)| is_list(list))
}
