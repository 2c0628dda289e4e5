//! What members and admins type to the bot, in private or by @ in a group: 帮助, 我的状态, 申诉 8F2K …
//!
//! Every command has a Chinese and a slash form and one file of its own; `ALL` is the one list of them. What concerns one
//! person is answered in private wherever WeCom allows it. Words are never added from a chat.

mod allow;
mod answered;
mod appeal;
mod breaker;
mod draft;
mod exempt;
mod help;
mod last_group;
mod lists;
mod mention;
mod misjudged;
mod moderate;
pub mod notice;
mod own_words;
mod report;
mod rules;
mod season;
mod second_opinion;
mod status;
mod strict;
mod ticket;
mod try_it;
mod unfinished;
pub mod when;
mod why;
pub mod words;

use std::sync::Arc;

pub use answered::Answered;
use arc_swap::ArcSwap;
use async_trait::async_trait;
pub use last_group::LastGroup;

use crate::{
    access::{self, Action, Actor, Face},
    acknowledgement,
    capability::Capabilities,
    cases::Cases,
    deps::Deps,
    detect::Verdict,
    groups::{Group, Groups},
    in_force::InForce,
    model::{Channel, Clock, GroupId, MemberId, Message, UserError},
    moderation::{Moderation, Outcome},
    notices::{
        Notices,
        outgoing::{self, Tell},
    },
    orders::Orders,
    refusal::{ActError, Refusal},
    service::Service,
    settings::reload::Live,
    standing::Standings,
    store::{Commit, Store, StoreError},
};

/// Every command, in the order of the help text.
const ALL: &[&dyn Command] = &[
    &help::Help,
    &rules::RulesOfGroup,
    &status::Status,
    &report::Report,
    &appeal::Appeal,
    &ticket::COMPLAIN,
    &ticket::SUGGEST,
    &ticket::OBJECT,
    &why::Why,
    &lists::RECORDS,
    &lists::TODAY,
    &lists::YESTERDAY,
    &lists::THIS_WEEK,
    &lists::LAST_WEEK,
    &lists::ToDo,
    &ticket::Answer,
    &try_it::TryIt,
    &moderate::Warn,
    &moderate::Unwarn,
    &misjudged::Misjudged,
    &allow::Allow,
    &allow::List,
    &allow::End,
    &moderate::Mute,
    &moderate::Unmute,
    &moderate::Remove,
    &exempt::Exempt,
    &exempt::PermitAds,
    &strict::Strict,
    &season::Season,
    &breaker::Breaker,
    &second_opinion::SecondOpinion,
    &notice::Publish,
    &draft::Revise,
    &notice::Send,
    &notice::Cancel,
    &notice::CancelActivity,
    &notice::Progress,
    &own_words::OwnWords,
];

/// What the group reads instead of an answer that is one person's own business.
const SENT_IN_PRIVATE: &str = "已私信您。没收到的话，请到群管应用里直接问我。";

/// Is this something typed to the bot (`我的状态`, `@群管 举报 …`, `#华东销售群 警告 @李四 …`)? What a command quotes is not
/// judged as if its sender had said it. Ask only for words that are addressed to the bot.
pub fn is_command(text: &str) -> bool {
    is_plain(without_name(text, &[]))
}

/// The same for words without a mention in front.
fn is_plain(text: &str) -> bool {
    let (_, words) = words::named(text);
    find_in(&words).is_some_and(|command| command.fits(&words[1..]))
}

/// Does the command's answer come from a person, who has to see what it points at?
pub fn reaches_a_person(text: &str) -> bool {
    find(text).is_some_and(Command::reaches_a_person)
}

/// The command in a message that was said to the bot: heard from the bot itself, or read in the archive with a mention of the
/// bot, and of nobody else.
fn said_to_bot<'a>(moderation: &Moderation, message: &'a Message) -> Option<&'a str> {
    let own = if message.to_bot {
        &message.text
    } else if message.text.contains(words::AT) {
        let group = moderation.group(&message.group);
        let bot = moderation.bot_names().known();
        let known = mention::Known { bot: &bot, person: &|name| group.is_called(name), command: &begins_command };
        Some(mention::read(&message.text, &known)).filter(|said| said.to_bot)?.own
    } else {
        return None;
    };
    is_plain(own).then_some(own)
}

