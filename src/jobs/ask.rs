//! Asks a person: the owner first, then the admins, then the escalation contacts, each with a card and a time to answer.
//!
//! After 已移出 the bot looks for itself where WeCom lets it (member list, event) and only then calls it done; where nothing
//! can be verified the record says "reported by the owner". A card nobody answers goes to the next person.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::{
    Ended, Job, JobError,
    hands::{Hands, Private},
    remove::{note, set_normal},
};
use crate::{
    groups::{Group, Groups},
    model::{GroupKind, MemberId, SignedDuration, Step, Timestamp},
    moderation::{deed::SETTLED_ITSELF, second_opinion},
    policy::MemberState,
    store::{Case, CaseState, Store, Task, changes::Changes},
    tasks::{Ask, CardId, Happened, Kind, Request},
    wecom::cards::{self, Button, OwnerTask},
    wording,
};

/// A person has so long to answer before the next one is asked.
pub const ANSWER_WITHIN: SignedDuration = SignedDuration::from_mins(30);
/// Everybody was asked and nobody answered: after so long they are asked once more …
const NEXT_ROUND: SignedDuration = SignedDuration::from_hours(12);
/// … so many times.
const ROUNDS: u32 = 5;
/// After "done" is claimed, the member list is looked at this often …
const VERIFY_EVERY: SignedDuration = SignedDuration::from_mins(2);
/// … for so long; then the request is opened again.
const VERIFY_FOR: SignedDuration = SignedDuration::from_mins(20);

/// What a card turns into when a newer one tells of more.
const RENEWED: &str = "又有新消息，请看新卡片";

/// The job.
pub struct AskJob {
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// WeCom.
    pub hands: Arc<dyn Hands>,
    /// Asked after the group's own people.
    pub escalation: Vec<MemberId>,
}

#[async_trait]
impl Job for AskJob {
    fn kind(&self) -> Kind {
        Kind::Ask
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let ask: Ask = super::payload(task)?;
        let codes = ask.response_codes.clone();
        let ended = self.ask(task, ask, now).await?;
        if let Ended::Done { reason, .. } | Ended::Cancelled { reason } = &ended {
            self.close_cards(&codes, reason, now).await;
        }
        Ok(ended)
    }

    fn on_give_up(&self, task: &Task, reason: &str, now: Timestamp) -> Changes {
        note(Changes::new(), task, now, Happened::GaveUp, reason)
    }
}

impl AskJob {
    async fn ask(&self, task: &Task, mut ask: Ask, now: Timestamp) -> Result<Ended, JobError> {
        let Some(case) = &task.case else { return Err(JobError::Final("待办缺少记录".into())) };
        let Some(case) = self.store.case(case).await? else { return Ok(Ended::gave_up("违规记录已不存在")) };
        if case.state == CaseState::Revoked && ask.request != Request::Lift {
            return Ok(Ended::Cancelled { reason: "记录已撤销".into() });
        }
        if ask.request == Request::Review && case.step != Step::Review {
            return Ok(Ended::Cancelled { reason: SETTLED_ITSELF.into() });
        }
        let group = self.groups.get(&task.group);
        if matches!(ask.request, Request::Remove | Request::Mute) {
            if let Some(gone) = self.gone(&group, &case.member, now).await? {
                let by_hand = ask.claimed_done.is_none();
                if gone && (ask.request == Request::Remove || ask.claimed_done.is_some()) {
                    return Ok(verified(task, &ask, &case, by_hand, now));
                }
                if let Some(claimed) = ask.claimed_done {
                    if ask.request == Request::Mute {
                        // A mute in the client cannot be seen from outside.
                        return Ok(reported(task, &ask, &case, now));
                    }
                    if now.duration_since(claimed) < VERIFY_FOR {
                        return Ok(Ended::WaitsForPerson {
                            due: now + VERIFY_EVERY,
                            reason: "群主说已处理，正在核实".into(),
                            payload: Some(json!(ask)),
                            with: Changes::new(),
                        });
                    }
                    ask.claimed_done = None;
                    ask.answer_by = None;
                    ask.asked.clear();
                }
            } else if ask.claimed_done.is_some() {
                return Ok(reported(task, &ask, &case, now));
            }
        } else if ask.claimed_done.is_some() {
            return Ok(reported(task, &ask, &case, now));
        }
        if let Some(answer_by) = ask.answer_by.filter(|by| *by > now) {
            if let Some(asked) = ask.asked.last().filter(|_| case.messages() > ask.shown.max(1)).cloned() {
                return self.renew(task, ask, &asked, &case, answer_by, now).await;
            }
            return Ok(Ended::WaitsForPerson {
                due: answer_by,
                reason: task.reason.clone(),
                payload: None,
                with: Changes::new(),
            });
        }
        let mut people = group.deciders();
        people.extend(self.escalation.iter().cloned());
        let Some(next) = people.into_iter().find(|p| !ask.asked.contains(p) && *p != case.member) else {
            if !ask.asked.is_empty() && ask.rounds < ROUNDS {
                let again = now + NEXT_ROUND;
                let reason = format!("已逐级询问，尚无人处理；{} 再问", wording::when(again, now));
                let payload = json!(Ask { asked: Vec::new(), answer_by: Some(again), rounds: ask.rounds + 1, ..ask });
                return Ok(Ended::WaitsForPerson { due: again, reason, payload: Some(payload), with: Changes::new() });
            }
            let reason = if ask.asked.is_empty() {
                "没有可以询问的群主或管理员，请在设置里填写"
            } else {
                "多次逐级询问后仍无人处理"
            };
            return Ok(Ended::GaveUp {
                reason: reason.into(),
                with: note(Changes::new(), task, now, Happened::GaveUp, reason),
            });
        };
        let card = card(task, &ask, &case, &group, now);
        let sent = self.hands.tell(std::slice::from_ref(&next), &Private::Card(card), now).await?;
        ask.asked.push(next.clone());
        ask.cards += 1;
        if !sent.unreachable.is_empty() {
            return Ok(Ended::Later {
                due: now,
                reason: format!("{next} 收不到私信，询问下一位"),
                payload: Some(json!(ask)),
                with: Changes::new(),
            });
        }
        ask.response_codes.extend(sent.response_code);
        ask.shown = case.messages();
        ask.answer_by = Some(now + ANSWER_WITHIN);
        Ok(Ended::WaitsForPerson {
            due: now + ANSWER_WITHIN,
            reason: format!("已请 {} 处理", group.member_name(&next)),
            payload: Some(json!(ask)),
            with: Changes::new(),
        })
    }

