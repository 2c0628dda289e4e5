//! What commands, cards, jobs, channels and HTTP work with: the store and the clock, what is known, and every use case. Built once
//! from the settings; a clone shares everything.

use std::sync::Arc;

use anyhow::Context;
use arc_swap::ArcSwap;
use tokio::sync::Notify;

use crate::{
    access::People,
    accounts::Accounts,
    capability::Capabilities,
    cases::{Cases, heard_reports::HeardReports},
    contacts::{Company, Contacts},
    coverage::Coverage,
    groups::{self, Groups},
    in_force::InForce,
    model::{Clock, MemberId},
    moderation::{Feedback, Moderation},
    notices::Notices,
    orders::Orders,
    platform::{Platform, dry_run::DryRun, wecom::WecomPlatform},
    service::Service,
    settings::{Settings, reload::Live},
    standing::Standings,
    store::Store,
};

/// See the module.
#[derive(Clone)]
pub struct Deps {
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// Settings, lists, policies and rulebooks in force.
    pub rules: Arc<Live<InForce>>,
    /// What this installation is able to do.
    pub capabilities: Arc<ArcSwap<Capabilities>>,
    /// Rings when there is a new task.
    pub wake: Arc<Notify>,
    /// Which groups are heard and acted in.
    pub coverage: Arc<Coverage>,
    /// The address book as WeCom tells it.
    pub contacts: Arc<Contacts>,
    /// Who works where, for notices.
    pub company: Arc<Company>,
    /// A message in, a committed decision out.
    pub moderation: Arc<Moderation>,
    /// What people decide about violations.
    pub cases: Arc<Cases>,
    /// What they order for a time.
    pub orders: Arc<Orders>,
    /// How people stand.
    pub standings: Arc<Standings>,
    /// Questions that wait, times, tickets.
    pub service: Arc<Service>,
    /// Notices and activities.
    pub notices: Arc<Notices>,
    /// Who may sign in at the console.
    pub accounts: Arc<Accounts>,
    /// Speaks and acts; in a dry run it only says that it would.
    pub platform: Arc<dyn Platform>,
    /// WeCom behind it: the clients and the bot's voice.
    pub wecom: Arc<WecomPlatform>,
    /// Asked after a group's own people.
    pub escalation: Vec<MemberId>,
    /// How the world reaches the pages that people open from WeCom, if it does.
    pub public_url: Option<String>,
}

impl Deps {
    /// Builds all of it.
    ///
    /// # Errors
    /// The store cannot be read, or a client cannot be made.
    pub async fn build(
        settings: &Settings,
        rules: InForce,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let rules = Arc::new(Live::new(Arc::new(rules), clock.now()));
        let known = groups::configured(settings);
        let groups = Arc::new(Groups::load(store.clone(), known).await.context("reading groups")?);
        let bot = settings.wecom.as_ref().and_then(|wecom| wecom.bot.as_ref());
        bot.into_iter().flat_map(|bot| &bot.names).for_each(|name| groups.bot_names.add(name));
        let capabilities = Arc::new(ArcSwap::from_pointee(Capabilities::of(settings)));
        let wake = Arc::new(Notify::new());
        let coverage = Arc::new(Coverage::load(store.clone(), groups.clone()).await.context("reading coverage")?);
        let contacts = Arc::new(Contacts::load(store.clone()).await.context("reading the address book")?);
        let company = Arc::new(Company::new(groups.clone(), contacts.clone()));
        let public_url = settings.http.public_url.clone();
        let people = People::of(settings);
        let notices = Arc::new(
            Notices::new(store.clone(), clock.clone(), company.clone(), rules.get_full().calendar.clone())
                .with_links(public_url.clone())
                .with_people(people.clone()),
        );
        let escalation: Vec<MemberId> = settings.escalation.iter().flat_map(|e| e.to.clone()).collect();
        let service = Arc::new(Service::new(
            store.clone(),
            clock.clone(),
            groups.clone(),
            rules.clone(),
            company.clone(),
            escalation.clone(),
        ));
        let said = Feedback::load(store.as_ref()).await.context("reading what people said of rules and cases")?;
        let reports = Arc::new(HeardReports::default());
        let moderation = Arc::new(Moderation::new(
            store.clone(),
            clock.clone(),
            groups.clone(),
            rules.clone(),
            capabilities.clone(),
            said,
            vec![service.clone(), notices.clone(), reports.clone()],
            wake.clone(),
        ));
        moderation.recall().await.context("reading what was said last")?;
        let cases = Arc::new(Cases {
            store: store.clone(),
            clock: clock.clone(),
            groups: groups.clone(),
            moderation: moderation.clone(),
            people: people.clone(),
        });
        reports.told_to(Arc::downgrade(&cases));
        let orders = Arc::new(Orders {
            store: store.clone(),
            clock: clock.clone(),
            groups: groups.clone(),
            moderation: moderation.clone(),
        });
        let standings = Arc::new(Standings {
            store: store.clone(),
            clock: clock.clone(),
            groups: groups.clone(),
            rules: rules.clone(),
        });
        let wecom = Arc::new(WecomPlatform::of(settings, &clock)?);
        let platform = Arc::new(DryRun { platform: wecom.clone(), capabilities: capabilities.clone() });
        company.reads_through(platform.clone(), clock.clone());
        let accounts = Accounts::load(store.clone(), clock.clone(), groups.clone(), people, escalation.clone());
        let accounts = Arc::new(accounts.await.context("reading accounts")?);
        Ok(Self {
            store,
            clock,
            groups,
            rules,
            capabilities,
            wake,
            coverage,
            contacts,
            company,
            moderation,
            cases,
            orders,
            standings,
            service,
            notices,
            accounts,
            platform,
            wecom,
            escalation,
            public_url,
        })
    }
}
