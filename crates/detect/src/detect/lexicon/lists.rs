//! All lists together: those that ship inside the program and those of a folder over them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::{Document, ListError, Pattern, Term, VIRTUAL_GROUPS};

/// The wordlists by file name (`ads/contact.txt`), as text.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    files: BTreeMap<Arc<str>, String>,
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

    /// Reads every `<category>/*.txt` below a folder.
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
                    lists.insert(&name, String::from_utf8_lossy(&std::fs::read(file.path())?).into_owned());
                }
            }
        }
        Ok(lists)
    }

    /// Adds or replaces one file; the part of `name` before `/` is the category.
    pub fn insert(&mut self, name: &str, text: String) {
        self.files.insert(name.into(), text);
    }

    /// Puts the files of `other` over these: same name wins, new names are added.
    pub fn overlay(&mut self, other: Self) {
        self.files.extend(other.files);
    }

    /// Name and text of every file, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &str)> {
        self.files.iter().map(|(name, text)| (name, text.as_str()))
    }

    /// Parses every file; all errors at once.
    ///
    /// # Errors
    /// Every line that is wrong, in file order.
    pub fn parse(&self) -> Result<Vec<Document>, Vec<ListError>> {
        let mut documents = Vec::new();
        let mut errors = Vec::new();
        for (name, text) in self.iter() {
            match Document::parse(name, text) {
                Ok(document) => documents.push(document),
                Err(found) => errors.extend(found),
            }
        }
        let mut known: HashMap<&str, Option<(&Arc<str>, usize)>> =
            VIRTUAL_GROUPS.iter().map(|name| (*name, None)).collect();
        for document in &documents {
            for group in document.groups() {
                let place = match known.get(group.name.as_str()) {
                    None => {
                        known.insert(&group.name, Some((&document.file, group.line)));
                        continue;
                    }
                    Some(None) => "是程序自带的".to_owned(),
                    Some(Some((file, line))) => format!("已经在 {file}:{line} 定义过"),
                };
                errors.push(ListError {
                    file: document.file.clone(),
                    line: group.line,
                    message: format!("词组【{}】{place}，请换个名字", group.name),
                });
            }
        }
        for document in &documents {
            for entry in document.entries() {
                let Pattern::Near(terms) = &entry.pattern else { continue };
                for term in terms {
                    if let Term::Group(name) = &term.term
                        && !known.contains_key(name.as_str())
                    {
                        errors.push(ListError {
                            file: document.file.clone(),
                            line: entry.line,
                            message: format!("没有名为【{name}】的词组"),
                        });
                    }
                }
            }
        }
        if errors.is_empty() { Ok(documents) } else { Err(errors) }
    }
}

fn is_list(name: &str) -> bool {
    let mut parts = name.split('/');
    let (Some(folder), Some(file), None) = (parts.next(), parts.next(), parts.next()) else { return false };
    !folder.is_empty() && Path::new(file).extension().is_some_and(|e| e.eq_ignore_ascii_case("txt"))
}