    /// The case has grown: a new card takes the place of the one that whoever is asked has.
    async fn renew(
        &self,
        task: &Task,
        mut ask: Ask,
        asked: &MemberId,
        case: &Case,
        answer_by: Timestamp,
        now: Timestamp,
    ) -> Result<Ended, JobError> {
        self.close_cards(&std::mem::take(&mut ask.response_codes), RENEWED, now).await;
        let card = card(task, &ask, case, &self.groups.get(&task.group), now);
        let sent = self.hands.tell(std::slice::from_ref(asked), &Private::Card(card), now).await?;
        ask.cards += 1;
        ask.response_codes.extend(sent.response_code);
        ask.shown = case.messages();
        Ok(Ended::WaitsForPerson {
            due: answer_by,
            reason: task.reason.clone(),
            payload: Some(json!(ask)),
            with: Changes::new(),
        })
    }

    /// Everybody who was asked sees on their card how it ended. Only a courtesy: a card that cannot be changed says so when it
    /// is pressed.
    async fn close_cards(&self, codes: &[String], text: &str, now: Timestamp) {
        for code in codes {
            if let Err(error) = self.hands.update_card(code, &[], &cards::receipt(text), now).await {
                tracing::debug!(%error, "a card keeps its buttons");
            }
        }
    }

