//! Lengths of time as people write them in settings: `30s`, `10m`, `2h`, `1h30m`, `30d`. A day is 24 hours here.

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
        for bad in ["", "30", "h", "2 小时", "-2h", "0s", "2h-", "36501d", "99999999999999999999d"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
