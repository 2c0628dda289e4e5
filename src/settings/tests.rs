//! What an admin gets wrong, and what is said then.

use std::path::Path;

use super::*;
use crate::model::{GroupKind, Mode};

fn parse(text: &str) -> Result<Settings, Vec<String>> {
    let env = |name: &str| (name == "SECRET").then(|| "0123456789abcdef".to_owned());
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("policies")).unwrap();
    std::fs::write(folder.path().join("policies/default.toml"), "").unwrap();
    let prefix = format!("{}/", folder.path().display());
    Settings::parse(text, &folder.path().join("qunguan.toml"), Some(&env))
        .map_err(|problems| problems.iter().map(|p| p.to_string().replace(&prefix, "config/")).collect())
}

fn problems(text: &str) -> Vec<String> {
    parse(text).unwrap_err()
}

#[test]
fn the_shipped_template_is_valid_and_equals_the_defaults() {
    let settings = parse(include_str!("../../config/qunguan.toml")).unwrap();
    assert_eq!(settings.listen, default_listen());
    assert!(settings.wecom.is_none() && settings.groups.is_empty());
}

#[test]
fn an_empty_file_is_the_defaults() {
    let settings = parse("").unwrap();
    assert_eq!(settings.data_dir, Path::new("data"));
    assert_eq!(settings.time_zone.iana_name(), Some("Asia/Shanghai"));
    assert!(!settings.dry_run);
}

#[test]
fn a_whole_company() {
    let settings = parse(
        r#"
        listen = "0.0.0.0:9000"
        [wecom]
        corp_id = "ww1"
        [wecom.app]
        agent_id = 1000002
        secret = { env = "SECRET" }
        token = "tokentoken"
        aes_key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
        [wecom.bot]
        bot_id = "b"
        secret = { env = "SECRET" }
        [wecom.archive]
        library = "/opt/lib.so"
        secret = "s"
        private_keys = { 1 = "-----BEGIN PRIVATE KEY-----" }
        [[api_token]]
        name = "archive-pipeline"
        value = { env = "SECRET" }
        [[group]]
        id = "wr1"
        mode = "full"
        rulebook = []
        policy = "default"
        [[group]]
        id = "wr2"
        mode = "assisted"
        owner = "zhangsan"
        archive_room = "wrX"
        "#,
    )
    .unwrap();
    let wecom = settings.wecom.as_ref().unwrap();
    assert_eq!(wecom.api_base, API_BASE);
    assert_eq!(wecom.app.as_ref().unwrap().secret.expose(), "0123456789abcdef");
    assert_eq!(wecom.archive.as_ref().unwrap().private_keys.len(), 1);
    assert_eq!(settings.groups[0].kind(), GroupKind::App);
    assert_eq!(settings.groups[1].mode, Mode::Assisted);
    assert_eq!(settings.groups[1].aliases().collect::<Vec<_>>(), ["wrX"]);
    let shown = format!("{settings:?}");
    assert!(!shown.contains("0123456789abcdef") && !shown.contains("tokentoken"), "secrets stay out of Debug");
}

#[test]
fn every_mistake_is_told_at_once_with_its_line_and_the_nearest_name() {
    assert_eq!(
        problems(
            "listn = \"127.0.0.1:1\"\ndata_dir = 5\n\n[[group]]\nid = \"wr1\"\npolcy = \"default\"\n[[group]]\nname = \"x\"\n[wcom]\n"
        ),
        [
            "config/qunguan.toml:1: 不认识的设置项 `listn`，是不是想写 `listen`？",
            "config/qunguan.toml:2: 值不对：写的是 整数 `5`，应为 文字",
            "config/qunguan.toml:6: 不认识的设置项 `polcy`，是不是想写 `policy`？",
            "config/qunguan.toml:7: 缺少设置项 `id`",
            "config/qunguan.toml:9: 不认识的设置项 `wcom`，是不是想写 `wecom`？",
        ]
    );
}

