use proptest::prelude::*;

use super::*;
use crate::text::{fold, normalize};

fn matcher(words: &[&str], by_sound: bool, engine: Engine) -> Matcher {
    let mut builder = Builder::default();
    for word in words {
        builder.add(word, by_sound);
    }
    builder.build_with(engine)
}

fn find(matcher: &Matcher, text: &str) -> Vec<Found> {
    let reading = normalize(text);
    let mut found = Vec::new();
    matcher.scan(reading.folded(), &reading.sounds(), |hit| found.push(hit));
    found.sort();
    found
}

fn texts<'a>(matcher: &Matcher, words: &[&'a str], text: &str) -> Vec<&'a str> {
    find(matcher, text).into_iter().map(|hit| words[hit.word]).collect()
}

#[test]
fn both_engines_find_overlapping_words_through_the_fold() {
    let words = ["加微信", "微信", "信", "微信群", "VX号"];
    for engine in [Engine::Automaton, Engine::Hashed] {
        let matcher = matcher(&words, false, engine);
        assert_eq!(matcher.engine(), engine);
        assert_eq!(texts(&matcher, &words, "请加 微❤信 群"), ["加微信", "微信", "微信群", "信"]);
        assert_eq!(texts(&matcher, &words, "ｖⓍ號"), ["VX号"]);
        assert!(texts(&matcher, &words, "今天下雨").is_empty());
        assert!(texts(&matcher, &words, "").is_empty());
    }
}

#[test]
fn a_word_heard_is_told_from_a_word_read() {
    for engine in [Engine::Automaton, Engine::Hashed] {
        let mut builder = Builder::default();
        builder.add("加微信", true);
        assert_eq!(builder.add("微 信", false), ['微', '信']);
        let matcher = builder.build_with(engine);
        assert_eq!(find(&matcher, "伽薇芯"), [Found { start: 0, end: 3, word: 0, heard: true }]);
        let read: Vec<_> = find(&matcher, "加微信").iter().map(|hit| (hit.word, hit.heard)).collect();
        assert_eq!(read, [(0, false), (1, false)]);
    }
}

#[test]
fn words_that_fold_to_nothing_never_match() {
    for engine in [Engine::Automaton, Engine::Hashed] {
        let matcher = matcher(&["", "！！", "❤"], true, engine);
        assert!(find(&matcher, "！！❤ 你好").is_empty());
    }
}

fn by_str(matcher: &Matcher, text: &str) -> Vec<(usize, String, bool)> {
    let mut found = Vec::new();
    matcher.scan_str(text, &mut Scratch::default(), |word, range, heard| {
        found.push((word, text[range].to_owned(), heard));
    });
    found.sort();
    found
}

/// Few characters, so that words overlap and repeat.
fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[一二微薇信加a1]{1,5}", "[微信加佳嘉家][微信威卫][信心新芯][加家]?", "\\PC{0,4}", "[ａＡ①㎏微]{1,3}"]
}

fn words(most: usize) -> impl Strategy<Value = Vec<(String, bool)>> {
    let mixed = prop::collection::vec((word(), any::<bool>()), 1..most);
    let long = prop::collection::vec(("[一二微薇信加a1]{3,6}", any::<bool>()), 1..most);
    prop_oneof![mixed, long]
}

fn message() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![4 => word(), 1 => "[ ，。❤️\u{200b}🇻🇽🇨🇳еВ]{1,3}"], 0..12)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn engines_agree_and_bulk_gives_the_same(words in words(40), text in message()) {
        let build = |engine| {
            let mut builder = Builder::default();
            for (word, by_sound) in &words {
                builder.add(word, *by_sound);
            }
            builder.build_with(engine)
        };
        let (automaton, hashed) = (build(Engine::Automaton), build(Engine::Hashed));
        let expected = find(&automaton, &text);
        prop_assert_eq!(&find(&hashed, &text), &expected);
        let reading = normalize(&text);
        let mut typed: Vec<(usize, String, bool)> =
            expected.iter().map(|hit| (hit.word, reading.original(hit.start..hit.end), hit.heard)).collect();
        typed.sort();
        let bulk = by_str(&automaton, &text);
        prop_assert_eq!(&by_str(&hashed, &text), &bulk);
        prop_assert_eq!(typed, bulk);
    }

    #[test]
    fn nothing_is_missed_against_plain_search(words in words(20), text in message()) {
        let all: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
        let fast = matcher(&all, false, Engine::Automaton);
        let folded: Vec<char> = normalize(&text).folded().to_vec();
        let mut expected = Vec::new();
        for (i, (word, _)) in words.iter().enumerate() {
            let word: Vec<char> = fold(word).chars().collect();
            let numbered = word.iter().all(|c| u32::from(*c) < LIMIT);
            if !word.is_empty() && numbered {
                expected.extend(folded.windows(word.len()).enumerate().filter(|(_, w)| *w == word).map(|(at, _)| (at, at + word.len(), i)));
            }
        }
        expected.sort_unstable();
        let found: Vec<_> = find(&fast, &text).iter().map(|hit| (hit.start, hit.end, hit.word)).collect();
        prop_assert_eq!(found, expected);
    }
}

/// Characters of every length, so that sixty-four bytes end inside any of them.
fn mixed() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[微信加一二ａ①]{1,30}",
        2 => "[a-z0-9 ,]{1,9}",
        1 => "[äñ£¤]{1,5}",
        1 => "[😀🀄🔥𠮷𝟘𝐀㎏]{1,5}",
        1 => "\\PC{0,9}",
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn bulk_reads_characters_of_every_length(text in mixed(), words in prop::collection::vec("\\PC", 1..20)) {
        let mut all: Vec<String> = text.chars().step_by(3).map(String::from).collect();
        all.extend(words);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let matcher = matcher(&all, false, Engine::Automaton);
        let reading = normalize(&text);
        let mut expected: Vec<(usize, String, bool)> = find(&matcher, &text)
            .iter()
            .map(|hit| (hit.word, reading.original(hit.start..hit.end), hit.heard))
            .collect();
        expected.sort();
        prop_assert_eq!(by_str(&matcher, &text), expected);
    }
}
