//! Owners and admins hear of what the bot did by itself in a group in full mode.

use qunguan::model::SignedDuration;
use serde_json::json;

use crate::house::{AD, CUSTOMERS, House, SALES};

const EACH: &str = "[owner_news]\nmode = \"each\"";
const GAMBLING: &str = "澳门赌场上线啦，首充送彩金，加我V领";

fn news(house: &House, who: &str) -> Vec<String> {
    house.told(who).into_iter().filter(|told| told.contains("已自动处理")).collect()
}

#[tokio::test]
async fn one_card_a_member_that_grows() {
    let house = House::start_with(EACH).await;
    house.say("li", SALES, AD).await;
    insta::assert_snapshot!(news(&house, "wang").join("\n——\n"), @r"
    已自动处理：李销售
    华东销售群
    > 加我V信领红包
    今天 10:00 已警告。
    成员：李销售
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    编号：####
    [撤销] [误判]
    ");
    assert_eq!(news(&house, "wang"), news(&house, "zhang"));
    house.later(SignedDuration::from_mins(5)).await;
    house.say("li", SALES, AD).await;
    insta::assert_snapshot!(news(&house, "wang").join("\n——\n"), @r"
    已自动处理：李销售
    华东销售群
    > 加我V信领红包
    今天 10:00 已警告。
    成员：李销售
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    编号：####
    （又有新情况，请看新卡片）
    ——
    已自动处理：李销售
    华东销售群
    > 加我V信领红包
    今天 10:05 已禁言（暂时移出），今天 12:05 自动拉回。之前：今天 10:00 已警告（####）。
    成员：李销售
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    编号：####
    [撤销] [误判]
    ");
    // Somebody else has a card of their own, and who was warned is no receiver.
    house.say("chen", SALES, GAMBLING).await;
    assert_eq!(news(&house, "wang").len(), 3);
    assert!(news(&house, "li").is_empty());

    // The owner does not agree: the mute ends, the other decider reads that it is over.
    assert_eq!(house.press("wang", "已自动处理：李销售", "撤销").await, "已撤销");
    house.later(SignedDuration::from_mins(1)).await;
    assert!(house.is_member(SALES, "li"), "brought back");
    let over = news(&house, "zhang").into_iter().rfind(|card| card.contains("李销售")).unwrap();
    assert!(over.ends_with("（已撤销）"), "and nothing is asked there any more: {over}");
    assert_eq!(house.press("zhang", "已自动处理：陈", "误判").await, "已记为误判并撤销");
    assert!(house.told("chen").pop().unwrap().contains("误判"), "{:?}", house.told("chen"));
}

#[tokio::test]
async fn several_who_post_the_same_are_one_card() {
    let house = House::start_with(EACH).await;
    for who in ["li", "chen", "sun"] {
        house.say(who, SALES, "急招打字员，日结三百，加我V信领红包").await;
    }
    let cards = news(&house, "wang");
    let open: Vec<&String> = cards.iter().filter(|card| card.contains("[误判]")).collect();
    assert_eq!(open.len(), 1, "{cards:#?}");
    insta::assert_snapshot!(open[0], @r"
    已自动处理：孙凯等 3 人
    华东销售群
    > 急招打字员，日结三百，加我V信领红包
    今天 10:00 已警告。还有：陈敏 今天 10:00 已警告（####）；李销售 今天 10:00 已警告（####）。「撤销」只撤销孙凯的这一条，「误判」把同样的话都撤回。
    成员：孙凯
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    编号：####
    [撤销] [误判]
    ");
    assert_eq!(house.press("zhang", "等 3 人", "误判").await, "已记为误判并撤销");
    for who in ["li", "chen", "sun"] {
        assert!(house.told(who).pop().unwrap().contains("误判"), "{who}: {:?}", house.told(who));
    }
}

#[tokio::test]
async fn nobody_is_woken_and_what_is_over_is_not_told() {
    let house = House::start_with(EACH).await;
    house.later(SignedDuration::from_hours(13)).await; // 23:00
    house.say("li", SALES, AD).await;
    house.say("chen", SALES, AD).await;
    assert!(news(&house, "wang").is_empty());
    let case = house.cases(SALES, "chen").await.remove(0).id;
    house.ask("zhang", &format!("#华东销售群 误判 {case}")).await;
    house.later(SignedDuration::from_hours(8)).await;
    assert!(news(&house, "wang").is_empty(), "07:00");
    house.later(SignedDuration::from_hours(1)).await;
    assert_eq!(news(&house, "wang").len(), 1, "{:?}", news(&house, "wang"));
}

#[tokio::test]
async fn a_summary_a_day_where_they_chose_so() {
    let house = House::start_with("[owner_news]\nmode = \"daily\"").await;
    house.say("li", SALES, AD).await;
    house.later(SignedDuration::from_hours(1)).await;
    house.say("li", SALES, AD).await;
    house.say("chen", SALES, GAMBLING).await;
    assert!(house.told("wang").iter().all(|told| !told.contains("汇总") && !told.contains("已自动处理")));
    house.later(SignedDuration::from_hours(7)).await;
    let told = house.told("zhang").pop().unwrap();
    insta::assert_snapshot!(told, @r"
    【每日汇总】华东销售群：警告 1 次，禁言 1 次，移出 1 次。
    今天 10:00 李销售：已警告，广告引流（####）
    今天 11:00 李销售：已禁言（暂时移出），今天 13:00 自动拉回，广告引流（####）
    今天 11:00 陈敏：已移出，赌博（####）
    如有误判，请对我说：误判 编号
    ");
    house.later(SignedDuration::from_hours(48)).await;
    let summaries = house.told("wang").iter().filter(|told| told.contains("每日汇总")).count();
    assert_eq!(summaries, 1, "nothing was done since");
}

#[tokio::test]
async fn what_is_found_after_days_off_is_in_the_summary_of_the_day_it_was_done() {
    let mut house = House::start_with("[owner_news]\nmode = \"daily\"").await;
    house.stop_bot().await;
    house.act(json!({"do": "post", "as": "li", "group": SALES, "text": AD}));
    house.sim.advance(SignedDuration::from_hours(47));
    house.start_bot().await;
    house.later(SignedDuration::from_hours(9)).await;
    insta::assert_snapshot!(house.told("zhang").pop().unwrap(), @r"
    【每日汇总】华东销售群：警告 1 次，禁言 0 次，移出 0 次。
    今天 09:00 李销售：已警告，广告引流（####）
    如有误判，请对我说：误判 编号
    ");
}

#[tokio::test]
async fn off_means_off_and_what_the_owner_did_is_no_news() {
    let house = House::start().await;
    house.say("li", SALES, AD).await;
    assert!(news(&house, "wang").is_empty());
    let house = House::start_with(EACH).await;
    house.ask("wang", "#华东销售群 警告 li 刷屏").await;
    assert!(news(&house, "wang").is_empty() && news(&house, "zhang").is_empty());
}

#[tokio::test]
async fn who_was_removed_and_is_back_is_news() {
    let house = House::start_with(EACH).await;
    house.say("li", SALES, GAMBLING).await;
    assert!(!house.is_member(SALES, "li"));
    house.later(SignedDuration::from_mins(2)).await;
    house.act(json!({"do": "invite", "as": "zhang", "group": SALES, "people": ["li"]}));
    house.later(SignedDuration::from_mins(10)).await;
    let told = house.told("wang").pop().unwrap();
    insta::assert_snapshot!(told, @"「李销售」（今天 10:00 因「赌博」被移出）又进了「华东销售群」。机器人不会再次移出。如不应在群里，请对我说：#华东销售群 移出 李销售");
    house.later(SignedDuration::from_hours(2)).await;
    assert_eq!(house.told("wang").iter().filter(|told| told.contains("又进了")).count(), 1);
}

#[tokio::test]
async fn a_person_who_gave_no_reason_is_given_none() {
    let house = House::start_with("[owner_news]\nmode = \"each\"").await;
    house.ask("wang", "#华东销售群 移出 李销售 确认").await;
    house.later(SignedDuration::from_mins(1)).await;
    house.ask("wang", "#华东销售群 警告 陈敏").await;
    house.ask("wang", "#华东销售群 禁言 孙凯 1h").await;
    house.ask("wang", "#会员福利群 警告 wmLiuBig").await;
    house.ask("wang", "#会员福利群 警告 wmWuHao 发得太多").await;
    house.later(SignedDuration::from_mins(5)).await;
    house.act(json!({"do": "invite", "as": "zhang", "group": SALES, "people": ["li"]}));
    house.later(SignedDuration::from_mins(31)).await;
    let mut said = String::new();
    for who in ["wang", "zhang", "li", "chen", "sun"] {
        said.push_str(&house.told(who).join("\n"));
    }
    for line in house.lines(SALES).into_iter().chain(house.lines(CUSTOMERS)) {
        said.push_str(&line);
    }
    assert!(!said.contains("灌水"), "{said}");
    for wanted in [
        "「李销售」（今天 10:00 由管理者移出）又进了「华东销售群」",
        "可以这样说：您好，请您留意一下群规，谢谢理解与配合。",
        "可以这样说：您好，提醒您一下（发得太多），请留意群规，谢谢理解与配合。",
    ] {
        assert!(said.contains(wanted), "{wanted} in {said}");
    }
    let cases = house.cases(SALES, "li").await;
    let why = house.ask("wang", &format!("为什么 {}", cases[0].id)).await;
    assert!(why.contains("：管理者处理，处置：移出。"), "{why}");
}
