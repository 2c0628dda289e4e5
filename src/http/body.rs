//! A request's JSON, and what is wrong with it: in Chinese, with the place in it and a code for programs.
//!
//! | code | when |
//! |---|---|
//! | `invalid_json` | it is no JSON at all |
//! | `missing_field` | a field that must be there is not |
//! | `unknown_field` | a field that nobody reads, or one that stands there twice |
//! | `invalid_value` | a field has the wrong kind of value, or one that cannot be |

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::problem::Problem;
use crate::model::UnknownName;

/// Reads a body.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // The place is looked for only where something is wrong: keeping it costs time, and batches are large.
    serde_json::from_slice(body).map_err(|error| {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
            Err(at) => problem(&at.path().to_string(), at.inner()),
            Ok(_) => problem(".", &error), // something stands behind the end of it
        }
    })
}

fn problem(path: &str, error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    if error.classify() != Category::Data {
        let detail = if error.is_eof() {
            "JSON 没有写完".to_owned()
        } else {
            format!("第 {line} 行第 {column} 个字节附近不是合法的 JSON")
        };
        return Problem::coded("invalid_json", detail);
    }
    let message = error.to_string();
    let message = message.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&message);
    let path = if path == "." { "" } else { path };
    let (code, field, detail) = said(path, message);
    Problem { field: (!field.is_empty()).then_some(field), ..Problem::coded(code, detail) }
}

/// The code, the field and the sentence for what serde says about `path`.
fn said(path: &str, message: &str) -> (&'static str, String, String) {
    let within = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if let Some(name) = message.strip_prefix("missing field ").map(unquoted) {
        let field = within(name);
        return ("missing_field", field.clone(), format!("缺少 {field}"));
    }
    if let Some(name) = message.strip_prefix("duplicate field ").map(unquoted) {
        let field = within(name);
        return ("unknown_field", field.clone(), format!("{field} 写了两次"));
    }
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let (name, known) = rest.split_once(", ").unwrap_or((rest, ""));
        // The path ends with the field itself here.
        let field = if path.is_empty() { unquoted(name).to_owned() } else { path.to_owned() };
        let known = quoted(known);
        let near = UnknownName::new(unquoted(name), known.iter().copied()).nearest;
        let hint = near.map_or_else(|| format!("；可以写 {}", known.join("、")), |near| format!("，是不是 {near}？"));
        let hint = if known.is_empty() { String::new() } else { hint };
        return ("unknown_field", field.clone(), format!("没有 {field} 这一项{hint}"));
    }
    let field = path.to_owned();
    let start = if field.is_empty() { String::new() } else { format!("{field}：") };
    if message.starts_with("unknown variant ") {
        let known = message.split_once(", ").map_or("", |(_, known)| known);
        return ("invalid_value", field, format!("{start}应当是 {} 之一", quoted(known).join("、")));
    }
    let found = |wrong: &str| message.strip_prefix(wrong)?.split_once(", expected ");
    if let Some((found, expected)) = found("invalid type: ").or_else(|| found("invalid value: ")) {
        return ("invalid_value", field, format!("{start}应当是{}，不是{}", kind(expected), value(found)));
    }
    if let Some((length, expected)) = found("invalid length ") {
        return ("invalid_value", field, format!("{start}应当是{}，不是 {length} 项的列表", kind(expected)));
    }
    if message.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)) {
        return ("invalid_value", field, format!("{start}{message}")); // our own words
    }
    // What is left are the times of day, in the words of the library that reads them.
    ("invalid_value", field, format!("{start}时间应当写成 2026-11-23T18:00:00+08:00"))
}

fn unquoted(text: &str) -> &str {
    text.trim_matches('`')
}

