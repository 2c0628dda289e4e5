//! Builds everything from the settings, starts it, stops it in order.
//!
//! Order of a stop: `/readyz` says no, what was accepted is answered and channels and tasks end what they began, no new
//! connections, the store writes what is left. Killed instead, nothing acknowledged is lost.

#[cfg(test)]
mod audited;
#[cfg(test)]
mod bench;
mod channels;
mod ready;
#[cfg(test)]
mod two_deciders;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};
use tracing::{info, warn};

pub use self::channels::open_archive;
use self::{channels::ChannelBuilder, ready::Ready};
use crate::{
    accounts::Accounts,
    capability::Capabilities,
    card_actions::CardActions,
    channels::{Channel, looks::Eyes},
    chat_commands::CommandService,
    console::{self, Console, ReadToday, Welcome},
    deps::Deps,
    file_text::apart::Reader,
    groups,
    http::{
        self, Api,
        appeal::AppealPages,
        auth::Tokens,
        in_flight::{self, InFlight},
        problem,
        receipt::Receipts,
        wecom_sign_in::WecomSignIn,
    },
    in_force::InForce,
    jobs::{
        self,
        runner::{Runner, Spread},
    },
    model::Clock,
    moderation::Moderation,
    ocr,
    rulebooks::{self, Rulebooks},
    settings::{
        Settings,
        reload::{self, Live, Watched},
    },
    short_links::ShortLinks,
    store::{Store, StoreError, embedded::EmbeddedStore},
    web,
    wecom::archive::ArchiveSource,
    zh,
};

/// Callbacks must be answered within five seconds; ours end before WeCom gives up.
const CALLBACK_TIMEOUT: Duration = Duration::from_millis(4500);
/// A batch of a company's own pipeline may take longer.
const API_TIMEOUT: Duration = Duration::from_secs(60);
/// Whoever watches `/readyz` has so long to see that the bot stops, before connections are refused.
const STOP_SEEN: Duration = Duration::from_millis(500);
/// Requests that came after the stop was said get so long.
const STOP_LATECOMERS: Duration = Duration::from_secs(2);
/// Work in progress gets so long to end at a stop.
const STOP_WITHIN: Duration = Duration::from_secs(25);

/// What may be given instead of what the settings would make; demo and tests use it.
#[derive(Default)]
pub struct Overrides {
    /// The ear, instead of the native library.
    pub archive: Option<Arc<dyn ArchiveSource>>,
    /// How often the archive is looked at without being called.
    pub archive_poll: Option<Duration>,
    /// The settings file to watch; none for built-in settings.
    pub config: Option<Watched>,
    /// What a demo shows to who is not signed in.
    pub welcome: Option<Welcome>,
    /// Who asks where short links lead, instead of one that asks the world.
    pub short_links: Option<Arc<ShortLinks>>,
    /// Who reads files, instead of this process.
    pub files: Reader,
    /// How the waits of tasks that failed are spread.
    pub spread: Spread,
    /// Renders `/metrics`.
    pub metrics: Option<PrometheusHandle>,
    /// Where the store lies, so that `store export` can reach the running process; set by [`App::open`].
    pub store_folder: Option<PathBuf>,
}

/// Everything that was built, ready to run.
pub struct App {
    deps: Deps,
    commands: Arc<CommandService>,
    eyes: Eyes,
    channels: Vec<Arc<dyn Channel>>,
    runner: Arc<Runner>,
    router: Router,
    header_timeout: Duration,
    config: Option<Watched>,
    store_folder: Option<PathBuf>,
    in_flight: InFlight,
}

/// The pages that people open from WeCom; none without an address that the world can reach.
fn members_pages(sign_in: Option<Arc<WecomSignIn>>, deps: &Deps) -> Router {
    let Some(sign_in) = sign_in else { return Router::new() };
    let receipts =
        Receipts { notices: deps.notices.clone(), moderation: deps.moderation.clone(), sign_in: sign_in.clone() };
    let appeals = AppealPages { cases: deps.cases.clone(), sign_in };
    http::receipt::routes(Arc::new(receipts)).merge(http::appeal::routes(Arc::new(appeals)))
}

impl App {
    /// Opens the store in the settings' folder and builds on it.
    pub async fn open(settings: Settings, clock: Arc<dyn Clock>, with: Overrides) -> anyhow::Result<Self> {
        let folder = settings.store_folder();
        let opening = folder.clone();
        let opened = tokio::task::spawn_blocking(move || EmbeddedStore::open(&opening)).await?;
        let store: Arc<dyn Store> = Arc::new(opened.context("opening the store")?);
        let taken = jobs::recover_leases::recover_leases(store.as_ref(), clock.now()).await.context("reading tasks")?;
        if taken > 0 {
            info!(tasks = taken, "the last process ended in the middle of these; they go on now");
        }
        Self::build(settings, store, clock, Overrides { store_folder: Some(folder), ..with }).await
    }

