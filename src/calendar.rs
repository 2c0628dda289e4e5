//! When people work, for policies and deadlines alike: working hours, public holidays and worked weekends (调休), a person's leave and shifts.
//!
//! `config/holidays.toml` has the published years; a year that is not in it is said so in previews, and counted as plain
//! weeks meanwhile.

use std::collections::BTreeSet;

use jiff::{
    ToSpan,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use crate::{
    model::{SignedDuration, Timestamp, UserError},
    settings::{Problem, Settings, WorkingHours},
};

/// The shipped holidays.
pub const BUILT_IN_HOLIDAYS: &str = include_str!("../config/holidays.toml");
/// No deadline lies further away than this.
const FURTHEST_DAYS: usize = 800;

/// A time in which somebody is not there: leave, or off shift.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub to: Timestamp,
    /// Why, for people: 年假, 夜班 …
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HolidayFile {
    #[serde(default)]
    year: Vec<Year>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Year {
    #[serde(rename = "year")]
    number: i16,
    holidays: Vec<String>,
    workdays: Vec<String>,
}

/// Public holidays by date.
#[derive(Clone, Debug, Default)]
pub struct Holidays {
    years: BTreeSet<i16>,
    off: BTreeSet<Date>,
    worked: BTreeSet<Date>,
}

impl Holidays {
    /// The shipped ones.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN_HOLIDAYS).expect("config/holidays.toml is tested")
    }
    /// Reads a file like `config/holidays.toml`; an error comes with its line, 0 if none is to blame.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let file: HolidayFile =
            toml::from_str(text).map_err(|e| (e.span().map_or(0, |span| line(span.start)), e.message().to_owned()))?;
        let mut holidays = Self::default();
        for year in file.year {
            let read = |texts: &[String]| -> Result<Vec<Date>, (usize, String)> {
                texts
                    .iter()
                    .map(|day| {
                        let here = |why: String| (text.find(day.as_str()).map_or(0, line), why);
                        let date: Date = day.parse().map_err(|_| here(format!("`{day}` 不是日期")))?;
                        if date.year() == year.number {
                            Ok(date)
                        } else {
                            Err(here(format!("{date} 不在 {} 年", year.number)))
                        }
                    })
                    .collect()
            };
            holidays.off.extend(read(&year.holidays)?);
            holidays.worked.extend(read(&year.workdays)?);
            holidays.years.insert(year.number);
        }
        Ok(holidays)
    }
}

/// When people work, in one time zone.
#[derive(Clone, Debug)]
pub struct Calendar {
    zone: TimeZone,
    hours: WorkingHours,
    /// The settings say when people work.
    stated: bool,
    holidays: Holidays,
}

impl Settings {
    /// When people work, as settings and `holidays.toml` say.
    pub fn calendar(&self) -> Result<Calendar, Vec<Problem>> {
        let file = self.files.holidays().map_err(|problem| vec![problem])?;
        let holidays = Holidays::parse(&file.text).map_err(|(line, why)| vec![Problem::new(&file.shown, line, why)])?;
        Ok(Calendar::new(self.time_zone.clone(), self.working_hours.clone(), holidays))
    }
}

impl Calendar {
    /// `hours` absent: Monday to Friday, 9 to 18. What the settings say of a day wins over the public holidays.
    pub fn new(zone: TimeZone, hours: Option<WorkingHours>, holidays: Holidays) -> Self {
        let stated = hours.is_some();
        let hours = hours.unwrap_or_else(|| toml::from_str("").expect("every field has a default"));
        Self { zone, hours, stated, holidays }
    }
    /// The time zone in which it thinks.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }
    /// A local time as an instant; a time that a zone change skips or repeats is the later offset's.
    pub fn instant(&self, at: DateTime) -> Result<Timestamp, UserError> {
        at.to_zoned(self.zone.clone())
            .map(|zoned| zoned.timestamp())
            .map_err(|_| UserError::new(format!("时间 {at} 超出范围")))
    }
    /// Do people work on that day?
    pub fn is_workday(&self, date: Date) -> bool {
        if self.hours.workdays.contains(&date) {
            return true;
        }
        if self.hours.holidays.contains(&date) || self.holidays.off.contains(&date) {
            return false;
        }
        self.holidays.worked.contains(&date) || self.hours.days.contains(&date.weekday())
    }
    /// Is somebody at work then? `None` where the settings have no `[working_hours]`: then every hour counts alike.
    pub fn is_working(&self, at: Timestamp) -> Option<bool> {
        let local = at.to_zoned(self.zone.clone());
        let at = local.time();
        let on_break = self.hours.lunch.is_some_and(|lunch| lunch.contains(at));
        let working = self.is_workday(local.date()) && (self.hours.from..self.hours.to).contains(&at) && !on_break;
        self.stated.then_some(working)
    }
    /// The same days off with other working hours: those of a group.
    #[must_use]
    pub fn with_hours(&self, mut hours: WorkingHours) -> Self {
        hours.holidays.extend(&self.hours.holidays);
        hours.workdays.extend(&self.hours.workdays);
        Self { hours, stated: true, ..self.clone() }
    }
    /// Is somebody at work then, by the usual hours if the settings have none?
    pub fn counts(&self, at: Timestamp) -> bool {
        Self { stated: true, ..self.clone() }.is_working(at) == Some(true)
    }
    /// The first year between two instants whose public holidays are not known.
    pub fn unknown_year(&self, from: Timestamp, to: Timestamp) -> Option<i16> {
        let year = |at: Timestamp| at.to_zoned(self.zone.clone()).year();
        (year(from)..=year(to)).find(|y| !self.holidays.years.contains(y))
    }
    /// The month of an instant, `2026-11`.
    pub fn month(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m").to_string()
    }

