//! Works off what is due: the tasks of one group one after the other, different groups side by side, so that a group whose
//! calls hang holds up nobody else.
//!
//! A task is claimed under a lease and written back, with what follows from it, under the fence of that claim. Failures are
//! tried again with backoff; after too many a person is told. A panic is a failure like any other.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::Notify, task::JoinSet};
use tracing::{Level, debug, error, info, warn};

use super::{Ended, Job, JobError, log_throttle::LogThrottle};
use crate::{
    model::{Clock, GroupId, SignedDuration, TaskId, Timestamp},
    store::{Store, StoreError, Task, TaskState, TaskUpdate, changes::Changes},
};

/// How long a claim protects a task from being claimed again.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Most tasks claimed at once.
const BATCH: usize = 64;
/// No more is claimed while this many tasks are held.
const MOST_HELD: usize = 512;
/// First retry after this long; doubles with every attempt, up to [`BACKOFF_MAX`].
const BACKOFF_FIRST: Duration = Duration::from_secs(2);
/// No retry waits longer than this.
const BACKOFF_MAX: Duration = Duration::from_secs(15 * 60);
/// Failed attempts before `/readyz` tells.
const TOLD_AFTER: u32 = 3;
/// Failed attempts before a person is told.
const MAX_ATTEMPTS: u32 = 12;
/// A configuration fault is looked at again this often; an admin has to mend it.
const CONFIGURATION_RECHECK: SignedDuration = SignedDuration::from_mins(10);
/// With nothing due, the queue is looked at this often all the same.
const LONGEST_IDLE: Duration = Duration::from_secs(1);

/// How far from its shortest to its longest a wait goes, 0 to 1: by chance, so that what failed together does not come back
/// together, unless a test says otherwise.
#[derive(Clone, Copy)]
pub struct Spread(pub fn() -> f64);

impl Default for Spread {
    fn default() -> Self {
        Self(rand::random)
    }
}

/// Runs tasks until told to stop.
pub struct Runner {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    jobs: BTreeMap<&'static str, Arc<dyn Job>>,
    wake: Arc<Notify>,
    held: Mutex<Held>,
    /// Tasks that do not get on, and why.
    faults: Mutex<BTreeMap<TaskId, Fault>>,
    repeats: LogThrottle,
    spread: Spread,
}

/// Why tasks do not get on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// What the last run met.
    pub why: String,
    /// Only an admin can mend it, in WeCom or in the settings; otherwise it may pass by itself.
    pub mend: bool,
}

/// What was claimed and has not ended.
#[derive(Default)]
struct Held {
    /// The newest claim of each: a task whose lease runs out while it waits or runs (a long queue, a clock that jumped) is
    /// claimed again and goes on under that claim.
    claims: HashMap<TaskId, Task>,
    /// What waits its turn, by lane ([`Job::lane`]); a lane that is here has a worker.
    waiting: HashMap<GroupId, VecDeque<TaskId>>,
}

impl Held {
    /// Takes a claimed task in; returns its lane if that needs a worker.
    fn take_in(&mut self, task: Task, lane: GroupId) -> Option<GroupId> {
        if let Some(known) = self.claims.get_mut(&task.id) {
            *known = Task { attempts: known.attempts, ..task }; // not another attempt, the same one
            return None;
        }
        let needs_worker = !self.waiting.contains_key(&lane);
        self.waiting.entry(lane.clone()).or_default().push_back(task.id.clone());
        self.claims.insert(task.id.clone(), task);
        needs_worker.then_some(lane)
    }

    /// What the lane's worker does next; `None` ends the worker.
    fn next(&mut self, lane: &GroupId, now: Timestamp) -> Option<Task> {
        while let Some(id) = self.waiting.get_mut(lane).and_then(VecDeque::pop_front) {
            if self.claims.get(&id).is_some_and(|task| task.leased_until.is_some_and(|until| until > now)) {
                return self.claims.get(&id).cloned();
            }
            self.claims.remove(&id); // waited for too long; it is due again
        }
        self.waiting.remove(lane);
        None
    }
}

