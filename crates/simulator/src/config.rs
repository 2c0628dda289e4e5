//! What a simulated WeCom is started with, and what a client needs to know about it.

use std::{net::SocketAddr, time::Duration};

use serde::Serialize;

use super::unknowns::Unknowns;

/// Start values. [`Config::default`] is right for a demo; tests shorten the pauses.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// With the sample groups and people, or an empty company.
    pub sample: bool,
    /// How long an answer to a callback may take (WeCom: 5 s).
    pub callback_timeout: Duration,
    /// A callback that was not accepted is sent again this long after the try began (WeCom: 5 s), three tries in all.
    pub callback_retry_after: Duration,
    /// How long the answer to a URL verification may take (WeCom: 1 s).
    pub verify_timeout: Duration,
    /// Pause between two refreshes of a streaming answer in callback mode (undocumented).
    pub stream_refresh: Duration,
    /// At most one `msgaudit_notify` in such a time of the simulated clock (WeCom: 15 s).
    pub notify_every: Duration,
    /// A bot socket that stays silent so long is closed (undocumented).
    pub socket_silence: Duration,
    /// What else is not documented.
    pub unknowns: Unknowns,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            sample: true,
            callback_timeout: Duration::from_secs(5),
            callback_retry_after: Duration::from_secs(5),
            verify_timeout: Duration::from_secs(1),
            stream_refresh: Duration::from_secs(1),
            notify_every: Duration::from_secs(15),
            socket_silence: Duration::from_secs(100),
            unknowns: Unknowns::default(),
        }
    }
}

/// Everything a client needs; `qunguan simulate` prints it as its first line.
#[derive(Clone, Debug, Serialize)]
pub struct Credentials {
    /// Instead of `https://qyapi.weixin.qq.com`.
    pub api_base: String,
    /// The company.
    pub corp_id: String,
    /// The self-built app (root visible range, may use 客户联系).
    pub app: AppCredentials,
    /// The 智能机器人.
    pub bot: BotCredentials,
    /// 会话内容存档.
    pub archive: ArchiveCredentials,
    /// `corpsecret` of 紧急通知; for `pstncc/*`.
    pub urgent_secret: String,
    /// Base address of the control API.
    pub control: String,
    /// The chat page for people.
    pub page: String,
}

/// The app's part of [`Credentials`].
#[derive(Clone, Debug, Serialize)]
pub struct AppCredentials {
    /// `agentid`.
    pub agent_id: i64,
    /// `corpsecret`.
    pub secret: String,
    /// For the signature of its callbacks.
    pub token: String,
    /// EncodingAESKey of its callbacks.
    pub aes_key: String,
}

/// The bot's part of [`Credentials`].
#[derive(Clone, Debug, Serialize)]
pub struct BotCredentials {
    /// `bot_id` of the subscription, `aibotid` in callbacks.
    pub bot_id: String,
    /// The name that an @ shows.
    pub name: String,
    /// Secret of the long connection.
    pub secret: String,
    /// For the signature of its callbacks.
    pub token: String,
    /// EncodingAESKey of its callbacks.
    pub aes_key: String,
    /// The long connection, instead of `wss://openws.work.weixin.qq.com`.
    pub socket_url: String,
}

/// The archive's part of [`Credentials`].
#[derive(Clone, Debug, Serialize)]
pub struct ArchiveCredentials {
    /// `corpsecret` of the archive; for `msgaudit/*` and the native library.
    pub secret: String,
    /// Answers `GET ?seq=&limit=` with the JSON that `GetChatData` returns.
    pub url: String,
}

/// `agentid` of the app.
pub const APP_AGENT: i64 = 1_000_002;
/// `agentid` of the archive.
pub const ARCHIVE_AGENT: i64 = 2_000_004;
/// `agentid` of 紧急通知.
pub const URGENT_AGENT: i64 = 3_000_008;
/// Robot id under which the app's posts appear in groups and in the archive.
pub const APP_ROBOT: &str = "wbSimApp1000002";
/// Robot id under which the bot's posts appear.
pub const BOT_ROBOT: &str = "wbSimBot";

impl Credentials {
    /// The fixed accounts of the simulated company, served from `address`. They open nothing but this simulator.
    pub fn at(address: SocketAddr) -> Self {
        let base = format!("http://{address}");
        Self {
            corp_id: "ww5imu1ated00c0rp".into(),
            app: AppCredentials {
                agent_id: APP_AGENT,
                secret: "sim-app-secret-4f1c9a".into(),
                token: "SimAppToken".into(),
                aes_key: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG".into(),
            },
            bot: BotCredentials {
                bot_id: "aibSimBot".into(),
                name: "群管".into(),
                secret: "sim-bot-secret-83be07".into(),
                token: "SimBotToken".into(),
                aes_key: "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcbA".into(),
                socket_url: format!("ws://{address}/bot-socket"),
            },
            archive: ArchiveCredentials {
                secret: "sim-archive-secret-d25e61".into(),
                url: format!("{base}/sim/archive"),
            },
            urgent_secret: "sim-urgent-secret-7c40de".into(),
            control: format!("{base}/sim/api"),
            page: format!("{base}/sim"),
            api_base: base,
        }
    }
}
