//! A member says a case was wrong: another person than the one who acted looks at it, within a time, and answers.
//!
//! Upheld, the case is taken back and the group is told if it had been told of the warning. Refused, the member gets the reason. It is made by the button or the link on a warning, or by command; the button asks
//! for a reason and waits some minutes for it, and as long as nobody has answered more can be said. An appeal nobody answers
//! goes to the next person.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Cases, entry};
use crate::{
    access::{self, Action, Actor},
    audit::Act,
    model::{CaseId, GroupId, MemberId, SignedDuration, Timestamp, named_enum},
    moderation::revoke::Why,
    refusal::{ActError, Code, Refusal},
    store::{Case, CaseState, Collection, Name, StoreError, TaskUpdate, Tx, transaction::transact},
    tasks::{self, Happened, Tell, Topic},
    zh,
};

/// The collection of appeals; an appeal has its case's id.
pub const APPEALS: Collection<Appeal> = Collection::new(Name::Appeal);
/// A case can be appealed for so long.
const OPEN_FOR: SignedDuration = SignedDuration::from_hours(24 * 7);
/// One person has so long to answer before the next is asked.
pub const ANSWER_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// Whoever pressed the button has so long to say why before somebody is asked.
const REASON_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// Longest explanation, in characters.
pub const LONGEST: usize = 500;
/// How the request to answer ends.
const ANSWERED: &str = "申诉已处理";

named_enum! {
    /// Where an appeal stands.
    pub enum AppealState {
        /// Somebody is asked.
        Open = "open", "待处理";
        /// The member was right.
        Upheld = "upheld", "成立";
        /// The case stays.
        Refused = "refused", "不成立";
    }
}

named_enum! {
    /// Why an appeal is refused, where the reviewer has no words of their own; the member reads it.
    pub enum RefusedBecause {
        /// It is one.
        Violation = "refuse:violation", "内容确属违规";
        /// The rules say so.
        Written = "refuse:written", "群规里已经写明";
        /// It was not the first time.
        Warned = "refuse:warned", "此前已经提醒过";
        /// What was said for it has nothing to do with it.
        Beside = "refuse:beside", "申诉理由与这条记录无关";
    }
}

impl RefusedBecause {
    /// The same on a button.
    pub const fn button(self) -> &'static str {
        match self {
            Self::Violation => "不成立：确属违规",
            Self::Written => "不成立：群规写明",
            Self::Warned => "不成立：提醒过",
            Self::Beside => "不成立：理由无关",
        }
    }
}

/// One appeal; the stored document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Appeal {
    /// The case it is about.
    pub case: CaseId,
    /// Where.
    pub group: GroupId,
    /// Who appeals.
    pub member: MemberId,
    /// In their words; empty if they gave no reason.
    pub text: String,
    /// When.
    pub opened: Timestamp,
    /// Where it stands.
    pub state: AppealState,
    /// Who answered.
    #[serde(default)]
    pub by: Option<MemberId>,
    /// With what words.
    #[serde(default)]
    pub answer: String,
    /// When.
    #[serde(default)]
    pub answered: Option<Timestamp>,
}

/// What became of somebody's wish to appeal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The same on a button.
    pub label: &'static str,
    /// What to answer them.
    pub answer: String,
}

/// A case as the member it concerns reads it before appealing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What it is about, and where an appeal stands.
    pub text: String,
    /// An appeal can be made.
    pub open: bool,
}

impl Cases {
    /// The appeal about a case, if there is one.
    pub async fn appeal(&self, case: &CaseId) -> Result<Option<Appeal>, StoreError> {
        APPEALS.get(self.store.as_ref(), case.as_str()).await
    }

    async fn appealable(&self, tx: &mut Tx<'_>, actor: &Actor, case: &CaseId) -> Result<Case, ActError> {
        let unknown = || Refusal::not_found(format!("没有找到您的违规记录 {case}，请核对编号"));
        Ok(self.own(tx, actor, case).await?.ok_or_else(unknown)?)
    }

    /// Why a case needs no appeal any more, if so.
    async fn settled(&self, tx: &mut Tx<'_>, found: &Case) -> Result<Option<Opened>, ActError> {
        let case = &found.id;
        let settled = |label, answer| Ok(Some(Opened { label, answer }));
        if found.state == CaseState::Revoked {
            return settled("记录已撤销", format!("记录 {case} 已经撤销，无需申诉。"));
        }
        match tx.get(APPEALS, case.as_str()).await?.map(|appeal| appeal.state) {
            None if self.clock.now().duration_since(found.at) > OPEN_FOR => {
                Err(Refusal::new(Code::TooLate, format!("记录 {case} 已超过 7 天，不能再申诉")).into())
            }
            None => Ok(None),
            Some(AppealState::Open) => settled("申诉处理中", format!("记录 {case} 的申诉已在处理中，请稍候。")),
            Some(AppealState::Upheld) => settled("申诉已成立", format!("记录 {case} 的申诉已成立。")),
            Some(AppealState::Refused) => {
                settled("申诉未成立", format!("记录 {case} 的申诉已处理：未成立。如仍有疑问，请联系群主。"))
            }
        }
    }

