//! Random calls against every engine and against a model that is too simple to be wrong.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;

use super::{
    contract::{at, id, mark},
    embedded::EmbeddedStore,
    memory::MemoryStore,
    *,
};

#[derive(Clone, Debug)]
enum Step {
    /// Marks message, writes member at (stored version + skew), makes a task, writes a document at (version + skew).
    Commit {
        message: u8,
        member: u8,
        skew: u8,
        task: u8,
        due: u8,
        document: u8,
        delete: Option<u8>,
        cursor: u8,
    },
    Claim {
        now: u8,
        limit: usize,
        lease: u8,
    },
    /// Ends or puts off a task with its fence plus `skew`, or from outside.
    Update {
        task: u8,
        skew: Option<u8>,
        state: usize,
        due: u8,
    },
    Prune {
        before: u8,
        limit: usize,
    },
    /// The embedded store is closed and opened again.
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let wrong = prop_oneof![8 => Just(0_u8), 1 => Just(1_u8)];
    prop_oneof![
        6 => (0..12_u8, 0..3_u8, wrong.clone(), 0..6_u8, 0..20_u8, 0..3_u8, prop::option::weighted(0.2, 0..3_u8), 0..9_u8)
            .prop_map(|(message, member, skew, task, due, document, delete, cursor)| Step::Commit {
                message, member, skew, task, due, document, delete, cursor,
            }),
        3 => (0..30_u8, 0..4_usize, 0..9_u8).prop_map(|(now, limit, lease)| Step::Claim { now, limit, lease }),
        3 => (0..6_u8, prop::option::weighted(0.8, wrong), 0..TaskState::ALL.len(), 0..20_u8)
            .prop_map(|(task, skew, state, due)| Step::Update { task, skew, state, due }),
        1 => (0..12_u8, 0..3_usize).prop_map(|(before, limit)| Step::Prune { before, limit }),
        1 => Just(Step::Reopen),
    ]
}

/// What should be stored.
#[derive(Default)]
struct Model {
    messages: BTreeMap<u8, Processed>,
    members: BTreeMap<u8, u64>,
    tasks: BTreeMap<u8, Task>,
    documents: BTreeMap<u8, (u64, u8)>,
    cursor: u64,
}

impl Model {
    fn commit(&mut self, step: &Step) -> Committed {
        let Step::Commit { message, member, skew, task, due, document, delete, cursor } = *step else { unreachable!() };
        if let Some(first) = self.messages.get(&message) {
            self.cursor = self.cursor.max(cursor.into());
            return Committed::Duplicate(Box::new(first.clone()));
        }
        if skew != 0 {
            return Committed::Conflict;
        }
        self.messages.insert(message, mark(&message.to_string(), message.into()));
        *self.members.entry(member).or_default() += 1;
        self.tasks.entry(task).or_insert_with(|| new_task(task, due));
        let written = self.documents.entry(document).or_insert((0, 0));
        *written = (written.0 + 1, message);
        if let Some(delete) = delete {
            self.documents.remove(&delete);
        }
        self.cursor = self.cursor.max(cursor.into());
        Committed::Applied
    }
    fn claimable(&self) -> Vec<(Timestamp, u8)> {
        let open = self.tasks.iter().filter(|(_, task)| !task.state.is_final());
        let mut list: Vec<_> = open.map(|(n, t)| (t.leased_until.map_or(t.due, |l| l.max(t.due)), *n)).collect();
        list.sort_unstable();
        list
    }
    fn claim(&mut self, now: Timestamp, limit: usize, lease: SignedDuration) -> Vec<Task> {
        let due: Vec<u8> =
            self.claimable().into_iter().filter(|(at, _)| *at <= now).map(|(_, n)| n).take(limit).collect();
        due.into_iter()
            .filter_map(|n| {
                let task = self.tasks.get_mut(&n)?;
                task.fence += 1;
                task.attempts += 1;
                task.leased_until = Some(now + lease);
                Some(task.clone())
            })
            .collect()
    }
    fn update(&mut self, n: u8, update: &TaskUpdate) -> Committed {
        let Some(task) = self.tasks.get_mut(&n).filter(|task| !task.state.is_final()) else {
            return if update.fence.is_none() { Committed::Applied } else { Committed::Conflict };
        };
        if update.fence.is_some_and(|fence| fence != task.fence) {
            return Committed::Conflict;
        }
        if update.fence.is_none() {
            task.fence += 1;
        }
        task.state = update.state;
        task.due = update.due;
        task.leased_until = None;
        task.reason.clone_from(&update.reason);
        if !update.failed {
            task.attempts = 0;
        }
        Committed::Applied
    }
}

fn name(n: u8) -> String {
    format!("task-{n}")
}
fn new_task(n: u8, due: u8) -> Task {
    Task { due: at(due.into()), ..Task::new(name(n), "send", &"g".into(), at(0), json!(n)) }
}

