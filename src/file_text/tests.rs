//! Files as people send them, and files made to hurt.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;

#[cfg(feature = "pdf")]
mod pdf;

fn text(kind: FileKind, bytes: &[u8]) -> String {
    read(kind, bytes, &Limits::default()).unwrap().text
}

fn packed(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn docx(body: &str) -> Vec<u8> {
    let xml = format!(r#"<?xml version="1.0"?><w:document xmlns:w="x"><w:body>{body}</w:body></w:document>"#);
    packed(&[("word/document.xml", xml.as_bytes())])
}

fn paragraph(text: &str) -> String {
    format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")
}

fn xlsx(fill: impl FnOnce(&mut rust_xlsxwriter::Workbook)) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    fill(&mut book);
    book.save_to_buffer().unwrap()
}

fn one_cell() -> Vec<u8> {
    xlsx(|book| {
        book.add_worksheet().write(0, 0, "字").unwrap();
    })
}

#[test]
fn kinds_by_their_names() {
    for (name, kind) in [
        ("客户表.XLSX", Some(FileKind::Xlsx)),
        ("a.b.csv", Some(FileKind::Csv)),
        ("合同.docx", Some(FileKind::Docx)),
        ("x.pdf", Some(FileKind::Pdf)),
        ("说明.txt", Some(FileKind::Txt)),
        ("旧表.xls", None),
        ("压缩包.zip", None),
        ("没有后缀", None),
    ] {
        assert_eq!(FileKind::of(name), kind, "{name}");
    }
}

#[test]
fn texts_in_every_encoding() {
    let words = "客户名单：张晓兰，手机 13812345678；李建国，手机 13912345678。请大家按时回访，不要外传。";
    let gbk_words = gbk(words);
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(words.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    for bytes in [words.as_bytes(), &gbk_words, &utf16] {
        assert_eq!(text(FileKind::Txt, bytes), words);
    }
    assert_eq!(text(FileKind::Csv, &gbk("姓名,电话\n\"张,晓兰\",138\n")), "姓名\t电话\n张,晓兰\t138\n");
    assert_eq!(text(FileKind::Csv, "姓名;电话\n张;138\n".as_bytes()), "姓名\t电话\n张\t138\n");
    assert_eq!(text(FileKind::Csv, "a,b\n\"两\n行\",c\n".as_bytes()), "a\tb\n两 行\tc\n");
    assert!(matches!(read(FileKind::Txt, &[0, 1, 2, 0, 3], &Limits::default()), Err(Unread::Damaged(_))));
    assert_eq!(text(FileKind::Txt, b""), "");
}

/// As a Chinese Windows saves it.
fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}

#[test]
fn tables_of_excel() {
    let bytes = xlsx(|book| {
        let sheet = book.add_worksheet();
        sheet.write(0, 0, "姓名").unwrap();
        sheet.write(0, 2, "电话").unwrap();
        sheet.write(1, 0, "张晓兰").unwrap();
        sheet.write(1, 2, 13812345678.0).unwrap();
        sheet.write(2, 0, "两\n行").unwrap();
        sheet.write(2, 1, 12.5).unwrap();
        book.add_worksheet().write(0, 0, "第二张").unwrap();
    });
    assert_eq!(text(FileKind::Xlsx, &bytes), "姓名\t\t电话\n张晓兰\t\t13812345678\n两 行\t12.5\n第二张\n");
}

#[test]
fn one_cell_at_the_end_of_a_sheet_costs_one_cell() {
    let bytes = xlsx(|book| {
        let sheet = book.add_worksheet();
        sheet.write(0, 0, "头").unwrap();
        sheet.write(1_048_575, 16_383, "尾").unwrap();
    });
    let written = text(FileKind::Xlsx, &bytes);
    assert!(written.len() < 400 && written.ends_with("尾\n"), "{}", written.len());
}

#[test]
fn documents_of_word() {
    let row =
        |cells: [&str; 2]| format!("<w:tr>{}</w:tr>", cells.map(|c| format!("<w:tc>{}</w:tc>", paragraph(c))).concat());
    let body = format!(
        "{}<w:p><w:r><w:t>甲</w:t></w:r><w:r><w:tab/><w:t>乙 &amp; &#20013;</w:t></w:r></w:p><w:tbl>{}{}</w:tbl>{}",
        paragraph("标题"),
        row(["姓名", "电话"]),
        row(["张晓兰", "13812345678"]),
        "<w:p><w:del><w:r><w:delText>删掉的</w:delText></w:r></w:del></w:p>"
    );
    assert_eq!(text(FileKind::Docx, &docx(&body)), "标题\n甲\t乙 & 中\n姓名 \t电话 \t\n张晓兰 \t13812345678 \t\n\n");
    let empty = packed(&[("other.xml", b"<a/>")]);
    assert_eq!(read(FileKind::Docx, &empty, &Limits::default()), Err(Unread::Damaged("缺少正文".into())));
}

#[test]
fn what_is_locked_is_said_so() {
    let ole = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0];
    assert_eq!(read(FileKind::Xlsx, &ole, &Limits::default()), Err(Unread::Encrypted));
}

