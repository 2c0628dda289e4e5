//! From when on a notice runs for somebody: from the moment at which it reached them, by the card or in the group.
//!
//! WeCom may be down when a notice is sent. Whoever it has not reached owes nothing, is not reminded and is never late; what is
//! sent later says what is true then, and a deadline that was given as a length of time begins when the notice arrives.

use std::collections::BTreeMap;

use super::{
    Deadline, NOTICES, Notices, ROLLS,
    notice::{Event, Notice, State},
    outgoing::{Part, Tell, Words},
    roster::{RosterEntry, bucket_id, bucket_of},
    wording,
};
use crate::{
    model::{GroupId, MemberId, SignedDuration, Timestamp},
    refusal::ActError,
    store::transaction::transact,
    zh,
};

/// What arrives within this time was delivered when it was sent.
const AT_ONCE: SignedDuration = SignedDuration::from_mins(5);

/// What is to be said now.
#[derive(Clone, Debug, PartialEq)]
pub enum Ready {
    /// This.
    Say(Tell),
    /// Nothing any more; why.
    Nothing(String),
}

impl Notices {
    /// What a private message says at `now`, and to whom.
    pub async fn ready(&self, mut tell: Tell, now: Timestamp) -> Result<Ready, ActError> {
        let Some(part) = tell.part.clone() else { return Ok(Ready::Say(tell)) };
        let Some(notice) = self.read(NOTICES, &part.notice).await? else {
            return Ok(Ready::Nothing("通知已不存在".into()));
        };
        // Whom the group's message has reached before the card keeps that deadline.
        let first = match tell.to.first() {
            Some(member) => self.entry(&notice, member).await?.filter(|entry| entry.told.is_some()),
            None => None,
        };
        let due = match first {
            Some(entry) => entry.due(&notice),
            None => self.due_from(&notice, part.due, now, tell.to.first()).await?,
        };
        if due <= now {
            return Ok(Ready::Nothing("已过截止时间，不再发送；没有送达的不计迟到".into()));
        }
        let mut to = Vec::new();
        for member in std::mem::take(&mut tell.to) {
            let wanted = |entry: &RosterEntry| match part.words {
                Words::Reminder => {
                    entry.is_unanswered() && entry.heard_of(&notice) && entry.due(&notice) == part.due && now < part.due
                }
                Words::Card | Words::Whole => !is_late(&notice, now) || entry.is_unanswered(),
            };
            if self.entry(&notice, &member).await?.is_some_and(|entry| wanted(&entry)) {
                to.push(member);
            }
        }
        if to.is_empty() {
            return Ok(Ready::Nothing("没有还要告知的人".into()));
        }
        match part.words {
            Words::Whole => {}
            Words::Card => tell.title = wording::card_title(&notice, due, now),
            Words::Reminder => {
                tell.title = wording::reminder_title(&notice, part.due, now);
                tell.text = wording::reminder(&notice, part.due, now);
            }
        }
        Ok(Ready::Say(Tell { to, ..tell }))
    }

    /// What a group reads of a notice at `now`; nothing once it is over.
    pub async fn ready_for_group(&self, id: &str, now: Timestamp) -> Result<Option<String>, ActError> {
        let Some(notice) = self.read::<Notice>(NOTICES, id).await? else { return Ok(None) };
        let due = self.due_from(&notice, notice.due.unwrap_or(now), now, None).await?;
        if notice.state == State::Cancelled || due <= now {
            return Ok(None);
        }
        let mut required = 0;
        self.walk(&notice, |_, entry| required += usize::from(entry.left.is_none() && !entry.is_exempt())).await?;
        Ok(Some(wording::group(&notice, due, now, required, self.link(&notice).as_deref())))
    }

    /// WeCom took a private message: these people have it, those cannot be reached in private.
    pub async fn reached(
        &self,
        part: &Part,
        to: &[MemberId],
        unreachable: &[MemberId],
        now: Timestamp,
    ) -> Result<(), ActError> {
        if part.words != Words::Card {
            return Ok(());
        }
        let Some(notice) = self.read(NOTICES, &part.notice).await? else { return Ok(()) };
        let due = self.due_from(&notice, part.due, now, to.first()).await?;
        self.heard(&notice, to.iter().filter(|who| !unreachable.contains(who)).cloned(), due, now).await?;
        for member in unreachable {
            self.edit_entry(&notice, member, None, |entry| {
                let Some(entry) = entry else { return Ok(super::roster::Edited::unchanged(())) };
                entry.unreachable = true;
                Ok(super::roster::Edited::write((), Vec::new()))
            })
            .await?;
        }
        Ok(())
    }

