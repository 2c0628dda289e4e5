use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::{Query, State},
    routing::get,
};
use serde_json::json;

use crate::harness::{World, start};

/// A receiver that answers the verification and then what the test says, by the number of the call.
pub struct Bot {
    pub bodies: Arc<Mutex<Vec<String>>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Inner {
    bodies: Arc<Mutex<Vec<String>>>,
    status: Box<dyn Fn(usize) -> u16 + Send + Sync>,
    aes_key: String,
}

#[derive(serde::Deserialize)]
struct Echo {
    echostr: String,
}

impl Bot {
    /// Starts it and makes it the app's callback address.
    pub async fn start(world: &World, status: impl Fn(usize) -> u16 + Send + Sync + 'static) -> Self {
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let aes_key = world.sim.credentials().app.aes_key;
        let inner = Arc::new(Inner { bodies: bodies.clone(), status: Box::new(status), aes_key });
        let router = Router::new().route("/wecom/app", get(verify).post(receive)).with_state(inner);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/wecom/app", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        world.sim.set_callbacks(Some(url), None).await.unwrap();
        Self { bodies, server }
    }
}

async fn verify(State(bot): State<Arc<Inner>>, Query(Echo { echostr }): Query<Echo>) -> String {
    open(&bot.aes_key, &echostr)
}

async fn receive(State(bot): State<Arc<Inner>>, body: String) -> axum::http::StatusCode {
    let mut bodies = bot.bodies.lock().unwrap();
    let encrypt = body.split("<Encrypt><![CDATA[").nth(1).unwrap().split("]]>").next().unwrap();
    bodies.push(open(&bot.aes_key, encrypt));
    axum::http::StatusCode::from_u16((bot.status)(bodies.len())).unwrap()
}

/// Decrypts as `receiving.md` §1.3 says, step by step.
fn open(aes_key: &str, encrypt: &str) -> String {
    use aes::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::NoPadding};
    use base64::{Engine, engine::general_purpose::STANDARD};
    let config = base64::engine::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let lenient = base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let key = lenient.decode(format!("{aes_key}=")).unwrap();
    let mut data = STANDARD.decode(encrypt).unwrap();
    let cipher = cbc::Decryptor::<aes::Aes256>::new_from_slices(&key, &key[..16]).unwrap();
    let plain = cipher.decrypt_padded::<NoPadding>(&mut data).unwrap();
    let length = u32::from_be_bytes(plain[16..20].try_into().unwrap()) as usize;
    String::from_utf8(plain[20..20 + length].to_vec()).unwrap()
}

#[tokio::test]
async fn an_address_that_does_not_answer_is_not_saved() {
    let world = start().await;
    assert!(world.sim.set_callbacks(Some("http://127.0.0.1:9/wecom/app".into()), None).await.is_err());
    let bot = Bot::start(&world, |_| 200).await;
    world.sim.act_json(json!({"do": "tell_app", "as": "li", "text": "你好"})).unwrap();
    world.sim.until(|sim| sim.deliveries().iter().any(|d| d.accepted == Some(true)).then_some(())).await;
    let bodies = bot.bodies.lock().unwrap();
    assert!(bodies[0].contains("<Content><![CDATA[你好]]></Content><MsgId>73"), "{}", bodies[0]);
}

#[tokio::test]
async fn three_tries_with_the_same_message_id_then_never_again() {
    let world = start().await;
    let bot = Bot::start(&world, |_| 500).await;
    world.sim.act_json(json!({"do": "tell_app", "as": "li", "text": "在吗"})).unwrap();
    let done = world.sim.until(|sim| sim.deliveries().iter().find(|d| d.accepted == Some(false)).cloned()).await;
    assert_eq!(done.tries, ["500", "500", "500"]);
    let bodies = bot.bodies.lock().unwrap();
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|b| *b == bodies[0]));
}

#[tokio::test]
async fn a_press_reaches_the_app_with_the_presser_and_a_new_code() {
    let world = start().await;
    let bot = Bot::start(&world, |call| if call == 1 { 503 } else { 200 }).await;
    let card = json!({"touser": "wang|zhang", "msgtype": "template_card", "agentid": 1000002, "template_card": {
        "card_type": "vote_interaction", "task_id": "ack-7", "main_title": {"title": "消防演练"},
        "checkbox": {"question_key": "q", "mode": 0, "option_list": [{"id": "read", "text": "已读"}]},
        "submit_button": {"text": "提交", "key": "submit"}}});
    assert_eq!(world.post("message/send", card).await["errcode"], 0);
    let press = json!({"do": "press", "as": "zhang", "task_id": "ack-7", "key": "submit", "selected": {"q": ["read"]}});
    let code = world.sim.act_json(press).unwrap()["response_code"].clone();
    let done = world.sim.until(|sim| sim.deliveries().into_iter().find(|d| d.accepted.is_some())).await;
    assert_eq!(done.tries, ["503", "200"]);
    let plain = bot.bodies.lock().unwrap()[1].clone();
    for part in ["<FromUserName><![CDATA[zhang]]>", "template_card_event", "<OptionId><![CDATA[read]]></OptionId>"] {
        assert!(plain.contains(part), "{plain}");
    }
    let change = json!({"userids": ["zhang"], "agentid": 1000002, "response_code": code,
        "button": {"replace_name": "已确认"}});
    assert_eq!(world.post("message/update_template_card", change).await["errcode"], 0);
    assert_eq!(world.sim.inbox("zhang")[0]["frozen"], "已确认");
    assert!(world.sim.inbox("wang")[0]["frozen"].is_null(), "only the named one sees the change");
}

