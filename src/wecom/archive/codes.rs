//! The return codes of the archive's library (receiving.md §5.4): what each means and what to do about it.

use super::SourceError;

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
            10000 => "参数错误，请检查 corp_id 和会话存档的 secret",
            10001 => "网络错误，稍后重试",
            10002 => "返回的数据解析失败，稍后重试",
            10003 => "系统错误，稍后重试",
            10004 => "密钥错误，请检查管理后台的公钥",
            10005 => "文件编号无效",
            10006 => "解密失败",
            10007 => "找不到对应版本的私钥",
            10008 => "密钥解析失败",
            10009 => "服务器 IP 不在会话存档的可信 IP 里",
            10010 => "内容已超过保留期（五天）",
            10011 => "证书错误，请检查系统的根证书",
            301052 => "会话内容存档服务已到期",
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
        for code in [10000, 10004, 10007, 10009, 10011, 301_052, 4711] {
            assert!(matches!(Code(code).of_pull(), SourceError::Configuration(_)), "{code}");
        }
        assert!(matches!(Code(10010).of_pull(), SourceError::Gap(_)));
        assert!(matches!(Code(10005).of_file(), SourceError::Gap(_)));
        assert!(matches!(Code(10001).of_file(), SourceError::Retry(_)));
        assert_eq!(Code(10009).to_string(), "10009（服务器 IP 不在会话存档的可信 IP 里）");
    }
}
