//! Reads a list line by line: what each line means, or what is wrong with it.

use std::collections::HashMap;
use std::sync::Arc;

use super::{
    BENEATH, Document, Entry, Example, Fields, Group, ListError, Meaning, NearTerm, Note, Off, Pattern, Sign, Term,
};
use crate::detect::addresses::Address;
use crate::model::{Category, Severity, Stage};
use crate::text::Transform;

/// Defaults that a `[…]` section sets for the lines below it.
#[derive(Clone, Debug)]
pub(super) struct Parser {
    file: Arc<str>,
    pub(super) category: Option<Category>,
    defaults: Arc<Fields>,
    /// What the section says, field by field.
    section: Vec<String>,
    /// The entries of the list beneath, by their words.
    beneath: HashMap<String, Arc<Fields>>,
    pub(super) errors: Vec<ListError>,
    pub(super) notes: Vec<Note>,
}

impl Parser {
    pub(super) fn new(file: &str, beneath: Option<&Document>) -> Self {
        let (folder, name) = file.strip_prefix(BENEATH).unwrap_or(file).split_once('/').unwrap_or(("", file));
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let mut parser = Self {
            file: file.into(),
            category: folder.parse().ok(),
            defaults: Arc::new(usual(stem)),
            section: Vec::new(),
            beneath: beneath
                .into_iter()
                .flat_map(Document::entries)
                .map(|entry| (entry.pattern.to_string(), entry.fields.clone()))
                .collect(),
            errors: Vec::new(),
            notes: Vec::new(),
        };
        if parser.category.is_none() && folder != "common" {
            let hint = folder.parse::<Category>().err().and_then(|e| e.nearest);
            let hint = hint.map(|n| format!("，是不是 {n}？")).unwrap_or_default();
            parser.error(
                0,
                match folder {
                    "" => "词表要放在类别的文件夹里，例如 wordlists/ads/，这个文件没有读".to_owned(),
                    _ if hint.is_empty() => {
                        let known: Vec<String> = Category::ALL.iter().map(|c| format!("{}（{c}）", c.zh())).collect();
                        format!("文件夹 {folder} 不是类别名，这个文件没有读；类别有 {}", known.join("、"))
                    }
                    _ => format!("文件夹 {folder} 不是类别名{hint}，这个文件没有读"),
                },
            );
        }
        parser
    }

    fn error(&mut self, line: usize, message: impl Into<String>) {
        self.errors.push(ListError { file: self.file.clone(), line, message: message.into() });
    }

    pub(super) fn line(&mut self, number: usize, nth: u32, raw: &str) -> Meaning {
        // Excel fills short rows with empty cells.
        let mut text = raw.trim_end_matches(['\r', '\t']);
        if !text.contains('/') {
            text = text.trim_end_matches(',');
        }
        if self.category.is_none() && !self.file.trim_start_matches(BENEATH).starts_with("common/") {
            return Meaning::Silent;
        }
        self.meaning(number, nth, text).unwrap_or_else(|message| {
            self.error(number, message);
            Meaning::Silent
        })
    }

