//! What members and admins type to the bot, in private or by @ in a group: 帮助, 我的状态, 申诉 8F2K …
//!
//! Every command has a Chinese and a slash form and one file of its own; `ALL` is the one list of them. What concerns one
//! person is answered in private wherever WeCom allows it. Words are never added from a chat.

mod answered;
mod appeal;
mod breaker;
mod exempt;
mod help;
mod misjudged;
mod moderate;
pub mod notice;
mod report;
mod rules;
mod second_opinion;
mod status;
mod strict;
mod try_it;
mod unfinished;
mod why;
mod words;

use std::sync::Arc;

pub use answered::Answered;
use arc_swap::ArcSwap;
use async_trait::async_trait;

use crate::{
    access::{self, Action, Principal},
    appeals::Appeals,
    capability::Capabilities,
    groups::{Group, Groups},
    model::{Clock, GroupId, MemberId, Message, UserError},
    moderation::{Moderation, Outcome, Rules, undo::UndoError},
    notices::{
        NoticeError, Notices, ack,
        outgoing::{self, Tell},
    },
    reports::Reports,
    settings::reload::Live,
    store::{Commit, Store, StoreError},
};

/// Every command, in the order of the help text.
const ALL: &[&dyn Command] = &[
    &help::Help,
    &rules::RulesOfGroup,
    &status::Status,
    &report::Report,
    &appeal::Appeal,
    &why::Why,
    &try_it::TryIt,
    &moderate::Warn,
    &moderate::Unwarn,
    &misjudged::Misjudged,
    &moderate::Mute,
    &moderate::Unmute,
    &moderate::Remove,
    &exempt::Exempt,
    &exempt::PermitAds,
    &strict::Strict,
    &breaker::Breaker,
    &second_opinion::SecondOpinion,
    &notice::Publish,
    &notice::Send,
    &notice::Cancel,
    &notice::Progress,
];

/// What the group reads instead of an answer that is one person's own business.
const SENT_IN_PRIVATE: &str = "已私信您。没收到的话，请到群管应用里直接问我。";

/// Is this something typed to the bot (`我的状态`, `@群管 举报 …`, `#华东销售群 警告 @李四 …`)? What a command quotes is not
/// judged as if its sender had said it. Ask only for words that are addressed to the bot; see [`is_addressed_command`].
pub fn is_command(text: &str) -> bool {
    let (_, words) = words::named(words::own(text, |rest| find(rest).is_some()));
    find_in(&words).is_some_and(|command| command.fits(&words[1..]))
}

/// A command that was said to the bot: heard from the bot itself, or read in the archive with an `@` in front.
pub fn is_addressed_command(message: &Message) -> bool {
    (message.to_bot || message.text.trim_start().starts_with(words::AT)) && is_command(&message.text)
}

/// Judges what was said in a group. What a command says to the bot is not held against its speaker; see
/// [`Moderation::said_to_bot`].
pub async fn judge(moderation: &Moderation, message: Message) -> Result<Outcome, StoreError> {
    if !is_addressed_command(&message) {
        return moderation.handle(message, None).await;
    }
    let may_be_cloak = find(without_name(&message.text)).is_none_or(|command| !command.reaches_a_person());
    moderation.said_to_bot(message, may_be_cloak).await
}

/// The words without the bot's `@name` in front.
pub fn without_name(text: &str) -> &str {
    words::own(text, |rest| find(rest).is_some())
}

fn find(text: &str) -> Option<&'static dyn Command> {
    find_in(&words::named(text).1)
}

fn find_in(words: &[&str]) -> Option<&'static dyn Command> {
    let first = words::without_end(words.first()?);
    ALL.iter().find(|c| c.names().iter().any(|n| n.eq_ignore_ascii_case(first))).copied()
}

/// What goes wrong: shown in Chinese, or logged.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Shown to the person.
    #[error(transparent)]
    User(#[from] UserError),
    /// Logged; the person reads a general sentence.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<UndoError> for CommandError {
    fn from(error: UndoError) -> Self {
        match error {
            UndoError::User(error) => Self::User(error),
            UndoError::Store(error) => Self::Store(error),
        }
    }
}

impl From<NoticeError> for CommandError {
    fn from(error: NoticeError) -> Self {
        match error {
            NoticeError::Store(error) => Self::Store(error),
            error => Self::User(UserError::new(error.to_string())),
        }
    }
}

/// One command.
#[async_trait]
trait Command: Send + Sync {
    /// The Chinese form first, then the slash forms.
    fn names(&self) -> &'static [&'static str];
    /// How it is typed.
    fn usage(&self) -> &'static str;
    /// What it does, in a few words.
    fn help(&self) -> &'static str;
    /// What one must be allowed to do in the group; `None`: anybody may use it.
    fn action(&self) -> Option<Action> {
        None
    }
    /// It is about several groups, or none: who decides in any may use it, and only in private.
    fn is_at_large(&self) -> bool {
        false
    }
    /// Is the answer one person's own business? Then it is given in private wherever that is possible.
    fn personal(&self) -> bool {
        false
    }
    /// What the group reads instead of such an answer.
    fn in_group(&self) -> &'static str {
        SENT_IN_PRIVATE
    }
    /// A person reads the words anyway, and what they are worth.
    fn reaches_a_person(&self) -> bool {
        false
    }
    /// Can these words follow it? What only looks like the command at its first word is an ordinary message.
    fn fits(&self, _words: &[&str]) -> bool {
        true
    }
    /// Does it and says what was done.
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError>;
}

