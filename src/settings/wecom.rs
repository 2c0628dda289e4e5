//! `[wecom]`: the company's account. Each part that is absent is a feature that is off.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::SignedDuration;
use serde::Deserialize;

use super::{Intercept, Secret};
use crate::duration::duration;

/// WeCom's own address.
pub const API_BASE: &str = "https://qyapi.weixin.qq.com";
/// Where people sign in to pages that they open in WeCom.
pub const AUTHORIZE_URL: &str = "https://open.weixin.qq.com/connect/oauth2/authorize";
/// The smart bot's long connection.
pub const BOT_SOCKET: &str = "wss://openws.work.weixin.qq.com";

/// The company's account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wecom {
    /// 企业 ID, `ww…`.
    pub corp_id: String,
    /// Where the API answers; default WeCom's own, else a gateway or the simulator.
    #[serde(default = "api_base")]
    pub api_base: String,
    /// Where people sign in to pages; default WeCom's own.
    #[serde(default = "authorize_url")]
    pub authorize_url: String,
    /// 自建应用: the hands (messages, cards, its own groups) and the events.
    pub app: Option<App>,
    /// 智能机器人: what members say to the bot with @, and the bot's answers.
    pub bot: Option<Bot>,
    /// 会话内容存档: every message.
    pub archive: Option<Archive>,
    /// 紧急通知: rings the phones of those in `[escalation]` when nobody answered what is grave. Absent: nobody's.
    pub urgent: Option<Urgent>,
    /// Wordlists for WeCom's own 敏感词. Changes without a restart.
    pub intercept: Option<Intercept>,
}

/// 自建应用.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// `AgentId`.
    pub agent_id: i64,
    /// `Secret`.
    pub secret: Secret,
    /// `Token` of the callback (接收消息); with `aes_key` it opens `/wecom/app`.
    pub token: Option<Secret>,
    /// `EncodingAESKey` of the callback, 43 characters.
    pub aes_key: Option<Secret>,
}

/// 智能机器人: `token` and `aes_key` open `/wecom/bot`; `bot_id` and `secret` make the long connection. One of both.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bot {
    /// `Token` of the callback.
    pub token: Option<Secret>,
    /// `EncodingAESKey` of the callback, 43 characters.
    pub aes_key: Option<Secret>,
    /// `BotID` of the long connection.
    pub bot_id: Option<String>,
    /// `Secret` of the long connection.
    pub secret: Option<Secret>,
    /// What it is called in WeCom, so that only a mention of it counts as said to it; names that are seen are learned.
    #[serde(default)]
    pub names: Vec<String>,
    /// Where the long connection goes; default WeCom's own.
    #[serde(default = "bot_socket")]
    pub socket_url: String,
}

/// 紧急通知, an application of WeCom's own that the company pays by the call.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Urgent {
    /// Its own `Secret`.
    pub secret: Secret,
}

/// 会话内容存档.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Path of `libWeWorkFinanceSdk_C.so`, which WeCom lets you download; relative to the working folder.
    pub library: PathBuf,
    /// The archive's own `Secret`.
    pub secret: Secret,
    /// RSA private keys (PEM) by `publickey_ver`; keep the old ones.
    pub private_keys: BTreeMap<u32, Secret>,
    /// Looks for new messages at least this often, also without an event; default 15 s.
    #[serde(default = "poll", deserialize_with = "duration")]
    pub poll: SignedDuration,
    /// Longest time for one call of the library, in whole seconds; default 10 s.
    #[serde(default = "timeout", deserialize_with = "duration")]
    pub timeout: SignedDuration,
    /// WeCom keeps messages so long; default 5 days. Beyond it the bot says what it did not see.
    #[serde(default = "retention", deserialize_with = "duration")]
    pub retention: SignedDuration,
    /// `http://…` or `socks5://…` that the library goes through; default none.
    #[serde(default)]
    pub proxy: String,
    /// `user:password` of the proxy.
    pub proxy_password: Option<Secret>,
}

fn api_base() -> String {
    API_BASE.to_owned()
}
fn authorize_url() -> String {
    AUTHORIZE_URL.to_owned()
}
fn bot_socket() -> String {
    BOT_SOCKET.to_owned()
}
fn retention() -> SignedDuration {
    SignedDuration::from_hours(5 * 24)
}
fn poll() -> SignedDuration {
    SignedDuration::from_secs(15)
}
fn timeout() -> SignedDuration {
    SignedDuration::from_secs(10)
}
