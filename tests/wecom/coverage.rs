//! Nobody trusts in a guard who is not there: `/readyz` and the status page say which groups are not covered.

use qunguan::{model::SignedDuration, simulator::FaultKind};
use serde_json::{Value, json};

use crate::house::{CUSTOMERS, House, SALES, morning};

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

/// `level`, `summary`, and the status for whoever wakes an operator.
async fn readiness(house: &House) -> (String, String, u16) {
    let plain = reqwest::get(house.url("/readyz")).await.unwrap();
    assert_eq!(plain.status(), 200, "messages are still taken in");
    let body: Value = plain.json().await.unwrap();
    let strict = reqwest::get(house.url("/readyz?strict=true")).await.unwrap();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("level"), text("summary"), strict.status().as_u16())
}

async fn first_line(house: &House) -> String {
    let page = house.console_page("/").await;
    page.split("<p class=\"sum").nth(1).unwrap().split("</p>").next().unwrap().to_owned()
}

const WELL: &str = "都听得到、都能处理。";

#[tokio::test]
async fn all_is_well_only_while_every_group_is_heard_and_acted_in() {
    let house = House::start_with(ARCHIVE).await;
    assert_eq!(readiness(&house).await, ("good".into(), WELL.into(), 200));
    assert!(first_line(&house).await.contains(WELL));

    house.fault(FaultKind::Http { status: 502 }, None, None);
    house.later(SignedDuration::from_mins(10)).await;
    house.later(SignedDuration::from_mins(2)).await;
    let (level, summary, strict) = readiness(&house).await;
    assert_eq!((level.as_str(), strict), ("degraded", 503), "{summary}");
    assert!(summary.starts_with("有听不到或做不到的：") && summary.contains("企业微信没有应答"), "{summary}");
    assert!(first_line(&house).await.contains("企业微信没有应答"));
    house.sim.no_faults();
    house.later(SignedDuration::from_mins(20)).await;
    assert_eq!(readiness(&house).await, ("good".into(), WELL.into(), 200));

    house.fault(FaultKind::ClockOff { seconds: 600 }, None, None);
    house.later(SignedDuration::from_mins(10)).await;
    let (_, summary, strict) = readiness(&house).await;
    assert_eq!((summary.as_str(), strict), ("有听不到或做不到的：本机时钟比企业微信慢 10 分钟。", 503));
    house.sim.no_faults();
    house.later(SignedDuration::from_mins(10)).await;
    assert_eq!(readiness(&house).await, ("good".into(), WELL.into(), 200));
}

#[tokio::test]
async fn a_wrong_secret_is_the_first_line() {
    let house = House::start_where(|text| {
        let (before, after) = text.split_once("[wecom.app]").unwrap();
        let secret = after.split("secret = \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        format!("{before}[wecom.app]{}", after.replacen(&secret, "reset-by-somebody", 1))
    })
    .await;
    let (level, summary, strict) = readiness(&house).await;
    assert_eq!((level.as_str(), strict), ("degraded", 503), "{summary}");
    assert!(summary.contains("企业微信拒绝了应用的登录"), "{summary}");
    let notes = lacking(&house).await.join("\n");
    assert!(notes.contains("40001") && notes.contains("核对 Secret"), "{notes}");
    assert!(first_line(&house).await.contains("企业微信拒绝了应用的登录"));
}

#[tokio::test]
async fn without_the_archive_and_before_any_callback_nothing_is_called_ready() {
    let mut house = House::start_without_archive(false, "").await;
    let (level, summary, strict) = readiness(&house).await;
    assert_eq!((level.as_str(), strict), ("degraded", 503), "{summary}");
    assert!(summary.contains("没有配置会话存档"), "{summary}");
    house.stop_bot().await;

    let mut house = House::empty(morning(), ARCHIVE).await;
    house.start_silently().await;
    house.settled().await;
    let (level, summary, _) = readiness(&house).await;
    assert_eq!(level, "degraded");
    assert!(summary.contains("从来没有收到过应用回调"), "{summary}");
}

#[tokio::test]
async fn an_archive_that_brings_nothing_for_a_day_is_named() {
    let house = House::start_with(ARCHIVE).await;
    house.say("li", SALES, "早").await;
    house.fault(FaultKind::ArchiveStalls, None, None);
    house.later(SignedDuration::from_hours(25)).await;
    let told = async || {
        let (level, summary, _) = readiness(&house).await;
        (level == "notice" && summary.contains("会话存档已有 1 天 1 小时没有新消息")).then_some(())
    };
    house.until("it is named", told).await;
    house.sim.no_faults();
    house.say("li", SALES, "早").await;
    house.until("it goes on", || async { (readiness(&house).await.1 == WELL).then_some(()) }).await;
}
