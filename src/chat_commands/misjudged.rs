//! 误判 8F2K: there was nothing wrong with the sentence, and the case is taken back. Whether the same words pass from now on is
//! said by 放行.

use async_trait::async_trait;

use super::{Call, Command, words};
use crate::{
    access::Action,
    detect::lexicon::BENEATH,
    model::UserError,
    refusal::ActError,
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
        "撤销一条违规记录，并记为误判"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::DecideCase)
    }
    fn fits(&self, typed: &[&str]) -> bool {
        typed.first().is_some_and(|word| words::is_case(word))
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let Some(id) = call.words.first().map(|word| words::case(word)) else {
            return Err(Call::usage(self).into());
        };
        let group = call.group()?;
        let cases = &call.commands.cases;
        if cases.of_group(&call.actor, group, &id).await?.is_none() {
            return Err(UserError::new(format!("「{}」没有编号为 {id} 的记录", group.name())).into());
        }
        let case = cases.misjudge(&call.actor, &id).await?;
        if case.state == CaseState::Revoked {
            return Ok(format!("记录 {id} 早已撤销，已记为误判。以后同样的话要在本群放行，请发：放行 {id}"));
        }
        let allow = if call.public { None } else { entry(call, &case) };
        let allow = allow.map(|(list, words)| {
            format!("整类说法都没问题的话，请管理员在词表 {list} 里写一行「{words} | 允许=说法」。")
        });
        let pass = format!("只算这一条；以后同样的话要在本群放行，请发：放行 {id}。");
        Ok(format!("记录 {id} 已记为误判并撤销。{pass}{}", allow.unwrap_or_default()))
    }
}

/// The wordlist and the words of the entry that was hit, if it was one: that is where a phrase is allowed, not in a chat. What a
/// list of the company says of a shipped entry lies over it, so one line is enough.
fn entry(call: &Call<'_>, case: &Case) -> Option<(String, String)> {
    let rules = call.commands.rules.get();
    let mut hits = case.findings.iter().filter(|finding| finding.category == case.category && finding.score > 0.0);
    hits.find_map(|finding| {
        let place = finding.entry.as_deref()?;
        let entry = rules.detector.entries().iter().find(|entry| *entry.place() == *place)?;
        let list = entry.file.strip_prefix(BENEATH).unwrap_or(&entry.file);
        Some((list.to_owned(), entry.entry.pattern.to_string()))
    })
}
