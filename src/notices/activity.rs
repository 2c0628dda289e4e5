//! Activities: announced ahead, everybody signs in within a window by a word or a button, asks for leave with a reason, is
//! late or absent; afterwards the organiser gets the list and is asked for a summary.

use std::{collections::BTreeMap, fmt::Write};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Notices, Ran, encode,
    notice::{Event, Repeat, id_candidates, is_id},
    outgoing::{self, Button, Tell},
    publish::{free_id, once},
    repeat,
    roster::How,
    run::WAIT,
    wording::names,
};
use crate::{
    access::{Actor, Face},
    acknowledgement,
    audit::{Act, Entry},
    model::{GroupId, MemberId, Message, SignedDuration, Timestamp, named_enum},
    refusal::{ActError, Code},
    store::{Collection, Commit, Name, Task, TaskUpdate, Tx, transaction::transact},
    tasks::Kind,
    zh::{when, zone},
};

/// The collection of activities.
const ACTIVITIES: Collection<Activity> = Collection::new(Name::Activity);
/// The collection of activities one can sign in to, by group.
const OPEN: Collection<String> = Collection::new(Name::ActivityOpen);
/// Reminds everybody before the start.
const REMIND: &str = Kind::ActivityRemind.id();
/// Ends the sign-in and tells the organiser.
const CLOSE: &str = Kind::ActivityClose.id();
/// Asks the organiser for a summary.
const SUMMARY: &str = Kind::ActivitySummary.id();
/// The organiser is asked for the summary so often, a day apart.
const ASKED: u8 = 3;

/// What somebody plans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What it is.
    pub title: String,
    /// Where, and what to bring.
    #[serde(default)]
    pub details: String,
    /// Everybody in these groups.
    pub groups: Vec<GroupId>,
    /// When it starts.
    pub starts: Timestamp,
    /// When it ends; the summary is asked for then.
    pub ends: Timestamp,
    /// Who gets the list and writes the summary.
    pub organiser: MemberId,
    /// Sign-in opens so many minutes before the start; default 30.
    #[serde(default = "thirty")]
    pub opens_minutes: u32,
    /// Signing in later than so many minutes after the start is late; default 0.
    #[serde(default)]
    pub tolerance_minutes: u32,
    /// Sign-in closes so many minutes after the start; default 60.
    #[serde(default = "sixty")]
    pub closes_minutes: u32,
    /// Everybody is reminded so many minutes before the start; 0: not; default 30.
    #[serde(default = "thirty")]
    pub remind_minutes: u32,
    /// It comes again and again: when one's sign-in is over, the next one is announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
}

/// Activities looked at where no number was given.
const MOST_LOOKED_AT: usize = 500;
/// Longest summary kept, characters.
const LONGEST_SUMMARY: usize = 600;
/// Nobody plans further ahead.
const FURTHEST: SignedDuration = SignedDuration::from_hours(2 * 366 * 24);
/// A sign-in or a reminder lies no further from the start.
const LONGEST_SPAN: SignedDuration = SignedDuration::from_hours(7 * 24);

fn thirty() -> u32 {
    30
}
fn sixty() -> u32 {
    60
}
fn minutes(n: u32) -> SignedDuration {
    SignedDuration::from_mins(i64::from(n))
}

named_enum! {
    /// How somebody stands with an activity.
    pub enum Presence {
        /// The sign-in is not over.
        Waiting = "waiting", "待签到";
        /// Signed in on time.
        Present = "present", "准时";
        /// Signed in late.
        Late = "late", "迟到";
        /// Asked for leave.
        Leave = "leave", "请假";
        /// Neither came nor said a word.
        Absent = "absent", "缺席";
    }
}

/// One person of an activity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Guest {
    /// Shown name.
    pub name: String,
    /// When they signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Timestamp>,
    /// The way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<How>,
    /// Why they can't come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave: Option<String>,
}

