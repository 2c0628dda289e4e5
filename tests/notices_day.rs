//! A played day: a notice to 42 people in three groups that overlap, answered in every way people answer, with the bot killed
//! across the deadline. The clock is moved by hand and the store is the one on disk.

use std::{collections::BTreeMap, fmt::Write, path::Path, sync::Arc};

use jiff::tz::TimeZone;
use qunguan::{
    model::{Attachment, Channel, Clock, GroupId, MemberId, Message, ShiftedClock, SignedDuration, TaskId, Timestamp},
    notices::{
        Calendar, Directory, Draft, Notice, Notices, Person, Ran, answer::Pressed, calendar::Holidays,
        exemption::Standing, run::KINDS, run_task,
    },
    store::{Commit, Task, TaskState, TaskUpdate, embedded::EmbeddedStore},
};

/// 42 people p01 … p42: p01–p18 in east, p15–p30 in west, p28–p42 and p01 in north; p01 is in two, p16 and p29 too.
struct Company;

fn number(id: &MemberId) -> usize {
    id.as_str().trim_start_matches('p').parse().unwrap_or(0)
}
fn id(n: usize) -> MemberId {
    MemberId::from(format!("p{n:02}"))
}
fn name(n: usize) -> String {
    const SURNAMES: [&str; 14] = ["赵", "钱", "孙", "李", "周", "吴", "郑", "王", "冯", "陈", "褚", "卫", "蒋", "沈"];
    const GIVEN: [&str; 3] = ["一鸣", "思远", "雨桐"];
    format!("{}{}", SURNAMES[(n - 1) % 14], GIVEN[(n - 1) / 14 % 3])
}

impl Directory for Company {
    fn group(&self, group: &GroupId) -> Option<Vec<Person>> {
        let numbers: Vec<usize> = match group.as_str() {
            "east" => (1..=18).collect(),
            "west" => (15..=30).collect(),
            "north" => (28..=42).chain([1]).collect(),
            _ => return None,
        };
        Some(numbers.into_iter().map(|n| self.person(&id(n))).collect())
    }
    fn group_name(&self, group: &GroupId) -> String {
        match group.as_str() {
            "east" => "华东销售群",
            "west" => "华西销售群",
            _ => "北区销售群",
        }
        .into()
    }
    fn department(&self, _name: &str) -> Option<Vec<Person>> {
        None
    }
    fn person(&self, member: &MemberId) -> Person {
        match number(member) {
            0 => Person { id: member.clone(), name: member.to_string(), department: String::new(), superior: None },
            43 => Person { id: member.clone(), name: "韩新来".into(), department: "华东".into(), superior: None },
            n => {
                let (department, boss) = match n {
                    1..=16 => ("华东", "boss_east"),
                    17..=29 => ("华西", "boss_west"),
                    _ => ("北区", "boss_north"),
                };
                Person { id: member.clone(), name: name(n), department: department.into(), superior: Some(boss.into()) }
            }
        }
    }
}

/// The bot as far as notices go: it can be killed and started again, and keeps what left the house.
struct Day {
    clock: Arc<ShiftedClock>,
    folder: tempfile::TempDir,
    notices: Option<Arc<Notices>>,
    spoken: usize,
    /// Task id → how it was told, for the test that nobody is told twice.
    sent: BTreeMap<TaskId, String>,
    log: String,
}

fn at(time: &str) -> Timestamp {
    format!("2026-11-23T{time}:00+08:00").parse().unwrap()
}
fn local(at: Timestamp) -> String {
    at.to_zoned(TimeZone::get("Asia/Shanghai").unwrap()).strftime("%H:%M").to_string()
}

fn open(folder: &Path, clock: &Arc<ShiftedClock>) -> Arc<Notices> {
    let store = Arc::new(EmbeddedStore::open(folder).unwrap());
    let calendar = Calendar::new(TimeZone::get("Asia/Shanghai").unwrap(), None, Holidays::built_in());
    Arc::new(Notices::new(store, clock.clone(), Arc::new(Company), Arc::new(calendar)))
}