/// What commands work with.
pub struct Desk {
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// Lists and policies in force.
    pub rules: Arc<Live<Rules>>,
    /// The main use case.
    pub moderation: Arc<Moderation>,
    /// Appeals.
    pub appeals: Arc<Appeals>,
    /// Members' reports.
    pub reports: Arc<Reports>,
    /// What can be done.
    pub capabilities: Arc<ArcSwap<Capabilities>>,
    /// Notices.
    pub notices: Arc<Notices>,
    /// What was answered just now.
    pub answered: Answered,
    /// Who may decide besides the group's own people.
    pub escalation: Vec<MemberId>,
}

/// Something said to the bot.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// To whom: app and bot are two conversations.
    pub channel: crate::model::Channel,
    /// Who.
    pub by: &'a MemberId,
    /// In which group; `None` in private.
    pub group: Option<&'a GroupId>,
    /// The words, without the bot's name.
    pub text: &'a str,
    /// What they quote, if anything (WeCom gives no id or author with it).
    pub quote: Option<&'a str>,
}

/// One use of a command.
struct Call<'a> {
    desk: &'a Desk,
    by: &'a MemberId,
    /// The group it is about; `None` in private when the person is in none or in several.
    group: Option<Arc<Group>>,
    /// The whole group will read the answer.
    public: bool,
    /// The words after the command.
    words: Vec<&'a str>,
    /// All that was typed; the words are parts of it.
    text: &'a str,
    quote: Option<&'a str>,
}

impl Call<'_> {
    /// May whoever calls do it in the group?
    fn may(&self, action: Action, group: &Group) -> bool {
        self.desk.may(self.by, action, group)
    }
    fn group(&self) -> Result<&Group, UserError> {
        self.group.as_deref().ok_or_else(|| {
            let its = |group: &Group| group.learned.members.contains_key(self.by);
            UserError::new(self.desk.which_group(self.text, its))
        })
    }
    /// What was typed from one of the words on, line breaks and all.
    fn typed_from(&self, word: usize) -> &str {
        let Some(word) = self.words.get(word) else { return "" };
        let at = word.as_ptr() as usize - self.text.as_ptr() as usize;
        self.text[at..].trim_end()
    }
    /// Everything after the command.
    fn rest(&self) -> String {
        self.words.join(" ")
    }
    fn usage(command: &dyn Command) -> UserError {
        UserError::new(format!("用法：{}", command.usage()))
    }
}

impl Desk {
    /// The answer to what somebody said to the bot; `None` if it is no command and was said in a group (then it is an
    /// ordinary message), or was answered in the same way within the last minute.
    pub async fn answer(&self, said: Said<'_>) -> Option<String> {
        let (named, mut words) = words::named(said.text);
        let Some(command) = find_in(&words) else {
            if said.group.is_some() {
                return None;
            }
            let receipt = ack::matches(said.text, ack::DEFAULT_ACCEPT) || ack::is_assent(said.text);
            let answer = if receipt {
                "好的。目前没有等您回执的通知。"
            } else {
                "没看懂这条指令。发送「帮助」看看能做什么。"
            };
            return Some(answer.to_owned());
        };
        words.remove(0);
        let group = self.group_of(&said, named, command.action());
        if let Some(action) = command.action() {
            let may = |group: &Group| self.may(said.by, action, group);
            let mut allowed = group.as_deref().is_some_and(may);
            if command.is_at_large() {
                allowed |= named.is_none() && self.groups.all().iter().any(|group| may(group));
            }
            if !allowed {
                return Some(match group {
                    None if self.leads(said.by) => {
                        self.which_group(said.text, |group| self.may(said.by, Action::PublishNotice, group))
                    }
                    None if self.groups.all().iter().any(|group| may(group)) => self.which_group(said.text, may),
                    _ => "这条指令只有群主和管理员可以使用。".into(),
                });
            }
        }
        if command.is_at_large() && said.group.is_some() {
            return Some("请私信我发送这条指令，以免误发。".into());
        }
        let spoken_in = said.group.map(|id| self.groups.get(id));
        let privately = spoken_in.as_deref().filter(|_| command.personal()).is_some_and(|g| self.reaches(g, said.by));
        let public = said.group.is_some() && !privately;
        let call = Call { desk: self, by: said.by, group, public, words, text: said.text, quote: said.quote };
        let answered = match command.run(&call).await {
            Ok(answer) | Err(CommandError::User(UserError(answer)))
                if self.answered.again(&said, &answer, self.clock.now()) =>
            {
                return None;
            }
            Ok(answer) | Err(CommandError::User(UserError(answer))) if privately => {
                self.tell(&said, &answer).await.map(|()| command.in_group().to_owned())
            }
            Ok(answer) => Ok(answer),
            Err(CommandError::User(error)) => Ok(error.0),
            Err(CommandError::Store(error)) => Err(error),
        };
        Some(answered.unwrap_or_else(|error| {
            tracing::error!(%error, command = command.names()[0], "a command failed");
            "暂时处理不了，请稍后再试。".into()
        }))
    }

