//! `[console]`: the pages for owners and admins.

use serde::Deserialize;

/// The console.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Console {
    /// Serve it below `/`; default on. Without it `/` answers 404, and nobody can sign in.
    pub enabled: bool,
}

impl Default for Console {
    fn default() -> Self {
        Self { enabled: true }
    }
}
