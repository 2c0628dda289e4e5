//! Everything that has its time: the bot dies while it waits, and comes back with the clock a day ahead, a day behind, or right.

#[path = "common/house.rs"]
mod house;

use house::{AD, CUSTOMERS, House, SALES};
use insta::assert_snapshot;
use qunguan::model::SignedDuration;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A rulebook in the version and with the words given.
fn rulebook(version: u32, days: u32, ads: &str) -> String {
    format!(
        r#"title = "华东群规"
version = {version}
announce_days = {days}

[[clause]]
id = "1"
cite = "第一条"
text = "{ads}"
check = ["ads"]

[[clause]]
id = "2"
cite = "第二条"
text = "有话好好说"
check = ["insult"]
"#
    )
}

/// A house whose sales group lives under the rulebook, watched on disk.
async fn under_own_rules() -> House {
    let mut house = House::empty_under("default", "own", "").await;
    house.write("rulebooks/own.toml", &rulebook(1, 3, "不发广告"));
    house.write_settings();
    house.start_bot().await;
    house
}

/// The clauses of a member's cases, oldest first.
async fn cited(house: &House, who: &str) -> Vec<String> {
    let cases = house.cases(SALES, who).await;
    cases.into_iter().rev().map(|case| format!("{} {}", case.clause.unwrap_or_default(), case.rule)).collect()
}

