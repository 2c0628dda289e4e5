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
    callback_guard::{self, AskedQuery, Heard, ReplyCache, refused},
    looks::{InPicture, Looks},
};
use crate::{
    card_actions::{CardActions, Shown},
    chat_commands::{self, CommandService, Utterance, without_name},
    health::Check,
    identities::Identities,
    jobs,
    model::{self, Attachment, Clock, GroupId, MemberId, Message},
    moderation::{Moderation, Noted, evidence_line},
    store::StoreError,
    wecom::{
        bot_files::BotFiles,
        callback::{self, BotCallback, BotEvent, Media, Quoted},
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
    pub ear: Arc<BotHandler>,
    /// Largest body, bytes.
    pub body_limit: usize,
    /// Whether anything came.
    pub heard: Heard,
}

/// What is done with words and presses, whichever way they came.
pub struct BotHandler {
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// The main use case.
    pub moderation: Arc<Moderation>,
    /// Commands.
    pub commands: Arc<CommandService>,
    /// Presses on cards.
    pub clicks: Arc<CardActions>,
    /// Who is behind the ids that WeCom gives the bot.
    pub identities: Arc<Identities>,
    /// Pictures and short links.
    pub looks: Looks<BotFiles>,
    /// The archive hears the groups, this message too.
    pub archive: bool,
    /// What repetitions are answered.
    pub answers: ReplyCache<Option<Value>>,
}

impl Channel for BotChannel {
    fn routes(self: Arc<Self>) -> Router {
        Router::new().route("/wecom/bot", get(verify).post(receive)).with_state(self)
    }
    fn check(&self) -> Check {
        let place = "管理工具 → 智能机器人 → API 设置";
        let stranger = self.ear.identities.check("bot");
        stranger.unwrap_or_else(|| self.heard.check("bot", "智能机器人回调", place, self.clock.now()))
    }
}

async fn verify(State(bot): State<Arc<BotChannel>>, query: AskedQuery) -> Response {
    let query = match callback_guard::question("bot", query) {
        Ok(query) => query,
        Err(status) => return status.into_response(),
    };
    match callback::verify_url(&bot.crypto, &query, bot.clock.now()) {
        Ok(plain) => {
            bot.heard.called(bot.clock.now()).await;
            plain.into_response()
        }
        Err(error) => refused("bot", &bot.heard, &error),
    }
}

async fn receive(State(bot): State<Arc<BotChannel>>, query: AskedQuery, body: Body) -> Response {
    let (query, body) = match callback_guard::parts("bot", query, body, bot.body_limit).await {
        Ok(parts) => parts,
        Err(status) => return status.into_response(),
    };
    let now = bot.clock.now();
    let callback = match callback::open_bot(&bot.crypto, &query, &body, now) {
        Ok(callback) => callback,
        Err(error) => return refused("bot", &bot.heard, &error),
    };
    bot.heard.called(bot.clock.now()).await;
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

impl BotHandler {
    /// Handles what came, once; returns the reply's JSON, if there is one.
    pub async fn hear(&self, callback: BotCallback) -> Result<Option<Value>, StoreError> {
        if matches!(callback.what, BotEvent::Stream { .. }) {
            return Box::pin(self.handle(callback)).await; // WeCom asks again and again, each time under the message's own id
        }
        let key = callback.id.clone();
        self.answers.once(&key, self.clock.now(), Box::pin(self.handle(callback))).await
    }

    async fn handle(&self, callback: BotCallback) -> Result<Option<Value>, StoreError> {
        let by = match callback.what {
            BotEvent::Message { .. } | BotEvent::Card(_) => match self.identities.member(&callback.from).await? {
                Some(by) => by,
                None => return Ok(self.to_a_stranger(&callback)),
            },
            _ => MemberId::from(callback.from.as_str()), // nobody's in particular
        };
        let group = callback.chat.as_deref().map(GroupId::from);
        match callback.what {
            BotEvent::Message { text, quote, quoted, images } => {
                let names = self.moderation.bot_names();
                if callback.chat.is_some()
                    && let Some(name) = chat_commands::its_name(&text)
                {
                    names.add(name);
                }
                let own = without_name(&text, &names.known());
                let quote = self.with_files(own, quote, &quoted).await;
                let at = callback.at.unwrap_or_else(|| self.clock.now());
                let chat = group.as_ref().map_or("", GroupId::as_str);
                let mut message = Message::text(model::Channel::Bot, &callback.id, chat, by.as_str(), at, own);
                message.to_bot = true;
                message.attachments = quote.iter().map(|q| Attachment::quote(q)).collect();
                let places = message.attachments.len()..;
                message.attachments.extend(images.iter().map(|_| Attachment::image(None)));
                let pictures: Vec<_> = places.zip(images).collect();
                let (id, taken) = (message.id.clone(), self.commands.take(&message, own).await?);
                // Private words are not judged, and what the archive hears too is judged there.
                let noted = if chat.is_empty() || self.archive {
                    self.moderation.note(message, None).await?
                } else {
                    if let Some(rules) = self.moderation.worth_a_look(&message).await? {
                        self.looks.look(&mut message, &pictures, &rules).await;
                    }
                    Noted {
                        duplicate: chat_commands::judge(&self.moderation, message, None).await?.duplicate,
                        reply: None,
                    }
                };
                let answer = match noted {
                    Noted { duplicate: true, .. } => None,
                    Noted { reply: Some(reply), .. } => Some(reply),
                    Noted { .. } => {
                        let said = Utterance {
                            channel: model::Channel::Bot,
                            by: &by,
                            group: group.as_ref(),
                            text: own,
                            quote: quote.as_deref(),
                        };
                        self.commands.answer(said).await
                    }
                };
                if taken {
                    self.commands.done(&id).await;
                }
                Ok(answer.map(|text| stream(&callback.id, &text)))
            }
            BotEvent::Stream { id } => Ok(Some(stream(&id, "已处理。"))),
            BotEvent::Card(click) => {
                let at = callback.at.unwrap_or_else(|| self.clock.now());
                Ok(match self.clicks.press(&by, &click.task_id, &click.key, at).await? {
                    // The presser by the id that WeCom gave us.
                    Shown::Label(label) => Some(cards::bot_receipt(&callback.from, &click.task_id, &label)),
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

impl BotHandler {
    /// What somebody points at who quotes a picture, a file or a video for a person to look at: its kind, and what the QR codes
    /// and the words in a picture say. Fetched now: its address dies within minutes.
    async fn with_files(&self, own: &str, quote: Option<String>, quoted: &[Quoted]) -> Option<String> {
        if quoted.is_empty() || !chat_commands::reaches_a_person(own) {
            return quote;
        }
        let mut lines: Vec<String> = quote.into_iter().collect();
        for Quoted { what, file } in quoted {
            lines.push(what.zh().to_owned());
            // A picture may have been sent as a file.
            let Some(file) = file.as_ref().filter(|_| matches!(what, Media::Image | Media::File)) else { continue };
            match self.looks.shown(file, true).await {
                Ok(InPicture { links, words }) => {
                    let words = Attachment::Image { sdk_file_id: None, words };
                    lines.extend(links.iter().chain([&words]).filter_map(evidence_line));
                }
                Err(why) if *what == Media::Image => tracing::warn!(why, "a reported picture could not be looked at"),
                Err(why) => tracing::info!(why, "a reported file is no picture that can be looked at"),
            }
        }
        Some(lines.join("\n"))
    }

    /// Somebody of whom nobody can tell who they are: nothing is judged or done, and who asked for something reads why.
    fn to_a_stranger(&self, callback: &BotCallback) -> Option<Value> {
        match &callback.what {
            BotEvent::Message { text, .. } => {
                let asks = callback.chat.is_none() || chat_commands::is_command(text);
                (asks && self.identities.hint_is_due(&callback.from)).then(|| stream(&callback.id, STRANGER))
            }
            BotEvent::Card(click) => Some(cards::bot_receipt(&callback.from, &click.task_id, STRANGER_PRESSED)),
            _ => None,
        }
    }
}

/// What somebody reads of whom the bot does not know who they are.
const STRANGER: &str = "抱歉，我还认不出您的账号，暂时不能处理。请告诉企业管理员：智能机器人要由超级管理员创建，或让应用的可见范围包含您。";
/// The same on a card.
const STRANGER_PRESSED: &str = "认不出您的账号，请联系企业管理员";

/// A finished answer; WeCom knows no plain text reply to a message.
fn stream(id: &str, text: &str) -> Value {
    let id: String = id.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
    json!({ "msgtype": "stream", "stream": { "id": format!("a{id}"), "finish": true, "content": crate::wecom::cut(text, 20480) } })
}
