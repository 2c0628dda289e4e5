//! The whole bot against a simulated WeCom in one process, on a clock that moves only when a test moves it.
//!
//! Nothing here waits for a length of time: [`House::settled`] returns when every callback was answered, the archive is read to
//! its end and no task is due.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::{future::Future, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use qunguan::{
    accounts::Accounts,
    app::{App, Overrides},
    channels::archive::CURSOR,
    file_text::apart::Reader,
    in_force::InForce,
    jobs::runner::Spread,
    model::{Clock, GroupId, MemberId, ShiftedClock, SignedDuration, Timestamp},
    settings::{
        Settings,
        reload::{Live, Watched},
    },
    short_links::ShortLinks,
    simulator::{Config, Credentials, Fault, FaultKind, Handle, Simulator},
    store::{Case, CaseQuery, MemberRecord, Store, Task, TaskQuery},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// A group the app created: the bot removes and re-adds by itself.
pub const SALES: &str = "wrHuadongSales";
/// A customer group: the owner acts, the bot checks.
pub const CUSTOMERS: &str = "wrVipCustomers";
/// A group reached by webhook only.
pub const STAFF: &str = "wrStoreStaff";
/// The token for `/api/v1`.
pub const API_TOKEN: &str = "house-token-0123456789";
/// The issue's own example.
pub const AD: &str = "加我V信领红包";

/// What the sales group goes by unless a test says otherwise.
const SALES_RULES: &str = "policy = \"default\"\nrulebook = \"group-sales\"\ntell_rules = \"changes\"";

/// Each message is a deed of its own, so that a played ladder needs no pauses; a test that sets `[detect.flood]` has what
/// ships.
const EACH_COUNTS: &str = "[detect.flood]\ndeed_read = \"0s\"\ndeed_within = \"0s\"";

/// How long a condition may take before the test fails; never a measure of speed.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Monday, 4 May 2026, 10:00 in Shanghai.
pub fn morning() -> Timestamp {
    "2026-05-04T10:00:00+08:00".parse().unwrap()
}

/// The bot while it runs.
struct Running {
    store: Arc<dyn Store>,
    accounts: Arc<Accounts>,
    live: Arc<Live<InForce>>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<anyhow::Result<()>>,
    address: SocketAddr,
}

/// A company, its groups, and the bot.
pub struct House {
    /// The platform.
    pub sim: Arc<Handle>,
    /// Everybody's clock.
    pub clock: Arc<ShiftedClock>,
    /// Who asks where short links lead; the world if nobody else.
    pub short_links: Option<Arc<ShortLinks>>,
    folder: tempfile::TempDir,
    sales: String,
    socket: bool,
    archive: bool,
    dry_run: bool,
    more_settings: String,
    rewrite: Box<dyn Fn(String) -> String + Send + Sync>,
    running: Option<Running>,
    http: reqwest::Client,
}

/// `[wecom]` and `[wecom.app]` of a bot that speaks to the simulator.
pub fn account(c: &Credentials) -> String {
    format!(
        r#"[wecom]
corp_id = "{corp}"
api_base = "{base}"
authorize_url = "{base}/connect/oauth2/authorize"
[wecom.app]
agent_id = {agent}
secret = "{app_secret}"
token = "{app_token}"
aes_key = "{app_key}"
"#,
        corp = c.corp_id,
        base = c.api_base,
        agent = c.app.agent_id,
        app_secret = c.app.secret,
        app_token = c.app.token,
        app_key = c.app.aes_key,
    )
}

