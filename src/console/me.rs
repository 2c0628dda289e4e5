//! 我的状态: how somebody stands, word for word what the bot counts.

use std::sync::Arc;

use askama::Template;
use axum::{Extension, extract::State};

use super::{
    Console,
    frame::{Frame, Page, not_found, page},
    visit::Visit,
};
use crate::{
    model::{Category, Timestamp},
    policy::MemberState,
    standing::{InEffect, Standing},
    store::Case,
    zh,
};

/// Whether somebody may speak, in words; empty for yes.
pub(super) fn stands(state: &MemberState, now: Timestamp) -> String {
    match state {
        MemberState::Muted { until } if *until > now => format!("禁言至 {}", zh::when(*until, now)),
        MemberState::Normal | MemberState::Muted { .. } => String::new(),
        MemberState::Removed => "已移出".into(),
        MemberState::Banned => "已移出，不得再入群".into(),
    }
}

pub(super) struct Strike {
    pub(super) case: String,
    pub(super) at: String,
    pub(super) about: &'static str,
    pub(super) points: u32,
    pub(super) says: String,
    pub(super) live: bool,
}

/// A standing as pages show it.
pub(super) struct StandingView {
    pub(super) group: String,
    pub(super) state: String,
    pub(super) points: u32,
    pub(super) unit: &'static str,
    pub(super) strikes: Vec<Strike>,
    pub(super) orders: Vec<String>,
}

impl StandingView {
    pub(super) fn new(standing: &Standing, now: Timestamp) -> Self {
        let strikes = standing.strikes.iter().rev().map(|strike| {
            let mut says = if strike.revoked {
                "已撤销".to_owned()
            } else if strike.live {
                format!("{} 失效", zh::when(strike.expires_at, now))
            } else {
                "已失效".to_owned()
            };
            if let Some(appeal) = strike.appeal {
                says.push_str(&format!("；申诉{}", appeal.zh()));
            }
            if let Some(reason) = strike.reason.as_deref().filter(|reason| *reason != Case::NO_REASON) {
                says.push_str(&format!("；{reason}"));
            }
            Strike {
                case: strike.case.to_string(),
                at: zh::when(strike.at, now),
                about: match (strike.category, &strike.reason) {
                    (Category::Junk, Some(_)) => Case::NO_REASON,
                    (category, _) => category.zh(),
                },
                points: strike.points,
                says,
                live: strike.live,
            }
        });
        let orders = standing.orders.iter().map(|order| match order {
            InEffect::Immune(role) => format!("{}不受处置", role.zh()),
            InEffect::Exempt(until) => format!("豁免至 {}", zh::when(*until, now)),
            InEffect::AdsPermitted(until) => format!("可发广告至 {}", zh::when(*until, now)),
            InEffect::Strict(until) => format!("本群严管至 {}", zh::when(*until, now)),
        });
        let state = stands(&standing.state, now);
        Self {
            group: standing.group.clone(),
            state: if state.is_empty() { "可以正常发言".into() } else { state },
            points: standing.live_points,
            unit: standing.unit.zh(),
            strikes: strikes.collect(),
            orders: orders.collect(),
        }
    }
}

#[derive(Template)]
#[template(path = "console/me.html")]
struct Me {
    frame: Frame,
    standings: Vec<StandingView>,
}

/// Somebody's own.
pub(super) async fn show(State(console): State<Arc<Console>>, Extension(visit): Extension<Visit>) -> Page {
    let actor = &visit.who.actor;
    let Some(person) = actor.person() else {
        return Err(not_found("这个账号没有写明是企业微信里的谁，看不到状态。"));
    };
    let now = console.api.clock.now();
    let mut standings = Vec::new();
    for group in console.api.standings.groups_of(person).await? {
        standings.push(StandingView::new(&console.api.standings.of(actor, group.id(), person).await?, now));
    }
    page(&Me { frame: console.frame(&visit, "我的状态", "/me"), standings })
}
