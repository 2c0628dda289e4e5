//! How far the archive was read, and which spans nobody read: WeCom keeps messages for days (`[wecom.archive] retention`) and
//! then goes on, without a word, with the oldest that is left. What is missing shows only in the times.

use serde::{Deserialize, Serialize};

use crate::{
    model::{SignedDuration, Timestamp},
    store::{Collection, Name, Store, StoreError, transaction::transact},
    zh,
};

/// The one document.
pub const PROGRESS: Collection<Progress> = Collection::new(Name::ArchiveProgress);
/// Its id.
const STREAM: &str = "stream";
/// A gap is shown for so long.
const SHOWN: SignedDuration = SignedDuration::from_hours(7 * 24);
/// What is remembered may be so much older than what is known: days are what matters.
const STALE: SignedDuration = SignedDuration::from_mins(10);

/// What is known of the stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// When the stream was last read to its end.
    pub read_up: Option<Timestamp>,
    /// When the newest message that was read was said.
    pub newest: Option<Timestamp>,
    /// Spans that were not read, oldest first.
    #[serde(default)]
    pub gaps: Vec<Gap>,
}

/// Messages of this span went unread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// Everything up to here was read.
    pub from: Timestamp,
    /// From here on it was read again.
    pub until: Timestamp,
    /// When it was noticed.
    pub found: Timestamp,
}

impl Progress {
    /// The latest moment until which everything was read.
    fn read_until(&self) -> Option<Timestamp> {
        self.read_up.max(self.newest)
    }

    /// The gap before what WeCom hands out now: what was not read and is older than anything it still keeps. `oldest_left`
    /// is the first message of the answer.
    fn gap(&self, oldest_left: Option<Timestamp>, now: Timestamp, retention: SignedDuration) -> Option<Gap> {
        let from = self.read_until()?;
        let kept_since = now - retention;
        let until = oldest_left.map_or(kept_since, |oldest| oldest.min(kept_since));
        (from < until).then_some(Gap { from, until, found: now })
    }
}

/// Keeps it, in memory and in the store.
#[derive(Debug, Default)]
pub struct Kept {
    progress: Progress,
    stored: Option<Progress>,
}

impl Kept {
    /// As it was stored.
    pub async fn load(store: &dyn Store) -> Result<Self, StoreError> {
        let stored = PROGRESS.get(store, STREAM).await?;
        Ok(Self { progress: stored.clone().unwrap_or_default(), stored })
    }

    /// An answer came whose first message is this old; says which span is missing before it.
    pub fn answered(&mut self, oldest: Option<Timestamp>, now: Timestamp, retention: SignedDuration) -> Option<Gap> {
        let gap = self.progress.gap(oldest, now, retention)?;
        self.progress.gaps.retain(|gap| now.duration_since(gap.found) < SHOWN);
        self.progress.gaps.push(gap.clone());
        self.progress.read_up = self.progress.read_up.max(Some(gap.until)); // told once
        Some(gap)
    }

    /// Until when nothing was read, if something was not.
    pub fn last_gap(&self) -> Option<Timestamp> {
        self.progress.gaps.iter().map(|gap| gap.until).max()
    }

    /// When the newest message that was read was said.
    pub fn newest(&self) -> Option<Timestamp> {
        self.progress.newest
    }

    /// A message said then was read.
    pub fn read(&mut self, at: Timestamp) {
        self.progress.newest = self.progress.newest.max(Some(at));
    }

    /// Everything was read.
    pub fn read_up(&mut self, now: Timestamp) {
        self.progress.read_up = self.progress.read_up.max(Some(now));
    }

    /// What `/readyz` says of the gaps, for a week.
    pub fn told(&self, now: Timestamp) -> Option<String> {
        let shown = self.progress.gaps.iter().filter(|gap| now.duration_since(gap.found) < SHOWN);
        let spans: Vec<String> =
            shown.map(|gap| format!("{}到{}", zh::when(gap.from, now), zh::when(gap.until, now))).collect();
        (!spans.is_empty()).then(|| {
            format!("{}的群消息没有看到：停得太久，企业微信已不再保留；这段时间请群主自己看一看", spans.join("、"))
        })
    }

    /// Stores what has changed enough.
    pub async fn save(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let behind = match &self.stored {
            None => true,
            Some(stored) => {
                let moved = |was: Option<Timestamp>, is: Option<Timestamp>| match (was, is) {
                    (Some(was), Some(is)) => is.duration_since(was) >= STALE,
                    (was, is) => was != is,
                };
                stored.gaps != self.progress.gaps || moved(stored.read_until(), self.progress.read_until())
            }
        };
        if behind {
            let progress = &self.progress;
            transact!(store, |tx| tx.put(PROGRESS, STREAM, progress).await?);
            self.stored = Some(self.progress.clone());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(days: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * days)
    }

    #[test]
    fn a_gap_is_what_was_not_read_and_is_no_longer_kept() {
        let five = SignedDuration::from_hours(5 * 24);
        let progress = |read_up: Option<i64>, newest: Option<i64>| Progress {
            read_up: read_up.map(day),
            newest: newest.map(day),
            gaps: Vec::new(),
        };
        for (read_up, newest, oldest_left, now, missing) in [
            (None, None, Some(20), 20, None),        // never read before
            (Some(10), Some(9), Some(12), 14, None), // four days off
            (Some(10), Some(9), Some(16), 20, Some((10, 15))),
            (Some(10), Some(9), Some(12), 20, Some((10, 12))), // kept longer than the settings say
            (Some(10), Some(9), None, 20, Some((10, 15))),     // nothing was said since
            (Some(10), Some(9), Some(10), 20, None),           // kept so long that nothing is missing
            (None, Some(9), Some(16), 20, Some((9, 15))),      // killed before it was ever read up
            (Some(10), Some(19), Some(20), 20, None),          // a long backlog that is being read
        ] {
            let gap = progress(read_up, newest).gap(oldest_left.map(day), day(now), five);
            let found = gap.map(|gap| (gap.from, gap.until));
            assert_eq!(found, missing.map(|(from, until)| (day(from), day(until))), "{read_up:?} {newest:?} {now}");
        }
    }

    #[tokio::test]
    async fn it_is_told_once_named_for_a_week_and_survives_a_restart() {
        let store = crate::store::memory::MemoryStore::default();
        let five = SignedDuration::from_hours(5 * 24);
        let mut kept = Kept::load(&store).await.unwrap();
        kept.read_up(day(10));
        assert_eq!(kept.answered(Some(day(16)), day(20), five).unwrap().until, day(15));
        assert_eq!(kept.answered(Some(day(16)), day(20), five), None);
        kept.save(&store).await.unwrap();
        let kept = Kept::load(&store).await.unwrap();
        let told = kept.told(day(20)).unwrap();
        assert!(told.starts_with("1月11日 08:00到1月16日 08:00的群消息没有看到"), "{told}");
        assert!(kept.told(day(26)).is_some());
        assert_eq!(kept.told(day(27)), None);
    }
}
