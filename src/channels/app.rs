//! `/wecom/app`: the self-built app's address. Members' private words, presses on cards, changes of customer groups, and the
//! call that new messages are in the archive.
//!
//! Answered within WeCom's time and only after what it caused is durable; anything else is a 4xx or 5xx without detail, and
//! WeCom sends it again. A refused call leaves one line in the log and nothing in the store.

use std::sync::{Arc, LazyLock};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use rand::RngExt;
use regex::Regex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::{
    Channel,
    door::{self, Answers, AskedQuery, refused},
};
use crate::{
    chat_commands::{self, Desk, Said},
    clicks::{Clicks, Shown},
    groups::{Groups, Person},
    http::ops::Check,
    jobs,
    model::{self, Clock, GroupId, MemberId, Message},
    moderation::{Moderation, Noted, renamed::renamed},
    notices::{NoticeError, Notices},
    store::{Collection, Name, StoreError, transaction::transact},
    wecom::{
        callback::{self, AppCallback, AppEvent, GroupChange},
        crypto::Crypto,
        cut,
    },
};

/// The channel.
pub struct AppChannel {
    /// Opens and seals.
    pub crypto: Crypto,
    /// The company, for replies.
    pub corp_id: String,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// The main use case.
    pub moderation: Arc<Moderation>,
    /// Commands in private.
    pub desk: Arc<Desk>,
    /// Presses on cards.
    pub clicks: Arc<Clicks>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// Notices: who joins or leaves.
    pub notices: Arc<Notices>,
    /// Rung when the archive has something.
    pub archive: Arc<Notify>,
    /// Rung when tasks should look again (a customer left).
    pub tasks: Arc<Notify>,
    /// Largest body, bytes.
    pub body_limit: usize,
    /// What repetitions are answered.
    pub answers: Answers<Option<String>>,
}

impl Channel for AppChannel {
    fn routes(self: Arc<Self>) -> Router {
        Router::new().route("/wecom/app", get(verify).post(receive)).with_state(self)
    }
    fn check(&self) -> Check {
        Check::good("app", "应用回调已就绪")
    }
}

/// Callbacks of kinds that this version does not use, the latest of each.
const SET_ASIDE: Collection<SetAside> = Collection::new(Name::AppSetAside);
/// So much of one is kept.
const SET_ASIDE_BYTES: usize = 8 * 1024;

/// The latest callback of a kind, and how many there were.
#[derive(Serialize, Deserialize)]
struct SetAside {
    at: model::Timestamp,
    count: u64,
    raw: String,
}

/// The XML without what opens doors: tickets and codes that WeCom sends to programs of other kinds.
fn without_secrets(xml: &str) -> String {
    static SECRETS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?is)(<[^<>/]*(?:ticket|token|secret|code|password)[^<>/]*>).*?(</)").expect("it is well-formed")
    });
    SECRETS.replace_all(xml, "$1…$2").into_owned()
}

/// People of other companies and of WeChat have ids that say so.
fn is_external(member: &str) -> bool {
    member.starts_with("wm") || member.starts_with("wo")
}

async fn verify(State(app): State<Arc<AppChannel>>, query: AskedQuery) -> Response {
    let query = match door::question("app", query) {
        Ok(query) => query,
        Err(status) => return status.into_response(),
    };
    match callback::verify_url(&app.crypto, &query, app.clock.now()) {
        Ok(plain) => plain.into_response(),
        Err(error) => refused("app", &error),
    }
}

