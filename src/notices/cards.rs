//! What members see of a notice: their own card with its buttons, and the group's one card with the count.

use super::{
    notice::Notice,
    outgoing::{self, Button, Counter, Part, Tell, Words},
    wording,
};
use crate::{
    model::{MemberId, Timestamp},
    store::Task,
    tasks,
};

/// The buttons of a member's card.
pub(super) fn buttons(notice: &Notice) -> Vec<Button> {
    let id = &notice.id;
    let mut buttons: Vec<Button> = match &notice.what.confirm {
        Some(confirm) => confirm
            .answers
            .iter()
            .enumerate()
            .map(|(n, text)| Button { text: text.clone(), key: format!("notice:{id}:answer:{n}") })
            .collect(),
        None => vec![Button { text: ack(notice), key: format!("notice:{id}:ack") }],
    };
    buttons.push(Button { text: "特殊情况".into(), key: format!("notice:{id}:excuse") });
    buttons
}

/// The word on the button: 收到, unless the notice wants another one such as 同意.
fn ack(notice: &Notice) -> String {
    let own = notice.what.accept.first().filter(|word| word.as_str() == "同意");
    own.map_or_else(|| "收到".to_owned(), Clone::clone)
}

/// The cards, and before them the whole text where a card cannot hold it.
pub(super) fn tell_card(notice: &Notice, id: &str, to: Vec<MemberId>, due: Timestamp, now: Timestamp) -> Vec<Task> {
    // Tasks of one moment go out in the order of their ids.
    let part = |words| Some(Part { notice: notice.id.clone(), words, due });
    let whole = wording::whole(notice).map(|text| Tell { part: part(Words::Whole), ..Tell::text(to.clone(), text) });
    let mut tasks =
        whole.map_or_else(Vec::new, |whole| outgoing::tell(&format!("{id}/a"), &notice.home(), now, &whole));
    let message = Tell {
        to,
        text: wording::card(notice),
        title: wording::card_title(notice, due, now),
        buttons: buttons(notice),
        part: part(Words::Card),
    };
    let id = if tasks.is_empty() { id.to_owned() } else { format!("{id}/b") };
    tasks.extend(outgoing::tell(&id, &notice.home(), now, &message));
    tasks
}

/// The group's one card with the count.
pub(super) fn counter(notice: &Notice, count: wording::Count) -> Counter {
    Counter {
        notice: notice.id.clone(),
        title: format!("通知 {} {}", notice.id, notice.summary(20)),
        text: wording::counter(count),
        acknowledged: count.acknowledged,
        required: count.required - count.exempt,
        button: Button { text: ack(notice), key: format!("notice:{}:ack:group", notice.id) },
    }
}

pub(super) fn counter_task(notice: &Notice, index: usize, count: wording::Count, now: Timestamp) -> Task {
    let id = format!("notice/{}/card/{index}", notice.id);
    tasks::task(id, &notice.what.groups[index], now, &counter(notice, count))
}
