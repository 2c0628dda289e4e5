//! Callbacks to the app: verification of the address, encrypted XML, three tries, and the archive's wake-up call.

use std::{collections::VecDeque, sync::Arc};

use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::{Sim, act::Refused, envelope::Seal, faults::FaultKind, state::State, xml};
use jiff::Timestamp;
use qunguan_wecom::clock::Clock;

/// So often a callback is sent until it is accepted.
const TRIES: usize = 3;
/// Deliveries remembered for scripts.
const KEPT: usize = 500;
/// Answers longer than this are not read.
const ANSWER_BYTES: usize = 1 << 20;

/// One callback with the outcome of every try.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    /// Rises.
    pub id: u64,
    /// `app` or `bot`.
    pub to: &'static str,
    /// When it was raised.
    pub at: Timestamp,
    /// What was in it, plain.
    pub plain: String,
    /// What became of each try, oldest first: `200`, `500`, `no answer: …`, `lost`.
    pub tries: Vec<String>,
    /// Accepted, given up, or still being tried.
    pub accepted: Option<bool>,
    /// The decrypted answer, if there was one.
    pub answer: Option<String>,
}

/// Callback addresses and what was sent there.
#[derive(Debug, Default)]
pub struct Hooks {
    /// Address of the app's (and the archive's) callbacks.
    pub app: Option<String>,
    /// Address of the bot's callbacks.
    pub bot: Option<String>,
    /// Recent deliveries, oldest first.
    pub deliveries: VecDeque<Delivery>,
    last: u64,
}

impl Hooks {
    /// Writes a new delivery down and returns its id.
    pub fn begin(&mut self, to: &'static str, plain: String, at: Timestamp) -> u64 {
        self.last += 1;
        if self.deliveries.len() >= KEPT {
            self.deliveries.pop_front();
        }
        let delivery = Delivery { id: self.last, to, at, plain, tries: Vec::new(), accepted: None, answer: None };
        self.deliveries.push_back(delivery);
        self.last
    }
    /// Writes the outcome of a try down.
    pub fn tried(&mut self, id: u64, outcome: String) {
        if let Some(delivery) = self.deliveries.iter_mut().rev().find(|d| d.id == id) {
            delivery.tries.push(outcome);
        }
    }
    /// Writes the end down.
    pub fn end(&mut self, id: u64, accepted: bool, answer: Option<String>) {
        if let Some(delivery) = self.deliveries.iter_mut().rev().find(|d| d.id == id) {
            delivery.accepted = Some(accepted);
            delivery.answer = answer;
        }
    }
}

/// The answer to a callback: status and body, or why there was none.
pub async fn post(sim: &Sim, url: &str, kind: &str, body: &str) -> Result<(u16, String), String> {
    let send = async {
        let request = sim.http.post(url).header("Content-Type", kind).body(body.to_owned());
        let mut response = request.send().await.map_err(|e| format!("no answer: {}", e.without_url()))?;
        let status = response.status().as_u16();
        let mut answer = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|e| format!("no answer: {}", e.without_url()))? {
            answer.extend_from_slice(&part);
            if answer.len() > ANSWER_BYTES {
                return Err("answer too long".into());
            }
        }
        String::from_utf8(answer).map(|text| (status, text)).map_err(|_| "answer is not UTF-8".to_owned())
    };
    tokio::time::timeout(sim.config.callback_timeout, send)
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {:?}", sim.config.callback_timeout)))
}

/// Sends an event or message to the app's address, if there is one.
pub fn send(sim: &Arc<Sim>, plain: String) {
    // On record before anything is awaited: who looks after the act that caused it finds it.
    let begun = sim.with(|state, now| {
        let url = state.hooks.app.clone()?;
        let id = state.hooks.begin("app", plain.clone(), now);
        if state.faults.has(&FaultKind::CallbackLost) {
            state.hooks.tried(id, "lost".into());
            state.hooks.end(id, false, None);
            return None;
        }
        Some((url, Seal::app(&state.credentials), state.stamp(now), id))
    });
    let Some((url, seal, stamp, id)) = begun else { return };
    let sim = sim.clone();
    tokio::spawn(async move {
        let sealed = seal.seal(&plain, &stamp);
        let mut body = xml::Writer::new();
        body.text("ToUserName", &sim.read(|state, _| state.credentials.corp_id.clone()));
        body.raw(&format!("<AgentID>{}</AgentID>", xml::cdata(&super::config::APP_AGENT.to_string())));
        body.text("Encrypt", &sealed.encrypt);
        let (forged, url, body) = (sealed.forged_url(&url), sealed.url(&url), body.finish());
        if sim.with(|state, _| state.faults.has(&FaultKind::CallbackForged)) {
            let outcome = post(&sim, &forged, "text/xml", &body).await;
            sim.with(|state, _| state.hooks.tried(id, outcome.map_or_else(|e| e, |(status, _)| status.to_string())));
        }
        if sim.with(|state, _| state.faults.has(&FaultKind::CallbackTriple)) {
            let twins = [post(&sim, &url, "text/xml", &body), post(&sim, &url, "text/xml", &body)];
            let outcomes = futures_util::future::join_all(twins).await;
            sim.with(|state, _| {
                for outcome in outcomes {
                    state.hooks.tried(id, outcome.map_or_else(|e| e, |(status, _)| status.to_string()));
                }
            });
        }
        for attempt in 1..=TRIES {
            let began = Instant::now();
            let outcome = post(&sim, &url, "text/xml", &body).await;
            let answer = match &outcome {
                Ok((200, answer)) => Some(answer.trim().to_owned()),
                _ => None,
            };
            let line = outcome.map_or_else(|e| e, |(status, _)| status.to_string());
            let over = answer.is_some() || attempt == TRIES;
            sim.with(|state, _| {
                state.hooks.tried(id, line);
                if over {
                    let reply = answer.as_deref().filter(|a| a.starts_with("<xml")).and_then(|a| seal.open_xml(a));
                    if let Some(reply) = &reply {
                        state.app_replied(&plain, reply);
                    }
                    state.hooks.end(id, answer.is_some(), reply);
                }
            });
            if over {
                return;
            }
            tokio::time::sleep_until(began + sim.config.callback_retry_after).await;
        }
    });
}

