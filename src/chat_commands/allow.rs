//! 放行 编号, 放行列表, 取消放行 编号: sentences that were declared harmless and pass from now on.

use async_trait::async_trait;

use super::{Call, Command, words};
use crate::{access::Action, cases::allow::Where, refusal::ActError, zh};

/// Sentences in one answer.
const SHOWN: usize = 10;
/// Characters of a sentence.
const LONGEST: usize = 40;

/// 放行.
pub struct Allow;
/// 放行列表.
pub struct List;
/// 取消放行.
pub struct End;

#[async_trait]
impl Command for Allow {
    fn names(&self) -> &'static [&'static str] {
        &["放行", "/allow"]
    }
    fn usage(&self) -> &'static str {
        "放行 编号（或：放行 编号 全公司）"
    }
    fn help(&self) -> &'static str {
        "记为误判的那句话，以后在本群不再提醒，90 天后失效"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::DecideCase)
    }
    fn fits(&self, typed: &[&str]) -> bool {
        typed.first().is_some_and(|word| words::is_case(word))
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let Some(id) = call.words.first().map(|word| words::case(word)) else {
            return Err(Call::usage(self).into());
        };
        let (mut place, mut length) = (Where::Here, None);
        for word in &call.words[1..] {
            match words::without_end(word) {
                "全公司" => place = Where::Everywhere,
                "本群" => place = Where::Here,
                word => length = Some(words::duration(word)?),
            }
        }
        let until = call.commands.cases.allow(&call.actor, &id, place, length).await?;
        let allowed = words::allowed(place, until, call.commands.clock.now());
        Ok(format!("{id} 的那句话{allowed}，一字不差才算。要收回请发：取消放行 {id}"))
    }
}

#[async_trait]
impl Command for List {
    fn names(&self) -> &'static [&'static str] {
        &["放行列表", "/allowed"]
    }
    fn usage(&self) -> &'static str {
        "放行列表"
    }
    fn help(&self) -> &'static str {
        "看看哪些话放行了、谁放的、到什么时候"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::DecideCase)
    }
    fn personal(&self) -> bool {
        true
    }
    fn fits(&self, typed: &[&str]) -> bool {
        typed.is_empty()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let group = call.group()?;
        if call.public {
            return Err(crate::model::UserError::new("请私信我发送「放行列表」，不在群里公开。").into());
        }
        let all = call.commands.cases.allowed(&call.actor, Some(group)).await?;
        if all.is_empty() {
            return Ok(format!("「{}」没有放行的句子。", group.name()));
        }
        let now = call.commands.clock.now();
        let mut answer = format!("「{}」放行的句子：", group.name());
        for allowed in all.iter().take(SHOWN) {
            let text: String = allowed.text.lines().next().unwrap_or_default().chars().take(LONGEST).collect();
            let text = if allowed.category.is_leak() { zh::masked(&text) } else { text };
            let place = if allowed.pass.group.is_some() { "本群" } else { "全公司" };
            let until = allowed.pass.until.map_or_else(|| "没有期限".into(), |at| format!("至{}", zh::when(at, now)));
            let by = crate::model::MemberId::new(&allowed.pass.by);
            let by = group.member_name(&by);
            answer.push_str(&format!("\n· {}「{text}」：{place}，{until}，{by}放行", allowed.case));
            if let Some(note) = allowed.note {
                answer.push_str(&format!("（{note}）"));
            }
        }
        if all.len() > SHOWN {
            answer.push_str(&format!("\n还有 {} 条。", all.len() - SHOWN));
        }
        answer.push_str("\n收回请发：取消放行 编号");
        Ok(answer)
    }
}

#[async_trait]
impl Command for End {
    fn names(&self) -> &'static [&'static str] {
        &["取消放行", "/disallow"]
    }
    fn usage(&self) -> &'static str {
        "取消放行 编号"
    }
    fn help(&self) -> &'static str {
        "那句话又照常判断"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::DecideCase)
    }
    fn fits(&self, typed: &[&str]) -> bool {
        matches!(typed, [word] if words::is_case(word))
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let Some(id) = call.words.first().map(|word| words::case(word)) else {
            return Err(Call::usage(self).into());
        };
        call.commands.cases.end_allowance(&call.actor, &id).await?;
        Ok(format!("{id} 的那句话不再放行，照常判断。"))
    }
}
