//! Everything the bot has to do later or outside, kind by kind: what each task carries, and under which id it stands.
//!
//! A task's id is its idempotency key: the same cause makes the same id, so nothing is done twice. Ids and payloads are made
//! here and read back here, and nowhere else; those of notices and activities stand beside their rolls in `notices`. A new
//! kind is a line of [`Kind`], its [`Payload`] and its job.

mod cards;

use std::fmt;

pub use cards::{Allow, Asked, CardId, OWNER_CARDS, OwnerCard, Retire, SentCard, end};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    model::{CaseId, GroupId, MemberId, Message, MessageId, Step, TaskId, Timestamp, named_enum},
    store::{Case, CaseEvent, Task, TaskState, TaskUpdate},
};

named_enum! {
    /// What there is to do; the stored names never change.
    pub enum Kind {
        /// Whoever said that words were harmless is asked whether they pass from now on.
        Allow = "allow", "询问放行";
        /// A line said to a group.
        Announce = "announce", "群内提示";
        /// An activity's sign-in is over.
        ActivityClose = "activity.close", "签到截止";
        /// An activity is near.
        ActivityRemind = "activity.remind", "活动提醒";
        /// The organiser writes how it was.
        ActivitySummary = "activity.summary", "活动总结";
        /// A member appealed: somebody else judges.
        Appeal = "appeal", "申诉";
        /// The owner or an admin does something in the client.
        Ask = "ask", "请人处理";
        /// The circuit breaker opened: the owner looks.
        Breaker = "breaker", "熔断";
        /// The address book is read.
        Contacts = "contacts", "读取通讯录";
        /// A notice is over.
        NoticeArchive = "notice.archive", "通知归档";
        /// A group's card with the count.
        NoticeCard = "notice.card", "回执卡片";
        /// A notice's deadline.
        NoticeDeadline = "notice.deadline", "通知截止";
        /// Those missing are reminded.
        NoticeRemind = "notice.remind", "通知提醒";
        /// Superiors get the list.
        NoticeReport = "notice.report", "通知名单";
        /// A notice is sent at its time.
        NoticeSend = "notice.send", "发送通知";
        /// People read something in private.
        NoticeTell = "notice.tell", "通知私信";
        /// Owner and admins read what the bot did in a day.
        OwnerDigest = "owner_digest", "每日汇总";
        /// Owner and admins hear of something the bot did by itself.
        OwnerNews = "owner_news", "告知群主";
        /// What is older than its retention is forgotten.
        Prune = "prune", "清理";
        /// Somebody comes back into the group.
        Readd = "readd", "拉回群聊";
        /// A group's member list is read.
        Refresh = "refresh", "读取群成员";
        /// Somebody is taken out of the group.
        Remove = "remove", "移出群聊";
        /// A member reported a message: somebody judges.
        Report = "report", "举报";
        /// Cards of a matter that has ended say so.
        Retire = "retire", "收起卡片";
        /// People are told of a change of the rules.
        Rulebook = "rulebook", "群规变更";
        /// 大促: a time that was planned, in which the group is strict, and a report of it.
        Season = "season", "大促";
        /// Who has a seat in the archive is read.
        Seats = "seats", "读取存档席位";
        /// A language model is asked about a message.
        SecondOpinion = "second_opinion", "第二意见";
        /// A question waits for an answer, or a problem to be solved.
        ServiceReply = "service.reply", "回复提醒";
        /// What would have been done.
        Simulated = "simulated", "试运行";
        /// A member reads something about a case.
        Tell = "tell", "私信";
        /// A reporter reads what came of it.
        TellReport = "tell_report", "举报结果";
        /// 投诉, 建议 or 异议: somebody answers.
        Ticket = "ticket", "投诉和建议";
        /// Phones ring, because nobody answered what is grave.
        UrgentCall = "urgent_call", "电话提醒";
        /// The greetings of customer groups follow the settings.
        Welcome = "welcome", "入群欢迎语";
        /// WeCom's own 敏感词 follow the lists.
        Words = "words", "敏感词";
    }
}

