//! 我的状态: a member's own standing, word for word what the bot counts; asked in private without a group, of every group.

use async_trait::async_trait;

use super::{Call, Command, CommandError};
use crate::{
    groups::Group,
    model::{MemberId, Timestamp},
    policy::{MemberState, Policy},
    wording,
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
        "看看自己有没有记分、何时失效"
    }
    fn personal(&self) -> bool {
        true
    }
    fn fits(&self, words: &[&str]) -> bool {
        words.is_empty()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let now = call.desk.clock.now();
        let mut groups: Vec<_> = call.group.iter().cloned().collect();
        if groups.is_empty() {
            for group in call.desk.groups.all() {
                // Of some groups WeCom tells nobody who is in them; whoever spoke there is on record.
                let listed = group.learned.members.contains_key(call.by);
                if listed || call.desk.store.member(group.id(), call.by).await?.version > 0 {
                    groups.push(group);
                }
            }
        }
        if groups.is_empty() {
            call.group()?;
        }
        let mut answers = Vec::with_capacity(groups.len());
        let mut counted = false;
        for group in &groups {
            let (answer, any) = Self::standing(call, group, now).await?;
            counted |= any;
            answers.push(answer);
        }
        if counted {
            answers.push("如有异议，发送「申诉 编号 理由」。".into());
        }
        Ok(answers.join("\n"))
    }
}

impl Status {
    /// The standing in one group, and whether anything counts.
    async fn standing(call: &Call<'_>, group: &Group, now: Timestamp) -> Result<(String, bool), CommandError> {
        let standing = call.desk.store.member(group.id(), call.by).await?.standing;
        let mut answer = format!("您在「{}」：", group.name());
        answer.push_str(&match standing.state {
            MemberState::Muted { until } if until > now => format!("禁言至 {}", wording::when(until, now)),
            MemberState::Normal | MemberState::Muted { .. } => "可以正常发言".to_owned(),
            MemberState::Removed => "已被移出".to_owned(),
            MemberState::Banned => "已被移出，不再邀请".to_owned(),
        });
        let rules = call.desk.rules.get_full();
        let policy = rules.policy(group).for_group(group.id());
        let mut any = false;
        for strike in standing.live_strikes(now) {
            if !any {
                answer.push_str(&format!("，当前 {} {}。", standing.live_points(now), policy.unit.zh()));
                any = true;
            }
            let case = call.desk.store.case(&strike.case).await?;
            let what = case
                .filter(|case| case.by_hand() && case.evidence.is_empty())
                .map(|case| case.rule)
                .filter(|reason| !reason.is_empty());
            answer.push_str(&format!(
                "\n· {}：{}，{} {}，{} 失效",
                strike.case,
                what.as_deref().unwrap_or_else(|| strike.category.zh()),
                strike.points,
                policy.unit.zh(),
                wording::when(strike.expires_at, now)
            ));
        }
        if !any {
            answer.push_str("，没有记分。");
        }
        for order in orders(policy, group, call.by, now) {
            answer.push_str(&format!("\n· {order}"));
        }
        Ok((answer, any))
    }
}

/// What else holds for the member in the group at the moment: immunity is never a secret of those who have it.
fn orders(policy: &Policy, group: &Group, member: &MemberId, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    let role = group.role(member);
    if policy.immune.roles.contains(&role) {
        lines.push(format!("您是{}，按策略豁免，不记分", role.zh()));
    }
    let orders = &group.learned.orders;
    let holds = |until: Option<&Timestamp>| until.filter(|until| **until > now).map(|until| wording::when(*until, now));
    if let Some(until) = holds(orders.exempt.get(member)) {
        lines.push(format!("豁免：{until} 之前您的消息不处理"));
    }
    if let Some(until) = holds(orders.ads_permitted.get(member)) {
        lines.push(format!("授权：{until} 之前可以发广告"));
    }
    if let Some(until) = holds(orders.strict_until.as_ref()) {
        lines.push(format!("本群严管：{until} 之前从严处理"));
    }
    lines
}
