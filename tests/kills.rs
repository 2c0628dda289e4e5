//! The bot as operators run it, killed with SIGKILL: in the middle of load, and in the worst moments on purpose.
//!
//! `qunguan run` is a process of its own, WeCom is the simulator in this one, and the archive comes through a real shared
//! library. 20 kills under load and 3 in each chosen moment here; `QUNGUAN_KILLS=200 cargo test --test kills` for more (and 100
//! in each chosen moment). The counts are printed (`--nocapture`).

#[path = "common/archive_library.rs"]
mod archive_library;
#[path = "common/house.rs"]
mod house;
mod kill;
#[path = "common/process.rs"]
mod process;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use archive_library::PAIRS;
use house::{AD, API_TOKEN, PATIENCE};
use process::Bot;
use qunguan::{
    model::ShiftedClock,
    simulator::{Config, Fault, FaultKind, Handle, Simulator, Unknowns},
};
use rand::RngExt;
use serde_json::{Value, json};
use tokio::sync::watch;

/// A group the app created, with many people.
const CROWD: &str = "wrCrowd";
/// The bot's folder, its WeCom, and its process.
struct World {
    sim: Arc<Handle>,
    folder: tempfile::TempDir,
    http: reqwest::Client,
    bot: Bot,
}

/// A policy with mutes so short that a test can wait for them, and no brake.
const POLICY: &str = r#"
title = "试验"
version = 1
[[step]]
at = 2
do = "warn"
[[step]]
at = 4
do = "mute"
for = "2s"
[[step]]
at = 6
do = "remove"
[newcomer]
within = "24h"
messages = 5
raise = {}
[breaker]
removals = 1000000
window = "1m"
share_percent = 100.0
share_window = "1m"
share_least = 1000000
"#;

fn person(n: usize) -> String {
    format!("p{n:04}")
}

impl World {
    /// A group with so many people; the bot does not run yet.
    async fn new(people: usize) -> Self {
        let config = Config {
            callback_retry_after: Duration::from_millis(100),
            verify_timeout: PATIENCE,
            notify_every: Duration::ZERO,
            unknowns: Unknowns { token_calls_per_minute: 6000, ..Unknowns::default() }, // every life asks for its own
            ..Config::default()
        };
        let sim = Arc::new(Simulator::start(config, Arc::new(ShiftedClock::new())).await.unwrap());
        let mut members = vec!["wang".to_owned(), "zhang".to_owned()];
        for n in 0..people {
            sim.act_json(json!({"do": "new_person", "id": person(n), "name": format!("同事{n}")})).unwrap();
            members.push(person(n));
        }
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let c = sim.credentials();
        let url = format!("{}/cgi-bin/gettoken?corpid={}&corpsecret={}", c.api_base, c.corp_id, c.app.secret);
        let token: Value = http.get(url).send().await.unwrap().json().await.unwrap();
        let url =
            format!("{}/cgi-bin/appchat/create?access_token={}", c.api_base, token["access_token"].as_str().unwrap());
        let group = json!({"chatid": CROWD, "name": "大群", "owner": "wang", "userlist": members});
        let made: Value = http.post(url).json(&group).send().await.unwrap().json().await.unwrap();
        assert_eq!(made["errcode"], 0, "{made}");
        let key = json!({"version": 1, "public_key": PAIRS[0].public_pem()});
        let set = http.post(format!("{}/archive/key", sim.credentials().control)).json(&key).send().await.unwrap();
        assert!(set.status().is_success());

        let folder = tempfile::tempdir().unwrap();
        let listen = process::free_address();
        std::fs::create_dir(folder.path().join("policies")).unwrap();
        std::fs::write(folder.path().join("policies/quick.toml"), POLICY).unwrap();
        let more = format!(
            r#"
{archive}
[[group]]
id = "{CROWD}"
name = "大群"
mode = "full"
policy = "quick"
"#,
            archive = archive_library::settings(&sim.credentials().archive),
        );
        let text =
            house::settings(&sim, &folder.path().join("data"), &more).replace("127.0.0.1:0", &listen.to_string());
        std::fs::write(folder.path().join("qunguan.toml"), text).unwrap();
        let bot = Bot::new(folder.path(), listen, &[]);
        Self { sim, folder, http, bot }
    }

    /// Starts the process and tells WeCom where it is.
    async fn start(&mut self) {
        self.bot.start().await;
        let app = format!("{}/wecom/app", self.bot.address);
        self.sim.set_callbacks(Some(app), None).await.unwrap();
    }

    fn kill(&mut self) {
        self.bot.kill();
    }

    async fn until<T, F: Future<Output = Option<T>>>(&self, what: &str, look: impl Fn() -> F) -> T {
        self.bot.until(what, look).await
    }