#[tokio::test]
async fn a_customer_group_tells_who_went_and_whether_by_force() {
    let world = start().await;
    let bot = Bot::start(&world, |_| 200).await;
    let group = "wrVipCustomers";
    let refused = json!({"do": "remove", "as": "wmWuHao", "group": group, "person": "wmLiuBig"});
    assert!(world.sim.act_json(refused).is_err(), "only owner and admins remove");
    world.sim.act_json(json!({"do": "remove", "as": "wang", "group": group, "person": "wmLiuBig"})).unwrap();
    world.sim.until(|sim| (sim.deliveries().len() == 1 && sim.deliveries()[0].accepted.is_some()).then_some(())).await;
    world.sim.act_json(json!({"do": "leave", "as": "wmWuHao", "group": group})).unwrap();
    world.sim.until(|sim| (sim.deliveries().len() == 2 && sim.deliveries()[1].accepted.is_some()).then_some(())).await;
    let bodies = bot.bodies.lock().unwrap();
    assert!(bodies[0].contains("<QuitScene>1</QuitScene><MemChangeCnt>1</MemChangeCnt>"), "{}", bodies[0]);
    assert!(bodies[0].contains("<MemChangeList><Item><![CDATA[wmLiuBig]]></Item></MemChangeList>"));
    assert!(bodies[1].contains("<QuitScene>0</QuitScene>"));
    let version = |body: &str, tag: &str| body.split(tag).nth(1).unwrap()[9..41].to_owned();
    assert_eq!(version(&bodies[0], "<CurMemVer>"), version(&bodies[1], "<LastMemVer>"), "no gap between the two");
}

#[tokio::test]
async fn the_archive_wakes_the_bot_at_most_every_fifteen_seconds() {
    let world = start().await;
    let bot = Bot::start(&world, |_| 200).await;
    let say = |text: &str| {
        let act = json!({"do": "post", "as": "li", "group": "wrHuadongSales", "text": text});
        world.sim.act_json(act).unwrap();
    };
    say("一");
    world.sim.until(|sim| sim.deliveries().first().filter(|d| d.accepted.is_some()).map(|_| ())).await;
    say("二");
    say("三");
    assert_eq!(world.sim.deliveries().len(), 1, "the window is still open");
    world.sim.advance(qunguan::model::SignedDuration::from_secs(15));
    world.sim.until(|sim| sim.deliveries().get(1).filter(|d| d.accepted.is_some()).map(|_| ())).await;
    assert_eq!(world.sim.deliveries().len(), 2, "one for both");
    assert!(bot.bodies.lock().unwrap().iter().all(|b| b.contains("msgaudit_notify")));
    let texts: Vec<_> = world.sim.archive(0, 100).iter().map(|e| e.message["text"]["content"].clone()).collect();
    assert_eq!(texts, ["一", "二", "三"]);
}

#[tokio::test]
async fn member_lists_in_the_other_spelling_and_events_nobody_knows() {
    let world = start().await;
    let bot = Bot::start(&world, |_| 200).await;
    let comma = qunguan::simulator::FaultKind::CommaLists;
    world.sim.fault(qunguan::simulator::Fault { kind: comma, path: None, times: Some(1) });
    let invite = json!({"do": "invite", "as": "wang", "group": "wrVipCustomers", "people": ["li", "chen"]});
    world.sim.act_json(invite).unwrap();
    world.sim.until(|sim| sim.deliveries().first().filter(|d| d.accepted.is_some()).map(|_| ())).await;
    world.sim.act_json(json!({"do": "event_raw", "xml": "<xml><Event>moon_rise</Event></xml>"})).unwrap();
    world.sim.until(|sim| sim.deliveries().get(1).filter(|d| d.accepted.is_some()).map(|_| ())).await;
    let bodies = bot.bodies.lock().unwrap();
    assert!(bodies[0].contains("<MemChangeList><![CDATA[li,chen]]></MemChangeList>"), "{}", bodies[0]);
    assert!(bodies[1].contains("moon_rise"));
}

#[tokio::test]
async fn a_forged_copy_comes_before_the_real_one() {
    let world = start().await;
    let _bot = Bot::start(&world, |_| 200).await;
    let forged = qunguan::simulator::FaultKind::CallbackForged;
    world.sim.fault(qunguan::simulator::Fault { kind: forged, path: None, times: Some(1) });
    world.sim.act_json(json!({"do": "tell_app", "as": "li", "text": "你好"})).unwrap();
    let done = world.sim.until(|sim| sim.deliveries().into_iter().find(|d| d.accepted.is_some())).await;
    assert_eq!(done.tries, ["200", "200"], "this bot checks no signature");
}

#[tokio::test]
async fn an_answer_to_the_verification_that_is_late_or_dressed_up_is_refused() {
    use qunguan::simulator::Config;
    let config = Config { verify_timeout: std::time::Duration::from_secs(3), ..Config::default() };
    let world = crate::harness::start_with(config).await;
    let aes_key = world.sim.credentials().app.aes_key;
    let plain = move |echo: &str| open(&aes_key, echo);
    let quoted = plain.clone();
    let router = Router::new()
        .route("/late", get(std::future::pending::<String>))
        .route("/quoted", get(|Query(Echo { echostr }): Query<Echo>| async move { format!("{:?}", quoted(&echostr)) }))
        .route("/newline", get(|Query(Echo { echostr }): Query<Echo>| async move { plain(&echostr) + "\n" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    for (path, why) in [("late", "within"), ("quoted", "bare echo"), ("newline", "bare echo")] {
        let refused = world.sim.set_callbacks(Some(format!("{base}/{path}")), None).await.unwrap_err();
        assert!(refused.0.contains(why), "{path}: {}", refused.0);
    }
}