impl Kind {
    /// What the bot does by itself again and again, and nobody waits for: worth a line of the log only when it goes wrong.
    pub const fn is_chore(self) -> bool {
        matches!(
            self,
            Self::Contacts
                | Self::NoticeArchive
                | Self::Prune
                | Self::Refresh
                | Self::Retire
                | Self::Seats
                | Self::Welcome
                | Self::Words
        )
    }
}

/// What a task of one kind carries; stored as JSON.
pub trait Payload: Serialize + DeserializeOwned {
    /// The kind.
    const KIND: Kind;
}

/// What a task carries, if it is of that kind and this version can read it.
pub fn payload<P: Payload>(task: &Task) -> Option<P> {
    if task.kind != P::KIND.id() {
        return None;
    }
    P::deserialize(&task.payload).ok()
}

/// A pending task that is due at once.
pub fn task<P: Payload>(id: impl Into<TaskId>, group: &GroupId, now: Timestamp, payload: &P) -> Task {
    Task::new(id, P::KIND.id(), group, now, json!(payload))
}

fn about<P: Payload>(id: impl Into<TaskId>, group: &GroupId, case: &Case, now: Timestamp, payload: &P) -> Task {
    let mut task = task(id, group, now, payload);
    task.member = Some(case.member.clone());
    task.case = Some(case.id.clone());
    task
}

named_enum! {
    /// What a private message to a member is about; `zh` and the jobs have the sentences.
    pub enum Topic {
        /// Something to mind, no strike.
        Hint = "hint", "提示";
        /// A warning with a strike.
        Warn = "warn", "警告";
        /// Muted until a time.
        Mute = "mute", "禁言";
        /// Removed.
        Remove = "remove", "移出";
        /// Please take a message back (leaks).
        Recall = "recall", "请撤回";
        /// A mute is over.
        MuteOver = "mute_over", "禁言结束";
        /// A case was taken back.
        Revoked = "revoked", "已撤销";
        /// An appeal was made without a reason.
        AppealOpened = "appeal_opened", "请写明理由";
        /// An appeal was refused.
        AppealRefused = "appeal_refused", "申诉不成立";
    }
}

named_enum! {
    /// What an owner is asked for.
    pub enum Request {
        /// Mute somebody in the client (or take them out for the time).
        Mute = "mute", "请禁言";
        /// Take somebody out.
        Remove = "remove", "请移出";
        /// Say the ready sentence to a customer.
        Warn = "warn", "请提醒";
        /// Judge: is this a violation?
        Review = "review", "请复核";
        /// A leak: see to it that it is taken back.
        Leak = "leak", "疑似泄露";
        /// A mute is over: let them speak again.
        Lift = "lift", "请解除";
    }
}

/// Payload of a `tell` task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tell {
    /// What about.
    pub topic: Topic,
    /// This violation's number among those that count.
    pub n: u32,
    /// How many steps the ladder has.
    pub of: u32,
    /// What the next one would bring, or what else is to be said about the topic, in Chinese; empty for nothing.
    pub next: String,
    /// The policy counts violations, not points: then points are not spoken of.
    #[serde(default)]
    pub counts: bool,
    /// A person did it in the client, not the bot.
    #[serde(default)]
    pub by_person: bool,
    /// Once it is said, the group hears one neutral line.
    #[serde(default)]
    pub announce: bool,
}

impl Tell {
    /// News that has no number.
    pub fn new(topic: Topic) -> Self {
        Self { topic, n: 0, of: 0, next: String::new(), counts: false, by_person: false, announce: false }
    }

    /// Where it stands.
    pub fn id(case: &CaseId, topic: Topic) -> TaskId {
        format!("tell-{case}-{topic}").into()
    }

    /// The task; told once for each case and topic.
    pub fn task(&self, case: &CaseId, member: &MemberId, group: &GroupId, now: Timestamp) -> Task {
        let mut task = task(Self::id(case, self.topic), group, now, self);
        task.member = Some(member.clone());
        task.case = Some(case.clone());
        task
    }
}

