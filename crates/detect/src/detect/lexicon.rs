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
//! `docs/wordlists.md` explains the format to the people who edit it; [`Form`] makes such lines of the lists people have.
//! Errors are `file:line: message`, and a line that is wrong takes no other with it.

mod forms;
mod lists;
mod parser;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use jiff::civil::Date;

pub use self::forms::{Form, Note, rows};
pub use self::lists::{Lists, Overlaid, own_lines};
use self::parser::Parser;
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

impl Note {
    /// The same of a file.
    pub fn in_file(&self, file: &str) -> ListError {
        ListError { file: file.into(), line: self.line, message: self.message.clone() }
    }
}

/// Groups that the program fills by looking at the message: `【号码】` a number of five digits or more, `【账号】` letters
/// and digits that look like an account name, `【网址】` a link, `【手机】` a mobile number.
pub const VIRTUAL_GROUPS: [&str; 4] = ["号码", "账号", "网址", "手机"];

/// One wordlist file, as it was understood.
#[derive(Clone, Debug)]
pub struct Document {
    /// `category/name.txt`.
    pub file: Arc<str>,
    /// What its entries are about; `common/` files only define groups and may have none.
    pub category: Option<Category>,
    /// What is worth a look, and no mistake.
    pub notes: Vec<Note>,
    entries: Vec<Arc<Entry>>,
    groups: Vec<Group>,
    examples: Vec<Example>,
    allows: Vec<(usize, String)>,
    off: Vec<(usize, Off)>,
}

/// What marks the entries of a shipped list that one of the same name lies over: `内置:ads/contact.txt`.
pub const BENEATH: &str = "内置:";

/// `停用：`: what ships and does not count any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Off {
    /// Entries with these words, in the other lists of the category.
    Words(String),
    /// All entries of a rule there.
    Rule(String),
}

impl Off {
    /// Does it switch an entry off?
    fn names(&self, entry: &Entry) -> bool {
        match self {
            Self::Words(words) => {
                let pattern = entry.pattern.to_string();
                pattern == *words || words.split('、').any(|word| word.trim() == pattern)
            }
            Self::Rule(rule) => *entry.rule == **rule,
        }
    }
}

impl fmt::Display for Off {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(words),
            Self::Rule(rule) => write!(f, "规则={rule}"),
        }
    }
}

/// The meaning of a line.
enum Meaning {
    /// Blank, comment or section head.
    Silent,
    /// A named group of words.
    Group(Group),
    /// Phrases that are always fine and win over shorter hits inside them.
    Allow(Vec<String>),
    /// A sentence that has to be found, or has to pass; run whenever the lists are read.
    Example(Example),
    /// Something that ships does not count.
    Off(Off),
    /// An entry.
    Entry(Entry),
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

/// One entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Counted from 1.
    pub line: usize,
    /// Which word of the line, if it has several; else 0.
    pub nth: u32,
    /// What it looks for.
    pub pattern: Pattern,
    /// What it says besides; entries without fields of their own share those of their section.
    fields: Arc<Fields>,
}

/// The fields of an entry, section defaults applied.
#[derive(Clone, Debug)]
pub struct Fields {
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
    /// It is an everyday word too and says nothing unless one of these is in the message.
    pub needs: Vec<Sign>,
}

/// What an everyday word needs beside it to be a sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `联系方式`: an account, number, link or call to get in touch.
    Contact,
    /// `行话`: another entry of the same category.
    Jargon,
    /// `指人`: a word for a person in the same clause.
    Person,
    /// Any word of a group, anywhere in the message.
    Group(Box<str>),
}

impl Deref for Entry {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.fields
    }
}

impl Entry {
    /// `ads/contact.txt:12`, the third word of that line `ads/contact.txt:12.3`.
    pub fn place(&self, file: &str) -> String {
        if self.nth == 0 { format!("{file}:{}", self.line) } else { format!("{file}:{}.{}", self.line, self.nth) }
    }
}

/// Splits what [`Entry::place`] says: file, line, number within the line. `None` for anything else that a finding names.
pub fn place(text: &str) -> Option<(&str, usize, u32)> {
    let (file, at) = text.rsplit_once(':').filter(|(file, _)| file.contains('/'))?;
    let (line, nth) = at.split_once('.').unwrap_or((at, "0"));
    Some((file, line.parse().ok()?, nth.parse().ok()?))
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
    /// Links to a site or a part of it (`badsite.com/shop`).
    Address(String),
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

/// As people write it, without fields.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(word) | Self::Address(word) => f.write_str(word),
            Self::Regex(regex) => write!(f, "/{regex}/"),
            Self::Near(terms) => terms.iter().enumerate().try_for_each(|(i, near)| {
                if i > 0 {
                    write!(f, " {}{} ", if near.ordered { '>' } else { '~' }, near.within)?;
                }
                match &near.term {
                    Term::Word(word) => f.write_str(word),
                    Term::Group(name) => write!(f, "【{name}】"),
                }
            }),
        }
    }
}