/// Does a step on the store and on the model, and compares their answers.
async fn run(store: &dyn Store, model: &mut Model, step: &Step) {
    match *step {
        Step::Commit { message, member, skew, task, due, document, delete, cursor } => {
            let mut record = store.member(&"g".into(), &member.to_string().as_str().into()).await.unwrap();
            assert_eq!(record.version, model.members.get(&member).copied().unwrap_or(0));
            record.version += u64::from(skew);
            let version = store.document("d", &document.to_string()).await.unwrap().map_or(0, |d| d.version);
            let commit = Commit {
                processed: Some(mark(&message.to_string(), message.into())),
                members: vec![record],
                tasks: vec![new_task(task, due)],
                documents: vec![Document {
                    collection: "d".into(),
                    id: document.to_string(),
                    version,
                    body: json!(message),
                }],
                deletes: delete.map(|id| ("d".into(), id.to_string())).into_iter().collect(),
                cursors: vec![("c".into(), cursor.into())],
                ..Commit::default()
            };
            assert_eq!(store.commit(commit).await.unwrap(), model.commit(step));
        }
        Step::Claim { now, limit, lease } => {
            let (now, lease) = (at(now.into()), SignedDuration::from_secs(lease.into()));
            assert_eq!(store.claim(now, limit, lease).await.unwrap(), model.claim(now, limit, lease));
        }
        Step::Update { task, skew, state, due } => {
            let known = model.tasks.get(&task).map_or(0, |t| t.fence);
            let update = TaskUpdate {
                id: name(task).into(),
                fence: skew.map(|skew| known + u64::from(skew)),
                state: TaskState::ALL[state],
                due: at(due.into()),
                reason: "试试".into(),
                payload: None,
                failed: due % 2 == 0,
            };
            let commit = Commit { task_updates: vec![update.clone()], ..Commit::default() };
            assert_eq!(store.commit(commit).await.unwrap(), model.update(task, &update));
        }
        Step::Prune { before, limit } => {
            let old: Vec<u8> = model.messages.keys().copied().filter(|m| *m < before).take(limit).collect();
            assert_eq!(store.prune(at(before.into()), limit).await.unwrap(), old.len());
            model.messages.retain(|m, _| !old.contains(m));
        }
        Step::Reopen => {}
    }
}

/// Everything that can be read, against everything that should be there.
async fn compare(store: &dyn Store, model: &Model) {
    let messages: Vec<Processed> = model.messages.values().cloned().collect();
    assert_eq!(store.messages(at(0), None, 99).await.unwrap(), messages);
    for n in 0..12_u8 {
        assert_eq!(store.processed(&id(&n.to_string())).await.unwrap().as_ref(), model.messages.get(&n));
    }
    let members = store.members(&"g".into()).await.unwrap();
    let versions: Vec<(String, u64)> = members.iter().map(|m| (m.member.to_string(), m.version)).collect();
    assert_eq!(versions, model.members.iter().map(|(m, v)| (m.to_string(), *v)).collect::<Vec<_>>());
    let tasks: Vec<Task> = model.tasks.values().cloned().collect();
    assert_eq!(store.tasks(&TaskQuery::default()).await.unwrap(), tasks);
    for state in TaskState::ALL {
        let query = TaskQuery { state: Some(*state), ..TaskQuery::default() };
        let expected: Vec<Task> = tasks.iter().filter(|t| t.state == *state).cloned().collect();
        assert_eq!(store.tasks(&query).await.unwrap(), expected);
    }
    assert_eq!(store.next_due().await.unwrap(), model.claimable().first().map(|(at, _)| *at));
    let documents = store.documents("d", "", None, 99).await.unwrap();
    let bodies: Vec<_> = documents.into_iter().map(|d| (d.id, d.version, d.body)).collect();
    let expected: Vec<_> = model.documents.iter().map(|(d, (v, m))| (d.to_string(), *v, json!(m))).collect();
    assert_eq!(bodies, expected);
    assert_eq!(store.cursor("c").await.unwrap(), model.cursor);
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_does_what_the_model_does(steps in prop::collection::vec(step(), 1..60)) {
        block_on(async {
            let (store, mut model) = (MemoryStore::new(), Model::default());
            for step in &steps {
                run(&store, &mut model, step).await;
                compare(&store, &model).await;
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_embedded_store_does_what_the_model_does(steps in prop::collection::vec(step(), 1..60)) {
        block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let (mut store, mut model) = (EmbeddedStore::open(folder.path()).unwrap(), Model::default());
            for step in &steps {
                run(&store, &mut model, step).await;
                if matches!(step, Step::Reopen) {
                    drop(store);
                    store = EmbeddedStore::open(folder.path()).unwrap();
                    compare(&store, &model).await;
                }
            }
            compare(&store, &model).await;
            assert_eq!(store.check().unwrap().faults, Vec::<String>::new());
        });
    }
}
