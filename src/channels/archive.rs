//! The ear: pulls every group message from the archive, decides, and moves the cursor in the same commit.
//!
//! Woken by `msgaudit_notify`, and on its own every few seconds because notifications get lost. Killed at any instant it
//! starts again from the cursor; a message pulled twice changes nothing the second time. A message that cannot be
//! decrypted, read or handled is set aside as it came and never blocks the stream. Where the position lies beyond WeCom's retention (the bot was
//! off for days), what is gone is reported once and the stream goes on with the oldest that is left.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};

use super::{
    Channel,
    pictures::{self, ArchivedPictures, Pictures},
};
use crate::{
    chat_commands,
    http::ops::Check,
    model::{Clock, Message, SignedDuration, Timestamp},
    moderation::Moderation,
    store::{Collection, Commit, Name, Store, StoreError, transaction::transact},
    wecom::archive::{ArchiveSource, Entry, SourceError, message},
    wording,
};

/// Name of the stream position in the store.
pub const CURSOR: &str = "archive";
/// Messages that could not be read.
pub const SET_ASIDE: Collection<SetAside> = Collection::new(Name::ArchiveUnreadable);

/// What is kept of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetAside {
    /// WeCom's id, if it told one.
    pub msgid: String,
    /// Why, for whoever runs the bot.
    pub why: String,
    /// What could be decrypted of it, else empty.
    pub raw: String,
}
/// Entries in one pull; WeCom's limit is 1000.
const LIMIT: usize = 500;
/// Members whose messages are worked on side by side.
const LANES: usize = 32;
/// The first wait after a failure; doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// No wait is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A lag beyond this is reported by `/readyz`; WeCom keeps five days.
const LAG_ALARM: SignedDuration = SignedDuration::from_hours(24);

/// A gap is shown for so long.
const GAP_SHOWN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// While a pull has no answer, the gauges are set this often.
const MEASURE_EVERY: Duration = Duration::from_secs(1);
/// A pull without an answer for so long is told.
const HANGS: SignedDuration = SignedDuration::from_mins(2);

/// How the loop is doing.
#[derive(Clone, Debug, Default)]
struct Health {
    last_pull: Option<Timestamp>,
    /// How far behind the newest message that pull was, seconds.
    lag: f64,
    last_message: Option<Timestamp>,
    /// Since when the pull that is under way has no answer.
    asking: Option<Timestamp>,
    trouble: Option<String>,
    /// Messages set aside since the start.
    set_aside: usize,
    /// When the bot last found that messages had gone unseen.
    gap: Option<Timestamp>,
}

/// The channel.
pub struct ArchiveChannel {
    source: Arc<dyn ArchiveSource>,
    store: Arc<dyn Store>,
    moderation: Arc<Moderation>,
    clock: Arc<dyn Clock>,
    poll: Duration,
    wake: Arc<Notify>,
    started: Timestamp,
    health: Mutex<Health>,
    pictures: Arc<Pictures<ArchivedPictures>>,
}

impl ArchiveChannel {
    /// `wake` is rung by `msgaudit_notify`; without it the stream is looked at every `poll`.
    pub fn new(
        source: Arc<dyn ArchiveSource>,
        store: Arc<dyn Store>,
        moderation: Arc<Moderation>,
        clock: Arc<dyn Clock>,
        poll: Duration,
        wake: Arc<Notify>,
    ) -> Self {
        let pictures = Arc::new(Pictures::new(ArchivedPictures(source.clone())));
        let started = clock.now();
        Self { source, store, moderation, clock, poll, wake, started, health: Mutex::default(), pictures }
    }

    /// Pulls until the stream is read up; returns how many entries were handled.
    /// Whether or not it succeeds, `/readyz` and `/metrics` say so.
    pub async fn catch_up(&self) -> Result<usize, SourceError> {
        self.health.lock().asking = Some(self.clock.now());
        let mut reading = Box::pin(self.read_up());
        let ended = loop {
            tokio::select! {
                ended = &mut reading => break ended,
                // A pull may hang for long; nobody knows what is said meanwhile.
                () = tokio::time::sleep(MEASURE_EVERY) => self.measure(&self.health.lock(), self.clock.now()),
            }
        };
        drop(reading);
        self.health.lock().asking = None;
        if let Err(error) = &ended {
            let mut health = self.health.lock();
            health.trouble = Some(error.to_string());
            self.measure(&health, self.clock.now());
        }
        ended
    }

