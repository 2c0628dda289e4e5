//! 投诉, 建议, 异议 and their 答复.

use async_trait::async_trait;

use super::{Call, Command};
use crate::{refusal::ActError, service::ticket::About};

/// One of the three.
pub struct Write(About, &'static [&'static str], &'static str);

/// 投诉.
pub static COMPLAIN: Write = Write(About::Complaint, &["投诉", "/complain"], "投诉 仓库发货太慢（私信我）");
/// 建议.
pub static SUGGEST: Write = Write(About::Suggestion, &["建议", "/suggest"], "建议 周报改成双周报（私信我）");
/// 异议.
pub static OBJECT: Write = Write(About::Objection, &["异议", "/object"], "异议 第八条两小时太短（私信我）");

#[async_trait]
impl Command for Write {
    fn names(&self) -> &'static [&'static str] {
        self.1
    }
    fn usage(&self) -> &'static str {
        self.2
    }
    fn help(&self) -> &'static str {
        match self.0 {
            About::Complaint => "私下投诉，有人答复",
            About::Suggestion => "私下提建议，有人答复",
            About::Objection => "对群规有异议，有人答复",
        }
    }
    fn personal(&self) -> bool {
        true
    }
    fn reaches_a_person(&self) -> bool {
        true
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let text = call.typed_from(0);
        if text.is_empty() {
            return Err(Call::usage(self).into());
        }
        let by = call.by()?;
        let of_group = call.commands.groups.all().iter().any(|group| group.learned.members.contains_key(by));
        let group = match &call.group {
            None if of_group => Some(call.group()?),
            group => group.as_deref(),
        };
        let ticket = call.commands.service.write(&call.actor, self.0, group, text).await?;
        call.commands.moderation.ring();
        let place = group.map(|group| format!("「{}」", group.name())).unwrap_or_default();
        let about = self.0.zh();
        Ok(format!("{about}已收到（{}），{place}管理者会看到是您提的，答复会私信您。", ticket.id))
    }
}

/// 答复.
pub struct Answer;

#[async_trait]
impl Command for Answer {
    fn names(&self) -> &'static [&'static str] {
        &["答复", "/answer"]
    }
    fn usage(&self) -> &'static str {
        "答复 8F2K 已经安排处理（私信我）"
    }
    fn help(&self) -> &'static str {
        "答复投诉、建议和异议"
    }
    fn is_at_large(&self) -> bool {
        true
    }
    fn fits(&self, typed: &[&str]) -> bool {
        typed.first().is_none_or(|id| crate::notices::notice::is_id(id))
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let [id, _, ..] = call.words.as_slice() else { return Err(Call::usage(self).into()) };
        let ticket = call.commands.service.answer(&call.actor, id, call.typed_from(1)).await?;
        call.commands.moderation.ring();
        Ok(format!("已答复 {}，提的人会收到私信。", ticket.id))
    }
}