    /// Builds everything on a given store.
    pub async fn build(
        settings: Settings,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        with: Overrides,
    ) -> anyhow::Result<Self> {
        zh::set_zone(settings.time_zone.clone());
        let lived = Arc::new(Rulebooks::load(store.clone()).await.context("reading rulebooks")?);
        let rules = {
            let (settings, clock, lived) = (settings.clone(), clock.clone(), lived.clone());
            tokio::task::spawn_blocking(move || InForce::build(settings, clock.as_ref(), lived)).await?
        };
        let rules = rules.map_err(|problems| {
            anyhow::Error::new(crate::settings::Problems(problems)).context("the lists or policies are wrong")
        })?;
        rules.troubles.log();
        let deps = Box::pin(Deps::build(&settings, rules, store.clone(), clock.clone())).await?;
        let reading = settings.detect.ocr.clone();
        let ocr = tokio::task::spawn_blocking(move || ocr::Pictures::open(reading.as_ref())).await?;
        let eyes = Eyes { ocr: Arc::new(ocr), links: with.short_links.unwrap_or_default(), files: with.files };
        let mut built = ChannelBuilder {
            settings: &settings,
            commands: Arc::new(CommandService::new(&deps)),
            clicks: Arc::new(CardActions::new(&deps)),
            archive_wake: Arc::new(Notify::new()),
            eyes: eyes.clone(),
            hears_groups: with.archive.is_some() || settings.wecom.as_ref().is_some_and(|w| w.archive.is_some()),
            channels: Vec::new(),
            deps: deps.clone(),
        };
        let commands = built.commands.clone();
        Box::pin(built.channels(with.archive, with.archive_poll)).await?;
        let channels = built.channels;

        let all_jobs = jobs::all(&deps).context("the way to the second opinion")?;
        let runner = Arc::new(Runner::new(store.clone(), clock.clone(), deps.wake.clone(), all_jobs, with.spread));

        let in_flight = InFlight::default();
        let readiness = Ready {
            deps: deps.clone(),
            channels: channels.clone(),
            runner: runner.clone(),
            in_flight: in_flight.clone(),
            ocr: eyes.ocr.clone(),
        };
        let api = Api::new(&deps, with.metrics, Arc::new(readiness));
        let tokens = Tokens::new(settings.api_tokens.iter().map(|token| (token.into(), token.value.expose())));
        let within = |time| TimeoutLayer::with_status_code(axum::http::StatusCode::SERVICE_UNAVAILABLE, time);
        let mut callbacks = Router::new();
        for channel in &channels {
            callbacks = callbacks.merge(channel.clone().routes());
        }
        let sign_in = WecomSignIn::of(&settings, &deps).map(Arc::new);
        let pages = if settings.console.enabled {
            console::routes(Console {
                api: api.clone(),
                accounts: deps.accounts.clone(),
                orders: deps.orders.clone(),
                rules: deps.rules.clone(),
                sign_in: sign_in.clone(),
                public_url: deps.public_url.clone(),
                welcome: with.welcome,
                read_today: ReadToday::default(),
            })
        } else {
            Router::new().route("/style.css", axum::routing::get(web::style))
        };
        let router = callbacks
            .merge(members_pages(sign_in, &deps))
            .merge(http::ops_routes(api.clone(), deps.accounts.clone(), tokens.clone()))
            .merge(pages)
            .layer(within(CALLBACK_TIMEOUT))
            .nest("/api/v1", http::api_routes(api, tokens, settings.http.api_bytes).layer(within(API_TIMEOUT)))
            .fallback(|| async { problem::Problem::not_found("地址") })
            .layer(axum::middleware::from_fn_with_state(in_flight.clone(), in_flight::count))
            .layer(CatchPanicLayer::new());
        Ok(Self {
            deps,
            commands,
            eyes,
            channels,
            runner,
            router,
            header_timeout: Duration::try_from(settings.http.header_timeout).unwrap_or(Duration::from_secs(10)),
            config: with.config,
            store_folder: with.store_folder,
            in_flight,
        })
    }

    /// The use case, for tests.
    pub fn moderation(&self) -> Arc<Moderation> {
        self.deps.moderation.clone()
    }
    /// Who may sign in at the console.
    pub fn accounts(&self) -> Arc<Accounts> {
        self.deps.accounts.clone()
    }
    /// What every channel looks with.
    pub fn eyes(&self) -> Eyes {
        self.eyes.clone()
    }
    /// What is in force and how the last reload went, for tests.
    pub fn rules(&self) -> Arc<Live<InForce>> {
        self.deps.rules.clone()
    }
    /// The store, for tests.
    pub fn store(&self) -> Arc<dyn Store> {
        self.deps.store.clone()
    }

