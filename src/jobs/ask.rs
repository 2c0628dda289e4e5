//! Asks a person: the owner first, then the admins, then the escalation contacts, each with a card and a time to answer.
//!
//! After 已移出 the bot looks for itself where WeCom lets it (member list, event) and only then calls it done; where nothing
//! can be verified the record says "reported by the owner". A card nobody answers goes to the next person.

use async_trait::async_trait;
use serde_json::json;

use super::{
    Ended, Job, JobError,
    retire::close_cards,
    written::{note, set_normal},
};
use crate::{
    deps::Deps,
    groups::{Group, SETTLES},
    model::{Category, GroupKind, MemberId, Severity, SignedDuration, Step, Timestamp},
    moderation::{deed::SETTLED_ITSELF, names::is_name, second_opinion},
    platform::{PlatformError, Private},
    policy::MemberState,
    store::{Case, CaseQuery, CaseState, Task, TaskQuery, TaskUpdate, changes::Changes},
    tasks::{self, Ask, CardId, Happened, Kind, Request, Retire, SentCard, UrgentCall},
    wecom::cards::{self, Button, OwnerTask},
    zh,
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

/// Cases of a member that are looked at.
const LOOK_BACK: usize = 50;
/// What somebody did longer ago is not told on a card.
const LATELY: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Others who said the same and are named on the card.
const NAMED: usize = 3;

/// What a card turns into when a newer one tells of more.
const RENEWED: &str = "又有新消息，请看新卡片";

/// The job.
pub struct AskJob(pub Deps);

#[async_trait]
impl Job for AskJob {
    fn kind(&self) -> Kind {
        Kind::Ask
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let ask: Ask = super::payload(task)?;
        let cards = ask.out();
        let ended = self.ask(task, ask, now).await?;
        if let Ended::Done { reason, .. } | Ended::Cancelled { reason } = &ended {
            close_cards(self.0.platform.as_ref(), &cards, reason, now).await;
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
        let Some(case) = self.0.store.case(case).await? else { return Ok(Ended::gave_up("违规记录已不存在")) };
        if case.state == CaseState::Revoked && ask.request != Request::Lift {
            return Ok(Ended::Cancelled { reason: "记录已撤销".into() });
        }
        if ask.request == Request::Review && case.step != Step::Review {
            return Ok(Ended::Cancelled { reason: SETTLED_ITSELF.into() });
        }
        let group = self.0.groups.get(&task.group);
        if ask.request == Request::Warn && ask.claimed_done.is_none() && has_left(&group, &case) {
            return Ok(needless(task, &case, now));
        }
        if matches!(ask.request, Request::Remove | Request::Mute) {
            if let Some(gone) = self.gone(&group, &case, now).await? {
                let by_hand = ask.claimed_done.is_none();
                if gone && by_hand && ask.request == Request::Mute {
                    return Ok(needless(task, &case, now));
                }
                if gone {
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
                    ask.reopened = true;
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
        people.extend(self.0.escalation.iter().cloned());
        let Some(next) = people.into_iter().find(|p| !ask.asked.contains(p) && *p != case.member) else {
            if !ask.asked.is_empty() && ask.rounds < ROUNDS {
                let again = now + NEXT_ROUND;
                let reason = format!("已逐级询问，尚无人处理；{} 再问", zh::when(again, now));
                let grave = case.severity >= Severity::High && ask.request != Request::Lift;
                let mut with = Changes::new();
                if self.0.wecom.urgent.is_some() && grave && ask.rounds == 0 && !self.0.escalation.is_empty() {
                    with = with.task(UrgentCall::task(task, now));
                }
                let payload = json!(Ask { asked: Vec::new(), answer_by: Some(again), rounds: ask.rounds + 1, ..ask });
                return Ok(Ended::WaitsForPerson { due: again, reason, payload: Some(payload), with });
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
        let with = if ask.cards == 0 { self.supersedes(task, &ask, &case, now).await? } else { Changes::new() };
        let card = self.card(task, &ask, &case, &group, now).await?;
        let sent = self.0.platform.tell(std::slice::from_ref(&next), &Private::Card(card), now).await?;
        ask.asked.push(next.clone());
        ask.cards += 1;
        if !sent.unreachable.is_empty() {
            return Ok(Ended::Later {
                due: now,
                reason: format!("{next} 收不到私信，询问下一位"),
                payload: Some(json!(ask)),
                with,
            });
        }
        ask.sent.extend(sent.response_code.map(|code| SentCard { code, to: vec![next.clone()] }));
        ask.shown = case.messages();
        ask.answer_by = Some(now + ANSWER_WITHIN);
        Ok(Ended::WaitsForPerson {
            due: now + ANSWER_WITHIN,
            reason: format!("已请 {} 处理", group.member_name(&next)),
            payload: Some(json!(ask)),
            with,
        })
    }

    /// What was asked about the same person before, and is no more than this, ends: one card says what is to be done now.
    async fn supersedes(&self, task: &Task, ask: &Ask, case: &Case, now: Timestamp) -> Result<Changes, JobError> {
        let mut with = Changes::new();
        let Some(rank) = rank(ask.request) else { return Ok(with) };
        let query = TaskQuery { group: Some(task.group.clone()), limit: usize::MAX, ..TaskQuery::default() };
        for other in self.0.store.tasks(&query).await? {
            let theirs = other.member.as_ref() == Some(&case.member) && other.id != task.id && !other.state.is_final();
            let Some(before) = tasks::payload::<Ask>(&other).filter(|_| theirs) else { continue };
            let less = self::rank(before.request).is_some_and(|before| before <= rank) && before.claimed_done.is_none();
            let (true, Some(id)) = (less, &other.case) else { continue };
            let text = format!("已由新的处理代替（{}）", case.id);
            with = note(with, &other, now, Happened::Answered, &text).case(id, Case::close_if_open);
            with = Retire::of(&other, "", &text, now).into_iter().fold(with, Changes::task);
            with = with.update_task(TaskUpdate::done(other.id.clone(), now, text));
        }
        Ok(with)
    }

    /// The card, with the way to what was said before and after.
    async fn card(
        &self,
        task: &Task,
        ask: &Ask,
        case: &Case,
        group: &Group,
        now: Timestamp,
    ) -> Result<serde_json::Value, JobError> {
        let follows = match ask.request {
            Request::Review => self.0.moderation.would_follow(group, case).await?,
            _ => String::new(),
        };
        let known = Known { earlier: self.earlier(case, now).await?, follows };
        let mut card = card(task, ask, case, group, &known, now);
        super::leads_to_case(&self.0, &mut card, &case.id);
        Ok(card)
    }

    /// How often the member was in the wrong lately, before this.
    async fn earlier(&self, case: &Case, now: Timestamp) -> Result<usize, JobError> {
        let query = CaseQuery {
            group: Some(case.group.clone()),
            member: Some(case.member.clone()),
            limit: LOOK_BACK,
            ..CaseQuery::default()
        };
        let counts = |other: &&Case| {
            other.id != case.id
                && other.points > 0
                && other.state != CaseState::Revoked
                && other.at < case.at
                && now.duration_since(other.at) < LATELY
        };
        Ok(self.0.store.cases(&query).await?.iter().filter(counts).count())
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
        close_cards(self.0.platform.as_ref(), &ask.out(), RENEWED, now).await;
        ask.response_codes.clear();
        ask.sent.clear();
        // Whoever has the card already is not told that it was passed on.
        let mut shown = ask.clone();
        shown.asked.pop();
        let card = self.card(task, &shown, case, &self.0.groups.get(&task.group), now).await?;
        let sent = self.0.platform.tell(std::slice::from_ref(asked), &Private::Card(card), now).await?;
        ask.cards += 1;
        ask.sent.extend(sent.response_code.map(|code| SentCard { code, to: vec![asked.clone()] }));
        ask.shown = case.messages();
        Ok(Ended::WaitsForPerson {
            due: answer_by,
            reason: task.reason.clone(),
            payload: Some(json!(ask)),
            with: Changes::new(),
        })
    }

    /// Is the member out of the group? `None` where nobody can tell.
    async fn gone(&self, group: &Group, case: &Case, now: Timestamp) -> Result<Option<bool>, JobError> {
        if has_left(group, case) {
            return Ok(Some(true));
        }
        // Whoever spoke just now and is in no list yet has come, not gone.
        let known = group.learned.members.contains_key(&case.member);
        let came = !known && now.duration_since(case.last_at()).abs() < SETTLES;
        match self.0.platform.read_group(group, now).await {
            Ok(Some(read)) if came || group.learned.is_outdated(&read.member_version, now) => Ok(Some(false)),
            Ok(Some(read)) => Ok(Some(!read.members.contains_key(&case.member))),
            Ok(None) | Err(PlatformError::Configuration(_) | PlatformError::Final(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Did an event tell that the member left since? WeCom tells it some seconds before its list shows it, and times events by
/// the second.
fn has_left(group: &Group, case: &Case) -> bool {
    let after = case.last_at() - SignedDuration::from_secs(1);
    group.learned.left.get(&case.member).is_some_and(|left| *left > after)
}

/// Nobody is there any more who could be reminded or muted; whoever comes back starts anew.
fn needless(task: &Task, case: &Case, now: Timestamp) -> Ended {
    let text = "已不在群里，不用再处理";
    let with = close(note(Changes::new(), task, now, Happened::Left, text), case);
    Ended::Done { reason: text.into(), with: set_normal(with, task, &case.member) }
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
    let mut with = told(close(note(Changes::new(), task, now, what, text), case), task, ask, case, now);
    if ask.request == Request::Remove {
        with = with.member(&task.group, &case.member, |record| {
            record.standing.state = std::mem::take(&mut record.standing.state).harder(MemberState::Removed);
        });
    }
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

/// Whose name a case about a name takes it for.
fn imitated(case: &Case) -> Option<&str> {
    let imitation = case.findings.iter().find(|finding| &*finding.rule == "impersonation/name")?;
    imitation.entry.as_deref()
}

/// What is asked of a person about another, from mild to hard; of the rest a case has its own.
fn rank(request: Request) -> Option<u8> {
    match request {
        Request::Warn => Some(0),
        Request::Mute => Some(1),
        Request::Remove => Some(2),
        Request::Review | Request::Leak | Request::Lift => None,
    }
}

/// Why the card comes to whoever has it now, and what else they have to know to decide.
fn circumstances(ask: &Ask, group: &Group, earlier: usize) -> String {
    let mut text = String::new();
    if let Some(tell) = ask.tell.as_ref().filter(|tell| tell.n > 0) {
        text.push_str(&format!("{}。", zh::nth(tell.n, tell.of)));
    } else if earlier > 0 {
        text.push_str(&format!("此前 30 天有 {earlier} 条记录。"));
    }
    if let Some(before) = ask.asked.last() {
        text.push_str(&format!("{} 没有及时处理，转给您。", group.member_name(before)));
    } else if ask.rounds > 0 {
        text.push_str("还没有人处理，再问一次。");
    }
    text
}

/// What is known besides the case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// How often the member was in the wrong lately.
    pub earlier: usize,
    /// What a yes brings: `警告`, `禁言 2 小时`; may be empty.
    pub follows: String,
}

/// The card; pure, so that tests read it word for word.
pub fn card(task: &Task, ask: &Ask, case: &Case, group: &Group, known: &Known, now: Timestamp) -> serde_json::Value {
    let name = group.member_name(&case.member);
    let until = case.until.map(|until| zh::when(until, now)).unwrap_or_default();
    let done = |text| Button { text, key: "done", primary: true };
    let warn = Button { text: "改为警告", key: "warn", primary: false };
    let wrong = Button { text: "误判", key: "wrong", primary: false };
    let external = group.is_external(&case.member);
    let named = is_name(&case.message);
    let (title, text, choices): (String, String, Vec<Button<'_>>) = match ask.request {
        // What only WeCom itself can do there: remove by itself, and keep somebody out.
        Request::Remove if group.set.kind == GroupKind::Customer => (
            format!("请移出成员 {name}"),
            "请在群里移出并勾选「加入群聊黑名单」（否则还能再进群），再点「已移出」，稍后自动核实。常见广告可打开企业微信的「防骚扰」自动移出。「改为警告」不移出。".into(),
            vec![done("已移出"), warn, wrong],
        ),
        Request::Remove => (
            format!("请移出成员 {name}"),
            "机器人无权在本群移出成员。请在群里操作后点「已移出」，稍后自动核实。「改为警告」不移出。".into(),
            vec![done("已移出"), warn, wrong],
        ),
        // Not even the owner can mute somebody in a customer group.
        Request::Mute if group.set.kind == GroupKind::Customer => (
            format!("请处理 {name}：禁言"),
            format!("客户群不能禁言。请提醒对方 {until} 前先不要发言，或移出后到时再邀请，处理后点「已处理」。「改为警告」不禁言。"),
            vec![done("已处理"), warn, wrong],
        ),
        Request::Mute => (
            format!("请禁言 {name}"),
            format!("请在群管理里对该成员禁言至 {until}（到时再提醒您解除），操作后点「已禁言」。「改为警告」不禁言。"),
            vec![done("已禁言"), warn, wrong],
        ),
        Request::Warn => (
            format!("请提醒{} {name}", if external { "客户" } else { "成员" }),
            if named {
                format!(
                    "可以这样说：您好，您的群昵称可能让人误会（{}），请改一个，谢谢理解与配合。",
                    case.category.zh()
                )
            } else {
                match case.about() {
                    None => "可以这样说：您好，请您留意一下群规，谢谢理解与配合。".into(),
                    Some(reason) if case.by_hand() && case.category == Category::Junk => {
                        format!("可以这样说：您好，提醒您一下（{reason}），请留意群规，谢谢理解与配合。")
                    }
                    Some(about) => format!("可以这样说：您好，群里请不要发与「{about}」有关的内容，谢谢理解与配合。"),
                }
            },
            vec![done("已提醒"), wrong],
        ),
        Request::Review if named => (
            format!("请看一个昵称：{name}"),
            match imitated(case) {
                Some(real) => format!("这个昵称很像「{real}」。请您判断是不是冒充。"),
                None => "机器人把握不够，请您判断这个昵称是否违规。".into(),
            },
            vec![Button { text: "确认违规", key: "confirm", primary: true }, wrong],
        ),
        Request::Review => (
            format!("请看一条消息：{name}"),
            {
                let follows = match known.follows.as_str() {
                    "" => String::new(),
                    follows => format!("（现在是{follows}）"),
                };
                let hint = match second_opinion::hint(case) {
                    "" => String::new(),
                    hint => format!("仅供参考，{hint}"),
                };
                format!("机器人把握不够，请您判断：确认就按群规处理{follows}，误判就撤销。{hint}")
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
    let text = if named && matches!(ask.request, Request::Mute | Request::Remove) {
        format!("{text}原因是群昵称，请提醒对方改一个。")
    } else {
        text
    };
    let text = if ask.reopened { format!("核实：{name} 还在群里。{text}") } else { text };
    let text = format!("{text}{}", circumstances(ask, group, known.earlier));
    let text = match case.messages() {
        1 => text,
        _ if !case.others.is_empty() => {
            let others = case.others.iter().map(|other| group.member_name(&other.member));
            let named = others.take(NAMED).collect::<Vec<_>>().join("、");
            let more = if case.others.len() > NAMED { "等人" } else { "" };
            let all = case.others.len() + 1;
            format!("{text}（{named}{more}也发了同样的内容，一共 {all} 人，您的决定对他们都算数。）")
        }
        all => {
            let within = zh::short_length(case.last_at().duration_since(case.at));
            format!("{text}（同一人 {within}内共 {all} 条，作一件事处理；看全部请发：为什么 {}）", case.id)
        }
    };
    let answer_by = ask.answer_by.filter(|by| *by > now).unwrap_or(now + ANSWER_WITHIN);
    let id = CardId::of(task, ask.cards as usize);
    let evidence = case.shown(case.all_evidence());
    // The rule says it all, or there is nothing but the words of whoever acted by hand.
    let plain = case.rule == case.category.zh() || case.by_hand() && case.evidence.is_empty();
    cards::owner_task(&OwnerTask {
        id: &id,
        title: &title,
        group: group.name(),
        text: &text,
        member: name,
        category: if plain { "" } else { case.category.zh() },
        said: zh::when(case.at, now),
        rule: case.rule.as_str(),
        evidence: &evidence,
        by: format!("{} 前处理", zh::when(answer_by, now)),
        case: case.id.as_str(),
        choices: &choices,
    })
}
