//! A company of one's own in the simulator, and the bot as a process beside it: both live by the simulator's clock, which stands
//! still between two moves through the control API. Everything that people do and everything that they read goes through
//! the simulator; everything that an operator asks goes through the bot's HTTP API.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::{collections::BTreeMap, fmt::Write, sync::Arc, time::Duration};

use jiff::tz::TimeZone;
use qunguan::{
    model::{ShiftedClock, Timestamp},
    simulator::{Config, Handle, Simulator},
};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::{
    archive_library::{self, PAIRS},
    house::{self, API_TOKEN, PATIENCE, readable, token_of},
    process::{Bot, free_address},
};

/// Where the bot's pages are, as its settings say; nobody resolves it.
const PUBLIC_URL: &str = "http://bot.invalid";

/// Somebody of the company.
#[derive(Clone, Debug)]
pub struct Somebody {
    /// Userid.
    pub id: String,
    /// Shown name.
    pub name: String,
}

/// The company, its WeCom, and the bot.
pub struct Company {
    /// The platform.
    pub sim: Arc<Handle>,
    /// The bot's process.
    pub bot: Bot,
    people: Vec<Somebody>,
    /// Short name → id.
    groups: BTreeMap<String, String>,
    day: String,
    http: Client,
    archive_works: bool,
    pressed: Vec<(Timestamp, String, String)>,
    /// Cards that changed since, by their message.
    as_sent: BTreeMap<String, Value>,
    _folder: tempfile::TempDir,
}

/// `HH:MM` as people read it.
pub fn local(at: Timestamp) -> String {
    at.to_zoned(TimeZone::get("Asia/Shanghai").unwrap()).strftime("%H:%M").to_string()
}

fn department(name: &str) -> u64 {
    match name {
        "公司" => 1,
        "销售部" => 2,
        "客服部" => 3,
        "商品部" => 4,
        other => panic!("the simulator has no department {other}"),
    }
}

