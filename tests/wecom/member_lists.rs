//! Verified, not guessed: an event names who left, and the member list shows it only seconds later.

use qunguan::{model::SignedDuration, simulator::FaultKind, store::TaskState};
use serde_json::json;

use crate::house::{AD, CUSTOMERS, House, SALES};

/// So severe that the owner is asked to take the customer out at once.
const GAMBLING: &str = "澳门赌场上线啦，首充送彩金，加我V领";

fn stale(house: &House, seconds: i64) {
    house.fault(FaultKind::StaleDetails { seconds }, None, None);
}

async fn request(house: &House) -> (TaskState, String) {
    let [ask] = house.tasks("ask").await.try_into().unwrap();
    (ask.state, ask.reason)
}

async fn state(house: &House, group: &str, member: &str) -> String {
    house.get(&format!("/api/v1/groups/{group}/members/{member}")).await["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_removal_is_over_with_its_event_although_the_list_is_stale() {
    let house = House::start().await;
    stale(&house, 20);
    house.say("wmLiuBig", CUSTOMERS, GAMBLING).await;
    house.act(json!({"do": "remove", "as": "wang", "group": CUSTOMERS, "person": "wmLiuBig"}));
    house.settled().await;
    assert_eq!(request(&house).await, (TaskState::Done, "已不在群里（有人手动移出）".into()), "at the same moment");
    house.later(SignedDuration::from_mins(1)).await;
    assert_eq!(house.tasks("ask").await.len(), 1, "and nobody is asked again");
}

#[tokio::test]
async fn who_was_removed_stays_removed_where_wecoms_clock_is_another() {
    for seconds in [-300, 300] {
        let house = House::start().await;
        stale(&house, 20);
        house.fault(FaultKind::ClockOff { seconds }, None, None);
        house.say("wmLiuBig", CUSTOMERS, GAMBLING).await;
        house.act(json!({"do": "remove", "as": "wang", "group": CUSTOMERS, "person": "wmLiuBig"}));
        house.act(json!({"do": "rename", "as": "wang", "group": CUSTOMERS, "name": "会员福利一群"}));
        for _ in 0..8 {
            house.settled().await;
            assert_eq!(state(&house, CUSTOMERS, "wmLiuBig").await, "removed", "{seconds}");
            house.later(SignedDuration::from_secs(5)).await;
        }
    }
}

#[tokio::test]
async fn after_a_lost_event_the_list_is_read_when_it_has_settled_and_once_more() {
    for (seconds, shows_after) in [(2, 3), (20, 30)] {
        let house = House::start().await;
        stale(&house, seconds);
        house.say("wmLiuBig", CUSTOMERS, GAMBLING).await;
        house.fault(FaultKind::CallbackLost, None, Some(1));
        house.act(json!({"do": "invite", "as": "wang", "group": CUSTOMERS, "people": ["li"]}));
        house.act(json!({"do": "remove", "as": "wang", "group": CUSTOMERS, "person": "wmLiuBig"}));
        house.settled().await;
        assert_eq!(request(&house).await.0, TaskState::WaitsForPerson, "the event does not follow on what is known");
        for second in 1..=shows_after {
            assert_eq!(request(&house).await.0, TaskState::WaitsForPerson, "before {second} of {shows_after} s");
            house.later(SignedDuration::from_secs(1)).await;
        }
        assert_eq!(request(&house).await.0, TaskState::Done, "{shows_after}");
    }
}

#[tokio::test]
async fn whoever_is_in_no_list_yet_has_come_and_not_gone() {
    let house = House::start().await;
    stale(&house, 20);
    house.fault(FaultKind::CallbackLost, None, Some(1));
    house.act(json!({"do": "new_person", "id": "wmNewbie", "name": "小新", "kind": "external"}));
    house.act(json!({"do": "join", "as": "wmNewbie", "group": CUSTOMERS}));
    house.settled().await;
    house.say("wmNewbie", CUSTOMERS, GAMBLING).await;
    for seconds in [0, 5, 30, 60] {
        house.later(SignedDuration::from_secs(seconds)).await;
        assert_eq!(request(&house).await.0, TaskState::WaitsForPerson, "{seconds} s later");
    }
    house.act(json!({"do": "remove", "as": "wang", "group": CUSTOMERS, "person": "wmNewbie"}));
    house.settled().await;
    house.later(SignedDuration::from_secs(40)).await;
    assert_eq!(request(&house).await.0, TaskState::Done);
}

/// What else the owner was asked to do about somebody is over as well.
#[tokio::test]
async fn nobody_is_asked_to_mute_or_remind_who_is_gone() {
    let house = House::start().await;
    stale(&house, 20);
    house.say("wmLiuBig", CUSTOMERS, AD).await;
    house.act(json!({"do": "new_person", "id": "wmNewbie", "name": "加微信领红包", "kind": "external"}));
    house.act(json!({"do": "join", "as": "wmNewbie", "group": CUSTOMERS}));
    house.settled().await;
    house.later(SignedDuration::from_secs(30)).await;
    let open = async || {
        let asks = house.tasks("ask").await;
        let open: Vec<_> = asks.into_iter().filter(|ask| ask.state == TaskState::WaitsForPerson).collect();
        open.into_iter().map(|ask| ask.payload["request"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut asked = open().await;
    asked.sort();
    assert_eq!(asked, ["mute", "warn"]);
    for gone in ["wmLiuBig", "wmNewbie"] {
        house.act(json!({"do": "remove", "as": "wang", "group": CUSTOMERS, "person": gone}));
        house.settled().await;
    }
    assert!(open().await.is_empty(), "with the event: {:?}", open().await);
    assert!(house.told("wang").iter().rev().take(2).all(|card| card.ends_with("（已不在群里，不用再处理）")));
    house.later(SignedDuration::from_hours(3)).await;
    assert_eq!(house.tasks("ask").await.len(), 2, "and nobody is asked to bring them back");
}

#[tokio::test]
async fn a_stale_list_brings_nobody_back() {
    let house = House::start().await;
    let ordered = house.ask("wang", "#会员福利群 移出 wmLiuBig 反复广告 确认").await;
    assert!(ordered.contains("移出"), "{ordered}");
    stale(&house, 20);
    house.act(json!({"do": "remove", "as": "wang", "group": CUSTOMERS, "person": "wmLiuBig"}));
    house.act(json!({"do": "rename", "as": "wang", "group": CUSTOMERS, "name": "会员福利一群"}));
    house.settled().await;
    let before = state(&house, CUSTOMERS, "wmLiuBig").await;
    for seconds in [3, 10, 20, 600] {
        house.later(SignedDuration::from_secs(seconds)).await;
        assert_eq!(state(&house, CUSTOMERS, "wmLiuBig").await, before, "{seconds} s later");
    }
    assert_eq!(house.tasks("ask").await.len(), 1, "and the removal is not asked for again");
}

#[tokio::test]
async fn a_list_without_a_version_brings_nobody_back_either() {
    let house = House::start().await;
    house.later(SignedDuration::from_secs(595)).await;
    stale(&house, 20);
    house.say("li", SALES, GAMBLING).await;
    assert!(!house.is_member(SALES, "li"));
    assert_eq!(state(&house, SALES, "li").await, "removed");
    house.later(SignedDuration::from_secs(5)).await; // the list is read as it was before
    assert_eq!(state(&house, SALES, "li").await, "removed");
    house.later(SignedDuration::from_mins(10)).await;
    assert_eq!(state(&house, SALES, "li").await, "removed");
    assert!(!house.is_member(SALES, "li"));
}

#[tokio::test]
async fn who_is_really_back_is_seen() {
    let house = House::start().await;
    for _ in 0..3 {
        house.say("li", SALES, AD).await;
        house.later(SignedDuration::from_hours(3)).await;
    }
    assert_eq!(state(&house, SALES, "li").await, "removed");
    house.act(json!({"do": "invite", "as": "wang", "group": SALES, "people": ["li"]}));
    house.later(SignedDuration::from_mins(11)).await;
    assert_eq!(state(&house, SALES, "li").await, "normal", "a person let them in, which counts");
}
