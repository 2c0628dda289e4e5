//! Taking apart what was typed: words, durations, members, case ids.

use crate::{
    groups::Group,
    model::{CaseId, MemberId, SignedDuration, UserError},
};

/// Words, split at spaces of any width; a leading full-width slash counts as a slash.
pub fn split(text: &str) -> Vec<&str> {
    text.split_whitespace().map(|word| word.trim_matches(['\u{200b}', '\u{2005}'])).filter(|w| !w.is_empty()).collect()
}

/// The group named in front (`#华东销售群`), if one is, and the words after it.
pub fn named(text: &str) -> (Option<&str>, Vec<&str>) {
    let mut words = split(text);
    let named = words.first().and_then(|w| w.strip_prefix('#'));
    if named.is_some() {
        words.remove(0);
    }
    (named, words)
}

/// What stands before a name, half or full width.
pub const AT: [char; 2] = ['@', '＠'];

/// A name in front of a command has at most so many words.
const LONGEST_NAME: usize = 3;

/// The word without the mark that ends a sentence: 帮助。
pub fn without_end(word: &str) -> &str {
    // One that consists of marks only (？ asks for help) is a word.
    Some(word.trim_end_matches(['。', '！', '？', '!', '?', '.', '～', '~', '，', ',']))
        .filter(|word| !word.is_empty())
        .unwrap_or(word)
}

/// The words without an `@name` in front. The name may hold spaces: it ends where a command begins (@群管，帮助), else at
/// WeCom's own separator or the first space that is followed by something.
pub fn own(text: &str, is_command: impl Fn(&str) -> bool) -> &str {
    let text = text.trim();
    let Some(mut rest) = text.strip_prefix(AT) else { return text };
    let mut first = None;
    for _ in 0..LONGEST_NAME {
        let Some((name, after)) = rest.split_once(|c: char| c.is_whitespace() || "，,：:、".contains(c)) else {
            break;
        };
        let at_space = rest[name.len()..].starts_with(char::is_whitespace);
        rest = after.trim_start();
        if is_command(rest) {
            return rest;
        }
        first = first.or_else(|| at_space.then_some(rest));
    }
    first.unwrap_or(text)
}

/// Does it look like a case id: four to eight letters and digits, with or without `#`?
pub fn is_case(word: &str) -> bool {
    let word = without_end(word).trim_start_matches('#');
    (4..=8).contains(&word.len()) && word.chars().all(|c| c.is_ascii_alphanumeric())
}

/// `30m`, `2h`, `1d`, `30分钟`, `2小时`, `1天`; at most 30 days.
pub fn duration(word: &str) -> Result<SignedDuration, UserError> {
    let wrong = || UserError::new(format!("看不懂时长「{word}」，请写成 30m、2h 或 1d"));
    let digits = word.chars().take_while(char::is_ascii_digit).count();
    let (number, unit) = word.split_at(digits);
    let number: i64 = number.parse().map_err(|_| wrong())?;
    let minutes = match unit {
        "m" | "min" | "分" | "分钟" => 1,
        "h" | "小时" | "时" => 60,
        "d" | "天" | "日" => 60 * 24,
        _ => return Err(wrong()),
    };
    let minutes = number.checked_mul(minutes).filter(|m| (1..=60 * 24 * 30).contains(m)).ok_or_else(wrong)?;
    Ok(SignedDuration::from_mins(minutes))
}

/// Does it end what was ordered before?
pub fn ends(word: &str) -> bool {
    matches!(word, "结束" | "取消" | "关" | "关闭" | "停止" | "解除" | "off")
}

/// A member of the group by id, by shown name, or by either after an `@`.
pub fn member(group: &Group, word: &str) -> Result<MemberId, UserError> {
    let name = word.trim_start_matches('@');
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
            .filter(|(known, shown)| **known == id || *shown == name)
            .map(|(id, _)| id)
            .collect();
    }
    match (named.first(), named.get(1)) {
        (Some(id), None) => Ok((*id).clone()),
        (Some(_), Some(_)) => Err(UserError::new(format!("群里有多位「{name}」，请改用账号"))),
        _ => Err(UserError::new(format!("群里没有「{name}」"))),
    }
}

/// A case id, in any case and with or without `#`.
pub fn case(word: &str) -> CaseId {
    CaseId::new(without_end(word).trim_start_matches('#').to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (word, minutes) in [("30m", 30), ("2h", 120), ("1d", 1440), ("30分钟", 30), ("2小时", 120), ("1天", 1440)]
        {
            assert_eq!(duration(word).unwrap(), SignedDuration::from_mins(minutes), "{word}");
        }
        for word in ["", "m", "0m", "31d", "2x", "999999999999999999999d", "-1h"] {
            assert!(duration(word).is_err(), "{word}");
        }
    }

    #[test]
    fn case_ids_in_any_dress() {
        assert_eq!(case("#8f2k").as_str(), "8F2K");
    }
}
