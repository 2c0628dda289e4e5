//! The main job from end to end: somebody writes in a simulated WeCom, and what happens there afterwards.

#[path = "common/house.rs"]
mod house;

use house::{AD, API_TOKEN, CUSTOMERS, House, SALES, STAFF};
use insta::assert_snapshot;
use qunguan::{
    model::{Category, Clock, SignedDuration, Step},
    simulator::FaultKind,
    store::{CaseState, TaskState},
};
use serde_json::json;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How often WeCom itself showed that somebody was taken out of the group.
fn removals(house: &House, group: &str, name: &str) -> usize {
    house.lines(group).iter().filter(|line| line.contains(&format!("「{name}」被移出群聊"))).count()
}

#[tokio::test]
async fn who_is_removed_for_a_record_that_is_taken_back_stands_as_the_rest_says() {
    let house = House::start().await;
    for _ in 0..2 {
        house.say("li", SALES, AD).await;
    }
    house.later(HOUR * 3).await;
    house.later(SignedDuration::from_mins(5)).await;
    house.say("li", SALES, AD).await;
    assert!(!house.is_member(SALES, "li"), "removed");
    let first = house.cases(SALES, "li").await.into_iter().min_by_key(|case| case.at).unwrap();
    house.ask("li", &format!("申诉 {} 那是客户的原话", first.id)).await;
    house.settled().await;
    house.press("wang", "申诉理由", "成立，撤销").await;
    house.settled().await;
    assert_snapshot!(house.told("li").last().unwrap(), @"您在「华东销售群」的记录 #### 已撤销（申诉成立；按其余记录，改为禁言至今天 15:05），相应记分不再计算。给您添麻烦了。");
    assert!(!house.is_member(SALES, "li"), "two are left: muted for two hours from the second of them");
    house.later(HOUR * 2).await;
    assert!(house.is_member(SALES, "li"), "and back");
    assert_snapshot!(house.told("li").last().unwrap(), @"您在「华东销售群」的禁言已结束，可以正常发言了。谢谢配合。");
    assert_eq!(house.member(SALES, "li").await.standing.live_points(house.clock.now()), 4);
}

#[tokio::test]
async fn who_was_removed_reads_the_rules_and_what_to_do_next() {
    let house = House::start().await;
    for _ in 0..3 {
        house.say("li", SALES, AD).await;
        house.later(HOUR * 3).await;
    }
    assert!(!house.is_member(SALES, "li"));
    for asked in ["群规", "#华东 群规"] {
        assert!(house.ask("li", asked).await.starts_with("「华东销售群」的群规："), "{asked}");
    }
    assert!(house.ask("li", "我的状态").await.contains("已被移出（想回群可以申诉，或请群主重新邀请），当前 6 分"));
    let case = house.cases(SALES, "li").await.remove(0).id;
    house.ask("li", &format!("申诉 {case} 客户要的")).await;
    assert!(house.ask("li", "我的状态").await.contains("失效，申诉处理中"));
}

