//! 1,000 notices to 5,000 people each, all with the same deadline second: how long until every outcome is durable and every
//! message to those missing is queued.
//!
//! `cargo bench --bench notices [-- NOTICES PEOPLE]`

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::tz::TimeZone;
use qunguan::{
    access::Actor,
    calendar::{Calendar, Holidays},
    groups::Group,
    model::{Clock, GroupId, MemberId, ShiftedClock, SignedDuration, Timestamp},
    notices::{
        Deadline, Directory, Draft, Notices, Person, Ran, due,
        roster::{Answer, Bucket, How},
        run_task,
    },
    store::{Commit, Document, Store, TaskState, TaskUpdate, embedded::EmbeddedStore},
};

struct Big(usize);

impl Directory for Big {
    fn group(&self, _: &GroupId) -> Option<Vec<Person>> {
        Some((0..self.0).map(|n| self.person(&format!("u{n:05}").into())).collect())
    }
    fn group_record(&self, id: &GroupId) -> Arc<Group> {
        Arc::new(Group::unknown(id))
    }
    fn group_name(&self, group: &GroupId) -> String {
        group.to_string()
    }
    fn department(&self, _: &str) -> Option<Vec<Person>> {
        None
    }
    fn person(&self, id: &MemberId) -> Person {
        let boss = format!("boss{}", &id.as_str()[id.as_str().len() - 2..]);
        Person {
            id: id.clone(), name: format!("员工{id}"), department: "销售部".into(), superior: Some(boss.into())
        }
    }
}

/// Resident memory of this process, MiB; 0 where the system does not tell.
fn resident_mib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|l| l.split_whitespace().nth(1)).and_then(|kib| kib.parse::<usize>().ok()).unwrap_or(0) / 1024
}

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|arg| arg.parse::<usize>().ok());
    let (count, people) = (numbers.next().unwrap_or(1000), numbers.next().unwrap_or(5000));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("runtime");
    runtime.block_on(bench(count, people));
}

async fn bench(count: usize, people: usize) {
    let folder = tempfile::tempdir().expect("folder");
    let store = Arc::new(EmbeddedStore::open(folder.path()).expect("store"));
    let sent: Timestamp = "2026-11-23T10:00:00+08:00".parse().expect("time");
    let clock = Arc::new(ShiftedClock::fixed(sent));
    let zone = TimeZone::get("Asia/Shanghai").expect("zone");
    let calendar = Arc::new(Calendar::new(zone, None, Holidays::built_in()));
    let notices = Arc::new(Notices::new(store.clone(), clock.clone(), Arc::new(Big(people)), calendar));

    let began = Instant::now();
    let mut ids = Vec::new();
    for n in 0..count {
        let group = format!("g{n:04}");
        let draft = Draft {
            reminders: Vec::new(),
            ..Draft::new(&format!("通知 {n}"), &[&group], Deadline::After(SignedDuration::from_hours(2)))
        };
        ids.push(notices.publish(&Actor::bot(), &draft, None).await.expect("publish").id);
    }
    println!("published {count} notices x {people} people in {:.1?}, {} MiB", began.elapsed(), resident_mib());

    // Nine in ten have answered. Written bucket by bucket here: an hour of answers in some seconds.
    let began = Instant::now();
    for id in &ids {
        let documents = store.documents("notice_roll", &format!("{id}/"), None, 10_000).await.expect("read");
        let answered = documents.into_iter().map(|document| {
            let mut bucket: Bucket = serde_json::from_value(document.body).expect("bucket");
            for (position, entry) in bucket.values_mut().enumerate() {
                if position % 10 != 0 {
                    let at = sent + SignedDuration::from_mins(position as i64);
                    entry.answer = Some(Answer { at, how: How::Word, message: None });
                }
            }
            Document { body: serde_json::to_value(&bucket).expect("bucket"), ..document }
        });
        let commit = Commit { documents: answered.collect(), ..Commit::default() };
        store.commit(commit).await.expect("write");
    }
    println!("nine in ten answered in {:.1?}, {} MiB", began.elapsed(), resident_mib());
    one_answer(&notices, &ids[0], &clock).await;

    // What was queued at publishing is done already, so that only the deadline remains.
    drain(&store, clock.now()).await;
    clock.advance(SignedDuration::from_hours(2));
    let now = clock.now();
    let (began, mut closed, mut peak) = (Instant::now(), 0, 0);
    loop {
        let tasks = store.claim(now, 64, SignedDuration::from_secs(600)).await.expect("claim");
        if tasks.is_empty() {
            break;
        }
        let mut working = tokio::task::JoinSet::new();
        for task in tasks {
            let (notices, store) = (notices.clone(), store.clone());
            working.spawn(async move {
                let deadline = task.kind == due::DEADLINE;
                let (state, due, payload) = if due::KINDS.iter().any(|kind| kind.id() == task.kind) {
                    match run_task(&notices, &task).await.expect("run") {
                        Ran::Done(_) => (TaskState::Done, now, None),
                        Ran::Later { due, payload, .. } => (TaskState::Pending, due, Some(payload)),
                    }
                } else {
                    // Telling is for the executor of private messages; here it stays queued.
                    (TaskState::Pending, now + SignedDuration::from_hours(1), None)
                };
                let update = TaskUpdate {
                    id: task.id,
                    fence: Some(task.fence),
                    state,
                    due,
                    reason: String::new(),
                    payload,
                    failed: false,
                };
                let commit = Commit { task_updates: vec![update], ..Commit::default() };
                store.commit(commit).await.expect("commit");
                usize::from(deadline)
            });
        }
        while let Some(done) = working.join_next().await {
            closed += done.expect("task");
        }
        peak = peak.max(resident_mib());
    }
    let took = began.elapsed();
    println!(
        "deadline: {closed} notices, {} outcomes durable and {} people queued to be told in {took:.1?} ({:.0} outcomes/s), at most {peak} MiB",
        count * people,
        count * people / 10,
        (count * people) as f64 / took.as_secs_f64(),
    );
}

/// One acknowledgement in a large notice: read and rewrite of one bucket, synced.
async fn one_answer(notices: &Notices, id: &str, clock: &ShiftedClock) {
    let notice = notices.get(id).await.expect("notice");
    let mut missing = Vec::new();
    notices
        .walk(&notice, |member, entry| {
            if entry.answer.is_none() {
                missing.push(member);
            }
        })
        .await
        .expect("walk");
    let (mut longest, mut total) = (Duration::ZERO, Duration::ZERO);
    let some = &missing[..missing.len().min(100)];
    for member in some {
        let began = Instant::now();
        notices.acknowledge(&notice, member, clock.now(), How::Button, None).await.expect("acknowledge");
        longest = longest.max(began.elapsed());
        total += began.elapsed();
    }
    println!("one answer: mean {:.1?}, longest {longest:.1?}", total / some.len() as u32);
}

async fn drain(store: &EmbeddedStore, now: Timestamp) {
    loop {
        let tasks = store.claim(now, 500, SignedDuration::from_secs(60)).await.expect("claim");
        if tasks.is_empty() {
            return;
        }
        let task_updates = tasks.into_iter().map(|task| TaskUpdate {
            id: task.id,
            fence: Some(task.fence),
            state: TaskState::Done,
            due: now,
            reason: String::new(),
            payload: None,
            failed: false,
        });
        store.commit(Commit { task_updates: task_updates.collect(), ..Commit::default() }).await.expect("commit");
    }
}
