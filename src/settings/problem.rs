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
        (_, m) => match SYNTAX.iter().find(|(english, _)| m.starts_with(english)) {
            Some((_, chinese)) => format!("格式有误：{chinese}"),
            None if m.is_ascii() => format!("格式有误：{m}"),
            None => m.to_owned(),
        },
    }
}

/// How the TOML reader and the types of single settings begin to say that they cannot read a text.
const SYNTAX: [(&str, &str); 32] = [
    ("unclosed table", "小节的名字后面缺少 `]`"),
    ("unclosed array table", "小节的名字后面缺少 `]]`"),
    ("unclosed array", "列表后面缺少 `]`"),
    ("unclosed inline table", "缺少 `}`"),
    ("missing table open", "小节的名字前面缺少 `[`"),
    ("missing opening quote", "文字前面缺少引号"),
    ("missing array opening", "列表前面缺少 `[`"),
    ("missing inline table opening", "缺少 `{`"),
    ("missing comma between array elements", "列表里的值之间缺少逗号"),
    ("missing comma between key-value pairs", "各项之间缺少逗号"),
    ("missing assignment between key-value pairs", "名字和值之间缺少 `=`"),
    ("missing key for inline table element", "缺少名字"),
    ("missing value", "`=` 后面缺少值"),
    ("missing escaped value", "`\\` 后面缺少字符；路径可以用单引号括起来"),
    ("key with no value", "只有名字，后面缺少 `=` 和值"),
    ("string values must be quoted", "文字要用引号括起来"),
    ("unexpected key or value", "一行只能写一项，或缺少引号"),
    ("unexpected content", "这里有多余的内容"),
    ("unexpected `=` in array", "列表里不能写 `=`"),
    ("extra assignment between key-value pairs", "一行只能写一项"),
    ("unexpected leading zero", "数不能以 0 开头"),
    ("unexpected sign", "正负号写错了"),
    ("redundant numeric sign", "正负号写错了"),
    ("integers with a radix", "数写错了"),
    ("radix must be lowercase", "数写错了"),
    ("carriage return must be followed by newline", "换行不对，请用编辑器另存"),
    ("unquoted keys cannot be empty", "缺少名字"),
    ("invalid unquoted key", "名字里有不能用的字符；中文名字要用引号括起来"),
    ("invalid basic string", "文字没有写完，或里面有不能用的字符；路径里的 `\\` 要写两遍"),
    ("invalid literal string", "文字没有写完，或里面有不能用的字符"),
    ("invalid socket address syntax", "要写成 地址:端口，如 127.0.0.1:8080"),
    ("keys cannot be multi-line", "名字不能分几行写"),
];

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
        "f32" | "f64" => "数".to_owned(),
        _ if text.starts_with("struct ") => "一节设置".to_owned(),
        other => other.to_owned(),
    }
}

/// What is wrong in the files, as an error.
#[derive(Debug, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
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