/// Payload of an `ask` task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ask {
    /// What for.
    pub request: Request,
    /// Whom we asked so far, in order.
    #[serde(default)]
    pub asked: Vec<MemberId>,
    /// The person asked last has time until then.
    #[serde(default)]
    pub answer_by: Option<Timestamp>,
    /// Somebody said it is done; it is being verified since then.
    #[serde(default)]
    pub claimed_done: Option<Timestamp>,
    /// Messages of the case that the newest card tells of.
    #[serde(default)]
    pub shown: u32,
    /// Cards sent so far: each needs an id of its own, also when the request is opened again.
    #[serde(default)]
    pub cards: u32,
    /// Codes of cards that were sent by earlier versions.
    #[serde(default)]
    pub response_codes: Vec<String>,
    /// The cards sent, for updating them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<SentCard>,
    /// It was said to be done, and is not: they are asked once more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reopened: bool,
    /// Rounds through everybody who may decide that ended without an answer.
    #[serde(default)]
    pub rounds: u32,
    /// What the member is told once it is done, not before.
    #[serde(default)]
    pub tell: Option<Tell>,
}

impl Ask {
    /// Nobody asked yet.
    pub fn new(request: Request) -> Self {
        Self {
            request,
            asked: Vec::new(),
            answer_by: None,
            claimed_done: None,
            response_codes: Vec::new(),
            sent: Vec::new(),
            shown: 0,
            cards: 0,
            reopened: false,
            rounds: 0,
            tell: None,
        }
    }

    /// The cards that are out.
    pub fn out(&self) -> Vec<SentCard> {
        let old = self.response_codes.iter().map(|code| SentCard { code: code.clone(), to: Vec::new() });
        old.chain(self.sent.iter().cloned()).collect()
    }

    /// The task; a case has one a group for each thing that is asked.
    pub fn task(&self, case: &Case, group: &GroupId, now: Timestamp) -> Task {
        let elsewhere = if case.group == *group { String::new() } else { format!("-{group}") };
        about(format!("ask-{}-{}{elsewhere}", case.id, self.request), group, case, now, self)
    }

    /// Where a case's task of this kind stands.
    pub fn id(case: &CaseId, request: Request) -> TaskId {
        format!("ask-{case}-{request}").into()
    }

    /// Somebody is asked for the way back that a task could not do by itself.
    pub fn lift_after(readd: &Task, now: Timestamp) -> Option<Task> {
        let case = readd.case.clone()?;
        let mut lift = task(Self::id(&case, Request::Lift), &readd.group, now, &Self::new(Request::Lift));
        lift.member.clone_from(&readd.member);
        lift.case = Some(case);
        Some(lift)
    }

    /// Somebody who is banned was let in again: another task each time.
    pub fn again(&self, case: &CaseId, group: &GroupId, member: &MemberId, now: Timestamp) -> Task {
        let mut task = task(format!("ask-{case}-banned-{}", now.as_second()), group, now, self);
        task.member = Some(member.clone());
        task.case = Some(case.clone());
        task
    }
}

/// Payload of a `remove` task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Remove {
    /// End of the mute; `None` for good.
    pub until: Option<Timestamp>,
    /// Written before the call goes out: from now on "not in the group" means "by us".
    #[serde(default)]
    pub begun: bool,
    /// What the member is told once they are out, not before.
    #[serde(default)]
    pub tell: Option<Tell>,
}

/// Payload of a `readd` task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Readd {
    /// When the mute ends.
    pub until: Timestamp,
    /// Written before the call goes out: from now on "back in the group" means "by us".
    #[serde(default)]
    pub begun: bool,
    /// A case was taken back: who is there already needs no word about it.
    #[serde(default)]
    pub undo: bool,
}

/// Payload of a `refresh` task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refresh {
    /// An event told of a change that the list may not show yet: it is read once more then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Timestamp>,
}

impl Payload for Refresh {
    const KIND: Kind = Kind::Refresh;
}
impl Payload for Tell {
    const KIND: Kind = Kind::Tell;
}
impl Payload for Ask {
    const KIND: Kind = Kind::Ask;
}
impl Payload for Remove {
    const KIND: Kind = Kind::Remove;
}
impl Payload for Readd {
    const KIND: Kind = Kind::Readd;
}

impl Remove {
    /// The task; a case takes somebody out of a group once. `home` is the group of the case.
    pub fn task(&self, case: &Case, group: &GroupId, now: Timestamp) -> Task {
        let elsewhere = if case.group == *group { String::new() } else { format!("-{group}") };
        about(format!("remove-{}{elsewhere}", case.id), group, case, now, self)
    }

