use qunguan::model::SignedDuration;
use serde_json::{Value, json};

use crate::harness::{code, start};

#[tokio::test]
async fn a_webhook_posts_twenty_a_minute_and_measures_in_bytes() {
    let world = start().await;
    let url = format!("{}/cgi-bin/webhook/send?key=sim-webhook-store-staff", world.sim.credentials().api_base);
    let send = async |url: &str, body: Value| -> Value {
        world.http.post(url).json(&body).send().await.unwrap().json().await.unwrap()
    };
    let text = |content: &str| json!({"msgtype": "text", "text": {"content": content}});
    assert_eq!(code(&send(&url, text(&"长".repeat(683))).await), 40058, "2049 bytes");
    assert_eq!(code(&send(&url, text("")).await), 44004);
    let other = url.replace("staff", "nobody");
    assert_eq!(code(&send(&other, text("x")).await), 93000);
    for _ in 0..20 {
        assert_eq!(code(&send(&url, text("通知")).await), 0);
    }
    assert_eq!(code(&send(&url, text("通知")).await), 45009);
    world.sim.advance(qunguan::model::SignedDuration::from_secs(60));
    assert_eq!(code(&send(&url, text("通知")).await), 0);
    let card = json!({"msgtype": "template_card", "template_card": {"card_type": "button_interaction", "task_id": "t",
        "main_title": {"title": "请处理"}, "button_list": [{"text": "好", "key": "ok"}]}});
    assert_eq!(code(&send(&url, card).await), 42031, "notices only, no buttons");
    world.sim.act_json(json!({"do": "no_webhook", "group": "wrStoreStaff"})).unwrap();
    assert_eq!(code(&send(&url, text("通知")).await), 93000, "the robot was removed");
}

#[tokio::test]
async fn intercept_rules_live_by_their_quotas_and_stop_employees_only() {
    let world = start().await;
    let rule = |name: &str, words: Value| {
        json!({"rule_name": name, "word_list": words, "semantics_list": [1], "intercept_type": 1,
            "applicable_range": {"user_list": ["zhao"]}})
    };
    let add = async |body: Value| world.post("externalcontact/add_intercept_rule", body).await;
    assert_eq!(code(&add(rule("空", json!([]))).await), 41068);
    assert_eq!(code(&add(rule("长", json!(["字".repeat(33)]))).await), 41083);
    assert_eq!(code(&add(rule(&"名".repeat(21), json!(["词"]))).await), 41077);
    let made = add(rule("禁私下收款", json!(["私人账户"]))).await;
    let id = made["rule_id"].clone();
    assert_eq!(code(&add(rule("禁私下收款", json!(["词"]))).await), 41077, "names are unique");
    let got = world.post("externalcontact/get_intercept_rule", json!({"rule_id": id})).await;
    assert_eq!(got["rule"]["extra_rule"]["semantics_list"], json!([1]), "it moved into extra_rule");
    assert_eq!(got["rule"]["semantics_list"], json!([1]), "and back to the top");
    let number = got["rule"]["rule_id"].as_u64().expect("a number here");
    assert_eq!(id, number.to_string(), "and text there");
    let same = world.post("externalcontact/get_intercept_rule", json!({ "rule_id": number })).await;
    assert_eq!(same["rule"], got["rule"]);
    let post = |who: &str, group: &str| {
        world.sim.act_json(json!({"do": "post", "as": who, "group": group, "text": "转到私人账户"}))
    };
    assert!(post("zhao", "wrVipCustomers").is_err());
    assert!(post("wmWuHao", "wrVipCustomers").is_ok(), "customers are not stopped");
    assert!(post("zhao", "wrHuadongSales").is_ok(), "nor is internal talk");
    let update = json!({"rule_id": id, "intercept_type": 2, "word_list": ["私人账户", "加我私人微信"],
        "add_applicable_range": {"user_list": ["wang"]}, "remove_applicable_range": {"user_list": ["zhao"]}});
    assert_eq!(code(&world.post("externalcontact/update_intercept_rule", update).await), 0);
    assert_eq!(post("wang", "wrVipCustomers").unwrap()["warned"], id);
    assert_eq!(code(&world.post("externalcontact/del_intercept_rule", json!({"rule_id": id})).await), 0);
    assert_eq!(code(&world.post("externalcontact/del_intercept_rule", json!({"rule_id": id})).await), 41071);
    for number in 0..100 {
        assert_eq!(code(&add(rule(&format!("规则{number}"), json!(["词"]))).await), 0);
    }
    assert_eq!(code(&add(rule("多一条", json!(["词"]))).await), 41069);
}

