//! Wordlists in workbooks (`.xlsx`, `.xls`, WPS's `.et`, `.ods`), told by their first bytes whatever they are called.

use std::io::Cursor;

use calamine::{Reader, open_workbook_auto_from_rs};

use crate::detect::lexicon::Note;

/// How a zip archive and an old Office file begin.
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"];

/// Rows with their lines.
type Rows = Vec<(usize, Vec<String>)>;

/// The rows of the first sheet that has some, by line, and what was not read; `None` if the file is no workbook.
pub(super) fn rows(bytes: &[u8]) -> Option<Result<(Rows, Vec<Note>), Note>> {
    WORKBOOKS.iter().any(|begin| bytes.starts_with(begin)).then(|| read(bytes))
}

fn read(bytes: &[u8]) -> Result<(Rows, Vec<Note>), Note> {
    let broken = |_| Note {
        line: 0,
        message: "表格打不开：可能正在保存、加了密码或不是表格；请另存为 .xlsx 或 .csv".to_owned(),
    };
    let mut book = open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(broken)?;
    let names = book.sheet_names();
    for name in &names {
        let sheet = book.worksheet_range(name).map_err(broken)?;
        let Some((top, _)) = sheet.start() else { continue };
        let row = |(i, cells): (usize, &[calamine::Data])| {
            (top as usize + i + 1, cells.iter().map(ToString::to_string).collect())
        };
        let rows = sheet.rows().enumerate().map(row).collect();
        let more = Note { line: 0, message: format!("只读了第一个工作表“{name}”，其余没有读") };
        return Ok((rows, if names.len() > 1 { vec![more] } else { Vec::new() }));
    }
    Err(Note { line: 0, message: "表格是空的".to_owned() })
}
