//! A played week with what WeCom really sends: a smart bot that is told encrypted userids, a colleague called `wolf`, an advert
//! as a nickname, one inside a 接龙, words that nobody said, a member list that lags behind its events, and the bot off for
//! longer than the archive keeps. At the end stand everything that was said to anybody, word for word, and how everybody ended.

#[path = "common/house.rs"]
mod house;

use std::{collections::BTreeMap, fmt::Write};

use house::{AD, CUSTOMERS, House, SALES, STAFF, morning, readable, without_ids};
use jiff::tz::TimeZone;
use qunguan::{
    model::{Clock, Timestamp},
    simulator::FaultKind,
    store::TaskState,
};
use serde_json::{Value, json};

const PRODUCTS: &str = "wrNewProducts";
const MORE: &str = r#"
[owner_news]
mode = "each"
[[group]]
id = "wrNewProducts"
name = "新品项目群"
kind = "bot"
mode = "assisted"
owner = "zhang"
"#;
const GAMBLING: &str = "澳门赌场上线啦，首充送彩金，加我V领";
const PEOPLE: [&str; 11] =
    ["wang", "zhang", "li", "chen", "sun", "zhao", "lin", "wolf", "wmNewbie", "wmLiuBig", "wmWuHao"];

/// `5-4 10:05` of this May, in Shanghai.
fn at(text: &str) -> Timestamp {
    let (date, time) = text.split_once(' ').unwrap();
    let (month, day) = date.split_once('-').unwrap();
    format!("2026-{month:0>2}-{day:0>2}T{time}:00+08:00").parse().unwrap()
}

/// Moves everybody's clock; what falls due on the way is done at its own moment.
async fn until(house: &House, text: &str) {
    let target = at(text);
    loop {
        let next = house.open_tasks().await.into_iter().map(|task| task.due).min().filter(|due| *due < target);
        let Some(next) = next else { break };
        house.later(next.duration_since(house.clock.now())).await;
    }
    house.later(target.duration_since(house.clock.now())).await;
}

/// Somebody writes in a group at a moment.
async fn say(house: &House, when: &str, who: &str, group: &str, text: &str) {
    until(house, when).await;
    house.say(who, group, text).await;
}

/// Somebody says to the smart bot what it answers in the group.
async fn ask_bot(house: &House, when: &str, who: &str, text: &str) {
    until(house, when).await;
    let before = house.lines(PRODUCTS).len() + 1;
    house.act(json!({"do": "post", "as": who, "group": PRODUCTS, "text": text}));
    house.until("an answer", || async { house.lines(PRODUCTS).get(before).cloned() }).await;
    house.settled().await;
}

/// Somebody posts what is no plain text.
async fn post(house: &House, who: &str, msgtype: &str, body: Value) {
    house.act(json!({"do": "post", "as": who, "group": SALES, "msgtype": msgtype, "body": body}));
    house.settled().await;
}

fn local(item: &Value) -> String {
    let at: Timestamp = item["at"].as_str().unwrap().parse().unwrap();
    at.to_zoned(TimeZone::get("Asia/Shanghai").unwrap()).strftime("%m-%d %H:%M").to_string()
}

/// Everything that the bot said to anybody, and who was taken out where; oldest first. The same words to several people at one
/// time are told once, with all their names.
fn everything_said(house: &House) -> String {
    // (time, 0 group / 1 private, words) → to whom
    let mut said: BTreeMap<(String, u8, String), Vec<String>> = BTreeMap::new();
    for id in [SALES, CUSTOMERS, STAFF, PRODUCTS] {
        let group = house.sim.group(id, None).unwrap();
        for line in group["lines"].as_array().unwrap() {
            let robot = line["from"].as_str().is_none_or(|from| from.starts_with("wb"));
            if robot {
                let to = group["name"].as_str().unwrap().to_owned();
                said.entry((local(line), 0, without_ids(&readable(line)))).or_default().push(to);
            }
        }
    }
    for who in PEOPLE {
        for item in house.inbox(who) {
            said.entry((local(&item), 1, without_ids(&readable(&item)))).or_default().push(who.to_owned());
        }
    }
    let mut out = String::new();
    for ((at, kind, words), to) in said {
        let way = ["群 ", "私信 "][usize::from(kind)];
        let _ = writeln!(out, "—— {at} {way}{}\n{words}", to.join("、"));
    }
    out
}

/// How the archive is, as `/readyz` says it.
async fn archive(house: &House) -> String {
    let answer = house.get("/readyz").await;
    let checks = answer["checks"].as_array().unwrap().iter();
    let notes = checks.filter(|check| check["name"] == "archive").map(|check| check["note"].as_str().unwrap());
    notes.collect::<Vec<_>>().join("；")
}

