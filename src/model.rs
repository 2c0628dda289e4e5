//! The words everybody in the house uses: who, where, when, what kind, how bad.
//!
//! Chinese names shown to people live beside the English ones used in files and over HTTP, so that one
//! thing has one name everywhere.

pub use jiff::{SignedDuration, Timestamp};
pub use qunguan_detect::model::{Attachment, Category, GroupId, MemberId, Role, Severity, Stage, UnknownName};
pub use qunguan_detect::{id_type, named_enum};
use serde::{Deserialize, Serialize};

id_type! {
    /// A message, unique over all channels: the channel's name, a colon, the channel's own id.
    MessageId
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

named_enum! {
    /// How a group came to exist, which bounds what a server may do there (`docs/wecom.md`).
    pub enum GroupKind {
        /// Created by the app through `appchat/create`.
        App = "app", "应用群";
        /// Internal, created by people.
        Internal = "internal", "内部群";
        /// Customer group (客户群), with external people.
        Customer = "customer", "客户群";
        /// Internal, with the smart bot as a member.
        Bot = "bot", "机器人群";
    }
}

named_enum! {
    /// The way a message came in.
    pub enum Channel {
        /// 会话内容存档.
        Archive = "archive", "会话存档";
        /// 智能机器人, callback or socket.
        Bot = "bot", "智能机器人";
        /// Self-built app callback (1:1 messages).
        App = "app", "自建应用";
        /// `POST /api/v1/messages`.
        Http = "http", "接口";
    }
}

/// One message of one person in one group (or alone with the bot: then `group` is empty).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Unique over all channels.
    pub id: MessageId,
    /// The way it came.
    pub channel: Channel,
    /// Where it was said; empty in a private talk.
    pub group: GroupId,
    /// Who said it.
    pub sender: MemberId,
    /// The name shown in the group, when the channel tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_name: Option<String>,
    /// When it was said, by WeCom's own clock.
    pub at: Timestamp,
    /// The sender's own words, quotes stripped.
    pub text: String,
    /// Everything else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// The id of the message this one takes back (撤回).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revokes: Option<MessageId>,
    /// Addressed to the bot (@ or private): may be a command.
    #[serde(default)]
    pub to_bot: bool,
}

impl Message {
    /// Takes what the records in it say for its sender's own words.
    pub fn say_forwarded(&mut self) {
        for part in &self.attachments {
            let Attachment::Forwarded { title, items } = part else { continue };
            for words in std::iter::once(title).chain(items).filter(|words| !words.is_empty()) {
                if !self.text.is_empty() {
                    self.text.push('\n');
                }
                self.text.push_str(words);
            }
        }
    }

    /// A plain text message; tests and the HTTP channel start here.
    pub fn text(channel: Channel, id: &str, group: &str, sender: &str, at: Timestamp, text: &str) -> Self {
        Self {
            id: MessageId::new(format!("{channel}:{id}")),
            channel,
            group: group.into(),
            sender: sender.into(),
            sender_name: None,
            at,
            text: text.to_owned(),
            attachments: Vec::new(),
            revokes: None,
            to_bot: false,
        }
    }
}

/// Where "now" comes from: the machine, or a simulator whose clock can be moved.
pub trait Clock: Send + Sync + 'static {
    /// The present.
    fn now(&self) -> Timestamp;
    /// Resolves when the clock was moved by hand, so that sleepers look again. The machine's clock never does.
    fn moved(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::pending())
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The machine's clock plus an offset that can be moved; the simulator's and the tests' clock.
#[derive(Debug, Default)]
pub struct ShiftedClock {
    offset_ms: std::sync::atomic::AtomicI64,
    fixed_ms: Option<std::sync::atomic::AtomicI64>,
    moves: std::sync::atomic::AtomicU64,
    moved: tokio::sync::Notify,
}

impl ShiftedClock {
    /// Runs with the machine, offset zero.
    pub fn new() -> Self {
        Self::default()
    }
    /// Stands still at `at` until it is moved: for tests.
    pub fn fixed(at: Timestamp) -> Self {
        Self { fixed_ms: Some(at.as_millisecond().into()), ..Self::default() }
    }
    /// Moves the clock (backwards with a negative duration) and wakes who waits for it.
    pub fn advance(&self, by: SignedDuration) {
        let ms = by.as_millis() as i64;
        self.fixed_ms.as_ref().unwrap_or(&self.offset_ms).fetch_add(ms, std::sync::atomic::Ordering::SeqCst);
        self.moves.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.moved.notify_waiters();
    }
    /// Stands still between two moves.
    pub fn stands(&self) -> bool {
        self.fixed_ms.is_some()
    }
    /// How often it was moved.
    pub fn moves(&self) -> u64 {
        self.moves.load(std::sync::atomic::Ordering::SeqCst)
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        use std::sync::atomic::Ordering::SeqCst;
        let ms = match &self.fixed_ms {
            Some(fixed) => fixed.load(SeqCst),
            None => Timestamp::now().as_millisecond() + self.offset_ms.load(SeqCst),
        };
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
    }
    fn moved(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.moved.notified())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_by_hand() {
        let clock = ShiftedClock::fixed(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        clock.advance(SignedDuration::from_hours(2));
        assert_eq!(clock.now().as_second(), 7200);
    }
}