impl Runner {
    /// `wake` is rung by whoever commits new tasks, so that nothing waits for a poll.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        wake: Arc<Notify>,
        jobs: impl IntoIterator<Item = Arc<dyn Job>>,
        spread: Spread,
    ) -> Self {
        let jobs = jobs.into_iter().map(|job| (job.kind().id(), job)).collect();
        Self {
            store,
            clock,
            jobs,
            wake,
            held: Mutex::default(),
            faults: Mutex::default(),
            repeats: LogThrottle::default(),
            spread,
        }
    }

    /// What keeps tasks from getting on, with the number of tasks it holds up: what an admin has to mend (each is tried again
    /// every ten minutes), and what has failed several times in a row.
    pub fn faults(&self) -> BTreeMap<Fault, usize> {
        let mut faults = BTreeMap::new();
        for fault in self.faults.lock().values() {
            *faults.entry(fault.clone()).or_default() += 1;
        }
        faults
    }

    /// Works until `stop` resolves; what was begun is ended first.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()> + Send) {
        tokio::pin!(stop);
        let mut workers = JoinSet::new();
        loop {
            let idle = match self.claim(&mut workers).await {
                Ok(0) => self.idle_for().await,
                Ok(_) => Duration::ZERO,
                Err(error) => {
                    error!(%error, "the task queue cannot be read");
                    BACKOFF_FIRST
                }
            };
            while workers.try_join_next().is_some() {}
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = self.wake.notified() => {}
                () = self.clock.moved() => {}
                () = tokio::time::sleep(idle) => {}
            }
        }
        self.held.lock().waiting.values_mut().for_each(VecDeque::clear);
        while workers.join_next().await.is_some() {}
    }

    /// Claims what is due now and hands it to the lanes' workers; returns how many tasks that were.
    async fn claim(self: &Arc<Self>, workers: &mut JoinSet<()>) -> Result<usize, StoreError> {
        let room = MOST_HELD.saturating_sub(self.held.lock().claims.len()).min(BATCH);
        if room == 0 {
            return Ok(0);
        }
        let claimed = self.store.claim(self.clock.now(), room, LEASE).await?;
        let count = claimed.len();
        for task in claimed {
            let lane = self.jobs.get(task.kind.as_str()).map_or_else(|| task.group.clone(), |job| job.lane(&task));
            if let Some(lane) = self.held.lock().take_in(task, lane) {
                workers.spawn(self.clone().work(lane));
            }
        }
        Ok(count)
    }

    /// A lane's worker.
    async fn work(self: Arc<Self>, lane: GroupId) {
        loop {
            let Some(task) = self.held.lock().next(&lane, self.clock.now()) else { return };
            self.run_one(&task).await;
            self.wake.notify_one(); // what follows from it, and room for more
        }
    }

    async fn idle_for(&self) -> Duration {
        const SHORTEST: Duration = Duration::from_millis(5);
        match self.store.next_due().await {
            Ok(Some(due)) if self.held.lock().claims.len() < MOST_HELD => {
                let left = due.duration_since(self.clock.now());
                Duration::try_from(left).unwrap_or(SHORTEST).clamp(SHORTEST, LONGEST_IDLE)
            }
            _ => LONGEST_IDLE,
        }
    }

    async fn run_one(&self, task: &Task) {
        let now = self.clock.now();
        let Some(job) = self.jobs.get(task.kind.as_str()) else {
            self.log(Level::WARN, task, "task left for later", "no job of this kind in this version", now);
            self.end(
                task,
                TaskState::Pending,
                now + CONFIGURATION_RECHECK,
                "这个版本不认识该待办".into(),
                None,
                Changes::new(),
                false,
            )
            .await;
            return;
        };
        let (doing, what) = (job.clone(), task.clone());
        let ended = tokio::spawn(async move { doing.run(&what, now).await }).await.unwrap_or_else(|panic| {
            error!(task = %task.id, %panic, "a task panicked");
            Err(JobError::Retry("程序内部错误，详见日志".into()))
        });
        match &ended {
            Err(JobError::Configuration(why)) => {
                self.faults.lock().insert(task.id.clone(), Fault { why: why.clone(), mend: true })
            }
            Err(JobError::Retry(why)) if task.attempts >= TOLD_AFTER => {
                self.faults.lock().insert(task.id.clone(), Fault { why: why.clone(), mend: false })
            }
            Err(JobError::Wait { .. }) => None, // as before
            _ => self.faults.lock().remove(&task.id),
        };
        match ended {
            Ok(ended) => {
                let (state, due, reason, payload, with) = match ended {
                    Ended::Done { reason, with } => (TaskState::Done, now, reason, None, with),
                    Ended::Later { due, reason, payload, with } => (TaskState::Pending, due, reason, payload, with),
                    Ended::WaitsForPerson { due, reason, payload, with } => {
                        (TaskState::WaitsForPerson, due, reason, payload, with)
                    }
                    Ended::GaveUp { reason, with } => (TaskState::GaveUp, now, reason, None, with),
                    Ended::Cancelled { reason } => (TaskState::Cancelled, now, reason, None, Changes::new()),
                };
                if state == TaskState::GaveUp {
                    self.log(Level::WARN, task, "task given up", &reason, now);
                } else {
                    let level = if job.kind().is_chore() { Level::DEBUG } else { Level::INFO };
                    self.log(level, task, state.id(), &reason, now);
                }
                metrics::counter!("qunguan_tasks_total", "kind" => job.kind().id(), "state" => state.id()).increment(1);
                self.end(task, state, due, reason, payload, with, false).await;
            }
            Err(JobError::Store(error)) => {
                let what = "task stopped by the store; tried again when its lease runs out";
                self.log(Level::WARN, task, what, &error.to_string(), now);
                self.held.lock().claims.remove(&task.id);
            }
            Err(JobError::Wait { until, reason }) => {
                debug!(task = %task.id, reason, "task waits");
                self.end(task, TaskState::Pending, until, reason, None, Changes::new(), false).await;
            }
            Err(JobError::Configuration(reason)) => {
                self.log(Level::WARN, task, "task waits for somebody to mend the configuration", &reason, now);
                let due = now + CONFIGURATION_RECHECK;
                self.end(task, TaskState::WaitsForPerson, due, reason, None, Changes::new(), false).await;
            }
            Err(JobError::Final(reason)) if job.gives_up() => self.give_up(job.as_ref(), task, reason, now).await,
            Err(JobError::Final(reason)) => {
                self.log(Level::WARN, task, "task failed for good as it is; looked at again later", &reason, now);
                let due = now + CONFIGURATION_RECHECK;
                self.end(task, TaskState::Pending, due, reason, None, Changes::new(), true).await;
            }
            Err(JobError::Retry(reason)) => {
                if task.attempts >= MAX_ATTEMPTS && job.gives_up() {
                    let reason = format!("试了 {} 次仍未成功：{reason}", task.attempts);
                    self.give_up(job.as_ref(), task, reason, now).await;
                } else {
                    let wait = backoff(task.attempts, (self.spread.0)());
                    self.log(Level::WARN, task, "task failed, will retry", &reason, now);
                    let due = now + SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_secs(60));
                    self.end(task, TaskState::Pending, due, reason, None, Changes::new(), true).await;
                }
            }
        }
    }

    /// One line of the log; what was said of another task of this kind within the hour is for debugging.
    fn log(&self, level: Level, task: &Task, what: &str, reason: &str, now: Timestamp) {
        let (id, kind, attempts) = (&task.id, &task.kind, task.attempts);
        if level == Level::DEBUG {
            debug!(task = %id, kind, reason, "task {what}");
            return;
        }
        match self.repeats.say(kind, format!("{what}: {reason}"), now) {
            Some(repeated) if level == Level::WARN => warn!(task = %id, kind, attempts, reason, repeated, "{what}"),
            Some(repeated) => info!(task = %id, kind, reason, repeated, "task {what}"),
            None => debug!(task = %id, kind, attempts, reason, "{what}"),
        }
    }

    async fn give_up(&self, job: &dyn Job, task: &Task, reason: String, now: Timestamp) {
        self.log(Level::WARN, task, "task given up", &reason, now);
        metrics::counter!("qunguan_tasks_total", "kind" => job.kind().id(), "state" => "gave_up").increment(1);
        let with = job.on_give_up(task, &reason, now);
        self.end(task, TaskState::GaveUp, now, reason, None, with, true).await;
    }

    async fn end(
        &self,
        task: &Task,
        state: TaskState,
        due: Timestamp,
        reason: String,
        payload: Option<serde_json::Value>,
        with: Changes,
        failed: bool,
    ) {
        // Let go of first: if it is claimed again from here on, it has to run again.
        let newest = self.held.lock().claims.remove(&task.id).map_or(task.fence, |claim| claim.fence);
        let update = TaskUpdate { id: task.id.clone(), fence: Some(newest), state, due, reason, payload, failed };
        match with.update_task(update).commit(self.store.as_ref()).await {
            Ok(true) => {}
            Ok(false) => info!(task = %task.id, "task was taken over or cancelled meanwhile"),
            Err(error) => error!(task = %task.id, %error, "the end of a task could not be written; it is run again"),
        }
    }
}