/// A stored activity with its list; some hundreds of people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// As people say it.
    pub id: String,
    /// What was planned.
    pub plan: Plan,
    /// Who announced it.
    pub by: String,
    /// Who is expected.
    pub guests: BTreeMap<MemberId, Guest>,
    /// The sign-in is over and the organiser was told.
    #[serde(default)]
    pub closed: bool,
    /// It does not take place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub called_off: bool,
    /// The organiser's summary.
    #[serde(default)]
    pub summary: Option<String>,
    /// What happened, oldest first.
    pub history: Vec<Event>,
}

impl Activity {
    fn opens(&self) -> Timestamp {
        self.plan.starts - minutes(self.plan.opens_minutes)
    }
    fn closes(&self) -> Timestamp {
        self.plan.starts + minutes(self.plan.closes_minutes)
    }
    /// How somebody stands at `now`.
    pub fn presence(&self, guest: &Guest, now: Timestamp) -> Presence {
        let on_time = self.plan.starts + minutes(self.plan.tolerance_minutes);
        match guest.signed {
            Some(at) if at <= on_time => Presence::Present,
            Some(_) => Presence::Late,
            None if guest.leave.is_some() => Presence::Leave,
            None if now < self.closes() => Presence::Waiting,
            None => Presence::Absent,
        }
    }
    /// What the organiser reads.
    pub fn report(&self, now: Timestamp) -> String {
        let of = |presence| -> Vec<String> {
            self.guests.values().filter(|g| self.presence(g, now) == presence).map(|g| g.name.clone()).collect()
        };
        let (present, late, absent) = (of(Presence::Present), of(Presence::Late), of(Presence::Absent));
        let leave: Vec<String> = self
            .guests
            .values()
            .filter(|g| self.presence(g, now) == Presence::Leave)
            .map(|g| format!("{}（{}）", g.name, g.leave.as_deref().unwrap_or_default()))
            .collect();
        let mut text = format!(
            "活动 {}《{}》签到结果：应到 {} 人，准时 {} 人，迟到 {} 人，请假 {} 人，缺席 {} 人。",
            self.id,
            self.plan.title,
            self.guests.len(),
            present.len(),
            late.len(),
            leave.len(),
            absent.len()
        );
        let waiting = of(Presence::Waiting);
        if !waiting.is_empty() {
            let _ = write!(text, "签到还没有结束，另有 {} 人待签到。", waiting.len());
        }
        for (title, list) in [("迟到", late), ("请假", leave), ("缺席", absent)] {
            if !list.is_empty() {
                let _ = write!(text, "\n{title}：{}", names(&list));
            }
        }
        text
    }
}

#[derive(Serialize, Deserialize)]
struct Payload {
    activity: String,
    #[serde(default)]
    asked: u8,
    /// Waiting messages were let in already.
    #[serde(default)]
    waited: bool,
}

impl Notices {
    /// Announces an activity and takes the list of who is expected.
    pub async fn announce_activity(&self, actor: &Actor, mut plan: Plan) -> Result<Activity, ActError> {
        self.may_speak(actor, &plan.groups)?;
        let now = self.now();
        once(&mut plan.groups);
        if plan.groups.is_empty() {
            return Err(ActError::refused(Code::NoReceivers, "活动要写明发到哪些群"));
        }
        if plan.title.trim().is_empty() {
            return Err(ActError::wrong("title", "活动要有名称"));
        }
        if plan.starts <= now {
            return Err(ActError::wrong("starts", "开始时间要在现在之后"));
        }
        if plan.ends <= plan.starts {
            return Err(ActError::wrong("ends", "结束时间要在开始之后"));
        }
        let spans = [plan.opens_minutes, plan.tolerance_minutes, plan.closes_minutes, plan.remind_minutes];
        if plan.ends.duration_since(now) > FURTHEST || spans.iter().any(|span| minutes(*span) > LONGEST_SPAN) {
            return Err(ActError::refused(Code::BadRequest, "活动最远两年以后，签到和提醒的时间最长 7 天"));
        }
        let guests = self.guests(&plan)?;
        Ok(transact!(self.store.as_ref(), |tx| self.announced(tx, actor, &plan, &guests, now).await?))
    }

