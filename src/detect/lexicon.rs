//! The wordlists as people write them: one entry a line, `#` comments, optional fields behind a tab or ` | `.
//!
//! ```text
//! # 引流话术
//! [规则=contact-drop 分=2 级别=中]
//! 【加】 = 加 / 联系 / 扫码
//! 加我微信
//! 【加】 ~6 【微信】 | 注=六个字之内，先后不论
//! 诚招 >8 代理 | 级别=轻 | 到期=2027-01-01
//! /日(?:入|赚)[0-9]{3,}/
//! 允许：加微信群公告
//! 必中：加我微信领资料
//! 必放：我在微信群里发过了
//! ```
//!
//! Every line is kept as it was written, so parse → write gives the same bytes; `docs/wordlists.md` explains the format
//! to the people who edit it. Errors are `file:line: message`.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;

use crate::model::{Category, Severity, Stage};
use crate::text::Transform;

/// What is wrong with one line of a list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct ListError {
    /// The file, relative to the wordlists folder.
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, in Chinese.
    pub message: String,
}

/// The wordlists by file name (`ads/contact.txt`), as text.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    files: BTreeMap<Arc<str>, String>,
}

#[derive(rust_embed::RustEmbed)]
#[folder = "wordlists/"]
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

/// Groups that the program fills by looking at the message: `【号码】` a number of five digits or more, `【账号】` letters
/// and digits that look like an account name, `【网址】` a link, `【手机】` a mobile number.
pub const VIRTUAL_GROUPS: [&str; 4] = ["号码", "账号", "网址", "手机"];

/// One wordlist file, line by line.
#[derive(Clone, Debug)]
pub struct Document {
    /// `category/name.txt`.
    pub file: Arc<str>,
    /// What its entries are about; `common/` files only define groups and may have none.
    pub category: Option<Category>,
    /// Every line.
    pub lines: Vec<Line>,
}

/// One line, as it was written and as it was understood.
#[derive(Clone, Debug)]
pub struct Line {
    /// The text with its line end.
    pub raw: String,
    /// Its meaning.
    pub kind: LineKind,
}

/// The meaning of a line.
#[derive(Clone, Debug)]
pub enum LineKind {
    /// Blank, comment or section head.
    Silent,
    /// A named group of words.
    Group(Group),
    /// Phrases that are always fine and win over shorter hits inside them.
    Allow(Vec<String>),
    /// A sentence that has to be found, or has to pass; run whenever the lists are read.
    Example(Example),
    /// An entry.
    Entry(Arc<Entry>),
}

/// `必中：加我微信领资料`: a sentence stored with the rules above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Something of the file's category has to be found in it; otherwise the category must not be concluded from it.
    pub must_hit: bool,
    /// The sentence.
    pub text: String,
    /// Counted from 1.
    pub line: usize,
}

/// `【加】 = 加 / 联系 / 扫码`.
#[derive(Clone, Debug)]
pub struct Group {
    /// Name between the brackets.
    pub name: String,
    /// Its words.
    pub words: Vec<String>,
    /// Homophones of the words count too.
    pub homophone: bool,
    /// Counted from 1.
    pub line: usize,
}

/// One entry with its fields, section defaults applied.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Counted from 1.
    pub line: usize,
    /// What it looks for.
    pub pattern: Pattern,
    /// Second half of the finding's rule name; the file's stem unless given.
    pub rule: Arc<str>,
    /// How bad; the category's usual one unless given.
    pub severity: Option<Severity>,
    /// Points toward the thresholds; the rule's or category's usual ones unless given.
    pub points: Option<f32>,
    /// For the admin who comes after.
    pub note: Option<String>,
    /// `enforce` unless given.
    pub stage: Stage,
    /// The admin wrote the stage down, for the entry or its section.
    pub stage_given: bool,
    /// Last day on which it counts.
    pub expires: Option<Date>,
    /// Phrases in which this entry does not count.
    pub allow: Vec<String>,
    /// Disguises it may be seen through; `None` is the usual set.
    pub transforms: Option<Vec<Transform>>,
    /// Homophones count: by default only for entries of three Han characters and more.
    pub homophone: Option<bool>,
}

/// What an entry looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// These words.
    Literal(String),
    /// Several words near each other.
    Near(Vec<NearTerm>),
    /// A regular expression over the normalised text.
    Regex(String),
}