async fn receive(State(app): State<Arc<AppChannel>>, query: AskedQuery, body: Body) -> Response {
    let (query, body) = match door::parts("app", query, body, app.body_limit).await {
        Ok(parts) => parts,
        Err(status) => return status.into_response(),
    };
    let now = app.clock.now();
    let callback = match callback::open_app(&app.crypto, &query, &body, now) {
        Ok(callback) => callback,
        Err(error) => return refused("app", &error),
    };
    // On its own: a sender that hangs up, or the time that runs out, must not stop a command half-way.
    let handler = app.clone();
    let handled = tokio::spawn(async move { handler.handle_once(callback).await });
    match handled.await.unwrap_or_else(|panic| Err(StoreError::Io(panic.to_string()))) {
        Ok(None) => StatusCode::OK.into_response(),
        Ok(Some(reply)) => {
            callback::app_reply(&app.crypto, &reply, &query.nonce, now, rand::rng().random()).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a callback could not be stored; WeCom will send it again");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl AppChannel {
    async fn handle_once(&self, callback: AppCallback) -> Result<Option<String>, StoreError> {
        match callback.dedupe.clone() {
            Some(key) => self.answers.once(&key, self.clock.now(), Box::pin(self.handle(callback))).await,
            None => Box::pin(self.handle(callback)).await,
        }
    }

    /// Does what the callback asks for; returns the inner XML of a passive reply, if there is one.
    async fn handle(&self, callback: AppCallback) -> Result<Option<String>, StoreError> {
        let now = self.clock.now();
        let by = MemberId::from(callback.from.as_str());
        match callback.what {
            AppEvent::Text { id, text, chat } => {
                let mut message = Message::text(
                    model::Channel::App,
                    &id,
                    chat.as_deref().unwrap_or_default(),
                    by.as_str(),
                    callback.at,
                    &text,
                );
                message.to_bot = true;
                // WeCom delivers up to three times; a command must run once.
                // A private talk is nobody's business but the person's own: it is never judged.
                if chat.is_some() {
                    chat_commands::judge(&self.moderation, message).await?;
                    return Ok(None);
                }
                let (id, taken) = (message.id.clone(), self.desk.take(&message, &text).await?);
                let noted = self.moderation.note(message).await?;
                let answer = match noted {
                    Noted { duplicate: true, .. } => None,
                    Noted { reply: Some(reply), .. } => Some(reply),
                    Noted { .. } => {
                        let channel = model::Channel::App;
                        self.desk.answer(Said { channel, by: &by, group: None, text: &text, quote: None }).await
                    }
                };
                if taken {
                    self.desk.done(&id).await;
                }
                Ok(answer.map(|text| callback::text_reply(by.as_str(), &self.corp_id, &text, now)))
            }
            AppEvent::Card(click) => {
                let label = match self.clicks.press(&by, &click.task_id, &click.key, callback.at).await? {
                    Shown::Label(label) => label,
                    Shown::Count(counter) => counter.text,
                    Shown::AsBefore => return Ok(None),
                };
                Ok(Some(callback::button_reply(by.as_str(), &self.corp_id, &label, now)))
            }
            AppEvent::CustomerGroup(change) => {
                self.group_changed(&change, callback.at).await?;
                Ok(None)
            }
            AppEvent::ArchiveNotify => {
                self.archive.notify_one();
                Ok(None)
            }
            AppEvent::Contact { change, user, new_user } => {
                tracing::info!(change, user, new_user, "a contact changed");
                if let Some(new) = &new_user {
                    let (old, new) = (MemberId::from(user.as_str()), MemberId::from(new.as_str()));
                    renamed(self.notices.store(), &self.groups, &old, &new, now).await?;
                    self.notices.renamed(&old, &new).await?;
                }
                jobs::contacts::changed(self.notices.store(), now).await?;
                self.tasks.notify_one();
                Ok(None)
            }
            AppEvent::Inactivity { event } => {
                tracing::error!(
                    event,
                    "WeCom is about to switch the app off for lack of use; open it once in the client"
                );
                Ok(None)
            }
            AppEvent::EnterAgent => Ok(None),
            AppEvent::Unknown { kind, raw } => {
                self.set_aside(&kind, &raw, callback.at).await?;
                Ok(None)
            }
        }
    }

    /// Keeps the latest callback of each kind that this version does not use, for whoever runs the bot (`store export`).
    async fn set_aside(&self, kind: &str, raw: &str, at: model::Timestamp) -> Result<(), StoreError> {
        tracing::info!(kind, "a callback of a kind this version does not use is set aside");
        let raw = cut(&without_secrets(raw), SET_ASIDE_BYTES);
        let kind = cut(kind, 64);
        transact!(self.notices.store(), |tx| {
            let count = tx.get(SET_ASIDE, &kind).await?.map_or(0, |before| before.count) + 1;
            tx.put(SET_ASIDE, &kind, &SetAside { at, count, raw: raw.clone() }).await?;
        });
        Ok(())
    }

    /// Keeps the member list in step; what an event does not tell is read again at once.
    async fn group_changed(&self, change: &GroupChange, at: model::Timestamp) -> Result<(), StoreError> {
        let id = self.groups.resolve(&GroupId::from(change.chat.as_str()));
        // A notice binds colleagues only.
        for member in change.members.iter().filter(|m| !is_external(m)).map(|m| MemberId::from(m.as_str())) {
            let told = match change.detail.as_str() {
                "add_member" => self.notices.joined(&id, &member, at).await,
                "del_member" => self.notices.left(&id, &member, at).await,
                _ => Ok(()),
            };
            if let Err(NoticeError::Store(error)) = told {
                return Err(error);
            }
        }
        let known = self.groups.get(&id);
        // Somebody else came or went before, or the event does not say who.
        let missed = known.learned.member_version != change.last_version || change.members.is_empty();
        let change = change.clone();
        self.groups
            .learn(&id, move |learned| {
                match (change.change.as_str(), change.detail.as_str()) {
                    ("dismiss", _) => learned.dissolved = true,
                    (_, "add_member") => {
                        for member in &change.members {
                            let member = MemberId::from(member.as_str());
                            if learned.seen.insert(member.clone()) {
                                learned.joined.insert(member.clone(), at);
                            }
                            let external = is_external(member.as_str());
                            learned.members.entry(member).or_insert_with(|| Person { external, ..Person::default() });
                        }
                    }
                    (_, "del_member") => {
                        for member in &change.members {
                            learned.leaves(&MemberId::from(member.as_str()));
                        }
                    }
                    _ => {}
                }
                learned.member_version.clone_from(&change.version);
            })
            .await?;
        if missed {
            jobs::refresh::missed(self.notices.store(), &known, self.clock.now()).await?;
        }
        self.moderation.look_again(&id).await?;
        self.tasks.notify_one();
        Ok(())
    }
}
