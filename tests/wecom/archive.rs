use std::{path::Path, sync::Arc, time::Duration};

use qunguan::{
    model::ShiftedClock,
    simulator::{self, Simulator},
    wecom::archive::{
        ArchiveSource, SourceError,
        keys::PrivateKeys,
        message,
        native::{Config, MOST_STUCK, NativeArchive},
    },
};
use serde_json::{Value, json};

use crate::platform::{LIBRARY, PAIRS, Platform, Step, entry, open, text};

/// Long enough for the slowest machine.
const PATIENT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn messages_of_several_key_versions_come_in_order_and_a_broken_one_does_not_block() {
    let [first, second, other] = &*PAIRS;
    let mut cut = entry(13, 3, second, &text(13, "内容损坏"));
    cut["encrypt_chat_msg"] = json!("AAAA");
    let platform = Platform::start([Step::batch(&[
        entry(10, 1, first, &text(10, "旧密钥")),
        entry(12, 3, second, &text(12, "新密钥")),
        cut,
        entry(14, 3, other, &text(14, "不配对的密钥")),
        entry(15, 2, second, &text(15, "版本写错的密钥")),
        json!({"seq": 16, "msgid": "m16", "brand_new": true}),
        entry(17, 3, second, &text(17, "最后一条")),
    ])])
    .await;
    let entries = platform.archive(&[(1, first), (3, second)], PATIENT).pull(9, 100).await.unwrap();
    assert_eq!(entries.iter().map(|e| e.seq).collect::<Vec<_>>(), [10, 12, 13, 14, 15, 16, 17]);
    let words = |at: usize| message::parse(entries[at].message.as_ref().unwrap()).unwrap().unwrap().text;
    assert_eq!((words(0), words(1), words(6)), ("旧密钥".into(), "新密钥".into(), "最后一条".into()));
    assert_eq!(words(4), "版本写错的密钥", "every key is tried");
    for (at, why) in [(2, "10006"), (3, "publickey_ver 3"), (5, "publickey_ver 0")] {
        let said = entries[at].message.as_ref().unwrap_err();
        assert!(said.why.contains(why) && said.sealed.is_some(), "{said:?}");
    }
}

#[tokio::test]
async fn what_is_under_a_key_newer_than_all_of_ours_stays_sealed_and_the_stream_goes_on() {
    let [known, newer, _] = &*PAIRS;
    let platform = Platform::start([Step::batch(&[
        entry(20, 1, known, &text(20, "换密钥之前")),
        entry(21, 9, newer, &text(21, "换了密钥之后")),
        entry(22, 1, known, &text(22, "又换回来")),
    ])])
    .await;
    let entries = platform.archive(&[(1, known)], PATIENT).pull(0, 100).await.unwrap();
    assert_eq!(
        entries.iter().map(|e| (e.seq, e.message.is_ok())).collect::<Vec<_>>(),
        [(20, true), (21, false), (22, true)]
    );
    let said = entries[1].message.as_ref().unwrap_err();
    assert!(said.why.contains("publickey_ver 9") && said.lacks_key, "{said:?}");
    let archive = platform.archive(&[(1, known), (9, newer)], PATIENT);
    let opened = archive.open(said.sealed.as_ref().unwrap()).await.unwrap();
    assert_eq!(message::parse(&opened).unwrap().unwrap().text, "换了密钥之后", "once the key is there");
}

