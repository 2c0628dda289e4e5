//! Who is it: the ids that WeCom encrypts for a smart bot which no super administrator created, and colleagues whose ids look
//! like customers'.

use std::time::Duration;

use qunguan::{
    model::{SignedDuration, Step},
    simulator::FaultKind,
};
use serde_json::json;

use crate::house::{AD, CUSTOMERS, House, morning};

const PRODUCTS: &str = "wrNewProducts";
const GROUP: &str =
    "[[group]]\nid = \"wrNewProducts\"\nname = \"新品项目群\"\nkind = \"bot\"\nmode = \"assisted\"\nowner = \"zhang\"";
const CONVERTS: &str = "batch/openuserid_to_userid";

/// The bot was created by somebody who is no super administrator.
async fn created_by_anybody(socket: bool) -> House {
    let house = House::start_without_archive(socket, GROUP).await;
    house.act(json!({"do": "bot_creator", "super_administrator": false}));
    house
}

/// Everybody of whom the bot has written something down in a group.
async fn on_record(house: &House) -> Vec<String> {
    let records = house.store().members(&PRODUCTS.into()).await.unwrap();
    records.into_iter().map(|record| record.member.to_string()).collect()
}

/// What the bot answered to the newest words that @ it, over whichever way.
async fn answer(house: &House, who: &str, text: &str) -> Option<String> {
    let before = house.lines(PRODUCTS).len() + 1;
    house.act(json!({"do": "post", "as": who, "group": PRODUCTS, "text": text}));
    let asked = tokio::time::timeout(
        Duration::from_secs(60),
        house.until("an answer", || async { house.lines(PRODUCTS).get(before).cloned() }),
    );
    asked.await.ok()
}

async fn readyz(house: &House) -> String {
    let answer = house.get("/readyz").await;
    let checks = answer["checks"].as_array().unwrap().iter();
    let bot = checks.filter(|check| check["name"].as_str().unwrap().starts_with("bot"));
    bot.map(|check| check["note"].as_str().unwrap()).collect::<Vec<_>>().join("；")
}

#[tokio::test]
async fn an_encrypted_id_is_the_colleague_behind_it() {
    for socket in [false, true] {
        let house = created_by_anybody(socket).await;
        // A strike lands on whoever spoke, and the owner is the owner.
        house.act(json!({"do": "post", "as": "lin", "group": PRODUCTS, "text": format!("@群管 {AD}")}));
        let case =
            house.until("the bot judged it", || async { house.cases(PRODUCTS, "lin").await.into_iter().next() }).await;
        assert_ne!(case.step, Step::None);
        house.settled().await;
        assert!(house.told("lin").iter().any(|told| told.contains("群规提醒")), "{:?}", house.told("lin"));
        assert_eq!(
            answer(&house, "lin", "@群管 我的状态").await.unwrap(),
            "群管：已私信您。没收到的话，请到群管应用里直接问我。"
        );
        house.settled().await;
        assert!(house.last_told("lin").contains("新品项目群"), "{:?}", house.told("lin"));
        let ordered = answer(&house, "zhang", "@群管 严管 2h").await.unwrap();
        assert!(ordered.contains("从严处理"), "{ordered}");
        assert!(on_record(&house).await.iter().all(|id| ["zhang", "lin"].contains(&id.as_str())));
        let calls = house.sim.calls(CONVERTS);
        assert_eq!(calls, 2, "each is asked about once (socket: {socket})");
    }
}

#[tokio::test]
async fn whoever_cannot_be_told_is_nobody_and_readyz_says_what_to_do() {
    let house = created_by_anybody(false).await;
    house.fault(FaultKind::Error { code: 48002 }, Some(CONVERTS), None);
    house.act(json!({"do": "post", "as": "lin", "group": PRODUCTS, "text": format!("@群管 {AD}")}));
    house.settled().await;
    let refused = answer(&house, "zhang", "@群管 严管 2h").await.unwrap();
    assert!(refused.contains("认不出您的账号") && refused.contains("超级管理员"), "{refused}");
    assert!(on_record(&house).await.is_empty(), "nothing is held against anybody");
    assert!(house.told("lin").is_empty());
    let said = readyz(&house).await;
    assert!(said.contains("查 2 个人的账号时出错，正在自动重试") && said.contains("48002"), "{said}");
    assert!(!said.contains("请由超级管理员创建智能机器人"), "{said}");

    // Mended: the next word is asked about again, and the sentence goes away with everybody who is known.
    house.sim.no_faults();
    house.later(SignedDuration::from_secs(31)).await;
    let ordered = answer(&house, "zhang", "@群管 严管 2h").await.unwrap();
    assert!(ordered.contains("从严处理"), "{ordered}");
    house.act(json!({"do": "post", "as": "lin", "group": PRODUCTS, "text": format!("@群管 {AD}")}));
    house.until("the bot judged it", || async { house.cases(PRODUCTS, "lin").await.into_iter().next() }).await;
    assert_eq!(readyz(&house).await, "智能机器人回调已就绪");
}

