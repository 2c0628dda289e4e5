use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use qunguan::{
    model::{Clock, ShiftedClock, SignedDuration},
    simulator::{self, Handle, Simulator},
    wecom::{
        callback::BotEvent,
        client::ClientError,
        socket::{BotSocket, Chat, Config, Incoming, Status, bot_socket},
    },
};
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt,
    sync::{mpsc, watch},
};
use tokio_tungstenite::tungstenite::Message;

/// Internal group with the bot in it.
const GROUP: &str = "wrNewProducts";

struct Client {
    socket: Arc<BotSocket>,
    incoming: mpsc::Receiver<Incoming>,
    stop: watch::Sender<bool>,
    run: tokio::task::JoinHandle<Status>,
}

fn connect(config: Config, clock: Arc<ShiftedClock>) -> Client {
    let (socket, driver) = bot_socket(config, clock);
    let (sender, incoming) = mpsc::channel(16);
    let (stop, stopped) = watch::channel(false);
    Client { socket, incoming, stop, run: tokio::spawn(driver.run(sender, stopped)) }
}

impl Client {
    async fn until(&self, wanted: impl FnMut(&Status) -> bool) -> Status {
        self.socket.status().wait_for(wanted).await.unwrap().clone()
    }
    async fn ready(&self) {
        self.until(|status| *status == Status::Ready).await;
    }
    async fn heard(&mut self) -> Incoming {
        self.incoming.recv().await.unwrap()
    }
}

async fn world() -> (Handle, Arc<ShiftedClock>, Config) {
    let clock = Arc::new(ShiftedClock::fixed("2026-05-04T10:00:00+08:00".parse().unwrap()));
    let sim = Simulator::start(simulator::Config::default(), clock.clone()).await.unwrap();
    let bot = sim.credentials().bot;
    let mut config = Config::new(&bot.socket_url, &bot.bot_id, bot.secret.into());
    config.first_pause = Duration::from_millis(5);
    config.longest_pause = Duration::from_millis(20);
    (sim, clock, config)
}

fn ask(sim: &Handle) {
    sim.act_json(json!({"do": "post", "as": "lin", "group": GROUP, "text": "@群管 我的状态"})).unwrap();
}

/// How often the group shows these words.
fn shown(sim: &Handle, words: &str) -> usize {
    sim.group(GROUP, None).unwrap().to_string().matches(words).count()
}

async fn trouble(sim: &Handle, what: &str) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.post(format!("{}/bot/{what}", sim.credentials().control)).json(&json!({})).send().await.unwrap();
    assert!(answer.status().is_success());
}

#[tokio::test]
async fn hears_answers_and_pushes() {
    let (sim, clock, config) = world().await;
    let mut bot = connect(config, clock.clone());
    bot.ready().await;
    let too_early = bot.socket.say(Chat::Group(GROUP), "有人吗").await.unwrap_err();
    assert_eq!(too_early.code(), Some(93001), "nobody has talked to the bot there: {too_early}");

    ask(&sim);
    let asked = bot.heard().await;
    assert_eq!((asked.callback.chat.as_deref(), asked.callback.from.as_str()), (Some(GROUP), "lin"));
    assert!(matches!(&asked.callback.what, BotEvent::Message { text, .. } if text == "@群管 我的状态"));
    let answer = json!({"msgtype": "stream", "stream": {"id": "s1", "finish": true, "content": "没有记分"}});
    bot.socket.reply(&asked, &answer).await.unwrap();
    bot.socket.say(Chat::Group(GROUP), "**提醒** 明天开会").await.unwrap();
    assert_eq!((shown(&sim, "没有记分"), shown(&sim, "明天开会")), (1, 1));

    // Our own meter stops before WeCom's 30 a minute, where messages would be refused or lost.
    let mut sent = 0;
    let free = loop {
        match bot.socket.say(Chat::Group(GROUP), "报数").await {
            Ok(()) => sent += 1,
            Err(ClientError::Limit(free)) => break free,
            Err(other) => panic!("{other}"),
        }
        assert!(sent < 40);
    };
    assert_eq!(shown(&sim, "报数"), sent, "what was accepted is there, and WeCom has dropped nothing");
    assert_eq!(free, clock.now() + SignedDuration::from_secs(60));
    clock.advance(SignedDuration::from_secs(60));
    bot.socket.say(Chat::Group(GROUP), "又可以了").await.unwrap();

    bot.stop.send_replace(true);
    assert_eq!(bot.run.await.unwrap(), Status::Stopped);
    sim.stop().await;
}

#[tokio::test]
async fn comes_back_after_a_break_and_sends_again_after_a_lost_subscription() {
    let (sim, clock, config) = world().await;
    let mut bot = connect(config, clock);
    bot.ready().await;
    ask(&sim);
    bot.heard().await;

    let mut status = bot.socket.status();
    status.mark_unchanged();
    trouble(&sim, "disconnect").await;
    status.wait_for(|s| matches!(s, Status::Connecting(_))).await.unwrap();
    bot.socket.say(Chat::Group(GROUP), "断线之后").await.unwrap();
    assert_eq!(shown(&sim, "断线之后"), 1);

    trouble(&sim, "forget").await;
    bot.socket.say(Chat::Group(GROUP), "订阅丢失之后").await.unwrap();
    assert_eq!(shown(&sim, "订阅丢失之后"), 1, "refused once, sent again once");
    ask(&sim);
    bot.heard().await;
    sim.stop().await;
}