    /// Who is expected.
    fn guests(&self, plan: &Plan) -> Result<BTreeMap<MemberId, Guest>, ActError> {
        let mut guests = BTreeMap::new();
        for group in &plan.groups {
            let Some(people) = self.directory.group(group) else {
                let name = self.directory.group_name(group);
                let (code, text) = if self.directory.knows_group(group) {
                    (Code::UnknownMembers, format!("还不知道「{name}」里有谁，不能发活动"))
                } else {
                    (Code::UnknownGroup, format!("没有编号为 {group} 的群，请核对"))
                };
                return Err(ActError::refused(code, text));
            };
            guests.extend(people.into_iter().map(|p| (p.id, Guest { name: p.name, ..Guest::default() })));
        }
        Ok(guests)
    }

    /// Writes everything that an announcement writes.
    async fn announced(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        plan: &Plan,
        guests: &BTreeMap<MemberId, Guest>,
        now: Timestamp,
    ) -> Result<Activity, ActError> {
        let by = actor.name();
        let text = |id: &str| {
            format!(
                "【活动 {id}】{}\n时间：{} 到 {}{}\n{} 起可以签到：在群里回复“签到”。不能参加请私信我：请假 {id} 原因",
                plan.title,
                when(plan.starts, now),
                until(plan.starts, plan.ends, now),
                if plan.details.is_empty() { String::new() } else { format!("\n{}", plan.details) },
                when(plan.starts - minutes(plan.opens_minutes), now)
            )
        };
        let id = free_id(tx, ACTIVITIES, id_candidates(by, now, &plan.title)).await?;
        let activity = Activity {
            id: id.clone(),
            plan: plan.clone(),
            by: by.to_owned(),
            guests: guests.clone(),
            closed: false,
            called_off: false,
            summary: None,
            history: vec![Event::new(now, by, "发布")],
        };
        tx.put(ACTIVITIES, &id, &activity).await?;
        for (n, group) in plan.groups.iter().enumerate() {
            tx.put(OPEN, &format!("{group}/{id}"), &id).await?;
            tx.add_task(outgoing::announce(&format!("activity/{id}/announce/{n}"), group, now, text(&id)));
        }
        let remind = plan.starts - minutes(plan.remind_minutes);
        if plan.remind_minutes > 0 && remind > now {
            tx.add_task(timed(&activity, REMIND, remind, now));
        }
        tx.add_task(timed(&activity, CLOSE, activity.closes(), now));
        tx.add_task(timed(&activity, SUMMARY, plan.ends.max(activity.closes()), now));
        let after = json!({ "title": plan.title, "starts": plan.starts, "expected": activity.guests.len() });
        tx.audit(actor, now, about(Act::AnnounceActivity, &activity).now(after)).await?;
        Ok(activity)
    }

    /// It does not take place: its groups hear so, nobody is reminded, nothing is summed up. Called off twice is called off once.
    pub async fn call_off_activity(&self, actor: &Actor, id: &str) -> Result<Activity, ActError> {
        let (id, now) = (id.trim().trim_start_matches('#').to_uppercase(), self.now());
        Ok(transact!(self.store.as_ref(), |tx| {
            let Some(mut activity) = tx.get(ACTIVITIES, &id).await? else {
                return Err(ActError::refused(Code::NotFound, format!("没有编号为 {id} 的活动")));
            };
            self.may_speak(actor, &activity.plan.groups)?;
            if activity.called_off {
                return Ok(activity);
            }
            if activity.closed {
                return Err(ActError::refused(Code::WrongState, "签到已经结束，不能取消"));
            }
            for name in ["remind", "close", "summary"] {
                tx.update_task(TaskUpdate::cancel(format!("activity/{id}/{name}").into(), now, "活动已取消"));
            }
            (activity.called_off, activity.closed) = (true, true);
            activity.history.push(Event::new(now, actor.name(), "取消"));
            for (n, group) in activity.plan.groups.iter().enumerate() {
                tx.delete(OPEN, &format!("{group}/{id}")).await?;
                let text = format!("【活动 {id}】《{}》取消，不用签到。", activity.plan.title);
                tx.add_task(outgoing::announce(&format!("activity/{id}/called-off/{n}"), group, now, text));
            }
            tx.put(ACTIVITIES, &id, &activity).await?;
            let record = about(Act::CancelActivity, &activity).now(json!({ "called_off": true }));
            tx.audit(actor, now, record).await?;
            activity
        }))
    }

