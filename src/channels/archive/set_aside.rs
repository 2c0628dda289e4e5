//! Archived messages that could not be opened, read or handled: kept as they came, and tried again (a key that was missing is
//! there now, a newer version reads more) after a while, at every start, and by `qunguan archive retry`.

use serde::{Deserialize, Serialize};

use super::ArchiveChannel;
use crate::{
    health::Check,
    model::{SignedDuration, Timestamp},
    store::{Collection, Name, StoreError, transaction::transact},
    wecom::archive::{Entry, Sealed, SourceError, Unopened, codes::KEYS},
};

/// Messages that could not be read, by position.
pub const SET_ASIDE: Collection<SetAside> = Collection::new(Name::ArchiveUnreadable);
/// What could not be opened is tried again after this.
const SOON: SignedDuration = SignedDuration::from_mins(10);
/// And from then on this often.
const OFTEN: SignedDuration = SignedDuration::from_hours(1);

/// What is kept of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetAside {
    /// WeCom's id, if it told one.
    pub msgid: String,
    /// Why, for whoever runs the bot.
    pub why: String,
    /// What could be decrypted of it, else empty.
    pub raw: String,
    /// As WeCom handed it over, if it could not be decrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
    /// The key it is under is not among ours.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lacks_key: bool,
    /// When it was set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// What is set aside at the moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Aside {
    /// All of it.
    messages: usize,
    /// What is kept sealed of it.
    sealed: usize,
    /// Why the last of these could not be opened; one whose key is missing goes first, because somebody can do something.
    why: Option<(bool, String)>,
    /// When something was set aside last.
    pub(super) last: Option<Timestamp>,
}

impl Aside {
    fn add(&mut self, kept: &SetAside) {
        self.messages += 1;
        self.last = self.last.max(kept.at);
        if kept.sealed.is_some() {
            self.sealed += 1;
            if kept.lacks_key || self.why.as_ref().is_none_or(|(lacks_key, _)| !lacks_key) {
                self.why = Some((kept.lacks_key, kept.why.clone()));
            }
        }
    }

    /// What `/readyz` says of it, if somebody should know.
    pub(super) fn check(&self) -> Option<Check> {
        let Self { messages, sealed, .. } = self;
        let what = |why: &str| format!("会话存档有 {sealed} 条消息解不开（{why}）");
        Some(match &self.why {
            Some((true, why)) => Check::lacking("archive", format!("{}：{KEYS}，再重启；解开之前都留着", what(why))),
            Some((false, why)) => Check::lacking(
                "archive",
                format!(
                    "{}：私钥都在，每小时自动再试一次；一直解不开的话，请核对私钥与管理后台的公钥是否配对。解开之前都留着",
                    what(why)
                ),
            ),
            None if *messages > 0 => Check::good("archive", format!("会话存档正常；有 {messages} 条读不懂，已搁置")),
            None => return None,
        })
    }
}

/// What came of trying again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retried {
    /// So many were read and handled.
    pub read: usize,
    /// What is still set aside, and why: by position.
    pub left: Vec<(String, String)>,
}

impl ArchiveChannel {
    /// Keeps an entry apart. Pulled again after a crash it is there already, which is as good.
    pub(super) async fn set_aside(&self, entry: &Entry, why: Unopened) -> Result<(), StoreError> {
        let Unopened { why, sealed, lacks_key } = why;
        tracing::warn!(seq = entry.seq, msgid = entry.msgid, why, "an archived message is set aside");
        metrics::counter!("qunguan_archive_unreadable_total").increment(1);
        let (now, raw) = (self.clock.now(), entry.message.clone().unwrap_or_default());
        let kept = SetAside { msgid: entry.msgid.clone(), why, raw, sealed, lacks_key, at: Some(now) };
        let id = format!("{:020}", entry.seq);
        let new = transact!(self.store.as_ref(), |tx| {
            let new = tx.get(SET_ASIDE, &id).await?.is_none();
            if new {
                tx.put(SET_ASIDE, &id, &kept).await?;
            }
            new
        });
        let mut health = self.health.lock();
        if kept.sealed.is_some() {
            health.try_again = Some(now + SOON);
        }
        if new && let Some(aside) = &mut health.aside {
            aside.add(&kept);
        }
        Ok(())
    }

    /// Counts what was set aside before the start.
    pub(super) async fn count_aside(&self) -> Result<(), StoreError> {
        if self.health.lock().aside.is_some() {
            return Ok(());
        }
        let mut aside = Aside::default();
        for (_, kept) in SET_ASIDE.all(self.store.as_ref(), "").await? {
            aside.add(&kept);
        }
        self.health.lock().aside = Some(aside);
        Ok(())
    }

    /// Tries everything that was set aside once more.
    ///
    /// # Errors
    /// The store; what was read until then stays read.
    pub async fn retry(&self) -> Result<Retried, StoreError> {
        let mut retried = Retried::default();
        let mut aside = Aside::default();
        for (id, mut kept) in SET_ASIDE.all(self.store.as_ref(), "").await? {
            let message = match &kept.sealed {
                Some(sealed) => self.source.open(sealed).await.map_err(|error| {
                    kept.lacks_key = matches!(error, SourceError::Configuration(_));
                    error.to_string().into()
                }),
                None if kept.raw.is_empty() => Err(kept.why.clone().into()),
                None => Ok(kept.raw.clone()),
            };
            let entry = Entry { seq: id.parse().unwrap_or_default(), msgid: kept.msgid.clone(), message };
            if let Some(Unopened { why, .. }) = self.handle_one(entry).await? {
                kept.why.clone_from(&why);
                aside.add(&kept);
                retried.left.push((id, why));
            } else {
                transact!(self.store.as_ref(), |tx| tx.delete(SET_ASIDE, &id).await?);
                retried.read += 1;
            }
        }
        let mut health = self.health.lock();
        health.try_again = (aside.sealed > 0).then(|| self.clock.now() + OFTEN);
        health.aside = Some(aside);
        drop(health);
        tracing::info!(read = retried.read, left = retried.left.len(), "archived messages were tried again");
        Ok(retried)
    }
}
