//! A member took a message back (撤回): the case about that message notes it, and a request to take back a leak is fulfilled.
//!
//! The strike stays: what was said was read. Taking back is no message of its own; it counts towards nothing.

use super::{Answer, Moderation, Outcome, campaign};
use crate::{
    detect::Verdict,
    model::{Attachment, Message, MessageId, Step},
    store::{Case, Processed, StoreError, Task, TaskUpdate, Tx, transaction::transact},
    tasks::{self, Ask, Happened, Request, Tell, Topic},
};

/// The message that `message` takes back, if that is all it does.
pub(super) fn takes_back(message: &Message) -> Option<&MessageId> {
    let says_nothing =
        message.text.trim().is_empty() && message.attachments.iter().all(|a| matches!(a, Attachment::Other { .. }));
    message.revokes.as_ref().filter(|_| says_nothing)
}

/// Was the message this case is about taken back?
pub fn is_recalled(case: &Case) -> bool {
    case.happened(Happened::Recalled).is_some()
}

/// Does this task ask somebody to take a leak back, or to see to it?
fn asks_for_it(task: &Task) -> bool {
    tasks::payload::<Ask>(task).is_some_and(|ask| ask.request == Request::Leak)
        || tasks::payload::<Tell>(task).is_some_and(|tell| tell.topic == Topic::Recall)
}

impl Moderation {
    /// Links the taking back to the case and ends what asked for it, in one commit with the mark that this was handled.
    pub(super) async fn recalled(
        &self,
        message: Message,
        of: &MessageId,
        cursor: Option<(String, u64)>,
    ) -> Result<Outcome, StoreError> {
        let answer = transact!(self.store.as_ref(), |tx| {
            if let Some(first) = tx.processed(&message.id).await? {
                return Ok(Outcome::again(&first, &message));
            }
            let now = self.clock.now();
            let record = tx.member(&message.group, &message.sender).await?;
            let live_points = record.standing.live_points(now);
            let answer = Answer { verdict: Verdict::Clean, step: Step::None, points: 0, live_points, case: None };
            tx.process(Processed {
                message: message.clone(),
                verdict: answer.verdict,
                step: answer.step,
                points: answer.points,
                live_points,
                case: None,
            });
            tx.move_cursors(cursor.clone());
            if let Some(mut case) = case_about(tx, &message, of).await? {
                let by_themselves = case.member == message.sender;
                let note = if by_themselves { "本人已撤回该消息" } else { "该消息已被他人撤回" };
                case.note(message.at, &message.sender, Happened::Recalled, note);
                if case.category.is_leak() {
                    let open = tx.tasks_of(&case.id).await?.into_iter();
                    for task in open.filter(|task| !task.state.is_final() && asks_for_it(task)) {
                        let done = TaskUpdate::done(task.id.clone(), now, note);
                        tasks::end(tx, &task, done, "", now);
                    }
                    case.close_if_open();
                }
                tx.put_case(case);
            }
            answer
        });
        Ok(Outcome { duplicate: false, differs: false, answer })
    }
}

/// The case about a message, unless its taking back stands there already.
async fn case_about(tx: &mut Tx<'_>, taking_back: &Message, of: &MessageId) -> Result<Option<Case>, StoreError> {
    let Some(original) = tx.processed(of).await? else { return Ok(None) };
    let Some(id) = original.case.filter(|_| original.message.group == taking_back.group) else { return Ok(None) };
    let theirs = |case: &Case| !campaign::has_joined(case, &taking_back.sender);
    Ok(tx.case(&id).await?.filter(|case| !is_recalled(case) && theirs(case)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Channel, Timestamp};

    #[test]
    fn words_are_judged_even_beside_a_taking_back() {
        let mut message = Message::text(Channel::Http, "r", "g", "a", Timestamp::UNIX_EPOCH, "");
        assert_eq!(takes_back(&message), None);
        message.revokes = Some("http:m".into());
        message.attachments = vec![Attachment::Other { kind: "revoke".into(), raw: String::new() }];
        assert_eq!(takes_back(&message), Some(&MessageId::from("http:m")));
        message.attachments = vec![Attachment::file("红包.apk", None)];
        assert_eq!(takes_back(&message), None);
        message.attachments.clear();
        message.text = "加我微信".into();
        assert_eq!(takes_back(&message), None);
    }
}
