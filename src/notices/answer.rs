//! Acknowledging: by a button, by words in the group or to the bot, by quoting the notice, by a link. The first answer counts,
//! and its time is the message's own time, however late it was processed.

use async_trait::async_trait;
use serde_json::json;

use super::{
    Notices, OPEN,
    cards::{counter, tell_card},
    deadline::Deadline,
    entry, exemption,
    notice::{Event, Joiners, Leavers, Notice, State, is_id},
    open::Open,
    outgoing::{self, Counter, Tell},
    roster::{Answer, Edited, How, MemberState, RosterEntry},
    wording,
};
use crate::{
    access::{Actor, Face},
    acknowledgement,
    audit::{Act, Entry},
    model::{Attachment, GroupId, MemberId, Message, MessageId, SignedDuration, Timestamp},
    observer::{self, Observer},
    refusal::{ActError, Code},
    store::{Commit, StoreError},
};

/// Only so many open notices of a group are looked at for one word.
const MOST_OPEN: usize = 500;
/// WeCom's clock and ours may differ by so much: an answer of a moment before the sending is one.
const CLOCKS: SignedDuration = SignedDuration::from_secs(5);
/// What introduces an explanation.
const EXPLAIN: &[&str] = &["特殊情况", "情况说明"];

/// What hearing a message, or a click, came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// Which notice; empty for an activity.
    pub notice: String,
    /// How the person stands now; `None` if they need not answer it.
    pub state: Option<MemberState>,
    /// What to answer a private message; in the group nothing is said.
    pub reply: String,
    /// The same, as short as the buttons of a card need it.
    pub label: String,
}

impl Heard {
    fn new(notice: &Notice, state: Option<MemberState>, reply: String) -> Self {
        Self { notice: notice.id.clone(), state, label: reply.clone(), reply }
    }
    /// An answer made at `at` is on record.
    fn answered(notice: &Notice, entry: &RosterEntry, at: Timestamp, now: Timestamp) -> Self {
        let due = entry.due(notice);
        let label = wording::thanks_label(at, due);
        Self { label, ..Self::new(notice, Some(entry.state(notice, now)), wording::thanks(notice, at, due)) }
    }
}

/// A notice as a page shows it to somebody who must answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownNotice {
    /// Number and deadline.
    pub title: String,
    /// What it says, and whether this person has answered.
    pub text: String,
    /// An answer is still wanted, and a button is enough for it.
    pub open: bool,
}

/// What a press on one of our buttons came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// It is settled: the buttons turn into these words.
    Settled(String),
    /// Nothing is settled: the buttons stay, and the person reads these words.
    Told(String),
    /// An answer on the group's card: everybody sees the new count, and the button stays for the others.
    Counted(Counter),
}

#[async_trait]
impl Observer for Notices {
    async fn hear(&self, message: &Message) -> Result<Option<observer::Heard>, StoreError> {
        match self.listen(message).await {
            Ok(heard) => Ok(heard.map(|heard| observer::Heard { reply: heard.reply })),
            Err(ActError::Store(error)) => Err(error),
            Err(error) => Ok(Some(observer::Heard { reply: error.to_string() })),
        }
    }
}

impl Notices {
    /// Looks whether a message answers an open notice, and records it. Most messages do not; then nothing is read but the
    /// short list of open notices. Safe to call again for the same message.
    pub async fn listen(&self, message: &Message) -> Result<Option<Heard>, ActError> {
        self.hear_typed(message).await?;
        match self.hear_activity(message).await? {
            Some(reply) => Ok(Some(Heard { notice: String::new(), state: None, label: reply.clone(), reply })),
            None => self.hear_notice(message).await,
        }
    }

