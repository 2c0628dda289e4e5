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

    /// The table of acting.md §12.1, row by row.
    #[test]
    fn every_code_has_its_class() {
        let classes: [(Class, &[i64]); 6] = [
            (Class::Retry, &[-1, 6000, 41063, 45033, 846_609]),
            (Class::Token, &[40014, 42001]),
            (Class::Wait(Duration::from_secs(60)), &[45009]),
            (Class::Partial, &[81013, 86007, 86216]),
            (
                Class::Configuration,
                &[
                    40001, 40013, 40091, 45031, 48001, 48002, 48004, 48005, 48006, 48009, 50001, 80001, 85005, 85008,
                    50002, 60011, 60021, 60030, 50003, 60031, 301_007, 60020, 301_042, 40056, 41011, 301_002, 43012,
                    84074, 93000, 93004, 93008, 301_052,
                ],
            ),
            (
                Class::Final,
                &[
                    40003, 46004, 60111, 40007, 40004, 40006, 40009, 45001, 40008, 40029, 42003, 42022, 40031, 40032,
                    40033, 40035, 40050, 86003, 40058, 40063, 40096, 84061, 40201, 40204, 85002, 40206, 41001, 41002,
                    41004, 41046, 41047, 41048, 41093, 41094, 41068, 41069, 41070, 41071, 41076, 41077, 41083, 41084,
                    41091, 42014, 42015, 42016, 42017, 42018, 42019, 42020, 42027, 42031, 42045, 42051, 42052, 43004,
                    43009, 44004, 45002, 49008, 60140, 81011, 82001, 82002, 82003, 82004, 84014, 84015, 84083, 84084,
                    86001, 86002, 86004, 86005, 86006, 86008, 86101, 86201, 86202, 86203, 86204, 86205, 86206, 86207,
                    86214, 86215, 86217, 86220, 86222, 86224, 90500, 93001, 93006, 93017, 93018, 93019, 301_059,
                    701_099, 846_605, 846_608, 850_001, 851_014, 999_999,
                ],
            ),
        ];
        for (expected, codes) in classes {
            for code in codes {
                assert_eq!(class(*code), expected, "{code}");
            }
        }
    }

    #[test]
    fn messages_lose_their_tail() {
        assert_eq!(
            stable_message("not allow to access from your ip, hint: [1], from ip: 1.2.3.4"),
            "not allow to access from your ip"
        );
    }
}
