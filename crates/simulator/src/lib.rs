//! A WeCom that runs on this machine: `qunguan simulate`, and inside `qunguan demo` and the tests.
//!
//! People see a chat page (`/sim`): groups, bubbles, grey system lines, cards with buttons, a clock and fault switches.
//! A bot sees WeCom: `/cgi-bin/*`, signed and encrypted callbacks, the bot socket, the archive. Scripts see a control API
//! (`/sim/api/*`, `docs/simulator.md`). Everything is in memory and follows one clock that can be moved.

mod act;
mod api;
mod archive;
mod bot;
mod bot_callback;
mod bot_files;
mod bot_socket;
mod bot_upload;
mod callbacks;
mod cards;
mod clock;
mod config;
mod control;
mod envelope;
mod faults;
mod follow;
mod ids;
mod limits;
mod members;
mod page;
mod people;
mod rights;
mod sample;
mod sign_in;
mod state;
mod tour;
mod unknowns;
mod view;
mod world;
mod xml;

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use axum::{
    extract::State as Shared,
    http::{HeaderValue, header},
    response::Response,
};
use parking_lot::Mutex;
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc, oneshot, watch},
    task::JoinHandle,
};

pub use act::{Act, Refused};
pub use api::card_fits;
pub use archive::ArchiveEntry;
pub use callbacks::Delivery;
pub use config::{AppCredentials, ArchiveCredentials, BotCredentials, Config, Credentials};
pub use faults::{Fault, FaultKind};
pub use follow::follow;
use state::{Effect, State};
pub use tour::{Seen, Step, Tour};
pub use unknowns::Unknowns;

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use qunguan_wecom::clock::{Clock, ShiftedClock};

/// Open calls get so long to end when the simulator stops.
const STOP_WAIT: std::time::Duration = std::time::Duration::from_secs(3);

/// The platform with everything that hangs on it; shared by all its servers and tasks.
struct Sim {
    state: Mutex<State>,
    clock: Arc<ShiftedClock>,
    config: Config,
    http: reqwest::Client,
    revision: watch::Sender<u64>,
    archived: Notify,
    stopping: watch::Sender<bool>,
    followers: follow::Followers,
    tour: Mutex<Option<Tour>>,
    /// Who starts over first when everything is to begin again.
    starts_over: Mutex<Option<mpsc::Sender<oneshot::Sender<()>>>>,
}

impl Sim {
    /// Changes the state, then lets out what the change caused.
    fn with<R>(self: &Arc<Self>, change: impl FnOnce(&mut State, Timestamp) -> R) -> R {
        let now = self.clock.now();
        let (result, effects) = {
            let mut state = self.state.lock();
            let result = change(&mut state, now);
            let mut effects = std::mem::take(&mut state.effects);
            effects.retain(|effect| !bot_socket::push(&mut state, effect, now));
            (result, effects)
        };
        for effect in effects {
            match effect {
                Effect::App(xml) => callbacks::send(self, xml),
                Effect::Bot(body) => bot_callback::send(self, body),
                Effect::Archived => self.archived.notify_one(),
            }
        }
        self.revision.send_modify(|revision| *revision += 1);
        result
    }

    /// Looks at the state.
    fn read<R>(&self, look: impl FnOnce(&State, Timestamp) -> R) -> R {
        look(&self.state.lock(), self.clock.now())
    }

    /// Puts the company back to its beginning; callback addresses, archive keys and the bot's connection stay.
    fn reset(self: &Arc<Self>) {
        self.with(|state, now| {
            let mut fresh = State::new(state.credentials.clone());
            if self.config.sample {
                sample::fill(&mut fresh, now);
            }
            fresh.inherit(state);
            *state = fresh;
        });
    }
}

/// Every answer says what time it is here.
async fn dated(Shared(sim): Shared<Arc<Sim>>, mut response: Response) -> Response {
    let shown = sim.read(|state, now| state.faults.shown(now));
    let printed = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&shown);
    if let Some(date) = printed.ok().and_then(|date| HeaderValue::from_str(&date).ok()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

/// Starts simulated WeComs.
pub struct Simulator;

impl Simulator {
    /// Binds the address and serves until the handle is stopped or dropped.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn start(config: Config, clock: Arc<ShiftedClock>) -> anyhow::Result<Handle> {
        let listener =
            TcpListener::bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
        let address = listener.local_addr().context("listening address")?;
        qunguan_wecom::client::install_tls();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("HTTP client for callbacks")?;
        let mut state = State::new(Credentials::at(address));
        state.unknowns = config.unknowns.clone();
        if config.sample {
            sample::fill(&mut state, clock.now());
        }
        let sim = Arc::new(Sim {
            state: Mutex::new(state),
            clock,
            config,
            http,
            revision: watch::Sender::new(0),
            archived: Notify::new(),
            stopping: watch::Sender::new(false),
            followers: follow::Followers::default(),
            tour: Mutex::default(),
            starts_over: Mutex::default(),
        });
        let router = api::router()
            .merge(control::router())
            .merge(page::router())
            .merge(sign_in::router())
            .merge(bot_files::router())
            .merge(bot_socket::router())
            .layer(axum::middleware::map_response_with_state(sim.clone(), dated))
            .with_state(sim.clone());
        let notifier = tokio::spawn(callbacks::notify_archive(sim.clone()));
        let mut stopping = sim.stopping.subscribe();
        let server = tokio::spawn(async move {
            let stop = async move {
                let _ = stopping.wait_for(|stop| *stop).await;
            };
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
                tracing::error!(%error, "the simulator's server ended");
            }
        });
        Ok(Handle { sim, address, server: Some(server), notifier })
    }
}

