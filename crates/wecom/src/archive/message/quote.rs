//! Quotes, which clients write into the text of whoever quotes (no field tells them apart):
//!
//! ```text
//! 这是一条引用/回复消息：
//! "张三:
//! 原文"
//! ------
//! 回复
//! ```
//!
//! WeChat writes `「张三：原文」` and a line of spaced dashes. Anybody can type the same by hand; whether somebody said the
//! quoted words is for `channels::archive` to ask.

use std::borrow::Cow;

/// How the first line of a quote begins.
const HEADS: &[&str] =
    &["这是一条引用/回复消息", "這是一條引用/回復消息", "這是一則引用/回覆訊息", "This is a quote/reply"];

/// What may stand around quoted words.
const MARKS: [char; 3] = ['"', '“', '”'];

/// What may stand in front of a quote on its line, as in `转发：`, has at most so many characters.
const LONGEST_LABEL: usize = 6;

/// The sender's own words and the quoted ones, name included. The last line of dashes ends the quote; behind it nothing
/// may be left. Characters that nobody sees, other dashes and a short label in front (`转发：`) make no difference.
pub fn split(text: &str) -> (Cow<'_, str>, Option<&str>) {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c));
    if let Some((own, quote)) = quoted(text) {
        return (own.into(), Some(quote));
    }
    if let Some((label, rest)) = text.split_once([':', '：'])
        && label.chars().count() <= LONGEST_LABEL
        && !label.contains('\n')
        && let Some((own, quote)) = quoted(rest.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c)))
    {
        return (format!("{label}\n{own}").into(), Some(quote));
    }
    (text.into(), None)
}

/// The same of a text that begins with a quote.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let behind = HEADS.iter().find_map(|head| without_head(text, head));
    if let Some(rest) = behind
        && let Some((quote, own)) = at_last_line(rest, is_rule)
    {
        return Some((own, quote.trim().trim_matches(MARKS)));
    }
    let (quote, own) = at_last_line(text.strip_prefix('「')?, is_rule)?;
    Some((own, quote.trim().trim_end_matches('」')))
}

/// What stands behind the head of a quote and its colon.
fn without_head<'a>(text: &'a str, head: &str) -> Option<&'a str> {
    let mut rest = text;
    for wanted in head.chars() {
        rest = rest.trim_start_matches(is_invisible).strip_prefix(wanted)?;
    }
    rest.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c)).strip_prefix([':', '：'])
}

/// A line of dashes of any kind, with or without spaces.
fn is_rule(line: &str) -> bool {
    let mut seen = line.chars().filter(|c| !c.is_whitespace() && !is_invisible(*c)).peekable();
    seen.clone().count() >= 4 && seen.all(is_dash)
}

const fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2500}' | '\u{2501}' | '\u{2212}' | '－' | '﹣')
}

