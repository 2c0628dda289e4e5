//! What the admin console grants the app, and what is said when it is too little.

use qunguan::{
    model::{Clock, SignedDuration},
    simulator::FaultKind,
};
use serde_json::json;

use crate::house::{House, SALES, morning};

/// What `/readyz` says of WeCom's refusals.
async fn faults(house: &House) -> Vec<String> {
    let answer = house.get("/readyz").await;
    assert_eq!(answer["ready"], true, "messages are still taken in");
    let checks = answer["checks"].as_array().unwrap().iter().filter(|check| check["name"] == "wecom");
    checks.map(|check| check["note"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn too_few_rights_are_named_where_an_operator_looks() {
    let house = House::start().await;
    assert!(faults(&house).await.is_empty());
    house.act(json!({"do": "rights", "departments": [2], "customers": false}));
    house.later(SignedDuration::from_mins(10)).await;
    assert_eq!(
        faults(&house).await,
        [
            "1 项待办等着改设置：errcode 48002: api forbidden: the app is not listed in 客户联系（应用没有这个接口的权限：\
             客户群看管理后台 → 客户联系 → 客户 → 可调用接口的应用，其它看应用管理 → 自建应用）",
            "1 项待办等着改设置：errcode 60011: no privilege: the root department is not in the app's visible range\
             （成员不在应用可见范围内：到管理后台 → 应用管理 → 自建应用 → 可见范围加上；应用群聊要求是根部门）"
        ]
    );
    // Mended: everything goes on by itself.
    house.act(json!({"do": "rights", "departments": [1]}));
    house.later(SignedDuration::from_mins(10)).await;
    assert!(faults(&house).await.is_empty());
    let refresh = house.tasks("refresh").await;
    let sales = refresh.iter().find(|task| task.group.as_str() == SALES).unwrap();
    assert!(sales.reason.starts_with("已读取成员"), "{}", sales.reason);
}

/// What `/readyz` says of one part.
async fn part(house: &House, name: &str) -> (bool, String) {
    let answer = house.get("/readyz").await;
    let check = answer["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap();
    (check["ok"] == true, check["note"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn an_address_that_was_never_called_is_named_with_its_place_in_the_console() {
    let mut house = House::empty(morning(), "").await;
    house.start_bot().await; // the simulator verifies both addresses, as the console does when they are saved
    assert_eq!(part(&house, "app").await, (true, "应用回调已就绪".into()));
    house.stop_bot().await;
    house.start_silently().await;
    assert_eq!(part(&house, "app").await, (true, "应用回调已就绪，启动以来还没有收到过".into()));
    let forged = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = house.url("/wecom/bot?msg_signature=no&timestamp=1777860000&nonce=n&echostr=AAAA");
    assert_eq!(forged.get(url).send().await.unwrap().status(), 403);
    let (ok, note) = part(&house, "bot").await;
    assert!(!ok, "{note}");
    assert_eq!(
        note,
        "收到的智能机器人回调都验证不过：到管理后台 → 管理工具 → 智能机器人 → API 设置核对 Token 和 EncodingAESKey"
    );
    house.later(SignedDuration::from_hours(24)).await;
    let (ok, note) = part(&house, "app").await;
    assert!(!ok, "{note}");
    assert_eq!(
        note,
        "1 天没有收到过应用回调：到管理后台 → 应用管理 → 自建应用 → 接收消息 → 设置 API 接收核对 URL，再点一次“保存”"
    );
}

#[tokio::test]
async fn an_app_that_nobody_opens_is_named_until_somebody_does() {
    let house = House::start().await;
    let told = async |event: &str| {
        let now = house.clock.now().as_second();
        let xml = format!(
            "<xml><ToUserName>ww5imu1ated00c0rp</ToUserName><FromUserName>sys</FromUserName><CreateTime>{now}</CreateTime>\
             <MsgType>event</MsgType><Event>{event}</Event><AgentID>1000002</AgentID></xml>"
        );
        house.act(json!({"do": "event_raw", "xml": xml}));
        house.settled().await;
        part(&house, "app").await
    };
    let alert = "应用很久没有人打开，企业微信将停用它：请在企业微信的工作台里打开一次";
    assert_eq!(told("inactive_agent_alert").await, (false, alert.into()));
    let closed = "应用太久没有人打开，已被企业微信停用：到管理后台 → 应用管理 → 自建应用重新启用";
    assert_eq!(told("close_inactive_agent").await, (false, closed.into()));
    assert_eq!(told("reopen_inactive_agent").await, (true, "应用回调已就绪".into()));
}

#[tokio::test]
async fn what_a_company_has_to_change_is_said_in_one_sentence_with_its_place() {
    let house = House::start().await;
    for (code, sentence) in [
        (10000, "企业 ID 或 Secret 不对：到管理后台 → 管理工具 → 会话内容存档核对 Secret（与自建应用的不同）"),
        (10009, "服务器 IP 不可信：到管理后台 → 管理工具 → 会话内容存档 → 可信 IP 加上服务器的出口 IP"),
        (301_052, "会话内容存档已到期：到管理后台 → 管理工具 → 会话内容存档续费"),
        (301_053, "会话内容存档没有开通：到管理后台 → 管理工具 → 会话内容存档开通并选择成员"),
    ] {
        house.fault(FaultKind::Archive { code }, None, None);
        let said = format!("会话存档拉取失败：{code}（{sentence}）");
        let told = async || Some(part(&house, "archive").await).filter(|told| *told == (false, said.clone()));
        house.until(&said, told).await;
        house.sim.no_faults();
        house.until("it goes on", || async { part(&house, "archive").await.0.then_some(()) }).await;
    }
}

#[tokio::test]
async fn a_group_robot_that_was_removed_is_named_too() {
    let house = House::start().await;
    house.act(json!({"do": "no_webhook", "group": "wrStoreStaff"}));
    let notice = json!({"text": "明天盘点", "groups": ["wrStoreStaff"], "members": ["li"], "deadline": "2h"});
    let (status, body) = house.post("/api/v1/notices", notice).await;
    assert_eq!(status, 200, "{body}");
    house.settled().await;
    let told = faults(&house).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("93000") && told[0].contains("消息推送的 key 不对，或已被移出群"), "{told:?}");
}
