//! A simulator on a free port with a standing clock, and a small client for its API.

use std::{sync::Arc, time::Duration};

use qunguan::{
    model::{ShiftedClock, Timestamp},
    simulator::{Config, Handle, Simulator},
};
use serde_json::{Value, json};

/// A running simulator and a client with the app's token.
pub struct World {
    pub sim: Handle,
    pub http: reqwest::Client,
    pub token: String,
}

/// Monday, 4 May 2026, 10:00 in Shanghai.
pub fn morning() -> Timestamp {
    "2026-05-04T10:00:00+08:00".parse().unwrap()
}

/// Starts one; the clock stands still until a test moves it.
pub async fn start() -> World {
    start_with(Config::default()).await
}

/// The same with other pauses.
pub async fn start_with(config: Config) -> World {
    let config = Config { callback_retry_after: Duration::ZERO, stream_refresh: Duration::ZERO, ..config };
    let sim = Simulator::start(config, Arc::new(ShiftedClock::fixed(morning()))).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut world = World { sim, http, token: String::new() };
    let secret = world.sim.credentials().app.secret;
    let token = world.token_for(&secret).await["access_token"].as_str().unwrap().to_owned();
    world.token = token;
    world
}

impl World {
    /// `gettoken` with this secret.
    pub async fn token_for(&self, secret: &str) -> Value {
        let credentials = self.sim.credentials();
        let url =
            format!("{}/cgi-bin/gettoken?corpid={}&corpsecret={secret}", credentials.api_base, credentials.corp_id);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }
    /// A POST with the app's token.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.post_as(&self.token, path, body).await
    }
    /// A POST with any token.
    pub async fn post_as(&self, token: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/cgi-bin/{path}?access_token={token}", self.sim.credentials().api_base);
        self.http.post(url).json(&body).send().await.unwrap().json().await.unwrap()
    }
    /// A GET with the app's token; `path` may have a query.
    pub async fn get(&self, path: &str) -> Value {
        let joint = if path.contains('?') { '&' } else { '?' };
        let url = format!("{}/cgi-bin/{path}{joint}access_token={}", self.sim.credentials().api_base, self.token);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }
    /// A POST to the control API.
    pub async fn control(&self, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/{path}", self.sim.credentials().control);
        let response = self.http.post(url).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
    /// A text to one person.
    pub async fn tell(&self, person: &str, text: &str) -> Value {
        self.post(
            "message/send",
            json!({"touser": person, "msgtype": "text", "agentid": 1000002, "text": {"content": text}}),
        )
        .await
    }
}

/// The code of an answer.
pub fn code(answer: &Value) -> i64 {
    answer["errcode"].as_i64().unwrap()
}
