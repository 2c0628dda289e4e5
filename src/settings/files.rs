//! Policies, rulebooks and wordlists: shipped inside the program, and a file of the same name in the config folder wins.
//!
//! So `scan`, `check` and `demo` work in any folder, and an admin changes one list without copying the others. To switch
//! a shipped wordlist off, name it in `[detect] skip_wordlists`.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use rust_embed::RustEmbed;

use super::{Problem, company, sheet};
use crate::{
    detect::{Lists, lexicon::Form},
    encoding, zh,
};

#[derive(RustEmbed)]
#[folder = "config/"]
struct Config;

/// Endings of wordlists that are no plain text of one word a line.
const LISTS: [&str; 11] = ["csv", "tsv", "json", "xlsx", "xlsm", "xlsb", "xls", "et", "ods", "dic", "md"];

/// The kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `policies/default.toml`, named `default`.
    Policy,
    /// `rulebooks/sales-group.toml`, named `sales-group`.
    Rulebook,
    /// `wordlists/ads/contact.txt`, named `ads/contact`.
    Wordlist,
}

impl Kind {
    /// Folder within the config folder.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Policy => "policies",
            Self::Rulebook => "rulebooks",
            Self::Wordlist => "wordlists",
        }
    }
    /// Name ending.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Policy | Self::Rulebook => ".toml",
            Self::Wordlist => ".txt",
        }
    }
    /// The name of a file in its folder; `None` for one that is not read. Wordlists may be what people have: text whatever its
    /// ending, tables, JSON; all but `.txt` and no ending keep theirs as part of the name.
    fn name(self, file: &str) -> Option<String> {
        let (stem, ending) = file.rsplit_once('.').unwrap_or((file, ""));
        match self {
            Self::Policy | Self::Rulebook => file.strip_suffix(self.extension()).map(str::to_owned),
            Self::Wordlist if file.starts_with("~$") => None, // Excel has it open
            Self::Wordlist => match &*ending.to_ascii_lowercase() {
                "txt" | "" => Some(stem.to_owned()),
                "md" if stem.eq_ignore_ascii_case("readme") => None,
                ending if LISTS.contains(&ending) => Some(file.to_owned()),
                _ => None,
            },
        }
    }
    /// The file of a name within its folder.
    pub fn file(self, name: &str) -> String {
        let table = self == Self::Wordlist && self.name(name).is_some_and(|known| known == name && name.contains('.'));
        if table { name.to_owned() } else { format!("{name}{}", self.extension()) }
    }
    /// What people call it.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Policy => "策略",
            Self::Rulebook => "群规",
            Self::Wordlist => "词表",
        }
    }
    /// The shipped files, by name.
    fn shipped(self) -> Vec<String> {
        let strip = |path: &str| path.strip_suffix(self.extension()).map(str::to_owned);
        match self {
            Self::Wordlist => Lists::shipped_files().filter_map(|(path, _)| strip(&path)).collect(),
            Self::Policy | Self::Rulebook => {
                Config::iter().filter_map(|path| strip(path.strip_prefix(self.folder())?.strip_prefix('/')?)).collect()
            }
        }
    }
    fn shipped_bytes(self, name: &str) -> Option<Cow<'static, [u8]>> {
        let path = format!("{name}{}", self.extension());
        match self {
            Self::Wordlist => shipped_list(&path),
            Self::Policy | Self::Rulebook => Config::get(&format!("{}/{path}", self.folder())).map(|file| file.data),
        }
    }
}

/// A file's text and the place an admin knows it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The name without folder and ending: `default`, `ads/contact`.
    pub name: String,
    /// For messages: the path in the config folder, or `内置:policies/default.toml`.
    pub shown: String,
    /// UTF-8, without a byte order mark.
    pub text: String,
}

/// Names that are listed where one is not known.
const MOST_NAMED: usize = 20;

/// Where policies, rulebooks and wordlists come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    folder: Option<PathBuf>,
}

