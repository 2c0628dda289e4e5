//! Names that people carry are judged when they are new, once, and as a case about the name.

use qunguan::{
    model::{Category, SignedDuration, Step},
    store::Case,
};
use serde_json::json;

use crate::house::{CUSTOMERS, House, SALES};

/// WeCom's list has settled, and was read.
async fn settle(house: &House) {
    house.later(SignedDuration::from_secs(3)).await;
}

async fn customer_joins(house: &House, id: &str, name: &str) {
    house.act(json!({"do": "new_person", "id": id, "name": name, "kind": "external"}));
    house.act(json!({"do": "join", "as": id, "group": CUSTOMERS}));
    house.settled().await;
    settle(house).await;
}

fn about(cases: &[Case]) -> Vec<(&str, Category)> {
    cases.iter().map(|case| (case.evidence.as_str(), case.category)).collect()
}

#[tokio::test]
async fn an_advert_in_a_nickname_is_a_case_about_the_name_and_only_one() {
    let house = House::start().await;
    customer_joins(&house, "wmNewbie", "加微信领红包").await;
    let cases = house.cases(CUSTOMERS, "wmNewbie").await;
    assert_eq!(about(&cases), [("[昵称] 加微信领红包", Category::Ads)], "before a word was said");
    assert_eq!(cases[0].step, Step::Mute, "as for a newcomer's first advert");
    let asked = house.told("wang").pop().unwrap();
    assert!(asked.contains("请处理 加微信领红包") && asked.contains("> [昵称] 加微信领红包"), "{asked}");
    for n in 0..6 {
        house.say("wmNewbie", CUSTOMERS, &format!("请问第 {n} 号货什么时候到")).await;
        house.later(SignedDuration::from_mins(11)).await;
    }
    assert_eq!(house.cases(CUSTOMERS, "wmNewbie").await.len(), 1, "never once a message");

    // Another name is another case; the first one again is none.
    for (name, cases) in [("高价收驾照分", 2), ("加微信领红包", 2), ("王小明", 2)] {
        house.act(json!({"do": "new_name", "as": "wmNewbie", "name": name}));
        house.later(SignedDuration::from_mins(11)).await;
        let found = house.cases(CUSTOMERS, "wmNewbie").await;
        assert!(found.len() <= cases, "{name}: {:?}", about(&found));
    }
    let found = house.cases(CUSTOMERS, "wmNewbie").await;
    assert_eq!(about(&found).iter().filter(|(evidence, _)| *evidence == "[昵称] 加微信领红包").count(), 1);
    house.say("wmNewbie", CUSTOMERS, "货到了吗").await;
    assert_eq!(house.member(CUSTOMERS, "wmNewbie").await.name.as_deref(), Some("王小明"));
}

#[tokio::test]
async fn a_customer_called_like_a_colleague_of_another_group_is_shown_to_the_owner() {
    let house = House::start().await;
    customer_joins(&house, "wmLike", "李销售（官方）").await;
    let cases = house.cases(CUSTOMERS, "wmLike").await;
    assert_eq!(about(&cases), [("[昵称] 李销售（官方）", Category::Impersonation)]);
    assert_eq!(cases[0].step, Step::Review, "a namesake is only asked about");
    // Another name of as many characters is nobody's.
    customer_joins(&house, "wmOther", "李消受").await;
    assert!(house.cases(CUSTOMERS, "wmOther").await.is_empty());
}

#[tokio::test]
async fn who_looks_like_the_owner_is_shown_to_the_owner() {
    let house = House::start().await;
    customer_joins(&house, "wmFake", "王店长（官方）").await;
    let cases = house.cases(CUSTOMERS, "wmFake").await;
    assert_eq!(about(&cases), [("[昵称] 王店长（官方）", Category::Impersonation)]);
    let asked = house.told("wang").pop().unwrap();
    assert!(asked.contains("请看一个昵称") && asked.contains("这个昵称很像「王店长」"), "{asked}");
    // A name that is nobody's is nobody's business, and a colleague may be called as the company calls them.
    customer_joins(&house, "wmHonest", "海阔天空").await;
    assert!(house.cases(CUSTOMERS, "wmHonest").await.is_empty());
    house.act(json!({"do": "new_person", "id": "wang2", "name": "王店长"}));
    house.act(json!({"do": "invite", "as": "wang", "group": SALES, "people": ["wang2"]}));
    house.later(SignedDuration::from_hours(7)).await; // the address book was read
    house.say("wang2", SALES, "大家好").await;
    assert!(house.cases(SALES, "wang2").await.is_empty());
}

#[tokio::test]
async fn who_was_there_first_is_looked_at_when_they_speak_or_change_it() {
    let house = House::empty(crate::house::morning(), "").await;
    house.act(json!({"do": "new_name", "as": "wmWuHao", "name": "加微信领红包"}));
    house.act(json!({"do": "new_name", "as": "wmLiuBig", "name": "高仿包包加我"}));
    let mut house = house;
    house.start_bot().await;
    assert!(house.cases(CUSTOMERS, "wmWuHao").await.is_empty(), "nobody is judged because the bot arrives");
    house.say("wmWuHao", CUSTOMERS, "早上好").await;
    house.say("wmWuHao", CUSTOMERS, "今天有货吗").await;
    assert_eq!(house.cases(CUSTOMERS, "wmWuHao").await.len(), 1);
    house.act(json!({"do": "new_name", "as": "wmZhouLan", "name": "加V信领福利888"}));
    house.later(SignedDuration::from_mins(10)).await;
    assert_eq!(house.cases(CUSTOMERS, "wmZhouLan").await.len(), 1, "without a word");
    let asked = house.told("wang").pop().unwrap();
    assert!(asked.contains("请提醒客户 加V信领福利888") && asked.contains("您的群昵称可能让人误会"), "{asked}");
    house.stop_bot().await;
    house.start_bot().await;
    house.say("wmWuHao", CUSTOMERS, "明天呢").await;
    assert_eq!(house.cases(CUSTOMERS, "wmWuHao").await.len(), 1, "after a restart neither");
}

#[tokio::test]
async fn a_colleagues_new_name_is_judged_when_the_address_book_tells_it() {
    let house = House::start().await;
    house.act(json!({"do": "new_name", "as": "zhao", "name": "加微信领红包"}));
    house.later(SignedDuration::from_hours(6)).await;
    assert_eq!(
        about(&house.cases(SALES, "zhao").await),
        [("[昵称] 加微信领红包", Category::Ads)],
        "before a word was said"
    );
}

#[tokio::test]
async fn a_name_over_http_is_judged_like_any_other() {
    let house = House::start().await;
    let message = |id: &str, name: &str| {
        json!({"messages": [{"id": id, "group": SALES, "sender": "chen", "sender_name": name,
            "at": house.clock_text(), "text": format!("今天第 {id} 场会几点开")}]})
    };
    for (id, name) in [("1", "加微信领红包"), ("2", "加微信领红包"), ("3", "加微信领红包")] {
        let (status, body) = house.post("/api/v1/messages", message(id, name)).await;
        assert_eq!(status, 200, "{body}");
    }
    house.settled().await;
    let cases = house.cases(SALES, "chen").await;
    assert_eq!(about(&cases), [("[昵称] 加微信领红包", Category::Ads)]);
    let told = house.told("chen").pop().unwrap();
    assert!(told.contains("您的群昵称涉及「广告引流」，请改一个"), "{told}");
    assert!(!house.lines(SALES).iter().any(|line| line.contains("刚才有一条消息")), "the group hears of no message");
}
