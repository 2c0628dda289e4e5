//! The smart bot's long connection (智能机器人长连接): members' words and presses come in, answers and pushes go out, without
//! a public address (receiving.md §4).
//!
//! Reconnects by itself with growing pauses, except when another instance has taken the bot over: then it stays down,
//! because two instances would throw each other out for ever. Frames missed meanwhile are lost; WeCom does not repeat them.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot, watch},
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Message,
        protocol::{Role, WebSocketConfig},
    },
};

use super::{
    callback::{self, BotCallback, BotEvent},
    client::{ClientError, install_tls},
    errors::{ApiError, Credential, stable_message},
    limits::{self, Meter},
    mend,
    text_frames::TextAsBytes,
};
use crate::clock::Clock;

/// WeCom forgot that this open connection is subscribed.
const NOT_SUBSCRIBED: i64 = 846_609;
/// The callback cannot be answered this way.
const BAD_REQUEST_ID: i64 = 846_605;
/// Opening the connection may take so long.
const CONNECT: Duration = Duration::from_secs(10);
/// WeCom acknowledges within so long.
const ACKNOWLEDGED: Duration = Duration::from_secs(5);
/// A call waits so long for a connection that is being made.
const PATIENCE: Duration = Duration::from_secs(10);
/// Larger frames end the connection.
const LARGEST: usize = 4 * 1024 * 1024;
/// Largest markdown, bytes.
const MARKDOWN: usize = 20_480;
/// Pings without an answer before the connection counts as dead.
const UNANSWERED: usize = 2;

/// Where to connect, and as whom.
#[derive(Clone, Debug)]
pub struct Config {
    /// `wss://openws.work.weixin.qq.com`, or the simulator's.
    pub url: String,
    /// `BotID`.
    pub bot_id: String,
    /// The secret of the long connection (not the app's).
    pub secret: SecretString,
    /// Time between two pings.
    pub ping: Duration,
    /// Pause before the first reconnection; doubles.
    pub first_pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
    /// Pause after WeCom refused the id or the secret: subscribing is rate-limited there.
    pub refused_pause: Duration,
}

impl Config {
    /// With WeCom's recommended times.
    pub fn new(url: &str, bot_id: &str, secret: SecretString) -> Self {
        Self {
            url: url.to_owned(),
            bot_id: bot_id.to_owned(),
            secret,
            ping: Duration::from_secs(30),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(30),
            refused_pause: Duration::from_secs(300),
        }
    }
}

/// How the connection is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// On the way, with the last trouble if there was one.
    Connecting(Option<String>),
    /// Subscribed.
    Ready,
    /// WeCom does not accept the id or the secret; tried again now and then.
    Refused(ApiError),
    /// Another instance took the bot over; stays down until a restart.
    Replaced,
    /// Ended by us.
    Stopped,
}

/// Something that came, with what an answer needs.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The callback's own id; answers carry it.
    pub req_id: String,
    /// What came.
    pub callback: BotCallback,
}

