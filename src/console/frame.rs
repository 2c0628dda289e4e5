//! What stands around every page, and the pages that say why there is none.

use askama::Template;
use axum::{http::StatusCode, response::Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Console, Needs, visit::Visit};
use crate::{
    access::{self, Action},
    groups::Group,
    model::{MemberId, Timestamp},
    refusal::{ActError, Code, Refusal},
    web, zh,
};

/// The pages in the navigation, with what each needs.
const PAGES: [(&str, &str, Needs); 11] = [
    ("/", "今天", Needs::Right(Action::ReadCase)),
    ("/cases", "违规", Needs::Right(Action::ReadCase)),
    ("/appeals", "申诉与举报", Needs::Right(Action::ReadCase)),
    ("/tasks", "待办", Needs::Right(Action::ReadCase)),
    ("/groups", "群与成员", Needs::Right(Action::ReadCase)),
    ("/words", "词库", Needs::Right(Action::ReadCase)),
    ("/notices", "通知", Needs::Right(Action::PublishNotice)),
    ("/audit", "审计", Needs::Right(Action::ReadAudit)),
    ("/settings", "设置", Needs::Right(Action::ReadAudit)),
    ("/accounts", "账号", Needs::Right(Action::ManageAccounts)),
    ("/me", "我的状态", Needs::SignedIn),
];

/// A link in the navigation.
pub(super) struct Link {
    pub(super) path: &'static str,
    pub(super) name: &'static str,
    pub(super) here: bool,
}

/// The frame.
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) name: String,
    pub(super) part: &'static str,
    pub(super) token: String,
    pub(super) links: Vec<Link>,
    pub(super) told: Option<String>,
    /// It follows what happens.
    pub(super) live: bool,
}

impl Console {
    /// Around the page `here`.
    pub(super) fn frame(&self, visit: &Visit, title: impl Into<String>, here: &str) -> Frame {
        let groups = self.api.groups.all();
        let who = &visit.who.actor.who;
        let may = |needs: Needs| match needs {
            Needs::Right(action) => access::somewhere(who, action, &groups),
            Needs::SignedIn | Needs::Nobody => visit.who.actor.person().is_some(),
        };
        let links = PAGES.into_iter().filter(|(_, _, needs)| may(*needs));
        Frame {
            title: title.into(),
            name: visit.who.name.clone(),
            part: visit.who.part,
            token: visit.who.form_token.clone(),
            links: links.map(|(path, name, _)| Link { path, name, here: path == here }).collect(),
            told: visit.told.clone(),
            live: true,
        }
    }

    /// May they, in this group?
    pub(super) fn may(&self, visit: &Visit, action: Action, group: &Group) -> bool {
        access::may(&visit.who.actor.who, action, Some(group)).is_ok()
    }

    /// The groups in which they may do this, by name.
    pub(super) fn groups_for(&self, visit: &Visit, action: Action) -> Vec<std::sync::Arc<Group>> {
        let mut groups = self.api.groups.all();
        groups.retain(|group| self.may(visit, action, group));
        groups.sort_by(|a, b| a.name().cmp(b.name()));
        groups
    }

    /// The present, in words.
    pub(super) fn when(&self, at: Timestamp) -> String {
        zh::when(at, self.api.clock.now())
    }
}

/// Somebody as people know them.
pub(super) fn named(group: &Group, member: &MemberId) -> String {
    group.member_name(member).to_owned()
}

#[derive(Template)]
#[template(path = "console/trouble.html")]
struct Trouble {
    text: String,
}

/// Why there is no page.
pub(super) fn trouble(status: StatusCode, text: impl Into<String>) -> Response {
    web::console_page(status, &Trouble { text: text.into() })
}

/// Why nothing was done.
pub(super) fn failed(error: &ActError) -> Response {
    match error {
        ActError::Refused(Refusal { code, text, .. }) => {
            let status = match code {
                Code::Forbidden => StatusCode::FORBIDDEN,
                Code::NotFound => StatusCode::NOT_FOUND,
                Code::AlreadyDecided | Code::KeyTaken | Code::TooLate => StatusCode::CONFLICT,
                Code::TooMany => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::BAD_REQUEST,
            };
            trouble(status, text.clone())
        }
        ActError::Store(error) => {
            tracing::error!(%error, "the store failed while a page was made");
            trouble(StatusCode::SERVICE_UNAVAILABLE, "存储暂时不可用，请稍后再试。")
        }
    }
}

/// A page, or why there is none.
pub(super) type Page = Result<Response, Failed>;

/// Turns into the page that says so.
pub(super) struct Failed(ActError);

impl<E: Into<ActError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl axum::response::IntoResponse for Failed {
    fn into_response(self) -> Response {
        failed(&self.0)
    }
}

/// A page in its frame.
pub(super) fn page(template: &impl Template) -> Page {
    Ok(web::console_page(StatusCode::OK, template))
}

/// As part of an address.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// There is no such thing.
pub(super) fn not_found(text: &str) -> Failed {
    Failed(Refusal::not_found(text).into())
}
