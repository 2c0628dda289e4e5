//! Do the rows agree with each other? Asked after a recovery and by `qunguan store verify`.

use std::ops::Bound;

use super::{
    StoreError,
    kv::{Rows, Table, row_name},
    logic,
};

/// At most so many faults are told; more say nothing new.
const MOST_FAULTS: usize = 20;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Checked {
    /// Rows looked at, indexes included.
    pub rows: u64,
    /// What is wrong, at most twenty lines.
    pub faults: Vec<String>,
}

/// Reads every row, looks for every index row that should be there and counts those that should not.
pub fn check(rows: &impl Rows) -> Result<Checked, StoreError> {
    let mut checked = Checked::default();
    let (mut present, mut expected) = (0_u64, 0_u64);
    let mut at = Bound::Included(Vec::new());
    while let Some((key, value)) = rows.next(at.as_ref().map(Vec::as_slice), &[u8::MAX])? {
        checked.rows += 1;
        match Table::of(&key) {
            None => checked.fault(format!("{}: this version knows no such table", row_name(&key))),
            Some(table) if table.is_index() => present += 1,
            Some(_) => match logic::record_of(&key, Some(&value)) {
                Ok(None) => {}
                Ok(Some(record)) => {
                    let (own, index) = logic::keys_of(&record);
                    if own.0 != key {
                        checked.fault(format!("{}: it holds another record", row_name(&key)));
                    }
                    expected += index.len() as u64;
                    for index in index {
                        if rows.get(&index.0)?.is_none() {
                            checked.fault(format!("{}: its index {} is missing", row_name(&key), row_name(&index.0)));
                        }
                    }
                }
                Err(error) => checked.fault(format!("{}: {error}", row_name(&key))),
            },
        }
        at = Bound::Excluded(key);
    }
    if present != expected {
        checked.fault(format!("{present} index rows where {expected} belong"));
    }
    Ok(checked)
}

impl Checked {
    fn fault(&mut self, text: String) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(text);
        }
    }
}
