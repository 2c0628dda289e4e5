//! Nobody trusts in a guard who is not there: `/readyz` and the status page say which groups are not covered.

use qunguan::model::SignedDuration;
use serde_json::{Value, json};

use crate::house::{CUSTOMERS, House};

const ARCHIVE: &str = r#"
[wecom.archive]
library = "not-opened-here.so"
secret = "sim-archive-secret-d25e61"
private_keys = { 1 = "-----BEGIN PRIVATE KEY-----" }
"#;

/// What `/readyz` finds lacking.
async fn lacking(house: &House) -> Vec<String> {
    let answer = house.get("/readyz").await;
    assert_eq!(answer["ready"], true, "messages are still taken in");
    let checks = answer["checks"].as_array().unwrap().iter().filter(|check| check["ok"] == false);
    checks.map(|check| format!("{}: {}", check["name"], check["note"].as_str().unwrap())).collect()
}

fn seats(house: &House, people: &[&str]) {
    house.act(json!({"do": "seats", "people": people}));
}

#[tokio::test]
async fn groups_without_a_seat_and_groups_that_are_gone() {
    let house = House::start_with(ARCHIVE).await;
    assert!(lacking(&house).await.is_empty());
    seats(&house, &["zhao"]);
    house.later(SignedDuration::from_mins(10)).await;
    assert_eq!(lacking(&house).await, [r#""groups_no_seat": 1 个群没有开通存档的成员：门店内部群"#]);
    seats(&house, &[]);
    house.later(SignedDuration::from_mins(10)).await;
    assert_eq!(
        lacking(&house).await,
        [r#""groups_no_seat": 3 个群没有开通存档的成员：华东销售群、门店内部群、会员福利群"#]
    );
    let page = house.console_page("/groups").await;
    let row = page.split("<li>").find(|row| row.contains("门店内部群")).unwrap();
    assert!(row.contains("内部群") && row.contains("协助") && row.contains("没有开通存档的成员"), "{row}");

    seats(&house, &["wang"]);
    house.act(json!({"do": "dissolve", "as": "wang", "group": CUSTOMERS}));
    house.later(SignedDuration::from_mins(10)).await;
    assert_eq!(lacking(&house).await, [r#""groups_dissolved": 1 个群已解散：会员福利群"#]);
    let tasks: Value = house.get("/api/v1/tasks").await;
    assert!(tasks["tasks"].as_array().unwrap().iter().any(|task| task["reason"] == "1 位成员开通了存档"));
}

#[tokio::test]
async fn a_bot_without_eyes_says_so() {
    let house = House::start().await;
    assert_eq!(lacking(&house).await, [r#""groups_no_members": 1 个群还没有读到成员名单：门店内部群"#]);
}

#[tokio::test]
async fn a_group_nobody_wrote_down_is_named_once_it_speaks() {
    let house = House::start().await;
    house.say("lin", "wrNewProducts", "大家好").await;
    assert!(
        lacking(&house)
            .await
            .iter()
            .any(|line| line == r#""groups_unlisted": 1 个群没有写进设置，只观察：wrNewProducts"#)
    );
}

#[tokio::test]
async fn of_an_internal_group_the_settings_know_the_owner_best() {
    let more = "[[group]]\nid = \"wrNewProducts\"\nkind = \"bot\"\nmode = \"assisted\"\nowner = \"chen\"";
    let house = House::start_with(&format!("{more}{ARCHIVE}")).await;
    // WeCom says that zhang made the group; it has since been handed to chen.
    let told = house.told("chen").len();
    house.say("lin", "wrNewProducts", "澳门皇冠注册送彩金，首存翻倍").await;
    assert!(house.told("chen").len() > told, "chen is asked");
}
