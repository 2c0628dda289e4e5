//! Runs `tests/cases/*.case`: text files that anyone can read and edit.
//!
//! `expect ads/contact-drop · act` says what every line below it must give, until the next `expect`. Instead of a rule a
//! category may stand there, `clean` alone means that nothing may be said about the lines. Results: `act`, `review`,
//! `flagged` (one of the two), `found` (a finding, whatever the verdict). Lines with `#` in front are comments.

#![expect(clippy::format_collect, reason = "short texts in tests read better so")]

use std::fmt::Write as _;

use qunguan_detect::detect::{Detector, Lists, Report, Settings, Verdict, evaluate::judge};

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
        category.parse::<qunguan_detect::model::Category>().ok()?;
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
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases");
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

mod generated {
    //! Numbers made by rule, plain and disguised: every one must be found, and none in honest digits.

    use proptest::prelude::*;
    use qunguan_detect::detect::leaks::{id_check, is_bank_card, is_id_card, luhn};

    use super::*;

    fn shared() -> &'static Detector {
        static DETECTOR: std::sync::OnceLock<Detector> = std::sync::OnceLock::new();
        DETECTOR.get_or_init(detector)
    }

    fn has(text: &str, rule: &str) -> bool {
        judge(shared(), text, false).findings.iter().any(|f| &*f.rule == rule)
    }

    /// How people disguise digits.
    fn disguised(number: &str, how: usize) -> String {
        let wide = |c: char| char::from_u32(c as u32 + 0xfee0).unwrap_or(c);
        let han = |c: char| c.to_digit(10).and_then(|d| "〇一二三四五六七八九".chars().nth(d as usize)).unwrap_or(c);
        let bold = |c: char| c.to_digit(10).and_then(|d| char::from_u32(0x1d7ce + d)).unwrap_or(c);
        match how {
            0 => number.to_owned(),
            1 => number.chars().map(wide).collect(),
            2 => number.chars().map(han).collect(),
            3 => number.chars().map(bold).collect(),
            4 => number.chars().map(|c| format!("{c} ")).collect(),
            5 => number
                .chars()
                .enumerate()
                .map(|(i, c)| if i % 4 == 3 { format!("{c}-") } else { c.to_string() })
                .collect(),
            _ => number.chars().map(|c| format!("{c}\u{200b}")).collect(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        #[test]
        fn id_cards(region in prop::sample::select(vec![11u32, 31, 44, 51, 65]), town in 0u32..9999, year in 1940u32..2015,
                    month in 1u32..=12, day in 1u32..=28, order in 0u32..999, how in 0usize..7) {
            let first = format!("{region}{town:04}{year}{month:02}{day:02}{order:03}");
            let number = format!("{first}{}", (id_check(first.as_bytes()) as char).to_ascii_uppercase());
            prop_assert!(is_id_card(&number.to_lowercase()));
            let text = format!("客户证件：{}，麻烦核对", disguised(&number, how));
            prop_assert!(has(&text, "leak_personal/id-card"), "{}", text);
        }

        #[test]
        fn bank_cards(issuer in prop::sample::select(vec!["621700", "622848", "621483", "601382", "436742"]), rest in 0u64..10_000_000_000, how in 0usize..7) {
            let length = if issuer.starts_with('4') { 16 } else { 19 };
            let mut number = format!("{issuer}{rest:010}000");
            number.truncate(length - 1);
            let check = (0..10).find(|d| luhn(&format!("{number}{d}"))).unwrap();
            let number = format!("{number}{check}");
            prop_assume!(is_bank_card(&number));
            let text = format!("打到这张卡 {}", disguised(&number, how));
            prop_assert!(has(&text, "leak_personal/bank-card"), "{}", text);
        }

        #[test]
        fn honest_digits(price in 1u32..99_999_999, order in 20_200_101_000_000u64..20_301_231_999_999) {
            let text = format!("总价 {price} 元，订单 {order}");
            let report = judge(shared(), &text, false);
            prop_assert!(!report.findings.iter().any(|f| f.rule.starts_with("leak_personal/") && &*f.rule != "leak_personal/mobile" && f.score > 0.0), "{}", text);
        }

        #[test]
        fn any_text_is_read_without_panic_and_spans_fit(text in "\\PC{0,60}") {
            let length = text.chars().count();
            for finding in judge(shared(), &text, true).findings {
                prop_assert!(finding.start <= finding.end && finding.end <= length);
            }
        }
    }
}
