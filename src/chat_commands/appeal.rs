//! 申诉 8F2K 理由: asks for another look at a case. Deciders answer with 申诉 8F2K 成立 / 不成立.

use async_trait::async_trait;

use super::{Call, Command, CommandError, words};
use crate::{access::Action, model::UserError};

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
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let Some(case) = call.words.first().map(|word| words::case(word)) else {
            return Err(Call::usage(self).into());
        };
        let verdict = match call.words.get(1).copied() {
            Some("成立") => Some(true),
            Some("不成立") => Some(false),
            _ => None,
        };
        if let (Some(upheld), Some(found)) = (verdict, call.desk.store.case(&case).await?)
            && found.member != *call.by
        {
            let group = call.desk.groups.get(&found.group);
            if !call.may(Action::AnswerAppeal, &group) {
                return Err(UserError::new("只有群主和管理员可以处理申诉").into());
            }
            let reason = call.words.get(2..).unwrap_or_default().join(" ");
            return Ok(call.desk.appeals.answer(&case, call.by, upheld, &reason).await?);
        }
        let reason = call.words.get(1..).unwrap_or_default().join(" ");
        if reason.is_empty() {
            return Err(UserError::new(format!("请说明理由，例如：申诉 {case} 这是客户要求的报价")).into());
        }
        Ok(call.desk.appeals.open(call.by, &case, &reason).await?.answer)
    }
}
