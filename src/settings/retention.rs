//! `[retention]`: how long texts are kept.

use jiff::SignedDuration;
use serde::Deserialize;

use super::units::duration;

/// How long texts are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Processed messages, for backtests and for recognising what comes twice; default 30 days, at least 7.
    #[serde(deserialize_with = "duration")]
    pub messages: SignedDuration,
}

impl Default for Retention {
    fn default() -> Self {
        Self { messages: SignedDuration::from_hours(30 * 24) }
    }
}