    /// Serves until `stop` resolves, then ends in order.
    pub async fn run(self, listener: TcpListener, stop: impl Future<Output = ()> + Send) -> anyhow::Result<()> {
        let address = listener.local_addr()?;
        jobs::plan(&self.deps).await.context("planning")?;
        adopt_rulebooks(&self.deps).await.context("reading rulebooks")?;
        self.commands.notify_interrupted().await.context("commands that were cut off")?;
        let (ending, ended) = watch::channel(false);
        let mut working = tokio::task::JoinSet::new();
        for channel in &self.channels {
            working.spawn(channel.clone().run(ended.clone()));
        }
        let mut runner_end = ended.clone();
        let runner = self.runner.clone();
        working.spawn(async move {
            runner
                .run(async move {
                    let _ = runner_end.wait_for(|end| *end).await;
                })
                .await;
        });
        let watching = self.config.clone().map(|watched| tokio::spawn(watch_settings(self.deps.clone(), watched)));
        #[cfg(unix)]
        if let Some(folder) = &self.store_folder {
            let (store, clock, folder, mut end) =
                (self.deps.store.clone(), self.deps.clock.clone(), folder.clone(), ended.clone());
            working.spawn(async move {
                let stop = async {
                    let _ = end.wait_for(|end| *end).await;
                };
                if let Err(error) = crate::store::export_socket::serve(store, clock, &folder, stop).await {
                    warn!(%error, "backups of the running store are not possible");
                }
            });
        }
        #[cfg(unix)]
        if let Some(folder) = &self.store_folder {
            let (accounts, folder, mut end) = (self.deps.accounts.clone(), folder.clone(), ended.clone());
            working.spawn(async move {
                let stop = async {
                    let _ = end.wait_for(|end| *end).await;
                };
                if let Err(error) = crate::accounts::socket::serve(accounts, &folder, stop).await {
                    warn!(%error, "`qunguan account` cannot reach the running bot");
                }
            });
        }
        let handle = axum_server::Handle::new();
        let server = {
            let handle = handle.clone();
            let mut server = axum_server::from_tcp(listener.into_std()?)?;
            server.http_builder().http1().header_read_timeout(self.header_timeout);
            let service = self.router.clone().into_make_service_with_connect_info::<SocketAddr>();
            tokio::spawn(async move { server.handle(handle).serve(service).await })
        };
        info!(%address, "ready");
        stop.await;
        info!("stopping");
        self.in_flight.stop();
        ending.send_replace(true);
        let all_done = async {
            self.in_flight.done().await;
            while working.join_next().await.is_some() {}
        };
        let (done, ()) = tokio::join!(tokio::time::timeout(STOP_WITHIN, all_done), tokio::time::sleep(STOP_SEEN));
        if done.is_err() {
            warn!("some work did not end in time; it goes on from the store at the next start");
        }
        // What came while the stop was already said ends at once.
        handle.graceful_shutdown(Some(STOP_LATECOMERS));
        server.await??;
        if let Some(watching) = watching {
            watching.abort();
        }
        info!("stopped");
        Ok(())
    }
}

/// Takes changed settings where they are right, and tells whoever keeps something of them.
fn watch_settings(deps: Deps, watched: Watched) -> impl Future<Output = ()> + Send {
    let (live, clock) = (deps.rules.clone(), deps.clock.clone());
    let (lived, build_clock) = (live.get().lived.clone(), clock.clone());
    let settings = live.get().settings.clone();
    let build = move |settings| {
        let rules = InForce::build(settings, build_clock.as_ref(), lived.clone())?;
        if !rules.troubles.grave.is_empty() {
            return Err(rules.troubles.grave);
        }
        rules.troubles.log();
        for (file, first, entries) in rules.detector.own().back_to_observation() {
            warn!(
                file,
                line = first.line,
                entries,
                "edited entries only record again, as new ones do; qunguan check names them"
            );
        }
        let refused = rulebooks::unraised(&lived.all(), &rules.settings, &rules.rulebooks, build_clock.now());
        if refused.is_empty() { Ok(rules) } else { Err(refused) }
    };
    let tell = move |rules: &Arc<InForce>| {
        deps.groups.configure(groups::configured(&rules.settings));
        deps.notices.set_calendar(rules.calendar.clone());
        deps.capabilities.store(Arc::new(Capabilities::of(&rules.settings)));
        // A group that is new in the settings has never been read.
        let deps = deps.clone();
        tokio::spawn(async move {
            if let Err(error) = adopt_rulebooks(&deps).await {
                warn!(%error, "changed rulebooks are announced at the next start");
            }
            if let Err(error) = jobs::refresh::plan(deps.store.as_ref(), &deps.groups, deps.clock.now()).await {
                warn!(%error, "the groups of the new settings are read at the next start");
            }
            deps.moderation.ring();
        });
    };
    reload::watch(live, watched, settings, clock, build, tell)
}

/// Puts the rulebook files before the groups. What cannot be taken (the bot was stopped while a file changed without a higher
/// version) is said by `/readyz`; the group lives on under what it knows.
async fn adopt_rulebooks(deps: &Deps) -> Result<(), StoreError> {
    let (rules, now) = (deps.rules.get_full(), deps.clock.now());
    let (_, refused) = rules.lived.adopt(&groups::configured(&rules.settings), &rules.rulebooks, now).await?;
    let mut problems = Vec::new();
    for (rulebook, why) in &refused {
        warn!(rulebook, why, "the rulebook's old version stays in force");
        problems.extend(rulebooks::problem(&rules.settings, rulebook, why));
    }
    if !problems.is_empty() {
        deps.rules.reject(now, &problems);
    }
    Ok(())
}