impl Document {
    /// Reads a list; `file` is `category/name.txt`. What is wrong with a line is told, and the line left out.
    pub fn read(file: &str, form: &Form) -> (Self, Vec<ListError>) {
        Self::read_over(file, form, None)
    }

    /// The same of a list that lies over one that ships: fields that it does not write are those of the shipped entry.
    pub(super) fn read_over(file: &str, form: &Form, beneath: Option<&Self>) -> (Self, Vec<ListError>) {
        let mut parser = Parser::new(file, beneath);
        let mut document = Self {
            file: file.into(),
            category: parser.category,
            notes: Vec::new(),
            entries: Vec::new(),
            groups: Vec::new(),
            examples: Vec::new(),
            allows: Vec::new(),
            off: Vec::new(),
        };
        for (line, nth, raw) in form.lines() {
            match parser.line(line, nth, raw) {
                Meaning::Silent => {}
                Meaning::Group(group) => document.groups.push(group),
                Meaning::Allow(words) => document.allows.extend(words.into_iter().map(|word| (line, word))),
                Meaning::Example(example) => document.examples.push(example),
                Meaning::Off(off) => document.off.push((line, off)),
                Meaning::Entry(entry) => document.entries.push(Arc::new(entry)),
            }
        }
        document.entries.shrink_to_fit();
        document.notes = parser.notes;
        let unread = form.mistakes.iter().map(|note| note.in_file(file));
        let mut errors: Vec<ListError> = unread.chain(parser.errors).collect();
        errors.sort_by_key(|error| error.line);
        (document, errors)
    }