    /// May this person do it in the group?
    pub(crate) fn may(&self, by: &MemberId, action: Action, group: &Group) -> bool {
        access::may(Principal::member(by, &self.escalation), action, Some(group)).is_ok()
    }

    /// Is there a group this person leads?
    fn leads(&self, by: &MemberId) -> bool {
        self.groups.all().iter().any(|group| self.may(by, Action::PublishNotice, group))
    }

    /// Asks which group was meant, with the person's own groups and words as the example.
    fn which_group(&self, typed: &str, its: impl Fn(&Group) -> bool) -> String {
        let (named, words) = words::named(typed);
        let typed = words.join(" ");
        let all = self.groups.all();
        let names: Vec<&str> = all.iter().filter(|group| its(group)).map(|group| group.name()).collect();
        match names[..] {
            [] => "没有找到您所在的群。".into(),
            [one, ..] if let Some(wrong) = named => {
                format!("没有找到群「{wrong}」，请写全群名，例如：#{one} {typed}")
            }
            [one] => format!("请在前面写明群名，例如：#{one} {typed}"),
            [one, ..] => format!("您在 {} 个群里，请在前面写明群名，例如：#{one} {typed}", names.len()),
        }
    }

    /// Can the app write to somebody who spoke in a group?
    fn reaches(&self, group: &Group, member: &MemberId) -> bool {
        let can = **self.capabilities.load();
        can.app && !can.dry_run && !group.is_external(member)
    }

    /// Tells in private what was asked in a group.
    async fn tell(&self, said: &Said<'_>, answer: &str) -> Result<(), StoreError> {
        let now = self.clock.now();
        let words: String = said.text.chars().take(40).collect();
        let id = format!("answer-{}-{}-{words}", said.by, now.as_millisecond());
        let tell = Tell::text(vec![said.by.clone()], answer.to_owned());
        let tasks = outgoing::tell(&id, &GroupId::from(""), now, &tell);
        self.store.commit(Commit { tasks, ..Commit::default() }).await?;
        self.moderation.ring();
        Ok(())
    }

    /// The group a command is about: named, spoken in, or the only one the person decides in or is a member of.
    fn group_of(&self, said: &Said<'_>, named: Option<&str>, action: Option<Action>) -> Option<Arc<Group>> {
        if let Some(name) = named {
            return self.groups.all().into_iter().find(|g| g.name() == name || g.id().as_str() == name);
        }
        if let Some(id) = said.group {
            return Some(self.groups.get(id));
        }
        let all = self.groups.all();
        let only = |wanted: &dyn Fn(&Group) -> bool| {
            let mut found = all.iter().filter(|g| wanted(g));
            found.next().filter(|_| found.next().is_none()).cloned()
        };
        only(&|g| self.may(said.by, Action::PublishNotice, g))
            .or_else(|| only(&|g| g.learned.members.contains_key(said.by)))
            .or_else(|| only(&|g| action.is_some_and(|action| self.may(said.by, action, g))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_messages() {
        for text in [
            "我的状态",
            "@群管 我的状态",
            "@群管\u{2005}举报 加我领红包",
            "@Group Keeper 试一试 加我领红包",
            "#华东销售群 警告 @李四 刷屏",
            "@群管 申诉 8f2k 这是客户要的报价",
            "@群管 为什么 #8F2K",
            "/STATUS",
            "@群管 移出 @张三",
            "帮助。",
            "@群管，帮助",
            "＠群管 帮助！",
            "@群管：我的状态？",
            "@群管 为什么 8F2K。",
            "@华东 群管 助手 帮助",
        ] {
            assert!(is_command(text), "{text}");
        }
        for text in [
            "",
            "@群管",
            "大家看看我的状态",
            "状态 加我领红包",
            "群规 加我领红包",
            "@李四 申诉 加我领红包",
            "为什么 没有人理我",
            "解除警告 吧求你了",
            "禁言",
            "严管 起来",
            "误判 得太离谱了",
            "@群管，加我领红包",
        ] {
            assert!(!is_command(text), "{text}");
        }
    }

    #[test]
    fn in_the_archive_a_command_begins_with_the_name() {
        let at = crate::model::Timestamp::UNIX_EPOCH;
        let mut message = Message::text(crate::model::Channel::Archive, "1", "g", "li", at, "举报 加我领红包");
        assert!(!is_addressed_command(&message));
        message.to_bot = true;
        assert!(is_addressed_command(&message));
    }

    #[test]
    fn the_name_is_cut() {
        assert_eq!(without_name("@群管 我的状态"), "我的状态");
        assert_eq!(without_name("@群管 助手 我的状态"), "我的状态");
        assert_eq!(without_name("@群管\u{2005}大家好 呀"), "大家好 呀");
        assert_eq!(without_name("我的状态"), "我的状态");
        assert_eq!(without_name("@群管"), "@群管");
    }
}
