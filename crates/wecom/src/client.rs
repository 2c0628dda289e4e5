//! WeCom's HTTP API: one client for one app, with its token, its limits and its errors sorted.
//!
//! The token is fetched once for everybody who waits, refreshed ahead of time, dropped early when WeCom says so, and the
//! call is then repeated once. URLs carry the token, so they are never logged.

use std::{collections::HashMap, sync::Arc, time::Duration};

use reqwest::{Method, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{
    contact::Contact,
    errors::{ApiError, Class, Credential, class, stable_message},
    limits::{self, Meter},
};
use crate::clock::Clock;
use jiff::{SignedDuration, Timestamp};

/// One call may take so long.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Answers larger than this are refused; a member list of 2000 is far smaller.
const LARGEST: usize = 8 * 1024 * 1024;
/// A token is replaced this long before it ends.
const EARLY: SignedDuration = SignedDuration::from_secs(300);
/// WeCom throws away what it has delivered to the same person within such a time, if it is asked to.
const SAME: SignedDuration = SignedDuration::from_secs(1800);

/// Why a call did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The network, or an answer that is not WeCom's. The call may have had its effect.
    #[error("network: {0}")]
    Network(String),
    /// WeCom says no.
    #[error("{0}")]
    Api(ApiError),
    /// Our own meter says: not before then.
    #[error("limit: wait until {0}")]
    Limit(Timestamp),
}

impl ClientError {
    /// The error code, if WeCom gave one.
    pub fn code(&self) -> Option<i64> {
        match self {
            Self::Api(error) => Some(error.code),
            _ => None,
        }
    }
    /// What to do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Network(_) => Class::Retry,
            Self::Api(error) => class(error.code),
            Self::Limit(_) => Class::Wait(Duration::ZERO),
        }
    }
}

struct Token {
    text: SecretString,
    /// Used until then; the next call after it fetches a new one.
    good_until: Timestamp,
}

/// A client for one app (or for the archive's own secret).
pub struct Client {
    http: reqwest::Client,
    base: String,
    corp_id: String,
    agent_id: i64,
    secret: SecretString,
    clock: Arc<dyn Clock>,
    token: Mutex<Option<Token>>,
    meter: Meter,
    contact: parking_lot::Mutex<Contact>,
    /// Texts that arrived for certain, and when: saying them again is meant.
    arrived: parking_lot::Mutex<HashMap<(String, String), Timestamp>>,
}

/// How a private message went out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendOutcome {
    /// userids that WeCom could not reach (lower-cased by WeCom).
    pub invalid: Vec<String>,
    /// For `recall`.
    pub msgid: String,
    /// For updating the card once.
    pub response_code: Option<String>,
}

/// A group the app created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppChat {
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// Who is in it, the owner included.
    pub members: Vec<String>,
}

/// A customer group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerGroup {
    /// Its name.
    pub name: String,
    /// Its owner.
    pub owner: String,
    /// Its admins.
    pub admins: Vec<String>,
    /// Version of the member list.
    pub version: String,
    /// (id, name, external person).
    pub members: Vec<(String, String, bool)>,
    /// 群公告; empty if there is none.
    pub notice: String,
}

/// An internal group as the archive tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InternalGroup {
    /// Its name.
    pub name: String,
    /// Who made it.
    pub creator: String,
    /// Who is in it.
    pub members: Vec<String>,
    /// 群公告; empty if there is none.
    pub notice: String,
}