    /// Reads a list that has to be without a mistake.
    ///
    /// # Errors
    /// Every line that is wrong.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<ListError>> {
        let form = Form::of_text(file, text).map_err(|note| vec![note.in_file(file)])?;
        let (document, errors) = Self::read(file, &form);
        if errors.is_empty() { Ok(document) } else { Err(errors) }
    }

    /// The entries, in order.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter()
    }

    /// The sentences to try, in order.
    pub fn examples(&self) -> impl Iterator<Item = &Example> {
        self.examples.iter()
    }

    /// The groups, in order.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter()
    }

    /// What is worth a look, in its file.
    pub fn remarks(&self) -> impl Iterator<Item = ListError> {
        self.notes.iter().map(|note| note.in_file(&self.file))
    }

    /// The name it is chosen by (`ads/contact.txt`), also of what lies beneath a list of that name.
    pub fn name(&self) -> &str {
        self.file.strip_prefix(BENEATH).unwrap_or(&self.file)
    }

    /// It ships, and a list of the same name lies over it.
    pub fn is_beneath(&self) -> bool {
        self.file.starts_with(BENEATH)
    }

    /// The allow-phrases of the file with their lines.
    pub fn allows(&self) -> impl Iterator<Item = (usize, &str)> {
        self.allows.iter().map(|(line, phrase)| (*line, phrase.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\u{feff}# 说明\r\n[规则=drop 分=1.5 级别=中]\r\n【加】 = 加 / 联系、扫码\t谐音=是\r\n\r\n加我微信 | 注=常见\r\n诚招 >8 代理 ~3 日结\t到期=2027-01-31\t\t\r\n【加】我【加】\n/日入[0-9]{3}/\n允许：加微信群公告";

    /// The lists with one over the shipped `ads/x.txt`.
    fn over(shipped: &str, own: &str) -> Lists {
        let mut lists = Lists::default();
        let form = |text| Form::of_text("ads/x.txt", text).unwrap();
        lists.lay_over("ads/x.txt", form(shipped), form(own));
        lists
    }

    fn in_force(lists: &Lists) -> Vec<String> {
        let documents = lists.read_all().0;
        let said = |document: &Document| {
            let place = |entry: &Arc<Entry>| {
                let points = entry.points.map(|points| format!(" 分={points}")).unwrap_or_default();
                let allow = if entry.allow.is_empty() { String::new() } else { format!(" 允许={:?}", entry.allow) };
                format!("{} {}{points}{allow}", entry.place(&document.file), entry.pattern)
            };
            document.entries().map(place).collect::<Vec<_>>()
        };
        documents.iter().flat_map(said).collect()
    }

    #[test]
    fn an_own_list_adds_changes_and_switches_off_entry_by_entry() {
        let shipped = "[分=1.5]\n加我微信 | 允许=加我微信群\n【加】 ~3 返利\n扫码返现\n旧说法\n【加】 = 加 / 添加\n必中：加我微信领\n";
        let own = "# 自己的\n加我微信 | 允许=客户加我微信\n扫码返现 | 分=0.5\n喵喵返现\n停用：旧说法\n停用：没有的词\n";
        let lists = over(shipped, own);
        assert_eq!(
            in_force(&lists),
            [
                "内置:ads/x.txt:3 【加】 ~3 返利 分=1.5",
                "ads/x.txt:2 加我微信 分=1.5 允许=[\"客户加我微信\", \"加我微信群\"]",
                "ads/x.txt:3 扫码返现 分=0.5",
                "ads/x.txt:4 喵喵返现",
            ]
        );
        let documents = lists.read_all().0;
        let notes: Vec<String> = documents.iter().flat_map(Document::remarks).map(|note| note.to_string()).collect();
        assert_eq!(notes, ["ads/x.txt:5: “旧说法”已停用", "ads/x.txt:6: 没有“没有的词”这个词条，不用停用"]);
        let overlaid = &lists.overlaid()[0];
        assert_eq!((overlaid.added, overlaid.changed, overlaid.same, overlaid.off), (1, 2, 0, 2));
        assert_eq!(overlaid.only_shipped, ["【加】 ~3 返利", "旧说法"]);
        assert_eq!(documents[0].category, Some(Category::Ads));
        assert_eq!(&*documents[0].entries().next().unwrap().rule, "x");
        // A whole rule, from another list of the category.
        let mut lists = over("[规则=pull]\n加我微信\n扫码返现\n[规则=other]\n别的\n", "");
        lists.insert("ads/own.txt", "停用：规则=pull\n".into());
        assert_eq!(in_force(&lists), ["内置:ads/x.txt:5 别的"]);
    }

    #[test]
    fn a_whole_copy_becomes_a_list_of_own_changes() {
        let shipped = "# 说明\n[分=1.5]\n加我微信\n扫码返现\n[级别=重]\n收款码\n允许：收款码牌\n必中：加我微信领\n";
        let copy = "# 说明\n[分=1.5]\n加我微信\n扫码返现 | 分=1\n喵喵返现\n[级别=重]\n收款码\n[]\n新词\n允许：收款码牌\n必中：加我微信领\n必放：我的\n";
        let own = own_lines("ads/x.txt", copy, shipped).unwrap();
        assert_eq!(own, "[分=1.5]\n扫码返现 | 分=1\n喵喵返现\n[]\n新词\n必放：我的\n");
        assert_eq!(own_lines("ads/x.txt", shipped, shipped).unwrap(), "");
        assert!(own_lines("ads/x.txt", "/(/\n", shipped).is_err() || Document::parse("ads/x.txt", "/(/\n").is_ok());
    }

    #[test]
    fn what_excel_makes_of_a_list_means_the_same() {
        let written = "# 说明，带,号\n加我微信 | 注=常见\n/日入[0-9]{3,}/ | 分=1\n【加】 = 加 / 添加\n必中：加我,微信\n必放：a/b\n";
        let saved = "\"# 说明，带,号\"\t\t\r\n加我微信 | 注=常见\t分=1\t\r\n\"/日入[0-9]{3,}/ | 分=1\"\t\t\r\n\
                     【加】 = 加 / 添加\t\t\r\n\"必中：加我,微信\"\t\t\r\n必放：a/b\t\t\r\n\t\t\r\n";
        let read = |text: &str| {
            let document = Document::parse("ads/x.txt", text).unwrap();
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
    fn days_are_read_as_people_and_excel_write_them() {
        for day in ["2027-01-31", "2027/1/31", "2027.1.31", "2027年1月31日"] {
            let document = Document::parse("ads/x.txt", &format!("加我微信 | 到期={day}")).unwrap();
            let expires = document.entries().next().unwrap().expires;
            assert_eq!(expires, Some(jiff::civil::date(2027, 1, 31)), "{day}");
        }
        for wrong in ["2027-02-30", "27/1/31", "明年", "2027-1"] {
            assert!(Document::parse("ads/x.txt", &format!("加我微信 | 到期={wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fields_and_patterns_are_understood() {
        let document = Document::parse("ads/contact.txt", SAMPLE).unwrap();
        assert_eq!(document.category, Some(Category::Ads));
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
        let text = "好词\n坏词 | 级别=大\n/(/\n~3 词\n另一个\n";
        let (document, _) = Document::read("ads/x.txt", &Form::of_text("ads/x.txt", text).unwrap());
        assert_eq!(document.entries().map(|entry| entry.pattern.to_string()).collect::<Vec<_>>(), ["好词", "另一个"]);
        let errors = Document::parse("ads/x.txt", text).unwrap_err();
        let lines: Vec<_> = errors.iter().map(|e| e.line).collect();
        assert_eq!(lines, [2, 3, 4]);
        assert!(errors[0].to_string().starts_with("ads/x.txt:2: "));
    }
}
