use std::sync::Arc;

use qunguan::{
    model::{Clock, ShiftedClock, SignedDuration},
    simulator::{self, Handle, Simulator},
    wecom::{
        client::{Client, ClientError},
        errors::Class,
    },
};
use serde_json::{Value, json};

async fn world() -> (Handle, Arc<ShiftedClock>, Arc<Client>) {
    let clock = Arc::new(ShiftedClock::fixed("2026-05-04T10:00:00+08:00".parse().unwrap()));
    let sim = Simulator::start(simulator::Config::default(), clock.clone()).await.unwrap();
    let client = client(&sim, clock.clone(), 1_000_002, &sim.credentials().app.secret);
    (sim, clock, Arc::new(client))
}

fn client(sim: &Handle, clock: Arc<ShiftedClock>, agent: i64, secret: &str) -> Client {
    let credentials = sim.credentials();
    Client::new(&credentials.api_base, &credentials.corp_id, agent, secret.into(), clock).unwrap()
}

async fn control(sim: &Handle, path: &str, body: Option<Value>) -> Value {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/{path}", sim.credentials().control);
    let request = match body {
        Some(body) => http.post(url).json(&body),
        None => http.get(url),
    };
    request.send().await.unwrap().json().await.unwrap()
}

/// How often this was called.
async fn calls(sim: &Handle, path: &str) -> usize {
    control(sim, &format!("calls?path={path}"), None).await["calls"].as_array().unwrap().len()
}

fn fault(sim: &Handle, fault: Value) {
    sim.fault(serde_json::from_value(fault).unwrap());
}

#[tokio::test]
async fn one_token_for_everybody_who_waits() {
    let (sim, clock, client) = world().await;
    let mut together = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let client = client.clone();
        together.spawn(async move { client.user_name("li").await.unwrap() });
    }
    assert_eq!(together.join_all().await, vec!["李销售"; 20]);
    assert_eq!(calls(&sim, "gettoken").await, 1);

    clock.advance(SignedDuration::from_secs(7000));
    client.user_name("li").await.unwrap();
    assert_eq!(calls(&sim, "gettoken").await, 2, "fetched again ahead of the end");
    sim.stop().await;
}

#[tokio::test]
async fn a_token_that_dies_early_is_replaced_and_the_call_repeated_once() {
    let (sim, _, client) = world().await;
    client.user_name("li").await.unwrap();
    control(&sim, "tokens/kill", Some(json!({}))).await;
    assert_eq!(client.user_name("li").await.unwrap(), "李销售");
    assert_eq!(calls(&sim, "gettoken").await, 2);

    fault(&sim, json!({"kind": {"name": "error", "code": 40014}, "path": "user/get"}));
    assert_eq!(client.user_name("li").await.unwrap_err().code(), Some(40014), "the second refusal is an error");
    assert_eq!(calls(&sim, "gettoken").await, 3, "refreshed once, not for ever");
    sim.stop().await;
}

#[tokio::test]
async fn every_trouble_has_its_class_and_no_error_tells_a_secret() {
    let (sim, clock, app) = world().await;
    let wrong = client(&sim, clock, 1_000_002, "wrong-secret-12345");
    let refused = wrong.user_name("li").await.unwrap_err();
    assert_eq!((refused.code(), refused.class()), (Some(40001), Class::Configuration));
    assert!(!refused.to_string().contains("wrong-secret"), "{refused}");

    for (what, class) in [
        (json!({"name": "error", "code": -1}), Class::Retry),
        (json!({"name": "http", "status": 502}), Class::Retry),
        (json!({"name": "lost_answer"}), Class::Retry),
        (json!({"name": "error", "code": 60020}), Class::Configuration),
        (json!({"name": "error", "code": 4711}), Class::Final),
        (json!({"name": "wrong_json"}), Class::Final), // although the code is 0
    ] {
        fault(&sim, json!({"kind": what, "path": "user/get", "times": 1}));
        let error = app.user_name("li").await.unwrap_err();
        assert_eq!(error.class(), class, "{what}: {error}");
        assert!(!error.to_string().contains("access_token"), "{error}");
    }
    assert_eq!(app.user_name("li").await.unwrap(), "李销售");
    sim.stop().await;
}

