//! Letters that are no words: those of a link, a file name, a product code, or of one sign like ™.

use super::Talk;
use crate::detect::view::{Span, View};

/// Endings that make `3.md` a file and `jd.com` an address.
const ENDINGS: [&str; 46] = [
    "md", "txt", "doc", "docx", "xls", "xlsx", "csv", "pdf", "ppt", "pptx", "zip", "rar", "7z", "jpg", "jpeg", "png",
    "gif", "mp3", "mp4", "mov", "avi", "html", "htm", "js", "ts", "rs", "py", "json", "toml", "yml", "yaml", "xml",
    "log", "sql", "psd", "ai", "cdr", "dwg", "com", "cn", "net", "org", "ini", "bat", "apk", "exe",
];

/// Longest short name of goods.
const LONGEST_NAME: usize = 4;

/// A hit of Latin letters and digits is part of something longer that is no speech.
pub(in crate::detect) fn is_code(view: &View, hit: Span, talk: &Talk<'_>) -> bool {
    if hit.start >= hit.end || !view.chars[hit.start..hit.end].iter().all(char::is_ascii_alphanumeric) {
        return false;
    }
    let from = &view.from[hit.start..hit.end];
    if from.windows(2).any(|pair| pair[0] == pair[1] && view.raw.get(pair[0] as usize).is_some_and(|c| !c.is_ascii())) {
        return true;
    }
    let (start, end) = view.raw_range(hit);
    // `NMD鞋到货`: capitals in front of what they are the name of.
    if hit.end - hit.start <= LONGEST_NAME
        && !view.raw[start..end].iter().any(char::is_ascii_lowercase)
        && talk.names_thing(hit)
    {
        return true;
    }
    let part = |c: &char| c.is_ascii_alphanumeric() || "._-/:?&=%#~".contains(*c);
    let before = view.raw[..start].iter().rev().take_while(|c| part(c)).count();
    let after = view.raw[end..].iter().take_while(|c| part(c)).count();
    // A file whose name is Chinese: `说明.md`.
    let ending: String = view.raw[start..end].iter().map(char::to_ascii_lowercase).collect();
    if start >= 2 && view.raw[start - 1] == '.' && view.raw[start - 2].is_alphanumeric() && ENDINGS.contains(&&*ending)
    {
        return true;
    }
    let token: String = view.raw[start - before..end + after].iter().collect();
    let token = token.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let capitals = token.chars().all(|c| !c.is_ascii_lowercase());
    let token = token.to_ascii_lowercase();
    if token.chars().count() <= end - start {
        return false;
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    let address = token.contains("://") || token.starts_with("www.");
    let file = token.rsplit_once('.').is_some_and(|(name, ending)| {
        let ending = ending.split('/').next().unwrap_or_default();
        !name.is_empty() && ENDINGS.contains(&ending)
    });
    let model = token.contains(['-', '_', '/']) && (capitals || digits(&token) > digits(&ending));
    address || file || model
}
