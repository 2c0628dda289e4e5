use serde_json::json;

use crate::harness::{code, start};

#[tokio::test]
async fn a_script_posts_reads_moves_the_clock_and_resets() {
    let world = start().await;
    let base = world.sim.credentials().control;
    let (status, posted) =
        world.control("act", json!({"do": "post", "as": "li", "group": "wrHuadongSales", "text": "早"})).await;
    assert_eq!(status, 200, "{posted}");
    let url = format!("{base}/groups/wrHuadongSales?as=chen&after=1");
    let group: serde_json::Value = world.http.get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(group["lines"][0]["text"], "早");
    assert_eq!(group["lines"][0]["name"], "李销售");
    let (status, refused) =
        world.control("act", json!({"do": "remove", "as": "li", "group": "wrHuadongSales", "person": "chen"})).await;
    assert_eq!((status, refused["code"].as_str()), (409, Some("refused")));
    let (status, wrong) = world.control("act", json!({"do": "fly", "as": "li"})).await;
    assert_eq!((status, wrong["code"].as_str()), (400, Some("invalid_body")));
    let (_, clock) = world.control("clock", json!({"advance": "1d 2h"})).await;
    assert_eq!(clock["now"], "2026-05-05T04:00:00Z");
    let (status, _) = world.control("clock", json!({"advance": "soon"})).await;
    assert_eq!(status, 400);
    world.control("faults", json!({"kind": {"name": "slow", "ms": 1}, "path": "message/"})).await;
    world.control("reset", json!({})).await;
    let group: serde_json::Value = world.http.get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(group["lines"], json!([]));
    let state: serde_json::Value = world.http.get(format!("{base}/state")).send().await.unwrap().json().await.unwrap();
    assert_eq!((&state["faults"], &state["archive_seq"]), (&json!([]), &json!(1)), "positions go on after a reset");
}

#[tokio::test]
async fn a_form_from_a_foreign_page_is_not_heard() {
    let world = start().await;
    let url = format!("{}/act", world.sim.credentials().control);
    let body = r#"{"do":"post","as":"li","group":"wrHuadongSales","text":"早"}"#;
    let response = world.http.post(url).header("content-type", "text/plain").body(body).send().await.unwrap();
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn what_no_document_says_can_be_set() {
    let world = start().await;
    let (status, all) =
        world.control("unknowns", json!({"update_is_atomic": false, "token_calls_per_minute": 2})).await;
    assert_eq!((status, &all["token_calls_per_minute"], &all["stream_minutes"]), (200, &json!(2), &json!(6)));
    let change = json!({"chatid": "wrHuadongSales", "del_user_list": ["li", "nobody"], "add_user_list": ["ghost"]});
    assert_eq!(code(&world.post("appchat/update", change.clone()).await), 0, "the rest is done");
    let members = world.get("appchat/get?chatid=wrHuadongSales").await["chat_info"]["userlist"].clone();
    assert!(!members.as_array().unwrap().contains(&json!("li")), "{members}");
    world.control("unknowns", json!({"update_is_atomic": true})).await;
    assert_eq!(code(&world.post("appchat/update", change).await), 86216);
    let secret = world.sim.credentials().app.secret;
    assert_eq!(code(&world.token_for(&secret).await), 0);
    assert_eq!(code(&world.token_for(&secret).await), 45009);
    world.control("unknowns", json!({"token_calls_per_minute": 60, "token_checks_address": true})).await;
    world.control("faults", json!({"kind": {"name": "ip_refused"}, "times": 1})).await;
    assert_eq!(code(&world.token_for(&secret).await), 60020);
    world.control("reset", json!({})).await;
    assert_eq!(code(&world.token_for(&secret).await), 0);
    for wrong in [json!({"mute_works": true}), json!({"stream_minutes": "six"}), json!([])] {
        assert_eq!(world.control("unknowns", wrong).await.0, 400);
    }
}
