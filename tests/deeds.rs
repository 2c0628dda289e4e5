//! One deed is one case, whatever is said to the bot is said to the bot, and nobody answers for words that nobody said.

#[path = "common/house.rs"]
mod house;

use house::{AD, House, SALES};
use insta::assert_snapshot;
use qunguan::model::{Clock, SignedDuration, Step};
use serde_json::json;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// A group in which the smart bot is a member, and hears what is said to it.
const PROJECT: &str = "wrNewProducts";
/// What ships.
const AS_SHIPPED: &str = "[detect.flood]\n";
const SECOND: SignedDuration = SignedDuration::from_secs(1);

async fn with_the_bot() -> House {
    let group =
        format!("[[group]]\nid = \"{PROJECT}\"\nkind = \"bot\"\nmode = \"assisted\"\nowner = \"zhang\"\n{AS_SHIPPED}");
    House::start_with(&group).await
}

#[tokio::test]
async fn a_sentence_over_three_messages_is_seen_over_a_restart() {
    for crash in [false, true] {
        let mut house = House::start_with(AS_SHIPPED).await;
        house.say("li", SALES, "加").await;
        if crash {
            house.crash(SECOND).await;
        }
        house.say("li", SALES, "薇信").await;
        house.say("li", SALES, "领红包").await;
        let cases = house.cases(SALES, "li").await;
        assert_eq!(cases.len(), 1, "crash: {crash}: {cases:#?}");
        assert!(cases[0].findings.iter().any(|f| f.rule.ends_with("/spread")));
    }
}

#[tokio::test]
async fn a_word_over_several_lines_is_spent_once_it_counted() {
    let house = House::start_with(AS_SHIPPED).await;
    for line in ["加", "薇信", "领红包", "快", "来"] {
        house.say("li", SALES, line).await;
        house.later(SECOND * 5).await;
    }
    assert_eq!(house.member(SALES, "li").await.standing.strikes.len(), 1);
    assert_eq!(house.cases(SALES, "li").await.len(), 1);
    assert!(house.is_member(SALES, "li"));
    assert_eq!(house.told("li").len(), 1, "{:#?}", house.told("li"));
}

#[tokio::test]
async fn what_comes_twice_or_is_tried_again_counts_once_towards_flood() {
    let house = House::start_with(AS_SHIPPED).await;
    let one = |n: usize| json!({"id": format!("m{n}"), "group": SALES, "sender": "li", "at": house.clock_text(), "text": "在吗在吗在吗"});
    for _ in 0..5 {
        let (status, body) = house.post("/api/v1/messages", json!({"messages": [one(1)]})).await;
        assert_eq!((status, &body["results"][0]["verdict"]), (200, &json!("clean")));
    }
    house.post("/api/v1/messages", json!({"messages": [one(2)]})).await;
    assert_eq!(house.member(SALES, "li").await.recent.len(), 2);
    assert!(house.cases(SALES, "li").await.is_empty());
    let (_, body) = house.post("/api/v1/messages", json!({"messages": [one(3)]})).await;
    assert_eq!(body["results"][0]["verdict"], "review", "the third is repetition");
}

#[tokio::test]
async fn repetition_is_seen_over_a_restart() {
    let mut house = House::start_with(AS_SHIPPED).await;
    house.say("li", SALES, "在吗在吗在吗").await;
    house.say("li", SALES, "在吗在吗在吗").await;
    house.crash(SECOND).await;
    house.say("li", SALES, "在吗在吗在吗").await;
    assert_eq!(house.cases(SALES, "li").await.len(), 1);
}

#[tokio::test]
async fn reports_check_ins_and_thanks_are_no_flood() {
    let house = House::start_with(AS_SHIPPED).await;
    for n in 1..=13 {
        house.say("li", SALES, &format!("今天第{n}单出了，客户很满意")).await;
        house.say("chen", SALES, "收到，马上执行").await;
        house.later(SECOND * 20).await;
    }
    for (who, name) in [("li", "李销售"), ("chen", "陈敏"), ("sun", "孙凯"), ("zhao", "赵客服")] {
        house.say(who, SALES, &format!("【日报】{name}：今日拜访客户 3 家，成交 1 单，明日计划继续跟进老客户")).await;
        house.say(who, SALES, "今日打卡：早会已参加，门店卫生已完成").await;
    }
    for who in ["li", "chen", "sun", "zhao"] {
        assert!(house.cases(SALES, who).await.is_empty(), "{who}: {:#?}", house.cases(SALES, who).await);
    }
}

