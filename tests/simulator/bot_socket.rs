use futures_util::{SinkExt, StreamExt};
use qunguan::model::SignedDuration;
use serde_json::{Value, json};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

use crate::harness::{World, code, start};

const PROJECT: &str = "wrNewProducts";

struct Bot {
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    pushed: Vec<Value>,
    last: u32,
}

impl Bot {
    async fn connect(world: &World) -> Self {
        let url = world.sim.credentials().bot.socket_url;
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        Self { socket, pushed: Vec::new(), last: 0 }
    }
    async fn subscribed(world: &World) -> Self {
        let mut bot = Self::connect(world).await;
        let credentials = world.sim.credentials().bot;
        let body = json!({"bot_id": credentials.bot_id, "secret": credentials.secret});
        assert_eq!(bot.call("aibot_subscribe", body).await["errcode"], 0);
        bot
    }
    async fn frame(&mut self) -> Option<Value> {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => Some(serde_json::from_str(&text).unwrap()),
            _ => None,
        }
    }
    async fn call(&mut self, cmd: &str, body: Value) -> Value {
        self.last += 1;
        let req_id = format!("{cmd}_{}", self.last);
        self.call_as(cmd, &req_id, body).await
    }
    async fn call_as(&mut self, cmd: &str, req_id: &str, body: Value) -> Value {
        let frame = json!({"cmd": cmd, "headers": {"req_id": req_id}, "body": body});
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
        loop {
            let frame = self.frame().await.expect("an answer");
            if frame["cmd"].is_null() {
                assert_eq!(frame["headers"]["req_id"], req_id);
                return frame;
            }
            self.pushed.push(frame);
        }
    }
    async fn pushed(&mut self) -> Value {
        if self.pushed.is_empty() { self.frame().await.expect("a frame") } else { self.pushed.remove(0) }
    }
}

fn say(world: &World, text: &str) {
    world.sim.act_json(json!({"do": "post", "as": "lin", "group": PROJECT, "text": text})).unwrap();
}

fn last_line(world: &World) -> Value {
    world.sim.group(PROJECT, Some("lin")).unwrap()["lines"].as_array().unwrap().last().unwrap().clone()
}

#[tokio::test]
async fn only_who_subscribes_is_heard() {
    let world = start().await;
    let mut bot = Bot::connect(&world).await;
    assert_eq!(bot.call("ping", Value::Null).await["errcode"], 0);
    assert_eq!(bot.call("aibot_send_msg", json!({"chatid": PROJECT})).await["errcode"], 846_609);
    assert_eq!(bot.call("aibot_subscribe", json!({"bot_id": "aibSimBot", "secret": "no"})).await["errcode"], 40001);
}

#[tokio::test]
async fn an_at_is_answered_by_a_growing_stream() {
    let world = start().await;
    let mut bot = Bot::subscribed(&world).await;
    say(&world, "没有叫机器人");
    say(&world, "@群管 状态");
    let frame = bot.pushed().await;
    assert_eq!(frame["cmd"], "aibot_msg_callback");
    assert_eq!(
        frame["body"]["text"],
        json!({"content": "@群管 状态"}),
        "what does not mention the bot is not delivered"
    );
    let req_id = frame["headers"]["req_id"].as_str().unwrap().to_owned();
    let part = |content: &str, finish: bool| json!({"msgtype": "stream", "stream": {"id": "s1", "finish": finish, "content": content}});
    assert_eq!(bot.call_as("aibot_respond_msg", &req_id, part("正在查", false)).await["errcode"], 0);
    assert_eq!(bot.call_as("aibot_respond_msg", &req_id, part("正在查…好了", true)).await["errcode"], 0);
    assert_eq!(last_line(&world)["text"], "正在查…好了");
    assert_eq!(bot.call_as("aibot_respond_msg", &req_id, part("还有", true)).await["errcode"], 846_608);
    assert_eq!(bot.call_as("aibot_respond_msg", "R-unknown", part("谁", true)).await["errcode"], 846_605);
    say(&world, "@群管 再来");
    let req_id = bot.pushed().await["headers"]["req_id"].as_str().unwrap().to_owned();
    world.sim.advance(SignedDuration::from_hours(25));
    let late = json!({"msgtype": "stream", "stream": {"id": "s2", "finish": true, "content": "迟到"}});
    assert_eq!(bot.call_as("aibot_respond_msg", &req_id, late).await["errcode"], 846_605);
}

