//! The console over HTTP: who comes in, who sees what, what a press of a button does, and that everything works without a
//! script.

#[path = "common/house.rs"]
mod house;

use std::{collections::BTreeMap, process::Stdio};

use house::{AD, CUSTOMERS, House, SALES};
use qunguan::{
    access::{AccountRole, Action},
    accounts::{Accounts, Wanted, at_the_machine},
    console::{Needs, ways},
    model::{Clock, SignedDuration, Timestamp},
};
use reqwest::{Client, Response, redirect::Policy};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

const PASSWORD: &str = "correct horse 2026";
const PUBLIC: &str = "[http]\npublic_url = \"http://bot.invalid\"\n";

/// A browser without scripts.
struct Browser<'h> {
    house: &'h House,
    http: Client,
    cookie: Option<String>,
}

impl<'h> Browser<'h> {
    fn new(house: &'h House) -> Self {
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Self { house, http, cookie: None }
    }

    /// In, as somebody of this role.
    async fn with(house: &'h House, name: &str, role: AccountRole, groups: &[&str]) -> Self {
        let accounts = house.accounts();
        let groups = (!groups.is_empty()).then(|| groups.iter().map(|id| (*id).into()).collect());
        let wanted = Wanted { role, person: None, groups };
        let code = accounts.create(&at_the_machine(), name, &wanted).await.unwrap();
        accounts.choose_password(&code, "", PASSWORD).await.unwrap();
        let mut browser = Self::new(house);
        let answer = browser.send("/login", &[("name", name), ("password", PASSWORD)]).await;
        assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/"));
        browser
    }

    fn take(&mut self, answer: &Response) {
        for line in answer.headers().get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            if let Some((name, value)) = pair.split_once('=').filter(|(name, _)| name.ends_with("session")) {
                self.cookie = (!value.is_empty()).then(|| format!("{name}={value}"));
            }
        }
    }

    async fn get(&self, path: &str) -> Response {
        let request = self.http.get(self.house.url(path));
        let request = self.cookie.iter().fold(request, |request, cookie| request.header("cookie", cookie));
        request.send().await.unwrap()
    }

    /// A page, which must be there.
    async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path} {}", answer.text().await.unwrap());
        let text = answer.text().await.unwrap();
        assert!(text.len() < 150_000, "{path} weighs {}", text.len());
        assert!(!text.contains("<script>") && !text.contains(" style=") && !text.contains(" on"), "{path}: inline");
        text
    }

    async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let request = self.http.post(self.house.url(path)).header("content-type", "application/x-www-form-urlencoded");
        let request = self.cookie.iter().fold(request, |request, cookie| request.header("cookie", cookie));
        let answer = request.body(form(fields)).send().await.unwrap();
        self.take(&answer);
        answer
    }

    /// Sends a form of the page that is open; says what the next page says about it.
    async fn press(&mut self, from: &str, path: &str, fields: &[(&str, &str)]) -> String {
        let token = house::token_of(&self.page(from).await).unwrap();
        let mut all = vec![("token", token.as_str())];
        all.extend(fields);
        let answer = self.send(path, &all).await;
        let status = answer.status().as_u16();
        if status != 303 {
            return format!("{status} {}", answer.text().await.unwrap());
        }
        let told = answer.headers().get("set-cookie").map(|line| line.to_str().unwrap().split(';').next().unwrap());
        let request = self.http.get(self.house.url(location(&answer)));
        let cookies: Vec<&str> = self.cookie.as_deref().into_iter().chain(told).collect();
        let page = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        let text = page.text().await.unwrap();
        let told = text.split("role=\"status\">").nth(1).unwrap_or_default();
        self.house.settled().await;
        told.split('<').next().unwrap().to_owned()
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

fn location(answer: &Response) -> &str {
    answer.headers().get("location").map_or("", |to| to.to_str().unwrap())
}

#[tokio::test]
async fn the_first_link_leads_in_and_a_wrong_password_does_not() {
    let house = House::start().await;
    let accounts = house.accounts();
    let code = accounts.setup_code().await.unwrap().unwrap();
    let mut browser = Browser::new(&house);
    assert_eq!(location(&browser.get("/").await), "/login");
    assert_eq!(location(&browser.get("/cases?state=open").await), "/login?next=%2Fcases%3Fstate%3Dopen");
    let page = browser.page(&format!("/setup?code={code}")).await;
    assert!(page.contains("第一个账号"), "{page}");
    let fields = [("code", code.as_str()), ("name", "老板"), ("password", "short"), ("again", "short")];
    let answer = browser.send("/setup", &fields).await;
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("密码至少 10 个字"));
    let fields = [("code", code.as_str()), ("name", "老板"), ("password", PASSWORD), ("again", PASSWORD)];
    let answer = browser.send("/setup", &fields).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/"));
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("qunguan_session=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    let today = browser.page("/").await;
    assert!(today.contains("今天还没有读到消息") && today.contains("老板"), "{today}");
    assert_eq!(browser.get(&format!("/setup?code={code}")).await.status(), 410, "once");

    let mut other = Browser::new(&house);
    for name in ["老板", "没有这个人"] {
        let answer = other.send("/login", &[("name", name), ("password", "wrong password")]).await;
        assert_eq!(answer.status(), 401);
        assert!(answer.text().await.unwrap().contains("名字、密码或动态码不对。"));
    }
    let fields = [("name", "老板"), ("password", PASSWORD), ("next", "//evil.example")];
    let answer = other.send("/login", &fields).await;
    assert_eq!((answer.status().as_u16(), location(&answer)), (303, "/"), "nobody is sent elsewhere");
    let token = house::token_of(&other.page("/").await).unwrap();
    let left = other.send("/logout", &[("token", &token)]).await;
    assert_eq!((location(&left), other.cookie.as_deref()), ("/login", None));
}

#[tokio::test]
async fn over_https_the_cookie_is_this_host_s_alone() {
    let house = House::start_with(&PUBLIC.replace("http://bot.invalid", "https://bot.invalid")).await;
    Browser::with(&house, "老板", AccountRole::Root, &[]).await;
    let http = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let fields = form(&[("name", "老板"), ("password", PASSWORD)]);
    for (name, value) in [("host", "bot.invalid"), ("origin", "https://bot.invalid"), ("x-forwarded-proto", "https")] {
        let request = http.post(house.url("/login")).header("content-type", "application/x-www-form-urlencoded");
        let answer = request.header(name, value).body(fields.clone()).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.starts_with("__Host-qunguan=") && cookie.ends_with("; Secure"), "{name}: {cookie}");
    }
}