    /// A group read the notice: everybody in it has it.
    pub async fn reached_group(&self, id: &str, group: &GroupId, now: Timestamp) -> Result<(), ActError> {
        let Some(notice) = self.read::<Notice>(NOTICES, id).await? else { return Ok(()) };
        let Some(index) = notice.what.groups.iter().position(|known| known == group) else { return Ok(()) };
        let common = notice.due.unwrap_or(now);
        let mut by_due: BTreeMap<Timestamp, Vec<MemberId>> = BTreeMap::new();
        self.walk(&notice, |member, entry| {
            if entry.groups.contains(&(index as u16)) && entry.told.is_none() {
                by_due.entry(entry.due.unwrap_or(common)).or_default().push(member);
            }
        })
        .await?;
        for (due, members) in by_due {
            let due = self.due_from(&notice, due, now, members.first()).await?;
            self.heard(&notice, members.into_iter(), due, now).await?;
        }
        Ok(())
    }

    /// The deadline of somebody whom a notice with this planned deadline reaches `now`.
    async fn due_from(
        &self,
        notice: &Notice,
        planned: Timestamp,
        now: Timestamp,
        member: Option<&MemberId>,
    ) -> Result<Timestamp, ActError> {
        let length = matches!(notice.what.deadline, Deadline::After(_) | Deadline::Working(_));
        // Who joined later has a deadline of their own already.
        let common = Some(planned) == notice.due || planned < now;
        if !length || !is_late(notice, now) || !common {
            return Ok(planned);
        }
        let absences = match member {
            Some(member) if notice.what.stop_for_leave => self.all_absences().await?.remove(member).unwrap_or_default(),
            _ => Vec::new(),
        };
        Ok(notice.what.deadline.resolve(now, &self.calendar.load(), &absences)?)
    }

    /// Writes down that people have it, bucket by bucket; their clock runs from now on.
    async fn heard(
        &self,
        notice: &Notice,
        people: impl Iterator<Item = MemberId>,
        due: Timestamp,
        now: Timestamp,
    ) -> Result<(), ActError> {
        let mut buckets: BTreeMap<u32, Vec<MemberId>> = BTreeMap::new();
        for member in people {
            buckets.entry(bucket_of(&member, notice.buckets)).or_default().push(member);
        }
        let mut moved = 0;
        for (n, members) in buckets {
            moved += transact!(self.store.as_ref(), |tx| {
                let id = bucket_id(&notice.id, n);
                let mut bucket = tx.get(ROLLS, &id).await?.unwrap_or_default();
                let (mut moved, mut changed) = (0, false);
                for member in &members {
                    let Some(entry) = bucket.get_mut(member).filter(|entry| entry.told.is_none()) else { continue };
                    entry.told = Some(now);
                    changed = true;
                    if entry.due(notice) != due && entry.answer.is_none() {
                        entry.due = Some(due).filter(|due| Some(*due) != notice.due);
                        let text = format!("{} 才送达，截止顺延到{}", zh::when(now, now), zh::when(due, now));
                        entry.history.push(Event::new(now, "bot", text));
                        moved += 1;
                    }
                }
                if changed {
                    tx.put(ROLLS, &id, &bucket).await?;
                }
                moved
            });
        }
        if moved > 0 {
            let timed = self.timed_tasks(notice, now, due, &[], &self.calendar.load())?;
            self.update(&notice.id, |stored| {
                stored.last_due = stored.last_due.max(Some(due));
                if stored.state == State::Closed {
                    stored.state = State::Sent;
                }
                let text = format!("{moved} 人晚送达，截止顺延到{}", zh::when(due, now));
                stored.history.push(Event::new(now, "bot", text));
                Ok(timed.clone())
            })
            .await?;
        }
        Ok(())
    }
}

/// So long after it was sent that the deadline has to be counted anew.
fn is_late(notice: &Notice, now: Timestamp) -> bool {
    notice.tracks_delivery && notice.sent.is_some_and(|sent| now > sent + AT_ONCE)
}
