//! `kill -9` at random moments under load: nothing acknowledged is lost, nothing is half there, nothing happens twice.
//! 20 kills here; `QUNGUAN_KILLS=200 cargo test --test crash` for more. The counts are printed (`--nocapture`).

mod kill;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use qunguan::{
    detect::Verdict,
    model::{Category, Channel, Message, Severity, Step},
    store::{
        Case, CaseQuery, CaseState, Commit, Committed, Processed, Store, Task, TaskQuery, TaskState, TaskUpdate,
        embedded::EmbeddedStore,
    },
};
use rand::RngExt;
use serde_json::json;

const WORKERS: u64 = 12;
const MEMBERS: u64 = 4;

fn said(life: u64, n: u64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + life as i64 * 100_000 + n as i64).unwrap()
}

fn group(life: u64) -> String {
    format!("group-{life}")
}

/// Every fifth message is a violation: it makes a case and a task.
fn is_violation(n: u64) -> bool {
    n.is_multiple_of(5)
}

/// One message with all that follows from it; tried again until the member's version holds.
async fn process(store: &EmbeddedStore, life: u64, worker: u64, n: u64) -> Committed {
    let (group, sender) = (group(life), format!("member-{}", (worker + n) % MEMBERS));
    let name = format!("{life}-{worker}-{n}");
    let message = Message::text(Channel::Http, &name, &group, &sender, said(life, n), "早上好，今天的日报已经发到邮箱");
    let case_id = format!("CASE-{name}");
    loop {
        let mut member = store.member(&message.group, &message.sender).await.unwrap();
        member.standing.messages += 1;
        let mut commit = Commit {
            processed: Some(Processed {
                message: message.clone(),
                verdict: Verdict::Clean,
                step: Step::None,
                points: 0,
                live_points: 0,
                case: is_violation(n).then(|| case_id.as_str().into()),
            }),
            members: vec![member],
            cursors: vec![(format!("worker-{life}-{worker}"), n)],
            ..Commit::default()
        };
        if is_violation(n) {
            commit.cases = vec![case(&case_id, &message)];
            let task = Task::new(format!("task-{name}"), "send", &message.group, message.at, json!({}));
            commit.tasks = vec![Task { case: Some(case_id.as_str().into()), ..task }];
        }
        match store.commit(commit).await.unwrap() {
            Committed::Conflict => {}
            ended => return ended,
        }
    }
}

fn case(id: &str, message: &Message) -> Case {
    Case {
        id: id.into(),
        version: 0,
        group: message.group.clone(),
        member: message.sender.clone(),
        message: message.id.clone(),
        at: message.at,
        evidence: "加我领资料".repeat(2000), // several rows of the engine
        findings: Vec::new(),
        category: Category::Ads,
        severity: Severity::Medium,
        step: Step::Warn,
        points: 2,
        live_points: 2,
        until: None,
        expires_at: None,
        policy: "default@1".into(),
        clause: None,
        rule: String::new(),
        state: CaseState::Open,
        history: Vec::new(),
        further: Vec::new(),
        more: 0,
        others: Vec::new(),
        same_text: Vec::new(),
    }
}

/// The child: works until it is killed. In an ordinary test run it has nothing to do.
#[test]
fn child_that_works() {
    let Some((folder, life)) = kill::child() else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Arc::new(EmbeddedStore::open(&folder).unwrap());
        let mut workers = tokio::task::JoinSet::new();
        for worker in 0..WORKERS {
            let store = store.clone();
            workers.spawn(async move {
                for n in 1.. {
                    assert_eq!(process(&store, life, worker, n).await, Committed::Applied);
                    kill::acknowledge(&format!("message {life}-{worker}-{n}"));
                    if n % 3 == 0 {
                        let again = process(&store, life, worker, n - 1).await; // WeCom's own retry
                        assert!(matches!(again, Committed::Duplicate(_)));
                    }
                }
            });
        }
        workers.spawn(async move {
            loop {
                for task in store.claim(Timestamp::MAX, 4, SignedDuration::ZERO).await.unwrap() {
                    let update = TaskUpdate {
                        id: task.id.clone(),
                        fence: Some(task.fence),
                        state: TaskState::Done,
                        due: task.due,
                        reason: String::new(),
                        payload: None,
                        failed: false,
                    };
                    let done = Commit { task_updates: vec![update], ..Commit::default() };
                    assert_eq!(store.commit(done).await.unwrap(), Committed::Applied);
                    kill::acknowledge(&format!("done {}", task.id));
                }
                tokio::task::yield_now().await;
            }
        });
        while let Some(ended) = workers.join_next().await {
            ended.unwrap();
        }
    });
}

