//! What `/readyz` and the start page say of one part of the service: good, worth knowing, lacking something, or broken; and the
//! one sentence above all of it.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::model::named_enum;

named_enum! {
    /// How a part is doing, the best first.
    pub enum Level {
        /// It does its work.
        Good = "good", "正常";
        /// It does its work; something should be known.
        Notice = "notice", "请留意";
        /// Some group is not heard, or nothing can be done in it.
        Degraded = "degraded", "有听不到或做不到的";
        /// Nothing can be handled.
        Down = "down", "不能工作";
    }
}

/// One thing that is looked at to say "ready".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// A stable word: `store`, `settings`, `archive`, `wecom` …
    pub name: String,
    /// How it is.
    pub level: Level,
    /// For people, in Chinese.
    pub note: String,
}

impl Serialize for Check {
    /// `ok` (nothing to be seen to) and `required` (without it nothing is handled) are for whoever knows no levels.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut fields = to.serialize_struct("Check", 5)?;
        fields.serialize_field("name", &self.name)?;
        fields.serialize_field("ok", &self.ok())?;
        fields.serialize_field("required", &(self.level == Level::Down))?;
        fields.serialize_field("level", &self.level)?;
        fields.serialize_field("note", &self.note)?;
        fields.end()
    }
}

impl Check {
    /// Nothing to be seen to.
    pub fn ok(&self) -> bool {
        self.level == Level::Good
    }
    /// It names groups, which not everybody may know.
    pub fn names_groups(&self) -> bool {
        self.name.starts_with("groups_") || self.name == "breaker"
    }
    /// The note up to where it says more.
    pub fn brief(&self) -> &str {
        self.note.split(['：', '；', '。', '（']).next().unwrap_or(&self.note)
    }
    /// All is well.
    pub fn good(name: &str, note: impl Into<String>) -> Self {
        Self { name: name.into(), level: Level::Good, note: note.into() }
    }
    /// It works; this should be known.
    pub fn notice(name: &str, note: impl Into<String>) -> Self {
        Self { name: name.into(), level: Level::Notice, note: note.into() }
    }
    /// Something is not heard or cannot be done, but messages are still handled.
    pub fn lacking(name: &str, note: impl Into<String>) -> Self {
        Self { name: name.into(), level: Level::Degraded, note: note.into() }
    }
    /// Nothing can be handled.
    pub fn broken(name: &str, note: impl Into<String>) -> Self {
        Self { name: name.into(), level: Level::Down, note: note.into() }
    }
}

/// How all of it is doing: as the worst of its parts.
pub fn worst(checks: &[Check]) -> Level {
    checks.iter().map(|check| check.level).max().unwrap_or(Level::Good)
}

/// The first line: everything is heard and acted on, or what is not, the worst first.
pub fn sentence(checks: &[Check]) -> String {
    let level = worst(checks);
    let named = |level: Level| {
        let mut named: Vec<&str> = Vec::new();
        for brief in checks.iter().filter(|check| check.level == level).map(Check::brief) {
            if !named.contains(&brief) {
                named.push(brief);
            }
        }
        named.join("、")
    };
    match level {
        Level::Good => "都听得到、都能处理。".into(),
        Level::Notice => format!("都听得到、都能处理。请留意：{}。", named(level)),
        Level::Degraded => format!("有听不到或做不到的：{}。", named(level)),
        Level::Down => format!("不能工作：{}。", named(level)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_what_is_worst() {
        let good = Check::good("store", "存储正常");
        let notice = Check::notice("settings", "设置已生效，有改动要重启才生效：[log]");
        let deaf = Check::lacking("archive", "没有配置会话存档；群里没有 @ 机器人的消息都看不到");
        let mute = Check::lacking("wecom", "企业微信不认应用的 Secret：errcode 40001");
        let down = Check::broken("process", "正在停止");
        for (checks, said) in [
            (vec![good.clone()], "都听得到、都能处理。"),
            (vec![good.clone(), notice.clone()], "都听得到、都能处理。请留意：设置已生效，有改动要重启才生效。"),
            (
                vec![good, notice, deaf.clone(), mute.clone(), mute],
                "有听不到或做不到的：没有配置会话存档、企业微信不认应用的 Secret。",
            ),
            (vec![deaf, down], "不能工作：正在停止。"),
        ] {
            assert_eq!(sentence(&checks), said);
        }
    }
}
