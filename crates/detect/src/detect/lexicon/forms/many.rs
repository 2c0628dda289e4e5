//! Lists of one word a line, and lines that hold many: parted by 、 or commas, or with a number behind each word.

use super::super::parser::{glued, is_field, operator};
use super::{Form, lines};
use crate::detect::addresses::Address;
use crate::text::is_han;

/// Between the words of a line.
const PARTING: [char; 9] = ['、', ',', '，', ';', '；', '|', '｜', '\t', ' '];
/// From so many parts on commas part words and not the clauses of a sentence.
const MANY: usize = 8;
/// Characters of a word on average, then.
const SHORT: usize = 8;
/// In a file of so few lines a line is a list sooner.
const FEW_LINES: usize = 3;
/// From so many words on blanks part them, in such a file.
const MANY_SPACED: usize = 4;

/// What stands before the words of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    None,
    /// `- 办证`.
    Bullet,
    /// `1、办证`.
    Number,
}

impl Mark {
    fn of(text: &str) -> Self {
        let plain = || lines(text).filter(|line| is_plain(line));
        let marked = |strip: fn(&str) -> Option<&str>| plain().filter(|line| strip(line).is_some()).count();
        match plain().count() {
            all if all > 0 && marked(bulleted) * 2 > all => Self::Bullet,
            all if all > 1 && marked(numbered) * 2 > all => Self::Number,
            _ => Self::None,
        }
    }

    fn strip(self, line: &str) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Bullet => bulleted(line),
            Self::Number => numbered(line),
        }
    }
}

/// What follows `- ` or `* `.
fn bulleted(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix(['-', '*', '+', '•', '·'])?;
    rest.strip_prefix(' ').map(str::trim).filter(|rest| !rest.is_empty())
}

/// What follows `1.`, `1、` or `(1)`; `1.5倍` and `360.cn` are words.
fn numbered(line: &str) -> Option<&str> {
    let line = line.trim();
    let open = line.strip_prefix(['(', '（']).unwrap_or(line);
    let rest = open.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = open.len() - rest.len();
    let word = rest.strip_prefix(['.', '、', '．', ')', '）', ':', '：'])?.trim_start();
    let is_word = word.chars().next().is_some_and(|c| !c.is_ascii_digit());
    ((1..=4).contains(&digits) && is_word && Address::read(line).is_none()).then_some(word)
}

/// Words with blanks between: `办证 刻章`.
fn spaced(line: &str) -> Option<Vec<&str>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let word = |word: &&str| (2..=6).contains(&word.chars().count()) && word.chars().all(is_han);
    (words.len() > 1 && words.iter().all(word)).then_some(words)
}

/// How the lines of a file are read.
#[derive(Clone, Copy)]
struct Style {
    few: bool,
    /// Most lines have words with blanks between.
    spaced: bool,
    mark: Mark,
}

impl Style {
    fn of(text: &str) -> Self {
        let plain = || lines(text).filter(|line| is_plain(line));
        let all = plain().count();
        let spaced = plain().filter(|line| spaced(line).is_some()).count();
        Self { few: all <= FEW_LINES, spaced: all > 1 && spaced * 2 > all, mark: Mark::of(text) }
    }
}

/// The words of a cell of a table.
pub(super) fn of_cell(cell: &str) -> Vec<&str> {
    parts(cell, Style { few: true, spaced: false, mark: Mark::None }).unwrap_or_else(|| vec![cell])
}