/// Judges what was said in a group. What a command says to the bot is not held against its speaker; see
/// [`Moderation::said_to_bot`]. `cursor` moves a stream's position in the same commit.
pub async fn judge(
    moderation: &Moderation,
    message: Message,
    cursor: Option<(String, u64)>,
) -> Result<Outcome, StoreError> {
    let Some(own) = said_to_bot(moderation, &message) else { return moderation.handle(message, cursor).await };
    let may_be_cloak = find(own).is_none_or(|command| !command.reaches_a_person());
    moderation.said_to_bot(message, may_be_cloak, cursor).await
}

/// What was said to the bot, without the mention of it; `names` are those of the bot that are known, in lower case.
pub fn without_name<'a>(text: &'a str, names: &[String]) -> &'a str {
    let nobody = |_: &str| false;
    let read = |bot| mention::read(text, &mention::Known { bot, person: &nobody, command: &begins_command });
    let said = read(names);
    // It was said to the bot: whoever is called in front is the bot, under a name that is not known yet.
    if said.to_bot || names.is_empty() { said.own } else { read(&[]).own }
}

/// What was said to the bot in private, without its name in front, which nobody needs there: `@群管 帮助`, `群管，帮助`.
fn without_call<'a>(text: &'a str, names: &[String]) -> &'a str {
    if begins_command(text) {
        return text;
    }
    let plain = text.trim().split_once(|c: char| c.is_whitespace() || "，,：:、".contains(c));
    let named = plain.filter(|(name, _)| *name == "群管" || names.contains(&name.to_lowercase()));
    let own = named.map_or_else(|| without_name(text, names), |(_, after)| after.trim_start());
    if begins_command(own) { own } else { text }
}

/// The name by which the bot is called in what was said to it, where nothing else can be meant.
pub fn its_name(text: &str) -> Option<&str> {
    mention::one_word_name(text, begins_command)
}

fn begins_command(text: &str) -> bool {
    find(text).is_some()
}

fn find(text: &str) -> Option<&'static dyn Command> {
    find_in(&words::named(text).1)
}

fn find_in(words: &[&str]) -> Option<&'static dyn Command> {
    let first = words.first()?;
    ALL.iter().find(|command| command.names().iter().any(|name| words::is_name(first, name))).copied()
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
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError>;
}

/// What commands work with.
pub struct CommandService {
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// Lists and policies in force.
    pub rules: Arc<Live<InForce>>,
    /// The main use case.
    pub moderation: Arc<Moderation>,
    /// What people decide about violations.
    pub cases: Arc<Cases>,
    /// What they order for a time.
    pub orders: Arc<Orders>,
    /// How they stand.
    pub standings: Arc<Standings>,
    /// What can be done.
    pub capabilities: Arc<ArcSwap<Capabilities>>,
    /// Questions, tickets.
    pub service: Arc<Service>,
    /// Notices.
    pub notices: Arc<Notices>,
    /// What was answered just now.
    pub answered: Answered,
    /// Which group each spoke of last.
    pub last_group: LastGroup,
    /// Who may decide besides the group's own people.
    pub escalation: Vec<MemberId>,
}

impl CommandService {
    /// On what the whole program works with.
    pub fn new(deps: &Deps) -> Self {
        Self {
            store: deps.store.clone(),
            clock: deps.clock.clone(),
            groups: deps.groups.clone(),
            rules: deps.rules.clone(),
            moderation: deps.moderation.clone(),
            cases: deps.cases.clone(),
            orders: deps.orders.clone(),
            standings: deps.standings.clone(),
            capabilities: deps.capabilities.clone(),
            service: deps.service.clone(),
            notices: deps.notices.clone(),
            answered: Answered::default(),
            last_group: LastGroup::default(),
            escalation: deps.escalation.clone(),
        }
    }
}

