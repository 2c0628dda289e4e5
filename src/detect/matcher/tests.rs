use proptest::prelude::*;

use super::*;
use crate::text::fold;

fn texts(matcher: &Matcher, words: &[&str], text: &str) -> Vec<String> {
    find_all(matcher, text).into_iter().map(|m| words[m.pattern].to_owned()).collect()
}

fn plain(words: &[&str]) -> Vec<Pattern> {
    words.iter().map(|w| Pattern::new(*w)).collect()
}

#[test]
fn both_engines_find_overlapping_words_through_the_fold() {
    let words = ["加微信", "微信", "信", "微信群", "VX号"];
    for engine in [Engine::Library, Engine::Filtered] {
        let matcher = Matcher::with_engine(&plain(&words), engine);
        assert_eq!(matcher.engine(), engine);
        assert_eq!(texts(&matcher, &words, "请加 微❤信 群"), ["加微信", "微信", "微信群", "信"]);
        assert_eq!(texts(&matcher, &words, "ｖⓍ號"), ["VX号"]);
        assert!(texts(&matcher, &words, "今天下雨").is_empty());
        assert!(texts(&matcher, &words, "").is_empty());
    }
}

#[test]
fn no_word_is_read_across_a_sentence_unless_every_character_is_set_apart() {
    let words = ["加微信"];
    let matcher = Matcher::build(&plain(&words));
    assert!(texts(&matcher, &words, "多加。微信支付").is_empty());
    assert_eq!(texts(&matcher, &words, "加。微。信"), words);
    let strict = Matcher::build(&[Pattern::new("加微信").gap(0, Break::None)]);
    assert!(texts(&strict, &words, "加 微信").is_empty());
    assert_eq!(texts(&strict, &words, "加微信"), words);
}

#[test]
fn a_word_heard_is_told_from_a_word_read() {
    for engine in [Engine::Library, Engine::Filtered] {
        let patterns = [Pattern::new("加微信").homophone(true), Pattern::new("微信")];
        let matcher = Matcher::with_engine(&patterns, engine);
        let heard = find_all(&matcher, "伽薇芯");
        assert_eq!(heard.len(), 1);
        assert!(heard[0].homophone && heard[0].pattern == 0);
        let read = find_all(&matcher, "加微信");
        assert_eq!(read.iter().map(|m| (m.pattern, m.homophone)).collect::<Vec<_>>(), [(0, false), (1, false)]);
    }
}

#[test]
fn the_second_reading_gives_only_what_needs_it_and_is_allowed() {
    let patterns = [
        Pattern::new("进qq群").layers(Layers::ALL),
        Pattern::new("强推").layers(Layers { split: true, ..Layers::default() }),
        Pattern::new("qq我"),
        Pattern::new("看看"),
    ];
    let matcher = Matcher::build(&patterns);
    let first = normalize("进🐧群看看，弓虽推，🐧我");
    assert_eq!(matcher.scan(&first).iter().map(|m| m.pattern).collect::<Vec<_>>(), [3]);
    let second = matcher.scan(&first.rewritten().unwrap());
    assert_eq!(
        second.iter().map(|m| (m.pattern, m.emoji, m.split)).collect::<Vec<_>>(),
        [(0, true, false), (1, false, true)]
    );
    let reading = normalize("进进进qq群");
    assert_eq!(matcher.scan(&reading.rewritten().unwrap()).len(), 1);
}

#[test]
fn words_that_fold_to_nothing_never_match() {
    for engine in [Engine::Library, Engine::Filtered] {
        let matcher = Matcher::with_engine(&plain(&["", "！！", "❤"]), engine);
        assert!(find_all(&matcher, "！！❤ 你好").is_empty());
    }
}

fn by_str(matcher: &Matcher, text: &str) -> Vec<(usize, String, bool)> {
    let mut found = Vec::new();
    matcher.scan_str(text, &mut Scratch::default(), |pattern, range, heard| {
        found.push((pattern, text[range].to_owned(), heard));
    });
    found.sort();
    found
}

/// Few characters, so that words overlap and repeat.
fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[一二微薇信加a1]{1,5}", "[微信加佳嘉家][微信威卫][信心新芯][加家]?", "\\PC{0,4}", "[ａＡ①㎏微]{1,3}"]
}

fn message() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof![4 => word(), 1 => "[ ，。❤️\u{200b}🇻🇽🇨🇳еВ]{1,3}"], 0..12)
        .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn engines_agree_and_bulk_gives_the_same(words in prop::collection::vec(word(), 0..40), sound in any::<bool>(), text in message()) {
        let patterns: Vec<Pattern> = words
            .iter()
            .enumerate()
            .map(|(i, w)| Pattern::new(w.clone()).homophone(sound && i % 2 == 0).gap(i as u8 % 3, Break::Soft))
            .collect();
        let oracle = Matcher::with_engine(&patterns, Engine::Library);
        let fast = Matcher::with_engine(&patterns, Engine::Filtered);
        let expected = find_all(&oracle, &text);
        prop_assert_eq!(&find_all(&fast, &text), &expected);
        let reading = normalize(&text);
        let mut typed: Vec<(usize, String, bool)> =
            expected.iter().map(|m| (m.pattern, reading.original(m.range()), m.homophone)).collect();
        typed.sort();
        let bulk = by_str(&fast, &text);
        prop_assert_eq!(&by_str(&oracle, &text), &bulk);
        prop_assert_eq!(typed, bulk);
        if let Some(second) = reading.rewritten() {
            prop_assert_eq!(fast.scan(&second), oracle.scan(&second));
        }
    }

    #[test]
    fn nothing_is_missed_against_plain_search(words in prop::collection::vec(word(), 1..20), text in message()) {
        let patterns: Vec<Pattern> = words.iter().map(|w| Pattern::new(w.clone()).gap(255, Break::Sentence)).collect();
        let fast = Matcher::with_engine(&patterns, Engine::Filtered);
        let folded: Vec<char> = normalize(&text).folded().to_vec();
        let mut expected = Vec::new();
        for (pattern, word) in words.iter().enumerate() {
            let word: Vec<char> = fold(word).chars().collect();
            let numbered = word.iter().all(|c| u32::from(*c) < crate::text::table::LIMIT);
            if !word.is_empty() && numbered {
                expected.extend(folded.windows(word.len()).enumerate().filter(|(_, w)| *w == word).map(|(at, _)| (at, at + word.len(), pattern)));
            }
        }
        expected.sort_unstable();
        let found: Vec<_> = find_all(&fast, &text).iter().map(|m| (m.start, m.end, m.pattern)).collect();
        prop_assert_eq!(found, expected);
    }
}

/// Steps are counted, not seconds: the filter asks about a place at most once more than the automaton has read it.
#[test]
fn work_is_linear_on_text_made_of_near_words() {
    let words: Vec<String> = (1..60).map(|n| format!("{}b", "a".repeat(n))).collect();
    let patterns: Vec<Pattern> = words.iter().map(Pattern::new).collect();
    let matcher = Matcher::with_engine(&patterns, Engine::Filtered);
    for n in [1_000, 2_000, 4_000] {
        let (steps, found) = matcher.count_steps(&"a".repeat(n));
        assert_eq!(found, 0);
        assert!(steps <= 6 * n, "{steps} steps for {n} characters");
    }
}
