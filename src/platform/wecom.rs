//! The platform through WeCom's API: each group by the way its kind allows, each error sorted into what a task should do.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{Moved, Platform, PlatformError, Private, Sent};
use crate::{
    groups::{Group, GroupState, Person},
    model::{Clock, GroupId, GroupKind, MemberId, SignedDuration, Timestamp},
    settings::{Secret, Settings},
    wecom::{
        client::{Client, ClientError},
        errors::Class,
    },
};

/// Where messages of the bot can be pushed; the socket fills it when it is connected.
#[async_trait]
pub trait BotPush: Send + Sync + 'static {
    /// Says something in a conversation that somebody opened with the bot before.
    async fn say(&self, chat: &str, text: &str) -> Result<(), PlatformError>;
    /// Puts a card there.
    async fn card(&self, chat: &str, card: &Value) -> Result<(), PlatformError>;
}

/// WeCom, through the app, the archive's client, webhooks and the bot's connection.
pub struct WecomPlatform {
    /// The app's client; absent if no app is configured.
    pub app: Option<Arc<Client>>,
    /// The archive's client, for member lists of internal groups.
    pub archive: Option<Arc<Client>>,
    /// The client of 紧急通知; absent if nobody's phone is to ring.
    pub urgent: Option<Arc<Client>>,
    /// Webhook keys by group.
    pub webhooks: BTreeMap<GroupId, SecretString>,
    /// The bot's connection.
    pub bot: ArcSwapOption<Arc<dyn BotPush>>,
}

impl WecomPlatform {
    /// The clients that the settings have secrets for.
    ///
    /// # Errors
    /// A client cannot be made (TLS).
    pub fn of(settings: &Settings, clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        let wecom = settings.wecom.as_ref();
        let client = |agent: i64, secret: Option<&Secret>| {
            let Some((wecom, secret)) = wecom.zip(secret) else { return Ok(None) };
            let secret = SecretString::from(secret.expose().to_owned());
            Client::new(&wecom.api_base, &wecom.corp_id, agent, secret, clock.clone())
                .map(|client| Some(Arc::new(client)))
        };
        let app = wecom.and_then(|w| w.app.as_ref());
        let keys = settings.groups.iter().filter_map(|g| Some((g.id.clone(), g.webhook_key()?.to_owned())));
        Ok(Self {
            app: client(app.map_or(0, |app| app.agent_id), app.map(|app| &app.secret))?,
            archive: client(0, wecom.and_then(|w| w.archive.as_ref()).map(|archive| &archive.secret))?,
            urgent: client(0, wecom.and_then(|w| w.urgent.as_ref()).map(|urgent| &urgent.secret))?,
            webhooks: keys.map(|(group, key)| (group, SecretString::from(key))).collect(),
            bot: ArcSwapOption::empty(),
        })
    }

    fn app(&self) -> Result<&Client, PlatformError> {
        self.app
            .as_deref()
            .ok_or_else(|| PlatformError::Configuration("没有配置企业微信应用（[wecom.app]），请人工处理".into()))
    }
}

/// Sorts an error of the API into what the task should do.
pub fn classified(error: ClientError, now: Timestamp) -> PlatformError {
    if let ClientError::Limit(until) = error {
        return PlatformError::Wait { until, reason: "等待企业微信频率限制".into() };
    }
    let text = error.to_string();
    match error.class() {
        Class::Retry | Class::Token | Class::Partial => PlatformError::Retry(text),
        Class::Wait(wait) => {
            let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_secs(60));
            PlatformError::Wait { until: now + wait, reason: text }
        }
        Class::Configuration => PlatformError::Configuration(text),
        Class::Final => PlatformError::Final(text),
    }
}

/// The group is none that WeCom's API tells us about: there is no list to be had.
fn unreadable(error: &ClientError) -> bool {
    matches!(error.code(), Some(49008 | 301_059 | 40050 | 86003 | 86008 | 40058))
}

#[async_trait]
impl Platform for WecomPlatform {
    async fn tell(&self, to: &[MemberId], message: &Private, now: Timestamp) -> Result<Sent, PlatformError> {
        let app = self.app()?;
        let users: Vec<&str> = to.iter().map(MemberId::as_str).collect();
        let outcome = match message {
            Private::Text(text) => {
                app.message_send(&users, "text", &json!({ "content": crate::wecom::cut(text, 2048) })).await
            }
            Private::Card(card) => app.message_send(&users, "template_card", card).await,
        };
        match outcome {
            Ok(sent) => Ok(Sent {
                unreachable: to
                    .iter()
                    .filter(|m| sent.invalid.iter().any(|i| i.eq_ignore_ascii_case(m.as_str())))
                    .cloned()
                    .collect(),
                response_code: sent.response_code,
            }),
            // All receivers are unknown or out of range.
            Err(ClientError::Api(error)) if error.code == 81013 => {
                Ok(Sent { unreachable: to.to_vec(), response_code: None })
            }
            // The same card was sent before a crash: WeCom refuses a task_id it knows.
            Err(ClientError::Api(error)) if error.code == 42014 && matches!(message, Private::Card(_)) => {
                Ok(Sent::default())
            }
            Err(error) => Err(classified(error, now)),
        }
    }