#[test]
fn broken_toml_names_its_line() {
    let found = problems("listen = \"127.0.0.1:1\"\n[wecom\n");
    assert!(found[0].starts_with("config/qunguan.toml:2: "), "{found:?}");
}

#[test]
fn names_that_do_not_exist_and_pairs_that_are_not() {
    assert_eq!(
        problems(
            "[[group]]\nid = \"a\"\npolicy = \"defualt\"\n[[group]]\nid = \"a\"\nmode = \"assisted\"\n[wecom]\ncorp_id = \"w\"\n[wecom.app]\nagent_id = 1\nsecret = { env = \"NOPE\" }\ntoken = \"t\"\n[wecom.bot]\n"
        ),
        [
            "config/qunguan.toml:3: 没有叫 `defualt` 的策略，是不是想写 `default`？",
            "config/qunguan.toml:5: 群 ID `a` 已经用在第 1 行的群里",
            "config/qunguan.toml:6: assisted 要写 owner 或 admins：待办卡要发给人",
            "config/qunguan.toml:9: 回调要同时写 token 和 aes_key",
            "config/qunguan.toml:11: 环境变量 NOPE 没有设置",
            "config/qunguan.toml:13: 要写回调的 token、aes_key，或长连接的 bot_id、secret",
        ]
    );
}

#[test]
fn full_mode_only_where_wecom_allows_it() {
    let found = problems("[[group]]\nid = \"wr1\"\nkind = \"customer\"\nmode = \"full\"\n");
    assert_eq!(
        found,
        ["config/qunguan.toml:4: full 只用于应用创建的群（kind = \"app\"）：其它群企业微信不让接口移出成员"]
    );
}

#[test]
fn a_greeting_only_where_somebody_can_say_it() {
    let parse = |kind: &str| {
        let text = format!("[[group]]\nid = \"g\"\nkind = \"{kind}\"\nwelcome = {{ text = \"欢迎\" }}\n");
        Settings::parse(&text, Path::new("qunguan.toml"), None).map(drop)
    };
    for kind in ["app", "customer"] {
        assert!(parse(kind).is_ok(), "{kind}");
    }
    for kind in ["internal", "bot"] {
        let wrong = parse(kind).unwrap_err();
        assert!(wrong.len() == 1 && wrong[0].line == 4 && wrong[0].message.starts_with("welcome 只用于"), "{wrong:?}");
    }
}

#[test]
fn a_secret_can_lie_in_a_file_next_to_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token.txt"), "0123456789abcdef\n").unwrap();
    let path = folder.path().join("qunguan.toml");
    let text = "[[api_token]]\nname = \"x\"\nvalue = { file = \"token.txt\" }\n";
    std::fs::write(&path, text).unwrap();
    let settings = Settings::load(&path).unwrap();
    assert_eq!(settings.api_tokens[0].value.expose(), "0123456789abcdef");
    assert_eq!(settings.other_files()[..1], [folder.path().join("token.txt")]);
    std::fs::remove_file(folder.path().join("token.txt")).unwrap();
    assert_eq!(Settings::load(&path).unwrap_err()[0].line, 3);
}

