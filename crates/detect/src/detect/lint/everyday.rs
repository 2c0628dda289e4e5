//! Own entries that everyday talk says too: alone they would ask or act wherever somebody says them. A second sign that the
//! entry needs (`需要=…`) helps.

use std::collections::HashMap;
use std::sync::Arc;

use super::{EVERYDAY, Level, Lint, all, remark};
use crate::detect::lexicon::{Document, Entry, Pattern};
use crate::detect::own::OwnRules;
use crate::detect::score::is_spam;
use crate::detect::view::fold;
use crate::detect::{Detector, Finding, evaluate, talk};
use crate::model::Category;
use crate::text::ordinary;

/// Fewest points of an entry that asks a person by itself.
const ASKS: f32 = 1.0;

/// How often everyday talk says an entry, and one sentence in which it does, the entry cut short.
struct Said {
    sentences: usize,
    example: String,
}

pub(super) fn remarks(documents: &[Document], own: &OwnRules, detector: &Detector, found: &mut Vec<Lint>) {
    let said = said(detector);
    for (document, entry) in all(documents).filter(|(document, entry)| own.stage_of(&document.file, entry).is_some()) {
        let Some(category) = document.category.filter(|_| counts_alone(entry)) else { continue };
        let mut why = Vec::new();
        if is_everyday(entry) {
            why.push("是词典里的常用词".to_owned());
        }
        if let Some(Said { sentences, example }) = said.get(&*entry.place(&document.file)) {
            why.push(format!("在 {sentences} 句正常聊天里出现（如“{example}”）"));
        }
        if !why.is_empty() {
            let (why, signs) = (why.join("，"), signs(category));
            let message = format!("“{}”{why}，单独出现会误伤；可以加上“需要={signs}”，有这样的迹象才算", entry.pattern);
            remark(found, document, entry.line, Level::Warning, message);
        }
    }
}

fn counts_alone(entry: &Entry) -> bool {
    entry.needs.is_empty() && entry.points.is_none_or(|points| points >= ASKS)
}

/// A word that people write every day.
fn is_everyday(entry: &Entry) -> bool {
    let Pattern::Literal(word) = &entry.pattern else { return false };
    let word: Vec<char> = fold(word).chars().collect();
    word.len() > 1 && ordinary::is_word(&word) && ordinary::rarity_of(&word) < EVERYDAY
}

/// What an entry of a category could need beside it (`docs/wordlists.md`).
fn signs(category: Category) -> &'static str {
    match category {
        Category::Insult | Category::Disrespect => "指人/行话",
        spam if is_spam(spam) => "联系方式/行话",
        _ => "行话",
    }
}

/// What is said of each entry (`ads/own.txt:12`).
fn said(detector: &Detector) -> HashMap<Arc<str>, Said> {
    let mut said: HashMap<Arc<str>, Said> = HashMap::new();
    for sentence in talk::sentences() {
        let findings = evaluate::judge(detector, sentence, false).findings;
        for finding in findings.into_iter().filter(|finding| finding.score >= ASKS) {
            let Some(entry) = finding.entry.clone() else { continue };
            let first = || Said { sentences: 0, example: cut(sentence, &finding) };
            said.entry(entry).or_insert_with(first).sentences += 1;
        }
    }
    said
}

/// The sentence without what was found in it, but for its first character.
fn cut(sentence: &str, finding: &Finding) -> String {
    let chars: Vec<char> = sentence.chars().collect();
    let kept = (finding.start + 1).min(finding.end);
    chars[..kept].iter().chain(&['…']).chain(&chars[finding.end..]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{company, messages};
    use super::*;
    use crate::detect::{Lists, Settings};

    #[test]
    fn an_everyday_word_is_told_the_sign_it_could_need() {
        let found = |file: &str, list: &str| messages(file, list, &company());
        let remark = "“打折”是词典里的常用词，在 ";
        let all = found("ads/x.txt", "打折\n打折 | 需要=联系方式\n打折 | 分=0.5\n打折找我\n");
        let told: Vec<&String> = all.iter().filter(|line| line.contains("需要=")).collect();
        let [told] = told[..] else { panic!("{all:?}") };
        assert!(told.starts_with(&format!("ads/x.txt:1: {remark}")), "{told}");
        assert!(told.contains("打…") && told.ends_with("加上“需要=联系方式/行话”，有这样的迹象才算"), "{told}");
        assert!(found("insult/x.txt", "垃圾\n")[0].contains("需要=指人/行话"));
        assert!(found("false_claim/x.txt", "活动\n")[0].contains("需要=行话"));
    }

    #[test]
    fn a_combination_that_everyday_talk_says_is_told() {
        let found = messages("ads/x.txt", "客户 >6 看房\n", &company());
        assert!(found[0].contains("“客户 >6 看房”在 ") && found[0].contains("句正常聊天里出现"), "{found:?}");
    }

    /// Shipped entries that are everyday words and count alone, and why they may.
    const EXPLAINED: [(&str, &str); 3] = [
        (
            "a name for people: said of oneself, of a thing, quoted or reported it is told apart by its sentence",
            "垃圾 废物 流氓 傻子 傻蛋 白痴 疯子 发疯 乞丐 奴才 走狗 叛徒 汉奸 卖国贼 圣母 寄生虫 祸害 畜生 禽兽 杂种 贱人 婊子 \
             不要脸 无耻 卑鄙 神经病 下流 丑恶 愚蠢 愚昧 德行 晦气 恶心 呕 放屁 狗屁 狗日 他妈的 草泥马 鬼子 倭寇 蛮子",
        ),
        ("the offence itself: asking, warning and reporting are told apart by their sentence", "回扣 性爱 同归于尽"),
        ("a claim that the law forbids wherever it stands", "绝无仅有"),
    ];

    #[test]
    fn no_shipped_entry_is_an_everyday_word_without_a_reason() {
        let lists = Lists::shipped();
        let documents = lists.parse().unwrap();
        let known = |word: &str| EXPLAINED.iter().any(|(_, words)| words.split(' ').any(|w| w == word));
        let unknown: Vec<String> = all(&documents)
            .filter(|(document, entry)| document.category.is_some() && counts_alone(entry) && is_everyday(entry))
            .map(|(document, entry)| (entry.pattern.to_string(), document.category))
            .filter(|(word, _)| !known(word))
            .map(|(word, category)| format!("{word} {category:?}"))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        let detector = Detector::build(&lists, Settings::new(jiff::civil::date(2026, 1, 1))).unwrap();
        let said: Vec<Arc<str>> = said(&detector).into_keys().collect();
        assert!(said.is_empty(), "{said:?}");
    }
}
