//! Where a short link leads: the shortener is asked, and what it answers is judged like a link in the message. Off unless
//! `[detect.links] resolve` is on.
//!
//! Addresses come from strangers, so only known shorteners are asked, never the place they lead to; each hop's name is resolved here, every address it
//! has must be a public one (`public`), and the connection goes to exactly that address. No proxy, no cookies, no redirects
//! followed by the client, little time, little data. Answers are remembered for a while, and a person may not make us ask often.

mod public;

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use parking_lot::Mutex;
use reqwest::{Method, Url, header::LOCATION, redirect};

pub use public::is_public;

use crate::{detect::links, wecom::client::install_tls};

/// Shorteners asked one after the other.
const HOPS: usize = 3;
/// Time for all of them.
const WITHIN: Duration = Duration::from_secs(2);
/// Longest address that is taken for an answer, in bytes.
const LONGEST: usize = 2000;
/// How long an answer is remembered.
const REMEMBERED: Duration = Duration::from_secs(600);
/// So many answers are remembered.
const MOST_REMEMBERED: usize = 1000;
/// Questions a minute, of everybody and of one person.
const PACE: (u32, u32) = (60, 6);

/// Why a link was not resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// Not an address that a browser would open, or not of a shortener.
    #[error("not an address to ask: {0}")]
    NotAsked(String),
    /// The name leads into our own network, or nowhere.
    #[error("not a public address: {0}")]
    NotPublic(String),
    /// No answer in time, or none that says where it leads.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// Too many questions in this minute.
    #[error("asked too often")]
    TooOften,
}

impl Unresolved {
    /// For metrics.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::NotAsked(_) => "not_asked",
            Self::NotPublic(_) => "not_public",
            Self::NoAnswer(_) => "no_answer",
            Self::TooOften => "too_often",
        }
    }
}

/// Which addresses a name has.
#[async_trait]
pub trait Names: Send + Sync + 'static {
    /// All of them.
    async fn addresses(&self, host: &str) -> std::io::Result<Vec<IpAddr>>;
}

/// The machine's own resolver.
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// Asks shorteners.
pub struct ShortLinks {
    names: Box<dyn Names>,
    may_be_asked: fn(IpAddr) -> bool,
    ports: &'static [u16],
    known: Mutex<HashMap<String, (Instant, Result<String, Unresolved>)>>,
    pace: Mutex<Pace>,
}

impl Default for ShortLinks {
    /// The world as it is.
    fn default() -> Self {
        Self::new(Box::new(SystemNames), is_public, &[80, 443])
    }
}

/// Questions since the minute began.
struct Pace {
    began: Instant,
    all: u32,
    by: HashMap<String, u32>,
}

impl Pace {
    fn may_ask(&mut self, person: &str, now: Instant) -> bool {
        if now.duration_since(self.began) >= Duration::from_secs(60) {
            *self = Self { began: now, all: 0, by: HashMap::new() };
        }
        let own = self.by.entry(person.to_owned()).or_default();
        let may = self.all < PACE.0 && *own < PACE.1;
        if may {
            self.all += 1;
            *own += 1;
        }
        may
    }
}

impl ShortLinks {
    /// With other names, addresses and ports (tests have their shorteners on this machine).
    pub fn new(names: Box<dyn Names>, may_be_asked: fn(IpAddr) -> bool, ports: &'static [u16]) -> Self {
        let pace = Pace { began: Instant::now(), all: 0, by: HashMap::new() };
        Self { names, may_be_asked, ports, known: Mutex::default(), pace: Mutex::new(pace) }
    }

    /// Where a short link leads, after at most three shorteners. `person` posted it; `more` are shorteners besides
    /// the known ones.
    pub async fn target(&self, url: &str, person: &str, more: &[String]) -> Result<String, Unresolved> {
        if let Some((at, answer)) = self.known.lock().get(url)
            && at.elapsed() < REMEMBERED
        {
            return answer.clone();
        }
        if !self.pace.lock().may_ask(person, Instant::now()) {
            return Err(Unresolved::TooOften);
        }
        let answer = tokio::time::timeout(WITHIN, self.follow(url, more)).await;
        let answer = answer.unwrap_or_else(|_| Err(Unresolved::NoAnswer(format!("not within {WITHIN:?}"))));
        let mut known = self.known.lock();
        if known.len() >= MOST_REMEMBERED {
            known.clear();
        }
        known.insert(url.to_owned(), (Instant::now(), answer.clone()));
        answer
    }

