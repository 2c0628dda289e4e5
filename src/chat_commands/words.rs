//! Taking apart what was typed: words, durations, members, case ids.

use crate::{
    cases::allow::Where,
    duration::{Typed, typed},
    groups::Group,
    model::{CaseId, MemberId, SignedDuration, Timestamp, UserError},
    moderation::case_id,
    orders::Term,
    zh,
};

/// Words, split at spaces of any width and behind a name at its comma (@陈敏，30m), without characters that nobody sees
/// around them; a mark behind a space ends the sentence and is no word; a leading full-width slash counts as a slash.
pub fn split(text: &str) -> Vec<&str> {
    let parts = |word| -> usize { if str::starts_with(word, AT) { 2 } else { 1 } };
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{2005}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
    };
    let words = text.split_whitespace().map(|word| word.trim_matches(unseen));
    let words = words.flat_map(|word| word.splitn(parts(word), ['，', ',']));
    let mut words: Vec<&str> = words.map(|word| word.trim_matches(unseen)).filter(|word| !word.is_empty()).collect();
    while words.len() > 1 && words.last().is_some_and(|word| word.chars().all(|c| STOPS.contains(&c))) {
        words.pop();
    }
    words
}

/// The group named in front (`#华东销售群`, `＃华东销售群，`), if one is, and the words after it.
pub fn named(text: &str) -> (Option<&str>, Vec<&str>) {
    let mut words = split(text);
    without_greeting(&mut words);
    let Some(first) = words.first().and_then(|word| word.strip_prefix(['#', '＃'])) else { return (None, words) };
    let (name, after) = first.split_once(['，', ',', '：', ':']).unwrap_or((first, ""));
    words.remove(0);
    if !after.is_empty() {
        words.insert(0, after);
    }
    (Some(name), words)
}

/// What can be ordered.
const SHORTEST: SignedDuration = SignedDuration::from_mins(1);
/// The same.
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What stands before a name of a person, half or full width.
pub const AT: [char; 2] = ['@', '＠'];

/// What may end a sentence.
const STOPS: &[char] = &['。', '！', '？', '!', '?', '.', '～', '~', '，', ',', '…', '；', ';', '、'];

/// The word without the mark that ends a sentence: 帮助。
pub fn without_end(word: &str) -> &str {
    // One that consists of marks only (？ asks for help) is a word.
    Some(word.trim_end_matches(STOPS)).filter(|word| !word.is_empty()).unwrap_or(word)
}

/// What may stand around a word that is typed as it is spoken.
const MARKS: &[char] =
    &['「', '」', '『', '』', '“', '”', '"', '\'', '‘', '’', '《', '》', '【', '】', '[', ']', '（', '）', '(', ')'];
/// How people begin to ask for something.
const ASKS: &[&str] = &[
    "请帮我",
    "麻烦",
    "我想要",
    "我要",
    "我想",
    "帮我",
    "给我",
    "请",
    "查看一下",
    "查一下",
    "看一下",
    "查看",
    "查询",
    "看看",
    "看下",
    "查",
];
/// How they end.
const ENDS: &[&str] = &["一下吧", "一下", "谢谢", "吧", "呀", "啊", "呢", "哦", "啦", "嘛"];
/// How they begin to speak.
const GREETS: &[&str] = &["你好呀", "你好", "您好", "在吗", "在么", "哈喽", "哈啰", "嗨", "hello", "hi"];

/// Is this word the name of a command, as people type it: `／帮助`, 「帮助」, 帮助一下, 我要举报, `/HELP`?
pub fn is_name(word: &str, name: &str) -> bool {
    let half = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    let same = |word: &str| {
        let word: String = word.chars().map(half).flat_map(char::to_lowercase).collect();
        // A Chinese name may have a slash in front.
        word == name || word.strip_prefix('/').is_some_and(|word| word == name)
    };
    let word = without_end(word).trim_matches(MARKS);
    let word = without_end(word);
    let asked = ASKS.iter().find_map(|ask| word.strip_prefix(ask)).filter(|left| !left.is_empty());
    let whole = |word: &str| same(word) || ENDS.iter().any(|end| word.strip_suffix(end).is_some_and(same));
    whole(word) || asked.is_some_and(whole)
}

/// Nothing but politeness: 一下, 谢谢.
pub fn is_filler(word: &str) -> bool {
    ENDS.contains(&without_end(word))
}

