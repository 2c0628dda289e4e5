//! A member says a case was wrong: another person than the one who acted looks at it, within a time, and answers.
//!
//! Upheld, the case is taken back ([`Moderation::revoke`]), the group is told if it had been told of the warning, and the
//! sentence passes from then on. It is made by the button or the link on a warning, or by command. Refused, the member gets the reason. An appeal nobody answers goes to the next person.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    groups::Groups,
    model::{CaseId, Clock, GroupId, MemberId, SignedDuration, Timestamp, UserError, named_enum},
    moderation::{Moderation, undo::UndoError},
    store::{Case, CaseState, Collection, Name, Store, StoreError, Tx, transaction::transact},
    tasks::{self, Happened, Tell, Topic},
    wording,
};

/// The collection of appeals; an appeal has its case's id.
pub const APPEALS: Collection<Appeal> = Collection::new(Name::Appeal);
/// A case can be appealed for so long.
const OPEN_FOR: SignedDuration = SignedDuration::from_hours(24 * 7);
/// One person has so long to answer before the next is asked.
pub const ANSWER_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// Longest explanation, in characters.
pub const LONGEST: usize = 500;

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

/// One appeal; the stored document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Appeal {
    /// The case it is about.
    pub case: CaseId,
    /// Where.
    pub group: GroupId,
    /// Who appeals.
    pub member: MemberId,
    /// In their words.
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

/// The use case.
pub struct Appeals {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    groups: Arc<Groups>,
    moderation: Arc<Moderation>,
}