    /// Somebody who is banned was let in again: another task each time.
    pub fn again(&self, case: Option<&CaseId>, group: &GroupId, member: &MemberId, now: Timestamp) -> Task {
        let mut task = task(format!("remove-banned-{member}-{}", now.as_second()), group, now, self);
        task.member = Some(member.clone());
        task.case = case.cloned();
        task
    }
}

impl Readd {
    /// The way back after the mute that a task began.
    pub fn after(removal: &Task, member: &MemberId, until: Timestamp, now: Timestamp) -> Task {
        let readd = Self { until, begun: false, undo: false };
        let mut task = task(format!("readd-{}", removal.id), &removal.group, now, &readd);
        task.member = Some(member.clone());
        task.case.clone_from(&removal.case);
        task
    }

    /// Where the way back after a case's mute stands.
    pub fn id_after_mute(case: &CaseId) -> TaskId {
        format!("readd-remove-{case}").into()
    }

    /// The way back at once, because a person ended the mute.
    pub fn early(case: &Case, group: &GroupId, now: Timestamp) -> Task {
        about(format!("readd-{}-early", case.id), group, case, now, &Self { until: now, begun: false, undo: false })
    }

    /// The way back, because the case was taken back: at once, or when the mute that is left of it ends.
    pub fn undone(case: &Case, group: &GroupId, until: Timestamp, now: Timestamp) -> Task {
        let elsewhere = if case.group == *group { String::new() } else { format!("-{group}") };
        let readd = Self { until, begun: false, undo: true };
        about(format!("readd-{}-undo{elsewhere}", case.id), group, case, now, &readd)
    }
}

/// Payload of an `urgent_call` task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrgentCall {
    /// The request that nobody answered.
    pub request: TaskId,
}

impl Payload for UrgentCall {
    const KIND: Kind = Kind::UrgentCall;
}

impl UrgentCall {
    /// The task; phones ring once for a request.
    pub fn task(request: &Task, now: Timestamp) -> Task {
        let payload = Self { request: request.id.clone() };
        let mut task = task(format!("call-{}", request.id), &request.group, now, &payload);
        task.member.clone_from(&request.member);
        task.case.clone_from(&request.case);
        task
    }
}

/// Payload of an `owner_news` task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerNews {
    /// Somebody who had been taken out is in the group again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub back: bool,
}

impl Payload for OwnerNews {
    const KIND: Kind = Kind::OwnerNews;
}

impl OwnerNews {
    /// A case was acted on; `did` is what was done (`warn`, `mute`, `remove`), each told once.
    pub fn of(case: &CaseId, did: Step, member: &MemberId, group: &GroupId, now: Timestamp) -> Task {
        let mut task = task(format!("news-{case}-{did}"), group, now, &Self::default());
        task.member = Some(member.clone());
        task.case = Some(case.clone());
        task
    }

    /// Somebody is back in the group.
    pub fn back(case: Option<&CaseId>, member: &MemberId, group: &GroupId, now: Timestamp) -> Task {
        let mut task = task(format!("back-{group}-{member}-{}", now.as_second()), group, now, &Self { back: true });
        task.member = Some(member.clone());
        task.case = case.cloned();
        task
    }
}

/// Payload of an `owner_digest` task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerDigest {
    /// It tells of what was done from then on.
    pub since: Timestamp,
}

impl Payload for OwnerDigest {
    const KIND: Kind = Kind::OwnerDigest;
}

impl OwnerDigest {
    /// The summary that comes at `at`; a group has one at a time.
    pub fn task(since: Timestamp, at: Timestamp, group: &GroupId) -> Task {
        task(format!("digest-{group}-{}", at.as_second()), group, at, &Self { since })
    }
}

/// Payload of an `announce` task: one line to a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announce {
    /// The words; empty for the neutral line about the task's case.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The notice that is read out, in the words of the moment.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notice: String,
}

impl Payload for Announce {
    const KIND: Kind = Kind::Announce;
}

impl Announce {
    /// One neutral line that a case was warned about.
    pub fn about(case: &CaseId, group: &GroupId, now: Timestamp) -> Task {
        let mut task = task(format!("announce-{case}"), group, now, &Self::default());
        task.case = Some(case.clone());
        task
    }

