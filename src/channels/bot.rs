//! `/wecom/bot`: the smart bot's address. Words that @ the bot in an internal group or were said to it in private, and
//! presses on its cards.
//!
//! A group message is judged like any other, once: where the archive hears the groups, it is judged there. Private words are
//! never judged. A command is answered in place.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use rand::RngExt;
use serde_json::{Value, json};

use super::{
    Channel,
    door::{self, Answers, AskedQuery, refused},
    pictures::Pictures,
};
use crate::{
    chat_commands::{self, Desk, Said, without_name},
    clicks::{Clicks, Shown},
    http::ops::Check,
    jobs,
    model::{self, Attachment, Clock, GroupId, MemberId, Message},
    moderation::{Moderation, Noted},
    store::StoreError,
    wecom::{
        bot_files::BotFiles,
        callback::{self, BotCallback, BotEvent},
        cards,
        crypto::Crypto,
    },
};

/// The channel.
pub struct BotChannel {
    /// Opens and seals; its receive id is empty.
    pub crypto: Crypto,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// What the bot does with what it hears; the socket uses it too.
    pub ear: Arc<BotEar>,
    /// Largest body, bytes.
    pub body_limit: usize,
}

/// What is done with words and presses, whichever way they came.
pub struct BotEar {
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// The main use case.
    pub moderation: Arc<Moderation>,
    /// Commands.
    pub desk: Arc<Desk>,
    /// Presses on cards.
    pub clicks: Arc<Clicks>,
    /// QR codes in pictures.
    pub pictures: Pictures<BotFiles>,
    /// The archive hears the groups, this message too.
    pub archive: bool,
    /// What repetitions are answered.
    pub answers: Answers<Option<Value>>,
}

impl Channel for BotChannel {
    fn routes(self: Arc<Self>) -> Router {
        Router::new().route("/wecom/bot", get(verify).post(receive)).with_state(self)
    }
    fn check(&self) -> Check {
        Check::good("bot", "智能机器人回调已就绪")
    }
}

async fn verify(State(bot): State<Arc<BotChannel>>, query: AskedQuery) -> Response {
    let query = match door::question("bot", query) {
        Ok(query) => query,
        Err(status) => return status.into_response(),
    };
    match callback::verify_url(&bot.crypto, &query, bot.clock.now()) {
        Ok(plain) => plain.into_response(),
        Err(error) => refused("bot", &error),
    }
}

async fn receive(State(bot): State<Arc<BotChannel>>, query: AskedQuery, body: Body) -> Response {
    let (query, body) = match door::parts("bot", query, body, bot.body_limit).await {
        Ok(parts) => parts,
        Err(status) => return status.into_response(),
    };
    let now = bot.clock.now();
    let callback = match callback::open_bot(&bot.crypto, &query, &body, now) {
        Ok(callback) => callback,
        Err(error) => return refused("bot", &error),
    };
    // On its own: a sender that hangs up, or the time that runs out, must not stop a command half-way.
    let ear = bot.ear.clone();
    let heard = tokio::spawn(async move { ear.hear(callback).await });
    match heard.await.unwrap_or_else(|panic| Err(StoreError::Io(panic.to_string()))) {
        Ok(None) => StatusCode::OK.into_response(),
        Ok(Some(reply)) => {
            Json(callback::bot_reply(&bot.crypto, &reply, &query.nonce, now, rand::rng().random())).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a callback could not be stored; WeCom will send it again");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl BotEar {
    /// Handles what came, once; returns the reply's JSON, if there is one.
    pub async fn hear(&self, callback: BotCallback) -> Result<Option<Value>, StoreError> {
        if matches!(callback.what, BotEvent::Stream { .. }) {
            return Box::pin(self.handle(callback)).await; // WeCom asks again and again, each time under the message's own id
        }
        let key = callback.id.clone();
        self.answers.once(&key, self.clock.now(), Box::pin(self.handle(callback))).await
    }

    async fn handle(&self, callback: BotCallback) -> Result<Option<Value>, StoreError> {
        let by = MemberId::from(callback.from.as_str());
        let group = callback.chat.as_deref().map(GroupId::from);
        match callback.what {
            BotEvent::Message { text, quote, images } => {
                let own = without_name(&text);
                let at = callback.at.unwrap_or_else(|| self.clock.now());
                let chat = group.as_ref().map_or("", GroupId::as_str);
                let mut message = Message::text(model::Channel::Bot, &callback.id, chat, by.as_str(), at, own);
                message.to_bot = true;
                message.attachments = quote.iter().map(|q| Attachment::Quote { text: q.clone() }).collect();
                message.attachments.extend(images.iter().map(|_| Attachment::Image { sdk_file_id: None }));
                let (id, taken) = (message.id.clone(), self.desk.take(&message, own).await?);
                // Private words are not judged, and what the archive hears too is judged there.
                let noted = if chat.is_empty() || self.archive {
                    self.moderation.note(message).await?
                } else {
                    if !images.is_empty() && self.moderation.wants_pictures(&message).await? {
                        self.pictures.add_codes(&mut message, &images).await;
                    }
                    Noted { duplicate: chat_commands::judge(&self.moderation, message).await?.duplicate, reply: None }
                };
                let answer = match noted {
                    Noted { duplicate: true, .. } => None,
                    Noted { reply: Some(reply), .. } => Some(reply),
                    Noted { .. } => {
                        let said = Said {
                            channel: model::Channel::Bot,
                            by: &by,
                            group: group.as_ref(),
                            text: own,
                            quote: quote.as_deref(),
                        };
                        self.desk.answer(said).await
                    }
                };
                if taken {
                    self.desk.done(&id).await;
                }
                Ok(answer.map(|text| stream(&callback.id, &text)))
            }
            BotEvent::Stream { id } => Ok(Some(stream(&id, "已处理。"))),
            BotEvent::Card(click) => {
                let at = callback.at.unwrap_or_else(|| self.clock.now());
                Ok(match self.clicks.press(&by, &click.task_id, &click.key, at).await? {
                    Shown::Label(label) => Some(cards::bot_receipt(by.as_str(), &click.task_id, &label)),
                    Shown::Count(counter) => {
                        let card = jobs::notice::counter_card(&click.task_id, &counter);
                        Some(cards::bot_update_for_all(&card))
                    }
                    Shown::AsBefore => None,
                })
            }
            BotEvent::EnterChat => Ok(Some(
                json!({ "msgtype": "text", "text": { "content": "您好，我是群管。发送「帮助」看看我能做什么。" } }),
            )),
            BotEvent::Disconnected | BotEvent::Unknown { .. } => Ok(None),
        }
    }
}

/// A finished answer; WeCom knows no plain text reply to a message.
fn stream(id: &str, text: &str) -> Value {
    let id: String = id.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
    json!({ "msgtype": "stream", "stream": { "id": format!("a{id}"), "finish": true, "content": crate::wecom::cut(text, 20480) } })
}
