//! The files of the models.

use std::path::Path;

use super::ModelError;
use crate::zh;

/// The bytes of a file.
pub(super) fn file(path: &Path) -> Result<Vec<u8>, ModelError> {
    std::fs::read(path).map_err(|e| ModelError::File(path.display().to_string(), zh::refusal(&e)))
}

/// A model of a file.
pub(super) fn model(path: &Path) -> Result<rten::Model, ModelError> {
    rten::Model::load(file(path)?).map_err(|e| ModelError::Model(path.display().to_string(), e.to_string()))
}
