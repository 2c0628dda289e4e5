//! What files hold: a customer table or a list of costs makes a person look, and nobody reads its content anywhere.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use qunguan::{
    file_text::{FileKind, FileText, Limits, Unread, apart::Reader},
    model::{Attachment, Category, MessageId, Step},
};
use serde_json::{Value, json};

use crate::house::{House, SALES};

fn file(name: &str, bytes: &[u8]) -> Value {
    json!({ "filename": name, "base64": STANDARD.encode(bytes) })
}

async fn post(house: &House, who: &str, group: &str, body: &Value) -> MessageId {
    let posted = house.act(json!({"do": "post", "as": who, "group": group, "msgtype": "file", "body": body}));
    house.settled().await;
    MessageId::new(format!("archive:{}", posted["msgid"].as_str().unwrap()))
}

/// A customer table as Excel saves it.
fn customers(count: u32) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write(0, 0, "客户").unwrap();
    sheet.write(0, 1, "手机").unwrap();
    for row in 0..count {
        sheet.write(row + 1, 0, format!("林女士{row}")).unwrap();
        sheet.write(row + 1, 1, 13_800_130_000.0 + f64::from(row)).unwrap();
    }
    book.save_to_buffer().unwrap()
}

/// What the goods cost, and what they sell for.
fn price_list() -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_row(0, 0, ["型号", "零售价", "成本价"]).unwrap();
    for (row, (retail, cost)) in [(199, 88), (299, 120), (399, 150)].into_iter().enumerate() {
        sheet.write(row as u32 + 1, 0, format!("A{row}")).unwrap();
        sheet.write_row(row as u32 + 1, 1, [retail, cost]).unwrap();
    }
    book.save_to_buffer().unwrap()
}

#[tokio::test]
async fn a_customer_table_makes_a_person_look_and_its_content_stays_where_it_is() {
    let house = House::start().await;
    let id = post(&house, "li", SALES, &file("会员.xlsx", &customers(312))).await;
    let cases = house.cases(SALES, "li").await;
    assert_eq!((cases.len(), cases[0].category, cases[0].step), (1, Category::LeakPersonal, Step::Review));
    assert_eq!(cases[0].evidence, "[文件] 会员.xlsx：文件里有 312 个手机号");
    let asked: Vec<String> = house.told("wang").into_iter().chain(house.told("zhang")).collect();
    assert!(asked.iter().any(|card| card.contains("会员.xlsx：文件里有 312 个手机号")), "{asked:?}");
    assert!(house.told("li").is_empty(), "nothing happens to the member: {:?}", house.told("li"));
    let kept = house.store().processed(&id).await.unwrap().unwrap();
    let kept = serde_json::to_string(&(kept.message, cases)).unwrap();
    assert!(!kept.contains("林女士") && !kept.contains("1380013"), "{kept}");
}

#[tokio::test]
async fn costs_and_ordinary_papers() {
    let house = House::start().await;
    post(&house, "li", SALES, &file("新品.xlsx", &price_list())).await;
    let case = &house.cases(SALES, "li").await[0];
    assert_eq!((case.category, case.step), (Category::LeakSecret, Step::Review));
    assert_eq!(case.evidence, "[文件] 新品.xlsx：文件里有 3 行成本或底价、3 行价格");
    assert!(house.told("li").is_empty(), "nobody is punished: {:?}", house.told("li"));
    let costs = "型号,零售价,成本价\nA1,199,88\nA2,299,120\nA3,399,150\n";
    for (name, text) in [
        ("通讯录.txt", "项目组：小林 13812345678，小陈 13912345678"),
        ("价目.csv", "型号,零售价\nA1,199\nA2,299\nA3,399\n"),
        ("坏的.docx", "这不是 Word 文档"),
        ("名单.zip", "13812345678"),
    ] {
        post(&house, "chen", SALES, &file(name, text.as_bytes())).await;
    }
    assert!(house.cases(SALES, "chen").await.is_empty(), "{:?}", house.cases(SALES, "chen").await);
    post(&house, "zhang", SALES, &file("新品.csv", costs.as_bytes())).await;
    assert!(house.cases(SALES, "zhang").await.is_empty(), "an admin may post whatever they like");
}

