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

mod lists;
mod parser;

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;

pub use self::lists::Lists;
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

/// As people write it, without fields.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(word) => f.write_str(word),
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