#[tokio::test]
async fn gives_way_to_a_newer_instance_and_stays_away() {
    let (sim, clock, config) = world().await;
    let first = connect(config.clone(), clock.clone());
    first.ready().await;
    let mut second = connect(config, clock);
    second.ready().await;
    assert_eq!(first.run.await.unwrap(), Status::Replaced);
    let refused = first.socket.say(Chat::Group(GROUP), "还在吗").await.unwrap_err();
    assert!(refused.to_string().contains("another instance"), "{refused}");
    ask(&sim);
    second.heard().await;
    sim.stop().await;
}

#[tokio::test]
async fn a_wrong_secret_is_said_and_not_hammered() {
    let (sim, clock, mut config) = world().await;
    config.secret = "wrong".into();
    let bot = connect(config, clock);
    let status = bot.until(|status| !matches!(status, Status::Connecting(_))).await;
    assert!(matches!(&status, Status::Refused(error) if error.code == 40001), "{status:?}");
    assert_eq!(bot.socket.say(Chat::Person("lin"), "在吗").await.unwrap_err().code(), Some(40001));
    bot.stop.send_replace(true);
    assert_eq!(bot.run.await.unwrap(), Status::Stopped, "a stop does not wait for the pause");
    sim.stop().await;
}

/// A peer that accepts the subscription and then does what `then` says; tells of every connection.
async fn peer(then: fn(&Value) -> Option<Value>) -> (String, mpsc::Receiver<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let (sender, connections) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut ws = tokio_tungstenite::accept_async(stream).await.unwrap();
                let _ = sender.send(()).await;
                while let Some(Ok(Message::Text(text))) = ws.next().await {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    let answer = if frame["cmd"] == "aibot_subscribe" {
                        Some(json!({"headers": frame["headers"], "errcode": 0, "errmsg": "ok"}))
                    } else {
                        then(&frame)
                    };
                    if let Some(answer) = answer
                        && ws.send(Message::text(answer.to_string())).await.is_err()
                    {
                        break;
                    }
                }
            });
        }
    });
    (url, connections)
}

#[tokio::test]
async fn a_peer_that_does_not_answer_pings_is_left() {
    let (url, mut connections) = peer(|_| None).await;
    let mut config = Config::new(&url, "B", "s".into());
    config.ping = Duration::from_millis(10);
    config.first_pause = Duration::from_millis(5);
    let _bot = connect(config, Arc::new(ShiftedClock::new()));
    for _ in 0..3 {
        connections.recv().await.unwrap();
    }
}

#[tokio::test]
async fn half_a_character_is_mended_and_the_connection_stays() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let peer = tokio::spawn(async move {
        let mut ws = tokio_tungstenite::accept_async(listener.accept().await.unwrap().0).await.unwrap();
        let asked: Value = serde_json::from_str(ws.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
        ws.send(Message::text(json!({"headers": asked["headers"], "errcode": 0}).to_string())).await.unwrap();
        // A text frame in two parts, cut inside a character that is not whole.
        let said = json!({"cmd": "aibot_msg_callback", "headers": {"req_id": "R1"}, "body": {"msgid": "m1",
            "aibotid": "B", "chattype": "single", "from": {"userid": "lin"}, "msgtype": "text",
            "text": {"content": "我的状态#"}}});
        let said = said.to_string().into_bytes();
        let at = said.iter().position(|byte| *byte == b'#').unwrap();
        let (begin, end) = ([&said[..at], b"\xe5"].concat(), [b"\xbe", &said[at + 1..]].concat());
        for (first, part) in [(0x01, begin), (0x80, end)] {
            let mut frame = vec![first, 126];
            frame.extend((part.len() as u16).to_be_bytes());
            frame.extend(part);
            ws.get_mut().write_all(&frame).await.unwrap();
        }
        let answer: Value = serde_json::from_str(ws.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
        ws.send(Message::text(json!({"headers": answer["headers"], "errcode": 0}).to_string())).await.unwrap();
        answer
    });
    let mut bot = connect(Config::new(&url, "B", "s".into()), Arc::new(ShiftedClock::new()));
    let said = bot.heard().await;
    assert!(matches!(&said.callback.what, BotEvent::Message { text, .. } if text == "我的状态\u{fffd}"), "{said:?}");
    let answer = json!({"msgtype": "stream", "stream": {"id": "s1", "finish": true, "content": "好"}});
    bot.socket.reply(&said, &answer).await.unwrap();
    assert_eq!(peer.await.unwrap()["headers"]["req_id"], "R1", "over the same connection");
}

#[tokio::test]
async fn odd_frames_do_no_harm() {
    let (url, _connections) = peer(|frame| {
        Some(match frame["cmd"].as_str() {
            // In place of an answer: an event without an id, then nothing that anybody waits for.
            Some("ping") => json!({"cmd": "aibot_event_callback", "headers": {}, "body": {"msgtype": "event"}}),
            _ => json!({"headers": frame["headers"], "errcode": 45009, "errmsg": "api freq out of limit, hint: [1]"}),
        })
    })
    .await;
    let mut config = Config::new(&url, "B", "s".into());
    config.ping = Duration::from_millis(10);
    let bot = connect(config, Arc::new(ShiftedClock::new()));
    bot.ready().await;
    let error = bot.socket.say(Chat::Group("wr1"), "喂").await.unwrap_err();
    assert!(
        matches!(&error, ClientError::Api(e) if e.code == 45009 && e.message == "api freq out of limit"),
        "{error}"
    );
}
