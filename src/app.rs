//! Builds everything from the settings, starts it, stops it in order.
//!
//! Order of a stop: `/readyz` says no, what was accepted is answered and channels and tasks end what they began, no new
//! connections, the store writes what is left. Killed instead, nothing acknowledged is lost.

mod house;
mod ready;
#[cfg(test)]
mod two_deciders;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use arc_swap::{ArcSwap, ArcSwapOption};
use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};
use tracing::{info, warn};

use self::{house::House, ready::Ready};
use crate::{
    access::People,
    appeals::Appeals,
    capability::Capabilities,
    channels::Channel,
    chat_commands::{self, Desk},
    clicks::Clicks,
    console,
    contacts::{Company, Contacts},
    coverage::Coverage,
    groups::{Configured, Groups},
    http::{
        self, Api,
        appeal::AppealPages,
        auth::Tokens,
        door::Door,
        in_flight::{self, InFlight},
        problem,
        receipt::Receipts,
    },
    jobs::{self, Job, hands::Hands, rehearsal::Rehearsal, runner::Runner, wecom_hands::WecomHands},
    model::{Clock, MemberId, Timestamp},
    moderation::{Moderation, Rules, Said},
    notices::{self, Notices},
    reports::Reports,
    rulebooks::{self, Rulebooks},
    second_opinion,
    settings::{
        Problem, Settings,
        reload::{self, Live, Watched},
    },
    store::{Store, StoreError, embedded::EmbeddedStore},
    wecom::{archive::ArchiveSource, client::Client},
    wording,
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
    /// Pages that a demo serves beside the bot's own.
    pub pages: Option<Router>,
    /// Renders `/metrics`.
    pub metrics: Option<PrometheusHandle>,
    /// Where the store lies, so that `store export` can reach the running process; set by [`App::open`].
    pub store_folder: Option<PathBuf>,
}

/// Everything that was built, ready to run.
pub struct App {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    live: Arc<Live<Rules>>,
    groups: Arc<Groups>,
    moderation: Arc<Moderation>,
    desk: Arc<Desk>,
    notices: Arc<Notices>,
    capabilities: Arc<ArcSwap<Capabilities>>,
    channels: Vec<Arc<dyn Channel>>,
    runner: Arc<Runner>,
    router: Router,
    header_timeout: Duration,
    config: Option<Watched>,
    store_folder: Option<PathBuf>,
    in_flight: InFlight,
}

impl Rules {
    /// Compiles lists, policies and rulebooks as the settings want them.
    pub fn build(settings: Settings, clock: &dyn Clock, lived: Arc<Rulebooks>) -> Result<Self, Vec<Problem>> {
        let (detector, troubles) = settings.detector(clock.now())?;
        let policies = settings.policies()?;
        let rulebooks = settings.rulebooks()?;
        let calendar = Arc::new(settings.calendar()?);
        Ok(Self {
            calendar,
            detector,
            troubles,
            policies,
            rulebooks,
            lived,
            working_hours: settings.working_hours.clone(),
            settings,
        })
    }
}

/// What the settings say about groups, in the registry's words.
fn configured(settings: &Settings) -> Vec<Configured> {
    let groups = settings.groups.iter().map(|group| Configured {
        id: group.id.clone(),
        name: group.name.clone(),
        kind: group.kind(),
        mode: group.mode,
        policy: group.policy.clone(),
        rulebooks: group.rulebook.clone(),
        owner: group.owner.clone(),
        admins: group.admins.clone(),
        aliases: [&group.archive_room, &group.bot_chat, &group.customer_chat].into_iter().flatten().cloned().collect(),
        bot_chat: group.bot_chat.clone(),
        webhook: group.webhook.is_some(),
    });
    groups.collect()
}

fn capabilities(settings: &Settings) -> Capabilities {
    let wecom = settings.wecom.as_ref();
    Capabilities {
        app: wecom.is_some_and(|w| w.app.is_some()),
        bot: wecom.is_some_and(|w| w.bot.as_ref().is_some_and(|b| b.bot_id.is_some())),
        dry_run: settings.dry_run,
    }
}