/// Sets the addresses, each only if it answers the verification as WeCom demands: within its second, the bare plain text.
pub async fn configure(sim: &Arc<Sim>, app: Option<String>, bot: Option<String>) -> Result<(), Refused> {
    for (url, is_app) in [(&app, true), (&bot, false)] {
        if let Some(url) = url {
            verify(sim, url, is_app).await.map_err(|why| Refused(format!("{url}: {why}")))?;
        }
    }
    sim.with(|state, _| {
        if app.is_some() {
            state.hooks.app = app;
        }
        if bot.is_some() {
            state.hooks.bot = bot;
        }
    });
    Ok(())
}

async fn verify(sim: &Arc<Sim>, url: &str, is_app: bool) -> Result<(), String> {
    let (seal, stamp, echo) = sim.with(|state, now| {
        let seal = if is_app { Seal::app(&state.credentials) } else { Seal::bot(&state.credentials) };
        (seal, state.stamp(now), format!("{}", 1_616_140_317_555_161_061_u64 + state.serial()))
    });
    let url = seal.seal(&echo, &stamp).verification_url(url);
    let ask = async {
        let response = sim.http.get(&url).send().await.map_err(|e| e.without_url().to_string())?;
        let status = response.status().as_u16();
        let body = response.text().await.map_err(|e| e.without_url().to_string())?;
        Ok::<_, String>((status, body))
    };
    match tokio::time::timeout(sim.config.verify_timeout, ask).await {
        Err(_) => Err(format!("no answer to the verification within {:?}", sim.config.verify_timeout)),
        Ok(Err(why)) => Err(format!("no answer to the verification: {why}")),
        Ok(Ok((200, body))) if body == echo => Ok(()),
        Ok(Ok((status, _))) => {
            Err(format!("wrong answer to the verification (HTTP {status}): the bare echo is expected"))
        }
    }
}

/// Raises `msgaudit_notify`: at once after a quiet time, then at most one in `notify_every` while messages keep coming.
pub async fn notify_archive(sim: Arc<Sim>) {
    let every = sim.config.notify_every.as_millis() as i64;
    let mut last = None::<Timestamp>;
    loop {
        sim.archived.notified().await;
        while let Some(wait) = last.map(|l| l.as_millisecond() + every - sim.clock.now().as_millisecond()) {
            if wait <= 0 || wait > every {
                break; // a clock that was set back does not hold the next one up
            }
            let moved = sim.clock.moved();
            tokio::select! {
                () = tokio::time::sleep(std::time::Duration::from_millis(wait as u64)) => {}
                () = moved => {}
            }
        }
        sim.with(|state, now| {
            last = Some(now);
            if !state.faults.has(&FaultKind::NotifyLost) {
                let agent = super::config::ARCHIVE_AGENT.to_string();
                state.app_event("sys", "msgaudit_notify", &[("AgentID", agent)], "", now);
            }
        });
    }
}

impl State {
    /// The bot's app answered a callback with a passive reply.
    fn app_replied(&mut self, callback: &str, reply: &str) {
        let (asked, reply) = (xml::read(callback), xml::read(reply));
        let person = asked["from_user_name"].as_str().unwrap_or_default().to_owned();
        let task = asked["task_id"].as_str().unwrap_or_default().to_owned();
        let agent = super::config::APP_AGENT;
        match reply["msg_type"].as_str() {
            Some("update_button") => {
                let label = reply.pointer("/button/replace_name").and_then(Value::as_str).unwrap_or_default();
                self.change_card(&person, agent, &task, &super::cards::Change::Freeze(label.to_owned()));
            }
            Some("update_template_card") => {
                self.change_card(&person, agent, &task, &super::cards::Change::Face(reply["template_card"].clone()));
            }
            Some("text") if self.people.contains_key(&person) => {
                let body = serde_json::json!({ "content": reply["content"] });
                let at =
                    Timestamp::from_second(asked["create_time"].as_str().and_then(|t| t.parse().ok()).unwrap_or(0));
                self.tell_from_app(&person, "text", body, at.unwrap_or(Timestamp::UNIX_EPOCH));
            }
            _ => {}
        }
    }
}
