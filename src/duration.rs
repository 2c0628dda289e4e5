//! Lengths of time as people write them in settings, policies and notices (`30s`, `10m`, `2h`, `1h30m`, `30d`), and as they
//! type them to the bot: `３０分钟`, 半小时, 一个半小时, 两天. A day has 24 hours here.

use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::{Deserialize, Deserializer, de::Error};

/// Nobody waits longer, and the present and this still make a date.
const LONGEST: SignedDuration = SignedDuration::from_hours(100 * 365 * 24);

/// Reads `2h`; longer than nothing, at most a hundred years. The error is for people.
pub fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    text.parse::<Span>()
        .ok()
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok())
        .filter(|length| length.is_positive() && *length <= LONGEST)
        .ok_or_else(|| format!("`{text}` 不是时长，请写 30s、10m、2h、30d 这样的值"))
}

/// For `#[serde(deserialize_with)]`.
pub fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(D::Error::custom)
}

/// What somebody typed where a length may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// So long; a second at least.
    Length(SignedDuration),
    /// It begins like a length, and is none: `30x`, 三天两头.
    Unclear,
    /// It begins like something else.
    Other,
}

/// Units and their seconds, the longer before those they begin with.
const UNITS: [(&str, i64); 25] = [
    ("小时", 3600),
    ("钟头", 3600),
    ("分钟", 60),
    ("刻钟", 900),
    ("秒钟", 1),
    ("星期", 604_800),
    ("礼拜", 604_800),
    ("时", 3600),
    ("分", 60),
    ("刻", 900),
    ("秒", 1),
    ("天", 86400),
    ("日", 86400),
    ("周", 604_800),
    ("hours", 3600),
    ("hour", 3600),
    ("mins", 60),
    ("min", 60),
    ("days", 86400),
    ("day", 86400),
    ("h", 3600),
    ("m", 60),
    ("d", 86400),
    ("s", 1),
    ("w", 604_800),
];

/// Reads a word as people type it: full-width digits, Chinese numbers, halves, several units one after the other.
pub fn typed(word: &str) -> Typed {
    let half_width = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    let word: String = word.trim().chars().map(half_width).flat_map(char::to_lowercase).collect();
    let Some((mut seconds, mut rest)) = part(&word) else {
        return if word.starts_with(|c: char| c.is_ascii_digit()) { Typed::Unclear } else { Typed::Other };
    };
    while !rest.is_empty() {
        let Some((more, after)) = part(rest) else { return Typed::Unclear };
        (seconds, rest) = (seconds.saturating_add(more), after);
    }
    if (1..=LONGEST.as_secs()).contains(&seconds) {
        Typed::Length(SignedDuration::from_secs(seconds))
    } else {
        Typed::Unclear
    }
}

/// A number and a unit: the seconds, and what follows.
fn part(text: &str) -> Option<(i64, &str)> {
    let (tenths, rest) = number(text)?;
    let (counted, rest) = rest.strip_prefix('个').map_or((false, rest), |rest| (true, rest));
    let (half, rest) = rest.strip_prefix('半').filter(|_| counted).map_or((0, rest), |rest| (5, rest));
    let month = ("月", 30 * 86400);
    let (name, unit) = UNITS.into_iter().chain(counted.then_some(month)).find(|(name, _)| rest.starts_with(name))?;
    let rest = &rest[name.len()..];
    let (more, rest) = rest.strip_prefix('半').filter(|_| half == 0).map_or((half, rest), |rest| (5, rest));
    Some((tenths.checked_add(more)?.checked_mul(unit)? / 10, rest))
}

/// A number in tenths, and what follows: 30, 1.5, 半, 三十, 一百二十.
fn number(text: &str) -> Option<(i64, &str)> {
    if let Some(rest) = text.strip_prefix('半') {
        return Some((5, rest));
    }
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = text.split_at(digits(text));
    if !whole.is_empty() {
        let tenths = whole.parse::<i64>().ok()?.checked_mul(10)?;
        let Some(fraction) = rest.strip_prefix('.') else { return Some((tenths, rest)) };
        let (fraction, rest) = fraction.split_at(digits(fraction));
        return (fraction.len() == 1).then_some((tenths + fraction.parse::<i64>().ok()?, rest));
    }
    let (mut sum, mut last, mut end) = (0, None, 0);
    for (at, c) in text.char_indices() {
        match c {
            '十' => sum += 10 * last.take().unwrap_or(1),
            '百' => sum += 100 * last.take()?,
            '两' => last = Some(2),
            c => match "零〇一二三四五六七八九".chars().position(|digit| digit == c) {
                Some(at) => last = Some(at.saturating_sub(1) as i64),
                None => break,
            },
        }
        end = at + c.len_utf8();
    }
    (end > 0).then(|| ((sum + last.unwrap_or(0)) * 10, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_type() {
        for (word, minutes) in [
            ("30m", 30),
            ("３０ｍ", 30),
            ("2h", 120),
            ("２小时", 120),
            ("1H30M", 90),
            ("1小时30分钟", 90),
            ("1.5小时", 90),
            ("三十分钟", 30),
            ("十五分", 15),
            ("一百二十分钟", 120),
            ("半小时", 30),
            ("半个小时", 30),
            ("半个钟头", 30),
            ("一个半小时", 90),
            ("两小时半", 150),
            ("两个小时", 120),
            ("一刻钟", 15),
            ("半天", 720),
            ("两天", 2880),
            ("一天半", 2160),
            ("二十一天", 30240),
            ("一周", 10080),
            ("1个月", 43200),
        ] {
            assert_eq!(typed(word), Typed::Length(SignedDuration::from_mins(minutes)), "{word}");
        }
        for word in
            ["30", "0m", "30x", "２ 小时", "1.25h", "三天两头", "十分过分", "零分钟", "3月", "99999999999999999999d"]
        {
            assert_eq!(typed(word), Typed::Unclear, "{word}");
        }
        for word in ["", "m", "刷屏", "一直刷屏", "十分过分", "一再提醒", "百般", "两个人", "-1h", "三月"]
        {
            let expected = if word == "十分过分" { Typed::Unclear } else { Typed::Other };
            assert_eq!(typed(word), expected, "{word}");
        }
    }

    #[test]
    fn reads_what_people_write() {
        assert_eq!(parse_duration("30d"), Ok(SignedDuration::from_hours(720)));
        assert_eq!(parse_duration("1h30m"), Ok(SignedDuration::from_mins(90)));
        assert_eq!(parse_duration("500ms"), Ok(SignedDuration::from_millis(500)));
        for bad in ["", "30", "h", "2 小时", "-2h", "0s", "2h-", "36501d", "99999999999999999999d"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
