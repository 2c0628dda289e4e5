//! All lists together: those that ship inside the program and those of a folder over them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::{BENEATH, Document, Entry, Example, Form, ListError, Note, Pattern, Sign, Term, VIRTUAL_GROUPS};
use crate::detect::own;

/// The wordlists by file name (`ads/contact.txt`), in the lines that are understood.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    files: BTreeMap<Arc<str>, Form>,
    /// Those that ship and have another of the same name over them.
    beneath: BTreeMap<Arc<str>, Form>,
    /// Files that are no list.
    unread: Vec<ListError>,
}

#[derive(rust_embed::RustEmbed)]
#[folder = "../../wordlists/"]
struct Shipped;

impl Lists {
    /// The lists that ship inside the program.
    pub fn shipped() -> Self {
        let mut lists = Self::default();
        for name in Shipped::iter().filter(|name| is_list(name)) {
            if let Some(file) = Shipped::get(&name) {
                lists.insert(&name, String::from_utf8_lossy(&file.data).into_owned());
            }
        }
        lists
    }

    /// Every shipped file with its bytes, `scores.toml` included: what `qunguan init` writes out.
    pub fn shipped_files() -> impl Iterator<Item = (String, Vec<u8>)> {
        Shipped::iter().filter_map(|name| Shipped::get(&name).map(|file| (name.into_owned(), file.data.into_owned())))
    }

    /// The shipped scores.
    pub fn shipped_scores() -> String {
        Shipped::get("scores.toml").map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default()
    }

    /// Reads every `<category>/*.txt` below a folder, in whatever encoding and form.
    ///
    /// # Errors
    /// The first folder or file that cannot be read.
    pub fn read(folder: &Path) -> std::io::Result<Self> {
        let mut lists = Self::default();
        for category in std::fs::read_dir(folder)? {
            let category = category?;
            if !category.file_type()?.is_dir() {
                continue;
            }
            for file in std::fs::read_dir(category.path())? {
                let file = file?;
                let name = format!("{}/{}", category.file_name().to_string_lossy(), file.file_name().to_string_lossy());
                if is_list(&name) {
                    match Form::of_bytes(&name, &std::fs::read(file.path())?) {
                        Ok(form) => lists.insert_form(&name, form),
                        Err(note) => lists.unread.push(note.in_file(&name)),
                    }
                }
            }
        }
        Ok(lists)
    }

    /// Adds or replaces one file; the part of `name` before `/` is the category.
    pub fn insert(&mut self, name: &str, text: String) {
        match Form::of_text(name, &text) {
            Ok(form) => self.insert_form(name, form),
            Err(note) => self.unread.push(note.in_file(name)),
        }
    }

    /// The same with a file that was read.
    pub fn insert_form(&mut self, name: &str, form: Form) {
        self.files.insert(name.into(), form);
    }

    /// Lays a file over the one that ships under its name: entry by entry it adds, changes and switches off (`停用：`).
    pub fn lay_over(&mut self, name: &str, shipped: Form, own: Form) {
        self.beneath.insert(name.into(), shipped);
        self.files.insert(name.into(), own);
    }

    /// Puts the files of `other` over these: same name wins, new names are added.
    pub fn overlay(&mut self, other: Self) {
        self.files.extend(other.files);
        self.beneath.extend(other.beneath);
        self.unread.extend(other.unread);
    }

