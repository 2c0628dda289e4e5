//! One neutral line to the whole group, after the member was told in private: it names nobody and repeats nothing.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Ended, Job, JobError, hands::Hands};
use crate::{
    groups::Groups,
    model::Timestamp,
    store::{Case, Store, Task},
    tasks::{Announce, Kind},
};

/// The job.
pub struct AnnounceJob {
    /// The durable memory.
    pub store: Arc<dyn Store>,
    /// Known groups.
    pub groups: Arc<Groups>,
    /// WeCom.
    pub hands: Arc<dyn Hands>,
}

#[async_trait]
impl Job for AnnounceJob {
    fn kind(&self) -> Kind {
        Kind::Announce
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let group = self.groups.get(&task.group);
        let Announce { text } = super::payload(task)?;
        let text = if text.is_empty() {
            let Some(case) = &task.case else { return Err(JobError::Final("待办缺少内容".into())) };
            let Some(case) = self.store.case(case).await? else {
                return Ok(Ended::gave_up("违规记录已不存在"));
            };
            public_line(&case)
        } else {
            text
        };
        self.hands.announce(&group, &text, now).await?;
        Ok(Ended::done("已在群里提醒"))
    }
}

/// The line; pure, so that tests read it word for word.
pub fn public_line(case: &Case) -> String {
    let category = case.category.zh();
    format!("【群管提醒】刚才有一条消息涉及「{category}」，已私下提醒发言人。请大家一起维护群里的秩序。")
}