#[tokio::test]
async fn a_form_of_another_site_or_an_old_page_does_nothing() {
    let house = House::start().await;
    house.say("sun", SALES, AD).await;
    let id = house.cases(SALES, "sun").await.remove(0).id;
    let mut browser = Browser::with(&house, "老板", AccountRole::Root, &[]).await;
    let token = house::token_of(&browser.page("/").await).unwrap();
    let path = format!("/cases/{id}/revoke");
    assert_eq!(browser.send(&path, &[]).await.status(), 403, "without the page's token");
    assert_eq!(browser.send(&path, &[("token", "0")]).await.status(), 403);
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null")] {
        let request = browser.http.post(house.url(&path)).header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("cookie", browser.cookie.as_deref().unwrap()).header(name, value);
        let answer = request.body(form(&[("token", &token)])).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{name}: {value}");
    }
    assert_ne!(house.cases(SALES, "sun").await[0].state.id(), "revoked");
    let headers = browser.get("/").await.headers().clone();
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"));
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cache-control"], "no-store");
}

/// The whole table of addresses with every role: who sees it, who is told that they may not, who is sent to the login.
#[tokio::test]
async fn every_address_asks_for_what_it_needs() {
    let house = House::start().await;
    house.say("sun", SALES, AD).await;
    let id = house.cases(SALES, "sun").await.remove(0).id.to_string();
    let mut people = BTreeMap::new();
    for role in AccountRole::ALL {
        let groups: &[&str] = if *role == AccountRole::Owner { &[SALES] } else { &[] };
        people.insert(role.id(), (role.actions(), Browser::with(&house, role.zh(), *role, groups).await));
    }
    let nobody = Browser::new(&house);
    for way in ways() {
        if matches!(way.path, "/logout" | "/live") {
            continue; // see the other tests
        }
        let id = if way.path.starts_with("/groups") { SALES } else { &id };
        let path = way.path.replace("{id}", id).replace("{member}", "sun").replace("{name}", "nobody");
        let ask = async |browser: &Browser<'_>| match way.method {
            "GET" => browser.get(&path).await,
            _ => {
                // A form without its token: who may not do it is not told more than who may.
                let request = browser
                    .http
                    .post(house.url(&path))
                    .body("")
                    .header("content-type", "application/x-www-form-urlencoded");
                let request = browser.cookie.iter().fold(request, |request, cookie| request.header("cookie", cookie));
                request.send().await.unwrap()
            }
        };
        let stranger = ask(&nobody).await;
        let to_login = location(&stranger).starts_with("/login");
        assert_eq!(to_login, way.needs != Needs::Nobody, "{} {path}: {}", way.method, stranger.status());
        for (role, (actions, browser)) in &people {
            let answer = ask(browser).await;
            let (status, to) = (answer.status().as_u16(), location(&answer).to_owned());
            assert!(!to.starts_with("/login"), "{role} {path}");
            let may = match way.needs {
                Needs::Nobody | Needs::SignedIn => true,
                Needs::Right(action) => actions.contains(&action),
            };
            let text = answer.text().await.unwrap();
            if way.method == "POST" && way.needs != Needs::Nobody {
                assert_eq!(status, 403, "{role} {path}");
            } else if may {
                assert_ne!(status, 403, "{role} {path}: {text}");
                assert!(status < 500, "{role} {path}: {status}");
            } else {
                assert_eq!(status, 403, "{role} {path}");
                assert!(text.contains("您的账号没有"), "{role} {path}: {text}");
            }
        }
    }
    // A press with the right token is asked for its right, too.
    for (role, (actions, browser)) in &mut people {
        let page = browser.page("/account").await;
        let token = house::token_of(&page).unwrap();
        for (path, action) in [
            (format!("/cases/{id}/open"), Action::OpenEvidence),
            (format!("/groups/{SALES}/strict"), Action::Order),
            ("/accounts/nobody".into(), Action::ManageAccounts),
        ] {
            let status = browser.send(&path, &[("token", &token)]).await.status().as_u16();
            assert_eq!(status == 403, !actions.contains(&action), "{role} {path}: {status}");
        }
    }
    // A case of another group is as if there were none, whatever is done with it.
    house.say("wmLiuBig", CUSTOMERS, AD).await;
    let foreign = house.cases(CUSTOMERS, "wmLiuBig").await.remove(0).id;
    let (_, owner) = people.get_mut("owner").unwrap();
    let token = house::token_of(&owner.page("/account").await).unwrap();
    let mut told = Vec::new();
    for id in [foreign.as_str(), "ZZZZ"] {
        let read = owner.get(&format!("/cases/{id}")).await;
        let opened = owner.send(&format!("/cases/{id}/open"), &[("token", &token)]).await;
        assert_eq!((read.status().as_u16(), opened.status().as_u16()), (404, 404), "{id}");
        told.extend([read.text().await.unwrap().replace(id, ""), opened.text().await.unwrap().replace(id, "")]);
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    // An owner of one group sees nothing of another.
    let (_, owner) = &people["owner"];
    assert_eq!(owner.get(&format!("/groups/{CUSTOMERS}")).await.status(), 403);
    let groups = owner.page("/groups").await;
    assert!(groups.contains("华东销售群") && !groups.contains("会员福利群"), "{groups}");
}

