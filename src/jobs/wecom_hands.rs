//! Jobs' hands at WeCom's API: each group by the way its kind allows, each error sorted into what a task should do.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{
    JobError,
    hands::{Hands, Moved, Private, Sent},
};
use crate::{
    groups::{Group, Learned, Person},
    model::{GroupId, GroupKind, MemberId, SignedDuration, Timestamp},
    wecom::{
        client::{Client, ClientError},
        errors::Class,
    },
};

/// Where messages of the bot can be pushed; the socket fills it when it is connected.
#[async_trait]
pub trait BotVoice: Send + Sync + 'static {
    /// Says something in a conversation that somebody opened with the bot before.
    async fn say(&self, chat: &str, text: &str) -> Result<(), JobError>;
    /// Puts a card there.
    async fn card(&self, chat: &str, card: &Value) -> Result<(), JobError>;
}

/// The API's hands.
pub struct WecomHands {
    /// The app's client; absent if no app is configured.
    pub app: Option<Arc<Client>>,
    /// The archive's client, for member lists of internal groups.
    pub archive: Option<Arc<Client>>,
    /// Webhook keys by group.
    pub webhooks: BTreeMap<GroupId, SecretString>,
    /// The bot's connection.
    pub bot: ArcSwapOption<Arc<dyn BotVoice>>,
}

impl WecomHands {
    fn app(&self) -> Result<&Client, JobError> {
        self.app
            .as_deref()
            .ok_or_else(|| JobError::Configuration("没有配置企业微信应用（[wecom.app]），请人工处理".into()))
    }
}

/// Sorts an error of the API into what the task should do.
pub fn job_error(error: ClientError, now: Timestamp) -> JobError {
    if let ClientError::Limit(until) = error {
        return JobError::Wait { until, reason: "等待企业微信频率限制".into() };
    }
    let text = error.to_string();
    match error.class() {
        Class::Retry | Class::Token | Class::Partial => JobError::Retry(text),
        Class::Wait(wait) => {
            let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_secs(60));
            JobError::Wait { until: now + wait, reason: text }
        }
        Class::Configuration => JobError::Configuration(text),
        Class::Final => JobError::Final(text),
    }
}

/// The group is none that WeCom's API tells us about: there is no list to be had.
fn unreadable(error: &ClientError) -> bool {
    matches!(error.code(), Some(49008 | 301_059 | 40050 | 86003 | 86008 | 40058))
}

#[async_trait]
impl Hands for WecomHands {
    async fn tell(&self, to: &[MemberId], message: &Private, now: Timestamp) -> Result<Sent, JobError> {
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
            Err(error) => Err(job_error(error, now)),
        }
    }

    async fn announce(&self, group: &Group, text: &str, now: Timestamp) -> Result<(), JobError> {
        if group.set.kind == GroupKind::App {
            return self.app()?.appchat_send(group.id().as_str(), text, &[]).await.map_err(|e| job_error(e, now));
        }
        if let (Some(key), Some(app)) = (self.webhooks.get(group.id()), &self.app) {
            return app.webhook_send(key, text, &[]).await.map_err(|e| job_error(e, now));
        }
        if let Some(bot) = self.bot.load_full() {
            return bot.say(group.bot_chat(), text).await;
        }
        Err(JobError::Final("这个群没有可以发言的通道".into()))
    }

    async fn group_card(&self, group: &Group, card: &Value, _now: Timestamp) -> Result<bool, JobError> {
        match self.bot.load_full() {
            Some(bot) if group.set.kind == GroupKind::Bot => match bot.card(group.bot_chat(), card).await {
                Ok(()) => Ok(true),
                // Nobody has talked to the bot there yet, or it is not in the group.
                Err(JobError::Final(why)) => {
                    tracing::info!(group = group.id().as_str(), why, "the bot may not put a card into this group");
                    Ok(false)
                }
                Err(error) => Err(error),
            },
            _ => Ok(false),
        }
    }

    async fn read_group(&self, group: &Group, now: Timestamp) -> Result<Option<Learned>, JobError> {
        let id = group.id().as_str();
        let mut learned = Learned { refreshed: Some(now), ..Learned::default() };
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
                    Ok((name, creator, members)) => {
                        learned.name = name;
                        learned.owner = Some(creator).filter(|o| !o.is_empty()).map(MemberId::from);
                        learned.members = members.into_iter().map(|m| (m.into(), Person::default())).collect();
                        Ok(())
                    }
                    Err(error) => Err(error),
                }
            }
        };
        match read {
            Ok(()) => Ok(Some(learned)),
            Err(error) if unreadable(&error) && group.set.kind != GroupKind::App => Ok(None),
            Err(error) => Err(job_error(error, now)),
        }
    }

    async fn take_out(&self, group: &Group, member: &MemberId, now: Timestamp) -> Result<Moved, JobError> {
        moved(self.app()?.appchat_update(group.id().as_str(), &[], &[member.as_str()]).await, now)
    }

    async fn bring_back(&self, group: &Group, member: &MemberId, now: Timestamp) -> Result<Moved, JobError> {
        moved(self.app()?.appchat_update(group.id().as_str(), &[member.as_str()], &[]).await, now)
    }

    async fn update_card(
        &self,
        response_code: &str,
        to: &[MemberId],
        card: &Value,
        now: Timestamp,
    ) -> Result<(), JobError> {
        let users: Vec<&str> = to.iter().map(MemberId::as_str).collect();
        self.app()?.update_template_card(response_code, &users, card).await.map_err(|e| job_error(e, now))
    }
}

fn moved(outcome: Result<(), ClientError>, now: Timestamp) -> Result<Moved, JobError> {
    match outcome {
        Ok(()) => Ok(Moved::Done),
        Err(error) => match error.code() {
            Some(86007 | 86216) => Ok(Moved::Gone),
            Some(86006) => Ok(Moved::Full),
            _ => Err(job_error(error, now)),
        },
    }
}
