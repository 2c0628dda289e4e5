//! What both callback addresses have in common: whoever calls without WeCom's signature learns nothing, and the same callback
//! is acted on once.
//!
//! WeCom sends a callback up to three times until one try is answered in time, and whoever has recorded one can send it
//! again while its time stamp is fresh. Every repetition gets the answer of the first, also while that is still being worked
//! on; nothing is done twice. Where the first failed, the next one is worked on.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    body::Body,
    extract::{Query as UrlQuery, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::{
    health::Check,
    model::{SignedDuration, Timestamp},
    store::{Collection, Name, Store, StoreError, transaction::transact},
    wecom::callback::{CallbackError, Query, WINDOW},
    zh,
};

/// Without a single callback for so long the console is looked at.
const SILENT: SignedDuration = SignedDuration::from_hours(24);
/// An answer is remembered until the callback's time stamp is too old for certain, be the clocks apart either way.
const KEPT: SignedDuration = SignedDuration::from_mins(2 * WINDOW.as_mins());
/// No more answers are remembered; the oldest go first.
const MOST: usize = 20_000;

/// A callback as axum hands it over, good or not.
pub type AskedQuery = Result<UrlQuery<Query>, QueryRejection>;

/// A body too long is read on to here and thrown away, so that whoever sent it hears why it is refused instead of a
/// connection that breaks; beyond it the connection does break.
const LISTENED_TO: usize = 32 * 1024 * 1024;

/// The parts of a callback, or the refusal of one that cannot be read. `limit` in bytes.
pub async fn parts(
    channel: &'static str,
    query: AskedQuery,
    body: Body,
    limit: usize,
) -> Result<(Query, Vec<u8>), StatusCode> {
    let body = read(body, limit).await.map_err(|(status, why)| unreadable(channel, status, &why))?;
    let UrlQuery(query) = query.map_err(|error| unreadable(channel, StatusCode::BAD_REQUEST, &error))?;
    Ok((query, body))
}

async fn read(body: Body, limit: usize) -> Result<Vec<u8>, (StatusCode, String)> {
    let (mut kept, mut length) = (Vec::new(), 0);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
        length += piece.len();
        if length <= limit {
            kept.extend_from_slice(&piece);
        } else {
            kept = Vec::new();
            if length > LISTENED_TO {
                break;
            }
        }
    }
    if length > limit {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, format!("the body is longer than {limit} bytes")));
    }
    Ok(kept)
}

/// The query of a URL verification, or the refusal of one that cannot be read.
pub fn question(channel: &'static str, query: AskedQuery) -> Result<Query, StatusCode> {
    let UrlQuery(query) = query.map_err(|error| unreadable(channel, StatusCode::BAD_REQUEST, &error))?;
    Ok(query)
}

/// One answer for everything wrong; the log says which.
pub fn refused(channel: &'static str, heard: &Heard, error: &CallbackError) -> Response {
    heard.refused.store(true, Ordering::Relaxed);
    unreadable(channel, StatusCode::FORBIDDEN, error).into_response()
}

/// When an address was called first, by channel.
const CALLED: Collection<Timestamp> = Collection::new(Name::Called);

/// Whether WeCom has called, for `/readyz`.
pub struct Heard {
    store: Arc<dyn Store>,
    name: &'static str,
    since: Timestamp,
    /// Before this start.
    before: bool,
    called: AtomicBool,
    refused: AtomicBool,
}

impl Heard {
    /// What is known of the channel `name`: nothing of this start yet.
    pub async fn load(store: Arc<dyn Store>, name: &'static str, since: Timestamp) -> Result<Self, StoreError> {
        let before = CALLED.get(store.as_ref(), name).await?.is_some();
        Ok(Self { store, name, since, before, called: AtomicBool::new(false), refused: AtomicBool::new(false) })
    }

    /// WeCom called, signed as it should be.
    pub async fn called(&self, now: Timestamp) {
        let first = !self.called.swap(true, Ordering::Relaxed);
        if first
            && !self.before
            && let Err(error) = remember(self.store.as_ref(), self.name, now).await
        {
            tracing::warn!(%error, name = self.name, "the first callback is not remembered");
        }
    }

    /// What `/readyz` says under `name` of `what` (应用回调); `place` is where the console has its address.
    pub fn check(&self, name: &str, what: &str, place: &str, now: Timestamp) -> Check {
        let waited = now.duration_since(self.since);
        if self.called.load(Ordering::Relaxed) {
            Check::good(name, format!("{what}已就绪"))
        } else if self.refused.load(Ordering::Relaxed) {
            let note = format!("收到的{what}都验证不过：到管理后台 → {place}核对 Token 和 EncodingAESKey");
            Check::lacking(name, note)
        } else if !self.before {
            Check::lacking(name, format!("从来没有收到过{what}：到管理后台 → {place}核对 URL，再点一次“保存”"))
        } else if waited < SILENT {
            Check::good(name, format!("{what}已就绪，启动以来还没有收到过"))
        } else {
            let waited = zh::length(waited);
            let note = format!("{waited}没有收到过{what}：到管理后台 → {place}核对 URL，再点一次“保存”");
            Check::lacking(name, note)
        }
    }
}

