//! The callback path over HTTP beside a bare axum handler that answers the same body unparsed: what signature, decryption,
//! judgement and the durable commit cost on top of HTTP itself. Senders and server share the machine in both runs.
//!
//! `cargo bench --bench pipeline [-- REQUESTS]`

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, routing::post};
use qunguan::{
    app::{App, Overrides},
    model::{Clock, SystemClock},
    settings::Settings,
    wecom::crypto::Crypto,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

const TOKEN: &str = "pipelinebench";
const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const MEMBERS: usize = 5_000;
/// Each row is measured so many times, the two servers in turn; the best of each counts.
const ROUNDS: usize = 3;

fn main() {
    let requests = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(30_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!(
        "{:>8} {:>14} {:>8} {:>8}   {:>14} {:>8} {:>8}   {:>6}",
        "clients", "bare axum/s", "p50 us", "p99 us", "callback/s", "p50 us", "p99 us", "share"
    );
    for clients in [1, 16, 64] {
        let (mut bare, mut ours) = (Measured::default(), Measured::default());
        for _ in 0..ROUNDS {
            let requests = if clients == 1 { requests / 10 } else { requests };
            bare = bare.best(runtime.block_on(bare_server(requests, clients)));
            ours = ours.best(runtime.block_on(bot(requests, clients)));
        }
        println!(
            "{clients:>8} {:>14.0} {:>8} {:>8}   {:>14.0} {:>8} {:>8}   {:>6.2}",
            bare.rate,
            bare.p50,
            bare.p99,
            ours.rate,
            ours.p50,
            ours.p99,
            ours.rate / bare.rate
        );
    }
}

/// Requests a second and their latency in microseconds.
#[derive(Clone, Copy, Default)]
struct Measured {
    rate: f64,
    p50: u64,
    p99: u64,
}

impl Measured {
    fn best(self, other: Self) -> Self {
        if other.rate > self.rate { other } else { self }
    }
}

async fn bare_server(requests: usize, clients: usize) -> Measured {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/wecom/bot", post(|_: Bytes| async {}));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        axum::serve(listener, app).with_graceful_shutdown(async { drop(stopped.await) }).await.unwrap();
    });
    let measured = load(address, callbacks(requests), clients).await;
    drop(stop);
    server.await.unwrap();
    measured
}

async fn bot(requests: usize, clients: usize) -> Measured {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "listen = \"127.0.0.1:0\"\ndata_dir = {:?}\n[wecom]\ncorp_id = \"wwpipeline\"\n[wecom.bot]\ntoken = \"{TOKEN}\"\n\
         aes_key = \"{AES_KEY}\"\n[[group]]\nid = \"wrBench\"\nname = \"测量\"\nkind = \"internal\"\nmode = \"assisted\"\nowner = \"boss\"\n",
        folder.path().join("data").display().to_string()
    );
    let settings = Settings::parse(&text, "pipeline.toml".as_ref(), None).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = App::open(settings, Arc::new(SystemClock), Overrides::default()).await.unwrap();
    let store = app.store();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(app.run(listener, async { drop(stopped.await) }));
    let measured = load(address, callbacks(requests), clients).await;
    let last = store.processed(&qunguan::model::MessageId::new(format!("bot:m{}", requests - 1))).await.unwrap();
    assert!(last.is_some(), "what was answered is durable");
    drop(stop);
    drop(store);
    server.await.unwrap().unwrap();
    measured
}

/// Signed and encrypted callbacks of a bot that hears a group, as bytes on the wire.
fn callbacks(requests: usize) -> Vec<Vec<u8>> {
    let crypto = Crypto::new(TOKEN, AES_KEY, "").unwrap();
    let now = SystemClock.now().as_second();
    (0..requests)
        .map(|n| {
            let said = format!(
                r#"{{"msgid":"m{n}","aibotid":"A","chatid":"wrBench","chattype":"group","from":{{"userid":"u{}"}},"msgtype":"text","text":{{"content":"@群管 {}"}}}}"#,
                n % MEMBERS,
                sentence(n)
            );
            let random: [u8; 16] = (n as u128).to_be_bytes();
            let encrypt = crypto.encrypt(&said, random);
            let (timestamp, nonce) = (now.to_string(), format!("n{n}"));
            let signature = crypto.sign(&timestamp, &nonce, &encrypt);
            let body = format!(r#"{{"encrypt":"{encrypt}"}}"#);
            format!(
                "POST /wecom/bot?msg_signature={signature}&timestamp={timestamp}&nonce={nonce} HTTP/1.1\r\nHost: bench\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes()
        })
        .collect()
}

/// Honest talk in which no two sentences near each other are alike.
fn sentence(n: usize) -> String {
    const WHO: [&str; 7] = ["华东仓库", "王姐那边", "财务的同事", "新来的实习生", "门店经理", "客户张总", "我们小组"];
    const WHAT: [&str; 11] = [
        "把上周的报价单",
        "关于春节排班的表格",
        "那批样品的照片",
        "合同的第三页",
        "培训用的幻灯片",
        "快递的单号",
        "月度总结",
        "设备验收报告",
        "退换货的说明",
        "会议室的钥匙",
        "食堂的菜单",
    ];
    const DID: [&str; 13] = [
        "已经发出来了",
        "还没有收到",
        "下午两点之前给到",
        "需要再核对一遍",
        "明天早上统一打印",
        "放在前台了",
        "麻烦谁帮忙看一下",
        "改好了请查收",
        "可能要晚一天",
        "和去年的一样",
        "数量对不上",
        "先按老办法处理",
        "辛苦大家了",
    ];
    const THEN: [&str; 17] = [
        "",
        "，谢谢",
        "，有问题随时说",
        "，我先去开会",
        "，晚点再聊",
        "，地址发给您了",
        "，记得签字",
        "，周五之前回复",
        "，按合同来",
        "，不着急",
        "，我请假半天",
        "，电梯坏了走楼梯",
        "，客户比较满意",
        "，发票开好了",
        "，车在楼下",
        "，麻烦转告一声",
        "，图纸又改了",
    ];
    format!("{}{}{}{}", WHO[n % 7], WHAT[n / 7 % 11], DID[n / 77 % 13], THEN[n / 1001 % 17])
}

/// Sends everything over `clients` connections that are kept open.
async fn load(address: std::net::SocketAddr, requests: Vec<Vec<u8>>, clients: usize) -> Measured {
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let begun = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (requests, next) = (requests.clone(), next.clone());
        senders.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut latencies = Vec::with_capacity(requests.len() / clients + 1);
            let mut answer = Vec::with_capacity(4096);
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                let sent = Instant::now();
                stream.write_all(request).await.unwrap();
                read_answer(&mut stream, &mut answer).await;
                latencies.push(sent.elapsed());
            }
            latencies
        });
    }
    let mut latencies: Vec<Duration> = senders.join_all().await.into_iter().flatten().collect();
    let rate = requests.len() as f64 / begun.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |share: f64| latencies[(latencies.len() as f64 * share) as usize].as_micros() as u64;
    Measured { rate, p50: at(0.5), p99: at(0.99) }
}

/// One whole answer, which has to be a good one.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) {
    answer.clear();
    loop {
        assert!(stream.read_buf(answer).await.unwrap() > 0, "the server hung up");
        let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&answer[..end]).unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if answer.len() >= end + 4 + length.unwrap_or(0) {
            return;
        }
    }
}