    /// One activity.
    pub async fn activity(&self, id: &str) -> Result<Activity, ActError> {
        let id = id.trim().to_uppercase();
        match self.read(ACTIVITIES, &id).await? {
            Some(activity) => Ok(activity),
            None => Err(ActError::refused(Code::NotFound, format!("没有编号为 {id} 的活动"))),
        }
    }

    /// One activity, for who may speak to its groups.
    pub async fn activity_for(&self, actor: &Actor, id: &str) -> Result<Activity, ActError> {
        let activity = self.activity(id).await?;
        self.may_speak(actor, &activity.plan.groups)?;
        Ok(activity)
    }

    /// Signs somebody in at the time of their own message; the first time counts. Returns what the activity is called and how
    /// they stand.
    pub async fn sign_in(
        &self,
        id: &str,
        member: &MemberId,
        at: Timestamp,
        how: How,
    ) -> Result<(String, Presence), ActError> {
        self.edit_activity(id, |activity| {
            let (opens, closes, name) = (activity.opens(), activity.closes(), activity.plan.title.clone());
            let called_off = activity.called_off;
            let Some(guest) = activity.guests.get_mut(member) else {
                return Err(ActError::refused(Code::BadRequest, format!("您不在活动《{name}》的名单里")));
            };
            if called_off {
                return Err(ActError::refused(Code::BadRequest, format!("活动《{name}》已取消")));
            }
            if at < opens {
                return Err(ActError::refused(
                    Code::WrongState,
                    format!("签到还没有开始，{} 起可以签到。", when(opens, at)),
                ));
            }
            if at > closes {
                return Err(ActError::refused(Code::BadRequest, format!("签到已在{} 结束", when(closes, at))));
            }
            if guest.signed.is_none_or(|signed| at < signed) {
                guest.signed = Some(at);
                guest.how = Some(how);
            }
            let guest = guest.clone();
            Ok(Changed { answer: (name, activity.presence(&guest, at)), tasks: Vec::new(), act: None })
        })
        .await
    }

    /// Somebody can't come and says why.
    pub async fn ask_leave(&self, actor: &Actor, id: &str, reason: &str) -> Result<String, ActError> {
        let member = actor.own()?;
        let reason: String = reason.trim().chars().take(200).collect();
        if reason.is_empty() {
            return Err(ActError::refused(Code::BadRequest, format!("请写明原因，例如：请假 {id} 出差")));
        }
        self.edit_activity(id, |activity| {
            let name = activity.plan.title.clone();
            match activity.guests.get_mut(member) {
                None => Err(ActError::refused(Code::BadRequest, format!("您不在活动《{name}》的名单里"))),
                Some(_) if activity.closed => Err(ActError::refused(Code::BadRequest, "签到已结束，请直接联系组织者")),
                Some(guest) => {
                    let was = json!({ "leave": guest.leave.replace(reason.clone()) });
                    let entry = about(Act::AskLeave, activity).concerning(member);
                    let entry = entry.was(was).now(json!({ "leave": reason }));
                    let answer = format!("已记下您对活动《{name}》的请假。");
                    Ok(Changed { answer, tasks: Vec::new(), act: Some((actor, entry)) })
                }
            }
        })
        .await
    }