#[tokio::test]
async fn who_is_outside_the_apps_range_is_nobody_where_ids_are_encrypted() {
    let house = created_by_anybody(false).await;
    house.act(json!({"do": "new_person", "id": "far", "name": "远方", "department": 3}));
    house.act(json!({"do": "invite", "as": "zhang", "group": PRODUCTS, "people": ["far"]}));
    house.act(json!({"do": "rights", "departments": [2]}));
    house.act(json!({"do": "post", "as": "far", "group": PRODUCTS, "text": format!("@群管 {AD}")}));
    house.settled().await;
    assert!(on_record(&house).await.is_empty());
    let said = readyz(&house).await;
    assert!(said.contains("认不出 1 个人的账号") && said.contains("不在应用的可见范围内"), "{said}");
    assert!(said.contains("请由超级管理员创建智能机器人，或让应用的可见范围包含所有群成员"), "{said}");
}

#[tokio::test]
async fn a_passing_error_is_asked_again_about_and_blames_nobody() {
    for code in [-1, 45009] {
        let house = created_by_anybody(false).await;
        house.fault(FaultKind::Error { code }, Some(CONVERTS), None);
        house.act(json!({"do": "post", "as": "lin", "group": PRODUCTS, "text": "@群管 你好"}));
        house.until("it is told", || async { readyz(&house).await.contains("正在自动重试").then_some(()) }).await;
        assert!(!readyz(&house).await.contains("超级管理员"), "{code}");
        house.sim.no_faults();
        house.later(SignedDuration::from_secs(31)).await;
        // Whoever looks at /readyz has it asked again; nobody has to speak.
        house.until("it is known", || async { (readyz(&house).await == "智能机器人回调已就绪").then_some(()) }).await;
    }
}

#[tokio::test]
async fn a_press_counts_for_who_pressed() {
    let house = created_by_anybody(true).await;
    answer(&house, "zhang", "@群管 帮助").await.unwrap(); // now the bot may speak here
    let notice = json!({"text": "明天盘点", "groups": [PRODUCTS], "members": ["lin"], "deadline": "2h"});
    let (status, body) = house.post("/api/v1/notices", notice).await;
    assert_eq!(status, 200, "{body}");
    house.settled().await;
    let lines = house.sim.group(PRODUCTS, None).unwrap()["lines"].clone();
    let card = lines.as_array().unwrap().iter().rfind(|line| line["card"].is_object()).expect("a card in the group");
    let press = json!({"do": "press", "as": "lin", "group": PRODUCTS, "task_id": card["card"]["task_id"],
        "key": card["card"]["button_list"][0]["key"]});
    house.act(press);
    let id = body["id"].as_str().unwrap().to_owned();
    house
        .until("lin has acknowledged", || async {
            let notice = house.get(&format!("/api/v1/notices/{id}")).await;
            (notice["acknowledged"] == 1).then_some(())
        })
        .await;
}

#[tokio::test]
async fn a_colleague_called_like_a_hero_is_no_customer() {
    let mut house = House::empty(morning(), "").await;
    let people = [("wongfeihung", "黄师傅"), ("wolf", "沃夫")];
    for (id, name) in people {
        house.act(json!({"do": "new_person", "id": id, "name": name}));
        house.act(json!({"do": "invite", "as": "wang", "group": CUSTOMERS, "people": [id]}));
    }
    house.start_bot().await;
    for (id, _) in people {
        let asked = house.told("wang").len();
        house.say(id, CUSTOMERS, AD).await;
        assert!(house.last_told(id).starts_with("群规提醒（第 1 次）"), "{id}: {:?}", house.told(id));
        assert_eq!(house.told("wang").len(), asked, "the owner is not asked to remind a customer");
    }
}
