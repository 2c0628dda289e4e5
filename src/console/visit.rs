//! Somebody on a page.

use crate::accounts::SignedIn;

/// Somebody on a page.
#[derive(Clone)]
pub(super) struct Visit {
    /// Who.
    pub(super) who: SignedIn,
    /// What their last act said.
    pub(super) told: Option<String>,
}