    async fn follow(&self, url: &str, more: &[String]) -> Result<String, Unresolved> {
        let mut url = self.askable(url, more)?;
        for _ in 0..HOPS {
            let target = self.ask(&url).await?;
            if target.host_str().is_some_and(|host| links::is_shortener(host, more)) {
                url = self.askable(target.as_str(), more)?;
            } else {
                return Ok(target.into());
            }
        }
        Err(Unresolved::NoAnswer("one shortener leads to the next".to_owned()))
    }

    /// An address of a shortener, as it may be asked.
    fn askable(&self, url: &str, more: &[String]) -> Result<Url, Unresolved> {
        let url = web(url)?;
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let fine = links::is_shortener(host.trim_start_matches("www."), more)
            && url.username().is_empty()
            && url.password().is_none()
            && (self.ports.is_empty() || self.ports.contains(&port));
        if fine { Ok(url) } else { Err(Unresolved::NotAsked(host.to_owned())) }
    }

    /// What one shortener answers.
    async fn ask(&self, url: &Url) -> Result<Url, Unresolved> {
        let client = self.client(url).await?;
        // Some shorteners know no HEAD; of a GET only the head is read as well.
        for method in [Method::HEAD, Method::GET] {
            let answer = client.request(method, url.clone()).send().await;
            let answer = answer.map_err(|e| Unresolved::NoAnswer(e.without_url().to_string()))?;
            let location = answer.headers().get(LOCATION).filter(|_| answer.status().is_redirection());
            let Some(location) = location else { continue };
            let location = location.to_str().map_err(|_| Unresolved::NoAnswer("not an address".to_owned()))?;
            if location.len() > LONGEST {
                return Err(Unresolved::NoAnswer("an endless address".to_owned()));
            }
            let target = url.join(location).map_err(|e| Unresolved::NoAnswer(e.to_string()))?;
            return web(target.as_str());
        }
        Err(Unresolved::NoAnswer("it leads nowhere".to_owned()))
    }

    /// A client that can reach nothing but the address of this host which was found to be public.
    async fn client(&self, url: &Url) -> Result<reqwest::Client, Unresolved> {
        let host = url.host_str().unwrap_or_default();
        let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
        let addresses = match literal {
            Ok(address) => vec![address],
            Err(_) => self.names.addresses(host).await.map_err(|e| Unresolved::NotPublic(e.to_string()))?,
        };
        // One private address among public ones is no accident.
        if let Some(private) = addresses.iter().find(|address| !(self.may_be_asked)(**address)) {
            return Err(Unresolved::NotPublic(private.to_string()));
        }
        let address = addresses.first().ok_or_else(|| Unresolved::NotPublic("no address".to_owned()))?;
        let address = SocketAddr::new(*address, url.port_or_known_default().unwrap_or_default());
        install_tls();
        reqwest::Client::builder()
            .timeout(WITHIN)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .resolve(host, address)
            .dns_resolver(Arc::new(Nobody))
            .pool_max_idle_per_host(0)
            .user_agent("Mozilla/5.0")
            .build()
            .map_err(|e| Unresolved::NoAnswer(e.to_string()))
    }
}

/// An address of the web; nothing else is an answer.
fn web(url: &str) -> Result<Url, Unresolved> {
    let url = Url::parse(url).map_err(|e| Unresolved::NotAsked(e.to_string()))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        other => Err(Unresolved::NotAsked(other.to_owned())),
    }
}

/// Knows no name: the client may use only the address it was given.
struct Nobody;

impl reqwest::dns::Resolve for Nobody {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let unknown = format!("{} is not to be asked", name.as_str());
        Box::pin(async move { Err(unknown.into()) })
    }
}

#[cfg(test)]
mod tests;
