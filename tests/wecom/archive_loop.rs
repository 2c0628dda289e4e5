//! The loop that reads the archive, against a source that goes wrong in every way.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusBuilder;
use parking_lot::Mutex;
use qunguan::{
    app::{App, Overrides},
    channels::{
        Channel,
        archive::{ArchiveChannel, CURSOR, Retried, SET_ASIDE},
        looks::Eyes,
    },
    health::Level,
    model::{Clock, ShiftedClock, SignedDuration, Step, Timestamp},
    settings::Settings,
    store::{Case, CaseQuery, Commit, Document, Store, memory::MemoryStore},
    wecom::archive::{ArchiveSource, Entry, Sealed, SourceError, Unopened},
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::house::{AD, morning};

/// Answers what a test wrote down, one answer a pull, and then nothing.
#[derive(Default)]
pub struct Script {
    pub answers: Mutex<VecDeque<Result<Vec<Entry>, SourceError>>>,
    asked: Mutex<Vec<u64>>,
    opened: Mutex<VecDeque<Result<String, SourceError>>>,
}

#[async_trait]
impl ArchiveSource for Script {
    async fn pull(&self, seq: u64, _limit: usize) -> Result<Vec<Entry>, SourceError> {
        self.asked.lock().push(seq);
        self.answers.lock().pop_front().unwrap_or(Ok(Vec::new()))
    }
    async fn open(&self, _sealed: &Sealed) -> Result<String, SourceError> {
        self.opened.lock().pop_front().unwrap_or(Err(SourceError::Gap("DecryptData 10008".into())))
    }
}

fn entry(seq: u64, msgid: &str, who: &str, text: &str) -> Entry {
    of_kind(seq, msgid, who, morning(), &json!({"msgtype": "text", "text": {"content": text}}))
}

pub fn of_kind(seq: u64, msgid: &str, who: &str, at: Timestamp, body: &Value) -> Entry {
    let mut message = json!({"msgid": msgid, "action": "send", "from": who, "tolist": ["wang"], "roomid": "g",
        "msgtime": at.as_millisecond()});
    message.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    Entry { seq, msgid: msgid.into(), message: Ok(message.to_string()) }
}

/// The channel between a source that a test wrote down and a store.
pub struct Bench {
    pub script: Arc<Script>,
    store: Arc<dyn Store>,
    pub channel: ArchiveChannel,
    pub clock: Arc<ShiftedClock>,
    app: App,
}

impl Bench {
    pub async fn new(answers: impl IntoIterator<Item = Result<Vec<Entry>, SourceError>>) -> Self {
        Self::on(Arc::new(MemoryStore::default()), answers).await
    }
    /// With this 群公告.
    pub async fn pinned(notice: &str) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let (collection, id) = ("group".to_owned(), "g".to_owned());
        let group = Document { collection, id, version: 0, body: json!({ "notices": [notice] }) };
        store.commit(Commit { documents: vec![group], ..Commit::default() }).await.unwrap();
        Self::on(store, []).await
    }
    async fn on(store: Arc<dyn Store>, answers: impl IntoIterator<Item = Result<Vec<Entry>, SourceError>>) -> Self {
        let shifted = Arc::new(ShiftedClock::fixed(morning()));
        let clock: Arc<dyn Clock> = shifted.clone();
        let text = "[[group]]\nid = \"g\"\nmode = \"watch\"\n";
        let settings = Settings::parse(text, "loop.toml".as_ref(), None).unwrap();
        let app = App::build(settings, store.clone(), clock.clone(), Overrides::default()).await.unwrap();
        let script = Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), ..Script::default() });
        let poll = Duration::from_secs(15);
        let channel = ArchiveChannel::new(
            script.clone(),
            store.clone(),
            app.moderation(),
            clock,
            poll,
            Arc::new(Notify::new()),
            Eyes::default(),
        );
        Self { script, store, channel, clock: shifted, app }
    }
    /// The channel after a restart, on the same store.
    fn restarted(&self) -> ArchiveChannel {
        let (source, store, wake) = (self.script.clone(), self.store.clone(), Arc::new(Notify::new()));
        let poll = Duration::from_secs(15);
        let (moderation, clock) = (self.app.moderation(), self.clock.clone());
        ArchiveChannel::new(source, store, moderation, clock, poll, wake, Eyes::default())
    }
    /// Goes on as after a restart.
    pub fn restart(&mut self) {
        self.channel = self.restarted();
    }
    /// The next pull brings a message that no key opens.
    pub fn hand_over_sealed(&self, seq: u64) {
        let sealed = Sealed { version: 1, key: "a2V5".into(), body: "Ym9keQ==".into() };
        let message = Err(Unopened { why: "DecryptData 10008".into(), sealed: Some(sealed), lacks_key: false });
        self.script.answers.lock().push_back(Ok(vec![Entry { seq, msgid: format!("s{seq}"), message }]));
    }
    /// The time for which messages are kept is over.
    pub async fn forget_messages(&self) {
        self.store.prune(self.clock.now(), usize::MAX).await.unwrap();
    }
    /// Somebody's cases, the newest first.
    pub async fn cases(&self, who: &str) -> Vec<Case> {
        let query = CaseQuery { member: Some(who.into()), ..CaseQuery::default() };
        self.store.cases(&query).await.unwrap()
    }
    /// So many of somebody's messages are held against them, those that made a case grow included.
    pub async fn messages_held(&self, who: &str) -> u32 {
        self.cases(who).await.iter().map(Case::messages).sum()
    }
    async fn cursor(&self) -> u64 {
        self.store.cursor(CURSOR).await.unwrap()
    }
    async fn set_aside(&self) -> Vec<String> {
        let all = SET_ASIDE.all(self.store.as_ref(), "").await.unwrap();
        all.into_iter().map(|(_, kept)| kept.why).collect()
    }
    async fn strikes(&self, who: &str) -> usize {
        self.cases(who).await.into_iter().filter(|case| case.step != Step::None).count()
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
    assert!(bench.channel.check().ok());
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
    let read = || Ok(Vec::new());
    let bench = Bench::new([down(), Ok(vec![entry(7, "a", "li", AD)]), read(), down(), down(), read()]).await;
    let minutes = |n| bench.clock.advance(SignedDuration::from_mins(n));

    minutes(1);
    assert!(bench.channel.catch_up().await.is_err());
    assert_eq!(gauges(), (60.0, 60.0), "never pulled since the start");
    assert_eq!(bench.channel.catch_up().await, Ok(1));
    assert_eq!(gauges(), (0.0, 0.0), "there is nothing more");
    for (waited, expected) in [(1, (60.0, 60.0)), (10, (660.0, 660.0))] {
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
    let channel = ArchiveChannel::new(
        Arc::new(Silent),
        store,
        moderation,
        bench.clock.clone(),
        Duration::from_secs(15),
        wake,
        Eyes::default(),
    );
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
    let broken = |seq, message: Result<String, Unopened>| Entry { seq, msgid: format!("broken{seq}"), message };
    let unknown =
        json!({"msgid": "u", "from": "li", "roomid": "g", "msgtime": 1, "msgtype": "hologram", "hologram": 1});
    let bench = Bench::new([Ok(vec![
        broken(1, Err("DecryptData 10006（解密失败）".to_owned().into())),
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
    assert_eq!(bench.channel.check().note, "会话存档正常；有 3 条读不懂，已搁置");
}

#[tokio::test]
async fn batches_are_followed_by_the_next_at_once_until_there_is_nothing() {
    let batch = |from: u64, to: u64| Ok((from..=to).map(|n| entry(n, &format!("m{n}"), "li", "日报已发")).collect());
    let bench = Bench::new([batch(1, 500), batch(501, 503), batch(504, 504)]).await;
    assert_eq!(bench.channel.catch_up().await, Ok(504));
    assert_eq!(*bench.script.asked.lock(), [0, 500, 503, 504], "a short batch is no end");
}

#[tokio::test]
async fn what_was_no_longer_kept_after_days_off_is_named_for_a_week() {
    let expired = || Err(SourceError::Gap("10010（内容已超过保留期（五天））".into()));
    let days = |n: i64| SignedDuration::from_hours(24 * n);
    let later = |seq, msgid: &str, who: &str, after| {
        of_kind(seq, msgid, who, morning() + after, &json!({"msgtype": "text", "text": {"content": AD}}))
    };
    for first_answer in [None, Some(expired())] {
        let bench = Bench::new([Ok(vec![entry(5, "a", "li", AD)])]).await;
        bench.channel.catch_up().await.unwrap();
        bench.clock.advance(days(4));
        bench.channel.catch_up().await.unwrap();
        let quiet = bench.channel.check();
        assert!(quiet.note.contains("没有新消息") && quiet.level == Level::Notice, "which is no gap: {quiet:?}");
        bench.clock.advance(days(7));
        let refused = first_answer.is_some();
        bench.script.answers.lock().extend(first_answer);
        let left = vec![entry(5, "a", "li", AD), later(900, "b", "chen", days(8))];
        bench.script.answers.lock().push_back(Ok(left));
        let handled = bench.channel.catch_up().await;
        assert_eq!(handled, Ok(if refused { 1 } else { 2 }));
        assert_eq!((bench.cursor().await, bench.strikes("li").await, bench.strikes("chen").await), (900, 1, 1));
        let told = "会话存档：5月8日 10:00到5月10日 10:00的群消息没有看到";
        let check = bench.channel.check();
        assert!(!check.ok() && check.note.starts_with(told), "{check:?}");

        let again = bench.restarted();
        again.catch_up().await.unwrap();
        assert!(again.check().note.starts_with(told), "{:?}", again.check());
        bench.clock.advance(days(4));
        again.catch_up().await.unwrap();
        assert!(!again.check().ok());
        bench.clock.advance(days(3));
        again.catch_up().await.unwrap();
        assert_eq!(again.check().level, Level::Notice, "{:?}", again.check());
    }
}

#[tokio::test]
async fn an_archive_that_repeats_and_reorders_is_measured_and_never_an_endless_loop() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _measuring = metrics::set_default_local_recorder(&recorder);
    let bench = Bench::new([
        Ok(vec![entry(2, "b", "chen", AD), entry(1, "a", "li", "日报已发"), entry(4, "d", "li", "周报已发")]),
        Ok(vec![entry(4, "d", "li", "周报已发"), entry(3, "c", "sun", AD)]),
        Ok(vec![entry(4, "d", "li", "周报已发")]),
    ])
    .await;
    assert_eq!(bench.channel.catch_up().await, Ok(5));
    assert_eq!(bench.channel.catch_up().await, Ok(1));
    assert_eq!((bench.cursor().await, bench.strikes("sun").await), (4, 1), "what comes late is judged all the same");
    assert_eq!(*bench.script.asked.lock(), [0, 4, 4]);
    bench.clock.advance(SignedDuration::from_mins(5));
    assert_eq!(bench.channel.catch_up().await, Ok(0), "it stalls");
    let text = recorder.handle().render();
    for measured in [
        "qunguan_archive_reordered_total 2",
        "qunguan_archive_repeated_total 2",
        "qunguan_archive_last_message_age_seconds 300",
    ] {
        assert!(text.contains(measured), "{measured} in {text}");
    }
}

#[tokio::test]
async fn what_could_not_be_opened_is_kept_sealed_and_tried_again() {
    let sealed = || Sealed { version: 1, key: "a2V5".into(), body: "Ym9keQ==".into() };
    let closed = |seq: u64| {
        let why = "DecryptData 10008（密钥解析失败）".to_owned();
        Entry {
            seq,
            msgid: format!("m{seq}"),
            message: Err(Unopened { why, sealed: Some(sealed()), lacks_key: false }),
        }
    };
    let bench = Bench::new([Ok(vec![closed(1), closed(2), entry(3, "c", "li", "日报已发")])]).await;
    assert_eq!(bench.channel.catch_up().await, Ok(3));
    let kept = SET_ASIDE.all(bench.store.as_ref(), "").await.unwrap();
    assert_eq!(kept.iter().map(|(_, kept)| kept.sealed.clone()).collect::<Vec<_>>(), [Some(sealed()), Some(sealed())]);
    let check = bench.channel.check();
    insta::assert_snapshot!(check.note, @"会话存档有 2 条消息解不开（DecryptData 10008（密钥解析失败））：私钥都在，每小时自动再试一次；一直解不开的话，请核对私钥与管理后台的公钥是否配对。解开之前都留着");
    assert!(!check.ok());
    let opened = entry(1, "a", "chen", AD).message.unwrap();
    bench.script.opened.lock().push_back(Ok(opened));
    let left = vec![(format!("{:020}", 2), "DecryptData 10008".to_owned())];
    assert_eq!(bench.channel.retry().await.unwrap(), Retried { read: 1, left });
    assert_eq!((bench.strikes("chen").await, bench.set_aside().await.len()), (1, 1));
    bench.script.opened.lock().push_back(Ok(entry(2, "b", "sun", AD).message.unwrap()));
    assert_eq!(bench.restarted().retry().await.unwrap(), Retried { read: 1, left: Vec::new() });
    assert_eq!((bench.strikes("sun").await, bench.set_aside().await.len()), (1, 0));
    assert_eq!(bench.channel.retry().await.unwrap(), Retried::default());
    assert_eq!(bench.channel.check().note, "会话存档正常", "nothing is set aside any more");
}

#[tokio::test]
async fn a_missing_key_is_asked_for_and_a_key_that_is_there_is_not() {
    let closed = |seq: u64, lacks_key: bool| {
        let sealed = Sealed { version: 2, key: "a2V5".into(), body: "Ym9keQ==".into() };
        let why =
            if lacks_key { "缺少 publickey_ver 2 的私钥" } else { "DecryptData 10008（密钥解析失败）" };
        let message = Err(Unopened { why: why.into(), sealed: Some(sealed), lacks_key });
        Entry { seq, msgid: format!("m{seq}"), message }
    };
    let bench = Bench::new([Ok(vec![closed(1, true), closed(2, false)])]).await;
    bench.channel.catch_up().await.unwrap();
    let restarted = bench.restarted();
    restarted.catch_up().await.unwrap();
    for channel in [&bench.channel, &restarted] {
        let note = channel.check().note;
        assert!(note.starts_with("会话存档有 2 条消息解不开（缺少 publickey_ver 2 的私钥）：请把"), "{note}");
    }
    // The key is there now, and the library cannot make anything of it.
    bench.channel.retry().await.unwrap();
    let note = bench.channel.check().note;
    assert!(note.contains("10008") && note.contains("私钥都在") && !note.contains("加到 private_keys"), "{note}");
}

#[tokio::test]
async fn what_wecom_writes_in_peoples_names_is_counted_and_leads_to_nothing() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _measuring = metrics::set_default_local_recorder(&recorder);
    let vote = json!({"msgtype": "vote", "vote": {"votetitle": AD, "voteitem": ["去"], "votetype": 102}});
    let calendar = json!({"msgtype": "calendar", "calendar": {"title": AD, "remarks": AD}});
    let todo = json!({"msgtype": "todo", "todo": {"title": AD, "content": AD}});
    let unknown = json!({"msgtype": "text", "text": {"content": "【未知消息类型】"}});
    let mut entries = Vec::new();
    for (kind, body) in [vote, calendar, todo, unknown].iter().enumerate() {
        for person in 0..6 {
            let seq = (kind * 100 + person + 1) as u64;
            entries.push(of_kind(seq, &format!("m{seq}"), &format!("p{person}"), morning(), body));
            entries.push(of_kind(seq + 50, &format!("m{}", seq + 50), "li", morning(), body));
        }
    }
    let count = entries.len();
    let bench = Bench::new([Ok(entries)]).await;
    assert_eq!(bench.channel.catch_up().await, Ok(count));
    assert_eq!(bench.store.cases(&CaseQuery::default()).await.unwrap().len(), 0);
    // What the bot remembers at its next start is no crowd either.
    bench.app.moderation().recall().await.unwrap();
    let text = recorder.handle().render();
    for kind in ["vote_cast", "calendar", "todo", "unknown_kind"] {
        assert!(text.contains(&format!("qunguan_archive_nobodys_words_total{{kind=\"{kind}\"}} 12")), "{text}");
    }
}
