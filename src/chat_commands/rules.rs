//! 群规: the rules in force in the group, clause by clause, and how violations are handled.

use async_trait::async_trait;

use super::{Call, Command};
use crate::{model::Mode, policy::explain, refusal::ActError, zh};

/// The command.
pub struct RulesOfGroup;

#[async_trait]
impl Command for RulesOfGroup {
    fn names(&self) -> &'static [&'static str] {
        &["群规", "/rules"]
    }
    fn usage(&self) -> &'static str {
        "群规"
    }
    fn help(&self) -> &'static str {
        "看看群里的规矩"
    }
    fn fits(&self, words: &[&str]) -> bool {
        words.is_empty()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let group = call.group()?;
        let rules = call.commands.rules.get_full();
        let mut answer = format!("「{}」的群规：", group.name());
        let before = answer.len();
        let now = call.commands.clock.now();
        for rulebook in rules.rulebooks_of(group, now) {
            for clause in &rulebook.clauses {
                answer.push_str(&format!("\n{} {}", clause.cite, clause.text));
            }
            if let Some(next) = rules.lived.coming(group.id(), &rulebook.name, now).filter(|next| next.told) {
                answer.push_str(&format!("\n{} 起有改动：", zh::when(next.effective, now)));
                for change in next.rulebook.changes_since(&rulebook) {
                    answer.push_str(&format!("\n· {change}"));
                }
            }
        }
        if answer.len() == before {
            answer.push_str("\n不发广告引流，不刷屏，不辱骂，不泄露公司机密和他人信息，不发违法内容。");
        }
        if group.set.mode != Mode::Watch {
            let policy = rules.policy(group).for_group(group.id());
            answer.push_str(&format!("\n违规处理：{}", explain::ladder(policy)));
        }
        answer.push_str("\n对处理有异议，可发送「申诉 编号 理由」。");
        Ok(answer)
    }
}