const fn is_invisible(c: char) -> bool {
    matches!(c, '\0'..='\x08' | '\x0e'..='\x1f' | '\x7f' | '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Every way to end a quote earlier, at a line of dashes inside it, the latest first: the quote and what is left over.
pub fn earlier_ends(quote: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut left = quote;
    std::iter::from_fn(move || {
        let (before, _) = at_last_line(left, is_rule)?;
        left = before;
        let behind =
            quote[before.len()..].trim_start_matches(|c: char| c.is_whitespace() || is_dash(c) || is_invisible(c));
        Some((before.trim().trim_matches(MARKS).trim_end_matches('」'), behind))
    })
}

/// What clients write in place of, or in front of, what is not plain words: `[图片]`, `【链接】标题`.
const LABELS: &[&str] = &[
    "图片",
    "语音",
    "视频",
    "文件",
    "链接",
    "小程序",
    "名片",
    "个人名片",
    "位置",
    "地理位置",
    "聊天记录",
    "红包",
    "表情",
    "动画表情",
    "自定义表情",
    "笔记",
    "接龙",
    "群接龙",
    "投票",
    "收集表",
    "日程",
    "会议",
    "待办",
    "视频号",
    "视频号动态",
    "视频号直播",
    "直播",
    "图文",
    "图文消息",
    "卡片",
    "模板卡片",
    "转账",
    "文档",
    "在线文档",
    "微盘",
    "微盘文件",
    "音乐",
    "未知消息类型",
    "圖片",
    "語音",
    "影片",
    "檔案",
    "連結",
    "小程式",
    "聊天記錄",
    "紅包",
    "動畫表情",
    "筆記",
    "行事曆",
    "會議",
    "待辦",
    "文檔",
    "image",
    "photo",
    "voice",
    "audio",
    "video",
    "file",
    "link",
    "mini program",
    "contact card",
    "location",
    "chat history",
    "red packet",
    "sticker",
    "note",
    "vote",
    "poll",
    "form",
    "event",
    "meeting",
    "to-do",
    "channels",
    "docs",
];

/// The words without what stands in brackets for a picture, a file …; a space is left.
pub fn without_labels(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(['[', '【', '［']) {
        let bracket = rest[open..].chars().next().map_or(0, char::len_utf8);
        let inside = &rest[open + bracket..];
        let label = inside.find([']', '】', '］']).map(|end| inside.split_at(end)).filter(|(label, _)| {
            let label = label.trim().to_lowercase();
            LABELS.contains(&label.as_str())
        });
        out.push_str(&rest[..open]);
        rest = if let Some((_, after)) = label {
            out.push(' ');
            &after[after.chars().next().map_or(0, char::len_utf8)..]
        } else {
            out.push_str(&rest[open..open + bracket]);
            inside
        };
    }
    out + rest
}

/// More colons than these are in nobody's name.
const MOST_COLONS: usize = 8;

/// The readings of quoted words, as (name, words): as they are, and without the name in front. A name may have colons of its
/// own (`客服：小赵`), so it may end at any of the first line, the last one first.
pub fn readings(quote: &str) -> Vec<(&str, &str)> {
    let first = quote.lines().next().unwrap_or_default();
    let colons = first.match_indices([':', '：']).take(MOST_COLONS).collect::<Vec<_>>();
    let named =
        colons.into_iter().rev().map(|(at, colon)| (quote[..at].trim(), quote[at + colon.len()..].trim_start()));
    std::iter::once(("", quote)).chain(named).filter(|(_, words)| !words.is_empty()).collect()
}

fn at_last_line(text: &str, ends: impl Fn(&str) -> bool) -> Option<(&str, &str)> {
    let mut end = text.len();
    loop {
        let start = text[..end].rfind('\n').map_or(0, |at| at + 1);
        if ends(text[start..end].trim()) {
            return Some((&text[..start], text[end..].trim_start_matches('\n')));
        }
        end = start.checked_sub(1)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_words_and_quoted_ones() {
        for (text, own, quote) in [
            ("大家好", "大家好", None),
            (
                "这是一条引用/回复消息：\n\"张三:\n加我微信\"\n------\n请不要发广告",
                "请不要发广告",
                Some("张三:\n加我微信"),
            ),
            ("这是一条引用/回复消息：\n“张三:\n加我微信”\n------\n好", "好", Some("张三:\n加我微信")),
            ("這是一則引用/回覆訊息：\n\"張三:\n原文\"\n------\n好", "好", Some("張三:\n原文")),
            ("This is a quote/reply:\n\"Ann:\nwords\"\n------\nyes", "yes", Some("Ann:\nwords")),
            ("「张三：加我微信」\n- - - - - - - - - - - - - - -\n不行", "不行", Some("张三：加我微信")),
            ("这是一条引用/回复消息：\n\"张三:\n原文\"\n------\n", "", Some("张三:\n原文")),
            ("这是一条引用/回复消息：\n\"张三:\n原文\"\n------", "", Some("张三:\n原文")),
            (
                "这是一条引用/回复消息：\n\"李四:\n这是一条引用/回复消息：\n\"张三:\n一\"\n------\n二\"\n------\n三",
                "三",
                Some("李四:\n这是一条引用/回复消息：\n\"张三:\n一\"\n------\n二"),
            ),
            (
                "\u{feff}这是一条\u{200b}引用/回复消息\u{200b}：\n\"张三:\n原文\"\n------\u{200b}\n好",
                "好",
                Some("张三:\n原文"),
            ),
            ("转发：这是一条引用/回复消息：\n\"张三:\n原文\"\n------\n好", "转发\n好", Some("张三:\n原文")),
            ("转发：「张三：原文」\n- - - - - -\n好", "转发\n好", Some("张三：原文")),
            ("这是一条引用/回复消息：\n\"张三:\n原文\"\n——————\n好", "好", Some("张三:\n原文")),
            ("「张三：原文」\n－－－－－－\n好", "好", Some("张三：原文")),
            ("张三：大家好\n------\n好", "张三：大家好\n------\n好", None),
            ("加我微信买东西：「张三：原文」\n------\n好", "加我微信买东西：「张三：原文」\n------\n好", None),
            ("这是一条引用/回复消息：\n没有横线", "这是一条引用/回复消息：\n没有横线", None),
            ("「没有横线」", "「没有横线」", None),
            ("", "", None),
        ] {
            assert_eq!(split(text), (own.into(), quote), "{text}");
        }
    }

    #[test]
    fn labels_in_brackets_are_no_words() {
        for (text, words) in [
            ("[图片]", " "),
            ("看这个【链接】标题 [ Mini Program ]名字", "看这个 标题  名字"),
            ("[加我微信]好的[", "[加我微信]好的["),
            ("[微笑][图片", "[微笑][图片"),
            ("", ""),
        ] {
            assert_eq!(without_labels(text), words);
        }
    }

    #[test]
    fn a_quote_may_end_earlier_and_begin_with_a_name() {
        let ends: Vec<_> = earlier_ends("一\n------\n二\n------\n三").collect();
        assert_eq!(ends, [("一\n------\n二", "三"), ("一", "二\n------\n三")]);
        assert_eq!(earlier_ends("一").count(), 0);
        for (quote, named) in [
            ("张三:\n原文", &[("张三", "原文")][..]),
            ("张三：原文：二", &[("张三：原文", "二"), ("张三", "原文：二")]),
            ("客服：小赵:\n原文: 一", &[("客服：小赵", "原文: 一"), ("客服", "小赵:\n原文: 一")]),
            ("小李10:30下班:\n原文", &[("小李10:30下班", "原文"), ("小李10", "30下班:\n原文")]),
            ("：小李:\n原文", &[("：小李", "原文"), ("", "小李:\n原文")]),
            ("原文:", &[]),
            ("没有名字", &[]),
        ] {
            let all = readings(quote);
            assert_eq!((all[0], &all[1..]), (("", quote), named), "{quote}");
        }
        assert_eq!(readings(&":一".repeat(99)).len(), 1 + MOST_COLONS);
    }
}
