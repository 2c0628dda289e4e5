//! What people say to the bot as people say it, and reports that point at a picture.

use base64::{Engine, engine::general_purpose::STANDARD};
use qunguan::{model::SignedDuration, simulator::FaultKind};
use serde_json::{Value, json};

use crate::{
    house::{AD, House, SALES},
    pictures::{INVITATION, picture},
};

const PRODUCTS: &str = "wrNewProducts";
const GROUP: &str =
    "[[group]]\nid = \"wrNewProducts\"\nname = \"新品项目群\"\nkind = \"bot\"\nmode = \"assisted\"\nowner = \"zhang\"";

/// What the bot said in the group after `who` said something there.
async fn answers(house: &House, who: &str, text: &str, quote: Option<&Value>) -> Vec<String> {
    let before = house.lines(PRODUCTS).len() + 1;
    house.act(json!({"do": "post", "as": who, "group": PRODUCTS, "text": text, "quote": quote}));
    house.settled().await;
    house.lines_after(PRODUCTS, before)
}

#[tokio::test]
async fn what_is_not_understood_is_hinted_at_once_a_minute() {
    let house = House::start_without_archive(false, GROUP).await;
    let hint = "群管：没看懂这条指令。发送「帮助」看看能做什么。";
    assert_eq!(answers(&house, "lin", "@群管 给我订个会议室", None).await, [hint]);
    assert!(answers(&house, "lin", "@群管 那订个午饭呢", None).await.is_empty(), "the same minute");
    assert!(answers(&house, "chen", "@群管 加微信领红包", None).await.is_empty(), "an advert asks nothing");
    assert!(answers(&house, "chen", "@群管 收到", None).await.is_empty());
    house.later(SignedDuration::from_secs(61)).await;
    assert_eq!(answers(&house, "lin", "@群管 那订个午饭呢", None).await, [hint]);
    for text in [
        "@群管，帮助。",
        "＠群管 帮助！",
        "@群管：帮助？",
        "@群管\u{3000}帮助～",
        "@群管 ／帮助",
        "@群管 /help",
        "@群管「帮助一下」",
        "@群管\n您好！\n帮助",
        "帮助 @群管",
        "@李四 @群管 帮助",
    ] {
        let said = answers(&house, "lin", text, None).await;
        house.later(SignedDuration::from_secs(61)).await;
        assert!(text.starts_with('＠') || said.iter().any(|line| line.contains("群规")), "{text}: {said:?}");
    }
}

#[tokio::test]
async fn a_spoken_command_is_one() {
    for socket in [false, true] {
        let house = House::start_without_archive(socket, GROUP).await;
        house.act(json!({"do": "tell_bot", "as": "lin", "text": "帮助。", "kind": "voice"}));
        let answer = house.until("an answer", || async { house.told("lin").pop() }).await;
        assert!(answer.contains("可以发送："), "{answer}");
    }
}

#[tokio::test]
async fn in_the_archive_only_a_mention_of_the_bot_is_said_to_it() {
    let advert = format!("举报 {AD}");
    // Named in the settings; learned from what was said to it; neither, where nobody else is called so.
    let named = |text: String| text.replacen("[wecom.bot]\n", "[wecom.bot]\nnames = [\"小管家 机器人\"]\n", 1);
    let named = House::start_where(named).await;
    let learned = House::start_with(GROUP).await;
    learned.act(json!({"do": "post", "as": "lin", "group": PRODUCTS, "text": "@群管 帮助"}));
    learned.settled().await;
    let unknown = House::start().await;
    for (house, what, name, other) in [
        (&named, "named", "小管家 机器人", "群管"),
        (&learned, "learned", "群管", "小助手"),
        (&unknown, "unknown", "群管", "李销售"),
    ] {
        for (who, text, cases) in [
            ("chen", format!("@{name} {advert}"), 0),
            ("li", format!("@{other} {advert}"), 1),
            ("sun", format!("@陈敏 @{name} {advert}"), 0),
            ("zhao", format!("@李销售 {advert}"), 1),
        ] {
            house.say(who, SALES, &text).await;
            assert_eq!(house.cases(SALES, who).await.len(), cases, "{what}: {text}");
        }
    }
}

#[tokio::test]
async fn a_reported_picture_is_looked_into_and_goes_to_the_owner() {
    for socket in [false, true] {
        let house = House::start_without_archive(socket, GROUP).await;
        let post = |body: &Value, msgtype: &str| {
            house.act(json!({"do": "post", "as": "chen", "group": PRODUCTS, "msgtype": msgtype, "body": body}))
        };
        let code = post(&picture(INVITATION), "image")["line"].clone();
        let plain = post(&json!({"base64": STANDARD.encode(b"no picture")}), "image")["line"].clone();
        let report = async |line: &Value| {
            house.act(json!({"do": "post", "as": "lin", "group": PRODUCTS, "text": "@群管 举报 广告", "quote": line}));
            let before = house.told("zhang").len();
            house.until("the owner is asked", || async { house.told("zhang").into_iter().nth(before) }).await
        };
        let asked = report(&code).await;
        assert!(asked.contains(&format!("> 一张图片\n[二维码] {INVITATION}")), "{asked}");
        assert!(asked.contains("举报理由：广告"), "{asked}");
        let asked = report(&plain).await;
        assert!(asked.contains("> 一张图片\n") && !asked.contains("二维码"), "another one: {asked}");
        let mut file = picture(INVITATION);
        file["filename"] = "群二维码.png".into();
        let asked = report(&post(&file, "file")["line"]).await;
        assert!(asked.contains(&format!("> 一个文件\n[二维码] {INVITATION}")), "a picture sent as a file: {asked}");
        for (kind, name) in [("file", "一个文件"), ("video", "一段视频")] {
            let body = json!({"filename": "报价.bin", "base64": STANDARD.encode(b"no picture")});
            let asked = report(&post(&body, kind)["line"]).await;
            assert!(asked.contains(&format!("> {name}\n")), "{asked}");
        }
    }
}

#[tokio::test]
async fn broken_characters_are_mended_and_judged_on_every_way() {
    let advert = "加我V信领红包\u{1}，快来\u{fffd}";
    for socket in [false, true] {
        let house = House::start_without_archive(socket, GROUP).await;
        house.fault(FaultKind::BrokenText, None, None);
        house.act(json!({"do": "post", "as": "lin", "group": PRODUCTS, "text": format!("@群管 {advert}")}));
        let found = async || house.cases(PRODUCTS, "lin").await.into_iter().next();
        let case = house.until("the bot judged it", found).await;
        assert!(case.evidence.contains("领红包"), "{case:?}");
    }
    let house = House::start().await;
    house.fault(FaultKind::BrokenText, None, None);
    house.say("li", SALES, advert).await;
    assert_eq!(house.cases(SALES, "li").await.len(), 1, "out of the archive");
}
