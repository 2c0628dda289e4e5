//! 我的状态: a member's own standing, word for word what the bot counts; asked in private without a group, of every group.

use async_trait::async_trait;

use super::{Call, Command, words};
use crate::{
    access::Action,
    cases::appeal::AppealState,
    model::{Timestamp, UserError},
    policy::MemberState,
    refusal::ActError,
    standing::{InEffect, Standing},
    zh,
};

/// The command.
pub struct Status;

#[async_trait]
impl Command for Status {
    fn names(&self) -> &'static [&'static str] {
        &["我的状态", "状态", "/status"]
    }
    fn usage(&self) -> &'static str {
        "我的状态"
    }
    fn help(&self) -> &'static str {
        "看看自己有没有记分、何时失效（群主和管理员：状态 某人）"
    }
    fn personal(&self) -> bool {
        true
    }
    fn fits(&self, typed: &[&str]) -> bool {
        typed.len() < 2 && typed.iter().all(|word| word.starts_with(words::AT))
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        if let Some(word) = call.words.first() {
            return of_somebody(call, word).await;
        }
        let (standings, by) = (&call.commands.standings, call.by()?);
        let mut groups: Vec<_> = call.group.iter().cloned().collect();
        if groups.is_empty() {
            groups = standings.groups_of(by).await?;
        }
        if groups.is_empty() {
            call.group()?;
        }
        let now = call.commands.clock.now();
        let mut answers = Vec::with_capacity(groups.len());
        let mut counted = false;
        for group in &groups {
            let standing = standings.of(&call.actor, group.id(), by).await?;
            counted |= standing.strikes.iter().any(|strike| strike.live);
            answers.push(told("您", &standing, now));
        }
        if counted {
            answers.push("如有异议，发送「申诉 编号 理由」。".into());
        }
        Ok(answers.join("\n"))
    }
}

/// 状态 某人: how somebody else stands, in each group that whoever asks leads.
async fn of_somebody(call: &Call<'_>, word: &str) -> Result<String, ActError> {
    let groups = match &call.group {
        Some(group) => vec![group.clone()],
        None => call.commands.groups.all(),
    };
    let now = call.commands.clock.now();
    let mut answers = Vec::new();
    let mut leads = false;
    for group in groups.iter().filter(|group| call.may(Action::ReadCase, group)) {
        leads = true;
        let Ok(member) = words::member_or_gone(group, word) else { continue };
        let standing = call.commands.standings.of(&call.actor, group.id(), &member).await?;
        answers.push(told(group.member_name(&member), &standing, now));
    }
    if !leads {
        return Err(UserError::new("只有群主和管理员可以看别人的状态；看自己的请发：我的状态").into());
    }
    if answers.is_empty() {
        return Err(
            UserError::new(format!("没有找到「{}」，请写全名或账号", word.trim_start_matches(words::AT))).into()
        );
    }
    Ok(answers.join("\n"))
}

/// The standing in one group, in words.
fn told(who: &str, standing: &Standing, now: Timestamp) -> String {
    let mut answer = format!("{who}在「{}」：", standing.group);
    answer.push_str(&match standing.state {
        MemberState::Muted { until } if until > now => format!("禁言至 {}", zh::when(until, now)),
        MemberState::Normal | MemberState::Muted { .. } => "可以正常发言".to_owned(),
        MemberState::Removed => "已被移出（想回群可以申诉，或请群主重新邀请）".to_owned(),
        MemberState::Banned => "已被移出，不再邀请（如有异议可以申诉）".to_owned(),
    });
    let unit = standing.unit.zh();
    let mut live = standing.strikes.iter().filter(|strike| strike.live).peekable();
    if live.peek().is_some() {
        answer.push_str(&format!("，当前 {} {unit}。", standing.live_points));
    } else {
        answer.push_str("，没有记分。");
    }
    for strike in live {
        let what = strike.reason.as_deref().unwrap_or_else(|| strike.category.zh());
        let expires = zh::when(strike.expires_at, now);
        let appeal = match strike.appeal {
            None => "",
            Some(AppealState::Open) => "，申诉处理中",
            Some(AppealState::Refused) => "，申诉未成立",
            Some(AppealState::Upheld) => "，申诉成立",
        };
        answer.push_str(&format!("\n· {}：{what}，{} {unit}，{expires} 失效{appeal}", strike.case, strike.points));
    }
    for order in &standing.orders {
        let line = match order {
            InEffect::Immune(role) => format!("{who}是{}，按策略豁免，不记分", role.zh()),
            InEffect::Exempt(until) => format!("豁免：{} 之前{who}的消息不处理", zh::when(*until, now)),
            InEffect::AdsPermitted(until) => format!("授权：{} 之前可以发广告", zh::when(*until, now)),
            InEffect::Strict(until) => format!("本群严管：{} 之前从严处理", zh::when(*until, now)),
        };
        answer.push_str(&format!("\n· {line}"));
    }
    answer
}