/// A conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chat<'a> {
    /// A member's private talk with the bot.
    Person(&'a str),
    /// A group; the id is case-sensitive.
    Group(&'a str),
}

type Answer = oneshot::Sender<Result<Value, ApiError>>;

/// A frame that waits to be sent.
struct Command {
    req_id: String,
    frame: String,
    answer: Answer,
}

/// The sending side, shared by everybody who has something to say.
pub struct BotSocket {
    config: Config,
    clock: Arc<dyn Clock>,
    status: watch::Sender<Status>,
    commands: mpsc::Sender<Command>,
    meter: Meter,
    serial: AtomicU64,
}

/// The connection itself; runs until it is stopped or replaced.
pub struct Driver {
    socket: Arc<BotSocket>,
    commands: mpsc::Receiver<Command>,
}

/// Makes both sides.
pub fn bot_socket(config: Config, clock: Arc<dyn Clock>) -> (Arc<BotSocket>, Driver) {
    install_tls();
    let (sender, commands) = mpsc::channel(256);
    let socket = Arc::new(BotSocket {
        config,
        clock,
        status: watch::Sender::new(Status::Connecting(None)),
        commands: sender,
        meter: Meter::default(),
        serial: AtomicU64::new(0),
    });
    (socket.clone(), Driver { socket, commands })
}

impl BotSocket {
    /// How the connection is doing; changes can be waited for.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Answers what came, with the body that the kind of callback allows (receiving.md §4.6): a stream or card to words, a
    /// welcome to the opened talk, an updated card to a press. Welcomes and updates must come within five seconds.
    pub async fn reply(&self, to: &Incoming, body: &Value) -> Result<(), ClientError> {
        let cmd = match to.callback.what {
            BotEvent::Message { .. } => "aibot_respond_msg",
            BotEvent::EnterChat => "aibot_respond_welcome_msg",
            BotEvent::Card(_) => "aibot_respond_update_msg",
            BotEvent::Stream { .. } | BotEvent::Disconnected | BotEvent::Unknown { .. } => {
                let message = "this kind of callback takes no answer".to_owned();
                return Err(ClientError::Api(ApiError { with: Credential::Bot, code: BAD_REQUEST_ID, message }));
            }
        };
        self.metered(to.callback.chat.as_deref().unwrap_or(&to.callback.from))?;
        self.call(cmd, Some(&to.req_id), body).await.map(drop)
    }

    /// Pushes a message (`msgtype` and its body: `markdown` or `template_card`) into a conversation that somebody opened with
    /// the bot before.
    pub async fn send(&self, chat: Chat<'_>, msgtype: &str, content: &Value) -> Result<(), ClientError> {
        let (id, kind) = match chat {
            Chat::Person(id) => (id, 1),
            Chat::Group(id) => (id, 2),
        };
        self.metered(id)?;
        let body = json!({ "chatid": id, "chat_type": kind, "msgtype": msgtype, msgtype: content });
        self.call("aibot_send_msg", None, &body).await.map(drop)
    }

    /// Pushes words in markdown, cut where WeCom would refuse them.
    pub async fn say(&self, chat: Chat<'_>, markdown: &str) -> Result<(), ClientError> {
        self.send(chat, "markdown", &json!({ "content": super::cut(markdown, MARKDOWN) })).await
    }

    fn metered(&self, chat: &str) -> Result<(), ClientError> {
        self.meter.take(chat, limits::CONVERSATION, self.clock.now()).map_err(ClientError::Limit)
    }

    /// A new id; WeCom's own clients use the same form.
    fn req_id(&self, cmd: &str) -> String {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed) as u32;
        format!("{cmd}_{}_{serial:08x}", self.clock.now().as_millisecond())
    }

    /// Sends a command and waits for its acknowledgement. If WeCom has lost the subscription, it is sent once more over the
    /// next connection.
    async fn call(&self, cmd: &'static str, req_id: Option<&str>, body: &Value) -> Result<Value, ClientError> {
        let network = |text: &str| ClientError::Network(text.to_owned());
        let mut again = true;
        let outcome = loop {
            self.ready().await?;
            let req_id = req_id.map_or_else(|| self.req_id(cmd), str::to_owned);
            let frame = json!({ "cmd": cmd, "headers": { "req_id": req_id }, "body": body }).to_string();
            let (answer, waiting) = oneshot::channel();
            if self.commands.send(Command { req_id, frame, answer }).await.is_err() {
                return Err(network("the bot's connection has ended"));
            }
            match timeout(ACKNOWLEDGED, waiting).await {
                Ok(Ok(Err(error))) if error.code == NOT_SUBSCRIBED && again => again = false,
                Ok(Ok(outcome)) => break outcome.map_err(ClientError::Api),
                Ok(Err(_)) => break Err(network("the bot's connection broke before the acknowledgement")),
                Err(_) => break Err(network("no acknowledgement from the bot's connection")),
            }
        };
        let label = match &outcome {
            Ok(_) => "0".to_owned(),
            Err(error) => error.code().map_or_else(|| "network".to_owned(), |code| code.to_string()),
        };
        metrics::counter!("qunguan_wecom_calls_total", "path" => cmd, "errcode" => label).increment(1);
        outcome
    }

    /// Waits for the connection, but not long.
    async fn ready(&self) -> Result<(), ClientError> {
        let mut status = self.status.subscribe();
        let ready = status.wait_for(|s| !matches!(s, Status::Connecting(_)));
        match timeout(PATIENCE, ready).await.map(|status| status.map(|status| status.clone())) {
            Ok(Ok(Status::Ready)) => Ok(()),
            Ok(Ok(Status::Refused(error))) => Err(ClientError::Api(error)),
            Ok(Ok(Status::Replaced)) => Err(ClientError::Network("another instance has taken the bot over".into())),
            _ => Err(ClientError::Network("the bot is not connected".into())),
        }
    }
}

