//! 发通知 2h 正文: an owner publishes a notice from the private talk. First comes a draft with everything members would see and
//! how many they are, and a card with the two buttons 发出 and 不发; it goes out only when its author presses the first or says
//! 发出 with its number.

use std::fmt::Write;

use async_trait::async_trait;

use super::{Call, Command, CommandError, words};
use crate::{
    access::{self, Action, Principal},
    groups::{Group, Groups},
    model::{MemberId, SignedDuration, Timestamp, UserError},
    notices::{
        Deadline, Draft, Notices,
        notice::{Notice, State},
        outgoing::{self, Button, Tell},
        publish::Preview,
    },
    store::Commit,
    wording,
};

/// Instead of a group: all those the author decides in.
const ALL_GROUPS: &str = "全部";

/// `2h`, `30分钟`, `18:00`, `work:120m`, `2026-11-23T18:00`.
fn deadline(call: &Call<'_>, word: &str) -> Result<Deadline, UserError> {
    if let Ok(length) = words::duration(word) {
        return Ok(Deadline::After(length));
    }
    if let Ok(time) = word.replace('：', ":").parse::<jiff::civil::Time>() {
        let zone = call.desk.rules.get().settings.time_zone.clone();
        let now = call.desk.clock.now().to_zoned(zone);
        if time <= now.time() {
            return Err(UserError::new(format!("今天 {word} 已经过了")));
        }
        return Ok(Deadline::Local(now.date().to_datetime(time)));
    }
    word.parse().map_err(|_| UserError::new(format!("看不懂截止时间「{word}」，请写成 2h、30分钟 或 18:00")))
}

/// Drafts a notice.
pub struct Publish;

#[async_trait]
impl Command for Publish {
    fn names(&self) -> &'static [&'static str] {
        &["发通知", "/notice"]
    }
    fn usage(&self) -> &'static str {
        "发通知 2h 正文（私信我；发给您管理的所有群：发通知 全部 2h 正文）"
    }
    fn help(&self) -> &'static str {
        "起草要求回执的通知"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::PublishNotice)
    }
    fn is_at_large(&self) -> bool {
        true
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let everywhere = call.words.first() == Some(&ALL_GROUPS);
        let at = usize::from(everywhere);
        let text = call.typed_from(at + 1);
        let (Some(word), false) = (call.words.get(at), text.is_empty()) else {
            return Err(Call::usage(self).into());
        };
        let own =
            call.desk.groups.all().into_iter().filter(|g| call.may(Action::PublishNotice, g) && !g.learned.dissolved);
        let groups: Vec<_> = match &call.group {
            _ if everywhere => own.map(|g| g.id().clone()).collect(),
            Some(group) => vec![group.id().clone()],
            None => {
                let names: Vec<String> = own.map(|g| format!("「{}」", Group::name(&g))).collect();
                return Err(UserError::new(format!(
                    "您管理着{}。请写明发到哪个群，例如：#群名 发通知 2h 正文；都发：发通知 全部 2h 正文",
                    names.concat()
                ))
                .into());
            }
        };
        let draft =
            Draft { groups, escalate_to: vec![call.by.clone()], ..Draft::new(text, &[], deadline(call, word)?) };
        let notices = &call.desk.notices;
        let preview = notices.preview(&draft).await?;
        let notice = notices.create(draft, call.by.as_str(), None).await?;
        let mut answer = format!("草稿 {}，还没有发出。\n", notice.id);
        for group in &preview.groups {
            let _ = writeln!(answer, "发到：{}（{} 人）", group.name, group.people);
        }
        let _ = writeln!(answer, "截止：{}", wording::when(preview.deadline, call.desk.clock.now()));
        for warning in &preview.warnings {
            let _ = writeln!(answer, "注意：{warning}");
        }
        let shown =
            preview.group_message.as_deref().unwrap_or_default().replace(crate::notices::publish::NO_ID, &notice.id);
        let _ = write!(
            answer,
            "\n—— 群里会看到 ——\n{shown}\n————\n没有问题请点下面卡片的“发出”，或回复：发出 {}",
            notice.id
        );
        let now = call.desk.clock.now();
        let card = card(&notice, &preview, now);
        let mut tasks = outgoing::tell(&format!("notice/{}/draft", notice.id), &notice.home(), now, &card);
        for task in &mut tasks {
            task.due = now + AFTER_THE_ANSWER;
        }
        call.desk.store.commit(Commit { tasks, ..Commit::default() }).await?;
        call.desk.moderation.ring();
        Ok(answer)
    }
}

/// The card follows the answer, which is under way when it is planned.
const AFTER_THE_ANSWER: SignedDuration = SignedDuration::from_secs(1);

