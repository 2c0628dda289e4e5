//! `[service]` and `service` of a group: by when questions of customers and colleagues are answered, and who hears of it when
//! they are not. Absent: nobody counts.

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};

use super::WorkingHours;
use crate::{
    duration,
    model::{MemberId, named_enum},
};

named_enum! {
    /// Whose questions count.
    pub enum Askers {
        /// Nobody's.
        Nobody = "nobody", "不计";
        /// Customers': people outside the company.
        Customers = "customers", "客户";
        /// Colleagues' too, if they @ somebody.
        Everyone = "everyone", "客户和同事";
    }
}

/// As written; what a group does not say is as in `[service]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// Whose questions count; default customers'.
    pub asked_by: Option<Askers>,
    /// Working time until the first reply; default 30 minutes.
    #[serde(deserialize_with = "length")]
    pub reply_within: Option<SignedDuration>,
    /// Working time until each further reply; default as the first.
    #[serde(deserialize_with = "length")]
    pub next_within: Option<SignedDuration>,
    /// Working time from a reminder to the next superior; default 30 minutes.
    #[serde(deserialize_with = "length")]
    pub climb_after: Option<SignedDuration>,
    /// Working time until a problem is solved; absent: whoever is asked has all the time they need, once they have replied.
    #[serde(deserialize_with = "length")]
    pub solve_within: Option<SignedDuration>,
    /// Who is reminded first; default the group's owner.
    pub responsible: Option<Vec<MemberId>>,
}

fn length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SignedDuration>, D::Error> {
    duration::duration(deserializer).map(Some)
}

/// What holds in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRules {
    /// Whose questions count.
    pub asked_by: Askers,
    /// Working time until the first reply.
    pub reply_within: SignedDuration,
    /// Until each further one.
    pub next_within: SignedDuration,
    /// From a reminder to the next superior.
    pub climb_after: SignedDuration,
    /// Until a problem is solved, if that is asked.
    pub solve_within: Option<SignedDuration>,
    /// Who is reminded first; empty: the group's owner.
    pub responsible: Vec<MemberId>,
}

const HALF_AN_HOUR: SignedDuration = SignedDuration::from_mins(30);

impl Service {
    /// What holds where `wider` says the rest; `None`: nobody's questions count.
    pub(super) fn within(&self, wider: Option<&Self>) -> Option<ServiceRules> {
        let none = Self::default();
        let wider = wider.unwrap_or(&none);
        let asked_by = self.asked_by.or(wider.asked_by).unwrap_or(Askers::Customers);
        let reply_within = self.reply_within.or(wider.reply_within).unwrap_or(HALF_AN_HOUR);
        let rules = ServiceRules {
            asked_by,
            reply_within,
            next_within: self.next_within.or(wider.next_within).unwrap_or(reply_within),
            climb_after: self.climb_after.or(wider.climb_after).unwrap_or(HALF_AN_HOUR),
            solve_within: self.solve_within.or(wider.solve_within),
            responsible: self.responsible.clone().or_else(|| wider.responsible.clone()).unwrap_or_default(),
        };
        (asked_by != Askers::Nobody).then_some(rules)
    }
}

/// When something is welcome in a group, and its own working hours.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Times {
    /// The group's own working hours; default `[working_hours]`.
    pub work: Option<WorkingHours>,
    /// Promotion is welcome then only, `09:00-11:30`.
    pub promote: Vec<Span>,
    /// Colleagues chat then only.
    pub chat: Vec<Span>,
    /// Long private chat in working hours is not welcome.
    pub work_only: bool,
}

/// A stretch of the day, `22:00-08:00` goes over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First minute.
    pub from: jiff::civil::Time,
    /// First minute after it.
    pub to: jiff::civil::Time,
}

impl Span {
    /// Does a time of day lie in it?
    pub fn contains(&self, at: jiff::civil::Time) -> bool {
        if self.from <= self.to { (self.from..self.to).contains(&at) } else { at >= self.from || at < self.to }
    }
    /// `09:00-11:30`.
    pub fn zh(&self) -> String {
        format!("{}-{}", self.from.strftime("%H:%M"), self.to.strftime("%H:%M"))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom(format!("`{text}` 不是时段，请写 09:00-11:30 这样的值"));
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        let time = |text: &str| text.trim().parse().map_err(|_| wrong());
        let span = Self { from: time(from)?, to: time(to)? };
        if span.from == span.to { Err(wrong()) } else { Ok(span) }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::Settings;

    #[test]
    fn a_group_says_what_is_different() {
        let text = "[service]\nreply_within = \"20m\"\nsolve_within = \"8h\"\n\
                    [[group]]\nid = \"g\"\nservice = { next_within = \"1h\", responsible = [\"li\"] }\n\
                    times = { promote = [\"09:00-11:30\"], work = { from = \"10:00\", lunch = \"12:00-13:00\" } }\n\
                    [[group]]\nid = \"h\"\nservice = { asked_by = \"nobody\" }\n";
        let settings = Settings::parse(text, Path::new("qunguan.toml"), None).unwrap();
        let rules = settings.service_of(&"g".into()).unwrap();
        let minutes = SignedDuration::from_mins;
        assert_eq!(
            (rules.asked_by, rules.reply_within, rules.next_within),
            (Askers::Customers, minutes(20), minutes(60))
        );
        assert_eq!((rules.climb_after, rules.solve_within), (minutes(30), Some(minutes(480))));
        assert_eq!(rules.responsible, ["li".into()]);
        assert_eq!(settings.service_of(&"h".into()), None);
        assert_eq!(Settings::default().service_of(&"g".into()), None);
        assert_eq!(settings.groups[0].times.promote[0].zh(), "09:00-11:30");
        let night: Span =
            toml::from_str::<std::collections::BTreeMap<String, Span>>("a = \"22:00-08:00\"").unwrap()["a"];
        let at = |hour| jiff::civil::Time::constant(hour, 0, 0, 0);
        assert!(night.contains(at(23)) && night.contains(at(7)) && !night.contains(at(8)) && !night.contains(at(21)));
        for wrong in ["[service]\nreply_within = \"soon\"\n", "[[group]]\nid = \"g\"\ntimes = { chat = [\"9-10\"] }\n"]
        {
            assert!(Settings::parse(wrong, Path::new("qunguan.toml"), None).is_err(), "{wrong}");
        }
    }
}
