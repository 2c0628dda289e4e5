//! `[wecom.intercept]`: wordlists that WeCom's own 敏感词 should carry. Absent: none, and what is there is left alone.

use serde::Deserialize;

/// What is pushed to WeCom.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intercept {
    /// Wordlists by path without `.txt`: `ads/contact`. An empty list takes away what was pushed before.
    pub wordlists: Vec<String>,
    /// True stops the message, false only reminds its sender; default true.
    #[serde(default = "block")]
    pub block: bool,
    /// Departments it is for, those below included; default the whole company (1).
    #[serde(default = "everybody")]
    pub departments: Vec<i64>,
    /// Userids it is also for.
    #[serde(default)]
    pub users: Vec<String>,
}

fn block() -> bool {
    true
}
fn everybody() -> Vec<i64> {
    vec![1]
}