/// The wait before the next attempt: doubles from [`BACKOFF_FIRST`], half of it by `spread` of 0 to 1, never above
/// [`BACKOFF_MAX`].
fn backoff(attempts: u32, spread: f64) -> Duration {
    let full = BACKOFF_FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(BACKOFF_MAX);
    full / 2 + full.mul_f64(spread / 2.0)
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use serde_json::json;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::{model::ShiftedClock, store::memory::MemoryStore, tasks::Kind};

    #[test]
    fn backoff_doubles_within_bounds() {
        for attempts in 1..40 {
            let full = BACKOFF_FIRST.saturating_mul(1 << (attempts - 1).min(16)).min(BACKOFF_MAX);
            assert_eq!((backoff(attempts, 0.0), backoff(attempts, 1.0)), (full / 2, full), "{attempts}");
        }
    }

    /// Counts its runs; those of the group `slow` hang until a permit is given, those of `broken` panic.
    struct Counting {
        begun: Semaphore,
        go_on: Semaphore,
    }

    #[async_trait]
    impl Job for Counting {
        fn kind(&self) -> Kind {
            Kind::Prune
        }
        async fn run(&self, task: &Task, _now: Timestamp) -> Result<Ended, JobError> {
            self.begun.add_permits(1);
            match task.group.as_str() {
                "slow" => self.go_on.acquire().await.unwrap().forget(),
                "broken" => panic!("as the test wants it"),
                _ => {}
            }
            Ok(Ended::done("ok"))
        }
    }

    struct Scene {
        store: Arc<MemoryStore>,
        clock: Arc<ShiftedClock>,
        job: Arc<Counting>,
        runner: Arc<Runner>,
        stop: Arc<Notify>,
        running: tokio::task::JoinHandle<()>,
    }

    impl Scene {
        async fn start(groups: &[&str]) -> Self {
            let store = Arc::new(MemoryStore::new());
            let clock = Arc::new(ShiftedClock::default());
            let job = Arc::new(Counting { begun: Semaphore::new(0), go_on: Semaphore::new(0) });
            let mut tasks = Changes::new();
            for (n, group) in groups.iter().enumerate() {
                tasks = tasks.task(Task::new(
                    format!("{group}-{n}"),
                    Kind::Prune.id(),
                    &(*group).into(),
                    clock.now(),
                    json!({}),
                ));
            }
            assert!(tasks.commit(store.as_ref()).await.unwrap());
            let jobs = [job.clone() as Arc<dyn Job>];
            let runner = Arc::new(Runner::new(store.clone(), clock.clone(), Arc::default(), jobs, Spread::default()));
            let stop = Arc::new(Notify::new());
            let stopped = stop.clone();
            let running = tokio::spawn(runner.clone().run(async move { stopped.notified().await }));
            Self { store, clock, job, runner, stop, running }
        }

        /// Waits until the task is as wanted.
        async fn until(&self, id: &str, wanted: impl Fn(&Task) -> bool) -> Task {
            loop {
                let task = self.store.task(&id.into()).await.unwrap().unwrap();
                if wanted(&task) {
                    return task;
                }
                tokio::task::yield_now().await;
            }
        }
    }

    #[tokio::test]
    async fn a_group_that_hangs_holds_up_nobody_else() {
        let scene = Scene::start(&["slow", "slow", "quick"]).await;
        scene.until("quick-2", |task| task.state == TaskState::Done).await;
        assert_eq!(scene.store.task(&"slow-1".into()).await.unwrap().unwrap().state, TaskState::Pending);
        scene.job.go_on.add_permits(2);
        scene.until("slow-1", |task| task.state == TaskState::Done).await;
        assert_eq!(scene.job.begun.available_permits(), 3, "each ran once");
    }

    #[tokio::test]
    async fn a_lease_that_ran_out_meanwhile_is_renewed() {
        let scene = Scene::start(&["slow"]).await;
        scene.job.begun.acquire().await.unwrap().forget();
        scene.clock.advance(SignedDuration::from_hours(26));
        scene.runner.wake.notify_one();
        scene.until("slow-0", |task| task.fence == 2).await;
        scene.job.go_on.add_permits(1);
        scene.until("slow-0", |task| task.state == TaskState::Done).await;
        assert_eq!(scene.job.begun.available_permits(), 0, "it did not run twice");
    }

    #[tokio::test]
    async fn a_panic_is_tried_again_later() {
        let scene = Scene::start(&["broken", "broken"]).await;
        let task = scene.until("broken-1", |task| task.leased_until.is_none() && task.due > task.created).await;
        assert_eq!((task.state, task.attempts), (TaskState::Pending, 1));
        assert_eq!(task.reason, "程序内部错误，详见日志");
    }

    #[tokio::test]
    async fn what_was_begun_is_ended_before_the_stop_and_the_rest_is_left() {
        let scene = Scene::start(&["slow", "slow"]).await;
        scene.job.begun.acquire().await.unwrap().forget();
        scene.stop.notify_one();
        while scene.runner.held.lock().waiting.values().any(|waiting| !waiting.is_empty()) {
            tokio::task::yield_now().await;
        }
        scene.job.go_on.add_permits(2);
        scene.running.await.unwrap();
        let state = async |id: &str| scene.store.task(&id.into()).await.unwrap().unwrap().state;
        assert_eq!((state("slow-0").await, state("slow-1").await), (TaskState::Done, TaskState::Pending));
    }
}
