//! 【群规】 in a group that picked a rulebook: the whole of it, once; nobody is punished there before. Who joins later gets it in
//! private (`newcomers`); where the rulebook wants it, staff are asked for their 「同意」.
//!
//! 【群规变更】 in the group: what changes and from when; the change holds from then on, and not before anybody was told.
//!
//! Said with the group's own mouth (app chat, webhook, bot). Where the bot has none, or is only an onlooker, the owner gets the
//! text to pass on. One task sees a change through: told first, then settled on its day.

use async_trait::async_trait;
use serde_json::json;

use super::{Ended, Job, JobError};
use crate::{
    capability::{Act, Provider},
    deps::Deps,
    groups::Group,
    model::{SignedDuration, Timestamp, named_enum},
    newcomers,
    platform::{PlatformError, Private},
    rulebooks::Announcement,
    store::{Task, changes::Changes},
    tasks::Kind,
    zh,
};

/// Told later than planned by no more than this, the change still comes on its day; told later, its days begin anew.
const LATE: SignedDuration = SignedDuration::from_hours(1);
/// A first text that nobody could be told is told as soon as somebody can; looked at this often.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// Bytes of the list of changes: with the words around it a message may have 2048.
const LIST: usize = 1500;

/// The job.
pub struct RulebookJob(pub Deps);

#[async_trait]
impl Job for RulebookJob {
    fn kind(&self) -> Kind {
        Kind::Rulebook
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let mut news: Announcement = super::payload(task)?;
        if !self.0.moderation.rulebooks().is_current(&task.group, &news) {
            return Ok(Ended::Cancelled { reason: "群规又改过，不再适用".into() });
        }
        if news.first {
            return self.first(task, &news, now).await;
        }
        // Killed right after it was told: the store knows better than the task.
        if news.effective.is_some() && news.days > 0 {
            match self.0.moderation.rulebooks().coming(&task.group, &news.rulebook, Timestamp::MIN) {
                Some(known) if known.told => (news.told, news.effective) = (true, Some(known.effective)),
                Some(_) => {}
                None => news.told = true, // it holds already
            }
        }
        let mut reason = String::new();
        if !news.told {
            if let Some(effective) = news.effective {
                let ahead = SignedDuration::from_hours(24 * i64::from(news.days));
                let in_time = now.saturating_add(ahead).unwrap_or(Timestamp::MAX);
                if news.days > 0 && in_time.duration_since(effective) > LATE {
                    news.effective = Some(in_time);
                }
            }
            let told = self.say(&self.0.groups.get(&task.group), &news, now).await?;
            told.zh().clone_into(&mut reason);
            news.told = true;
            if let Some(effective) = news.effective.filter(|_| news.days > 0) {
                self.0.moderation.rulebooks().told(&task.group, &news.rulebook, news.version, effective).await?;
            }
        }
        match news.effective {
            Some(effective) if effective > now => Ok(Ended::Later {
                due: effective,
                reason: format!("{reason}；第 {} 版 {} 生效", news.version, zh::when(effective, now))
                    .trim_start_matches('；')
                    .to_owned(),
                payload: Some(json!(news)),
                with: Changes::new(),
            }),
            Some(_) => {
                self.0.moderation.rulebooks().settle(&task.group, &news.rulebook, now).await?;
                Ok(Ended::done(format!("第 {} 版已生效", news.version)))
            }
            None => Ok(Ended::done(if reason.is_empty() {
                "没有人知道这次改动，不必更正".into()
            } else {
                reason
            })),
        }
    }

    /// A change that nobody heard of does not come; so it is told as soon as that is possible again.
    fn gives_up(&self) -> bool {
        false
    }
}

