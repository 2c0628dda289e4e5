//! Notices while WeCom is down, and what their author owes.

use insta::assert_snapshot;
use qunguan::{
    model::{SignedDuration, Timestamp},
    simulator::FaultKind,
};
use serde_json::{Value, json};

use crate::house::{House, SALES, morning};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const DOWN: [&str; 3] = ["message/", "appchat/send", "webhook/send"];

fn wecom_is_down(house: &House) {
    for path in DOWN {
        house.fault(FaultKind::Http { status: 500 }, Some(path), None);
    }
}

/// What somebody was told about notices, without what else they read.
fn told(house: &House, who: &str) -> Vec<String> {
    house.told(who).into_iter().filter(|text| text.contains("通知") || text.contains("回执")).collect()
}

async fn status(house: &House, id: &str) -> Value {
    house.get(&format!("/api/v1/notices/{id}")).await
}

#[tokio::test]
async fn nobody_is_late_for_what_never_reached_them() {
    let house = House::start().await;
    wecom_is_down(&house);
    let draft = json!({ "text": "今天盘点", "groups": [SALES], "deadline": "1h", "escalate_to": ["wang"] });
    let (code, notice) = house.post("/api/v1/notices", draft).await;
    assert_eq!(code, 200, "{notice}");
    let id = notice["id"].as_str().unwrap();
    house.settled().await;
    let sending = status(&house, id).await;
    assert_eq!((&sending["state"], &sending["delivered"]), (&json!("sending"), &json!(0)), "{sending}");
    let asked = house.ask("wang", &format!("通知进度 {id}")).await;
    assert_snapshot!(asked, @r"
    通知 ####（发送中 0/6）：0/6 人已回执
    还差 6 人：陈敏、李销售、孙凯、王店长、张经理、赵客服
    ");

    // 50 minutes later WeCom is back: the notice first, with an hour from now, and no reminder of what nobody had.
    for _ in 0..10 {
        house.later(5 * MINUTE).await;
    }
    assert!(told(&house, "li").is_empty());
    house.sim.no_faults();
    for _ in 0..4 {
        house.later(5 * MINUTE).await;
    }
    assert_snapshot!(told(&house, "li").join("\n\n"), @r"
    通知 ####，请在今天 12:05 前回执
    今天盘点
    [收到] [特殊情况]
    ");
    let sent = status(&house, id).await;
    assert_eq!(
        (&sent["state"], &sent["missing"], &sent["undelivered"]),
        (&json!("sent"), &json!(0), &json!(0)),
        "{sent}"
    );
    // Reminders and the end follow their own hour.
    for _ in 0..12 {
        house.later(5 * MINUTE).await;
    }
    assert_snapshot!(told(&house, "li")[1..].join("\n\n"), @r"
    还差您的回执：通知 ####，今天 12:05 截止
    还剩 30 分钟。今天盘点
    [收到] [特殊情况]

    还差您的回执：通知 ####，今天 12:05 截止
    还剩 5 分钟。今天盘点
    [收到] [特殊情况]

    通知 #### 已截止
    通知 #### 已在今天 12:05 截止，还没有收到您的回执：今天盘点
    现在回执会记为迟到；有特殊情况请回复：特殊情况 #### 原因
    [收到] [特殊情况]
    ");
}

#[tokio::test]
async fn a_deadline_on_the_clock_passes_without_lateness_where_wecom_was_down() {
    let house = House::start().await;
    wecom_is_down(&house);
    let due: Timestamp = morning() + 60 * MINUTE;
    let draft = json!({ "text": "今天盘点", "groups": [SALES], "deadline": due, "escalate_to": ["wang"] });
    let (_, notice) = house.post("/api/v1/notices", draft).await;
    let id = notice["id"].as_str().unwrap();
    for _ in 0..14 {
        house.later(5 * MINUTE).await;
    }
    house.sim.no_faults();
    for _ in 0..6 {
        house.later(5 * MINUTE).await;
    }
    let after = status(&house, id).await;
    assert_eq!((&after["missing"], &after["late"]), (&json!(0), &json!(0)), "{after}");
    assert_eq!(after["undelivered"], after["required"], "{after}");
    assert!(told(&house, "li").is_empty(), "{:#?}", told(&house, "li"));
    assert_snapshot!(house.last_told("wang"), @r"
    通知 #### 已在今天 11:00 截止：今天盘点
    需回执 6 人，已回执 0 人（其中迟到 0 人），豁免 0 人，未回执 0 人，未送达 6 人（不计迟到）。
    ");
    let ledger = house.get("/api/v1/ledger/2026-05").await;
    assert_eq!(ledger["lines"], json!([]), "{ledger}");
}

#[tokio::test]
async fn who_writes_a_notice_need_not_acknowledge_it() {
    let house = House::start().await;
    let (_, before) =
        house.post("/api/v1/notices/preview", json!({ "text": "t", "groups": [SALES], "deadline": "1h" })).await;
    let draft = house.ask("wang", "#华东销售群 发通知 1h 请各位今天盘点").await;
    let id = draft.split(['稿', '，']).nth(1).unwrap().trim();
    assert_eq!(id, "####");
    let _ = before;
    house.later(SignedDuration::from_secs(2)).await;
    house.press("wang", "还没有发出", "发出").await;
    let notices = house.get("/api/v1/notices").await;
    let id = notices["notices"][0]["id"].as_str().unwrap().to_owned();
    let shown = status(&house, &id).await;
    let wang = shown["members"].as_array().unwrap().iter().find(|member| member["member"] == "wang").unwrap();
    assert_eq!((&wang["state"], &wang["excuse"]["reason"]), (&json!("exempt"), &json!("发起人免")));
    // Where the author wants to be counted, a word of theirs is enough not to be.
    let own = json!({ "text": "t", "groups": [SALES], "deadline": "1h", "author_acknowledges": true });
    let (code, _) = house.post("/api/v1/notices/preview", own).await;
    assert_eq!(code, 200);
    for _ in 0..14 {
        house.later(5 * MINUTE).await;
    }
    let to_wang = told(&house, "wang").join("\n\n");
    assert!(!to_wang.contains("还差您的回执"), "{to_wang}");
}

#[tokio::test]
async fn a_notice_right_after_a_start_reads_who_is_there() {
    let mut house = House::empty(morning(), "").await;
    house.fault(FaultKind::Http { status: 500 }, Some("appchat/get"), Some(1));
    house.start_bot().await;
    let draft = json!({ "text": "今天盘点", "groups": [SALES], "deadline": "1h" });
    let (code, preview) = house.post("/api/v1/notices/preview", draft).await;
    assert_eq!(code, 200, "{preview}");
    assert_eq!(preview["groups"][0]["people"], preview["people"]);
    assert!(preview["people"].as_u64().unwrap() > 3);
}