    fn meaning(&mut self, line: usize, nth: u32, text: &str) -> Result<Meaning, String> {
        if self.category.is_some() && is_word(text) {
            let fields = self.fields_of(text)?;
            let pattern = Pattern::Literal(text.to_owned());
            return Ok(Meaning::Entry(Entry { line, nth, pattern, fields }));
        }
        for (must_hit, names) in [(true, ["必中：", "必中:"]), (false, ["必放：", "必放:"])] {
            let whole = unquoted(text.trim_start());
            if let Some(sentence) = names.iter().find_map(|name| whole.strip_prefix(name)) {
                return match (sentence.trim(), self.category) {
                    ("", _) => Err("后面要写一句话".to_owned()),
                    (_, None) => Err("common 文件夹只能写词组".to_owned()),
                    (text, Some(_)) => Ok(Meaning::Example(Example { must_hit, text: text.to_owned(), line })),
                };
            }
        }
        let mut cells = cells(text).into_iter();
        let head = cells.next().unwrap_or_default();
        let head = head.trim();
        if head.is_empty() && cells.clone().all(|c| c.trim().is_empty()) || head.starts_with('#') {
            return Ok(Meaning::Silent);
        }
        if let Some(section) = head.strip_prefix('[') {
            let Some(section) = section.strip_suffix(']') else {
                return Err(format!("小节要以 ] 结束；如果是正则，写成 /{head}/"));
            };
            let (_, name) = self.file.split_once('/').unwrap_or_default();
            let mut defaults = usual(name.rsplit_once('.').map_or(name, |(stem, _)| stem));
            for field in section.split_whitespace() {
                set_field(&mut defaults, field)?;
            }
            self.defaults = Arc::new(defaults);
            self.section = section.split_whitespace().map(str::to_owned).collect();
            return Ok(Meaning::Silent);
        }
        if let Some(off) = head.strip_prefix("停用：").or_else(|| head.strip_prefix("停用:")) {
            return self.off(off.trim()).map(Meaning::Off);
        }
        if let Some(words) = head.strip_prefix("允许：").or_else(|| head.strip_prefix("允许:")) {
            let words = split_words(words);
            return if words.is_empty() {
                Err("“允许”后面没有词".to_owned())
            } else {
                Ok(Meaning::Allow(words))
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
            return Ok(Meaning::Group(Group { name: name.to_owned(), words, homophone, line }));
        }
        if self.category.is_none() {
            return Err("common 文件夹只能写词组".to_owned());
        }
        let pattern = pattern(head)?;
        if let Pattern::Literal(word) = &pattern {
            if let Some(field) = glued(word) {
                return Err(format!("“{field}”前面要有制表符，或一个竖线（ | ，左右各空一格）"));
            }
            if let Some(hint) = punctuated(word) {
                self.notes.push(Note::new(line, hint));
            }
            if let Some(hint) = wildcard(word)? {
                self.notes.push(Note::new(line, hint));
            }
        }
        let mut fields = self.fields_of(&pattern.to_string())?;
        let ships = self.beneath.get(&pattern.to_string());
        for cell in cells.filter(|c| !c.trim().is_empty()) {
            set_field(Arc::make_mut(&mut fields), cell.trim())?;
        }
        // An exception is one more beside those that ship.
        for phrase in ships.iter().flat_map(|ships| &ships.allow) {
            if !fields.allow.contains(phrase) {
                Arc::make_mut(&mut fields).allow.push(phrase.clone());
            }
        }
        Ok(Meaning::Entry(Entry { line, nth, pattern, fields }))
    }

    /// What an entry says before its own cells: what its section says, over what ships under the same words.
    fn fields_of(&self, words: &str) -> Result<Arc<Fields>, String> {
        let Some(ships) = self.beneath.get(words) else { return Ok(self.defaults.clone()) };
        let mut fields = ships.clone();
        for field in &self.section {
            set_field(Arc::make_mut(&mut fields), field)?;
        }
        Ok(fields)
    }

    fn off(&self, what: &str) -> Result<Off, String> {
        if self.category.is_none() {
            return Err("common 文件夹里没有词条可以停用".to_owned());
        }
        if what.is_empty() {
            return Err("“停用”后面要写词条，或 规则=规则名".to_owned());
        }
        match what.strip_prefix("规则=").or_else(|| what.strip_prefix("规则＝")) {
            Some(rule) => Ok(Off::Rule(rule.trim().to_owned())),
            None => Ok(Off::Words(pattern(what)?.to_string())),
        }
    }
}

/// What an entry of a file says unless it or its section says something else.
fn usual(stem: &str) -> Fields {
    Fields {
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
        needs: Vec::new(),
    }
}

/// Nothing but Han characters: by far the most lines of a long list.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// Signs of punctuation in a word are passed over, and what stands apart in a sentence is no word: better two words.
fn punctuated(word: &str) -> Option<String> {
    let sign = |c: char| matches!(c, ',' | '，' | '。' | ';' | '；' | '!' | '！' | '?' | '？' | '、');
    let parts: Vec<&str> = word.split(sign).map(str::trim).filter(|part| !part.is_empty()).collect();
    (parts.len() > 1).then(|| {
        let (joined, near) = (parts.concat(), parts.join(" >2 "));
        format!("词条里的标点不算数，找的是连着的“{joined}”；中间有标点也要找，请写成 {near}")
    })
}

/// How to write what looks like a pattern of other programs (`加*信`, `加.*信`): there it means something, here these signs are
/// passed over.
fn wildcard(word: &str) -> Result<Option<String>, String> {
    let signs = |c: char| {
        matches!(c, '*' | '＊' | '.' | '+' | '?' | '\\' | '^' | '$' | '|' | '(' | ')' | '[' | ']' | '{' | '}')
    };
    let regex = [".*", ".+", ".?", ".{", "\\d", "\\w", "\\s", "(?"].iter().any(|part| word.contains(part))
        || word.contains('|') && word.contains('(')
        || word.contains('[') && word.contains(']') && !word.starts_with('[');
    if regex && regex::Regex::new(word).is_ok() {
        return Ok(Some(format!("看起来是正则，现在当作普通的字来查；要按正则查，写成 /{word}/")));
    }
    if !word.contains(['*', '＊']) {
        return Ok(None);
    }
    let parts: Vec<&str> = word.split(['*', '＊']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let letters = word.chars().filter(|c| !signs(*c) && !c.is_whitespace()).count();
    match parts[..] {
        _ if letters < 2 => Err("去掉“*”只剩一个字，会误伤，没有读；请写出整个词".to_owned()),
        [_] => Ok(Some("“*”会被略过；这里不用通配符".to_owned())),
        _ => Ok(Some(format!("“*”不是通配符，会被略过；中间隔着几个字的，写成 {}", parts.join(" >3 ")))),
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

fn set_field(entry: &mut Fields, field: &str) -> Result<(), String> {
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
            entry.expires = Some(date(value).ok_or_else(|| format!("到期“{value}”应当像 2027-01-31"))?);
        }
        "允许" | "allow" => entry.allow = split_words(value),
        "谐音" | "homophone" => entry.homophone = Some(yes(value)?),
        "需要" | "needs" => {
            let names = split_words(value);
            entry.needs = names.iter().filter(|name| *name != "无").map(|name| sign(name)).collect();
        }
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
        "必中" | "必放" => return Err(format!("“{key}”要另起一行写：{key}：一句话")),
        other => {
            return Err(format!("不认识的字段“{other}”，可用：{}", FIELDS.join("、")));
        }
    }
    Ok(())
}

/// A day as people and Excel write it: `2027-01-31`, `2027/1/31`, `2027.1.31`, `2027年1月31日`.
fn date(value: &str) -> Option<jiff::civil::Date> {
    let parts: Vec<i16> = value
        .trim_end_matches('日')
        .split(['-', '/', '.', '年', '月'])
        .map(|part| part.trim().parse())
        .collect::<Result<_, _>>()
        .ok()?;
    let [year, month, day] = parts[..] else { return None };
    jiff::civil::Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok().filter(|date| date.year() > 1999)
}

/// A second sign by its name; any group of words may be one.
fn sign(name: &str) -> Sign {
    match name.trim_matches(['【', '】']) {
        "联系方式" => Sign::Contact,
        "行话" => Sign::Jargon,
        "指人" => Sign::Person,
        group => Sign::Group(group.into()),
    }
}

/// What fields are called.
const FIELDS: [&str; 10] = ["规则", "级别", "分", "注", "阶段", "到期", "允许", "谐音", "变形", "需要"];

/// `分=1`: a cell that is a field of ours.
pub(super) fn is_field(cell: &str) -> bool {
    FIELDS.iter().any(|field| cell.strip_prefix(field).is_some_and(|rest| rest.starts_with(['=', '＝'])))
}

/// A field that was meant to stand behind a word and became a part of it: `加我微信｜分=1`, `加我微信 分=1`.
pub(super) fn glued(word: &str) -> Option<String> {
    word.split(['|', '｜', ' ', ',', '，']).skip(1).map(str::trim).find(|part| is_field(part)).map(str::to_owned)
}

/// Reads the first cell of an entry.
fn pattern(head: &str) -> Result<Pattern, String> {
    if let Some(regex) = head.strip_prefix('/') {
        let regex = regex.strip_suffix('/').filter(|r| !r.is_empty()).ok_or("正则要写在两个 / 之间")?;
        regex::Regex::new(regex).map_err(|e| format!("正则写错了：{}", e.to_string().replace('\n', " ")))?;
        return Ok(Pattern::Regex(regex.to_owned()));
    }
    if Address::read(head).is_some() {
        return Ok(Pattern::Address(head.to_owned()));
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
pub(super) fn operator(token: &str) -> Option<(usize, bool)> {
    let ordered = match token.chars().next()? {
        '~' | '～' => false,
        '>' | '＞' => true,
        _ => return None,
    };
    let within = token.trim_start_matches(['~', '～', '>', '＞']).parse().ok()?;
    (within <= 60).then_some((within, ordered))
}
