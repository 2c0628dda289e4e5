//! What `qunguan train` learned: one model a category in `data_dir/learned`, with the company's own data and never shipped.

use std::{path::PathBuf, sync::Arc};

use super::{Problem, Settings};
use crate::{detect::learned::Model, model::Category, zh};

impl Settings {
    /// Where a category's model lies.
    pub fn model_path(&self, category: Category) -> PathBuf {
        self.data_dir.join("learned").join(format!("{category}.model"))
    }

    /// One category's model, `None` if nothing was trained.
    pub fn model(&self, category: Category) -> Result<Option<Model>, Problem> {
        let path = self.model_path(category);
        match std::fs::read(&path) {
            Ok(bytes) => Model::load(&bytes).map(Some).map_err(|e| Problem::new(&path, 0, e.to_string())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Problem::new(&path, 0, format!("读不了：{}", zh::refusal(&e)))),
        }
    }

    /// Where models may lie.
    pub(super) fn model_paths(&self) -> impl Iterator<Item = PathBuf> {
        Category::ALL.iter().map(|category| self.model_path(*category))
    }

    /// All models that can be read, and what is wrong with the others.
    pub(super) fn models(&self) -> (Vec<(Category, Arc<Model>)>, Vec<Problem>) {
        let mut models = Vec::new();
        let mut problems = Vec::new();
        for category in Category::ALL {
            match self.model(*category) {
                Ok(model) => models.extend(model.map(|model| (*category, Arc::new(model)))),
                Err(problem) => problems.push(problem),
            }
        }
        (models, problems)
    }
}
