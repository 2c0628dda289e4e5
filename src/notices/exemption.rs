//! Who need not answer: an explanation (特殊情况) that a named person accepts, or a standing exemption with dates. Leave and
//! shift lists live here too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    Notices, entry,
    notice::{Event, Notice, State},
    outgoing::{self, Button, Tell},
    roster::{Edited, Excuse, ExcuseState},
};
use crate::{
    access::{self, Action, Actor},
    audit::{Act, Entry},
    calendar::Absence,
    model::{MemberId, Timestamp},
    refusal::{ActError, Code},
    store::{Collection, Name, StoreError, transaction::transact},
};

/// The collection of standing exemptions, by member.
pub const STANDING: Collection<Vec<Standing>> = Collection::new(Name::NoticeStanding);
/// The collection of leave and shifts, by member.
pub const ABSENCES: Collection<Vec<Absence>> = Collection::new(Name::NoticeAbsence);
/// Longest explanation kept, characters.
const LONGEST_REASON: usize = 300;
/// Explanations of one person for one notice; each sends the deciders a card.
const MOST_EXPLANATIONS: usize = 5;
/// How an explanation begins in a history.
const EXPLAINED: &str = "说明特殊情况";

/// Somebody need not answer notices for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Why.
    pub reason: String,
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub to: Timestamp,
    /// Who allowed it.
    pub by: String,
}

/// The excuse that standing exemptions give for a notice sent at `sent` with the deadline `due`: one of them must cover the
/// deadline.
pub(super) fn excuse(standing: &[Standing], sent: Timestamp, due: Timestamp) -> Option<Excuse> {
    let holds = standing.iter().find(|s| s.from <= due && due < s.to)?;
    Some(Excuse { reason: holds.reason.clone(), at: sent, state: ExcuseState::Accepted, by: Some(holds.by.clone()) })
}

/// Who wrote a notice knows what it says.
pub(super) fn author(now: Timestamp) -> Excuse {
    Excuse { reason: "发起人免".into(), at: now, state: ExcuseState::Accepted, by: None }
}

impl Notices {
    /// A member explains why they can't answer. The ones who decide are asked once for each explanation.
    pub async fn explain(
        &self,
        actor: &Actor,
        notice: &Notice,
        reason: &str,
        at: Timestamp,
    ) -> Result<String, ActError> {
        let member = actor.own()?;
        let reason: String = reason.trim().chars().take(LONGEST_REASON).collect();
        if reason.is_empty() {
            return Err(ActError::refused(
                Code::BadRequest,
                format!("请说明原因，例如：特殊情况 {} 正在出差途中，无法参加", notice.id),
            ));
        }
        if notice.state == State::Cancelled {
            return Err(ActError::refused(Code::BadRequest, format!("通知 {} 已取消，不用回执", notice.id)));
        }
        let now = self.now();
        if self.people.is(&notice.by, member) {
            return self.author_is_busy(actor, notice, member, &reason, at).await;
        }
        // Nobody decides about themselves.
        let deciders: Vec<MemberId> = notice.what.deciders().iter().filter(|by| *by != member).cloned().collect();
        let (waiting, noted) = if deciders.is_empty() {
            ("您的说明已经记下。", "已记下您的说明。")
        } else {
            ("您的说明已经记下，正在等负责人处理。", "已记下您的说明，负责人处理后会告诉您。")
        };
        let record = entry(Act::ExplainNotice, notice).concerning(member).now(json!({ "reason": reason }));
        self.edit_entry(notice, member, Some((actor, &record)), |entry| {
            let Some(entry) = entry else {
                return Err(ActError::refused(Code::BadRequest, format!("通知 {} 不需要您回执", notice.id)));
            };
            if entry.answer.as_ref().is_some_and(|answer| answer.at <= entry.due(notice)) {
                return Ok(Edited::unchanged(format!("您已按时回执通知 {}，不用再说明。", notice.id)));
            }
            if let Some(old) = &entry.excuse {
                if old.state == ExcuseState::Accepted {
                    return Ok(Edited::unchanged(format!("您已不用回执通知 {}。", notice.id)));
                }
                if old.state == ExcuseState::Asked && old.reason == reason {
                    return Ok(Edited::unchanged(waiting.into()));
                }
            }
            if entry.history.iter().filter(|event| event.what.starts_with(EXPLAINED)).count() >= MOST_EXPLANATIONS {
                return Err(ActError::refused(Code::BadRequest, "您已经说明过几次了，请直接联系负责人。"));
            }
            entry.excuse = Some(Excuse { reason: reason.clone(), at, state: ExcuseState::Asked, by: None });
            entry.history.push(Event::new(at, member.as_str(), format!("{EXPLAINED}：{reason}")));
            let ask = Tell {
                to: deciders.clone(),
                title: format!("{} 对通知 {} 说明特殊情况", entry.name, notice.id),
                text: format!("{reason}\n通知：{}", notice.summary(30)),
                buttons: vec![
                    Button { text: "同意".into(), key: format!("notice:{}:exempt:{member}:yes", notice.id) },
                    Button { text: "不同意".into(), key: format!("notice:{}:exempt:{member}:no", notice.id) },
                ],
                part: None,
            };
            let id = format!("notice/{}/explained/{member}/{}", notice.id, at.as_millisecond());
            let tasks = outgoing::tell(&id, &notice.home(), now, &ask);
            Ok(Edited::write(noted.into(), tasks))
        })
        .await
    }