#[test]
fn a_webhook_is_a_key_or_a_whole_address() {
    let with = |webhook: &str| {
        parse(&format!("[[group]]\nid = \"wr1\"\nwebhook = \"{webhook}\""))
            .map(|s| s.groups[0].webhook_key().map(str::to_owned))
    };
    for given in
        ["3f1-a9", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=3f1-a9", "https://x/send?a=1&key=3f1-a9"]
    {
        assert_eq!(with(given), Ok(Some("3f1-a9".to_owned())), "{given}");
    }
    let wrong = with("https://qyapi.weixin.qq.com/cgi-bin/webhook/send").unwrap_err();
    assert_eq!(wrong, ["config/qunguan.toml:3: 消息推送的地址里没有 key，请整个复制，或只写 key= 后面的部分"]);
}

#[test]
fn a_second_opinion_is_asked_of_a_safe_address_within_limits() {
    let section =
        |more: &str| format!("[detect.second_opinion]\nurl = \"https://llm.example/v1\"\nmodel = \"m\"\n{more}");
    let settings =
        parse(&section("key = { env = \"SECRET\" }\n[[group]]\nid = \"g\"\nsecond_opinion = \"off\"")).unwrap();
    let opinion = settings.detect.second_opinion.as_ref().unwrap();
    assert_eq!(opinion.endpoint(), "https://llm.example/v1/chat/completions");
    assert_eq!(opinion.key.as_ref().unwrap().expose(), "0123456789abcdef");
    assert_eq!((opinion.mode, opinion.requests_per_day), (SecondOpinionMode::Confirm, 500));
    assert!(settings.second_opinion_of(&"g".into()).is_none());
    for (address, why) in [
        ("http://llm.example/v1", "要用 https：只有本机（127.0.0.1）的服务可以用 http"),
        ("http://192.168.1.5/v1", "要用 https：只有本机（127.0.0.1）的服务可以用 http"),
        ("https://me:pw@llm.example/v1", "地址里不要写用户名和密码，密钥写在 key"),
        ("https://llm.example/v1?key=x", "地址里不要有 ? 和 #"),
        ("llm.example/v1", "要写成 https://域名/v1 这样的地址"),
        ("file:///etc/passwd", "要写成 https://域名/v1 这样的地址"),
    ] {
        let text = section("").replace("https://llm.example/v1", address);
        assert_eq!(problems(&text), [format!("config/qunguan.toml:2: {why}")], "{address}");
    }
    for here in ["http://127.0.0.1:8000/v1", "http://[::1]:8000/v1", "http://localhost/v1/chat/completions"] {
        let settings = parse(&section("").replace("https://llm.example/v1", here)).unwrap();
        assert!(settings.detect.second_opinion.unwrap().endpoint().ends_with("/v1/chat/completions"));
    }
    assert_eq!(
        problems(&section(
            "requests_per_day = 0\ncost_per_day = 3.0\n[[group]]\nid = \"g\"\nsecond_opinion = \"read\""
        )),
        [
            "config/qunguan.toml:4: 写 0 就一条也不问；不用第二意见请删掉这一节，或写 mode = \"off\"",
            "config/qunguan.toml:5: 要限制费用，请写上 price_in 和 price_out（每 1000 个 token 的价格）",
            "config/qunguan.toml:8: read 要写 rulebook：第二意见按群规来读消息",
        ]
    );
    assert_eq!(
        problems(&section("timeout = \"2m\"")),
        ["config/qunguan.toml:4: 要在 100ms 到 30s 之间：待办卡会等这么久"]
    );
    assert_eq!(
        problems("[[group]]\nid = \"g\"\nsecond_opinion = \"confirm\""),
        ["config/qunguan.toml:3: 要先写 [detect.second_opinion]"]
    );
}

#[test]
fn a_budget_of_false_alarms_sets_the_acting_threshold() {
    let act = |value: &str| {
        let settings = parse(&format!("[detect]\nfalse_alarms = {value}")).unwrap();
        settings.scores().unwrap().act
    };
    let curve = crate::detect::budget::Curve::shipped();
    for (value, budget) in [("0.5", 0.5), ("\"每千条 0.5 条\"", 0.5), ("2", 2.0), ("\"0\"", 0.0)] {
        assert_eq!(act(value).to_bits(), curve.threshold(budget).to_bits(), "{value}");
    }
    assert!(act("0") > act("5"));
    for value in ["\"少一点\"", "-1", "200", "[1]"] {
        let wrong = problems(&format!("[detect]\nfalse_alarms = {value}"));
        assert!(wrong.len() == 1 && wrong[0].starts_with("config/qunguan.toml:2: "), "{wrong:?}");
    }
}