impl Appeals {
    /// Works on the given store and groups.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, groups: Arc<Groups>, moderation: Arc<Moderation>) -> Self {
        Self { store, clock, groups, moderation }
    }

    /// The appeal about a case, if there is one.
    pub async fn get(&self, case: &CaseId) -> Result<Option<Appeal>, StoreError> {
        APPEALS.get(self.store.as_ref(), case.as_str()).await
    }

    /// Somebody's own case; that of somebody else looks like no case at all.
    async fn own(&self, tx: &mut Tx<'_>, member: &MemberId, case: &CaseId) -> Result<Case, UndoError> {
        let found = tx.case(case).await?.filter(|c| c.member == *member);
        Ok(found.ok_or_else(|| UserError::new(format!("没有找到您的违规记录 {case}，请核对编号")))?)
    }

    /// Why a case needs no appeal any more, if so.
    async fn settled(&self, tx: &mut Tx<'_>, found: &Case) -> Result<Option<Opened>, UndoError> {
        let case = &found.id;
        let settled = |label, answer| Ok(Some(Opened { label, answer }));
        if found.state == CaseState::Revoked {
            return settled("记录已撤销", format!("记录 {case} 已经撤销，无需申诉。"));
        }
        match tx.get(APPEALS, case.as_str()).await?.map(|appeal| appeal.state) {
            None if self.clock.now().duration_since(found.at) > OPEN_FOR => {
                Err(UserError::new(format!("记录 {case} 已超过 7 天，不能再申诉")).into())
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
    pub async fn shown_to(&self, case: &CaseId, member: &MemberId) -> Result<Shown, UndoError> {
        let tx = &mut Tx::new(self.store.as_ref());
        let found = self.own(tx, member, case).await?;
        if let Some(settled) = self.settled(tx, &found).await? {
            return Ok(Shown { text: settled.answer, open: false });
        }
        let now = self.clock.now();
        let group = self.groups.get(&found.group);
        let mut text = format!("「{}」{}\n", group.name(), wording::when(found.at, now));
        text.push_str(&format!("涉及：{}\n依据：{}\n处置：{}", found.category.zh(), found.rule, found.step.zh()));
        if let Some(expires) = found.expires_at {
            text.push_str(&format!("\n失效：{}", wording::when(expires, now)));
        }
        Ok(Shown { text, open: true })
    }

    /// The member appeals. Returns what to answer them.
    pub async fn open(&self, member: &MemberId, case: &CaseId, text: &str) -> Result<Opened, UndoError> {
        let now = self.clock.now();
        let text: String = text.trim().chars().take(LONGEST).collect();
        transact!(self.store.as_ref(), |tx| {
            let mut found = self.own(tx, member, case).await?;
            if let Some(settled) = self.settled(tx, &found).await? {
                return Ok(settled);
            }
            let appeal = Appeal {
                case: case.clone(),
                group: found.group.clone(),
                member: member.clone(),
                text: text.clone(),
                opened: now,
                state: AppealState::Open,
                by: None,
                answer: String::new(),
                answered: None,
            };
            tx.put(APPEALS, case.as_str(), &appeal).await?;
            tx.add_task(tasks::Appeal::task(&found, now));
            if found.happened(Happened::Appealed).is_none() {
                found.note(now, member, Happened::Appealed, appeal.text);
            }
            tx.put_case(found);
        });
        self.moderation.ring();
        let answer = format!("申诉已收到（记录 {case}），会由另一位管理者在 24 小时内处理，结果私信您。");
        Ok(Opened { label: "已提交申诉", answer })
    }

    /// Who may answer: everybody who decides in the group, except the person who acted; the escalation contacts of the
    /// settings follow. Empty only if nobody is known.
    pub fn reviewers(&self, case: &Case, escalation: &[MemberId]) -> Vec<MemberId> {
        let group = self.groups.get(&case.group);
        let mut all: Vec<MemberId> = Vec::new();
        for who in group.deciders().iter().chain(escalation) {
            if !acted(case, who) && *who != case.member && !all.contains(who) {
                all.push(who.clone());
            }
        }
        if all.is_empty() { group.deciders() } else { all }
    }

    /// A person answers an appeal: another one than who acted on the case, unless there is nobody else. Of two who answer at
    /// once the first is heard.
    pub async fn answer(&self, case: &CaseId, by: &MemberId, upheld: bool, words: &str) -> Result<String, UndoError> {
        let words: String = words.trim().chars().take(LONGEST).collect();
        let (revoked, confirmed) = transact!(self.store.as_ref(), |tx| {
            let mut appeal = self.to_answer(tx, case, by).await?;
            let now = self.clock.now();
            let (mut revoked, mut confirmed) = (None, None);
            let tell = if upheld {
                match self.moderation.revoke_in(tx, case, by.as_str(), "appeal_upheld").await {
                    Ok(case) => revoked = Some(case),
                    Err(UndoError::User(_)) => {} // taken back meanwhile: the appeal still ends as upheld
                    Err(error) => return Err(error),
                }
                // Told in any case; where points were taken back, this is the message that says so.
                let tell = Tell { next: "申诉成立".into(), ..Tell::new(Topic::Revoked) };
                tell.task(case, &appeal.member, &appeal.group, now)
            } else {
                tx.edit_case(case, |case| case.note(now, by, Happened::AppealRefused, "申诉不成立")).await?;
                match self.moderation.confirm_in(tx, case, by.as_str()).await {
                    Ok(case) => confirmed = case,
                    Err(UndoError::User(_)) => {}
                    Err(error) => return Err(error),
                }
                let tell = Tell { next: words.clone(), ..Tell::new(Topic::AppealRefused) };
                tell.task(case, &appeal.member, &appeal.group, now)
            };
            tx.add_task(tell);
            appeal.state = if upheld { AppealState::Upheld } else { AppealState::Refused };
            appeal.by = Some(by.clone());
            appeal.answer.clone_from(&words);
            appeal.answered = Some(now);
            tx.put(APPEALS, case.as_str(), &appeal).await?;
            (revoked, confirmed)
        });
        if let Some(case) = revoked {
            self.moderation.revoked(&case, "appeal_upheld").await?;
        }
        self.moderation.confirmed(confirmed.as_ref()).await?;
        self.moderation.ring();
        Ok(if upheld {
            format!("{case}：申诉成立，已撤销。")
        } else {
            format!("{case}：申诉不成立，已告知本人。")
        })
    }

    /// The open appeal, if this person may answer it.
    async fn to_answer(&self, tx: &mut Tx<'_>, case: &CaseId, by: &MemberId) -> Result<Appeal, UndoError> {
        let Some(appeal) = tx.get(APPEALS, case.as_str()).await? else {
            return Err(UserError::new(format!("没有关于 {case} 的申诉")).into());
        };
        if appeal.state != AppealState::Open {
            return Err(UserError::new(format!("{case} 的申诉已处理：{}", appeal.state.zh())).into());
        }
        if appeal.member == *by {
            return Err(UserError::new("不能处理自己的申诉").into());
        }
        if let Some(known) = tx.case(case).await?
            && acted(&known, by)
            && self.groups.get(&known.group).deciders().iter().any(|who| !acted(&known, who) && *who != known.member)
        {
            return Err(UserError::new("这条记录由您处理过，请另一位管理者来答复申诉").into());
        }
        Ok(appeal)
    }
}

/// Did the person decide something about the case before it was appealed?
fn acted(case: &Case, who: &MemberId) -> bool {
    let mut before = case.history.iter().take_while(|event| event.what != Happened::Appealed.id());
    before.any(|event| {
        event.by == who.as_str() && !matches!(event.what.parse(), Ok(Happened::EvidenceOpened | Happened::Read))
    })
}
