//! Which entries of a wordlist WeCom's 敏感词 can carry: plain words that weigh enough by themselves and need no exception.
//! WeCom looks for exactly these characters anywhere in a text; combinations, disguises and exceptions stay with the bot.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use super::plan::WORD_CHARS;
use crate::{
    detect::{
        lexicon::{Document, Entry, Pattern, Term, VIRTUAL_GROUPS},
        score::Scores,
        talk,
    },
    model::{Category, Stage, named_enum},
    text::ordinary,
};

/// Latin words so short would be found inside others (`sb` in `usb`).
const SHORTEST_LATIN: usize = 4;
/// Two Chinese characters stand in many sentences by chance: 窗口交费, 包装比较.
const SHORTEST: usize = 3;

named_enum! {
    /// Why an entry stays with the bot.
    pub enum LeftOut {
        /// Several words near each other, or a regular expression.
        Combination = "combination", "是组合或正则";
        /// It does not decide alone.
        Weak = "weak", "单独出现不足以处置";
        /// Observed or piloted only, or past its last day.
        NotInForce = "not_in_force", "还在试行或已到期";
        /// It is harmless inside some phrase or name, which WeCom cannot be told.
        Exception = "exception", "有例外说法";
        /// Everyday talk says it, too.
        Everyday = "everyday", "正常聊天里也会出现";
        /// Too short or too long.
        Length = "length", "太短或超过 32 个字";
    }
}

/// What the chosen lists give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Words to push; each stands in one category only.
    pub words: BTreeMap<Category, BTreeSet<String>>,
    /// Entries that stay with the bot, counted by reason.
    pub left_out: BTreeMap<LeftOut, usize>,
}

/// Picks the words of the files `from`. `fine` are names and brands that must not be stopped. To block, a word must weigh
/// enough to act; to remind, enough for a human to look.
pub fn choose(
    documents: &[Document],
    from: &[String],
    fine: &[&str],
    scores: &Scores,
    block: bool,
    today: Date,
) -> Choice {
    let groups: HashMap<&str, &[String]> = documents
        .iter()
        .flat_map(Document::groups)
        .map(|group| (group.name.as_str(), group.words.as_slice()))
        .collect();
    let mut fine: Vec<&str> = fine.to_vec();
    fine.extend(documents.iter().flat_map(Document::allows).map(|(_, phrase)| phrase));
    let least = if block { scores.act } else { scores.review };
    let mut choice = Choice::default();
    let mut taken = BTreeSet::new();
    for document in documents.iter().filter(|document| from.iter().any(|name| **name == *document.name())) {
        let Some(category) = document.category else { continue };
        for entry in document.entries() {
            let (usual, _) = scores.weight(category, &format!("{category}/{}", entry.rule));
            let words = match words(entry, &groups) {
                _ if entry.stage != Stage::Enforce || entry.expires.is_some_and(|last| last < today) => {
                    Err(LeftOut::NotInForce)
                }
                Some(words) if entry.points.unwrap_or(usual) + 1e-4 >= least => Ok(words),
                Some(_) => Err(LeftOut::Weak),
                None => Err(LeftOut::Combination),
            };
            let words = words.and_then(|words| fits(&words, entry, &fine).map(|()| words));
            let words =
                words.and_then(
                    |words| if words.iter().any(|w| is_everyday(w)) { Err(LeftOut::Everyday) } else { Ok(words) },
                );
            match words {
                Ok(words) => {
                    for word in words.into_iter().filter(|word| taken.insert(word.clone())) {
                        choice.words.entry(category).or_default().insert(word);
                    }
                }
                Err(why) => *choice.left_out.entry(why).or_default() += 1,
            }
        }
    }
    choice
}

/// The plain words of an entry: itself, or those of the one group it consists of.
fn words(entry: &Entry, groups: &HashMap<&str, &[String]>) -> Option<Vec<String>> {
    match &entry.pattern {
        Pattern::Literal(word) | Pattern::Address(word) => Some(vec![word.clone()]),
        Pattern::Near(terms) => match terms.as_slice() {
            [only] => match &only.term {
                Term::Word(word) => Some(vec![word.clone()]),
                Term::Group(name) => plain_group(name, groups),
            },
            _ => None,
        },
        Pattern::Regex(_) => None,
    }
}

fn plain_group(name: &str, groups: &HashMap<&str, &[String]>) -> Option<Vec<String>> {
    let virtual_word = |word: &str| VIRTUAL_GROUPS.iter().any(|group| word == format!("【{group}】"));
    let words = *groups.get(name)?;
    (!words.iter().any(|word| virtual_word(word))).then(|| words.to_vec())
}

/// A word of the dictionary, or one that stands in talk in which nothing is wrong.
fn is_everyday(word: &str) -> bool {
    let chars: Vec<char> = word.chars().collect();
    ordinary::is_word(&chars) || talk::sentences().any(|sentence| sentence.contains(word))
}

fn fits(words: &[String], entry: &Entry, fine: &[&str]) -> Result<(), LeftOut> {
    for word in words {
        let length = word.chars().count();
        let shortest = if word.is_ascii() { SHORTEST_LATIN } else { SHORTEST };
        if !(shortest..=WORD_CHARS).contains(&length) {
            return Err(LeftOut::Length);
        }
        if !entry.allow.is_empty() || fine.iter().any(|phrase| phrase.contains(word.as_str())) {
            return Err(LeftOut::Exception);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Lists;

    fn pick(text: &str, block: bool) -> Choice {
        let mut lists = Lists::default();
        lists.insert("ads/own.txt", text.into());
        lists.insert("insult/other.txt", "不要推这张表\n".into());
        lists.insert("common/fine.txt", "允许：点钞机\n".into());
        let today = Date::constant(2026, 5, 4);
        let from = ["ads/own.txt".to_owned()];
        choose(&lists.parse().unwrap(), &from, &["刷单王电器"], &Scores::shipped(), block, today)
    }

    #[test]
    fn plain_strong_words_go_and_the_rest_is_counted() {
        let text = "日结兼职\n【码】 = 扫码进群 / 扫码领奖\n【码】\n加 ~6 微信\n/日入[0-9]+/\n需要加我 | 分=1\n\
                    观察的词 | 阶段=观察\n过期的词 | 到期=2026-05-03\n今天到期 | 到期=2026-05-04\n\
                    有例外 | 允许=没有例外\n点钞机\n刷单王\n赌\nvx\nvpns\n";
        let choice = pick(text, true);
        let words: Vec<&str> = choice.words[&Category::Ads].iter().map(String::as_str).collect();
        assert_eq!(words, ["vpns", "今天到期", "扫码进群", "扫码领奖", "日结兼职"]);
        assert_eq!(choice.words.len(), 1);
        let left: Vec<(LeftOut, usize)> = choice.left_out.into_iter().collect();
        assert_eq!(
            left,
            [
                (LeftOut::Combination, 2),
                (LeftOut::Weak, 1),
                (LeftOut::NotInForce, 2),
                (LeftOut::Exception, 3),
                (LeftOut::Length, 2)
            ]
        );
        assert!(pick(text, false).words[&Category::Ads].contains("需要加我"), "a reminder may be weaker");
    }
}
