//! Small pieces of Chinese that appear everywhere: times, lengths of time, why the system refuses a file.

use jiff::tz::TimeZone;

use crate::model::{SignedDuration, Timestamp};

/// The time zone people read; every sentence of the bot uses it.
pub fn zone() -> TimeZone {
    ZONE.get().cloned().unwrap_or_else(|| TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC))
}

static ZONE: std::sync::OnceLock<TimeZone> = std::sync::OnceLock::new();

/// Sets the time zone once at start, from the settings.
pub fn set_zone(zone: TimeZone) {
    ZONE.get_or_init(|| zone);
}

/// Why the system refuses a file or folder.
pub fn refusal(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    let why = match error.kind() {
        ErrorKind::NotFound => "没有这个文件或文件夹",
        ErrorKind::PermissionDenied => "没有权限",
        ErrorKind::IsADirectory => "这是文件夹，不是文件",
        ErrorKind::NotADirectory => "路径里有一段不是文件夹",
        ErrorKind::AlreadyExists => "已经有同名的文件",
        ErrorKind::ReadOnlyFilesystem => "磁盘是只读的",
        ErrorKind::StorageFull => "磁盘满了",
        ErrorKind::QuotaExceeded => "磁盘配额用完了",
        ErrorKind::InvalidData => "不是 UTF-8 编码，请用 UTF-8 另存",
        _ => return error.to_string(),
    };
    why.to_owned()
}

/// `北京时间`, or the zone's own name.
pub fn zone_name(zone: &TimeZone) -> String {
    match zone.iana_name() {
        Some("Asia/Shanghai" | "Asia/Chongqing" | "PRC") => "北京时间".into(),
        Some(name) => format!("时区 {name}"),
        None => "本地时间".into(),
    }
}

/// `今天 14:30`, `明天 09:00`, `11月3日 08:15`, `2027年1月5日 10:00`: as short as it can be understood.
pub fn when(at: Timestamp, now: Timestamp) -> String {
    let zone = zone();
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone));
    let days = now.date().until(at.date()).map_or(i32::MAX, |span| span.get_days());
    let time = at.strftime("%H:%M");
    match days {
        0 => format!("今天 {time}"),
        1 => format!("明天 {time}"),
        -1 => format!("昨天 {time}"),
        _ if at.year() == now.year() => format!("{}月{}日 {time}", at.month(), at.day()),
        _ => format!("{}年{}月{}日 {time}", at.year(), at.month(), at.day()),
    }
}

/// `30 分钟`, `2 小时`, `1 小时 30 分钟`, `7 天`.
pub fn length(length: SignedDuration) -> String {
    let minutes = length.as_mins().max(0);
    let (days, hours, rest) = (minutes / 1440, minutes % 1440 / 60, minutes % 60);
    let mut parts = Vec::new();
    for (number, unit) in [(days, "天"), (hours, "小时"), (rest, "分钟")] {
        if number > 0 {
            parts.push(format!("{number} {unit}"));
        }
    }
    if parts.is_empty() { "不到 1 分钟".into() } else { parts.join(" ") }
}

/// `第 2 次 / 共 3 次`; the last one there is, or one beyond it, is only the so-manieth.
pub fn nth(n: u32, of: u32) -> String {
    match n {
        0 => String::new(),
        n if n < of => format!("第 {n} 次 / 共 {of} 次"),
        n => format!("第 {n} 次"),
    }
}

/// The same for what may last less than a minute: `50 秒`.
pub fn short_length(span: SignedDuration) -> String {
    match span.as_secs() {
        ..60 => format!("{} 秒", span.as_secs().max(1)),
        _ => length(span),
    }
}

/// Words that not everybody may read: the first character and the length; enough to recognise a message one knows, useless otherwise.
pub fn masked(text: &str) -> String {
    let count = text.chars().count();
    text.chars().next().map(|first| format!("{first}…（共 {count} 字）")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let now: Timestamp = "2026-11-23T12:00:00+08:00".parse().unwrap();
        let at = |text: &str| when(text.parse().unwrap(), now);
        assert_eq!(at("2026-11-23T14:30:00+08:00"), "今天 14:30");
        assert_eq!(at("2026-11-24T00:05:00+08:00"), "明天 00:05");
        assert_eq!(at("2026-11-22T23:59:00+08:00"), "昨天 23:59");
        assert_eq!(at("2026-12-23T12:00:00+08:00"), "12月23日 12:00");
        assert_eq!(at("2027-01-05T10:00:00+08:00"), "2027年1月5日 10:00");
    }

    #[test]
    fn lengths_are_short() {
        assert_eq!(length(SignedDuration::from_mins(90)), "1 小时 30 分钟");
        assert_eq!(length(SignedDuration::from_hours(24 * 7)), "7 天");
        assert_eq!(length(SignedDuration::from_secs(20)), "不到 1 分钟");
    }

    #[test]
    fn masked_words_keep_one_character() {
        assert_eq!(masked("加我微信"), "加…（共 4 字）");
        assert_eq!(masked(""), "");
    }
}
