//! 改草稿 8F2K 重复 每周: what 发通知 does not ask for is set on the draft, one thing a message.

use async_trait::async_trait;

use super::{Call, Command, notice::deadline, words};
use crate::{
    access::Action,
    model::UserError,
    notices::{
        Draft,
        deadline::Deadline,
        notice::{Joiners, Repeat, is_id},
    },
    refusal::ActError,
    zh,
};

/// What can be set, with an example.
const FIELDS: [(&str, &str); 7] = [
    ("截止", "明天18:00"),
    ("定时", "明天9点"),
    ("重复", "每周"),
    ("用语", "同意"),
    ("名单", "@王经理"),
    ("新人", "也要"),
    ("提醒", "50 90"),
];

/// The command.
pub struct Revise;

#[async_trait]
impl Command for Revise {
    fn names(&self) -> &'static [&'static str] {
        &["改草稿", "/revise"]
    }
    fn usage(&self) -> &'static str {
        "改草稿 8F2K 重复 每周（私信我）"
    }
    fn help(&self) -> &'static str {
        "改通知草稿的截止、定时、重复、用语、名单、新人、提醒"
    }
    fn action(&self) -> Option<Action> {
        Some(Action::PublishNotice)
    }
    fn is_at_large(&self) -> bool {
        true
    }
    fn fits(&self, typed: &[&str]) -> bool {
        typed.first().is_none_or(|id| is_id(id))
    }
    async fn run(&self, call: &Call<'_>) -> Result<String, ActError> {
        let [id, field, value @ ..] = call.words.as_slice() else {
            let fields: Vec<String> = FIELDS.iter().map(|(field, value)| format!("{field} {value}")).collect();
            return Err(UserError::new(format!("写成：改草稿 编号 项目 内容。项目有：{}", fields.join("；"))).into());
        };
        let notice = call.commands.notices.get(id).await?;
        let mut draft = notice.what;
        set(call, &mut draft, field, value)?;
        let (notice, preview) = call.commands.notices.revise(&call.actor, id, &draft).await?;
        let now = call.commands.clock.now();
        let repeat = notice.what.repeat.as_ref().map(|every| format!("，{}重复", every.zh())).unwrap_or_default();
        let at = notice.what.send_at.map(|at| format!("，{} 发出", zh::when(at, now))).unwrap_or_default();
        let until = zh::when(preview.deadline, now);
        Ok(format!("草稿 {id} 已改{at}{repeat}，{until} 截止，{} 人。没有问题请回复：发出 {id}", preview.people))
    }
}

fn set(call: &Call<'_>, draft: &mut Draft, field: &str, value: &[&str]) -> Result<(), UserError> {
    let unclear = || {
        let example = FIELDS.iter().find(|(name, _)| *name == field).map_or("重复 每周", |(_, example)| example);
        UserError::new(format!("看不懂「{field} {}」，例如：{example}", value.join(" ")))
    };
    match field {
        "截止" => draft.deadline = deadline(call, value)?.0,
        "定时" => {
            let Deadline::Local(at) = deadline(call, value)?.0 else { return Err(unclear()) };
            draft.send_at = Some(call.commands.rules.get_full().calendar.instant(at)?);
        }
        "重复" => {
            draft.repeat = match value {
                ["每天"] => Some(Repeat::Day),
                ["每个工作日" | "工作日"] => Some(Repeat::Workday),
                ["每周"] => Some(Repeat::Week),
                ["每月"] => Some(Repeat::Month),
                ["不" | "不重复"] => None,
                _ => return Err(unclear()),
            }
        }
        "用语" if !value.is_empty() => draft.accept = value.iter().map(|word| (*word).to_owned()).collect(),
        "新人" => {
            draft.joiners = match value {
                ["也要"] => Joiners::Include,
                ["不用"] => Joiners::Ignore,
                _ => return Err(unclear()),
            }
        }
        "提醒" => {
            let percents = value.iter().map(|word| word.trim_end_matches('%').parse::<u8>().ok().filter(|p| *p < 100));
            draft.reminders = percents.collect::<Option<Vec<u8>>>().ok_or_else(unclear)?;
        }
        "名单" if !value.is_empty() => {
            let groups: Vec<_> = draft.groups.iter().map(|id| call.commands.groups.get(id)).collect();
            let find = |word: &&str| groups.iter().find_map(|group| words::member(group, word).ok());
            draft.escalate_to = value.iter().map(find).collect::<Option<Vec<_>>>().ok_or_else(unclear)?;
        }
        _ => return Err(unclear()),
    }
    Ok(())
}