    /// What a member reads who follows the link on a warning.
    pub async fn appeal_page(&self, actor: &Actor, case: &CaseId) -> Result<Shown, ActError> {
        let tx = &mut Tx::new(self.store.as_ref());
        let found = self.appealable(tx, actor, case).await?;
        if let Some(settled) = self.settled(tx, &found).await? {
            return Ok(Shown { text: settled.answer, open: false });
        }
        let now = self.clock.now();
        let group = self.groups.get(&found.group);
        let mut text = format!("「{}」{}\n", group.name(), zh::when(found.at, now));
        if let Some(about) = found.about() {
            text.push_str(&format!("涉及：{about}\n"));
        }
        text.push_str(&format!("依据：{}\n处置：{}", found.rule, found.step.zh()));
        if let Some(expires) = found.expires_at {
            text.push_str(&format!("\n失效：{}", zh::when(expires, now)));
        }
        Ok(Shown { text, open: true })
    }

    /// The member appeals. Said again, they read where it stands; a reason that comes later is put to it.
    pub async fn open_appeal(&self, actor: &Actor, case: &CaseId, text: &str) -> Result<Opened, ActError> {
        let text: String = text.trim().chars().take(LONGEST).collect();
        let opened = transact!(self.store.as_ref(), |tx| {
            let found = self.appealable(tx, actor, case).await?;
            match (self.add_reason(tx, case, &text).await?, self.settled(tx, &found).await?) {
                (Some(added), _) => added,
                (None, Some(settled)) => settled,
                (None, None) => self.file(tx, actor, found, &text).await?,
            }
        });
        self.moderation.ring();
        Ok(opened)
    }

    async fn file(&self, tx: &mut Tx<'_>, actor: &Actor, mut found: Case, text: &str) -> Result<Opened, ActError> {
        let now = self.clock.now();
        let case = found.id.clone();
        let appeal = Appeal {
            case: case.clone(),
            group: found.group.clone(),
            member: found.member.clone(),
            text: text.to_owned(),
            opened: now,
            state: AppealState::Open,
            by: None,
            answer: String::new(),
            answered: None,
        };
        tx.put(APPEALS, case.as_str(), &appeal).await?;
        let mut ask = tasks::Appeal::task(&found, now);
        if text.is_empty() {
            ask.due = now + REASON_WITHIN;
            let tell = Tell { next: zh::length(REASON_WITHIN), ..Tell::new(Topic::AppealOpened) };
            tx.add_task(tell.task(&case, &found.member, &found.group, now));
        }
        tx.add_task(ask);
        if found.happened(Happened::Appealed).is_none() {
            found.note(now, actor.name(), Happened::Appealed, appeal.text);
        }
        tx.audit(actor, now, entry(Act::OpenAppeal, &found).now(json!({ "appeal": AppealState::Open }))).await?;
        tx.put_case(found);
        let answer = format!("申诉已收到（记录 {case}），会由另一位管理者在 24 小时内处理，结果私信您。");
        Ok(Opened { label: "已提交申诉", answer })
    }

    /// More about an appeal that nobody has answered: whoever is asked gets it with what was said before.
    async fn add_reason(&self, tx: &mut Tx<'_>, case: &CaseId, text: &str) -> Result<Option<Opened>, ActError> {
        let now = self.clock.now();
        let Some(mut appeal) = tx.get(APPEALS, case.as_str()).await? else { return Ok(None) };
        if appeal.state != AppealState::Open || text.is_empty() || appeal.text.contains(text) {
            return Ok(None);
        }
        let join = if appeal.text.is_empty() { "" } else { "；补充：" };
        appeal.text = format!("{}{join}{text}", appeal.text).chars().take(LONGEST).collect();
        tx.put(APPEALS, case.as_str(), &appeal).await?;
        if let Some(task) = tx.task(&tasks::Appeal::id(case)).await?.filter(|task| !task.state.is_final()) {
            let mut ask: tasks::Appeal = tasks::payload(&task).unwrap_or_default();
            ask.asked.pop();
            tx.update_task(TaskUpdate::wake(task.id, now, "补充了申诉理由").carrying(&ask));
        }
        let answer = format!("已补充到记录 {case} 的申诉里，会一并转给处理的管理者。");
        Ok(Some(Opened { label: "已补充理由", answer }))
    }

    /// Who may answer: everybody who decides in the group, except the person who acted; the escalation contacts of the
    /// settings follow. Empty only if nobody is known.
    pub fn reviewers(&self, case: &Case, escalation: &[MemberId]) -> Vec<MemberId> {
        let group = self.groups.get(&case.group);
        let mut all: Vec<MemberId> = Vec::new();
        for who in group.deciders().iter().chain(escalation) {
            if !self.member_acted(case, who) && *who != case.member && !all.contains(who) {
                all.push(who.clone());
            }
        }
        if all.is_empty() { group.deciders() } else { all }
    }