/// One word or group of a near-entry and how far it may be from the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearTerm {
    /// What.
    pub term: Term,
    /// Characters allowed between this one and the one before.
    pub within: usize,
    /// It must come after the one before (`>n`); otherwise either order (`~n`).
    pub ordered: bool,
}

/// A word or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// A word.
    Word(String),
    /// Any word of the group.
    Group(String),
}

impl Document {
    /// Reads a list; `file` is `category/name.txt`.
    ///
    /// # Errors
    /// Every line that is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<ListError>> {
        let mut parser = Parser::new(file);
        let lines = text.split_inclusive('\n').enumerate().map(|(i, raw)| parser.line(i + 1, raw)).collect();
        if parser.errors.is_empty() {
            Ok(Self { file: file.into(), category: parser.category, lines })
        } else {
            Err(parser.errors)
        }
    }

    /// The entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.lines.iter().filter_map(|l| if let LineKind::Entry(e) = &l.kind { Some(e) } else { None })
    }

    /// The sentences to try, in order.
    pub fn examples(&self) -> impl Iterator<Item = &Example> {
        self.lines.iter().filter_map(|l| if let LineKind::Example(e) = &l.kind { Some(e) } else { None })
    }

    /// The groups, in order.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.lines.iter().filter_map(|l| if let LineKind::Group(g) = &l.kind { Some(g) } else { None })
    }

    /// The allow-phrases of the file with their lines.
    pub fn allows(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines
            .iter()
            .enumerate()
            .filter_map(|(i, l)| if let LineKind::Allow(words) = &l.kind { Some((i + 1, words)) } else { None })
            .flat_map(|(line, words)| words.iter().map(move |w| (line, w.as_str())))
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| f.write_str(&line.raw))
    }
}

/// Defaults that a `[…]` section sets for the lines below it.
#[derive(Clone, Debug)]
struct Parser {
    file: Arc<str>,
    category: Option<Category>,
    defaults: Entry,
    errors: Vec<ListError>,
}

impl Parser {
    fn new(file: &str) -> Self {
        let (folder, name) = file.split_once('/').unwrap_or(("", file));
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let mut parser = Self {
            file: file.into(),
            category: folder.parse().ok(),
            defaults: Entry {
                line: 0,
                pattern: Pattern::Literal(String::new()),
                rule: stem.into(),
                severity: None,
                points: None,
                note: None,
                stage: Stage::Enforce,
                stage_given: false,
                expires: None,
                allow: Vec::new(),
                transforms: None,
                homophone: None,
            },
            errors: Vec::new(),
        };
        if parser.category.is_none() && folder != "common" {
            let hint = folder.parse::<Category>().err().and_then(|e| e.nearest);
            let hint = hint.map(|n| format!("，是不是 {n}？")).unwrap_or_default();
            parser.error(1, format!("文件夹 {folder} 不是类别名{hint}"));
        }
        parser
    }

    fn error(&mut self, line: usize, message: impl Into<String>) {
        self.errors.push(ListError { file: self.file.clone(), line, message: message.into() });
    }

    fn line(&mut self, number: usize, raw: &str) -> Line {
        // Excel fills short rows with empty cells.
        let mut text = raw.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r', '\t']);
        if !text.contains('/') {
            text = text.trim_end_matches(',');
        }
        let kind = self.meaning(number, text).unwrap_or_else(|message| {
            self.error(number, message);
            LineKind::Silent
        });
        Line { raw: raw.to_owned(), kind }
    }