#[tokio::test]
async fn nothing_is_dropped_silently() {
    let (sim, clock, client) = world().await;
    let mut sent = 0;
    let free = loop {
        match client.message_send(&["li"], "text", &json!({"content": format!("第 {sent} 条")})).await {
            Ok(_) => sent += 1,
            Err(ClientError::Limit(free)) => break free,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(sim.inbox("li").len(), sent, "all that was answered with ok is there");
    assert_eq!(free, clock.now() + SignedDuration::from_secs(60));
    clock.advance(SignedDuration::from_secs(60));
    client.message_send(&["li"], "text", &json!({"content": "又可以了"})).await.unwrap();
    assert_eq!(sim.inbox("li").len(), sent + 1);

    let outcome = client.message_send(&["zhang", "Nobody"], "text", &json!({"content": "大家好"})).await.unwrap();
    assert_eq!(outcome.invalid, ["nobody"]);
    let nobody = client.message_send(&["nobody"], "text", &json!({"content": "喂"})).await.unwrap_err();
    assert_eq!((nobody.code(), nobody.class()), (Some(81013), Class::Partial));
    sim.stop().await;
}

#[tokio::test]
async fn who_is_who() {
    let (sim, clock, app) = world().await;
    let users = app.user_ids().await.unwrap();
    assert!(users.contains(&"li".to_owned()) && !users.iter().any(|user| user.starts_with("wm")));
    assert!(app.departments().await.unwrap().iter().any(|d| d.id == 2 && d.parent == 1 && d.name == "销售部"));
    assert_eq!(app.callback_addresses().await.unwrap(), ["127.0.0.1"]);

    let archive = client(&sim, clock, 2_000_004, &sim.credentials().archive.secret);
    assert_eq!(archive.robot_name("wbSimBot").await.unwrap(), "群管");
    sim.act_json(json!({"do": "consent", "as": "wmWuHao", "agrees": false})).unwrap();
    let consents = archive.room_consents("wrVipCustomers").await.unwrap();
    assert_eq!(consents.len(), 3);
    assert!(consents.contains(&("wmWuHao".into(), false)) && consents.contains(&("wmLiuBig".into(), true)));
    let wrong = app.room_consents("wrVipCustomers").await.unwrap_err();
    assert_eq!(wrong.class(), Class::Configuration, "the app's secret does not open the archive: {wrong}");
    sim.stop().await;
}

#[tokio::test]
async fn what_is_said_twice_on_purpose_arrives_twice_and_a_repetition_once() {
    let (sim, clock, client) = world().await;
    let words = json!({"content": "您没有违规记录。"});
    let heard = || sim.inbox("li").iter().filter(|item| item["text"] == "您没有违规记录。").count();
    for _ in 0..2 {
        client.message_send(&["li"], "text", &words).await.unwrap();
    }
    assert_eq!(heard(), 2, "somebody asked the same thing again");

    fault(&sim, json!({"kind": {"name": "lost_answer"}, "path": "message/send", "times": 1}));
    let lost = client.message_send(&["li"], "text", &words).await.unwrap_err();
    assert_eq!(lost.class(), Class::Retry);
    assert_eq!(heard(), 3);
    client.message_send(&["li"], "text", &words).await.unwrap();
    assert_eq!(heard(), 3, "the repetition is not delivered");

    let after_a_crash = self::client(&sim, clock, 1_000_002, &sim.credentials().app.secret);
    after_a_crash.message_send(&["li"], "text", &words).await.unwrap();
    assert_eq!(heard(), 3, "nor one of the next process");
    sim.stop().await;
}