#[tokio::test]
async fn whether_a_stream_may_bring_a_card_is_a_switch() {
    let world = start().await;
    let mut bot = Bot::subscribed(&world).await;
    let card = json!({"card_type": "button_interaction", "task_id": "t1", "main_title": {"title": "请看"},
        "button_list": [{"text": "好", "key": "ok"}]});
    let answer = json!({"msgtype": "stream_with_template_card", "template_card": card,
        "stream": {"id": "s1", "finish": true, "content": "结果如下"}});
    say(&world, "@群管 结果");
    let req_id = bot.pushed().await["headers"]["req_id"].as_str().unwrap().to_owned();
    assert_eq!(bot.call_as("aibot_respond_msg", &req_id, answer.clone()).await["errcode"], 40008);
    world.control("unknowns", json!({"stream_with_card": true})).await;
    assert_eq!(bot.call_as("aibot_respond_msg", &req_id, answer).await["errcode"], 0);
    let lines = world.sim.group(PROJECT, Some("lin")).unwrap()["lines"].as_array().unwrap().clone();
    let [.., words, card] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((&words["text"], &card["card"]["main_title"]["title"]), (&json!("结果如下"), &json!("请看")));
}

#[tokio::test]
async fn a_stream_that_takes_longer_than_six_minutes_is_cut() {
    let world = start().await;
    let mut bot = Bot::subscribed(&world).await;
    say(&world, "@群管 慢慢来");
    let req_id = bot.pushed().await["headers"]["req_id"].as_str().unwrap().to_owned();
    let part = json!({"msgtype": "stream", "stream": {"id": "s", "finish": false, "content": "…"}});
    assert_eq!(bot.call_as("aibot_respond_msg", &req_id, part.clone()).await["errcode"], 0);
    world.sim.advance(SignedDuration::from_secs(361));
    assert_eq!(bot.call_as("aibot_respond_msg", &req_id, part).await["errcode"], 846_608);
}

#[tokio::test]
async fn pushes_need_an_acquaintance_and_are_metered() {
    let world = start().await;
    let mut bot = Bot::subscribed(&world).await;
    let push = json!({"chatid": PROJECT, "chat_type": 2, "msgtype": "markdown", "markdown": {"content": "提醒"}});
    assert_eq!(bot.call("aibot_send_msg", push.clone()).await["errcode"], 93001);
    say(&world, "@群管 你好");
    for _ in 0..30 {
        assert_eq!(bot.call("aibot_send_msg", push.clone()).await["errcode"], 0);
    }
    assert_eq!(bot.call("aibot_send_msg", push.clone()).await["errcode"], 45009);
    world.sim.advance(SignedDuration::from_secs(60));
    assert_eq!(bot.call("aibot_send_msg", push).await["errcode"], 0);
    let lower =
        json!({"chatid": PROJECT.to_lowercase(), "chat_type": 2, "msgtype": "markdown", "markdown": {"content": "x"}});
    assert_eq!(bot.call("aibot_send_msg", lower).await["errcode"], 93006, "chat ids are case-sensitive");
    let text = json!({"chatid": PROJECT, "chat_type": 2, "msgtype": "text", "text": {"content": "x"}});
    assert_eq!(bot.call("aibot_send_msg", text).await["errcode"], 40008);
}

#[tokio::test]
async fn a_command_is_refused_with_whatever_code_a_test_wants() {
    let world = start().await;
    let mut bot = Bot::subscribed(&world).await;
    let push = json!({"chatid": PROJECT, "chat_type": 2, "msgtype": "markdown", "markdown": {"content": "好"}});
    world.control("unknowns", json!({"never_talked_code": 846_602})).await;
    assert_eq!(bot.call("aibot_send_msg", push.clone()).await["errcode"], 846_602);
    say(&world, "@群管 在吗");
    bot.pushed().await;
    world
        .control("faults", json!({"kind": {"name": "error", "code": 846_601}, "path": "aibot_send_msg", "times": 1}))
        .await;
    assert_eq!(bot.call("aibot_send_msg", push.clone()).await["errcode"], 846_601);
    assert_eq!(bot.call("aibot_send_msg", push).await["errcode"], 0);
}

#[tokio::test]
async fn a_pressed_card_names_its_presser_and_changes_within_five_seconds() {
    let world = start().await;
    let mut bot = Bot::subscribed(&world).await;
    say(&world, "@群管 通知");
    bot.pushed().await;
    let card = |text: &str| {
        json!({"card_type": "button_interaction", "task_id": "ack-1", "main_title": {"title": "消防演练"},
            "button_list": [{"text": text, "style": 1, "key": "ack"}]})
    };
    let push =
        json!({"chatid": PROJECT, "chat_type": 2, "msgtype": "template_card", "template_card": card("我已知悉")});
    assert_eq!(bot.call("aibot_send_msg", push.clone()).await["errcode"], 0);
    assert_eq!(bot.call("aibot_send_msg", push).await["errcode"], 42014);
    let press = json!({"do": "press", "as": "chen", "group": PROJECT, "task_id": "ack-1", "key": "ack"});
    world.sim.act_json(press.clone()).unwrap();
    let event = bot.pushed().await;
    assert_eq!(event["body"]["from"]["userid"], "chen");
    assert_eq!(event["body"]["event"]["template_card_event"]["event_key"], "ack");
    let req_id = event["headers"]["req_id"].as_str().unwrap().to_owned();
    let reply = json!({"msgtype": "markdown", "markdown": {"content": "x"}});
    assert_eq!(bot.call_as("aibot_respond_msg", &req_id, reply).await["errcode"], 846_605, "an event is no message");
    let change = json!({"response_type": "update_template_card", "userids": ["chen"], "template_card": card("已确认")});
    assert_eq!(bot.call_as("aibot_respond_update_msg", &req_id, change.clone()).await["errcode"], 0);
    let seen = |who: &str| {
        let lines = world.sim.group(PROJECT, Some(who)).unwrap()["lines"].clone();
        lines.as_array().unwrap().last().unwrap()["card"]["button_list"][0]["text"].clone()
    };
    assert_eq!((seen("chen"), seen("lin")), (json!("已确认"), json!("我已知悉")));
    world.sim.act_json(press).unwrap();
    let req_id = bot.pushed().await["headers"]["req_id"].as_str().unwrap().to_owned();
    world.sim.advance(SignedDuration::from_secs(6));
    assert_eq!(bot.call_as("aibot_respond_update_msg", &req_id, change).await["errcode"], 846_605);
}

