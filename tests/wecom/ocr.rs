//! Words in pictures are judged like words, and only ask a person. With real models (`QUNGUAN_OCR_MODELS`: a folder with the two
//! PP-OCR files) the bot reads real pictures.

use qunguan::{ocr::Pictures, settings::Settings};

use crate::house::House;

/// The settings for models in a folder.
fn models(folder: &str) -> String {
    format!(
        "[detect.ocr]\ndetection = \"{folder}/ch_PP-OCRv4_det_infer.onnx\"\nrecognition = \"{folder}/ch_PP-OCRv4_rec_infer.onnx\"\nwithin = \"60s\"\n"
    )
}

/// What is wrong with the settings' models, in the words of `/readyz` and `check`.
fn trouble(settings: &str) -> String {
    let settings = Settings::parse(settings, std::path::Path::new("qunguan.toml"), None).unwrap();
    let check = Pictures::open(settings.detect.ocr.as_ref()).check().unwrap();
    assert!(!check.ok());
    check.note
}

#[tokio::test]
async fn models_that_cannot_be_used_are_said_and_the_bot_goes_on() {
    let house = House::start_with(&models("/nowhere")).await;
    let ready = house.get("/readyz").await.to_string();
    assert!(ready.contains("图片中的文字不能识别"), "{ready}");
    house.say("li", crate::house::SALES, crate::house::AD).await;
    assert!(!house.cases(crate::house::SALES, "li").await.is_empty(), "everything else works");
    let why = trouble(&models("/nowhere"));
    if cfg!(feature = "ocr") {
        assert_eq!(why, "图片中的文字不能识别：/nowhere/ch_PP-OCRv4_det_infer.onnx 读不了：没有这个文件或文件夹");
    } else {
        assert!(why.ends_with("编译时没有带文字识别（cargo build --release --features ocr）"), "{why}");
    }
}

#[cfg(feature = "ocr")]
mod reading {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use qunguan::model::{Attachment, Category, MessageId, Step};
    use serde_json::json;

    use super::{House, models, trouble};
    use crate::house::SALES;

    /// The folder with the models; `None` says so loudly, and fails where CI is set.
    fn folder() -> Option<String> {
        let folder = std::env::var("QUNGUAN_OCR_MODELS").ok();
        assert!(folder.is_some() || std::env::var_os("CI").is_none(), "QUNGUAN_OCR_MODELS is not set");
        if folder.is_none() {
            eprintln!("SKIPPED: words in pictures; set QUNGUAN_OCR_MODELS to a folder with the PP-OCR models");
        }
        folder
    }

    async fn post(house: &House, picture: &[u8]) -> MessageId {
        let body = json!({ "base64": STANDARD.encode(picture) });
        let posted = house.act(json!({"do": "post", "as": "li", "group": SALES, "msgtype": "image", "body": body}));
        house.settled().await;
        MessageId::new(format!("archive:{}", posted["msgid"].as_str().unwrap()))
    }

    #[tokio::test]
    async fn an_advertisement_that_was_drawn_makes_a_person_look() {
        let Some(folder) = folder() else { return };
        let house = House::start_with(&models(&folder)).await;
        assert!(house.get("/readyz").await.to_string().contains("图片中的文字可以识别"));
        post(&house, include_bytes!("../pictures/advertisement.png")).await;
        let case = &house.cases(SALES, "li").await[0];
        assert_eq!((case.category, case.step), (Category::Ads, Step::Review), "{case:?}");
        assert_eq!(case.evidence, "[图片中的文字] 兼职刷单日结三百 加微信wx88668 领红包");
        assert!(house.told("wang").iter().chain(&house.told("zhang")).any(|card| card.contains("[图片中的文字] 兼职")));
    }

    #[tokio::test]
    async fn a_photographed_table_is_a_table_and_a_harmless_picture_is_none() {
        let Some(folder) = folder() else { return };
        let house = House::start_with(&models(&folder)).await;
        let id = post(&house, include_bytes!("../pictures/notice.png")).await;
        assert!(house.cases(SALES, "li").await.is_empty());
        let kept = house.store().processed(&id).await.unwrap().unwrap().message;
        assert!(
            matches!(&kept.attachments[..], [Attachment::Image { words, .. }] if words == "周五下午三点开例会\n请带上本周的陈列照片"),
            "{kept:?}"
        );
        post(&house, include_bytes!("../pictures/customers.png")).await;
        let case = &house.cases(SALES, "li").await[0];
        assert_eq!((case.category, case.step), (Category::LeakPersonal, Step::Review), "{case:?}");
    }

    #[tokio::test]
    async fn a_reported_picture_shows_its_words_to_the_owner() {
        let Some(folder) = folder() else { return };
        let group = "[[group]]\nid = \"wrNewProducts\"\nname = \"新品项目群\"\nkind = \"bot\"\nmode = \"assisted\"\nowner = \"zhang\"";
        let house = House::start_without_archive(true, &format!("{}{group}", models(&folder))).await;
        let body = json!({ "base64": STANDARD.encode(include_bytes!("../pictures/advertisement.png")) });
        let act = |what: serde_json::Value| house.act(what);
        let picture =
            act(json!({"do": "post", "as": "chen", "group": "wrNewProducts", "msgtype": "image", "body": body}));
        act(
            json!({"do": "post", "as": "lin", "group": "wrNewProducts", "text": "@群管 举报 广告", "quote": picture["line"]}),
        );
        let asked = house.until("the owner is asked", || async { house.told("zhang").into_iter().next() }).await;
        assert!(asked.contains("> 一张图片\n[图片中的文字] 兼职刷单日结三百"), "{asked}");
        assert!(house.told("chen").is_empty(), "nobody is punished");
    }

    #[tokio::test]
    async fn the_settings_may_let_the_policy_act() {
        let Some(folder) = folder() else { return };
        let house = House::start_with(&format!("{}measure = \"act\"\n", models(&folder))).await;
        post(&house, include_bytes!("../pictures/advertisement.png")).await;
        assert_ne!(house.cases(SALES, "li").await[0].step, Step::Review);
    }

    #[test]
    fn files_that_are_no_such_models() {
        let Some(folder) = folder() else { return };
        let swapped = models(&folder).replacen("det_infer", "rec_infer", 1);
        assert!(trouble(&swapped).contains("不是可用的 PP-OCR 模型"), "{}", trouble(&swapped));
        let none = models(&folder).replace("ch_PP-OCRv4_det_infer.onnx", "../Cargo.toml");
        assert!(trouble(&none).starts_with("图片中的文字不能识别："));
    }
}