#[tokio::test]
async fn customer_groups_are_listed_and_read_until_they_end() {
    let world = start().await;
    let list = world.post("externalcontact/groupchat/list", json!({"limit": 10})).await;
    assert_eq!(list["group_chat_list"], json!([{"chat_id": "wrVipCustomers", "status": 0}]));
    assert_eq!(code(&world.post("externalcontact/groupchat/list", json!({})).await), 40058);
    let get = json!({"chat_id": "wrVipCustomers", "need_name": 1});
    let group = world.post("externalcontact/groupchat/get", get.clone()).await["group_chat"].clone();
    assert_eq!((&group["owner"], &group["admin_list"][0]["userid"]), (&json!("wang"), &json!("zhao")));
    assert_eq!(group["member_list"][2]["type"], 2);
    world.sim.act_json(json!({"do": "leave", "as": "wmWuHao", "group": "wrVipCustomers"})).unwrap();
    let after = world.post("externalcontact/groupchat/get", get.clone()).await["group_chat"].clone();
    assert_ne!(group["member_version"], after["member_version"]);
    world.sim.act_json(json!({"do": "dissolve", "as": "wang", "group": "wrVipCustomers"})).unwrap();
    assert_eq!(code(&world.post("externalcontact/groupchat/get", get).await), 49008);
    assert_eq!(code(&world.post("externalcontact/groupchat/get", json!({"chat_id": "wrHuadongSales"})).await), 40050);
}

#[tokio::test]
async fn an_uploaded_file_lives_three_days() {
    let world = start().await;
    let base = world.sim.credentials().api_base;
    let upload = async |kind: &str, bytes: &[u8]| -> Value {
        let part = reqwest::multipart::Part::bytes(bytes.to_vec()).file_name("a.png");
        let form = reqwest::multipart::Form::new().part("media", part);
        let url = format!("{base}/cgi-bin/media/upload?access_token={}&type={kind}", world.token);
        world.http.post(url).multipart(form).send().await.unwrap().json().await.unwrap()
    };
    assert_eq!(code(&upload("image", b"12345").await), 40006);
    assert_eq!(code(&upload("poster", b"123456").await), 40004);
    let media = upload("image", b"picture").await;
    assert!(media["created_at"].is_string());
    let send =
        json!({"touser": "li", "msgtype": "image", "agentid": 1000002, "image": {"media_id": media["media_id"]}});
    assert_eq!(code(&world.post("message/send", send.clone()).await), 0);
    world.sim.advance(qunguan::model::SignedDuration::from_hours(72));
    let token = world.token_for(&world.sim.credentials().app.secret).await["access_token"].as_str().unwrap().to_owned();
    assert_eq!(code(&world.post_as(&token, "message/send", send).await), 40007);
}

#[tokio::test]
async fn a_customer_has_a_name_and_whoever_follows_them() {
    let world = start().await;
    let customer = world.get("externalcontact/get?external_userid=wmWuHao").await;
    assert_eq!(code(&customer), 0, "{customer}");
    assert_eq!(
        (&customer["external_contact"]["name"], &customer["external_contact"]["type"]),
        (&json!("吴昊"), &json!(1))
    );
    assert_eq!(customer["follow_user"][0]["userid"], "wang");
    assert_eq!(code(&world.get("externalcontact/get?external_userid=li").await), 40096);
    world.sim.act_json(json!({"do": "leave", "as": "wmWuHao", "group": "wrVipCustomers"})).unwrap();
    assert_eq!(code(&world.get("externalcontact/get?external_userid=wmWuHao").await), 84061);
}

#[tokio::test]
async fn an_uploaded_picture_has_an_address_for_ever() {
    let world = start().await;
    let base = world.sim.credentials().api_base;
    let upload = async |bytes: Vec<u8>| -> Value {
        let form = reqwest::multipart::Form::new();
        let form = form.part("picture", reqwest::multipart::Part::bytes(bytes).file_name("a.png"));
        let url = format!("{base}/cgi-bin/media/uploadimg?access_token={}", world.token);
        world.http.post(url).multipart(form).send().await.unwrap().json().await.unwrap()
    };
    assert_eq!(code(&upload(b"GIF89a".to_vec()).await), 40009);
    assert_eq!(code(&upload([b"\x89PNG".as_slice(), &vec![0; 2 << 20]].concat()).await), 45001);
    let url = upload(b"\x89PNG picture".to_vec()).await["url"].as_str().unwrap().to_owned();
    world.sim.advance(SignedDuration::from_hours(24 * 365));
    let picture = world.http.get(url).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(&picture[..], b"\x89PNG picture");
}

#[tokio::test]
async fn a_member_list_may_lag_behind_its_event() {
    let world = start().await;
    let members = async || {
        let group = world.post("externalcontact/groupchat/get", json!({"chat_id": "wrVipCustomers"})).await;
        let ids = group["group_chat"]["member_list"].as_array().unwrap().iter();
        let here = ids.filter(|member| member["userid"] == "wmWuHao").count();
        (here, group["group_chat"]["member_version"].as_str().unwrap().to_owned())
    };
    let before = members().await;
    world.control("faults", json!({"kind": {"name": "stale_details", "seconds": 2}})).await;
    world.sim.act_json(json!({"do": "remove", "as": "wang", "group": "wrVipCustomers", "person": "wmWuHao"})).unwrap();
    assert_eq!(members().await, before);
    world.sim.advance(SignedDuration::from_secs(1));
    assert_eq!(members().await, before);
    world.sim.advance(SignedDuration::from_secs(1));
    let after = members().await;
    assert_eq!(after.0, 0);
    assert_ne!(after.1, before.1);
}
