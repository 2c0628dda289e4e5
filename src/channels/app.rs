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
use parking_lot::Mutex;
use rand::RngExt;
use regex::Regex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::{
    Channel,
    callback_guard::{self, AskedQuery, Heard, ReplyCache, refused},
};
use crate::{
    card_actions::{CardActions, Shown},
    chat_commands::{self, CommandService, Utterance},
    groups::{Group, Groups, Person},
    health::Check,
    jobs,
    model::{self, Clock, GroupId, MemberId, Message},
    moderation::{Moderation, Noted, member_renamed::renamed},
    newcomers,
    notices::Notices,
    refusal::ActError,
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
    pub commands: Arc<CommandService>,
    /// Presses on cards.
    pub clicks: Arc<CardActions>,
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
    pub answers: ReplyCache<Option<String>>,
    /// Whether anything came.
    pub heard: Heard,
    /// What WeCom said of an app that nobody opens, until that is over.
    pub inactive: Mutex<Option<&'static str>>,
}

impl Channel for AppChannel {
    fn routes(self: Arc<Self>) -> Router {
        Router::new().route("/wecom/app", get(verify).post(receive)).with_state(self)
    }
    fn check(&self) -> Check {
        if let Some(inactive) = *self.inactive.lock() {
            return Check::lacking("app", inactive);
        }
        self.heard.check("app", "应用回调", "应用管理 → 自建应用 → 接收消息 → 设置 API 接收", self.clock.now())
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

/// What WeCom says when nobody has opened the app for long: for the log, and for `/readyz` until it is over.
fn inactivity(event: &str) -> (&'static str, Option<&'static str>) {
    match event {
        "close_inactive_agent" => (
            "WeCom has switched the app off because nobody opened it; an admin has to switch it on again",
            Some("应用太久没有人打开，已被企业微信停用：到管理后台 → 应用管理 → 自建应用重新启用"),
        ),
        "reopen_inactive_agent" => ("the app that WeCom had switched off is on again", None),
        _ => (
            "nobody has opened the app for long: WeCom will switch it off; open it once in the client",
            Some("应用很久没有人打开，企业微信将停用它：请在企业微信的工作台里打开一次"),
        ),
    }
}

async fn verify(State(app): State<Arc<AppChannel>>, query: AskedQuery) -> Response {
    let query = match callback_guard::question("app", query) {
        Ok(query) => query,
        Err(status) => return status.into_response(),
    };
    match callback::verify_url(&app.crypto, &query, app.clock.now()) {
        Ok(plain) => {
            app.heard.called(app.clock.now()).await;
            plain.into_response()
        }
        Err(error) => refused("app", &app.heard, &error),
    }
}

async fn receive(State(app): State<Arc<AppChannel>>, query: AskedQuery, body: Body) -> Response {
    let (query, body) = match callback_guard::parts("app", query, body, app.body_limit).await {
        Ok(parts) => parts,
        Err(status) => return status.into_response(),
    };
    let now = app.clock.now();
    let callback = match callback::open_app(&app.crypto, &query, &body, now) {
        Ok(callback) => callback,
        Err(error) => return refused("app", &app.heard, &error),
    };
    app.heard.called(app.clock.now()).await;
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
                    chat_commands::judge(&self.moderation, message, None).await?;
                    return Ok(None);
                }
                let (id, taken) = (message.id.clone(), self.commands.take(&message, &text).await?);
                let noted = self.moderation.note(message, None).await?;
                let answer = match noted {
                    Noted { duplicate: true, .. } => None,
                    Noted { reply: Some(reply), .. } => Some(reply),
                    Noted { .. } => {
                        let channel = model::Channel::App;
                        self.commands
                            .answer(Utterance { channel, by: &by, group: None, text: &text, quote: None })
                            .await
                    }
                };
                if taken {
                    self.commands.done(&id).await;
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
                self.group_changed(&change, now).await?;
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
                let (what, told) = inactivity(&event);
                tracing::warn!(event, "{what}");
                *self.inactive.lock() = told;
                Ok(None)
            }
            AppEvent::EnterAgent => {
                // Somebody has opened it.
                *self.inactive.lock() = None;
                Ok(None)
            }
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

    /// Keeps the member list in step. What an event says holds where it follows on what is known; what it does not tell, and
    /// who newcomers are, is read once WeCom's list shows it. `at` is when it was heard, by our own clock: WeCom's may differ.
    async fn group_changed(&self, change: &GroupChange, at: model::Timestamp) -> Result<(), StoreError> {
        let id = self.groups.resolve(&GroupId::from(change.chat.as_str()));
        let known = self.groups.get(&id);
        let follows = known.learned.member_version == change.last_version && !change.members.is_empty();
        // Nobody reads the list of a group that is not in the settings.
        if follows || !known.configured {
            self.members_changed(&known, change, at).await?;
        }
        let (dissolved, version) = (change.change == "dismiss", change.version.clone());
        let over = [known.learned.member_version.clone(), change.last_version.clone()];
        self.groups
            .update(&id, move |learned| {
                learned.dissolved |= dissolved;
                if version.is_empty() {
                    return; // another change than of members
                }
                for over in over.iter().filter(|over| **over != version) {
                    learned.is_over(over, at);
                }
                if follows {
                    learned.is_at(&version);
                }
            })
            .await?;
        if !follows || change.detail != "del_member" {
            jobs::refresh::after_event(self.notices.store(), &known, self.clock.now()).await?;
        }
        self.moderation.look_again(&id).await?;
        self.tasks.notify_one();
        Ok(())
    }

    /// Somebody new hears the rules.
    async fn welcome(&self, group: &Group, member: &MemberId) -> Result<(), ActError> {
        let (rules, can) = (self.moderation.rules(), self.moderation.can());
        newcomers::joined(&self.notices, &rules, can, group, member, self.clock.now()).await
    }

    /// Who came or went, as an event says.
    async fn members_changed(
        &self,
        group: &Group,
        change: &GroupChange,
        at: model::Timestamp,
    ) -> Result<(), StoreError> {
        let members: Vec<MemberId> = change.members.iter().map(|member| MemberId::from(member.as_str())).collect();
        // A notice binds colleagues only.
        for member in members.iter().filter(|member| !group.is_external(member)) {
            let told = match change.detail.as_str() {
                "add_member" => {
                    let asked = self.notices.joined(group.id(), member, at).await;
                    if group.learned.seen.contains(member) {
                        asked
                    } else {
                        asked.and(self.welcome(group, member).await)
                    }
                }
                "del_member" => self.notices.left(group.id(), member, at).await,
                _ => Ok(()),
            };
            if let Err(ActError::Store(error)) = told {
                return Err(error);
            }
        }
        let detail = change.detail.clone();
        let members: Vec<(MemberId, bool)> = members
            .into_iter()
            .map(|member| {
                let external = group.is_external(&member);
                (member, external)
            })
            .collect();
        self.groups
            .update(group.id(), move |learned| {
                for (member, external) in &members {
                    match detail.as_str() {
                        "add_member" => {
                            learned.left.remove(member);
                            if learned.seen.insert(member.clone()) {
                                learned.joined.insert(member.clone(), at);
                            }
                            let new = || Person { external: *external, ..Person::default() };
                            learned.members.entry(member.clone()).or_insert_with(new);
                        }
                        "del_member" => learned.leaves(member, at),
                        _ => {}
                    }
                }
            })
            .await
    }
}
