//! Lists as tables: what Excel and databases save, with or without a heading, the words in one of the columns.

use std::{borrow::Cow, collections::HashSet};

use super::super::parser::is_field;
use super::{Form, lines, many};

/// Share of the lines that have to have the same columns.
const MOST: f64 = 0.8;
/// A column whose cells are so often the same says of what kind the words are and is none of words.
const REPEATED: f64 = 0.5;
/// Lines above a table that may be its title.
const MOST_TITLES: usize = 3;
/// Lines that are looked at.
const LOOKED_AT: usize = 200;

/// What a column of words is called.
pub(super) fn is_heading(cell: &str) -> bool {
    const WORDS: &[&str] = &[
        "词",
        "词语",
        "词条",
        "词汇",
        "敏感词",
        "关键词",
        "关键字",
        "违禁词",
        "违规词",
        "屏蔽词",
        "禁用词",
        "脏词",
        "脏话",
        "名单",
        "网址",
        "域名",
        "链接",
        "内容",
        "word",
        "words",
        "keyword",
        "keywords",
        "key",
        "text",
        "content",
        "term",
        "name",
        "value",
        "domain",
        "url",
        "sensitive_word",
        "badword",
    ];
    let cell = cell.trim().trim_matches(['“', '”', '*', '：', ':']).to_lowercase();
    WORDS.contains(&&*cell)
}

/// The rows with their lines, if the text is a table.
pub(super) fn rows(ending: &str, text: &str) -> Option<Vec<(usize, Vec<String>)>> {
    let delimiter = match ending {
        "csv" if lines(text).take(LOOKED_AT).any(|line| line.contains(',')) => b',',
        "csv" if lines(text).take(LOOKED_AT).any(|line| line.contains(';')) => b';',
        _ if is_table(text, '\t') => b'\t',
        _ if is_table(text, ',') => b',',
        _ => return None,
    };
    let mut reader = csv::ReaderBuilder::new();
    reader.has_headers(false).flexible(true).delimiter(delimiter);
    // A line begins behind all of the end before it.
    let text: Cow<'_, str> =
        if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n").into() } else { text.into() };
    let mut rows = Vec::new();
    for record in reader.from_reader(text.as_bytes()).records().flatten() {
        let line = record.position().map_or(0, |at| at.line() as usize);
        rows.push((line, record.iter().map(str::to_owned).collect()));
    }
    Some(rows)
}

/// Nearly every line has the same number of cells, and those after the first are no words and no fields of ours.
fn is_table(text: &str, delimiter: char) -> bool {
    let plain = |line: &&str| !line.trim().is_empty() && !line.starts_with(['#', '[', '【', '/']);
    let rows: Vec<Vec<&str>> = lines(text)
        .filter(plain)
        .take(LOOKED_AT)
        .map(|line| line.trim_end_matches('\t').split(delimiter).collect())
        .collect();
    let Some(columns) = rows.get(rows.len() / 2).map(Vec::len).filter(|columns| (2..=20).contains(columns)) else {
        return false;
    };
    let same: Vec<&Vec<&str>> = rows.iter().filter(|row| row.len() == columns).collect();
    if rows.len() < 2 || (same.len() as f64) < rows.len() as f64 * MOST {
        return false;
    }
    let number =
        |cell: &&str| !cell.is_empty() && cell.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'"' | b' '));
    let fields = same.iter().flat_map(|row| &row[1..]).filter(|cell| is_field(cell.trim())).count();
    let quoted = same.iter().all(|row| row.iter().all(|cell| cell.starts_with('"') && cell.ends_with('"')));
    let heading = same[0].iter().any(|cell| is_heading(cell.trim_matches('"')));
    let kind = (0..columns).any(|column| {
        let cells: HashSet<&str> = same.iter().map(|row| row[column]).collect();
        let numbers = same.iter().filter(|row| number(&row[column])).count();
        numbers as f64 >= same.len() as f64 * MOST
            || column > 0 && same.len() >= 3 && (cells.len() as f64) < same.len() as f64 * REPEATED
    });
    fields == 0 && (quoted || heading || kind)
}

/// Takes the words out of a table; cells that are fields of ours stay behind them.
pub(super) fn read(mut rows: Vec<(usize, Vec<String>)>) -> Form {
    let filled = |cell: &String| !cell.trim().is_empty();
    rows.retain(|(_, cells)| cells.iter().any(filled));
    let mut form = Form::default();
    // What stands alone above a table is its title.
    let is_alone = |cells: &[String]| cells.iter().filter(|cell| filled(cell)).count() == 1;
    let wide = rows.iter().filter(|(_, cells)| !is_alone(cells)).count() * 2 > rows.len();
    let titles = rows.iter().take(MOST_TITLES).take_while(|(_, cells)| is_alone(cells)).count();
    let headed = rows.get(titles).is_some_and(|(_, cells)| cells.iter().any(|cell| is_heading(cell)));
    let own_heading = rows.first().is_some_and(|(_, cells)| cells.iter().any(|cell| is_heading(cell)));
    if titles > 0 && !own_heading && (headed || wide) {
        for (line, cells) in rows.drain(..titles) {
            form.note(line, format!("“{}”像是标题，没有读", cells.concat().trim()));
        }
    }
    let heading = rows.first().and_then(|(_, cells)| cells.iter().position(|cell| is_heading(cell)));
    let numbered = |column: usize| {
        let cells = || rows.iter().filter_map(|(_, cells)| cells.get(column)).filter(|cell| filled(cell));
        cells().count() > 0 && cells().skip(1).all(|cell| cell.trim().parse::<f64>().is_ok())
    };
    let columns = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    let column =
        heading.unwrap_or_else(|| (0..columns).find(|column| rows.len() > 1 && !numbered(*column)).unwrap_or(0));
    let name = heading.and_then(|_| rows.first()?.1.get(column).cloned()).map(|name| format!("“{}”", name.trim()));
    let mut left = false;
    let mut count = 0;
    for (line, cells) in rows.iter().skip(usize::from(heading.is_some())) {
        let Some(word) = cells.get(column).map(|cell| clean(cell)).filter(|word| !word.is_empty()) else { continue };
        count += 1;
        let mut fields = String::new();
        for (_, cell) in cells.iter().enumerate().filter(|(i, cell)| *i != column && filled(cell)) {
            if is_field(cell.trim()) {
                fields.push('\t');
                fields.push_str(&clean(cell));
            } else {
                left = true;
            }
        }
        let words = many::of_cell(&word);
        if words.len() > 1 {
            form.note(*line, format!("一格有 {} 个词，已经分开；最好一行一个词", words.len()));
        }
        for (nth, one) in words.iter().enumerate() {
            form.push(*line, if words.len() > 1 { nth + 1 } else { 0 }, &format!("{one}{fields}"));
        }
    }
    if left || heading.is_some() {
        let rest = if left { "，其余列没有读" } else { "" };
        form.note(0, format!("按表格读：第 {} 列{}是词，共 {count} 行{rest}", column + 1, name.unwrap_or_default()));
    }
    form
}

fn clean(cell: &str) -> String {
    cell.trim().replace(['\n', '\r', '\t'], " ")
}
