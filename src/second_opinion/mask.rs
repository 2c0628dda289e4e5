//! What leaves the house for a second opinion carries no numbers, accounts, addresses or names: they become 〔号码〕, 〔账号〕,
//! 〔邮箱〕 and 〔姓名〕 first, also in disguise (`①③八…`, full width, with signs between).
//!
//! Known people (members, colleagues, the staff of the settings) are found wherever they stand; of others only names that
//! are introduced as such (`联系人张伟`, `李建国先生`). Addresses of houses are not found.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::Regex;
use unicode_normalization::UnicodeNormalization;

use crate::text::{self, digits};

const NUMBER: &str = "〔号码〕";
const ACCOUNT: &str = "〔账号〕";
const EMAIL: &str = "〔邮箱〕";
const NAME: &str = "〔姓名〕";

/// Numbers with fewer digits say nothing about anybody: prices, times, years.
const SHORTEST_NUMBER: usize = 5;
/// Shorter ids of members are words, too.
const SHORTEST_ID: usize = 4;

/// The surnames of nineteen people in twenty.
const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任\
    沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤";

/// Links keep their host, everything else that is made of letters and digits and names somebody goes.
static PARTS: LazyLock<Regex> = LazyLock::new(|| {
    let parts = [
        r"(?<email>[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+)",
        r"(?<link>(?:https?://)?(?<host>(?:[A-Za-z0-9\-]+\.)+[A-Za-z]{2,})(?::\d+)?(?:[/?#](?:[!-~]|〔号码〕)*)?)",
        r"(?<mention>@[^\s@，。,;；：:！!？?]{1,24})",
        r"(?<marker>(?i:微信号?|微訊|薇信?|威信|维信|加[vV微薇]|[vw]x|wechat|weixin|qq|扣扣|企鹅|telegram|飞机|账号|帐号|卡号|id)[^\p{L}\p{N}〔]{0,4})(?<named>[A-Za-z0-9_\-]{4,})",
        r"(?<mixed>[A-Za-z0-9_\-]*(?:[A-Za-z][A-Za-z0-9_\-]*[0-9_]|[0-9_][A-Za-z0-9_\-]*[A-Za-z])[A-Za-z0-9_\-]*)",
    ];
    Regex::new(&parts.join("|")).expect("a fixed expression")
});

/// People who are introduced.
static INTRODUCED: LazyLock<Regex> = LazyLock::new(|| {
    let person = format!(r"[{SURNAMES}]\p{{Han}}{{1,2}}");
    let titled = format!(r"[{SURNAMES}]\p{{Han}}{{0,2}}?(?<title>先生|女士|小姐|老师|医生|经理|总监)");
    let marked = format!(r"(?<marker>姓名|联系人|收件人|收货人|我叫|名叫)(?<gap>[\s:：是为]{{0,3}})(?:{person})");
    Regex::new(&format!("{marked}|{titled}")).expect("a fixed expression")
});

/// The text as it may leave; `names` are people known here.
pub fn masked<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let text: String = text.nfkc().collect();
    let text = without_names(&text, names);
    let text = INTRODUCED.replace_all(&text, |found: &regex::Captures<'_>| {
        let part = |name| found.name(name).map_or("", |part| part.as_str());
        format!("{}{}{NAME}{}", part("marker"), part("gap"), part("title"))
    });
    let text = without_numbers(&text);
    let text = PARTS.replace_all(&text, |found: &regex::Captures<'_>| {
        let part = |name| found.name(name).map(|part| part.as_str());
        if part("email").is_some() {
            EMAIL.to_owned()
        } else if let Some(host) = part("host") {
            host.to_owned()
        } else if part("mention").is_some() {
            NAME.to_owned()
        } else if let Some(marker) = part("marker") {
            format!("{marker}{ACCOUNT}")
        } else {
            let token = part("mixed").unwrap_or_default();
            if token.len() < SHORTEST_NUMBER { token.to_owned() } else { ACCOUNT.to_owned() }
        }
    });
    text.into_owned()
}

