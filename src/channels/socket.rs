//! The smart bot's long connection: no public address needed. The same ear as the callback; answers go back over the same
//! connection, pushes too.

use std::{collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::{Channel, bot::BotHandler};
use crate::{
    health::Check,
    model::Clock,
    platform::{
        PlatformError,
        wecom::{BotPush, classified},
    },
    wecom::{
        callback::BotEvent,
        socket::{BotSocket, Chat, Driver, Incoming, Status},
    },
};

/// Callbacks that may wait while earlier ones are handled.
const WAITING: usize = 256;

/// ReplyCache that are remembered; WeCom sends again within minutes.
const ANSWERED: usize = 1000;

/// The channel.
pub struct SocketChannel {
    socket: Arc<BotSocket>,
    driver: Mutex<Option<Driver>>,
    ear: Arc<BotHandler>,
    /// What was answered, newest last: a frame that comes again is not.
    answered: Mutex<VecDeque<String>>,
}

impl SocketChannel {
    /// Both sides of a connection and what is done with what it hears.
    pub fn new(socket: Arc<BotSocket>, driver: Driver, ear: Arc<BotHandler>) -> Self {
        Self { socket, driver: Mutex::new(Some(driver)), ear, answered: Mutex::default() }
    }

    async fn hear(&self, incoming: Incoming) {
        match self.ear.hear(incoming.callback.clone()).await {
            Ok(None) => {}
            Ok(Some(reply)) => {
                let id = &incoming.callback.id;
                // WeCom asks for a stream again and again under the message's own id.
                let once = !matches!(incoming.callback.what, BotEvent::Stream { .. });
                if once && self.answered.lock().contains(id) {
                    return;
                }
                match self.socket.reply(&incoming, &reply).await {
                    Ok(()) if once => {
                        let mut answered = self.answered.lock();
                        if answered.len() >= ANSWERED {
                            answered.pop_front();
                        }
                        answered.push_back(id.clone());
                    }
                    Ok(()) => {}
                    Err(error) => tracing::warn!(%error, "an answer of the bot did not go out"),
                }
            }
            Err(error) => tracing::error!(%error, "what the bot heard could not be stored"),
        }
    }
}

#[async_trait]
impl Channel for SocketChannel {
    async fn run(self: Arc<Self>, stop: watch::Receiver<bool>) {
        let Some(driver) = self.driver.lock().take() else { return };
        let (sender, mut heard) = mpsc::channel(WAITING);
        let connection = tokio::spawn(driver.run(sender, stop));
        while let Some(incoming) = heard.recv().await {
            self.hear(incoming).await; // in order, as they were said
        }
        let _ = connection.await;
    }

    fn check(&self) -> Check {
        match &*self.socket.status().borrow() {
            Status::Ready => {
                let stranger = self.ear.identities.check("bot_socket");
                stranger.unwrap_or_else(|| Check::good("bot_socket", "智能机器人长连接正常"))
            }
            Status::Connecting(None) => Check::lacking("bot_socket", "智能机器人正在连接"),
            Status::Connecting(Some(why)) => Check::lacking("bot_socket", format!("智能机器人断线，正在重连：{why}")),
            Status::Refused(error) => Check::lacking("bot_socket", format!("企业微信拒绝了机器人的连接：{error}")),
            Status::Replaced => Check::lacking("bot_socket", "另一个实例接管了机器人；本实例重启前不再连接"),
            Status::Stopped => Check::lacking("bot_socket", "智能机器人连接已停止"),
        }
    }
}

/// Pushes into groups over the connection.
pub struct SocketPush {
    /// The connection.
    pub socket: Arc<BotSocket>,
    /// Now.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl BotPush for SocketPush {
    async fn say(&self, chat: &str, text: &str) -> Result<(), PlatformError> {
        self.socket.say(Chat::Group(chat), text).await.map_err(|e| classified(e, self.clock.now()))
    }
    async fn card(&self, chat: &str, card: &Value) -> Result<(), PlatformError> {
        let sent = self.socket.send(Chat::Group(chat), "template_card", card).await;
        sent.map_err(|e| classified(e, self.clock.now()))
    }
}
