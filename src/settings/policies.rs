//! The policies as the config folder and the program have them.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Problem, Settings,
    files::{Kind, Text},
    problem::in_chinese,
};
use crate::policy::{Fault, Policy};

impl Settings {
    /// Every policy by name. All that is wrong in all files at once.
    pub fn policies(&self) -> Result<BTreeMap<String, Arc<Policy>>, Vec<Problem>> {
        let mut policies = BTreeMap::new();
        let mut problems = Vec::new();
        for text in self.files.read_all(Kind::Policy)? {
            match Self::policy(&text) {
                Ok(policy) => {
                    policies.insert(text.name, Arc::new(policy));
                }
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(policies) } else { Err(problems) }
    }

    /// One policy.
    pub fn policy(text: &Text) -> Result<Policy, Vec<Problem>> {
        Policy::parse(&text.name, &text.text).map_err(|faults| in_file(&text.shown, &faults))
    }
}

/// A reader's faults with the file they are in.
pub(super) fn in_file(file: &str, faults: &[Fault]) -> Vec<Problem> {
    faults.iter().map(|fault| Problem::new(file, fault.line, in_chinese(&fault.message))).collect()
}
