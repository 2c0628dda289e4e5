//! What `/readyz` says: each channel, the settings, what is not covered, what waits for the configuration.

use std::sync::Arc;

use crate::{
    channels::Channel,
    coverage::Gap,
    deps::Deps,
    groups::Group,
    health::Check,
    http::{Readiness, in_flight::InFlight},
    jobs::runner::Runner,
    ocr,
};

/// What `/readyz` asks.
pub(super) struct Ready {
    pub(super) deps: Deps,
    pub(super) channels: Vec<Arc<dyn Channel>>,
    pub(super) runner: Arc<Runner>,
    pub(super) in_flight: InFlight,
    pub(super) ocr: Arc<ocr::Pictures>,
}

#[async_trait::async_trait]
impl Readiness for Ready {
    fn gaps(&self, group: &Group) -> Vec<Gap> {
        self.deps.coverage.gaps(group, **self.deps.capabilities.load())
    }

    async fn checks(&self) -> Vec<Check> {
        let mut checks: Vec<Check> = self.channels.iter().map(|channel| channel.check()).collect();
        if self.channels.is_empty() {
            checks.push(Check::lacking("channels", "没有接入企业微信；只能通过接口提交消息"));
        } else if checks.iter().all(|check| check.name != "archive") {
            checks.push(Check::lacking("archive", "没有配置会话存档；群里没有 @ 机器人的消息都看不到"));
        }
        let status = self.deps.rules.status();
        checks.push(match &status.rejected {
            None if status.waiting.is_empty() => Check::good("settings", "设置已生效"),
            None => {
                let waiting = status.waiting.join("、");
                Check::lacking("settings", format!("设置已生效；这些改动要重启才生效：{waiting}"))
            }
            Some((_, problems)) => {
                let first = problems.first().map(ToString::to_string).unwrap_or_default();
                Check::lacking("settings", format!("新设置有 {} 处错误，仍用旧设置：{first}", problems.len()))
            }
        });
        checks.extend(self.ocr.check());
        if let Some(sentence) = self.deps.rules.get().troubles.sentence() {
            checks.push(Check::lacking("wordlists", sentence));
        }
        for (gap, sentence) in self.deps.coverage.sentences(**self.deps.capabilities.load()) {
            checks.push(Check::lacking(&format!("groups_{gap}"), sentence));
        }
        if let Some(sentence) = self.deps.coverage.unlisted() {
            checks.push(Check::lacking("groups_unlisted", sentence));
        }
        for (why, count) in self.runner.faults() {
            checks.push(Check::lacking("wecom", format!("{count} 项待办等着改设置：{why}")));
        }
        if self.in_flight.is_stopping() {
            checks.push(Check::broken("process", "正在停止"));
        }
        checks
    }
}
