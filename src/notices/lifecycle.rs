//! The life of a notice: 起草, 审核, 发出, 取消. Each act asks for its right, writes everything in one commit and leaves its record.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    KEYS, NOTICES, Notices, OPEN,
    due::{self, Due},
    encode, entry, named, no_notice,
    notice::{Draft, Event, Notice, State, id_candidates},
    open::open_ids,
    outgoing,
    publish::{Preview, check, free_id},
    wording,
};
use crate::{
    access::{Actor, Principal},
    audit::Act,
    model::TaskId,
    refusal::{ActError, Code},
    store::{StoreError, TaskUpdate, Tx, transaction::transact},
};

/// What an idempotency key stands for.
#[derive(Serialize, Deserialize)]
pub(super) struct Key {
    /// Of the draft.
    pub(super) print: String,
    /// The notice's id.
    pub(super) notice: String,
}

/// The same for the same draft, over restarts.
fn print(draft: &Draft) -> String {
    let hash = Sha256::digest(encode(draft).to_string());
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

impl Notices {
    /// Keeps a draft that nobody sees yet. Under a `key` that the same actor used before for the same draft, the notice made
    /// then is the answer.
    pub async fn create(&self, actor: &Actor, draft: &Draft, key: Option<&str>) -> Result<Notice, ActError> {
        self.may_publish(actor, draft)?;
        self.directory.learn(&draft.groups).await;
        Ok(transact!(self.store.as_ref(), |tx| {
            let (notice, new) = self.draft_in(tx, actor, draft, key).await?;
            if new {
                let record = entry(Act::DraftNotice, &notice).now(json!({ "notice": notice.state }));
                tx.audit(actor, self.now(), record).await?;
            }
            notice
        }))
    }

    /// Drafts and sends in one go; what waits for a review stays a draft.
    pub async fn publish(&self, actor: &Actor, draft: &Draft, key: Option<&str>) -> Result<Notice, ActError> {
        self.may_publish(actor, draft)?;
        self.directory.learn(&draft.groups).await;
        Ok(transact!(self.store.as_ref(), |tx| {
            let (mut notice, new) = self.draft_in(tx, actor, draft, key).await?;
            let mut act = new.then_some(Act::DraftNotice);
            if notice.state == State::Draft && !notice.what.review {
                notice = self.release_in(tx, notice, actor.name()).await?;
                act = Some(Act::SendNotice);
            }
            if let Some(act) = act {
                let record = entry(act, &notice).now(json!({ "notice": notice.state }));
                tx.audit(actor, self.now(), record).await?;
            }
            notice
        }))
    }

    /// The draft, and whether it is new: the same request may come twice, also at once.
    pub(super) async fn draft_in(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        draft: &Draft,
        key: Option<&str>,
    ) -> Result<(Notice, bool), ActError> {
        let (by, now) = (actor.name(), self.now());
        let key = key.map(|key| format!("{by}/{key}"));
        let print = print(draft);
        if let Some(known) = under(tx, key.as_deref(), &print).await? {
            return Ok((known, false));
        }
        check(draft)?;
        self.roster(draft)?;
        // Said now, to who writes it, and not when it is to be sent.
        let at = draft.send_at.map_or(now, |at| at.max(now));
        if draft.deadline.resolve(at, &self.calendar.load(), &[])? <= at {
            let text = if at > now { "截止时间要在发送时间之后" } else { "截止时间已经过了" };
            return Err(ActError::refused(Code::DeadlinePassed, text));
        }
        let id = free_id(tx, NOTICES, id_candidates(by, now, &draft.text)).await?;
        let mut notice = self.stored(&id, draft, by, State::Draft);
        notice.history.push(Event::new(now, by, "起草"));
        if let Some(key) = &key {
            tx.put(KEYS, key, &Key { print, notice: id.clone() }).await?;
        }
        tx.put(NOTICES, &id, &notice).await?;
        Ok((notice, true))
    }

    /// Its author sets more of a draft that nobody has seen; what it looks like then.
    pub async fn revise(&self, actor: &Actor, id: &str, draft: &Draft) -> Result<(Notice, Preview), ActError> {
        let (id, now) = (named(id), self.now());
        let preview = self.preview(actor, draft).await?;
        let notice = transact!(self.store.as_ref(), |tx| {
            let Some(mut notice) = tx.get(NOTICES, &id).await? else { return Err(no_notice(&id)) };
            self.may_change(actor, &notice)?;
            if notice.state != State::Draft || notice.said.is_some() {
                return Err(ActError::refused(Code::WrongState, format!("通知 {id} 现在不能改")));
            }
            check(draft)?;
            let was = json!(notice.what);
            notice.what = draft.clone();
            notice.history.push(Event::new(now, actor.name(), "修改草稿"));
            tx.put(NOTICES, &id, &notice).await?;
            let record = entry(Act::DraftNotice, &notice).was(was).now(json!(draft));
            tx.audit(actor, now, record).await?;
            notice
        });
        Ok((notice, preview))
    }

    /// A second person has read the draft: it goes out, or waits for its time.
    pub async fn review(&self, actor: &Actor, id: &str) -> Result<Notice, ActError> {
        let (id, now) = (named(id), self.now());
        Ok(transact!(self.store.as_ref(), |tx| {
            let Some(mut notice) = tx.get(NOTICES, &id).await? else { return Err(no_notice(&id)) };
            self.may_publish(actor, &notice.what)?;
            if notice.state != State::Draft {
                let text = format!("通知 {} 现在是“{}”，不能审核", notice.id, notice.state.zh());
                return Err(ActError::refused(Code::WrongState, text));
            }
            if self.people.same(&notice.by, actor) {
                return Err(ActError::refused(Code::SamePerson, "自己起草的通知要由另一个人审核"));
            }
            let was = json!({ "notice": notice.state });
            notice.state = State::Reviewed;
            notice.reviewed_by = Some(actor.name().to_owned());
            notice.history.push(Event::new(now, actor.name(), "审核通过"));
            let notice = self.release_in(tx, notice, actor.name()).await?;
            let record = entry(Act::ReviewNotice, &notice).was(was).now(json!({ "notice": notice.state }));
            tx.audit(actor, now, record).await?;
            notice
        }))
    }

    /// Sends it, or plans the sending at its time; whether it was done now. Sent twice is sent once.
    pub async fn release(&self, actor: &Actor, id: &str) -> Result<(Notice, bool), ActError> {
        let (id, now) = (named(id), self.now());
        Ok(transact!(self.store.as_ref(), |tx| {
            let Some(before) = tx.get(NOTICES, &id).await? else { return Err(no_notice(&id)) };
            self.may_change(actor, &before)?;
            if matches!(before.state, State::Sent | State::Closed | State::Scheduled) {
                return Ok((before, false));
            }
            // Who lost the office meanwhile no longer speaks for the group.
            if matches!(actor.who, Principal::Member { .. }) && self.may_publish(actor, &before.what).is_err() {
                let text = "您已不是其中某个群的群主或管理员，不能发出";
                return Err(ActError::refused(Code::Forbidden, text));
            }
            let was = json!({ "notice": before.state });
            let notice = self.release_in(tx, before, actor.name()).await?;
            let record = entry(Act::SendNotice, &notice).was(was).now(json!({ "notice": notice.state }));
            tx.audit(actor, now, record).await?;
            (notice, true)
        }))
    }

    async fn release_in(&self, tx: &mut Tx<'_>, mut notice: Notice, by: &str) -> Result<Notice, ActError> {
        match notice.state {
            State::Sending | State::Sent | State::Closed | State::Scheduled => return Ok(notice),
            State::Cancelled => {
                return Err(ActError::refused(Code::WrongState, format!("通知 {} 已取消", notice.id)));
            }
            State::Draft if notice.what.review => {
                return Err(ActError::refused(Code::WrongState, format!("通知 {} 还没有审核", notice.id)));
            }
            State::Draft | State::Reviewed => {}
        }
        let now = self.now();
        let at = notice.what.send_at.unwrap_or(now);
        if at <= now && notice.what.repeat.is_none() {
            return self.send_in(tx, notice, by).await;
        }
        notice.state = State::Scheduled;
        notice.history.push(Event::new(now, by, "排定发送"));
        let mut task = due::task(due::SEND, &format!("notice/{}/send", notice.id), &notice, now, &Due::of(&notice, at));
        task.due = at.max(now);
        tx.put(NOTICES, &notice.id, &notice).await?;
        tx.add_task(task);
        Ok(notice)
    }

    /// Takes a notice back; who had not answered yet is told by the groups. Taken back twice is taken back once.
    pub async fn cancel(&self, actor: &Actor, id: &str) -> Result<Notice, ActError> {
        self.take_back(actor, id, false).await
    }

    /// Takes back what was not sent yet.
    pub async fn discard(&self, actor: &Actor, id: &str) -> Result<Notice, ActError> {
        self.take_back(actor, id, true).await
    }

    async fn take_back(&self, actor: &Actor, id: &str, only_draft: bool) -> Result<Notice, ActError> {
        let (id, now) = (named(id), self.now());
        let tasks = self.tasks_of(&id).await?;
        Ok(transact!(self.store.as_ref(), |tx| {
            let Some(mut notice) = tx.get(NOTICES, &id).await? else { return Err(no_notice(&id)) };
            self.may_change(actor, &notice)?;
            let told = matches!(notice.state, State::Sent | State::Closed);
            if only_draft && told {
                return Err(ActError::refused(Code::WrongState, "已经发出，可回复：取消通知"));
            }
            for task in &tasks {
                tx.update_task(TaskUpdate::cancel(task.clone(), now, "通知已取消"));
            }
            if notice.said.is_some() && !told {
                for place in open_ids(&notice) {
                    tx.delete(OPEN, &place).await?;
                }
            }
            if notice.state != State::Cancelled {
                let was = json!({ "notice": notice.state });
                notice.state = State::Cancelled;
                notice.history.push(Event::new(now, actor.name(), "取消"));
                for (index, group) in notice.what.groups.iter().enumerate().filter(|_| told) {
                    let id = format!("notice/{}/cancelled/{index}", notice.id);
                    tx.add_task(outgoing::announce(&id, group, now, wording::cancelled(&notice)));
                }
                tx.put(NOTICES, &id, &notice).await?;
                let record = entry(Act::CancelNotice, &notice).was(was).now(json!({ "notice": notice.state }));
                tx.audit(actor, now, record).await?;
            }
            notice
        }))
    }

    /// Tasks of a notice that have not ended.
    async fn tasks_of(&self, id: &str) -> Result<Vec<TaskId>, StoreError> {
        use crate::store::TaskQuery;
        let prefix = format!("notice/{id}/");
        let mut found = Vec::new();
        let mut after = Some(TaskId::from(format!("notice/{id}")));
        loop {
            let page = self.store.tasks(&TaskQuery { after: after.take(), limit: 200, ..TaskQuery::default() }).await?;
            let Some(last) = page.last() else { return Ok(found) };
            let past = !last.id.as_str().starts_with(&prefix);
            after = Some(last.id.clone());
            found.extend(
                page.into_iter()
                    .filter(|task| task.id.as_str().starts_with(&prefix) && !task.state.is_final())
                    .filter(|task| !task.id.as_str().contains("/cancelled/"))
                    .map(|task| task.id),
            );
            if past {
                return Ok(found);
            }
        }
    }
}

/// The notice that was made under a key, if one was.
async fn under(tx: &mut Tx<'_>, key: Option<&str>, print: &str) -> Result<Option<Notice>, ActError> {
    let Some(key) = key else { return Ok(None) };
    match tx.get(KEYS, key).await? {
        Some(used) if used.print == print => {
            tx.get(NOTICES, &used.notice).await?.map(Some).ok_or_else(|| no_notice(&used.notice))
        }
        Some(_) => Err(ActError::refused(Code::KeyTaken, "这个 Idempotency-Key 已用于另一条通知")),
        None => Ok(None),
    }
}
