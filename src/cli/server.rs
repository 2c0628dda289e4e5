//! The bot that is running, for commands that ask it (`notice`, `ledger`, `activity`, `rule`, `audit`): found by the settings or by `--server`.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::Context;
use serde_json::Value;

use super::{ConfigArg, UserError};
use crate::{http::auth::OWN_AGENT, settings::Settings, wecom::client::install_tls, zh};

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Longest wait for an answer that can be done without.
const BY_THE_WAY: Duration = Duration::from_secs(3);

/// Where the bot is and who asks.
#[derive(Debug, clap::Args)]
pub struct Server {
    #[command(flatten)]
    config: ConfigArg,
    /// 正在运行的群管的地址；不写则用设置里的 listen
    #[arg(long = "server", value_name = "URL", global = true, display_order = 900)]
    address: Option<String>,
    /// 接口令牌的环境变量名；不写则用设置里的第一个 api_token
    #[arg(long, value_name = "NAME", global = true, display_order = 901)]
    token_env: Option<String>,
}

/// The running bot.
pub struct Api {
    client: reqwest::Client,
    base: String,
    token: String,
}

impl Api {
    pub fn new(args: &Server) -> anyhow::Result<Self> {
        let token_from_env = match &args.token_env {
            Some(name) => Some(
                std::env::var(name)
                    .ok()
                    .filter(|token| !token.is_empty())
                    .ok_or_else(|| UserError(format!("环境变量 {name} 是空的")))?,
            ),
            None => None,
        };
        let (base, token) = match (&args.address, token_from_env) {
            (Some(server), Some(token)) => (server.trim_end_matches('/').to_owned(), token),
            (server, token) => {
                let base = server.clone().unwrap_or_else(|| format!("http://{}", reachable(args.config.listen())));
                let token = match token {
                    Some(token) => token,
                    // Of all secrets, only this one is needed.
                    None => args.config.load_offline()?.first_token(args.config.path()).map_err(UserError)?,
                };
                (base.trim_end_matches('/').to_owned(), token)
            }
        };
        if let Ok(settings) = args.config.load_offline() {
            zh::set_zone(settings.time_zone); // times are shown as the bot shows them
        }
        install_tls();
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .user_agent(OWN_AGENT)
            .build()
            .context("cannot make an HTTP client")?;
        Ok(Self { client, base, token })
    }

    /// The bot that these settings describe, asked by the way: no token or no quick answer is no mistake.
    pub fn by_the_way(settings: &Settings) -> Option<Self> {
        let token = settings.api_tokens.first()?.value.expose().to_owned();
        install_tls();
        let client = reqwest::Client::builder().timeout(BY_THE_WAY).user_agent(OWN_AGENT).no_proxy().build().ok()?;
        Some(Self { client, base: format!("http://{}", reachable(settings.listen)), token })
    }

    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(self.client.get(format!("{}{path}", self.base))).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.ask(self.client.post(format!("{}{path}", self.base)).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(self.client.delete(format!("{}{path}", self.base))).await
    }

    /// Under an idempotency key: sent again, nothing happens twice.
    pub async fn post_once(&self, path: &str, body: &Value, key: &str) -> anyhow::Result<Value> {
        let request = self.client.post(format!("{}{path}", self.base)).header("Idempotency-Key", key);
        self.ask(request.json(body)).await
    }

    /// A file.
    pub async fn download(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let answer = self.send(self.client.get(format!("{}{path}", self.base))).await?;
        Ok(answer.bytes().await.map_err(|e| UserError(format!("没有收完：{}", e.without_url())))?.to_vec())
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let answer = self.send(request).await?;
        Ok(answer.json().await.map_err(|e| UserError(format!("读不懂应答：{}", e.without_url())))?)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<reqwest::Response> {
        let answer = request
            .bearer_auth(&self.token)
            .send()
            .await
            .map_err(|e| UserError(format!("{} 没有应答：{}", self.base, e.without_url())))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body: Value = answer.json().await.unwrap_or_default();
        let part = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let text = [part("detail"), part("title")].into_iter().find(|text| !text.is_empty());
        Err(UserError(text.map_or_else(|| format!("群管回答 {status}"), ToOwned::to_owned)).into())
    }
}

/// An address that listens everywhere is asked on this machine.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

pub fn escape(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
}
