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
const INVITATION: &str = "https://work.weixin.qq.com/gm/0123456789abcdef";

/// A picture with a code, as a client uploads it.
fn picture(text: &str) -> Value {
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