    async fn read_up(&self) -> Result<usize, SourceError> {
        let mut handled = 0;
        loop {
            let cursor = self.store.cursor(CURSOR).await.map_err(|e| SourceError::Retry(e.to_string()))?;
            metrics::gauge!("qunguan_archive_position").set(cursor as f64);
            let entries = match self.source.pull(cursor, LIMIT).await {
                Err(SourceError::Gap(why)) if cursor > 0 => self.after_gap(cursor, &why).await?,
                other => other?,
            };
            let count = entries.len();
            if let Some(last) = entries.iter().map(|e| e.seq).max() {
                self.handle(entries, last).await.map_err(|e| SourceError::Retry(e.to_string()))?;
                metrics::gauge!("qunguan_archive_position").set(last as f64);
            }
            handled += count;
            let now = self.clock.now();
            let mut health = self.health.lock();
            health.last_pull = Some(now);
            health.asking = Some(now);
            health.trouble = None;
            let behind = health.last_message.map_or(0.0, |at| now.duration_since(at).as_secs_f64().max(0.0));
            health.lag = if count == 0 { 0.0 } else { behind };
            self.measure(&health, now);
            if count < LIMIT {
                return Ok(handled);
            }
        }
    }

    /// Both numbers grow while pulls fail: nobody knows what was said since the last one that succeeded.
    fn measure(&self, health: &Health, now: Timestamp) {
        let since = health.last_pull.unwrap_or(self.started);
        let age = now.duration_since(since).as_secs_f64().max(0.0);
        metrics::gauge!("qunguan_archive_last_pull_age_seconds").set(age);
        metrics::gauge!("qunguan_archive_lag_seconds").set(health.lag + age);
    }

    /// The oldest messages that are left, after those at the position are gone for good.
    async fn after_gap(&self, cursor: u64, why: &str) -> Result<Vec<Entry>, SourceError> {
        tracing::error!(cursor, why, "archived messages are gone unseen; going on with the oldest that is left");
        metrics::counter!("qunguan_archive_gaps_total").increment(1);
        let mut entries = self.source.pull(0, LIMIT).await?;
        entries.retain(|entry| entry.seq > cursor);
        self.health.lock().gap = Some(self.clock.now());
        Ok(entries)
    }