pub(super) fn read(text: &str) -> Form {
    let style = Style::of(text);
    let changed = |line: &&str| {
        is_plain(line) && (style.mark.strip(line).is_some() || parts(line, style).is_some() || weighed(line).is_some())
    };
    if !lines(text).any(|line| changed(&line)) {
        let text = if text.contains('\n') || !text.contains('\r') { text.to_owned() } else { text.replace('\r', "\n") };
        return Form { text, ..Form::default() };
    }
    let mut form = Form::default();
    let mut weights = None;
    let mut marks = None;
    for (i, line) in lines(text).enumerate() {
        if !is_plain(line) {
            form.push(i + 1, 0, line);
            continue;
        }
        let bare = style.mark.strip(line);
        if bare.is_some() {
            marks.get_or_insert(i + 1);
        }
        let line = bare.unwrap_or(line);
        if let Some(parts) = parts(line, style) {
            form.note(i + 1, format!("一行有 {} 个词，已经分开；最好一行一个词", parts.len()));
            for (nth, part) in parts.iter().enumerate() {
                form.push(i + 1, nth + 1, weighed(part).unwrap_or(part));
            }
        } else if let Some(word) = weighed(line) {
            weights.get_or_insert(i + 1);
            form.push(i + 1, 0, word);
        } else {
            form.push(i + 1, 0, line);
        }
    }
    if let Some(line) = marks {
        let what = if style.mark == Mark::Number { "编号" } else { "记号" };
        form.note(line, format!("行首的{what}没有读"));
    }
    if let Some(line) = weights {
        form.note(line, "词后面的数字没有读；要写分数，用制表符隔开写 分=1");
    }
    form
}

/// No comment, section, group, expression, exception or example.
fn is_plain(line: &str) -> bool {
    const OURS: [&str; 6] = ["允许：", "允许:", "必中：", "必中:", "必放：", "必放:"];
    let line = line.trim_start().trim_start_matches('"');
    !line.is_empty() && !line.starts_with(['#', '[', '【', '/']) && !OURS.iter().any(|name| line.starts_with(name))
}

/// `办证=1` without the number.
fn weighed(line: &str) -> Option<&str> {
    let (word, number) = line.trim().rsplit_once(['=', '＝'])?;
    let word = word.trim_end();
    let counts = !number.is_empty() && number.trim().bytes().all(|b| b.is_ascii_digit() || b == b'.');
    (counts
        && !word.is_empty()
        && !word.contains(['\t', '=', '/', '?', '&'])
        && glued(line).is_none()
        && !is_field(line.trim()))
    .then_some(word)
}

/// The words of a line, if it has several.
fn parts(line: &str, style: Style) -> Option<Vec<&str>> {
    let few = style.few;
    let count = |chars: &[char]| line.matches(chars).count();
    if count(&PARTING) == 0 {
        return None;
    }
    let cells = || line.split(['\t', '|']).map(str::trim);
    if cells().skip(1).any(is_field)
        || glued(line).is_some()
        || line.split(' ').any(|token| operator(token).is_some())
        || line.contains('【')
    {
        return None;
    }
    let (listed, commas) = (count(&['、']), count(&PARTING[1..7]));
    let chars: &[char] = if listed > 0 || commas > 0 { &PARTING[..8] } else { &PARTING };
    // 证件类：办证、刻章
    let body = match line.split_once(['：', ':']) {
        Some((label, body)) if listed > 0 && !label.contains(chars) && !body.starts_with("//") => body,
        _ => line,
    };
    let words: Vec<&str> =
        body.split(chars).map(|word| word.trim().trim_matches('"')).filter(|word| !word.is_empty()).collect();
    let letters: usize = words.iter().map(|word| word.chars().count()).sum();
    let short = |most: usize| !words.is_empty() && letters <= words.len() * most;
    let many = match (listed, commas) {
        (2.., _) => words.len() >= 3 && short(2 * SHORT),
        (1, 0) => words.len() == 2 && short(SHORT / 2),
        (_, 1..) => words.len() >= MANY && short(2 * SHORT) || few && words.len() >= 3 && short(SHORT / 2 + 2),
        _ => {
            let apart = spaced(line).is_some_and(|words| style.spaced || few && words.len() >= MANY_SPACED);
            apart || few && words.len() >= MANY && short(SHORT)
        }
    };
    (many && words.len() > 1).then_some(words)
}
