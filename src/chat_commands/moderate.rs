//! 警告, 解除警告, 禁言, 解除禁言, 移出: what an owner or admin does by hand. The record says who did it.

use async_trait::async_trait;

use super::{Call, Command, CommandError, words};
use crate::{
    access::Action,
    capability::{Act, Provider},
    groups::Group,
    model::{CaseId, MemberId, SignedDuration, Step, UserError},
    moderation::manual::Punishment,
    policy::MemberState,
    store::{Case, CaseQuery, CaseState},
    wording,
};

/// Without a duration a mute lasts so long.
const DEFAULT_MUTE: SignedDuration = SignedDuration::from_hours(2);

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
) -> Result<String, CommandError> {
    let group = call.group()?;
    let reason = if reason.trim().is_empty() { "管理者处理" } else { reason };
    let what = Punishment { step: Some((step, length)), reason, about: None, cause: None };
    let case = call.desk.moderation.punish(group, member, call.by, what).await?;
    let act = if step == Step::Warn { Act::Tell } else { Act::Move };
    let (name, step) = (group.member_name(member), step.zh());
    Ok(match call.desk.capabilities.load().provider(act, group, Some(member)) {
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
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
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
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let member = target(call, self)?;
        let (length, reason) = match call.words.get(1) {
            Some(word) if word.starts_with(|c: char| c.is_ascii_digit()) => {
                (words::duration(word)?, call.words[2..].join(" "))
            }
            _ => (DEFAULT_MUTE, call.words[1..].join(" ")),
        };
        punish(call, &member, Step::Mute, Some(length), &reason).await
    }
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
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let member = target(call, self)?;
        punish(call, &member, Step::Remove, None, &call.words[1..].join(" ")).await
    }
}

/// The case of a member who has only one that still counts.
async fn only_live_case(call: &Call<'_>, group: &Group, word: &str) -> Result<Case, CommandError> {
    let Ok(member) = words::member(group, word) else {
        let what = word.trim_start_matches(['@', '#']);
        return Err(UserError::new(format!("「{}」没有编号或成员「{what}」", group.name())).into());
    };
    let now = call.desk.clock.now();
    let standing = call.desk.store.member(group.id(), &member).await?.standing;
    let live: Vec<&CaseId> = standing.live_strikes(now).map(|strike| &strike.case).collect();
    let name = group.member_name(&member);
    match live[..] {
        [only] if let Some(case) = call.desk.store.case(only).await? => Ok(case),
        [] | [_] => Err(UserError::new(format!("「{name}」没有记分")).into()),
        _ => {
            let codes: Vec<&str> = live.iter().map(|id| id.as_str()).collect();
            Err(UserError::new(format!("「{name}」有 {} 条记录，请写编号：{}", live.len(), codes.join("、"))).into())
        }
    }
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
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let Some(word) = call.words.first() else { return Err(Call::usage(self).into()) };
        let group = call.group()?;
        let known = call.desk.store.case(&words::case(word)).await?.filter(|case| case.group == *group.id());
        let case = match known {
            Some(case) => case,
            None => only_live_case(call, group, word).await?,
        };
        let id = &case.id;
        call.desk.moderation.revoke(id, call.by.as_str(), "owner").await?;
        let teach = format!("如果这句话本来没问题，请发送「误判 {id}」，以后不再提醒。");
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
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let group = call.group()?;
        let Some(word) = call.words.first() else { return Err(Call::usage(self).into()) };
        // A muted member may be out of the group, so the record answers where the member list does not.
        let member = words::member(group, word).unwrap_or_else(|_| MemberId::from(word.trim_start_matches('@')));
        let now = call.desk.clock.now();
        let state = call.desk.store.member(group.id(), &member).await?.standing.state;
        if !matches!(state, MemberState::Muted { until } if until > now) {
            return Err(UserError::new(format!("「{}」没有被禁言", group.member_name(&member))).into());
        }
        let query = CaseQuery {
            group: Some(group.id().clone()),
            member: Some(member.clone()),
            state: Some(CaseState::Open),
            limit: 100,
            ..CaseQuery::default()
        };
        let cases = call.desk.store.cases(&query).await?;
        call.desk.moderation.end_mute(group, &member, call.by, &cases).await?;
        Ok(format!("「{}」的禁言提前结束（{}）。", group.member_name(&member), wording::when(now, now)))
    }
}
