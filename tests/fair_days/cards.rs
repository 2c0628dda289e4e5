//! One card for one matter: it grows, it ends everywhere, and it says what happened.

use insta::assert_snapshot;
use qunguan::{
    model::{SignedDuration, Step},
    store::CaseState,
};

use serde_json::json;

use crate::house::{AD, CUSTOMERS, House, SALES};

const SHIPPED: &str = "[detect.flood]";
const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Somebody's cards that still have buttons and say this.
fn open_cards(house: &House, who: &str, saying: &str) -> usize {
    let open = |item: &&serde_json::Value| item["frozen"].is_null() && item["card"].to_string().contains(saying);
    house.inbox(who).iter().filter(open).count()
}

#[tokio::test]
async fn a_burst_is_one_card_and_one_answer_is_one_violation() {
    let house = House::start_with(SHIPPED).await;
    for n in 0..46 {
        house.say("zhao", SALES, &format!("roger {n}")).await;
        house.later(SECOND).await;
    }
    assert_eq!(house.cases(SALES, "zhao").await.len(), 1);
    // The card that tells of the whole burst takes the place of the first.
    house.later(3 * MINUTE).await;
    assert_eq!(open_cards(&house, "wang", "请看一条消息"), 1, "{:#?}", house.told("wang"));
    assert_snapshot!(house.last_told("wang"), @r"
    请看一条消息：赵客服
    华东销售群
    > roger 20
    roger 26
    roger 27
    roger 28
    roger 29
    roger 30
    roger 31
    roger 32
    roger 33
    roger 34
    roger 35
    roger 36
    roger 37
    roger 38
    roger 39
    roger 40
    roger 41
    roger …
    机器人把握不够，请您判断：确认就按群规处理（现在是警告），误判就撤销。（同一人 25 秒内共 26 条，作一件事处理；看全部请发：为什么 ####）
    成员：赵客服
    时间：今天 10:00
    依据：刷屏
    请在：今天 10:30 前处理
    编号：####
    [确认违规] [误判]
    ");
    // More of the kind, an hour later and while nobody has answered, joins; the next person is asked about all of it.
    house.later(31 * MINUTE).await;
    assert_eq!(open_cards(&house, "zhang", "请看一条消息"), 1);
    for n in 46..60 {
        house.say("zhao", SALES, &format!("roger {n}")).await;
        house.later(SECOND).await;
    }
    assert_eq!(house.cases(SALES, "zhao").await.len(), 1);
    assert_snapshot!(house.press("zhang", "请看一条消息", "确认违规").await, @"已确认违规，警告（####）");
    let cases = house.cases(SALES, "zhao").await;
    assert_eq!(cases.iter().filter(|case| case.points > 0).count(), 1, "one answer is one violation");
    assert!(cases.iter().all(|case| case.step != Step::Review || case.state == CaseState::Closed));
    assert_eq!(open_cards(&house, "wang", "请看一条消息"), 0, "whoever was asked before sees how it ended");
    assert_snapshot!(house.last_told("wang"), @r"
    请看一条消息：赵客服
    华东销售群
    > roger 20
    roger 26
    roger 27
    roger 28
    roger 29
    roger 30
    roger 31
    roger 32
    roger 33
    roger 34
    roger 35
    roger 36
    roger 37
    roger 38
    roger 39
    roger 40
    roger 41
    roger …
    机器人把握不够，请您判断：确认就按群规处理（现在是警告），误判就撤销。（同一人 25 秒内共 26 条，作一件事处理；看全部请发：为什么 ####）
    成员：赵客服
    时间：今天 10:00
    依据：刷屏
    请在：今天 10:30 前处理
    编号：####
    （已确认违规，按群规处理）
    ");
}

#[tokio::test]
async fn what_is_asked_about_a_customer_is_one_card_and_ends_for_everybody() {
    let house = House::start().await;
    house.say("wmLiuBig", CUSTOMERS, AD).await;
    house.say("wmLiuBig", CUSTOMERS, AD).await;
    house.say("wmLiuBig", CUSTOMERS, AD).await;
    // The hardest of them is what there is to do now.
    assert_eq!(open_cards(&house, "wang", "大刘"), 1, "{:#?}", house.told("wang"));
    assert_snapshot!(house.told("wang").join("\n\n"), @r"
    请提醒客户 大刘
    会员福利群
    > 加我V信领红包
    可以这样说：您好，群里请不要发与「广告引流」有关的内容，谢谢理解与配合。
    成员：大刘
    类别：广告引流
    时间：今天 10:00
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    请在：今天 10:30 前处理
    编号：####
    （已由新的处理代替（####））

    请处理 大刘：禁言
    会员福利群
    > 加我V信领红包
    客户群不能禁言。请提醒对方 今天 12:00 前先不要发言，或移出后到时再邀请，处理后点「已处理」。「改为警告」不禁言。
    成员：大刘
    类别：广告引流
    时间：今天 10:00
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    请在：今天 10:30 前处理
    编号：####
    （已由新的处理代替（####））

    请移出成员 大刘
    会员福利群
    > 加我V信领红包
    请在群里移出并勾选「加入群聊黑名单」（否则还能再进群），再点「已移出」，稍后自动核实。常见广告可打开企业微信的「防骚扰」自动移出。「改为警告」不移出。
    成员：大刘
    类别：广告引流
    时间：今天 10:00
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    请在：今天 10:30 前处理
    编号：####
    [已移出] [改为警告] [误判]
    ");
    // Said to be done, and it is not: the card that comes again says so.
    assert_snapshot!(house.press("wang", "请移出", "已移出").await, @"已反馈，正在核实");
    for _ in 0..11 {
        house.later(2 * MINUTE).await;
    }
    assert_snapshot!(house.last_told("wang"), @r"
    请移出成员 大刘
    会员福利群
    > 加我V信领红包
    核实：大刘 还在群里。请在群里移出并勾选「加入群聊黑名单」（否则还能再进群），再点「已移出」，稍后自动核实。常见广告可打开企业微信的「防骚扰」自动移出。「改为警告」不移出。
    成员：大刘
    类别：广告引流
    时间：今天 10:00
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    请在：今天 10:50 前处理
    编号：####
    [已移出] [改为警告] [误判]
    ");
    house.act(json!({"do": "remove", "as": "wang", "group": CUSTOMERS, "person": "wmLiuBig"}));
    house.later(3 * MINUTE).await;
    assert_eq!(open_cards(&house, "wang", "大刘"), 0, "{:#?}", house.told("wang"));
}

#[tokio::test]
async fn the_breakers_card_names_who_was_removed_and_ends_by_command() {
    let house = House::start_under("strict", "group-sales", "").await;
    for who in ["li", "sun", "chen", "zhao"] {
        house.say(who, SALES, AD).await;
    }
    let told = house.told("wang");
    let card = told.iter().find(|text| text.contains("移出过多")).expect("the breaker opened");
    assert_snapshot!(card, @r"
    移出过多，已暂停处置
    华东销售群
    60 分钟内移出了 3 人，超过群人数的 1%，已自动熔断：之后的违规只记录、不处置。移出的是：李销售、孙凯、陈敏。请确认是否正确。
    [恢复处置] [全部撤销]
    ");
    assert_snapshot!(house.ask("wang", "#华东销售群 熔断 恢复").await, @"「华东销售群」已恢复自动处置。");
    house.settled().await;
    // By command nobody has pressed the card.
    let open = house.inbox("wang").iter().any(|i| i["frozen"].is_null() && i["card"].to_string().contains("移出过多"));
    assert!(!open || house.told("wang").iter().any(|text| text.contains("已恢复自动处置")));
}

#[tokio::test]
async fn a_report_remembers_what_was_permitted_then() {
    let house = House::start().await;
    house.ask("wang", "#华东销售群 授权广告 孙凯 2h").await;
    house.say("sun", SALES, AD).await;
    assert!(house.cases(SALES, "sun").await.is_empty());
    // The permission is over when the report comes.
    house.later(121 * MINUTE).await;
    house.ask("chen", &format!("#华东销售群 举报 {AD}")).await;
    assert_snapshot!(house.last_told("wang"), @r"
    成员举报，请查看
    华东销售群
    > 加我V信领红包
    当时有您的广告授权（至今天 12:00）。
    发言人：孙凯
    时间：今天 10:00
    举报人：可信度 50%
    编号：####
    [不算违规] [属实] [不属实] [恶意举报]
    ");
    assert_snapshot!(house.press("wang", "成员举报", "不算违规").await, @"已记为「已获授权」");
    assert!(house.cases(SALES, "sun").await.is_empty());
    assert_snapshot!(house.last_told("chen"), @"您的举报 #### 已查看：对方当时已获授权，不算违规。谢谢您的关注。");
}

#[tokio::test]
async fn a_quoted_report_in_the_group_is_heard_by_the_archive() {
    let house = House::start().await;
    let rude = "这个月的任务你们自己看着办，别来烦我";
    let posted = house.act(json!({"do": "post", "as": "sun", "group": SALES, "text": rude}));
    house.settled().await;
    let line = posted["line"].clone();
    house.act(json!({"do": "post", "as": "chen", "group": SALES, "text": "举报", "quote": line}));
    house.settled().await;
    assert_snapshot!(house.last_told("chen"), @"您在「华东销售群」的举报已收到（####），管理者会尽快查看，结果私信您。");
    assert!(house.last_told("wang").contains(rude), "{:#?}", house.told("wang"));
    assert!(house.lines(SALES).last().unwrap().ends_with("举报"), "nobody is answered in the group");
}
