//! 豁免 and 授权广告: for a while somebody's messages are not judged, or their advertisements are welcome.

use async_trait::async_trait;

use super::{Call, Command, CommandError, words};
use crate::{
    access::Action,
    groups::Orders,
    model::{MemberId, SignedDuration, Timestamp},
    wording,
};

/// Without a duration an order holds so long.
const DEFAULT: SignedDuration = SignedDuration::from_hours(24);

/// 豁免.
pub struct Exempt;
/// 授权广告.
pub struct PermitAds;

#[async_trait]
impl Command for Exempt {
    fn names(&self) -> &'static [&'static str] {
        &["豁免", "/exempt"]
    }
    fn usage(&self) -> &'static str {
        "豁免 @成员 2h（或：豁免 @成员 结束）"
    }
    fn help(&self) -> &'static str {
        "一段时间内不处理该成员的消息"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::Order)
    }
    fn fits(&self, words: &[&str]) -> bool {
        !words.is_empty()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        order(self, call, "不再处理", |orders, member, until| set(&mut orders.exempt, member, until)).await
    }
}

#[async_trait]
impl Command for PermitAds {
    fn names(&self) -> &'static [&'static str] {
        &["授权广告", "/permit-ads"]
    }
    fn usage(&self) -> &'static str {
        "授权广告 @成员 2h（或：授权广告 @成员 结束）"
    }
    fn help(&self) -> &'static str {
        "一段时间内允许该成员发广告"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::Order)
    }
    fn fits(&self, words: &[&str]) -> bool {
        !words.is_empty()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        order(self, call, "可以发广告", |orders, member, until| set(&mut orders.ads_permitted, member, until)).await
    }
}

fn set(map: &mut std::collections::BTreeMap<MemberId, Timestamp>, member: &MemberId, until: Option<Timestamp>) {
    match until {
        Some(until) => map.insert(member.clone(), until),
        None => map.remove(member),
    };
}

async fn order(
    command: &dyn Command,
    call: &Call<'_>,
    effect: &str,
    edit: fn(&mut Orders, &MemberId, Option<Timestamp>),
) -> Result<String, CommandError> {
    let group = call.group()?;
    let now = call.desk.clock.now();
    let Some(word) = call.words.first() else { return Err(Call::usage(command).into()) };
    let member = words::member(group, word)?;
    let until = match call.words.get(1).copied() {
        Some(word) if words::ends(word) => None,
        Some(word) => Some(now + words::duration(word)?),
        None => Some(now + DEFAULT),
    };
    let name = group.member_name(&member).to_owned();
    let whom = member.clone();
    call.desk.groups.learn(group.id(), move |learned| edit(&mut learned.orders, &whom, until)).await?;
    Ok(match until {
        Some(until) => format!("{name}：{} 之前{effect}。", wording::when(until, now)),
        None => format!("{name}：已恢复平常处理。"),
    })
}
