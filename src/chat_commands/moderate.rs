//! 警告, 解除警告, 禁言, 解除禁言, 移出: what an owner or admin does by hand. The record says who did it.

use async_trait::async_trait;

use super::{Call, Command, words};
use crate::{
    access::Action,
    capability::Provider,
    cases::Sanction,
    model::{MemberId, SignedDuration, Step, UserError},
    refusal::ActError,
    store::Case,
    zh,
};

/// 警告.
pub struct Warn;
/// 解除警告.
pub struct Unwarn;
/// 禁言.
pub struct Mute;
/// 解除禁言.
pub struct Unmute;
/// 移出.
pub struct Remove;

/// The last word of a removal that is meant.
const SURE: &str = "确认";

fn target(call: &Call<'_>, command: &dyn Command) -> Result<MemberId, UserError> {
    let Some(word) = call.words.first() else { return Err(Call::usage(command)) };
    words::member(call.group()?, word)
}

async fn punish(
    call: &Call<'_>,
    member: &MemberId,
    step: Step,
    length: Option<SignedDuration>,
    reason: &str,
) -> Result<String, ActError> {
    let group = call.group()?;
    let done = call.commands.cases.punish(&call.actor, group, Sanction { member, step, length, reason }).await?;
    let (case, name) = (done.case, group.member_name(member));
    // How long a mute lasts is said, also where nobody said it; and once what it is in a group that the app made.
    let how = match (done.length, done.by) {
        (Some(length), Some(Provider::Api)) => {
            format!("禁言 {}（本群是暂时移出，到时自动拉回）", zh::length(length))
        }
        (Some(length), _) => format!("禁言 {}", zh::length(length)),
        (None, _) => step.zh().to_owned(),
    };
    let step = how;
    Ok(match done.by {
        Some(Provider::Api) => format!("已记录（{case}），对「{name}」的{step}正在执行。"),
        Some(Provider::Person) => format!("已记录（{case}），对「{name}」的{step}要在企业微信里操作，已发卡片给群主。"),
        Some(Provider::Simulated) | None => format!("已记录（{case}），目前只观察，对「{name}」的{step}不会执行。"),
    })
}

#[async_trait]
impl Command for Warn {
    fn names(&self) -> &'static [&'static str] {
        &["警告", "/warn"]
    }
    fn usage(&self) -> &'static str {
        "警告 @成员 原因"
    }
    fn help(&self) -> &'static str {
        "提醒一位成员并记分"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::Punish)
    }
    fn fits(&self, words: &[&str]) -> bool {
        !words.is_empty()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let member = target(call, self)?;
        punish(call, &member, Step::Warn, None, &call.words[1..].join(" ")).await
    }
}

#[async_trait]
impl Command for Mute {
    fn names(&self) -> &'static [&'static str] {
        &["禁言", "/mute"]
    }
    fn usage(&self) -> &'static str {
        "禁言 @成员 30m 原因"
    }
    fn help(&self) -> &'static str {
        "一段时间内不能发言（应用群里会移出、到时拉回）"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::Punish)
    }
    fn fits(&self, words: &[&str]) -> bool {
        !words.is_empty()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let member = target(call, self)?;
        let length = words::length(&call.words[1..])?;
        let reason = call.words[1 + length.map_or(0, |(_, taken)| taken)..].join(" ");
        let length = length.map(|(length, _)| length);
        punish(call, &member, Step::Mute, length, &reason).await
    }
}

/// Asks whether somebody is really to be removed.
fn confirm(call: &Call<'_>, member: &MemberId, reason: &[&str]) -> Result<String, ActError> {
    let group = call.group()?;
    let name = group.member_name(member);
    let reason = if reason.is_empty() { String::new() } else { format!("{} ", reason.join(" ")) };
    Ok(format!("将把「{name}」移出「{}」。真的移出请发：移出 {name} {reason}{SURE}；不回复就保留。", group.name()))
}

#[async_trait]
impl Command for Remove {
    fn names(&self) -> &'static [&'static str] {
        &["移出", "/remove", "/kick"]
    }
    fn usage(&self) -> &'static str {
        "移出 @成员 原因"
    }
    fn help(&self) -> &'static str {
        "请出群聊"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::Punish)
    }
    fn fits(&self, words: &[&str]) -> bool {
        !words.is_empty()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let member = target(call, self)?;
        // Nobody is thrown out by a slip of the finger.
        let [_, reason @ .., last] = call.words.as_slice() else { return confirm(call, &member, &[]) };
        if words::without_end(last) != SURE {
            return confirm(call, &member, &call.words[1..]);
        }
        punish(call, &member, Step::Remove, None, &reason.join(" ")).await
    }
}

/// The case that is meant: by its number, or the only one of a member that still counts.
async fn meant(call: &Call<'_>, word: &str) -> Result<Case, ActError> {
    let (group, cases) = (call.group()?, &call.commands.cases);
    if let Some(case) = cases.of_group(&call.actor, group, &words::case(word)).await? {
        return Ok(case);
    }
    let Ok(member) = words::member(group, word) else {
        let what = word.trim_start_matches(['@', '#']);
        return Err(UserError::new(format!("「{}」没有编号或成员「{what}」", group.name())).into());
    };
    cases.only_live(&call.actor, group, &member).await
}

#[async_trait]
impl Command for Unwarn {
    fn names(&self) -> &'static [&'static str] {
        &["解除警告", "/unwarn"]
    }
    fn usage(&self) -> &'static str {
        "解除警告 编号（或 @成员）"
    }
    fn help(&self) -> &'static str {
        "撤销一条违规记录"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::DecideCase)
    }
    fn fits(&self, typed: &[&str]) -> bool {
        typed.first().is_some_and(|word| words::is_case(word) || word.starts_with('@'))
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let Some(word) = call.words.first() else { return Err(Call::usage(self).into()) };
        let id = &meant(call, word).await?.id;
        let case = call.commands.cases.revoke(&call.actor, id).await?;
        let teach = format!("如果这句话本来没问题，请发送「误判 {id}」。");
        Ok(format!("记录 {id} 已撤销。{}", if case.by_hand() { "" } else { &teach }))
    }
}

#[async_trait]
impl Command for Unmute {
    fn names(&self) -> &'static [&'static str] {
        &["解除禁言", "/unmute"]
    }
    fn usage(&self) -> &'static str {
        "解除禁言 @成员"
    }
    fn help(&self) -> &'static str {
        "提前结束禁言，记分保留"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::Order)
    }
    fn fits(&self, words: &[&str]) -> bool {
        !words.is_empty()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let group = call.group()?;
        let Some(word) = call.words.first() else { return Err(Call::usage(self).into()) };
        // A muted member may be out of the group, so the record answers where the member list does not.
        let member = words::member(group, word).unwrap_or_else(|_| MemberId::from(word.trim_start_matches('@')));
        call.commands.orders.end_mute(&call.actor, group, &member).await?;
        let now = call.commands.clock.now();
        Ok(format!("「{}」的禁言提前结束（{}）。", group.member_name(&member), zh::when(now, now)))
    }
}