    /// Who wrote a notice and had to acknowledge it needs nobody's consent not to.
    async fn author_is_busy(
        &self,
        actor: &Actor,
        notice: &Notice,
        member: &MemberId,
        reason: &str,
        at: Timestamp,
    ) -> Result<String, ActError> {
        let record = entry(Act::ExplainNotice, notice).concerning(member).now(json!({ "reason": reason }));
        let by = Some(member.as_str().to_owned());
        self.edit_entry(notice, member, Some((actor, &record)), |entry| {
            let done = format!("您是通知 {} 的发起人，这次不用回执。", notice.id);
            match entry {
                Some(entry) if !entry.is_exempt() => {
                    let state = ExcuseState::Accepted;
                    entry.excuse = Some(Excuse { reason: reason.to_owned(), at, state, by: by.clone() });
                    entry.history.push(Event::new(at, member.as_str(), format!("{EXPLAINED}：{reason}")));
                    Ok(Edited::write(done, Vec::new()))
                }
                _ => Ok(Edited::unchanged(done)),
            }
        })
        .await
    }

    /// A named person decides about an explanation; everybody else is refused. The first decision stands.
    pub async fn decide_excuse(
        &self,
        actor: &Actor,
        notice: &Notice,
        member: &MemberId,
        accept: bool,
    ) -> Result<String, ActError> {
        let by = actor.own()?;
        if !notice.what.deciders().contains(by) || by == member {
            return Err(ActError::refused(Code::Forbidden, "这份说明不由您处理"));
        }
        let now = self.now();
        let state = if accept { ExcuseState::Accepted } else { ExcuseState::Refused };
        let record = entry(Act::DecideExcuse, notice)
            .concerning(member)
            .was(json!({ "excuse": ExcuseState::Asked }))
            .now(json!({ "excuse": state }));
        self.edit_entry(notice, member, Some((actor, &record)), |entry| {
            let Some((entry, excuse)) = entry.as_mut().and_then(|e| e.excuse.clone().map(|x| (e, x))) else {
                return Err(ActError::refused(Code::BadRequest, "没有这份说明"));
            };
            if excuse.state != ExcuseState::Asked {
                let by = MemberId::new(excuse.by.unwrap_or_default());
                let by = self.directory.person(&by).name;
                return Ok(Edited::unchanged(format!("{by} 已处理：{}", excuse.state.zh())));
            }
            entry.excuse = Some(Excuse { state, by: Some(by.as_str().to_owned()), ..excuse });
            entry.history.push(Event::new(now, by.as_str(), format!("特殊情况{}", state.zh())));
            let text = if accept {
                format!("已同意您对通知 {} 的说明，这次不用回执。", notice.id)
            } else {
                format!("您对通知 {} 的说明未获同意，请尽快回执；如有疑问，请联系负责人。", notice.id)
            };
            let id = format!("notice/{}/decided/{member}/{}", notice.id, now.as_millisecond());
            let task = outgoing::tell(&id, &notice.home(), now, &Tell::text(vec![member.clone()], text));
            Ok(Edited::write(format!("已记录：{} {}", entry.name, state.zh()), task))
        })
        .await
    }

    /// Lets somebody off notices whose deadline lies in a time. Several may stand side by side.
    pub async fn exempt(&self, actor: &Actor, member: &MemberId, span: Absence) -> Result<(), ActError> {
        access::ask(actor, Action::PublishNotice, None)?;
        if span.to <= span.from {
            return Err(ActError::wrong("to", "豁免的结束时间要晚于开始时间"));
        }
        if actor.is(member) {
            return Err(ActError::refused(Code::SamePerson, "不能给自己豁免"));
        }
        let Absence { from, to, reason } = span;
        let record = Entry::member(Act::ExemptFromNotices, member).now(json!({ "from": from, "to": to }));
        self.append(actor, STANDING, member, Standing { reason, from, to, by: actor.name().to_owned() }, record).await
    }

    /// Writes down leave or a shift; sent notices keep their deadlines.
    pub async fn absent(&self, actor: &Actor, member: &MemberId, absence: Absence) -> Result<(), ActError> {
        access::ask(actor, Action::PublishNotice, None)?;
        if absence.to <= absence.from {
            return Err(ActError::wrong("to", "请假的结束时间要晚于开始时间"));
        }
        let record = Entry::member(Act::NoteAbsence, member).now(json!({ "from": absence.from, "to": absence.to }));
        self.append(actor, ABSENCES, member, absence, record).await
    }

    /// Said again it changes nothing.
    async fn append<T: Serialize + DeserializeOwned + Clone + PartialEq>(
        &self,
        actor: &Actor,
        collection: Collection<Vec<T>>,
        member: &MemberId,
        value: T,
        record: Entry,
    ) -> Result<(), ActError> {
        let (now, value) = (self.now(), &value);
        transact!(self.store.as_ref(), |tx| {
            let mut list = tx.get(collection, member.as_str()).await?.unwrap_or_default();
            if !list.contains(value) {
                list.push(value.clone());
                tx.put(collection, member.as_str(), &list).await?;
                tx.audit(actor, now, record.clone()).await?;
            }
        });
        Ok(())
    }

    /// Every standing exemption, by member.
    pub async fn standing_exemptions(&self) -> Result<BTreeMap<MemberId, Vec<Standing>>, StoreError> {
        self.by_member(STANDING).await
    }

    /// Every leave and shift, by member.
    pub async fn all_absences(&self) -> Result<BTreeMap<MemberId, Vec<Absence>>, StoreError> {
        self.by_member(ABSENCES).await
    }

    async fn by_member<T: Serialize + DeserializeOwned>(
        &self,
        collection: Collection<T>,
    ) -> Result<BTreeMap<MemberId, T>, StoreError> {
        let all = collection.all(self.store.as_ref(), "").await?;
        Ok(all.into_iter().map(|(member, value)| (MemberId::new(member), value)).collect())
    }
}