    /// Newcomers are greeted; those who came together once.
    pub fn greeting(self, group: &GroupId, now: Timestamp) -> Task {
        task(format!("greeting-{group}-{}", now.as_second()), group, now, &self)
    }

    /// What was said of a case is put right.
    pub fn correction(self, case: &Case, now: Timestamp) -> Task {
        let mut task = task(format!("announce-{}-undo", case.id), &case.group, now, &self);
        task.case = Some(case.id.clone());
        task
    }
}

/// Payload of a `simulated` task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Simulated {
    /// What would have been done: a topic or a request.
    pub would: String,
}

impl Payload for Simulated {
    const KIND: Kind = Kind::Simulated;
}

impl Simulated {
    /// The task; each thing that would be done is noted once.
    pub fn task(would: &str, case: &Case, group: &GroupId, now: Timestamp) -> Task {
        let elsewhere = if case.group == *group { String::new() } else { format!("-{group}") };
        let id = format!("simulated-{}-{would}{elsewhere}", case.id);
        about(id, group, case, now, &Self { would: would.to_owned() })
    }
}

/// Payload of an `appeal` task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appeal {
    /// Whom we asked so far, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<MemberId>,
    /// The cards they have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<SentCard>,
}

impl Payload for Appeal {
    const KIND: Kind = Kind::Appeal;
}

impl Appeal {
    /// The task; a case is appealed once.
    pub fn task(case: &Case, now: Timestamp) -> Task {
        about(Self::id(&case.id), &case.group, case, now, &Self::default())
    }
    /// Where it stands.
    pub fn id(case: &CaseId) -> TaskId {
        format!("appeal-{case}").into()
    }
}

/// Payload of a `second_opinion` task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SecondOpinion {
    /// A message that nobody suspects; without one it is about the task's case.
    #[serde(default)]
    pub message: Option<MessageId>,
}

impl Payload for SecondOpinion {
    const KIND: Kind = Kind::SecondOpinion;
}

impl SecondOpinion {
    /// Asks about a case, before a person is.
    pub fn about(case: &Case, now: Timestamp) -> Task {
        about(format!("opinion-{}", case.id), &case.group, case, now, &Self { message: None })
    }
    /// Reads a message.
    pub fn reading(message: &Message, now: Timestamp) -> Task {
        let hash = Sha256::digest(message.id.as_str());
        let id: String = hash[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        let payload = Self { message: Some(message.id.clone()) };
        let mut task = task(format!("opinion-read-{id}"), &message.group, now, &payload);
        task.member = Some(message.sender.clone());
        task
    }
}

/// Payload of a `report` task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Which.
    pub report: String,
    /// Whom we asked so far, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<MemberId>,
    /// The cards they have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<SentCard>,
}

impl Payload for Report {
    const KIND: Kind = Kind::Report;
}

impl Report {
    /// The task; somebody judges a report.
    pub fn task(report: &str, author: Option<&MemberId>, group: &GroupId, now: Timestamp) -> Task {
        let payload = Self { report: report.to_owned(), asked: Vec::new(), sent: Vec::new() };
        let mut task = task(Self::id(report), group, now, &payload);
        task.member = author.cloned();
        task
    }
    /// Where it stands.
    pub fn id(report: &str) -> TaskId {
        format!("report-{report}").into()
    }
}

/// Payload of a `tell_report` task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TellReport {
    /// Which.
    pub report: String,
}

impl Payload for TellReport {
    const KIND: Kind = Kind::TellReport;
}

impl TellReport {
    /// The task; its reporter reads what came of it once.
    pub fn task(report: &str, reporter: &MemberId, group: &GroupId, now: Timestamp) -> Task {
        let mut task = task(format!("tell-report-{report}"), group, now, &Self { report: report.to_owned() });
        task.member = Some(reporter.clone());
        task
    }
}

/// Payload of a `breaker` task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// Why it opened, in Chinese.
    pub why: String,
    /// Whom we asked so far, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<MemberId>,
    /// The cards they have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<SentCard>,
}

impl Payload for Breaker {
    const KIND: Kind = Kind::Breaker;
}