/// Whom the API's tokens belong to.
fn people(settings: &Settings) -> People {
    let owned = |token: &crate::settings::ApiToken| Some((token.name.clone(), token.person.clone()?));
    People::new(settings.api_tokens.iter().filter_map(owned))
}

/// The way in to the pages that people open from WeCom, where the settings say how it is reached.
fn door(settings: &Settings, client: Option<Arc<Client>>, clock: &Arc<dyn Clock>) -> Option<Arc<Door>> {
    let wecom = settings.wecom.as_ref()?;
    Some(Arc::new(Door {
        client: client?,
        clock: clock.clone(),
        public_url: settings.http.public_url.clone()?,
        authorize_url: wecom.authorize_url.clone(),
        app: (wecom.corp_id.clone(), wecom.app.as_ref()?.agent_id),
        pages: parking_lot::Mutex::default(),
    }))
}

/// The pages that people open from WeCom; none without an address that the world can reach.
fn members_pages(
    door: Option<Arc<Door>>,
    notices: &Arc<Notices>,
    appeals: &Arc<Appeals>,
    moderation: &Arc<Moderation>,
) -> Router {
    let Some(door) = door else { return Router::new() };
    let receipts = Receipts { notices: notices.clone(), moderation: moderation.clone(), door: door.clone() };
    let appeals = AppealPages { appeals: appeals.clone(), door };
    http::receipt::routes(Arc::new(receipts)).merge(http::appeal::routes(Arc::new(appeals)))
}