#[tokio::test]
async fn a_morning_at_the_console() {
    let house = House::start().await;
    let mut boss = Browser::with(&house, "老板", AccountRole::Root, &[]).await;
    house.say("sun", SALES, "早上好，今天的样品到了").await;
    let today = boss.page("/").await;
    assert!(today.contains("读了 1 条，没有命中"), "never a bare zero: {today}");
    assert!(today.contains("没有等您处理的事。"), "{today}");

    house.later(SignedDuration::from_mins(1)).await;
    house.say("sun", SALES, AD).await;
    let id = house.cases(SALES, "sun").await.remove(0).id;
    let today = boss.page("/").await;
    assert!(today.contains("读了 2 条，命中 1 条，自动处置 1 条"), "{today}");
    assert!(today.contains(id.as_str()) && !today.contains("红包"), "masked: {today}");

    // Found by its words, though they are not shown; and by group, day, category.
    for (query, found) in [
        ("q=领红包", true),
        ("q=没有这样的话", false),
        ("group=wrHuadongSales&category=ads&state=closed", true),
        ("group=wrVipCustomers", false),
        ("from=2026-05-04&to=2026-05-04", true),
        ("from=2026-05-05", false),
        ("category=gambling", false),
    ] {
        let page = boss.page(&format!("/cases?{query}")).await;
        assert_eq!(page.contains(id.as_str()), found, "{query}");
        assert!(found || page.contains("没有符合的记录"), "{query}");
    }
    let case = format!("/cases/{id}");
    let page = boss.page(&case).await;
    assert!(page.contains("打开原文") && !page.contains("红包"), "{page}");
    let token = house::token_of(&page).unwrap();
    let opened = boss.send(&format!("{case}/open"), &[("token", &token)]).await.text().await.unwrap();
    assert!(opened.contains("<mark>") && opened.contains("红包") && opened.contains("您打开了原文"), "{opened}");
    let audit = boss.page("/audit").await;
    assert!(audit.contains("打开原文") && audit.contains("老板") && !audit.contains("红包"), "{audit}");

    // Undone where it is listed, by name; said once.
    assert!(today.contains("撤销「") && today.contains("确认撤销"), "{today}");
    let said = boss.press("/", &format!("{case}/revoke"), &[("back", "/")]).await;
    assert!(said.starts_with("已撤销「") && said.contains(id.as_str()), "{said}");
    assert_eq!(house.cases(SALES, "sun").await[0].state.id(), "revoked");
    let again = boss.press("/", &format!("{case}/revoke"), &[]).await;
    assert!(again.starts_with("409 "), "{again}");

    // A false alarm: the same words pass from then on.
    house.say("sun", SALES, AD).await;
    let id = house.cases(SALES, "sun").await.remove(0).id;
    let said = boss.press(&format!("/cases/{id}"), &format!("/cases/{id}/wrong"), &[("allow", "here")]).await;
    assert!(said.contains("已记为误判") && said.contains("同样的话在本群放行到"), "{said}");
    let passes = boss.page("/allowed").await;
    assert!(passes.contains(AD) && passes.contains("华东销售群") && passes.contains("取消放行"), "{passes}");
    house.say("sun", SALES, AD).await;
    assert_eq!(house.cases(SALES, "sun").await[0].id, id, "no further case");
    let token = house::token_of(&passes).unwrap();
    let tried = [("token", token.as_str()), ("text", AD), ("group", SALES)];
    let says = boss.send("/words", &tried).await.text().await.unwrap();
    assert!(says.contains("这句话在这个群放行"), "{says}");
    let said = boss.press("/allowed", &format!("/allowed/{id}"), &[]).await;
    assert!(said.contains("已取消放行"), "{said}");
    let says = boss.send("/words", &tried).await.text().await.unwrap();
    assert!(says.contains("会判为广告引流"), "{says}");
}

