//! Asks whoever said that a sentence was harmless whether it passes from now on, and where. No answer means no.

use async_trait::async_trait;

use super::{Ended, Job, JobError};
use crate::{
    access::{Action, Actor, Face, may},
    deps::Deps,
    model::Timestamp,
    platform::Private,
    store::{Case, Task},
    tasks::{Allow, Kind},
    wecom::cards::{self, Button},
};

/// The job.
pub struct AllowJob(pub Deps);

#[async_trait]
impl Job for AllowJob {
    fn kind(&self) -> Kind {
        Kind::Allow
    }

    async fn run(&self, task: &Task, now: Timestamp) -> Result<Ended, JobError> {
        let Allow { to } = super::payload(task)?;
        let Some(id) = &task.case else { return Err(JobError::Final("待办缺少记录".into())) };
        let Some(case) = self.0.store.case(id).await? else { return Ok(Ended::gave_up("违规记录已不存在")) };
        let asked = Actor::member(&to, &self.0.escalation, Face::Card);
        let everywhere = may(&asked.who, Action::DecideCase, None).is_ok();
        let card = card(task, &case, self.0.groups.get(&task.group).name(), everywhere);
        let sent = self.0.platform.tell(std::slice::from_ref(&to), &Private::Card(card), now).await?;
        Ok(if sent.unreachable.is_empty() { Ended::done("已询问") } else { Ended::gave_up("收不到私信") })
    }
}

/// The card; pure, so that tests read it word for word.
pub fn card(task: &Task, case: &Case, group: &str, everywhere: bool) -> serde_json::Value {
    let button = |text, key, primary| Button { text, key, primary };
    let mut choices = vec![button("仅这条", "once", true), button("本群以后放行", "here", false)];
    if everywhere {
        choices.push(button("全公司放行", "everywhere", false));
    }
    let text = format!(
        "这条已记为误判。以后一字不差的同样的话还要不要提醒？放行 90 天后失效，可随时发送：取消放行 {}",
        case.id
    );
    let rows = [("当时判为", case.category.zh().to_owned()), ("编号", case.id.to_string())];
    cards::owner_news(
        task.id.as_str(),
        "这句话以后放行吗？",
        group,
        &text,
        &rows,
        &case.shown(case.evidence.clone()),
        &choices,
    )
}
