//! Who did what, over HTTP and on the command line: evidence is opened on record, a second verdict is a conflict, and the
//! stream shows each its own part.

#[path = "common/house.rs"]
mod house;

use house::{AD, CUSTOMERS, House, SALES};
use reqwest::{Client, Method};
use serde_json::{Value, json};

const TOKENS: &str = r#"
[[api_token]]
name = "decides"
value = "decides-token-0123456789"
scopes = ["cases:decide"]
person = "zhang"

[[api_token]]
name = "revision"
value = "revision-token-0123456789"
scopes = ["audit"]

[[api_token]]
name = "vip"
value = "vip-token-0123456789012"
scopes = ["audit"]
groups = ["wrVipCustomers"]
"#;

const DECIDES: &str = "decides-token-0123456789";
const REVISION: &str = "revision-token-0123456789";
const VIP: &str = "vip-token-0123456789012";

/// Asks as one of the tokens; `agent` is what the caller calls itself.
async fn ask(house: &House, method: Method, path: &str, token: &str, agent: &str) -> (u16, Value) {
    let client = Client::builder().no_proxy().user_agent(agent).build().unwrap();
    let request = client.request(method, house.url(&format!("/api/v1/{path}"))).bearer_auth(token);
    let answer = request.json(&json!({ "violation": true })).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

/// Each record in short.
fn lines(page: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("—").to_owned();
    let line = |record: &Value| {
        let by = &record["by"];
        [&record["face"], &by["kind"], &by["name"], &by["person"], &record["action"], &record["group"]]
            .map(text)
            .join(" ")
    };
    page["records"].as_array().unwrap_or_else(|| panic!("{page}")).iter().map(line).collect()
}

#[tokio::test]
async fn what_people_and_programs_did_is_on_record_and_each_reads_their_part() {
    let house = House::start_with(TOKENS).await;
    house.say("sun", SALES, AD).await;
    house.settled().await;
    let id = house.cases(SALES, "sun").await.remove(0).id;

    // Evidence is masked where cases are read; opening it is another right, and an act.
    let (status, refused) = ask(&house, Method::POST, &format!("cases/{id}/evidence"), REVISION, "curl").await;
    assert_eq!((status, &refused["code"]), (403, &json!("forbidden")));
    let (status, opened) = ask(&house, Method::POST, &format!("cases/{id}/evidence"), DECIDES, "curl").await;
    assert_eq!((status, opened["said"][0]["text"].as_str()), (200, Some(AD)), "{opened}");
    assert_eq!(ask(&house, Method::POST, "cases/ZZZZ/evidence", DECIDES, "curl").await.0, 404);

    // The first verdict counts; the second is a conflict. This program's own commands say so by their name.
    assert_eq!(ask(&house, Method::POST, &format!("cases/{id}/verdict"), DECIDES, "qunguan/1").await.0, 200);
    let (status, refused) = ask(&house, Method::POST, &format!("cases/{id}/verdict"), DECIDES, "curl").await;
    assert_eq!((status, &refused["code"]), (409, &json!("already_decided")), "{refused}");
    house.ask("zhang", &format!("#华东销售群 解除警告 {id}")).await;
    let (status, refused) = ask(&house, Method::POST, &format!("cases/{id}/verdict"), DECIDES, "curl").await;
    assert_eq!((status, &refused["code"]), (409, &json!("already_decided")), "{refused}");
    house.ask("wang", "#会员福利群 严管 2h").await;

    let (status, page) = ask(&house, Method::GET, "audit", REVISION, "curl").await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(
        lines(&page),
        [
            format!("chat member wang wang be_strict {CUSTOMERS}"),
            format!("chat member zhang zhang revoke_case {SALES}"),
            format!("cli token decides zhang confirm_case {SALES}"),
            format!("http token decides zhang open_evidence {SALES}"),
        ]
    );
    assert_eq!(page["next"], json!(null));
    assert!(!page.to_string().contains("领红包"), "{page}");
    let found = async |query: &str, token: &str| {
        let (status, page) = ask(&house, Method::GET, &format!("audit?{query}"), token, "curl").await;
        assert_eq!(status, 200, "{page}");
        lines(&page).len()
    };
    assert_eq!(found("by=zhang", REVISION).await, 3, "what his token did is his");
    assert_eq!(found("action=open_evidence", REVISION).await, 1);
    assert_eq!(found(&format!("subject=case:{id}&limit=2"), REVISION).await, 2);
    assert_eq!(found(&format!("subject={id}"), REVISION).await, 3);
    assert_eq!(found("until=2020-01-01T00:00:00Z", REVISION).await, 0);
    assert_eq!(found("", VIP).await, 1, "a token of one group reads what was done there");
    assert_eq!(ask(&house, Method::GET, &format!("audit?group={SALES}"), VIP, "curl").await.0, 403);
    assert_eq!(ask(&house, Method::GET, "audit", DECIDES, "curl").await.0, 403);
    let (status, refused) = ask(&house, Method::GET, "audit?action=dance", REVISION, "curl").await;
    assert_eq!((status, &refused["field"]), (400, &json!("action")));
}