/// The settings of the demo's company; `more` is appended.
pub fn settings(sim: &Handle, data: &Path, more: &str) -> String {
    let c = sim.credentials();
    // What owners hear of what was done would stand between what a story is about; a story about it says so.
    let news = if more.contains("[owner_news]") { "" } else { "[owner_news]\nmode = \"off\"" };
    format!(
        r#"
listen = "127.0.0.1:0"
data_dir = {data:?}
{news}
[escalation]
to = ["wang"]
{account}
[wecom.bot]
token = "{bot_token}"
aes_key = "{bot_key}"
[[api_token]]
name = "house"
value = "{API_TOKEN}"
[[group]]
id = "{SALES}"
name = "华东销售群"
mode = "full"
{SALES_RULES}
admins = ["zhang"]
[[group]]
id = "{CUSTOMERS}"
name = "会员福利群"
kind = "customer"
mode = "assisted"
owner = "wang"
policy = "default"
rulebook = "group-sales"
tell_rules = "changes"
[[group]]
id = "{STAFF}"
name = "门店内部群"
mode = "assisted"
owner = "zhang"
webhook = "sim-webhook-store-staff"
{flood}
{more}"#,
        flood = if more.contains("[detect.flood]") { "" } else { EACH_COUNTS },
        data = data.display().to_string(),
        account = account(&c),
        bot_token = c.bot.token,
        bot_key = c.bot.aes_key,
    )
}

impl House {
    /// Everything runs; members have been read.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// With more settings.
    pub async fn start_with(more: &str) -> Self {
        Self::start_at(morning(), more).await
    }

    /// At a given moment.
    pub async fn start_at(at: Timestamp, more: &str) -> Self {
        let mut house = Self::empty(at, more).await;
        house.start_bot().await;
        house
    }

    /// With what the settings say inside the sections that are there already.
    pub async fn start_where(rewrite: impl Fn(String) -> String + Send + Sync + 'static) -> Self {
        let mut house = Self::empty(morning(), "").await;
        house.change_settings(rewrite);
        house.start_bot().await;
        house
    }

    /// The settings of the next start.
    pub fn change_settings(&mut self, rewrite: impl Fn(String) -> String + Send + Sync + 'static) {
        self.rewrite = Box::new(rewrite);
    }

    /// With the sales group under another policy and rulebook.
    pub async fn start_under(policy: &str, rulebook: &str, more: &str) -> Self {
        let mut house = Self::empty_under(policy, rulebook, more).await;
        house.start_bot().await;
        house
    }

    /// The same without the bot.
    pub async fn empty_under(policy: &str, rulebook: &str, more: &str) -> Self {
        let mut house = Self::empty(morning(), more).await;
        house.sales = format!("policy = \"{policy}\"\nrulebook = \"{rulebook}\"\ntell_rules = \"changes\"");
        house
    }

    /// With the smart bot on its long connection instead of callbacks.
    pub async fn start_with_socket(more: &str) -> Self {
        let mut house = Self::empty(morning(), more).await;
        house.socket = true;
        house.start_bot().await;
        house
    }

    /// A company that did not buy the archive: only words that @ the smart bot are heard.
    pub async fn start_without_archive(socket: bool, more: &str) -> Self {
        let mut house = Self::empty(morning(), more).await;
        (house.socket, house.archive) = (socket, false);
        house.start_bot().await;
        house
    }

    /// With `dry_run`: nothing leaves the house but answers in place.
    pub async fn start_rehearsing(more: &str) -> Self {
        let mut house = Self::empty(morning(), more).await;
        house.dry_run = true;
        house.start_bot().await;
        house
    }

    /// A company without the bot: write files, then start it.
    pub async fn empty(at: Timestamp, more: &str) -> Self {
        let clock = Arc::new(ShiftedClock::fixed(at));
        let config = Config {
            callback_retry_after: Duration::ZERO,
            callback_timeout: PATIENCE,
            verify_timeout: PATIENCE,
            stream_refresh: Duration::ZERO,
            notify_every: Duration::ZERO,
            ..Config::default()
        };
        let sim = Arc::new(Simulator::start(config, clock.clone()).await.unwrap());
        let folder = tempfile::tempdir().unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let sales = SALES_RULES.to_owned();
        Self {
            sim,
            clock,
            short_links: None,
            folder,
            sales,
            socket: false,
            archive: true,
            dry_run: false,
            more_settings: more.to_owned(),
            rewrite: Box::new(|text| text),
            running: None,
            http,
        }
    }

