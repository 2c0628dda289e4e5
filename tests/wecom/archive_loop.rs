//! The loop that reads the archive, against a source that goes wrong in every way.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusBuilder;
use parking_lot::Mutex;
use qunguan::{
    app::{App, Overrides},
    channels::{
        Channel,
        archive::{ArchiveChannel, CURSOR, SET_ASIDE},
    },
    model::{Clock, ShiftedClock, SignedDuration, Step},
    settings::Settings,
    store::{CaseQuery, Store, memory::MemoryStore},
    wecom::archive::{ArchiveSource, Entry, SourceError},
};
use serde_json::json;
use tokio::sync::Notify;

use crate::house::{AD, morning};

/// Answers what a test wrote down, one answer a pull, and then nothing.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Result<Vec<Entry>, SourceError>>>,
    asked: Mutex<Vec<u64>>,
}

#[async_trait]
impl ArchiveSource for Script {
    async fn pull(&self, seq: u64, _limit: usize) -> Result<Vec<Entry>, SourceError> {
        self.asked.lock().push(seq);
        self.answers.lock().pop_front().unwrap_or(Ok(Vec::new()))
    }
}

fn entry(seq: u64, msgid: &str, who: &str, text: &str) -> Entry {
    let message = json!({"msgid": msgid, "action": "send", "from": who, "tolist": ["wang"], "roomid": "g",
        "msgtime": morning().as_millisecond(), "msgtype": "text", "text": {"content": text}});
    Entry { seq, msgid: msgid.into(), message: Ok(message.to_string()) }
}

struct Bench {
    script: Arc<Script>,
    store: Arc<dyn Store>,
    channel: ArchiveChannel,
    clock: Arc<ShiftedClock>,
    app: App,
}

impl Bench {
    async fn new(answers: impl IntoIterator<Item = Result<Vec<Entry>, SourceError>>) -> Self {
        let shifted = Arc::new(ShiftedClock::fixed(morning()));
        let clock: Arc<dyn Clock> = shifted.clone();
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let text = "[[group]]\nid = \"g\"\nmode = \"watch\"\n";
        let settings = Settings::parse(text, "loop.toml".as_ref(), None).unwrap();
        let app = App::build(settings, store.clone(), clock.clone(), Overrides::default()).await.unwrap();
        let script = Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), ..Script::default() });
        let poll = Duration::from_secs(15);
        let channel =
            ArchiveChannel::new(script.clone(), store.clone(), app.moderation(), clock, poll, Arc::new(Notify::new()));
        Self { script, store, channel, clock: shifted, app }
    }
    async fn cursor(&self) -> u64 {
        self.store.cursor(CURSOR).await.unwrap()
    }
    async fn set_aside(&self) -> Vec<String> {
        let all = SET_ASIDE.all(self.store.as_ref(), "").await.unwrap();
        all.into_iter().map(|(_, kept)| kept.why).collect()
    }
    async fn strikes(&self, who: &str) -> usize {
        let query = CaseQuery { member: Some(who.into()), ..CaseQuery::default() };
        self.store.cases(&query).await.unwrap().into_iter().filter(|case| case.step != Step::None).count()
    }
}

#[tokio::test]
async fn a_passing_trouble_loses_nothing_and_a_lasting_one_is_told() {
    let retry = |why: &str| Err(SourceError::Retry(why.into()));
    let bench = Bench::new([
        retry("10001（网络错误，稍后重试）"),
        retry("GetChatData answered no whole JSON"),
        Err(SourceError::Configuration("10009（服务器 IP 不在会话存档的可信 IP 里）".into())),
        Ok(vec![entry(7, "a", "li", AD)]),
    ])
    .await;
    for _ in 0..3 {
        assert!(bench.channel.catch_up().await.is_err());
        assert_eq!(bench.cursor().await, 0);
    }
    assert_eq!(bench.channel.catch_up().await, Ok(1));
    assert_eq!((bench.cursor().await, bench.strikes("li").await), (7, 1));
    assert!(bench.channel.check().ok);
}

#[tokio::test]
async fn how_far_it_is_behind_grows_while_pulls_fail() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _measuring = metrics::set_default_local_recorder(&recorder);
    let gauges = || {
        let text = recorder.handle().render();
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse::<f64>().unwrap()
        };
        (value("qunguan_archive_lag_seconds"), value("qunguan_archive_last_pull_age_seconds"))
    };
    let down = || Err(SourceError::Retry("10001（网络错误，稍后重试）".into()));
    let bench = Bench::new([down(), Ok(vec![entry(7, "a", "li", AD)]), down(), down(), Ok(Vec::new())]).await;
    let minutes = |n| bench.clock.advance(SignedDuration::from_mins(n));

    minutes(1);
    assert!(bench.channel.catch_up().await.is_err());
    assert_eq!(gauges(), (60.0, 60.0), "never pulled since the start");
    assert_eq!(bench.channel.catch_up().await, Ok(1));
    assert_eq!(gauges(), (60.0, 0.0), "the message is a minute old");
    for (waited, expected) in [(1, (120.0, 60.0)), (10, (720.0, 660.0))] {
        minutes(waited);
        assert!(bench.channel.catch_up().await.is_err());
        assert_eq!(gauges(), expected);
        assert!(bench.channel.check().note.contains("10001"));
    }
    assert_eq!(bench.channel.catch_up().await, Ok(0));
    assert_eq!(gauges(), (0.0, 0.0));
}

