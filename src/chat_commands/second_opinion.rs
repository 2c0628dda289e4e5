//! 第二意见: month by month, how often the model was asked, what it said, and how often people agreed.

use async_trait::async_trait;

use super::{Call, Command};
use crate::{
    access::{self, Action},
    refusal::ActError,
    second_opinion::ledger::{self, Month},
};

/// Months that are told.
const MONTHS: usize = 6;

/// The command.
pub struct SecondOpinion;

#[async_trait]
impl Command for SecondOpinion {
    fn names(&self) -> &'static [&'static str] {
        &["第二意见", "/opinion"]
    }
    fn usage(&self) -> &'static str {
        "第二意见"
    }
    fn help(&self) -> &'static str {
        "大模型看过多少消息，和人的结论一致多少"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::DecideCase)
    }
    fn personal(&self) -> bool {
        true
    }
    fn fits(&self, words: &[&str]) -> bool {
        words.is_empty()
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let group = call.group()?;
        access::ask(&call.actor, Action::DecideCase, Some(group))?;
        let months = ledger::months(call.commands.store.as_ref()).await?;
        let mut lines: Vec<String> = months
            .into_iter()
            .filter(|(_, of, _)| of == group.id())
            .map(|(month, _, count)| format!("· {month}：{}", told(&count)))
            .collect();
        if lines.is_empty() {
            return Ok(format!("「{}」还没有征求过第二意见。", group.name()));
        }
        let skipped = lines.len().saturating_sub(MONTHS);
        lines.drain(..skipped);
        Ok(format!("「{}」的第二意见：\n{}", group.name(), lines.join("\n")))
    }
}

/// A month in one line.
fn told(month: &Month) -> String {
    let mut line = format!(
        "问 {} 次，说违规 {}、没有违规 {}、不确定 {}，没有答上来 {}",
        month.asked, month.violation, month.fine, month.unsure, month.no_answer
    );
    for (count, what) in
        [(month.acted, "直接处理"), (month.waved_through, "没有再请人看"), (month.brought, "读出来请人看")]
    {
        if count > 0 {
            line.push_str(&format!("；{what} {count} 条"));
        }
    }
    let (agreed, judged) = month.agreement();
    if let Some(percent) = (agreed * 100).checked_div(judged) {
        line.push_str(&format!("；人下过结论的 {judged} 条里一致 {agreed} 条（{percent}%）"));
        for (wrong, what) in
            [(month.violation_disagreed, "它说违规、人说不是"), (month.fine_disagreed, "它说没有、人说违规")]
        {
            if wrong > 0 {
                line.push_str(&format!("，{what} {wrong} 条"));
            }
        }
    } else {
        line.push_str("；还没有人下过结论");
    }
    if month.cost_micros > 0 {
        line.push_str(&format!("；花费 {:.2}", month.cost_micros as f64 / 1e6));
    }
    line.push('。');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_one_sentence() {
        let mut month = Month { asked: 9, violation: 3, fine: 4, unsure: 1, no_answer: 1, ..Month::default() };
        assert_eq!(told(&month), "问 9 次，说违规 3、没有违规 4、不确定 1，没有答上来 1；还没有人下过结论。");
        month = Month { acted: 2, violation_agreed: 2, fine_disagreed: 1, cost_micros: 1_234_567, ..month };
        assert_eq!(
            told(&month),
            "问 9 次，说违规 3、没有违规 4、不确定 1，没有答上来 1；直接处理 2 条；人下过结论的 3 条里一致 2 条（66%），它说没有、人说违规 1 条；花费 1.23。"
        );
    }
}