/// The words behind a greeting.
fn without_greeting(words: &mut Vec<&str>) {
    let Some(first) = words.first().copied() else { return };
    let greeted = |greet: &&str| first.get(..greet.len()).is_some_and(|head| head.eq_ignore_ascii_case(greet));
    let Some(greet) = GREETS.iter().find(|greet| greeted(greet)) else { return };
    let left = &first[greet.len()..];
    let after = left.trim_start_matches(['，', ',', '！', '!', '。', '.', '～', '~', '、', '？', '?']);
    if after.is_empty() && words.len() > 1 {
        words.remove(0);
    } else if !after.is_empty() && after.len() < left.len() {
        words[0] = after;
    }
}

/// Does it look like a case id: four to eight letters and digits, with or without `#`?
pub fn is_case(word: &str) -> bool {
    let word = without_end(word).trim_start_matches('#');
    (4..=8).contains(&word.len()) && word.chars().all(|c| c.is_ascii_alphanumeric())
}

/// `30m`, `2h`, `1d`, `３０分钟`, 半小时, 两天; from a minute to 30 days.
pub fn duration(word: &str) -> Result<SignedDuration, UserError> {
    let word = without_end(word);
    match typed(word) {
        Typed::Length(length) if (SHORTEST..=LONGEST).contains(&length) => Ok(length),
        Typed::Length(_) => Err(UserError::new(format!("时长「{word}」不行，最短 1 分钟，最长 30 天"))),
        _ => Err(UserError::new(format!("看不懂时长「{word}」，请写成 30m、2h 或 1d"))),
    }
}

/// The length in front, and how many words it takes (30 分钟: two); `None` where something else stands there. What begins
/// like a length and is none is refused, so that nobody gets another one than was meant.
pub fn length(words: &[&str]) -> Result<Option<(SignedDuration, usize)>, UserError> {
    let Some(word) = words.first() else { return Ok(None) };
    if let [number, unit, ..] = words
        && number.chars().all(|c| matches!(c, '0'..='9' | '０'..='９'))
        && let Ok(length) = duration(&format!("{number}{unit}"))
    {
        return Ok(Some((length, 2)));
    }
    if typed(without_end(word)) == Typed::Other { Ok(None) } else { duration(word).map(|length| Some((length, 1))) }
}

/// How long an order holds, or that it ends: the words in front say.
pub fn term(words: &[&str]) -> Result<Term, UserError> {
    match words {
        [] => Ok(Term::Usual),
        [word, ..] if ends(word) => Ok(Term::Ended),
        [word, ..] => match length(words)? {
            Some((length, _)) => Ok(Term::For(length)),
            None => duration(word).map(Term::For),
        },
    }
}

/// Does it end what was ordered before?
pub fn ends(word: &str) -> bool {
    matches!(without_end(word), "结束" | "取消" | "关" | "关闭" | "停止" | "解除" | "off")
}

/// A member of the group by id, by shown name, or by either after an `@`.
pub fn member(group: &Group, word: &str) -> Result<MemberId, UserError> {
    let name = without_end(word).trim_start_matches(AT);
    let id = MemberId::from(name);
    if group.learned.members.contains_key(&id) {
        return Ok(id);
    }
    let mut named: Vec<&MemberId> =
        group.learned.members.iter().filter(|(_, person)| person.name == name).map(|(id, _)| id).collect();
    if group.learned.members.is_empty() {
        // WeCom keeps this group's list back: anybody of the company may be in it.
        named = group
            .colleagues
            .iter()
            .filter(|(known, shown)| **known == id || !name.is_empty() && *shown == name)
            .map(|(id, _)| id)
            .collect();
    }
    match (named.first(), named.get(1)) {
        (Some(id), None) => Ok((*id).clone()),
        (Some(_), Some(_)) => Err(UserError::new(format!("群里有多位「{name}」，请改用账号"))),
        _ => Err(UserError::new(format!("群里没有「{name}」"))),
    }
}

/// The same, of those also who left.
pub fn member_or_gone(group: &Group, word: &str) -> Result<MemberId, UserError> {
    member(group, word).or_else(|refused| {
        let name = without_end(word).trim_start_matches(AT);
        let gone = &group.learned.gone;
        let mut named = gone.iter().filter(|(id, known)| id.as_str() == name || known.as_str() == name);
        match (named.next(), named.next()) {
            (Some((id, _)), None) => Ok(id.clone()),
            _ => Err(refused),
        }
    })
}

