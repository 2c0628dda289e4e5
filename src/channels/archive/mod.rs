//! The ear: pulls every group message from the archive, decides, and moves the cursor in the same commit.
//!
//! Woken by `msgaudit_notify`, and on its own every few seconds because notifications get lost. Killed at any instant it
//! starts again from the cursor; a message pulled twice changes nothing the second time. A message that cannot be
//! decrypted, read or handled is set aside as it came and never blocks the stream. What WeCom no longer had when the bot came
//! back is named on `/readyz` for a week.

mod chains;
mod own_words;
mod progress;
mod said_lately;
mod set_aside;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard, Notify, watch};

use said_lately::SaidLately;

use super::{
    Channel,
    looks::{self, Archived, Eyes, Looks},
};
use crate::{
    chat_commands,
    health::Check,
    model::{Clock, Message, SignedDuration, Timestamp},
    moderation::Moderation,
    store::{Commit, Store, StoreError},
    wecom::archive::{ArchiveSource, Entry, SourceError, Unopened, message},
    zh,
};

pub use set_aside::{Retried, SET_ASIDE, SetAside};

/// Name of the stream position in the store.
pub const CURSOR: &str = "archive";
/// Entries in one pull; WeCom's limit is 1000.
const LIMIT: usize = 500;
/// Members whose messages are worked on side by side.
const PARTITIONS: usize = 32;
/// The first wait after a failure; doubles up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// No wait is longer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A lag beyond this is reported by `/readyz`; WeCom keeps five days.
const LAG_ALARM: SignedDuration = SignedDuration::from_hours(24);
/// So far behind while a backlog is read is told.
const BEHIND: SignedDuration = SignedDuration::from_mins(15);
/// WeCom keeps messages so long, unless the settings say otherwise.
pub const RETENTION: SignedDuration = SignedDuration::from_hours(5 * 24);

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
    /// What is set aside, once it was counted.
    aside: Option<set_aside::Aside>,
    /// Spans that were not read, as people read it.
    gaps: Option<String>,
    /// When what was set aside is tried again.
    try_again: Option<Timestamp>,
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
    retention: SignedDuration,
    said: AsyncMutex<SaidLately>,
    progress: AsyncMutex<Option<progress::Kept>>,
    health: Mutex<Health>,
    looks: Arc<Looks<Archived>>,
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
        eyes: Eyes,
    ) -> Self {
        let looks = Arc::new(Looks::new(Archived(source.clone()), eyes));
        let started = clock.now();
        Self {
            said: AsyncMutex::new(SaidLately::new(store.clone(), clock.clone())),
            progress: AsyncMutex::default(),
            // What was set aside before the start is tried again: a key may be there now.
            health: Mutex::new(Health { try_again: Some(started), ..Health::default() }),
            retention: RETENTION,
            source,
            store,
            moderation,
            clock,
            poll,
            wake,
            started,
            looks,
        }
    }

    /// WeCom keeps messages so long.
    #[must_use]
    pub fn keeping(self, retention: SignedDuration) -> Self {
        Self { retention, ..self }
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
        let stored = |error: StoreError| SourceError::Retry(error.to_string());
        self.count_aside().await.map_err(stored)?;
        let mut handled = 0;
        let mut cursor = self.store.cursor(CURSOR).await.map_err(stored)?;
        metrics::gauge!("qunguan_archive_position").set(cursor as f64);
        let mut pulled = self.source.pull(cursor, LIMIT).await;
        loop {
            let entries = match pulled {
                // No document says so of messages; if WeCom does refuse the position, it goes on with what it has.
                Err(SourceError::Gap(_)) if cursor > 0 => {
                    let mut left = self.source.pull(0, LIMIT).await?;
                    left.retain(|entry| entry.seq > cursor);
                    left
                }
                pulled => pulled?,
            };
            let count = entries.len();
            let reordered = entries.windows(2).filter(|pair| pair[1].seq < pair[0].seq).count();
            metrics::counter!("qunguan_archive_reordered_total").increment(reordered as u64);
            let mut entries: Vec<Parsed> = entries.into_iter().map(Parsed::from).collect();
            entries.sort_by_key(|parsed| parsed.entry.seq); // whoever quotes comes behind whoever is quoted
            self.look_for_gap(&entries, cursor).await.map_err(stored)?;
            let last = entries.iter().map(|parsed| parsed.entry.seq).max().unwrap_or(cursor);
            if last <= cursor {
                // Nothing, or only what comes late or again.
                if count > 0 {
                    self.handle(entries, cursor).await.map_err(stored)?;
                }
                self.pulled(count).await.map_err(stored)?;
                return Ok(handled + count);
            }
            // While one batch is handled, WeCom is asked for the next.
            let (done, next) = tokio::join!(self.handle(entries, last), self.source.pull(last, LIMIT));
            done.map_err(stored)?;
            metrics::gauge!("qunguan_archive_position").set(last as f64);
            self.pulled(count).await.map_err(stored)?;
            handled += count;
            (cursor, pulled) = (last, next);
        }
    }

    /// Notes how an answer with so many entries leaves things.
    async fn pulled(&self, count: usize) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut progress = self.progress.lock().await;
        if let Some(progress) = progress.as_mut() {
            if count == 0 {
                progress.read_up(now);
            }
            progress.save(self.store.as_ref()).await?;
        }
        let gaps = progress.as_ref().and_then(|progress| progress.told(now));
        let newest = progress.as_ref().and_then(progress::Kept::newest);
        drop(progress);
        let mut health = self.health.lock();
        health.last_message = health.last_message.max(newest);
        health.gaps = gaps;
        health.last_pull = Some(now);
        health.asking = Some(now);
        health.trouble = None;
        let behind = health.last_message.map_or(0.0, |at| now.duration_since(at).as_secs_f64().max(0.0));
        metrics::gauge!("qunguan_archive_last_message_age_seconds").set(behind);
        health.lag = if count == 0 { 0.0 } else { behind };
        self.measure(&health, now);
        Ok(())
    }

    /// How far the stream was read, out of the store at first.
    async fn progress(&self) -> Result<MutexGuard<'_, Option<progress::Kept>>, StoreError> {
        let mut kept = self.progress.lock().await;
        if kept.is_none() {
            *kept = Some(progress::Kept::load(self.store.as_ref()).await?);
        }
        Ok(kept)
    }

    /// What WeCom no longer has shows in the times of what it still hands out.
    async fn look_for_gap(&self, entries: &[Parsed], cursor: u64) -> Result<(), StoreError> {
        let mut kept = self.progress().await?;
        let Some(progress) = kept.as_mut() else { return Ok(()) };
        let new = entries.iter().filter(|parsed| parsed.entry.seq > cursor);
        let times = new.filter_map(|parsed| Some(parsed.message.as_ref().ok()?.as_ref()?.at));
        let times: Vec<Timestamp> = times.filter(|at| *at > Timestamp::UNIX_EPOCH).collect();
        if let Some(gap) = progress.answered(times.first().copied(), self.clock.now(), self.retention) {
            tracing::error!(from = %gap.from, until = %gap.until, "archived messages of this span are gone unread");
            metrics::counter!("qunguan_archive_gaps_total").increment(1);
        }
        for at in times {
            progress.read(at);
        }
        Ok(())
    }

    /// Both numbers grow while pulls fail: nobody knows what was said since the last one that succeeded.
    fn measure(&self, health: &Health, now: Timestamp) {
        let since = health.last_pull.unwrap_or(self.started);
        let age = now.duration_since(since).as_secs_f64().max(0.0);
        metrics::gauge!("qunguan_archive_last_pull_age_seconds").set(age);
        metrics::gauge!("qunguan_archive_lag_seconds").set(health.lag + age);
    }

    /// Handles a batch: the messages of one person in order, different people side by side. The last one goes last and moves
    /// the position in its own commit, when everything before it is durable; a crash in between only means that some are
    /// pulled again.
    async fn handle(&self, entries: Vec<Parsed>, last: u64) -> Result<(), StoreError> {
        let mut batch = Vec::with_capacity(entries.len());
        for parsed in entries {
            batch.extend(self.heard(parsed).await?);
        }
        let moves_the_position = batch.pop();
        let mut partitions: Vec<Vec<(Entry, Message)>> = (0..PARTITIONS).map(|_| Vec::new()).collect();
        for (entry, message) in batch {
            let key = message.group.as_str().bytes().chain(message.sender.as_str().bytes());
            let partition = key.fold(0usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)));
            partitions[partition % PARTITIONS].push((entry, message));
        }
        let mut working = tokio::task::JoinSet::new();
        for partition in partitions.into_iter().filter(|partition| !partition.is_empty()) {
            let (moderation, looks) = (self.moderation.clone(), self.looks.clone());
            working.spawn(async move {
                let mut poison = Vec::new();
                for (entry, message) in partition {
                    if let Err(why) = judge(&moderation, &looks, message, None).await? {
                        poison.push((entry, why));
                    }
                }
                Ok::<_, StoreError>(poison)
            });
        }
        while let Some(ended) = working.join_next().await {
            for (entry, why) in ended.map_err(|e| StoreError::Io(e.to_string()))?? {
                self.set_aside(&entry, why.into()).await?;
            }
        }
        let cursor = (CURSOR.to_owned(), last);
        if let Some((entry, message)) = moves_the_position {
            match judge(&self.moderation, &self.looks, message, Some(cursor.clone())).await? {
                Ok(()) => return Ok(()),
                Err(why) => self.set_aside(&entry, why.into()).await?,
            }
        }
        self.store.commit(Commit { cursors: vec![cursor], ..Commit::default() }).await.map(drop)
    }

    /// A message of a group as it is to be judged, if the entry is one; what cannot be read is set aside.
    async fn heard(&self, parsed: Parsed) -> Result<Option<(Entry, Message)>, StoreError> {
        let mut message = match parsed.message {
            Ok(Some(message)) if !message.group.as_str().is_empty() => message,
            Ok(_) => return Ok(None), // private talks, consent, switches
            Err(why) => {
                self.set_aside(&parsed.entry, why).await?;
                return Ok(None);
            }
        };
        let late = self.clock.now().duration_since(message.at).as_secs_f64().max(0.0);
        metrics::histogram!("qunguan_archive_delay_seconds").record(late);
        {
            let mut health = self.health.lock();
            health.last_message = health.last_message.max(Some(message.at));
        }
        let missed = self.missed().await?;
        self.said.lock().await.hear(&mut message, &self.moderation, missed).await?;
        Ok(Some((parsed.entry, message)))
    }

    /// When something was said last that nobody could read: the end of the latest gap, or when a message was last set aside.
    async fn missed(&self) -> Result<Option<Timestamp>, StoreError> {
        let gap = self.progress().await?.as_ref().and_then(progress::Kept::last_gap);
        Ok(gap.max(self.health.lock().aside.as_ref().and_then(|aside| aside.last)))
    }

    /// Handles one entry on its own; says why it could not be.
    async fn handle_one(&self, entry: Entry) -> Result<Option<Unopened>, StoreError> {
        let mut message = match Parsed::from(entry).message {
            Ok(Some(message)) if !message.group.as_str().is_empty() => message,
            Ok(_) => return Ok(None),
            Err(why) => return Ok(Some(why)),
        };
        let missed = self.missed().await?;
        self.said.lock().await.hear(&mut message, &self.moderation, missed).await?;
        Ok(judge(&self.moderation, &self.looks, message, None).await?.err().map(Unopened::from))
    }

    async fn try_again_if_due(&self) {
        let now = self.clock.now();
        if self.health.lock().try_again.take_if(|due| *due <= now).is_some()
            && let Err(error) = self.retry().await
        {
            tracing::warn!(%error, "what was set aside could not be tried again");
        }
    }
}