    /// Platform a message in; `None` if nobody answered.
    async fn hand_in(&self, id: &str, member: &str) -> Option<Value> {
        let message = json!({"id": id, "group": CROWD, "sender": member, "at": qunguan::model::Clock::now(self.sim.clock().as_ref()), "text": AD});
        let request = self.http.post(format!("{}/api/v1/messages", self.bot.address)).bearer_auth(API_TOKEN);
        let answer = request.json(&json!({"messages": [message]})).send().await.ok()?;
        assert!(answer.status().is_success(), "{}: {}", answer.status(), self.bot.log());
        let body: Value = answer.json().await.ok()?;
        Some(body["results"][0].clone())
    }

    /// The member's standing.
    async fn standing(&self, member: &str) -> Value {
        let url = format!("{}/api/v1/groups/{CROWD}/members/{member}", self.bot.address);
        self.http.get(url).bearer_auth(API_TOKEN).send().await.unwrap().json().await.unwrap()
    }

    /// How often the group was told that somebody left it against their will, and came in.
    fn moves(&self) -> BTreeMap<String, (u32, u32)> {
        let view = self.sim.group(CROWD, None).unwrap();
        let mut moves: BTreeMap<String, (u32, u32)> = BTreeMap::new();
        for line in view["lines"].as_array().unwrap() {
            let text = line["text"].as_str().unwrap_or_default();
            let Some((name, what)) = text.strip_prefix('「').and_then(|rest| rest.split_once('」')) else { continue };
            let counts = moves.entry(name.to_owned()).or_default();
            match what {
                "被移出群聊" => counts.0 += 1,
                "加入群聊" => counts.1 += 1,
                _ => {}
            }
        }
        moves
    }

    fn is_member(&self, who: &str) -> bool {
        self.sim.group(CROWD, None).unwrap()["members"].as_array().unwrap().iter().any(|m| m["id"] == who)
    }

    /// The picture that the bot began to fetch from the archive last.
    async fn fetching(&self) -> Option<String> {
        let url = format!("{}/calls?path=archive/media", self.sim.credentials().control);
        let calls: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        calls["calls"].as_array().unwrap().last().map(|call| call["body"]["sdkfileid"].to_string())
    }