impl Files {
    /// Only what is shipped.
    pub fn built_in() -> Self {
        Self { folder: None }
    }
    /// The folder's files win over the shipped ones; it need not exist.
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()) }
    }
    /// The config folder, if there is one.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }
    /// A path written in the settings, relative to the config folder.
    pub fn resolve(&self, path: &str) -> PathBuf {
        self.folder.as_deref().unwrap_or(Path::new("")).join(path)
    }

    /// The place of a file, named with its ending (`ads/contact.txt`), as an admin knows it.
    pub fn shown(&self, kind: Kind, file: &str) -> String {
        if let Some(setting) = company::shown(file).filter(|_| kind == Kind::Wordlist) {
            return setting.to_owned();
        }
        let name = file.strip_suffix(kind.extension()).unwrap_or(file);
        match self.own(kind).get(name) {
            Some(path) => path.display().to_string(),
            None => format!("内置:{}/{file}", kind.folder()),
        }
    }

    /// All names of a kind, sorted.
    pub fn list(&self, kind: Kind) -> Vec<String> {
        let mut names = kind.shipped();
        names.extend(self.own(kind).into_keys());
        names.sort();
        names.dedup();
        names
    }

    /// One file by name; the problem is told if it is missing, unreadable or no text.
    pub fn read(&self, kind: Kind, name: &str) -> Result<Text, Problem> {
        let (shown, bytes) = self.bytes(kind, name)?;
        let text =
            encoding::utf8(&bytes).map_err(|line| Problem::new(&shown, line, "不是 UTF-8 编码，请用 UTF-8 另存"))?;
        Ok(Text { name: name.to_owned(), text: text.into_owned(), shown })
    }

    /// A wordlist by name, however it was saved.
    pub fn read_list(&self, name: &str) -> Result<Form, Problem> {
        let (shown, bytes) = self.bytes(Kind::Wordlist, name)?;
        let form = match sheet::rows(&bytes) {
            Some(sheet) => sheet.map(|(rows, notes)| {
                let mut form = Form::of_rows(rows);
                form.notes.extend(notes);
                form
            }),
            None => Form::of_bytes(&Kind::Wordlist.file(name), &bytes),
        };
        form.map_err(|note| Problem::new(&shown, note.line, note.message))
    }

    fn bytes(&self, kind: Kind, name: &str) -> Result<(String, Cow<'static, [u8]>), Problem> {
        if let Some(path) = self.own(kind).remove(name) {
            let bytes =
                std::fs::read(&path).map_err(|e| Problem::new(&path, 0, format!("读不了：{}", zh::refusal(&e))))?;
            return Ok((path.display().to_string(), Cow::Owned(bytes)));
        }
        let shown = format!("内置:{}/{name}{}", kind.folder(), kind.extension());
        let bytes = kind.shipped_bytes(name).ok_or_else(|| {
            let known: Vec<String> = self.list(kind).into_iter().take(MOST_NAMED).collect();
            let text = format!("没有叫 `{name}` 的{}，现有：{}", kind.zh(), known.join("、"));
            Problem::new(self.resolve(kind.folder()), 0, text)
        })?;
        Ok((shown, bytes))
    }

    /// `wordlists/scores.toml`: what each signal weighs.
    pub fn scores(&self) -> Result<Text, Problem> {
        let name = "scores.toml";
        let path = self.resolve("wordlists").join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) if self.folder.is_some() => {
                Ok(Text { name: name.to_owned(), shown: path.display().to_string(), text })
            }
            Err(e) if self.folder.is_some() && e.kind() != io::ErrorKind::NotFound => {
                Err(Problem::new(&path, 0, format!("读不了：{}", zh::refusal(&e))))
            }
            _ => Ok(Text {
                name: name.to_owned(),
                shown: format!("内置:wordlists/{name}"),
                text: Lists::shipped_scores(),
            }),
        }
    }

    /// `holidays.toml`: public holidays and the weekends worked for them.
    pub fn holidays(&self) -> Result<Text, Problem> {
        let name = "holidays.toml";
        let path = self.resolve(name);
        let (shown, text) = match std::fs::read_to_string(&path) {
            Ok(text) if self.folder.is_some() => (path.display().to_string(), text),
            Err(e) if self.folder.is_some() && e.kind() != io::ErrorKind::NotFound => {
                return Err(Problem::new(&path, 0, format!("读不了：{}", zh::refusal(&e))));
            }
            _ => {
                let shipped = Config::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned());
                (format!("内置:{name}"), shipped.unwrap_or_default())
            }
        };
        Ok(Text { name: name.to_owned(), shown, text })
    }

    /// All files of a kind, sorted by name; what can't be read is a problem.
    pub fn read_all(&self, kind: Kind) -> Result<Vec<Text>, Vec<Problem>> {
        let mut problems = Vec::new();
        let texts = self
            .list(kind)
            .iter()
            .filter_map(|name| self.read(kind, name).map_err(|problem| problems.push(problem)).ok())
            .collect();
        if problems.is_empty() { Ok(texts) } else { Err(problems) }
    }

    /// The files of the config folder itself, by name.
    fn own(&self, kind: Kind) -> BTreeMap<String, PathBuf> {
        let mut found = BTreeMap::new();
        if let Some(folder) = &self.folder {
            // A folder that is not there holds nothing; one that can't be read shows when a file of it is.
            let _ = collect(&folder.join(kind.folder()), "", &mut |folder, file, path| {
                if let Some(name) = kind.name(file) {
                    let name = format!("{folder}{name}");
                    // A text and a file without an ending may have one name.
                    if file.contains('.') || !found.contains_key(&name) {
                        found.insert(name, path);
                    }
                }
            });
        }
        found
    }

    /// Files among the wordlists that are not read.
    pub fn unread_lists(&self) -> Vec<PathBuf> {
        let read: Vec<PathBuf> = self.own(Kind::Wordlist).into_values().collect();
        let mut unread = Vec::new();
        if let Some(folder) = &self.folder {
            let _ = collect(&folder.join(Kind::Wordlist.folder()), "", &mut |folder, file, path| {
                let ours =
                    folder.is_empty() && file == "scores.toml" || file.starts_with("~$") || file.ends_with(['~', '#']);
                if !ours && file.rsplit_once('.').is_none_or(|(_, ending)| ending != "md") && !read.contains(&path) {
                    unread.push(path);
                }
            });
        }
        unread.sort();
        unread
    }

    /// The config folder's own files of every kind, for noticing changes.
    pub(super) fn own_paths(&self) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = [Kind::Policy, Kind::Rulebook, Kind::Wordlist]
            .into_iter()
            .flat_map(|kind| self.own(kind).into_values())
            .collect();
        paths.push(self.resolve("wordlists/scores.toml"));
        paths.push(self.resolve("holidays.toml"));
        paths
    }

    /// Writes what an admin begins with into `folder`: the settings template and a list for own words. `with_shipped`: also a
    /// copy of everything that ships, which then wins over what later versions bring. Existing files are kept unless
    /// `overwrite`. Returns the paths written.
    pub fn write_out(folder: &Path, overwrite: bool, with_shipped: bool) -> io::Result<Vec<PathBuf>> {
        let own = (OWN_LIST.to_owned(), Cow::Borrowed(OWN_WORDS.as_bytes()));
        let config = Config::iter()
            .filter(|path| with_shipped || &**path == SETTINGS)
            .filter_map(|path| Some((path.to_string(), Config::get(&path)?.data)));
        let lists = Lists::shipped_files()
            .filter(|_| with_shipped)
            .map(|(path, bytes)| (format!("wordlists/{path}"), Cow::Owned(bytes)));
        let mut written = Vec::new();
        for (path, bytes) in config.chain(lists).chain([own]) {
            let target = folder.join(&path);
            if target.exists() && !overwrite {
                continue;
            }
            if let Some(parent) = target.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&target, &bytes)?;
            written.push(target);
        }
        for kind in [Kind::Policy, Kind::Rulebook] {
            std::fs::create_dir_all(folder.join(kind.folder()))?;
        }
        written.sort();
        Ok(written)
    }

    /// The config folder's files that take the place of one that ships: those that are word for word the same, which only keep
    /// better ones of later versions away, and those that differ.
    pub fn copies(&self) -> Copies {
        let mut copies = Copies::default();
        for kind in [Kind::Policy, Kind::Rulebook, Kind::Wordlist] {
            for (name, path) in self.own(kind) {
                let Some(shipped) = kind.shipped_bytes(&name) else { continue };
                let plain = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\r', "");
                match std::fs::read(&path) {
                    Ok(own) if plain(&own) == plain(&shipped) => copies.same.push(path),
                    Ok(_) => copies.differ.push(path),
                    Err(_) => {} // said where it is read
                }
            }
        }
        copies
    }
}