    /// From now on the settings lie in a file, and the bot watches it and its folder.
    pub fn write_settings(&self) {
        self.write("qunguan.toml", &self.settings_text());
    }

    /// Writes a file into the config folder (`rulebooks/own.toml`).
    pub fn write(&self, name: &str, text: &str) {
        let path = self.config().with_file_name(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Where the settings lie if they are written to disk.
    pub fn config(&self) -> std::path::PathBuf {
        self.folder.path().join("config/qunguan.toml")
    }

    fn settings_text(&self) -> String {
        let text = settings(&self.sim, &self.folder.path().join("data"), &self.more_settings);
        let text = text.replacen(SALES_RULES, &self.sales, 1);
        let text = (self.rewrite)(text);
        let text = if self.dry_run { format!("dry_run = true\n{text}") } else { text };
        if !self.socket {
            return text;
        }
        let bot = self.sim.credentials().bot;
        let callback = format!("[wecom.bot]\ntoken = \"{}\"\naes_key = \"{}\"\n", bot.token, bot.aes_key);
        let socket = format!(
            "[wecom.bot]\nbot_id = \"{}\"\nsecret = \"{}\"\nsocket_url = \"{}\"\n",
            bot.bot_id, bot.secret, bot.socket_url
        );
        text.replacen(&callback, &socket, 1)
    }

    /// Writes files while the bot runs and waits until it has looked at them; returns what it refuses of them.
    pub async fn rewrite(&self, files: &[(&str, &str)]) -> Vec<String> {
        let live = &self.running().live;
        let mut attempts = live.attempts();
        for (name, text) in files {
            self.write(name, text);
        }
        attempts.changed().await.unwrap();
        self.settled().await;
        let rejected = live.status().rejected.clone();
        rejected.into_iter().flat_map(|(_, problems)| problems).map(|problem| problem.to_string()).collect()
    }

    /// Starts the bot on its folder.
    pub async fn start_bot(&mut self) {
        self.start_silently().await;
        let base = self.url("");
        let bot = (!self.socket).then(|| format!("{base}/wecom/bot"));
        self.sim.set_callbacks(Some(format!("{base}/wecom/app")), bot).await.unwrap();
        self.settled().await;
    }

    /// The same, and WeCom does not know its address.
    pub async fn start_silently(&mut self) {
        assert!(self.running.is_none(), "it runs");
        let settings = Settings::parse(&self.settings_text(), &self.config(), Some(&|_| None)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let with = Overrides {
            archive: self.archive.then(|| self.sim.clone() as _),
            archive_poll: Some(Duration::from_millis(20)),
            short_links: self.short_links.clone(),
            files: Reader::Apart(env!("CARGO_BIN_EXE_qunguan").into()),
            spread: Spread(|| 0.5),
            ..Overrides::default()
        };
        let with =
            if self.config().exists() { Overrides { config: Some(Watched::now(self.config())), ..with } } else { with };
        let app = App::open(settings, self.clock.clone() as Arc<dyn Clock>, with).await.unwrap();
        let (store, live, accounts) = (app.store(), app.rules(), app.accounts());
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(app.run(listener, async move {
            let _ = stopped.await;
        }));
        self.running = Some(Running { store, accounts, live, stop, serving, address });
    }

    /// Stops the bot in order.
    pub async fn stop_bot(&mut self) {
        let running = self.running.take().expect("it runs");
        let _ = running.stop.send(());
        running.serving.await.unwrap().unwrap();
        drop((running.store, running.accounts));
    }

    /// The bot dies, and its machine wakes up again with the clock moved: it finds on disk what was there at that moment, and
    /// nothing of what an orderly stop would have added.
    pub async fn crash(&mut self, clock_moves: SignedDuration) {
        let (data, kept) = (self.folder.path().join("data"), self.folder.path().join("kept"));
        copy_folder(&data, &kept);
        self.stop_bot().await;
        std::fs::remove_dir_all(&data).unwrap();
        std::fs::rename(&kept, &data).unwrap();
        self.sim.advance(clock_moves);
        self.start_bot().await;
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the bot runs")
    }

    /// The bot's memory.
    pub fn store(&self) -> &dyn Store {
        self.running().store.as_ref()
    }

    /// Who may sign in at the console.
    pub fn accounts(&self) -> Arc<Accounts> {
        self.running().accounts.clone()
    }

    /// The address of one of the bot's pages.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running().address)
    }

    /// Waits until `look` finds something; what it looks at changes by itself.
    pub async fn until<T, F: Future<Output = Option<T>>>(&self, what: &str, look: impl Fn() -> F) -> T {
        let search = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(4)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, search).await {
            Ok(found) => found,
            Err(elapsed) => panic!(
                "in vain: {what} ({elapsed}) at {}\nopen tasks: {:#?}",
                self.clock.now(),
                self.open_tasks().await
            ),
        }
    }

    /// Waits until the bot has nothing left to do at this moment of the clock.
    pub async fn settled(&self) {
        self.until("everything is settled", || async {
            let answered = self.sim.deliveries().iter().all(|delivery| delivery.accepted.is_some());
            let last = self.sim.archive(0, usize::MAX).last().map_or(0, |entry| entry.seq);
            let store = self.store();
            let read = !self.archive || store.cursor(CURSOR).await.unwrap() >= last;
            let now = self.clock.now();
            let idle = self.open_tasks().await.iter().all(|task| {
                // A call to WeCom that is under way was written down before it began.
                let under_way = task.leased_until.is_some() || task.reason.starts_with("正在");
                task.due > now && !under_way
            });
            (answered && read && idle).then_some(())
        })
        .await;
    }

    /// Moves everybody's clock and lets the bot do what has become due.
    pub async fn later(&self, by: SignedDuration) {
        self.sim.advance(by);
        self.settled().await;
    }

    /// Somebody does something in the client.
    pub fn act(&self, act: Value) -> Value {
        self.sim.act_json(act.clone()).unwrap_or_else(|refused| panic!("{act}: {}", refused.0))
    }

    /// Somebody writes in a group, and the bot has dealt with it.
    pub async fn say(&self, who: &str, group: &str, text: &str) -> String {
        let posted = self.act(json!({"do": "post", "as": who, "group": group, "text": text}));
        self.settled().await;
        posted["msgid"].as_str().unwrap_or_default().to_owned()
    }

    /// Somebody presses a button of the newest open card they have that says `title` somewhere; returns what the button said back.
    pub async fn press(&self, who: &str, title: &str, button: &str) -> String {
        let open = self.inbox(who).into_iter().rev().find(|item| {
            item["frozen"].is_null()
                && item["card"].to_string().contains(title)
                && readable(item).contains(&format!("[{button}]"))
        });
        let item = open.unwrap_or_else(|| panic!("{who} has no card {title:?} with {button:?}: {:#?}", self.told(who)));
        let buttons = item["card"]["button_list"].as_array().unwrap();
        let key = &buttons.iter().find(|b| b["text"] == button).unwrap()["key"];
        let task = item["card"]["task_id"].clone();
        self.act(json!({"do": "press", "as": who, "task_id": task, "key": key}));
        self.settled().await;
        let after = self.inbox(who).into_iter().find(|item| item["card"]["task_id"] == task).unwrap();
        without_ids(after["frozen"].as_str().unwrap_or_default())
    }

    /// Somebody writes to the app in private; returns its answer.
    pub async fn ask(&self, who: &str, text: &str) -> String {
        let before = self.inbox(who).len();
        self.act(json!({"do": "tell_app", "as": who, "text": text}));
        self.settled().await;
        self.told(who).into_iter().nth(before).unwrap_or_default()
    }

    /// The newest message to somebody.
    pub fn last_told(&self, who: &str) -> String {
        self.told(who).pop().unwrap_or_default()
    }

    /// The clock, as the API writes times.
    pub fn clock_text(&self) -> String {
        self.clock.now().to_string()
    }

    /// Something goes wrong at WeCom.
    pub fn fault(&self, kind: FaultKind, path: Option<&str>, times: Option<u32>) {
        self.sim.fault(Fault { kind, path: path.map(ToOwned::to_owned), times });
    }

    /// The texts in a group as its owner sees them, with the name of who wrote each.
    pub fn lines(&self, group: &str) -> Vec<String> {
        let view = self.sim.group(group, None).unwrap();
        let lines = view["lines"].as_array().unwrap().iter();
        lines
            .map(|l| match l["name"].as_str() {
                Some(name) => format!("{name}：{}", l["text"].as_str().unwrap_or_default()),
                None => format!("—— {}", l["text"].as_str().unwrap_or_default()),
            })
            .collect()
    }

    /// What was written in the group after its first `skip` lines.
    pub fn lines_after(&self, group: &str, skip: usize) -> Vec<String> {
        self.lines(group).split_off(skip)
    }

    /// Whether somebody is in a group.
    pub fn is_member(&self, group: &str, who: &str) -> bool {
        self.sim.group(group, None).unwrap()["members"].as_array().unwrap().iter().any(|m| m["id"] == who)
    }

    /// What the app and the bot wrote to somebody, oldest first.
    pub fn inbox(&self, who: &str) -> Vec<Value> {
        self.sim.inbox(who).into_iter().filter(|item| item["mine"] == false).collect()
    }

    /// [`Self::inbox`] as it reads.
    pub fn told(&self, who: &str) -> Vec<String> {
        self.inbox(who).iter().map(|item| without_ids(&readable(item))).collect()
    }

    /// All cases of a member, newest first.
    pub async fn cases(&self, group: &str, member: &str) -> Vec<Case> {
        let query = CaseQuery {
            group: Some(GroupId::from(group)),
            member: Some(MemberId::from(member)),
            limit: 100,
            ..CaseQuery::default()
        };
        self.store().cases(&query).await.unwrap()
    }

    /// What the bot remembers about a member of a group.
    pub async fn member(&self, group: &str, member: &str) -> MemberRecord {
        self.store().member(&group.into(), &member.into()).await.unwrap()
    }

    /// Tasks that have not ended.
    pub async fn open_tasks(&self) -> Vec<Task> {
        let all = self.store().tasks(&TaskQuery { limit: 10_000, ..TaskQuery::default() }).await.unwrap();
        all.into_iter().filter(|task| !task.state.is_final()).collect()
    }

    /// Every task of a kind.
    pub async fn tasks(&self, kind: &str) -> Vec<Task> {
        let all = self.store().tasks(&TaskQuery { limit: 10_000, ..TaskQuery::default() }).await.unwrap();
        all.into_iter().filter(|task| task.kind == kind).collect()
    }

    /// `GET` on the API with the token.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(self.url(path)).bearer_auth(API_TOKEN).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Opens a page in somebody's WeCom: what the page says, and the hidden token of its button if there is one. The address may
    /// carry what an earlier visit was sent back with.
    pub async fn open_page(&self, who: &str, path: &str) -> (u16, String, Option<String>) {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let location = |answer: &reqwest::Response| answer.headers()["location"].to_str().unwrap().to_owned();
        let first = http.get(self.url(path)).send().await.unwrap();
        let cookie = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let asked = location(&first).replacen("#wechat_redirect", &format!("&as={who}"), 1);
        let signed_in = http.get(asked).send().await.unwrap();
        assert!(signed_in.status().is_redirection(), "{}", signed_in.text().await.unwrap());
        // The public address is the settings'; here it is the server itself.
        let back = location(&signed_in).replacen("http://bot.invalid", &self.url(""), 1);
        let page = http.get(back).header("cookie", cookie).send().await.unwrap();
        let status = page.status().as_u16();
        let text = page.text().await.unwrap();
        let token = token_of(&text);
        (status, text, token)
    }

    /// A page of the console, to somebody with every right.
    pub async fn console_page(&self, path: &str) -> String {
        let link = self.accounts().demo("boss", &"wang".into()).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let inside = http.get(self.url(&format!("/enter?code={link}"))).send().await.unwrap();
        let cookie = inside.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        http.get(self.url(path)).header("cookie", cookie).send().await.unwrap().text().await.unwrap()
    }

    /// Presses a page's button.
    pub async fn press_page(&self, path: &str, token: &str) -> (u16, String) {
        let answer = self
            .http
            .post(self.url(path))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("token={token}"))
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Sends a page's form with what was written into it.
    pub async fn write_page(&self, path: &str, token: &str, reason: &str) -> (u16, String) {
        let reason: String = reason.bytes().map(|byte| format!("%{byte:02X}")).collect();
        self.press_page(path, &format!("{token}&reason={reason}")).await
    }

    /// `POST` under an idempotency key.
    pub async fn post_as(&self, key: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = self.http.post(self.url(path)).bearer_auth(API_TOKEN).header("Idempotency-Key", key);
        let answer = request.json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    /// `POST` on the API with the token.
    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let answer = self.http.post(self.url(path)).bearer_auth(API_TOKEN).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }
    /// `DELETE`, with the API's token.
    pub async fn delete(&self, path: &str) -> (u16, Value) {
        let answer = self.http.delete(self.url(path)).bearer_auth(API_TOKEN).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }
}

/// The hidden token of a page's form.
pub fn token_of(page: &str) -> Option<String> {
    page.split("name=\"token\" value=\"").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned())
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()));
        } else if kind.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap(); // not the socket
        }
    }
}