    /// A person answers an appeal: another one than who acted on the case, unless there is nobody else. Of two who answer at
    /// once the first is heard.
    pub async fn answer_appeal(&self, actor: &Actor, case: &CaseId, upheld: bool, words: &str) -> Result<(), ActError> {
        let mut words: String = words.trim().chars().take(LONGEST).collect();
        if words.is_empty() && !upheld {
            words = RefusedBecause::Violation.zh().into();
        }
        let (revoked, confirmed) = transact!(self.store.as_ref(), |tx| {
            let mut appeal = self.to_answer(tx, actor, case).await?;
            let now = self.clock.now();
            let (mut revoked, mut confirmed) = (None, None);
            let tell = if upheld {
                match self.moderation.revoke_in(tx, case, actor.name(), Why::AppealUpheld).await {
                    Ok(case) => {
                        self.ask_to_allow(tx, actor, &case);
                        revoked = Some(case);
                    }
                    // Taken back meanwhile: the appeal still ends as upheld.
                    Err(error) => error.unless_refused()?,
                }
                // Told in any case; where points were taken back, this is the message that says so.
                let tell = Tell { next: "申诉成立".into(), ..Tell::new(Topic::Revoked) };
                tell.task(case, &appeal.member, &appeal.group, now)
            } else {
                tx.edit_case(case, |case| case.note(now, actor.name(), Happened::AppealRefused, "申诉不成立")).await?;
                match self.moderation.confirm_in(tx, case, actor.name()).await {
                    Ok(case) => confirmed = case,
                    Err(error) => error.unless_refused()?,
                }
                let tell = Tell { next: words.clone(), ..Tell::new(Topic::AppealRefused) };
                tell.task(case, &appeal.member, &appeal.group, now)
            };
            tx.add_task(tell);
            appeal.state = if upheld { AppealState::Upheld } else { AppealState::Refused };
            appeal.by = Some(MemberId::new(actor.name()));
            appeal.answer.clone_from(&words);
            appeal.answered = Some(now);
            tx.put(APPEALS, case.as_str(), &appeal).await?;
            if let Some(task) = tx.task(&tasks::Appeal::id(case)).await? {
                tasks::end(tx, &task, TaskUpdate::done(task.id.clone(), now, ANSWERED), actor.name(), now);
                tx.edit_case(case, |case| case.note(now, actor.name(), Happened::Answered, ANSWERED)).await?;
            }
            if let Some(case) = tx.case(case).await? {
                let record = entry(Act::AnswerAppeal, &case)
                    .was(json!({ "appeal": AppealState::Open }))
                    .now(json!({ "appeal": appeal.state, "state": case.state }));
                tx.audit(actor, now, record).await?;
            }
            (revoked, confirmed)
        });
        if let Some(case) = revoked {
            self.moderation.revoked(&case, Why::AppealUpheld).await?;
        }
        self.moderation.confirmed(confirmed.as_ref()).await?;
        self.moderation.ring();
        Ok(())
    }

    /// The open appeal, if who acts may answer it.
    async fn to_answer(&self, tx: &mut Tx<'_>, actor: &Actor, id: &CaseId) -> Result<Appeal, ActError> {
        let (appeal, case) = (tx.get(APPEALS, id.as_str()).await?, tx.case(id).await?);
        let (Some(appeal), Some(case)) = (appeal, case) else {
            return Err(Refusal::not_found(format!("没有关于 {id} 的申诉")).into());
        };
        let group = self.groups.get(&appeal.group);
        access::ask(actor, Action::AnswerAppeal, Some(&group))?;
        if appeal.state != AppealState::Open {
            return Err(Refusal::decided(format!("{id} 的申诉已处理：{}", appeal.state.zh())).into());
        }
        if actor.is(&appeal.member) {
            return Err(Refusal::new(Code::SamePerson, "不能处理自己的申诉").into());
        }
        let free = |who: &MemberId| !self.member_acted(&case, who) && *who != case.member;
        if acted(&case, |name| self.people.same(name, actor)) && group.deciders().iter().any(free) {
            return Err(Refusal::new(Code::SamePerson, "这条记录由您处理过，请另一位管理者来答复申诉").into());
        }
        Ok(appeal)
    }

    fn member_acted(&self, case: &Case, who: &MemberId) -> bool {
        acted(case, |name| self.people.is(name, who))
    }
}

/// Did they, as histories name them, decide something about the case before it was appealed?
fn acted(case: &Case, is: impl Fn(&str) -> bool) -> bool {
    let mut before = case.history.iter().take_while(|event| event.what != Happened::Appealed.id());
    before.any(|event| is(&event.by) && !matches!(event.what.parse(), Ok(Happened::EvidenceOpened | Happened::Read)))
}
