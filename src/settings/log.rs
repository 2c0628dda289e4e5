//! `[log]`: how the log is written. It goes to stderr and never holds message texts or secrets.

use serde::Deserialize;

/// The log.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Default `text`.
    pub format: Format,
    /// Least level, or directives such as `info,qunguan::wecom=debug`; default `info`. `RUST_LOG` wins.
    pub level: String,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For eyes.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: Format::Text, level: "info".to_owned() }
    }
}
