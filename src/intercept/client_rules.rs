//! The wordlists for WeCom's own 防骚扰, which customer groups have and no API reaches: people paste the words into its rules.
//! It warns or removes by itself, and is the only thing that removes anybody from a customer group without a hand.

use std::fmt::Write;

use super::Choice;

/// Words in one rule.
const WORDS: usize = 100;

/// How to enter them.
const HOW: &str = "\
在企业微信里把这些词填进“防骚扰”，客户群里说了这些话的人会被自动提醒或移出（群管自己做不到）：
1. 手机上：工作台 → 客户群 → 防骚扰；管理后台：客户与上下游 → 客户联系 → 安全管控 → 防骚扰。
2. 新建规则，名字照下面的写，把这一条的词粘贴到关键词里（一条规则最多 100 个词），选“警告”或“移出群聊”。
3. 移出时勾选“加入群聊黑名单”：之后这个人进不了公司的任何客户群，只有这样才拦得住再进群。
词表改了要重新导出、重新粘贴；组合词、谐音和拆字的写法仍由群管识别。
";

/// What to read and paste, one rule after the other; one line if there is nothing to paste.
pub fn for_harassment(choice: &Choice) -> String {
    if choice.words.values().all(std::collections::BTreeSet::is_empty) {
        return "没有可以填的词：单独出现就足以处置的纯词，这里一个也没有。\n".to_owned();
    }
    let mut text = HOW.to_owned();
    for (category, words) in &choice.words {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let parts = words.chunks(WORDS);
        let several = parts.len() > 1;
        for (number, part) in parts.enumerate() {
            let number = if several { format!("{}", number + 1) } else { String::new() };
            let _ = write!(text, "\n【群管-{}{number}】{} 个词\n{}\n", category.zh(), part.len(), part.join("\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Category;

    #[test]
    fn no_rule_has_more_than_a_hundred_words_and_none_is_lost() {
        let words = (0..230).map(|n| format!("词语{n:03}")).collect();
        let choice = Choice {
            words: [(Category::Ads, words), (Category::Gambling, ["澳门赌场".to_owned()].into())].into(),
            ..Choice::default()
        };
        let text = for_harassment(&choice);
        let rules: Vec<&str> = text.lines().filter(|line| line.starts_with('【')).collect();
        assert_eq!(
            rules,
            [
                "【群管-广告引流1】100 个词",
                "【群管-广告引流2】100 个词",
                "【群管-广告引流3】30 个词",
                "【群管-赌博】1 个词"
            ]
        );
        assert_eq!(text.lines().filter(|line| line.starts_with("词语")).count(), 230);
        assert!(text.starts_with("在企业微信里") && text.contains("加入群聊黑名单"));
        assert!(for_harassment(&Choice::default()).starts_with("没有可以填的词"), "no instructions for nothing");
    }
}
