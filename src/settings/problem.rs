//! What is wrong in a file an admin edits, said so that the line can be found: `config/qunguan.toml:12: …`.

use std::{fmt, path::Path};

use crate::model::UnknownName;

/// One thing to put right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file as the admin knows it.
    pub file: String,
    /// Counted from 1; 0 when it is about the file as a whole.
    pub line: usize,
    /// In Chinese, for the admin.
    pub message: String,
}

impl Problem {
    /// A problem on one line.
    pub fn new(file: impl AsRef<Path>, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.as_ref().display().to_string(), line, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.message)
        } else {
            write!(f, "{}:{}: {}", self.file, self.line, self.message)
        }
    }
}

impl std::error::Error for Problem {}

/// “，是不是想写 x？” when a known name is near, else nothing.
pub fn did_you_mean<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    UnknownName::new(found, known).nearest.map(|near| format!("，是不是想写 `{near}`？")).unwrap_or_default()
}

/// Says a serde or TOML message in Chinese; what it does not know stays as it is, so nothing is lost.
pub(super) fn in_chinese(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match (&quoted[..], message) {
        ([found, known @ ..], m) if m.starts_with("unknown field") => {
            let near = did_you_mean(found, known.iter().copied());
            if near.is_empty() && !known.is_empty() {
                format!("不认识的设置项 `{found}`，这里可以写：{}", known.join("、"))
            } else {
                format!("不认识的设置项 `{found}`{near}")
            }
        }
        ([found, known @ ..], m) if m.starts_with("unknown variant") => {
            // A short list says it all; of a long one the nearest name is more help.
            let near = if known.len() > 6 { did_you_mean(found, known.iter().copied()) } else { String::new() };
            let known = if near.is_empty() { format!("，可以写：{}", known.join("、")) } else { near };
            format!("`{found}` 不是可选的值{known}")
        }
        ([field, ..], m) if m.starts_with("missing field") => format!("缺少设置项 `{field}`"),
        (_, m) if m.starts_with("invalid type: ") || m.starts_with("invalid value: ") => {
            let (found, expected) =
                m.split_once(": ").map_or(("", m), |(_, rest)| rest.rsplit_once(", expected ").unwrap_or((rest, "")));
            format!("值不对：写的是 {}，应为 {}", kind(found), kind(expected))
        }
        (_, m) if m.starts_with("duplicate key") => "同一个设置项写了两次".to_owned(),
        (_, m) if m.is_ascii() => format!("格式有误：{m}"),
        (_, m) => m.to_owned(),
    }
}

/// Serde's names of kinds of values.
fn kind(text: &str) -> String {
    const KINDS: [(&str, &str); 12] = [
        ("path string", "文字"),
        ("a string", "文字"),
        ("string", "文字"),
        ("integer", "整数"),
        ("floating point", "小数"),
        ("boolean", "true/false"),
        ("a boolean", "true/false"),
        ("map", "表"),
        ("a map", "表"),
        ("sequence", "列表"),
        ("a sequence", "列表"),
        ("datetime", "日期"),
    ];
    for (english, chinese) in KINDS {
        if text == english {
            return chinese.to_owned();
        }
        if let Some(value) = text.strip_prefix(english).and_then(|rest| rest.strip_prefix(' ')) {
            return format!("{chinese} {value}");
        }
    }
    match text {
        "u8" | "u16" | "u32" | "u64" | "usize" => "不小于 0 的整数".to_owned(),
        "i8" | "i16" | "i32" | "i64" => "整数".to_owned(),
        _ if text.starts_with("struct ") => "一节设置".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serde_messages_become_chinese() {
        assert_eq!(
            in_chinese("unknown field `polcy`, expected one of `id`, `policy`"),
            "不认识的设置项 `polcy`，是不是想写 `policy`？"
        );
        assert_eq!(
            in_chinese("unknown field `xyz`, expected `id` or `name`"),
            "不认识的设置项 `xyz`，这里可以写：id、name"
        );
        assert_eq!(in_chinese("missing field `corp_id`"), "缺少设置项 `corp_id`");
        assert_eq!(in_chinese("invalid type: integer `5`, expected a string"), "值不对：写的是 整数 `5`，应为 文字");
        assert_eq!(
            in_chinese("unknown variant `ful`, expected one of `full`, `watch`"),
            "`ful` 不是可选的值，可以写：full、watch"
        );
    }

    #[test]
    fn a_problem_reads_file_line_message() {
        assert_eq!(Problem::new("config/qunguan.toml", 3, "缺少").to_string(), "config/qunguan.toml:3: 缺少");
        assert_eq!(Problem::new("config/qunguan.toml", 0, "读不了").to_string(), "config/qunguan.toml: 读不了");
    }
}