/// A running simulator.
pub struct Handle {
    sim: Arc<Sim>,
    address: SocketAddr,
    server: Option<JoinHandle<()>>,
    notifier: JoinHandle<()>,
}

impl Handle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// Everything a client needs.
    pub fn credentials(&self) -> Credentials {
        self.sim.read(|state, _| state.credentials.clone())
    }
    /// Its clock.
    pub fn clock(&self) -> Arc<ShiftedClock> {
        self.sim.clock.clone()
    }
    /// Moves the clock and wakes who waits for it.
    pub fn advance(&self, by: SignedDuration) {
        self.sim.clock.advance(by);
        self.sim.with(|_, _| ());
    }
    /// Takes the public key of an archive's key pair; the same as `POST /sim/api/archive/key`.
    ///
    /// # Errors
    /// Why it is no key.
    pub fn set_archive_key(&self, version: u32, pem: &str) -> Result<(), String> {
        self.sim.with(|state, _| state.archive.set_key(version, pem))
    }
    /// Does what a person would do in the client; the same as `POST /sim/api/act`.
    ///
    /// # Errors
    /// The client would not let them.
    pub fn act(&self, act: Act) -> Result<serde_json::Value, Refused> {
        self.sim.with(|state, now| state.act(act, now))
    }
    /// [`Handle::act`] with the JSON that scripts send.
    ///
    /// # Errors
    /// The JSON is no act, or the client would not let them.
    pub fn act_json(&self, act: serde_json::Value) -> Result<serde_json::Value, Refused> {
        self.act(serde_json::from_value(act).map_err(|e| Refused(e.to_string()))?)
    }
    /// A group as `who` sees it (`None`: as everybody together would), with every line that is kept.
    pub fn group(&self, group: &str, who: Option<&str>) -> Option<serde_json::Value> {
        self.sim.read(|state, now| view::group(state, group, who, 0, usize::MAX, now))
    }
    /// A person's 1:1 talks with the app and the bot.
    pub fn inbox(&self, person: &str) -> Vec<serde_json::Value> {
        self.sim.read(|state, _| view::inbox(state, person))
    }
    /// Archived messages after `seq`, plain: what an in-process archive source reads.
    pub fn archive(&self, seq: u64, limit: usize) -> Vec<ArchiveEntry> {
        self.sim.read(|state, _| state.archive.after(seq, limit))
    }
    /// Turns a fault switch on.
    pub fn fault(&self, fault: Fault) {
        self.sim.with(|state, _| state.faults.on.push(fault));
    }
    /// Turns all fault switches off.
    pub fn no_faults(&self) {
        self.sim.with(|state, _| state.faults.on.clear());
    }
    /// Sets the callback addresses after verifying each as WeCom does when the admin presses 保存.
    ///
    /// # Errors
    /// An address did not answer the verification; nothing of it was saved.
    pub async fn set_callbacks(&self, app: Option<String>, bot: Option<String>) -> Result<(), Refused> {
        callbacks::configure(&self.sim, app, bot).await
    }
    /// The company as the control API's `state` shows it.
    pub fn world(&self) -> serde_json::Value {
        self.sim.read(view::world)
    }
    /// How many of the remembered API calls went to this path (without `/cgi-bin/`).
    pub fn calls(&self, path: &str) -> usize {
        self.sim.read(|state, _| state.calls.iter().filter(|call| call.path == path).count())
    }
    /// Callbacks sent so far, oldest first, with the outcome of every try.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.sim.read(|state, _| state.hooks.deliveries.iter().cloned().collect())
    }
    /// Waits until `look` finds something in this handle, looking again after every change.
    pub async fn until<T>(&self, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let mut changes = self.sim.revision.subscribe();
        loop {
            changes.borrow_and_update();
            if let Some(found) = look(self) {
                return found;
            }
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
    /// Shows a guide beside the chat.
    pub fn guide(&self, tour: Tour) {
        *self.sim.tour.lock() = Some(tour);
    }
    /// Which steps of the guide were done.
    pub fn guided(&self) -> Vec<bool> {
        let tour = self.sim.tour.lock().clone().unwrap_or_default();
        let shown = self.sim.read(|state, _| tour.shown(state));
        shown["steps"].as_array().into_iter().flatten().map(|step| step["done"] == true).collect()
    }
    /// From now on "全部重来" on the chat page is answered here, by whoever forgets what a bot knows, too, calls
    /// [`Handle::reset`] and then answers what came.
    pub fn starts_over(&self) -> mpsc::Receiver<oneshot::Sender<()>> {
        let (asks, asked) = mpsc::channel(1);
        *self.sim.starts_over.lock() = Some(asks);
        asked
    }
    /// Puts the company back to its beginning.
    pub fn reset(&self) {
        self.sim.reset();
    }
    /// Stops serving.
    pub async fn stop(mut self) {
        self.sim.stopping.send_replace(true);
        if let Some(mut server) = self.server.take()
            && tokio::time::timeout(STOP_WAIT, &mut server).await.is_err()
        {
            server.abort();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.sim.stopping.send_replace(true);
        self.notifier.abort();
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}
