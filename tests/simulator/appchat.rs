use qunguan::model::SignedDuration;
use serde_json::{Value, json};

use crate::harness::{World, code, start};

const SALES: &str = "wrHuadongSales";

async fn update(world: &World, mut change: Value) -> i64 {
    if change["chatid"].is_null() {
        change["chatid"] = SALES.into();
    }
    code(&world.post("appchat/update", change).await)
}

async fn members(world: &World) -> Vec<String> {
    let info = world.get(&format!("appchat/get?chatid={SALES}")).await;
    serde_json::from_value(info["chat_info"]["userlist"].clone()).unwrap()
}

#[tokio::test]
async fn a_member_is_removed_and_comes_back_and_the_group_sees_it() {
    let world = start().await;
    assert_eq!(update(&world, json!({"del_user_list": ["li"]})).await, 0);
    assert!(!members(&world).await.contains(&"li".to_owned()));
    let seen = world.sim.group(SALES, Some("chen")).unwrap();
    assert_eq!(seen["lines"].as_array().unwrap().last().unwrap()["text"], "「李销售」被移出群聊");
    assert_eq!(seen["gone"][0]["name"], "李销售");
    assert!(world.sim.act_json(json!({"do": "post", "as": "li", "group": SALES, "text": "喂"})).is_err());
    assert_eq!(update(&world, json!({"del_user_list": ["li"]})).await, 86216, "gone already");
    assert_eq!(update(&world, json!({"add_user_list": ["li"]})).await, 0);
    assert!(members(&world).await.contains(&"li".to_owned()));
    world.sim.act_json(json!({"do": "post", "as": "li", "group": SALES, "text": "我回来了"})).unwrap();
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    let world = start().await;
    assert_eq!(update(&world, json!({"del_user_list": ["wang"]})).await, 86203, "the owner needs a successor");
    assert_eq!(update(&world, json!({"del_user_list": ["wang"], "owner": "wang"})).await, 86207);
    assert_eq!(update(&world, json!({"add_user_list": ["nobody"]})).await, 86216);
    assert_eq!(update(&world, json!({"add_user_list": ["wmZhouLan"]})).await, 86216, "no external people");
    world.sim.act_json(json!({"do": "leave_company", "as": "lin"})).unwrap();
    assert_eq!(update(&world, json!({"add_user_list": ["lin"]})).await, 86216, "who left the company stays out");
    assert_eq!(code(&world.get("user/get?userid=lin").await), 60111);
    assert_eq!(update(&world, json!({"add_user_list": "li"})).await, 40035);
    assert_eq!(update(&world, json!({"del_user_list": ["zhang", "li", "chen", "sun", "zhao"]})).await, 86006);
    assert_eq!(update(&world, json!({"chatid": "wrStoreStaff", "del_user_list": ["li"]})).await, 86008);
    assert_eq!(update(&world, json!({"chatid": "wrNowhere"})).await, 86003);
    assert_eq!(update(&world, json!({"chatid": ""})).await, 86201);
    assert_eq!(update(&world, json!({"del_user_list": ["li", "nobody"]})).await, 86216);
    assert!(members(&world).await.contains(&"li".to_owned()), "nothing of a refused change happens");
    let create = async |body| code(&world.post("appchat/create", body).await);
    assert_eq!(create(json!({"userlist": ["li"]})).await, 86006);
    assert_eq!(create(json!({"userlist": ["li", "chen"], "owner": "wang"})).await, 86207);
    assert_eq!(create(json!({"userlist": ["li", "chen"], "chatid": SALES})).await, 86215);
    assert_eq!(create(json!({"userlist": ["li", "chen"], "chatid": "with-dash"})).await, 86001);
    assert_eq!(create(json!({"userlist": ["li", "chen"], "chatid": "a".repeat(33)})).await, 86205);
    assert_eq!(create(json!({"userlist": ["li", "chen"], "chatid": "night01", "name": "夜班值守群"})).await, 0);
    let card = json!({"chatid": "night01", "msgtype": "template_card", "template_card": {}});
    assert_eq!(code(&world.post("appchat/send", card).await), 86214, "no cards in an appchat group");
}

#[tokio::test]
async fn a_thousand_changes_an_hour_then_45009_for_an_hour() {
    let world = start().await;
    for round in 0..1000 {
        let change = json!({"name": format!("群{}", round % 2)});
        assert_eq!(update(&world, change).await, 0);
    }
    assert_eq!(update(&world, json!({"name": "再改"})).await, 45009);
    world.sim.advance(SignedDuration::from_hours(1));
    assert_eq!(update(&world, json!({"name": "再改"})).await, 0);
}

#[tokio::test]
async fn group_messages_beyond_200_a_minute_vanish_without_a_word() {
    let world = start().await;
    let before = world.sim.group(SALES, Some("chen")).unwrap()["lines"].as_array().unwrap().len();
    for _ in 0..205 {
        let body = json!({"chatid": SALES, "msgtype": "text", "text": {"content": "通知"}});
        assert_eq!(code(&world.post("appchat/send", body).await), 0);
    }
    let seen = world.sim.group(SALES, Some("chen")).unwrap()["lines"].as_array().unwrap().len();
    assert_eq!(seen - before, 200);
}