type Ws = WebSocketStream<TextAsBytes<MaybeTlsStream<TcpStream>>>;

/// Why a connection ended.
enum Ended {
    Lost(String),
    Refused(ApiError),
    Replaced,
    /// Nobody can send or wants to hear any more.
    Abandoned,
}

impl From<tokio_tungstenite::tungstenite::Error> for Ended {
    fn from(error: tokio_tungstenite::tungstenite::Error) -> Self {
        Self::Lost(error.to_string())
    }
}

impl Driver {
    /// Keeps the connection until `stop` turns true or another instance takes over; returns the last status. What comes goes
    /// to `incoming`, in order.
    pub async fn run(mut self, incoming: mpsc::Sender<Incoming>, mut stop: watch::Receiver<bool>) -> Status {
        let mut failures = 0u32;
        let last = loop {
            let ended = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break Status::Stopped,
                ended = self.session(&incoming, &mut failures) => ended,
            };
            let config = &self.socket.config;
            let pause = match ended {
                Ended::Replaced => {
                    tracing::error!(
                        "another instance has taken the bot over; this one stays away until it is restarted"
                    );
                    break Status::Replaced;
                }
                Ended::Abandoned => break Status::Stopped,
                Ended::Refused(error) => {
                    tracing::error!(%error, "WeCom refuses the bot's id or secret");
                    self.socket.status.send_replace(Status::Refused(error));
                    config.refused_pause
                }
                Ended::Lost(why) => {
                    let pause = (config.first_pause * 2u32.saturating_pow(failures)).min(config.longest_pause);
                    tracing::warn!(why, pause_ms = pause.as_millis() as u64, "the bot's connection is lost");
                    self.socket.status.send_replace(Status::Connecting(Some(why)));
                    pause
                }
            };
            metrics::counter!("qunguan_bot_reconnects_total").increment(1);
            failures = failures.saturating_add(1).min(16);
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break Status::Stopped,
                () = sleep(pause) => {}
            }
        };
        self.socket.status.send_replace(last.clone());
        last
    }

    /// One connection, from its opening to its end.
    async fn session(&mut self, incoming: &mpsc::Sender<Incoming>, failures: &mut u32) -> Ended {
        let mut ws = match self.subscribe().await {
            Ok(ws) => ws,
            Err(ended) => return ended,
        };
        *failures = 0;
        self.socket.status.send_replace(Status::Ready);
        tracing::info!("the bot is connected");
        let ended = match self.talk(&mut ws, incoming).await {
            Ok(never) => match never {},
            Err(ended) => ended,
        };
        self.socket.status.send_replace(Status::Connecting(None));
        // Politely, but without waiting for a peer that may be dead.
        let _ = timeout(Duration::from_secs(1), ws.close(None)).await;
        ended
    }

    /// Opens the connection and says who we are.
    async fn subscribe(&self) -> Result<Ws, Ended> {
        let config = &self.socket.config;
        let limits = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
        let connecting = connect_async_with_config(config.url.as_str(), Some(limits), true);
        let (ws, _) = timeout(CONNECT, connecting).await.map_err(|_| Ended::Lost("no connection".into()))??;
        // WeCom says nothing before it is asked, so nothing was read beyond the handshake.
        let mut ws =
            WebSocketStream::from_raw_socket(TextAsBytes::new(ws.into_inner()), Role::Client, Some(limits)).await;
        let req_id = self.socket.req_id("aibot_subscribe");
        let body = json!({ "bot_id": config.bot_id, "secret": config.secret.expose_secret() });
        let frame = json!({ "cmd": "aibot_subscribe", "headers": { "req_id": req_id }, "body": body });
        ws.send(Message::text(frame.to_string())).await?;
        let accepted = async {
            loop {
                let frame = next_frame(&mut ws).await?;
                if frame["headers"]["req_id"] == req_id.as_str() {
                    return outcome(&frame).map(drop).map_err(Ended::Refused);
                }
            }
        };
        timeout(ACKNOWLEDGED, accepted).await.map_err(|_| Ended::Lost("the subscription is not answered".into()))??;
        Ok(ws)
    }

    /// Sends, receives and pings until something ends it.
    async fn talk(
        &mut self,
        ws: &mut Ws,
        incoming: &mpsc::Sender<Incoming>,
    ) -> Result<std::convert::Infallible, Ended> {
        let every = self.socket.config.ping;
        let mut ping = interval_at(Instant::now() + every, every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut unanswered = 0;
        // Answers come in the order of the frames with the same id.
        let mut waiting: HashMap<String, VecDeque<Answer>> = HashMap::new();
        loop {
            tokio::select! {
                _ = ping.tick() => {
                    if unanswered >= UNANSWERED {
                        return Err(Ended::Lost("pings are not answered".into()));
                    }
                    unanswered += 1;
                    let frame = json!({ "cmd": "ping", "headers": { "req_id": self.socket.req_id("ping") } });
                    ws.send(Message::text(frame.to_string())).await?;
                }
                command = self.commands.recv() => {
                    let Some(command) = command else { return Err(Ended::Abandoned) };
                    // Who has given up must not be surprised by a late message.
                    if !command.answer.is_closed() {
                        waiting.entry(command.req_id).or_default().push_back(command.answer);
                        ws.send(Message::text(command.frame)).await?;
                    }
                }
                frame = next_frame(ws) => {
                    let frame = frame?;
                    let req_id = frame["headers"]["req_id"].as_str().unwrap_or_default();
                    if frame.get("cmd").is_some_and(|cmd| cmd.as_str().is_some_and(|cmd| !cmd.is_empty())) {
                        self.hear(&frame, req_id, incoming).await?;
                    } else if let Some(answers) = waiting.get_mut(req_id) {
                        let answer = answers.pop_front();
                        if answers.is_empty() {
                            waiting.remove(req_id);
                        }
                        let outcome = outcome(&frame);
                        let lost = outcome.as_ref().is_err_and(|error| error.code == NOT_SUBSCRIBED);
                        if lost {
                            // Before the answer, so that who tries again waits for the next connection.
                            self.socket.status.send_replace(Status::Connecting(None));
                        }
                        if let Some(answer) = answer {
                            let _ = answer.send(outcome);
                        }
                        if lost {
                            return Err(Ended::Lost("WeCom has lost the subscription".into()));
                        }
                    } else if req_id.starts_with("ping_") {
                        unanswered = 0;
                        if outcome(&frame).is_err_and(|error| error.code == NOT_SUBSCRIBED) {
                            return Err(Ended::Lost("WeCom has lost the subscription".into()));
                        }
                    }
                }
            }
        }
    }

    /// Platform on what came. A frame that cannot be read is logged and left.
    async fn hear(&self, frame: &Value, req_id: &str, incoming: &mpsc::Sender<Incoming>) -> Result<(), Ended> {
        match callback::bot_callback(&frame["body"].to_string()) {
            Ok(BotCallback { what: BotEvent::Disconnected, .. }) => Err(Ended::Replaced),
            Ok(callback) => {
                let incoming = incoming.send(Incoming { req_id: req_id.to_owned(), callback });
                incoming.await.map_err(|_| Ended::Abandoned)
            }
            Err(error) => {
                tracing::warn!(%error, cmd = frame["cmd"].as_str(), "a frame of the bot's connection cannot be read");
                Ok(())
            }
        }
    }
}

/// The next frame in JSON. Frames that are not JSON are passed over; pings of the protocol are answered below us.
async fn next_frame(ws: &mut Ws) -> Result<Value, Ended> {
    loop {
        match ws.next().await {
            Some(Ok(Message::Binary(bytes))) => match mend::json(&mend::text(bytes.into())) {
                Ok(frame) => return Ok(frame),
                Err(error) => tracing::warn!(%error, "a frame of the bot's connection is not JSON"),
            },
            Some(Ok(Message::Close(why))) => {
                let why = why.map_or_else(String::new, |why| format!(" {}", why.code));
                return Err(Ended::Lost(format!("closed by WeCom{why}")));
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
            None => return Err(Ended::Lost("closed".into())),
        }
    }
}

/// An acknowledgement's body, or WeCom's no.
fn outcome(frame: &Value) -> Result<Value, ApiError> {
    match frame["errcode"].as_i64().unwrap_or(0) {
        0 => Ok(frame["body"].clone()),
        code => Err(ApiError {
            with: Credential::Bot,
            code,
            message: stable_message(frame["errmsg"].as_str().unwrap_or_default()),
        }),
    }
}
