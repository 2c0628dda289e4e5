//! Reading a policy file: every mistake with its line, unknown keys with the nearest known one, ladders that make sense.
//!
//! A file need not be complete: what it leaves out is as in `config/policies/default.toml`.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::SignedDuration;
use serde::{Deserialize, de::DeserializeOwned};
use toml::Spanned;

use super::{
    breaker,
    ladder::{CategoryRule, Immune, Ladder, Newcomer, Points, Policy, Raise, Reach, Rung, Treatment, Unit, When},
    lifecycle,
};
use crate::{
    duration::duration,
    model::{Category, GroupId, Severity, Step},
    toml_text::{self, Mistake, line_of},
};

/// One thing to put right in a policy or rulebook file. Chinese, except what the TOML reader says in its own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {message}")]
pub struct Fault {
    /// Counted from 1; 0 when it is about the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl From<Mistake> for Fault {
    fn from(mistake: Mistake) -> Self {
        Self { line: mistake.line, message: mistake.message }
    }
}

/// Reads a file into its raw shape; everything that has the wrong one at once.
pub(super) fn shape<T: DeserializeOwned>(text: &str) -> Result<T, Vec<Fault>> {
    toml_text::read(text).map_err(|mistakes| mistakes.into_iter().map(Fault::from).collect())
}

/// The policies that ship inside the program: name and text.
pub const SHIPPED: [(&str, &str); 4] = [
    ("default", include_str!("../../config/policies/default.toml")),
    ("gentle", include_str!("../../config/policies/gentle.toml")),
    ("three-strikes", include_str!("../../config/policies/three-strikes.toml")),
    ("strict", include_str!("../../config/policies/strict.toml")),
];

static DEFAULT: LazyLock<Policy> = LazyLock::new(|| read("default", SHIPPED[0].1, None).expect("a test reads it"));

impl Policy {
    /// Reads a policy file; `name` is its file name without extension.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the file's order.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Fault>> {
        read(name, text, Some(&DEFAULT))
    }

    /// A policy that ships with the program; an unknown name gives the default one.
    pub fn shipped(name: &str) -> Self {
        let text = SHIPPED.iter().find(|(known, _)| *known == name).map_or(SHIPPED[0].1, |(_, text)| *text);
        Self::parse(name, text).expect("a test reads every shipped policy")
    }
}