    async fn hear_notice(&self, message: &Message) -> Result<Option<Heard>, ActError> {
        let private = message.group.as_str().is_empty();
        let text = message.text.trim();
        let quote = message.attachments.iter().find_map(|a| match a {
            Attachment::Quote { text, .. } => Some(text.as_str()),
            _ => None,
        });
        if let Some((named, reason)) = explanation(text) {
            let notice = match named {
                Some(id) => self.get(&id).await.ok(),
                None => None,
            };
            let notice = match notice {
                Some(notice) => Some((notice, reason.clone())),
                None => self.newest_unanswered(message).await?.map(|n| (n, explanation_words(text))),
            };
            let Some((notice, reason)) = notice else { return Ok(None) };
            let actor = Actor::member(&message.sender, &[], Face::Chat);
            let reply = self.explain(&actor, &notice, &reason, message.at).await?;
            let state = self.entry(&notice, &message.sender).await?.map(|e| e.state(&notice, self.now()));
            return Ok(Some(Heard::new(&notice, state, reply)));
        }
        let name = message.sender_name.as_deref();
        let mut open = self.open(&message.group).await?;
        open.retain(|o| o.sent <= message.at + CLOCKS);
        // 收到 8F2K means that notice; 收到 5000 speaks of something else.
        let named = named_id(text).filter(|(id, _)| open.iter().any(|o| o.notice == *id));
        if let Some((id, _)) = &named {
            open.retain(|o| o.notice == *id);
        }
        let words = named.as_ref().map_or(text, |(_, rest)| rest.as_str());
        open.retain(|o| {
            !o.confirm
                && (acknowledgement::matches_from(words, &o.accept, name)
                    || quote.is_some_and(|q| q.contains(&format!("通知 {}", o.notice)))
                        && acknowledgement::is_assent(words))
        });
        if open.is_empty() {
            return if private { self.how_to_answer(message, named.map(|(id, _)| id)).await } else { Ok(None) };
        }
        let mut candidates = Vec::new();
        for open in open {
            let Some(notice) = self.read(super::NOTICES, &open.notice).await? else { continue };
            if notice.waits_for_tap() {
                self.answered_early(&notice.id, message).await?;
                continue;
            }
            let Some(entry) = self.entry(&notice, &message.sender).await? else { continue };
            if entry.answer.as_ref().is_some_and(|a| a.message.as_ref() == Some(&message.id)) {
                return Ok(None); // delivered again
            }
            candidates.push((notice, entry));
        }
        // The newest that was out by then; one that a faster clock sent counts only after those.
        candidates.sort_by_key(|(notice, _)| (notice.sent > Some(message.at), std::cmp::Reverse(notice.sent)));
        let quoted = quote.and_then(|q| candidates.iter().position(|(n, _)| is_quoted(n, q)));
        let chosen = quoted.or_else(|| {
            candidates.iter().position(|(_, entry)| entry.answer.as_ref().is_none_or(|answer| answer.at > message.at))
        });
        let Some(index) = chosen else { return Ok(None) };
        let how = match (private, quoted) {
            (true, _) => How::Private,
            (false, Some(_)) => How::Quote,
            (false, None) => How::Word,
        };
        let (notice, _) = candidates.swap_remove(index);
        self.acknowledge(&notice, &message.sender, message.at, how, Some(&message.id)).await.map(Some)
    }

    /// A click on one of our buttons; `None` if the key is not ours.
    pub async fn press(&self, key: &str, actor: &Actor, at: Timestamp) -> Result<Option<Pressed>, ActError> {
        let parts: Vec<&str> = key.split(':').collect();
        if let ["activity", id, "sign"] = parts.as_slice() {
            return match self.sign_in(id, actor.own()?, at, How::Button).await {
                Ok((_, presence)) => Ok(Some(Pressed::Settled(format!("已签到：{}", presence.zh())))),
                // Too early: the button stays for later.
                Err(ActError::Refused(refusal)) if refusal.code == Code::WrongState => {
                    Ok(Some(Pressed::Told(refusal.text)))
                }
                Err(error) => Err(error),
            };
        }
        let ["notice", id, rest @ ..] = parts.as_slice() else { return Ok(None) };
        if let Some(pressed) = self.draft_pressed(actor, id, rest).await? {
            return Ok(Some(pressed));
        }
        let notice = self.get(id).await?;
        let how = match rest {
            ["ack", ..] if notice.what.confirm.is_some() => {
                return Ok(Some(Pressed::Told("请在私信的卡片里回答问题，答对才算回执。".into())));
            }
            ["ack"] => How::Button,
            ["ack", "group"] => How::GroupCard,
            ["ack", "link"] => How::Link,
            ["answer", number] => match &notice.what.confirm {
                Some(confirm) if number.parse() == Ok(confirm.right) => How::Button,
                _ => return Ok(Some(Pressed::Told(format!("答案不对，请再读一遍通知 {}，再选一次。", notice.id)))),
            },
            ["excuse"] => {
                return Ok(Some(Pressed::Told(format!("请把情况发给我：特殊情况 {} 原因", notice.id))));
            }
            ["exempt", of, decision @ ("yes" | "no")] => {
                let reply = self.decide_excuse(actor, &notice, &MemberId::new(of), *decision == "yes").await?;
                return Ok(Some(Pressed::Settled(reply)));
            }
            _ => return Ok(None),
        };
        let heard = self.acknowledge(&notice, actor.own()?, at, how, None).await?;
        Ok(Some(match how {
            How::GroupCard => Pressed::Counted(counter(&notice, self.count(&notice).await?)),
            How::Link => Pressed::Settled(heard.reply),
            _ => Pressed::Settled(heard.label),
        }))
    }

