//! `[working_hours]`: when the company works. Absent: rules that ask for it treat every hour alike.

use jiff::civil::{Date, Time, Weekday};
use serde::{Deserialize, Deserializer, de::Error};

use super::Span;

/// When the company works; [`crate::calendar::Calendar`] tells whether it does at a moment.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkingHours {
    /// `mon` … `sun`; default Monday to Friday.
    #[serde(default = "weekdays", deserialize_with = "days")]
    pub days: Vec<Weekday>,
    /// First minute of work, `09:00`.
    #[serde(default = "nine", deserialize_with = "time")]
    pub from: Time,
    /// First minute after work, `18:00`; later than `from`.
    #[serde(default = "six", deserialize_with = "time")]
    pub to: Time,
    /// A break in between, `12:00-13:30`; default none.
    #[serde(default)]
    pub lunch: Option<Span>,
    /// Days off besides: `2026-10-01`.
    #[serde(default, deserialize_with = "dates")]
    pub holidays: Vec<Date>,
    /// Worked weekends (调休): `2026-10-10`.
    #[serde(default, deserialize_with = "dates")]
    pub workdays: Vec<Date>,
}

fn weekdays() -> Vec<Weekday> {
    vec![Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday]
}
fn nine() -> Time {
    Time::constant(9, 0, 0, 0)
}
fn six() -> Time {
    Time::constant(18, 0, 0, 0)
}

fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Weekday>, D::Error> {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let names = Vec::<String>::deserialize(deserializer)?;
    names
        .iter()
        .map(|name| {
            let position = NAMES.iter().position(|n| n == name).ok_or_else(|| {
                D::Error::custom(format!("`{name}` 不是星期，请写 mon、tue、wed、thu、fri、sat、sun"))
            })?;
            Weekday::from_monday_zero_offset(position as i8).map_err(D::Error::custom)
        })
        .collect()
}

pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| D::Error::custom(format!("`{text}` 不是时间，请写 09:00 这样的值")))
}

fn dates<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Date>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts
        .iter()
        .map(|text| text.parse().map_err(|_| D::Error::custom(format!("`{text}` 不是日期，请写 2026-10-01 这样的值"))))
        .collect()
}
