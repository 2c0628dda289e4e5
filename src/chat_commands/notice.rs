//! 发通知 2h 正文, 发出, 取消通知, 通知进度: an owner publishes a notice from the private talk. First comes a draft with everything
//! members would see and how many they are; it goes out only when its author says so.

use std::fmt::Write;

use async_trait::async_trait;

use super::{Call, Command, when, words};
use crate::{
    access::{Action, Denied},
    groups::Group,
    model::{GroupId, UserError},
    notices::{Deadline, Draft, publish::NO_ID},
    refusal::ActError,
    zh,
};

/// Notices in a list.
const SHOWN: usize = 10;
/// Instead of a group: all those the author decides in.
const ALL_GROUPS: &str = "全部";

/// `2h`, `30分钟`, `18:00`, `明天9点`, `周五 下午3点`, `work:120m`, `2026-11-23T18:00`, and how many words it took.
pub(super) fn deadline(call: &Call<'_>, words: &[&str]) -> Result<(Deadline, usize), UserError> {
    let word = words.first().copied().unwrap_or_default();
    if let Ok(length) = words::duration(word) {
        return Ok((Deadline::After(length), 1));
    }
    let zone = call.commands.rules.get().settings.time_zone.clone();
    let now = call.commands.clock.now().to_zoned(zone);
    // 明天 18:00 is one time, said in two words.
    let said = (1..=2.min(words.len())).rev().find_map(|count| {
        let text = words[..count].concat();
        when::moment(&text, &now).map(|at| (at, count, text))
    });
    if let Some((at, count, text)) = said {
        if at <= now.datetime() {
            return Err(UserError::new(format!("{} 已经过了", zh_said(&text))));
        }
        return Ok((Deadline::Local(at), count));
    }
    let deadline = word.parse().map_err(|_| {
        UserError::new(format!("看不懂截止时间「{word}」，请写成 2h、30分钟、18:00、明天9点、周五下午3点 或 月底"))
    })?;
    Ok((deadline, 1))
}

/// A time without a day is one of today.
fn zh_said(text: &str) -> String {
    if text.starts_with(|c: char| c.is_ascii_digit()) { format!("今天 {text}") } else { text.to_owned() }
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
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let everywhere = call.words.first() == Some(&ALL_GROUPS);
        let at = usize::from(everywhere);
        if call.words.len() < at + 2 {
            return Err(Call::usage(self).into());
        }
        let (deadline, words) = deadline(call, &call.words[at..])?;
        let text = call.typed_from(at + words);
        if text.is_empty() {
            return Err(Call::usage(self).into());
        }
        let own = call
            .commands
            .groups
            .all()
            .into_iter()
            .filter(|g| call.may(Action::PublishNotice, g) && !g.learned.dissolved);
        let groups: Vec<GroupId> = match &call.group {
            _ if everywhere => own.map(|g| g.id().clone()).collect(),
            Some(group) => vec![group.id().clone()],
            None => {
                let names: Vec<String> = own.map(|g| format!("「{}」", Group::name(&g))).collect();
                if names.is_empty() {
                    return Err(call.actor.refusal(Denied::Role).into());
                }
                return Err(UserError::new(format!(
                    "您管理着{}。请写明发到哪个群，例如：#群名 发通知 2h 正文；都发：发通知 全部 2h 正文",
                    names.concat()
                ))
                .into());
            }
        };
        let draft = Draft { groups, escalate_to: vec![call.by()?.clone()], ..Draft::new(text, &[], deadline) };
        let (notice, preview) = call.commands.notices.propose(&call.actor, &draft).await?;
        let mut answer = format!("草稿 {}，还没有发出。\n", notice.id);
        for group in &preview.groups {
            let people = group.people.map_or_else(|| "不知道有谁".into(), |people| format!("{people} 人"));
            let _ = writeln!(answer, "发到：{}（{people}）", group.name);
        }
        let _ = writeln!(answer, "截止：{}", zh::when(preview.deadline, call.commands.clock.now()));
        for warning in &preview.warnings {
            let _ = writeln!(answer, "注意：{warning}");
        }
        let shown = preview.group_message.as_deref().unwrap_or_default().replace(NO_ID, &notice.id);
        let _ = write!(
            answer,
            "\n—— 群里会看到 ——\n{shown}\n————\n没有问题请点下面卡片的“发出”，或回复：发出 {}",
            notice.id
        );
        call.commands.moderation.ring();
        Ok(answer)
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
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let [id] = call.words.as_slice() else { return Err(Call::usage(self).into()) };
        let (notice, now) = call.commands.notices.release(&call.actor, id).await?;
        if !now {
            return Ok(format!("通知 {} 已经发出过了。", notice.id));
        }
        call.commands.moderation.ring();
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
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let [id] = call.words.as_slice() else { return Err(Call::usage(self).into()) };
        let cancelled = call.commands.notices.cancel(&call.actor, id).await?;
        call.commands.moderation.ring();
        Ok(format!("通知 {} 已取消。", cancelled.id))
    }
}

/// Calls an activity off.
pub struct CancelActivity;

#[async_trait]
impl Command for CancelActivity {
    fn names(&self) -> &'static [&'static str] {
        &["取消活动", "/calloff"]
    }
    fn usage(&self) -> &'static str {
        "取消活动 8F2K（私信我）"
    }
    fn help(&self) -> &'static str {
        "取消已公布的活动，并告诉群里"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::PublishNotice)
    }
    fn is_at_large(&self) -> bool {
        true
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let [id] = call.words.as_slice() else { return Err(Call::usage(self).into()) };
        let activity = call.commands.notices.call_off_activity(&call.actor, id).await?;
        call.commands.moderation.ring();
        Ok(format!("活动《{}》已取消，正在告诉群里。", activity.plan.title))
    }
}

/// Tells how a notice stands.
pub struct Progress;

#[async_trait]
impl Command for Progress {
    fn names(&self) -> &'static [&'static str] {
        &["通知进度", "通知", "/progress"]
    }
    fn usage(&self) -> &'static str {
        "通知（或：通知进度 8F2K，私信我）"
    }
    fn help(&self) -> &'static str {
        "最近的通知，或一条通知还差谁的回执"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::PublishNotice)
    }
    fn is_at_large(&self) -> bool {
        true
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let id = match call.words.as_slice() {
            [] => return lately(call).await,
            [id] => id,
            _ => return Err(Call::usage(self).into()),
        };
        Ok(call.commands.notices.progress(&call.actor, id).await?.brief())
    }
}

/// The newest notices of whoever asks and of the groups they lead, a line each.
async fn lately(call: &Call<'_>) -> Result<String, ActError> {
    let notices = call.commands.notices.lately(&call.actor, SHOWN).await?;
    if notices.is_empty() {
        return Ok("还没有发过通知。起草一条请发：发通知 2h 正文".into());
    }
    let now = call.commands.clock.now();
    let mut answer = String::from("最近的通知：");
    for notice in notices {
        let until = notice.due.map(|due| format!("，{} 截止", zh::when(due, now))).unwrap_or_default();
        let _ = write!(answer, "\n· {} {}（{}）{until}", notice.id, notice.summary(20), notice.state.zh());
    }
    answer.push_str("\n看还差谁：通知进度 编号");
    Ok(answer)
}