    /// Is the member out of the group? `None` where nobody can tell.
    async fn gone(&self, group: &Group, member: &MemberId, now: Timestamp) -> Result<Option<bool>, JobError> {
        match self.hands.read_group(group, now).await {
            Ok(Some(learned)) => Ok(Some(!learned.members.contains_key(member))),
            Ok(None) | Err(JobError::Configuration(_) | JobError::Final(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn close(with: Changes, case: &Case) -> Changes {
    with.case(&case.id, Case::close_if_open)
}

fn verified(task: &Task, ask: &Ask, case: &Case, by_hand: bool, now: Timestamp) -> Ended {
    let (what, text) = if by_hand {
        (Happened::DoneByHand, "已不在群里（有人手动移出）")
    } else {
        (Happened::Verified, "已核实：已不在群里")
    };
    let with = told(close(note(Changes::new(), task, now, what, text), case), task, ask, case, now);
    Ended::Done { reason: text.into(), with: then_lift(with, task, ask, case, now) }
}

/// Now that a person has done it, the member hears why.
fn told(with: Changes, task: &Task, ask: &Ask, case: &Case, now: Timestamp) -> Changes {
    match &ask.tell {
        Some(tell) => with.task(tell.task(&case.id, &case.member, &task.group, now)),
        None => with,
    }
}

/// A mute that a person carried out has to be lifted by a person: they are asked again when it ends.
fn then_lift(with: Changes, task: &Task, ask: &Ask, case: &Case, now: Timestamp) -> Changes {
    let Some(until) = case.until.filter(|_| ask.request == Request::Mute) else { return with };
    let mut lift = Ask::new(Request::Lift).task(case, &task.group, now);
    lift.due = until.max(now);
    let member = case.member.clone();
    with.task(lift).member(&task.group, &member, move |record| {
        if matches!(record.standing.state, MemberState::Muted { until: u } if u <= now) {
            record.standing.state = MemberState::Normal;
        }
    })
}

fn reported(task: &Task, ask: &Ask, case: &Case, now: Timestamp) -> Ended {
    let text = "群主反馈已处理（企业微信不提供核实方式）";
    let mut with = told(close(note(Changes::new(), task, now, Happened::Reported, text), case), task, ask, case, now);
    if ask.request == Request::Lift {
        with = set_normal(with, task, &case.member);
    }
    Ended::Done { reason: text.into(), with: then_lift(with, task, ask, case, now) }
}

/// The card; pure, so that tests read it word for word.
pub fn card(task: &Task, ask: &Ask, case: &Case, group: &Group, now: Timestamp) -> serde_json::Value {
    let name = group.member_name(&case.member);
    let until = case.until.map(|until| wording::when(until, now)).unwrap_or_default();
    let done = |text| Button { text, key: "done", primary: true };
    let warn = Button { text: "改为警告", key: "warn", primary: false };
    let wrong = Button { text: "误判", key: "wrong", primary: false };
    let external = group.is_external(&case.member);
    let (title, text, choices): (String, String, Vec<Button<'_>>) = match ask.request {
        Request::Remove => (
            format!("请移出成员 {name}"),
            "机器人无权在本群移出成员。请在群里操作后点「已移出」，稍后自动核实。".into(),
            vec![done("已移出"), warn, wrong],
        ),
        // Not even the owner can mute somebody in a customer group.
        Request::Mute if group.set.kind == GroupKind::Customer => (
            format!("请处理 {name}：暂停发言"),
            format!("客户群不能禁言。请提醒对方 {until} 前先不要发言，或移出后到时再邀请，处理后点「已处理」。"),
            vec![done("已处理"), warn, wrong],
        ),
        Request::Mute => (
            format!("请暂停 {name} 发言"),
            format!("请在群管理里对该成员禁言至 {until}（到时再提醒您解除），操作后点「已禁言」。"),
            vec![done("已禁言"), warn, wrong],
        ),
        Request::Warn => (
            format!("请提醒{} {name}", if external { "客户" } else { "成员" }),
            format!("可以这样说：您好，群里请不要发与「{}」有关的内容，谢谢理解与配合。", case.category.zh()),
            vec![done("已提醒"), wrong],
        ),
        Request::Review => (
            format!("请看一条消息：{name}"),
            match second_opinion::hint(case) {
                "" => "机器人把握不够，请您判断是否违规。".into(),
                hint => format!("机器人把握不够，请您判断是否违规。仅供参考，{hint}"),
            },
            vec![Button { text: "确认违规", key: "confirm", primary: true }, wrong],
        ),
        Request::Leak => (
            "疑似泄露，请关注".into(),
            match case.happened(Happened::Reason) {
                Some(reason) => format!("{name} 还没有撤回，{}。请判断是否需要撤回。", reason.note),
                None if external || case.happened(Happened::Unreachable).is_some() => {
                    format!("{name} 收不到机器人的私信，请提醒对方撤回这条消息。")
                }
                None => format!("已私信 {name} 撤回。请确认消息已撤回，或提醒本人处理。"),
            },
            vec![done("已处理"), wrong],
        ),
        Request::Lift => {
            (format!("请恢复 {name}"), "处置已结束或撤销，请解除禁言或重新邀请入群。".into(), vec![done("已恢复")])
        }
    };
    let text = match case.messages() {
        1 => text,
        all => format!("{text}（同一人前后共 {all} 条，作一件事处理。）"),
    };
    let answer_by = ask.answer_by.filter(|by| *by > now).unwrap_or(now + ANSWER_WITHIN);
    let id = CardId::of(task, ask.cards as usize);
    let said = case.all_evidence();
    let evidence = if case.category.is_leak() { wording::masked(&said) } else { said };
    cards::owner_task(&OwnerTask {
        id: &id,
        title: &title,
        group: group.name(),
        text: &text,
        member: name,
        rule: case.rule.as_str(),
        evidence: &evidence,
        by: format!("{} 前处理", wording::when(answer_by, now)),
        case: case.id.as_str(),
        choices: &choices,
    })
}
