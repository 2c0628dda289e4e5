//! The owner and the admins of a group in full mode hear of every warning, mute and removal that the bot decided by itself: one
//! card a member, with 撤销 and 误判, which a newer one takes the place of; or one summary a day. Several who post the same text are
//! one matter and one card. At night nobody is told. They hear, too, that somebody who had been taken out is in the group again.
//!
//! WeCom lets a card be changed once (`update_template_card`) and tells nobody of it, so a card that grows is a new one and the
//! old one says so.

use std::{collections::BTreeSet, fmt::Write};

use async_trait::async_trait;

use super::{Ended, Job, JobError};
use crate::{
    deps::Deps,
    groups::Group,
    model::{MemberId, SignedDuration, Step, Timestamp},
    moderation::campaign,
    platform::Private,
    policy::MemberState,
    settings::OwnerNewsMode,
    store::{Case, CaseQuery, CaseState, Task, changes::Changes, transaction::transact},
    tasks::{Happened, Kind, OWNER_CARDS, OwnerCard, OwnerDigest, OwnerNews},
    wecom::cards::{self, Button},
    zh,
};

/// What a member did longer ago is not told again on a newer card. A card can be changed for so long.
const GROWS_FOR: SignedDuration = SignedDuration::from_hours(72);
/// Cases told on one card.
const ON_A_CARD: usize = 6;
/// Lines of a summary.
const IN_A_SUMMARY: usize = 20;
/// Cases of a group read for a summary.
const READ: usize = 1000;
/// What a card turns into when a newer one tells of more.
const RENEWED: &str = "又有新情况，请看新卡片";

/// Tells of one thing.
pub struct OwnerNewsJob(pub Deps);

#[async_trait]
impl Job for OwnerNewsJob {
    fn kind(&self) -> Kind {
        Kind::OwnerNews
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let OwnerNews { back } = super::payload(task)?;
        let Some(member) = &task.member else { return Err(JobError::Final("待办缺少成员".into())) };
        let case = match &task.case {
            Some(case) => self.0.store.case(case).await?,
            None => None,
        };
        let rules = self.0.rules.get_full();
        let group = self.0.groups.get(&task.group);
        match (rules.settings.owner_news_of(group.id()), &case) {
            (OwnerNewsMode::Off, _) => return Ok(Ended::done("设置为不告知群主")),
            (_, Some(case)) if case.by_hand() && !back => return Ok(Ended::done("是管理者自己的决定")),
            (_, None) if !back => return Ok(Ended::gave_up("违规记录已不存在")),
            (_, Some(case)) if case.state == CaseState::Revoked && !back => {
                return Ok(Ended::Cancelled { reason: "记录已撤销".into() });
            }
            (OwnerNewsMode::Daily, _) if !back => {
                let at = rules.settings.owner_news.next_summary(now, rules.calendar.zone());
                let since = at - SignedDuration::from_hours(24);
                let with = Changes::new().task(OwnerDigest::task(since, at, group.id()));
                return Ok(Ended::Done { reason: "列入每日汇总".into(), with });
            }
            _ => {}
        }
        if let Some(until) = rules.settings.owner_news.quiet_until(now, rules.calendar.zone()) {
            return Ok(Ended::later(until, "免打扰时间，过后告知"));
        }
        let to = receivers(&group, member);
        if to.is_empty() {
            return Ok(Ended::done("没有可以告知的群主或管理员"));
        }
        match case {
            Some(case) if !back => self.card(task, &group, &case, &to, now).await,
            case => {
                let state = self.0.store.member(&task.group, member).await?.standing.state;
                let text = is_back(&group, member, case.as_ref(), &state, now);
                told(self.0.platform.tell(&to, &Private::Text(text), now).await?.unreachable.len() < to.len())
            }
        }
    }
}

impl OwnerNewsJob {
    /// The card that grows: of whoever posted the same text and has one that tells of it, or the member's own.
    async fn shown(&self, group: &Group, case: &Case) -> Result<(String, OwnerCard), JobError> {
        let store = self.0.store.as_ref();
        let key = |member: &MemberId| OwnerCard::key(group.id(), member);
        for other in campaign::named(store, case).await? {
            let (key, about) = (key(&other.member), &other.id);
            if let Some(shown) = OWNER_CARDS.get(store, &key).await?.filter(|shown| shown.cases.contains(about)) {
                return Ok((key, shown));
            }
        }
        let key = key(&case.member);
        Ok((key.clone(), OWNER_CARDS.get(store, &key).await?.unwrap_or_default()))
    }

    async fn card(
        &self,
        task: &Task,
        group: &Group,
        case: &Case,
        to: &[MemberId],
        now: Timestamp,
    ) -> Result<Ended, JobError> {
        let (key, before) = self.shown(group, case).await?;
        let mut cases = Vec::new();
        for id in before.cases.iter().filter(|id| **id != case.id && now.duration_since(before.at) < GROWS_FOR) {
            cases.extend(self.0.store.case(id).await?);
        }
        cases.push(case.clone());
        let surplus = cases.len().saturating_sub(ON_A_CARD);
        cases.drain(..surplus);
        if let Some(code) = &before.code
            && let Err(error) = self.0.platform.update_card(code, &[], &cards::receipt(RENEWED), now).await
        {
            tracing::debug!(%error, "a card keeps its buttons");
        }
        let sent = self.0.platform.tell(to, &Private::Card(card(task, group, &cases, now)), now).await?;
        let cases = cases.into_iter().map(|case| case.id).collect();
        let shown = OwnerCard { cases, code: sent.response_code, at: now, to: to.to_vec() };
        transact!(self.0.store.as_ref(), |tx| tx.put(OWNER_CARDS, &key, &shown).await?);
        told(sent.unreachable.len() < to.len())
    }
}

