//! `[store]`: where the durable memory lies.

use serde::Deserialize;

/// The durable memory.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// Default `embedded`: files in `data_dir/store`.
    pub engine: Engine,
}

/// Which engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Files on this machine; one process.
    #[default]
    Embedded,
}