#[tokio::test]
async fn what_is_said_to_the_bot_is_not_held_against_its_speaker() {
    let house = with_the_bot().await;
    let before = house.lines(PROJECT).len();
    house.say("lin", PROJECT, "@群管 试一试 加微信 lan8866 领红包").await;
    house.say("lin", PROJECT, "@群管 举报 加微信 lan8866 领红包").await;
    house.later(SECOND).await;
    assert!(house.cases(PROJECT, "lin").await.is_empty());
    house.say("lin", PROJECT, "@群管 试一试 加微信 lan8866 领大红包").await;
    house.later(SECOND).await;
    let cases = house.cases(PROJECT, "lin").await;
    assert_eq!(cases.len(), 1, "{cases:#?}");
    assert_eq!((cases[0].step, cases[0].points), (Step::Review, 0), "the second time a person is asked");
    assert_snapshot!(house.lines_after(PROJECT, before).join("\n"), @r"
    林采购：@群管 试一试 加微信 lan8866 领红包
    群管：已私信您。没收到的话，请到群管应用里直接问我。
    林采购：@群管 举报 加微信 lan8866 领红包
    群管：已私信您。没收到的话，请到群管应用里直接问我。
    林采购：@群管 试一试 加微信 lan8866 领大红包
    群管：已私信您。没收到的话，请到群管应用里直接问我。
    ");
    assert_snapshot!(house.told("lin")[0], @"这句话会被判为广告引流，按群规处理。");
    house.say("zhang", PROJECT, "＠群管 帮助。").await;
    house.say("zhang", PROJECT, "@群管，我的状态").await;
    assert!(house.cases(PROJECT, "zhang").await.is_empty());
}

#[tokio::test]
async fn thirty_calls_for_help_are_answered_once_a_minute() {
    let house = with_the_bot().await;
    let before = house.lines(PROJECT).len();
    for _ in 0..30 {
        house.say("lin", PROJECT, "@群管 帮助").await;
        house.later(SECOND * 3).await;
    }
    let lines = house.lines_after(PROJECT, before);
    assert_eq!(lines.iter().filter(|line| line.starts_with("群管：")).count(), 2, "{lines:#?}");
    assert_eq!(house.told("lin").len(), 2);
    assert!(house.cases(PROJECT, "lin").await.is_empty());
    house.later(MINUTE).await;
}

#[tokio::test]
async fn one_advert_five_times_in_a_minute_is_one_strike_and_after_reading_another() {
    let house = House::start_with(AS_SHIPPED).await;
    for _ in 0..5 {
        house.say("li", SALES, AD).await;
        house.later(SECOND * 12).await;
    }
    let [case] = house.cases(SALES, "li").await.try_into().unwrap();
    assert_eq!((case.messages(), case.step, case.points), (5, Step::Warn, 2));
    assert_eq!(house.told("li").len(), 1, "{:#?}", house.told("li"));
    assert_eq!(house.member(SALES, "li").await.standing.strikes.len(), 1);
    house.later(MINUTE * 2).await;
    house.say("li", SALES, AD).await;
    assert_eq!(house.cases(SALES, "li").await.len(), 2, "there was time to read");
    assert!(!house.is_member(SALES, "li"));
}

#[tokio::test]
async fn who_has_read_the_warning_and_goes_on_does_it_anew() {
    let house = House::start_with(AS_SHIPPED).await;
    house.say("li", SALES, AD).await;
    house.press("li", "第 1 次", "知道了").await;
    house.say("li", SALES, AD).await;
    assert!(!house.is_member(SALES, "li"));
}

#[tokio::test]
async fn a_burst_is_one_growing_case_and_one_card_that_is_renewed() {
    let mut house = House::start_with(AS_SHIPPED).await;
    for n in 0..30 {
        house.say("li", SALES, ["在吗", "人呢", "有没有人"][n % 3]).await;
        house.later(SignedDuration::from_millis(500)).await;
        if n == 20 {
            house.crash(SignedDuration::from_millis(500)).await;
        }
    }
    let [case] = house.cases(SALES, "li").await.try_into().unwrap();
    assert_eq!((case.step, case.messages()), (Step::Review, 20), "from the eleventh on");
    let cards =
        |house: &House| house.told("wang").into_iter().filter(|text| text.contains("请看一条消息")).collect::<Vec<_>>();
    assert_eq!(cards(&house).len(), 1);
    house.later(MINUTE * 3).await;
    assert_snapshot!(cards(&house).join("\n——\n"), @r"
    请看一条消息：李销售
    华东销售群
    > 人呢
    机器人把握不够，请您判断：确认就按群规处理（现在是警告），误判就撤销。
    成员：李销售
    时间：今天 10:00
    依据：刷屏
    请在：今天 10:30 前处理
    编号：####
    （又有新消息，请看新卡片）
    ——
    请看一条消息：李销售
    华东销售群
    > 人呢
    有没有人
    在吗
    机器人把握不够，请您判断：确认就按群规处理（现在是警告），误判就撤销。（同一人 10 秒内共 20 条，作一件事处理；看全部请发：为什么 ####）
    成员：李销售
    时间：今天 10:00
    依据：刷屏
    请在：今天 10:30 前处理
    编号：####
    [确认违规] [误判]
    ");
    assert_snapshot!(house.press("wang", "共 20 条", "确认违规").await, @"已确认违规，警告（####）");
    assert_eq!(house.member(SALES, "li").await.standing.strikes.len(), 1);
}

/// Asked about, because nobody knows the domain.
const ODD_LINK: &str = "新版的报价和资料都放在 https://q83k.top/doc 这里了";

#[tokio::test]
async fn several_people_who_say_the_same_are_one_question_and_one_answer() {
    let house = House::start_with(AS_SHIPPED).await;
    for who in ["li", "chen", "sun", "zhao", "sun"] {
        house.say(who, SALES, ODD_LINK).await;
        house.later(SECOND * 20).await;
    }
    let [case] = house.cases(SALES, "li").await.try_into().unwrap();
    assert_eq!(case.others.iter().map(|other| other.member.as_str()).collect::<Vec<_>>(), ["chen", "sun", "zhao"]);
    for who in ["chen", "sun", "zhao"] {
        assert!(house.cases(SALES, who).await.is_empty() && house.told(who).is_empty(), "{who}");
    }
    house.later(MINUTE * 3).await;
    let cards =
        |house: &House| house.told("wang").into_iter().filter(|text| text.contains("请看一条消息")).collect::<Vec<_>>();
    assert_snapshot!(cards(&house).pop().unwrap(), @r"
    请看一条消息：李销售
    华东销售群
    > 新版的报价和资料都放在 https://q83k.top/doc 这里了
    机器人把握不够，请您判断：确认就按群规处理，误判就撤销。（陈敏、孙凯、赵客服也发了同样的内容，一共 4 人，您的决定对他们都算数。）
    成员：李销售
    时间：今天 10:00
    依据：可疑链接
    请在：今天 10:30 前处理
    编号：####
    [确认违规] [误判]
    ");
    assert_snapshot!(house.press("wang", "一共 4 人", "确认违规").await, @"已确认违规，4 人按群规处理");
    house.settled().await;
    for who in ["li", "chen", "sun", "zhao"] {
        assert_eq!(house.member(SALES, who).await.standing.strikes.len(), 1, "{who}");
        assert_eq!(house.told(who).len(), 1, "{who}");
    }
    assert!(house.open_tasks().await.iter().all(|task| task.kind != "ask"), "nothing is asked any more");
}

#[tokio::test]
async fn a_campaign_that_was_none_is_none_for_everybody() {
    let house = House::start_with(AS_SHIPPED).await;
    for who in ["li", "chen"] {
        house.say(who, SALES, ODD_LINK).await;
    }
    house.press("wang", "请看一条消息", "误判").await;
    house.say("sun", SALES, ODD_LINK).await;
    for who in ["li", "chen", "sun"] {
        assert!(house.member(SALES, who).await.standing.strikes.is_empty() && house.told(who).is_empty(), "{who}");
    }
}

#[tokio::test]
async fn what_was_acted_on_for_several_people_is_taken_back_for_all_of_them() {
    let house = House::start_with(AS_SHIPPED).await;
    let text = "加我V信领红包，每天都有，先到先得";
    for who in ["li", "chen", "sun"] {
        house.say(who, SALES, text).await;
        assert_eq!(house.member(SALES, who).await.standing.strikes.len(), 1, "{who}");
    }
    let case = house.cases(SALES, "chen").await.remove(0).id;
    house.ask("wang", &format!("#华东销售群 误判 {case}")).await;
    house.settled().await;
    for who in ["li", "chen", "sun"] {
        assert!(house.member(SALES, who).await.standing.live_strikes(house.clock.now()).next().is_none(), "{who}");
        assert!(house.told(who).last().unwrap().contains("误判"), "{who}: {:#?}", house.told(who));
    }
}
