//! What the admin console grants the app: its visible range (可见范围) and its place in 客户联系「可调用接口的应用」.

use std::collections::BTreeSet;

use super::{
    api::{Errcode, fail},
    state::State,
    world::Person,
};

/// The department that contains all others.
pub const ROOT: u64 = 1;

/// The app's rights. The sample company grants everything.
#[derive(Clone, Debug)]
pub struct Rights {
    /// Departments the app sees; the root means everybody.
    pub departments: BTreeSet<u64>,
    /// It may call `externalcontact/*`.
    pub customers: bool,
}

impl Default for Rights {
    fn default() -> Self {
        Self { departments: BTreeSet::from([ROOT]), customers: true }
    }
}

impl Rights {
    /// Whether a department's people are in range.
    pub fn sees(&self, department: u64) -> bool {
        self.departments.contains(&ROOT) || self.departments.contains(&department)
    }

    /// What the app may call at all: groups of its own need the root department in range, customers need the list.
    pub fn allow(&self, path: &str) -> Result<(), Errcode> {
        if path.starts_with("appchat/") && !self.departments.contains(&ROOT) {
            return fail(60011, "no privilege: the root department is not in the app's visible range");
        }
        if path.starts_with("externalcontact/") && !self.customers {
            return fail(48002, "api forbidden: the app is not listed in 客户联系");
        }
        Ok(())
    }
}

impl State {
    /// An employee in the app's range. Out of range and unknown are told apart by `user/get` only.
    pub fn in_range(&self, id: &str) -> Option<&Person> {
        self.employee(id).filter(|person| self.rights.sees(person.department))
    }
}
