//! All lists together: those that ship inside the program and those of a folder over them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::{Document, Form, ListError, Pattern, Sign, Term, VIRTUAL_GROUPS};

/// The wordlists by file name (`ads/contact.txt`), in the lines that are understood.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    files: BTreeMap<Arc<str>, Form>,
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

    /// Puts the files of `other` over these: same name wins, new names are added.
    pub fn overlay(&mut self, other: Self) {
        self.files.extend(other.files);
        self.unread.extend(other.unread);
    }

    /// Name and text of every file, by name.
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
            let (document, found) = Document::read(name, form);
            documents.push(document);
            errors.extend(found);
        }
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

    /// Parses every file; all errors at once.
    ///
    /// # Errors
    /// Every line that is wrong, in file order.
    pub fn parse(&self) -> Result<Vec<Document>, Vec<ListError>> {
        let (documents, errors) = self.read_all();
        if errors.is_empty() { Ok(documents) } else { Err(errors) }
    }
}

fn is_list(name: &str) -> bool {
    let mut parts = name.split('/');
    let (Some(folder), Some(file), None) = (parts.next(), parts.next(), parts.next()) else { return false };
    !folder.is_empty() && Path::new(file).extension().is_some_and(|e| e.eq_ignore_ascii_case("txt"))
}
