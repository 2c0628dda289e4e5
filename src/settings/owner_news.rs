//! `[owner_news]`: what the owner and the admins of a group in full mode hear of what the bot did there by itself, and when.

use jiff::{ToSpan, civil::Time, tz::TimeZone};
use serde::Deserialize;

use super::working_hours::time;
use crate::model::{Timestamp, named_enum};

named_enum! {
    /// How often owners hear of it.
    pub enum OwnerNewsMode {
        /// A card for each, as soon as it is done.
        Each = "each", "逐条告知";
        /// One summary a day.
        Daily = "daily", "每日汇总";
        /// Never.
        Off = "off", "不告知";
    }
}

/// What owners hear, and when.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OwnerNews {
    /// How often; default `each`. A group may say otherwise.
    pub mode: OwnerNewsMode,
    /// Nobody is told from this time on …, default `22:00`.
    #[serde(deserialize_with = "time")]
    pub quiet_from: Time,
    /// … until this one, default `08:00`. Equal times: there is no quiet time.
    #[serde(deserialize_with = "time")]
    pub quiet_to: Time,
    /// When the summary of the day comes; default `18:00`.
    #[serde(deserialize_with = "time")]
    pub daily_at: Time,
}

impl Default for OwnerNews {
    fn default() -> Self {
        let oclock = |hour| Time::constant(hour, 0, 0, 0);
        Self { mode: OwnerNewsMode::Each, quiet_from: oclock(22), quiet_to: oclock(8), daily_at: oclock(18) }
    }
}

impl OwnerNews {
    /// The end of the quiet time that `now` lies in, if it lies in one.
    pub fn quiet_until(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let at = now.to_zoned(zone.clone()).time();
        let (from, to) = (self.quiet_from, self.quiet_to);
        let quiet = if from <= to { (from..to).contains(&at) } else { at >= from || at < to };
        quiet.then(|| next(now, to, zone))
    }

    /// When the next summary comes.
    pub fn next_summary(&self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        next(now, self.daily_at, zone)
    }
}

/// The first instant after `now` at which a clock on the wall shows `at`.
fn next(now: Timestamp, at: Time, zone: &TimeZone) -> Timestamp {
    let today = now.to_zoned(zone.clone()).date();
    let days = [Some(today), today.checked_add(1.day()).ok()];
    let instants = days.into_iter().flatten().filter_map(|day| day.to_datetime(at).to_zoned(zone.clone()).ok());
    instants.map(|zoned| zoned.timestamp()).find(|instant| *instant > now).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_at_night() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let at = |text: &str| format!("2026-05-{text}:00+08:00").parse::<Timestamp>().unwrap();
        let until = |news: &OwnerNews, now: &str| news.quiet_until(at(now), &zone);
        let default = OwnerNews::default();
        for (now, end) in
            [("04T21:59", None), ("04T22:00", Some("05T08:00")), ("05T07:59", Some("05T08:00")), ("05T08:00", None)]
        {
            assert_eq!(until(&default, now), end.map(at), "{now}");
        }
        let noon: OwnerNews = toml::from_str("quiet_from = \"12:00\"\nquiet_to = \"13:30\"").unwrap();
        assert_eq!(until(&noon, "04T12:10"), Some(at("04T13:30")));
        assert_eq!((until(&noon, "04T23:00"), until(&noon, "04T13:30")), (None, None));
        let never: OwnerNews = toml::from_str("quiet_from = \"08:00\"\nquiet_to = \"08:00\"").unwrap();
        assert_eq!(until(&never, "04T08:00"), None);
        assert_eq!(default.next_summary(at("04T17:59"), &zone), at("04T18:00"));
        assert_eq!(default.next_summary(at("04T18:00"), &zone), at("05T18:00"));
        assert!(toml::from_str::<OwnerNews>("daily_at = \"25:00\"").is_err());
        assert!(toml::from_str::<OwnerNews>("mode = \"hourly\"").is_err());
    }
}