#[tokio::test]
async fn a_pull_without_an_answer_is_measured_and_told() {
    struct Silent;
    #[async_trait]
    impl ArchiveSource for Silent {
        async fn pull(&self, _seq: u64, _limit: usize) -> Result<Vec<Entry>, SourceError> {
            std::future::pending().await
        }
    }
    let recorder = PrometheusBuilder::new().build_recorder();
    let _measuring = metrics::set_default_local_recorder(&recorder);
    let bench = Bench::new([]).await;
    let (store, wake) = (bench.store.clone(), Arc::new(Notify::new()));
    let moderation = bench.app.moderation();
    let channel =
        ArchiveChannel::new(Arc::new(Silent), store, moderation, bench.clock.clone(), Duration::from_secs(15), wake);
    let waits = async {
        bench.clock.advance(SignedDuration::from_mins(3));
        while !recorder.handle().render().contains("qunguan_archive_last_pull_age_seconds 180\n") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        channel.check().note
    };
    tokio::select! {
        biased;
        _ = channel.catch_up() => panic!("it has no answer"),
        note = waits => assert_eq!(note, "会话存档已有 3 分钟没有应答"),
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_set_aside_and_what_comes_twice_counts_once() {
    let broken = |seq, message: Result<String, String>| Entry { seq, msgid: format!("broken{seq}"), message };
    let unknown =
        json!({"msgid": "u", "from": "li", "roomid": "g", "msgtime": 1, "msgtype": "hologram", "hologram": 1});
    let bench = Bench::new([Ok(vec![
        broken(1, Err("DecryptData 10006（解密失败）".into())),
        entry(2, "a", "li", AD),
        broken(3, Ok(r#"{"msgid":"cut","msgtype":"te"#.into())),
        broken(4, Ok("[]".into())),
        broken(5, Ok(unknown.to_string())),
        broken(6, Ok(r#"{"msgid":"s","action":"switch","time":1,"user":"li"}"#.into())),
        entry(8, &"x".repeat(100_000), "li", "日报已发"),
        entry(9, "a", "li", AD),
        entry(12, "b", "chen", AD),
    ])])
    .await;
    assert_eq!(bench.channel.catch_up().await, Ok(9));
    assert_eq!(bench.cursor().await, 12, "gaps in the numbering are normal");
    assert_eq!((bench.strikes("li").await, bench.strikes("chen").await), (1, 1));
    let why = bench.set_aside().await;
    assert_eq!(why.len(), 3, "{why:?}");
    assert!(why[0].contains("10006") && why[1].contains("cannot be read"), "{why:?}");
    assert!(why[2].contains("cannot be handled"), "what the store refuses blocks nobody: {why:?}");
    assert_eq!(bench.channel.check().note, "会话存档正常；启动以来有 3 条读不懂，已搁置");
}

#[tokio::test]
async fn full_batches_are_followed_by_the_next_at_once() {
    let batch = |from: u64, to: u64| Ok((from..=to).map(|n| entry(n, &format!("m{n}"), "li", "日报已发")).collect());
    let bench = Bench::new([batch(1, 500), batch(501, 1000), batch(1001, 1003)]).await;
    assert_eq!(bench.channel.catch_up().await, Ok(1003));
    assert_eq!(*bench.script.asked.lock(), [0, 500, 1000]);
}

#[tokio::test]
async fn after_days_off_it_goes_on_with_what_is_left() {
    let expired = || Err(SourceError::Gap("10010（内容已超过保留期（五天））".into()));
    let bench = Bench::new([
        Ok(vec![entry(5, "a", "li", AD)]),
        expired(),
        Ok(vec![entry(5, "a", "li", AD), entry(900, "b", "chen", AD)]),
        expired(),
        expired(),
    ])
    .await;
    bench.channel.catch_up().await.unwrap();
    assert_eq!(bench.channel.catch_up().await, Ok(1), "only what lies behind the position");
    assert_eq!((bench.cursor().await, bench.strikes("li").await, bench.strikes("chen").await), (900, 1, 1));
    assert_eq!(*bench.script.asked.lock(), [0, 5, 0]);
    let check = bench.channel.check();
    assert!(!check.ok && check.note.contains("没有看到"), "{check:?}");
    assert!(bench.channel.catch_up().await.is_err(), "nothing at all can be had: an error, not an endless loop");
    assert_eq!(bench.cursor().await, 900);
}
