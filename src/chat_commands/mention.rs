//! Who is called in a message (`@群管 帮助`, `@李四 @群管 举报`), and what is said to them.

use super::words::AT;

/// Names that mean everybody, and so not the bot.
const EVERYBODY: [&str; 6] = ["所有人", "全体成员", "全体", "大家", "各位", "all"];
/// A name of which nothing is known has at most so many words.
const LONGEST_NAME: usize = 3;
/// What may stand between a name and what is said.
const MARKS: &str = "，,：:、。!！";

/// Of whom a name is.
pub struct Known<'a> {
    /// The bot's names in lower case, the longest first; empty if none is known.
    pub bot: &'a [String],
    /// Somebody of the group or the company is called so.
    pub person: &'a dyn Fn(&str) -> bool,
    /// A command begins here.
    pub command: &'a dyn Fn(&str) -> bool,
}

/// What is said in a message, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said<'a> {
    /// The words without the mention of the bot, and without any in front of it.
    pub own: &'a str,
    /// The bot is called.
    pub to_bot: bool,
}

/// Reads a message. Where no name of the bot is known, whoever is called in front and is nobody else is the bot.
pub fn read<'a>(text: &'a str, known: &Known<'_>) -> Said<'a> {
    let text = text.trim();
    let said = |own| Said { own, to_bot: true };
    if known.bot.is_empty() {
        return first_stranger(text, known).map_or(Said { own: text, to_bot: false }, said);
    }
    for (at, _) in text.match_indices(AT) {
        let Some(end) = known.bot.iter().find_map(|name| end_of(text, at, name)) else { continue };
        let Some(after) = spoken(&text[end..], known) else { continue };
        let before = without_mentions(&text[..at]);
        return said(match (before.is_empty(), after.is_empty()) {
            (true, true) => text,
            (true, false) => after,
            (false, true) => before,
            // 举报 @群管 刷屏: what stands in front is the command, unless one follows.
            (false, false) if (known.command)(after) => after,
            (false, false) => before,
        });
    }
    Said { own: text, to_bot: false }
}

/// Where `@name` ends, if it stands at `at`.
fn end_of(text: &str, at: usize, name: &str) -> Option<usize> {
    let mut rest = text[at..].char_indices().skip(1);
    let mut wanted = name.chars().peekable();
    let mut end = at;
    while wanted.peek().is_some() {
        let (offset, c) = rest.next()?;
        for lower in c.to_lowercase() {
            if wanted.next()? != lower {
                return None;
            }
        }
        end = at + offset + c.len_utf8();
    }
    Some(end)
}

/// What follows a name, if the name ends there: `@群管理员` calls somebody else.
fn spoken<'a>(after: &'a str, known: &Known<'_>) -> Option<&'a str> {
    let ends = after.chars().next().is_none_or(|c| c.is_whitespace() || MARKS.contains(c) || AT.contains(&c));
    let own = after.trim_start_matches(|c: char| c.is_whitespace() || MARKS.contains(c));
    (ends || (known.command)(own)).then_some(own)
}

/// Words without the mentions in front.
fn without_mentions(text: &str) -> &str {
    let mut text = text.trim();
    while let Some(rest) = text.strip_prefix(AT) {
        text = rest.split_once(char::is_whitespace).map_or("", |(_, after)| after.trim_start());
    }
    text
}

