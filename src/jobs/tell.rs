//! A private message to the member a case is about: hint, warning, mute, removal, recall request, good news.
//!
//! Sent as a card with 知道了 and 申诉. If WeCom cannot reach the person, that is written into the case; nobody is shamed in
//! the group instead.

use async_trait::async_trait;

use super::{Ended, Job, JobError, written::note};
use crate::{
    deps::Deps,
    groups::Group,
    model::{Category, Mode, Step, Timestamp},
    moderation::names::is_name,
    platform::Private,
    store::{Case, CaseState, Task, changes::Changes},
    tasks::{Announce, Happened, Kind, OwnerNews, Tell, Topic},
    wecom::cards::{self, Warning},
    zh,
};

/// The job.
pub struct TellJob(pub Deps);

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
        let Some(case) = self.0.store.case(case).await? else { return Ok(Ended::gave_up("违规记录已不存在")) };
        if case.state == CaseState::Revoked
            && !matches!(tell.topic, Topic::Revoked | Topic::AppealRefused | Topic::MuteOver)
        {
            return Ok(Ended::Cancelled { reason: "记录已撤销，不再通知".into() });
        }
        let group = self.0.groups.get(&task.group);
        let news = (tell.topic == Topic::Warn && group.set.mode == Mode::Full && !case.by_hand())
            .then(|| OwnerNews::of(&case.id, Step::Warn, member, group.id(), now));
        let message = message(task, &tell, &case, &group, self.0.public_url.as_deref(), now);
        let sent = self.0.platform.tell(std::slice::from_ref(member), &message, now).await?;
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
            let with = news.into_iter().fold(with, Changes::task);
            Ok(Ended::Done { reason: format!("已私信：{}", tell.topic.zh()), with })
        } else {
            let reason = "私信送不到：对方不在应用可见范围内";
            let with = note(Changes::new(), task, now, Happened::Unreachable, reason);
            Ok(Ended::GaveUp { reason: reason.into(), with: news.into_iter().fold(with, Changes::task) })
        }
    }

    fn on_give_up(&self, task: &Task, reason: &str, now: Timestamp) -> Changes {
        note(Changes::new(), task, now, Happened::GaveUp, reason)
    }
}

/// The message itself; pure, so that tests read it word for word.
pub fn message(task: &Task, tell: &Tell, case: &Case, group: &Group, links: Option<&str>, now: Timestamp) -> Private {
    let rule = case.rule.as_str();
    let said = zh::when(case.at, now);
    let name = group.name();
    let again = if tell.next.is_empty() { String::new() } else { format!("{}。", tell.next) };
    let expires = case.expires_at.map(|at| zh::when(at, now)).unwrap_or_default();
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
    } else if is_name(&case.message) {
        format!("您的群昵称涉及「{}」，请改一个", case.category.zh())
    } else {
        format!("您{said} 的一条消息涉及「{}」", case.category.zh())
    };
    let (title, text) = match tell.topic {
        Topic::Hint => ("友情提示".to_owned(), format!("{about}，这次只做提示，不记分。请留意群规，谢谢配合。")),
        Topic::Warn => (format!("群规提醒（第 {} 次）", tell.n.max(1)), format!("{about}{points}。{again}")),
        Topic::Mute => {
            let until = case.until.map(|u| zh::when(u, now)).unwrap_or_default();
            let how = if tell.by_person {
                format!("管理者已将您禁言，至 {until}。")
            } else {
                format!("本群的禁言是暂时移出：{until} 自动拉回。")
            };
            ("您已被禁言".to_owned(), format!("{about}{points}。{how}{again}"))
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
            return Private::Text(format!("您在「{name}」的禁言已结束，可以正常发言了。谢谢配合。"));
        }
        Topic::Revoked => {
            let why = if tell.next.is_empty() { String::new() } else { format!("（{}）", tell.next) };
            let points = if case.points > 0 { "，相应记分不再计算" } else { "" };
            let text = format!("您在「{name}」的记录 {} 已撤销{why}{points}。给您添麻烦了。", case.id);
            return Private::Text(text);
        }
        Topic::AppealOpened => {
            let when = if tell.next.is_empty() { "请尽快".to_owned() } else { format!("请在 {}内", tell.next) };
            let case = &case.id;
            let text = format!(
                "您对记录 {case} 的申诉已收到。{when}回复「申诉 {case} 理由」说明原因，我会一起转给管理者；不说明也会受理。"
            );
            return Private::Text(text);
        }
        Topic::AppealRefused => {
            let why = if tell.next.is_empty() { String::new() } else { format!("：{}", tell.next) };
            return Private::Text(format!("您对记录 {} 的申诉未成立{why}。如仍有疑问，请联系群主。", case.id));
        }
    };
    let count = if case.points > 0 && tell.of > 0 { zh::nth(tell.n, tell.of) } else { String::new() };
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