    /// Cards that somebody got, by their title.
    fn cards(&self, who: &str) -> Vec<String> {
        let cards = self.sim.inbox(who).into_iter().filter(|item| !item["card"].is_null());
        cards.map(|item| item["card"]["main_title"]["title"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// A message on its way: its id, whose, and what was answered.
#[derive(Default)]
struct Ledger {
    tried: BTreeMap<String, String>,
    acknowledged: BTreeMap<String, Value>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_nothing_acknowledged_is_lost_and_nothing_happens_twice() {
    const PEOPLE: usize = 40;
    const SENDERS: usize = 8;
    let kills = kill::kills();
    let mut world = World::new(PEOPLE).await;
    let mut ledger = Ledger::default();
    for life in 0..kills {
        world.start().await;
        let after = Duration::from_millis(rand::rng().random_range(20..300));
        let (over, answered) = (watch::Sender::new(false), watch::Sender::new(false));
        let (world_now, over, answered) = (&world, &over, &answered);
        // Every other life ends so long after its first answer, the others so long after the start, on a slow machine before it.
        let end = async move {
            if life % 2 == 1 {
                let _ = answered.subscribe().wait_for(|answered| *answered).await;
            }
            tokio::time::sleep(after).await;
            over.send_replace(true);
        };
        // Each sender hands in one message after the other and repeats what nobody answered in an earlier life.
        let lanes = (0..SENDERS).map(|lane| {
            let unanswered: Vec<(String, String)> = ledger
                .tried
                .iter()
                .filter(|(id, _)| !ledger.acknowledged.contains_key(*id))
                .enumerate()
                .filter(|(at, _)| at % SENDERS == lane)
                .map(|(_, (id, member))| (id.clone(), member.clone()))
                .collect();
            async move {
                let mut done = Vec::new();
                let mut ended = over.subscribe();
                let fresh = (0..).map(|n| {
                    let member = person((lane + n * SENDERS) % PEOPLE);
                    (format!("m-{life}-{lane}-{n}"), member)
                });
                for (id, member) in unanswered.into_iter().chain(fresh) {
                    let answer = tokio::select! {
                        answer = world_now.hand_in(&id, &member) => answer,
                        _ = ended.wait_for(|over| *over) => None,
                    };
                    if answer.is_some() {
                        answered.send_replace(true);
                    }
                    done.push((id, member, answer));
                    if *over.borrow() {
                        return done;
                    }
                }
                done
            }
        });
        let (done, ()) = futures_util::future::join(futures_util::future::join_all(lanes), end).await;
        world.kill();
        for (id, member, answer) in done.into_iter().flatten() {
            ledger.tried.insert(id.clone(), member);
            if let Some(answer) = answer {
                ledger.acknowledged.insert(id, answer);
            }
        }
    }
    world.start().await;
    // Whatever was promised before a kill is still so, and what was not promised happens once.
    let mut strikes: BTreeMap<String, usize> = BTreeMap::new();
    for (id, member) in &ledger.tried {
        let now = world.hand_in(id, member).await.expect("nobody kills it now");
        if let Some(first) = ledger.acknowledged.get(id) {
            assert_eq!(now["duplicate"], true, "{id} was acknowledged and forgotten");
            for field in ["verdict", "step", "points", "live_points", "case"] {
                assert_eq!(now[field], first[field], "{id}");
            }
        }
        if now["points"].as_u64() > Some(0) {
            *strikes.entry(member.clone()).or_default() += 1;
        }
    }
    for (member, expected) in &strikes {
        let standing = world.standing(member).await;
        assert_eq!(standing["strikes"].as_array().unwrap().len(), *expected, "{member}");
    }
    // What was decided is carried out: whoever has three strikes is out.
    let expelled: Vec<&String> = strikes.iter().filter(|(_, n)| **n >= 3).map(|(who, _)| who).collect();
    let all_out = || async { expelled.iter().all(|who| !world.is_member(who)).then_some(()) };
    world.until("everybody with three strikes is out", all_out).await;
    // Every mute ran out long ago or the member is out for good; nobody was taken out twice for the same step.
    let mut removals = 0;
    for (who, (out, back)) in world.moves() {
        assert!(
            out <= 2 && back <= 1,
            "{who}: {out} removals, {back} returns; one mute and one removal is all there is"
        );
        removals += out;
    }
    let mut cards = 0;
    for n in 0..PEOPLE {
        let titles = world.cards(&person(n));
        let count = |what: &str| titles.iter().filter(|title| title.contains(what)).count();
        assert!(count("第 1 次") <= 1 && count("暂停") <= 1, "{titles:?}");
        cards += titles.len();
    }
    println!(
        "{} kills, {} messages, {} acknowledged, {} strikes, {removals} removals, {cards} cards",
        world.bot.kills,
        ledger.tried.len(),
        ledger.acknowledged.len(),
        strikes.values().sum::<usize>()
    );
    assert!(ledger.acknowledged.len() as u64 >= kills / 2, "there was load");
    assert_eq!(u64::from(world.bot.kills), kills);
}

/// Between "taken out" and "brought back": the bot dies while somebody is muted, in every other round with the call that
/// took them out under way. The next round begins at once, so that it also dies in the middle of bringing others back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_taken_out_and_brought_back() {
    let rounds = kill::moments();
    let mut world = World::new(rounds).await;
    let mut still_out = 0;
    world.start().await;
    for round in 0..rounds {
        let who = person(round);
        if round % 2 == 1 {
            let kind = FaultKind::LostAnswer { ms: 300 };
            world.sim.fault(Fault { kind, path: Some("appchat/update".into()), times: Some(1) });
        }
        world.hand_in(&format!("{who}-1"), &who).await.unwrap();
        world.hand_in(&format!("{who}-2"), &who).await.unwrap();
        let out = || async { (!world.is_member(&who)).then_some(()) };
        world.until("taken out", out).await;
        tokio::time::sleep(Duration::from_millis(rand::rng().random_range(0..1000))).await;
        world.kill();
        still_out += usize::from(!world.is_member(&who));
        world.start().await;
    }
    for round in 0..rounds {
        let who = person(round);
        let back = || async { world.is_member(&who).then_some(()) };
        world.until("brought back", back).await;
        let over = || async { (world.standing(&who).await["state"] == "normal").then_some(()) };
        world.until("in good standing", over).await;
    }
    let moves = world.moves();
    for round in 0..rounds {
        assert_eq!(moves[&format!("同事{round}")], (1, 1), "{}: out once, back once", person(round));
    }
    println!(
        "killed between taken out and brought back: {rounds} times, the member still out {still_out} times; out once and \
         back once {rounds} times"
    );
    assert!(still_out * 10 >= rounds * 8, "the moment was hit: {still_out} of {rounds}");
}

/// Between the pull from the archive and the commit: the message carries a picture, which the bot fetches before it judges,
/// and dies while that fetch is under way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_pull_and_commit() {
    let rounds = kill::moments();
    let mut world = World::new(rounds).await;
    world.start().await;
    for round in 0..rounds {
        let who = person(round);
        let kind = FaultKind::Slow { ms: 60_000 };
        let path = Some("archive/media".to_owned());
        world.sim.fault(Fault { kind, path, times: Some(1) });
        let parts = json!({"item": [
            {"type": "text", "content": json!({"content": AD}).to_string()},
            {"type": "image", "content": json!({"base64": "iVBORw0KGgoAAAANSUhEUg=="}).to_string()},
        ]});
        let before = world.fetching().await;
        world
            .sim
            .act_json(json!({"do": "post", "as": who, "group": CROWD, "msgtype": "mixed", "body": parts}))
            .unwrap();
        let pulled = || async { world.fetching().await.filter(|picture| before.as_ref() != Some(picture)) };
        world.until("pulled", pulled).await;
        tokio::time::sleep(Duration::from_millis(rand::rng().random_range(0..30))).await;
        world.kill();
        assert!(world.cards(&who).is_empty(), "{who}: nothing was decided yet");
        world.start().await;
        let warned = || async { (!world.cards(&who).is_empty()).then_some(()) };
        world.until("warned", warned).await;
        assert_eq!(world.standing(&who).await["strikes"].as_array().unwrap().len(), 1, "{who}");
    }
    for round in 0..rounds {
        assert_eq!(world.cards(&person(round)).len(), 1, "{}", person(round));
    }
    println!("killed between pull and commit: {rounds} times; one strike and one card {rounds} times");
}

/// Between the commit and the message to the member: as soon as the decision is acknowledged, in every other round with the
/// card's call under way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_commit_and_message() {
    let rounds = kill::moments();
    let mut world = World::new(rounds).await;
    let mut unsent = 0;
    world.start().await;
    for round in 0..rounds {
        let who = person(round);
        if round % 2 == 1 {
            let kind = FaultKind::LostAnswer { ms: 300 };
            world.sim.fault(Fault { kind, path: Some("message/send".into()), times: Some(1) });
        }
        let answer = world.hand_in(&format!("{who}-1"), &who).await.unwrap();
        assert_eq!(answer["step"], "warn");
        if round % 2 == 1 {
            let sent = || async { (!world.cards(&who).is_empty()).then_some(()) };
            world.until("sent, and not yet known to be", sent).await;
        }
        world.kill();
        unsent += usize::from(world.cards(&who).is_empty());
        world.start().await;
        let warned = || async { (!world.cards(&who).is_empty()).then_some(()) };
        world.until("warned", warned).await;
        let again = world.hand_in(&format!("{who}-1"), &who).await.unwrap();
        assert_eq!((&again["duplicate"], &again["case"]), (&json!(true), &answer["case"]));
    }
    for round in 0..rounds {
        assert_eq!(world.cards(&person(round)).len(), 1, "{}", person(round));
    }
    println!(
        "killed between commit and message: {rounds} times, {unsent} of them before the card was sent; one strike and one \
         card {rounds} times"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_rulebook_is_announced_once_and_stays_announced() {
    let mut world = World::new(1).await;
    let rules = |version: u32, text: &str| {
        format!(
            "title = \"大群群规\"\nversion = {version}\nannounce_days = 3\n[[clause]]\nid = \"1\"\ncite = \"第一条\"\n\
             text = \"{text}\"\ncheck = [\"ads\"]\n"
        )
    };
    let file = world.folder.path().join("rulebooks/own.toml");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    std::fs::write(&file, rules(1, "不发广告")).unwrap();
    let settings = std::fs::read_to_string(world.bot.settings()).unwrap();
    let settings =
        settings.replace("policy = \"quick\"", "policy = \"quick\"\nrulebook = \"own\"\ntell_rules = \"changes\"");
    std::fs::write(world.bot.settings(), settings).unwrap();
    world.start().await;
    std::fs::write(&file, rules(2, "不发广告和链接")).unwrap();
    let announced = |world: &World| {
        let view = world.sim.group(CROWD, None).unwrap();
        let lines = view["lines"].as_array().unwrap().iter();
        lines.filter(|line| line["text"].as_str().is_some_and(|text| text.contains("群规变更"))).count()
    };
    let lived = async |world: &World| {
        let url = format!("{}/api/v1/rulebooks", world.bot.address);
        let answer: Value = world.http.get(url).bearer_auth(API_TOKEN).send().await.ok()?.json().await.ok()?;
        let own = answer["rulebooks"].as_array()?.iter().find(|lived| lived["group"] == CROWD)?.clone();
        Some(own["versions"].clone())
    };
    world.until("the change was told", async || lived(&world).await.filter(|v| v["announced"]["told"] == true)).await;
    let before = lived(&world).await.unwrap();
    for _ in 0..3 {
        world.kill();
        world.start().await;
        assert_eq!(lived(&world).await.unwrap(), before);
    }
    assert_eq!((before["in_force"]["version"].as_u64(), announced(&world)), (Some(1), 1));
    let answer = world.hand_in("after", &person(0)).await.unwrap();
    let url = format!("{}/api/v1/cases/{}", world.bot.address, answer["case"].as_str().unwrap());
    let case: Value = world.http.get(url).bearer_auth(API_TOKEN).send().await.unwrap().json().await.unwrap();
    assert_eq!(case["clause"], "own@1/1");
}
