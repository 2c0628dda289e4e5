//! A notice that the owner or an admin typed into the group by hand, with @所有人: they get a card, and after one tap it is followed
//! like any other. The group has read it already, so nothing is said there again; what people answered before the tap counts.

use serde_json::json;

use super::{
    Deadline, Draft, KEYS, NOTICES, Notice, Notices, OPEN,
    due::{self, Due},
    entry,
    lifecycle::Key,
    notice::{State, id_candidates},
    open::{Open, open_ids},
    outgoing::{self, Button, Tell},
    publish::{ANSWERABLE, free_id},
};
use crate::{
    access::{Actor, Face},
    acknowledgement,
    audit::Act,
    model::{Message, SignedDuration},
    refusal::ActError,
    store::transaction::transact,
};

/// What makes it one.
const EVERYBODY: [&str; 3] = ["@所有人", "＠所有人", "@all"];
/// Time for an answer.
const WITHIN: SignedDuration = SignedDuration::from_hours(2);
/// Characters of the shortest one, and of the longest that is kept.
const SHORTEST: usize = 4;
const LONGEST: usize = 500;

/// The words of it, if the message is one.
fn words(text: &str) -> Option<String> {
    let named = EVERYBODY.iter().find(|name| text.contains(**name))?;
    let own: String = text.replace(named, " ").trim().chars().take(LONGEST).collect();
    let receipt = acknowledgement::is_one(&own);
    (own.chars().count() >= SHORTEST && !receipt).then_some(own)
}

impl Notices {
    /// Offers to follow what somebody who may speak for the group has typed; hearing it again changes nothing.
    pub(super) async fn hear_typed(&self, message: &Message) -> Result<(), ActError> {
        let Some(text) = words(&message.text).filter(|_| !message.group.as_str().is_empty() && !message.to_bot) else {
            return Ok(());
        };
        let group = self.directory.group_record(&message.group);
        let actor = Actor::member(&message.sender, &[], Face::Chat);
        let groups = [group.id().clone()];
        if !group.configured || message.revokes.is_some() || self.may_speak(&actor, &groups).is_err() {
            return Ok(());
        }
        let by = message.sender.as_str();
        let draft = Draft {
            groups: groups.to_vec(),
            escalate_to: vec![message.sender.clone()],
            ..Draft::new(&text, &[], Deadline::After(WITHIN))
        };
        let (key, now) = (format!("{by}/typed/{}", message.id), self.now());
        transact!(self.store.as_ref(), |tx| {
            if tx.get(KEYS, &key).await?.is_none() {
                let id = free_id(tx, NOTICES, id_candidates(by, message.at, &text)).await?;
                let notice = Notice { said: Some(message.at), ..self.stored(&id, &draft, by, State::Draft) };
                tx.put(KEYS, &key, &Key { print: String::new(), notice: id.clone() }).await?;
                tx.put(NOTICES, &id, &notice).await?;
                let open =
                    Open { notice: id.clone(), sent: message.at, accept: notice.what.accepted(), confirm: false };
                for place in open_ids(&notice) {
                    tx.put(OPEN, &place, &open).await?;
                }
                let of = Due::of(&notice, now);
                let mut archive = due::task(due::ARCHIVE, &format!("notice/{id}/typed"), &notice, now, &of);
                archive.due = now + ANSWERABLE;
                tx.add_task(archive);
                tx.add_tasks(outgoing::tell(&format!("notice/{id}/follow"), &notice.home(), now, &card(&notice)));
                let record = entry(Act::DraftNotice, &notice).now(json!({ "notice": notice.state }));
                tx.audit(&actor, now, record).await?;
            }
        });
        Ok(())
    }

    /// Somebody answers before it is followed: kept until then.
    pub(super) async fn answered_early(&self, id: &str, message: &Message) -> Result<(), ActError> {
        transact!(self.store.as_ref(), |tx| {
            if let Some(mut notice) = tx.get(NOTICES, id).await?.filter(Notice::waits_for_tap) {
                let known = notice.early.entry(message.sender.clone()).or_insert(message.at);
                *known = message.at.min(*known);
                tx.put(NOTICES, id, &notice).await?;
            }
        });
        Ok(())
    }
}

fn card(notice: &Notice) -> Tell {
    let button = |text: &str, what: &str| Button { text: text.into(), key: format!("notice:{}:{what}", notice.id) };
    Tell {
        to: notice.what.escalate_to.clone(),
        title: "按通知跟进，2 小时内回复？".into(),
        text: format!(
            "{}\n\n点「跟进」后，群里不再重发；催没有回复的同事，到期把名单发给您。已经回复的也算。",
            notice.summary(60)
        ),
        buttons: vec![button("跟进", "send"), button("不用", "discard")],
        part: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_says_something_to_everybody_is_one() {
        assert_eq!(words("@所有人 今天 18:00 前交日报").as_deref(), Some("今天 18:00 前交日报"));
        for text in ["今天 18:00 前交日报", "@所有人", "@所有人 收到", "@所有人 早"] {
            assert_eq!(words(text), None, "{text}");
        }
    }
}
