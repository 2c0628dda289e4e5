//! One TOML file, read section by section so that every mistake is found in one go and each knows its line.

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::problem::{Problem, did_you_mean, in_chinese};

/// A parsed file whose sections are taken out one after the other; what is left over at the end is unknown.
pub(super) struct Document<'t> {
    text: &'t str,
    file: PathBuf,
    table: DeTable<'t>,
    lines: BTreeMap<String, usize>,
    asked: Vec<&'static str>,
    /// What was found wrong so far.
    pub problems: Vec<Problem>,
}

impl<'t> Document<'t> {
    /// Parses the text; a file that is not TOML has all its syntax errors in the list.
    pub fn parse(text: &'t str, file: &Path) -> Result<Self, Vec<Problem>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Err(errors.iter().map(|e| problem(text, file, e, 0..0)).collect());
        }
        let table = table.into_inner();
        let mut lines = BTreeMap::new();
        note_lines(text, "", &table, &mut lines);
        Ok(Self { text, file: file.to_owned(), table, lines, asked: Vec::new(), problems: Vec::new() })
    }

    /// One section or top-level value, `None` if it is absent or wrong (then the problem is noted).
    pub fn take<T: DeserializeOwned>(&mut self, key: &'static str) -> Option<T> {
        self.asked.push(key);
        let value = self.remove(key)?;
        self.read(value)
    }

    /// A list of sections `[[key]]`, each read on its own.
    pub fn take_each<T: DeserializeOwned>(&mut self, key: &'static str) -> Vec<T> {
        self.asked.push(key);
        let Some(value) = self.remove(key) else { return Vec::new() };
        let span = value.span();
        if let DeValue::Array(items) = value.into_inner() {
            items.into_iter().filter_map(|item| self.read(item)).collect()
        } else {
            let line = line_of(self.text, span.start);
            self.problems.push(Problem::new(&self.file, line, format!("`{key}` 要写成 [[{key}]]，每段一个")));
            Vec::new()
        }
    }

    /// The line of a value such as `group[2].policy`; that of the nearest parent if it is not written itself.
    pub fn line(&self, path: &str) -> usize {
        let mut path = path;
        loop {
            if let Some(line) = self.lines.get(path) {
                return *line;
            }
            match path.rfind(['.', '[']) {
                Some(cut) => path = &path[..cut],
                None => return 0,
            }
        }
    }

    /// Notes a problem at a path.
    pub fn wrong(&mut self, path: &str, message: impl Into<String>) {
        let line = self.line(path);
        self.problems.push(Problem::new(&self.file, line, message));
    }

    /// Everything found, in the file's order; whatever nobody asked for is unknown.
    pub fn finish(mut self) -> Vec<Problem> {
        for key in self.table.keys() {
            let name = key.get_ref();
            let near = did_you_mean(name, self.asked.iter().copied());
            let line = line_of(self.text, key.span().start);
            self.problems.push(Problem::new(&self.file, line, format!("不认识的设置项 `{name}`{near}")));
        }
        self.problems.sort();
        self.problems
    }

    fn remove(&mut self, key: &str) -> Option<Spanned<DeValue<'t>>> {
        self.table.remove(key)
    }

    fn read<T: DeserializeOwned>(&mut self, value: Spanned<DeValue<'t>>) -> Option<T> {
        let span = value.span();
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problems.push(problem(self.text, &self.file, &error, span));
                None
            }
        }
    }
}

fn problem(text: &str, file: &Path, error: &toml::de::Error, within: Range<usize>) -> Problem {
    let at = error.span().unwrap_or(within).start;
    Problem::new(file, line_of(text, at), in_chinese(error.message()))
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].split(|b| *b == b'\n').count()
}

fn note_lines(text: &str, prefix: &str, table: &DeTable<'_>, lines: &mut BTreeMap<String, usize>) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
        lines.insert(path.clone(), line_of(text, key.span().start));
        note_value(text, &path, value, lines);
    }
}

fn note_value(text: &str, path: &str, value: &Spanned<DeValue<'_>>, lines: &mut BTreeMap<String, usize>) {
    match value.get_ref() {
        DeValue::Table(table) => note_lines(text, path, table, lines),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                lines.insert(path.clone(), line_of(text, item.span().start));
                note_value(text, &path, item, lines);
            }
        }
        _ => {}
    }
}
