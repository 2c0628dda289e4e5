//! What notices have planned: the kinds of their tasks, and whom and which moment each is for.

use serde::{Deserialize, Serialize};

use super::{encode, notice::Notice};
use crate::{model::Timestamp, store::Task, tasks::Kind};

/// Sends at the planned time.
pub const SEND: &str = Kind::NoticeSend.id();
/// Reminds those missing.
pub const REMIND: &str = Kind::NoticeRemind.id();
/// The deadline.
pub const DEADLINE: &str = Kind::NoticeDeadline.id();
/// The lists.
pub const REPORT: &str = Kind::NoticeReport.id();
/// The end.
pub const ARCHIVE: &str = Kind::NoticeArchive.id();
/// Every kind of notices and activities, for registering.
pub const KINDS: &[Kind] = &[
    Kind::NoticeSend,
    Kind::NoticeRemind,
    Kind::NoticeDeadline,
    Kind::NoticeReport,
    Kind::NoticeArchive,
    Kind::ActivityRemind,
    Kind::ActivityClose,
    Kind::ActivitySummary,
];

/// Payload of every kind here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Due {
    /// Which notice.
    pub notice: String,
    /// For those with this deadline; of `notice.send` the planned time.
    pub due: Timestamp,
    /// Of the time, for reminders.
    #[serde(default)]
    pub percent: u8,
    /// Waiting messages were let in already.
    #[serde(default)]
    pub waited: bool,
}

impl Due {
    pub(super) fn of(notice: &Notice, due: Timestamp) -> Self {
        Self { notice: notice.id.clone(), due, percent: 0, waited: false }
    }
}

pub(super) fn task(kind: &str, id: &str, notice: &Notice, now: Timestamp, payload: &Due) -> Task {
    Task::new(id.to_owned(), kind, &notice.home(), now, encode(payload))
}
