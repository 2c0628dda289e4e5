//! Word documents: the paragraphs and tables of `word/document.xml`.

use quick_xml::{Reader, events::Event};

use super::{Limits, Page, Unread, damaged, packed};

/// Reads one.
pub(super) fn read(bytes: &[u8], limits: &Limits, page: &mut Page) -> Result<(), Unread> {
    let mut package = packed::open(bytes, limits)?;
    let body = packed::part(&mut package, "word/document.xml")?;
    let mut xml = Reader::from_reader(&body[..]);
    let mut buffer = Vec::new();
    let (mut in_text, mut cells) = (false, 0usize);
    while page.goes_on() {
        buffer.clear();
        match xml.read_event_into(&mut buffer).map_err(damaged)? {
            Event::Start(tag) if tag.local_name().as_ref() == "t" => in_text = true,
            Event::Start(tag) if tag.local_name().as_ref() == "tc" => cells += 1,
            Event::Empty(tag) if matches!(tag.local_name().as_ref(), "tab") => page.write("\t"),
            Event::Empty(tag) if matches!(tag.local_name().as_ref(), "br" | "cr") => page.write("\n"),
            Event::Text(text) if in_text => page.write(&text.xml10_content()),
            Event::GeneralRef(name) if in_text => page.write(character(&name).encode_utf8(&mut [0; 4])),
            Event::End(tag) => match tag.local_name().as_ref() {
                "t" => in_text = false,
                "tc" => {
                    cells = cells.saturating_sub(1);
                    page.write("\t");
                }
                // A paragraph of a cell does not end its row.
                "p" => page.write(if cells == 0 { "\n" } else { " " }),
                "tr" => page.write("\n"),
                _ => {}
            },
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
    Ok(())
}

/// `&amp;` or `&#20013;`; others are nothing that a document writes.
fn character(name: &quick_xml::events::BytesRef<'_>) -> char {
    let numbered = name.resolve_char_ref().ok().flatten();
    numbered.unwrap_or(match &**name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => ' ',
    })
}