impl Day {
    fn start(time: &str) -> Self {
        let clock = Arc::new(ShiftedClock::fixed(at(time)));
        let folder = tempfile::tempdir().unwrap();
        let notices = Some(open(folder.path(), &clock));
        Self { clock, folder, notices, spoken: 0, sent: BTreeMap::new(), log: String::new() }
    }
    fn notices(&self) -> Arc<Notices> {
        self.notices.clone().expect("the bot runs")
    }
    fn kill(&mut self) {
        self.notices = None; // nothing is flushed or finished: whatever was committed is all there is
    }
    fn restart(&mut self) {
        self.notices = Some(open(self.folder.path(), &self.clock));
    }
    /// Moves the clock; if the bot runs, everything that falls due meanwhile is done at its own minute.
    async fn until(&mut self, time: &str) {
        let target = at(time);
        loop {
            let now = self.clock.now();
            if self.notices.is_none() {
                self.clock.advance(target.duration_since(now));
                return;
            }
            self.work().await;
            let due = self.notices().store().next_due().await.unwrap().filter(|due| *due <= target);
            let next = due.unwrap_or(target).max(now);
            self.clock.advance(next.duration_since(now));
            if due.is_none() {
                self.work().await;
                return;
            }
        }
    }
    /// What the task runner does.
    async fn work(&mut self) {
        let notices = self.notices();
        loop {
            let now = self.clock.now();
            let tasks = notices.store().claim(now, 64, SignedDuration::from_secs(60)).await.unwrap();
            if tasks.is_empty() {
                return;
            }
            for task in tasks {
                let (state, due, reason, payload) = if KINDS.contains(&task.kind.as_str()) {
                    // As if killed between what the task wrote and its own end: it runs again, and nothing happens twice.
                    run_task(&notices, &task).await.unwrap();
                    match run_task(&notices, &task).await.unwrap() {
                        Ran::Done(reason) => (TaskState::Done, now, reason, None),
                        Ran::Later { due, reason, payload } => (TaskState::Pending, due, reason, Some(payload)),
                    }
                } else {
                    self.say(&task);
                    (TaskState::Done, now, "已发出".into(), None)
                };
                let update =
                    TaskUpdate { id: task.id, fence: Some(task.fence), state, due, reason, payload, failed: false };
                notices.store().commit(Commit { task_updates: vec![update], ..Commit::default() }).await.unwrap();
            }
        }
    }
    fn say(&mut self, task: &Task) {
        let text = |name: &str| task.payload[name].as_str().unwrap_or_default().to_owned();
        let words = match task.kind.as_str() {
            "announce" => format!("群 {}\n{}", task.group, text("text")),
            "notice.card" => format!("群 {} 的卡片 {}", task.group, text("text")),
            "notice.tell" => {
                let to: Vec<&str> = task.payload["to"].as_array().unwrap().iter().filter_map(|v| v.as_str()).collect();
                let to = if to.len() > 14 { format!("{} 人", to.len()) } else { to.join(" ") };
                let buttons = task.payload["buttons"].as_array();
                let buttons: Vec<&str> = buttons.into_iter().flatten().filter_map(|b| b["text"].as_str()).collect();
                let mut words = format!("私信 {to}\n");
                if !text("title").is_empty() {
                    let _ = writeln!(words, "《{}》", text("title"));
                }
                words.push_str(&text("text"));
                if !buttons.is_empty() {
                    let _ = write!(words, "\n[{}]", buttons.join("] ["));
                }
                words
            }
            other => panic!("nobody knows how to do {other}"),
        };
        assert!(self.sent.insert(task.id.clone(), words.clone()).is_none(), "{} was done twice", task.id);
        let _ = writeln!(self.log, "—— {} {words}", local(self.clock.now()));
    }
    /// Somebody says something at `time`; it is heard now, which may be later.
    async fn say_at(&mut self, time: &str, group: &str, who: usize, text: &str) {
        self.message(time, group, who, text, None).await;
    }
    async fn message(&mut self, time: &str, group: &str, who: usize, text: &str, quote: Option<&str>) {
        self.spoken += 1;
        let mut message =
            Message::text(Channel::Archive, &self.spoken.to_string(), group, id(who).as_str(), at(time), text);
        if who <= 42 {
            message.sender_name = Some(name(who));
        }
        message.attachments.extend(quote.map(|text| Attachment::Quote { text: text.to_owned() }));
        let first = self.notices().hear(&message).await;
        let again = self.notices().hear(&message).await; // everything is delivered twice
        if group.is_empty() {
            let reply = first.unwrap().map(|h| h.reply).unwrap_or_default();
            let _ = writeln!(self.log, "—— {time} {} 私聊：{text} → {reply}", name(who));
        }
        drop(again);
    }
    async fn press(&mut self, time: &str, who: usize, key: &str) -> String {
        let heard = self.notices().press(key, &id(who), at(time)).await.unwrap().unwrap();
        match heard {
            Pressed::Settled(text) | Pressed::Told(text) => text,
            Pressed::Counted(counter) => counter.text,
        }
    }
}

