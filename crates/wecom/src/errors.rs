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
        | 301053 | 40056 | 41011 | 43012 | 93000 | 93004 | 93008 => Class::Configuration,
        _ => Class::Final,
    }
}

/// What to tell an operator, in Chinese: what is wrong and where to change it; empty for codes that need no explanation.
pub const fn hint(code: i64) -> &'static str {
    match code {
        40001 | 40013 | 40091 => {
            "企业 ID 与 Secret 不配套，或 Secret 已重置：到管理后台 → 应用管理 → 自建应用核对 Secret，到“我的企业”核对企业 ID"
        }
        45031 => "Secret 不安全：到管理后台 → 应用管理 → 自建应用重置，再填进设置",
        48001 | 48002 | 48004 | 48005 | 48009 => {
            "应用没有这个接口的权限：客户群看管理后台 → 客户联系 → 客户 → 可调用接口的应用，其它看应用管理 → 自建应用"
        }
        48006 | 50003 | 60031 => "应用已停用或因长期未用被回收：到管理后台 → 应用管理 → 自建应用重新启用",
        60011 | 60021 | 60030 | 50002 => {
            "成员不在应用可见范围内：到管理后台 → 应用管理 → 自建应用 → 可见范围加上；应用群聊要求是根部门"
        }
        60020 | 301042 => {
            "服务器 IP 不可信：到管理后台 → 应用管理 → 自建应用 → 企业可信 IP 加上服务器的出口 IP，约 1 分钟后生效"
        }
        50001 | 80001 | 85005 | 85008 => {
            "网页的域名不可信：到管理后台 → 应用管理 → 自建应用 → 网页授权及 JS-SDK 填 public_url 的域名"
        }
        84074 => "没有客户联系权限：到管理后台 → 客户联系 → 客户 → 可调用接口的应用加上本应用",
        43012 => {
            "应用没有接收消息的地址，发不了可点击的卡片：到管理后台 → 应用管理 → 自建应用 → 接收消息 → 设置 API 接收"
        }
        93000 => "消息推送的 key 不对，或已被移出群：在企业微信的群设置 → 消息推送里重新添加，把新的 key 填进设置",
        93004 => "消息推送被停用：在企业微信的群设置 → 消息推送里启用",
        93008 => "消息推送不在群里：在企业微信的群设置 → 消息推送里添加",
        93001 => "机器人不在这个会话里，或者还没有人在这里跟机器人说过话",
        93006 => "群的编号不对（机器人的 chatid 区分大小写）",
        86008 => "这个群不是本应用创建的，不能修改成员：请把群的 mode 改成 assisted",
        301002 | 40056 | 41011 => {
            "agent_id 与 Secret 不是同一个应用：到管理后台 → 应用管理 → 自建应用核对 AgentId 和 Secret"
        }
        301052 => "会话内容存档已到期：到管理后台 → 管理工具 → 会话内容存档续费",
        301053 => "会话内容存档没有开通：到管理后台 → 管理工具 → 会话内容存档开通并选择成员",
        301007 => "企业已被停用：请联系企业微信客服",
        _ => "",
    }
}

/// What somebody signed in with: each is set in another place of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The app's Secret.
    App,
    /// The smart bot's BotID and Secret.
    Bot,
    /// The archive's Secret.
    Archive,
}

impl Credential {
    /// What to tell an operator about an error code, in Chinese; empty for codes that need no explanation.
    pub const fn hint(self, code: i64) -> &'static str {
        match (self, code) {
            (Self::Bot, 40001 | 40013 | 40091 | 45031) => {
                "BotID 与 Secret 不配套，或 Secret 已重置：到管理后台 → 安全与管理 → 管理工具 → 智能机器人核对 BotID 和 Secret"
            }
            (Self::Archive, 40001 | 40013 | 40091 | 45031) => {
                "企业 ID 或 Secret 不对：到管理后台 → 管理工具 → 会话内容存档核对 Secret（与自建应用的不同）"
            }
            _ => hint(code),
        }
    }
}

/// An answer of WeCom that is not 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// What was signed in with.
    pub with: Credential,
    /// `errcode`.
    pub code: i64,
    /// `errmsg`, without the changing tail.
    pub message: String,
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "errcode {}: {}", self.code, self.message)?;
        match self.with.hint(self.code) {
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
                    84074, 93000, 93004, 93008, 301_052, 301_053,
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

    /// Whoever reads `/readyz` knows what to change, and where.
    #[test]
    fn whatever_an_admin_has_to_change_says_where() {
        for code in 0..999_999 {
            if class(code) == Class::Configuration {
                assert!(hint(code).contains("：") && hint(code).chars().count() < 80, "{code}: {:?}", hint(code));
            }
        }
        for (code, place) in [
            (60020, "自建应用 → 企业可信 IP"),
            (60011, "自建应用 → 可见范围"),
            (48002, "客户联系 → 客户 → 可调用接口的应用"),
            (84074, "客户联系 → 客户 → 可调用接口的应用"),
            (43012, "接收消息 → 设置 API 接收"),
            (50001, "网页授权及 JS-SDK"),
            (60031, "自建应用重新启用"),
            (301_002, "核对 AgentId 和 Secret"),
            (301_052, "管理工具 → 会话内容存档续费"),
            (93000, "群设置 → 消息推送"),
        ] {
            assert!(hint(code).contains(place), "{code}: {}", hint(code));
        }
    }

    /// The three secrets stand on three pages of the console.
    #[test]
    fn a_wrong_secret_is_looked_for_where_it_is_set() {
        for code in [40001, 40013, 40091] {
            for (with, place) in [
                (Credential::App, "应用管理 → 自建应用"),
                (Credential::Bot, "安全与管理 → 管理工具 → 智能机器人核对"),
                (Credential::Archive, "管理工具 → 会话内容存档"),
            ] {
                let said = ApiError { with, code, message: "invalid credential".into() }.to_string();
                assert!(said.contains(place), "{said}");
                assert_eq!(said.contains("自建应用核对"), with == Credential::App, "{said}");
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
