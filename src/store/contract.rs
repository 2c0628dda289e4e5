//! What every engine must do, run against each of them. A new engine adds one line to [`engines`].

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;

use super::{embedded::EmbeddedStore, memory::MemoryStore, *};
use crate::{
    detect::Verdict,
    model::{Channel, MessageId},
};

/// Runs a test against a fresh store of every engine.
macro_rules! on_every_engine {
    ($($(#[$meta:meta])* $name:ident;)*) => {
        mod memory_engine {
            $($(#[$meta])* #[tokio::test] async fn $name() { super::$name(&super::MemoryStore::new()).await; })*
        }
        mod embedded_engine {
            $($(#[$meta])* #[tokio::test] async fn $name() {
                let folder = tempfile::tempdir().unwrap();
                let store = super::EmbeddedStore::open(folder.path()).unwrap();
                super::$name(&store).await;
                let checked = store.check().unwrap();
                assert_eq!(checked.faults, Vec::<String>::new());
            })*
        }
    };
}

on_every_engine! {
    a_message_is_processed_once;
    a_duplicate_moves_only_the_cursor;
    a_stale_version_conflicts_and_writes_nothing;
    what_a_decision_rests_on_must_still_stand;
    commits_in_one_batch_see_each_other;
    tasks_are_claimed_under_lease_and_fence;
    only_failed_tries_count;
    a_task_is_made_once_and_ends_once;
    due_times_lead;
    cases_come_newest_first_in_pages;
    documents_are_listed_by_prefix;
    old_messages_are_forgotten_oldest_first;
    a_task_is_forgotten_only_when_it_has_ended;
    members_of_one_group_only;
    long_values_and_long_ids;
    an_empty_commit_is_applied;
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub(super) fn mark(id: &str, second: i64) -> Processed {
    Processed {
        message: Message::text(Channel::Http, id, "g", "u", at(second), "早上好"),
        verdict: Verdict::Clean,
        step: Step::None,
        points: 0,
        live_points: 0,
        case: None,
    }
}

pub(super) fn id(id: &str) -> MessageId {
    MessageId::new(format!("http:{id}"))
}

fn task(id: &str, due: i64) -> Task {
    Task { due: at(due), ..Task::new(id, "send", &"g".into(), at(0), json!({"to": id})) }
}

fn update(id: &str, fence: Option<u64>, state: TaskState, due: i64) -> TaskUpdate {
    TaskUpdate { id: id.into(), fence, state, due: at(due), reason: "因为".into(), payload: None, failed: true }
}

pub(super) fn case(id: &str, group: &str, member: &str, second: i64, state: CaseState) -> Case {
    Case {
        id: id.into(),
        version: 0,
        group: group.into(),
        member: member.into(),
        message: MessageId::new(format!("http:{id}")),
        at: at(second),
        evidence: "证据".into(),
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
        state,
        history: Vec::new(),
        further: Vec::new(),
        more: 0,
        others: Vec::new(),
        same_text: Vec::new(),
    }
}

async fn applied(store: &dyn Store, commit: Commit) {
    assert_eq!(store.commit(commit).await.unwrap(), Committed::Applied);
}

async fn tasks(store: &dyn Store, tasks: impl IntoIterator<Item = Task>) {
    applied(store, Commit { tasks: tasks.into_iter().collect(), ..Commit::default() }).await;
}

fn names<T>(list: Vec<T>, name: impl Fn(&T) -> String) -> String {
    list.iter().map(name).collect::<Vec<_>>().join(" ")
}

async fn a_message_is_processed_once(store: &dyn Store) {
    assert_eq!(store.processed(&id("1")).await.unwrap(), None);
    let first = Processed { points: 2, ..mark("1", 5) };
    let mut member = store.member(&"g".into(), &"u".into()).await.unwrap();
    assert_eq!(member.version, 0);
    member.standing.messages = 1;
    let commit = Commit {
        processed: Some(first.clone()),
        members: vec![member.clone()],
        tasks: vec![task("t", 5)],
        ..Commit::default()
    };
    applied(store, commit.clone()).await;
    assert_eq!(store.commit(commit).await.unwrap(), Committed::Duplicate(Box::new(first.clone())));
    assert_eq!(store.processed(&id("1")).await.unwrap(), Some(first));
    let stored = store.member(&"g".into(), &"u".into()).await.unwrap();
    assert_eq!(stored, MemberRecord { version: 1, ..member });
    assert_eq!(store.tasks(&TaskQuery::default()).await.unwrap().len(), 1);
}

async fn a_duplicate_moves_only_the_cursor(store: &dyn Store) {
    let with_cursor =
        |value| Commit { processed: Some(mark("1", 0)), cursors: vec![("archive".into(), value)], ..Commit::default() };
    applied(store, with_cursor(7)).await;
    assert_eq!(store.cursor("archive").await.unwrap(), 7);
    let late = Commit { tasks: vec![task("t", 0)], ..with_cursor(9) };
    assert!(matches!(store.commit(late).await.unwrap(), Committed::Duplicate(_)));
    assert_eq!(store.cursor("archive").await.unwrap(), 9);
    assert_eq!(store.task(&"t".into()).await.unwrap(), None);
    assert!(matches!(store.commit(with_cursor(3)).await.unwrap(), Committed::Duplicate(_)));
    assert_eq!(store.cursor("archive").await.unwrap(), 9, "a position never moves back");
    assert_eq!(store.cursor("other").await.unwrap(), 0);
}

async fn a_stale_version_conflicts_and_writes_nothing(store: &dyn Store) {
    let member = MemberRecord::new("g".into(), "u".into());
    let document = Document { collection: "group".into(), id: "g".into(), version: 0, body: json!(1) };
    let both = Commit {
        members: vec![member.clone()],
        cases: vec![case("8F2K", "g", "u", 0, CaseState::Open)],
        documents: vec![document.clone()],
        ..Commit::default()
    };
    applied(store, both).await;
    let stale = [
        Commit { members: vec![member], ..Commit::default() },
        Commit { cases: vec![case("8F2K", "g", "u", 0, CaseState::Closed)], ..Commit::default() },
        Commit { documents: vec![Document { version: 7, ..document.clone() }], ..Commit::default() },
        Commit { task_updates: vec![update("unknown", Some(1), TaskState::Done, 0)], ..Commit::default() },
    ];
    for commit in stale {
        let commit = Commit {
            processed: Some(mark("1", 0)),
            tasks: vec![task("t", 0)],
            documents: [vec![Document { id: "new".into(), ..document.clone() }], commit.documents].concat(),
            cursors: vec![("c".into(), 1)],
            ..commit
        };
        assert_eq!(store.commit(commit).await.unwrap(), Committed::Conflict);
        assert_eq!(store.processed(&id("1")).await.unwrap(), None);
        assert_eq!(store.task(&"t".into()).await.unwrap(), None);
        assert_eq!(store.document("group", "new").await.unwrap(), None);
        assert_eq!(store.cursor("c").await.unwrap(), 0);
    }
    let twice = MemberRecord::new("g".into(), "twice".into());
    let commit = Commit { members: vec![twice.clone(), twice], ..Commit::default() };
    assert_eq!(store.commit(commit).await.unwrap(), Committed::Conflict, "one record, one change a commit");
    let next = Commit { documents: vec![Document { version: 1, ..document }], ..Commit::default() };
    applied(store, next).await;
    assert_eq!(store.document("group", "g").await.unwrap().unwrap().version, 2);
}

async fn what_a_decision_rests_on_must_still_stand(store: &dyn Store) {
    let document = |version| Document { collection: "x".into(), id: "d".into(), version, body: json!(version) };
    let first = MemberRecord::new("g".into(), "u".into());
    let commit = Commit {
        members: vec![first.clone()],
        cases: vec![case("C1", "g", "u", 1, CaseState::Open)],
        documents: vec![document(0)],
        tasks: vec![task("t", 5)],
        ..Commit::default()
    };
    applied(store, commit).await;
    let known = store.task(&"t".into()).await.unwrap().map(Box::new);
    let stands = || {
        vec![
            Seen::Member("g".into(), "u".into(), 1),
            Seen::Member("g".into(), "nobody".into(), 0),
            Seen::Case("C1".into(), 1),
            Seen::Case("C2".into(), 0),
            Seen::Document("x".into(), "d".into(), 1),
            Seen::Document("x".into(), "e".into(), 0),
            Seen::Task("t".into(), known.clone()),
            Seen::Task("u".into(), None),
        ]
    };
    let write = |name: &str, unchanged| Commit { unchanged, cursors: vec![(name.into(), 1)], ..Commit::default() };
    applied(store, write("all", stands())).await;
    for n in 0..stands().len() {
        let mut seen = stands();
        let one = match seen.swap_remove(n) {
            Seen::Member(group, member, version) => Seen::Member(group, member, version + 1),
            Seen::Case(id, version) => Seen::Case(id, version + 1),
            Seen::Document(collection, id, version) => Seen::Document(collection, id, version + 1),
            Seen::Task(id, Some(known)) => Seen::Task(id, Some(Box::new(Task { fence: known.fence + 1, ..*known }))),
            Seen::Task(id, None) => Seen::Task(id, known.clone()),
        };
        seen.push(one);
        assert_eq!(store.commit(write("none", seen)).await.unwrap(), Committed::Conflict, "{n}");
    }
    assert_eq!(store.cursor("none").await.unwrap(), 0);
}

async fn commits_in_one_batch_see_each_other(store: &dyn Store) {
    let member = MemberRecord::new("g".into(), "u".into());
    let same_version = |n: usize| {
        let commit = Commit {
            processed: Some(mark(&n.to_string(), 0)),
            members: vec![member.clone()],
            tasks: vec![task(&format!("t{n}"), 0)],
            ..Commit::default()
        };
        async move { store.commit(commit).await.unwrap() }
    };
    let answers = futures_util::future::join_all((0..50).map(same_version)).await;
    assert_eq!(answers.iter().filter(|a| **a == Committed::Applied).count(), 1);
    assert_eq!(answers.iter().filter(|a| **a == Committed::Conflict).count(), 49);
    assert_eq!(store.tasks(&TaskQuery::default()).await.unwrap().len(), 1);

    let same_message =
        |_| async { store.commit(Commit { processed: Some(mark("same", 1)), ..Commit::default() }).await.unwrap() };
    let answers = futures_util::future::join_all((0..50).map(same_message)).await;
    assert_eq!(answers.iter().filter(|a| **a == Committed::Applied).count(), 1);
    assert_eq!(answers.iter().filter(|a| matches!(a, Committed::Duplicate(_))).count(), 49);

    tasks(store, (0..20).map(|n| task(&format!("claim{n}"), 1))).await;
    let claim = |_| async { store.claim(at(1), 3, SignedDuration::from_secs(60)).await.unwrap() };
    let mut claimed: Vec<_> =
        futures_util::future::join_all((0..10).map(claim)).await.into_iter().flatten().map(|t| t.id).collect();
    let all = claimed.len();
    claimed.sort();
    claimed.dedup();
    assert_eq!((claimed.len(), all), (21, 21), "each once");
}

async fn tasks_are_claimed_under_lease_and_fence(store: &dyn Store) {
    let lease = SignedDuration::from_secs(30);
    tasks(store, [task("a", 10)]).await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(10)));
    assert_eq!(store.claim(at(9), 5, lease).await.unwrap(), []);
    let first = store.claim(at(10), 5, lease).await.unwrap().remove(0);
    assert_eq!((first.fence, first.attempts, first.leased_until), (1, 1, Some(at(40))));
    assert_eq!(store.claim(at(39), 5, lease).await.unwrap(), []);
    assert_eq!(store.next_due().await.unwrap(), Some(at(40)));
    let second = store.claim(at(40), 5, lease).await.unwrap().remove(0);
    assert_eq!((second.fence, second.attempts), (2, 2));

    let late = Commit { task_updates: vec![update("a", Some(1), TaskState::Done, 0)], ..Commit::default() };
    assert_eq!(store.commit(late).await.unwrap(), Committed::Conflict, "its lease ran out");
    let again = Commit { task_updates: vec![update("a", Some(2), TaskState::Pending, 50)], ..Commit::default() };
    applied(store, again).await;
    let stored = store.task(&"a".into()).await.unwrap().unwrap();
    assert_eq!((stored.due, stored.leased_until, stored.reason.as_str()), (at(50), None, "因为"));
    assert_eq!(store.next_due().await.unwrap(), Some(at(50)));

    let third = store.claim(at(50), 5, lease).await.unwrap().remove(0);
    applied(store, Commit { task_updates: vec![update("a", None, TaskState::Cancelled, 0)], ..Commit::default() })
        .await;
    let done = Commit { task_updates: vec![update("a", Some(third.fence), TaskState::Done, 0)], ..Commit::default() };
    assert_eq!(store.commit(done).await.unwrap(), Committed::Conflict, "the cancel won");
    assert_eq!(store.next_due().await.unwrap(), None);
}

async fn only_failed_tries_count(store: &dyn Store) {
    tasks(store, [task("a", 0)]).await;
    for (failed, attempts) in [(true, 1), (true, 2), (false, 3), (true, 1)] {
        let claimed = store.claim(at(0), 1, SignedDuration::from_secs(1)).await.unwrap().remove(0);
        assert_eq!(claimed.attempts, attempts);
        let update = TaskUpdate { failed, ..update("a", Some(claimed.fence), TaskState::Pending, 0) };
        applied(store, Commit { task_updates: vec![update], ..Commit::default() }).await;
    }
}

async fn a_task_is_made_once_and_ends_once(store: &dyn Store) {
    tasks(store, [task("a", 0)]).await;
    tasks(store, [Task { kind: "other".into(), ..task("a", 99) }]).await;
    assert_eq!(store.task(&"a".into()).await.unwrap().unwrap().kind, "send");
    let done = TaskUpdate { payload: Some(json!("new")), ..update("a", None, TaskState::Done, 0) };
    applied(store, Commit { task_updates: vec![done], ..Commit::default() }).await;
    tasks(store, [task("a", 0)]).await;
    let too_late = vec![update("a", None, TaskState::Pending, 0), update("unknown", None, TaskState::Cancelled, 0)];
    applied(store, Commit { task_updates: too_late, ..Commit::default() }).await;
    let stored = store.task(&"a".into()).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.payload), (TaskState::Done, json!("new")));
    assert_eq!(store.claim(at(999), 5, SignedDuration::from_secs(1)).await.unwrap(), []);
    assert_eq!(store.task(&"unknown".into()).await.unwrap(), None);
}

async fn due_times_lead(store: &dyn Store) {
    let about = |case: &str, group: &str, task: Task| Task { case: Some(case.into()), group: group.into(), ..task };
    let waiting = Task { state: TaskState::WaitsForPerson, ..task("waits", 3) };
    let list =
        [about("A", "g", task("late", 9)), about("A", "h", task("soon", 2)), waiting, about("B", "g", task("b", 5))];
    tasks(store, list).await;
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.pending, stats.waiting, stats.oldest_due_ms), (3, 1, at(2).as_millisecond()));

    let query = |query| async move { names(store.tasks(&query).await.unwrap(), |t| t.id.to_string()) };
    assert_eq!(query(TaskQuery::default()).await, "b late soon waits");
    assert_eq!(query(TaskQuery { after: Some("b".into()), limit: 2, ..TaskQuery::default() }).await, "late soon");
    assert_eq!(query(TaskQuery { case: Some("A".into()), ..TaskQuery::default() }).await, "late soon");
    assert_eq!(query(TaskQuery { group: Some("h".into()), ..TaskQuery::default() }).await, "soon");
    let pending = TaskQuery { state: Some(TaskState::Pending), ..TaskQuery::default() };
    assert_eq!(query(pending.clone()).await, "b late soon");
    assert_eq!(query(TaskQuery { after: Some("late".into()), ..pending }).await, "soon");

    let claimed = store.claim(at(5), 9, SignedDuration::from_secs(60)).await.unwrap();
    assert_eq!(names(claimed, |t| t.id.to_string()), "soon waits b", "oldest due first");
    assert_eq!(store.next_due().await.unwrap(), Some(at(9)));
}

