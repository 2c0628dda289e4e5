//! 通知: which are out, who has answered and who is missing; write one, see it as its readers will, send it.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::{Path, State},
};

use super::{
    Console,
    door::{self, Fields},
    frame::{Frame, Page, page},
    tasks::Waits,
    visit::Visit,
};
use crate::{
    access::Action,
    model::{GroupId, MemberId},
    notices::{Draft, Notice, notice::State as NoticeState, publish::Preview, roster::MemberState, status::Status},
    refusal::{ActError, Refusal},
};

/// Notices on the list.
const LISTED: usize = 100;
/// Notices looked at for it.
const LOOKED_AT: usize = 1_000;

struct Row {
    id: String,
    summary: String,
    state: &'static str,
    open: bool,
    /// It is out, or was: people answer it.
    out: bool,
    due: String,
    acknowledged: usize,
    required: usize,
    missing: usize,
}

impl Row {
    fn new(console: &Console, notice: &Notice, status: &Status) -> Self {
        let waits = notice.waits_for_review();
        Self {
            summary: notice.summary(40),
            state: if waits { "等审核" } else { notice.state.zh() },
            open: notice.state == NoticeState::Sent,
            out: matches!(notice.state, NoticeState::Sending | NoticeState::Sent | NoticeState::Closed),
            due: notice.due.map(|due| console.when(due)).unwrap_or_default(),
            acknowledged: status.acknowledged,
            required: status.required,
            missing: status.missing + status.waiting,
            id: notice.id.clone(),
        }
    }
}

impl Console {
    /// Drafts that this visitor may send as the second person, what was written first on top.
    pub(super) async fn drafts(&self, visit: &Visit) -> Result<Vec<Waits>, ActError> {
        let actor = &visit.who.actor;
        let (mut notices, _) = self.api.notices.visible(actor, None, LOOKED_AT).await?;
        notices.retain(|notice| self.api.notices.can_review(actor, notice));
        notices.sort_by_key(|notice| notice.created);
        let waits = notices.iter().map(|notice| Waits {
            what: "通知审核".into(),
            group: notice
                .what
                .groups
                .iter()
                .map(|id| self.api.groups.get(id).name().to_owned())
                .collect::<Vec<_>>()
                .join("、"),
            about: format!("{} 起草：{}", notice.by, notice.summary(40)),
            since: self.when(notice.created),
            due: "等审核".into(),
            late: false,
            to: format!("/notices/{}", notice.id),
            answers: None,
        });
        Ok(waits.collect())
    }
}

#[derive(Template)]
#[template(path = "console/notices.html")]
struct Notices {
    frame: Frame,
    rows: Vec<Row>,
}

/// The list, what was made last on top.
pub(super) async fn list(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Page {
    let actor = &visit.who.actor;
    let (mut notices, _) = console.api.notices.visible(actor, None, LOOKED_AT).await?;
    notices.sort_by_key(|notice| std::cmp::Reverse(notice.created));
    let mut rows = Vec::new();
    for notice in notices.into_iter().take(LISTED) {
        let status = console.api.notices.progress(actor, &notice.id).await?;
        rows.push(Row::new(&console, &notice, &status));
    }
    page(&Notices { frame: console.frame(&visit, "通知", "/notices"), rows })
}

struct Member {
    name: String,
    department: String,
    state: &'static str,
    missing: bool,
    at: String,
}

#[derive(Template)]
#[template(path = "console/notice.html")]
struct NoticePage {
    frame: Frame,
    row: Row,
    text: String,
    by: String,
    late: usize,
    exempt: usize,
    missing: Vec<Member>,
    answered: Vec<Member>,
    history: Vec<(String, String, String)>,
    can_cancel: bool,
    /// It waits for a second person.
    waits: bool,
    /// Who looks may be that person.
    can_review: bool,
}

/// One, with its roster.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Page {
    let actor = &visit.who.actor;
    let status = console.api.notices.progress(actor, &id).await?;
    let notice = console.api.notices.get(&id).await?;
    let row = Row::new(&console, &notice, &status);
    let members = status.members.into_iter().map(|member| Member {
        missing: matches!(member.state, MemberState::Missing | MemberState::Waiting),
        state: member.state.zh(),
        at: member.at.map(|at| console.when(at)).unwrap_or_default(),
        name: member.name,
        department: member.department,
    });
    let (missing, answered): (Vec<_>, Vec<_>) = members.partition(|member| member.missing);
    let history = notice.history.iter().map(|it| (console.when(it.at), it.by.clone(), it.what.clone())).collect();
    page(&NoticePage {
        frame: console.frame(&visit, format!("通知 {}", notice.id), "/notices"),
        row,
        text: notice.what.text.clone(),
        by: notice.by.clone(),
        late: status.late,
        exempt: status.exempt,
        missing,
        answered,
        history,
        waits: notice.waits_for_review(),
        can_review: console.api.notices.can_review(actor, &notice),
        can_cancel: !matches!(notice.state, NoticeState::Closed | NoticeState::Cancelled),
    })
}

