use qunguan::model::SignedDuration;
use serde_json::{Value, json};

use crate::harness::{World, code, start};

fn card(task: &str) -> Value {
    json!({"touser": "wang", "msgtype": "template_card", "agentid": 1000002, "template_card": {
        "card_type": "button_interaction", "task_id": task, "main_title": {"title": "请移出成员 李销售"},
        "button_list": [{"text": "已移出", "style": 1, "key": "done"}, {"text": "误判", "style": 2, "key": "wrong"}]}})
}

fn texts(world: &World, person: &str) -> usize {
    world.sim.inbox(person).len()
}

#[tokio::test]
async fn some_receivers_unknown_is_still_a_success() {
    let world = start().await;
    let answer = world.tell("li|Nobody|wmZhouLan", "你好").await;
    assert_eq!((code(&answer), answer["invaliduser"].as_str()), (0, Some("nobody|wmzhoulan")));
    assert_eq!(texts(&world, "li"), 1);
    assert_eq!(code(&world.tell("nobody", "你好").await), 81013);
    assert_eq!(code(&world.tell("", "你好").await), 82001);
    assert_eq!(code(&world.tell("li", "").await), 44004);
    let foreign = json!({"touser": "li", "msgtype": "text", "agentid": 7, "text": {"content": "x"}});
    assert_eq!(code(&world.post("message/send", foreign).await), 301_002);
}

#[tokio::test]
async fn beyond_30_a_minute_nothing_arrives_and_nobody_says_so() {
    let world = start().await;
    for number in 0..35 {
        assert_eq!(code(&world.tell("li", &format!("第 {number} 条")).await), 0);
    }
    assert_eq!(texts(&world, "li"), 30);
    world.sim.advance(SignedDuration::from_secs(61));
    world.tell("li", "又可以了").await;
    assert_eq!(texts(&world, "li"), 31);
}

#[tokio::test]
async fn the_duplicate_check_swallows_the_second() {
    let world = start().await;
    let body = json!({"touser": "li", "msgtype": "text", "agentid": 1000002, "text": {"content": "一样"},
        "enable_duplicate_check": 1, "duplicate_check_interval": 600});
    for _ in 0..2 {
        assert_eq!(code(&world.post("message/send", body.clone()).await), 0);
    }
    assert_eq!(texts(&world, "li"), 1);
    world.sim.advance(SignedDuration::from_secs(601));
    world.post("message/send", body).await;
    assert_eq!(texts(&world, "li"), 2);
}

#[tokio::test]
async fn recall_works_for_a_day() {
    let world = start().await;
    let msgid = world.tell("li", "收回").await["msgid"].clone();
    assert_eq!(code(&world.post("message/recall", json!({"msgid": "other"})).await), 40058);
    assert_eq!(code(&world.post("message/recall", json!({"msgid": msgid})).await), 0);
    assert_eq!(world.sim.inbox("li")[0]["recalled"], true);
    let msgid = world.tell("li", "太晚").await["msgid"].clone();
    world.sim.advance(SignedDuration::from_hours(25));
    let token = world.token_for(&world.sim.credentials().app.secret).await["access_token"].to_string();
    let late = world.post_as(token.trim_matches('"'), "message/recall", json!({"msgid": msgid})).await;
    assert_eq!(code(&late), 42052);
}

#[tokio::test]
async fn cards_need_an_address_a_fresh_task_id_and_change_once_a_code() {
    let world = start().await;
    assert_eq!(code(&world.post("message/send", card("case-1")).await), 43012, "nobody could answer it");
    let bot = crate::callbacks::Bot::start(&world, |_| 200).await;
    let sent = world.post("message/send", card("case-1")).await;
    assert_eq!(code(&sent), 0);
    assert_eq!(code(&world.post("message/send", card("case-1")).await), 42014, "task ids are unique for ever");
    assert_eq!(code(&world.post("message/send", card("case 2")).await), 42014);
    let change = |rc: &Value| json!({"userids": ["wang", "ghost"], "agentid": 1000002, "response_code": rc, "button": {"replace_name": "已处理"}});
    let first = world.post("message/update_template_card", change(&sent["response_code"])).await;
    assert_eq!((code(&first), &first["invaliduser"]), (0, &json!(["ghost"])));
    assert_eq!(world.sim.inbox("wang")[0]["frozen"], "已处理");
    let again = world.post("message/update_template_card", change(&sent["response_code"])).await;
    assert_eq!(code(&again), 60140, "one use");
    let press = json!({"do": "press", "as": "wang", "task_id": "case-1", "key": "done"});
    assert!(world.sim.act_json(press).is_err(), "a closed card has no buttons");
    drop(bot);
}

#[tokio::test]
async fn markdown_beyond_2048_bytes_is_refused_or_cut_and_text_is_cut() {
    let world = start().await;
    let send = async |kind: &str| {
        let long = "长".repeat(683);
        let body = json!({"touser": "li", "msgtype": kind, "agentid": 1000002, kind: {"content": long}});
        code(&world.post("message/send", body).await)
    };
    assert_eq!((send("markdown").await, send("text").await), (45002, 0));
    world.control("unknowns", json!({"markdown_is_cut": true})).await;
    assert_eq!(send("markdown").await, 0);
    let shown = world.sim.inbox("li").pop().unwrap()["text"].as_str().unwrap().to_owned();
    assert_eq!(shown, "长".repeat(682), "2046 bytes, and no half character");
}