impl Breaker {
    /// The task; each opening is asked about once.
    pub fn task(why: &str, since: Timestamp, group: &GroupId, now: Timestamp) -> Task {
        let payload = Self { why: why.to_owned(), asked: Vec::new(), sent: Vec::new() };
        task(Self::id(group, since), group, now, &payload)
    }
    /// Where it stands.
    pub fn id(group: &GroupId, since: Timestamp) -> TaskId {
        format!("breaker-{group}-{}", since.as_second()).into()
    }
}

/// Standing work that carries nothing: one task, made due again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// See [`Kind::Prune`].
    Prune,
    /// See [`Kind::Seats`].
    Seats,
    /// See [`Kind::Words`].
    Words,
    /// See [`Kind::Welcome`].
    Welcome,
    /// See [`Kind::Contacts`].
    Contacts,
    /// See [`Kind::Refresh`]; one a group.
    Refresh(&'a GroupId),
}

impl Standing<'_> {
    /// The task, due at `due`.
    pub fn task(self, due: Timestamp) -> Task {
        let nowhere = GroupId::from("");
        let (id, kind, group) = match self {
            Self::Prune => ("prune".into(), Kind::Prune, &nowhere),
            Self::Seats => ("seats".into(), Kind::Seats, &nowhere),
            Self::Words => ("words".into(), Kind::Words, &nowhere),
            Self::Welcome => ("welcome".into(), Kind::Welcome, &nowhere),
            Self::Contacts => ("contacts".into(), Kind::Contacts, &nowhere),
            Self::Refresh(group) => (format!("refresh-{group}"), Kind::Refresh, group),
        };
        Task::new(id, kind.id(), group, due, json!({}))
    }
}

/// A removal or a way back of which the call has gone out; of a task of another kind never.
pub fn is_begun(task: &Task) -> bool {
    payload::<Remove>(task).is_some_and(|remove| remove.begun)
        || payload::<Readd>(task).is_some_and(|readd| readd.begun)
}

impl TaskUpdate {
    fn outside(id: TaskId, state: TaskState, now: Timestamp, reason: impl Into<String>) -> Self {
        Self { id, fence: None, state, due: now, reason: reason.into(), payload: None, failed: false }
    }
    /// It is no longer wanted; too late for one that has ended.
    pub fn cancel(id: TaskId, now: Timestamp, reason: impl Into<String>) -> Self {
        Self::outside(id, TaskState::Cancelled, now, reason)
    }
    /// It was done otherwise; too late for one that has ended.
    pub fn done(id: TaskId, now: Timestamp, reason: impl Into<String>) -> Self {
        Self::outside(id, TaskState::Done, now, reason)
    }
    /// It looks again at `due`; too late for one that has ended.
    pub fn wake(id: TaskId, due: Timestamp, reason: impl Into<String>) -> Self {
        Self::outside(id, TaskState::Pending, due, reason)
    }
    /// The same, with another payload.
    pub fn carrying<P: Payload>(self, payload: &P) -> Self {
        Self { payload: Some(json!(payload)), ..self }
    }
}

