//! How a deadline is written: `2h`, `work:120m`, `2026-11-23T18:00:00+08:00` or `2026-11-23 18:00`.

use std::{fmt, str::FromStr};

use jiff::civil::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    calendar::{Absence, Calendar},
    duration::parse_duration,
    model::{SignedDuration, Timestamp, UserError},
};

/// When a notice must be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// At an instant.
    At(Timestamp),
    /// At a time of the company's time zone.
    Local(DateTime),
    /// So long after sending, nights and holidays included.
    After(SignedDuration),
    /// So much working time after sending.
    Working(SignedDuration),
}

impl Deadline {
    /// The instant, for a notice sent at `from`; a person's absences stop the running clock of a duration.
    pub fn resolve(self, from: Timestamp, calendar: &Calendar, absences: &[Absence]) -> Result<Timestamp, UserError> {
        match self {
            Self::At(at) => Ok(at),
            Self::Local(at) => calendar.instant(at),
            Self::After(length) => calendar.add(from, length, false, absences),
            Self::Working(length) => calendar.add(from, length, true, absences),
        }
    }
    /// The instant at which `percent` of the time is over.
    pub fn part(
        self,
        from: Timestamp,
        percent: u8,
        calendar: &Calendar,
        absences: &[Absence],
    ) -> Result<Timestamp, UserError> {
        let share = |length: SignedDuration| length * i32::from(percent) / 100;
        match self {
            Self::After(length) => calendar.add(from, share(length), false, absences),
            Self::Working(length) => calendar.add(from, share(length), true, absences),
            Self::At(_) | Self::Local(_) => {
                let due = self.resolve(from, calendar, absences)?;
                Ok(from + share(due.duration_since(from)))
            }
        }
    }
}

impl FromStr for Deadline {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(length) = text.strip_prefix("work:") {
            return parse_duration(length.trim()).map(Self::Working);
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self::At(at));
        }
        if let Ok(at) = text.parse::<DateTime>() {
            return Ok(Self::Local(at));
        }
        parse_duration(text).map(Self::After).map_err(|_| {
            format!("`{text}` 不是截止时间，请写 2h、work:120m（工作时间）、2026-11-23 18:00 或带时区的完整时间")
        })
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => write!(f, "{at}"),
            Self::Local(at) => write!(f, "{at}"),
            Self::After(length) => write!(f, "{}s", length.as_secs()),
            Self::Working(length) => write!(f, "work:{}s", length.as_secs()),
        }
    }
}

impl Serialize for Deadline {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Deadline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Minutes between a deadline and an answer; a started minute counts.
pub fn late_minutes(due: Timestamp, at: Timestamp) -> i64 {
    at.duration_since(due).as_mins().max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write_and_round_trips() {
        for text in ["2h", "work:120m", "2026-11-23T18:00:00+08:00", "2026-11-23 18:00", "90m"] {
            let deadline: Deadline = text.parse().unwrap();
            assert_eq!(deadline.to_string().parse::<Deadline>().unwrap(), deadline, "{text}");
        }
        assert_eq!("work:2h".parse(), Ok(Deadline::Working(SignedDuration::from_hours(2))));
        for bad in ["", "两小时", "work:", "-2h", "2026-13-01 10:00"] {
            assert!(bad.parse::<Deadline>().is_err(), "{bad}");
        }
    }
}
