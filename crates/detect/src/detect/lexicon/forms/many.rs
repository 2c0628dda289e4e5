//! Lists of one word a line, and lines that hold many: parted by 、 or commas, or with a number behind each word.

use super::super::parser::{glued, is_field, operator};
use super::{Form, lines};

/// Between the words of a line.
const PARTING: [char; 9] = ['、', ',', '，', ';', '；', '|', '｜', '\t', ' '];
/// From so many parts on commas part words and not the clauses of a sentence.
const MANY: usize = 8;
/// Characters of a word on average, then.
const SHORT: usize = 8;
/// In a file of so few lines a line is a list sooner.
const FEW_LINES: usize = 3;

pub(super) fn read(text: &str) -> Form {
    let few = lines(text).filter(|line| is_plain(line)).take(FEW_LINES + 1).count() <= FEW_LINES;
    let changed = |line: &&str| is_plain(line) && (parts(line, few).is_some() || weighed(line).is_some());
    if !lines(text).any(|line| changed(&line)) {
        let text = if text.contains('\n') || !text.contains('\r') { text.to_owned() } else { text.replace('\r', "\n") };
        return Form { text, ..Form::default() };
    }
    let mut form = Form::default();
    let mut weights = None;
    for (i, line) in lines(text).enumerate() {
        if !is_plain(line) {
            form.push(i + 1, 0, line);
        } else if let Some(parts) = parts(line, few) {
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
fn parts(line: &str, few: bool) -> Option<Vec<&str>> {
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
        _ => few && words.len() >= MANY && short(SHORT),
    };
    (many && words.len() > 1).then_some(words)
}