    /// What a page about a notice may show to somebody; nothing to those it does not concern.
    pub async fn shown_to(&self, id: &str, member: &MemberId) -> Result<Option<ShownNotice>, ActError> {
        let id = id.trim().to_uppercase();
        let Some(notice) = self.read(super::NOTICES, &id).await? else { return Ok(None) };
        if !matches!(notice.state, State::Sent | State::Closed) {
            return Ok(None);
        }
        let Some(entry) = self.entry(&notice, member).await?.filter(|entry| entry.left.is_none()) else {
            return Ok(None);
        };
        let (due, now) = (entry.due(&notice), self.now());
        let mut text = notice.what.text.clone() + &wording::links(&notice);
        if let Some(answer) = &entry.answer {
            text = format!("{text}\n\n{}", wording::thanks(&notice, answer.at, due));
        } else if notice.what.confirm.is_some() {
            text.push_str("\n\n请在私信的卡片里回答问题，答对才算回执。");
        }
        let open = entry.answer.is_none() && !entry.is_exempt() && notice.what.confirm.is_none();
        Ok(Some(ShownNotice { title: wording::card_title(&notice, due, now), text, open }))
    }

    /// Says something in private about a button that was pressed at `at`; a press that is delivered again says it once.
    pub async fn hint(&self, key: &str, member: &MemberId, at: Timestamp, text: String) -> Result<(), StoreError> {
        let id = format!("hint/{key}/{member}/{}", at.as_second());
        let tasks = outgoing::tell(&id, &GroupId::from(""), self.now(), &Tell::text(vec![member.clone()], text));
        self.store.commit(Commit { tasks, ..Commit::default() }).await.map(drop)
    }

    /// Records an acknowledgement made at `at`. An earlier one than the one known replaces it; any other changes nothing.
    pub async fn acknowledge(
        &self,
        notice: &Notice,
        member: &MemberId,
        at: Timestamp,
        how: How,
        message: Option<&MessageId>,
    ) -> Result<Heard, ActError> {
        self.record(notice, member, &Answer { at, how, message: message.cloned() }, None).await
    }

    /// Somebody who answered by telephone or in person is written in, which stays on record.
    pub async fn write_in(
        &self,
        actor: &Actor,
        id: &str,
        member: &MemberId,
        at: Option<Timestamp>,
        note: &str,
    ) -> Result<Heard, ActError> {
        let (notice, now) = (self.get(id).await?, self.now());
        self.may_publish(actor, &notice.what)?;
        let at = at.unwrap_or(now);
        if at > now {
            return Err(ActError::wrong("at", "回执的时间不能在将来"));
        }
        if actor.is(member) {
            return Err(ActError::refused(Code::SamePerson, "自己的回执请自己回复，不能补录"));
        }
        if self.entry(&notice, member).await?.is_none() {
            return Err(ActError::refused(Code::NotFound, format!("通知 {} 的名单里没有 {member}", notice.id)));
        }
        let what = if note.is_empty() { "补录回执".to_owned() } else { format!("补录回执：{note}") };
        let answer = Answer { at, how: How::Person, message: None };
        let record = entry(Act::WriteInAnswer, &notice).concerning(member).now(json!({ "answered": at, "note": note }));
        self.record(&notice, member, &answer, Some((actor, &record, &Event::new(now, actor.name(), what)))).await
    }

    async fn record(
        &self,
        notice: &Notice,
        member: &MemberId,
        answer: &Answer,
        written_in: Option<(&Actor, &Entry, &Event)>,
    ) -> Result<Heard, ActError> {
        let at = answer.at;
        if notice.state == State::Cancelled {
            return Err(ActError::refused(Code::BadRequest, format!("通知 {} 已取消，不用回执", notice.id)));
        }
        if notice.sent.is_none_or(|sent| at + CLOCKS < sent) {
            return Err(ActError::refused(Code::BadRequest, format!("通知 {} 还没有发送", notice.id)));
        }
        let now = self.now();
        let act = written_in.map(|(actor, entry, _)| (actor, entry));
        self.edit_entry(notice, member, act, |entry| {
            let Some(entry) = entry else {
                let reply = format!("通知 {} 不需要您回执，谢谢。", notice.id);
                return Ok(Edited::unchanged(Heard::new(notice, None, reply)));
            };
            let due = entry.due(notice);
            if let Some(known) = entry.answer.as_ref().filter(|known| known.at <= at) {
                return Ok(Edited::unchanged(Heard::answered(notice, entry, known.at, now)));
            }
            let was_late = entry.answer.as_ref().is_some_and(|known| known.at > due);
            entry.answer = Some(answer.clone());
            entry.history.extend(written_in.map(|(_, _, event)| event.clone()));
            let mut tasks = Vec::new();
            if at > due && !was_late && !entry.is_exempt() {
                let told = Tell::text(vec![member.clone()], wording::thanks(notice, at, due));
                tasks = outgoing::tell(&format!("notice/{}/late/{member}", notice.id), &notice.home(), now, &told);
            } else if was_late && at <= due {
                let told = Tell::text(vec![member.clone()], wording::corrected(notice));
                tasks = outgoing::tell(&format!("notice/{}/corrected/{member}", notice.id), &notice.home(), now, &told);
            }
            Ok(Edited::write(Heard::answered(notice, entry, at, now), tasks))
        })
        .await
    }

