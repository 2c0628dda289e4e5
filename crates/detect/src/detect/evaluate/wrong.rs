//! `evaluate --wrong SET/LABEL`: the lines that were judged wrongly, each with what was found in it.
//!
//! Of honest text that is whatever did not pass, of bad text whatever did.

use std::fmt;

use serde::Serialize;

use super::{Honest, Set, judge};
use crate::detect::{Detector, Finding, Verdict};

/// A line that was judged wrongly.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wrong {
    /// Counted from 1.
    pub line: usize,
    /// As the file has it.
    pub label: String,
    /// What was concluded.
    pub verdict: Verdict,
    /// The text.
    pub text: String,
    /// What gave points.
    pub findings: Vec<Finding>,
}

/// The wrong lines of a set, of one label or of all.
pub fn wrong(detector: &Detector, set: &Set, only: Option<&str>, honest: &Honest) -> Vec<Wrong> {
    let records = set.records().filter(|(_, label, _)| only.is_none_or(|only| only == *label));
    records
        .filter_map(|(line, label, text)| {
            let report = judge(detector, text, false);
            if (report.verdict == Verdict::Clean) == honest.has(label) {
                return None;
            }
            let findings = report.findings.into_iter().filter(|f| f.score > 0.0).collect();
            Some(Wrong { line, label: label.to_owned(), verdict: report.verdict, text: text.to_owned(), findings })
        })
        .collect()
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\t{}\t{:?}\t{}\t", self.line, self.label, self.verdict, self.text)?;
        for (i, finding) in self.findings.iter().enumerate() {
            let entry = finding.entry.as_deref().unwrap_or("-");
            let gap = if i > 0 { " · " } else { "" };
            write!(f, "{gap}{} {entry} {:.1} “{}”", finding.rule, finding.score, finding.normalized)?;
        }
        Ok(())
    }
}
