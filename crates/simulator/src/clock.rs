//! The clock of the simulated world: `+10 分钟`, `+2 小时`, `+1 天`, or any time a script names.

use jiff::{Span, SpanRelativeTo};

use jiff::SignedDuration;

/// Reads `90s`, `10m`, `2h`, `1d`, `1d 2h`, also with a minus sign; a day has 24 hours.
///
/// # Errors
/// What is wrong with the text.
pub fn parse(text: &str) -> Result<SignedDuration, String> {
    let span: Span = text.parse().map_err(|e| format!("{text:?} is no duration such as 10m, 2h or 1d: {e}"))?;
    span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|e| format!("{text:?}: {e}"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn days_and_hours() {
        assert_eq!(super::parse("1d 2h").unwrap().as_secs(), 26 * 3600);
        assert_eq!(super::parse("-10m").unwrap().as_secs(), -600);
        assert!(super::parse("soon").is_err());
    }
}
