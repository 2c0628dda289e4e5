//! How many honest messages may be judged wrongly, in words an owner understands: `每千条 0.5 条`. The acting threshold that
//! keeps to it comes from a curve that was measured and ships as data (`data/curve.toml`, `docs/quality.md`).

use std::sync::LazyLock;

use serde::Deserialize;

/// What was measured at one acting threshold.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Points of one category from which something is done.
    pub act: f32,
    /// Honest messages of a thousand that are acted on then, in the kind of honest talk where they are most.
    pub false_alarms: f32,
}

/// Thresholds, the loosest first, and what they cost.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// The day it was measured, `2026-11-30`.
    pub measured: String,
    /// The honest talk it was measured on, for people.
    pub talk: String,
    /// By threshold, ascending.
    pub point: Vec<Point>,
}

static SHIPPED: LazyLock<Curve> =
    LazyLock::new(|| toml::from_str(include_str!("../../data/curve.toml")).expect("a test reads the shipped curve"));

impl Curve {
    /// As it was measured with the shipped lists and scores.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// The loosest threshold that keeps to so many false alarms of a thousand honest messages; the strictest that was
    /// measured if none does.
    pub fn threshold(&self, per_thousand: f32) -> f32 {
        let keeps = self.point.iter().find(|point| point.false_alarms <= per_thousand);
        keeps.or(self.point.last()).map_or(f32::INFINITY, |point| point.act)
    }
}

/// Most false alarms of a thousand honest messages that an owner may ask for.
const MOST: f32 = 100.0;

/// Reads `0.5`, `0.5/1000`, `0.5 per 1000`, `0.5‰`, `每千条 0.5 条`, `每一千条正常消息最多误判 0.5 条`, `千分之 0.5` or
/// `万分之 5`.
///
/// # Errors
/// For people: what cannot be read, or more than one in ten.
pub fn parse_false_alarms(text: &str) -> Result<f32, String> {
    let wrong = || format!("`{text}` 看不懂，请写每千条正常消息最多误判几条，如 0.5 或 \"每千条 0.5 条\"");
    let (of, rest) = if let Some(rest) = text.strip_prefix("万分之") { (10_000.0, rest) } else { (1000.0, text) };
    let rest = rest.strip_prefix("千分之").unwrap_or(rest).trim();
    let lead = ["每一千条", "每千条", "每1000条"].iter().find_map(|lead| rest.strip_prefix(lead));
    let rest = lead.unwrap_or(rest).trim().trim_start_matches("正常消息").trim_start_matches("最多误判").trim();
    let rest = ["‰", "/1000", "per 1000", "条"].iter().find_map(|end| rest.strip_suffix(end)).unwrap_or(rest).trim();
    let count: f32 = rest.parse().map_err(|_| wrong())?;
    let per_thousand = count * 1000.0 / of;
    if !per_thousand.is_finite() || per_thousand < 0.0 {
        return Err(wrong());
    }
    if per_thousand > MOST {
        return Err(format!("`{text}` 太多了：最多每千条 {MOST} 条"));
    }
    Ok(per_thousand)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_write_it_in_their_own_words() {
        for text in [
            "0.5",
            "0.5/1000",
            "0.5 per 1000",
            "0.5‰",
            "每千条 0.5 条",
            "每一千条正常消息最多误判 0.5 条",
            "千分之 0.5",
            "万分之5",
        ] {
            assert_eq!(parse_false_alarms(text), Ok(0.5), "{text}");
        }
        assert_eq!(parse_false_alarms("0"), Ok(0.0));
        for text in ["", "少", "-1", "nan", "101", "每百条 1 条"] {
            assert!(parse_false_alarms(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_loosest_threshold_that_keeps_to_the_budget_is_taken() {
        let point = |act, false_alarms| Point { act, false_alarms };
        let curve = Curve {
            measured: "2026-01-01".to_owned(),
            talk: String::new(),
            point: vec![point(1.0, 4.0), point(2.0, 0.5), point(3.0, 0.1)],
        };
        for (budget, act) in [(5.0, 1.0), (4.0, 1.0), (3.9, 2.0), (0.5, 2.0), (0.2, 3.0), (0.0, 3.0)] {
            assert_eq!(curve.threshold(budget).to_bits(), f32::to_bits(act), "{budget}");
        }
    }

    #[test]
    fn the_shipped_curve_falls() {
        let curve = Curve::shipped();
        assert!(curve.point.len() >= 5 && curve.measured.parse::<jiff::civil::Date>().is_ok());
        for pair in curve.point.windows(2) {
            assert!(pair[0].act < pair[1].act && pair[0].false_alarms >= pair[1].false_alarms, "{pair:?}");
        }
    }
}
