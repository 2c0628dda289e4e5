//! Every sentence that members and superiors read about notices.

use std::fmt::Write;

use super::{deadline::late_minutes, notice::Notice};
use crate::{
    model::{SignedDuration, Timestamp},
    zh::{length, when},
};

/// Names in one list; more are counted.
const NAMES: usize = 40;

fn words(notice: &Notice) -> String {
    let accept = notice.what.accepted();
    format!("“{}”", accept.first().map_or("收到", String::as_str))
}

/// The links below a notice, a line each.
pub fn links(notice: &Notice) -> String {
    notice.what.links.iter().fold(String::new(), |mut text, link| {
        let _ = write!(text, "\n{}：{}", link.title, link.url);
        text
    })
}

/// What being late costs, behind the rest; empty where nothing is counted.
fn cost(notice: &Notice) -> String {
    notice.what.fine.as_ref().map(|fine| format!("\n（{}）", fine.zh())).unwrap_or_default()
}

/// To the group, when it is sent.
pub fn group(notice: &Notice, due: Timestamp, now: Timestamp, required: usize, link: Option<&str>) -> String {
    let how = match (&notice.what.confirm, link) {
        (Some(confirm), _) => format!("请在私信里回答：{}", confirm.question),
        (None, None) => format!("回复{}或点私信里的按钮都可以", words(notice)),
        (None, Some(link)) => format!("回复{}、点私信里的按钮或打开 {link} 都可以", words(notice)),
    };
    // A question ends its own sentence.
    let stop = if how.ends_with(['？', '?', '。', '！', '!']) { "" } else { "；" };
    format!(
        "【通知 {}】请在{} 前回执\n{}{}\n\n需回执 {required} 人。{how}{stop}有特殊情况请私信我：特殊情况 {} 原因{}",
        notice.id,
        when(due, now),
        notice.what.text,
        links(notice),
        notice.id,
        cost(notice),
    )
}

/// To its author, when a planned notice could not be sent.
pub fn not_sent(notice: &Notice, planned: Timestamp, now: Timestamp, why: &str) -> String {
    let next = if notice.what.repeat.is_some() {
        "下一次照常发送。"
    } else {
        "它已取消，可以改好再发一次。"
    };
    format!("通知 {}（{}）原定{} 发送，没有发出：{why}。{next}", notice.id, notice.summary(20), when(planned, now))
}

/// Title of a member's card.
pub fn card_title(notice: &Notice, due: Timestamp, now: Timestamp) -> String {
    format!("通知 {}，请在{} 前回执", notice.id, when(due, now))
}

/// A card shows so many characters, the lengths of its own words taken off.
const CARD: usize = 130;

/// Body of a member's card. What it cannot hold was sent before it ([`whole`]); the question always stands in it.
pub fn card(notice: &Notice) -> String {
    let text = format!("{}{}", notice.what.text, links(notice));
    let question = notice.what.confirm.as_ref().map(|confirm| format!("\n\n{}", confirm.question)).unwrap_or_default();
    let question = question + &cost(notice);
    if text.chars().count() + question.chars().count() <= CARD {
        return text + &question;
    }
    let room = CARD.saturating_sub(question.chars().count()).max(30);
    let first: String = text.chars().take(room).collect();
    format!("{first}…（全文见上一条消息）{question}")
}

/// The whole notice as a message of its own, where a card cannot hold it.
pub fn whole(notice: &Notice) -> Option<String> {
    let text = format!("{}{}", notice.what.text, links(notice));
    let question = notice.what.confirm.as_ref().map_or(0, |confirm| confirm.question.chars().count() + 2);
    let question = question + cost(notice).chars().count();
    (text.chars().count() + question > CARD).then(|| format!("通知 {}\n{text}", notice.id))
}

/// Title of a reminder.
pub fn reminder_title(notice: &Notice, due: Timestamp, now: Timestamp) -> String {
    format!("还差您的回执：通知 {}，{} 截止", notice.id, when(due, now))
}

/// Body of a reminder.
pub fn reminder(notice: &Notice, due: Timestamp, now: Timestamp) -> String {
    format!("还剩 {}。{}", length(due.duration_since(now)), card(notice))
}

/// To those who have not answered when the deadline is over.
pub fn overdue(notice: &Notice, due: Timestamp, now: Timestamp) -> String {
    format!(
        "通知 {} 已在{} 截止，还没有收到您的回执：{}\n现在回执会记为迟到；有特殊情况请回复：特殊情况 {} 原因",
        notice.id,
        when(due, now),
        notice.summary(30),
        notice.id
    )
}

