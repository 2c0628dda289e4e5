//! Lists whose lines are base64, so that no search engine sees them.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{Note, lines};
use crate::text::is_han;

/// Share of the lines that have to be base64, and share of those that have to be Chinese.
const MOST: f64 = 0.7;
const CHINESE: f64 = 0.5;

/// The decoded lines, empty where one is none; `None` if the text is no such list.
pub(super) fn read(text: &str) -> Option<(String, Vec<Note>)> {
    let lines: Vec<&str> = lines(text).map(str::trim).collect();
    let filled = lines.iter().filter(|line| !line.is_empty());
    // Most lists are settled by their first line.
    let first = filled.clone().take(8).filter(|line| looks(line)).count();
    if first == 0 {
        return None;
    }
    let decoded: Vec<Option<String>> = lines.iter().map(|line| decode(line)).collect();
    let (all, read) = (filled.count(), decoded.iter().flatten().count());
    let chinese = decoded.iter().flatten().filter(|text| text.chars().any(is_han)).count();
    if read as f64 >= all as f64 * MOST && chinese as f64 >= read as f64 * CHINESE && chinese > 0 {
        let mut mistakes = Vec::new();
        let mut out = String::new();
        for (i, (line, decoded)) in lines.iter().zip(decoded).enumerate() {
            match decoded {
                Some(decoded) => out.push_str(&decoded.replace(['\n', '\r'], "、")),
                None if line.is_empty() || line.starts_with('#') => {}
                None => mistakes.push(Note::new(i + 1, "看起来是 base64，这一行解不开，没有读")),
            }
            out.push('\n');
        }
        return Some((out, mistakes));
    }
    // One file, encoded as a whole.
    let whole = decode(&lines.concat()).filter(|text| text.chars().any(is_han))?;
    Some((whole, Vec::new()))
}

fn looks(line: &str) -> bool {
    line.len() >= 4
        && line.len().is_multiple_of(4)
        && line.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
}

fn decode(line: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(line).ok().filter(|_| looks(line))?).ok()?;
    let text = text.trim().to_owned();
    (!text.is_empty() && !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))).then_some(text)
}
