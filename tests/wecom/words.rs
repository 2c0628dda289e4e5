//! WeCom's own 敏感词 are kept equal to the chosen wordlists, by the bot and by the command.

use std::{path::Path, process::Command, sync::Arc};

use qunguan::{model::SignedDuration, simulator::Handle, wecom::client::Client};
use serde_json::json;

use crate::house::{CUSTOMERS, House};

/// A list of the test's own, so that nothing depends on the shipped ones.
const LIST: &str = "加我私人微信\n私下转账\n加 ~6 微信\n随便聊聊 | 分=0.5\n";
/// A rule that the company made itself.
const OWN: &str = "公司自己的规则";

fn client(sim: &Handle, house: &House) -> Client {
    let c = sim.credentials();
    let clock = house.clock.clone();
    Client::new(&c.api_base, &c.corp_id, c.app.agent_id, c.app.secret.clone().into(), clock).unwrap()
}

/// Name and words of every rule that WeCom has.
async fn rules(client: &Client) -> Vec<(String, String)> {
    let mut rules = Vec::new();
    for (id, name) in client.intercept_rules().await.unwrap() {
        let rule = client.intercept_rule(&id).await.unwrap();
        let words: Vec<&str> = rule["word_list"].as_array().unwrap().iter().filter_map(|w| w.as_str()).collect();
        rules.push((name, words.join(" ")));
    }
    rules
}

fn command(house: &House, folder: &Path, settings: &str, more: &[&str]) -> (i32, String) {
    let c = house.sim.credentials();
    let file = folder.join("qunguan.toml");
    let text = format!(
        "[wecom]\ncorp_id = {:?}\napi_base = {:?}\n[wecom.app]\nagent_id = {}\nsecret = {:?}\n{settings}",
        c.corp_id, c.api_base, c.app.agent_id, c.app.secret
    );
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_qunguan"));
    let output = command.args(["words", "sync", "--config"]).arg(&file).args(more).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_prints_the_difference_and_makes_it() {
    let house = House::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("wordlists/private_deal")).unwrap();
    std::fs::write(folder.path().join("wordlists/private_deal/own.txt"), LIST).unwrap();
    let chosen = "[wecom.intercept]\nwordlists = [\"private_deal/own\"]\n";
    let client = client(&house.sim, &house);
    let own = json!({"rule_name": OWN, "word_list": ["加我私人微信"], "intercept_type": 2, "applicable_range": {"user_list": ["li"]}});
    client.add_intercept_rule(&own).await.unwrap();

    let (code, said) = command(&house, folder.path(), "", &[]);
    assert_eq!((code, said.as_str()), (1, "设置里没有 [wecom.intercept]：没有选要推送的词表\n"));
    let (code, said) = command(&house, folder.path(), chosen, &["--dry-run"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(said, @r"
    新建 1 条规则，修改 0 条，删除 0 条；共 2 个词，命中后拦下。
    + 群管·私下交易·1（2 个词）
        + 加我私人微信
        + 私下转账
    公司自己的 1 条规则不受影响。
    另有 2 条词条推不过去，仍由群管识别：1 条是组合或正则，1 条单独出现不足以处置。
    没有改动。
    ");
    assert_eq!(rules(&client).await.len(), 1, "a dry run changes nothing");
    assert_eq!(command(&house, folder.path(), chosen, &[]).0, 0);
    let ours = ("群管·私下交易·1".to_owned(), "加我私人微信 私下转账".to_owned());
    assert_eq!(rules(&client).await, [(OWN.into(), "加我私人微信".into()), ours]);

    let post = |who: &str, text: &str| json!({"do": "post", "as": who, "group": CUSTOMERS, "text": text});
    let stopped = house.sim.act_json(post("wang", "您私下转账给我吧")).unwrap_err();
    assert!(stopped.0.contains("intercepted"), "{stopped}");
    house.sim.act_json(post("wang", "您好，请走公司的付款方式")).unwrap();
    house.sim.act_json(post("wmLiuBig", "可以私下转账吗")).unwrap();

    std::fs::write(folder.path().join("wordlists/private_deal/own.txt"), "私下转账\n走我私人账户\n").unwrap();
    let softer = format!("{chosen}block = false\ndepartments = []\nusers = [\"Wang\"]\n");
    let (code, said) = command(&house, folder.path(), &softer, &[]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(said, @r"
    新建 0 条规则，修改 1 条，删除 0 条；共 2 个词，命中后只提醒。
    ~ 群管·私下交易·1
        改为只提醒
        + 成员 wang
        - 部门 1
        - 加我私人微信
        + 走我私人账户
    公司自己的 1 条规则不受影响。
    已同步。
    ");
    let warned = house.sim.act_json(post("wang", "您私下转账给我吧")).unwrap();
    assert!(warned["warned"].is_string(), "{warned}");

    let (_, said) = command(&house, folder.path(), "[wecom.intercept]\nwordlists = []\n", &[]);
    assert!(said.contains("- 群管·私下交易·1"), "{said}");
    assert_eq!(rules(&client).await.len(), 1);
    let (code, said) = command(&house, folder.path(), "[wecom.intercept]\nwordlists = [\"private_deal/owm\"]\n", &[]);
    assert_eq!(code, 1);
    assert!(said.contains("没有叫 `private_deal/owm` 的词表"), "{said}");
}

#[tokio::test]
async fn the_bot_keeps_them_equal() {
    let house =
        House::start_with("[wecom.intercept]\nwordlists = [\"private_deal/private\", \"gambling/gambling\"]").await;
    let client = Arc::new(client(&house.sim, &house));
    let pushed = rules(&client).await;
    assert!(!pushed.is_empty() && pushed.iter().all(|(name, words)| name.starts_with("群管·") && !words.is_empty()));
    let (id, _) = client.intercept_rules().await.unwrap().remove(0);
    client.delete_intercept_rule(&id).await.unwrap();
    house.later(SignedDuration::from_hours(1)).await;
    let mut again = rules(&client).await;
    again.sort();
    let mut before = pushed;
    before.sort();
    assert_eq!(again, before, "what somebody deleted by hand comes back");
    let task = house.tasks("words").await.remove(0);
    assert_eq!(task.reason, "已更新 1 条敏感词规则");
}
