//! Questions that wait, times of a group, tickets and 大促, played: the bot dies across their deadlines, and nights, holidays and
//! lunch do not count.

#[path = "common/house.rs"]
mod house;

use house::{CUSTOMERS, House, SALES, STAFF};
use insta::assert_snapshot;
use qunguan::model::{SignedDuration, Timestamp};
use serde_json::json;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The customers' service.
const SERVICE: &str = "[service]\nreply_within = \"30m\"\nresponsible = [\"zhao\"]\n";
const ZHOU: &str = "wmZhouLan";

fn at(text: &str) -> Timestamp {
    format!("{text}:00+08:00").parse().unwrap()
}

/// Monday, 11 May 2026, 10:00, an ordinary week.
async fn monday(more: &str) -> House {
    House::start_at(at("2026-05-11T10:00"), more).await
}

/// What somebody was told since they had `before` messages.
fn news(house: &House, who: &str, before: usize) -> Vec<String> {
    house.told(who).split_off(before)
}

#[tokio::test]
async fn a_question_that_nobody_answers_climbs() {
    let house = monday(SERVICE).await;
    let before = ["zhao", "wang", "zhang"].map(|who| house.told(who).len());
    house.say(ZHOU, CUSTOMERS, "请问什么时候发货？").await;
    house.say(ZHOU, CUSTOMERS, "在吗").await;
    house.later(MINUTE * 29).await;
    assert!(news(&house, "zhao", before[0]).is_empty());
    assert_snapshot!(house.ask("wang", "#会员福利群 待办").await, @"
    等回复的提问，共 1 件：
    · 周岚「在吗」，今天 10:00 起，应在 今天 10:30 前回复
    ");
    house.later(MINUTE).await;
    assert_snapshot!(news(&house, "zhao", before[0]).join("\n"), @"
    「会员福利群」周岚 今天 10:00 的提问还没有人回复，请尽快回复。
    「在吗」
    （算作提问：找人「在吗」）
    ");
    let before_wang = house.told("wang").len();
    house.later(MINUTE * 30).await;
    assert_snapshot!(news(&house, "wang", before_wang).join("\n"), @"
    「会员福利群」周岚 今天 10:00 的提问还没有回复，已提醒赵客服，请您过问。
    「在吗」
    （算作提问：找人「在吗」）
    ");
    house.later(MINUTE * 30).await;
    assert_eq!(news(&house, "zhang", before[2]).len(), 1, "the superior's superior");
    house.say("zhao", CUSTOMERS, "今天 18:00 前发出").await;
    house.say(ZHOU, CUSTOMERS, "好的，谢谢").await;
    house.later(HOUR * 24).await;
    assert_eq!((news(&house, "zhao", before[0]).len(), news(&house, "zhang", before[2]).len()), (1, 1));
    let figures = house.get(&format!("/api/v1/groups/{CUSTOMERS}/questions")).await;
    assert_eq!(
        (&figures["asked"], &figures["in_time"], &figures["late"], &figures["climbed"]),
        (&json!(1), &json!(0), &json!(1), &json!(2)),
        "{figures}"
    );
    assert!(figures["questions"].as_array().unwrap().is_empty(), "{figures}");
}

#[tokio::test]
async fn a_promise_is_a_reply_and_the_answer_is_still_owed() {
    let mut house = monday(SERVICE).await;
    let before = house.told("zhao").len();
    house.say(ZHOU, CUSTOMERS, "收到的杯子碎了，帮我换一个").await;
    house.later(MINUTE * 10).await;
    house.say("zhao", CUSTOMERS, "稍等，我问一下仓库").await;
    house.later(MINUTE * 25).await;
    assert!(news(&house, "zhao", before).is_empty(), "the clock began anew");
    // It dies across 10:40, and lets in first what was said meanwhile.
    house.crash(MINUTE * 15).await;
    assert!(news(&house, "zhao", before).is_empty());
    house.later(MINUTE * 5).await;
    let told = news(&house, "zhao", before);
    assert!(told.len() == 1 && told[0].starts_with("「会员福利群」周岚 今天 10:10 还在等答复"), "{told:?}");
    house.say("zhao", CUSTOMERS, "给您补发，今天发出").await;
    house.say(ZHOU, CUSTOMERS, "什么时候能到").await;
    house.say("zhao", CUSTOMERS, "@周岚\u{2005}您的收货地址是哪里？").await;
    house.later(HOUR * 5).await;
    assert_eq!(news(&house, "zhao", before).len(), 1, "it is the customer's turn");
    house.say(ZHOU, CUSTOMERS, "中山路 12 号").await;
    house.later(MINUTE * 20).await;
    house.say("zhao", CUSTOMERS, "问题已解决，有事再找我").await;
    house.later(HOUR * 24).await;
    assert_eq!(news(&house, "zhao", before).len(), 1);
    assert_eq!(house.get(&format!("/api/v1/groups/{CUSTOMERS}/questions")).await["closed"], 1);
}

#[tokio::test]
async fn what_was_answered_while_the_bot_was_down_reminds_nobody() {
    let mut house = monday(SERVICE).await;
    let before = house.told("zhao").len();
    house.say(ZHOU, CUSTOMERS, "可以开发票吗").await;
    house.act(json!({"do": "post", "as": "zhao", "group": CUSTOMERS, "text": "可以的，抬头发我"}));
    house.crash(HOUR * 24).await;
    house.later(HOUR).await;
    assert_eq!(news(&house, "zhao", before), [""; 0]);
}

#[tokio::test]
async fn nights_and_holidays_do_not_count() {
    // The day before National Day; the first workday after it is 8 October.
    let house = House::start_at(at("2026-09-30T17:45"), SERVICE).await;
    let before = house.told("zhao").len();
    house.say(ZHOU, CUSTOMERS, "退款什么时候到").await;
    house.later(HOUR * 24 * 7).await;
    house.later(HOUR * 15).await;
    assert!(news(&house, "zhao", before).is_empty(), "8 October, 08:45");
    house.later(MINUTE * 30).await;
    assert_eq!(news(&house, "zhao", before).len(), 1, "8 October, 09:15");
}

#[tokio::test]
async fn a_problem_that_is_not_solved_climbs() {
    let house = monday(&format!("{SERVICE}next_within = \"6h\"\nsolve_within = \"2h\"\n")).await;
    let before = house.told("wang").len();
    house.say(ZHOU, CUSTOMERS, "设备没反应").await;
    house.say("zhao", CUSTOMERS, "稍等，正在核实").await;
    house.later(HOUR * 2).await;
    assert_snapshot!(news(&house, "wang", before).join("\n"), @"
    「会员福利群」周岚 今天 10:00 提的问题还没有解决，请您过问（负责人：赵客服）。解决后请在群里说「已解决」。
    「设备没反应」
    （算作提问：反映问题「没反应」）
    ");
    house.say("zhao", CUSTOMERS, "已解决").await;
    house.later(HOUR * 24).await;
    assert_eq!(news(&house, "wang", before).len(), 1);
}

#[tokio::test]
async fn a_colleague_who_is_asked_by_name_is_reminded() {
    let house = monday("[service]\nasked_by = \"everyone\"\n").await;
    let before = house.told("lin").len();
    house.say("li", STAFF, "中午吃什么").await;
    house.say("li", STAFF, "@林采购\u{2005}报价表好了吗").await;
    house.later(MINUTE * 30).await;
    let told = news(&house, "lin", before);
    assert!(told.len() == 1 && told[0].contains("报价表好了吗"), "{told:?}");
    house.say("lin", STAFF, "好了，已发邮箱").await;
    house.later(HOUR * 2).await;
    assert_eq!(news(&house, "lin", before).len(), 1);
}

/// The sales group with its own times.
async fn with_times(times: &'static str) -> House {
    let mut house = House::empty(at("2026-05-11T10:00"), "").await;
    house.change_settings(move |text| {
        text.replacen("admins = [\"zhang\"]", &format!("admins = [\"zhang\"]\ntimes = {{ {times} }}"), 1)
    });
    house.start_bot().await;
    house
}

#[tokio::test]
async fn promotion_at_the_wrong_time_is_told_in_private() {
    let house = with_times("promote = [\"14:00-17:00\"]").await;
    let (li, wang) = (house.told("li").len(), house.told("wang").len());
    house.say("li", SALES, "上新啦，到手价 99，欢迎咨询").await;
    assert_snapshot!(news(&house, "li", li).join("\n"), @"「华东销售群」只在 14:00-17:00 推广。刚才那条不在这个时间，请到时再发。");
    house.say("li", SALES, "明天 10 点开会").await;
    house.say("li", SALES, "新品预售，到手价 88，欢迎咨询").await;
    assert!(news(&house, "wang", wang).is_empty());
    house.say("li", SALES, "清仓特价 66，欢迎选购").await;
    assert_snapshot!(news(&house, "wang", wang).join("\n"), @"「华东销售群」李销售 今天第 3 次不在推广时间推广，已私下提醒过本人。");
    assert_eq!(news(&house, "li", li).len(), 1);
    house.later(HOUR * 4).await;
    house.say("chen", SALES, "上新啦，到手价 99，欢迎咨询").await;
    assert!(!house.told("chen").iter().any(|text| text.contains("推广")));
}

#[tokio::test]
async fn long_chat_at_work_is_told_in_private() {
    let house = with_times("work_only = true").await;
    let li = house.told("li").len();
    let talk = ["中午吃什么", "想吃火锅", "昨晚追剧了", "那部综艺好看", "周末去哪", "去逛街", "看电影", "先点外卖"];
    for (n, text) in talk.into_iter().enumerate() {
        house.say("li", SALES, text).await;
        let told = news(&house, "li", li).len();
        assert_eq!(told, usize::from(n == 7), "{text}");
        house.later(MINUTE * 3).await;
    }
    assert_snapshot!(news(&house, "li", li).join("\n"), @"「华东销售群」上班时间请少聊与工作无关的话题，下班再聊。");
}

#[tokio::test]
async fn a_suggestion_in_private_is_answered() {
    let house = monday("").await;
    assert_eq!(house.ask("li", "建议").await, "用法：建议 周报改成双周报（私信我）");
    let before = house.told("wang").len();
    assert_snapshot!(house.ask("li", "#华东销售群 建议 周报改成双周报").await, @"建议已收到（####），「华东销售群」管理者会看到是您提的，答复会私信您。");
    let card = news(&house, "wang", before).join("\n");
    assert_snapshot!(card, @"
    「华东销售群」李销售 今天 10:00 私下提了建议（####）：
    周报改成双周报
    请私信我答复：答复 #### 内容
    ");
    let text = house.inbox("wang").last().unwrap()["text"].as_str().unwrap().to_owned();
    let id = text.rsplit_once("答复 ").unwrap().1.split(' ').next().unwrap().to_owned();
    // Nobody answers for a working day: they are asked once more.
    house.later(HOUR * 24).await;
    assert_eq!(news(&house, "wang", before).len(), 2);
    let li = house.told("li").len();
    assert_eq!(house.ask("zhang", &format!("答复 {id} 下周起试行")).await, "已答复 ####，提的人会收到私信。");
    assert_snapshot!(news(&house, "li", li).join("\n"), @"
    您 昨天 10:00 提的建议（####）有了答复：
    下周起试行
    ");
    assert!(house.ask("wang", &format!("答复 {id} 不行")).await.contains("已经有人答复过了"));
    house.later(HOUR * 72).await;
    assert_eq!(news(&house, "wang", before).iter().filter(|text| text.contains("私下提了建议")).count(), 2);
}

#[tokio::test]
async fn a_season_is_strict_and_reports() {
    let mut house = monday("").await;
    assert_snapshot!(house.ask("wang", "#华东销售群 大促 今天11:00 到 今天13:00 双十一").await, @"「华东销售群」今天 11:00 到 今天 13:00 从严处理（双十一），结束后给您报告。取消请发：大促 取消");
    // It dies across the beginning.
    house.crash(MINUTE * 70).await;
    house.say("li", SALES, house::AD).await;
    let before = house.told("wang").len();
    house.later(HOUR * 2).await;
    let report = news(&house, "wang", before).join("\n");
    assert!(
        report.contains("「华东销售群」「双十一」结束，已恢复平常尺度（今天 11:00 到 今天 13:00 从严处理）。"),
        "{report}"
    );
    assert!(report.contains("违规记录 1 条"), "{report}");
    assert!(house.ask("wang", "#华东销售群 大促").await.contains("没有安排大促"));
}

#[tokio::test]
async fn an_activity_is_called_off() {
    let house = monday("").await;
    let plan = json!({"title": "新品培训", "groups": [SALES], "organiser": "wang",
        "starts": at("2026-05-11T14:00"), "ends": at("2026-05-11T15:00")});
    let (status, made) = house.post("/api/v1/activities", plan).await;
    assert_eq!(status, 200, "{made}");
    house.settled().await;
    let (before, li) = (house.lines(SALES).len(), house.told("li").len());
    let id = made["id"].as_str().unwrap();
    assert_eq!(house.ask("wang", &format!("取消活动 {id}")).await, "活动《新品培训》已取消，正在告诉群里。");
    assert!(house.lines_after(SALES, before).join("\n").contains("《新品培训》取消，不用签到。"));
    house.later(HOUR * 24).await;
    assert_eq!(house.told("li").len(), li, "nobody is reminded");
}

#[tokio::test]
async fn a_notice_typed_by_hand_is_followed_after_one_tap() {
    let house = monday("").await;
    let before = house.lines(SALES).len();
    house.say("wang", SALES, "@所有人 今天下班前交门店日报").await;
    house.later(MINUTE * 5).await;
    house.say("chen", SALES, "收到").await;
    assert_eq!(house.press("wang", "按通知跟进", "跟进").await, "已确认发出");
    house.say("sun", SALES, "收到，马上交").await;
    let li = house.told("li").len();
    // Half of the two hours since it was typed: those missing are reminded, and nobody else.
    let (chen, sun) = (house.told("chen").len(), house.told("sun").len());
    house.later(MINUTE * 55).await;
    assert_eq!((house.told("li").len() - li, house.told("chen").len(), house.told("sun").len()), (1, chen, sun));
    let wang = house.told("wang").len();
    house.later(HOUR * 2).await;
    house.later(MINUTE * 5).await;
    let list = news(&house, "wang", wang).join("\n");
    assert!(list.contains("李销售") && !list.contains("陈敏"), "{list}");
    let said = house.lines_after(SALES, before);
    assert!(!said.iter().any(|line| line.contains("【通知")), "{said:?}");
}

#[tokio::test]
async fn a_training_comes_again_every_week_until_it_is_called_off() {
    let house = monday("").await;
    let plan = json!({"title": "产品培训", "groups": [SALES], "organiser": "wang", "repeat": {"every": "week"},
        "starts": at("2026-05-11T14:00"), "ends": at("2026-05-11T15:00")});
    let (status, made) = house.post("/api/v1/activities", plan).await;
    assert_eq!(status, 200, "{made}");
    house.settled().await;
    let before = house.lines(SALES).len();
    house.later(HOUR * 5).await;
    let next: Vec<String> =
        house.lines_after(SALES, before).into_iter().filter(|line| line.contains("【活动 ")).collect();
    assert!(next.len() == 1 && next[0].contains("产品培训\n时间：5月18日 14:00 到 15:00"), "{next:?}");
    assert!(house.told("wang").iter().any(|text| text.contains("《产品培训》签到结果：应到")));
    let id = next[0].split("【活动 ").nth(1).unwrap().split('】').next().unwrap();
    house.ask("wang", &format!("取消活动 {id}")).await;
    let before = house.lines(SALES).len();
    house.later(HOUR * 24 * 9).await;
    assert!(!house.lines_after(SALES, before).iter().any(|line| line.contains("产品培训")));
}

#[tokio::test]
async fn a_draft_is_set_up_in_the_talk() {
    let house = monday("").await;
    house.ask("wang", "#华东销售群 发通知 2h 请各位修改密码").await;
    let answer = house.inbox("wang").last().unwrap()["text"].as_str().unwrap().to_owned();
    let id = answer.split("草稿 ").nth(1).unwrap().split('，').next().unwrap();
    let told = house.ask("wang", &format!("改草稿 {id} 重复 每月")).await;
    assert_snapshot!(told, @"草稿 #### 已改，每月重复，今天 12:00 截止，6 人。没有问题请回复：发出 ####");
    assert!(house.ask("wang", &format!("改草稿 {id} 重复 有时")).await.contains("看不懂"));
    house.ask("wang", &format!("改草稿 {id} 定时 明天9点")).await;
    let before = house.lines(SALES).len();
    house.ask("wang", &format!("发出 {id}")).await;
    house.later(HOUR * 24).await;
    let notices = house.lines_after(SALES, before).iter().filter(|line| line.contains("请各位修改密码")).count();
    assert_eq!(notices, 1);
    house.later(HOUR * 24 * 31).await;
    let notices = house.lines_after(SALES, before).iter().filter(|line| line.contains("请各位修改密码")).count();
    assert_eq!(notices, 2);
}