async fn cases_come_newest_first_in_pages(store: &dyn Store) {
    let list = vec![
        case("A", "g", "u", 1, CaseState::Open),
        case("B", "g", "v", 2, CaseState::Closed),
        case("C", "h", "u", 3, CaseState::Open),
        case("D", "g", "u", 4, CaseState::Open),
        case("E", "g", "u", 4, CaseState::Open),
    ];
    applied(store, Commit { cases: list, ..Commit::default() }).await;
    let query = |query| async move { names(store.cases(&query).await.unwrap(), |c| c.id.to_string()) };
    let all = CaseQuery::default;
    assert_eq!(query(all()).await, "D E C B A");
    assert_eq!(query(CaseQuery { limit: 2, ..all() }).await, "D E");
    assert_eq!(query(CaseQuery { limit: 2, after: Some("E".into()), ..all() }).await, "C B");
    assert_eq!(query(CaseQuery { after: Some("?".into()), ..all() }).await, "");
    assert_eq!(query(CaseQuery { group: Some("g".into()), ..all() }).await, "D E B A");
    assert_eq!(query(CaseQuery { member: Some("u".into()), ..all() }).await, "D E C A");
    let both = CaseQuery { group: Some("g".into()), member: Some("u".into()), ..all() };
    assert_eq!(query(CaseQuery { after: Some("D".into()), ..both.clone() }).await, "E A");

    let mut closed = store.case(&"D".into()).await.unwrap().unwrap();
    assert_eq!(closed.version, 1);
    closed.state = CaseState::Closed;
    applied(store, Commit { cases: vec![closed], ..Commit::default() }).await;
    assert_eq!(query(CaseQuery { state: Some(CaseState::Open), ..both }).await, "E A");
    assert_eq!(query(CaseQuery { state: Some(CaseState::Closed), ..all() }).await, "D B");

    // The member got another id.
    let mut moved = store.case(&"A".into()).await.unwrap().unwrap();
    moved.member = "new".into();
    applied(store, Commit { cases: vec![moved], ..Commit::default() }).await;
    let of = |member: &str| CaseQuery { group: Some("g".into()), member: Some(member.into()), ..CaseQuery::default() };
    assert_eq!((query(of("u")).await, query(of("new")).await), ("D E".to_owned(), "A".to_owned()));
    assert_eq!(query(all()).await, "D E C B A");
}