    /// The organiser writes the summary; it goes to the groups, once. Written again it only replaces what is kept.
    pub async fn summarise(&self, actor: &Actor, id: &str, text: &str) -> Result<String, ActError> {
        let text: String = text.trim().chars().take(LONGEST_SUMMARY).collect();
        let now = self.now();
        if text.is_empty() {
            return Err(ActError::refused(
                Code::BadRequest,
                format!("总结没有内容，例如：总结 {} 到场 18 人，效果不错", id.to_uppercase()),
            ));
        }
        self.edit_activity(id, |activity| {
            if !actor.is(&activity.plan.organiser) {
                return Err(ActError::refused(Code::Forbidden, "总结由组织者填写"));
            }
            if now < activity.plan.starts {
                return Err(ActError::refused(Code::BadRequest, "活动还没有开始"));
            }
            activity.history.push(Event::new(now, actor.name(), "填写总结"));
            let again = activity.summary.replace(text.clone()).is_some();
            let act = Some((actor, about(Act::SummariseActivity, activity).now(json!({ "again": again }))));
            if again {
                return Ok(Changed {
                    answer: "总结已更新，群里不再重发。".to_owned(), tasks: Vec::new(), act
                });
            }
            let told = format!("【活动 {}】《{}》总结：\n{text}", activity.id, activity.plan.title);
            let groups = activity.plan.groups.iter().enumerate();
            let tasks = groups.map(|(n, group)| {
                outgoing::announce(&format!("activity/{}/summary/announce/{n}", activity.id), group, now, told.clone())
            });
            Ok(Changed { answer: "总结已记下，并发到群里。".to_owned(), tasks: tasks.collect(), act })
        })
        .await
    }

    /// 签到, 请假 8F2K 原因, 总结 8F2K …: what concerns activities in a message. In private the number may be left out where
    /// only one activity can be meant.
    pub(super) async fn hear_activity(&self, message: &Message) -> Result<Option<String>, ActError> {
        let (text, sender) = (message.text.trim(), &message.sender);
        if message.group.as_str().is_empty() {
            let (word, rest) =
                text.split_once(|c: char| c.is_whitespace() || "，,：:".contains(c)).unwrap_or((text, ""));
            if !matches!(word, "签到" | "请假" | "总结") {
                return Ok(None);
            }
            let (first, after) = rest.trim().split_once(char::is_whitespace).unwrap_or((rest.trim(), ""));
            let named = if is_id(first) { self.activity(first).await.ok() } else { None };
            let (id, rest) = match named {
                Some(activity) => (activity.id, after),
                None => match self.only_one(sender, word == "总结").await? {
                    Some(id) => (id, rest.trim()),
                    None => return Ok(None),
                },
            };
            let actor = Actor::member(sender, &[], Face::Chat);
            return match word {
                "请假" => self.ask_leave(&actor, &id, rest).await,
                "总结" => self.summarise(&actor, &id, rest).await,
                _ => self.sign_in(&id, sender, message.at, How::Private).await.map(signed),
            }
            .map(Some);
        }
        let open = OPEN.page(self.store.as_ref(), &format!("{}/", message.group), None, 50).await?;
        if open.is_empty()
            || !acknowledgement::matches_from(text, &["签到", "已到", "到"], message.sender_name.as_deref())
        {
            return Ok(None);
        }
        for (_, id) in open {
            let activity = self.activity(&id).await?;
            if (activity.opens()..=activity.closes()).contains(&message.at) && activity.guests.contains_key(sender) {
                return self.sign_in(&id, sender, message.at, How::Word).await.map(signed).map(Some);
            }
        }
        Ok(None)
    }

