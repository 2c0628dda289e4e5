use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::{Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use qunguan::{model::SignedDuration, wecom::crypto::Crypto};
use serde_json::{Value, json};

use crate::harness::{World, code, start};

const PROJECT: &str = "wrNewProducts";
const RANDOM: [u8; 16] = *b"0123456789abcdef";

type Answer = Box<dyn Fn(&Value) -> Option<Value> + Send + Sync>;

struct Inner {
    crypto: Crypto,
    heard: Mutex<Vec<Value>>,
    answer: Answer,
}

#[derive(serde::Deserialize)]
struct Ask {
    nonce: String,
    echostr: Option<String>,
}

async fn verify(State(bot): State<Arc<Inner>>, Query(ask): Query<Ask>) -> String {
    bot.crypto.decrypt(&ask.echostr.unwrap()).unwrap()
}

async fn receive(State(bot): State<Arc<Inner>>, Query(ask): Query<Ask>, Json(body): Json<Value>) -> Response {
    let plain: Value = serde_json::from_str(&bot.crypto.decrypt(body["encrypt"].as_str().unwrap()).unwrap()).unwrap();
    let reply = (bot.answer)(&plain);
    bot.heard.lock().unwrap().push(plain);
    let Some(reply) = reply else { return ().into_response() };
    let encrypt = bot.crypto.encrypt(&reply.to_string(), RANDOM);
    let signature = bot.crypto.sign("1777860000", &ask.nonce, &encrypt);
    Json(json!({"encrypt": encrypt, "msgsignature": signature, "timestamp": 1777860000, "nonce": ask.nonce}))
        .into_response()
}

async fn bot(world: &World, answer: impl Fn(&Value) -> Option<Value> + Send + Sync + 'static) -> Arc<Inner> {
    let credentials = world.sim.credentials().bot;
    let crypto = Crypto::new(&credentials.token, &credentials.aes_key, "").unwrap();
    let inner = Arc::new(Inner { crypto, heard: Mutex::default(), answer: Box::new(answer) });
    let router = Router::new().route("/wecom/bot", get(verify).post(receive)).with_state(inner.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/wecom/bot", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    world.sim.set_callbacks(None, Some(url)).await.unwrap();
    inner
}

fn ask(world: &World, text: &str) {
    world.sim.act_json(json!({"do": "post", "as": "lin", "group": PROJECT, "text": text})).unwrap();
}

fn last_text(world: &World) -> String {
    let lines = world.sim.group(PROJECT, Some("lin")).unwrap()["lines"].clone();
    lines.as_array().unwrap().last().unwrap()["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_stream_is_asked_for_until_it_ends() {
    let world = start().await;
    let bot = bot(&world, |asked| {
        let done = asked["msgtype"] == "stream";
        let content = if done { "查好了" } else { "正在查" };
        Some(json!({"msgtype": "stream", "stream": {"id": "s-1", "finish": done, "content": content}}))
    })
    .await;
    ask(&world, "@群管 状态");
    world.sim.until(|_| (last_text(&world) == "查好了").then_some(())).await;
    let heard = bot.heard.lock().unwrap();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[1]["stream"]["id"], "s-1");
    assert!(heard[1]["response_url"].is_null(), "a refresh opens no second door");
}

#[tokio::test]
async fn the_response_url_works_once_within_an_hour_and_shows_no_cards_in_groups() {
    let world = start().await;
    let bot = bot(&world, |_| None).await;
    ask(&world, "@群管 一");
    ask(&world, "@群管 二");
    world.sim.until(|sim| (sim.deliveries().iter().filter(|d| d.accepted.is_some()).count() == 2).then_some(())).await;
    let urls: Vec<_> =
        bot.heard.lock().unwrap().iter().map(|h| h["response_url"].as_str().unwrap().to_owned()).collect();
    let post = async |url: &str, body: Value| -> i64 {
        code(&world.http.post(url).json(&body).send().await.unwrap().json().await.unwrap())
    };
    let word = json!({"msgtype": "markdown", "markdown": {"content": "记下了"}});
    let card = json!({"msgtype": "template_card", "template_card": {}});
    assert_eq!(post(&urls[0], card).await, 40008);
    assert_eq!(post(&urls[0], word.clone()).await, 0);
    assert_eq!(last_text(&world), "记下了");
    assert_eq!(post(&urls[0], word.clone()).await, 60140);
    world.sim.advance(SignedDuration::from_secs(3601));
    assert_eq!(post(&urls[1], word).await, 60140);
}

#[tokio::test]
async fn a_welcome_in_plain_text_is_for_the_first_visit_only() {
    let world = start().await;
    let _bot = bot(&world, |_| Some(json!({"msgtype": "text", "text": {"content": "你好，我是群管"}}))).await;
    world.sim.act_json(json!({"do": "enter_bot", "as": "lin"})).unwrap();
    world.sim.until(|sim| (!sim.inbox("lin").is_empty()).then_some(())).await;
    world.sim.act_json(json!({"do": "tell_bot", "as": "lin", "text": "在吗"})).unwrap();
    world.sim.until(|sim| (sim.deliveries().iter().filter(|d| d.answer.is_some()).count() == 2).then_some(())).await;
    let texts: Vec<_> = world.sim.inbox("lin").iter().map(|i| i["text"].clone()).collect();
    assert_eq!(texts, ["你好，我是群管", "在吗"], "a message is answered by a stream, never by plain text");
}

#[tokio::test]
async fn three_messages_of_one_user_at_a_time() {
    let world = start().await;
    // A stream that never ends keeps its message open for six minutes.
    let bot = bot(&world, |asked| {
        let id = asked["msgid"].as_str().unwrap().to_owned();
        Some(json!({"msgtype": "stream", "stream": {"id": id, "finish": false, "content": "正在查"}}))
    })
    .await;
    for word in ["一", "二", "三", "四"] {
        ask(&world, &format!("@群管 {word}"));
    }
    world.sim.act_json(json!({"do": "post", "as": "chen", "group": PROJECT, "text": "@群管 五"})).unwrap();
    let first = |heard: &[Value]| -> Vec<String> {
        let texts = heard.iter().filter_map(|h| h["text"]["content"].as_str());
        texts.map(|text| text.trim_start_matches("@群管 ").to_owned()).collect()
    };
    world.sim.until(|_| first(&bot.heard.lock().unwrap()).contains(&"五".to_owned()).then_some(())).await;
    let mut texts = first(&bot.heard.lock().unwrap());
    texts.sort();
    assert_eq!(texts, ["一", "三", "二", "五"], "the fourth is not delivered, another person's is");
    world.sim.advance(SignedDuration::from_secs(361));
    world.sim.until(|sim| sim.deliveries().iter().all(|d| d.accepted.is_some()).then_some(())).await;
}