#[tokio::test]
async fn what_waits_is_listed_with_its_clock_and_answered() {
    let house = House::start().await;
    let mut boss = Browser::with(&house, "审核", AccountRole::Reviewer, &[]).await;
    // A customer is never removed without a person's yes.
    for _ in 0..3 {
        house.say("wmLiuBig", CUSTOMERS, AD).await;
    }
    let auditor = Browser::with(&house, "审计", AccountRole::Auditor, &[]).await;
    let today = auditor.page("/").await;
    assert!(today.contains("没有等您处理的事。") && !today.contains("等人处理"), "who only reads: {today}");
    let tasks = boss.page("/tasks").await;
    assert!(tasks.contains("会员福利群") && tasks.contains("件等人处理"), "{tasks}");
    let task = house.open_tasks().await.into_iter().find(|task| task.kind == "ask").unwrap();
    let case = task.case.clone().unwrap();
    assert!(tasks.contains(&format!("/cases/{case}")), "{tasks}");
    let path = format!("/cases/{case}");
    assert!(boss.page(&path).await.contains("name=\"task\""), "the buttons of its card");
    let fields = [("task", task.id.as_str()), ("answer", "wrong")];
    assert!(tasks.contains(&format!("{path}/answer")), "and in the list itself");
    let said = boss.press("/tasks", &format!("{path}/answer"), &fields).await;
    assert!(said.contains("已记为误判"), "{said}");
    assert!(!boss.page("/tasks").await.contains(&path), "it is over");

    // An appeal with its reason; the member reads the answer.
    house.say("sun", SALES, "加我V信进群领福利").await;
    let id = house.cases(SALES, "sun").await.remove(0).id;
    house.ask("sun", &format!("申诉 {id} 我发错群了")).await;
    let page = boss.page("/appeals").await;
    assert!(page.contains("我发错群了") && page.contains("前答复"), "{page}");
    let fields = [("answer", "refused"), ("words", "群规第一条写明了")];
    let said = boss.press("/appeals", &format!("/appeals/{id}"), &fields).await;
    assert_eq!(said, format!("{id} 的申诉不成立，理由已私信本人。"));
    assert!(house.last_told("sun").contains("群规第一条写明了"), "{}", house.last_told("sun"));
    assert!(boss.page("/appeals").await.contains("没有待处理的申诉。"));
}

#[tokio::test]
async fn orders_words_and_notices() {
    let house = House::start().await;
    let mut boss = Browser::with(&house, "老板", AccountRole::Root, &[]).await;
    let group = format!("/groups/{SALES}");
    let said = boss.press(&group, &format!("{group}/strict"), &[("term", "2h")]).await;
    assert_eq!(said, "「华东销售群」严管到 今天 12:00。");
    let member = format!("{group}/members/sun");
    let said = boss.press(&member, &format!("{member}/order"), &[("order", "exempt"), ("term", "24h")]).await;
    assert!(said.contains("豁免到 明天 10:00"), "{said}");
    house.say("sun", SALES, AD).await;
    assert!(house.cases(SALES, "sun").await.is_empty(), "exempt");
    let page = boss.page(&group).await;
    assert!(page.contains("豁免") && page.contains("严管") && page.contains("结束"), "{page}");
    let said = boss.press(&group, &format!("{member}/order"), &[("order", "exempt"), ("term", "end")]).await;
    assert!(said.contains("豁免已结束"), "{said}");
    let fields = [("step", "warn"), ("reason", "刷屏"), ("sure", "yes")];
    let said = boss.press(&member, &format!("{member}/punish"), &fields).await;
    assert!(said.contains("警告"), "{said}");
    let standing = boss.page(&member).await;
    assert!(standing.contains("刷屏") && standing.contains("管理者处理"), "on their standing: {standing}");
    let id = house.cases(SALES, "sun").await.remove(0).id;
    for path in ["/", "/cases", &member, &format!("/cases/{id}")] {
        let page = boss.page(path).await;
        assert!(page.contains("管理者处理"), "{path}: {page}");
        assert!(
            !page.split("</form>").any(|part| part.contains("灌水") && !part.contains("<select")),
            "{path}: {page}"
        );
    }
    let unsaid = [("step", "mute"), ("reason", " "), ("sure", "yes")];
    let said = boss.press(&member, &format!("{member}/punish"), &unsaid).await;
    assert!(said.starts_with("400 ") && said.contains("请写处置的理由"), "{said}");
    let nobody = format!("{group}/members/nobody/punish");
    let said = boss.press(&member, &nobody, &fields).await;
    assert!(said.starts_with("404 ") && said.contains("「nobody」不在群里"), "{said}");
    assert!(house.cases(SALES, "nobody").await.is_empty());

    let page = boss.page("/words?category=gambling").await;
    assert!(page.contains("找到") && page.contains(".txt:"), "{page}");
    let token = house::token_of(&page).unwrap();
    let fields = [("token", token.as_str()), ("text", AD), ("group", SALES)];
    let tried = boss.send("/words", &fields).await.text().await.unwrap();
    assert!(
        tried.contains("会判为广告引流，按群规处理。") && tried.contains("谐音") | tried.contains("联系方式代称"),
        "{tried}"
    );

    let fields = [("text", "明天九点盘点"), ("group", SALES), ("deadline", "2h"), ("do", "preview")];
    let page = boss.press("/notices/new", "/notices/new", &fields).await;
    assert!(page.starts_with("200 ") && page.contains("预览") && page.contains("截止"), "{page}");
    let fields = [("text", "明天九点盘点"), ("group", SALES), ("deadline", "2h"), ("do", "send"), ("key", "k1")];
    let said = boss.press("/notices/new", "/notices/new", &fields).await;
    assert!(said.contains("已发出，今天 12:00 截止"), "{said}");
    let twice = boss.press("/notices/new", "/notices/new", &fields).await;
    assert_eq!(said, twice, "sent twice, it is one");
    house.say("sun", SALES, "收到").await;
    let list = boss.page("/notices").await;
    assert!(list.contains("明天九点盘点") && list.contains(">1/"), "{list}");
    let today = boss.page("/").await;
    assert!(today.contains("快截止的通知") && today.contains("已回执"), "{today}");
}