/// A length of time, see [`crate::duration`].
#[derive(Clone, Copy, Debug, Deserialize)]
struct Length(#[serde(deserialize_with = "duration")] SignedDuration);

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Do {
    Warn,
    Mute,
    Remove,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRung {
    at: u32,
    #[serde(rename = "do")]
    what: Do,
    #[serde(rename = "for")]
    length: Option<Length>,
    #[serde(default)]
    ask: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNewcomer {
    within: Length,
    messages: u64,
    raise: Spanned<Raise>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStrict {
    raise: Spanned<Raise>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExternal {
    ask_from: Spanned<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLeak {
    recall_within: Length,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBreaker {
    removals: usize,
    window: Length,
    share_percent: Spanned<f64>,
    share_window: Length,
    share_least: usize,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCategory {
    severity: Option<Severity>,
    points: Option<Spanned<Points>>,
    #[serde(default)]
    step: Vec<Spanned<RawRung>>,
    strike_expires: Option<Length>,
    when: Option<When>,
    treat: Option<Treatment>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGroup {
    id: Spanned<GroupId>,
    first_low_is_hint: Option<bool>,
    strike_expires: Option<Length>,
    points: Option<Spanned<Points>>,
    #[serde(default)]
    step: Vec<Spanned<RawRung>>,
    #[serde(default)]
    category: BTreeMap<Category, RawCategory>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    title: String,
    version: u32,
    unit: Option<Unit>,
    strike_expires: Option<Length>,
    first_low_is_hint: Option<bool>,
    settle: Option<Length>,
    clock_tolerance: Option<Length>,
    points: Option<Spanned<Points>>,
    #[serde(default)]
    step: Vec<Spanned<RawRung>>,
    newcomer: Option<RawNewcomer>,
    strict_mode: Option<RawStrict>,
    immune: Option<Immune>,
    external: Option<RawExternal>,
    cross_group: Option<Reach>,
    ban: Option<Reach>,
    leak: Option<RawLeak>,
    breaker: Option<RawBreaker>,
    lifecycle: Option<Spanned<lifecycle::Gates>>,
    #[serde(default)]
    category: BTreeMap<Category, RawCategory>,
    #[serde(default)]
    group: Vec<RawGroup>,
}

fn read(name: &str, text: &str, base: Option<&Policy>) -> Result<Policy, Vec<Fault>> {
    let raw: Raw = shape(text)?;
    let mut reader = Reader { text, faults: Vec::new() };
    let policy = reader.policy(name, raw, base);
    reader.faults.sort_by_key(|fault| fault.line);
    match policy {
        Some(policy) if reader.faults.is_empty() => Ok(policy),
        _ => Err(reader.faults),
    }
}

struct Reader<'t> {
    text: &'t str,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn wrong<T>(&mut self, at: &Spanned<T>, message: impl Into<String>) {
        self.faults.push(Fault { line: line_of(self.text, at.span().start), message: message.into() });
    }

    /// What is written, or what the default has; without either, the section is missing.
    fn or<T, U: Clone>(
        &mut self,
        key: &str,
        own: Option<T>,
        convert: impl FnOnce(&mut Self, T) -> U,
        base: Option<&U>,
    ) -> Option<U> {
        match own {
            Some(own) => Some(convert(self, own)),
            None if base.is_some() => base.cloned(),
            None => {
                self.faults.push(Fault { line: 0, message: format!("缺少设置项 `{key}`") });
                None
            }
        }
    }

    fn policy(&mut self, name: &str, raw: Raw, base: Option<&Policy>) -> Option<Policy> {
        let same = |_: &mut Self, length: Length| length.0;
        let unit = self.or("unit", raw.unit, |_, u| u, base.map(|b| &b.unit));
        let strike_expires = self.or("strike_expires", raw.strike_expires, same, base.map(|b| &b.strike_expires));
        let first_low_is_hint =
            self.or("first_low_is_hint", raw.first_low_is_hint, |_, f| f, base.map(|b| &b.first_low_is_hint));
        let settle = self.or("settle", raw.settle, same, base.map(|b| &b.settle));
        let clock_tolerance = self.or("clock_tolerance", raw.clock_tolerance, same, base.map(|b| &b.clock_tolerance));
        let points = self.or("points", raw.points, Self::points, base.map(|b| &b.points));
        let steps = (!raw.step.is_empty()).then_some(raw.step);
        let ladder = self.or("step", steps, Self::ladder, base.map(|b| &b.ladder));
        let newcomer = self.or("newcomer", raw.newcomer, Self::newcomer, base.map(|b| &b.newcomer));
        let strict_raise =
            self.or("strict_mode", raw.strict_mode, |r, s| r.raise(s.raise), base.map(|b| &b.strict_raise));
        let immune = self.or("immune", raw.immune, |_, i| i, base.map(|b| &b.immune));
        let external_ask_from = self.or("external", raw.external, Self::external, base.map(|b| &b.external_ask_from));
        let cross_group = self.or("cross_group", raw.cross_group, |_, c| c, base.map(|b| &b.cross_group));
        let ban = self.or("ban", raw.ban, |_, b| b, base.map(|b| &b.ban));
        let recall_within = self.or("leak", raw.leak, |_, l| l.recall_within.0, base.map(|b| &b.recall_within));
        let breaker = self.or("breaker", raw.breaker, Self::breaker, base.map(|b| &b.breaker));
        let lifecycle = self.or("lifecycle", raw.lifecycle, Self::lifecycle, base.map(|b| &b.lifecycle));
        let categories = self.categories(raw.category);
        let mut policy = Policy {
            name: name.to_owned(),
            title: raw.title,
            version: raw.version,
            unit: unit?,
            strike_expires: strike_expires?,
            first_low_is_hint: first_low_is_hint?,
            settle: settle?,
            clock_tolerance: clock_tolerance?,
            points: points?,
            ladder: ladder?,
            newcomer: newcomer?,
            strict_raise: strict_raise?,
            immune: immune?,
            external_ask_from: external_ask_from?,
            cross_group: cross_group?,
            ban: ban?,
            recall_within: recall_within?,
            categories,
            breaker: breaker?,
            lifecycle: lifecycle?,
            groups: BTreeMap::new(),
        };
        let mut groups = BTreeMap::new();
        for raw in raw.group {
            let at = raw.id.clone();
            let group = self.group(raw, &policy);
            if groups.insert(at.get_ref().clone(), group).is_some() {
                self.wrong(&at, format!("群 `{}` 写了两次", at.get_ref()));
            }
        }
        policy.groups = groups;
        Some(policy)
    }

    fn group(&mut self, raw: RawGroup, general: &Policy) -> Policy {
        let mut own = general.clone();
        if let Some(hint) = raw.first_low_is_hint {
            own.first_low_is_hint = hint;
        }
        if let Some(expires) = raw.strike_expires {
            own.strike_expires = expires.0;
        }
        if let Some(points) = raw.points {
            own.points = self.points(points);
        }
        if !raw.step.is_empty() {
            own.ladder = self.ladder(raw.step);
        }
        own.categories.extend(self.categories(raw.category));
        own
    }

    fn categories(&mut self, raw: BTreeMap<Category, RawCategory>) -> BTreeMap<Category, CategoryRule> {
        let mut rules = BTreeMap::new();
        for (category, raw) in raw {
            if category.is_leak() {
                let of_conduct = raw.points.as_ref().map(Spanned::span).or(raw.step.first().map(Spanned::span));
                if let Some(span) = of_conduct {
                    let message = format!("`{category}` 从不记分，不能有 points 和 step");
                    self.faults.push(Fault { line: line_of(self.text, span.start), message });
                }
            }
            let rule = CategoryRule {
                severity: raw.severity,
                points: raw.points.map(|points| self.points(points)),
                ladder: (!raw.step.is_empty()).then(|| self.ladder(raw.step)),
                expires: raw.strike_expires.map(|length| length.0),
                when: raw.when,
                treat: raw.treat,
            };
            rules.insert(category, rule);
        }
        rules
    }

    fn points(&mut self, points: Spanned<Points>) -> Points {
        let weights = Severity::ALL.iter().map(|s| points.get_ref().of(*s));
        if !weights.is_sorted() {
            self.wrong(&points, "分值要从轻到重不下降：low ≤ medium ≤ high ≤ critical");
        }
        if points.get_ref().critical > 1000 {
            self.wrong(&points, "一次违规最多记 1000 分");
        }
        points.into_inner()
    }

    fn ladder(&mut self, steps: Vec<Spanned<RawRung>>) -> Ladder {
        let mut rungs: Vec<Rung> = Vec::new();
        for step in steps {
            let raw = step.get_ref();
            let kind = match raw.what {
                Do::Warn => Step::Warn,
                Do::Mute => Step::Mute,
                Do::Remove => Step::Remove,
            };
            match (kind, raw.length) {
                (Step::Mute, None) => self.wrong(&step, "禁言要写时长，例如 for = \"2h\""),
                (Step::Mute, Some(_)) | (_, None) => {}
                (other, Some(_)) => self.wrong(&step, format!("{}没有时长，for 只用于 mute", other.zh())),
            }
            let length = raw.length.map_or(SignedDuration::ZERO, |length| length.0);
            let rung = Rung { at: raw.at, step: kind, length, ask: raw.ask };
            if rung.at == 0 {
                self.wrong(&step, "at 至少是 1");
            }
            if let Some(before) = rungs.last() {
                if rung.at <= before.at {
                    self.wrong(&step, format!("at 要比上一级的 {} 大", before.at));
                }
                if (rung.step, rung.length) < (before.step, before.length) {
                    self.wrong(&step, "处置不能比上一级轻");
                }
            }
            rungs.push(rung);
        }
        Ladder(rungs)
    }

    fn raise(&mut self, raise: Spanned<Raise>) -> Raise {
        if let Some((from, to)) = raise.get_ref().iter().find(|(from, to)| to < from) {
            self.wrong(&raise, format!("`{from}` 不能改判得更轻（`{to}`）"));
        }
        raise.into_inner()
    }

    fn newcomer(&mut self, raw: RawNewcomer) -> Newcomer {
        Newcomer { within: raw.within.0, messages: raw.messages, raise: self.raise(raw.raise) }
    }

    fn external(&mut self, raw: RawExternal) -> Step {
        if *raw.ask_from.get_ref() > Step::Mute {
            self.wrong(&raw.ask_from, "客户的禁言和移出必须由人确认，ask_from 只能是 mute 或更轻");
        }
        raw.ask_from.into_inner()
    }

    fn breaker(&mut self, raw: RawBreaker) -> breaker::Limits {
        if !(0.0..=100.0).contains(raw.share_percent.get_ref()) {
            self.wrong(&raw.share_percent, "share_percent 是百分数，0 到 100");
        }
        breaker::Limits {
            removals: raw.removals,
            window: raw.window.0,
            share_percent: raw.share_percent.into_inner(),
            share_window: raw.share_window.0,
            share_least: raw.share_least,
        }
    }

    fn lifecycle(&mut self, gates: Spanned<lifecycle::Gates>) -> lifecycle::Gates {
        let shares = [gates.get_ref().pilot_precision, gates.get_ref().enforce_precision, gates.get_ref().demote_below];
        if shares.iter().any(|share| !(0.0..=1.0).contains(share)) {
            self.wrong(&gates, "准确率写 0 到 1 之间的小数，例如 0.95");
        }
        gates.into_inner()
    }
}