    /// Name and text of every file, by name, without what lies beneath another.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &str)> {
        self.files.iter().map(|(name, form)| (name, form.text()))
    }

    /// How the files were read that are not one word a line, and what is worth a look.
    pub fn notes(&self) -> impl Iterator<Item = ListError> {
        self.files.iter().flat_map(|(name, form)| form.notes.iter().map(|note| note.in_file(name)))
    }

    /// Parses every file. What is wrong is told, in file order, and left out.
    pub fn read_all(&self) -> (Vec<Document>, Vec<ListError>) {
        let mut errors = self.unread.clone();
        let mut documents: Vec<Document> = Vec::with_capacity(self.files.len());
        for (name, form) in &self.files {
            let beneath = self.beneath.get(name).map(|form| Document::read(&format!("{BENEATH}{name}"), form).0);
            let (document, found) = Document::read_over(name, form, beneath.as_ref());
            errors.extend(found);
            documents.extend(beneath.map(|beneath| without_what_changed(beneath, &document)));
            documents.push(document);
        }
        switch_off(&mut documents);
        let mut known: HashMap<String, Option<(Arc<str>, usize)>> =
            VIRTUAL_GROUPS.iter().map(|name| ((*name).to_owned(), None)).collect();
        for document in &mut documents {
            let Document { file, groups, .. } = document;
            groups.retain(|group| {
                let place = match known.get(&group.name) {
                    None => {
                        known.insert(group.name.clone(), Some((file.clone(), group.line)));
                        return true;
                    }
                    Some(None) => "是程序自带的".to_owned(),
                    Some(Some((file, line))) => format!("已经在 {file}:{line} 定义过"),
                };
                let message = format!("词组【{}】{place}，请换个名字", group.name);
                errors.push(ListError { file: file.clone(), line: group.line, message });
                false
            });
        }
        for document in &mut documents {
            let Document { file, entries, .. } = document;
            entries.retain(|entry| {
                let terms = if let Pattern::Near(terms) = &entry.pattern { &terms[..] } else { &[] };
                let joined = terms.iter().filter_map(|term| match &term.term {
                    Term::Group(name) => Some(name.as_str()),
                    Term::Word(_) => None,
                });
                let needed = entry.needs.iter().filter_map(|sign| match sign {
                    Sign::Group(name) => Some(&**name),
                    Sign::Contact | Sign::Jargon | Sign::Person => None,
                });
                let unknown = joined.chain(needed).find(|name| !known.contains_key(*name));
                if let Some(name) = unknown {
                    let message = format!("没有名为【{name}】的词组，这一行没有读；要查这几个字，去掉【】");
                    errors.push(ListError { file: file.clone(), line: entry.line, message });
                }
                unknown.is_none()
            });
        }
        errors.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        (documents, errors)
    }

    /// What each list that lies over a shipped one changes of it.
    pub fn overlaid(&self) -> Vec<Overlaid> {
        let over = |(name, shipped): (&Arc<str>, &Form)| {
            let ships = Document::read(name, shipped).0;
            let own = Document::read_over(name, self.files.get(name)?, Some(&ships)).0;
            let print = |entry: &Entry| (entry.pattern.to_string(), own::print(entry));
            let known: HashMap<String, u64> = ships.entries().map(|entry| print(entry)).collect();
            let mut overlaid = Overlaid { file: name.clone(), ..Overlaid::default() };
            let mut seen = HashSet::new();
            for (words, print) in own.entries().map(|entry| print(entry)) {
                match known.get(&words) {
                    None => overlaid.added += 1,
                    Some(ships) if *ships == print => overlaid.same += 1,
                    Some(_) => overlaid.changed += 1,
                }
                seen.insert(words);
            }
            overlaid.off = own.off.len();
            overlaid.only_shipped = known.into_keys().filter(|words| !seen.contains(words)).collect();
            overlaid.only_shipped.sort();
            Some(overlaid)
        };
        self.beneath.iter().filter_map(over).collect()
    }

    /// Parses every file; all errors at once.
    ///
    /// # Errors
    /// Every line that is wrong, in file order.
    pub fn parse(&self) -> Result<Vec<Document>, Vec<ListError>> {
        let (documents, errors) = self.read_all();
        if errors.is_empty() { Ok(documents) } else { Err(errors) }
    }
}

/// How a list differs from the shipped one that it lies over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlaid {
    /// Which.
    pub file: Arc<str>,
    /// Entries that do not ship.
    pub added: usize,
    /// Entries that ship with other fields.
    pub changed: usize,
    /// Entries as they ship: copies, which keep better ones away.
    pub same: usize,
    /// `停用：` lines.
    pub off: usize,
    /// Entries that only the shipped list has, and that hold.
    pub only_shipped: Vec<String>,
}

