//! One TOML file, read section by section so that every mistake is found in one go and each knows its line.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::problem::{Problem, did_you_mean, in_chinese};
use crate::toml_text::{self, Mistake, line_of};

/// A parsed file whose sections are taken out one after the other; what is left over at the end is unknown.
pub(super) struct Document<'t> {
    text: &'t str,
    file: PathBuf,
    table: DeTable<'t>,
    lines: BTreeMap<String, usize>,
    asked: Vec<&'static str>,
    /// What was written wrongly and left out; whatever depends on it is not judged.
    left_out: Vec<String>,
    /// What was found wrong so far.
    pub problems: Vec<Problem>,
}

impl<'t> Document<'t> {
    /// Parses the text; a file that is not TOML has all its syntax errors in the list.
    pub fn parse(text: &'t str, file: &Path) -> Result<Self, Vec<Problem>> {
        let table = toml_text::table(text).map_err(|mistakes| in_file(file, &mistakes))?.into_inner();
        let mut lines = BTreeMap::new();
        note_lines(text, "", &table, &mut lines);
        Ok(Self {
            text,
            file: file.to_owned(),
            table,
            lines,
            asked: Vec::new(),
            left_out: Vec::new(),
            problems: Vec::new(),
        })
    }

    /// One section or top-level value, without what is wrong in it; `None` if it is absent or cannot be read at all. Every
    /// mistake is noted.
    pub fn take<T: DeserializeOwned>(&mut self, key: &'static str) -> Option<T> {
        self.asked.push(key);
        let value = self.remove(key)?;
        self.read(key, value)
    }

    /// A list of sections `[[key]]`, each read on its own.
    pub fn take_each<T: DeserializeOwned>(&mut self, key: &'static str) -> Vec<T> {
        self.asked.push(key);
        let Some(value) = self.remove(key) else { return Vec::new() };
        let span = value.span();
        if let DeValue::Array(items) = value.into_inner() {
            let items: Vec<_> = items.into_iter().collect();
            let count = items.len();
            let read = |(index, item)| self.read(&format!("{key}[{index}]"), item);
            let read: Vec<T> = items.into_iter().enumerate().filter_map(read).collect();
            if read.len() < count {
                self.left_out.push(key.to_owned()); // positions no longer match
            }
            read
        } else {
            let line = line_of(self.text, span.start);
            self.problems.push(Problem::new(&self.file, line, format!("`{key}` 要写成 [[{key}]]，每段一个")));
            self.left_out.push(key.to_owned());
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

    /// Is something at the path, in it or beside it left out because it was written wrongly?
    pub fn is_in_doubt(&self, path: &str) -> bool {
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let beside = |path: &str| path.rsplit_once('.').map(|(parent, _)| parent.to_owned());
        self.left_out.iter().any(|left_out| {
            within(left_out, path)
                || within(path, left_out)
                || beside(left_out).is_some_and(|parent| Some(parent) == beside(path))
        })
    }

    /// Notes a problem at a path, unless it may only follow from another one.
    pub fn wrong(&mut self, path: &str, message: impl Into<String>) {
        if self.is_in_doubt(path) {
            return;
        }
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

    fn read<T: DeserializeOwned>(&mut self, path: &str, value: Spanned<DeValue<'t>>) -> Option<T> {
        let reading = toml_text::value(self.text, value);
        self.problems.extend(in_file(&self.file, &reading.mistakes));
        self.left_out.extend(reading.left_out.iter().map(|inner| toml_text::join(path, inner)));
        if reading.value.is_none() {
            self.left_out.push(path.to_owned());
        }
        reading.value
    }
}

/// A reader's mistakes with the file they are in, in Chinese.
pub(super) fn in_file(file: &Path, mistakes: &[Mistake]) -> Vec<Problem> {
    mistakes.iter().map(|mistake| Problem::new(file, mistake.line, in_chinese(&mistake.message))).collect()
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
