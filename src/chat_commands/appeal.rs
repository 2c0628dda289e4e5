//! 申诉 8F2K 理由: asks for another look at a case. Deciders answer with 申诉 8F2K 成立 / 不成立.

use async_trait::async_trait;

use super::{Call, Command, words};
use crate::{model::UserError, refusal::ActError};

/// The command.
pub struct Appeal;

#[async_trait]
impl Command for Appeal {
    fn names(&self) -> &'static [&'static str] {
        &["申诉", "/appeal"]
    }
    fn usage(&self) -> &'static str {
        "申诉 编号 理由"
    }
    fn help(&self) -> &'static str {
        "对一条违规记录提出异议，由另一位管理者处理"
    }
    fn personal(&self) -> bool {
        true
    }
    fn fits(&self, typed: &[&str]) -> bool {
        typed.first().is_some_and(|word| words::is_case(word))
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let Some(case) = call.words.first().map(|word| words::case(word)) else {
            return Err(Call::usage(self).into());
        };
        let verdict = match call.words.get(1).copied() {
            Some("成立") => Some(true),
            Some("不成立") => Some(false),
            _ => None,
        };
        let cases = &call.commands.cases;
        if let (Some(upheld), Some(member)) = (verdict, cases.member_of(&case).await?)
            && !call.actor.is(&member)
        {
            let reason = call.words.get(2..).unwrap_or_default().join(" ");
            cases.answer_appeal(&call.actor, &case, upheld, &reason).await?;
            return Ok(words::appeal_answered(&case, upheld));
        }
        let reason = call.words.get(1..).unwrap_or_default().join(" ");
        if reason.is_empty() {
            return Err(UserError::new(format!("请说明理由，例如：申诉 {case} 这是客户要求的报价")).into());
        }
        Ok(cases.open_appeal(&call.actor, &case, &reason).await?.answer)
    }
}