    /// The instant at which `length` of counting time has gone by since `from`. Time counts inside working hours only if
    /// `working`, and never during an absence. The last counted second may end exactly when work ends.
    pub fn add(
        &self,
        from: Timestamp,
        length: SignedDuration,
        working: bool,
        absences: &[Absence],
    ) -> Result<Timestamp, UserError> {
        let mut left = length;
        let mut day = from.to_zoned(self.zone.clone()).date();
        for _ in 0..FURTHEST_DAYS {
            let next = day.checked_add(1.day()).map_err(|_| too_far())?;
            let (open, close) = if !working {
                (self.instant(day.into())?, self.instant(next.into())?)
            } else if self.is_workday(day) {
                (self.instant(day.to_datetime(self.hours.from))?, self.instant(day.to_datetime(self.hours.to))?)
            } else {
                day = next;
                continue;
            };
            let mut cut = absences.to_vec();
            if let Some(lunch) = self.hours.lunch.filter(|_| working) {
                let (from, to) = (day.to_datetime(lunch.from), day.to_datetime(lunch.to));
                cut.push(Absence { from: self.instant(from)?, to: self.instant(to)?, reason: String::new() });
            }
            for (start, end) in without(open.max(from), close, &cut) {
                let span = end.duration_since(start);
                if left <= span {
                    return Ok(start + left);
                }
                left -= span;
            }
            day = next;
        }
        Err(too_far())
    }
}

fn too_far() -> UserError {
    UserError::new("截止时间太远，请改短一些")
}