async fn remember(store: &dyn Store, name: &str, now: Timestamp) -> Result<(), StoreError> {
    transact!(store, |tx| tx.put(CALLED, name, &now).await?);
    Ok(())
}

fn unreadable(channel: &'static str, status: StatusCode, error: &dyn std::fmt::Display) -> StatusCode {
    tracing::warn!(channel, %error, "a callback was refused");
    metrics::counter!("qunguan_callbacks_refused_total", "channel" => channel).increment(1);
    status
}

/// The answers of the last half hour.
pub struct ReplyCache<T>(Mutex<Known<T>>);

struct Known<T> {
    answers: HashMap<String, Arc<OnceCell<T>>>,
    /// Oldest first.
    order: VecDeque<(Timestamp, String)>,
}

impl<T> Default for ReplyCache<T> {
    fn default() -> Self {
        Self(Mutex::new(Known { answers: HashMap::new(), order: VecDeque::new() }))
    }
}

impl<T: Clone> ReplyCache<T> {
    /// Does the work for the first callback of this key and remembers its answer for the others.
    pub async fn once<E>(&self, key: &str, now: Timestamp, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let answer = self.answer(key, now);
        answer.get_or_try_init(|| work).await.cloned()
    }

    fn answer(&self, key: &str, now: Timestamp) -> Arc<OnceCell<T>> {
        let mut known = self.0.lock();
        let Known { answers, order } = &mut *known;
        while order.front().is_some_and(|(at, _)| order.len() >= MOST || now.duration_since(*at) > KEPT) {
            if let Some((_, oldest)) = order.pop_front() {
                answers.remove(&oldest);
            }
        }
        if let Some(answer) = answers.get(key) {
            return answer.clone();
        }
        let answer = Arc::new(OnceCell::new());
        answers.insert(key.to_owned(), answer.clone());
        order.push_back((now, key.to_owned()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
    }

    #[tokio::test]
    async fn a_body_too_long_is_heard_to_its_end_and_refused() {
        let sent = |pieces: usize| {
            let pieces = (0..pieces).map(|_| Ok::<_, std::io::Error>(vec![b'a'; 1000]));
            Body::from_stream(futures_util::stream::iter(pieces))
        };
        assert_eq!(read(sent(3), 3000).await.unwrap().len(), 3000);
        assert_eq!(read(sent(4), 3000).await.unwrap_err().0, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(read(Body::empty(), 10).await.unwrap(), Vec::<u8>::new());
    }

    #[tokio::test]
    async fn the_first_works_and_the_others_hear_its_answer() {
        let answers = ReplyCache::default();
        let worked = AtomicU32::new(0);
        let (go, gone) = tokio::sync::watch::channel(false);
        let ask = || async {
            let mut gone = gone.clone();
            let work = async {
                worked.fetch_add(1, Ordering::SeqCst);
                let _ = gone.wait_for(|gone| *gone).await;
                Ok::<_, ()>("done")
            };
            answers.once("k", at(0), work).await
        };
        let (first, second, ()) = tokio::join!(ask(), ask(), async {
            go.send_replace(true);
        });
        assert_eq!((first, second, ask().await), (Ok("done"), Ok("done"), Ok("done")));
        assert_eq!(worked.load(Ordering::SeqCst), 1);
        assert_eq!(answers.once("other", at(0), async { Ok::<_, ()>("mine") }).await, Ok("mine"));
    }

    #[tokio::test]
    async fn a_failure_is_no_answer_and_an_old_one_is_forgotten() {
        let answers = ReplyCache::default();
        assert_eq!(answers.once("k", at(0), async { Err::<u8, _>("disk") }).await, Err("disk"));
        assert_eq!(answers.once("k", at(0), async { Ok::<_, &str>(1) }).await, Ok(1));
        assert_eq!(answers.once("k", at(30), async { Ok::<_, &str>(2) }).await, Ok(1));
        assert_eq!(answers.once("k", at(31), async { Ok::<_, &str>(3) }).await, Ok(3));
        for n in 0..2 * MOST {
            answers.once(&n.to_string(), at(31), async { Ok::<_, &str>(0) }).await.unwrap();
        }
        let known = answers.0.lock();
        assert_eq!((known.answers.len(), known.order.len()), (MOST, MOST));
    }
}
