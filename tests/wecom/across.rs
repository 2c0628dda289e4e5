//! One case through all channels: heard in the archive, asked of the owner by the app, answered by a pressed button that WeCom
//! delivers three times (and a forger once before), verified by the event of the member's removal.

use qunguan::{model::SignedDuration, simulator::FaultKind, store::TaskState};
use serde_json::json;

use crate::house::{CUSTOMERS, House};

#[tokio::test]
async fn heard_here_asked_there_pressed_three_times_closed_once() {
    let house = House::start().await;
    house.say("wmLiuBig", CUSTOMERS, "澳门赌场上线啦，首充送彩金，加我V领").await;
    assert!(house.is_member(CUSTOMERS, "wmLiuBig"), "no server can remove a customer");
    let cards = |who: &str| house.inbox(who).into_iter().filter(|item| item["card"].is_object()).collect::<Vec<_>>();
    let card = cards("wang").pop().expect("the owner is asked");
    let task = card["card"]["task_id"].as_str().unwrap().to_owned();

    house.fault(FaultKind::CallbackForged, None, Some(1));
    house.fault(FaultKind::CallbackTriple, None, Some(1));
    assert_eq!(house.press("wang", "会员福利群", "已移出").await, "已反馈，正在核实");
    house.act(json!({"do": "remove", "as": "wang", "group": CUSTOMERS, "person": "wmLiuBig"}));
    house.settled().await;

    let pressed = house.sim.deliveries().into_iter().rfind(|d| d.plain.contains("template_card_event")).unwrap();
    assert_eq!(pressed.tries.len(), 4, "{:?}", pressed.tries);
    assert!(pressed.tries[0].starts_with('4'), "the forged copy is refused: {:?}", pressed.tries);
    assert!(pressed.tries[1..].iter().all(|status| status == "200"), "{:?}", pressed.tries);
    let asked = house.tasks("ask").await;
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].state, TaskState::Done, "{}", asked[0].reason);
    let after: Vec<_> = cards("wang").into_iter().filter(|c| c["card"]["task_id"] == task.as_str()).collect();
    assert_eq!(after.len(), 1, "one card, changed in place");
    assert!(after[0]["frozen"].as_str().unwrap().contains("已不在群里"), "{}", after[0]["frozen"]);
    assert_eq!(house.cases(CUSTOMERS, "wmLiuBig").await.len(), 1);
    assert_eq!(house.member(CUSTOMERS, "wmLiuBig").await.standing.strikes.len(), 1);
}

/// Who the bot believes to be in the customer group.
async fn known(house: &House) -> Vec<String> {
    let group = house.store().document("group", CUSTOMERS).await.unwrap().unwrap().body;
    group["members"].as_object().unwrap().keys().cloned().collect()
}

#[tokio::test]
async fn a_lost_event_shows_in_the_next_ones_version_and_the_list_is_read_again() {
    let house = House::start().await;
    assert!(known(&house).await.contains(&"wmWuHao".to_owned()));
    house.fault(FaultKind::CallbackLost, None, Some(1));
    house.act(json!({"do": "remove", "as": "wang", "group": CUSTOMERS, "person": "wmWuHao"}));
    house.settled().await;
    assert!(known(&house).await.contains(&"wmWuHao".to_owned()), "nobody told");
    house.fault(FaultKind::CommaLists, None, Some(1));
    house.act(json!({"do": "invite", "as": "wang", "group": CUSTOMERS, "people": ["li", "sun"]}));
    house.settled().await;
    house.later(SignedDuration::from_secs(3)).await; // so long WeCom's list may be the old one
    assert_eq!(known(&house).await, ["li", "sun", "wang", "wmLiuBig", "wmZhouLan", "zhao"]);
}
