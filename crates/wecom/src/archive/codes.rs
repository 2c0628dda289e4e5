//! The return codes of the archive's library (receiving.md §5.4): what each means and what to do about it.

use super::SourceError;
use crate::errors::Credential;

/// What to do where a private key is missing.
pub const KEYS: &str = "请把管理后台 → 管理工具 → 会话内容存档 → 消息加密公钥那一版的私钥加到 private_keys";
/// So many messages at once are too much; fewer are not.
pub const TOO_LARGE: i64 = 301_058;

/// A return code that is not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub i64);

impl Code {
    /// A passing trouble.
    pub const fn passes(self) -> bool {
        matches!(self.0, 10001..=10003 | -1 | 45009 | 45033)
    }

    /// What to tell an operator, in Chinese.
    pub const fn hint(self) -> &'static str {
        match self.0 {
            10000 => Credential::Archive.hint(40001),
            40001 | 40013 | 40091 | 45031 => Credential::Archive.hint(self.0),
            10001 => "网络错误，稍后重试",
            10002 => "返回的数据解析失败，稍后重试",
            10003 => "系统错误，稍后重试",
            10004 => "密钥错误：到管理后台 → 管理工具 → 会话内容存档 → 消息加密公钥填上公钥",
            10005 => "文件编号无效",
            10006 => "解密失败",
            10007 => KEYS,
            10008 => "密钥解析失败",
            10009 => "服务器 IP 不可信：到管理后台 → 管理工具 → 会话内容存档 → 可信 IP 加上服务器的出口 IP",
            10010 => "内容已超过保留期（五天）",
            10011 => "证书错误，请检查系统的根证书",
            301052 | 301053 => super::super::errors::hint(self.0),
            TOO_LARGE => "一次拉取的内容太多",
            _ => "未知错误码",
        }
    }

    /// Sorts a code of a call that pulls.
    pub fn of_pull(self) -> SourceError {
        let text = self.to_string();
        match self.0 {
            _ if self.passes() => SourceError::Retry(text),
            10010 => SourceError::Gap(text),
            _ => SourceError::Configuration(text),
        }
    }

    /// Sorts a code of a call for one file: a bad file is nobody's configuration.
    pub fn of_file(self) -> SourceError {
        match self.0 {
            10005 | 10006 | 10008 => SourceError::Gap(self.to_string()),
            _ => self.of_pull(),
        }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}（{}）", self.0, self.hint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_class() {
        for code in 10001..=10003 {
            assert!(matches!(Code(code).of_pull(), SourceError::Retry(_)), "{code}");
        }
        for code in [10000, 10004, 10007, 10009, 10011, 301_052, 301_053, 4711] {
            assert!(matches!(Code(code).of_pull(), SourceError::Configuration(_)), "{code}");
        }
        assert!(matches!(Code(10010).of_pull(), SourceError::Gap(_)));
        assert!(matches!(Code(10005).of_file(), SourceError::Gap(_)));
        assert!(matches!(Code(10001).of_file(), SourceError::Retry(_)));
        for (code, place) in [
            (10000, "会话内容存档核对 Secret"),
            (40001, "会话内容存档核对 Secret"),
            (40013, "会话内容存档核对 Secret"),
            (10004, "会话内容存档 → 消息加密公钥"),
            (10007, "private_keys"),
            (10009, "会话内容存档 → 可信 IP"),
            (301_052, "会话内容存档续费"),
            (301_053, "会话内容存档开通"),
        ] {
            let said = Code(code).to_string();
            assert!(said.contains("管理后台 → 管理工具 → 会话内容存档") && said.contains(place), "{said}");
        }
    }
}