#[tokio::test]
async fn every_fault_of_the_library_is_sorted() {
    let json = |text: &str| Step::Body(text.as_bytes().to_vec());
    let platform = Platform::start([
        Step::Return(10001),
        Step::Return(10002),
        Step::Return(10003),
        json(r#"{"errcode":10003,"errmsg":"a code although the call returned 0","chatdata":[]}"#),
        json(r#"{"errcode":0,"errmsg":"ok","chatdata":[{"seq":1,"msg"#),
        json(""),
        Step::Return(10009),
        Step::Return(10010),
        json(r#"{"errcode":301052,"errmsg":"expired"}"#),
        Step::batch(&[]),
    ])
    .await;
    let archive = platform.archive(&[(1, &PAIRS[0])], PATIENT);
    for _ in 0..6 {
        let said = archive.pull(0, 10).await;
        assert!(matches!(said, Err(SourceError::Retry(_))), "{said:?}");
    }
    assert!(matches!(archive.pull(0, 10).await, Err(SourceError::Configuration(why)) if why.contains("可信 IP")));
    assert!(matches!(archive.pull(0, 10).await, Err(SourceError::Gap(_))));
    assert!(matches!(archive.pull(0, 10).await, Err(SourceError::Configuration(why)) if why.contains("到期")));
    assert_eq!(archive.pull(0, 10).await, Ok(vec![]), "and then it works again");
    assert!(platform.used_up());
}

#[tokio::test]
async fn what_is_too_much_at_once_is_asked_for_by_halves() {
    let too_much = || Step::Body(r#"{"errcode":301058,"errmsg":"too large"}"#.into());
    let pair = &PAIRS[0];
    let some: Vec<Value> = (1..=3).map(|seq| entry(seq, 1, pair, &text(seq, "大家好"))).collect();
    let mut steps = vec![too_much(), Step::Return(301_058), Step::batch(&some)];
    steps.extend((0..3).map(|_| too_much())); // 4, 2, 1: a single message that is too much is told
    let platform = Platform::start(steps).await;
    let archive = platform.archive(&[(1, pair)], PATIENT);
    assert_eq!(archive.pull(0, 1000).await.unwrap().len(), 3);
    let Err(SourceError::Configuration(why)) = archive.pull(3, 4).await else { panic!("not told") };
    assert!(why.contains("301058"), "{why}");
    assert!(platform.used_up());
}

#[tokio::test]
async fn a_full_batch_to_five_hundred_people_each() {
    let pair = &PAIRS[0];
    let everybody: Vec<String> = (0..500).map(|i| format!("member-{i}")).collect();
    let entries: Vec<Value> = (1..=1000)
        .map(|seq| {
            let mut message = text(seq, "大家好");
            message["tolist"] = json!(everybody);
            entry(seq, 1, pair, &message)
        })
        .collect();
    let platform = Platform::start([Step::batch(&entries)]).await;
    let pulled = platform.archive(&[(1, pair)], PATIENT).pull(0, 5000).await.unwrap();
    assert_eq!(pulled.len(), 1000);
    assert!(pulled.iter().all(|e| e.message.as_ref().is_ok_and(|m| m.contains("member-499"))));
}

#[tokio::test]
async fn a_library_that_hangs_is_left_behind() {
    let steps = [Step::Hang, Step::batch(&[])].into_iter().chain((1..MOST_STUCK).map(|_| Step::Hang));
    let platform = Platform::start(steps).await;
    let archive = platform.archive(&[(1, &PAIRS[0])], Duration::from_secs(2));
    assert!(matches!(archive.pull(0, 10).await, Err(SourceError::Retry(why)) if why.contains("没有响应")));
    assert_eq!(archive.pull(0, 10).await, Ok(vec![]), "a new thread works");
    for _ in 1..MOST_STUCK {
        assert!(matches!(archive.pull(0, 10).await, Err(SourceError::Retry(_))));
    }
    let Err(SourceError::Configuration(why)) = archive.pull(0, 10).await else { panic!("tries for ever") };
    assert!(why.contains("重启"), "{why}");
}

#[tokio::test]
async fn files_come_in_pieces() {
    let file: Vec<u8> = (0..1_200_000u32).map(|i| (i % 251) as u8).collect();
    let whole = || Step::Body(file.clone());
    let steps = [whole(), Step::Return(10001), whole(), whole(), whole(), whole(), Step::NotFound, Step::Return(10010)];
    let platform = Platform::start(steps).await;
    let archive = platform.archive(&[(1, &PAIRS[0])], PATIENT);
    assert!(archive.file("FILE", 2_000_000).await.unwrap() == file, "three pieces, one of them at the second try");
    assert!(matches!(archive.file("FILE", 1_000_000).await, Err(SourceError::Gap(why)) if why.contains("1000000")));
    assert!(matches!(archive.file("GONE", 1_000_000).await, Err(SourceError::Gap(why)) if why.contains("10005")));
    assert!(matches!(archive.file("OLD", 1_000_000).await, Err(SourceError::Gap(why)) if why.contains("10010")));
    assert!(platform.used_up());
}

#[test]
fn a_missing_or_wrong_library_or_key_is_named() {
    let refused = |library: &Path, with_key: bool| {
        let mut keys = PrivateKeys::default();
        if with_key {
            keys.add(1, &PAIRS[0].private_pem()).unwrap();
        }
        let config = Config {
            library: library.to_owned(),
            corp_id: "ww1".into(),
            secret: "s".into(),
            keys,
            timeout: Duration::from_secs(5),
            patience: None,
            proxy: String::new(),
            proxy_password: None,
        };
        match NativeArchive::open(config) {
            Err(SourceError::Configuration(why)) => why,
            other => panic!("{:?}", other.err()),
        }
    };
    assert!(
        refused(Path::new("/nowhere/libWeWorkFinanceSdk_C.so"), true).contains("/nowhere/libWeWorkFinanceSdk_C.so")
    );
    assert!(refused(&LIBRARY, false).contains("private_keys"));
    if cfg!(target_os = "linux") {
        let why = refused(Path::new("libc.so.6"), true);
        assert!(why.contains("NewSdk"), "{why}");
    }
}

#[tokio::test]
async fn the_simulated_companys_messages_arrive_through_the_library() {
    let clock = Arc::new(ShiftedClock::fixed("2026-05-04T10:00:00+08:00".parse().unwrap()));
    let sim = Simulator::start(simulator::Config::default(), clock).await.unwrap();
    let credentials = sim.credentials();
    let key = json!({"version": 1, "public_key": PAIRS[0].public_pem()});
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.post(format!("{}/archive/key", credentials.control)).json(&key).send().await.unwrap();
    assert!(answer.status().is_success());
    sim.act_json(json!({"do": "post", "as": "wmLiuBig", "group": "wrVipCustomers", "text": "加我微信领红包"})).unwrap();

    let archive = open(&credentials.archive.url, &[(1, &PAIRS[0])], PATIENT);
    let entries = archive.pull(0, 100).await.unwrap();
    let message = message::parse(entries.last().unwrap().message.as_ref().unwrap()).unwrap().unwrap();
    assert_eq!((message.sender.as_str(), message.text.as_str()), ("wmLiuBig", "加我微信领红包"));
    let last = entries.last().unwrap().seq;
    assert_eq!(archive.pull(last, 100).await, Ok(vec![]));
    sim.stop().await;
}