    fn meaning(&mut self, line: usize, text: &str) -> Result<LineKind, String> {
        for (must_hit, names) in [(true, ["必中：", "必中:"]), (false, ["必放：", "必放:"])] {
            let whole = unquoted(text.trim_start());
            if let Some(sentence) = names.iter().find_map(|name| whole.strip_prefix(name)) {
                return match (sentence.trim(), self.category) {
                    ("", _) => Err("后面要写一句话".to_owned()),
                    (_, None) => Err("common 文件夹只能写词组".to_owned()),
                    (text, Some(_)) => Ok(LineKind::Example(Example { must_hit, text: text.to_owned(), line })),
                };
            }
        }
        let mut cells = cells(text).into_iter();
        let head = cells.next().unwrap_or_default();
        let head = head.trim();
        if head.is_empty() && cells.clone().all(|c| c.trim().is_empty()) || head.starts_with('#') {
            return Ok(LineKind::Silent);
        }
        if let Some(section) = head.strip_prefix('[') {
            let section = section.strip_suffix(']').ok_or("小节要以 ] 结束")?;
            let fresh = Self::new(&self.file).defaults;
            self.defaults = Entry { line, ..fresh };
            let mut defaults = self.defaults.clone();
            for field in section.split_whitespace() {
                set_field(&mut defaults, field)?;
            }
            self.defaults = defaults;
            return Ok(LineKind::Silent);
        }
        if let Some(words) = head.strip_prefix("允许：").or_else(|| head.strip_prefix("允许:")) {
            let words = split_words(words);
            return if words.is_empty() {
                Err("“允许”后面没有词".to_owned())
            } else {
                Ok(LineKind::Allow(words))
            };
        }
        if let Some(rest) = head.strip_prefix('【')
            && let Some((name, rest)) = rest.split_once('】')
            && let Some(words) = rest.trim_start().strip_prefix('=')
        {
            let mut homophone = false;
            for cell in cells.filter(|c| !c.trim().is_empty()) {
                let (key, value) = key_value(&cell)?;
                match key {
                    "谐音" | "homophone" => homophone = yes(value)?,
                    "注" | "note" => {}
                    other => return Err(format!("词组没有“{other}”这个字段")),
                }
            }
            let words = split_words(words);
            if words.is_empty() {
                return Err(format!("词组【{name}】是空的"));
            }
            return Ok(LineKind::Group(Group { name: name.to_owned(), words, homophone, line }));
        }
        if self.category.is_none() {
            return Err("common 文件夹只能写词组".to_owned());
        }
        let mut entry = Entry { line, ..self.defaults.clone() };
        entry.pattern = pattern(head)?;
        if let Pattern::Literal(word) = &entry.pattern
            && let Some(field) = glued(word)
        {
            return Err(format!("“{field}”前面要有制表符，或一个竖线（ | ，左右各空一格）"));
        }
        for cell in cells.filter(|c| !c.trim().is_empty()) {
            set_field(&mut entry, cell.trim())?;
        }
        Ok(LineKind::Entry(Arc::new(entry)))
    }
}

/// Cells of a line, behind tabs or ` | `: a line that was written with ` | ` may get another column in Excel.
fn cells(text: &str) -> Vec<String> {
    let parts = |cell: &str| unquoted(cell).split(" | ").map(str::to_owned).collect::<Vec<_>>();
    text.split('\t').flat_map(parts).collect()
}

/// Excel puts quotes around cells with commas and quotes; they are taken off.
fn unquoted(cell: &str) -> String {
    match cell.strip_prefix('"').and_then(|c| c.strip_suffix('"')) {
        Some(quoted) if !quoted.is_empty() => quoted.replace("\"\"", "\""),
        _ => cell.to_owned(),
    }
}

