//! The ledger as a file for a spreadsheet: CSV (with BOM, so that Chinese opens rightly) and XLSX.

use jiff::tz::TimeZone;
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::ledger::Line;
use crate::{model::Timestamp, notices::roster::Settled};

const HEADINGS: [&str; 11] =
    ["通知", "内容", "成员", "姓名", "部门", "截止", "回执时间", "迟到(分钟)", "金额(元)", "状态", "记录"];

/// CSV in UTF-8 with BOM and CRLF. A cell that a spreadsheet would take for a formula gets an apostrophe.
pub fn csv(lines: &[Line], zone: &TimeZone) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(b"\xEF\xBB\xBF".to_vec());
    let mut write = |cells: &[String]| {
        // Writing to memory does not fail.
        let _ = writer.write_record(cells.iter().map(|cell| harmless(cell)));
    };
    write(&HEADINGS.map(str::to_owned));
    for line in lines {
        write(&cells(line, zone));
    }
    writer.into_inner().unwrap_or_default()
}

/// XLSX with real numbers; texts are strings there, never formulas.
pub fn xlsx(lines: &[Line], zone: &TimeZone) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("台账")?;
    let bold = Format::new().set_bold();
    for (column, heading) in (0..).zip(HEADINGS) {
        sheet.write_string_with_format(0, column, heading, &bold)?;
    }
    for (row, line) in (1..).zip(lines) {
        for (column, cell) in (0..).zip(cells(line, zone)) {
            match column {
                7 => sheet.write_number(row, column, line.late_minutes as f64)?,
                8 => sheet.write_number(row, column, line.amount_fen as f64 / 100.0)?,
                _ => sheet.write_string(row, column, cell)?,
            };
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    sheet.autofit();
    book.save_to_buffer()
}

fn cells(line: &Line, zone: &TimeZone) -> [String; 11] {
    let time = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let history: Vec<String> =
        line.history.iter().map(|event| format!("{} {} {}", time(event.at), event.by, event.what)).collect();
    [
        line.notice.clone(),
        line.summary.clone(),
        line.member.to_string(),
        line.name.clone(),
        line.department.clone(),
        time(line.due),
        line.answered.map_or_else(|| "未回执".to_owned(), time),
        line.late_minutes.to_string(),
        format!("{}.{:02}", line.amount_fen / 100, line.amount_fen % 100),
        line.settled.map_or("待处理", Settled::zh).to_owned(),
        history.join("；"),
    ]
}

fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str) -> Line {
        Line {
            notice: "8F2K".into(),
            summary: "周会,请到\"大会议室\"".into(),
            member: "zhangsan".into(),
            name: name.into(),
            department: "销售部".into(),
            due: "2026-11-23T12:00:00+08:00".parse().unwrap(),
            answered: Some("2026-11-23T15:00:00+08:00".parse().unwrap()),
            late_minutes: 180,
            amount_fen: 1000,
            settled: None,
            history: Vec::new(),
        }
    }

    #[test]
    fn csv_opens_in_a_spreadsheet_and_runs_nothing() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let bytes = csv(&[line("=HYPERLINK(\"http://x\")"), line("张三")], &zone);
        assert!(bytes.starts_with(b"\xEF\xBB\xBF"));
        insta::assert_snapshot!(String::from_utf8_lossy(&bytes[3..]).replace("\r\n", "\n"), @r#"
        通知,内容,成员,姓名,部门,截止,回执时间,迟到(分钟),金额(元),状态,记录
        8F2K,"周会,请到""大会议室""",zhangsan,"'=HYPERLINK(""http://x"")",销售部,2026-11-23 12:00:00,2026-11-23 15:00:00,180,10.00,待处理,
        8F2K,"周会,请到""大会议室""",zhangsan,张三,销售部,2026-11-23 12:00:00,2026-11-23 15:00:00,180,10.00,待处理,
        "#);
    }

    #[test]
    fn xlsx_is_written() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        assert!(xlsx(&[line("=1+1")], &zone).unwrap().starts_with(b"PK"));
    }
}