/// Ids of cases and reports follow from WeCom's message ids, which are not the story: `8F2K` becomes `####`.
pub fn without_ids(text: &str) -> String {
    const LETTERS: &str = "23456789BCDFGHJKMNPQRTWX";
    let mut out = String::new();
    let mut run = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() {
            run.push(c);
            continue;
        }
        let is_id = run.len() >= 4 && run.len() <= 12 && run.chars().all(|c| LETTERS.contains(c));
        out.push_str(if is_id { "####" } else { &run });
        run.clear();
        out.push(c);
    }
    out.pop();
    out
}

/// A message as its receiver reads it: every line of a card, its rows and its buttons.
pub fn readable(item: &Value) -> String {
    let card = &item["card"];
    if card.is_null() {
        return item["text"].as_str().unwrap_or_default().to_owned();
    }
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let mut lines: Vec<String> =
        [&card["main_title"]["title"], &card["main_title"]["desc"]].into_iter().filter_map(text).collect();
    lines.extend(text(&card["quote_area"]["quote_text"]).map(|words| format!("> {words}")));
    lines.extend(text(&card["sub_title_text"]));
    for row in card["horizontal_content_list"].as_array().into_iter().flatten() {
        // A case's number comes from the message's, which other calls to WeCom shift.
        let value = if row["keyname"] == "编号" { "####" } else { row["value"].as_str().unwrap_or_default() };
        lines.push(format!("{}：{value}", row["keyname"].as_str().unwrap_or_default()));
    }
    let buttons: Vec<_> =
        card["button_list"].as_array().into_iter().flatten().filter_map(|b| b["text"].as_str()).collect();
    lines.push(match item["frozen"].as_str() {
        Some(label) => format!("（{label}）"),
        None => format!("[{}]", buttons.join("] [")),
    });
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}