    /// Somebody joined a group: by the notice's rule they must answer, in the same time counted from now.
    pub async fn joined(&self, group: &GroupId, member: &MemberId, at: Timestamp) -> Result<(), ActError> {
        let person = self.directory.person(member);
        let calendar = self.calendar.load_full();
        let open = self.open(group).await?;
        if open.is_empty() {
            return Ok(());
        }
        let standing = self.standing_exemptions().await?.remove(member).unwrap_or_default();
        let absences = self.all_absences().await?.remove(member).unwrap_or_default();
        for open in open {
            let Some(notice) = self.read(super::NOTICES, &open.notice).await? else { continue };
            let Some(index) = notice.what.groups.iter().position(|g| g == group) else { continue };
            let include = notice.what.joiners == Joiners::Include && notice.state == State::Sent;
            let absences = if notice.what.stop_for_leave { absences.as_slice() } else { &[] };
            let due = match notice.what.deadline {
                Deadline::At(_) | Deadline::Local(_) => notice.due.unwrap_or(at),
                Deadline::After(_) | Deadline::Working(_) => notice.what.deadline.resolve(at, &calendar, absences)?,
            };
            if due <= at {
                continue;
            }
            let excuse = exemption::excuse(&standing, at, due);
            let timed = self.timed_tasks(&notice, at, due, absences, &calendar)?;
            self.edit_entry(&notice, member, None, |entry| {
                if let Some(entry) = entry {
                    let index = index as u16;
                    let changed = !entry.groups.contains(&index) || entry.left.is_some();
                    if !entry.groups.contains(&index) {
                        entry.groups.push(index);
                    }
                    entry.left = None;
                    return Ok(if changed { Edited::write((), Vec::new()) } else { Edited::unchanged(()) });
                }
                if !include {
                    return Ok(Edited::unchanged(()));
                }
                *entry = Some(RosterEntry {
                    name: person.name.clone(),
                    department: person.department.clone(),
                    superior: person.superior.clone(),
                    groups: vec![index as u16],
                    due: Some(due).filter(|due| Some(*due) != notice.due),
                    excuse: excuse.clone(),
                    ..RosterEntry::default()
                });
                if excuse.is_some() {
                    return Ok(Edited::write((), Vec::new()));
                }
                let id = format!("notice/{}/tell/joined/{member}", notice.id);
                let mut tasks = tell_card(&notice, &id, vec![member.clone()], due, self.now());
                tasks.extend(timed.clone());
                Ok(Edited::write((), tasks))
            })
            .await?;
        }
        Ok(())
    }

    /// Somebody left a group: by the notice's rule they need not answer any more once they are in none of its groups.
    pub async fn left(&self, group: &GroupId, member: &MemberId, at: Timestamp) -> Result<(), ActError> {
        for open in self.open(group).await? {
            let Some(notice) = self.read(super::NOTICES, &open.notice).await? else { continue };
            let Some(index) = notice.what.groups.iter().position(|g| g == group) else { continue };
            self.edit_entry(&notice, member, None, |entry| {
                let Some(entry) = entry else { return Ok(Edited::unchanged(())) };
                entry.groups.retain(|g| usize::from(*g) != index);
                let due = entry.due(&notice);
                if entry.groups.is_empty()
                    && !entry.named
                    && notice.what.leavers == Leavers::Drop
                    && entry.answer.is_none()
                    && at <= due
                {
                    entry.left = Some(at);
                }
                Ok(Edited::write((), Vec::new()))
            })
            .await?;
        }
        Ok(())
    }