/// What everybody has on record: a line each case.
async fn on_record(house: &House) -> String {
    let mut out = String::new();
    for group in [SALES, CUSTOMERS, PRODUCTS] {
        for who in PEOPLE {
            for case in house.cases(group, who).await.iter().rev() {
                let _ = writeln!(out, "{who} {group} {} {} {:?}", case.category, case.step, case.evidence);
            }
        }
    }
    out
}

#[tokio::test]
async fn a_week_of_what_wecom_really_sends() {
    let mut house = House::empty(morning(), MORE).await;
    house.act(json!({"do": "bot_creator", "super_administrator": false}));
    house.act(json!({"do": "new_person", "id": "wolf", "name": "沃夫", "department": 2}));
    house.act(json!({"do": "invite", "as": "wang", "group": CUSTOMERS, "people": ["wolf"]}));
    house.start_bot().await;
    house.fault(FaultKind::StaleDetails { seconds: 20 }, None, None);

    // Whom the smart bot hears under an encrypted id is who they are; commands come as people say them.
    ask_bot(&house, "5-4 10:01", "zhang", "@群管，我的状态。").await;
    ask_bot(&house, "5-4 10:02", "lin", "@群管　严管　2h！").await;
    say(&house, "5-4 10:03", "lin", PRODUCTS, &format!("@群管 {AD}")).await;
    // wolf is a colleague: told in private, and nobody is asked to remind a customer.
    say(&house, "5-4 10:05", "wolf", CUSTOMERS, AD).await;
    // A newcomer's name is an advert. The owner removes them by hand and presses nothing; the list shows it only later.
    until(&house, "5-4 10:10").await;
    house.act(json!({"do": "new_person", "id": "wmNewbie", "name": "加微信领红包", "kind": "external"}));
    house.act(json!({"do": "join", "as": "wmNewbie", "group": CUSTOMERS}));
    house.settled().await;
    until(&house, "5-4 10:12").await;
    house.act(json!({"do": "remove", "as": "wang", "group": CUSTOMERS, "person": "wmNewbie"}));
    house.settled().await;
    house.act(json!({"do": "rename", "as": "wang", "group": CUSTOMERS, "name": "会员福利一群"}));
    // Of a 接龙 everybody answers for the own line.
    until(&house, "5-4 10:20").await;
    let chain = |kind: u64, lines: &[&str]| json!({"solitaire_type": kind, "solitaire_content": lines.join("\n")});
    let advert = format!("2. {AD}");
    post(&house, "chen", "solitaire", chain(101, &["周五团建报名", "1. 陈敏 两个人"])).await;
    post(&house, "li", "solitaire", chain(102, &["周五团建报名", "1. 陈敏 两个人", &advert])).await;
    let third = ["周五团建报名", "1. 陈敏 两个人", &advert, "3. 孙丽 一个人"];
    post(&house, "sun", "solitaire", chain(102, &third)).await;
    // What WeCom writes in people's names is nobody's.
    until(&house, "5-4 10:25").await;
    for who in ["chen", "sun", "zhao"] {
        post(&house, who, "vote", json!({"votetitle": AD, "voteitem": ["去", "不去"], "votetype": 102})).await;
        post(&house, who, "calendar", json!({"title": AD, "remarks": AD})).await;
        for _ in 0..5 {
            house.say(who, SALES, "【未知消息类型】").await;
        }
    }
    say(&house, "5-4 10:30", "sun", SALES, "聚餐的地方定了告诉大家").await;

    // Off for six days: the archive forgets what is older than five.
    until(&house, "5-4 10:40").await;
    let read_until = house.clock.now();
    house
        .until("the archive was read up to now", || async {
            let kept = house.store().documents("archive_progress", "", None, 10).await.unwrap();
            let read = |body: &serde_json::Value| body["read_up"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
            kept.iter().any(|kept| read(&kept.body).is_some_and(|at| at >= read_until)).then_some(())
        })
        .await;
    assert_eq!(archive(&house).await, "会话存档正常");
    house.stop_bot().await;
    let meanwhile = |when: &str, who: &str, group: &str, text: &str| {
        house.sim.advance(at(when).duration_since(house.clock.now()));
        house.act(json!({"do": "post", "as": who, "group": group, "text": text}));
    };
    meanwhile("5-4 15:00", "chen", SALES, AD);
    meanwhile("5-9 15:00", "zhao", SALES, AD);
    meanwhile("5-10 09:59", "wmLiuBig", CUSTOMERS, GAMBLING);
    house.sim.advance(at("5-10 10:00").duration_since(house.clock.now()));
    house.start_bot().await;
    let gap = "会话存档：5月4日 10:40到5月5日 10:00的群消息没有看到";
    assert!(archive(&house).await.starts_with(gap), "{}", archive(&house).await);

    // Asked for, and done by the owner's own hand; ordered by the owner, and done the same way. The list is behind again.
    let standing = async || house.get(&format!("/api/v1/groups/{CUSTOMERS}/members/wmWuHao")).await["state"].clone();
    until(&house, "5-10 10:05").await;
    house.act(json!({"do": "remove", "as": "wang", "group": CUSTOMERS, "person": "wmLiuBig"}));
    house.settled().await;
    until(&house, "5-10 10:06").await;
    house.ask("wang", "#会员福利群 移出 wmWuHao 拉人去别的群。 确认").await;
    house.act(json!({"do": "remove", "as": "wang", "group": CUSTOMERS, "person": "wmWuHao"}));
    house.settled().await;
    let asked = house.tasks("ask").await;
    assert!(asked.iter().all(|ask| ask.state == TaskState::Done), "over with its event: {asked:#?}");
    assert_eq!(standing().await, "removed");
    ask_bot(&house, "5-10 10:07", "zhang", "@群管 严管 2h。").await;
    for minute in ["5-10 10:08", "5-10 10:20", "5-10 11:00"] {
        until(&house, minute).await;
        assert_eq!(standing().await, "removed", "a stale list brings nobody back");
    }
    assert_eq!(house.tasks("ask").await.len(), asked.len(), "and nobody is asked twice");
    assert_eq!(house.sim.calls("batch/openuserid_to_userid"), 2, "who is who outlives the restart");
    for date in 11..=17 {
        assert!(archive(&house).await.starts_with(gap), "told for a week: {}", archive(&house).await);
        house.later(at(&format!("5-{date} 11:00")).duration_since(house.clock.now())).await;
        house.say("wang", SALES, "早上好，今天也请大家按时交日报").await;
    }
    assert_eq!(archive(&house).await, "会话存档正常");
    // Nobody said what sun pretends to quote: heard for a week without a gap, the bot knows.
    let quote = |name: &str, own: &str| format!("这是一条引用/回复消息：\n\"{name}:\n{AD}，送一百\"\n------\n{own}");
    say(&house, "5-17 11:05", "sun", SALES, &quote("王店长", "好的")).await;

    insta::assert_snapshot!(on_record(&house).await, @r#"
    li wrHuadongSales ads warn "2. 加我V信领红包"
    sun wrHuadongSales ads warn "王店长:\n加我V信领红包，送一百\n好的"
    zhao wrHuadongSales ads warn "加我V信领红包"
    wolf wrVipCustomers ads warn "加我V信领红包"
    wmNewbie wrVipCustomers ads mute "[昵称] 加微信领红包"
    wmLiuBig wrVipCustomers gambling remove "澳门赌场上线啦，首充送彩金，加我V领"
    wmWuHao wrVipCustomers junk remove ""
    lin wrNewProducts ads warn "@群管 加我V信领红包"
    "#);
    insta::assert_snapshot!(everything_said(&house), @r#"
    —— 05-04 10:00 群 门店内部群、新品项目群
    「张经理」创建了群聊
    —— 05-04 10:00 群 会员福利一群
    「王店长」创建了群聊
    —— 05-04 10:00 群 会员福利一群
    「王店长」邀请「沃夫」加入了群聊
    —— 05-04 10:00 群 华东销售群
    群聊由应用创建
    —— 05-04 10:01 群 新品项目群
    已私信您。没收到的话，请到群管应用里直接问我。
    —— 05-04 10:01 私信 zhang
    您在「新品项目群」：可以正常发言，没有记分。
    · 您是群主，按策略豁免，不记分
    —— 05-04 10:02 群 新品项目群
    这条指令只有群主和管理员可以使用。
    —— 05-04 10:03 私信 lin
    群规提醒（第 1 次）
    新品项目群
    您今天 10:03 的一条消息涉及「广告引流」，记 2 分（累计 2 分）。再次违规将被禁言 2 小时。
    依据：广告引流
    次数：第 1 次 / 共 3 次
    失效：6月3日 10:03
    编号：####
    [知道了] [申诉]
    —— 05-04 10:05 私信 wolf
    群规提醒（第 1 次）
    会员福利群
    您今天 10:05 的一条消息涉及「广告引流」，记 2 分（累计 2 分）。再次违规将被禁言 2 小时。
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    次数：第 1 次 / 共 3 次
    失效：6月3日 10:05
    编号：####
    [知道了] [申诉]
    —— 05-04 10:10 群 会员福利一群
    「加微信领红包」通过扫描二维码加入群聊
    —— 05-04 10:10 私信 wang
    请处理 加微信领红包：禁言
    会员福利群
    > [昵称] 加微信领红包
    客户群不能禁言。请提醒对方 今天 12:10 前先不要发言，或移出后到时再邀请，处理后点「已处理」。「改为警告」不禁言。原因是群昵称，请提醒对方改一个。
    成员：加微信领红包
    类别：广告引流
    时间：今天 10:10
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    请在：今天 10:40 前处理
    编号：####
    （已不在群里，不用再处理）
    —— 05-04 10:12 群 会员福利一群
    「加微信领红包」被「王店长」移出群聊
    —— 05-04 10:12 群 会员福利一群
    「王店长」修改群名为“会员福利一群”
    —— 05-04 10:20 群 华东销售群
    【群管提醒】刚才有一条消息涉及「广告引流」，已私下提醒发言人。请大家一起维护群里的秩序。
    —— 05-04 10:20 私信 wang、zhang
    已自动处理：李销售
    华东销售群
    > 2. 加我V信领红包
    今天 10:20 已警告。
    成员：李销售
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    编号：####
    [撤销] [误判]
    —— 05-04 10:20 私信 li
    群规提醒（第 1 次）
    华东销售群
    您今天 10:20 的一条消息涉及「广告引流」，记 2 分（累计 2 分）。再次违规将被禁言 2 小时。
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    次数：第 1 次 / 共 3 次
    失效：6月3日 10:20
    编号：####
    [知道了] [申诉]
    —— 05-10 10:00 群 华东销售群
    【群管提醒】刚才有一条消息涉及「广告引流」，已私下提醒发言人。请大家一起维护群里的秩序。
    —— 05-10 10:00 私信 wang、zhang
    已自动处理：赵客服
    华东销售群
    > 加我V信领红包
    今天 10:00 已警告。
    成员：赵客服
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    编号：####
    [撤销] [误判]
    —— 05-10 10:00 私信 zhao
    群规提醒（第 1 次）
    华东销售群
    您昨天 15:00 的一条消息涉及「广告引流」，记 2 分（累计 2 分）。再次违规将被禁言 2 小时。
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    次数：第 1 次 / 共 3 次
    失效：6月8日 15:00
    编号：####
    [知道了] [申诉]
    —— 05-10 10:00 私信 wang
    请移出成员 大刘
    会员福利群
    > 澳门赌场上线啦，首充送彩金，加我V领
    请在群里移出并勾选「加入群聊黑名单」（否则还能再进群），再点「已移出」，稍后自动核实。常见广告可打开企业微信的「防骚扰」自动移出。「改为警告」不移出。
    成员：大刘
    类别：赌博
    时间：今天 09:59
    依据：《微信群管理制度销售》六(2)：情节严重立即移出，保留证据
    请在：今天 10:30 前处理
    编号：####
    （已不在群里（有人手动移出））
    —— 05-10 10:05 群 会员福利一群
    「大刘」被「王店长」移出群聊
    —— 05-10 10:06 群 会员福利一群
    「吴昊」被「王店长」移出群聊
    —— 05-10 10:06 私信 wang
    已记录（####），对「吴昊」的移出要在企业微信里操作，已发卡片给群主。
    —— 05-10 10:06 私信 wang
    请移出成员 吴昊
    会员福利群
    请在群里移出并勾选「加入群聊黑名单」（否则还能再进群），再点「已移出」，稍后自动核实。常见广告可打开企业微信的「防骚扰」自动移出。「改为警告」不移出。
    成员：吴昊
    时间：今天 10:06
    依据：拉人去别的群。
    请在：今天 10:36 前处理
    编号：####
    （已不在群里（有人手动移出））
    —— 05-10 10:07 群 新品项目群
    「新品项目群」从严处理至 今天 12:07：平时算一般的违规，这段时间按严重的处理，记分更多、处置更快。提前结束请发：严管 结束
    —— 05-17 11:05 群 华东销售群
    【群管提醒】刚才有一条消息涉及「广告引流」，已私下提醒发言人。请大家一起维护群里的秩序。
    —— 05-17 11:05 私信 wang、zhang
    已自动处理：孙凯
    华东销售群
    > 王店长:
    加我V信领红包，送一百
    好的
    今天 11:05 已警告。
    成员：孙凯
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    编号：####
    [撤销] [误判]
    —— 05-17 11:05 私信 sun
    群规提醒（第 1 次）
    华东销售群
    您今天 11:05 的一条消息涉及「广告引流」，记 2 分（累计 2 分）。再次违规将被禁言 2 小时。
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    次数：第 1 次 / 共 3 次
    失效：6月16日 11:05
    编号：####
    [知道了] [申诉]
    "#);
}