#[tokio::test]
async fn the_settings_say_how_much_is_read_and_what_follows() {
    let off = House::start_with("[detect.files]\nmeasure = \"off\"").await;
    let id = post(&off, "li", SALES, &file("会员.xlsx", &customers(50))).await;
    assert!(off.cases(SALES, "li").await.is_empty());
    let kept = off.store().processed(&id).await.unwrap().unwrap().message;
    assert!(matches!(&kept.attachments[..], [Attachment::File { inside: None, .. }]), "{kept:?}");

    let acts = House::start_with("[detect.files]\nmeasure = \"act\"\nnumbers = 40").await;
    post(&acts, "chen", SALES, &file("会员.xlsx", &customers(39))).await;
    assert!(acts.cases(SALES, "chen").await.is_empty());
    post(&acts, "li", SALES, &file("会员.xlsx", &customers(50))).await;
    assert_ne!(acts.cases(SALES, "li").await[0].step, Step::Review, "the policy acts: it asks to take the leak back");
    let told = acts.told("li");
    assert!(!told.is_empty() && told.iter().all(|card| !card.contains("林女士")), "{told:?}");
}

#[tokio::test]
async fn a_process_of_its_own_reads_each_file_and_no_file_takes_more_memory_or_time_than_there_is() {
    let program = || env!("CARGO_BIN_EXE_qunguan").into();
    let apart = Reader::Apart(program());
    let limits = Limits::default();
    let read = apart.read(FileKind::Txt, "价目表".into(), limits).await;
    assert_eq!(read, Ok(FileText { text: "价目表".to_owned(), cut: false }));
    assert_eq!(
        apart.read(FileKind::Docx, b"none".to_vec(), limits).await,
        Reader::Here.read(FileKind::Docx, b"none".to_vec(), limits).await
    );
    let all = Limits { bytes: 1 << 30, ..limits };
    assert_eq!(apart.read(FileKind::Txt, vec![b'\n'; 600 << 20], all).await, Err(Unread::TooMuch));
    let nobody = Reader::Apart("/nowhere/qunguan".into()).read(FileKind::Txt, b"a".to_vec(), limits).await;
    assert!(matches!(nobody, Err(Unread::NoReader(_))), "{nobody:?}");
    // Sleeps instead of reading.
    let folder = tempfile::tempdir().unwrap();
    let slow = folder.path().join("slow");
    std::fs::write(&slow, "#!/bin/sh\nexec /bin/sleep 60\n").unwrap();
    std::fs::set_permissions(&slow, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let short = Limits { within: Duration::ZERO, ..limits };
    assert_eq!(Reader::Apart(slow).read(FileKind::Txt, b"a".to_vec(), short).await, Err(Unread::TooMuch));
}

/// Twenty thousand objects in one stream of a PDF, all of them the same long list: fifty kilobytes that its reader makes
/// hundreds of gigabytes of.
#[cfg(feature = "pdf")]
fn bomb() -> Vec<u8> {
    use std::fmt::Write;

    use lopdf::{Stream, dictionary};
    let mut index = String::new();
    (0..20_000).for_each(|i| write!(index, "{} 0 ", 1000 + i).unwrap());
    let first = index.len();
    let content = format!("{index}[{}]", "0 ".repeat(200_000));
    let mut stream = Stream::new(dictionary! {}, content.into());
    stream.compress().unwrap();
    let head =
        format!("<< /Type /ObjStm /N 20000 /First {first} /Filter /FlateDecode /Length {} >>", stream.content.len());
    let objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [] /Count 0 >>".to_vec(),
        [head.as_bytes(), b"\nstream\n", &stream.content, b"\nendstream"].concat(),
    ];
    let (mut bytes, mut places) = (b"%PDF-1.7\n".to_vec(), String::new());
    for (number, object) in (1..).zip(&objects) {
        writeln!(places, "{:010} 00000 n ", bytes.len()).unwrap();
        bytes.extend([format!("{number} 0 obj\n").as_bytes(), object, b"\nendobj\n"].concat());
    }
    let table = bytes.len();
    let end = format!(
        "xref\n0 4\n0000000000 65535 f \n{places}trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n"
    );
    bytes.extend(end.into_bytes());
    bytes
}

#[cfg(feature = "pdf")]
#[tokio::test]
async fn a_bomb_takes_its_own_reader_down_and_nobody_else() {
    let bytes = bomb();
    assert!(bytes.len() < 200_000, "{}", bytes.len());
    let apart = Reader::Apart(env!("CARGO_BIN_EXE_qunguan").into());
    assert_eq!(apart.read(FileKind::Pdf, bytes.clone(), Limits::default()).await, Err(Unread::TooMuch));
    let house = House::start().await;
    post(&house, "li", SALES, &file("价目.pdf", &bytes)).await;
    assert!(house.cases(SALES, "li").await.is_empty());
    house.say("li", SALES, crate::house::AD).await;
    assert_eq!(house.cases(SALES, "li").await.len(), 1, "the bot goes on");
}
