//! PDF files.

use lopdf::{Document, EncryptionState, EncryptionVersion, Object, Permissions, Stream, dictionary};
use proptest::prelude::*;

use super::*;

/// A page a text. `table` says what the letters are; without one nobody can know.
fn pdf(pages: &[&str], table: bool) -> Document {
    let mut document = Document::with_version("1.7");
    let catalogue = document.new_object_id();
    let all: String = pages.concat();
    let code = |c: char| all.chars().position(|other| other == c).unwrap() as u16 + 1;
    let rows: String = all.chars().map(|c| format!("<{:04x}> <{:04x}>\n", code(c), c as u32)).collect();
    let map = format!(
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /x def\n/CMapType 2 def\n\
         1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n{} beginbfchar\n{rows}endbfchar\nendcmap\n\
         CMapName currentdict /CMap defineresource pop\nend\nend\n",
        all.chars().count()
    );
    let mut font =
        dictionary! { "Type" => "Font", "Subtype" => "Type0", "BaseFont" => "X", "Encoding" => "Identity-H" };
    if table {
        font.set("ToUnicode", document.add_object(Stream::new(dictionary! {}, map.into_bytes())));
    }
    let font = document.add_object(font);
    let resources = document.add_object(dictionary! { "Font" => dictionary! { "F1" => font } });
    let kids: Vec<Object> = pages
        .iter()
        .map(|text| {
            let codes: String = text.chars().map(|c| format!("{:04x}", code(c))).collect();
            let mut stream = Stream::new(dictionary! {}, format!("BT /F1 12 Tf <{codes}> Tj ET").into_bytes());
            stream.compress().unwrap();
            let content = document.add_object(stream);
            document.add_object(dictionary! {
                "Type" => "Page", "Parent" => catalogue, "Contents" => content, "Resources" => resources,
                "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
            })
        })
        .map(Object::from)
        .collect();
    let count = kids.len() as i64;
    document.objects.insert(catalogue, dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count }.into());
    let root = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => catalogue });
    document.trailer.set("Root", root);
    document
        .trailer
        .set("ID", vec![Object::string_literal("0123456789abcdef"), Object::string_literal("0123456789abcdef")]);
    document
}

fn saved(mut document: Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

#[test]
fn pages_of_a_pdf() {
    let two = saved(pdf(&["客户张晓兰 13812345678", "第二页：内部底价"], true));
    let said = text(FileKind::Pdf, &two);
    assert!(said.contains("客户张晓兰 13812345678\n") && said.contains("第二页：内部底价"), "{said:?}");
    // Without a table of its letters there is nothing to read, as with scanned pages.
    let mute = saved(pdf(&["客户张晓兰"], false));
    assert!(
        !read(FileKind::Pdf, &mute, &Limits::default()).is_ok_and(|read| read.text.contains('客')),
        "letters cannot be guessed"
    );
}

#[test]
fn what_is_locked_is_said_so() {
    let lock = |user: &str| {
        let mut document = pdf(&["客户名单"], true);
        let version = EncryptionVersion::V2 {
            document: &document,
            owner_password: "owner",
            user_password: user,
            key_length: 128,
            permissions: Permissions::empty(),
        };
        let state = EncryptionState::try_from(version).unwrap();
        document.encrypt(&state).unwrap();
        saved(document)
    };
    assert_eq!(read(FileKind::Pdf, &lock("secret"), &Limits::default()), Err(Unread::Encrypted));
    assert!(text(FileKind::Pdf, &lock("")).contains("客户名单"), "locked against changes only");
}

#[test]
fn pages_that_unpack_to_more_than_the_limit() {
    let mut document = pdf(&["字"], true);
    let content = document.get_page_contents(*document.get_pages().get(&1).unwrap())[0];
    let mut stream = Stream::new(dictionary! {}, vec![b' '; 32 << 20]);
    stream.compress().unwrap();
    document.objects.insert(content, stream.into());
    let bytes = saved(document);
    assert!(bytes.len() < 100_000, "{}", bytes.len());
    assert_eq!(read(FileKind::Pdf, &bytes, &Limits::default()), Err(Unread::Bomb));
}

#[test]
fn half_a_file_and_another_kind_of_file() {
    let whole = saved(pdf(&["字"], true));
    for bytes in [&whole[..whole.len() / 2], b"nothing of that kind", b""] {
        assert!(read(FileKind::Pdf, bytes, &Limits::default()).is_err(), "{} bytes", bytes.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn damaged_files_do_no_harm(damage in prop::collection::vec((0usize..100_000, any::<u8>()), 1..40)) {
        let mut bytes = saved(pdf(&["客户张晓兰", "第二页"], true));
        for (at, value) in damage {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        let _ = read(FileKind::Pdf, &bytes, &Limits::default());
    }
}