    /// Notices that words in this group may answer; in private, all of them. Each once.
    async fn open(&self, group: &GroupId) -> Result<Vec<Open>, StoreError> {
        let private = group.as_str().is_empty();
        let prefix = if private { String::new() } else { format!("{group}/") };
        let (mut all, mut after) = (Vec::<Open>::new(), None::<String>);
        loop {
            let page = OPEN.page(self.store.as_ref(), &prefix, after.as_deref(), MOST_OPEN).await?;
            let last = page.last().map(|(id, _)| id.clone());
            let whole = page.len() < MOST_OPEN;
            all.extend(page.into_iter().map(|(_, open)| open));
            if whole || !private {
                break;
            }
            after = last;
        }
        all.sort_by(|a, b| a.notice.cmp(&b.notice));
        all.dedup_by(|a, b| a.notice == b.notice);
        Ok(all)
    }

    /// What somebody who says 收到 in private still has to do where that word is no answer; nothing where no notice waits.
    async fn how_to_answer(&self, message: &Message, named: Option<String>) -> Result<Option<Heard>, ActError> {
        let words = named.as_ref().map_or_else(
            || message.text.clone(),
            |_| named_id(&message.text).map(|(_, rest)| rest).unwrap_or_default(),
        );
        if !acknowledgement::is_one(&words) {
            return Ok(None);
        }
        let notice = match named {
            Some(id) => self.read(super::NOTICES, &id).await?,
            None => self.newest_unanswered(message).await?,
        };
        let Some(notice) = notice else { return Ok(None) };
        let waits = self.entry(&notice, &message.sender).await?.is_some_and(|entry| entry.is_unanswered());
        let reply = wording::how_to_answer(&notice);
        Ok(waits.then(|| Heard::new(&notice, Some(MemberState::Waiting), reply)))
    }

    async fn newest_unanswered(&self, message: &Message) -> Result<Option<Notice>, ActError> {
        let mut open = self.open(&message.group).await?;
        open.retain(|o| o.sent <= message.at);
        open.sort_by_key(|o| std::cmp::Reverse(o.sent));
        for open in open {
            let Some(notice) = self.read(super::NOTICES, &open.notice).await? else { continue };
            if self.entry(&notice, &message.sender).await?.is_some_and(|e| e.answer.is_none()) {
                return Ok(Some(notice));
            }
        }
        Ok(None)
    }
}

/// The notice's number or its first line stands in what was quoted.
fn is_quoted(notice: &Notice, quote: &str) -> bool {
    quote.contains(&format!("通知 {}", notice.id))
        || notice.what.text.lines().next().is_some_and(|line| line.chars().count() >= 6 && quote.contains(line.trim()))
}

/// `收到 8F2K`: the number and the words without it.
fn named_id(text: &str) -> Option<(String, String)> {
    let id = text.split_whitespace().find(|word| is_id(word))?;
    Some((id.trim_start_matches('#').to_uppercase(), text.replacen(id, "", 1).trim().to_owned()))
}

/// `特殊情况 8F2K 正在出差`: the number, if any, and the reason.
fn explanation(text: &str) -> Option<(Option<String>, String)> {
    let reason = explanation_words(text);
    EXPLAIN.iter().find(|word| text.starts_with(**word))?;
    match reason.split_whitespace().next().and_then(named_id) {
        Some((id, _)) => {
            let rest = reason.split_whitespace().skip(1).collect::<Vec<_>>().join(" ");
            Some((Some(id), rest))
        }
        None => Some((None, reason)),
    }
}

fn explanation_words(text: &str) -> String {
    let rest = EXPLAIN.iter().find_map(|word| text.strip_prefix(word)).unwrap_or(text);
    rest.trim_start_matches(|c: char| c.is_whitespace() || "，,：:。.、".contains(c)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explanations_name_a_notice_or_not() {
        assert_eq!(explanation("特殊情况 8f2k 正在出差"), Some((Some("8F2K".into()), "正在出差".into())));
        assert_eq!(explanation("特殊情况 bdfg 正在出差"), Some((Some("BDFG".into()), "正在出差".into())));
        assert_eq!(explanation("特殊情况：孩子生病，请假"), Some((None, "孩子生病，请假".into())));
        assert_eq!(explanation("有特殊情况吗"), None);
    }

    #[test]
    fn a_number_may_stand_with_the_word() {
        assert_eq!(named_id("收到 8F2K"), Some(("8F2K".into(), "收到".into())));
        assert_eq!(named_id("#8f2k-1123 收到"), Some(("8F2K-1123".into(), "收到".into())));
        assert_eq!(named_id("收到 KXQW"), Some(("KXQW".into(), "收到".into())), "one in five has no digit");
        for text in ["收到", "OK", "收到 5000", "收到 13800001111", "received thanks", "8F2K-明天"] {
            assert_eq!(named_id(text), None, "{text}");
        }
    }
}
