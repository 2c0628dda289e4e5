//! Every error code that matters (acting.md §12), what it means for a caller, and what an operator can do about it.

use std::time::Duration;

/// What to do about an error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A passing trouble: try again with backoff.
    Retry,
    /// The token is no longer good: refresh once and repeat.
    Token,
    /// A limit: wait so long.
    Wait(Duration),
    /// Some of the people named are wrong: read again, drop them, repeat once.
    Partial,
    /// An admin has to change something in WeCom or in our settings.
    Configuration,
    /// No repetition will help.
    Final,
}

/// Sorts an error code. Unknown codes are final, so that nothing is hammered.
pub const fn class(code: i64) -> Class {
    match code {
        -1 | 6000 | 45033 | 41063 | 846_601 | 846_602 | 846_609 => Class::Retry,
        40014 | 42001 => Class::Token,
        45009 => Class::Wait(Duration::from_secs(60)),
        86007 | 86216 | 81013 => Class::Partial,
        60020 | 301042 | 40001 | 40013 | 40091 | 45031 | 48001 | 48002 | 48004 | 48005 | 48006 | 48009 | 50001
        | 50002 | 50003 | 60011 | 60021 | 60030 | 60031 | 80001 | 84074 | 85005 | 85008 | 301002 | 301007 | 301052
        | 40056 | 41011 | 43012 | 93000 | 93004 | 93008 => Class::Configuration,
        _ => Class::Final,
    }
}

/// What to tell an operator, in Chinese; empty for codes that need no explanation.
pub const fn hint(code: i64) -> &'static str {
    match code {
        40001 | 40013 | 40091 => "corp_id 与 secret 不匹配，或 secret 已重置",
        45031 => "secret 不安全，请在管理后台重置",
        48001 | 48002 | 48004 | 48005 => "应用没有这个接口的权限",
        48006 | 50003 | 60031 => "应用已停用或因长期未用被回收，请在管理后台恢复",
        60011 | 60021 | 60030 | 50002 => "成员不在应用可见范围内；应用群聊要求可见范围是根部门",
        60020 | 301042 => "服务器 IP 不在应用的企业可信 IP 里；加上后约 1 分钟生效",
        84074 => "没有客户联系权限：把应用加到「可调用接口的应用」",
        43012 => "应用没有设置接收消息的地址，发不了可点击的卡片",
        93000 => "消息推送的 key 不对，或已被移出群",
        93004 => "消息推送被停用",
        93008 => "消息推送不在群里",
        93001 => "机器人不在这个会话里，或者还没有人在这里跟机器人说过话",
        93006 => "群的编号不对（机器人的 chatid 区分大小写）",
        86008 => "这个群不是本应用创建的，不能修改成员：请把群的 mode 改成 assisted",
        301002 | 40056 | 41011 => "agent_id 与 secret 不是同一个应用",
        301052 => "会话内容存档服务已到期",
        301007 => "企业已被停用",
        _ => "",
    }
}

/// An answer of WeCom that is not 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// `errcode`.
    pub code: i64,
    /// `errmsg`, without the changing tail.
    pub message: String,
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "errcode {}: {}", self.code, self.message)?;
        match hint(self.code) {
            "" => Ok(()),
            hint => write!(f, "（{hint}）"),
        }
    }
}

/// `errmsg` up to the changing hint, address and link.
pub fn stable_message(errmsg: &str) -> String {
    errmsg.split(", hint:").next().unwrap_or_default().chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted() {
        assert_eq!(class(-1), Class::Retry);
        assert_eq!(class(42001), Class::Token);
        assert!(matches!(class(45009), Class::Wait(_)));
        assert_eq!(class(60020), Class::Configuration);
        assert_eq!(class(86216), Class::Partial);
        assert_eq!(class(40058), Class::Final);
        assert_eq!(class(999_999), Class::Final);
    }

    #[test]
    fn messages_lose_their_tail() {
        assert_eq!(
            stable_message("not allow to access from your ip, hint: [1], from ip: 1.2.3.4"),
            "not allow to access from your ip"
        );
    }
}
