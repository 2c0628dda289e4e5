//! `[retention]`: how long what was said and what was done is kept.

use jiff::SignedDuration;
use serde::Deserialize;

use crate::duration::duration;

/// How long what was said and what was done is kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Processed messages, for backtests and for recognising what comes twice; default 30 days, at least 7.
    #[serde(deserialize_with = "duration")]
    pub messages: SignedDuration,
    /// Records of who did what (`qunguan audit`); default 730 days, at least 90.
    #[serde(deserialize_with = "duration")]
    pub audit: SignedDuration,
}

impl Default for Retention {
    fn default() -> Self {
        Self { messages: SignedDuration::from_hours(30 * 24), audit: SignedDuration::from_hours(730 * 24) }
    }
}