/// A case id, in any case and with or without `#`.
pub fn case(word: &str) -> CaseId {
    case_id::typed(without_end(word).trim_start_matches('#'))
}

/// Words pass from now on.
pub fn allowed(place: Where, until: Timestamp, now: Timestamp) -> String {
    let place = if place == Where::Here { "本群" } else { "全公司" };
    format!("{place}放行至 {}", zh::when(until, now).split(' ').next().unwrap_or_default())
}

/// How acting goes on after the circuit breaker.
pub fn resumed() -> String {
    "已恢复自动处置".into()
}

/// What whoever answered an appeal reads.
pub fn appeal_answered(case: &CaseId, upheld: bool) -> String {
    format!("{case}：{}", if upheld { "申诉成立，已撤销。" } else { "申诉不成立，已告知本人。" })
}

/// So many removals were taken back.
pub fn undone(removals: usize) -> String {
    format!("已撤销 {removals} 次移出，并恢复自动处置")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (word, minutes) in [("30m", 30), ("2h", 120), ("1d", 1440), ("30分钟", 30), ("2小时", 120), ("1天。", 1440)]
        {
            assert_eq!(duration(word).unwrap(), SignedDuration::from_mins(minutes), "{word}");
        }
        for word in ["", "m", "0m", "31d", "2x", "999999999999999999999d", "-1h", "30秒"] {
            assert!(duration(word).is_err(), "{word}");
        }
        let minutes =
            |words: &[&str]| length(words).map(|found| found.map(|(length, taken)| (length.as_mins(), taken)));
        for (words, found) in [
            (&["３０m！", "刷屏"][..], Some((30, 1))),
            (&["三十分钟"], Some((30, 1))),
            (&["30", "分钟", "刷屏"], Some((30, 2))),
            (&["刷屏"], None),
            (&["一直刷屏"], None),
            (&[], None),
        ] {
            assert_eq!(minutes(words).unwrap(), found, "{words:?}");
        }
        for words in [&["30", "刷屏"][..], &["三天两头"], &["三十秒"]] {
            assert!(minutes(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn words_are_what_is_seen() {
        for (text, words) in [
            ("我的状态\u{8}", &["我的状态"][..]),
            ("\u{feff}帮助\u{8}\u{200b}", &["帮助"]),
            ("禁言 @陈敏，30m", &["禁言", "@陈敏", "30m"]),
            ("禁言 ＠陈敏, 30m", &["禁言", "＠陈敏", "30m"]),
            ("警告 李四 刷屏，广告", &["警告", "李四", "刷屏，广告"]),
            ("举报 。", &["举报"]),
            ("帮助 ！", &["帮助"]),
            ("帮助 ……", &["帮助"]),
            ("？", &["？"]),
            ("\u{8} ", &[]),
        ] {
            assert_eq!(split(text), words, "{text:?}");
        }
    }

    #[test]
    fn names_as_people_type_them() {
        for (word, name) in [
            ("帮助", "帮助"),
            ("帮助。", "帮助"),
            ("帮助……", "帮助"),
            ("帮助；", "帮助"),
            ("／帮助", "帮助"),
            ("「帮助」", "帮助"),
            ("「帮助一下」", "帮助"),
            ("帮助一下。", "帮助"),
            ("请帮助", "帮助"),
            ("我要举报", "举报"),
            ("举报一下", "举报"),
            ("查看我的状态", "我的状态"),
            ("看看群规吧", "群规"),
            ("/Help", "/help"),
            ("／ＨＥＬＰ", "/help"),
            ("？", "?"),
        ] {
            assert!(is_name(word, name), "{word}");
        }
        for (word, name) in [
            ("大家帮助", "帮助"),
            ("帮助我", "帮助"),
            ("请", "帮助"),
            ("一下", "帮助"),
            ("", "帮助"),
            ("help", "/help"),
        ] {
            assert!(!is_name(word, name), "{word}");
        }
        assert_eq!(named("你好，帮助").1, ["帮助"]);
        assert_eq!(named("Hi 我的状态").1, ["我的状态"]);
        assert_eq!(named("您好！\n#华东群 帮助"), (Some("华东群"), vec!["帮助"]));
        assert_eq!(named("你好吗").1, ["你好吗"]);
        assert_eq!(named("你好").1, ["你好"]);
    }

    #[test]
    fn case_ids_in_any_dress() {
        assert_eq!(case("#8f2k").as_str(), "8F2K");
    }
}