/// The words in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// What serde expected.
fn kind(expected: &str) -> String {
    match expected {
        "a string" | "a borrowed string" | "string" => "文字".into(),
        "a boolean" => " true 或 false".into(),
        "a sequence" => "列表 […]".into(),
        "u8" => " 0 到 255 的整数".into(),
        "u16" | "u32" | "u64" | "usize" => "不小于 0 的整数".into(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "整数".into(),
        "f32" | "f64" => "数字".into(),
        other if other.starts_with("struct ") || other.starts_with("a map") || other.contains("enum ") => {
            "对象 {…}".into()
        }
        other if other.contains("string") => "文字".into(),
        _ => "别的写法".into(),
    }
}

/// What serde found.
fn value(found: &str) -> String {
    let (what, rest) = found.split_once(' ').unwrap_or((found, ""));
    match what {
        "null" => "空值 null".into(),
        "boolean" | "integer" => format!(" {}", unquoted(rest)),
        "floating" => format!(" {}", unquoted(rest.trim_start_matches("point "))),
        "string" => format!("文字 {rest}"),
        "sequence" => "列表".into(),
        "map" => "对象".into(),
        _ => "现在这样".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notices::Draft;

    #[test]
    fn what_is_wrong_is_said_in_chinese_with_its_place() {
        let draft = r#""text":"填表","groups":["a"],"deadline":"2h""#;
        for (body, code, field, detail) in [
            ("{", "invalid_json", "", "JSON 没有写完"),
            ("填表", "invalid_json", "", "第 1 行第 1 个字节附近不是合法的 JSON"),
            (r#"{"text":"填表"}"#, "missing_field", "deadline", "缺少 deadline"),
            (&format!(r#"{{{draft},"text":"x"}}"#), "unknown_field", "text", "text 写了两次"),
            (
                &format!(r#"{{{draft},"deadlin":"2h"}}"#),
                "unknown_field",
                "deadlin",
                "没有 deadlin 这一项，是不是 deadline？",
            ),
            (
                &format!(r#"{{{draft},"links":[{{"title":"a","url":"b","href":"c"}}]}}"#),
                "unknown_field",
                "links[0].href",
                "没有 links[0].href 这一项；可以写 title、url",
            ),
            (
                &format!(r#"{{{draft},"links":[{{"title":"a"}}]}}"#),
                "missing_field",
                "links[0].url",
                "缺少 links[0].url",
            ),
            (r#"{"text":1,"deadline":"2h"}"#, "invalid_value", "text", "text：应当是文字，不是 1"),
            (
                &format!(r#"{{{draft},"accept":"收到"}}"#),
                "invalid_value",
                "accept",
                "accept：应当是列表 […]，不是文字 \"收到\"",
            ),
            (
                &format!(r#"{{{draft},"reminders":[50,300]}}"#),
                "invalid_value",
                "reminders[1]",
                "reminders[1]：应当是 0 到 255 的整数，不是 300",
            ),
            (
                &format!(r#"{{{draft},"review":null}}"#),
                "invalid_value",
                "review",
                "review：应当是 true 或 false，不是空值 null",
            ),
            (
                &format!(r#"{{{draft},"joiners":"all"}}"#),
                "invalid_value",
                "joiners",
                "joiners：应当是 ignore、include 之一",
            ),
            (
                &format!(r#"{{{draft},"send_at":"明天"}}"#),
                "invalid_value",
                "send_at",
                "send_at：时间应当写成 2026-11-23T18:00:00+08:00",
            ),
            (
                r#"{"text":"填表","deadline":"两小时"}"#,
                "invalid_value",
                "deadline",
                "deadline：`两小时` 不是截止时间，请写 2h、work:120m（工作时间）、2026-11-23 18:00 或带时区的完整时间",
            ),
            (
                &format!(r#"{{{draft},"fine":{{"preset":"x"}}}}"#),
                "invalid_value",
                "fine",
                "fine：没有金额规则“x”，现有：sales-staff-2016",
            ),
            ("[]", "invalid_value", "", "应当是对象 {…}，不是 0 项的列表"),
            (&format!("{{{draft}}} x"), "invalid_json", "", "第 1 行第 50 个字节附近不是合法的 JSON"),
        ] {
            let problem = read::<Draft>(body.as_bytes()).unwrap_err();
            let found =
                (problem.code, problem.field.as_deref().unwrap_or_default(), problem.detail.as_deref().unwrap());
            assert_eq!(found, (code, field, detail), "{body}");
            assert_eq!(problem.status, 400);
        }
    }
}
