//! The words of [`qunguan_model`], and those that only this program uses: what is done to a member, cases, tasks.

pub use qunguan_model::*;
pub use qunguan_wecom::clock::{Clock, ShiftedClock, SystemClock};

id_type! {
    /// A case as people say it: four or more characters such as `8F2K`.
    CaseId
    /// A task; also its idempotency key, so the same cause never makes two.
    TaskId
}

named_enum! {
    /// What is done to a member, mildest first.
    pub enum Step {
        /// Nothing.
        None = "none", "无";
        /// A private hint without a strike.
        Hint = "hint", "提示";
        /// A person looks at it; nothing happens to the member meanwhile.
        Review = "review", "人工复核";
        /// A warning.
        Warn = "warn", "警告";
        /// No more messages for a time.
        Mute = "mute", "禁言";
        /// Out of the group.
        Remove = "remove", "移出";
    }
}

named_enum! {
    /// What the product can do in a group; WeCom decides it, not the settings alone.
    pub enum Mode {
        /// The app created the group: it removes and re-adds by itself.
        Full = "full", "全自动";
        /// The owner gets a task card and the bot verifies what it can.
        Assisted = "assisted", "协助";
        /// Only reports.
        Watch = "watch", "观察";
    }
}

/// Are two userids one person's? WeCom tells userids apart without regard to case.
pub fn same_person(one: &MemberId, other: &MemberId) -> bool {
    one.as_str().eq_ignore_ascii_case(other.as_str())
}

/// Something the person at the keyboard did wrong, in Chinese and ready to be shown. Bugs and outages are other types.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UserError(pub String);

impl UserError {
    /// Wraps a sentence for people.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}
