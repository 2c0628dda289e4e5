//! `GET /api/v1/groups` and their members: which groups there are, how the bot works in them, and who is called what.

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Api, auth::Caller, problem::Problem};
use crate::{
    access::{self, Action},
    coverage::Gap,
    groups::Group,
    model::{GroupId, GroupKind, MemberId, Mode, Role},
};

/// One group.
#[derive(Debug, Serialize)]
struct GroupView<'a> {
    id: &'a GroupId,
    name: &'a str,
    kind: GroupKind,
    mode: Mode,
    policy: String,
    owner: Option<&'a MemberId>,
    /// It stands in the settings; others are only watched.
    configured: bool,
    /// How many are in it, as far as that is known.
    size: usize,
    /// What it lacks ([`Gap`]); empty if nothing.
    lacks: Vec<Gap>,
}

/// One member.
#[derive(Debug, Serialize)]
struct MemberView<'a> {
    member: &'a MemberId,
    name: &'a str,
    role: Role,
    external: bool,
}

fn view<'a>(api: &Api, group: &'a Group) -> GroupView<'a> {
    GroupView {
        id: group.id(),
        name: group.name(),
        kind: group.set.kind,
        mode: group.set.mode,
        policy: api.moderation.rules().policy(group).name.clone(),
        owner: group.owner(),
        configured: group.configured,
        size: group.learned.members.len(),
        lacks: api.readiness.gaps(group),
    }
}

/// The groups that the caller may read of.
pub async fn list(State(api): State<Api>, Extension(caller): Extension<Caller>) -> Result<Json<Value>, Problem> {
    let all = api.groups.all();
    let may = |group: &Group| access::may(&caller.0.who, Action::ReadCase, Some(group)).is_ok();
    let views: Vec<GroupView<'_>> = all.iter().filter(|group| may(group)).map(|group| view(&api, group)).collect();
    Ok(Json(json!({ "groups": views })))
}

/// Who is in a group, by id.
pub async fn members(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let group = api.groups.get(&api.groups.resolve(&GroupId::from(id)));
    access::ask(&caller.0, Action::ReadCase, Some(&group))?;
    let views = group.learned.members.keys().map(|member| MemberView {
        member,
        name: group.member_name(member),
        role: group.role(member),
        external: group.is_external(member),
    });
    Ok(Json(json!({ "group": group.id(), "group_name": group.name(), "members": views.collect::<Vec<_>>() })))
}
