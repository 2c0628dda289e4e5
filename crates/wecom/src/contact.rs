//! How it goes with WeCom: whether it answers, whether it takes our secret, and how far our clock is from its.

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

use super::errors::ApiError;

/// What the last calls of one client told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// Since when no call has had an answer of WeCom's, and what the last one came to.
    pub silent: Option<(Timestamp, String)>,
    /// Why WeCom gives no token for our secret.
    pub refused: Option<ApiError>,
    /// So far is our clock ahead of WeCom's; behind is negative, and what the seconds of its answer leave open is zero.
    pub ahead: SignedDuration,
}

impl Contact {
    pub(super) fn nothing_came(&mut self, now: Timestamp, why: &str) {
        let since = self.silent.take().map_or(now, |(since, _)| since);
        self.silent = Some((since, why.to_owned()));
    }

    /// An answer; `date` is what it says of the time, between `asked` and `answered` by our clock.
    pub(super) fn answered(&mut self, date: Option<&str>, asked: Timestamp, answered: Timestamp) {
        self.silent = None;
        if let Some(date) = date.and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok()) {
            self.ahead = ahead(date, asked, answered);
        }
    }
}

/// By how much our clock is ahead of one that says `date`, in whole seconds, at some moment between the two.
fn ahead(date: Timestamp, asked: Timestamp, answered: Timestamp) -> SignedDuration {
    let end = date.saturating_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
    if asked > end {
        asked.duration_since(end)
    } else if answered < date {
        answered.duration_since(date)
    } else {
        SignedDuration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_only_by_what_the_way_there_and_back_does_not_explain() {
        let at = |ms: i64| Timestamp::from_millisecond(1_777_860_000_000 + ms).unwrap();
        for (asked, answered, off_ms) in [
            (0, 10, 0),
            (500, 510, 0),    // the answer says whole seconds
            (-4000, 9000, 0), // a slow way
            (61_000, 61_020, 60_000),
            (-90_000, -89_000, -89_000),
        ] {
            let mut contact = Contact::default();
            contact.nothing_came(at(-100_000), "timeout");
            contact.nothing_came(at(-99_000), "refused");
            assert_eq!(contact.silent, Some((at(-100_000), "refused".into())));
            contact.answered(Some("Mon, 04 May 2026 02:00:00 GMT"), at(asked), at(answered));
            assert_eq!((contact.ahead.as_millis(), contact.silent.is_none()), (off_ms, true), "{asked}");
            contact.answered(Some("soon"), at(0), at(0));
            assert_eq!(contact.ahead.as_millis(), off_ms, "nothing new");
        }
    }
}