named_enum! {
    /// What can happen in a case; the stored names never change.
    pub enum Happened {
        /// A person's task was answered.
        Answered = "answered", "已答复";
        /// Its member appealed.
        Appealed = "appealed", "申诉";
        /// The appeal was refused.
        AppealRefused = "appeal_refused", "申诉不成立";
        /// A person agreed.
        Confirmed = "confirmed", "确认违规";
        /// It was opened.
        Decided = "decided", "处置";
        /// Out of the group by hand before anybody answered.
        DoneByHand = "done_by_hand", "有人手动移出";
        /// Somebody read what was said.
        EvidenceOpened = "evidence_opened", "查看原文";
        /// Something could not be done.
        GaveUp = "gave_up", "已放弃";
        /// Held back by the circuit breaker.
        Held = "held", "熔断中仅记录";
        /// They had left before.
        Left = "left", "已离开";
        /// Taken back before as a kindness, it was wrong from the start.
        Misjudged = "misjudged", "误判";
        /// A mute ended early.
        MuteEnded = "mute_ended", "提前解除";
        /// A rule under observation found it.
        Observed = "observed", "观察";
        /// Further messages made more of it than a question.
        Grew = "grew", "同一件事变得明确";
        /// The owner said it is done.
        OwnerDone = "owner_done", "反馈已处理";
        /// A person made it a warning.
        OnlyWarned = "only_warned", "改为警告";
        /// Phones rang.
        PhonesRang = "phones_rang", "电话提醒";
        /// A mute was made longer while they were out.
        Prolonged = "prolonged", "禁言延长";
        /// Its member read the warning.
        Read = "read", "已读";
        /// Brought back.
        Readded = "readded", "已拉回";
        /// Brought back by a person.
        ReaddedByPerson = "readded_by_person", "有人拉回";
        /// Why its author sent what looked like a leak.
        Reason = "reason", "本人说明";
        /// The message was taken back.
        Recalled = "recalled", "已撤回消息";
        /// Taken out.
        Removed = "removed", "已移出";
        /// The owner said it is done, and nobody can look.
        Reported = "reported", "反馈已处理";
        /// It was taken back.
        Revoked = "revoked", "已撤销";
        /// The model saw no violation.
        SecondOpinionFine = "second_opinion_fine", "第二意见：没有违规";
        /// The same, and a person is asked without knowing it, to see whether people agree.
        SecondOpinionChecked = "second_opinion_checked", "第二意见：没有违规，抽查";
        /// The model did not know.
        SecondOpinionUnsure = "second_opinion_unsure", "第二意见：不确定";
        /// The model saw a violation.
        SecondOpinionViolation = "second_opinion_violation", "第二意见：违规";
        /// Only tried.
        Simulated = "simulated", "试运行";
        /// Its member was told.
        Told = "told", "已告知本人";
        /// Its member cannot be told in private.
        Unreachable = "unreachable", "收不到私信";
        /// Out of the group, as the owner said.
        Verified = "verified", "已核实";
    }
}

