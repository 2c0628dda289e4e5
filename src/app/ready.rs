//! What `/readyz` says: each channel, the settings, what is not covered, what waits for the configuration.

use std::sync::Arc;

use crate::{
    channels::Channel,
    coverage::Gap,
    deps::Deps,
    groups::Group,
    health::Check,
    http::{Readiness, in_flight::InFlight},
    jobs::runner::{Fault, Runner},
    model::{SignedDuration, Timestamp},
    ocr,
    wecom::contact::Contact,
    zh,
};

/// WeCom may be silent for so long before it is told.
const SILENT: SignedDuration = SignedDuration::from_mins(1);
/// A clock that is off by more is told: WeCom's signatures count for minutes.
const CLOCK_OFF: SignedDuration = SignedDuration::from_mins(1);

/// What `/readyz` asks.
pub(super) struct Ready {
    pub(super) deps: Deps,
    pub(super) channels: Vec<Arc<dyn Channel>>,
    pub(super) runner: Arc<Runner>,
    pub(super) in_flight: InFlight,
    pub(super) ocr: Arc<ocr::Pictures>,
}

impl Ready {
    /// How it goes with each of WeCom's clients: the check's name, what people call it, and what its calls told.
    fn contacts(&self) -> Vec<(&'static str, &'static str, Contact)> {
        let clients =
            [("wecom_app", "应用", &self.deps.wecom.app), ("wecom_archive", "会话内容存档", &self.deps.wecom.archive)];
        clients.into_iter().filter_map(|(name, what, client)| Some((name, what, client.as_ref()?.contact()))).collect()
    }
}

/// Whether WeCom answers, takes our secrets and agrees on the time.
fn wecom(contacts: &[(&str, &str, Contact)], now: Timestamp) -> Vec<Check> {
    let mut checks = Vec::new();
    let silent = contacts.iter().filter_map(|(_, _, contact)| contact.silent.as_ref());
    let silent = silent.filter(|(since, _)| now.duration_since(*since) >= SILENT).min_by_key(|(since, _)| *since);
    if let Some((since, why)) = silent {
        let waited = zh::length(now.duration_since(*since));
        checks.push(Check::lacking("wecom_silent", format!("企业微信没有应答：已有 {waited}（{why}）")));
    }
    for (name, what, contact) in contacts {
        if let Some(error) = &contact.refused {
            checks.push(Check::lacking(name, format!("企业微信拒绝了{what}的登录：{error}")));
        }
    }
    let off = contacts.iter().map(|(_, _, contact)| contact.ahead).max_by_key(|ahead| ahead.abs());
    if let Some(off) = off.filter(|off| off.abs() > CLOCK_OFF) {
        let way = if off.is_negative() { "慢" } else { "快" };
        let length = zh::length(off.abs());
        checks.push(Check::lacking(
            "clock",
            format!("本机时钟比企业微信{way} {length}：请打开自动对时，否则回调会验证不过"),
        ));
    }
    checks
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
                Check::notice("settings", format!("设置已生效，有改动要重启才生效：{waiting}"))
            }
            Some((_, problems)) => {
                let first = problems.first().map(ToString::to_string).unwrap_or_default();
                Check::notice("settings", format!("新设置有 {} 处错误，仍用旧设置：{first}", problems.len()))
            }
        });
        checks.extend(self.ocr.check());
        if let Some(sentence) = self.deps.rules.get().troubles.sentence() {
            checks.push(Check::notice("wordlists", sentence));
        }
        for (gap, sentence) in self.deps.coverage.sentences(**self.deps.capabilities.load()) {
            checks.push(Check::lacking(&format!("groups_{gap}"), sentence));
        }
        if let Some(sentence) = self.deps.coverage.unlisted() {
            checks.push(Check::notice("groups_unlisted", sentence));
        }
        let contacts = self.contacts();
        checks.extend(wecom(&contacts, self.deps.clock.now()));
        for (fault, count) in self.runner.faults() {
            let Fault { why, mend } = fault;
            // That nobody can sign in is said once.
            let said =
                contacts.iter().any(|(_, _, contact)| contact.refused.as_ref().is_some_and(|e| e.to_string() == why));
            if !said {
                let state = if mend { "等着改设置" } else { "做不成，还在重试" };
                checks.push(Check::lacking("wecom", format!("{count} 项待办{state}：{why}")));
            }
        }
        if self.deps.capabilities.load().dry_run {
            checks.push(Check::notice("dry_run", "演练中，不发送、不处置"));
        }
        if self.in_flight.is_stopping() {
            checks.push(Check::broken("process", "正在停止"));
        }
        checks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wecom::errors::{ApiError, Credential};

    #[test]
    fn silence_a_refusal_and_a_wrong_clock_are_named_each_once() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        let notes = |app: &Contact, archive: &Contact| {
            let contacts = [("wecom_app", "应用", app.clone()), ("wecom_archive", "会话内容存档", archive.clone())];
            wecom(&contacts, now).into_iter().map(|check| check.brief().to_owned()).collect::<Vec<_>>()
        };
        let silent = |minutes: i64| Contact {
            silent: Some((now - SignedDuration::from_mins(minutes), "network: timeout".into())),
            ..Contact::default()
        };
        let refused = ApiError { with: Credential::App, code: 40001, message: "invalid credential".into() };
        let refused = Contact { refused: Some(refused), ..Contact::default() };
        let off = |seconds: i64| Contact { ahead: SignedDuration::from_secs(seconds), ..Contact::default() };
        let well = Contact::default();
        assert_eq!(notes(&well, &well), [""; 0]);
        assert_eq!(notes(&silent(0), &off(60)), [""; 0], "not yet");
        assert_eq!(notes(&silent(1), &silent(5)), ["企业微信没有应答"]);
        assert_eq!(notes(&refused, &refused), ["企业微信拒绝了应用的登录", "企业微信拒绝了会话内容存档的登录"]);
        assert_eq!(notes(&off(61), &off(-600)), ["本机时钟比企业微信慢 10 分钟"]);
        assert_eq!(notes(&off(120), &well), ["本机时钟比企业微信快 2 分钟"]);
    }
}
