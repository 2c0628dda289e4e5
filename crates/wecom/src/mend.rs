//! Text that is not quite what it should be, made readable: bytes cut in the middle of a character, control characters
//! bare inside a JSON string, half of a surrogate pair. What somebody said is judged, not refused for a broken character.

use std::{borrow::Cow, iter::Peekable, str::Chars};

use serde::de::DeserializeOwned;

/// Bytes as text; what is no UTF-8 becomes U+FFFD.
pub fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Reads JSON, mended only if it cannot be read as it is.
///
/// # Errors
/// It is no JSON, or not of that shape, even so.
pub fn json<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    match serde_json::from_str(text) {
        Err(error) if error.is_syntax() => match strings(text) {
            Cow::Borrowed(_) => Err(error),
            Cow::Owned(mended) => serde_json::from_str(&mended),
        },
        read => read,
    }
}

/// The same with everything inside quotation marks as JSON wants it.
fn strings(text: &str) -> Cow<'_, str> {
    let mut mended = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    let mut inside = false;
    while let Some(c) = rest.next() {
        match c {
            '"' => {
                inside = !inside;
                mended.push(c);
            }
            '\\' if inside => escape(&mut rest, &mut mended),
            c if inside && c < ' ' => mended.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => mended.push(c),
        }
    }
    if mended == text { Cow::Borrowed(text) } else { Cow::Owned(mended) }
}

/// What follows a backslash.
fn escape(rest: &mut Peekable<Chars<'_>>, mended: &mut String) {
    match rest.peek() {
        Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => {
            mended.push('\\');
            mended.extend(rest.next());
        }
        Some('u') => {
            rest.next();
            match unit(rest) {
                Some(high @ 0xd800..=0xdbff) => {
                    let mut ahead = rest.clone();
                    let low = (ahead.next() == Some('\\') && ahead.next() == Some('u')).then(|| unit(&mut ahead));
                    if let Some(Some(low @ 0xdc00..=0xdfff)) = low {
                        *rest = ahead;
                        mended.push_str(&format!("\\u{high:04x}\\u{low:04x}"));
                    } else {
                        mended.push('\u{fffd}');
                    }
                }
                Some(0xdc00..=0xdfff) | None => mended.push('\u{fffd}'),
                Some(unit) => mended.push_str(&format!("\\u{unit:04x}")),
            }
        }
        // No escape at all: the backslash itself was meant.
        _ => mended.push_str("\\\\"),
    }
}

/// The four hexadecimal digits of a `\u`, if all are there.
fn unit(rest: &mut Peekable<Chars<'_>>) -> Option<u32> {
    let mut ahead = rest.clone();
    let mut unit = 0;
    for _ in 0..4 {
        unit = unit * 16 + ahead.next()?.to_digit(16)?;
    }
    *rest = ahead;
    Some(unit)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn broken_characters_are_mended_and_the_words_stay() {
        for (broken, read) in [
            ("{\"a\":\"加\u{8}我\n微信\"}", json!({"a": "加\u{8}我\n微信"})),
            (r#"{"a":"好\ud83d的"}"#, json!({"a": "好\u{fffd}的"})),
            (r#"{"a":"好\ude00\ud83d\ud83d\ude00"}"#, json!({"a": "好\u{fffd}\u{fffd}😀"})),
            (r#"{"a":"\u12 \x \\ \" \/"}"#, json!({"a": "\u{fffd}12 \\x \\ \" /"})),
            (r#"{"a":"不变 \n \u0041"}"#, json!({"a": "不变 \n A"})),
        ] {
            assert_eq!(json::<Value>(broken).unwrap(), read, "{broken:?}");
        }
        for broken in ["", "{", r#"{"a":"#, r#"{"a":"x"#, "{\"a\":\"\u{8}", "不是"] {
            assert!(json::<Value>(broken).is_err(), "{broken:?}");
        }
        assert_eq!(text("加我".as_bytes()[..5].to_vec()), "加\u{fffd}");
    }

    proptest::proptest! {
        #[test]
        fn what_is_right_is_left_alone(words in "[^\\\\]{0,40}") {
            let right = json!({ "a": words }).to_string();
            assert_eq!(json::<Value>(&right).unwrap()["a"], words.as_str());
            let spoilt = right.replace("\\n", "\n").replace("\\u0000", "\0");
            assert_eq!(json::<Value>(&spoilt).unwrap()["a"], words.as_str());
        }
    }
}