async fn documents_are_listed_by_prefix(store: &dyn Store) {
    let document = |collection: &str, id: &str| Document {
        collection: collection.into(),
        id: id.into(),
        version: 0,
        body: json!({"id": id}),
    };
    let list = ["a", "n1/x", "n1/y", "n1/z", "n2/x", "通知"].map(|id| document("notice", id));
    applied(
        store,
        Commit { documents: [list.to_vec(), vec![document("appeal", "n1/x")]].concat(), ..Commit::default() },
    )
    .await;
    let found = |prefix: &'static str, after: Option<&'static str>, limit| async move {
        names(store.documents("notice", prefix, after, limit).await.unwrap(), |d| d.id.clone())
    };
    assert_eq!(found("", None, 99).await, "a n1/x n1/y n1/z n2/x 通知");
    assert_eq!(found("n1/", None, 2).await, "n1/x n1/y");
    assert_eq!(found("n1/", Some("n1/y"), 2).await, "n1/z");
    assert_eq!(found("n1/", Some("a"), 1).await, "n1/x");
    assert_eq!(found("n1/", Some("n9"), 1).await, "");
    assert_eq!(found("n1/", None, 0).await, "");
    let delete = vec![("notice".into(), "n1/y".into()), ("notice".into(), "unknown".into())];
    applied(store, Commit { deletes: delete, ..Commit::default() }).await;
    assert_eq!(found("n1/", None, 9).await, "n1/x n1/z");
    assert_eq!(store.document("notice", "n1/y").await.unwrap(), None);
    assert_eq!(store.document("appeal", "n1/x").await.unwrap().unwrap().version, 1);
}

