//! Durable commits a second of the embedded store: one by one, and sharing a sync.
//! `cargo bench --bench store [FOLDER]`; the folder should lie on the disk the bot will use.

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use qunguan::{
    detect::Verdict,
    model::{Channel, Message, Step},
    store::{Commit, Committed, Processed, Store, embedded::EmbeddedStore},
};

const RUN: Duration = Duration::from_secs(2);

fn main() {
    let base = std::env::args().nth(1).filter(|a| !a.starts_with("--"));
    let root = match base {
        Some(base) => tempfile::tempdir_in(base),
        None => tempfile::tempdir(),
    }
    .unwrap();
    println!("one write of 300 bytes and fdatasync, alone: {:.0}/s", bare_sync(root.path()));
    println!(
        "{:>8} {:>12} {:>10} {:>10}   {:>12} {:>10} {:>10}",
        "clients", "one by one/s", "p50 us", "p99 us", "grouped/s", "p50 us", "p99 us"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for clients in [1, 16, 64] {
        let run = |grouped: bool| {
            let folder = root.path().join(format!("{clients}-{grouped}"));
            runtime.block_on(commits(&folder, clients, grouped))
        };
        let (single, grouped) = (run(false), run(true));
        println!(
            "{clients:>8} {:>12.0} {:>10} {:>10}   {:>12.0} {:>10} {:>10}",
            single.0, single.1, single.2, grouped.0, grouped.1, grouped.2
        );
    }
}

fn bare_sync(folder: &Path) -> f64 {
    let mut file = File::create(folder.join("bare")).unwrap();
    let (start, mut count) = (Instant::now(), 0);
    while start.elapsed() < RUN {
        file.write_all(&[7; 300]).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

/// Commits a second, median and 99th percentile of their latency in microseconds. A commit is what a clean message costs:
/// its mark, its index, the member's record and the channel's cursor.
async fn commits(folder: &Path, clients: u64, grouped: bool) -> (f64, u64, u64) {
    let store = Arc::new(EmbeddedStore::open(folder).unwrap());
    let turn = Arc::new(tokio::sync::Mutex::new(()));
    let total = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..clients {
        let (store, turn, total) = (store.clone(), turn.clone(), total.clone());
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            while start.elapsed() < RUN {
                let n = total.fetch_add(1, Ordering::Relaxed);
                let begun = Instant::now();
                let alone = if grouped { None } else { Some(turn.lock().await) };
                let sender = format!("member-{client}-{}", n % 50);
                let now = Timestamp::now();
                let message =
                    Message::text(Channel::Http, &n.to_string(), "wrGroup", &sender, now, "今天的报价单请看群文件");
                let mut member = store.member(&message.group, &message.sender).await.unwrap();
                member.standing.messages += 1;
                let commit = Commit {
                    processed: Some(Processed {
                        message,
                        verdict: Verdict::Clean,
                        step: Step::None,
                        points: 0,
                        live_points: 0,
                        case: None,
                    }),
                    members: vec![member],
                    cursors: vec![("archive".to_owned(), n)],
                    ..Commit::default()
                };
                assert_eq!(store.commit(commit).await.unwrap(), Committed::Applied);
                drop(alone);
                latencies.push(begun.elapsed().as_micros() as u64);
            }
            latencies
        });
    }
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.extend(done.unwrap());
    }
    let rate = latencies.len() as f64 / start.elapsed().as_secs_f64();
    latencies.sort_unstable();
    (rate, latencies[latencies.len() / 2], latencies[latencies.len() * 99 / 100])
}