fn without_names<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let mut all: Vec<String> = names.into_iter().flat_map(spellings).collect();
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        return text.to_owned();
    }
    let builder =
        AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).ascii_case_insensitive(true).build(&all);
    let Ok(known) = builder else { return NAME.to_owned() }; // too many names to search for: then nothing leaves
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for found in known.find_iter(text) {
        let (before, after) = (text[..found.start()].chars().next_back(), text[found.end()..].chars().next());
        let letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let name = &text[found.range()];
        let part_of_a_word =
            (letter(name.chars().next()) && letter(before)) || (letter(name.chars().next_back()) && letter(after));
        if !part_of_a_word {
            masked.push_str(&text[end..found.start()]);
            masked.push_str(NAME);
            end = found.end();
        }
    }
    masked.push_str(&text[end..]);
    masked
}

/// A shown name, and the person's name in it (`李建国-华东区`).
fn spellings(name: &str) -> Vec<String> {
    let name: String = name.nfkc().collect();
    let name = name.trim();
    let long_enough = |name: &str| {
        let count = name.chars().count();
        if name.is_ascii() { count >= SHORTEST_ID } else { count >= 2 }
    };
    let person = |part: &&str| {
        let count = part.chars().count();
        (2..=4).contains(&count)
            && part.chars().all(text::is_han)
            && part.chars().next().is_some_and(|first| SURNAMES.contains(first))
    };
    let parts = name.split(|c: char| !c.is_alphanumeric()).filter(person);
    parts.chain([name]).filter(|name| long_enough(name)).map(str::to_owned).collect()
}

fn without_numbers(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let normalized = text::normalize(text);
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for run in digits::runs(&normalized).filter(|run| run.digits.len() >= SHORTEST_NUMBER) {
        if run.start < end {
            continue;
        }
        masked.extend(&chars[end..run.start]);
        masked.push_str(NUMBER);
        end = run.end;
        // The last place of an identity card may be an X.
        if run.digits.len() == 17 && chars.get(end).is_some_and(|c| matches!(c, 'x' | 'X')) {
            end += 1;
        }
    }
    masked.extend(&chars[end..]);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        masked(text, ["李建国-华东区", "Grace Chen", "wangxm", "小艾"])
    }

    #[test]
    fn numbers_accounts_and_addresses_stay_in_the_house() {
        for (text, expected) in [
            ("打我电话13912345678谢谢", "打我电话〔号码〕谢谢"),
            ("打我电话139 1234 5678谢谢", "打我电话〔号码〕谢谢"),
            ("电话①③⑨①②③④⑤⑥⑦⑧", "电话〔号码〕"),
            ("电话１３９１２３４５６７８", "电话〔号码〕"),
            ("电话一三九一二三四五六七八", "电话〔号码〕"),
            ("身份证11010519491231002X", "身份证〔号码〕"),
            ("发到 zhao.min@corp.example 就行", "发到 〔邮箱〕 就行"),
            ("微信: Zhao_min88", "微信: 〔账号〕"),
            ("加vx：zhaominmin", "加vx:〔账号〕"),
            ("车牌沪A8K72Q", "车牌沪〔账号〕"),
            ("看 https://shop.example.com/u/abc?uid=77812 下单", "看 shop.example.com 下单"),
            ("@财务小周 看一下", "〔姓名〕 看一下"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn people_stay_in_the_house() {
        for (text, expected) in [
            ("李建国今天请假", "〔姓名〕今天请假"),
            ("问问grace chen", "问问〔姓名〕"),
            ("wangxm 已经到了", "〔姓名〕 已经到了"),
            ("收货人：赵敏敏，放门口", "收货人:〔姓名〕,放门口"),
            ("钱大勇先生的订单", "〔姓名〕先生的订单"),
            ("小艾说可以", "〔姓名〕说可以"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn what_the_opinion_is_about_stays_readable() {
        for text in ["代开发票,点数低", "这款 128 元,满 2 件 9 折", "2026年5月4日14:30开会", "iOS 和 USB 都行"]
        {
            assert_eq!(plain(text), text);
        }
    }
}