async fn old_messages_are_forgotten_oldest_first(store: &dyn Store) {
    for (name, second) in [("c", 3), ("a", 1), ("b", 2), ("d", 3)] {
        applied(store, Commit { processed: Some(mark(name, second)), ..Commit::default() }).await;
    }
    let found = |since, after: Option<&'static str>, limit| async move {
        let after = after.map(id);
        names(store.messages(at(since), after.as_ref(), limit).await.unwrap(), |p| p.message.id.to_string())
    };
    assert_eq!(found(0, None, 99).await, "http:a http:b http:c http:d");
    assert_eq!(found(2, None, 1).await, "http:b");
    assert_eq!(found(0, Some("c"), 9).await, "http:d");
    assert_eq!(found(3, Some("a"), 9).await, "http:c http:d");
    assert_eq!(found(0, None, 0).await, "");
    assert_eq!(store.prune(at(3), 1).await.unwrap(), 1);
    assert_eq!(store.processed(&id("a")).await.unwrap(), None);
    assert_eq!(store.prune(at(3), 9).await.unwrap(), 1);
    assert_eq!(store.prune(at(3), 9).await.unwrap(), 0);
    assert_eq!(found(0, Some("b"), 9).await, "http:c http:d", "the place of a forgotten message is the beginning");
}