/// Installs the TLS provider for the whole process; calling it again does nothing.
pub fn install_tls() {
    // Err means that somebody installed one before, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// The way out to WeCom: bounded in time, follows nobody elsewhere.
pub(super) fn http_client() -> Result<reqwest::Client, ClientError> {
    install_tls();
    reqwest::Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(Duration::from_secs(5))
        .pool_idle_timeout(Duration::from_secs(50))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("qunguan/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| ClientError::Network(e.to_string()))
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

impl Client {
    /// `base` is `https://qyapi.weixin.qq.com`, a gateway or the simulator.
    pub fn new(
        base: &str,
        corp_id: &str,
        agent_id: i64,
        secret: SecretString,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ClientError> {
        Ok(Self {
            http: http_client()?,
            base: base.trim_end_matches('/').to_owned(),
            corp_id: corp_id.to_owned(),
            agent_id,
            secret,
            clock,
            token: Mutex::new(None),
            meter: Meter::default(),
            contact: parking_lot::Mutex::default(),
            arrived: parking_lot::Mutex::default(),
        })
    }

    /// How it goes with WeCom.
    pub fn contact(&self) -> Contact {
        self.contact.lock().clone()
    }

    /// The app's id.
    pub fn agent_id(&self) -> i64 {
        self.agent_id
    }

    // ---- token -------------------------------------------------------------------------------------------------------

    /// The token in force; everybody who needs a new one waits for the same single request.
    async fn token(&self, refused: Option<&str>) -> Result<String, ClientError> {
        let mut token = self.token.lock().await;
        let now = self.clock.now();
        if let Some(known) = token.as_ref() {
            let same = refused.is_some_and(|refused| refused == known.text.expose_secret());
            if !same && now < known.good_until {
                return Ok(known.text.expose_secret().to_owned());
            }
        }
        let url = format!("{}/cgi-bin/gettoken", self.base);
        let query = [("corpid", self.corp_id.as_str()), ("corpsecret", self.secret.expose_secret())];
        let answer = self.request(self.http.get(encoded(&url, &query)), "gettoken").await;
        match &answer {
            Err(ClientError::Api(error)) if !matches!(class(error.code), Class::Retry | Class::Wait(_)) => {
                self.contact.lock().refused = Some(error.clone());
            }
            Err(_) => {} // it may be taken the next time
            Ok(_) => self.contact.lock().refused = None,
        }
        let answer = answer?;
        let text = answer["access_token"].as_str().unwrap_or_default().to_owned();
        let seconds = answer["expires_in"].as_i64().unwrap_or(7200);
        if text.is_empty() {
            return Err(ClientError::Network("gettoken answered without a token".into()));
        }
        let life = SignedDuration::from_secs(seconds);
        let early = if life > EARLY * 2 { EARLY } else { life / 10 };
        let good_until = now.saturating_add(life - early).unwrap_or(Timestamp::MAX);
        *token = Some(Token { text: text.clone().into(), good_until });
        Ok(text)
    }

    // ---- calls -------------------------------------------------------------------------------------------------------

    pub(super) async fn get(&self, path: &'static str, query: &[(&str, &str)]) -> Result<Value, ClientError> {
        self.call(Method::GET, path, query, None).await
    }

    pub(super) async fn post(&self, path: &'static str, body: &Value) -> Result<Value, ClientError> {
        self.call(Method::POST, path, &[], Some(body)).await
    }

    async fn call(
        &self,
        method: Method,
        path: &'static str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, ClientError> {
        let mut refused: Option<String> = None;
        loop {
            let token = self.token(refused.as_deref()).await?;
            let mut all = vec![("access_token", token.as_str())];
            all.extend_from_slice(query);
            let url = encoded(&format!("{}/cgi-bin/{path}", self.base), &all);
            let mut request = self.http.request(method.clone(), url);
            if let Some(body) = body {
                request = request.json(body); // raw UTF-8, as WeCom demands (40033)
            }
            match self.request(request, path).await {
                Err(error) if error.class() == Class::Token && refused.is_none() => refused = Some(token),
                other => return other,
            }
        }
    }

    async fn request(&self, request: reqwest::RequestBuilder, path: &'static str) -> Result<Value, ClientError> {
        let network = |error: reqwest::Error| ClientError::Network(error.without_url().to_string());
        let asked = self.clock.now();
        let outcome = async {
            let mut response = request.send().await.map_err(network)?;
            let date = response.headers().get("date").and_then(|date| date.to_str().ok()).map(str::to_owned);
            if !response.status().is_success() {
                return Err(ClientError::Network(format!("HTTP {}", response.status().as_u16())));
            }
            let mut bytes = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(network)? {
                if bytes.len() + chunk.len() > LARGEST {
                    return Err(ClientError::Network("the answer is too large".into()));
                }
                bytes.extend_from_slice(&chunk);
            }
            let answer: Value = serde_json::from_slice(&bytes)
                .map_err(|error| ClientError::Network(format!("the answer is not JSON: {error}")))?;
            self.contact.lock().answered(date.as_deref(), asked, self.clock.now());
            let code = answer["errcode"].as_i64().unwrap_or(0);
            let message = answer["errmsg"].as_str().unwrap_or_default();
            // It means a fault of ours that no repetition mends; with code 0, too, something that was meant was not done.
            let half_read = message.starts_with("Warning: wrong json format");
            if half_read {
                tracing::error!(path, "WeCom could read only part of a request of ours");
            }
            if code == 0 && !half_read {
                Ok(answer)
            } else {
                Err(ClientError::Api(ApiError { with: Credential::App, code, message: stable_message(message) }))
            }
        }
        .await;
        if let Err(ClientError::Network(why)) = &outcome {
            self.contact.lock().nothing_came(asked, why);
        }
        let label = match &outcome {
            Ok(_) => "0".to_owned(),
            Err(ClientError::Api(error)) => error.code.to_string(),
            Err(_) => "network".to_owned(),
        };
        metrics::counter!("qunguan_wecom_calls_total", "path" => path, "errcode" => label).increment(1);
        outcome
    }

    fn metered(&self, keys: &[&str], limits: &[limits::Limit], now: Timestamp) -> Result<(), ClientError> {
        self.meter.take_all(keys, limits, now).map_err(ClientError::Limit)
    }

    // ---- private messages --------------------------------------------------------------------------------------------

    /// Sends a message (`msgtype` and its body) to people of the company. A repetition after a lost answer or a crash is
    /// harmless: WeCom is asked not to deliver the same content again within half an hour. Where the first is known to have
    /// arrived, the second is meant (somebody asked the same thing twice) and is delivered.
    pub async fn message_send(&self, to: &[&str], msgtype: &str, content: &Value) -> Result<SendOutcome, ClientError> {
        let keys: Vec<String> = to.iter().map(|user| format!("member:{user}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        self.metered(&keys, limits::MEMBER, self.clock.now())?;
        let same = (to.join("|"), content.to_string());
        let meant = self.arrived.lock().remove(&same).is_some_and(|at| self.clock.now().duration_since(at) < SAME);
        let mut body = json!({ "touser": same.0, "msgtype": msgtype, "agentid": self.agent_id, msgtype: content });
        if !meant {
            body["enable_duplicate_check"] = json!(1);
            body["duplicate_check_interval"] = json!(SAME.as_secs());
        }
        let answer = self.post("message/send", &body).await?;
        if msgtype == "text" {
            let now = self.clock.now();
            let mut arrived = self.arrived.lock();
            arrived.retain(|_, at| now.duration_since(*at) < SAME);
            arrived.insert(same, now);
        }
        let invalid = answer["invaliduser"].as_str().unwrap_or_default();
        Ok(SendOutcome {
            invalid: invalid.split('|').filter(|u| !u.is_empty()).map(str::to_owned).collect(),
            msgid: answer["msgid"].as_str().unwrap_or_default().to_owned(),
            response_code: answer["response_code"].as_str().filter(|c| !c.is_empty()).map(str::to_owned),
        })
    }

    /// Changes a card that was sent; `response_code` works once within 72 hours.
    pub async fn update_template_card(
        &self,
        response_code: &str,
        to: &[&str],
        card: &Value,
    ) -> Result<(), ClientError> {
        let mut body = json!({ "userids": to, "agentid": self.agent_id, "response_code": response_code });
        if to.is_empty() {
            body["atall"] = json!(1);
        }
        match card.get("replace_name") {
            Some(_) => body["button"] = card.clone(),
            None => body["template_card"] = card.clone(),
        }
        self.post("message/update_template_card", &body).await.map(drop)
    }

    /// Takes back a private message within 24 hours.
    pub async fn message_recall(&self, msgid: &str) -> Result<(), ClientError> {
        self.post("message/recall", &json!({ "msgid": msgid })).await.map(drop)
    }

    // ---- groups of the app -------------------------------------------------------------------------------------------

    /// Creates a group; answers its id.
    pub async fn appchat_create(&self, name: &str, owner: &str, members: &[&str]) -> Result<String, ClientError> {
        let answer = self.post("appchat/create", &json!({ "name": name, "owner": owner, "userlist": members })).await?;
        Ok(answer["chatid"].as_str().unwrap_or_default().to_owned())
    }

    /// Reads a group of the app.
    pub async fn appchat_get(&self, chat: &str) -> Result<AppChat, ClientError> {
        let answer = self.get("appchat/get", &[("chatid", chat)]).await?;
        let info = &answer["chat_info"];
        Ok(AppChat {
            name: info["name"].as_str().unwrap_or_default().to_owned(),
            owner: info["owner"].as_str().unwrap_or_default().to_owned(),
            members: strings(&info["userlist"]),
        })
    }

    /// Adds and removes members in one change.
    pub async fn appchat_update(&self, chat: &str, add: &[&str], remove: &[&str]) -> Result<(), ClientError> {
        self.metered(&["group-changes"], limits::GROUP_CHANGES, self.clock.now())?;
        let mut body = json!({ "chatid": chat });
        if !add.is_empty() {
            body["add_user_list"] = json!(add);
        }
        if !remove.is_empty() {
            body["del_user_list"] = json!(remove);
        }
        self.post("appchat/update", &body).await.map(drop)
    }

    /// Says something in a group of the app.
    pub async fn appchat_send(&self, chat: &str, text: &str, mention: &[&str]) -> Result<(), ClientError> {
        self.metered(&[&format!("group:{chat}")], limits::GROUP_MESSAGES, self.clock.now())?;
        let text = super::cut(text, 2048);
        let body = json!({ "chatid": chat, "msgtype": "text", "safe": 0, "text": { "content": text, "mentioned_list": mention } });
        self.post("appchat/send", &body).await.map(drop)
    }

    /// Says something through a webhook that a person put into a group.
    pub async fn webhook_send(&self, key: &SecretString, text: &str, mention: &[&str]) -> Result<(), ClientError> {
        let metered = format!("webhook:{}", key.expose_secret());
        self.metered(&[&metered], limits::WEBHOOK, self.clock.now())?;
        let url = encoded(&format!("{}/cgi-bin/webhook/send", self.base), &[("key", key.expose_secret())]);
        let text = super::cut(text, 2048);
        let body = json!({ "msgtype": "text", "text": { "content": text, "mentioned_list": mention } });
        self.request(self.http.post(url).json(&body), "webhook/send").await.map(drop)
    }

    // ---- reading -----------------------------------------------------------------------------------------------------

    /// Reads a customer group.
    pub async fn customer_group(&self, chat: &str) -> Result<CustomerGroup, ClientError> {
        let answer = self.post("externalcontact/groupchat/get", &json!({ "chat_id": chat, "need_name": 1 })).await?;
        let group = &answer["group_chat"];
        let members = group["member_list"].as_array().into_iter().flatten();
        Ok(CustomerGroup {
            name: group["name"].as_str().unwrap_or_default().to_owned(),
            owner: group["owner"].as_str().unwrap_or_default().to_owned(),
            admins: group["admin_list"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|a| a["userid"].as_str().map(str::to_owned))
                .collect(),
            notice: group["notice"].as_str().unwrap_or_default().to_owned(),
            version: group["member_version"].as_str().unwrap_or_default().to_owned(),
            members: members
                .filter_map(|m| {
                    let id = m["userid"].as_str()?.to_owned();
                    let name = m["group_nickname"].as_str().filter(|n| !n.is_empty()).or(m["name"].as_str());
                    Some((id, name.unwrap_or_default().to_owned(), m["type"].as_i64() == Some(2)))
                })
                .collect(),
        })
    }

    /// Ids of all customer groups in range, a page at a time; the cursor of the next page, if there is one.
    pub async fn customer_groups(&self, cursor: &str) -> Result<(Vec<String>, Option<String>), ClientError> {
        let answer = self
            .post("externalcontact/groupchat/list", &json!({ "status_filter": 0, "cursor": cursor, "limit": 500 }))
            .await?;
        let ids = answer["group_chat_list"].as_array().into_iter().flatten();
        let ids = ids.filter_map(|g| g["chat_id"].as_str().map(str::to_owned)).collect();
        let next = answer["next_cursor"].as_str().filter(|c| !c.is_empty()).map(str::to_owned);
        Ok((ids, next))
    }

    /// Reads an internal group; needs the archive's own secret.
    pub async fn internal_group(&self, room: &str) -> Result<InternalGroup, ClientError> {
        let answer = self.post("msgaudit/groupchat/get", &json!({ "roomid": room })).await?;
        let members = answer["members"].as_array().into_iter().flatten();
        let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
        Ok(InternalGroup {
            name: text("roomname"),
            creator: text("creator"),
            members: members.filter_map(|m| m["memberid"].as_str().map(str::to_owned)).collect(),
            notice: text("notice"),
        })
    }

    /// Members whose talks are archived now.
    pub async fn archived_members(&self) -> Result<Vec<String>, ClientError> {
        Ok(strings(&self.post("msgaudit/get_permit_user_list", &json!({})).await?["ids"]))
    }

    /// Name of a member of the company.
    pub async fn user_name(&self, user: &str) -> Result<String, ClientError> {
        let answer = self.get("user/get", &[("userid", user)]).await?;
        Ok(answer["name"].as_str().unwrap_or_default().to_owned())
    }

    /// Posts the one reply to a message for the bot (URL mode).
    pub async fn respond(&self, response_url: &str, body: &Value) -> Result<(), ClientError> {
        self.request(self.http.post(response_url).json(body), "aibot/response").await.map(drop)
    }

    // ---- words that WeCom blocks by itself ---------------------------------------------------------------------------

    /// The ids of all 敏感词 rules.
    pub async fn intercept_rules(&self) -> Result<Vec<(String, String)>, ClientError> {
        let answer = self.get("externalcontact/get_intercept_rule_list", &[]).await?;
        let rules = answer["rule_list"].as_array().into_iter().flatten();
        Ok(rules.filter_map(|r| Some((rule_id(&r["rule_id"])?, r["rule_name"].as_str()?.to_owned()))).collect())
    }

    /// One 敏感词 rule as WeCom has it.
    pub async fn intercept_rule(&self, id: &str) -> Result<Value, ClientError> {
        let mut answer = self.post("externalcontact/get_intercept_rule", &json!({ "rule_id": id })).await?;
        Ok(answer["rule"].take())
    }

    /// Creates a 敏感词 rule; answers its id.
    pub async fn add_intercept_rule(&self, rule: &Value) -> Result<String, ClientError> {
        let answer = self.post("externalcontact/add_intercept_rule", rule).await?;
        Ok(rule_id(&answer["rule_id"]).unwrap_or_default())
    }

    /// Changes a 敏感词 rule (its shape differs from creation: `extra_rule`, `add_applicable_range`).
    pub async fn update_intercept_rule(&self, rule: &Value) -> Result<(), ClientError> {
        self.post("externalcontact/update_intercept_rule", rule).await.map(drop)
    }

    /// Deletes a 敏感词 rule.
    pub async fn delete_intercept_rule(&self, id: &str) -> Result<(), ClientError> {
        self.post("externalcontact/del_intercept_rule", &json!({ "rule_id": id })).await.map(drop)
    }
}

/// A 敏感词 rule's id, which WeCom writes as text or as a number.
fn rule_id(id: &Value) -> Option<String> {
    id.as_str().map(str::to_owned).or_else(|| id.as_u64().map(|id| id.to_string()))
}

/// A URL with its query; values are percent-encoded.
fn encoded(url: &str, query: &[(&str, &str)]) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    let mut text = url.to_owned();
    for (i, (key, value)) in query.iter().enumerate() {
        text.push(if i == 0 { '?' } else { '&' });
        text.push_str(key);
        text.push('=');
        text.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    text
}
