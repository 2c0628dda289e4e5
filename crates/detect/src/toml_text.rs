//! A TOML file as people edit it: every mistake is told in one go, each with its line, so that nobody mends one only to
//! meet the next.
//!
//! The reader stops at the first value it does not like. So that value is taken out and the rest is read again, until
//! nothing more is found.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

/// Nobody reads a longer list.
const MOST: usize = 100;

/// One thing to put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Counted from 1.
    pub line: usize,
    /// In the TOML reader's own words.
    pub message: String,
}

/// Reads a whole file.
///
/// # Errors
/// Everything that is wrong with it, in the file's order.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Vec<Mistake>> {
    let table = table(text)?;
    let reading = value(text, Spanned::new(table.span(), DeValue::Table(table.into_inner())));
    match reading.value {
        Some(value) if reading.mistakes.is_empty() => Ok(value),
        _ => Err(reading.mistakes),
    }
}

/// Parses a file without asking what it is about.
///
/// # Errors
/// Every line that is not TOML.
pub fn table(text: &str) -> Result<Spanned<DeTable<'_>>, Vec<Mistake>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table);
    }
    let mut mistakes: Vec<Mistake> = errors.iter().map(|e| mistake(text, e, 0..0)).collect();
    // What else a line seems to lack follows from its first mistake.
    mistakes.sort_by_key(|mistake| mistake.line);
    mistakes.dedup_by_key(|mistake| mistake.line);
    Err(mistakes)
}

/// A value as far as it could be read.
#[derive(Debug)]
pub struct Reading<T> {
    /// It, without what was wrong; `None` if it cannot do without.
    pub value: Option<T>,
    /// Everything that is wrong, in the file's order.
    pub mistakes: Vec<Mistake>,
    /// What was left out for it: `flood.rate`, `app.tags[2]`.
    pub left_out: Vec<String>,
}

/// Reads one value of a file with the text `text`.
pub fn value<T: DeserializeOwned>(text: &str, mut value: Spanned<DeValue<'_>>) -> Reading<T> {
    let mut reading = Reading { value: None, mistakes: Vec::new(), left_out: Vec::new() };
    // Where a value was taken out of which table: that it is missing there is no mistake.
    let mut taken: Vec<(Range<usize>, String)> = Vec::new();
    loop {
        let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(read) => {
                reading.value = Some(read);
                break;
            }
            Err(error) => error,
        };
        let missing = error.message().strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        let table = error.span().unwrap_or(value.span());
        if missing.is_none_or(|name| !taken.iter().any(|(from, key)| *from == table && key == name)) {
            reading.mistakes.push(mistake(text, &error, value.span()));
        }
        let Some(at) = error.span().filter(|_| reading.mistakes.len() < MOST) else { break };
        let Some(path) = take_out(&mut value, &at, &mut taken) else { break };
        reading.left_out.push(path);
    }
    reading.mistakes.sort_by_key(|mistake| mistake.line);
    reading
}

/// The line of a position.
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].split(|b| *b == b'\n').count()
}

fn mistake(text: &str, error: &toml::de::Error, within: Range<usize>) -> Mistake {
    let at = error.span().unwrap_or(within).start;
    Mistake { line: line_of(text, at), message: error.message().to_owned() }
}

/// Takes the innermost value or key out that the range points at, and says which; `None` if there is none.
fn take_out(
    value: &mut Spanned<DeValue<'_>>,
    at: &Range<usize>,
    taken: &mut Vec<(Range<usize>, String)>,
) -> Option<String> {
    let span = value.span();
    if span == *at {
        return None; // it is this one as a whole: whoever holds it takes it out
    }
    let holds = |span: &Range<usize>| span.start <= at.start && at.end <= span.end;
    match value.get_mut() {
        DeValue::Table(table) => {
            // A table written in several places has the span of its first: all are asked.
            for (key, inner) in table.iter_mut() {
                if let Some(path) = take_out(inner, at, taken) {
                    return Some(join(key.get_ref(), &path));
                }
            }
            let found = table.iter().find(|(key, inner)| holds(&key.span()) || holds(&inner.span()));
            let key = found.map(|(key, _)| key.get_ref().to_string())?;
            table.remove(key.as_str());
            taken.push((span, key.clone()));
            Some(key)
        }
        DeValue::Array(items) => {
            for (index, inner) in items.iter_mut().enumerate() {
                if let Some(path) = take_out(inner, at, taken) {
                    return Some(join(&format!("[{index}]"), &path));
                }
            }
            let index = items.iter().position(|inner| holds(&inner.span()))?;
            *items = items.clone().into_iter().enumerate().filter(|(i, _)| *i != index).map(|(_, item)| item).collect();
            Some(format!("[{index}]"))
        }
        _ => None,
    }
}

/// `group`, `[2]` and `mode` to `group[2].mode`.
pub fn join(path: &str, inner: &str) -> String {
    if inner.is_empty() || inner.starts_with('[') { format!("{path}{inner}") } else { format!("{path}.{inner}") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        act: f32,
        #[serde(default)]
        inner: BTreeMap<String, Inner>,
        #[serde(default)]
        list: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        count: u8,
        name: Option<String>,
    }

    fn wrong(text: &str) -> Vec<(usize, String)> {
        let first = |m: Mistake| (m.line, m.message.lines().next().unwrap_or_default().to_owned());
        read::<File>(text).unwrap_err().into_iter().map(first).collect()
    }

    #[test]
    fn every_mistake_is_found_at_once() {
        let text = "act = \"x\"\nactt = 1\n[inner.a]\ncount = -1\nname = 5\n[inner]\nb = { count = 300 }\nc = { name = \"x\" }\n\
                    [[list]]\ncount = 1\nnmae = \"x\"\n[[list]]\ncount = \"x\"\n[[list]]\ncount = 1.5\n";
        let lines: Vec<usize> = wrong(text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 2, 4, 5, 7, 8, 11, 13, 15]);
        assert_eq!(wrong("act = \"x\"\n"), [(1, "invalid type: string \"x\", expected f32".to_owned())]);
        assert_eq!(wrong("[inner]\n"), [(1, "missing field `act`".to_owned())]);
    }

    #[test]
    fn what_was_left_out_is_named() {
        let text = "act = 1\n[[list]]\ncount = 1\n[[list]]\ncount = 1\nname = 5\n[inner]\na = { count = \"x\" }\n";
        let table = table(text).unwrap();
        let reading = value::<File>(text, Spanned::new(table.span(), DeValue::Table(table.into_inner())));
        assert_eq!(reading.left_out, ["inner.a.count", "inner.a", "list[1].name"]);
        assert_eq!(reading.value.map(|file| file.list.len()), Some(2));
    }

    #[test]
    fn what_is_no_toml_is_told_line_by_line() {
        assert_eq!(wrong("act = 1\n[inner\nb = [1,\n").iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn a_right_file_is_read() {
        let file: File = read("act = 1\n[inner.a]\ncount = 2\n[[list]]\ncount = 3\nname = \"x\"\n").unwrap();
        assert_eq!((file.act, file.inner["a"].count, file.list[0].count), (1.0, 2, 3));
        assert_eq!((file.list[0].name.as_deref(), file.inner["a"].name.as_deref()), (Some("x"), None));
    }
}
