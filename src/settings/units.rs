//! Lengths of time as people write them in settings: `30s`, `10m`, `2h`, `1h30m`, `30d`. A day is 24 hours here.

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de::Error};

/// Reads `2h`; at least one number with a unit out of `ms s m h d w`, nothing else. The error is for people.
pub fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("`{text}` 不是时长，请写 30s、10m、2h、30d 这样的值");
    let mut total_ms: i64 = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: i64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let ms = match &rest[..unit] {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 7 * 86_400_000,
            _ => return Err(wrong()),
        };
        total_ms = number.checked_mul(ms).and_then(|ms| total_ms.checked_add(ms)).ok_or_else(wrong)?;
        rest = rest[unit..].trim_start();
    }
    Ok(SignedDuration::from_millis(total_ms))
}

/// For `#[serde(deserialize_with)]`.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        assert_eq!(parse_duration("30d"), Ok(SignedDuration::from_hours(720)));
        assert_eq!(parse_duration("1h30m"), Ok(SignedDuration::from_mins(90)));
        assert_eq!(parse_duration("500ms"), Ok(SignedDuration::from_millis(500)));
        for bad in ["", "30", "h", "2 小时", "-2h", "2h-", "99999999999999999999d", "9999999999999999w"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
