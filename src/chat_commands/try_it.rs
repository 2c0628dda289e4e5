//! 试一试: what the bot would say of a sentence, answered in private. Nothing is recorded.

use async_trait::async_trait;

use super::{Call, Command};
use crate::{detect::Verdict, model::Category, refusal::ActError};

/// The command.
pub struct TryIt;

#[async_trait]
impl Command for TryIt {
    fn names(&self) -> &'static [&'static str] {
        &["试一试", "/try"]
    }
    fn usage(&self) -> &'static str {
        "试一试 一句话"
    }
    fn help(&self) -> &'static str {
        "看看一句话会不会被提醒（不记录）"
    }
    fn personal(&self) -> bool {
        true
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let text = if call.words.is_empty() { call.quote.unwrap_or_default().to_owned() } else { call.rest() };
        if text.is_empty() {
            return Err(Call::usage(self).into());
        }
        let place = call.group.as_deref().map(crate::groups::Group::id);
        let (report, passes) = call.commands.moderation.try_out(&text, place, false);
        if let Some(case) = passes {
            return Ok(format!("这句话没有问题：已按误判 {case} 放行。"));
        }
        let about = report.categories.iter().map(|c: &Category| c.zh()).collect::<Vec<_>>().join("、");
        Ok(match report.verdict {
            Verdict::Clean => "这句话没有问题。".into(),
            Verdict::Review => format!("这句话会请人看一看（可能涉及{about}），不会直接处理。"),
            Verdict::Act => format!("这句话会被判为{about}，按群规处理。"),
        })
    }
}
