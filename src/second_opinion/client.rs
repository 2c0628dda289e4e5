//! The way to the service: one request, bounded in time and size, that follows nobody elsewhere.

use std::time::Duration;

use reqwest::{StatusCode, redirect};
use serde::Deserialize;
use serde_json::Value;

use super::{Opinion, Question, question::ANSWER_TOKENS};
use crate::{settings::SecondOpinion, wecom::client::install_tls};

/// Answers larger than this are not read.
const LARGEST: usize = 64 * 1024;

/// Why there is no opinion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Too slow.
    #[error("no answer in time")]
    Timeout,
    /// Not reached, or the connection broke.
    #[error("network: {0}")]
    Network(String),
    /// The service refuses.
    #[error("the service answers {0}")]
    Status(StatusCode),
    /// More than anybody would read.
    #[error("the answer is too large")]
    TooLarge,
    /// Not what was agreed.
    #[error("the answer is odd: {0}")]
    Odd(&'static str),
}

impl NoAnswer {
    /// The stable word of metrics.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Network(_) => "network",
            Self::Status(_) => "status",
            Self::TooLarge => "too_large",
            Self::Odd(_) => "odd",
        }
    }
}

/// Tokens that a question and its answer took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Usage {
    /// Of the question.
    #[serde(default, rename = "prompt_tokens")]
    pub tokens_in: u64,
    /// Of the answer.
    #[serde(default, rename = "completion_tokens")]
    pub tokens_out: u64,
}

/// An answer of the service as far as it is read.
#[derive(Debug, Deserialize)]
struct Completion {
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Usage>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    message: Said,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Said {
    content: Option<String>,
}

/// Asks the service that the settings of the moment name.
pub struct Client {
    http: reqwest::Client,
}

impl Client {
    /// Connects to nothing yet.
    pub fn new() -> Result<Self, reqwest::Error> {
        install_tls();
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("qunguan/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http })
    }

    /// Asks once. The usage is what the service says it took, or a guess from above where it says nothing.
    pub async fn ask(
        &self,
        settings: &SecondOpinion,
        question: &Question,
        within: Duration,
    ) -> (Result<Opinion, NoAnswer>, Usage) {
        let body = question.body(&settings.model, settings.answer_format);
        let read = tokio::time::timeout(within, self.fetch(settings, &body)).await.unwrap_or(Err(NoAnswer::Timeout));
        let guess = Usage { tokens_in: question.estimate() - ANSWER_TOKENS, tokens_out: ANSWER_TOKENS };
        let bytes = match read {
            Ok(bytes) => bytes,
            // What never got an answer may have been worked on all the same.
            Err(error @ (NoAnswer::Timeout | NoAnswer::TooLarge)) => return (Err(error), guess),
            Err(error) => return (Err(error), Usage::default()),
        };
        let Ok(completion) = serde_json::from_slice::<Completion>(&bytes) else {
            return (Err(NoAnswer::Odd("not a completion")), guess);
        };
        let usage = completion.usage.unwrap_or(guess);
        (opinion(completion.choices, question).map_err(NoAnswer::Odd), usage)
    }

    async fn fetch(&self, settings: &SecondOpinion, body: &Value) -> Result<Vec<u8>, NoAnswer> {
        let network = |error: reqwest::Error| NoAnswer::Network(error.without_url().to_string());
        let mut request = self.http.post(settings.endpoint()).json(body);
        if let Some(key) = &settings.key {
            request = request.bearer_auth(key.expose());
        }
        let mut response = request.send().await.map_err(network)?;
        if !response.status().is_success() {
            return Err(NoAnswer::Status(response.status())); // a redirect, too
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(network)? {
            if bytes.len() + chunk.len() > LARGEST {
                return Err(NoAnswer::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

fn opinion(choices: Vec<Choice>, question: &Question) -> Result<Opinion, &'static str> {
    let Ok([choice]) = <[Choice; 1]>::try_from(choices) else { return Err("not one choice") };
    if choice.finish_reason.is_some_and(|reason| reason != "stop") {
        return Err("cut off");
    }
    Opinion::parse(&choice.message.content.ok_or("no words")?, question)
}
