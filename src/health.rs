//! What `/readyz` and the start page say of one part of the service: good, lacking something, or broken.

use serde::Serialize;

/// One thing that is looked at to say "ready".
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// A stable word: `store`, `settings`, `archive`, `wecom` …
    pub name: String,
    /// Can it do its work?
    pub ok: bool,
    /// True if the service as a whole is not ready while this is not.
    pub required: bool,
    /// For people, in Chinese.
    pub note: String,
}

impl Check {
    /// It names groups, which not everybody may know.
    pub fn names_groups(&self) -> bool {
        self.name.starts_with("groups_") || self.name == "breaker"
    }
    /// The same for everybody: how many groups, and not which.
    pub fn without_names(self) -> Self {
        let note = match self.note.split_once('：') {
            _ if self.name == "breaker" => "有群已熔断：只记录，不处置，请群主确认".to_owned(),
            Some((count, _)) if self.names_groups() => count.to_owned(),
            _ => return self,
        };
        Self { note, ..self }
    }
    /// All is well.
    pub fn good(name: &str, note: impl Into<String>) -> Self {
        Self { name: name.into(), ok: true, required: false, note: note.into() }
    }
    /// Something is missing, but messages are still handled.
    pub fn lacking(name: &str, note: impl Into<String>) -> Self {
        Self { name: name.into(), ok: false, required: false, note: note.into() }
    }
    /// Nothing can be handled.
    pub fn broken(name: &str, note: impl Into<String>) -> Self {
        Self { name: name.into(), ok: false, required: true, note: note.into() }
    }
}