fn draft() -> Draft {
    Draft {
        accept: ["收到", "执行", "马上执行", "1", "OK", "好的"].map(str::to_owned).to_vec(),
        escalate_to: vec!["director".into()],
        approvers: vec!["hr".into()],
        ..Draft::new("今天 18:00 前完成客户拜访表，周会逐一核对。", &["east", "west", "north"], "2h".parse().unwrap())
    }
}

#[tokio::test]
async fn a_day_with_a_notice() {
    let mut day = Day::start("09:55");
    // p40 is on parental leave this month: a standing exemption.
    let month = Standing {
        reason: "陪产假".into(),
        from: "2026-11-01T00:00:00+08:00".parse().unwrap(),
        to: "2026-12-01T00:00:00+08:00".parse().unwrap(),
        by: "hr".into(),
    };
    day.notices().exempt(&id(40), month).await.unwrap();
    let preview = day.notices().preview(&draft()).await.unwrap();
    assert_eq!((preview.people, preview.exempt), (42, 1));
    day.until("10:00").await;
    let notice: Notice = day.notices().publish(draft(), "api", None).await.unwrap();
    let n = notice.id.clone();
    let n = n.as_str();
    day.until("10:05").await;

    // Answers of every kind. People in several groups answer once.
    for (time, group, who, text) in [
        ("10:01", "east", 1, "收到"),
        ("10:02", "north", 1, "收到"),
        ("10:02", "east", 2, "收到！"),
        ("10:02", "east", 3, "@办公室 收到，马上执行"),
        ("10:03", "east", 4, "收 到"),
        ("10:03", "east", 5, "王总，收到，谢谢"),
        ("10:03", "east", 6, "收道"),
        ("10:04", "east", 7, "ＯＫ"),
        ("10:04", "east", 8, "1"),
        ("10:04", "east", 9, "馬上執行"),
        ("10:04", "east", 10, "[玫瑰]收到[玫瑰]"),
        ("10:05", "west", 16, "好的，收到"),
        ("10:05", "west", 17, "执行"),
        ("10:05", "west", 18, "已收到"),
        ("10:05", "west", 19, "收到了"),
        // None of these is an answer.
        ("10:06", "west", 20, "没收到"),
        ("10:06", "west", 21, "收到红包了"),
        ("10:06", "west", 22, "大家收到了吗？"),
        ("10:06", "west", 23, "收到请回复"),
        ("10:06", "north", 41, "怎么执行？"),
        // Said before the notice was sent, heard later.
        ("09:59", "west", 24, "收到"),
    ] {
        day.say_at(time, group, who, text).await;
    }
    // By quoting the notice, where a short word is enough; without the quote it is not.
    let quoted = format!("【通知 {n}】请在今天 12:00前回执");
    day.message("10:07", "west", 25, "嗯嗯", Some(&quoted)).await;
    day.message("10:07", "west", 26, "嗯嗯", None).await;
    // By the button, by the group's card, by a link, in private.
    assert!(day.press("10:08", 28, &format!("notice:{n}:ack")).await.contains("已记下"));
    day.press("10:08", 29, &format!("notice:{n}:ack:group")).await;
    day.press("10:09", 30, &format!("notice:{n}:ack:link")).await;
    day.press("10:20", 28, &format!("notice:{n}:ack")).await;
    day.say_at("10:10", "", 31, &format!("收到 {n}")).await;
    // Somebody outside is not counted; somebody leaves; somebody joins after the sending.
    day.say_at("10:11", "east", 43, "收到").await;
    day.notices().left(&"north".into(), &id(42), at("10:12")).await.unwrap();
    day.notices().left(&"west".into(), &id(29), at("10:12")).await.unwrap();
    day.notices().joined(&"east".into(), &id(43), at("10:12")).await.unwrap();
    // Two explanations: one is accepted, one refused; a stranger may not decide.
    day.say_at("10:15", "", 32, &format!("特殊情况 {n} 在飞机上，下午才能处理")).await;
    day.say_at("10:16", "", 33, &format!("特殊情况 {n} 忘了")).await;
    day.until("10:30").await;
    let decide = |who: usize, how: &str| format!("notice:{n}:exempt:{}:{how}", id(who));
    let hr = MemberId::from("hr");
    assert!(day.notices().press(&decide(32, "yes"), &id(33), at("10:30")).await.is_err());
    day.notices().press(&decide(32, "yes"), &hr, at("10:30")).await.unwrap();
    day.notices().press(&decide(33, "no"), &hr, at("10:31")).await.unwrap();
    day.until("11:10").await;
    for who in [11, 12, 13, 14] {
        day.say_at("11:10", "east", who, "收到").await;
    }
    day.until("11:50").await;
    for who in 34..=39 {
        day.say_at("11:50", "north", who, "收到").await;
    }
    day.until("11:55").await;

    // Killed five minutes before the deadline, back a quarter of an hour after it.
    day.kill();
    day.until("12:15").await;
    day.restart();
    day.work().await;
    // What was said meanwhile comes from the archive: in time, one second late, late.
    day.say_at("11:58", "east", 15, "收到").await;
    day.say_at("12:00", "west", 20, "收到").await;
    day.say_at("12:01", "west", 21, "收到").await;
    // An earlier message of somebody whose later one is known replaces it.
    day.say_at("12:10", "west", 27, "收到").await;
    day.work().await;
    day.say_at("11:59", "west", 27, "马上执行").await;
    day.until("13:00").await;
    day.say_at("13:00", "west", 22, "收到，刚开完会").await;
    day.until("14:00").await;
    // Killed and started again: nothing is said twice (say() would panic).
    day.kill();
    day.restart();
    day.until("14:05").await;

    let status = day.notices().status(n).await.unwrap();
    let table = status.table(day.clock.now()).replace(n, "N");
    insta::assert_snapshot!(table, @r#"
    通知 N（已截止） 今天 18:00 前完成客户拜访表，周会逐一核对。
    截止：今天 12:00
    需回执 41 人：已回执 34（迟到 2），豁免 2，未回执 5，还在等 0

    北区            8/12
    华东            16/16
    华西            10/13

    赵一鸣        已回执    今天 10:01      群里回复
    钱一鸣        已回执    今天 10:02      群里回复
    孙一鸣        已回执    今天 10:02      群里回复
    李一鸣        已回执    今天 10:03      群里回复
    周一鸣        已回执    今天 10:03      群里回复
    吴一鸣        已回执    今天 10:03      群里回复
    郑一鸣        已回执    今天 10:04      群里回复
    王一鸣        已回执    今天 10:04      群里回复
    冯一鸣        已回执    今天 10:04      群里回复
    陈一鸣        已回执    今天 10:04      群里回复
    褚一鸣        已回执    今天 11:10      群里回复
    卫一鸣        已回执    今天 11:10      群里回复
    蒋一鸣        已回执    今天 11:10      群里回复
    沈一鸣        已回执    今天 11:10      群里回复
    赵思远        已回执    今天 11:58      群里回复
    钱思远        已回执    今天 10:05      群里回复
    孙思远        已回执    今天 10:05      群里回复
    李思远        已回执    今天 10:05      群里回复
    周思远        已回执    今天 10:05      群里回复
    吴思远        已回执    今天 12:00      群里回复
    郑思远        迟到      今天 12:01      群里回复  晚 1 分钟
    王思远        迟到      今天 13:00      群里回复  晚 60 分钟
    冯思远        未回执
    陈思远        未回执
    褚思远        已回执    今天 10:07      引用回复
    卫思远        未回执
    蒋思远        已回执    今天 11:59      群里回复
    沈思远        已回执    今天 10:08      按钮
    赵雨桐        已回执    今天 10:08      群卡片
    钱雨桐        已回执    今天 10:09      链接
    孙雨桐        已回执    今天 10:10      私聊回复
    李雨桐        豁免
    周雨桐        未回执
    吴雨桐        已回执    今天 11:50      群里回复
    郑雨桐        已回执    今天 11:50      群里回复
    王雨桐        已回执    今天 11:50      群里回复
    冯雨桐        已回执    今天 11:50      群里回复
    陈雨桐        已回执    今天 11:50      群里回复
    褚雨桐        已回执    今天 11:50      群里回复
    卫雨桐        豁免
    蒋雨桐        未回执
    "#);
    insta::assert_snapshot!(day.log.replace(n, "N"), @r"
    —— 10:00 群 east
    【通知 N】请在今天 12:00 前回执
    今天 18:00 前完成客户拜访表，周会逐一核对。

    需回执 41 人。回复“收到”或点私信里的按钮都可以；有特殊情况请私信我：特殊情况 N 原因
    —— 10:00 群 west
    【通知 N】请在今天 12:00 前回执
    今天 18:00 前完成客户拜访表，周会逐一核对。

    需回执 41 人。回复“收到”或点私信里的按钮都可以；有特殊情况请私信我：特殊情况 N 原因
    —— 10:00 群 north
    【通知 N】请在今天 12:00 前回执
    今天 18:00 前完成客户拜访表，周会逐一核对。

    需回执 41 人。回复“收到”或点私信里的按钮都可以；有特殊情况请私信我：特殊情况 N 原因
    —— 10:00 群 east 的卡片 已回执：0/41
    —— 10:00 群 west 的卡片 已回执：0/41
    —— 10:00 群 north 的卡片 已回执：0/41
    —— 10:00 私信 41 人
    《通知 N，请在今天 12:00 前回执》
    今天 18:00 前完成客户拜访表，周会逐一核对。
    [收到] [特殊情况]
    —— 10:10 孙雨桐 私聊：收到 N → 已记下您对通知 N 的回执，谢谢。
    —— 10:15 李雨桐 私聊：特殊情况 N 在飞机上，下午才能处理 → 已记下您的说明，负责人处理后会告诉您。
    —— 10:16 周雨桐 私聊：特殊情况 N 忘了 → 已记下您的说明，负责人处理后会告诉您。
    —— 10:05 私信 hr
    《李雨桐 对通知 N 说明特殊情况》
    在飞机上，下午才能处理
    通知：今天 18:00 前完成客户拜访表，周会逐一核对。
    [同意] [不同意]
    —— 10:05 私信 hr
    《周雨桐 对通知 N 说明特殊情况》
    忘了
    通知：今天 18:00 前完成客户拜访表，周会逐一核对。
    [同意] [不同意]
    —— 10:30 私信 p32
    您对通知 N 的说明已同意，不用回执。
    —— 10:30 私信 p33
    您对通知 N 的说明没有同意，请尽快回执。
    —— 11:00 私信 20 人
    《还差您的回执：通知 N，今天 12:00 截止》
    还剩 1 小时。今天 18:00 前完成客户拜访表，周会逐一核对。
    [收到] [特殊情况]
    —— 11:48 私信 16 人
    《还差您的回执：通知 N，今天 12:00 截止》
    还剩 12 分钟。今天 18:00 前完成客户拜访表，周会逐一核对。
    [收到] [特殊情况]
    —— 12:15 私信 p21
    已记下您对通知 N 的回执，比截止时间晚 1 分钟。
    —— 12:15 私信 p27
    已记下您对通知 N 的回执，比截止时间晚 10 分钟。
    —— 12:15 私信 p27
    已找到您更早的回执，通知 N 更正为按时回执。
    —— 12:20 私信 p22 p23 p24 p26 p33 p41
    《通知 N 已截止》
    通知 N 已在今天 12:00 截止，还没有收到您的回执：今天 18:00 前完成客户拜访表，周会逐一核对。
    现在回执会记为迟到；有特殊情况请回复：特殊情况 N 原因
    [收到] [特殊情况]
    —— 12:20 私信 director
    通知 N 已在今天 12:00 截止：今天 18:00 前完成客户拜访表，周会逐一核对。
    需回执 41 人，已回执 33 人（其中迟到 1 人），豁免 2 人，未回执 6 人。
    未回执：王思远、冯思远、陈思远、卫思远、周雨桐、蒋雨桐
    —— 12:20 私信 boss_north
    通知 N 已在今天 12:00 截止：今天 18:00 前完成客户拜访表，周会逐一核对。
    您的团队还有 2 人未回执：周雨桐、蒋雨桐
    —— 12:20 私信 boss_west
    通知 N 已在今天 12:00 截止：今天 18:00 前完成客户拜访表，周会逐一核对。
    您的团队还有 4 人未回执：王思远、冯思远、陈思远、卫思远
    —— 13:00 私信 p22
    已记下您对通知 N 的回执，比截止时间晚 1 小时。
    ");
    let counted =
        (status.required, status.acknowledged, status.late, status.exempt, status.missing, status.waiting, status.left);
    assert_eq!(counted, (41, 34, 2, 2, 5, 0, 1));
    assert_eq!(status.required, status.acknowledged + status.exempt + status.missing);
    let ledger = day.notices().ledger("2026-11").await.unwrap();
    let late: Vec<(usize, i64, u64)> =
        ledger.iter().map(|line| (number(&line.member), line.late_minutes, line.amount_fen)).collect();
    let expected = [(21, 1, 0), (22, 60, 0), (23, 125, 0), (24, 125, 0), (26, 125, 0), (33, 125, 0), (41, 125, 0)];
    assert_eq!(late, expected, "number, minutes, fen: no money where nobody switched it on");
}