#[tokio::test]
async fn a_removal_that_is_taken_back_says_so() {
    let house = House::start().await;
    let mut boss = Browser::with(&house, "老板", AccountRole::Root, &[]).await;
    let member = format!("/groups/{SALES}/members/sun");
    let fields = [("step", "remove"), ("reason", "发错人"), ("sure", "yes")];
    boss.press(&member, &format!("{member}/punish"), &fields).await;
    let id = house.cases(SALES, "sun").await.remove(0).id;
    let case = format!("/cases/{id}");
    let said = boss.press(&case, &format!("{case}/revoke"), &[]).await;
    assert!(said.starts_with("已撤销"), "{said}");
    let page = boss.page(&case).await;
    assert!(page.contains("撤销移出，已拉回群聊") && !page.contains("禁言结束"), "{page}");
    let today = boss.page("/").await;
    assert!(!today.contains("命中 1 条"), "what a person did was not found by the bot: {today}");
}

#[tokio::test]
async fn a_draft_waits_for_a_second_person_at_the_console() {
    let house = House::start().await;
    let mut boss = Browser::with(&house, "老板", AccountRole::Root, &[]).await;
    let mut second = Browser::with(&house, "店长", AccountRole::Admin, &[]).await;
    let outsider = Browser::with(&house, "客服", AccountRole::Owner, &[CUSTOMERS]).await;
    let draft = async |boss: &mut Browser<'_>, text: &str| {
        let fields = [("text", text), ("group", SALES), ("deadline", "2h"), ("review", "yes"), ("do", "preview")];
        let seen = boss.press("/notices/new", "/notices/new", &fields).await;
        assert!(seen.contains(">送审</button>") && !seen.contains(">发出</button>"), "{seen}");
        let fields = [("text", text), ("group", SALES), ("deadline", "2h"), ("review", "yes"), ("do", "send")];
        let said = boss.press("/notices/new", "/notices/new", &fields).await;
        assert!(said.contains("已送审"), "{said}");
        said.split(' ').nth(1).unwrap().to_owned()
    };
    let id = draft(&mut boss, "明天九点盘点").await;
    let page = format!("/notices/{id}");
    let own = boss.page(&page).await;
    assert!(own.contains("等另一个人审核") && own.contains("没有人会看到") && !own.contains("审核并发出"), "{own}");
    assert!(!own.contains("已回执") && !boss.page("/notices").await.contains("0/0"), "{own}");
    for path in ["/", "/tasks"] {
        assert!(second.page(path).await.contains(&page), "{path}");
        assert!(!boss.page(path).await.contains(&page), "{path}: not for who wrote it");
        assert!(!outsider.page(path).await.contains(&page), "{path}: not their group");
    }
    let refused = boss.press(&page, &format!("{page}/review"), &[]).await;
    assert!(refused.contains("自己起草的通知要由另一个人审核"), "{refused}");
    assert!(second.page(&page).await.contains("审核并发出"));
    let said = second.press(&page, &format!("{page}/review"), &[]).await;
    assert!(said.contains("已发出，今天 12:00 截止"), "{said}");
    assert!(!second.page("/tasks").await.contains(&page) && boss.page(&page).await.contains("已回执"));

    let id = draft(&mut boss, "这条不发").await;
    let page = format!("/notices/{id}");
    let said = second.press(&page, &format!("{page}/cancel"), &[]).await;
    assert!(said.contains("已取消"), "{said}");
    assert!(!second.page("/tasks").await.contains(&page));
}

