//! What whoever runs the bot sees: its stop, its reload, its answers to what is no request.

#[path = "common/house.rs"]
mod house;

use house::{API_TOKEN, House, SALES};
use qunguan::simulator::FaultKind;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A group of the smart bot: WeCom tells nobody who is in it.
const PROJECT: &str = "wrNewProducts";

fn project() -> String {
    format!("[[group]]\nid = \"{PROJECT}\"\nname = \"新品项目群\"\nkind = \"bot\"\nowner = \"zhang\"")
}

fn note(readyz: &Value, name: &str) -> String {
    let checks = readyz["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("{name}: {readyz}"));
    check["note"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_stop_is_said_until_what_was_accepted_is_answered() {
    let mut house = House::start().await;
    let (readyz, address) = (house.url("/readyz"), house.url("").replace("http://", ""));
    let body = json!({ "messages": [{
        "id": "slow", "group": SALES, "sender": "li", "at": "2026-11-01T09:00:00+08:00", "text": "早"
    }]})
    .to_string();
    let mut slow = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /api/v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_TOKEN}\r\nExpect: 100-continue\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100", "it is being answered");

    let asked = async {
        loop {
            let answer = reqwest::get(&readyz).await.expect("it listens as long as something is being answered");
            if answer.status() == 503 {
                break assert_eq!(note(&answer.json().await.unwrap(), "process"), "正在停止");
            }
        }
        slow.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        slow.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("HTTP/1.1 200"), "{answer}");
    };
    tokio::join!(house.stop_bot(), asked);
    assert!(TcpStream::connect(&address).await.is_err(), "and then no more");
}

#[tokio::test]
async fn what_waits_for_a_restart_is_named() {
    let mut house = House::empty(house::morning(), "").await;
    house.write_settings();
    house.start_bot().await;
    let settings = std::fs::read_to_string(house.config()).unwrap();
    assert_eq!(note(&house.get("/readyz").await, "settings"), "设置已生效");
    let changed = format!("{settings}\n[log]\nlevel = \"debug\"\n[detect]\nbrands = [\"好房网\"]\n");
    assert_eq!(house.rewrite(&[("qunguan.toml", &changed)]).await, [""; 0]);
    let said = note(&house.get("/readyz").await, "settings");
    assert_eq!(said, "设置已生效，有改动要重启才生效：[log]");
    assert_eq!(house.rewrite(&[("qunguan.toml", &settings)]).await, [""; 0]);
    assert_eq!(note(&house.get("/readyz").await, "settings"), "设置已生效");
}

#[tokio::test]
async fn an_address_that_is_not_there_says_so() {
    let house = House::start().await;
    let answer = reqwest::get(house.url("/nothing")).await.unwrap();
    assert_eq!(answer.status(), 404);
    let body: Value = answer.json().await.unwrap();
    assert_eq!((body["code"].as_str(), body["title"].as_str()), (Some("not_found"), Some("没有这个地址")));
}

#[tokio::test]
async fn a_message_from_the_far_future_is_refused() {
    let house = House::start().await;
    let message =
        |at: &str| json!({ "messages": [{ "id": at, "group": SALES, "sender": "li", "at": at, "text": "早" }]});
    let (status, answer) = house.post("/api/v1/messages", message("2999-01-01T00:00:00Z")).await;
    assert_eq!((status, answer["code"].as_str()), (400, Some("invalid_value")), "{answer}");
    assert!(answer["detail"].as_str().unwrap().starts_with("messages[0].at："), "{answer}");
    let (status, _) = house.post("/api/v1/messages", message("2020-01-01T00:00:00Z")).await;
    assert_eq!(status, 200, "history may be handed in");
}

#[tokio::test]
async fn a_group_reads_one_line_of_help_and_the_person_all_of_it() {
    let house = House::start_with(&project()).await;
    let before = house.lines(PROJECT).len();
    house.say("zhang", PROJECT, "@群管 帮助").await;
    let lines = house.lines_after(PROJECT, before).join("\n");
    assert!(lines.contains("全部指令已私信您") && !lines.contains("移出 @成员"), "{lines}");
    assert!(house.last_told("zhang").contains("· 移出 @成员"), "{}", house.last_told("zhang"));
}

#[tokio::test]
async fn a_member_of_a_group_whose_list_is_withheld_finds_their_standing() {
    let house = House::start_with(&project()).await;
    assert_eq!(house.ask("lin", "我的状态").await, "没有找到您所在的群。");
    house.say("lin", PROJECT, "@群管 样品什么时候到").await;
    let answer = house.ask("lin", "我的状态").await;
    assert!(answer.contains("您在「新品项目群」：可以正常发言，没有记分。"), "{answer}");
}

#[tokio::test]
async fn a_frame_of_the_socket_that_comes_three_times_is_answered_once() {
    let house = House::start_with_socket("").await;
    house
        .until("the bot is connected", || async {
            (note(&house.get("/readyz").await, "bot_socket") == "智能机器人长连接正常").then_some(())
        })
        .await;
    house.fault(FaultKind::CallbackTriple, None, None);
    house.act(json!({"do": "enter_bot", "as": "li"}));
    // Frames are handled in order: once this one is answered, the three before are over.
    house.act(json!({"do": "tell_bot", "as": "li", "text": "我的状态"}));
    house
        .until("the words are answered", || async {
            house.told("li").iter().any(|t| t.contains("可以正常发言")).then_some(())
        })
        .await;
    let greetings = house.told("li").iter().filter(|text| text.starts_with("您好，我是群管")).count();
    assert_eq!(greetings, 1, "{:?}", house.told("li"));
}

#[tokio::test]
async fn lists_with_mistakes_keep_nobody_from_starting_or_from_the_other_lines() {
    let mut house = House::empty(house::morning(), "").await;
    let list = |more: &str| format!("[阶段=执行]\n拼单返现\n看【没有这组】的\n必放：今天拼单返现吗\n{more}");
    house.write_settings();
    house.write("wordlists/ads/own.txt", &list(""));
    house.start_bot().await;
    let said = note(&house.get("/readyz").await, "wordlists");
    assert!(said.starts_with("词表有 2 处没有读，其余照常：") && said.contains("own.txt:4: 必放句被命中"), "{said}");
    house.say("sun", SALES, "这款可以拼单返现，数量有限").await;
    assert_eq!(house.cases(SALES, "sun").await.len(), 1);

    // A reload takes the lines that are right, but no list that breaks its own sentences.
    let refused = house.rewrite(&[("wordlists/ads/own.txt", &list("新款上岸\n"))]).await;
    assert!(refused.len() == 1 && refused[0].contains("own.txt:4: 必放句被命中"), "{refused:?}");
    let mended = list("新款上岸\n").replace("必放：今天拼单返现吗", "/(/");
    assert_eq!(house.rewrite(&[("wordlists/ads/own.txt", &mended)]).await, [""; 0]);
    let said = note(&house.get("/readyz").await, "wordlists");
    assert!(said.starts_with("词表有 2 处没有读") && said.contains("own.txt:3: 没有名为【没有这组】的词组"), "{said}");
    house.say("li", SALES, "新款上岸快来").await;
    assert_eq!(house.cases(SALES, "li").await.len(), 1);
    assert_eq!(house.rewrite(&[("wordlists/ads/own.txt", "[阶段=执行]\n新款上岸\n")]).await, [""; 0]);
    let checks = house.get("/readyz").await["checks"].to_string();
    assert!(!checks.contains("wordlists"), "{checks}");
}

/// The program itself beside the running bot.
async fn beside(house: &House, args: &[&str]) -> (bool, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_qunguan"));
    let ended = command.args(args).arg("--config").arg(house.config()).env_remove("QUNGUAN_LISTEN").output().await;
    let ended = ended.unwrap();
    (ended.status.success(), String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_looks_back_works_while_the_bot_runs() {
    let mut house = House::empty(house::morning(), "").await;
    house.write_settings();
    house.start_bot().await;
    house.say("li", SALES, house::AD).await;
    let (well, said) = beside(&house, &["backtest", "--policy", "gentle"]).await;
    assert!(well && said.contains("命中 1 条，1 人"), "{said}");
    assert!(
        said.contains(&format!("「{}」", house::AD)) && said.contains(&format!("\n      {}\n", house::AD)),
        "word and sample: {said}"
    );
    let (_, said) = beside(&house, &["check", "--stored"]).await;
    assert!(!said.contains("正被另一个群管使用") && said.contains("提示"), "{said}");
    let data = house.config().parent().unwrap().with_file_name("data");
    let left: Vec<_> = std::fs::read_dir(data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("copy")), "{left:?}");
    house.say("li", SALES, "早").await;
    assert_eq!(house.cases(SALES, "li").await.len(), 1, "and the bot has noticed nothing");
}

#[test]
fn an_image_holds_nothing_of_the_company_and_listens() {
    let ignored = include_str!("../.dockerignore");
    for line in ["/config/*", "*.pem", "*.env", "/data"] {
        assert!(ignored.lines().any(|found| found == line), "{line}");
    }
    assert!(include_str!("../Dockerfile").contains("ENV QUNGUAN_LISTEN=0.0.0.0:8080"));
}

#[test]
fn the_readme_leads_to_every_page() {
    let readme = include_str!("../README.md");
    for page in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap() {
        let page = page.unwrap().path();
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(page.is_dir() || readme.contains(&format!("(docs/{name})")), "{name}");
    }
}