impl Case {
    /// Adds a line to the history. `by` is a member id, `bot`, or an API token's name.
    pub fn note(&mut self, at: Timestamp, by: impl fmt::Display, what: Happened, note: impl Into<String>) {
        self.history.push(CaseEvent { at, by: by.to_string(), what: what.id().to_owned(), note: note.into() });
    }
    /// The first time that something happened.
    pub fn happened(&self, what: Happened) -> Option<&CaseEvent> {
        self.history.iter().find(|event| event.what == what.id())
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    /// Tasks that are stored by one version are read by the next: ids, kinds and payloads never change.
    #[test]
    fn every_task_stands_as_it_always_did() {
        let now: Timestamp = "2026-05-04T10:00:00Z".parse().unwrap();
        let (g, other): (GroupId, GroupId) = ("g".into(), "g2".into());
        let case = Case {
            id: "8F2K".into(),
            version: 1,
            group: g.clone(),
            member: "li".into(),
            message: "archive:m".into(),
            at: now,
            evidence: String::new(),
            findings: Vec::new(),
            category: crate::model::Category::Ads,
            severity: crate::model::Severity::Medium,
            step: crate::model::Step::Warn,
            points: 2,
            live_points: 4,
            until: None,
            expires_at: None,
            policy: String::new(),
            clause: None,
            rule: String::new(),
            state: crate::store::CaseState::Open,
            history: Vec::new(),
            further: Vec::new(),
            more: 0,
            others: Vec::new(),
            same_text: Vec::new(),
        };
        let tell = Tell::new(Topic::Warn);
        let remove = Remove { until: Some(now), begun: false, tell: Some(tell.clone()) };
        let removal = remove.task(&case, &g, now);
        let all = [
            tell.task(&case.id, &case.member, &g, now),
            Ask::new(Request::Review).task(&case, &g, now),
            Ask::new(Request::Lift).task(&case, &other, now),
            Ask::new(Request::Remove).again(&case.id, &g, &case.member, now),
            Readd::after(&removal, &case.member, now, now),
            removal,
            remove.task(&case, &other, now),
            remove.again(None, &g, &case.member, now),
            Readd::early(&case, &g, now),
            Readd::undone(&case, &g, now, now),
            Readd::undone(&case, &other, now, now),
            Announce::about(&case.id, &g, now),
            Announce { text: "更正".into(), ..Announce::default() }.correction(&case, now),
            Simulated::task("warn", &case, &g, now),
            Appeal::task(&case, now),
            Report::task("R1", Some(&case.member), &g, now),
            TellReport::task("R1", &"qian".into(), &g, now),
            Breaker::task("10 分钟内移出了 6 人", now, &g, now),
            OwnerNews::of(&case.id, Step::Mute, &case.member, &g, now),
            OwnerNews::back(Some(&case.id), &case.member, &g, now),
            OwnerDigest::task(now, now, &g),
            Standing::Refresh(&g).task(now),
            Standing::Contacts.task(now),
        ];
        let line = |task: &Task| {
            let about = [task.member.as_ref().map(ToString::to_string), task.case.as_ref().map(ToString::to_string)];
            format!("{} {} {:?} {}", task.id, task.kind, about.map(Option::unwrap_or_default), task.payload)
        };
        assert_snapshot!(all.iter().map(line).collect::<Vec<_>>().join("\n"), @r#"
        tell-8F2K-warn tell ["li", "8F2K"] {"announce":false,"by_person":false,"counts":false,"n":0,"next":"","of":0,"topic":"warn"}
        ask-8F2K-review ask ["li", "8F2K"] {"answer_by":null,"asked":[],"cards":0,"claimed_done":null,"request":"review","response_codes":[],"rounds":0,"shown":0,"tell":null}
        ask-8F2K-lift-g2 ask ["li", "8F2K"] {"answer_by":null,"asked":[],"cards":0,"claimed_done":null,"request":"lift","response_codes":[],"rounds":0,"shown":0,"tell":null}
        ask-8F2K-banned-1777888800 ask ["li", "8F2K"] {"answer_by":null,"asked":[],"cards":0,"claimed_done":null,"request":"remove","response_codes":[],"rounds":0,"shown":0,"tell":null}
        readd-remove-8F2K readd ["li", "8F2K"] {"begun":false,"undo":false,"until":"2026-05-04T10:00:00Z"}
        remove-8F2K remove ["li", "8F2K"] {"begun":false,"tell":{"announce":false,"by_person":false,"counts":false,"n":0,"next":"","of":0,"topic":"warn"},"until":"2026-05-04T10:00:00Z"}
        remove-8F2K-g2 remove ["li", "8F2K"] {"begun":false,"tell":{"announce":false,"by_person":false,"counts":false,"n":0,"next":"","of":0,"topic":"warn"},"until":"2026-05-04T10:00:00Z"}
        remove-banned-li-1777888800 remove ["li", ""] {"begun":false,"tell":{"announce":false,"by_person":false,"counts":false,"n":0,"next":"","of":0,"topic":"warn"},"until":"2026-05-04T10:00:00Z"}
        readd-8F2K-early readd ["li", "8F2K"] {"begun":false,"undo":false,"until":"2026-05-04T10:00:00Z"}
        readd-8F2K-undo readd ["li", "8F2K"] {"begun":false,"undo":true,"until":"2026-05-04T10:00:00Z"}
        readd-8F2K-undo-g2 readd ["li", "8F2K"] {"begun":false,"undo":true,"until":"2026-05-04T10:00:00Z"}
        announce-8F2K announce ["", "8F2K"] {}
        announce-8F2K-undo announce ["", "8F2K"] {"text":"更正"}
        simulated-8F2K-warn simulated ["li", "8F2K"] {"would":"warn"}
        appeal-8F2K appeal ["li", "8F2K"] {}
        report-R1 report ["li", ""] {"report":"R1"}
        tell-report-R1 tell_report ["qian", ""] {"report":"R1"}
        breaker-g-1777888800 breaker ["", ""] {"why":"10 分钟内移出了 6 人"}
        news-8F2K-mute owner_news ["li", "8F2K"] {}
        back-g-li-1777888800 owner_news ["li", "8F2K"] {"back":true}
        digest-g-1777888800 owner_digest ["", ""] {"since":"2026-05-04T10:00:00Z"}
        refresh-g refresh ["", ""] {}
        contacts contacts ["", ""] {}
        "#);
        assert_eq!(Readd::id_after_mute(&case.id), all[4].id);
        assert_eq!(Ask::id(&case.id, Request::Review), all[1].id);
    }
}