impl App {
    /// Opens the store in the settings' folder and builds on it.
    pub async fn open(settings: Settings, clock: Arc<dyn Clock>, with: Overrides) -> anyhow::Result<Self> {
        let folder = settings.store_folder();
        let opening = folder.clone();
        let opened = tokio::task::spawn_blocking(move || EmbeddedStore::open(&opening)).await?;
        let store: Arc<dyn Store> = Arc::new(opened.context("opening the store")?);
        let taken = jobs::take_over::take_over(store.as_ref(), clock.now()).await.context("reading tasks")?;
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
        wording::set_zone(settings.time_zone.clone());
        let lived = Arc::new(Rulebooks::load(store.clone()).await.context("reading rulebooks")?);
        let rules = {
            let (settings, clock, lived) = (settings.clone(), clock.clone(), lived.clone());
            tokio::task::spawn_blocking(move || Rules::build(settings, clock.as_ref(), lived)).await?
        };
        let rules = rules.map_err(|problems| {
            anyhow::Error::new(crate::cli::Problems(problems)).context("the lists or policies are wrong")
        })?;
        rules.troubles.log();
        let live = Arc::new(Live::new(Arc::new(rules), clock.now()));
        let groups = Arc::new(Groups::load(store.clone(), configured(&settings)).await.context("reading groups")?);
        let capabilities = Arc::new(ArcSwap::from_pointee(capabilities(&settings)));
        let wake = Arc::new(Notify::new());
        let coverage = Arc::new(Coverage::load(store.clone(), groups.clone()).await.context("reading coverage")?);
        let contacts = Arc::new(Contacts::load(store.clone()).await.context("reading the address book")?);
        let company = Arc::new(Company::new(groups.clone(), contacts));
        let notices = Arc::new(
            Notices::new(store.clone(), clock.clone(), company.clone(), live.get_full().calendar.clone())
                .with_links(settings.http.public_url.clone())
                .with_people(people(&settings)),
        );
        let said = Said::load(store.as_ref()).await.context("reading what people said of rules and cases")?;
        let moderation = Arc::new(Moderation::new(
            store.clone(),
            clock.clone(),
            groups.clone(),
            live.clone(),
            capabilities.clone(),
            said,
            Some(notices.clone()),
            wake.clone(),
        ));
        moderation.recall().await.context("reading what was said last")?;
        let appeals = Arc::new(Appeals::new(store.clone(), clock.clone(), groups.clone(), moderation.clone()));
        let reports = Arc::new(Reports::new(store.clone(), clock.clone(), groups.clone(), moderation.clone()));
        let escalation: Vec<MemberId> = settings.escalation.iter().flat_map(|e| e.to.clone()).collect();
        let wecom_hands = Arc::new(hands(&settings, &clock)?);
        let hands: Arc<dyn Hands> =
            Arc::new(Rehearsal { hands: wecom_hands.clone(), capabilities: capabilities.clone() });

        let desk = Arc::new(Desk {
            store: store.clone(),
            clock: clock.clone(),
            groups: groups.clone(),
            rules: live.clone(),
            moderation: moderation.clone(),
            appeals: appeals.clone(),
            reports: reports.clone(),
            notices: notices.clone(),
            capabilities: capabilities.clone(),
            answered: chat_commands::Answered::default(),
            escalation: escalation.clone(),
        });
        let mut house = House {
            settings: &settings,
            store: store.clone(),
            clock: clock.clone(),
            groups: groups.clone(),
            moderation: moderation.clone(),
            desk: desk.clone(),
            clicks: Arc::new(Clicks {
                store: store.clone(),
                clock: clock.clone(),
                groups: groups.clone(),
                moderation: moderation.clone(),
                appeals: appeals.clone(),
                reports: reports.clone(),
                notices: notices.clone(),
                escalation: escalation.clone(),
            }),
            notices: notices.clone(),
            hands: wecom_hands.clone(),
            wake: wake.clone(),
            archive_wake: Arc::new(Notify::new()),
            hears_groups: with.archive.is_some() || settings.wecom.as_ref().is_some_and(|w| w.archive.is_some()),
            channels: Vec::new(),
        };
        house.channels(with.archive, with.archive_poll)?;
        let channels = house.channels;

        let all_jobs: [Arc<dyn Job>; 9] = [
            Arc::new(jobs::tell::TellJob {
                store: store.clone(),
                groups: groups.clone(),
                hands: hands.clone(),
                links: settings.http.public_url.clone(),
            }),
            Arc::new(jobs::announce::AnnounceJob {
                store: store.clone(),
                groups: groups.clone(),
                hands: hands.clone(),
            }),
            Arc::new(jobs::remove::RemoveJob { store: store.clone(), groups: groups.clone(), hands: hands.clone() }),
            Arc::new(jobs::readd::ReaddJob { store: store.clone(), groups: groups.clone(), hands: hands.clone() }),
            Arc::new(jobs::ask::AskJob {
                store: store.clone(),
                groups: groups.clone(),
                hands: hands.clone(),
                escalation: escalation.clone(),
            }),
            Arc::new(jobs::review::AppealJob {
                store: store.clone(),
                groups: groups.clone(),
                appeals: appeals.clone(),
                hands: hands.clone(),
                escalation: escalation.clone(),
            }),
            Arc::new(jobs::review::ReportJob {
                groups: groups.clone(),
                reports: reports.clone(),
                hands: hands.clone(),
                escalation: escalation.clone(),
            }),
            Arc::new(jobs::review::TellReportJob { reports, hands: hands.clone() }),
            Arc::new(jobs::simulated::SimulatedJob),
        ];
        let all_jobs = all_jobs.into_iter().chain([
            Arc::new(jobs::refresh::RefreshJob {
                store: store.clone(),
                groups: groups.clone(),
                hands: hands.clone(),
                capabilities: capabilities.clone(),
                names: wecom_hands.app.clone(),
                notices: notices.clone(),
            }) as Arc<dyn Job>,
            Arc::new(jobs::contacts::ContactsJob { company, client: wecom_hands.app.clone() }),
            Arc::new(jobs::breaker::BreakerJob {
                store: store.clone(),
                groups: groups.clone(),
                hands: hands.clone(),
                escalation: escalation.clone(),
            }),
            Arc::new(jobs::rulebook::RulebookJob {
                rulebooks: lived.clone(),
                groups: groups.clone(),
                hands: hands.clone(),
                capabilities: capabilities.clone(),
                escalation: escalation.clone(),
            }),
            Arc::new(jobs::notice::NoticeTellJob { hands: hands.clone() }),
            Arc::new(jobs::notice::NoticeCardJob { groups: groups.clone(), hands: hands.clone() }),
            Arc::new(jobs::prune::PruneJob { store: store.clone(), live: live.clone() }),
            Arc::new(jobs::seats::SeatsJob { coverage: coverage.clone(), archive: wecom_hands.archive.clone() }),
            Arc::new(jobs::words::WordsJob { live: live.clone(), client: wecom_hands.app.clone() }),
            Arc::new(jobs::second_opinion::SecondOpinionJob::new(
                store.clone(),
                moderation.clone(),
                second_opinion::Client::new().context("the way to the second opinion")?,
            )),
        ]);
        let notice_jobs = notices::run::KINDS
            .iter()
            .map(|kind| Arc::new(jobs::notice::NoticeJob { kind: *kind, notices: notices.clone() }) as Arc<dyn Job>);
        let runner = Arc::new(Runner::new(store.clone(), clock.clone(), wake.clone(), all_jobs.chain(notice_jobs)));

        let in_flight = InFlight::default();
        let api = Api {
            moderation: moderation.clone(),
            store: store.clone(),
            groups: groups.clone(),
            notices: notices.clone(),
            clock: clock.clone(),
            metrics: with.metrics,
            readiness: Arc::new(Ready {
                channels: channels.clone(),
                live: live.clone(),
                coverage: coverage.clone(),
                capabilities: capabilities.clone(),
                runner: runner.clone(),
                in_flight: in_flight.clone(),
            }),
        };
        let tokens = Tokens::new(settings.api_tokens.iter().map(|token| (token.into(), token.value.expose())));
        let within = |time| TimeoutLayer::with_status_code(axum::http::StatusCode::SERVICE_UNAVAILABLE, time);
        let mut callbacks = Router::new();
        for channel in &channels {
            callbacks = callbacks.merge(channel.clone().routes());
        }
        let pages = with.pages.unwrap_or_else(|| console::routes(api.clone()));
        let door = door(&settings, wecom_hands.app.clone(), &clock);
        let router = callbacks
            .merge(members_pages(door, &notices, &appeals, &moderation))
            .merge(http::ops_routes(api.clone()))
            .merge(pages)
            .layer(within(CALLBACK_TIMEOUT))
            .nest("/api/v1", http::api_routes(api, tokens, settings.http.api_bytes).layer(within(API_TIMEOUT)))
            .fallback(|| async { problem::Problem::not_found("地址") })
            .layer(axum::middleware::from_fn_with_state(in_flight.clone(), in_flight::count))
            .layer(CatchPanicLayer::new());
        Ok(Self {
            store,
            clock,
            live,
            groups,
            moderation,
            desk,
            notices,
            capabilities,
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
        self.moderation.clone()
    }
    /// What is in force and how the last reload went, for tests.
    pub fn rules(&self) -> Arc<Live<Rules>> {
        self.live.clone()
    }
    /// The store, for tests.
    pub fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// Serves until `stop` resolves, then ends in order.
    pub async fn run(self, listener: TcpListener, stop: impl Future<Output = ()> + Send) -> anyhow::Result<()> {
        let address = listener.local_addr()?;
        jobs::refresh::plan(self.store.as_ref(), &self.groups, self.clock.now()).await.context("planning")?;
        jobs::contacts::plan(self.store.as_ref(), self.clock.now()).await.context("planning")?;
        jobs::prune::plan(self.store.as_ref(), self.clock.now()).await.context("planning")?;
        jobs::seats::plan(self.store.as_ref(), self.clock.now()).await.context("planning")?;
        jobs::words::plan(self.store.as_ref(), self.clock.now()).await.context("planning")?;
        adopt_rulebooks(&self.live, self.clock.now()).await.context("reading rulebooks")?;
        self.desk.own_up().await.context("commands that were cut off")?;
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
        let watching = self.config.clone().map(|watched| {
            let (build_clock, groups, capabilities) =
                (self.clock.clone(), self.groups.clone(), self.capabilities.clone());
            let notices = self.notices.clone();
            let (store, clock, moderation) = (self.store.clone(), self.clock.clone(), self.moderation.clone());
            let (live, lived) = (self.live.clone(), self.live.get().lived.clone());
            tokio::spawn(reload::watch(
                self.live.clone(),
                watched,
                self.live.get().settings.clone(),
                self.clock.clone(),
                move |settings| {
                    let rules = Rules::build(settings, build_clock.as_ref(), lived.clone())?;
                    if !rules.troubles.grave.is_empty() {
                        return Err(rules.troubles.grave);
                    }
                    rules.troubles.log();
                    let refused =
                        rulebooks::unraised(&lived.all(), &rules.settings, &rules.rulebooks, build_clock.now());
                    if refused.is_empty() { Ok(rules) } else { Err(refused) }
                },
                move |rules| {
                    groups.configure(configured(&rules.settings));
                    notices.set_calendar(rules.calendar.clone());
                    capabilities.store(Arc::new(self::capabilities(&rules.settings)));
                    // A group that is new in the settings has never been read.
                    let (store, groups, clock, moderation, live) =
                        (store.clone(), groups.clone(), clock.clone(), moderation.clone(), live.clone());
                    tokio::spawn(async move {
                        if let Err(error) = adopt_rulebooks(&live, clock.now()).await {
                            warn!(%error, "changed rulebooks are announced at the next start");
                        }
                        if let Err(error) = jobs::refresh::plan(store.as_ref(), &groups, clock.now()).await {
                            warn!(%error, "the groups of the new settings are read at the next start");
                        }
                        moderation.ring();
                    });
                },
            ))
        });
        #[cfg(unix)]
        if let Some(folder) = &self.store_folder {
            let (store, clock, folder, mut end) =
                (self.store.clone(), self.clock.clone(), folder.clone(), ended.clone());
            working.spawn(async move {
                let stop = async {
                    let _ = end.wait_for(|end| *end).await;
                };
                if let Err(error) = crate::store::online::serve(store, clock, &folder, stop).await {
                    warn!(%error, "backups of the running store are not possible");
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

/// Puts the rulebook files before the groups. What cannot be taken (the bot was stopped while a file changed without a higher
/// version) is said by `/readyz`; the group lives on under what it knows.
async fn adopt_rulebooks(live: &Live<Rules>, now: Timestamp) -> Result<(), StoreError> {
    let rules = live.get_full();
    let (_, refused) = rules.lived.adopt(&configured(&rules.settings), &rules.rulebooks, now).await?;
    let mut problems = Vec::new();
    for (rulebook, why) in &refused {
        warn!(rulebook, why, "the rulebook's old version stays in force");
        problems.extend(rulebooks::problem(&rules.settings, rulebook, why));
    }
    if !problems.is_empty() {
        live.reject(now, &problems);
    }
    Ok(())
}

fn app_client(settings: &Settings, clock: &Arc<dyn Clock>) -> anyhow::Result<Option<Arc<Client>>> {
    let Some(wecom) = &settings.wecom else { return Ok(None) };
    let Some(app) = &wecom.app else { return Ok(None) };
    let secret = SecretString::from(app.secret.expose().to_owned());
    let client = Client::new(&wecom.api_base, &wecom.corp_id, app.agent_id, secret, clock.clone())?;
    Ok(Some(Arc::new(client)))
}

/// Everything that reaches WeCom.
pub(super) fn hands(settings: &Settings, clock: &Arc<dyn Clock>) -> anyhow::Result<WecomHands> {
    let archive = match settings.wecom.as_ref().and_then(|w| Some((w, w.archive.as_ref()?))) {
        Some((wecom, archive)) => {
            let secret = SecretString::from(archive.secret.expose().to_owned());
            Some(Arc::new(Client::new(&wecom.api_base, &wecom.corp_id, 0, secret, clock.clone())?))
        }
        None => None,
    };
    let webhooks: BTreeMap<_, _> = settings
        .groups
        .iter()
        .filter_map(|g| Some((g.id.clone(), SecretString::from(g.webhook_key()?.to_owned()))))
        .collect();
    Ok(WecomHands { app: app_client(settings, clock)?, archive, webhooks, bot: ArcSwapOption::empty() })
}
