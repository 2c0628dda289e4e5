//! 账号: who may come in, and as what. A new colleague gets a link; it is shown once.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::{Path, State},
    http::HeaderMap,
};

use super::{
    Console,
    door::{self, Fields, From},
    frame::{Frame, Page, not_found, page},
    visit::Visit,
};
use crate::{
    access::AccountRole,
    accounts::Wanted,
    model::{GroupId, MemberId},
    refusal::Refusal,
};

struct Row {
    name: String,
    role: AccountRole,
    person: String,
    groups: Vec<String>,
    disabled: bool,
    /// How it signs in.
    says: &'static str,
}

#[derive(Template)]
#[template(path = "console/accounts.html")]
struct Accounts {
    frame: Frame,
    rows: Vec<Row>,
    roles: Vec<AccountRole>,
    groups: Vec<(String, String)>,
    /// A link to hand on, and for whom.
    link: Option<(String, String)>,
}

impl Console {
    async fn accounts_page(&self, visit: &Visit, link: Option<(String, String)>) -> Page {
        let accounts = self.accounts.list(&visit.who.actor).await?;
        let rows = accounts.into_iter().map(|account| Row {
            says: match (account.has_password(), account.has_totp()) {
                (true, true) => "密码和动态码",
                (true, false) => "密码",
                (false, _) => "还没有设密码",
            },
            role: account.role,
            person: account.person.as_ref().map(ToString::to_string).unwrap_or_default(),
            groups: account.groups.iter().flatten().map(ToString::to_string).collect(),
            disabled: account.disabled.is_some(),
            name: account.name,
        });
        let groups = self.api.groups.all();
        let groups = groups.iter().filter(|group| group.configured);
        let mut frame = self.frame(visit, "账号", "/accounts");
        frame.live = false;
        page(&Accounts {
            frame,
            rows: rows.collect(),
            roles: AccountRole::ALL.to_vec(),
            groups: groups.map(|group| (group.id().to_string(), group.name().to_owned())).collect(),
            link,
        })
    }

    /// The address of a link, as the browser that is here reaches this server.
    fn link(&self, headers: &HeaderMap, from: &From, code: &str) -> String {
        let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let here = format!("http{}://{host}", if from.secure { "s" } else { "" });
        let base = self.public_url.as_deref().filter(|_| !from.near).unwrap_or(&here);
        format!("{base}/setup?code={code}")
    }
}

fn wanted(fields: &Fields) -> Result<Wanted, Refusal> {
    let role = fields.get("role").parse().map_err(|_| Refusal::wrong("role", "请选一个角色"))?;
    let groups: Vec<&str> = fields.all("group").into_iter().filter(|id| !id.is_empty()).collect();
    Ok(Wanted {
        role,
        person: Some(fields.get("person")).filter(|id| !id.is_empty()).map(MemberId::from),
        groups: (!groups.is_empty()).then(|| groups.into_iter().map(GroupId::from).collect()),
    })
}

/// Everybody.
pub(super) async fn list(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Page {
    console.accounts_page(&visit, None).await
}

/// A new colleague.
pub(super) async fn create(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(from): Extension<From>,
    Extension(fields): Extension<Fields>,
    headers: HeaderMap,
) -> Page {
    let name = fields.get("name");
    let code = console.accounts.create(&visit.who.actor, name, &wanted(&fields)?).await?;
    let link = console.link(&headers, &from, &code);
    console.accounts_page(&visit, Some((name.to_owned(), link))).await
}

/// Another role, no way in any more, a new password.
pub(super) async fn change(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(from): Extension<From>,
    Extension(fields): Extension<Fields>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Page {
    let actor = &visit.who.actor;
    let text = match fields.get("do") {
        "change" => {
            console.accounts.change(actor, &name, &wanted(&fields)?).await?;
            format!("账号「{name}」已修改，要重新登录。")
        }
        "disable" => {
            console.accounts.disable(actor, &name, true).await?;
            format!("账号「{name}」已停用。")
        }
        "enable" => {
            console.accounts.disable(actor, &name, false).await?;
            format!("账号「{name}」可以登录了。")
        }
        "reset" => {
            let code = console.accounts.reset(actor, &name).await?;
            let link = console.link(&headers, &from, &code);
            return console.accounts_page(&visit, Some((name, link))).await;
        }
        _ => return Err(not_found("没有这种操作")),
    };
    Ok(door::told("/accounts", &text))
}
