//! `[http]` and `[[api_token]]`: how the server protects itself and who may use the API.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde::Deserialize;

use super::Secret;
use crate::duration::duration;
use crate::model::{GroupId, MemberId, named_enum};

/// Limits of the HTTP server.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Largest body of a callback, bytes; default 1 MiB. WeCom's own stay below 64 KiB.
    pub callback_bytes: usize,
    /// Largest body of an API call, bytes; default 16 MiB.
    pub api_bytes: usize,
    /// How people reach this server from WeCom, `https://bot.example.com`; with it, notices carry a link to acknowledge. Its
    /// host has to be a 可信域名 of the app.
    pub public_url: Option<String>,
    /// Longest time until a request's headers are complete; default 10 s.
    #[serde(deserialize_with = "duration")]
    pub header_timeout: SignedDuration,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            public_url: None,
            callback_bytes: 1 << 20,
            api_bytes: 16 << 20,
            header_timeout: SignedDuration::from_secs(10),
        }
    }
}

named_enum! {
    /// What an API token is good for; written as `scopes = [...]`.
    pub enum Scope {
        /// Everything.
        Admin = "admin", "全部";
        /// Read who did what.
        Audit = "audit", "操作记录";
        /// Judge texts without a trace.
        Check = "check", "试判";
        /// Read standings, cases, tasks and rules.
        CasesRead = "cases:read", "查看记录";
        /// Say whether a case was one; take it back.
        CasesDecide = "cases:decide", "处理记录";
        /// Read and settle the ledger, close and sign months.
        Ledger = "ledger", "台账";
        /// Hand in messages.
        MessagesWrite = "messages:write", "提交消息";
        /// Notices, activities, exemptions, leave.
        Notices = "notices", "通知";
    }
}

/// A token for `/api/v1`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiToken {
    /// Shown in histories instead of the token.
    pub name: String,
    /// The token; at least 16 characters.
    pub value: Secret,
    /// What it is good for; everything if this is not written.
    #[serde(default)]
    pub scopes: Option<BTreeSet<Scope>>,
    /// Only for these groups; for all, and for what concerns the whole company, if this is not written.
    #[serde(default)]
    pub groups: Option<BTreeSet<GroupId>>,
    /// Whom it belongs to: where two people are wanted, this person and the token are one.
    #[serde(default)]
    pub person: Option<MemberId>,
}
