//! Excel tables: every sheet, cell by cell. Cells are taken as they come, so that a sheet with one cell in its last row
//! costs no more than that cell.

use std::io::Cursor;

use calamine::{DataRef, Reader, Xlsx};

use super::{Limits, Page, Unread, damaged, packed};

/// Columns of one row that are kept apart; what stands further right follows them directly.
const COLUMNS: u32 = 256;

/// Reads one.
pub(super) fn read(bytes: &[u8], limits: &Limits, page: &mut Page) -> Result<(), Unread> {
    packed::open(bytes, limits)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
    for sheet in book.sheet_names() {
        // A book may name the same sheet a thousand times.
        if !page.goes_on() {
            break;
        }
        // Charts have no cells.
        let Ok(mut cells) = book.worksheet_cells_reader(&sheet) else { continue };
        let mut at = (0, 0);
        while page.goes_on() {
            let Some(cell) = cells.next_cell().map_err(damaged)? else { break };
            let text = said(cell.get_value());
            if text.is_empty() {
                continue;
            }
            let (row, column) = cell.get_position();
            if row != at.0 {
                page.write("\n");
                at = (row, 0);
            }
            page.write(&"\t".repeat(column.min(COLUMNS).saturating_sub(at.1) as usize));
            page.write(&text.replace(['\n', '\r', '\t'], " "));
            at.1 = column.min(COLUMNS);
        }
        page.write("\n");
    }
    Ok(())
}

/// What a cell shows. A phone number that Excel keeps as a number has no point.
fn said(value: &DataRef<'_>) -> String {
    match value {
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < 1e18 => format!("{number:.0}"),
        DataRef::Float(number) => number.to_string(),
        _ => String::new(),
    }
}
