//! 发通知 in a private talk: the author sees what members would see and how many they are, and gets a card with the two
//! buttons 发出 and 不发; it goes out only when they press the first or say 发出 with its number.

use super::{
    Draft, Notice, Notices,
    answer::Pressed,
    entry,
    outgoing::{self, Button, Tell},
    publish::Preview,
};
use crate::{
    access::Actor,
    audit::Act,
    model::{MemberId, SignedDuration, Timestamp},
    refusal::ActError,
    store::transaction::transact,
    zh,
};

/// The card follows the answer, which is under way when it is planned.
const AFTER_THE_ANSWER: SignedDuration = SignedDuration::from_secs(1);

impl Notices {
    /// Keeps a draft, and sends its author the card.
    pub async fn propose(&self, actor: &Actor, draft: &Draft) -> Result<(Notice, Preview), ActError> {
        let preview = self.preview(actor, draft).await?;
        let now = self.now();
        let notice = transact!(self.store.as_ref(), |tx| {
            let (notice, _) = self.draft_in(tx, actor, draft, None).await?;
            let card = card(&notice, actor.own()?, &preview, now);
            let mut tasks = outgoing::tell(&format!("notice/{}/draft", notice.id), &notice.home(), now, &card);
            for task in &mut tasks {
                task.due = now + AFTER_THE_ANSWER;
            }
            tx.add_tasks(tasks);
            let record = entry(Act::DraftNotice, &notice).now(serde_json::json!({ "notice": notice.state }));
            tx.audit(actor, now, record).await?;
            notice
        });
        Ok((notice, preview))
    }

    /// A button of the card below a draft; `None` if it is another one.
    pub(super) async fn draft_pressed(
        &self,
        actor: &Actor,
        id: &str,
        what: &[&str],
    ) -> Result<Option<Pressed>, ActError> {
        let label = match what {
            ["send"] => {
                let (_, now) = self.release(actor, id).await?;
                if now { "已确认发出" } else { "已经发出过了" }
            }
            ["discard"] => {
                self.discard(actor, id).await?;
                "草稿已作废"
            }
            _ => return Ok(None),
        };
        Ok(Some(Pressed::Settled(label.into())))
    }
}

/// The two buttons below a draft.
fn card(notice: &Notice, author: &MemberId, preview: &Preview, now: Timestamp) -> Tell {
    let (id, due) = (&notice.id, zh::when(preview.deadline, now));
    let button = |text: &str, what: &str| Button { text: text.into(), key: format!("notice:{id}:{what}") };
    Tell {
        to: vec![author.clone()],
        title: format!("草稿 {id}，还没有发出"),
        text: format!("{}\n{} 个群，{} 人，{due} 截止", notice.summary(60), preview.groups.len(), preview.people),
        buttons: vec![button("发出", "send"), button("不发", "discard")],
        part: None,
    }
}