/// The words behind the first name in front that is nobody's. It may hold spaces: it ends where a command begins (@群管，帮助),
/// else at WeCom's own separator or the first space that is followed by something.
fn first_stranger<'a>(text: &'a str, known: &Known<'_>) -> Option<&'a str> {
    let start = text.strip_prefix(AT)?;
    let (mut rest, mut first) = (start, None);
    for _ in 0..LONGEST_NAME {
        let Some((name, after)) = rest.split_once(|c: char| c.is_whitespace() || MARKS.contains(c)) else { break };
        let so_far = &start[..rest.as_ptr().addr() - start.as_ptr().addr() + name.len()];
        let at_space = rest[name.len()..].starts_with(char::is_whitespace);
        rest = after.trim_start();
        if EVERYBODY.contains(&so_far) || (known.person)(so_far) {
            return first_stranger(rest, known); // somebody else is called; perhaps the bot, too
        }
        if (known.command)(rest) {
            return Some(rest);
        }
        if rest.starts_with(AT) {
            return first_stranger(rest, known).or(Some(rest));
        }
        first = first.or_else(|| at_space.then_some(rest));
    }
    first
}

/// The name in a message that calls one, if it is one word with a command behind it: then nothing else can be meant.
pub fn one_word_name(text: &str, command: impl Fn(&str) -> bool) -> Option<&str> {
    let text = text.trim();
    let rest = text.strip_prefix(AT)?;
    let (name, after) = rest.split_once(|c: char| c.is_whitespace() || MARKS.contains(c))?;
    let plain = !name.is_empty() && !EVERYBODY.contains(&name) && !after.contains(AT);
    (plain && command(after.trim_start_matches(|c: char| c.is_whitespace() || MARKS.contains(c)))).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(text: &str) -> bool {
        ["帮助", "举报", "我的状态"].iter().any(|command| text.starts_with(command))
    }

    #[test]
    fn only_a_mention_of_the_bot_is_said_to_it() {
        let names = ["华东 群管 助手".to_owned(), "群管".to_owned()];
        let person = |name: &str| name == "李四" || name == "王 小明";
        for (text, with_names, without) in [
            ("@群管 帮助", Some("帮助"), Some("帮助")),
            ("＠群管\u{2005}帮助", Some("帮助"), Some("帮助")),
            ("@群管\n帮助", Some("帮助"), Some("帮助")),
            ("@群管，帮助", Some("帮助"), Some("帮助")),
            ("@群管帮助", Some("帮助"), None),
            ("@华东 群管 助手 我的状态", Some("我的状态"), Some("我的状态")),
            ("@李四 举报 加微信", None, None),
            ("@李四 @群管 举报 加微信", Some("举报 加微信"), Some("举报 加微信")),
            ("@王 小明 举报 加微信", None, None),
            ("@群管 @李四 举报 加微信", Some("@李四 举报 加微信"), Some("@李四 举报 加微信")),
            ("举报 加微信 @群管", Some("举报 加微信"), None),
            ("@李四 举报 加微信 @群管", Some("举报 加微信"), None),
            ("大家看 @群管 帮助", Some("帮助"), None),
            ("@群管理员 帮助", None, Some("帮助")),
            ("@所有人 举报 加微信", None, None),
            ("@张三丰 举报 加微信", None, Some("举报 加微信")),
            ("发到 a@群管.com 举报", None, None),
            ("@群管", Some("@群管"), None),
            ("帮助", None, None),
        ] {
            let read = |bot: &[String]| {
                let said = read(text, &Known { bot, person: &person, command: &command });
                said.to_bot.then_some(said.own)
            };
            assert_eq!(read(&names), with_names, "{text}");
            assert_eq!(read(&[]), without, "{text}, no name known");
        }
        let latin = ["qunguan bot".to_owned()];
        let said = read("@QunGuan Bot 帮助", &Known { bot: &latin, person: &person, command: &command });
        assert_eq!(said, Said { own: "帮助", to_bot: true });
    }

    #[test]
    fn a_name_is_learned_where_nothing_else_can_be_meant() {
        for (text, name) in [
            ("@群管 帮助", Some("群管")),
            ("@群管，帮助", Some("群管")),
            ("@群管 助手 帮助", None),
            ("@群管 你好", None),
            ("@李四 @群管 帮助", None),
            ("帮助", None),
        ] {
            assert_eq!(one_word_name(text, command), name, "{text}");
        }
    }
}
