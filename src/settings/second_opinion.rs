//! `[detect.second_opinion]`: a language model that is asked about what the lists are not sure of; off while the section is
//! absent. `docs/second-opinion.md` says what leaves the house for it.

use std::net::IpAddr;

use jiff::SignedDuration;
use serde::{Deserialize, Deserializer, de::Error};

use super::{Secret, document::Document};
use crate::duration::duration;
use crate::model::named_enum;

named_enum! {
    /// What a group uses it for.
    pub enum SecondOpinionMode {
        /// Nothing.
        Off = "off", "不用";
        /// It sees what a person would be asked about, before they are.
        Confirm = "confirm", "复核";
        /// It also reads what the lists found nothing in, against the group's rulebooks, and may only ask a person.
        Read = "read", "通读";
    }
}

named_enum! {
    /// How the service is told to answer in JSON.
    pub enum AnswerFormat {
        /// `response_format` with a schema.
        JsonSchema = "json_schema", "按结构";
        /// `response_format` without one.
        JsonObject = "json_object", "JSON";
        /// In words only, for services that know no `response_format`.
        Text = "text", "文字";
    }
}

/// Where the model is and what it may cost.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondOpinion {
    /// Address of an OpenAI-compatible service, up to and with `/v1`; `https`, or `http` on this machine.
    pub url: String,
    /// The model's name there.
    pub model: String,
    /// The service's key; a service on this machine may want none.
    pub key: Option<Secret>,
    /// What groups use it for that do not say so themselves; default `confirm`.
    #[serde(default = "confirm")]
    pub mode: SecondOpinionMode,
    /// A card for a person waits no longer for an opinion; 100 ms to 30 s, default 8 s.
    #[serde(default = "eight_seconds", deserialize_with = "timeout")]
    pub timeout: SignedDuration,
    /// Default `json_object`, which most services know.
    #[serde(default = "json_object")]
    pub answer_format: AnswerFormat,
    /// Questions a day (of the settings' time zone), all groups together; default 500.
    #[serde(default = "five_hundred")]
    pub requests_per_day: u32,
    /// Tokens a day, questions and answers together; no limit unless given.
    pub tokens_per_day: Option<u64>,
    /// Money a day, in whatever the prices are in; no limit unless given.
    #[serde(default, deserialize_with = "money")]
    pub cost_per_day: Option<f64>,
    /// Price of 1,000 tokens of a question.
    #[serde(default, deserialize_with = "money")]
    pub price_in: Option<f64>,
    /// Price of 1,000 tokens of an answer.
    #[serde(default, deserialize_with = "money")]
    pub price_out: Option<f64>,
    /// One in so many that it would wave through is shown to a person all the same, so that its agreement with people is known;
    /// default 10, 0 = none.
    #[serde(default = "ten")]
    pub spot_check: u32,
}

impl SecondOpinion {
    /// Price of a question and its answer in millionths of the prices' unit.
    pub fn cost_micros(&self, tokens_in: u64, tokens_out: u64) -> u64 {
        let of = |tokens: u64, price: Option<f64>| tokens as f64 * price.unwrap_or(0.0) * 1000.0;
        (of(tokens_in, self.price_in) + of(tokens_out, self.price_out)).ceil() as u64
    }

    /// Where questions go.
    pub fn endpoint(&self) -> String {
        let base = self.url.trim_end_matches('/');
        if base.ends_with("/chat/completions") { base.to_owned() } else { format!("{base}/chat/completions") }
    }
}

/// What the section itself cannot know to be wrong.
pub(super) fn check(settings: &SecondOpinion, document: &mut Document<'_>) {
    let at = |field: &str| format!("detect.second_opinion.{field}");
    if let Err(why) = address(&settings.url) {
        document.wrong(&at("url"), why);
    }
    if settings.model.trim().is_empty() {
        document.wrong(&at("model"), "写上模型的名字");
    }
    if settings.requests_per_day == 0 {
        document.wrong(&at("requests_per_day"), "写 0 就一条也不问；不用第二意见请删掉这一节，或写 mode = \"off\"");
    }
    if settings.cost_per_day.is_some() && settings.price_in.is_none() && settings.price_out.is_none() {
        document.wrong(&at("cost_per_day"), "要限制费用，请写上 price_in 和 price_out（每 1000 个 token 的价格）");
    }
}

/// Whoever can change the way of a plain connection reads what is said; only this machine speaks to itself in plain.
fn address(url: &str) -> Result<(), &'static str> {
    const SHAPE: &str = "要写成 https://域名/v1 这样的地址";
    let url: reqwest::Url = url.parse().map_err(|_| SHAPE)?;
    let host = url.host_str().ok_or(SHAPE)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("地址里不要写用户名和密码，密钥写在 key");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("地址里不要有 ? 和 #");
    }
    let is_here =
        host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_here => Ok(()),
        "http" => Err("要用 https：只有本机（127.0.0.1）的服务可以用 http"),
        _ => Err(SHAPE),
    }
}

fn confirm() -> SecondOpinionMode {
    SecondOpinionMode::Confirm
}
fn json_object() -> AnswerFormat {
    AnswerFormat::JsonObject
}
fn eight_seconds() -> SignedDuration {
    SignedDuration::from_secs(8)
}
fn five_hundred() -> u32 {
    500
}
fn ten() -> u32 {
    10
}

fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
    let length = duration(deserializer)?;
    if (SignedDuration::from_millis(100)..=SignedDuration::from_secs(30)).contains(&length) {
        Ok(length)
    } else {
        Err(D::Error::custom("要在 100ms 到 30s 之间：待办卡会等这么久"))
    }
}

fn money<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let amount = f64::deserialize(deserializer)?;
    if amount.is_finite() && (0.0..=1e6).contains(&amount) {
        Ok(Some(amount))
    } else {
        Err(D::Error::custom("要写 0 到 1000000 之间的金额"))
    }
}
