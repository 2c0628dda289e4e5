use qunguan::{
    model::SignedDuration,
    simulator::{Fault, FaultKind},
};
use serde_json::json;

use crate::harness::{code, start};

#[tokio::test]
async fn a_token_is_the_same_until_it_ends_and_may_die_before() {
    let mut world = start().await;
    let secret = world.sim.credentials().app.secret;
    assert_eq!(world.token_for(&secret).await["access_token"], world.token.as_str());
    world.sim.advance(SignedDuration::from_secs(7200));
    assert_eq!(code(&world.get("user/get?userid=li").await), 42001);
    let fresh = world.token_for(&secret).await;
    assert_eq!((fresh["expires_in"].as_i64(), fresh["access_token"] == world.token.as_str()), (Some(7200), false));
    world.token = fresh["access_token"].as_str().unwrap().to_owned();
    assert_eq!(world.get("user/get?userid=LI").await["name"], "李销售");
    world.sim.fault(Fault { kind: FaultKind::TokenDeath, path: None, times: Some(1) });
    assert_eq!(code(&world.get("user/get?userid=li").await), 40014);
    assert_eq!(code(&world.get("user/get?userid=li").await), 40014, "the old one stays dead");
    assert_ne!(world.token_for(&secret).await["access_token"], world.token.as_str());
}

#[tokio::test]
async fn wrong_secrets_bar_the_address_for_an_hour() {
    let world = start().await;
    for _ in 0..10 {
        assert_eq!(code(&world.token_for("guess").await), 40001);
    }
    assert_eq!(code(&world.token_for("guess").await), 45009);
    let secret = world.sim.credentials().app.secret;
    assert_eq!(code(&world.token_for(&secret).await), 45009);
    world.sim.advance(SignedDuration::from_hours(1));
    assert_eq!(code(&world.token_for(&secret).await), 0);
}

#[tokio::test]
async fn each_secret_opens_its_own_doors() {
    let world = start().await;
    let archive = world.token_for(&world.sim.credentials().archive.secret).await["access_token"].to_string();
    let archive = archive.trim_matches('"');
    assert_eq!(code(&world.post_as(archive, "appchat/send", json!({})).await), 48002);
    assert_eq!(code(&world.post("msgaudit/get_permit_user_list", json!({})).await), 48002);
    let seats = world.post_as(archive, "msgaudit/get_permit_user_list", json!({})).await;
    assert_eq!(seats["ids"], json!(["wang", "zhang"]));
    let staff = world.post_as(archive, "msgaudit/groupchat/get", json!({"roomid": "wrStoreStaff"})).await;
    assert_eq!(staff["members"].as_array().unwrap().len(), 5);
    let customers = world.post_as(archive, "msgaudit/groupchat/get", json!({"roomid": "wrVipCustomers"})).await;
    assert_eq!(code(&customers), 301_059);
    assert_eq!(code(&world.post_as("", "appchat/send", json!({})).await), 41001);
}

#[tokio::test]
async fn what_wecom_does_not_have_is_not_there() {
    let world = start().await;
    for path in ["appchat/mute", "message/delete", "externalcontact/groupchat/remove"] {
        let url = format!("{}/cgi-bin/{path}?access_token={}", world.sim.credentials().api_base, world.token);
        assert_eq!(world.http.post(url).body("{}").send().await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn fault_switches_spoil_calls_and_addresses_take_a_minute_to_mend() {
    let world = start().await;
    let on = |kind| world.sim.fault(Fault { kind, path: None, times: Some(1) });
    on(FaultKind::Error { code: -1 });
    assert_eq!(code(&world.get("user/get?userid=li").await), -1);
    on(FaultKind::IpRefused);
    assert_eq!(code(&world.get("user/get?userid=li").await), 60020);
    assert_eq!(code(&world.get("user/get?userid=li").await), 60020, "mended, but not yet everywhere");
    world.sim.advance(SignedDuration::from_secs(60));
    assert_eq!(code(&world.get("user/get?userid=li").await), 0);
    on(FaultKind::WrongJson);
    let answer = world.tell("li", "你好").await;
    assert!(answer["errmsg"].as_str().unwrap().starts_with("Warning: wrong json format."), "{answer}");
    on(FaultKind::LostAnswer { ms: 0 });
    let url = format!("{}/cgi-bin/appchat/send?access_token={}", world.sim.credentials().api_base, world.token);
    let body = json!({"chatid": "wrHuadongSales", "msgtype": "text", "text": {"content": "说过了"}});
    let lost = async { world.http.post(&url).json(&body).send().await?.bytes().await };
    assert!(lost.await.is_err(), "the answer broke off");
    let group = world.sim.group("wrHuadongSales", None).unwrap();
    assert_eq!(group["lines"].as_array().unwrap().last().unwrap()["text"], "说过了", "but the call had worked");
}

#[tokio::test]
async fn what_the_console_does_not_grant_the_app_does_not_get() {
    let world = start().await;
    let grant = |body| world.sim.act_json(body).unwrap();
    grant(json!({"do": "rights", "departments": [3], "customers": false}));
    assert_eq!(code(&world.get("appchat/get?chatid=wrHuadongSales").await), 60011, "the root department is needed");
    let list = world.post("externalcontact/groupchat/list", json!({"limit": 10})).await;
    assert_eq!(code(&list), 48002);
    assert_eq!(code(&world.get("user/get?userid=li").await), 60011, "another department");
    assert_eq!(code(&world.get("user/get?userid=nobody").await), 60111);
    assert_eq!(code(&world.get("user/list?department_id=2").await), 60011);
    let departments = world.get("department/simplelist").await["department_id"].clone();
    assert_eq!(departments.as_array().unwrap().iter().map(|d| d["id"].clone()).collect::<Vec<_>>(), [3]);
    let own = world.get("user/simplelist?department_id=3").await["userlist"].clone();
    let own: Vec<_> = own.as_array().unwrap().iter().map(|p| p["userid"].as_str().unwrap().to_owned()).collect();
    assert!(!own.is_empty() && !own.contains(&"li".to_owned()), "{own:?}");
    let sent = world.tell(&format!("LI|{}", own[0]), "你好").await;
    assert_eq!((code(&sent), sent["invaliduser"].as_str()), (0, Some("li")), "{sent}");
    assert_eq!(code(&world.tell("li", "你好").await), 81013);
    assert_eq!(world.get("agent/get?agentid=1000002").await["allow_partys"]["partyid"], json!([3]));

    grant(json!({"do": "rights", "departments": [1]}));
    assert_eq!(code(&world.get("appchat/get?chatid=wrHuadongSales").await), 0);
    assert_eq!(code(&world.post("externalcontact/groupchat/list", json!({"limit": 10})).await), 0);
}
