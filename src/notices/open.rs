//! Which notices words said in a group may still answer.

use serde::{Deserialize, Serialize};

use super::notice::Notice;
use crate::model::Timestamp;

/// A notice that words in a group may answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// Its id.
    pub notice: String,
    /// Words said before this are not about it.
    pub sent: Timestamp,
    /// Its accepted words.
    pub accept: Vec<String>,
    /// It asks a question, so a bare word is no answer.
    #[serde(default)]
    pub confirm: bool,
}

/// Where a notice stands in the list of open ones.
pub(super) fn open_ids(notice: &Notice) -> Vec<String> {
    if notice.what.groups.is_empty() {
        return vec![format!("-/{}", notice.id)];
    }
    notice.what.groups.iter().map(|group| format!("{group}/{}", notice.id)).collect()
}
