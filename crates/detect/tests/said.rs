//! What people say in groups of many trades: of every kind of violation in `said/violations.txt` and `said/trades.txt` most is
//! seen, and nothing in `said/honest.txt` and `said/everyday.txt`, much of which stands close to them, is acted on.

use qunguan_detect::detect::{Detector, Lists, Settings, Verdict, evaluate::judge};

/// The sentences by the head they stand under, empty before the first.
fn sentences(text: &str) -> Vec<(&str, &str)> {
    let mut head = "";
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("## ") {
            Some(next) => head = next,
            None if line.starts_with('#') => {}
            None => found.push((head, line)),
        }
    }
    found
}

fn detector() -> Detector {
    Detector::build(&Lists::shipped(), Settings::new(jiff::civil::date(2026, 1, 1))).unwrap()
}

/// Of every kind at least so many of ten sentences are seen.
fn seen(text: &str, of_ten: usize, least_kinds: usize) {
    let detector = detector();
    let all = sentences(text);
    let mut kinds = 0;
    for kind in all.chunk_by(|a, b| a.0 == b.0) {
        let unseen: Vec<&str> = kind
            .iter()
            .map(|(_, text)| *text)
            .filter(|text| judge(&detector, text, false).verdict == Verdict::Clean)
            .collect();
        assert!(unseen.len() * 10 <= kind.len() * (10 - of_ten), "{}: {unseen:?}", kind[0].0);
        kinds += 1;
    }
    assert!(kinds >= least_kinds, "{kinds}");
}

#[test]
fn of_every_kind_of_violation_most_is_seen() {
    seen(include_str!("said/violations.txt"), 6, 14);
}

#[test]
fn what_sellers_offer_in_their_own_words_is_seen() {
    seen(include_str!("said/trades.txt"), 8, 30);
}

/// Nothing is acted on, and fewer than so many of a hundred ask.
fn honest(text: &str, of_hundred: usize) {
    let detector = detector();
    let all = sentences(text);
    let of = |verdict: Verdict| -> Vec<&str> {
        all.iter().map(|(_, text)| *text).filter(|text| judge(&detector, text, false).verdict == verdict).collect()
    };
    let acted = of(Verdict::Act);
    assert!(acted.is_empty(), "{acted:?}");
    let asked = of(Verdict::Review);
    assert!(asked.len() * 100 < all.len() * of_hundred, "{} of {}: {asked:?}", asked.len(), all.len());
}

#[test]
fn nothing_honest_is_acted_on_and_little_asks() {
    honest(include_str!("said/honest.txt"), 8);
}

#[test]
fn everyday_talk_of_thirty_trades_hardly_ever_asks() {
    honest(include_str!("said/everyday.txt"), 2);
}