#[tokio::test]
async fn colleagues_come_with_a_link_or_through_wecom() {
    let house = House::start_with(PUBLIC).await;
    let mut boss = Browser::with(&house, "老板", AccountRole::Root, &[]).await;
    let token = house::token_of(&boss.page("/accounts").await).unwrap();
    let fields = [("token", token.as_str()), ("name", "小王"), ("role", "")];
    let answer = boss.send("/accounts", &fields).await;
    assert_eq!(answer.status(), 400, "nobody becomes 超级管理员 because nothing was chosen");
    assert!(answer.text().await.unwrap().contains("请选一个角色"));
    assert!(boss.page("/accounts").await.contains("<select name=\"role\" required><option value=\"\" selected>"));
    let fields = [("token", token.as_str()), ("name", "小王"), ("role", "reviewer"), ("group", SALES)];
    let page = boss.send("/accounts", &fields).await.text().await.unwrap();
    let code = page.split("/setup?code=").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let mut colleague = Browser::new(&house);
    let fields = [("code", code.as_str()), ("password", PASSWORD), ("again", PASSWORD)];
    assert_eq!(location(&colleague.send("/setup", &fields).await), "/");
    assert!(colleague.page("/").await.contains("审核员"));
    let groups = colleague.page("/groups").await;
    assert!(groups.contains("华东销售群") && !groups.contains("会员福利群"), "{groups}");
    let said = boss.press("/accounts", "/accounts/小王", &[("do", "disable")]).await;
    assert_eq!(said, "账号「小王」已停用。");
    assert_eq!(location(&colleague.get("/").await), "/login", "at once");

    // Whoever leads a group decides there; a member sees how they stand.
    for (who, sees) in [("zhang", "华东销售群"), ("li", "可以正常发言")] {
        let mut browser = Browser::new(&house);
        let first = browser.get("/login/wecom").await;
        let state = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let asked = location(&first).replacen("#wechat_redirect", &format!("&as={who}"), 1);
        let signed_in = browser.http.get(asked).send().await.unwrap();
        let back = location(&signed_in).replacen("http://bot.invalid", &house.url(""), 1);
        let inside = browser.http.get(back).header("cookie", state).send().await.unwrap();
        assert_eq!(location(&inside), "/", "{who}");
        browser.take(&inside);
        let path = if who == "li" { "/me" } else { "/groups" };
        let page = browser.page(path).await;
        assert!(page.contains(sees), "{who}: {page}");
        let cases = browser.get("/cases").await.status().as_u16();
        assert_eq!(cases, if who == "li" { 403 } else { 200 }, "{who}");
    }
}

#[tokio::test]
async fn an_idle_session_is_over_and_an_open_page_does_not_keep_it() {
    let house = House::start().await;
    let boss = Browser::with(&house, "老板", AccountRole::Root, &[]).await;
    house.later(SignedDuration::from_mins(20)).await;
    let by_itself = boss.http.get(house.url("/")).header("cookie", boss.cookie.as_deref().unwrap());
    assert_eq!(by_itself.header("x-by-itself", "1").send().await.unwrap().status(), 200);
    house.later(SignedDuration::from_mins(11)).await;
    assert_eq!(location(&boss.get("/").await), "/login");
    assert_eq!(boss.get("/live").await.status(), 401);
}

#[tokio::test]
async fn an_open_page_hears_that_something_happened() {
    let house = House::start().await;
    let boss = Browser::with(&house, "老板", AccountRole::Root, &[]).await;
    let mut answer = boss.get("/live").await;
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert!(String::from_utf8_lossy(&answer.chunk().await.unwrap().unwrap()).contains("event: hello"));
    house.say("sun", SALES, AD).await;
    let heard = answer.chunk().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&heard).contains("event: change"), "{heard:?}");
}

#[tokio::test]
async fn names_of_groups_are_not_for_everybody() {
    let house = House::start().await;
    let boss = Browser::with(&house, "老板", AccountRole::Root, &[]).await;
    let ask = async |forwarded: bool, cookie: Option<&str>| {
        let request = boss.http.get(house.url("/readyz"));
        let request = if forwarded { request.header("x-forwarded-for", "203.0.113.9") } else { request };
        let request = cookie.iter().fold(request, |request, cookie| request.header("cookie", *cookie));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    };
    assert!(ask(false, None).await.contains("门店内部群"), "on this machine");
    let outside: Value = serde_json::from_str(&ask(true, None).await).unwrap();
    assert_eq!(outside, json!({ "ready": true, "level": "degraded" }));
    assert!(ask(true, boss.cookie.as_deref()).await.contains("门店内部群"), "signed in");
    assert!(house.get("/readyz").await["ready"] == json!(true));
    let metrics = async |forwarded: Option<&str>| {
        let request = boss.http.get(house.url("/metrics"));
        let request = forwarded.iter().fold(request, |request, from| request.header("x-forwarded-for", *from));
        request.send().await.unwrap().status()
    };
    assert_eq!((metrics(None).await.as_u16(), metrics(Some("203.0.113.9")).await.as_u16()), (200, 401));
}

#[tokio::test]
async fn without_the_console_there_are_no_pages() {
    let house = House::start_with("[console]\nenabled = false\n").await;
    let browser = Browser::new(&house);
    for path in ["/", "/login", "/cases"] {
        assert_eq!(browser.get(path).await.status(), 404, "{path}");
    }
    assert_eq!(browser.get("/style.css").await.status(), 200, "for the pages that people open from WeCom");
    let _: &Accounts = &house.accounts();
}

/// Does an answer look as the document says? `at` is its place, for the message.
fn fits(schema: &Value, value: &Value, at: &str) {
    if let Some(either) = schema["anyOf"].as_array() {
        return if value.is_null() { assert_eq!(either[1]["type"], "null") } else { fits(&either[0], value, at) };
    }
    match schema["type"].as_str() {
        None => {}
        Some("string") => {
            let text = value.as_str().unwrap_or_else(|| panic!("{at}: {value}"));
            let known = schema["enum"].as_array();
            assert!(known.is_none_or(|known| known.contains(value)), "{at}: {value}");
            if schema["format"] == "date-time" {
                text.parse::<Timestamp>().unwrap_or_else(|_| panic!("{at}: {value}"));
            }
        }
        Some("boolean") => assert!(value.is_boolean(), "{at}: {value}"),
        Some("integer") => assert!(value.is_i64() || value.is_u64(), "{at}: {value}"),
        Some("number") => assert!(value.is_number(), "{at}: {value}"),
        Some("array") => {
            for (n, item) in value.as_array().unwrap_or_else(|| panic!("{at}: {value}")).iter().enumerate() {
                fits(&schema["items"], item, &format!("{at}[{n}]"));
            }
        }
        Some(_) => {
            let fields = value.as_object().unwrap_or_else(|| panic!("{at}: {value}"));
            for name in schema["required"].as_array().unwrap() {
                assert!(fields.contains_key(name.as_str().unwrap()), "{at} lacks {name}: {value}");
            }
            for (name, field) in fields {
                let known = &schema["properties"][name];
                assert!(!known.is_null(), "{at}.{name} is not described");
                fits(known, field, &format!("{at}.{name}"));
            }
        }
    }
}