/// Something said to the bot.
#[derive(Clone, Copy, Debug)]
pub struct Utterance<'a> {
    /// To whom: app and bot are two conversations.
    pub channel: Channel,
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
    commands: &'a CommandService,
    /// Who calls.
    actor: Actor,
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
    /// Who calls.
    fn by(&self) -> Result<&MemberId, Refusal> {
        self.actor.own()
    }
    /// Can whoever calls do it in the group? Asked for what is shown; each use case asks for itself.
    fn may(&self, action: Action, group: &Group) -> bool {
        access::may(&self.actor.who, action, Some(group)).is_ok()
    }
    fn group(&self) -> Result<&Group, UserError> {
        self.group.as_deref().ok_or_else(|| {
            let its = |group: &Group| self.by().is_ok_and(|by| group.learned.members.contains_key(by));
            UserError::new(self.commands.which_group(self.text, its))
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

impl CommandService {
    /// The answer to what somebody said to the bot; `None` if it is no command and was said in a group (then it is an
    /// ordinary message), or was answered in the same way within the last minute.
    pub async fn answer(&self, said: Utterance<'_>) -> Option<String> {
        let text = match said.group {
            Some(_) => said.text,
            None => without_call(said.text, &self.moderation.bot_names().known()),
        };
        let said = Utterance { text, ..said };
        let (named, mut words) = words::named(said.text);
        let Some(command) = find_in(&words) else {
            let receipt = acknowledgement::is_one(said.text);
            if receipt {
                return said.group.is_none().then(|| "好的。目前没有等您回执的通知。".to_owned());
            }
            // In a group it may be an advertisement that only pretends to ask something.
            let asks = said.group.is_none()
                || said.channel == Channel::Bot && self.moderation.look(said.text, false).verdict == Verdict::Clean;
            let hint = "没看懂这条指令。发送「帮助」看看能做什么。";
            return (asks && self.answered.may_hint(said.by, self.clock.now())).then(|| hint.to_owned());
        };
        words.remove(0);
        let mut group = self.group_of(&said, named, command.action());
        if group.is_none()
            && named.is_none()
            && let Some(number) = words.first().filter(|word| words::is_case(word))
            && let Ok(Some(case)) = self.store.case(&words::case(number)).await
        {
            group = Some(self.groups.get(&case.group)); // a record has its group
        }
        let actor = Actor::member(said.by, &self.escalation, Face::Chat);
        // Whoever named a group goes on speaking of it for a while; the answer says so.
        let mut goes_on = None;
        if said.group.is_none() {
            match (&group, named) {
                (Some(group), Some(_)) => self.last_group.named(said.by, group.id(), self.clock.now()),
                (None, None) if command.action().is_some() && !command.is_at_large() => {
                    goes_on = self.last_group.of(said.by, self.clock.now()).map(|id| self.groups.get(&id));
                    group.clone_from(&goes_on);
                }
                _ => {}
            }
        }
        // Which group is meant must be known, except where a command is about several.
        if let Some(action) = command.action()
            && group.is_none()
            && !(command.is_at_large() && named.is_none())
        {
            let may = |action: Action| move |group: &Group| self.may(said.by, action, group);
            return Some(if self.leads(said.by) {
                self.which_group(said.text, may(Action::PublishNotice))
            } else if self.groups.all().iter().any(|group| may(action)(group)) {
                self.which_group(said.text, may(action))
            } else {
                actor.refusal(access::Denied::Role).text
            });
        }
        if command.is_at_large() && said.group.is_some() {
            return Some("请私信我发送这条指令，以免误发。".into());
        }
        let spoken_in = said.group.map(|id| self.groups.get(id));
        let privately = spoken_in.as_deref().filter(|_| command.personal()).is_some_and(|g| self.reaches(g, said.by));
        let public = said.group.is_some() && !privately;
        let call = Call { commands: self, actor, group, public, words, text: said.text, quote: said.quote };
        let answered = match command.run(&call).await {
            Ok(answer) | Err(ActError::Refused(Refusal { text: answer, .. }))
                if self.answered.again(&said, &answer, self.clock.now()) =>
            {
                return None;
            }
            Ok(answer) | Err(ActError::Refused(Refusal { text: answer, .. })) if privately => {
                self.tell(&said, &answer).await.map(|()| command.in_group().to_owned())
            }
            Ok(answer) => Ok(answer),
            Err(ActError::Refused(refusal)) => Ok(refusal.text),
            Err(ActError::Store(error)) => Err(error),
        };
        let answered = answered.map(|answer| match &goes_on {
            Some(group) => format!("（{}）{answer}", group.name()),
            None => answer,
        });
        Some(answered.unwrap_or_else(|error| {
            tracing::error!(%error, command = command.names()[0], "a command failed");
            "暂时处理不了，请稍后再试。".into()
        }))
    }

    /// Can this person do it in the group? That tells which group is meant.
    fn may(&self, by: &MemberId, action: Action, group: &Group) -> bool {
        access::may(&Actor::member(by, &self.escalation, Face::Chat).who, action, Some(group)).is_ok()
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
    async fn tell(&self, said: &Utterance<'_>, answer: &str) -> Result<(), StoreError> {
        let now = self.clock.now();
        let words: String = said.text.chars().take(40).collect();
        let id = format!("answer-{}-{}-{words}", said.by, now.as_millisecond());
        let tell = Tell::text(vec![said.by.clone()], answer.to_owned());
        let tasks = outgoing::tell(&id, &GroupId::from(""), now, &tell);
        self.store.commit(Commit { tasks, ..Commit::default() }).await?;
        self.moderation.ring();
        Ok(())
    }

    /// The group a command is about: named (the beginning of a name is enough where it means one group), spoken in, or the
    /// only one the person decides in, is a member of, or was one of.
    fn group_of(&self, said: &Utterance<'_>, named: Option<&str>, action: Option<Action>) -> Option<Arc<Group>> {
        let all = self.groups.all();
        let only = |wanted: &dyn Fn(&Group) -> bool| {
            let mut found = all.iter().filter(|g| wanted(g));
            found.next().filter(|_| found.next().is_none()).cloned()
        };
        if let Some(name) = named {
            let whole = all.iter().find(|g| g.name() == name || g.id().as_str() == name).cloned();
            return whole.or_else(|| only(&|g| !name.is_empty() && g.name().starts_with(name)));
        }
        if let Some(id) = said.group {
            return Some(self.groups.get(id));
        }
        only(&|g| self.may(said.by, Action::PublishNotice, g))
            .or_else(|| only(&|g| g.learned.members.contains_key(said.by)))
            .or_else(|| only(&|g| action.is_some_and(|action| self.may(said.by, action, g))))
            .or_else(|| only(&|g| action.is_none() && g.learned.gone.contains_key(said.by)))
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
            "@群管\n帮助",
            "@群管 ／帮助",
            "@群管 /help",
            "@群管 「帮助一下」",
            "@群管 帮助 一下",
            "@群管 你好，帮助",
            "@群管\n您好！\n我的状态",
            "@群管 我要举报 加我领红包",
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
    fn the_name_is_cut() {
        for (text, own) in [
            ("@群管 帮助", "帮助"),
            ("群管，帮助", "帮助"),
            ("小管家 帮助", "帮助"),
            ("群管", "群管"),
            ("群管，大家好", "群管，大家好"),
            ("陈敏，帮助", "陈敏，帮助"),
            ("禁言 @群管 30m", "禁言 @群管 30m"),
        ] {
            assert_eq!(without_call(text, &["小管家".to_owned(), "群管".to_owned()]), own, "{text}");
        }
        assert_eq!(without_name("@群管 我的状态", &[]), "我的状态");
        assert_eq!(without_name("@群管 助手 我的状态", &[]), "我的状态");
        assert_eq!(without_name("@群管\u{2005}大家好 呀", &[]), "大家好 呀");
        assert_eq!(without_name("我的状态", &[]), "我的状态");
        assert_eq!(without_name("@群管", &[]), "@群管");
        assert_eq!(without_name("我的状态 @群管", &["群管".to_owned()]), "我的状态");
        assert_eq!(without_name("@新名字 我的状态", &["群管".to_owned()]), "我的状态");
    }
}
