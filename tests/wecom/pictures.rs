//! A QR code in a picture is judged like the link it holds.

use std::io::Cursor;

use base64::{Engine, engine::general_purpose::STANDARD};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use qunguan::{
    model::{Attachment, Category, MessageId, Step},
    simulator::FaultKind,
};
use serde_json::{Value, json};

use crate::house::{CUSTOMERS, House, SALES};

/// An invitation into another group.
pub const INVITATION: &str = "https://work.weixin.qq.com/gm/0123456789abcdef";

/// A picture with a code, as a client uploads it.
pub fn picture(text: &str) -> Value {
    const SCALE: u32 = 4;
    let code = qrcode::QrCode::new(text).unwrap();
    let (width, colors) = (code.width() as u32, code.to_colors());
    let side = (width + 16) * SCALE;
    let pixel = |x: u32, y: u32| {
        let module = |p: u32| (p / SCALE).checked_sub(8).filter(|m| *m < width);
        match (module(x), module(y)) {
            (Some(x), Some(y)) if colors[(y * width + x) as usize] == qrcode::Color::Dark => Luma([0]),
            _ => Luma([255]),
        }
    };
    let mut bytes = Cursor::new(Vec::new());
    let picture: DynamicImage = GrayImage::from_fn(side, side, pixel).into();
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    json!({ "base64": STANDARD.encode(bytes.into_inner()) })
}

async fn post(house: &House, who: &str, group: &str, body: &Value) -> MessageId {
    let posted = house.act(json!({"do": "post", "as": who, "group": group, "msgtype": "image", "body": body}));
    house.settled().await;
    MessageId::new(format!("archive:{}", posted["msgid"].as_str().unwrap()))
}

#[tokio::test]
async fn an_invitation_in_a_picture_is_treated_like_the_link() {
    let house = House::start().await;
    let link = json!({"title": "", "description": "", "link_url": INVITATION});
    house.act(json!({"do": "post", "as": "chen", "group": SALES, "msgtype": "link", "body": link}));
    house.settled().await;
    let id = post(&house, "li", SALES, &picture(INVITATION)).await;

    let (typed, pictured) = (house.cases(SALES, "chen").await, house.cases(SALES, "li").await);
    let judged = |case: &qunguan::store::Case| (case.category, case.severity, case.step, case.points);
    assert_eq!(judged(&pictured[0]), judged(&typed[0]));
    assert_eq!(pictured[0].category, Category::CrossPromotion);
    assert_ne!(pictured[0].step, Step::None);
    assert_eq!(pictured[0].evidence, format!("[二维码] {INVITATION}"), "an owner sees what it was");
    let kept = house.store().processed(&id).await.unwrap().unwrap().message;
    assert!(
        kept.attachments.iter().any(|a| matches!(a, Attachment::Link { origin, .. } if origin == "qr")),
        "{kept:?}"
    );
    let asked = house.told("wang");
    assert!(asked.iter().any(|card| card.contains("> [二维码] https://work.weixin")), "{asked:?}");
}

#[tokio::test]
async fn a_picture_that_was_sent_as_a_file_is_looked_at_too() {
    let house = House::start().await;
    let mut body = picture(INVITATION);
    body["filename"] = "群二维码.PNG".into();
    house.act(json!({"do": "post", "as": "li", "group": SALES, "msgtype": "file", "body": body}));
    house.settled().await;
    let cases = house.cases(SALES, "li").await;
    assert_eq!(cases.len(), 1);
    assert!(cases[0].evidence.contains(&format!("[二维码] {INVITATION}")), "{}", cases[0].evidence);
}

#[tokio::test]
async fn a_picture_that_cannot_be_had_is_judged_without_it() {
    let house = House::start().await;
    house.fault(FaultKind::ArchiveFile { code: 10001 }, None, Some(1));
    post(&house, "li", SALES, &picture(INVITATION)).await;
    post(&house, "li", SALES, &json!({"sdkfileid": "nowhere"})).await;
    post(&house, "li", SALES, &json!({"base64": STANDARD.encode(b"not a picture at all")})).await;
    assert!(house.cases(SALES, "li").await.is_empty());
    let id = post(&house, "li", SALES, &picture("https://www.gov.cn/")).await;
    assert!(house.cases(SALES, "li").await.is_empty(), "a well-known site");
    assert_eq!(house.store().processed(&id).await.unwrap().unwrap().message.attachments.len(), 2);
}

#[tokio::test]
async fn nobody_looks_where_nobody_wants_to_know() {
    let house = House::start_with("[detect]\nqr_codes = false").await;
    post(&house, "li", SALES, &picture(INVITATION)).await;
    assert!(house.cases(SALES, "li").await.is_empty());

    let house = House::start().await;
    let id = post(&house, "wang", CUSTOMERS, &picture(INVITATION)).await;
    let kept = house.store().processed(&id).await.unwrap().unwrap().message;
    assert_eq!(kept.attachments.len(), 1, "the owner may post whatever they like");
}

#[tokio::test]
async fn a_picture_sent_to_the_bot_is_opened_with_the_key_of_its_way() {
    const GROUP: &str = "[[group]]\nid = \"wrNewProducts\"\nname = \"新品项目群\"\nkind = \"bot\"\nmode = \"assisted\"\nowner = \"zhang\"";
    let ask = |code: &str| {
        let text = json!({"type": "text", "content": json!({"content": "@群管 这个能发吗"}).to_string()});
        let image = json!({"type": "image", "content": picture(code).to_string()});
        json!({"do": "post", "as": "lin", "group": "wrNewProducts", "msgtype": "mixed", "body": {"item": [text, image]}})
    };
    for socket in [false, true] {
        let house = House::start_without_archive(socket, GROUP).await;
        house.act(ask(INVITATION));
        let case = house
            .until("the bot judged it", || async { house.cases("wrNewProducts", "lin").await.into_iter().next() })
            .await;
        assert_eq!(case.category, Category::CrossPromotion, "over the socket: {socket}");
        assert!(case.evidence.ends_with(&format!("[二维码] {INVITATION}")), "{}", case.evidence);
        house.settled().await;
    }
}

#[tokio::test]
async fn a_picture_whose_five_minutes_are_over_is_judged_without_it() {
    use qunguan::{
        model::SignedDuration,
        wecom::bot_files::{BotFile, BotFiles},
    };
    let house = House::start_without_archive(false, "").await;
    house.act(json!({"do": "tell_bot", "as": "lin", "picture": picture(INVITATION)["base64"]}));
    house.settled().await;
    let told = house.sim.deliveries().into_iter().rfind(|d| d.to == "bot").unwrap();
    let said: Value = serde_json::from_str(&told.plain).unwrap();
    let file = BotFile { url: said["image"]["url"].as_str().unwrap().to_owned(), key: None };
    let key = house.sim.credentials().bot.aes_key;
    let files = BotFiles::new(Some(&key)).unwrap();
    assert_eq!(&files.fetch(&file, 1 << 20).await.unwrap()[1..4], b"PNG");
    assert!(files.fetch(&file, 100).await.is_err(), "no more than asked for");
    assert!(BotFiles::new(None).unwrap().fetch(&file, 1 << 20).await.is_err(), "not without the key");
    house.later(SignedDuration::from_secs(301)).await;
    let gone = files.fetch(&file, 1 << 20).await.unwrap_err().to_string();
    assert!(gone.contains("403"), "{gone}");
    assert!(!gone.contains("bot-files"), "an address that opens the file is not logged: {gone}");
}
