//! What the admin console grants the app, and what is said when it is too little.

use qunguan::model::SignedDuration;
use serde_json::json;

use crate::house::{House, SALES};

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
            "1 项待办等着改设置：errcode 48002: api forbidden: the app is not listed in 客户联系（应用没有这个接口的权限）",
            "1 项待办等着改设置：errcode 60011: no privilege: the root department is not in the app's visible range\
             （成员不在应用可见范围内；应用群聊要求可见范围是根部门）"
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