/// The summary of a day.
pub struct OwnerDigestJob(pub Deps);

#[async_trait]
impl Job for OwnerDigestJob {
    fn kind(&self) -> Kind {
        Kind::OwnerDigest
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let OwnerDigest { since } = super::payload(task)?;
        let group = self.0.groups.get(&task.group);
        let to = group.deciders();
        let query = CaseQuery { group: Some(group.id().clone()), limit: READ, ..CaseQuery::default() };
        let mut cases = self.0.store.cases(&query).await?;
        cases.retain(|case| decided(case) >= since && case.step >= Step::Warn && !case.by_hand());
        cases.sort_by_key(|case| case.at);
        if to.is_empty() || cases.is_empty() {
            return Ok(Ended::done("没有要汇总的"));
        }
        let text = summary(&group, &cases, now);
        told(self.0.platform.tell(&to, &Private::Text(text), now).await?.unreachable.len() < to.len())
    }
}

fn receivers(group: &Group, about: &MemberId) -> Vec<MemberId> {
    group.deciders().into_iter().filter(|decider| decider != about).collect()
}

fn told(anybody: bool) -> Result<Ended, JobError> {
    Ok(if anybody {
        Ended::done("已告知群主和管理员")
    } else {
        Ended::gave_up("群主和管理员都收不到私信")
    })
}

/// When it was done; after days off that is long after the message.
fn decided(case: &Case) -> Timestamp {
    case.happened(Happened::Decided).map_or(case.at, |event| event.at)
}

/// What was done, as the owner reads it.
fn did(case: &Case, now: Timestamp) -> String {
    let until = case.until.map(|until| zh::when(until, now));
    match (case.state, case.step, until) {
        (CaseState::Revoked, ..) => "已撤销".into(),
        (_, Step::Mute, Some(until)) => format!("已禁言（暂时移出），{until} 自动拉回"),
        (_, Step::Mute, None) => "已禁言".into(),
        (_, Step::Remove, _) => "已移出".into(),
        _ => "已警告".into(),
    }
}

/// The card; pure, so that tests read it word for word. The buttons are about the last case.
pub fn card(task: &Task, group: &Group, cases: &[Case], now: Timestamp) -> serde_json::Value {
    let Some((case, earlier)) = cases.split_last() else { return serde_json::Value::Null };
    let name = group.member_name(&case.member);
    let mut text = format!("{} {}。", zh::when(decided(case), now), did(case, now));
    let people: BTreeSet<&MemberId> = cases.iter().map(|case| &case.member).collect();
    let line = |earlier: &Case| {
        let who = if people.len() > 1 { group.member_name(&earlier.member) } else { "" };
        format!("{who} {} {}（{}）", zh::when(decided(earlier), now), did(earlier, now), earlier.id)
            .trim_start()
            .to_owned()
    };
    if !earlier.is_empty() {
        text.push_str(if people.len() > 1 { "还有：" } else { "之前：" });
        text.push_str(&earlier.iter().rev().map(line).collect::<Vec<_>>().join("；"));
        text.push('。');
    }
    let title = if people.len() > 1 {
        text.push_str(&format!("「撤销」只撤销{name}的这一条，「误判」把同样的话都撤回。"));
        format!("已自动处理：{name}等 {} 人", people.len())
    } else {
        format!("已自动处理：{name}")
    };
    cards::owner_news(
        task.id.as_str(),
        &title,
        group.name(),
        &text,
        &[("成员", name.to_owned()), ("依据", case.rule.clone()), ("编号", case.id.to_string())],
        &case.shown(case.all_evidence()),
        &[
            Button { text: "撤销", key: "revoke", primary: false },
            Button { text: "误判", key: "wrong", primary: false },
        ],
    )
}

/// Somebody is in the group again.
fn is_back(group: &Group, member: &MemberId, case: Option<&Case>, state: &MemberState, now: Timestamp) -> String {
    let name = group.member_name(member);
    let why = case.map(|case| {
        let because = case.about().map_or_else(|| "由管理者".to_owned(), |about| format!("因「{about}」被"));
        format!("（{} {because}移出）", zh::when(case.at, now))
    });
    let then = match state {
        MemberState::Banned => "对方在禁入名单里，正在再次处理。".to_owned(),
        _ => format!("机器人不会再次移出。如不应在群里，请对我说：#{} 移出 {name}", group.name()),
    };
    format!("「{name}」{}又进了「{}」。{then}", why.unwrap_or_default(), group.name())
}

/// The summary; pure, so that tests read it word for word.
pub fn summary(group: &Group, cases: &[Case], now: Timestamp) -> String {
    let count = |step: Step| cases.iter().filter(|case| case.step == step && case.state != CaseState::Revoked).count();
    let mut text = format!(
        "【每日汇总】{}：警告 {} 次，禁言 {} 次，移出 {} 次。",
        group.name(),
        count(Step::Warn),
        count(Step::Mute),
        count(Step::Remove)
    );
    for case in cases.iter().take(IN_A_SUMMARY) {
        let name = group.member_name(&case.member);
        let _ = write!(
            text,
            "\n{} {name}：{}，{}（{}）",
            zh::when(decided(case), now),
            did(case, now),
            case.category.zh(),
            case.id
        );
    }
    if cases.len() > IN_A_SUMMARY {
        let _ = write!(text, "\n另有 {} 次，见记录。", cases.len() - IN_A_SUMMARY);
    }
    text.push_str("\n如有误判，请对我说：误判 编号");
    text
}