#[tokio::test]
async fn the_newer_connection_wins_and_the_older_one_is_told() {
    let world = start().await;
    let mut old = Bot::subscribed(&world).await;
    let mut new = Bot::subscribed(&world).await;
    let goodbye = old.frame().await.unwrap();
    assert_eq!(goodbye["body"]["event"]["eventtype"], "disconnected_event");
    assert!(old.frame().await.is_none(), "closed by the server");
    say(&world, "@群管 在吗");
    assert_eq!(new.pushed().await["body"]["from"]["userid"], "lin");
    let (status, _) = world.control("bot/forget", json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(new.call("aibot_send_msg", json!({"chatid": PROJECT})).await["errcode"], 846_609);
}

#[tokio::test]
async fn a_file_arrives_in_pieces_in_any_order() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let world = start().await;
    let mut bot = Bot::subscribed(&world).await;
    let init = json!({"type": "file", "filename": "台账.csv", "total_size": 12, "total_chunks": 2});
    let id = bot.call("aibot_upload_media_init", init).await["body"]["upload_id"].clone();
    let piece = |index: u32, bytes: &[u8]| json!({"upload_id": id, "chunk_index": index, "base64_data": STANDARD.encode(bytes)});
    assert_eq!(bot.call("aibot_upload_media_chunk", piece(1, b"world!")).await["errcode"], 0);
    assert_eq!(bot.call("aibot_upload_media_finish", json!({"upload_id": id})).await["errcode"], 40058);
    assert_eq!(bot.call("aibot_upload_media_chunk", piece(0, b"hello ")).await["errcode"], 0);
    let done = bot.call("aibot_upload_media_finish", json!({"upload_id": id})).await;
    let media = done["body"]["media_id"].as_str().unwrap();
    let url =
        format!("{}/cgi-bin/media/get?access_token={}&media_id={media}", world.sim.credentials().api_base, world.token);
    assert_eq!(world.http.get(url).send().await.unwrap().text().await.unwrap(), "hello world!");
}

#[tokio::test]
async fn who_neither_speaks_nor_pings_is_let_go() {
    let config = qunguan::simulator::Config {
        socket_silence: std::time::Duration::from_secs(1),
        ..qunguan::simulator::Config::default()
    };
    let world = crate::harness::start_with(config).await;
    let mut bot = Bot::subscribed(&world).await;
    assert!(bot.frame().await.is_none(), "the platform closes");
}

#[tokio::test]
async fn userids_are_encrypted_unless_a_super_administrator_created_the_bot() {
    let world = start().await;
    let convert = "batch/openuserid_to_userid";
    let mut bot = Bot::subscribed(&world).await;
    let mut heard_from = async |world: &World| {
        say(world, "@群管 帮助");
        bot.pushed().await["body"]["from"]["userid"].as_str().unwrap().to_owned()
    };
    assert_eq!(heard_from(&world).await, "lin");
    world.sim.act_json(json!({"do": "bot_creator", "super_administrator": false})).unwrap();
    let open = heard_from(&world).await;
    assert!(open.starts_with("wo") && open.len() == 32, "{open}");
    let answer = world.post(convert, json!({"open_userid_list": [open, "lin", "nobody"]})).await;
    assert_eq!(answer["userid_list"], json!([{"open_userid": open, "userid": "lin"}]));
    assert_eq!(answer["invalid_open_userid_list"], json!(["lin", "nobody"]));
    assert_eq!(code(&world.post(convert, json!({"open_userid_list": []})).await), 40058);
    assert_eq!(code(&world.post(convert, json!({"open_userid_list": vec!["x"; 1001]})).await), 40058);
    world.control("unknowns", json!({"socket_encrypts_ids": false})).await;
    assert_eq!(heard_from(&world).await, "lin", "nobody knows whether the socket does so too");
    world.sim.act_json(json!({"do": "rights", "departments": []})).unwrap();
    assert_eq!(world.post(convert, json!({"open_userid_list": [open]})).await["userid_list"], json!([]));
}
