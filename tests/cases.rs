//! Runs `tests/cases/*.case`: text files that anyone can read and edit.
//!
//! `expect ads/contact-drop · act` says what every line below it must give, until the next `expect`. Instead of a rule a
//! category may stand there, `clean` alone means that nothing may be said about the lines. Results: `act`, `review`,
//! `flagged` (one of the two), `found` (a finding, whatever the verdict). Lines with `#` in front are comments.

use std::fmt::Write as _;

use qunguan::detect::{Detector, Lists, Report, Settings, Verdict, evaluate::judge};

fn detector() -> Detector {
    let mut settings = Settings::new(jiff::civil::date(2026, 11, 23));
    settings.own_domains = vec!["haofang.example".into()];
    settings.own_numbers = vec!["4008123456".into(), "13800138000".into()];
    settings.names = vec!["好房网".into(), "草原奶".into()];
    settings.staff = vec!["马德胜".into()];
    Detector::build(&Lists::shipped(), settings).unwrap_or_else(|errors| {
        panic!("the shipped lists are wrong:\n{}", errors.iter().map(|e| format!("{e}\n")).collect::<String>())
    })
}

struct Expected<'a> {
    rule: &'a str,
    result: &'a str,
}

impl<'a> Expected<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        if text == "clean" {
            return Some(Self { rule: "", result: "clean" });
        }
        let (rule, result) = text.split_once('·')?;
        let (rule, result) = (rule.trim(), result.trim());
        let category = rule.split('/').next()?;
        category.parse::<qunguan::model::Category>().ok()?;
        ["act", "review", "flagged", "found"].contains(&result).then_some(Self { rule, result })
    }

    fn fits(&self, report: &Report) -> bool {
        if self.result == "clean" {
            return report.verdict == Verdict::Clean;
        }
        let found = report
            .findings
            .iter()
            .any(|f| &*f.rule == self.rule || !self.rule.contains('/') && f.category.id() == self.rule);
        let verdict = match self.result {
            "act" => report.verdict == Verdict::Act,
            "review" => report.verdict == Verdict::Review,
            "flagged" => report.verdict != Verdict::Clean,
            _ => true,
        };
        found && verdict
    }
}

#[test]
fn every_line_of_every_case_file_gives_what_it_expects() {
    let detector = detector();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let (mut lines, mut wrong) = (0, String::new());
    for file in files.iter().filter(|f| f.extension().is_some_and(|e| e == "case")) {
        let name = file.file_name().unwrap().to_string_lossy();
        let text = std::fs::read_to_string(file).unwrap();
        let mut expected: Option<Expected<'_>> = None;
        for (number, line) in text.lines().enumerate().map(|(i, l)| (i + 1, l)) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(rest) = line.strip_prefix("expect ") {
                expected =
                    Some(Expected::parse(rest).unwrap_or_else(|| panic!("{name}:{number}: expect 写错了：{rest}")));
                continue;
            }
            let expected = expected.as_ref().unwrap_or_else(|| panic!("{name}:{number}: 前面还没有 expect"));
            lines += 1;
            let report = judge(&detector, line, false);
            if !expected.fits(&report) {
                let found: Vec<String> = report
                    .findings
                    .iter()
                    .filter(|f| f.score > 0.0)
                    .map(|f| {
                        format!("{} “{}” {} {}", f.rule, f.normalized, f.score, f.entry.as_deref().unwrap_or_default())
                    })
                    .collect();
                let (rule, result) = (expected.rule, expected.result);
                let _ = writeln!(wrong, "{name}:{number}: {rule} {result} ≠ {:?} {found:?}: {line}", report.verdict);
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {lines} lines:\n{wrong}", wrong.lines().count());
    assert!(lines >= 600, "only {lines} lines of cases");
}