/// What is left of a stretch of time after the absences are cut out, in order.
fn without(from: Timestamp, to: Timestamp, absences: &[Absence]) -> Vec<(Timestamp, Timestamp)> {
    let mut cut: Vec<&Absence> = absences.iter().filter(|a| a.from < to && a.to > from).collect();
    cut.sort_by_key(|a| a.from);
    let mut left = Vec::new();
    let mut start = from;
    for absence in cut {
        if absence.from > start {
            left.push((start, absence.from));
        }
        start = start.max(absence.to);
    }
    if start < to {
        left.push((start, to));
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar() -> Calendar {
        Calendar::new(TimeZone::get("Asia/Shanghai").unwrap(), None, Holidays::built_in())
    }
    fn at(text: &str) -> Timestamp {
        format!("{text}:00+08:00").parse().unwrap()
    }
    fn mins(n: i64) -> SignedDuration {
        SignedDuration::from_mins(n)
    }

    #[test]
    fn working_time_stops_at_night_on_weekends_and_holidays() {
        let c = calendar();
        let add = |from: &str, n: i64| c.add(at(from), mins(n), true, &[]).unwrap();
        assert_eq!(add("2026-11-23T10:00", 120), at("2026-11-23T12:00"));
        assert_eq!(add("2026-11-23T17:30", 60), at("2026-11-24T09:30"), "over night");
        assert_eq!(add("2026-11-23T17:00", 60), at("2026-11-23T18:00"), "ends with the day, not the next morning");
        assert_eq!(add("2026-11-27T17:30", 60), at("2026-11-30T09:30"), "over a weekend");
        assert_eq!(add("2026-11-23T06:00", 60), at("2026-11-23T10:00"), "before work");
        assert_eq!(add("2026-09-30T17:30", 60), at("2026-10-08T09:30"), "over National Day");
        assert_eq!(add("2026-10-09T17:30", 60), at("2026-10-10T09:30"), "a worked Saturday");
        assert_eq!(c.add(at("2026-11-23T17:30"), mins(60), false, &[]).unwrap(), at("2026-11-23T18:30"));
    }

    #[test]
    fn holidays_and_worked_weekends_count_for_policies_too() {
        let hours: WorkingHours =
            toml::from_str("holidays = [\"2026-11-24\"]\nworkdays = [\"2026-11-28\"]\nfrom = \"08:30\"").unwrap();
        let c = Calendar::new(TimeZone::get("Asia/Shanghai").unwrap(), Some(hours), Holidays::built_in());
        for (when, working) in [
            ("2026-09-30T08:30", true),
            ("2026-09-30T08:29", false),
            ("2026-09-30T18:00", false),
            ("2026-10-01T10:00", false), // National Day, from the holidays' file
            ("2026-10-10T10:00", true),  // a worked Saturday, from the same file
            ("2026-10-11T10:00", false),
            ("2026-11-24T10:00", false), // the settings' own
            ("2026-11-28T10:00", true),
        ] {
            assert_eq!(c.is_working(at(when)), Some(working), "{when}");
        }
        assert_eq!(calendar().is_working(at("2026-10-01T10:00")), None, "no [working_hours]");
    }

    #[test]
    fn lunch_stops_the_clock() {
        let hours = toml::from_str("from = \"09:00\"\nto = \"21:00\"\nlunch = \"12:00-13:30\"").unwrap();
        let c = calendar().with_hours(hours);
        let add = |from: &str, n: i64| c.add(at(from), mins(n), true, &[]).unwrap();
        assert_eq!(add("2026-11-23T11:50", 30), at("2026-11-23T13:50"));
        assert_eq!(add("2026-11-23T12:10", 30), at("2026-11-23T14:00"));
        assert_eq!(add("2026-11-23T20:50", 30), at("2026-11-24T09:20"));
        assert_eq!(
            (c.is_working(at("2026-11-23T12:10")), c.is_working(at("2026-11-23T13:30"))),
            (Some(false), Some(true))
        );
        assert!(calendar().counts(at("2026-11-23T12:10")) && !calendar().counts(at("2026-11-22T12:10")));
    }

    #[test]
    fn absences_stop_the_clock() {
        let c = calendar();
        let leave = |from: &str, to: &str| vec![Absence { from: at(from), to: at(to), reason: String::new() }];
        let add = |n, working, leave: &[Absence]| c.add(at("2026-11-23T10:00"), mins(n), working, leave).unwrap();
        assert_eq!(add(120, true, &leave("2026-11-23T11:00", "2026-11-23T14:00")), at("2026-11-23T15:00"));
        assert_eq!(add(120, true, &leave("2026-11-23T09:00", "2026-11-24T12:00")), at("2026-11-24T14:00"));
        assert_eq!(add(120, false, &leave("2026-11-23T09:00", "2026-11-23T12:00")), at("2026-11-23T14:00"));
        assert_eq!(add(120, true, &leave("2026-11-23T12:00", "2026-11-23T14:00")), at("2026-11-23T12:00"));
    }

    #[test]
    fn a_missing_year_is_said() {
        let c = calendar();
        assert_eq!(c.unknown_year(at("2025-01-01T00:00"), at("2026-12-31T23:00")), None);
        assert_eq!(c.unknown_year(at("2026-12-31T10:00"), at("2027-01-04T10:00")), Some(2027));
        assert!(c.is_workday("2026-02-14".parse().unwrap()) && !c.is_workday("2026-02-16".parse().unwrap()));
        assert!(c.add(at("2026-01-01T00:00"), SignedDuration::from_hours(24 * 1000), false, &[]).is_err());
    }

    #[test]
    fn holiday_files_are_checked() {
        assert!(Holidays::parse("[[year]]\nyear = 2027\nholidays = [\"2026-01-01\"]\nworkdays = []").is_err());
        let wrong = Holidays::parse("[[year]]\nyear = 2027\nholidays = [\"x\"]\nworkdays = []").unwrap_err();
        assert_eq!(wrong, (3, "`x` 不是日期".to_owned()));
        assert_eq!(Holidays::parse("[[year]]\nyear = 2027\nholidays = 3").unwrap_err().0, 3);
    }
}