/// Numbers of a notice at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Who had to answer.
    pub required: usize,
    /// Who answered, late ones included.
    pub acknowledged: usize,
    /// Of those, late.
    pub late: usize,
    /// Excused.
    pub exempt: usize,
    /// Without an answer.
    pub missing: usize,
    /// It never reached them.
    pub undelivered: usize,
}

/// How many a notice has not reached, behind the other numbers; nothing where it reached everybody.
pub fn undelivered(count: Count) -> String {
    match count.undelivered {
        0 => String::new(),
        people => format!("，未送达 {people} 人（不计迟到）"),
    }
}

/// To a superior or to the one who ordered it: the list of those without an answer.
pub fn report(
    notice: &Notice,
    due: Timestamp,
    now: Timestamp,
    count: Count,
    missing: &[String],
    explained: &[String],
) -> String {
    let mut text = format!(
        "通知 {} 已在{} 截止：{}\n需回执 {} 人，已回执 {} 人（其中迟到 {} 人），豁免 {} 人，未回执 {} 人{}。",
        notice.id,
        when(due, now),
        notice.summary(30),
        count.required,
        count.acknowledged,
        count.late,
        count.exempt,
        count.missing,
        undelivered(count)
    );
    let waiting = count.required - count.acknowledged - count.exempt - count.missing - count.undelivered;
    if waiting > 0 {
        let _ = write!(text, "另有 {waiting} 人的截止时间还没到。");
    }
    if !missing.is_empty() {
        let _ = write!(text, "\n未回执：{}", names(missing));
    }
    if !explained.is_empty() {
        let _ = write!(text, "\n已说明情况、待处理：{}", names(explained));
    }
    text
}

/// To a superior: only their own people.
pub fn superior(notice: &Notice, due: Timestamp, now: Timestamp, missing: &[String]) -> String {
    format!(
        "通知 {} 已在{} 截止：{}\n您的团队还有 {} 人未回执：{}",
        notice.id,
        when(due, now),
        notice.summary(30),
        missing.len(),
        names(missing)
    )
}

/// Words of the counter card: of those who are not excused, how many have answered.
pub fn counter(count: Count) -> String {
    format!("已回执：{}/{}", count.acknowledged, count.required - count.exempt)
}

/// To who said in private what would be an answer elsewhere.
pub fn how_to_answer(notice: &Notice) -> String {
    if notice.what.confirm.is_some() {
        return format!("通知 {} 要先回答问题：请点私信卡片里的答案，答对才算回执。", notice.id);
    }
    let accept: Vec<String> = notice.what.accepted().iter().map(|word| format!("“{word}”")).collect();
    format!("通知 {} 还差您的回执：请回复{}，或点私信里的按钮。", notice.id, accept.join("或"))
}

/// After an acknowledgement, in private.
pub fn thanks(notice: &Notice, at: Timestamp, due: Timestamp) -> String {
    if at <= due {
        format!("已记下您对通知 {} 的回执，谢谢。", notice.id)
    } else {
        format!("已记下您对通知 {} 的回执，比截止时间晚 {}。", notice.id, late(at, due))
    }
}

/// The same on the buttons that were pressed, of which a card shows twenty characters.
pub fn thanks_label(at: Timestamp, due: Timestamp) -> String {
    if at <= due { "已回执，谢谢".into() } else { format!("已回执，晚 {}", late(at, due)) }
}

/// After an earlier message of somebody who had been counted as late was found.
pub fn corrected(notice: &Notice) -> String {
    format!("已找到您更早的回执，通知 {} 更正为按时回执。", notice.id)
}

/// How late, in full minutes, as in the ledger.
pub fn late(at: Timestamp, due: Timestamp) -> String {
    length(SignedDuration::from_mins(late_minutes(due, at)))
}

/// To those who had not answered a notice that is taken back.
pub fn cancelled(notice: &Notice) -> String {
    format!("【通知 {}】已取消，不用回执：{}", notice.id, notice.summary(30))
}

/// A list that stays readable.
pub fn names(all: &[String]) -> String {
    if all.len() <= NAMES { all.join("、") } else { format!("{} 等 {} 人", all[..NAMES].join("、"), all.len()) }
}