#[tokio::test]
async fn once_warns_twice_mutes_three_times_removes() {
    let house = House::start().await;
    let before = house.lines(SALES).len();
    house.say("li", SALES, AD).await;
    assert!(house.is_member(SALES, "li"));
    house.say("li", SALES, AD).await;
    assert!(!house.is_member(SALES, "li"), "muted: out of the group for two hours");
    house.later(SignedDuration::from_mins(119)).await;
    assert!(!house.is_member(SALES, "li"));
    house.later(SignedDuration::from_mins(2)).await;
    assert!(house.is_member(SALES, "li"), "and back");
    house.say("li", SALES, AD).await;
    assert!(!house.is_member(SALES, "li"), "removed for good");
    house.later(DAY * 40).await;
    assert!(!house.is_member(SALES, "li"));
    assert_snapshot!(house.lines_after(SALES, before).join("\n"), @r#"
    李销售：加我V信领红包
    群管助手：【群管提醒】刚才有一条消息涉及「广告引流」，已私下提醒发言人。请大家一起维护群里的秩序。
    李销售：加我V信领红包
    —— 「李销售」被移出群聊
    —— 「李销售」加入群聊
    李销售：加我V信领红包
    —— 「李销售」被移出群聊
    "#);
    assert_snapshot!(house.told("li").join("\n——\n"), @r"
    群规提醒（第 1 次）
    华东销售群
    您今天 10:00 的一条消息涉及「广告引流」，记 2 分（累计 2 分）。再次违规将被禁言 2 小时。
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    次数：第 1 次 / 共 3 次
    失效：6月3日 10:00
    编号：####
    [知道了] [申诉]
    ——
    您已被禁言
    华东销售群
    您今天 10:00 的一条消息涉及「广告引流」，记 2 分（累计 4 分）。本群的禁言是暂时移出：今天 12:00 自动拉回。再次违规将被移出本群。
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    次数：第 2 次 / 共 3 次
    失效：6月3日 10:00
    编号：####
    [知道了] [申诉]
    ——
    您在「华东销售群」的禁言已结束，可以正常发言了。谢谢配合。
    ——
    您已被移出群聊
    华东销售群
    您今天 12:01 的一条消息涉及「广告引流」，记 2 分（累计 6 分），按群规移出。如有异议，请点「申诉」。
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    次数：第 3 次
    失效：6月3日 12:01
    编号：####
    [知道了] [申诉]
    ");
    let mut steps: Vec<_> = house.cases(SALES, "li").await.iter().map(|case| (case.at, case.step)).collect();
    steps.sort(); // the first two have one time
    assert_eq!(steps.iter().map(|(_, step)| *step).collect::<Vec<_>>(), [Step::Warn, Step::Mute, Step::Remove]);
    let api = house.get(&format!("/api/v1/groups/{SALES}/members/li")).await;
    assert_eq!(api["state"], "removed");
    assert_eq!(api["strikes"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_message_that_comes_again_and_again_is_one_strike() {
    let house = House::start().await;
    house.fault(FaultKind::CallbackTriple, None, None);
    house.fault(FaultKind::ArchiveTwice, None, Some(3));
    house.say("li", SALES, AD).await;
    assert_eq!(house.member(SALES, "li").await.standing.strikes.len(), 1);
    assert_eq!(house.told("li").len(), 1);
    // The bot's own callback, three copies of one message at the same moment.
    let message =
        json!({"messages": [{"id": "m1", "group": SALES, "sender": "chen", "at": house.clock_text(), "text": AD}]});
    let (first, second, third) = tokio::join!(
        house.post("/api/v1/messages", message.clone()),
        house.post("/api/v1/messages", message.clone()),
        house.post("/api/v1/messages", message.clone())
    );
    let answers = [first, second, third].map(|(status, body)| {
        assert_eq!(status, 200);
        body["results"][0].clone()
    });
    assert_eq!(answers.iter().filter(|answer| answer["duplicate"] == false).count(), 1);
    assert!(answers.iter().all(|answer| answer["case"] == answers[0]["case"]), "{answers:?}");
    house.settled().await;
    assert_eq!(house.member(SALES, "chen").await.standing.strikes.len(), 1);
    assert_eq!(house.told("chen").len(), 1);
    // The same id with other words is no repetition: nobody may believe that these were judged.
    let mut other = message;
    other["messages"][0]["text"] = json!("下午三点开会");
    let more = json!({"id": "m4", "group": SALES, "sender": "chen", "at": house.clock_text(), "text": "早"});
    other["messages"].as_array_mut().unwrap().insert(0, more);
    let (status, body) = house.post("/api/v1/messages", other).await;
    assert_eq!((status, &body["code"], &body["field"]), (409, &json!("key_taken"), &json!("messages[1].id")), "{body}");
    // One id for two people's messages in a batch is a mistake, and so is a message that says nothing.
    let said =
        |sender: &str| json!({"id": "m2", "group": SALES, "sender": sender, "at": house.clock_text(), "text": AD});
    let (status, body) = house.post("/api/v1/messages", json!({"messages": [said("li"), said("sun")]})).await;
    assert_eq!((status, &body["code"]), (400, &json!("invalid_value")), "{body}");
    assert_eq!(body["field"], "messages[1].id");
    let silent = json!({"id": "m3", "group": SALES, "sender": "sun", "at": house.clock_text(), "txt": AD});
    let (status, body) = house.post("/api/v1/messages", json!({"messages": [silent]})).await;
    assert_eq!((status, &body["title"]), (400, &json!("请求内容有误")), "{body}");
    assert!(house.member(SALES, "sun").await.standing.strikes.is_empty());
}

#[tokio::test]
async fn who_is_brought_back_by_hand_stays() {
    let house = House::start().await;
    house.say("li", SALES, AD).await;
    house.say("li", SALES, AD).await;
    assert!(!house.is_member(SALES, "li"));
    house.act(json!({"do": "invite", "as": "wang", "group": SALES, "people": ["li"]}));
    house.later(SignedDuration::from_mins(10)).await;
    let readd = house.tasks("readd").await;
    assert_eq!(readd[0].state, TaskState::Done);
    assert_snapshot!(readd[0].reason, @"有人已手动拉回，禁言提前结束");
    assert!(house.is_member(SALES, "li"));
    assert_eq!(house.get(&format!("/api/v1/groups/{SALES}/members/li")).await["state"], "normal");
    house.act(json!({"do": "leave", "as": "li", "group": SALES}));
    house.later(HOUR * 3).await;
    assert!(!house.is_member(SALES, "li"), "who left later of their own will is not dragged back");
}

#[tokio::test]
async fn nobody_tries_to_remove_the_owner() {
    let house = House::start().await;
    for _ in 0..4 {
        house.say("wang", SALES, AD).await;
    }
    house.later(HOUR).await;
    assert!(house.is_member(SALES, "wang"));
    assert_eq!(removals(&house, SALES, "王店长"), 0);
    assert!(house.tasks("remove").await.is_empty());
}

#[tokio::test]
async fn in_a_customer_group_the_owner_acts_and_the_bot_checks() {
    let house = House::start().await;
    for _ in 0..3 {
        house.say("wmWuHao", CUSTOMERS, AD).await;
    }
    let ask =
        house.tasks("ask").await.into_iter().find(|task| task.id.as_str().ends_with("remove")).expect("a request");
    assert_eq!(ask.state, TaskState::WaitsForPerson);
    assert_snapshot!(house.told("wang").last().unwrap(), @r"
    请移出成员 吴昊
    会员福利群
    > 加我V信领红包
    请在群里移出并勾选「加入群聊黑名单」（否则还能再进群），再点「已移出」，稍后自动核实。常见广告可打开企业微信的「防骚扰」自动移出。「改为警告」不移出。
    成员：吴昊
    类别：广告引流
    时间：今天 10:00
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    请在：今天 10:30 前处理
    编号：####
    [已移出] [改为警告] [误判]
    ");

    // 已移出 without having done it: looked at, asked again, and the next person after that.
    let pressed = json!({"do": "press", "as": "wang", "task_id": ask.id.as_str(), "key": "done"});
    house.act(pressed);
    house.settled().await;
    let open = house.tasks("ask").await.into_iter().find(|task| task.id == ask.id).unwrap();
    assert_eq!(open.state, TaskState::WaitsForPerson);
    assert_snapshot!(open.reason, @"群主说已处理，正在核实");
    for _ in 0..12 {
        house.later(SignedDuration::from_mins(2)).await;
    }
    let open = house.tasks("ask").await.into_iter().find(|task| task.id == ask.id).unwrap();
    assert_eq!(open.state, TaskState::WaitsForPerson, "it is open again: {}", open.reason);
    let cards = |house: &House| {
        house
            .inbox("wang")
            .into_iter()
            .filter(|card| card["text"].as_str().is_some_and(|t| t.contains("请移出成员")))
            .collect::<Vec<_>>()
    };
    assert_eq!(cards(&house).len(), 2, "the owner is asked once more");

    // Now really: the bot learns it from WeCom's event and closes the request without another word.
    house.act(json!({"do": "remove", "as": "wang", "group": CUSTOMERS, "person": "wmWuHao"}));
    house.settled().await;
    let done = house.tasks("ask").await.into_iter().find(|task| task.id == ask.id).unwrap();
    assert_eq!(done.state, TaskState::Done);
    assert_snapshot!(done.reason, @"已不在群里（有人手动移出）");
    assert!(
        cards(&house).iter().all(|card| card["frozen"] == "已不在群里（有人手动移出）"),
        "every card says how it ended"
    );
}

#[tokio::test]
async fn a_request_nobody_answers_goes_up() {
    let house = House::start().await;
    house.say("sun", STAFF, AD).await;
    house.say("sun", STAFF, AD).await;
    let before = house.inbox("wang").len();
    house.later(SignedDuration::from_mins(31)).await;
    assert!(house.inbox("wang").len() > before, "the owner was silent, the next one is asked");
    house.later(SignedDuration::from_mins(31)).await;
    let [ask] = house.tasks("ask").await.try_into().unwrap();
    assert_eq!(ask.state, TaskState::WaitsForPerson);
    assert_snapshot!(ask.reason, @"已逐级询问，尚无人处理；今天 23:02 再问");

    // All of them are asked again, a few times; then the bot says that it gave up.
    let asked = house.inbox("wang").len();
    for _ in 0..10 {
        house.later(SignedDuration::from_hours(12)).await;
        house.later(SignedDuration::from_mins(31)).await;
        house.later(SignedDuration::from_mins(31)).await;
    }
    assert_eq!(house.inbox("wang").len(), asked + 5, "five rounds more");
    let [ask] = house.tasks("ask").await.try_into().unwrap();
    assert_eq!(ask.state, TaskState::GaveUp);
    assert_snapshot!(ask.reason, @"多次逐级询问后仍无人处理");
}

#[tokio::test]
async fn trouble_at_wecom_delays_and_never_doubles() {
    let troubles: [(&str, FaultKind, Option<&str>, Option<u32>); 8] = [
        ("busy", FaultKind::Error { code: -1 }, Some("appchat/update"), Some(2)),
        ("too often", FaultKind::Error { code: 45009 }, Some("appchat/update"), Some(1)),
        ("500", FaultKind::Http { status: 500 }, Some("appchat/"), Some(3)),
        ("502 on messages", FaultKind::Http { status: 502 }, Some("message/send"), Some(2)),
        ("dead tokens", FaultKind::TokenDeath, None, Some(1)),
        ("answer lost after the removal", FaultKind::LostAnswer { ms: 0 }, Some("appchat/update"), Some(1)),
        ("answer lost after the message", FaultKind::LostAnswer { ms: 0 }, Some("message/send"), Some(1)),
        ("address not trusted", FaultKind::IpRefused, None, Some(1)),
    ];
    for (name, kind, path, times) in troubles {
        let house = House::start().await;
        house.say("li", SALES, AD).await;
        house.fault(kind, path, times);
        house.say("li", SALES, AD).await;
        for _ in 0..20 {
            house.later(SignedDuration::from_mins(2)).await;
        }
        assert!(!house.is_member(SALES, "li"), "{name}: {:#?}", house.open_tasks().await);
        assert_eq!(removals(&house, SALES, "李销售"), 1, "{name}");
        house.sim.no_faults();
        house.later(HOUR * 2).await;
        house.later(SignedDuration::from_mins(5)).await;
        assert!(house.is_member(SALES, "li"), "{name}: {:#?}", house.open_tasks().await);
        let told = house.told("li");
        let about = |what: &str| told.iter().filter(|text| text.contains(what)).count();
        assert_eq!((told.len(), about("您已被禁言"), about("禁言已结束")), (3, 1, 1), "{name}: {told:#?}");
    }
}

#[tokio::test]
async fn a_restart_in_the_middle_goes_on_where_it_was() {
    let mut house = House::start().await;
    house.say("li", SALES, AD).await;
    house.fault(FaultKind::Http { status: 500 }, Some("appchat/update"), None);
    house.say("li", SALES, AD).await;
    assert!(house.is_member(SALES, "li"), "WeCom is down");
    house.stop_bot().await;
    house.sim.no_faults();
    house.sim.advance(SignedDuration::from_mins(10));
    house.start_bot().await;
    assert!(!house.is_member(SALES, "li"));
    house.stop_bot().await;
    house.act(json!({"do": "post", "as": "chen", "group": SALES, "text": AD}));
    house.sim.advance(HOUR * 3);
    house.start_bot().await;
    assert!(house.is_member(SALES, "li"), "the mute ended while the bot was down");
    assert_eq!(house.member(SALES, "chen").await.standing.strikes.len(), 1, "what was said meanwhile is read");
    assert_eq!(removals(&house, SALES, "李销售"), 1);
}

#[tokio::test]
async fn a_clock_that_jumps_a_day_punishes_nobody_twice() {
    for jump in [DAY, -DAY] {
        let house = House::start().await;
        house.say("li", SALES, AD).await;
        house.say("li", SALES, AD).await;
        assert!(!house.is_member(SALES, "li"));
        house.later(jump).await;
        house.later(-jump).await;
        house.later(HOUR * 3).await;
        house.later(SignedDuration::from_mins(10)).await;
        assert!(house.is_member(SALES, "li"), "{jump:?}: {:#?}", house.open_tasks().await);
        assert_eq!(removals(&house, SALES, "李销售"), 1);
        assert_eq!(house.cases(SALES, "li").await.len(), 2);
    }
}

#[tokio::test]
async fn the_api_says_what_is_wrong_in_one_way() {
    use reqwest::{Client, Method};
    let house = House::start().await;
    let client = Client::builder().no_proxy().build().unwrap();
    let large = "x".repeat(20 << 20);
    let notice = |to: &str, deadline: &str| format!(r#"{{"text":"x","deadline":"{deadline}",{to}}}"#);
    for (method, path, body, token, status, code) in [
        (Method::GET, "cases", "", "wrong", 401, "unauthorised"),
        (Method::GET, "nothing/here", "", API_TOKEN, 404, "not_found"),
        (Method::GET, "cases/ZZZZ", "", API_TOKEN, 404, "not_found"),
        (Method::DELETE, "cases", "", API_TOKEN, 405, "method_not_allowed"),
        (Method::GET, "cases?limit=many", "", API_TOKEN, 400, "invalid_value"),
        (Method::GET, "tasks?state=dreaming", "", API_TOKEN, 400, "invalid_value"),
        (Method::POST, "messages", "{\"messages\":[{\"id\":\"1\"", API_TOKEN, 400, "invalid_json"),
        (Method::POST, "check", "加我", API_TOKEN, 400, "invalid_json"),
        (Method::POST, "cases/ZZZZ/verdict", "{\"violation\":\"yes\"}", API_TOKEN, 400, "invalid_value"),
        (Method::POST, "messages", "{\"messages\":[{\"id\":\"1\"}]}", API_TOKEN, 400, "missing_field"),
        (Method::POST, "messages", &large, API_TOKEN, 413, "too_large"),
        (Method::GET, "notices/ZZZZ", "", API_TOKEN, 404, "not_found"),
        (Method::POST, "notices/ZZZZ/cancel", "", API_TOKEN, 404, "not_found"),
        (Method::POST, "notices", "{\"text\":\"x\",\"deadline\":\"2h\"}", API_TOKEN, 400, "no_receivers"),
        (Method::POST, "notices", &notice(r#""groups":["wrNowhere"]"#, "2h"), API_TOKEN, 400, "unknown_group"),
        (Method::POST, "notices", &notice(r#""departments":["x"]"#, "2h"), API_TOKEN, 400, "unknown_department"),
        (
            Method::POST,
            "notices",
            &notice(r#""members":["li"]"#, "2026-01-01 10:00"),
            API_TOKEN,
            400,
            "deadline_passed",
        ),
        (
            Method::POST,
            "notices",
            &notice(r#""members":["li"],"fine":{"preset":"sales-staff-2016"}"#, "2h"),
            API_TOKEN,
            400,
            "fine_not_understood",
        ),
        (
            Method::POST,
            "notices",
            &notice(r#""members":["li"],"reminders":[100]"#, "2h"),
            API_TOKEN,
            400,
            "invalid_value",
        ),
        (Method::POST, "ledger/2026-05/close", "", API_TOKEN, 400, "month_open"),
        (Method::GET, "ledger/may", "", API_TOKEN, 400, "invalid_value"),
    ] {
        let request = client.request(method.clone(), house.url(&format!("/api/v1/{path}"))).bearer_auth(token);
        let answer = request.header("content-type", "application/json").body(body.to_owned()).send().await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let problem: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(
            (&problem["status"], &problem["code"]),
            (&json!(status), &json!(code)),
            "{method} {path}: {problem}"
        );
        assert!(kind.starts_with("application/problem+json"), "{method} {path}: {kind}");
    }
}

#[tokio::test]
async fn a_month_of_late_answers_is_settled_closed_and_signed_by_somebody_else() {
    let house = House::start_with("[[api_token]]\nname = \"second\"\nvalue = \"second-token-0123456789\"").await;
    let draft = json!({"text": "请今天提交拜访计划", "groups": [SALES], "deadline": "2h", "accept": ["收到"]});
    let (status, notice) = house.post("/api/v1/notices", draft).await;
    assert_eq!(status, 200, "{notice}");
    house.settled().await;
    let (status, span) = house
        .post("/api/v1/exemptions", json!({"member": "chen", "reason": "产假", "from": "2026-05-01T00:00:00+08:00", "to": "2026-08-01T00:00:00+08:00"}))
        .await;
    assert_eq!(status, 200, "{span}");
    house.say("li", SALES, "收到").await;
    house.later(HOUR * 3).await;
    house.say("sun", SALES, "收到").await;

    let month = house.get("/api/v1/ledger/2026-05").await;
    let lines = month["lines"].as_array().unwrap();
    assert!(lines.iter().all(|line| line["member"] != "li" && line["amount_fen"] == 0), "in time, and no money");
    assert!(lines.iter().any(|line| line["member"] == "sun" && line["late_minutes"] == 60), "{month:#}");
    let waived = json!({"notice": notice["id"], "member": "sun", "settled": "waived", "note": "在拜访客户"});
    assert_eq!(house.post("/api/v1/ledger/settle", waived.clone()).await.0, 200);
    assert_eq!(house.post("/api/v1/ledger/2026-05/close", json!(null)).await.0, 400, "the month is not over");

    house.later(DAY * 31).await;
    let (status, closed) = house.post("/api/v1/ledger/2026-05/close", json!(null)).await;
    assert_eq!(status, 200, "{closed}");
    assert_eq!(house.post("/api/v1/ledger/settle", waived).await.0, 400, "what is closed stays");
    let (status, refused) = house.post("/api/v1/ledger/2026-05/sign", json!({"accept": true})).await;
    assert_eq!((status, refused["detail"].as_str().unwrap()), (400, "要由另一个人复核"));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let signed = client.post(house.url("/api/v1/ledger/2026-05/sign")).bearer_auth("second-token-0123456789");
    assert_eq!(signed.body("{\"accept\":true}").send().await.unwrap().status(), 200);
    assert_eq!(house.get("/api/v1/ledger/2026-05").await["close"]["state"], "signed");

    for (format, begins) in [("csv", "\u{feff}通知,".as_bytes()), ("xlsx", b"PK".as_slice())] {
        let file = client.get(house.url(&format!("/api/v1/ledger/2026-05?format={format}"))).bearer_auth(API_TOKEN);
        let bytes = file.send().await.unwrap().bytes().await.unwrap();
        assert!(bytes.starts_with(begins), "{format}: {bytes:?}");
    }
}

#[tokio::test]
async fn an_activity_is_announced_signed_in_to_and_reported() {
    let house = House::start().await;
    let plan = json!({"title": "产品培训", "groups": [SALES], "starts": "2026-05-04T14:00:00+08:00",
        "ends": "2026-05-04T16:00:00+08:00", "organiser": "wang"});
    let (status, answer) = house.post("/api/v1/activities", plan).await;
    assert_eq!(status, 200, "{answer}");
    house.settled().await;
    let id = answer["id"].as_str().unwrap().to_owned();
    assert!(house.lines(SALES).iter().any(|line| line.contains("产品培训")));
    house.later(HOUR * 3 + SignedDuration::from_mins(45)).await;
    house.say("li", SALES, "签到").await;
    assert_eq!(house.press("zhao", "产品培训", "签到").await, "已签到：准时");
    assert_snapshot!(house.ask("sun", "请假，发烧去医院").await, @"已记下您对活动《产品培训》的请假。");
    house.later(SignedDuration::from_mins(20)).await;
    house.say("chen", SALES, "签到").await;
    house.later(HOUR).await;
    let shown = house.get(&format!("/api/v1/activities/{id}")).await;
    let report = shown["report"].as_str().unwrap().replace(&id, "####");
    assert_snapshot!(report, @r"
    活动 ####《产品培训》签到结果：应到 6 人，准时 2 人，迟到 1 人，请假 1 人，缺席 2 人。
    迟到：陈敏
    请假：孙凯（发烧去医院）
    缺席：王店长、张经理
    ");
    assert!(house.last_told("wang").contains("签到结果"), "the organiser is told");
    house.later(HOUR).await;
    assert_snapshot!(house.last_told("wang").replace(&id, "####"), @"活动《产品培训》已结束，请回复：总结 #### 活动效果和需要改进的地方");
    assert_snapshot!(house.ask("wang", "总结 新品卖点都讲清楚了").await, @"总结已记下，并发到群里。");
    assert_snapshot!(house.lines(SALES).last().unwrap().replace(&id, "####"), @r"
    群管助手：【活动 ####】《产品培训》总结：
    新品卖点都讲清楚了
    ");
}

#[tokio::test]
async fn who_is_unknown_is_named_before_a_notice_goes_out() {
    let house = House::start().await;
    let draft = json!({"text": "明天盘点", "groups": [SALES], "members": ["lisi", "sun", "wangwu"], "deadline": "2h",
        "escalate_to": ["wang"], "approvers": ["hr1"]});
    let (_, preview) = house.post("/api/v1/notices/preview", draft.clone()).await;
    let warnings = json!([
        "members 里有通讯录和群里都没有的人：lisi、wangwu。请核对 userid。",
        "approvers 里有通讯录和群里都没有的人：hr1。请核对 userid。"
    ]);
    assert_eq!((&preview["warnings"], &preview["deadline_text"]), (&warnings, &json!("今天 12:00（北京时间）")));
    let (_, sent) = house.post("/api/v1/notices", draft).await;
    assert_eq!(sent["warnings"], warnings, "whoever did not ask before is told after");
    let elsewhere = json!({"text": "明天盘点", "groups": ["wrNowhere"], "members": ["li"], "deadline": "2h"});
    let (_, preview) = house.post("/api/v1/notices/preview", elsewhere).await;
    assert_eq!(preview["warnings"][0], "没有编号为 wrNowhere 的群，请核对。");
}

#[tokio::test]
async fn a_notice_is_answered_in_private_and_in_the_group() {
    let house = House::start().await;
    let draft = json!({"text": "请今天提交拜访计划", "groups": [SALES], "deadline": "2h", "accept": ["收到"]});
    let (_, notice) = house.post("/api/v1/notices", draft).await;
    house.settled().await;
    let id = notice["id"].as_str().unwrap().to_owned();
    assert_snapshot!(house.ask("li", "收到").await, @"已记下您对通知 #### 的回执，谢谢。");
    assert_snapshot!(house.ask("li", "收到").await, @"好的。目前没有等您回执的通知。");
    assert_snapshot!(house.ask("sun", &format!("特殊情况 {id} 正在出差，晚上才能看")).await, @"已记下您的说明。");
    house.say("chen", SALES, &format!("收到 {id}")).await;
    house.say("zhao", SALES, "没收到").await;
    let status = house.get(&format!("/api/v1/notices/{id}")).await;
    let state = |who: &str| {
        let members = status["members"].as_array().unwrap();
        members.iter().find(|m| m["member"] == who).unwrap()["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (state("li"), state("chen"), state("zhao")),
        ("acknowledged".into(), "acknowledged".into(), "waiting".into())
    );
}

#[tokio::test]
async fn an_owner_publishes_from_the_private_talk_and_never_by_accident() {
    let house = House::start().await;
    let before = house.lines(SALES).len();
    // What was typed in a group or is not complete sends nothing.
    house.say("wang", SALES, "@群管 发通知 2h 明天盘点").await;
    assert_snapshot!(house.ask("li", "发通知 2h 明天盘点").await, @"这条指令只有群主和管理员可以使用。");
    assert_snapshot!(house.ask("wang", "发通知").await, @"用法：发通知 2h 正文（私信我；发给您管理的所有群：发通知 全部 2h 正文）");
    assert_snapshot!(house.ask("wang", "发通知 明天盘点").await, @"用法：发通知 2h 正文（私信我；发给您管理的所有群：发通知 全部 2h 正文）");
    assert_snapshot!(house.ask("wang", "发通知 2h 明天盘点").await, @"您管理着「华东销售群」「会员福利群」。请写明发到哪个群，例如：#群名 发通知 2h 正文；都发：发通知 全部 2h 正文");
    assert_snapshot!(house.ask("wang", "#华东销售群 发通知 09:30 明天盘点").await, @"今天 09:30 已经过了");
    let draft = house.ask("wang", "#华东销售群 发通知 18:00 明天盘点\n请带好工牌").await;
    let drafts = house.get("/api/v1/notices").await;
    let id = drafts["notices"][0]["id"].as_str().unwrap().to_owned();
    assert_snapshot!(draft, @r"
    草稿 ####，还没有发出。
    发到：华东销售群（6 人）
    截止：今天 18:00

    —— 群里会看到 ——
    【通知 ####】请在今天 18:00 前回执
    明天盘点
    请带好工牌

    需回执 5 人。回复“收到”或点私信里的按钮都可以；有特殊情况请私信我：特殊情况 #### 原因
    ————
    没有问题请点下面卡片的“发出”，或回复：发出 ####
    ");
    house.later(SignedDuration::from_secs(1)).await;
    assert_snapshot!(house.last_told("wang").replace(&id, "####"), @r"
    草稿 ####，还没有发出
    明天盘点
    1 个群，6 人，今天 18:00 截止
    [发出] [不发]
    ");
    assert_eq!(house.lines(SALES).len(), before + 1, "nothing but what the owner wrote");
    assert_snapshot!(house.ask("zhang", &format!("发出 {id}")).await, @"只有起草的人可以这样做");
    assert_snapshot!(house.ask("wang", &format!("发出 {id}")).await.replace(&id, "####"), @"通知 #### 正在发出。想知道谁回执了，请发送：通知进度 ####");
    house.settled().await;
    assert_snapshot!(house.ask("wang", &format!("发出 {id}")).await.replace(&id, "####"), @"通知 #### 已经发出过了。");
    assert_snapshot!(house.lines_after(SALES, before + 1).join("\n").replace(&id, "####"), @r"
    群管助手：【通知 ####】请在今天 18:00 前回执
    明天盘点
    请带好工牌

    需回执 5 人。回复“收到”或点私信里的按钮都可以；有特殊情况请私信我：特殊情况 #### 原因
    ");
    house.ask("li", "收到").await;
    assert_snapshot!(house.ask("zhang", &format!("通知进度 {id}")).await.replace(&id, "####"), @r"
    通知 ####（进行中）：1/5 人已回执，豁免 1 人
    还差 4 人：陈敏、孙凯、张经理、赵客服
    ");
    let everywhere = house.ask("wang", "发通知 全部 1天 消防演习").await;
    assert_snapshot!(everywhere.lines().skip(1).take(3).collect::<Vec<_>>().join("\n"), @r"
    发到：华东销售群（6 人）
    发到：会员福利群（2 人）
    截止：明天 10:00
    ");
    assert_snapshot!(house.ask("wang", &format!("取消通知 {id}")).await.replace(&id, "####"), @"通知 #### 已取消。");

    // With the two buttons instead.
    let lines = house.lines(SALES).len();
    house.later(SignedDuration::from_secs(1)).await;
    assert_eq!(house.press("wang", "消防演习", "不发").await, "草稿已作废");
    house.ask("wang", "#华东销售群 发通知 1h 打扫卫生").await;
    house.later(SignedDuration::from_secs(1)).await;
    assert_eq!(house.lines(SALES).len(), lines, "nothing yet");
    assert_eq!(house.press("wang", "打扫卫生", "发出").await, "已确认发出");
    assert!(house.lines(SALES).last().unwrap().contains("打扫卫生"));
    assert_eq!(house.press("wang", "明天盘点", "发出").await, "通知 #### 已取消");
}

#[tokio::test]
async fn a_button_that_settles_nothing_stays_and_a_press_counts_from_its_own_time() {
    let house = House::start().await;
    let confirm = json!({"question": "盘点几点开始？", "answers": ["八点", "九点"], "right": 1});
    let draft = json!({"text": "明天盘点", "groups": [SALES], "deadline": "2h", "confirm": confirm});
    let (_, notice) = house.post("/api/v1/notices", draft).await;
    house.settled().await;
    let id = notice["id"].as_str().unwrap();
    assert_eq!(house.press("li", "明天盘点", "八点").await, "");
    assert_snapshot!(house.last_told("li").replace(id, "####"), @"答案不对，请再读一遍通知 ####，再选一次。");
    assert_eq!(house.press("li", "明天盘点", "特殊情况").await, "");
    assert_snapshot!(house.last_told("li").replace(id, "####"), @"请把情况发给我：特殊情况 #### 原因");
    let by_telephone = json!({"member": "sun", "note": "电话答复"});
    let (status, written) = house.post(&format!("/api/v1/notices/{id}/answers"), by_telephone).await;
    assert_eq!((status, &written["state"]), (200, &json!("acknowledged")), "{written}");
    assert_snapshot!(house.press("li", "明天盘点", "九点").await, @"已回执，谢谢");
    let status = house.get(&format!("/api/v1/notices/{id}")).await;
    assert_eq!(status["acknowledged"], 2);
    let sun = status["members"].as_array().unwrap().iter().find(|m| m["member"] == "sun").unwrap().clone();
    assert_eq!(sun["how"], "person");
}

#[tokio::test]
async fn one_card_in_the_group_counts_instead_of_forty_lines() {
    const PROJECT: &str = "wrNewProducts";
    let house =
        House::start_with_socket(&format!("[[group]]\nid = \"{PROJECT}\"\nkind = \"bot\"\nowner = \"zhang\"")).await;
    // The bot may speak where somebody has spoken to it; the answer shows that it is connected.
    let answered = || async { (house.lines(PROJECT).len() > 3).then_some(()) };
    house
        .until("the bot answers", || async {
            house.act(json!({"do": "post", "as": "zhang", "group": PROJECT, "text": "@群管 帮助"}));
            answered().await
        })
        .await;
    let draft =
        json!({"text": "明天看样品", "groups": [PROJECT], "members": ["zhang", "lin", "chen"], "deadline": "2h"});
    let (_, notice) = house.post("/api/v1/notices", draft).await;
    house.settled().await;
    let id = notice["id"].as_str().unwrap();
    let card = || {
        let group = house.sim.group(PROJECT, Some("lin")).unwrap();
        let mut lines = group["lines"].as_array().unwrap().clone();
        lines.retain(|line| line["card"].is_object());
        assert_eq!(lines.len(), 1, "one card");
        house::readable(&lines[0]).replace(id, "####")
    };
    assert_snapshot!(card(), @r"
    通知 #### 明天看样品
    已回执：0/3
    [收到]
    ");
    let press = async |who: &str, shown: &str| {
        let task = format!("notice-{id}-card-0");
        house.act(json!({"do": "press", "as": who, "group": PROJECT, "task_id": task, "key": format!("notice:{id}:ack:group")}));
        house.until("the card shows the count", || async { card().contains(shown).then_some(()) }).await;
    };
    press("lin", "1/3").await;
    press("chen", "2/3").await;
    press("chen", "2/3").await;
    // Frames are handled in order: once this one is answered, the second press is over.
    let told = house.told("chen").len();
    house.act(json!({"do": "tell_bot", "as": "chen", "text": "我的状态"}));
    house.until("the press is over", || async { (house.told("chen").len() > told).then_some(()) }).await;
    house.ask("zhang", "收到").await;
    assert_snapshot!(card(), @r"
    通知 #### 明天看样品
    已回执：2/3
    [收到]
    ");
    assert_eq!(house.get(&format!("/api/v1/notices/{id}")).await["acknowledged"], 3);
}

#[tokio::test]
async fn what_a_card_cannot_hold_is_sent_before_it_and_the_question_stays_whole() {
    let house = House::start().await;
    let confirm = json!({"question": "盘点几点开始？", "answers": ["八点", "九点"], "right": 1});
    let text = format!("明天盘点。{}盘点九点开始。", "请把货架上的标签核对一遍。".repeat(20));
    let draft = json!({"text": text, "members": ["li"], "deadline": "2h", "confirm": confirm});
    house.post("/api/v1/notices", draft).await;
    house.settled().await;
    let told = house.told("li");
    assert_eq!(told.len(), 2);
    assert!(told[0].ends_with(&text), "{}", told[0]);
    assert!(told[1].contains("…（全文见上一条消息）\n\n盘点几点开始？\n[八点] [九点] [特殊情况]"), "{}", told[1]);
}

#[tokio::test]
async fn the_link_below_a_notice_acknowledges_for_who_opened_it_and_nobody_else() {
    let house = House::start_with("[http]\npublic_url = \"http://bot.invalid\"").await;
    let draft = json!({"text": "明天盘点 <b>", "groups": [SALES], "deadline": "2h"});
    let (_, notice) = house.post("/api/v1/notices", draft).await;
    house.settled().await;
    let id = notice["id"].as_str().unwrap();
    let link = format!("http://bot.invalid/n/{id}");
    assert!(house.lines(SALES).last().unwrap().contains(&link));
    let path = format!("/n/{id}");
    let acknowledged = async || house.get(&format!("/api/v1/notices/{id}")).await["acknowledged"].clone();

    let (status, page, token) = house.open_page("li", &path).await;
    assert!(status == 200 && page.contains("明天盘点 &#60;b&#62;"), "{page}");
    assert_eq!(acknowledged().await, 0, "opening it is no answer");
    let token = token.unwrap();
    assert_eq!(house.press_page(&path, "made-up").await.0, 403);
    let (status, page) = house.press_page(&path, &token).await;
    assert!(status == 200 && page.contains("已记下您对通知"), "{page}");
    assert_eq!(acknowledged().await, 1);
    assert_eq!(house.press_page(&path, &token).await.0, 403, "a page answers once");
    let (_, page, token) = house.open_page("li", &path).await;
    assert!(page.contains("已记下") && token.is_none(), "{page}");

    // Who need not answer learns nothing of it, nor does a customer; a notice that is none looks the same.
    let (_, page, token) = house.open_page("lin", &path).await;
    assert!(page.contains("不需要您回执") && !page.contains("盘点") && token.is_none(), "{page}");
    assert!(house.open_page("lin", "/n/2222").await.1.contains("不需要您回执"));
    assert_eq!(house.open_page("wmZhouLan", &path).await.0, 403);
    // A code that came to another browser opens nothing: it is sent to sign in itself.
    let answer = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = answer.get(house.url(&format!("{path}?code=abc&state=def"))).send().await.unwrap();
    assert!(answer.status().is_redirection());
    // A page left open too long is opened again.
    let (_, _, token) = house.open_page("chen", &path).await;
    house.later(SignedDuration::from_mins(31)).await;
    assert_eq!(house.press_page(&path, &token.unwrap()).await.0, 403);
    assert_eq!(acknowledged().await, 1);
}

#[tokio::test]
async fn the_link_on_a_warning_takes_an_appeal_from_whom_it_concerns_and_nobody_else() {
    let house = House::start_with("[http]\npublic_url = \"http://bot.invalid\"").await;
    house.say("li", SALES, AD).await;
    let case = house.cases(SALES, "li").await.remove(0).id;
    let card = house.inbox("li").pop().unwrap()["card"].clone();
    let link = card["horizontal_content_list"].as_array().unwrap().iter().find_map(|row| row["url"].as_str());
    assert_eq!(link, Some(format!("http://bot.invalid/a/{case}").as_str()));
    let path = format!("/a/{case}");

    let (status, page, token) = house.open_page("li", &path).await;
    assert_eq!(status, 200);
    let words = page.split("<p class=\"notice\">").nth(1).unwrap().split("</p>").next().unwrap();
    assert_snapshot!(words, @r"
    「华东销售群」今天 10:00
    涉及：广告引流
    依据：《微信群管理制度销售》三(2)：无关、不雅、惹人反感的不发
    处置：警告
    失效：6月3日 10:00
    ");
    // Somebody else's case looks like no case at all, to colleagues and customers alike.
    let (_, page, none) = house.open_page("chen", &path).await;
    assert!(page.contains("没有找到您的违规记录") && !page.contains("广告") && none.is_none(), "{page}");
    assert_eq!(house.open_page("wmZhouLan", &path).await.0, 403);
    assert_eq!(house.write_page(&path, "made-up", "不是广告").await.0, 403);

    let (_, page) = house.write_page(&path, &token.unwrap(), "  ").await;
    assert!(page.contains("请先写明理由"), "{page}");
    let token = house::token_of(&page).unwrap();
    let (status, page) = house.write_page(&path, &token, "客户当面要的，不是广告").await;
    assert!(status == 200 && page.contains("申诉已收到"), "{page}");
    assert_eq!(house.write_page(&path, &token, "再来一次").await.0, 403, "a page answers once");
    house.settled().await;
    assert!(house.last_told("wang").contains("申诉理由：客户当面要的，不是广告"), "{}", house.last_told("wang"));
    let (_, page, token) = house.open_page("li", &path).await;
    assert!(page.contains("已在处理中") && token.is_none(), "{page}");
    assert_eq!(house.press("li", "第 1 次", "申诉").await, "申诉处理中");

    assert_eq!(house.press("wang", "申诉理由", "成立，撤销").await, "####：申诉成立，已撤销。");
    assert_eq!(house.member(SALES, "li").await.standing.live_points(house.clock.now()), 0);
    assert!(house.open_page("li", &path).await.1.contains("已经撤销"));
}

#[tokio::test]
async fn who_is_asked_to_take_a_leak_back_can_give_a_reason_or_say_that_it_is_none() {
    const LEAK: &str = "服务器密码 password=Tr0ub4dor&3x";
    let house = House::start().await;
    house.say("li", SALES, LEAK).await;
    assert_snapshot!(house.last_told("li"), @r"
    请撤回一条消息
    华东销售群
    您今天 10:00 的一条消息涉及「泄露机密」，可能含有不宜外传的信息。请在 今天 10:10 前在群里长按该消息撤回。不涉密请点「误报」，确需发送请点「工作需要」。
    依据：泄露机密
    编号：####
    [知道了] [误报] [工作需要]
    ");
    let asked = house.told("wang").len();
    assert_eq!(house.press("li", "请撤回一条消息", "工作需要").await, "已告知管理者");
    let told = house.told("wang");
    assert_eq!(told.len(), asked + 1, "the owner need not wait for the ten minutes");
    assert_snapshot!(told[asked], @r"
    疑似泄露，请关注
    华东销售群
    > 服…（共 27 字）
    李销售 还没有撤回，本人说明：工作需要。请判断是否需要撤回。
    成员：李销售
    时间：今天 10:00
    依据：泄露机密
    请在：今天 10:30 前处理
    编号：####
    [已处理] [误判]
    ");
    house.later(SignedDuration::from_mins(11)).await;
    assert_eq!(house.told("wang").len(), asked + 1, "asked once");
    house.press("wang", "疑似泄露", "已处理").await;
    assert_eq!(house.cases(SALES, "li").await[0].state, CaseState::Closed);

    house.say("chen", SALES, LEAK).await;
    assert_eq!(house.press("chen", "请撤回一条消息", "误报").await, "已提交申诉");
    assert_snapshot!(house.last_told("wang"), @r"
    成员申诉，请处理
    华东销售群
    > 服…（共 27 字）
    申诉理由：本人认为是误报
    成立就撤销记录；不成立请点原因，也可以发：申诉 #### 不成立 您的话
    成员：陈敏
    处置：今天 10:11 提示
    记分：不记分
    依据：泄露机密
    请在：明天 10:11 前答复
    编号：####
    [成立，撤销] [不成立：确属违规] [不成立：群规写明] [不成立：提醒过] [不成立：理由无关]
    ");
    house.press("wang", "误报", "成立，撤销").await;
    assert_snapshot!(house.last_told("chen"), @"您在「华东销售群」的记录 #### 已撤销（申诉成立）。给您添麻烦了。");
    house.press("wang", "这句话以后放行吗", "本群以后放行").await;
    let before = (house.cases(SALES, "chen").await.len(), house.told("chen").len());
    house.say("chen", SALES, LEAK).await;
    house.later(SignedDuration::from_mins(11)).await;
    assert_eq!(
        (house.cases(SALES, "chen").await.len(), house.told("chen").len()),
        before,
        "now it is known to be harmless"
    );
}

#[tokio::test]
async fn everybody_sees_what_was_ordered_for_them_and_the_group_how_violations_are_handled() {
    let house = House::start().await;
    for command in ["豁免 @陈敏 2h", "授权广告 @陈敏 1h", "严管 30m"] {
        house.ask("wang", &format!("#华东销售群 {command}")).await;
    }
    assert_snapshot!(house.ask("chen", "我的状态").await, @r"
    您在「华东销售群」：可以正常发言，没有记分。
    · 豁免：今天 12:00 之前您的消息不处理
    · 授权：今天 11:00 之前可以发广告
    · 本群严管：今天 10:30 之前从严处理
    ");
    assert_snapshot!(house.ask("zhang", "#华东销售群 我的状态").await, @r"
    您在「华东销售群」：可以正常发言，没有记分。
    · 您是管理员，按策略豁免，不记分
    · 本群严管：今天 10:30 之前从严处理
    ");
    let rules = house.ask("chen", "群规").await;
    assert_snapshot!(rules.lines().rev().take(2).collect::<Vec<_>>().join("\n"), @r"
    对处理有异议，可发送「申诉 编号 理由」。
    违规处理：累计 2 分警告，4 分禁言 2 小时，6 分移出。轻 1 分，中 2 分，重 4 分，严重 6 分，30 天后失效。
    ");
    house.ask("wang", "#华东销售群 警告 @李销售 说话不文明").await;
    assert_snapshot!(house.last_told("li"), @r"
    群规提醒（第 1 次）
    华东销售群
    管理者今天 10:00 对您做出处理，记 2 分（累计 2 分）。再次违规将被禁言 2 小时。
    依据：说话不文明
    次数：第 1 次 / 共 3 次
    失效：6月3日 10:00
    编号：####
    [知道了] [申诉]
    ");
    house.say("sun", SALES, AD).await;
    let case = house.cases(SALES, "sun").await.remove(0).id;
    assert_snapshot!(house.ask("wang", &format!("#华东销售群 误判 {case}")).await, @"记录 #### 已记为误判并撤销。只算这一条；以后同样的话要在本群放行，请发：放行 ####。整类说法都没问题的话，请管理员在词表 ads/lure.txt 里写一行「【加】 >2 【微信】 >6 【给】 >4 【好处】 | 允许=说法」。");
    house.later(SignedDuration::from_hours(3)).await;
    assert_snapshot!(house.ask("chen", "我的状态").await, @"您在「华东销售群」：可以正常发言，没有记分。");
}

#[tokio::test]
async fn where_violations_are_counted_nobody_reads_of_points() {
    let house = House::start_under("three-strikes", "group-sales", "").await;
    house.say("li", SALES, AD).await;
    assert_snapshot!(house.ask("li", "我的状态").await, @r"
    您在「华东销售群」：可以正常发言，当前 1 次。
    · ####：广告引流，1 次，6月3日 10:00 失效
    如有异议，发送「申诉 编号 理由」。
    ");
    let case = house.cases(SALES, "li").await.remove(0).id;
    let why = house.ask("li", &format!("为什么 {case}")).await;
    assert!(why.contains("记 1 次，当时累计 1 次。") && !why.contains('分'), "{why}");
}

#[tokio::test]
async fn a_planned_notice_that_cannot_go_out_says_so_to_its_author() {
    let mut house = House::start().await;
    let draft = json!({"text": "每周例会", "departments": ["销售部"], "deadline": "2h", "send_at": "2026-05-04T11:00:00+08:00", "escalate_to": ["zhang"]});
    let (_, notice) = house.post("/api/v1/notices", draft).await;
    let id = notice["id"].as_str().unwrap();
    // The department is gone when its time has come.
    house.settled().await;
    let mut book = house.store().document("contacts", "book").await.unwrap().unwrap();
    book.body["departments"]["2"]["name"] = json!("营销部");
    house.store().commit(qunguan::store::Commit { documents: vec![book], ..Default::default() }).await.unwrap();
    house.stop_bot().await;
    house.fault(FaultKind::Error { code: 60011 }, Some("department/"), None);
    house.start_bot().await;
    house.later(HOUR).await;
    assert_snapshot!(house.last_told("zhang").replace(id, "####"), @"通知 ####（每周例会）原定今天 11:00 发送，没有发出：没有部门“销售部”，或通讯录里读不到。它已取消，可以改好再发一次。");
    assert_eq!(house.get(&format!("/api/v1/notices/{id}")).await["state"], "cancelled");
}

#[tokio::test]
async fn working_time_follows_the_companys_own_holidays_as_soon_as_the_file_changes() {
    let mut house = House::empty(house::morning(), "").await;
    house.write_settings();
    house.start_bot().await;
    let deadline = async || {
        let draft = json!({"text": "x", "groups": [SALES], "deadline": "work:120m"});
        house.post("/api/v1/notices/preview", draft).await.1["deadline"].as_str().unwrap().to_owned()
    };
    let first = deadline().await;
    let file = "[[year]]\nyear = 2026\nholidays = [\"2026-05-04\"]\nworkdays = []\n";
    assert_eq!(house.rewrite(&[("holidays.toml", file)]).await, [""; 0]);
    assert_snapshot!(format!("{first} → {}", deadline().await), @"2026-05-06T03:00:00Z → 2026-05-05T03:00:00Z");
    let refused = house.rewrite(&[("holidays.toml", &file.replace("05-04", "05-xx"))]).await;
    assert!(refused[0].ends_with("config/holidays.toml:3: `2026-05-xx` 不是日期"), "{refused:?}");
}

#[tokio::test]
async fn a_notice_sent_again_under_its_key_is_the_same_one_even_after_a_restart() {
    let mut house = House::start().await;
    let draft = json!({"text": "明天盘点", "groups": [SALES], "deadline": "2h"});
    let other = json!({"text": "明天不盘点", "groups": [SALES], "deadline": "2h"});
    let (status, first) = house.post_as("k1", "/api/v1/notices", &draft).await;
    assert_eq!(status, 200);
    house.stop_bot().await;
    house.start_bot().await;
    assert_eq!(house.post_as("k1", "/api/v1/notices", &draft).await, (200, first.clone()));
    let (status, taken) = house.post_as("k1", "/api/v1/notices", &other).await;
    assert_eq!((status, &taken["code"]), (409, &json!("key_taken")));
    assert_ne!(house.post_as("k2", "/api/v1/notices", &draft).await.1["id"], first["id"]);
    house.settled().await;
    let announced = house.lines(SALES).iter().filter(|line| line.contains("明天盘点")).count();
    assert_eq!(announced, 2, "one for each key");
}

/// A group that the app makes, as a company's own program would.
async fn app_group(house: &House, id: &str, owner: &str, people: &[&str]) {
    let c = house.sim.credentials();
    let call = async |path: String, body: serde_json::Value| -> serde_json::Value {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = http.post(format!("{}/cgi-bin/{path}", c.api_base)).json(&body).send().await.unwrap();
        answer.json().await.unwrap()
    };
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = format!("{}/cgi-bin/gettoken?corpid={}&corpsecret={}", c.api_base, c.corp_id, c.app.secret);
    let token: serde_json::Value = http.get(ask).send().await.unwrap().json().await.unwrap();
    let token = token["access_token"].as_str().unwrap();
    let body = json!({"chatid": id, "name": id, "owner": owner, "userlist": people});
    assert_eq!(call(format!("appchat/create?access_token={token}"), body).await["errcode"], 0);
}

#[tokio::test]
async fn the_worst_takes_somebody_out_of_the_owners_other_groups_and_of_nobody_elses() {
    let groups = ["wrSister", "wrStranger"].map(|id| format!("[[group]]\nid = \"{id}\"\nmode = \"full\"\n")).concat();
    let mut house = House::empty(house::morning(), &groups).await;
    app_group(&house, "wrSister", "wang", &["wang", "li", "chen"]).await;
    app_group(&house, "wrStranger", "zhang", &["zhang", "li", "chen"]).await;
    house.start_bot().await;
    let groups_of = |who: &str| [SALES, "wrSister", "wrStranger"].map(|group| house.is_member(group, who));
    house.say("chen", SALES, AD).await;
    house.say("chen", SALES, AD).await;
    assert_eq!(groups_of("chen"), [false, true, true], "an advert is the matter of one group");
    house.say("li", SALES, "澳门皇冠注册送彩金，首存翻倍").await;
    assert_eq!(groups_of("li"), [false, false, true]);
    assert_snapshot!(house.told("li").join("\n——\n"), @r"
    您已被移出群聊
    华东销售群
    您今天 10:00 的一条消息涉及「赌博」，记 6 分（累计 6 分），按群规移出。如有异议，请点「申诉」。
    依据：《微信群管理制度销售》六(2)：情节严重立即移出，保留证据
    次数：第 1 次
    失效：6月3日 10:00
    编号：####
    [知道了] [申诉]
    ");
}

#[tokio::test]
async fn what_is_only_minded_in_working_hours_is_let_be_at_night() {
    let mut house = House::empty_under(
        "own",
        "group-sales",
        "[working_hours]\nfrom = \"09:00\"\nto = \"18:00\"\nworkdays = [\"2026-05-04\"]",
    )
    .await;
    house.write(
        "policies/own.toml",
        "title = \"白天管灌水\"\nversion = 1\n[category.junk]\nwhen = \"working\"\nseverity = \"medium\"\n",
    );
    house.start_bot().await;
    let junk = "转发到三个群有好运，不转倒霉";
    house.say("li", SALES, junk).await;
    house.later(HOUR * 12).await;
    house.say("chen", SALES, junk).await;
    let cases = [house.cases(SALES, "li").await.len(), house.cases(SALES, "chen").await.len()];
    assert_eq!(cases, [1, 0], "minded at ten in the morning, not at ten at night");
}

#[tokio::test]
async fn a_department_is_asked_and_its_superior_gets_the_list() {
    let house = House::start().await;
    let (status, answer) =
        house.post("/api/v1/notices", json!({"text": "x", "departments": ["没有的部门"], "deadline": "2h"})).await;
    assert_eq!((status, answer["detail"].as_str().unwrap()), (400, "没有部门“没有的部门”，或通讯录里读不到"));
    let draft = json!({"text": "请今天提交拜访计划", "departments": ["销售部"], "deadline": "2h"});
    let (_, notice) = house.post("/api/v1/notices", draft).await;
    house.settled().await;
    let id = notice["id"].as_str().unwrap();
    for who in ["wang", "li", "sun"] {
        house.ask(who, "收到").await;
    }
    let before = house.told("zhang").len();
    for minutes in [61, 50, 10, 10] {
        house.later(SignedDuration::from_mins(minutes)).await;
    }
    let told = house.told("zhang").split_off(before).join("\n——\n").replace(id, "####");
    assert_snapshot!(told, @r"
    还差您的回执：通知 ####，今天 12:00 截止
    还剩 59 分钟。请今天提交拜访计划
    [收到] [特殊情况]
    ——
    还差您的回执：通知 ####，今天 12:00 截止
    还剩 9 分钟。请今天提交拜访计划
    [收到] [特殊情况]
    ——
    通知 #### 已截止
    通知 #### 已在今天 12:00 截止，还没有收到您的回执：请今天提交拜访计划
    现在回执会记为迟到；有特殊情况请回复：特殊情况 #### 原因
    [收到] [特殊情况]
    ——
    通知 #### 已在今天 12:00 截止：请今天提交拜访计划
    您的团队还有 1 人未回执：陈敏
    ");
    let status = house.get(&format!("/api/v1/notices/{id}")).await;
    let departments: Vec<_> = status["members"].as_array().unwrap().iter().map(|m| m["department"].clone()).collect();
    assert_eq!(departments, [json!("销售部"), json!("销售部"), json!("销售部"), json!("销售部"), json!("销售部")]);
}

#[tokio::test]
async fn too_many_removals_trip_the_breaker_and_one_word_takes_them_back() {
    let house = House::start_under("strict", "group-sales", "").await;
    for who in ["li", "chen"] {
        house.say(who, SALES, AD).await;
        assert!(!house.is_member(SALES, who), "{who} is out");
    }
    assert!(!house.get("/readyz").await.to_string().contains("熔断"));
    house.say("sun", SALES, AD).await;
    house.say("zhao", SALES, AD).await;
    assert!(house.is_member(SALES, "zhao"), "three of six within the hour: now it is only recorded");
    let held = house.cases(SALES, "zhao").await;
    assert_eq!((held.len(), held[0].history[0].what.as_str(), held[0].step), (1, "held", Step::None));
    let ready = house.get("/readyz").await.to_string();
    assert!(ready.contains("「华东销售群」已熔断"), "{ready}");
    assert!(house.last_told("wang").contains("恢复"), "the owner is asked: {}", house.last_told("wang"));
    let out =
        |house: &House| ["li", "chen", "sun", "zhao"].into_iter().filter(|who| !house.is_member(SALES, who)).count();
    let before = out(&house);
    assert_snapshot!(house.ask("li", "#华东销售群 熔断 撤销").await, @"这条指令只有群主和管理员可以使用。");
    assert_eq!(out(&house), before, "only the owner and admins may");
    assert_snapshot!(house.ask("wang", "#华东销售群 熔断 撤销").await, @"「华东销售群」已撤销 3 次移出，并恢复自动处置。");
    house.settled().await;
    assert_eq!(out(&house), 0, "everybody is back");
    assert!(!house.get("/readyz").await.to_string().contains("熔断"));
    assert_snapshot!(house.ask("wang", "#华东销售群 熔断 恢复").await, @"没有熔断，无需处理");
    house.say("li", SALES, AD).await;
    assert!(!house.is_member(SALES, "li"), "it acts again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_words_are_read_while_messages_come_and_none_is_lost() {
    let mut house = House::empty(house::morning(), "").await;
    house.write_settings();
    house.start_bot().await;
    let letters: Vec<char> = ('\u{4e00}'..='\u{4f30}').take(47).collect();
    let word = |n: usize| -> String { (0..4).map(|place| letters[n / 47_usize.pow(place) % 47]).collect() };
    let list: String = (0..100_000).map(|n| word(n) + "\n").collect();
    let list = format!("[阶段=执行 分=3]\n{list}");
    let asked = format!("今天到货 {}", word(54_321));
    let verdict =
        async || house.post("/api/v1/check", json!({"text": asked, "group": SALES})).await.1["verdict"].clone();
    assert_eq!(verdict().await, "clean");

    let (read, finished) = tokio::sync::watch::channel(false);
    let sending = async {
        let mut sent = 0;
        // The last one is sent when the new words are in force.
        while !*finished.borrow() || sent == 0 {
            let message = json!({"id": format!("m{sent}"), "group": SALES, "sender": format!("p{sent}"), "at": house.clock_text(), "text": format!("第{sent}单到了")});
            let (status, body) = house.post("/api/v1/messages", json!({"messages": [message]})).await;
            assert_eq!((status, &body["results"][0]["verdict"]), (200, &json!("clean")), "message {sent}");
            sent += 1;
        }
        sent
    };
    let reading = async {
        assert_eq!(house.rewrite(&[("wordlists/ads/many.txt", &list)]).await, [""; 0]);
        read.send(true).unwrap();
    };
    let (sent, ()) = tokio::join!(sending, reading);
    assert_eq!(verdict().await, "act");
    // Each is there exactly once: sent again, every one is known already.
    for n in 0..sent {
        let message = json!({"id": format!("m{n}"), "group": SALES, "sender": format!("p{n}"), "at": house.clock_text(), "text": format!("第{n}单到了")});
        let (_, body) = house.post("/api/v1/messages", json!({"messages": [message]})).await;
        assert_eq!(body["results"][0]["duplicate"], true, "message {n}");
    }
    println!("{sent} messages were answered while 100,000 words were read");
}

#[tokio::test]
async fn what_is_ones_own_business_is_answered_in_private_and_never_shows_somebody_else() {
    const PROJECT: &str = "wrNewProducts";
    let group = format!("[[group]]\nid = \"{PROJECT}\"\nkind = \"bot\"\nmode = \"assisted\"\nowner = \"zhang\"");
    let house = House::start_with(&group).await;
    house.say("lin", PROJECT, AD).await;
    let case = house.cases(PROJECT, "lin").await.remove(0).id;
    let before = house.lines(PROJECT).len();
    for (who, text) in [
        ("lin", "@群管 我的状态".to_owned()),
        ("zhang", format!("@群管 为什么 {case}")),
        ("lin", "@群管 为什么 9999".to_owned()),
        ("lin", format!("@群管 申诉 {case} 客户要的")),
    ] {
        house.say(who, PROJECT, &text).await;
    }
    let group = house.lines_after(PROJECT, before).join("\n").replace(case.as_str(), "####");
    assert_snapshot!(group, @r"
    林采购：@群管 我的状态
    群管：已私信您。没收到的话，请到群管应用里直接问我。
    张经理：@群管 为什么 ####
    群管：已私信您。没收到的话，请到群管应用里直接问我。
    林采购：@群管 为什么 9999
    群管：已私信您。没收到的话，请到群管应用里直接问我。
    林采购：@群管 申诉 #### 客户要的
    群管：已私信您。没收到的话，请到群管应用里直接问我。
    ");
    assert_snapshot!(house.last_told("lin"), @"申诉已收到（记录 ####），会由另一位管理者在 24 小时内处理，结果私信您。");
    let why = house.told("zhang").into_iter().find(|text| text.starts_with("记录 ####"));
    assert_snapshot!(why.unwrap_or_default(), @r"
    记录 ####（今天 10:00）：广告引流，中，处置：警告。记 2 分，当时累计 2 分。6月3日 10:00 失效。
    原话：加我V信领红包
    命中：「加我V信领红包」，读作「加我微信领红包」（广告引流）
    · 今天 10:00 广告引流（中）：计 2 分，有效共 2 分
    ");
}

#[tokio::test]
async fn without_a_private_way_only_ones_own_record_is_shown() {
    const PROJECT: &str = "wrNewProducts";
    let group = format!("[[group]]\nid = \"{PROJECT}\"\nkind = \"bot\"\nmode = \"assisted\"\nowner = \"zhang\"");
    // A dry run: nothing is sent but answers in place.
    let house = House::start_rehearsing(&group).await;
    house.say("lin", PROJECT, AD).await;
    let case = house.cases(PROJECT, "lin").await.remove(0).id;
    let before = house.lines(PROJECT).len();
    house.say("zhang", PROJECT, &format!("@群管 为什么 {case}")).await;
    house.say("lin", PROJECT, &format!("@群管 为什么 {case}")).await;
    let group = house.lines_after(PROJECT, before).join("\n").replace(case.as_str(), "####");
    assert_snapshot!(group, @r"
    张经理：@群管 为什么 ####
    群管：这条记录不是您本人的，请私信问我，不在群里公开。
    林采购：@群管 为什么 ####
    群管：记录 ####（今天 10:00）：广告引流，中，处置：警告。记 2 分，当时累计 2 分。6月3日 10:00 失效。
    · 今天 10:00 广告引流（中）：计 2 分，有效共 2 分
    · 今天 10:00 只观察：正式执行时会警告
    ");
}

#[tokio::test]
async fn where_nothing_is_done_nobody_is_told_that_it_is() {
    let house = House::start_rehearsing("").await;
    for command in ["警告 李销售 跑题", "禁言 李销售 1h 跑题", "移出 李销售 跑题 确认"] {
        let answer = house.ask("zhang", &format!("#华东销售群 {command}")).await;
        assert!(answer.contains("目前只观察") && answer.ends_with("不会执行。"), "{answer}");
    }
    assert_eq!(house.told("li"), [""; 0]);
    assert!(house.is_member(SALES, "li"));
    let standing = house.get(&format!("/api/v1/groups/{SALES}/members/li")).await;
    assert_eq!(standing["state"], "normal", "{standing}");
    // In a group where the owner has the hands, the answer says so.
    let house = House::start().await;
    assert_snapshot!(house.ask("wang", "#会员福利群 移出 吴昊 发广告 确认").await, @"已记录（####），对「吴昊」的移出要在企业微信里操作，已发卡片给群主。");
}

#[tokio::test]
async fn errands_are_forgotten_with_the_messages_and_cases_stay_whole() {
    let house = House::start().await;
    house.say("li", SALES, AD).await;
    let notice = json!({"text": "明天盘点", "groups": [SALES], "deadline": "2h"});
    assert_eq!(house.post("/api/v1/notices", notice).await.0, 200);
    house.settled().await;
    house.later(HOUR * 24).await;
    let ended = async || {
        let query = qunguan::store::TaskQuery { limit: 999, ..Default::default() };
        let tasks = house.store().tasks(&query).await.unwrap();
        let (of_cases, errands): (Vec<_>, Vec<_>) =
            tasks.into_iter().filter(|task| task.state.is_final()).partition(|task| task.case.is_some());
        (of_cases.len(), errands.len())
    };
    let (of_cases, errands) = ended().await;
    assert!(of_cases > 0 && errands > 0, "{of_cases} {errands}");
    for _ in 0..3 {
        house.later(HOUR * 24 * 31).await; // the deadline, the end of the notice, and the retention of both
    }
    assert_eq!(ended().await, (of_cases, 0));
    assert_eq!(house.cases(SALES, "li").await.len(), 1);
}

#[tokio::test]
async fn a_manager_of_several_groups_is_asked_which_one_in_their_own_words() {
    let house = House::start().await;
    assert_snapshot!(house.ask("wang", "禁言 李销售 30m").await, @"您在 2 个群里，请在前面写明群名，例如：#华东销售群 禁言 李销售 30m");
    assert_snapshot!(house.ask("wang", "群规").await, @"您在 2 个群里，请在前面写明群名，例如：#华东销售群 群规");
    assert_snapshot!(house.ask("wang", "我的状态").await, @r"
    您在「华东销售群」：可以正常发言，没有记分。
    · 您是群主，按策略豁免，不记分
    您在「会员福利群」：可以正常发言，没有记分。
    · 您是群主，按策略豁免，不记分
    ");
    assert_snapshot!(house.ask("wang", "#华南群 群规").await, @"没有找到群「华南群」，请写全群名，例如：#华东销售群 群规");
    assert_snapshot!(house.ask("li", "禁言 陈敏 30m").await, @"这条指令只有群主和管理员可以使用。");
    assert!(house.ask("wang", "帮助").await.contains("· 移出 @成员"));
    assert!(!house.ask("li", "帮助").await.contains("· 移出 @成员"));

    assert_snapshot!(house.ask("wang", "#华东销售群 解除警告 李销售").await, @"「李销售」没有记分");
    house.say("li", SALES, AD).await;
    assert_snapshot!(house.ask("wang", "#华东销售群 解除警告 @李销售").await, @"记录 #### 已撤销。如果这句话本来没问题，请发送「误判 ####」。");
    assert_eq!(house.member(SALES, "li").await.standing.live_points(house::morning()), 0);
    // Forgiven is not misjudged, until somebody says so: then the same words pass.
    let forgiven = house.cases(SALES, "li").await.remove(0).id;
    assert_snapshot!(house.ask("wang", &format!("#华东销售群 误判 {forgiven}")).await, @"记录 #### 早已撤销，已记为误判。以后同样的话要在本群放行，请发：放行 ####");
    assert_snapshot!(house.ask("wang", &format!("#华东销售群 误判 {forgiven}")).await, @"#### 已经记为误判了");
    house.ask("wang", &format!("放行 {forgiven}")).await;
    house.say("chen", SALES, AD).await;
    assert_eq!(house.cases(SALES, "chen").await.len(), 0);
    house.ask("wang", "#华东销售群 警告 陈敏 跑题").await;
    house.ask("wang", "#华东销售群 禁言 陈敏 30m 跑题").await;
    assert_snapshot!(house.ask("wang", "#华东销售群 解除警告 陈敏").await, @"「陈敏」有 2 条记录，请写编号：####、####");
    assert_snapshot!(house.ask("wang", "#华东销售群 解除警告 陈明").await, @"「华东销售群」没有编号或成员「陈明」");
    assert_snapshot!(house.ask("wang", "#华东销售群 严管 关").await, @"「华东销售群」已恢复平常尺度。");
}

#[tokio::test]
async fn one_message_counts_once_however_many_report_it() {
    const WORDS: &str = "明天大家都去隔壁那家买，他们便宜";
    let house = House::start().await;
    // The bot has dealt with it: nobody is asked again.
    house.say("li", SALES, AD).await;
    assert_snapshot!(house.ask("chen", &format!("#华东销售群 举报 {AD}")).await, @"这条消息已经按群规处理了。谢谢您维护群里的秩序。");
    assert_eq!(house.told("wang"), [""; 0]);
    assert_eq!(house.cases(SALES, "li").await.len(), 1);
    // Two members report what the bot let pass, and a person finds both right.
    house.say("sun", SALES, WORDS).await;
    for who in ["chen", "li"] {
        house.ask(who, &format!("#华东销售群 举报 {WORDS}")).await;
    }
    assert_snapshot!(house.press("wang", WORDS, "属实").await, @"已记为「属实」（####）");
    assert_snapshot!(house.press("wang", WORDS, "属实").await, @"已记为「属实」；这条消息已处理过");
    assert_eq!(house.cases(SALES, "sun").await.len(), 1);
    for who in ["chen", "li"] {
        assert!(house.last_told(who).contains("经查属实"), "{:?}", house.told(who));
    }
}

#[tokio::test]
async fn where_wecom_keeps_the_member_list_back_people_still_have_names() {
    let house = House::start_without_archive(false, "").await;
    let at = house.clock_text();
    let message = json!({"id": "1", "group": STAFF, "sender": "lin", "at": at, "text": "你这个傻逼滚出去"});
    let (status, body) = house.post("/api/v1/messages", json!({"messages": [message]})).await;
    assert_eq!(status, 200, "{body}");
    house.settled().await;
    let asked = house.last_told("zhang");
    assert!(asked.contains("林采购") && !asked.contains("lin"), "{asked}");
    assert_snapshot!(house.ask("zhang", "#门店内部群 豁免 @林采购 2h").await, @"林采购：今天 12:00 之前不再处理。");
    assert_snapshot!(house.ask("zhang", "#门店内部群 豁免 @林先生 2h").await, @"群里没有「林先生」");
}

#[tokio::test]
async fn what_shows_beside_the_words_is_judged_like_words() {
    let house = House::start().await;
    let parts = [
        ("link", json!({"title": AD, "description": "点开看", "link_url": "https://shop.example/1"})),
        ("weapp", json!({"title": AD, "displayname": "小程序"})),
        ("file", json!({"filename": format!("{AD}.pdf"), "filesize": 9})),
        ("redpacket", json!({"wish": AD, "type": 1, "totalcnt": 1, "totalamount": 1})),
        ("docmsg", json!({"title": AD, "link_url": "https://doc.example/1"})),
    ];
    for ((kind, body), who) in parts.into_iter().zip(["li", "chen", "sun", "zhao", "zhang"]) {
        house.act(json!({"do": "post", "as": who, "group": SALES, "msgtype": kind, "body": body}));
        house.settled().await;
        let cases = house.cases(SALES, who).await;
        let admin = who == "zhang"; // whom no rule binds
        assert_eq!(cases.len(), usize::from(!admin), "{kind}");
        if let Some(case) = cases.first() {
            assert_eq!(case.category, Category::Ads, "{kind}");
            assert!(case.evidence.contains(AD), "{kind}: {}", case.evidence);
        }
    }
}

#[tokio::test]
async fn a_forwarded_record_is_its_senders_word_only_where_the_rulebook_says_so() {
    let record = json!({"title": "群聊的聊天记录", "item": [
        {"type": "ChatRecordText", "msgtime": 1_700_000_000, "content": json!({"content": "早"}).to_string()},
        {"type": "chatrecord", "content": json!({"title": "里层", "item": [
            {"type": "ChatRecordText", "content": json!({"content": AD}).to_string()},
        ]}).to_string()},
    ]});
    let forward = |house: &House| {
        house.act(json!({"do": "post", "as": "li", "group": SALES, "msgtype": "chatrecord", "body": record}));
    };
    let lenient = House::start().await;
    forward(&lenient);
    lenient.settled().await;
    let cases = lenient.cases(SALES, "li").await;
    assert_eq!(cases.len(), 1, "a person looks");
    assert_eq!((cases[0].step, cases[0].points), (Step::Review, 0), "somebody else said it");

    let mut strict = House::empty_under("default", "own", "").await;
    strict.write(
        "rulebooks/own.toml",
        "title = \"销售群群规\"\nversion = 1\nannounce_days = 3\n[[clause]]\nid = \"1\"\ncite = \"第一条\"\n\
         text = \"转发的内容视同本人发言\"\ncheck = [\"ads\", \"forwarded\"]\n",
    );
    strict.write_settings();
    strict.start_bot().await;
    forward(&strict);
    strict.settled().await;
    let case = strict.cases(SALES, "li").await.remove(0);
    assert_eq!((case.category, case.clause.as_deref()), (Category::Ads, Some("own@1/1")));
    assert!(case.evidence.contains(AD), "the judge sees it: {}", case.evidence);
}

#[tokio::test]
async fn a_token_does_what_its_scopes_and_groups_allow_and_no_more() {
    use reqwest::{Client, Method};
    let house = House::start_with(&format!(
        r#"[[api_token]]
name = "pipeline"
value = "pipeline-token-0123456789"
scopes = ["messages:write", "check"]

[[api_token]]
name = "sales"
value = "sales-token-0123456789012"
scopes = ["cases:read", "notices"]
groups = ["{SALES}"]

[[api_token]]
name = "hr"
value = "hr-token-0123456789012345"
scopes = ["ledger", "notices"]
person = "wang"
"#
    ))
    .await;
    let client = Client::new();
    let ask = async |method: Method, path: &str, token: &str, body: serde_json::Value| {
        let request = client.request(method, house.url(&format!("/api/v1/{path}"))).bearer_auth(token).json(&body);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<serde_json::Value>().await.unwrap_or_default())
    };
    let (pipeline, sales, hr) = ("pipeline-token-0123456789", "sales-token-0123456789012", "hr-token-0123456789012345");
    assert_eq!(ask(Method::POST, "check", pipeline, json!({"text": "早上好"})).await.0, 200);
    let waive = json!({"notice": "AAAA", "member": "sun", "settled": "waived", "note": ""});
    let (status, refused) = ask(Method::POST, "ledger/settle", pipeline, waive.clone()).await;
    assert_eq!((status, &refused["code"]), (403, &json!("forbidden")));
    assert_snapshot!(refused["detail"].as_str().unwrap(), @"令牌 `pipeline` 没有 `ledger`（台账）权限，请在设置的 [[api_token]] 里加到 scopes");
    for path in ["cases", "tasks", "rules", "ledger/2026-05", "notices", "exemptions"] {
        assert_eq!(ask(Method::GET, path, pipeline, json!(null)).await.0, 403, "{path}");
    }
    assert_eq!(ask(Method::POST, "cases/ZZZZ/verdict", pipeline, json!({"violation": true})).await.0, 403);
    // A token of one group reads that one and nothing of the whole company.
    assert_eq!(ask(Method::GET, &format!("cases?group={SALES}"), sales, json!(null)).await.0, 200);
    assert_eq!(ask(Method::GET, &format!("cases?group={STAFF}"), sales, json!(null)).await.0, 403);
    assert_eq!(ask(Method::GET, "cases", sales, json!(null)).await.0, 403);
    let elsewhere = json!({"text": "请回执", "groups": [STAFF], "deadline": "2h"});
    let (status, refused) = ask(Method::POST, "notices", sales, elsewhere).await;
    assert_eq!(status, 403, "{refused}");
    assert_eq!(ask(Method::GET, "exemptions", sales, json!(null)).await.0, 403);
    // A person's token is that person where two are wanted.
    let own = json!({"member": "wang", "from": house.clock.now(), "to": house.clock.now() + DAY, "reason": "出差"});
    let (status, refused) = ask(Method::POST, "exemptions", hr, own).await;
    assert_eq!((status, &refused["code"]), (400, &json!("same_person")), "{refused}");
}