/// The lines of a list that say something the shipped one of its name does not: what is left when a whole copy becomes a list
/// of own changes.
///
/// # Errors
/// Its first mistake: such a line must not get lost.
pub fn own_lines(name: &str, text: &str, shipped: &str) -> Result<String, ListError> {
    let read = |text: &str| {
        let form = Form::of_text(name, text).map_err(|note| note.in_file(name))?;
        let (document, mut errors) = Document::read(name, &form);
        if errors.is_empty() { Ok(document) } else { Err(errors.swap_remove(0)) }
    };
    let (own, ships) = (read(text)?, read(shipped)?);
    let known: HashSet<(String, u64)> =
        ships.entries().map(|entry| (entry.pattern.to_string(), own::print(entry))).collect();
    let mut keep: BTreeSet<usize> = own
        .entries()
        .filter(|entry| !known.contains(&(entry.pattern.to_string(), own::print(entry))))
        .map(|entry| entry.line)
        .collect();
    let same = |group: &super::Group| ships.groups().any(|s| s.name == group.name && s.words == group.words);
    keep.extend(own.groups().filter(|group| !same(group)).map(|group| group.line));
    keep.extend(own.examples().filter(|example| !has(&ships, example)).map(|example| example.line));
    let allowed = |phrase: &str| ships.allows().any(|(_, known)| known == phrase);
    keep.extend(own.allows().filter(|(_, phrase)| !allowed(phrase)).map(|(line, _)| line));
    keep.extend(own.off.iter().map(|(line, _)| *line));
    let (mut lines, mut section, mut written) = (Vec::new(), "[]", "[]");
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with('[') {
            section = line;
        } else if keep.contains(&(at + 1)) {
            if section != written {
                lines.push(section);
                written = section;
            }
            lines.push(line);
        }
    }
    Ok(lines.into_iter().map(|line| format!("{line}\n")).collect())
}

/// What is left of a shipped list where one lies over it: entries and groups that it does not have itself.
fn without_what_changed(mut beneath: Document, over: &Document) -> Document {
    let changed: HashSet<String> = over.entries().map(|entry| entry.pattern.to_string()).collect();
    let before = beneath.entries.len();
    beneath.entries.retain(|entry| !changed.contains(&entry.pattern.to_string()));
    beneath.groups.retain(|group| over.groups.iter().all(|own| own.name != group.name));
    let said = |document: &Document, text: &str| document.allows().any(|(_, phrase)| phrase == text);
    beneath.allows.retain(|(_, phrase)| !said(over, phrase));
    // Its sentences try its own entries.
    beneath.examples.retain(|example| (before == beneath.entries.len() || !example.must_hit) && !has(over, example));
    beneath
}

fn has(document: &Document, example: &Example) -> bool {
    document.examples().any(|own| (own.must_hit, &own.text) == (example.must_hit, &example.text))
}

/// `停用：` takes entries of the other lists of its category away, and says where there is none.
fn switch_off(documents: &mut [Document]) {
    for at in 0..documents.len() {
        for (line, off) in std::mem::take(&mut documents[at].off) {
            let mut found = false;
            for other in 0..documents.len() {
                if other == at || documents[other].category != documents[at].category {
                    continue;
                }
                let list = &mut documents[other];
                let before = list.entries.len();
                list.entries.retain(|entry| !off.names(entry));
                if list.entries.len() < before {
                    found = true;
                    list.examples.retain(|example| !example.must_hit);
                }
            }
            let said = if found {
                format!("“{off}”已停用")
            } else {
                format!("没有“{off}”这个词条，不用停用")
            };
            documents[at].notes.push(Note::new(line, said));
            documents[at].off.push((line, off));
        }
    }
}

fn is_list(name: &str) -> bool {
    let mut parts = name.split('/');
    let (Some(folder), Some(file), None) = (parts.next(), parts.next(), parts.next()) else { return false };
    !folder.is_empty() && Path::new(file).extension().is_some_and(|e| e.eq_ignore_ascii_case("txt"))
}