/// See [`Files::copies`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// As they ship.
    pub same: Vec<PathBuf>,
    /// Others.
    pub differ: Vec<PathBuf>,
}

/// The settings template.
const SETTINGS: &str = "qunguan.toml";
/// Where own words begin.
const OWN_LIST: &str = "wordlists/ads/own.txt";
const OWN_WORDS: &str = "\
# 自己的词写在这里，一行一个；别的类别放在 wordlists/类别/own.txt（ads 广告引流、abuse 辱骂 等，类别见 docs/wordlists.md）。
# 内置的词表不用抄过来，一直在用，升级时跟着更新；整个不用的写进设置的 skip_wordlists。
# 新词先观察，只记录不处置；要马上执行，在前面单独写一行 [阶段=执行]。
";

fn shipped_list(path: &str) -> Option<Cow<'static, [u8]>> {
    Lists::shipped_files().find(|(name, _)| name == path).map(|(_, bytes)| Cow::Owned(bytes))
}

/// Shows every file below a folder: its folder (`ads/`), its name, its path.
fn collect(folder: &Path, prefix: &str, see: &mut impl FnMut(&str, &str, PathBuf)) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue; // editors' backups and the links of mounted config maps
        }
        let path = entry.path();
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), see)?;
        } else {
            see(prefix, &name, path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_the_folder_wins_and_adds() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("wordlists/ads");
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join("mine.txt"), "\u{feff}加我").unwrap();
        let files = Files::in_folder(folder.path());
        assert!(files.list(Kind::Wordlist).contains(&"ads/mine".to_owned()));
        assert_eq!(files.read_list("ads/mine").unwrap().text(), "加我");
        assert!(files.shown(Kind::Wordlist, "ads/mine.txt").ends_with("wordlists/ads/mine.txt"));
        assert!(files.read_list("ads/nothing-like-that").is_err());
    }

    #[test]
    fn a_file_in_another_encoding_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("policies")).unwrap();
        std::fs::write(folder.path().join("policies/own.toml"), b"a = 1\nb = \"\xd6\xd0\"\n").unwrap();
        let problem = Files::in_folder(folder.path()).read(Kind::Policy, "own").unwrap_err();
        assert_eq!(problem.line, 2);
    }

    #[test]
    fn lists_are_read_whatever_they_were_saved_as() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("wordlists/ads");
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join("gbk.txt"), b"\xbc\xd3\xce\xd2\r\n").unwrap();
        std::fs::write(own.join("UPPER.TXT"), "加你\n").unwrap();
        std::fs::write(own.join("plain"), "加他\n").unwrap();
        std::fs::write(own.join("saved.CSV"), "词,类\n加她,广告\n").unwrap();
        std::fs::write(own.join("notes.md"), "# 广告\n- 加它\n").unwrap();
        std::fs::write(own.join("README.md"), "说明").unwrap();
        std::fs::write(own.join("words.docx"), "PK").unwrap();
        std::fs::write(own.join("~$saved.xlsx"), "lock").unwrap();
        let files = Files::in_folder(folder.path());
        let read = |name| files.read_list(name).unwrap().text().trim_end().to_owned();
        assert_eq!(["ads/gbk", "ads/UPPER", "ads/plain", "ads/saved.CSV"].map(read), ["加我", "加你", "加他", "加她"]);
        assert_eq!(read("ads/notes.md"), "# 广告\n加它");
        assert!(!files.list(Kind::Wordlist).iter().any(|name| name.contains("README")));
        assert_eq!(files.unread_lists(), [own.join("words.docx")]);
        assert_eq!(Kind::Wordlist.file("ads/gbk"), "ads/gbk.txt");
        assert_eq!(Kind::Wordlist.file("ads/saved.CSV"), "ads/saved.CSV");
    }

    #[test]
    fn a_workbook_is_read_by_its_first_sheet() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("wordlists/ads");
        std::fs::create_dir_all(&own).unwrap();
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (row, cells) in [["序号", "敏感词", "备注"], ["1", "套现", "常见"], ["2", "黑卡", ""]].iter().enumerate()
        {
            for (column, cell) in cells.iter().enumerate() {
                sheet.write_string(row as u32, column as u16, *cell).unwrap();
            }
        }
        book.add_worksheet().write_string(0, 0, "别的").unwrap();
        book.save(own.join("colleague.xlsx")).unwrap();
        let files = Files::in_folder(folder.path());
        let form = files.read_list("ads/colleague.xlsx").unwrap();
        assert_eq!(form.text(), "套现\n黑卡\n");
        let notes: Vec<&str> = form.notes.iter().map(|note| &*note.message).collect();
        assert_eq!(
            notes,
            ["按表格读：第 2 列“敏感词”是词，共 2 行，其余列没有读", "只读了第一个工作表“Sheet1”，其余没有读"]
        );
        std::fs::write(own.join("broken.xlsx"), b"PK\x03\x04nothing").unwrap();
        assert!(files.read_list("ads/broken.xlsx").unwrap_err().message.contains("表格打不开"));
    }

    #[test]
    fn write_out_keeps_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("qunguan.toml"), "mine").unwrap();
        Files::write_out(folder.path(), false, false).unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join("qunguan.toml")).unwrap(), "mine");
        let files = Files::in_folder(folder.path());
        assert_eq!(files.copies(), Copies::default(), "what ships is not frozen");
        Files::write_out(folder.path(), true, true).unwrap();
        assert_ne!(std::fs::read_to_string(folder.path().join("qunguan.toml")).unwrap(), "mine");
        let list = folder.path().join("wordlists/ads/contact.txt");
        std::fs::write(&list, "只有这个\n").unwrap();
        let copies = files.copies();
        assert_eq!(copies.differ, [list]);
        assert!(copies.same.len() > 20);
    }
}
