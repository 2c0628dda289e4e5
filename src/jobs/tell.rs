//! A private message to the member a case is about: hint, warning, mute, removal, recall request, good news.
//!
//! Sent as a card with 知道了 and 申诉. If WeCom cannot reach the person, that is written into the case; nobody is shamed in
//! the group instead.

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    Ended, Job, JobError,
    hands::{Hands, Private},
    remove::note,
};
use crate::{
    groups::{Group, Groups},
    model::{Category, Timestamp},
    store::{Case, CaseState, Store, Task, changes::Changes},
    tasks::{Announce, Happened, Kind, Tell, Topic},
    wecom::cards::{self, Warning},
    wording,
};

/// The job.
pub struct TellJob {
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// WeCom.
    pub hands: Arc<dyn Hands>,
    /// How the world reaches the page for appeals, if it does.
    pub links: Option<String>,
}

#[async_trait]
impl Job for TellJob {
    fn kind(&self) -> Kind {
        Kind::Tell
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let tell: Tell = super::payload(task)?;
        let (Some(member), Some(case)) = (&task.member, &task.case) else {
            return Err(JobError::Final("待办缺少成员或记录".into()));
        };
        let Some(case) = self.store.case(case).await? else { return Ok(Ended::gave_up("违规记录已不存在")) };
        if case.state == CaseState::Revoked && !matches!(tell.topic, Topic::Revoked | Topic::AppealRefused) {
            return Ok(Ended::Cancelled { reason: "记录已撤销，不再通知".into() });
        }
        let group = self.groups.get(&task.group);
        let message = message(task, &tell, &case, &group, self.links.as_deref(), now);
        let sent = self.hands.tell(std::slice::from_ref(member), &message, now).await?;
        if sent.unreachable.is_empty() {
            let mut with = match tell.topic {
                // A warning is over once it is said; what moves people closes with its own task.
                Topic::Hint | Topic::Warn => Changes::new().case(&case.id, Case::close_if_open),
                _ => Changes::new(),
            };
            if matches!(tell.topic, Topic::Hint | Topic::Warn | Topic::Mute | Topic::Remove) {
                with = note(with, task, now, Happened::Told, "");
            }
            if tell.announce {
                with = with.task(Announce::about(&case.id, &task.group, now));
            }
            Ok(Ended::Done { reason: format!("已私信：{}", tell.topic.zh()), with })
        } else {
            let reason = "私信送不到：对方不在应用可见范围内";
            Ok(Ended::GaveUp {
                reason: reason.into(),
                with: note(Changes::new(), task, now, Happened::Unreachable, reason),
            })
        }
    }

    fn on_give_up(&self, task: &Task, reason: &str, now: Timestamp) -> Changes {
        note(Changes::new(), task, now, Happened::GaveUp, reason)
    }
}

/// The message itself; pure, so that tests read it word for word.
pub fn message(task: &Task, tell: &Tell, case: &Case, group: &Group, links: Option<&str>, now: Timestamp) -> Private {
    let rule = case.rule.as_str();
    let said = wording::when(case.at, now);
    let name = group.name();
    let again = if tell.next.is_empty() { String::new() } else { format!("{}。", tell.next) };
    let expires = case.expires_at.map(|at| wording::when(at, now)).unwrap_or_default();
    let points = if case.points > 0 && !tell.counts {
        format!("，记 {} 分（累计 {} 分）", case.points, case.live_points)
    } else {
        String::new()
    };
    let about = if case.by_hand() && !case.evidence.is_empty() && case.category == Category::Junk {
        format!("管理者{said} 复核确认，您的一条消息违反群规") // what people report has no category of its own
    } else if case.by_hand() && !case.evidence.is_empty() {
        format!("管理者{said} 复核确认，您的一条消息涉及「{}」", case.category.zh())
    } else if case.by_hand() {
        format!("管理者{said} 对您做出处理")
    } else {
        format!("您{said} 的一条消息涉及「{}」", case.category.zh())
    };
    let (title, text) = match tell.topic {
        Topic::Hint => ("友情提示".to_owned(), format!("{about}，这次只做提示，不记分。请留意群规，谢谢配合。")),
        Topic::Warn => (format!("群规提醒（第 {} 次）", tell.n.max(1)), format!("{about}{points}。{again}")),
        Topic::Mute => {
            let until = case.until.map(|u| wording::when(u, now)).unwrap_or_default();
            let how = if tell.by_person {
                format!("管理者已暂停您发言，至 {until}。")
            } else {
                format!("您已被暂时移出群聊，{until} 自动拉回。")
            };
            ("您已被暂停发言".to_owned(), format!("{about}{points}。{how}{again}"))
        }
        Topic::Remove => {
            ("您已被移出群聊".to_owned(), format!("{about}{points}，按群规移出。如有异议，请点「申诉」。"))
        }
        Topic::Recall => {
            let by = if tell.next.is_empty() { "尽快".to_owned() } else { format!("在 {} 前", tell.next) };
            (
                "请撤回一条消息".to_owned(),
                format!(
                    "{about}，可能含有不宜外传的信息。请{by}在群里长按该消息撤回。不涉密请点「误报」，确需发送请点「工作需要」。"
                ),
            )
        }
        Topic::MuteOver => {
            return Private::Text(format!("您在「{name}」的暂停发言已结束，可以正常发言了。谢谢配合。"));
        }
        Topic::Revoked => {
            let why = if tell.next.is_empty() { String::new() } else { format!("（{}）", tell.next) };
            let points = if case.points > 0 { "，相应记分不再计算" } else { "" };
            let text = format!("您在「{name}」的记录 {} 已撤销{why}{points}。给您添麻烦了。", case.id);
            return Private::Text(text);
        }
        Topic::AppealRefused => {
            let why = if tell.next.is_empty() { String::new() } else { format!("：{}", tell.next) };
            return Private::Text(format!("您对记录 {} 的申诉未成立{why}。如仍有疑问，请联系群主。", case.id));
        }
    };
    let count = if case.points > 0 && tell.of > 0 {
        format!("第 {} 次 / 共 {} 次", tell.n, tell.of)
    } else {
        String::new()
    };
    Private::Card(cards::warning(&Warning {
        id: task.id.as_str(),
        title: &title,
        group: name,
        text: &text,
        rule,
        count,
        expires,
        case: case.id.as_str(),
        appeal: links.map(|links| format!("{links}/a/{}", case.id)),
        recall: tell.topic == Topic::Recall,
    }))
}