#[tokio::test]
async fn a_changed_rulebook_is_announced_and_holds_three_days_later() {
    let mut house = under_own_rules().await;
    let before = house.lines(SALES).len();
    house.say("li", SALES, AD).await;
    let second = rulebook(2, 3, "不发广告，也不拉人进别的群");
    assert_eq!(house.rewrite(&[("rulebooks/own.toml", &second)]).await, [""; 0]);
    announced(&house, 1).await;
    assert_snapshot!(house.lines_after(SALES, before).join("\n"), @r"
    李销售：加我V信领红包
    群管助手：【群管提醒】刚才有一条消息涉及「广告引流」，已私下提醒发言人。请大家一起维护群里的秩序。
    群管助手：【群规变更】《华东群规》将从 5月7日 10:00 起有以下改动，在那之前仍按现行群规：
    · 改为 第一条：不发广告，也不拉人进别的群
    给群管发送「群规」可看全文。
    ");
    assert_snapshot!(house.ask("chen", "群规").await, @r"
    「华东销售群」的群规：
    第一条 不发广告
    第二条 有话好好说
    5月7日 10:00 起有改动：
    · 改为 第一条：不发广告，也不拉人进别的群
    对处理有异议，可发送「申诉 编号 理由」。
    ");

    // It dies twice on the way.
    house.crash(DAY).await;
    house.say("sun", SALES, AD).await;
    house.crash(DAY + 23 * HOUR).await;
    house.say("chen", SALES, AD).await;
    house.later(HOUR).await;
    house.say("zhao", SALES, AD).await;
    assert_snapshot!(
        [cited(&house, "li").await, cited(&house, "sun").await, cited(&house, "chen").await, cited(&house, "zhao").await]
            .concat()
            .join("\n"),
        @r"
        own@1/1 《华东群规》第一条：不发广告
        own@1/1 《华东群规》第一条：不发广告
        own@1/1 《华东群规》第一条：不发广告
        own@2/1 《华东群规》第一条：不发广告，也不拉人进别的群
        "
    );
    // Set back a day, it still holds; and nothing was announced twice.
    house.crash(-DAY).await;
    house.say("li", SALES, AD).await;
    assert!(cited(&house, "li").await[1].starts_with("own@2/1"));
    let announced = house.lines(SALES).iter().filter(|line| line.contains("群规变更")).count();
    assert_eq!(announced, 1);
}

#[tokio::test]
async fn a_changed_rulebook_needs_a_higher_version_and_can_be_taken_back() {
    let mut house = under_own_rules().await;
    let before = house.lines(SALES).len();
    // Refused as a whole, at its line; the old words stay.
    let refused = house.rewrite(&[("rulebooks/own.toml", &rulebook(1, 3, "不发广告和链接"))]).await;
    assert_eq!(refused.len(), 1);
    assert!(refused[0].ends_with("rulebooks/own.toml:2: 群规 own 有改动，请把 version 改为 2 或更大"), "{refused:?}");
    house.say("li", SALES, AD).await;
    assert_eq!(cited(&house, "li").await, ["own@1/1 《华东群规》第一条：不发广告"]);

    // The same while the bot is stopped: the command says so, and the bot starts under the old words.
    house.stop_bot().await;
    let check = command(&house, &["check"]);
    assert!(check.contains("rulebooks/own.toml:2: 群规 own 有改动，请把 version 改为 2 或更大\n"), "{check}");
    house.start_bot().await;
    house.say("sun", SALES, AD).await;
    assert_eq!(cited(&house, "sun").await, ["own@1/1 《华东群规》第一条：不发广告"]);
    let ready = house.get("/readyz").await.to_string();
    assert!(ready.contains("请把 version 改为 2 或更大"), "{ready}");

    // Raised: announced. Put back: taken back, in the group too. With no days ahead: at once.
    assert_eq!(house.rewrite(&[("rulebooks/own.toml", &rulebook(2, 3, "不发广告和链接"))]).await, [""; 0]);
    announced(&house, 1).await;
    let lived = house.get("/api/v1/rulebooks").await["rulebooks"].as_array().unwrap().clone();
    let own = lived.iter().find(|lived| lived["group"] == SALES).unwrap();
    assert_eq!(own["versions"]["in_force"]["version"], 1);
    assert_eq!(own["versions"]["announced"]["effective"], "2026-05-07T02:00:00Z");
    house.stop_bot().await;
    let shown = command(&house, &["rulebook", "show", "own"]); // by the machine's own clock
    assert!(shown.contains("\n华东销售群：第 "), "{shown}");
    house.start_bot().await;
    assert_eq!(house.rewrite(&[("rulebooks/own.toml", &rulebook(1, 3, "不发广告"))]).await, [""; 0]);
    announced(&house, 2).await;
    house.crash(4 * DAY).await;
    assert_eq!(house.rewrite(&[("rulebooks/own.toml", &rulebook(3, 0, "不发任何广告"))]).await, [""; 0]);
    announced(&house, 3).await;
    house.say("chen", SALES, AD).await;
    assert_eq!(cited(&house, "chen").await, ["own@3/1 《华东群规》第一条：不发任何广告"]);
    let news: Vec<_> = house.lines_after(SALES, before).into_iter().filter(|l| l.contains("群规变更")).collect();
    assert_snapshot!(news.join("\n"), @r"
    群管助手：【群规变更】《华东群规》将从 5月7日 10:00 起有以下改动，在那之前仍按现行群规：
    · 改为 第一条：不发广告和链接
    给群管发送「群规」可看全文。
    群管助手：【群规变更】《华东群规》之前公告的改动取消，仍按现行群规。
    群管助手：【群规变更】《华东群规》即日起有以下改动：
    · 改为 第一条：不发任何广告
    给群管发送「群规」可看全文。
    ");
}

#[tokio::test]
async fn where_the_bot_cannot_speak_the_owner_passes_the_change_on() {
    let mut house = House::empty_under("default", "own", "").await;
    house.write("rulebooks/group-sales.toml", &rulebook(1, 3, "不发广告"));
    house.write("rulebooks/own.toml", &rulebook(1, 3, "不发广告"));
    house.write_settings();
    house.start_bot().await;
    let before = house.lines(CUSTOMERS).len();
    let told = house.told("wang").len();
    assert_eq!(house.rewrite(&[("rulebooks/group-sales.toml", &rulebook(2, 3, "不发广告和链接"))]).await, [""; 0]);
    house.until("the owner is told", async || (house.told("wang").len() > told).then_some(())).await;
    house.crash(SignedDuration::ZERO).await;
    assert_eq!(house.lines_after(CUSTOMERS, before), [""; 0]);
    assert_snapshot!(house.told("wang")[told..].join("\n——\n"), @r"
    机器人没有在「会员福利群」公告，请您转告群成员：
    【群规变更】《华东群规》将从 5月7日 10:00 起有以下改动，在那之前仍按现行群规：
    · 改为 第一条：不发广告和链接
    给群管发送「群规」可看全文。
    ");
}

/// Waits until so many changes were announced to the sales group.
async fn announced(house: &House, times: usize) {
    let all = || house.lines(SALES).iter().filter(|line| line.contains("群规变更")).count();
    house.until("the announcement", async || (all() == times).then_some(())).await;
    house.settled().await;
}

/// What a command prints.
fn command(house: &House, words: &[&str]) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_qunguan"));
    let output = command.args(words).arg("--config").arg(house.config()).env_remove("RUST_LOG").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