fn split_words(text: &str) -> Vec<String> {
    text.split(['/', '、']).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn key_value(field: &str) -> Result<(&str, &str), String> {
    let (key, value) = field
        .split_once('=')
        .or_else(|| field.split_once('＝'))
        .ok_or_else(|| format!("“{field}”不是“字段=值”，要写进备注请用“注=…”"))?;
    Ok((key.trim(), value.trim()))
}

fn yes(value: &str) -> Result<bool, String> {
    match value {
        "是" | "yes" | "true" => Ok(true),
        "否" | "no" | "false" => Ok(false),
        other => Err(format!("“{other}”应当是“是”或“否”")),
    }
}

fn set_field(entry: &mut Entry, field: &str) -> Result<(), String> {
    let (key, value) = key_value(field)?;
    match key {
        "规则" | "rule" => {
            let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if value.is_empty() || !value.chars().all(fine) {
                return Err(format!("规则名“{value}”只能用小写字母、数字和 -"));
            }
            entry.rule = value.into();
        }
        "级别" | "severity" => {
            let found = Severity::ALL.iter().find(|s| s.id() == value || s.zh() == value);
            entry.severity = Some(*found.ok_or_else(|| format!("级别“{value}”应当是轻、中、重或严重"))?);
        }
        "分" | "points" => {
            let points: f32 = value.parse().map_err(|_| format!("分“{value}”不是数"))?;
            if !(0.0..=20.0).contains(&points) {
                return Err(format!("分 {value} 不在 0 到 20 之间"));
            }
            entry.points = Some(points);
        }
        "注" | "note" => entry.note = Some(value.to_owned()),
        "阶段" | "stage" => {
            let found = Stage::ALL.iter().find(|s| s.id() == value || s.zh() == value);
            entry.stage = *found.ok_or_else(|| format!("阶段“{value}”应当是观察、试点或执行"))?;
            entry.stage_given = true;
        }
        "到期" | "expires" => {
            let date = value.parse().map_err(|_| format!("到期“{value}”应当像 2027-01-31"))?;
            entry.expires = Some(date);
        }
        "允许" | "allow" => entry.allow = split_words(value),
        "谐音" | "homophone" => entry.homophone = Some(yes(value)?),
        "变形" | "transforms" => {
            let names =
                value.split([',', '，', '、']).map(str::trim).filter(|n| !n.is_empty() && *n != "无" && *n != "none");
            let found: Result<Vec<Transform>, String> = names
                .map(|name| {
                    let transform = Transform::ALL.iter().find(|t| t.id() == name || t.zh() == name);
                    transform.copied().ok_or_else(|| format!("没有“{name}”这种变形"))
                })
                .collect();
            entry.transforms = Some(found?);
        }
        other => {
            return Err(format!("不认识的字段“{other}”，可用：{}", FIELDS.join("、")));
        }
    }
    Ok(())
}

/// What fields are called.
const FIELDS: [&str; 9] = ["规则", "级别", "分", "注", "阶段", "到期", "允许", "谐音", "变形"];

/// A field that was meant to stand behind a word and became a part of it: `加我微信｜分=1`, `加我微信 分=1`.
fn glued(word: &str) -> Option<String> {
    let starts =
        |part: &&str| FIELDS.iter().any(|field| part.strip_prefix(field).is_some_and(|r| r.starts_with(['=', '＝'])));
    word.split(['|', '｜', ' ', ',', '，']).skip(1).map(str::trim).find(starts).map(str::to_owned)
}

/// Reads the first cell of an entry.
fn pattern(head: &str) -> Result<Pattern, String> {
    if let Some(regex) = head.strip_prefix('/') {
        let regex = regex.strip_suffix('/').filter(|r| !r.is_empty()).ok_or("正则要写在两个 / 之间")?;
        regex::Regex::new(regex).map_err(|e| format!("正则写错了：{}", e.to_string().replace('\n', " ")))?;
        return Ok(Pattern::Regex(regex.to_owned()));
    }
    let mut terms: Vec<NearTerm> = Vec::new();
    let mut next: Option<(usize, bool)> = Some((0, true));
    let mut word = String::new();
    let flush = |word: &mut String, terms: &mut Vec<NearTerm>, next: &mut Option<(usize, bool)>| {
        let text = word.trim();
        if !text.is_empty() {
            let (within, ordered) = next.take().unwrap_or((0, true));
            terms.push(NearTerm { term: Term::Word(text.to_owned()), within, ordered });
        }
        word.clear();
    };
    let tokens: Vec<&str> = head.split(' ').collect();
    for (i, token) in tokens.iter().enumerate() {
        if let Some((within, ordered)) = operator(token) {
            flush(&mut word, &mut terms, &mut next);
            if terms.is_empty() || i + 1 == tokens.len() || next.is_some() {
                return Err(format!("“{token}”的两边都要有词"));
            }
            next = Some((within, ordered));
            continue;
        }
        if matches!(*token, "~" | "～" | ">" | "＞") {
            return Err(format!("“{token}”后面要写字数，如 {token}6"));
        }
        let mut rest = *token;
        while let Some((before, after)) = rest.split_once('【') {
            word.push_str(before);
            flush(&mut word, &mut terms, &mut next);
            let (name, after) = after.split_once('】').ok_or("词组要写成【名字】")?;
            let (within, ordered) = next.take().unwrap_or((0, true));
            terms.push(NearTerm { term: Term::Group(name.to_owned()), within, ordered });
            rest = after;
        }
        word.push_str(rest);
        word.push(' ');
    }
    flush(&mut word, &mut terms, &mut next);
    match terms.as_slice() {
        [] => Err("这一行没有词".to_owned()),
        [NearTerm { term: Term::Word(word), .. }] => Ok(Pattern::Literal(word.clone())),
        _ if terms.len() > 6 => Err("一条最多六个词".to_owned()),
        _ => Ok(Pattern::Near(terms)),
    }
}

/// `~8` either order, `>8` in this order.
fn operator(token: &str) -> Option<(usize, bool)> {
    let ordered = match token.chars().next()? {
        '~' | '～' => false,
        '>' | '＞' => true,
        _ => return None,
    };
    let within = token.trim_start_matches(['~', '～', '>', '＞']).parse().ok()?;
    (within <= 60).then_some((within, ordered))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\u{feff}# 说明\r\n[规则=drop 分=1.5 级别=中]\r\n【加】 = 加 / 联系、扫码\t谐音=是\r\n\r\n加我微信 | 注=常见\r\n诚招 >8 代理 ~3 日结\t到期=2027-01-31\t\t\r\n【加】我【加】\n/日入[0-9]{3}/\n允许：加微信群公告";

    #[test]
    fn a_list_survives_the_round_trip_byte_for_byte() {
        let document = Document::parse("ads/contact.txt", SAMPLE).unwrap();
        assert_eq!(document.to_string(), SAMPLE);
        assert_eq!(document.category, Some(Category::Ads));
    }

    #[test]
    fn what_excel_makes_of_a_list_means_the_same() {
        let written = "# 说明，带,号\n加我微信 | 注=常见\n/日入[0-9]{3,}/ | 分=1\n【加】 = 加 / 添加\n必中：加我,微信\n必放：a/b\n";
        let saved = "\"# 说明，带,号\"\t\t\r\n加我微信 | 注=常见\t分=1\t\r\n\"/日入[0-9]{3,}/ | 分=1\"\t\t\r\n\
                     【加】 = 加 / 添加\t\t\r\n\"必中：加我,微信\"\t\t\r\n必放：a/b\t\t\r\n\t\t\r\n";
        let read = |text: &str| {
            let document = Document::parse("ads/x.txt", text).unwrap();
            assert_eq!(document.to_string(), text);
            let entries: Vec<_> = document.entries().map(|e| (e.line, e.pattern.clone(), e.note.clone())).collect();
            let groups: Vec<_> = document.groups().map(|g| g.words.clone()).collect();
            (entries, groups, document.examples().cloned().collect::<Vec<_>>())
        };
        assert_eq!(read(written), read(saved));
        assert_eq!(read(written).2[0].text, "加我,微信");
    }

    #[test]
    fn a_field_that_became_part_of_the_word_is_told() {
        for line in ["加我微信|分=1", "加我微信｜分=1", "加我微信 分=1", "加我微信,分=1", "加我微信， 注=常见"]
        {
            let errors = Document::parse("ads/x.txt", line).unwrap_err();
            assert!(errors[0].message.contains("前面要有制表符"), "{line}");
        }
        assert!(Document::parse("ads/x.txt", "一分=十厘\n").is_ok(), "no field: it does not begin a part");
    }

    #[test]
    fn fields_and_patterns_are_understood() {
        let document = Document::parse("ads/contact.txt", SAMPLE).unwrap();
        let entries: Vec<_> = document.entries().collect();
        assert_eq!(entries[0].pattern, Pattern::Literal("加我微信".into()));
        assert_eq!((&*entries[0].rule, entries[0].points), ("drop", Some(1.5)));
        let Pattern::Near(terms) = &entries[1].pattern else { panic!("a near entry") };
        assert_eq!(terms.iter().map(|t| (t.within, t.ordered)).collect::<Vec<_>>(), [(0, true), (8, true), (3, false)]);
        assert!(entries[1].expires.is_some());
        let Pattern::Near(terms) = &entries[2].pattern else { panic!("adjacent terms") };
        assert_eq!(terms.len(), 3);
        assert_eq!(document.groups().next().unwrap().words, ["加", "联系", "扫码"]);
        assert_eq!(document.allows().collect::<Vec<_>>(), [(9, "加微信群公告")]);
    }

    #[test]
    fn errors_name_file_and_line() {
        let errors = Document::parse("ads/x.txt", "好词\n坏词 | 级别=大\n/(/\n~3 词\n").unwrap_err();
        let lines: Vec<_> = errors.iter().map(|e| e.line).collect();
        assert_eq!(lines, [2, 3, 4]);
        assert!(errors[0].to_string().starts_with("ads/x.txt:2: "));
    }
}