#[test]
fn bombs_do_not_go_off() {
    let small = Limits { unpacked: 1 << 20, ..Limits::default() };
    let zeros = vec![b' '; 4 << 20];
    let body = [b"<w:document>", &zeros[..], b"</w:document>"].concat();
    let bomb = packed(&[("word/document.xml", &body)]);
    assert!(bomb.len() < 20_000, "{}", bomb.len());
    assert_eq!(read(FileKind::Docx, &bomb, &small), Err(Unread::Bomb));
    let beside = packed(&[("word/document.xml", b"<w:p/>"), ("word/media/a.bin", &zeros)]);
    assert_eq!(read(FileKind::Docx, &beside, &small), Err(Unread::Bomb));
    let lie = {
        // The size that the directory gives is a lie.
        let mut bytes = bomb.clone();
        let size = ((4u32 << 20) + 25).to_le_bytes();
        while let Some(at) = bytes.windows(4).position(|four| four == size) {
            bytes[at..at + 4].copy_from_slice(&10u32.to_le_bytes());
        }
        bytes
    };
    assert!(read(FileKind::Docx, &lie, &small).is_err());
    let many: Vec<(String, &[u8])> = (0..5001).map(|i| (format!("{i}"), &b""[..])).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, bytes)| (&**name, *bytes)).collect();
    assert_eq!(read(FileKind::Xlsx, &packed(&many), &Limits::default()), Err(Unread::Bomb));
}

#[test]
fn a_package_in_a_package_is_not_opened() {
    let inner = packed(&[("客户.txt", "13812345678".as_bytes())]);
    let outer = packed(&[("word/document.xml", docx(&paragraph("外面")).as_slice()), ("inner.zip", &inner)]);
    assert!(!read(FileKind::Docx, &outer, &Limits::default()).is_ok_and(|read| read.text.contains("138")));
}

#[test]
fn limits_of_size_and_length_are_said() {
    let limits = Limits { bytes: 3 << 20, characters: 10, ..Limits::default() };
    assert_eq!(read(FileKind::Txt, &vec![b'a'; (3 << 20) + 1], &limits), Err(Unread::TooLarge(3)));
    assert_eq!(Unread::TooLarge(3).to_string(), "文件超过 3 MB");
    let long = read(FileKind::Txt, "一二三四五六七八九十十一".as_bytes(), &limits).unwrap();
    assert_eq!((&*long.text, long.cut), ("一二三四五六七八九十", true));
    let rows = xlsx(|book| {
        let sheet = book.add_worksheet();
        for row in 0..1000 {
            sheet.write(row, 0, "行").unwrap();
        }
    });
    assert!(read(FileKind::Xlsx, &rows, &limits).unwrap().cut);
    let late = Limits { within: Duration::ZERO, ..Limits::default() };
    assert!(read(FileKind::Csv, b"a,b\n", &late).is_err_and(|why| why == Unread::NoText), "no time, no text");
}

#[test]
fn half_a_file_and_another_kind_of_file() {
    let whole = [(FileKind::Docx, docx(&paragraph("字"))), (FileKind::Xlsx, one_cell())];
    for (kind, bytes) in &whole {
        let half = &bytes[..bytes.len() / 2];
        assert!(read(*kind, half, &Limits::default()).is_err(), "{kind}: half");
        assert!(read(*kind, b"nothing of that kind", &Limits::default()).is_err(), "{kind}");
        assert!(read(*kind, b"", &Limits::default()).is_err(), "{kind}: empty");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn damaged_files_do_no_harm(which in 0usize..2, damage in prop::collection::vec((0usize..100_000, any::<u8>()), 1..40)) {
        let (kind, mut bytes) = match which {
            0 => (FileKind::Docx, docx(&paragraph("字").repeat(20))),
            _ => (FileKind::Xlsx, one_cell()),
        };
        for (at, value) in damage {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        let _ = read(kind, &bytes, &Limits::default());
    }
}