    /// The one activity that somebody is expected at and whose sign-in is not over, or that they organise and have not written
    /// the summary of; none if there are several.
    async fn only_one(&self, member: &MemberId, organises: bool) -> Result<Option<String>, ActError> {
        let mut looked_at = Vec::new();
        if organises {
            let page = ACTIVITIES.page(self.store.as_ref(), "", None, MOST_LOOKED_AT).await?;
            looked_at.extend(page.into_iter().map(|(_, activity)| activity));
        } else {
            for (_, id) in OPEN.page(self.store.as_ref(), "", None, MOST_LOOKED_AT).await? {
                looked_at.push(self.activity(&id).await?);
            }
        }
        let mut found: Option<String> = None;
        for activity in looked_at {
            let meant = if organises {
                activity.plan.organiser == *member && activity.summary.is_none() && activity.plan.starts <= self.now()
            } else {
                activity.guests.contains_key(member)
            };
            if meant && found.replace(activity.id.clone()).is_some_and(|other| other != activity.id) {
                return Ok(None);
            }
        }
        Ok(found)
    }

    pub(super) async fn run_activity(&self, task: &Task) -> Result<Ran, ActError> {
        let payload: Payload = serde_json::from_value(task.payload.clone())
            .map_err(|e| ActError::refused(Code::BadRequest, format!("待办内容读不懂：{e}")))?;
        let now = self.now();
        let activity = self.activity(&payload.activity).await?;
        if activity.called_off {
            return Ok(Ran::Done("活动已取消".into()));
        }
        let id = &activity.id;
        let organiser = |text: String, button: Option<Button>| Tell {
            to: vec![activity.plan.organiser.clone()],
            title: button.as_ref().map(|_| format!("活动 {id}")).unwrap_or_default(),
            text,
            buttons: button.into_iter().collect(),
            part: None,
        };
        match task.kind.as_str() {
            REMIND => {
                if now >= activity.plan.starts {
                    return Ok(Ran::Done("已经开始，不再提醒".into()));
                }
                let open = activity.guests.iter().filter(|(_, guest)| guest.leave.is_none() && guest.signed.is_none());
                let to: Vec<MemberId> = open.map(|(id, _)| id.clone()).collect();
                let message = Tell {
                    to,
                    title: format!("活动 {id} {} 开始", when(activity.plan.starts, now)),
                    text: format!("{}\n{}", activity.plan.title, activity.plan.details).trim().to_owned(),
                    buttons: vec![Button { text: "签到".into(), key: format!("activity:{id}:sign") }],
                    part: None,
                };
                let tasks = outgoing::tell(&format!("activity/{id}/remind/tell"), &home(&activity), now, &message);
                self.store.commit(Commit { tasks, ..Commit::default() }).await?;
                Ok(Ran::Done("已提醒".into()))
            }
            CLOSE => {
                if self.slept_through(activity.closes()) && !payload.waited {
                    let payload = encode(&Payload { waited: true, ..payload });
                    return Ok(Ran::Later {
                        due: now + WAIT, reason: "先处理停机期间的消息".into(), payload
                    });
                }
                let text = activity.report(now);
                let tasks =
                    outgoing::tell(&format!("activity/{id}/report"), &home(&activity), now, &organiser(text, None));
                let next = self.next_one(&activity);
                transact!(self.store.as_ref(), |tx| {
                    if let Some(mut activity) = tx.get(ACTIVITIES, id).await? {
                        if let Some((plan, guests)) = next.as_ref().filter(|_| !activity.closed) {
                            self.announced(tx, &Actor::bot(), plan, guests, now).await?;
                        }
                        for group in &activity.plan.groups {
                            tx.delete(OPEN, &format!("{group}/{id}")).await?;
                        }
                        activity.closed = true;
                        tx.put(ACTIVITIES, id, &activity).await?;
                    }
                    tx.add_tasks(tasks.clone());
                });
                Ok(Ran::Done("签到结束，名单已发给组织者".into()))
            }
            SUMMARY => {
                if activity.summary.is_some() || payload.asked >= ASKED {
                    return Ok(Ran::Done("不再询问总结".into()));
                }
                let text = format!("活动《{}》已结束，请回复：总结 {id} 活动效果和需要改进的地方", activity.plan.title);
                let task_id = format!("activity/{id}/summary/tell/{}", payload.asked);
                let tasks = outgoing::tell(&task_id, &home(&activity), now, &organiser(text, None));
                self.store.commit(Commit { tasks, ..Commit::default() }).await?;
                Ok(Ran::Later {
                    due: now + SignedDuration::from_hours(24),
                    reason: "已请组织者写总结".into(),
                    payload: encode(&Payload { asked: payload.asked + 1, ..payload }),
                })
            }
            other => Err(ActError::refused(Code::BadRequest, format!("不认识的待办 {other}"))),
        }
    }