    /// Handles a batch: the messages of one person in order, different people side by side. The cursor moves with the last
    /// commit, when everything before it is durable; a crash in between only means that some are pulled again.
    async fn handle(&self, entries: Vec<Entry>, last: u64) -> Result<(), StoreError> {
        let mut lanes: Vec<Vec<(Entry, Message)>> = (0..LANES).map(|_| Vec::new()).collect();
        for entry in entries {
            let parsed = entry
                .message
                .as_ref()
                .map_err(Clone::clone)
                .and_then(|json| message::parse(json).map_err(|e| format!("cannot be read: {e}")));
            match parsed {
                Ok(Some(message)) if !message.group.as_str().is_empty() => {
                    let mut health = self.health.lock();
                    health.last_message = health.last_message.max(Some(message.at));
                    let key = message.group.as_str().bytes().chain(message.sender.as_str().bytes());
                    let lane = key.fold(0usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)));
                    lanes[lane % LANES].push((entry, message));
                }
                Ok(_) => {} // private talks, consent, switches
                Err(why) => self.set_aside(&entry, &why).await?,
            }
        }
        let mut working = tokio::task::JoinSet::new();
        for lane in lanes.into_iter().filter(|lane| !lane.is_empty()) {
            let (moderation, pictures) = (self.moderation.clone(), self.pictures.clone());
            working.spawn(async move {
                let mut poison = Vec::new();
                for (entry, message) in lane {
                    let work = judge(moderation.clone(), pictures.clone(), message);
                    match tokio::spawn(work).await.unwrap_or_else(|panic| Err(StoreError::Refused(panic.to_string()))) {
                        Ok(()) => {}
                        Err(StoreError::Refused(why)) => poison.push((entry, why)),
                        Err(error) => return Err(error),
                    }
                }
                Ok(poison)
            });
        }
        while let Some(ended) = working.join_next().await {
            for (entry, why) in ended.map_err(|e| StoreError::Io(e.to_string()))?? {
                self.set_aside(&entry, &format!("cannot be handled: {why}")).await?;
            }
        }
        self.store.commit(Commit { cursors: vec![(CURSOR.into(), last)], ..Commit::default() }).await.map(drop)
    }

    async fn set_aside(&self, entry: &Entry, why: &str) -> Result<(), StoreError> {
        tracing::warn!(seq = entry.seq, msgid = entry.msgid, why, "an archived message is set aside");
        metrics::counter!("qunguan_archive_unreadable_total").increment(1);
        let raw = entry.message.clone().unwrap_or_default();
        let kept = SetAside { msgid: entry.msgid.clone(), why: why.to_owned(), raw };
        self.health.lock().set_aside += 1;
        let id = format!("{:020}", entry.seq);
        // Pulled again after a crash it exists already, which is as good.
        transact!(self.store.as_ref(), |tx| {
            if tx.get(SET_ASIDE, &id).await?.is_none() {
                tx.put(SET_ASIDE, &id, &kept).await?;
            }
        });
        Ok(())
    }
}

/// One message, its pictures looked into first if the settings want that. What WeCom wrote itself is only
/// written down.
async fn judge(
    moderation: Arc<Moderation>,
    pictures: Arc<Pictures<ArchivedPictures>>,
    mut message: Message,
) -> Result<(), StoreError> {
    if let Some(kind) = message::nobodys(&message) {
        metrics::counter!("qunguan_archive_nobodys_words_total", "kind" => kind.to_owned()).increment(1);
        return moderation.note(message).await.map(drop);
    }
    let files = pictures::archived(&message);
    if !files.is_empty() && moderation.wants_pictures(&message).await? {
        pictures.add_codes(&mut message, &files).await;
    }
    chat_commands::judge(&moderation, message).await.map(drop)
}

#[async_trait]
impl Channel for ArchiveChannel {
    async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut wait = FIRST_WAIT;
        loop {
            let pause = match self.catch_up().await {
                Ok(_) => {
                    wait = FIRST_WAIT;
                    self.poll
                }
                Err(error) => {
                    tracing::warn!(%error, wait_ms = wait.as_millis() as u64, "the archive could not be pulled");
                    let pause = wait;
                    wait = (wait * 2).min(LONGEST_WAIT);
                    pause
                }
            };
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn check(&self) -> Check {
        let health = self.health.lock().clone();
        let now = self.clock.now();
        if let Some(since) = health.asking.filter(|since| now.duration_since(*since) > HANGS) {
            let waited = wording::length(now.duration_since(since));
            return Check::lacking("archive", format!("会话存档已有 {waited}没有应答"));
        }
        match (&health.trouble, health.last_pull) {
            (Some(trouble), _) => Check::lacking("archive", format!("会话存档拉取失败：{trouble}")),
            (None, None) => Check::lacking("archive", "会话存档还没有拉取过"),
            (None, Some(at)) if now.duration_since(at) > LAG_ALARM => {
                Check::lacking("archive", "会话存档超过一天没有拉取；企业微信只保留五天")
            }
            (None, Some(_)) => match health.gap {
                Some(at) if now.duration_since(at) < GAP_SHOWN => Check::lacking(
                    "archive",
                    format!("会话存档有一段消息超过了企业微信的保留期，没有看到（{} 发现）", wording::when(at, now)),
                ),
                _ if health.set_aside > 0 => {
                    Check::good("archive", format!("会话存档正常；启动以来有 {} 条读不懂，已搁置", health.set_aside))
                }
                _ => Check::good("archive", "会话存档正常"),
            },
        }
    }
}
