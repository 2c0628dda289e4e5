//! `evaluate --curve`: what other acting thresholds would do to the same texts, set by set.

use std::collections::BTreeMap;
use std::fmt;

use super::{Honest, Set, judge};
use crate::detect::Detector;

/// Thresholds that are tried, the loosest first.
pub const THRESHOLDS: [f32; 8] = [1.0, 1.2, 1.5, 1.8, 2.0, 2.5, 3.0, 4.0];

/// Texts of one label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// How many.
    pub total: usize,
    /// Acted on at each threshold.
    pub acted: [usize; THRESHOLDS.len()],
}

/// Every label of every set; honest ones first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Curve {
    /// By set and label.
    pub honest: BTreeMap<(String, String), Row>,
    /// The same for all other labels.
    pub bad: BTreeMap<(String, String), Row>,
    act: Option<usize>,
}

impl Curve {
    /// Judges every text.
    pub fn of(detector: &Detector, sets: &[Set], honest: &Honest) -> Self {
        let scores = &detector.settings().scores;
        let act = THRESHOLDS.iter().position(|act| act.to_bits() == scores.act.to_bits());
        let mut curve = Self { act, ..Self::default() };
        for set in sets {
            for (_, label, text) in set.records() {
                let rows = if honest.has(label) { &mut curve.honest } else { &mut curve.bad };
                let row = rows.entry((set.name.clone(), label.to_owned())).or_default();
                row.total += 1;
                let sure = scores.surest(&judge(detector, text, false).findings);
                for (acted, act) in row.acted.iter_mut().zip(THRESHOLDS) {
                    *acted += usize::from(sure + 1e-4 >= act);
                }
            }
        }
        curve
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = THRESHOLDS.iter().enumerate().map(|(i, act)| {
            let now = if self.act == Some(i) { "（现在）" } else { "" };
            format!(" {act}{now} |")
        });
        let heads: String = heads.collect();
        let rule = "---:|".repeat(THRESHOLDS.len());
        for (rows, what, of) in [
            (&self.honest, "正常的文本：每千条误判几条，act =", 1000.0),
            (&self.bad, "违规的文本：处置百分之几，act =", 100.0),
        ] {
            writeln!(f, "| {what} | 条数 |{heads}\n|---|---:|{rule}")?;
            for ((set, label), row) in rows {
                write!(f, "| {set}/{label} | {} |", row.total)?;
                for acted in row.acted {
                    write!(f, " {:.2} |", acted as f64 * of / row.total.max(1) as f64)?;
                }
                writeln!(f)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Lists, Settings};

    #[test]
    fn a_stricter_threshold_acts_on_less() {
        let mut lists = Lists::default();
        lists.insert("ads/own.txt", "蓝鲸币 | 分=2.5\n红鲸币 | 分=1.5\n绿鲸币 | 分=0.5\n".to_owned());
        let detector = Detector::build(&lists, Settings::new(jiff::civil::Date::constant(2026, 1, 1))).unwrap();
        let text =
            "0\t红鲸币是谁\n0\t今天下雨\n1\t蓝鲸币到货\n1\t红鲸币到货\n1\t绿鲸币到货\n1\t红鲸币到货，绿鲸币到货\n";
        let sets = [Set { name: "own".to_owned(), text: text.to_owned() }];
        let curve = Curve::of(&detector, &sets, &Honest::default());
        let row = |rows: &BTreeMap<(String, String), Row>| *rows.values().next().unwrap();
        assert_eq!(row(&curve.honest), Row { total: 2, acted: [1, 1, 1, 0, 0, 0, 0, 0] });
        assert_eq!(row(&curve.bad), Row { total: 4, acted: [3, 3, 3, 2, 2, 2, 0, 0] });
        let shown = curve.to_string();
        assert!(shown.contains("| own/0 | 2 | 500.00 | 500.00 | 500.00 | 0.00 |"), "{shown}");
        assert!(shown.contains(" 2（现在） |"), "{shown}");
    }
}