    async fn ring(&self, people: &[MemberId], now: Timestamp) -> Result<Vec<MemberId>, PlatformError> {
        let Some(urgent) = &self.urgent else {
            return Err(PlatformError::Final("没有配置紧急通知（[wecom.urgent]）".into()));
        };
        let people: Vec<&str> = people.iter().map(MemberId::as_str).collect();
        let failed = urgent.urgent_call(&people).await.map_err(|error| classified(error, now))?;
        Ok(failed.into_iter().map(|(person, _)| person.into()).collect())
    }

    async fn announce(&self, group: &Group, text: &str, now: Timestamp) -> Result<(), PlatformError> {
        if group.set.kind == GroupKind::App {
            return self.app()?.appchat_send(group.id().as_str(), text, &[]).await.map_err(|e| classified(e, now));
        }
        if let (Some(key), Some(app)) = (self.webhooks.get(group.id()), &self.app) {
            return app.webhook_send(key, text, &[]).await.map_err(|e| classified(e, now));
        }
        if let Some(bot) = self.bot.load_full() {
            return bot.say(group.bot_chat(), text).await;
        }
        Err(PlatformError::Final("这个群没有可以发言的通道".into()))
    }

    async fn group_card(&self, group: &Group, card: &Value, _now: Timestamp) -> Result<bool, PlatformError> {
        match self.bot.load_full() {
            Some(bot) if group.set.kind == GroupKind::Bot => match bot.card(group.bot_chat(), card).await {
                Ok(()) => Ok(true),
                // Nobody has talked to the bot there yet, or it is not in the group.
                Err(PlatformError::Final(why)) => {
                    tracing::info!(group = group.id().as_str(), why, "the bot may not put a card into this group");
                    Ok(false)
                }
                Err(error) => Err(error),
            },
            _ => Ok(false),
        }
    }

    async fn read_group(&self, group: &Group, now: Timestamp) -> Result<Option<GroupState>, PlatformError> {
        let id = group.id().as_str();
        let mut learned = GroupState { refreshed: Some(now), ..GroupState::default() };
        let read = match group.set.kind {
            GroupKind::App => match self.app()?.appchat_get(id).await {
                Ok(chat) => {
                    learned.name = chat.name;
                    learned.owner = Some(chat.owner).filter(|o| !o.is_empty()).map(MemberId::from);
                    learned.members = chat.members.into_iter().map(|m| (m.into(), Person::default())).collect();
                    Ok(())
                }
                Err(error) => Err(error),
            },
            GroupKind::Customer => match self.app()?.customer_group(id).await {
                Ok(chat) => {
                    learned.name = chat.name;
                    learned.owner = Some(chat.owner).filter(|o| !o.is_empty()).map(MemberId::from);
                    learned.admins = chat.admins.into_iter().map(MemberId::from).collect();
                    learned.notices = Some(chat.notice).filter(|notice| !notice.is_empty()).into_iter().collect();
                    learned.member_version = chat.version;
                    learned.members = chat
                        .members
                        .into_iter()
                        .map(|(id, name, external)| (id.into(), Person { name, external }))
                        .collect();
                    Ok(())
                }
                Err(error) => Err(error),
            },
            GroupKind::Internal | GroupKind::Bot => {
                let Some(archive) = &self.archive else { return Ok(None) };
                match archive.internal_group(id).await {
                    Ok(room) => {
                        learned.name = room.name;
                        learned.notices = Some(room.notice).filter(|notice| !notice.is_empty()).into_iter().collect();
                        learned.owner = Some(room.creator).filter(|o| !o.is_empty()).map(MemberId::from);
                        learned.members = room.members.into_iter().map(|m| (m.into(), Person::default())).collect();
                        Ok(())
                    }
                    Err(error) => Err(error),
                }
            }
        };
        match read {
            Ok(()) => Ok(Some(learned)),
            Err(error) if unreadable(&error) && group.set.kind != GroupKind::App => Ok(None),
            Err(error) => Err(classified(error, now)),
        }
    }

    async fn remove_member(&self, group: &Group, member: &MemberId, now: Timestamp) -> Result<Moved, PlatformError> {
        moved(self.app()?.appchat_update(group.id().as_str(), &[], &[member.as_str()]).await, now)
    }

    async fn add_member(&self, group: &Group, member: &MemberId, now: Timestamp) -> Result<Moved, PlatformError> {
        moved(self.app()?.appchat_update(group.id().as_str(), &[member.as_str()], &[]).await, now)
    }

    async fn update_card(
        &self,
        response_code: &str,
        to: &[MemberId],
        card: &Value,
        now: Timestamp,
    ) -> Result<(), PlatformError> {
        let users: Vec<&str> = to.iter().map(MemberId::as_str).collect();
        self.app()?.update_template_card(response_code, &users, card).await.map_err(|e| classified(e, now))
    }
}

fn moved(outcome: Result<(), ClientError>, now: Timestamp) -> Result<Moved, PlatformError> {
    match outcome {
        Ok(()) => Ok(Moved::Done),
        Err(error) => match error.code() {
            Some(86007 | 86216) => Ok(Moved::Gone),
            Some(86006) => Ok(Moved::Full),
            _ => Err(classified(error, now)),
        },
    }
}