/// Read by a second person: it goes out.
pub(super) async fn review(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Page {
    let notice = console.api.notices.review(&visit.who.actor, &id).await?;
    console.api.moderation.ring();
    Ok(door::told(&format!("/notices/{}", notice.id), &went(&notice, &console)))
}

/// Taken back.
pub(super) async fn cancel(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Page {
    let notice = console.api.notices.cancel(&visit.who.actor, &id).await?;
    console.api.moderation.ring();
    Ok(door::told("/notices", &format!("通知 {} 已取消。", notice.id)))
}

/// What the form holds.
#[derive(Default)]
struct Written {
    text: String,
    deadline: String,
    escalate_to: String,
    groups: Vec<String>,
    review: bool,
}

struct Seen {
    people: usize,
    exempt: usize,
    deadline: String,
    reminders: String,
    group_message: String,
    card_title: String,
    card_text: String,
    buttons: String,
    warnings: Vec<String>,
}

impl Seen {
    fn new(preview: Preview, console: &Console) -> Self {
        let reminders: Vec<String> = preview.reminders.iter().map(|at| console.when(*at)).collect();
        Self {
            people: preview.people,
            exempt: preview.exempt,
            deadline: preview.deadline_text,
            reminders: reminders.join("、"),
            group_message: preview.group_message.unwrap_or_default(),
            card_title: preview.card_title,
            card_text: preview.card_text,
            buttons: preview.buttons.join("　"),
            warnings: preview.warnings,
        }
    }
}

#[derive(Template)]
#[template(path = "console/notice_new.html")]
struct Write {
    frame: Frame,
    groups: Vec<(String, String, bool)>,
    written: Written,
    seen: Option<Seen>,
    told: String,
    /// Sent twice, the notice is one.
    key: String,
}

impl Console {
    fn write_page(&self, visit: &Visit, written: Written, seen: Option<Seen>, told: String, key: &str) -> Page {
        let groups = self.groups_for(visit, Action::PublishNotice);
        let groups = groups.iter().filter(|group| group.configured).map(|group| {
            let id = group.id().to_string();
            let chosen = written.groups.contains(&id);
            (id, group.name().to_owned(), chosen)
        });
        let groups = groups.collect();
        let now = self.api.clock.now().as_millisecond();
        let key = if key.is_empty() { format!("console-{}-{now}", visit.who.name) } else { key.to_owned() };
        let mut frame = self.frame(visit, "写通知", "/notices");
        frame.live = false;
        page(&Write { frame, groups, written, seen, told, key })
    }
}

/// An empty form.
pub(super) async fn write(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Page {
    let written = Written { deadline: "2h".into(), ..Written::default() };
    console.write_page(&visit, written, None, String::new(), "")
}

fn draft(fields: &Fields) -> Result<Draft, Refusal> {
    let text = fields.raw("text").replace("\r\n", "\n").trim().to_owned();
    if text.is_empty() {
        return Err(Refusal::wrong("text", "请写通知的内容"));
    }
    let groups: Vec<&str> = fields.all("group");
    if groups.is_empty() {
        return Err(Refusal::wrong("groups", "请选至少一个群"));
    }
    // The browser's own field for a moment writes a T between day and time.
    let deadline = fields.get("deadline");
    let deadline = deadline.parse().map_err(|why: String| Refusal::wrong("deadline", why))?;
    let people = fields.get("escalate_to").split([',', '，', '、', ' ']).filter(|id| !id.is_empty());
    Ok(Draft {
        groups: groups.into_iter().map(GroupId::from).collect(),
        escalate_to: people.map(MemberId::from).collect(),
        review: fields.get("review") == "yes",
        ..Draft::new(&text, &[], deadline)
    })
}

/// Looked at first, then sent: the button says which.
pub(super) async fn send(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    Extension(fields): Extension<Fields>,
) -> Page {
    let written = Written {
        text: fields.raw("text").to_owned(),
        deadline: fields.get("deadline").to_owned(),
        escalate_to: fields.get("escalate_to").to_owned(),
        groups: fields.all("group").into_iter().map(ToOwned::to_owned).collect(),
        review: fields.get("review") == "yes",
    };
    let key = fields.get("key");
    let draft = match draft(&fields) {
        Ok(draft) => draft,
        Err(refusal) => return console.write_page(&visit, written, None, refusal.text, key),
    };
    let actor = &visit.who.actor;
    if fields.get("do") != "send" {
        return match console.api.notices.preview(actor, &draft).await {
            Ok(preview) => {
                let seen = Seen::new(preview, &console);
                console.write_page(&visit, written, Some(seen), String::new(), key)
            }
            Err(ActError::Refused(refusal)) => console.write_page(&visit, written, None, refusal.text, key),
            Err(error) => Err(error.into()),
        };
    }
    let key = Some(key).filter(|key| !key.is_empty() && key.len() <= 100 && !key.contains('/'));
    match console.api.notices.publish(actor, &draft, key).await {
        Ok(notice) => {
            console.api.moderation.ring();
            Ok(door::told(&format!("/notices/{}", notice.id), &went(&notice, &console)))
        }
        Err(ActError::Refused(refusal)) => console.write_page(&visit, written, None, refusal.text, ""),
        Err(error) => Err(error.into()),
    }
}

/// What has become of it, in words.
fn went(notice: &Notice, console: &Console) -> String {
    let due = notice.due.map(|due| console.when(due)).unwrap_or_default();
    match notice.state {
        NoticeState::Draft => format!("通知 {} 已送审，等另一个人审核后发出。", notice.id),
        NoticeState::Scheduled => format!("通知 {} 已排定，到时间发出。", notice.id),
        _ => format!("通知 {} 已发出，{due} 截止。", notice.id),
    }
}