async fn a_task_is_forgotten_only_when_it_has_ended(store: &dyn Store) {
    let commit = Commit { tasks: vec![task("gone", 1), task("stays", 2)], ..Commit::default() };
    applied(store, commit).await;
    let done = update("gone", None, TaskState::Done, 3);
    applied(store, Commit { task_updates: vec![done], ..Commit::default() }).await;
    let forgotten_tasks = vec!["gone".into(), "stays".into(), "unknown".into()];
    applied(store, Commit { forgotten_tasks, ..Commit::default() }).await;
    assert_eq!(store.task(&"gone".into()).await.unwrap(), None);
    let query = |state| TaskQuery { state: Some(state), ..TaskQuery::default() };
    assert_eq!(store.tasks(&query(TaskState::Done)).await.unwrap(), []);
    assert_eq!(store.tasks(&query(TaskState::Pending)).await.unwrap().len(), 1);
    // Its name is free again.
    applied(store, Commit { tasks: vec![task("gone", 9)], ..Commit::default() }).await;
    assert_eq!(store.task(&"gone".into()).await.unwrap().unwrap().due, at(9));
}

async fn members_of_one_group_only(store: &dyn Store) {
    let members = [("g", "b"), ("g", "a"), ("gg", "c"), ("", "d")].map(|(g, m)| MemberRecord::new(g.into(), m.into()));
    applied(store, Commit { members: members.to_vec(), ..Commit::default() }).await;
    let found = |group: &'static str| async move {
        names(store.members(&group.into()).await.unwrap(), |m| m.member.to_string())
    };
    assert_eq!(found("g").await, "a b");
    assert_eq!(found("gg").await, "c");
    assert_eq!(found("").await, "d");
    assert_eq!(found("unknown").await, "");
}

