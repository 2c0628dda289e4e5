//! The console: pages on which owners and admins see what the bot did, decide what waits for them, and take back what was
//! wrong. They work without a script, on a phone, by day and by night.
//!
//! It holds no rule of its own: each page reads and acts through the use cases, as the actor who signed in, and whoever may not
//! do something in chat may not do it here. [`ways`] is the whole table of addresses with what each needs; what an
//! address needs is asked before its page is called.

mod account;
mod accounts;
mod allowed;
mod appeals;
mod audit;
mod case;
mod cases;
mod door;
mod frame;
mod groups;
mod live;
mod me;
mod notices;
mod settings;
mod sign_in;
mod tasks;
mod today;
mod visit;
mod words;

pub use today::ReadToday;

use std::sync::Arc;

use axum::{
    Router, middleware,
    response::Response,
    routing::{MethodRouter, get, post},
};

use crate::{
    access::Action,
    accounts::Accounts,
    http::{Api, wecom_sign_in::WecomSignIn},
    in_force::InForce,
    orders::Orders,
    settings::reload::Live,
    web,
};

/// A page for who is not signed in, instead of the way to sign in; it gets the address of a link that signs in.
pub type Welcome = Arc<dyn Fn(String) -> Response + Send + Sync>;

/// What the pages work with.
pub struct Console {
    /// The use cases that `/api/v1` has, too.
    pub api: Api,
    /// Who may come in.
    pub accounts: Arc<Accounts>,
    /// What is ordered for a time.
    pub orders: Arc<Orders>,
    /// What is in force.
    pub rules: Arc<Live<InForce>>,
    /// The way in through WeCom, where there is one.
    pub sign_in: Option<Arc<WecomSignIn>>,
    /// How the world reaches this server.
    pub public_url: Option<String>,
    /// Of a demo.
    pub welcome: Option<Welcome>,
    /// Messages read today.
    pub read_today: ReadToday,
}

/// What an address needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nobody,
    /// Somebody who is signed in.
    SignedIn,
    /// This right in some group, or for the company; in which, the use case asks.
    Right(Action),
}

/// One address.
pub struct Way {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// As the router writes it.
    pub path: &'static str,
    /// What it needs.
    pub needs: Needs,
    page: MethodRouter<Arc<Console>>,
}

/// Every address of the console.
pub fn ways() -> Vec<Way> {
    use Action::{
        AnswerAppeal, AnswerBreaker, DecideCase, JudgeReport, ManageAccounts, OpenEvidence, Order, PublishNotice,
        Punish, ReadAudit, ReadCase,
    };
    use Needs::{Nobody, Right, SignedIn};
    let see = |path, needs, page| Way { method: "GET", path, needs, page };
    let act = |path, needs, page| Way { method: "POST", path, needs, page };
    vec![
        see("/style.css", Nobody, get(web::style)),
        see("/console.js", Nobody, get(web::script)),
        see("/login", Nobody, get(sign_in::form)),
        act("/login", Nobody, post(sign_in::enter)),
        see("/login/wecom", Nobody, get(sign_in::wecom)),
        see("/enter", Nobody, get(sign_in::by_link)),
        see("/setup", Nobody, get(sign_in::setup)),
        act("/setup", Nobody, post(sign_in::choose)),
        act("/logout", SignedIn, post(sign_in::leave)),
        see("/", SignedIn, get(today::show)),
        see("/live", SignedIn, get(live::stream)),
        see("/me", SignedIn, get(me::show)),
        see("/account", SignedIn, get(account::show)),
        act("/account/password", SignedIn, post(account::password)),
        act("/account/totp", SignedIn, post(account::totp)),
        see("/cases", Right(ReadCase), get(cases::list)),
        see("/cases/{id}", Right(ReadCase), get(case::show)),
        act("/cases/{id}/open", Right(OpenEvidence), post(case::open)),
        act("/cases/{id}/confirm", Right(DecideCase), post(case::confirm)),
        act("/cases/{id}/wrong", Right(DecideCase), post(case::wrong)),
        act("/cases/{id}/revoke", Right(DecideCase), post(case::revoke)),
        act("/cases/{id}/answer", Right(DecideCase), post(case::answer)),
        see("/appeals", Right(ReadCase), get(appeals::list)),
        act("/appeals/{id}", Right(AnswerAppeal), post(appeals::answer)),
        act("/reports/{id}", Right(JudgeReport), post(appeals::judge)),
        see("/tasks", Right(ReadCase), get(tasks::list)),
        see("/audit", Right(ReadAudit), get(audit::list)),
        see("/groups", Right(ReadCase), get(groups::list)),
        see("/groups/{id}", Right(ReadCase), get(groups::show)),
        act("/groups/{id}/strict", Right(Order), post(groups::strict)),
        act("/groups/{id}/breaker", Right(AnswerBreaker), post(groups::breaker)),
        see("/groups/{id}/members/{member}", Right(ReadCase), get(groups::member)),
        act("/groups/{id}/members/{member}/order", Right(Order), post(groups::order)),
        act("/groups/{id}/members/{member}/punish", Right(Punish), post(groups::punish)),
        see("/words", Right(ReadCase), get(words::list)),
        act("/words", Right(ReadCase), post(words::try_it)),
        see("/allowed", Right(ReadCase), get(allowed::list)),
        act("/allowed/{case}", Right(DecideCase), post(allowed::end)),
        see("/notices", Right(PublishNotice), get(notices::list)),
        see("/notices/new", Right(PublishNotice), get(notices::write)),
        act("/notices/new", Right(PublishNotice), post(notices::send)),
        see("/notices/{id}", Right(PublishNotice), get(notices::show)),
        act("/notices/{id}/review", Right(PublishNotice), post(notices::review)),
        act("/notices/{id}/cancel", Right(PublishNotice), post(notices::cancel)),
        see("/settings", Right(ReadAudit), get(settings::show)),
        see("/accounts", Right(ManageAccounts), get(accounts::list)),
        act("/accounts", Right(ManageAccounts), post(accounts::create)),
        act("/accounts/{name}", Right(ManageAccounts), post(accounts::change)),
    ]
}

/// The console below `/`.
pub fn routes(console: Console) -> Router {
    let console = Arc::new(console);
    let mut router = Router::new();
    for way in ways() {
        let guard = middleware::from_fn_with_state((console.clone(), way.needs), door::guard);
        router = router.route(way.path, way.page.route_layer(guard));
    }
    router.with_state(console)
}