impl Company {
    /// `people`: a line each, `id name department groups…`. Three groups, owned by their first member: 华东 was made by the
    /// app, 华西 by people with a 消息推送 robot, 北区 with the smart bot in it.
    pub async fn new(morning: &str, people: &str) -> Self {
        let clock = Arc::new(ShiftedClock::fixed(morning.parse().unwrap()));
        let config = Config {
            sample: false,
            callback_retry_after: Duration::ZERO,
            callback_timeout: PATIENCE,
            verify_timeout: PATIENCE,
            notify_every: Duration::ZERO,
            ..Config::default()
        };
        let sim = Arc::new(Simulator::start(config, clock).await.unwrap());
        let folder = tempfile::tempdir().unwrap();
        let listen = free_address();
        let control = sim.credentials().control;
        let bot = Bot::new(folder.path(), listen, &["--simulator-clock", &control]);
        let names = [("华东", "wrEast"), ("华西", "wrWest"), ("北区", "wrNorth")];
        let groups = names.into_iter().map(|(name, id)| (name.to_owned(), id.to_owned())).collect();
        let day = morning.split('T').next().unwrap().to_owned();
        let http = Client::builder().no_proxy().build().unwrap();
        let mut company = Self {
            sim,
            bot,
            people: Vec::new(),
            groups,
            day,
            http,
            archive_works: true,
            pressed: Vec::new(),
            as_sent: BTreeMap::new(),
            _folder: folder,
        };
        let mut members: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for line in people.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [id, name, where_, groups @ ..] = words.as_slice() else { panic!("{line}") };
            company.act(json!({"do": "new_person", "id": id, "name": name, "department": department(where_)})).await;
            company.people.push(Somebody { id: (*id).to_owned(), name: (*name).to_owned() });
            for group in groups {
                members.entry(group).or_default().push((*id).to_owned());
            }
        }
        company.make_groups(&members).await;
        let settings = company.settings(&listen.to_string());
        std::fs::write(company.bot.settings(), settings).unwrap();
        company
    }

    async fn make_groups(&self, members: &BTreeMap<&str, Vec<String>>) {
        let c = self.sim.credentials();
        let url = format!("{}/cgi-bin/gettoken?corpid={}&corpsecret={}", c.api_base, c.corp_id, c.app.secret);
        let token: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        let token = token["access_token"].as_str().unwrap();
        let east = &members["华东"];
        let body = json!({"chatid": "wrEast", "name": "华东销售群", "owner": east[0], "userlist": east});
        let url = format!("{}/cgi-bin/appchat/create?access_token={token}", c.api_base);
        let made: Value = self.http.post(url).json(&body).send().await.unwrap().json().await.unwrap();
        assert_eq!(made["errcode"], 0, "{made}");
        let west = json!({"do": "new_group", "id": "wrWest", "kind": "internal", "name": "华西销售群",
            "members": members["华西"], "webhook": "west-robot"});
        self.act(west).await;
        self.act(json!({"do": "new_group", "id": "wrNorth", "kind": "bot", "name": "北区销售群", "members": members["北区"]}))
            .await;
        let seats: Vec<&String> = members.values().map(|group| &group[0]).collect();
        self.act(json!({"do": "seats", "people": seats})).await;
        self.control("archive/key", json!({"version": 1, "public_key": PAIRS[0].public_pem()})).await;
    }

    fn settings(&self, listen: &str) -> String {
        let data = self.bot.settings().with_file_name("data");
        let c = self.sim.credentials();
        format!(
            r#"
listen = "{listen}"
data_dir = {data:?}
[http]
public_url = "{PUBLIC_URL}"
{account}
[wecom.bot]
bot_id = "{bot_id}"
secret = "{bot_secret}"
socket_url = "{socket}"
{archive}
[[api_token]]
name = "office"
value = "{API_TOKEN}"
[[group]]
id = "wrEast"
name = "华东销售群"
mode = "full"
[[group]]
id = "wrWest"
name = "华西销售群"
mode = "assisted"
owner = "p15"
webhook = "west-robot"
[[group]]
id = "wrNorth"
name = "北区销售群"
kind = "bot"
mode = "watch"
"#,
            data = data.display().to_string(),
            account = house::account(&c),
            bot_id = c.bot.bot_id,
            bot_secret = c.bot.secret,
            socket = c.bot.socket_url,
            archive = archive_library::settings(&c.archive),
        )
    }

    /// A call to the control API that must succeed.
    async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/{path}", self.sim.credentials().control);
        let answer = self.http.post(url).json(&body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path} {body}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Somebody does something in the client.
    pub async fn act(&self, act: Value) -> Value {
        self.control("act", act).await
    }

    /// A call to the bot's API: status and body.
    pub async fn api(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut request =
            self.http.request(method, format!("{}/api/v1/{path}", self.bot.address)).bearer_auth(API_TOKEN);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// `GET` on the API.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.api(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// `POST` on the API, then everything that follows from it.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.api(Method::POST, path, Some(&body)).await;
        assert_eq!(status, 200, "{path} {body}: {answer}");
        self.settled().await;
        answer
    }

    /// Starts the bot and lets it do what is due.
    pub async fn start(&mut self) {
        self.bot.start().await;
        let app = format!("{}/wecom/app", self.bot.address);
        self.sim.set_callbacks(Some(app), None).await.unwrap();
        let state = format!("{}/state", self.sim.credentials().control);
        self.bot
            .until("the smart bot is connected", || async {
                let state: Value = self.http.get(&state).send().await.ok()?.json().await.ok()?;
                (state["bot_connected"] == true).then_some(())
            })
            .await;
        self.settled().await;
    }

    /// The archive's servers do not answer, or do again.
    pub async fn archive_works(&mut self, works: bool) {
        self.archive_works = works;
        if works {
            self.sim.no_faults();
            self.settled().await;
        } else {
            self.control("faults", json!({"kind": {"name": "archive", "code": 10001}})).await;
        }
    }

    /// Today at `HH:MM`.
    pub fn at(&self, time: &str) -> Timestamp {
        format!("{}T{time}:00+08:00", self.day).parse().unwrap()
    }

    /// The clock of everybody.
    pub fn now(&self) -> Timestamp {
        qunguan::model::Clock::now(self.sim.clock().as_ref())
    }

    /// Moves the clock; while the bot runs, everything that falls due on the way is done at its own minute.
    pub async fn until(&self, time: &str) {
        let target = self.at(time);
        while self.bot.runs() {
            let next = self.pending().await.into_iter().map(|(due, _)| due).min().filter(|due| *due < target);
            let Some(next) = next else { break };
            self.control("clock", json!({ "to": next })).await;
            self.settled().await;
        }
        if self.now() < target {
            self.control("clock", json!({ "to": target })).await;
        }
        if self.bot.runs() {
            self.settled().await;
        }
    }

    /// Waits until the bot has nothing left to do at this moment of the clock: every callback is answered, the archive is read
    /// to its end, and no task is due.
    pub async fn settled(&self) {
        self.bot
            .until("everything is settled", || async {
                let answered = self.sim.deliveries().iter().all(|delivery| delivery.accepted.is_some());
                let last = self.sim.archive(0, usize::MAX).last().map_or(0, |entry| entry.seq);
                let read = !self.archive_works || self.archive_position().await >= last;
                let now = self.now();
                let idle = self.pending().await.iter().all(|(due, under_way)| *due > now && !under_way);
                (answered && read && idle).then_some(())
            })
            .await;
    }

    async fn archive_position(&self) -> u64 {
        let text = self.http.get(format!("{}/metrics", self.bot.address)).send().await.unwrap().text().await.unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix("qunguan_archive_position "));
        value.map_or(0, |value| value.parse::<f64>().unwrap() as u64)
    }

    /// The due time of each open task, and whether a call for it is under way.
    async fn pending(&self) -> Vec<(Timestamp, bool)> {
        let tasks = self.get("tasks?state=pending&limit=1000").await["tasks"].as_array().unwrap().clone();
        let row = |task: &Value| {
            (task["due"].as_str().unwrap().parse().unwrap(), task["reason"].as_str().unwrap().starts_with("正在"))
        };
        tasks.iter().map(row).collect()
    }

    fn id_of(&self, name: &str) -> String {
        let found = self.people.iter().find(|person| person.name == name);
        found.unwrap_or_else(|| panic!("nobody is called {name}")).id.clone()
    }

    /// Somebody writes in a group; number of the line.
    pub async fn say(&self, time: &str, group: &str, name: &str, text: &str) -> u64 {
        self.write(time, group, name, text, None).await
    }

    /// Somebody writes in a group and quotes the newest line that contains `quoted`.
    pub async fn quote(&self, time: &str, group: &str, name: &str, text: &str, quoted: &str) {
        let lines = self.sim.group(&self.groups[group], Some(&self.id_of(name))).unwrap()["lines"].clone();
        let line = lines.as_array().unwrap().iter().rev().find(|l| l["text"].as_str().unwrap().contains(quoted));
        self.write(time, group, name, text, line.unwrap()["no"].as_u64()).await;
    }

    async fn write(&self, time: &str, group: &str, name: &str, text: &str, quote: Option<u64>) -> u64 {
        self.until(time).await;
        let said = self
            .act(json!({"do": "post", "as": self.id_of(name), "group": self.groups[group], "text": text, "quote": quote}))
            .await;
        if self.bot.runs() {
            self.settled().await;
        }
        said["line"].as_u64().unwrap()
    }

    /// Somebody joins a group, brought in by its owner, or leaves it.
    pub async fn joins(&self, time: &str, group: &str, name: &str, by: &str) {
        self.until(time).await;
        let (group, people) = (&self.groups[group], [self.id_of(name)]);
        self.act(json!({"do": "invite", "as": self.id_of(by), "group": group, "people": people})).await;
        self.settled().await;
    }

    /// Somebody leaves a group.
    pub async fn leaves(&self, time: &str, group: &str, name: &str) {
        self.until(time).await;
        self.act(json!({"do": "leave", "as": self.id_of(name), "group": self.groups[group]})).await;
        self.settled().await;
    }

    /// Somebody writes to the app, or to the smart bot, in private; its answer.
    pub async fn ask(&self, time: &str, name: &str, whom: &str, text: &str) -> String {
        self.until(time).await;
        let id = self.id_of(name);
        let before = self.inbox(&id).len();
        let way = if whom == "机器人" { "tell_bot" } else { "tell_app" };
        self.act(json!({"do": way, "as": id, "text": text})).await;
        let answered = self.bot.until("an answer", || async { self.inbox(&id).into_iter().nth(before) }).await;
        self.settled().await;
        readable(&answered)
    }

    /// Somebody presses a button of the newest open card that says `title`; what the buttons turn into.
    pub async fn press(&mut self, time: &str, name: &str, title: &str, button: &str) -> String {
        self.until(time).await;
        let id = self.id_of(name);
        let open = self.inbox(&id).into_iter().rev().find(|item| {
            item["frozen"].is_null() && item["card"].to_string().contains(title) && readable(item).contains(button)
        });
        let card = open.unwrap_or_else(|| panic!("{name} has no card {title:?} with {button:?}"))["card"].clone();
        let buttons = card["button_list"].as_array().unwrap();
        let key = &buttons.iter().find(|b| b["text"] == button).unwrap()["key"];
        self.act(json!({"do": "press", "as": id, "task_id": card["task_id"], "key": key})).await;
        self.settled().await;
        let after = self.inbox(&id).into_iter().find(|item| item["card"]["task_id"] == card["task_id"]).unwrap();
        let label = after["frozen"].as_str().unwrap_or_default().to_owned();
        if !label.is_empty() {
            self.pressed.push((self.now(), name.to_owned(), format!("[{button}] → {label}")));
        }
        label
    }

    /// Somebody presses the button of the one card in a group; what the card says once it has changed.
    pub async fn press_in_group(&mut self, time: &str, group: &str, name: &str) -> String {
        self.until(time).await;
        let (id, group) = (self.id_of(name), self.groups[group].clone());
        let card = |sim: &Handle| {
            let lines = sim.group(&group, Some(&id)).unwrap()["lines"].as_array().unwrap().clone();
            lines.into_iter().rfind(|line| line["card"].is_object()).expect("a card in the group")
        };
        let before = card(&self.sim);
        let key = before["card"]["button_list"][0]["key"].clone();
        let press = json!({"do": "press", "as": id, "group": group, "task_id": before["card"]["task_id"], "key": key});
        self.act(press).await;
        let changed = || async { Some(card(&self.sim)).filter(|after| after["card"] != before["card"]) };
        let after = self.bot.until("the card in the group changes", changed).await;
        self.settled().await;
        self.as_sent.entry(before["msgid"].as_str().unwrap().to_owned()).or_insert_with(|| before["card"].clone());
        let shown = readable(&after);
        self.pressed.push((self.now(), name.to_owned(), format!("群卡片 → {}", shown.replace('\n', "｜"))));
        shown
    }

    /// Somebody opens the page behind a notice's link and presses its button; what the page says then.
    pub async fn follow_link(&self, time: &str, name: &str, path: &str) -> String {
        self.until(time).await;
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let location = |answer: &reqwest::Response| answer.headers()["location"].to_str().unwrap().to_owned();
        let first = http.get(format!("{}{path}", self.bot.address)).send().await.unwrap();
        let cookie = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let asked = location(&first).replacen("#wechat_redirect", &format!("&as={}", self.id_of(name)), 1);
        let signed_in = http.get(asked).send().await.unwrap();
        let back = location(&signed_in).replacen(PUBLIC_URL, &self.bot.address, 1);
        let page = http.get(back).header("cookie", cookie).send().await.unwrap().text().await.unwrap();
        let token = token_of(&page).unwrap_or_else(|| panic!("no button: {page}"));
        let answer = http
            .post(format!("{}{path}", self.bot.address))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("token={token}"));
        let page = answer.send().await.unwrap().text().await.unwrap();
        self.settled().await;
        page
    }

    fn inbox(&self, id: &str) -> Vec<Value> {
        self.sim.inbox(id).into_iter().filter(|item| item["mine"] == false).collect()
    }

    /// Everything that the bot said to anybody, oldest first, word for word: where or to whom, and the text with its buttons. The
    /// same words to several people at one time are told once, with all their names.
    pub fn everything_said(&self) -> String {
        // (time, 0 group / 1 private / 2 what a pressed button became, words) → to whom
        let mut said: BTreeMap<(Timestamp, u8, String), Vec<String>> = BTreeMap::new();
        let time = |item: &Value| item["at"].as_str().unwrap().parse::<Timestamp>().unwrap();
        for id in ["wrEast", "wrWest", "wrNorth"] {
            let group = self.sim.group(id, None).unwrap();
            for line in group["lines"].as_array().unwrap() {
                if line["from"].as_str().is_some_and(|from| from.starts_with("wb")) {
                    let to = format!("群「{}」", group["name"].as_str().unwrap());
                    said.entry((time(line), 0, self.first_face(line))).or_default().push(to);
                }
            }
        }
        for person in &self.people {
            for item in self.inbox(&person.id) {
                said.entry((time(&item), 1, self.first_face(&item))).or_default().push(person.name.clone());
            }
        }
        for (at, name, label) in &self.pressed {
            said.entry((*at, 2, label.clone())).or_default().push(name.clone());
        }
        let mut out = String::new();
        for ((at, kind, words), to) in said {
            let mut once = to.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), to.len(), "somebody was told twice: {words} {to:?}");
            let way = ["", "私信 ", "点了按钮 "][usize::from(kind)];
            let _ = writeln!(out, "—— {} {way}{}\n{words}", local(at), to.join("、"));
        }
        out
    }

    /// As it was sent: what its buttons or its count became later is another line.
    fn first_face(&self, item: &Value) -> String {
        let mut item = item.clone();
        item["frozen"] = Value::Null;
        if let Some(card) = item["msgid"].as_str().and_then(|id| self.as_sent.get(id)) {
            item["card"].clone_from(card);
        }
        readable(&item)
    }
}