/// An entry and what was read of it.
struct Parsed {
    entry: Entry,
    message: Result<Option<Message>, Unopened>,
}

impl From<Entry> for Parsed {
    fn from(entry: Entry) -> Self {
        let read = |json: &String| message::parse(json).map_err(|e| format!("cannot be read: {e}").into());
        let message = entry.message.as_ref().map_err(Clone::clone).and_then(read);
        Self { entry, message }
    }
}

/// One message, after a look at its pictures, files and short links. What WeCom wrote itself is only
/// written down. The inner error is why this very message cannot be handled.
async fn judge(
    moderation: &Arc<Moderation>,
    looks: &Arc<Looks<Archived>>,
    mut message: Message,
    cursor: Option<(String, u64)>,
) -> Result<Result<(), String>, StoreError> {
    let (moderation, looks) = (moderation.clone(), looks.clone());
    let work = async move {
        if let Some(kind) = message::nobodys(&message) {
            metrics::counter!("qunguan_archive_nobodys_words_total", "kind" => kind.to_owned()).increment(1);
            return moderation.note(message, cursor).await.map(|noted| noted.duplicate);
        }
        if let Some(rules) = moderation.worth_a_look(&message).await? {
            let media = looks::archived(&message);
            looks.look(&mut message, &media, &rules).await;
        }
        chat_commands::judge(&moderation, message, cursor).await.map(|outcome| outcome.duplicate)
    };
    match tokio::spawn(work).await.unwrap_or_else(|panic| Err(StoreError::Refused(panic.to_string()))) {
        Ok(repeated) => {
            metrics::counter!("qunguan_archive_repeated_total").increment(u64::from(repeated));
            Ok(Ok(()))
        }
        Err(StoreError::Refused(why)) => Ok(Err(format!("cannot be handled: {why}"))),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl Channel for ArchiveChannel {
    async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut wait = FIRST_WAIT;
        loop {
            let pause = match self.catch_up().await {
                Ok(_) => {
                    self.try_again_if_due().await;
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
            let waited = zh::length(now.duration_since(since));
            return Check::lacking("archive", format!("会话存档已有 {waited}没有应答"));
        }
        match (&health.trouble, health.last_pull) {
            (Some(trouble), last) => {
                let unread = now.duration_since(last.unwrap_or(self.started));
                let (since, keeps) = (zh::length(unread), zh::length(self.retention));
                Check::lacking(
                    "archive",
                    if unread > LAG_ALARM {
                        format!("会话存档已有 {since}没有读到：{trouble}；企业微信只保留 {keeps}")
                    } else {
                        format!("会话存档拉取失败：{trouble}")
                    },
                )
            }
            (None, None) => Check::lacking("archive", "会话存档还没有拉取过"),
            (None, Some(at)) if now.duration_since(at) > LAG_ALARM => {
                let days = zh::length(self.retention);
                Check::lacking("archive", format!("会话存档超过一天没有拉取；企业微信只保留 {days}"))
            }
            (None, Some(_)) => self.while_pulls_succeed(&health, now),
        }
    }
}

impl ArchiveChannel {
    /// Everything there is to know while WeCom answers, in one line.
    fn while_pulls_succeed(&self, health: &Health, now: Timestamp) -> Check {
        let behind = (health.lag > BEHIND.as_secs_f64()).then(|| {
            let behind = zh::length(SignedDuration::from_mins((health.lag / 60.0) as i64));
            format!("会话存档落后 {behind}，正在赶上")
        });
        let aside = health.aside.as_ref().and_then(set_aside::Aside::check);
        let gaps = health.gaps.as_ref().map(|gaps| format!("会话存档：{gaps}"));
        let sealed = aside.as_ref().filter(|aside| !aside.ok()).map(|aside| aside.note.clone());
        let lacking: Vec<String> = [gaps, behind, sealed].into_iter().flatten().collect();
        if !lacking.is_empty() {
            return Check::lacking("archive", lacking.join("；另外，"));
        }
        let quiet = now.duration_since(health.last_message.unwrap_or(self.started));
        if quiet > LAG_ALARM {
            let quiet = zh::length(quiet);
            let note = format!(
                "会话存档已有 {quiet}没有新消息：群里若有人说过话，请到管理后台 → 管理工具 → 会话内容存档核对开通的成员和到期日"
            );
            return Check::notice("archive", note);
        }
        aside.unwrap_or_else(|| Check::good("archive", "会话存档正常"))
    }
}
