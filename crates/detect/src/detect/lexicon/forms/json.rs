//! Lists as JSON: an array of words, of objects with a word each, or an object of such arrays.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{Form, Note, table::is_heading};

/// Reads a JSON list; `None` if the text is none and need not be one.
pub(super) fn read(text: &str, must: bool) -> Result<Option<Form>, Note> {
    let start = text.trim_start();
    if !must
        && !start.starts_with("[\"")
        && !start.starts_with('{')
        && !start.starts_with("[\n")
        && !start.starts_with("[{")
    {
        return Ok(None);
    }
    let raw: &RawValue = match serde_json::from_str(text) {
        Ok(raw) => raw,
        Err(error) if must => {
            return Err(Note::new(error.line(), "JSON 写错了，没有读；可以写成 [\"词\", \"词\"]，或每行一个词的 .txt"));
        }
        Err(_) => return Ok(None),
    };
    let mut found = Found { text, words: Vec::new(), keys: Vec::new() };
    found.value(raw, 0);
    let Found { words, keys, .. } = found;
    if words.is_empty() {
        return Err(Note::new(1, "JSON 里没有找到词；可以写成 [\"词\", \"词\"]"));
    }
    let mut form = Form::default();
    let from = keys.first().map(|key| format!("，取“{key}”")).unwrap_or_default();
    form.note(0, format!("按 JSON 读：{} 个词{from}", words.len()));
    let mut newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).peekable();
    let mut line = 1;
    let lines: Vec<usize> = words
        .iter()
        .map(|(at, _)| {
            while newlines.next_if(|newline| newline < at).is_some() {
                line += 1;
            }
            line
        })
        .collect();
    let mut nth = 0;
    for (i, (_, word)) in words.iter().enumerate() {
        let before = i > 0 && lines[i - 1] == lines[i];
        let after = lines.get(i + 1) == Some(&lines[i]);
        nth = if before { nth + 1 } else { usize::from(after) };
        form.push(lines[i], nth, &word.replace(['\n', '\r', '\t'], " "));
    }
    Ok(Some(form))
}

struct Found<'a> {
    text: &'a str,
    /// Byte and word, in order.
    words: Vec<(usize, String)>,
    /// Under which names the words stood.
    keys: Vec<String>,
}

impl<'a> Found<'a> {
    fn value(&mut self, raw: &'a RawValue, depth: usize) {
        if depth > 8 {
            return;
        }
        let source = raw.get();
        if source.starts_with('"') {
            if let Ok(word) = serde_json::from_str::<String>(source)
                && !word.trim().is_empty()
            {
                self.words.push((source.as_ptr() as usize - self.text.as_ptr() as usize, word));
            }
        } else if source.starts_with('[') {
            let items: Vec<&'a RawValue> = serde_json::from_str(source).unwrap_or_default();
            for item in items {
                self.value(item, depth + 1);
            }
        } else if source.starts_with('{') {
            self.object(serde_json::from_str(source).unwrap_or_default(), depth);
        }
    }

    /// The word of an object, else the words in its lists, else its names (`{"词": 1}`).
    fn object(&mut self, fields: BTreeMap<String, &'a RawValue>, depth: usize) {
        let plain = |raw: &RawValue| raw.get().starts_with('"');
        if let Some((key, raw)) = fields.iter().find(|(key, raw)| is_heading(key) && plain(raw)) {
            if !self.keys.contains(key) {
                self.keys.push(key.clone());
            }
            return self.value(raw, depth + 1);
        }
        let mut nested: Vec<&'a RawValue> =
            fields.values().copied().filter(|raw| raw.get().starts_with(['[', '{'])).collect();
        if !nested.is_empty() {
            nested.sort_by_key(|raw| raw.get().as_ptr() as usize);
            return nested.into_iter().for_each(|raw| self.value(raw, depth + 1));
        }
        let number =
            |raw: &RawValue| raw.get().starts_with(|c: char| c.is_ascii_digit() || matches!(c, 't' | 'f' | 'n'));
        if fields.values().all(|raw| number(raw)) {
            let at = fields.values().next().map_or(0, |raw| raw.get().as_ptr() as usize - self.text.as_ptr() as usize);
            self.words.extend(fields.into_keys().map(|word| (at, word)));
        } else if let Some((_, raw)) = fields.iter().find(|(_, raw)| plain(raw)) {
            self.value(raw, depth + 1);
        }
    }
}
