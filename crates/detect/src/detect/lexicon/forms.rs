//! A list as people have it: one word a line, or a line full of words, a table saved from Excel, JSON, base64 lines. All of
//! them become the lines that [`super::Document`] reads; what was changed or left out on the way is said.

mod base64;
mod json;
mod many;
mod table;

use crate::encoding;

/// Something to say about one line of a file; line 0 is the file as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Counted from 1.
    pub line: usize,
    /// In Chinese.
    pub message: String,
}

impl Note {
    pub(super) fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

/// The rows of a table as text (`.csv`, or with tabs) with their lines, in whatever encoding.
///
/// # Errors
/// It is no table.
pub fn rows(bytes: &[u8]) -> Result<Vec<(usize, Vec<String>)>, Note> {
    let (text, _) = encoding::decode_lines(bytes);
    let rows = table::rows("csv", text.trim_start_matches('\u{feff}'));
    rows.ok_or_else(|| Note::new(0, "不是表格；请另存为 .csv 或 .xlsx，几列之间用逗号隔开"))
}

/// A list in the lines that are understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    text: String,
    /// Line of the file and number within it, by line of `text`; empty if they are the same.
    places: Vec<(u32, u32)>,
    /// How it was read.
    pub notes: Vec<Note>,
    /// What could not be read.
    pub mistakes: Vec<Note>,
}

impl Form {
    /// Reads the bytes of a file; `name` says what they should be (`ads/own.csv`).
    ///
    /// # Errors
    /// It is no list at all.
    pub fn of_bytes(name: &str, bytes: &[u8]) -> Result<Self, Note> {
        let (text, bad) = encoding::decode_lines(bytes);
        if text.contains('\0') {
            return Err(Note::new(0, "不是文字文件；词表可以是 .txt、.csv、.xlsx 或 .json"));
        }
        let mut form = Self::of_text(name, &text)?;
        let unread = bad.into_iter().map(|line| Note::new(line, "这一行的编码认不出来，没有读；请用 UTF-8 另存"));
        form.mistakes.extend(unread);
        Ok(form)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// It is no list at all.
    pub fn of_text(name: &str, text: &str) -> Result<Self, Note> {
        let text = text.trim_start_matches('\u{feff}');
        let ending = name.rsplit_once('.').map_or(String::new(), |(_, ending)| ending.to_ascii_lowercase());
        if let Some(words) = json::read(text, ending == "json")? {
            return Ok(words);
        }
        if let Some((decoded, mistakes)) = base64::read(text) {
            let mut form = Self::of_lines("", &decoded);
            form.notes.insert(0, Note::new(0, "看起来是 base64，已经解码来读；也可以解码后另存"));
            form.mistakes.extend(mistakes);
            return Ok(form);
        }
        Ok(Self::of_lines(&ending, text))
    }

    /// Reads the rows of a table with their lines.
    pub fn of_rows(rows: Vec<(usize, Vec<String>)>) -> Self {
        table::read(rows)
    }

    fn of_lines(ending: &str, text: &str) -> Self {
        if let Some(rows) = table::rows(ending, text) {
            return table::read(rows);
        }
        many::read(text)
    }

    /// The lines that are read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The lines with their place in the file: line, and number within the line if it has several words.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, u32, &str)> {
        self.text.split_terminator('\n').enumerate().map(|(i, line)| match self.places.get(i) {
            Some((at, nth)) => (*at as usize, *nth, line),
            None => (i + 1, 0, line),
        })
    }

    /// Adds a line that stands at a place of the file.
    fn push(&mut self, line: usize, nth: usize, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
        self.places.push((line as u32, nth as u32));
    }

    fn note(&mut self, line: usize, message: impl Into<String>) {
        self.notes.push(Note::new(line, message));
    }
}

/// The lines of a text whatever ends them: Windows, Unix, old Mac.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let old_mac = !text.contains('\n');
    text.split_terminator(move |c| c == '\n' || old_mac && c == '\r').map(|line| line.trim_end_matches('\r'))
}

#[cfg(test)]
mod tests {
    use encoding_rs::{BIG5, GB18030};

    use super::*;

    /// Every word with its place, as it is read, and all that is said.
    fn read(name: &str, bytes: &[u8]) -> (Vec<String>, String) {
        let form = match Form::of_bytes(name, bytes) {
            Ok(form) => form,
            Err(note) => return (Vec::new(), note.message),
        };
        let mut lists = super::super::Lists::default();
        lists.insert_form(name, form.clone());
        let (documents, errors) = lists.read_all();
        let document = &documents[0];
        let words = document.entries().map(|e| format!("{}{}", e.pattern, place(e))).collect();
        let errors = errors.iter().map(|e| (e.line, &e.message));
        let notes = form.notes.iter().chain(&document.notes).map(|n| (n.line, &n.message));
        let said = errors.chain(notes).map(|(line, said)| format!("{line}:{said}\n")).collect();
        (words, said)
    }