impl RulebookJob {
    /// The whole text; until it was told the group has no rules that anybody could break.
    async fn first(&self, task: &Task, news: &Announcement, now: Timestamp) -> Result<Ended, JobError> {
        let group = self.0.groups.get(&task.group);
        let rulebooks = self.0.moderation.rulebooks();
        let told = self.say(&group, news, now).await?;
        if !matches!(told, Told::InGroup | Told::ByOwner) {
            return Ok(Ended::later(now + AGAIN, told.zh()));
        }
        let book = rulebooks.at(&task.group, &news.rulebook, now);
        if let Some(book) = book.filter(|_| !self.0.moderation.is_dry_run(&group)) {
            super::notice::refused(newcomers::ask_group(&self.0.notices, &group, &book).await)?;
        }
        rulebooks.knows(&task.group, &news.rulebook, now).await?;
        Ok(Ended::done(told.zh()))
    }

    /// Tells the group, or else the owner; says how that went.
    async fn say(&self, group: &Group, news: &Announcement, now: Timestamp) -> Result<Told, JobError> {
        let can = **self.0.capabilities.load();
        let text = text(news, now);
        if can.provider(Act::Announce, group, None) == Some(Provider::Api) {
            match self.0.platform.announce(group, &text, now).await {
                Ok(()) => return Ok(Told::InGroup),
                Err(PlatformError::Final(_) | PlatformError::Configuration(_)) => {} // it cannot speak there after all
                Err(error) => return Err(error.into()),
            }
        }
        if can.dry_run {
            return Ok(Told::Rehearsed);
        }
        let text = format!("机器人没有在「{}」公告，请您转告群成员：\n{text}", group.name());
        for person in group.deciders().iter().chain(&self.0.escalation) {
            let sent = self.0.platform.tell(std::slice::from_ref(person), &Private::Text(text.clone()), now).await?;
            if sent.unreachable.is_empty() {
                return Ok(Told::ByOwner);
            }
        }
        tracing::warn!(group = %group.id(), rulebook = news.rulebook, "nobody could be told of the rulebook");
        Ok(Told::Nobody)
    }
}

named_enum! {
    /// How people heard of it.
    enum Told {
        /// The bot said it in the group.
        InGroup = "in_group", "已在群里公告";
        /// The owner has the text to pass on.
        ByOwner = "by_owner", "机器人不能在群里发言，已请群主转告";
        /// A dry run.
        Rehearsed = "rehearsed", "演练：没有公告";
        /// There is neither.
        Nobody = "nobody", "没有人可以告知";
    }
}

/// The words; pure, so that tests read them.
pub fn text(news: &Announcement, now: Timestamp) -> String {
    let title = &news.title;
    let Some(effective) = news.effective else {
        return format!("【群规变更】{title}之前公告的改动取消，仍按现行群规。");
    };
    let from = if news.first {
        format!("【群规】本群按{title}管理，现在起生效：")
    } else if news.days == 0 {
        format!("【群规变更】{title}即日起有以下改动：")
    } else {
        format!("【群规变更】{title}将从 {} 起有以下改动，在那之前仍按现行群规：", zh::when(effective, now))
    };
    let mut text = from;
    for (listed, change) in news.changes.iter().enumerate() {
        if text.len() + change.len() > LIST && listed > 0 {
            let unit = if news.first { "条" } else { "处" };
            text.push_str(&format!("\n· 等共 {} {unit}", news.changes.len()));
            break;
        }
        text.push_str("\n· ");
        text.push_str(&crate::wecom::cut(change, LIST));
    }
    text.push_str("\n给群管发送「群规」可看全文。");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_of_changes_fits_into_a_message() {
        let now = Timestamp::UNIX_EPOCH;
        let changes = (0..90).map(|n| format!("新增 第{n}条：群里不发与工作无关的内容，有事请打电话")).collect();
        let news = Announcement {
            rulebook: "own".into(),
            title: "《群规》".into(),
            version: 2,
            effective: Some(now),
            days: 3,
            changes,
            first: false,
            told: false,
        };
        let text = text(&news, now);
        assert!(text.len() <= 2048, "{}", text.len());
        assert!(text.contains("\n· 等共 90 处\n"), "{text}");
        let one = Announcement { changes: vec!["改".repeat(3000)], ..news };
        assert!(super::text(&one, now).len() <= 2048);
    }
}
