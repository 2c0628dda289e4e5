//! A backlog of the archive: how fast the loop reads, judges and stores what waited while the bot was away, in full batches and
//! in short ones, on the embedded store with durable commits.
//!
//! `cargo bench --bench archive [-- MESSAGES]`

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use qunguan::{
    app::{App, Overrides},
    channels::archive::{ArchiveChannel, CURSOR},
    model::{Clock, SystemClock},
    settings::Settings,
    wecom::archive::{ArchiveSource, Entry, SourceError},
};
use serde_json::json;
use tokio::sync::Notify;

const MEMBERS: u64 = 500;
const GROUPS: u64 = 50;

/// So many messages, at most so many of them in one answer.
struct Backlog {
    messages: u64,
    batch: u64,
    begins: i64,
}

#[async_trait]
impl ArchiveSource for Backlog {
    async fn pull(&self, seq: u64, limit: usize) -> Result<Vec<Entry>, SourceError> {
        let last = self.messages.min(seq + self.batch.min(limit as u64));
        Ok((seq + 1..=last).map(|seq| self.entry(seq)).collect())
    }
}

impl Backlog {
    fn entry(&self, seq: u64) -> Entry {
        let message = json!({
            "msgid": format!("m{seq}"), "action": "send", "from": format!("u{}", seq % MEMBERS), "tolist": ["boss"],
            "roomid": format!("wr{}", seq % GROUPS), "msgtime": self.begins + seq as i64, "msgtype": "text",
            "text": {"content": format!("第 {seq} 单的报价发出来了，请{}核对一下", ["仓库", "财务", "门店", "客服"][seq as usize % 4])},
        });
        Entry { seq, msgid: format!("m{seq}"), message: Ok(message.to_string()) }
    }
}

fn main() {
    let messages = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(100_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!("{:>10} {:>8} {:>10} {:>10}", "messages", "batch", "seconds", "per second");
    for batch in [500, 50] {
        let seconds = runtime.block_on(drain(messages, batch));
        println!("{messages:>10} {batch:>8} {seconds:>10.1} {:>10.0}", messages as f64 / seconds);
    }
}

/// Seconds until everything is durable.
async fn drain(messages: u64, batch: u64) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut text = format!("data_dir = {:?}\n", folder.path().join("data").display().to_string());
    for group in 0..GROUPS {
        text.push_str(&format!("[[group]]\nid = \"wr{group}\"\nkind = \"internal\"\nmode = \"watch\"\n"));
    }
    let settings = Settings::parse(&text, "archive.toml".as_ref(), None).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let app = App::open(settings, clock.clone(), Overrides::default()).await.unwrap();
    let begins = clock.now().as_millisecond() - messages as i64;
    let source = Arc::new(Backlog { messages, batch, begins });
    let (store, poll) = (app.store(), std::time::Duration::from_secs(15));
    let (moderation, wake) = (app.moderation(), Arc::new(Notify::new()));
    let channel = ArchiveChannel::new(source, store.clone(), moderation, clock, poll, wake, app.eyes());
    let begun = Instant::now();
    assert_eq!(channel.catch_up().await, Ok(messages as usize));
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(store.cursor(CURSOR).await.unwrap(), messages);
    seconds
}