#[test]
fn no_kill_loses_or_doubles_anything() {
    let kills = kill::kills();
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("store");
    let mut rng = rand::rng();
    let (mut acknowledged, mut survived, mut done) = (0, 0, 0);
    for life in 0..kills {
        // Sometimes within the opening itself, mostly in the middle of the work.
        let after = Duration::from_millis(rng.random_range(if life % 5 == 4 { 0..40 } else { 60..260 }));
        let acks = kill::start_and_kill("child_that_works", &folder, life, after);
        let checked = check_life(&folder, life, &acks);
        acknowledged += checked.acknowledged;
        survived += checked.survived;
        done += checked.done;
    }
    let store = EmbeddedStore::open(&folder).unwrap();
    let checked = store.check().unwrap();
    assert_eq!(checked.faults, Vec::<String>::new());
    assert!(acknowledged > 0, "nothing was ever acknowledged: the test proves nothing");
    println!(
        "{kills} kills: {acknowledged} messages acknowledged, {survived} found (the rest was written but not yet said), \
         0 lost, 0 halved, 0 doubled; {done} task ends acknowledged, 0 lost; {} rows agree",
        checked.rows
    );
}

struct Checked {
    acknowledged: usize,
    survived: usize,
    done: usize,
}

/// Everything the killed child had been told must be there, and whatever is there must be whole.
fn check_life(folder: &Path, life: u64, acks: &[String]) -> Checked {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let store = EmbeddedStore::open(folder).unwrap();
        let mut messages: Vec<Processed> = Vec::new();
        loop {
            let after = messages.last().map(|p| p.message.id.clone());
            let page = store.messages(said(life, 0), after.as_ref(), 1000).await.unwrap();
            if page.is_empty() {
                break;
            }
            messages.extend(page);
        }
        let present: BTreeSet<String> = messages.iter().map(|p| p.message.id.to_string()).collect();
        assert_eq!(present.len(), messages.len());
        let told: Vec<&str> = acks.iter().filter_map(|ack| ack.strip_prefix("message ")).collect();
        for name in &told {
            assert!(present.contains(&format!("http:{name}")), "life {life}: acknowledged message {name} is lost");
        }

        // One message, one count: members add up to the messages, no more and no less.
        let members = store.members(&group(life).as_str().into()).await.unwrap();
        let counted: u64 = members.iter().map(|m| m.standing.messages).sum();
        assert_eq!(counted, messages.len() as u64, "life {life}: members and messages disagree");
        for member in &members {
            assert_eq!(
                member.version, member.standing.messages,
                "life {life}: a write was counted twice or not at all"
            );
        }

        // Cursors, cases and tasks are exactly those of the messages.
        let mut furthest: BTreeMap<u64, u64> = BTreeMap::new();
        let mut violations = BTreeSet::new();
        for id in &present {
            let name = id.strip_prefix("http:").unwrap();
            let parts: Vec<u64> = name.split('-').map(|n| n.parse().unwrap()).collect();
            let last = furthest.entry(parts[1]).or_default();
            *last = (*last).max(parts[2]);
            if is_violation(parts[2]) {
                violations.insert(name.to_owned());
            }
        }
        for (worker, n) in furthest {
            assert_eq!(store.cursor(&format!("worker-{life}-{worker}")).await.unwrap(), n, "life {life}: cursor");
        }
        let query = CaseQuery { group: Some(group(life).as_str().into()), limit: usize::MAX, ..CaseQuery::default() };
        let cases: BTreeSet<String> = store.cases(&query).await.unwrap().iter().map(|c| c.id.to_string()).collect();
        assert_eq!(cases, violations.iter().map(|v| format!("CASE-{v}")).collect(), "life {life}: cases");
        let mut tasks = BTreeSet::new();
        for case in &cases {
            let query = TaskQuery { case: Some(case.as_str().into()), ..TaskQuery::default() };
            tasks.extend(store.tasks(&query).await.unwrap().iter().map(|t| t.id.to_string()));
        }
        assert_eq!(tasks, violations.iter().map(|v| format!("task-{v}")).collect(), "life {life}: tasks");

        let done: Vec<&str> = acks.iter().filter_map(|ack| ack.strip_prefix("done ")).collect();
        for id in &done {
            let task = store.task(&(*id).into()).await.unwrap().unwrap();
            assert_eq!(task.state, TaskState::Done, "life {life}: the end of {id} is lost");
        }
        Checked { acknowledged: told.len(), survived: messages.len(), done: done.len() }
    })
}
