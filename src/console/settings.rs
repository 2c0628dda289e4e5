//! 设置: what is connected and what to do where it is not, which tokens there are, how long things are kept. Settings themselves
//! are a file; the page says what of it holds.

use std::sync::Arc;

use askama::Template;
use axum::{Extension, extract::State};

use super::{
    Console,
    frame::{Frame, Page, page},
    visit::Visit,
};
use crate::{access, access::Action, health::Check, zh};

struct Token {
    name: String,
    scopes: String,
    groups: String,
    person: String,
}

#[derive(Template)]
#[template(path = "console/settings.html")]
struct Settings {
    frame: Frame,
    checks: Vec<Check>,
    file: String,
    dry_run: bool,
    tokens: Vec<Token>,
    messages: String,
    audit: String,
    public_url: String,
    version: &'static str,
}

/// The page.
pub(super) async fn show(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Page {
    let company = access::may(&visit.who.actor.who, Action::ReadAudit, None).is_ok();
    let rules = console.rules.get_full();
    let settings = &rules.settings;
    let mut checks = console.api.checks().await;
    checks.retain(|check| company || !check.names_groups());
    let tokens = settings.api_tokens.iter().filter(|_| company).map(|token| Token {
        name: token.name.clone(),
        scopes: match &token.scopes {
            None => "全部（没有写 scopes）".into(),
            Some(scopes) => scopes.iter().map(|scope| scope.zh()).collect::<Vec<_>>().join("、"),
        },
        groups: match &token.groups {
            None => "所有群".into(),
            Some(groups) => {
                let names = groups.iter().map(|group| console.api.groups.get(group).name().to_owned());
                names.collect::<Vec<_>>().join("、")
            }
        },
        person: token.person.as_ref().map(ToString::to_string).unwrap_or_default(),
    });
    let tokens = tokens.collect();
    page(&Settings {
        frame: console.frame(&visit, "设置", "/settings"),
        checks,
        file: settings.files.folder().map(|folder| folder.display().to_string()).unwrap_or_default(),
        dry_run: settings.dry_run,
        tokens,
        messages: zh::length(settings.retention.messages),
        audit: zh::length(settings.retention.audit),
        public_url: settings.http.public_url.clone().unwrap_or_default(),
        version: env!("CARGO_PKG_VERSION"),
    })
}
