//! Text files and CSV, in the encodings that Chinese programs save.

use super::{Page, Unread, damaged};
use crate::encoding;

/// What separates the cells of a CSV file; the one that its first line has most of.
const SEPARATORS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// A text file.
pub(super) fn text(bytes: &[u8], page: &mut Page) -> Result<(), Unread> {
    page.write(&readable(bytes)?);
    Ok(())
}

/// A CSV file.
pub(super) fn table(bytes: &[u8], page: &mut Page) -> Result<(), Unread> {
    let text = readable(bytes)?;
    let first = text.lines().next().unwrap_or_default();
    let separator = SEPARATORS.into_iter().rev().max_by_key(|s| first.bytes().filter(|b| b == s).count());
    let mut rows = csv::ReaderBuilder::new();
    rows.has_headers(false).flexible(true).delimiter(separator.unwrap_or(b','));
    for row in rows.from_reader(text.as_bytes()).records() {
        if !page.goes_on() {
            break;
        }
        let row = row.map_err(damaged)?;
        let cells: Vec<String> = row.iter().map(|cell| cell.replace(['\n', '\r', '\t'], " ")).collect();
        page.write(&(cells.join("\t") + "\n"));
    }
    Ok(())
}

/// The characters, whatever encoding; what is no text at all has zero bytes.
fn readable(bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>, Unread> {
    let marked = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    if !marked && bytes.contains(&0) {
        return Err(damaged("不是文本"));
    }
    let (text, bad) = encoding::decode_lines(bytes);
    if !bad.is_empty() && bad.len() * 2 >= text.lines().count() {
        return Err(damaged("看不出是什么编码"));
    }
    Ok(text)
}