    /// The one after an activity that repeats, and who is expected there; none where nobody knows who is in its groups any more.
    fn next_one(&self, activity: &Activity) -> Option<(Plan, BTreeMap<MemberId, Guest>)> {
        let plan = &activity.plan;
        let (starts, now) = (plan.starts, self.now());
        let next = repeat::next(Some(plan.repeat.as_ref()?), starts, starts, now, &self.calendar.load());
        let plan = Plan { starts: next, ends: next + plan.ends.duration_since(starts), ..plan.clone() };
        match self.guests(&plan) {
            Ok(guests) => Some((plan, guests)),
            Err(error) => {
                tracing::warn!(activity = activity.id, %error, "the next one could not be announced");
                None
            }
        }
    }

    /// Changes an activity, again if somebody was faster; the tasks come in the same commit.
    async fn edit_activity<'a, T>(
        &self,
        id: &str,
        edit: impl Fn(&mut Activity) -> Result<Changed<'a, T>, ActError>,
    ) -> Result<T, ActError> {
        let id = id.trim().to_uppercase();
        Ok(transact!(self.store.as_ref(), |tx| {
            let Some(mut activity) = tx.get(ACTIVITIES, &id).await? else {
                return Err(ActError::refused(Code::NotFound, format!("没有编号为 {id} 的活动")));
            };
            let changed = edit(&mut activity)?;
            tx.put(ACTIVITIES, &id, &activity).await?;
            tx.add_tasks(changed.tasks);
            if let Some((actor, entry)) = changed.act {
                tx.audit(actor, self.now(), entry).await?;
            }
            changed.answer
        }))
    }
}

/// What a change of an activity came to.
struct Changed<'a, T> {
    answer: T,
    tasks: Vec<Task>,
    /// The record it leaves.
    act: Option<(&'a Actor, Entry)>,
}

/// A record about an activity.
fn about(act: Act, activity: &Activity) -> Entry {
    Entry::of(act, "activity", &activity.id).within_all(&activity.plan.groups)
}

/// When it ends: the day is said only if it is another one.
fn until(starts: Timestamp, ends: Timestamp, now: Timestamp) -> String {
    let day = |at: Timestamp| at.to_zoned(zone()).date();
    if day(starts) == day(ends) { ends.to_zoned(zone()).strftime("%H:%M").to_string() } else { when(ends, now) }
}

/// What a private message reads after signing in.
fn signed((title, presence): (String, Presence)) -> String {
    format!("活动《{title}》签到：{}", presence.zh())
}

fn home(activity: &Activity) -> GroupId {
    activity.plan.groups.first().cloned().unwrap_or_else(|| GroupId::from(""))
}

fn timed(activity: &Activity, kind: &str, due: Timestamp, now: Timestamp) -> Task {
    let payload = encode(&Payload { activity: activity.id.clone(), asked: 0, waited: false });
    let name = kind.rsplit('.').next().unwrap_or(kind);
    let mut task = Task::new(format!("activity/{}/{name}", activity.id), kind, &home(activity), now, payload);
    task.due = due;
    task
}
