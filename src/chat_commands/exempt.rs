//! 豁免 and 授权广告: for a while somebody's messages are not judged, or their advertisements are welcome.

use async_trait::async_trait;

use super::{Call, Command, words};
use crate::{
    access::Action,
    model::{MemberId, Timestamp},
    orders::Term,
    refusal::ActError,
    zh,
};

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
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let (member, term) = target(self, call)?;
        let until = call.commands.orders.exempt(&call.actor, call.group()?, &member, term).await?;
        answer(call, &member, until, "不再处理")
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
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let (member, term) = target(self, call)?;
        let until = call.commands.orders.permit_ads(&call.actor, call.group()?, &member, term).await?;
        answer(call, &member, until, "可以发广告")
    }
}

/// Whom, and for how long.
fn target(command: &dyn Command, call: &Call<'_>) -> Result<(MemberId, Term), ActError> {
    let Some(word) = call.words.first() else { return Err(Call::usage(command).into()) };
    let member = words::member(call.group()?, word)?;
    Ok((member, words::term(&call.words[1..])?))
}

fn answer(call: &Call<'_>, member: &MemberId, until: Option<Timestamp>, effect: &str) -> Result<String, ActError> {
    let name = call.group()?.member_name(member);
    Ok(match until {
        Some(until) => format!("{name}：{} 之前{effect}。", zh::when(until, call.commands.clock.now())),
        None => format!("{name}：已恢复平常处理。"),
    })
}
