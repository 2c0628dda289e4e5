//! A message that is taken back: its case says so, and a leak's request ends with it.

use qunguan::{
    model::{Category, SignedDuration},
    store::{CaseState, TaskState},
};
use serde_json::{Value, json};

use crate::house::{AD, House, SALES};

/// A made-up key of no service.
const LEAK: &str = "服务器密码 password=Tr0ub4dor&3x";

/// Takes back what `who` said last.
async fn take_back(house: &House, who: &str) {
    let view = house.sim.group(SALES, None).unwrap();
    let lines = view["lines"].as_array().unwrap();
    let line = lines.iter().rev().find(|line| line["from"] == who).unwrap();
    house.act(json!({"do": "recall", "as": who, "group": SALES, "line": line["no"]}));
    house.settled().await;
}

async fn view(house: &House, case: &str) -> Value {
    house.get(&format!("/api/v1/cases/{case}")).await
}

#[tokio::test]
async fn the_case_notes_it_and_the_strike_stays() {
    let house = House::start().await;
    house.say("li", SALES, AD).await;
    let case = house.cases(SALES, "li").await.remove(0);
    assert_eq!(view(&house, case.id.as_str()).await["recalled_at"], Value::Null);
    let before = house.member(SALES, "li").await;
    take_back(&house, "li").await;

    let shown = view(&house, case.id.as_str()).await;
    assert_eq!(shown["recalled_at"], house.clock_text());
    let noted = shown["history"].as_array().unwrap().iter().find(|event| event["what"] == "recalled").unwrap();
    assert_eq!((&noted["by"], &noted["note"]), (&json!("li"), &json!("本人已撤回该消息")));
    let after = house.member(SALES, "li").await;
    assert_eq!(after.standing, before.standing, "what was said was read; taking back is no message");
    assert_eq!(house.cases(SALES, "li").await.len(), 1);

    house.say("chen", SALES, "大家好，今天的日报发一下").await;
    take_back(&house, "chen").await;
    assert!(house.cases(SALES, "chen").await.is_empty(), "nothing to note");
}

#[tokio::test]
async fn a_leak_that_is_taken_back_is_settled() {
    let house = House::start().await;
    house.say("li", SALES, LEAK).await;
    let case = house.cases(SALES, "li").await.remove(0);
    assert_eq!(case.category, Category::LeakSecret);
    assert!(house.last_told("li").contains("请在 今天 10:10 前在群里长按该消息撤回"), "{}", house.last_told("li"));
    let asked = house.tasks("ask").await;
    assert_eq!(asked.iter().map(|task| task.state).collect::<Vec<_>>(), [TaskState::Pending], "others come later");

    take_back(&house, "li").await;
    let asked = house.tasks("ask").await;
    assert_eq!(asked[0].state, TaskState::Done);
    assert_eq!(asked[0].reason, "本人已撤回该消息");
    let case = house.store().case(&case.id).await.unwrap().unwrap();
    assert_eq!(case.state, CaseState::Closed);
}

#[tokio::test]
async fn a_leak_that_stays_is_told_to_the_owner_when_the_time_is_over() {
    let house = House::start().await;
    house.say("li", SALES, LEAK).await;
    house.later(SignedDuration::from_mins(9)).await;
    let asked = |house: &House| house.told("wang").iter().any(|card| card.contains("疑似泄露，请关注"));
    assert!(!asked(&house), "li still has a minute");
    house.later(SignedDuration::from_mins(1)).await;
    assert!(asked(&house), "{:?}", house.told("wang"));
    assert!(!house.told("wang").join("").contains(LEAK), "what leaked is not spread by the card");
    let case = house.cases(SALES, "li").await.remove(0);
    house.press("wang", "疑似泄露", "已处理").await;
    house.settled().await;
    let case = house.store().case(&case.id).await.unwrap().unwrap();
    assert_eq!((case.state, case.points), (CaseState::Closed, 0));
}