    fn place(entry: &super::super::Entry) -> String {
        if entry.nth == 0 { format!("@{}", entry.line) } else { format!("@{}.{}", entry.line, entry.nth) }
    }

    #[test]
    fn files_as_people_have_them_are_read_or_told() {
        let gbk = GB18030.encode("词语,类别\r\n套现,诈骗\r\n黑卡,诈骗\r\n").0.into_owned();
        let big5 = BIG5.encode("賭場開戶\r\n辦理假證\r\n").0.into_owned();
        let cases: &[(&str, &[u8], &[&str], &str)] = &[
            ("ads/a.txt", "办证、刻章、套现".as_bytes(), &["办证@1.1", "刻章@1.2", "套现@1.3"], "1:一行有 3 个词"),
            (
                "ads/a.txt",
                "办证,刻章,套现,开票".as_bytes(),
                &["办证@1.1", "刻章@1.2", "套现@1.3", "开票@1.4"],
                "一行有 4 个词",
            ),
            (
                "ads/a.txt",
                "证件类：办证、刻章、毕业证".as_bytes(),
                &["办证@1.1", "刻章@1.2", "毕业证@1.3"],
                "一行有 3 个词",
            ),
            ("ads/a.txt", "您好,我是客服\n套现\n".as_bytes(), &["您好,我是客服@1", "套现@2"], "词条里的标点不算数"),
            (
                "ads/a.csv",
                "\"套现\",\"诈骗\",\"1\"\r\n\"黑,卡\",\"诈骗\",\"2\"\r\n".as_bytes(),
                &["套现@1", "黑,卡@2"],
                "0:按表格读：第 1 列是词，共 2 行，其余列没有读",
            ),
            ("ads/a.csv", &gbk, &["套现@2", "黑卡@3"], "第 1 列“词语”是词，共 2 行"),
            (
                "ads/a.txt",
                "序号,敏感词,等级\n1,套现,高\n2,黑卡,高\n".as_bytes(),
                &["套现@2", "黑卡@3"],
                "第 2 列“敏感词”是词",
            ),
            ("ads/a.csv", "套现\t注=老客户\n黑卡\n".as_bytes(), &["套现@1", "黑卡@2"], ""),
            ("ads/a.csv", "套现,注=老客户,分=1\n黑卡,,\n".as_bytes(), &["套现@1", "黑卡@2"], ""),
            (
                "ads/a.txt",
                "套现\t100\n黑卡\t20\n跑分\t3\n".as_bytes(),
                &["套现@1", "黑卡@2", "跑分@3"],
                "按表格读：第 1 列是词",
            ),
            ("ads/a.txt", "套现=1\n黑卡=1\n".as_bytes(), &["套现@1", "黑卡@2"], "词后面的数字没有读"),
            (
                "ads/a.txt",
                "5aWX546w\n6buR5Y2h\n6LeR5YiG\n".as_bytes(),
                &["套现@1", "黑卡@2", "跑分@3"],
                "看起来是 base64",
            ),
            (
                "ads/a.txt",
                "5aWX546w\n6buR5Y2h\n6LeR5YiG\n!\n".as_bytes(),
                &["套现@1", "黑卡@2", "跑分@3"],
                "4:看起来是 base64，这一行解不开",
            ),
            ("ads/a.txt", b"\xe5\xa5\x97\xe7\x8e\xb0\r\xe9\xbb\x91\xe5\x8d\xa1\r", &["套现@1", "黑卡@2"], ""),
            ("ads/a.txt", &big5, &["賭場開戶@1", "辦理假證@2"], ""),
            ("ads/a.json", "[\"套现\",\n \"黑卡\"]".as_bytes(), &["套现@1", "黑卡@2"], "按 JSON 读：2 个词"),
            (
                "ads/a.json",
                "[{\"id\":1,\"word\":\"套现\"},\n{\"id\":2,\"word\":\"黑卡\"}]".as_bytes(),
                &["套现@1", "黑卡@2"],
                "2 个词，取“word”",
            ),
            ("ads/a.txt", "{\"诈骗\": [\"套现\", \"黑卡\"]}".as_bytes(), &["套现@1.1", "黑卡@1.2"], "2 个词"),
            ("ads/a.json", "[\"套现\",\n \"黑卡\"".as_bytes(), &[], "JSON 写错了"),
            ("ads/a", "套现\n".as_bytes(), &["套现@1"], ""),
            ("ads/a.txt", "套现\n看【片】的\n黑卡\n".as_bytes(), &["套现@1", "黑卡@3"], "2:没有名为【片】的词组"),
            ("ads/a.txt", "🔞\n套现\n".as_bytes(), &["🔞@1", "套现@2"], ""),
            ("ads/a.txt", "套*现\n".as_bytes(), &["套*现@1"], "写成 套 >3 现"),
            ("ads/a.txt", "套.*现\n".as_bytes(), &["套.*现@1"], "/套.*现/"),
            ("ads/a.txt", "傻*\n套现\n".as_bytes(), &["套现@2"], "1:去掉“*”只剩一个字"),
            ("ads/a.txt", b"\xe5\xa5\x97\xe7\x8e\xb0\n\xff\xff\n", &["套现@1"], "2:这一行的编码认不出来"),
            ("ads/a.txt", b"PK\x03\x04\0\0\0\0", &[], "不是文字文件"),
            (
                "ads/a.txt",
                "套现 黑卡 跑分 代开".as_bytes(),
                &["套现@1.1", "黑卡@1.2", "跑分@1.3", "代开@1.4"],
                "一行有 4 个词",
            ),
            (
                "ads/a.txt",
                "套现 黑卡\n跑分 代开 办证\n刻章 菠菜\n".as_bytes(),
                &["套现@1.1", "黑卡@1.2", "跑分@2.1", "代开@2.2", "办证@2.3", "刻章@3.1", "菠菜@3.2"],
                "2:一行有 3 个词",
            ),
            (
                "ads/a.txt",
                "您好 我是客服\n套现\n黑卡\n跑分\n".as_bytes(),
                &["您好 我是客服@1", "套现@2", "黑卡@3", "跑分@4"],
                "",
            ),
            ("ads/a.txt", "加 我 微 信\n".as_bytes(), &["加 我 微 信@1"], ""),
            ("ads/a.txt", "free money now here\n".as_bytes(), &["free money now here@1"], ""),
            (
                "ads/a.txt",
                "1. 套现\n2. 黑卡\n3. 跑分\n".as_bytes(),
                &["套现@1", "黑卡@2", "跑分@3"],
                "行首的编号没有读",
            ),
            ("ads/a.txt", "1、套现\n2、黑卡\n".as_bytes(), &["套现@1", "黑卡@2"], "行首的编号没有读"),
            ("ads/a.txt", "（1）套现\n(2)黑卡\n".as_bytes(), &["套现@1", "黑卡@2"], "行首的编号没有读"),
            ("ads/a.txt", "1.5倍\n2.0版\n".as_bytes(), &["1.5倍@1", "2.0版@2"], ""),
            ("ads/a.txt", "360.cn\n163.com\n".as_bytes(), &["360.cn@1", "163.com@2"], ""),
            (
                "ads/a.md",
                "# 广告\n\n- 套现\n- 黑卡\n* 跑分\n".as_bytes(),
                &["套现@3", "黑卡@4", "跑分@5"],
                "行首的记号没有读",
            ),
            (
                "ads/a.csv",
                "公司敏感词清单,,\n序号,敏感词,等级\n1,套现,高\n2,黑卡,高\n".as_bytes(),
                &["套现@3", "黑卡@4"],
                "第 2 列“敏感词”是词，共 2 行",
            ),
            (
                "ads/a.csv",
                "违禁词清单,\n套现,高\n黑卡,低\n跑分,低\n".as_bytes(),
                &["套现@2", "黑卡@3", "跑分@4"],
                "1:“违禁词清单”像是标题，没有读",
            ),
            (
                "ads/a.csv",
                "词语,类别\n套现、代还、养卡,诈骗\n黑卡,诈骗\n".as_bytes(),
                &["套现@2.1", "代还@2.2", "养卡@2.3", "黑卡@3"],
                "2:一格有 3 个词，已经分开",
            ),
        ];
        for (name, bytes, words, said) in cases {
            let (read, told) = read(name, bytes);
            assert_eq!(&read, words, "{}: {told}", String::from_utf8_lossy(bytes));
            assert!(told.contains(said) && (!said.is_empty() || told.is_empty()), "{said} in {told}");
        }
    }

    #[test]
    fn what_ships_is_read_as_it_is_written() {
        for (name, bytes) in super::super::Lists::shipped_files().filter(|(name, _)| name.contains('/')) {
            let text = String::from_utf8(bytes).unwrap();
            let form = Form::of_text(&name, &text).unwrap();
            assert!(form.places.is_empty() && form.notes.is_empty() && form.text == text, "{name}: {:?}", form.notes);
        }
    }
}
