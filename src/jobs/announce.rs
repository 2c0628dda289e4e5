//! One neutral line to the whole group, after the member was told in private: it names nobody and repeats nothing.

use async_trait::async_trait;

use super::{Ended, Job, JobError, notice::refused};
use crate::{
    deps::Deps,
    model::Timestamp,
    store::{Case, Task},
    tasks::{Announce, Kind},
};

/// The job.
pub struct AnnounceJob(pub Deps);

#[async_trait]
impl Job for AnnounceJob {
    fn kind(&self) -> Kind {
        Kind::Announce
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let group = self.0.groups.get(&task.group);
        let Announce { text, notice } = super::payload(task)?;
        if !notice.is_empty() {
            let Some(text) = refused(self.0.notices.ready_for_group(&notice, now).await)? else {
                return Ok(Ended::gave_up("通知已结束，不再公布"));
            };
            self.0.platform.announce(&group, &text, now).await?;
            refused(self.0.notices.reached_group(&notice, group.id(), now).await)?;
            return Ok(Ended::done("已在群里公布"));
        }
        let text = if text.is_empty() {
            let Some(case) = &task.case else { return Err(JobError::Final("待办缺少内容".into())) };
            let Some(case) = self.0.store.case(case).await? else {
                return Ok(Ended::gave_up("违规记录已不存在"));
            };
            public_line(&case)
        } else {
            text
        };
        self.0.platform.announce(&group, &text, now).await?;
        Ok(Ended::done("已在群里提醒"))
    }
}

/// The line; pure, so that tests read it word for word.
pub fn public_line(case: &Case) -> String {
    let category = case.category.zh();
    format!("【群管提醒】刚才有一条消息涉及「{category}」，已私下提醒发言人。请大家一起维护群里的秩序。")
}
