//! 举报 said in the group itself, below what it quotes: where no bot is in the group, the archive hears it. It is taken like one
//! that was said to the bot, and only its author is told.

use std::sync::{OnceLock, Weak};

use async_trait::async_trait;

use super::{Cases, report::Reported};
use crate::{
    access::{Actor, Face},
    model::{Attachment, Channel, GroupId, Message},
    notices::outgoing::{self, Tell},
    observer::{Heard, Observer},
    refusal::ActError,
    store::{Commit, StoreError},
};

const REPORT: &str = "举报";

/// Listens for reports; deaf until it knows who takes them.
#[derive(Default)]
pub struct HeardReports {
    cases: OnceLock<Weak<Cases>>,
}

impl HeardReports {
    /// Who takes them.
    pub fn told_to(&self, cases: Weak<Cases>) {
        self.cases.get_or_init(|| cases);
    }
}

/// What is reported and why, if the message is a report.
fn report(message: &Message) -> Option<(&str, &str)> {
    let separates = |c: char| c.is_whitespace() || "，,：:。！!".contains(c);
    let rest = message.text.trim().strip_prefix(REPORT)?;
    let separated = rest.is_empty() || rest.starts_with(separates);
    let in_group = message.channel == Channel::Archive && !message.to_bot && !message.group.as_str().is_empty();
    let quoted = message.attachments.iter().find_map(|attachment| match attachment {
        // WeCom puts the name of who said it in front.
        Attachment::Quote { text, .. } => Some(text.split_once(":\n").map_or(text.as_str(), |(_, words)| words)),
        _ => None,
    })?;
    let reason = rest.trim_start_matches(separates);
    (separated && in_group && !quoted.trim().is_empty()).then_some((quoted, reason))
}

#[async_trait]
impl Observer for HeardReports {
    async fn hear(&self, message: &Message) -> Result<Option<Heard>, StoreError> {
        let Some((quoted, reason)) = report(message) else { return Ok(None) };
        let Some(cases) = self.cases.get().and_then(Weak::upgrade) else { return Ok(None) };
        let group = cases.groups.get(&message.group);
        if !group.configured {
            return Ok(None);
        }
        let actor = Actor::member(&message.sender, &[], Face::Chat);
        let answer = match cases.open_report(&actor, &group, quoted, reason).await {
            Ok(Reported::Taken(id)) => {
                format!("您在「{}」的举报已收到（{id}），管理者会尽快查看，结果私信您。", group.name())
            }
            // Heard before, or said to the bot as well.
            Ok(Reported::Before(..)) => return Ok(None),
            Ok(Reported::Handled) => "您举报的消息已经按群规处理了。谢谢您维护群里的秩序。".into(),
            Err(ActError::Refused(refusal)) => refusal.text,
            Err(ActError::Store(error)) => return Err(error),
        };
        let id = format!("heard-report-{}", message.id);
        let tell = Tell::text(vec![message.sender.clone()], answer);
        let tasks = outgoing::tell(&id, &GroupId::from(""), cases.clock.now(), &tell);
        cases.store.commit(Commit { tasks, ..Commit::default() }).await?;
        cases.moderation.ring();
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn only_a_quoted_report_in_a_group_is_one() {
        let said = |text: &str, quote: Option<&str>| {
            let mut message = Message::text(Channel::Archive, "1", "g", "li", Timestamp::UNIX_EPOCH, text);
            message.attachments = quote.map(Attachment::quote).into_iter().collect();
            report(&message).map(|(quoted, reason)| format!("{quoted}|{reason}"))
        };
        assert_eq!(said("举报", Some("加我领红包")).as_deref(), Some("加我领红包|"));
        assert_eq!(said("举报", Some("张三:\n加我领红包")).as_deref(), Some("加我领红包|"));
        assert_eq!(said("举报：又发广告", Some("加我领红包")).as_deref(), Some("加我领红包|又发广告"));
        for (text, quote) in
            [("举报", None), ("举报电话是多少", Some("12315")), ("我要举报", Some("x")), ("举报", Some(" "))]
        {
            assert_eq!(said(text, quote), None, "{text}");
        }
    }
}
