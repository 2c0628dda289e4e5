//! Policies, rulebooks and wordlists: shipped inside the program, and files of the config folder over them.
//!
//! A policy or rulebook of the same name takes the place of the one that ships. A wordlist of the same name lies over it, entry
//! by entry: it adds, changes and switches off (`停用：`), and all else goes on following the program. So `scan`, `check` and
//! `demo` work in any folder. To switch a shipped wordlist off as a whole, name it in `[detect] skip_wordlists`.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use rust_embed::RustEmbed;

use super::{Problem, company, sheet};
use crate::{
    detect::{
        Lists,
        lexicon::{BENEATH, Form, own_lines},
    },
    encoding,
    model::Category,
    zh,
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
    /// Wordlists that are tried in place of the folder's own.
    lists: Option<PathBuf>,
    /// One that is tried beside them, by name.
    list: Option<(String, PathBuf)>,
}

impl Files {
    /// Only what is shipped.
    pub fn built_in() -> Self {
        Self::default()
    }
    /// The folder's files win over the shipped ones; it need not exist.
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), ..Self::default() }
    }
    /// The same with the wordlists of another folder (`ads/own.txt` in it) in place of its own.
    #[must_use]
    pub fn with_lists(self, folder: &Path) -> Self {
        Self { lists: Some(folder.to_owned()), ..self }
    }
    /// The same with one wordlist more (`…/ads/new.txt`), in place of the one of its name; `None` where it lies in no folder of a
    /// category, or is none.
    pub fn with_list(self, path: &Path) -> Option<Self> {
        let folder = path.parent()?.file_name()?.to_str()?;
        let name = Kind::Wordlist.name(path.file_name()?.to_str()?)?;
        let known = folder == "common" || folder.parse::<Category>().is_ok();
        known.then(|| Self { list: Some((format!("{folder}/{name}"), path.to_owned())), ..self })
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
        if let Some(beneath) = file.strip_prefix(BENEATH) {
            return format!("内置:{}/{beneath}", kind.folder());
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

    /// The shipped wordlist that the config folder has one of the same name over; `None` where it is alone, or the same.
    pub fn beneath(&self, name: &str) -> Option<Form> {
        let path = self.own(Kind::Wordlist).remove(name)?;
        let shipped = Kind::Wordlist.shipped_bytes(name)?;
        let same = std::fs::read(path).is_ok_and(|own| plain(&own) == plain(&shipped));
        if same { None } else { Form::of_bytes(&Kind::Wordlist.file(name), &shipped).ok() }
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
        let lists = self.lists.clone().filter(|_| kind == Kind::Wordlist);
        if let Some(folder) = lists.or_else(|| Some(self.folder.as_ref()?.join(kind.folder()))) {
            // A folder that is not there holds nothing; one that can't be read shows when a file of it is.
            let _ = collect(&folder, "", &mut |folder, file, path| {
                if let Some(name) = kind.name(file) {
                    let name = format!("{folder}{name}");
                    // A text and a file without an ending may have one name.
                    if file.contains('.') || !found.contains_key(&name) {
                        found.insert(name, path);
                    }
                }
            });
        }
        found.extend(self.list.clone().filter(|_| kind == Kind::Wordlist));
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

    /// Makes the wordlists that lie over shipped ones lists of own changes only; each as it was goes to `before-own/`. Returns
    /// those changed.
    pub fn keep_own_changes(&self) -> Result<Vec<PathBuf>, Problem> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        let mut changed = Vec::new();
        for (name, path) in self.own(Kind::Wordlist) {
            let Some(shipped) = Kind::Wordlist.shipped_bytes(&name) else { continue };
            let refused = |e: io::Error| Problem::new(&path, 0, zh::refusal(&e));
            let bytes = std::fs::read(&path).map_err(refused)?;
            let Ok(text) = encoding::utf8(&bytes) else { continue };
            let own = own_lines(&Kind::Wordlist.file(&name), &text, &plain(&shipped))
                .map_err(|e| Problem::new(&path, e.line, e.message))?;
            if own == *text {
                continue;
            }
            let before = folder.join("before-own").join(path.strip_prefix(folder).unwrap_or(&path));
            std::fs::create_dir_all(before.parent().unwrap_or(folder)).map_err(refused)?;
            std::fs::copy(&path, before).map_err(refused)?;
            std::fs::write(&path, own).map_err(refused)?;
            changed.push(path);
        }
        Ok(changed)
    }

    /// The config folder's files that take the place of one that ships, or lie over it: those that are word for word the same,
    /// which only keep better ones of later versions away, and policies and rulebooks that differ.
    pub fn copies(&self) -> Copies {
        let mut copies = Copies::default();
        for kind in [Kind::Policy, Kind::Rulebook, Kind::Wordlist] {
            for (name, path) in self.own(kind) {
                let Some(shipped) = kind.shipped_bytes(&name) else { continue };
                match std::fs::read(&path) {
                    Ok(own) if plain(&own) == plain(&shipped) => copies.same.push(path),
                    Ok(_) if kind == Kind::Wordlist => {} // entry by entry
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
# 内置的词表不用抄过来，一直在用，升级时跟着更新。内置的某一条不要：停用：那一条；要改：建一个同名文件，只写要改的行。
# 新词先观察，只记录不处置；要马上执行，在前面单独写一行 [阶段=执行]。
";

/// What stands in a file, whatever ends its lines.
fn plain(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\r', "")
}

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
        let whole = std::fs::read_to_string(&list).unwrap();
        std::fs::write(&list, format!("{whole}[]\n多了这个\n")).unwrap();
        let policy = folder.path().join("policies/gentle.toml");
        std::fs::write(&policy, std::fs::read_to_string(&policy).unwrap() + "\n# 改过\n").unwrap();
        let copies = files.copies();
        assert_eq!(copies.differ, [policy], "lists differ entry by entry");
        assert!(copies.same.len() > 20);
        // Of a whole copy only what was added stays, and all that ships holds beside it.
        assert!(files.beneath("ads/contact").is_some() && files.beneath("ads/own").is_none());
        let lists = copies.same.iter().filter(|path| path.starts_with(folder.path().join("wordlists")));
        lists.for_each(|path| std::fs::remove_file(path).unwrap());
        assert_eq!(files.keep_own_changes().unwrap(), std::slice::from_ref(&list));
        assert_eq!(std::fs::read_to_string(&list).unwrap(), "多了这个\n");
        let before = folder.path().join("before-own/wordlists/ads/contact.txt");
        assert!(std::fs::read_to_string(before).unwrap().ends_with("多了这个\n"));
        assert!(files.keep_own_changes().unwrap().is_empty());
    }
}