/// The two buttons below a draft.
fn card(notice: &Notice, preview: &Preview, now: Timestamp) -> Tell {
    let (id, due) = (&notice.id, wording::when(preview.deadline, now));
    let button = |text: &str, what: &str| Button { text: text.into(), key: format!("notice:{id}:{what}") };
    Tell {
        to: vec![MemberId::new(&notice.by)],
        title: format!("草稿 {id}，还没有发出"),
        text: format!("{}\n{} 个群，{} 人，{due} 截止", notice.summary(60), preview.groups.len(), preview.people),
        buttons: vec![button("发出", "send"), button("不发", "discard")],
    }
}

/// The author's own notice.
async fn own(notices: &Notices, id: &str, by: &MemberId) -> Result<Notice, CommandError> {
    let notice = notices.get(id).await?;
    if notice.by == by.as_str() { Ok(notice) } else { Err(UserError::new("只有起草的人可以这样做").into()) }
}

/// Sends somebody's own draft; `None` if it was sent before.
pub async fn send(notices: &Notices, groups: &Groups, id: &str, by: &MemberId) -> Result<(Notice, bool), CommandError> {
    let notice = own(notices, id, by).await?;
    if matches!(notice.state, State::Sent | State::Closed) {
        return Ok((notice, false));
    }
    // Who lost the office meanwhile no longer speaks for the group.
    let speaks = |id| access::may(Principal::member(by, &[]), Action::PublishNotice, Some(&groups.get(id))).is_ok();
    if !notice.what.groups.iter().all(speaks) {
        return Err(UserError::new("您已不是其中某个群的群主或管理员，不能发出").into());
    }
    Ok((notices.release(&notice.id, by.as_str()).await?, true))
}

/// A button of the card below a draft; `None` if the key is another card's.
pub async fn press(
    notices: &Notices,
    groups: &Groups,
    key: &str,
    by: &MemberId,
) -> Result<Option<&'static str>, CommandError> {
    match key.split(':').collect::<Vec<_>>().as_slice() {
        ["notice", id, "send"] => {
            let (_, now) = send(notices, groups, id, by).await?;
            Ok(Some(if now { "正在发出" } else { "已经发出过了" }))
        }
        ["notice", id, "discard"] => {
            let notice = own(notices, id, by).await?;
            if matches!(notice.state, State::Sent | State::Closed) {
                return Ok(Some("已经发出，可回复：取消通知"));
            }
            notices.cancel(&notice.id, by.as_str()).await?;
            Ok(Some("草稿已作废"))
        }
        _ => Ok(None),
    }
}

/// Sends a draft.
pub struct Send;

#[async_trait]
impl Command for Send {
    fn names(&self) -> &'static [&'static str] {
        &["发出", "/send"]
    }
    fn usage(&self) -> &'static str {
        "发出 8F2K（私信我）"
    }
    fn help(&self) -> &'static str {
        "把自己的通知草稿发出去"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::PublishNotice)
    }
    fn is_at_large(&self) -> bool {
        true
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let [id] = call.words.as_slice() else { return Err(Call::usage(self).into()) };
        let (notice, now) = send(&call.desk.notices, &call.desk.groups, id, call.by).await?;
        if !now {
            return Ok(format!("通知 {} 已经发出过了。", notice.id));
        }
        call.desk.moderation.ring();
        Ok(format!("通知 {} 正在发出。想知道谁回执了，请发送：通知进度 {}", notice.id, notice.id))
    }
}

/// Takes a notice back.
pub struct Cancel;

#[async_trait]
impl Command for Cancel {
    fn names(&self) -> &'static [&'static str] {
        &["取消通知", "/unsend"]
    }
    fn usage(&self) -> &'static str {
        "取消通知 8F2K（私信我）"
    }
    fn help(&self) -> &'static str {
        "取消自己的通知；已发出的会告诉群里"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::PublishNotice)
    }
    fn is_at_large(&self) -> bool {
        true
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let [id] = call.words.as_slice() else { return Err(Call::usage(self).into()) };
        let notice = own(&call.desk.notices, id, call.by).await?;
        let cancelled = call.desk.notices.cancel(&notice.id, call.by.as_str()).await?;
        call.desk.moderation.ring();
        Ok(format!("通知 {} 已取消。", cancelled.id))
    }
}

/// Tells how a notice stands.
pub struct Progress;

#[async_trait]
impl Command for Progress {
    fn names(&self) -> &'static [&'static str] {
        &["通知进度", "/progress"]
    }
    fn usage(&self) -> &'static str {
        "通知进度 8F2K（私信我）"
    }
    fn help(&self) -> &'static str {
        "看看还差谁的回执"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::PublishNotice)
    }
    fn is_at_large(&self) -> bool {
        true
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, CommandError> {
        let [id] = call.words.as_slice() else { return Err(Call::usage(self).into()) };
        let notice = call.desk.notices.get(id).await?;
        let leads = |id| call.may(Action::PublishNotice, &call.desk.groups.get(id));
        if notice.by != call.by.as_str() && !notice.what.groups.iter().any(leads) {
            return Err(UserError::new("这条通知不是发给您管理的群的").into());
        }
        Ok(call.desk.notices.status(&notice.id).await?.brief())
    }
}