#[tokio::test]
async fn the_document_says_what_the_interface_answers() {
    let house = House::start().await;
    house.say("sun", SALES, AD).await;
    let id = house.cases(SALES, "sun").await.remove(0).id;
    let document: Value = reqwest::get(house.url("/api/v1/openapi.json")).await.unwrap().json().await.unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    let draft = json!({ "text": "明天盘点", "groups": [SALES], "deadline": "2h" });
    let starts = house.clock.now() + SignedDuration::from_hours(1);
    let plan = json!({ "title": "新品培训", "groups": [SALES], "organiser": "zhang", "starts": starts,
        "ends": starts + SignedDuration::from_hours(1) });
    let message = json!({ "id": "m1", "group": SALES, "sender": "sun", "at": house.clock_text(), "text": "早" });
    let span = json!({ "member": "sun", "from": starts, "to": starts + SignedDuration::from_hours(9) });
    let (mut notice, mut activity) = (String::new(), String::new());
    let fill = |path: &str, notice: &str, activity: &str| {
        let id = match path {
            _ if path.starts_with("/notices") => notice,
            _ if path.starts_with("/activities") => activity,
            _ => id.as_str(),
        };
        path.replace("{id}", id)
            .replace("{case}", id)
            .replace("{group}", SALES)
            .replace("{member}", "sun")
            .replace("{month}", "2026-04")
    };
    // What others need comes first; what ends something, last.
    let order = |path: &str, method: &str| match (path, method) {
        ("/notices" | "/activities", "post") => 0,
        (path, _) if path.ends_with("/verdict") || path.ends_with("/cancel") => 2,
        ("/allowed", _) => 3,
        (_, "delete") => 4,
        _ => 1,
    };
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        all.extend(methods.as_object().unwrap().iter().map(|(method, operation)| (path, method, operation)));
    }
    all.sort_by_key(|(path, method, _)| order(path, method));
    assert!(all.len() > 28, "{}", all.len());
    for (path, method, operation) in all {
        let at = format!("{method} {path}");
        let to = format!("/api/v1{}", fill(path, &notice, &activity));
        assert_eq!(reqwest::get(house.url(&to)).await.unwrap().status(), 401, "{at}: there, and behind a token");
        let body = match path.as_str() {
            "/check" => json!({ "text": AD, "explain": true }),
            "/messages" => json!({ "messages": [message] }),
            "/cases/{id}/verdict" => json!({ "violation": false, "allow": "group" }),
            "/notices" | "/notices/preview" => draft.clone(),
            "/notices/{id}/answers" => json!({ "member": "sun", "note": "电话" }),
            "/exemptions" | "/absences" => span.clone(),
            "/activities" => plan.clone(),
            _ => json!({}),
        };
        if method == "post" && operation.get("requestBody").is_some() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if body != json!({}) && path != "/activities" {
                fits(schema, &body, &at);
            }
        }
        let (status, answer) = match method.as_str() {
            "get" => (200, house.get(&to).await),
            "delete" => house.delete(&to).await,
            _ => house.post(&to, body).await,
        };
        if path.ends_with("/settle") || path.ends_with("/sign") || path.ends_with("/review") {
            assert_eq!(status / 100, 4, "{at}: no line to settle, and one person is not two: {answer}");
            continue;
        }
        assert_eq!(status, 200, "{at}: {answer}");
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        fits(schema, &answer, &at);
        match (path.as_str(), method.as_str()) {
            ("/notices", "post") => notice = answer["id"].as_str().unwrap().to_owned(),
            ("/activities", "post") => activity = answer["id"].as_str().unwrap().to_owned(),
            _ => {}
        }
    }
}

/// The program itself, and its command line beside it.
struct Program {
    folder: tempfile::TempDir,
    address: String,
}

impl Program {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let data = folder.path().join("data").display().to_string();
        let settings = format!("listen = \"{address}\"\ndata_dir = {data:?}\n");
        std::fs::write(folder.path().join("qunguan.toml"), settings).unwrap();
        Self { folder, address }
    }

    fn command(&self, args: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_qunguan"));
        let config = self.folder.path().join("qunguan.toml");
        command.args(args).arg("--config").arg(config).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// Runs a command to its end.
    async fn ask(&self, args: &[&str], stdin: &str) -> (Option<i32>, String) {
        let mut child = self.command(args).spawn().unwrap();
        let mut to = child.stdin.take().unwrap();
        to.write_all(stdin.as_bytes()).await.unwrap();
        drop(to);
        let ended = child.wait_with_output().await.unwrap();
        (ended.status.code(), String::from_utf8(ended.stdout).unwrap())
    }

    /// Starts the bot; resolves when it answers.
    async fn start(&self) -> tokio::process::Child {
        let child = self.command(&["run"]).spawn().unwrap();
        while reqwest::get(format!("http://{}/healthz", self.address)).await.is_err() {
            tokio::task::yield_now().await;
        }
        child
    }
}