async fn long_values_and_long_ids(store: &dyn Store) {
    for (version, length) in (0..).zip([3, 5_000, 1_000_000, 9_000, 4_085, 2]) {
        let body = json!("长".repeat(length));
        let document = Document { collection: "c".into(), id: "long".into(), version, body: body.clone() };
        applied(store, Commit { documents: vec![document], ..Commit::default() }).await;
        assert_eq!(store.document("c", "long").await.unwrap().unwrap().body, body);
        assert_eq!(store.documents("c", "", None, 9).await.unwrap().len(), 1);
    }
    let long_id = Commit { tasks: vec![task("before", 0), task(&"长".repeat(300), 0)], ..Commit::default() };
    let refused = store.commit(long_id).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Refused(why) if why.contains("too long")), "{refused}");
    assert_eq!(store.task(&"before".into()).await.unwrap(), None, "nothing of it was written");
}

async fn an_empty_commit_is_applied(store: &dyn Store) {
    applied(store, Commit::default()).await;
    let stats = store.stats().await.unwrap();
    assert_eq!(stats, StoreStats { disk_bytes: stats.disk_bytes, disk_free: stats.disk_free, ..StoreStats::default() });
}

#[tokio::test]
async fn the_embedded_store_keeps_everything_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3_u64 {
        let store = Arc::new(EmbeddedStore::open(folder.path()).unwrap());
        let member = store.member(&"g".into(), &"u".into()).await.unwrap();
        assert_eq!(member.version, round);
        assert_eq!(store.messages(at(0), None, 99).await.unwrap().len() as u64, round);
        let commit =
            Commit { processed: Some(mark(&round.to_string(), 1)), members: vec![member], ..Commit::default() };
        applied(store.as_ref(), commit).await;
    }
}
