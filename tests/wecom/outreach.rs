//! Phones that ring when nobody answers what is grave, and what newcomers read.

use qunguan::model::SignedDuration;
use serde_json::{Value, json};

use crate::house::{AD, CUSTOMERS, House, SALES, STAFF};

const GAMBLING: &str = "澳门赌场上线啦，首充送彩金，加我V领";
const URGENT: &str = "[wecom.urgent]\nsecret = \"sim-urgent-secret-7c40de\"";

fn rang(house: &House) -> Vec<String> {
    let phones = house.sim.world()["phones_rang"].clone();
    phones.as_array().unwrap().iter().map(|call| call[1].as_str().unwrap().to_owned()).collect()
}

/// Everybody who could be asked was, and nobody answered.
async fn nobody_answers(house: &House) {
    for _ in 0..3 {
        house.later(SignedDuration::from_mins(31)).await;
    }
}

#[tokio::test]
async fn phones_ring_once_when_nobody_answers_what_is_grave() {
    let house = House::start_with(URGENT).await;
    house.say("sun", STAFF, GAMBLING).await;
    house.later(SignedDuration::from_mins(31)).await;
    assert!(rang(&house).is_empty(), "the next person was asked first");
    nobody_answers(&house).await;
    assert_eq!(rang(&house), ["wang"]);
    house.later(SignedDuration::from_hours(13)).await;
    nobody_answers(&house).await;
    assert_eq!(rang(&house), ["wang"], "once");
    let case = house.cases(STAFF, "sun").await.remove(0);
    assert!(case.history.iter().any(|event| event.what == "phones_rang"), "{:?}", case.history);
}

#[tokio::test]
async fn no_phone_rings_at_night_nor_for_what_is_answered_nor_without_the_switch() {
    let house = House::start_with(URGENT).await;
    house.later(SignedDuration::from_hours(12)).await; // 22:00
    house.say("sun", STAFF, GAMBLING).await;
    nobody_answers(&house).await;
    assert!(rang(&house).is_empty());
    house.press("zhang", "请移出成员", "误判").await;
    house.later(SignedDuration::from_hours(10)).await;
    assert!(rang(&house).is_empty(), "somebody answered before the night was over");

    let house = House::start().await;
    house.say("sun", STAFF, GAMBLING).await;
    nobody_answers(&house).await;
    assert!(rang(&house).is_empty(), "off by default");
}

fn greetings(house: &House) -> Vec<Value> {
    house.sim.world()["greetings"].as_object().unwrap().values().cloned().collect()
}

#[tokio::test]
async fn newcomers_of_the_apps_groups_are_greeted_once() {
    let welcome =
        "\nwelcome = { text = \"请先看群规。\", link = \"https://kb.example.com/rules\" }\n[[group]]\nid = \"wrVip";
    let house = House::start_where(|text| text.replacen("\n[[group]]\nid = \"wrVip", welcome, 1)).await;
    let before = house.lines(SALES).len();
    house.later(SignedDuration::from_mins(10)).await;
    assert!(house.lines_after(SALES, before).is_empty(), "whoever was there is no newcomer");
    house.act(json!({"do": "new_person", "id": "qian", "name": "钱新人"}));
    house.act(json!({"do": "invite", "as": "wang", "group": SALES, "people": ["qian", "lin"]}));
    house.later(SignedDuration::from_mins(10)).await;
    let said = house.lines_after(SALES, before).pop().unwrap();
    assert!(said.starts_with("群管助手：") && said.contains("钱新人"), "{said}");
    assert!(said.ends_with("您好！这里是「华东销售群」。请先看群规。\n群规：https://kb.example.com/rules"), "{said}");
    // Muted is "out and back": that is no welcome.
    house.say("chen", SALES, AD).await;
    house.say("chen", SALES, AD).await;
    house.later(SignedDuration::from_hours(3)).await;
    assert!(house.is_member(SALES, "chen"));
    let welcomes = house.lines_after(SALES, before).iter().filter(|line| line.contains("您好！")).count();
    assert_eq!(welcomes, 1);
}

#[tokio::test]
async fn a_customer_groups_greeting_is_among_wecoms_and_follows_the_settings() {
    let with = |text: &'static str| {
        move |settings: String| {
            let name = "name = \"会员福利群\"\n";
            settings.replacen(
                name,
                &format!("{name}welcome = {{ text = \"{text}\", link = \"https://kb.example.com\" }}\n"),
                1,
            )
        }
    };
    let mut house = House::start_where(with("欢迎！")).await;
    let link = json!({"title": "群规", "url": "https://kb.example.com"});
    assert_eq!(greetings(&house), [json!({"text": {"content": "欢迎！"}, "link": link})]);
    house.later(SignedDuration::from_hours(2)).await;
    assert_eq!(house.sim.calls("externalcontact/group_welcome_template/add"), 1);
    house.stop_bot().await;
    house.change_settings(with("欢迎您！"));
    house.start_bot().await;
    assert_eq!(greetings(&house), [json!({"text": {"content": "欢迎您！"}, "link": link})], "changed, not added");
    house.stop_bot().await;
    house.change_settings(|settings| settings);
    house.start_bot().await;
    assert!(greetings(&house).is_empty());
    assert!(house.is_member(CUSTOMERS, "wmWuHao"));
}