#[tokio::test]
async fn the_first_start_prints_one_link_and_the_command_line_makes_accounts() {
    let program = Program::new();
    let mut bot = program.start().await;
    let mut lines = BufReader::new(bot.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let link = line.strip_prefix("setup: ").unwrap_or_else(|| panic!("{line}"));
    assert!(link.starts_with(&format!("http://{}/setup?code=", program.address)), "{link}");
    assert_eq!(link.split('=').nth(1).unwrap().len(), 64, "256 bits");
    assert!(reqwest::get(link).await.unwrap().text().await.unwrap().contains("第一个账号"));

    let create = ["account", "create", "小王", "--role", "admin", "--password-stdin"];
    let (code, out) = program.ask(&create, &format!("{PASSWORD}\n")).await;
    assert_eq!((code, out.as_str()), (Some(0), "已新建账号「小王」（管理员）\n"), "while it runs");
    assert_eq!(program.ask(&create, &format!("{PASSWORD}\n")).await.0, Some(1), "twice");
    assert_eq!(reqwest::get(link).await.unwrap().status(), 410, "there is an account: the first link is void");
    let http = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let sign_in = async || {
        let request = http.post(format!("http://{}/login", program.address));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(form(&[("name", "小王"), ("password", PASSWORD)])).send().await.unwrap().status().as_u16()
    };
    assert_eq!(sign_in().await, 303);

    bot.kill().await.unwrap();
    assert_eq!(lines.next_line().await.unwrap(), None, "one line");
    let (code, out) = program.ask(&["account", "create", "小李", "--role", "auditor"], "").await;
    assert_eq!(code, Some(0), "while it does not run");
    assert!(out.contains(&format!("http://{}/setup?code=", program.address)), "{out}");
    let (_, list) = program.ask(&["account", "list"], "").await;
    assert_eq!(list, "小李\t审计员\n小王\t管理员\n");
    let mut bot = program.start().await;
    let mut lines = BufReader::new(bot.stdout.take().unwrap()).lines();
    assert_eq!(program.ask(&["account", "disable", "小王"], "").await, (Some(0), "账号「小王」已停用\n".into()));
    assert_eq!(sign_in().await, 401);
    bot.kill().await.unwrap();
    assert_eq!(lines.next_line().await.unwrap(), None, "there is an account");
}

#[tokio::test]
async fn a_client_reads_names_groups_and_times_and_is_told_what_it_misspelt() {
    let house =
        House::start_with("[[group]]\nid = \"wrNewProducts\"\nkind = \"bot\"\nmode = \"watch\"\nowner = \"zhang\"")
            .await;
    house.say("sun", SALES, AD).await;
    let early = house.clock_text();
    house.later(SignedDuration::from_hours(1)).await;
    house.say("li", SALES, AD).await;
    let groups = house.get("/api/v1/groups").await;
    let sales = groups["groups"].as_array().unwrap().iter().find(|group| group["id"] == SALES).unwrap();
    assert_eq!((sales["name"].as_str(), sales["mode"].as_str()), (Some("华东销售群"), Some("full")));
    let members = house.get(&format!("/api/v1/groups/{SALES}/members")).await;
    let wang = members["members"].as_array().unwrap().iter().find(|member| member["member"] == "wang").unwrap();
    assert_eq!((wang["name"].as_str(), wang["role"].as_str()), (Some("王店长"), Some("owner")));

    let names = |found: &Value| {
        let cases = found["cases"].as_array().unwrap().iter();
        cases.map(|case| case["member_name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&house.get("/api/v1/cases").await), ["李销售", "孙凯"]);
    let escaped = early.replace('+', "%2B");
    assert_eq!(names(&house.get(&format!("/api/v1/cases?until={escaped}")).await), [""; 0]);
    assert_eq!(names(&house.get("/api/v1/cases?since=2026-05-04T10:30:00%2B08:00").await), ["李销售"]);
    assert_eq!(names(&house.get("/api/v1/cases?until=2026-05-04T10:30:00%2B08:00").await), ["孙凯"]);
    let refused = house.get("/api/v1/cases?memeber=li").await;
    assert_eq!((refused["code"].as_str(), refused["field"].as_str()), (Some("unknown_field"), Some("memeber")));
    assert!(refused["detail"].as_str().unwrap().contains("是不是 member"), "{refused}");

    let handed = async |group: &str| {
        let message = json!({ "id": format!("to {group}"), "group": group, "sender": "sun", "at": house.clock_text(), "text": "早" });
        let (_, answer) = house.post("/api/v1/messages", json!({ "messages": [message] })).await;
        answer["results"][0]["simulated"].clone()
    };
    assert_eq!(
        (handed(SALES).await, handed("wrNewProducts").await, handed("wrTypo").await),
        (json!(false), json!(true), json!(true))
    );
    let tasks = house.get("/api/v1/tasks?limit=1000").await;
    let chores = tasks["tasks"].as_array().unwrap().iter().filter(|task| task["chore"] == true);
    assert!(chores.clone().count() > 0 && chores.clone().all(|task| task["kind"] != "ask"), "{tasks}");
}
