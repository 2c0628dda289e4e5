//! Every card the bot sends, word for word, and none beyond WeCom's limits however long the names are.

use std::fmt::Write;

use serde_json::Value;

use super::{announce, ask, ask::Known, notice, tell::message};
use crate::{
    groups::{Configured, Group, GroupState, Person},
    model::{Category, GroupKind, MemberId, Mode, Severity, Step, Timestamp},
    notices::outgoing,
    platform::Private,
    simulator::card_fits,
    store::{Case, CaseState, Task},
    tasks::{Ask, Request, Tell, Topic},
    wecom::cards::{self, Report},
};

fn at(time: &str) -> Timestamp {
    format!("2026-11-23T{time}:00+08:00").parse().unwrap()
}

/// Names and words of everybody; `long` ones are longer than any limit.
struct Scene {
    group: Group,
    case: Case,
    now: Timestamp,
    words: fn(&str) -> String,
}

fn scene(words: fn(&str) -> String) -> Scene {
    let person = |name: &str, external| Person { name: words(name), external };
    let set = Configured {
        id: "g".into(),
        name: words("会员福利群"),
        kind: GroupKind::Customer,
        mode: Mode::Assisted,
        policy: None,
        rulebooks: Vec::new(),
        tell_rules: crate::settings::TellRules::All,
        owner: Some("wang".into()),
        admins: Vec::new(),
        aliases: Vec::new(),
        bot_chat: None,
        webhook: false,
    };
    let members = [(MemberId::from("li"), person("李四", false)), (MemberId::from("wm"), person("大刘", true))];
    let learned = GroupState { members: members.into_iter().collect(), ..GroupState::default() };
    let case = Case {
        id: "8F2K".into(),
        version: 1,
        group: "g".into(),
        member: "li".into(),
        message: "archive:m".into(),
        at: at("14:30"),
        evidence: words("加 薇❤信 领红包"),
        findings: Vec::new(),
        category: Category::Ads,
        severity: Severity::Medium,
        step: Step::Warn,
        points: 2,
        live_points: 4,
        until: Some(at("16:31")),
        expires_at: Some("2026-12-23T14:30:00+08:00".parse().unwrap()),
        policy: "default".into(),
        clause: None,
        rule: words("第三条 不发广告"),
        state: CaseState::Open,
        history: Vec::new(),
        further: Vec::new(),
        more: 0,
        others: Vec::new(),
        same_text: Vec::new(),
    };
    Scene {
        group: Group { set, configured: true, learned, colleagues: std::sync::Arc::default() },
        case,
        now: at("14:31"),
        words,
    }
}

impl Scene {
    fn task(&self, id: &str) -> Task {
        Task::new(id, "ask", &self.case.group, self.now, Value::Null)
    }

    fn warning(&self, topic: Topic) -> Private {
        let points = if matches!(topic, Topic::Hint | Topic::Recall) { 0 } else { 2 };
        let case = Case { points, expires_at: self.case.expires_at.filter(|_| points > 0), ..self.case.clone() };
        let next = match topic {
            Topic::Warn => "再次违规将禁言 2 小时",
            Topic::Mute => "再次违规将移出群聊",
            Topic::AppealRefused => "内容确为广告",
            _ => "",
        };
        let by_person = self.group.set.mode == Mode::Assisted;
        let tell = Tell { n: 2, of: 3, next: (self.words)(next), by_person, ..Tell::new(topic) };
        message(
            &self.task(&format!("tell-8F2K-{topic}")),
            &tell,
            &case,
            &self.group,
            Some("https://bot.example.com"),
            self.now,
        )
    }

    fn request(&self, request: Request, member: &str) -> Value {
        let category = if request == Request::Leak { Category::LeakPersonal } else { self.case.category };
        let case = Case { member: member.into(), category, ..self.case.clone() };
        ask::card(
            &self.task(&format!("ask-8F2K-{request}")),
            &Ask::new(request),
            &case,
            &self.group,
            &Known::default(),
            self.now,
        )
    }

    /// The cards that are not about a case's member or owner.
    fn others(&self) -> [Value; 4] {
        let words = self.words;
        let button = |text: &str, key: &str| outgoing::Button { text: words(text), key: key.into() };
        let notice = outgoing::Tell {
            to: vec!["li".into()],
            text: words("今天 18:00 前填好考勤表"),
            title: words("通知 7K3M · 今天 18:00 截止"),
            buttons: vec![button("收到", "ack:7K3M"), button("特殊情况", "except:7K3M")],
            part: None,
        };
        let Private::Card(notice) = notice::message("notice/7K3M/tell/0", &notice) else { panic!("no card") };
        let (group, evidence) = (self.group.name(), self.case.evidence.as_str());
        let report = Report {
            id: "report-R1",
            group,
            words: evidence,
            author: &words("李四"),
            reason: &words("总发广告"),
            credit: "可信度 80%".into(),
            said: "今天 14:20".into(),
            then: &words("当时有您的广告授权（至今天 16:00）。"),
            permitted: true,
            number: "R1",
        };
        [
            notice,
            cards::appeal(&cards::Appeal {
                id: "appeal-8F2K",
                group,
                member: &words("李四"),
                words: &words("说的是会议室的窗帘"),
                evidence,
                done: words("今天 14:31 警告"),
                points: words("2 分（当时累计 2 分）"),
                rule: &self.case.rule,
                by: words("明天 14:31 前答复"),
                case: "8F2K",
                upheld: "成立就撤销记录；",
                refusals: &[cards::Button {
                    text: &words("不成立：确属违规"),
                    key: "refuse:violation",
                    primary: false,
                }],
            }),
            cards::report(&report),
            cards::breaker("breaker-g", group, &words("10 分钟内移出 4 人"), &words("李四、大刘")),
        ]
    }

    fn every_card(&self) -> Vec<Value> {
        let told = Topic::ALL.iter().filter_map(|topic| match self.warning(*topic) {
            Private::Card(card) => Some(card),
            Private::Text(text) => {
                assert!(crate::wecom::cut(&text, 2048).len() <= 2048);
                None
            }
        });
        let asked = Request::ALL.iter().flat_map(|request| ["li", "wm"].map(|member| self.request(*request, member)));
        told.chain(asked).chain(self.others()).collect()
    }
}

/// A card as it looks on a phone.
fn look(card: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut out = format!("【{}】", text(&card["main_title"]["title"]));
    if card["main_title"]["desc"].is_string() {
        let _ = write!(out, "{}", text(&card["main_title"]["desc"]));
    }
    if card["quote_area"].is_object() {
        let quote = &card["quote_area"];
        let _ = write!(out, "\n> {}", text(&quote["quote_text"]));
    }
    if card["sub_title_text"].is_string() {
        let _ = write!(out, "\n{}", text(&card["sub_title_text"]));
    }
    for row in card["horizontal_content_list"].as_array().into_iter().flatten() {
        let _ = write!(out, "\n{}　{}", text(&row["keyname"]), text(&row["value"]));
    }
    let buttons: Vec<String> = card["button_list"].as_array().unwrap().iter().map(|b| text(&b["text"])).collect();
    let _ = write!(out, "\n[ {} ]", buttons.join(" ] [ "));
    out
}

fn all_looks<'a>(cards: impl IntoIterator<Item = &'a Value>) -> String {
    cards.into_iter().map(look).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn what_a_member_is_told() {
    let mut scene = scene(str::to_owned);
    scene.group.set.mode = Mode::Full;
    let told = |scene: &Scene, topics: &[Topic]| {
        let told = topics.iter().map(|topic| match scene.warning(*topic) {
            Private::Card(card) => look(&card),
            Private::Text(text) => text,
        });
        told.collect::<Vec<_>>().join("\n\n")
    };
    let all = told(&scene, Topic::ALL);
    insta::assert_snapshot!(all, @r"
    【友情提示】会员福利群
    您今天 14:30 的一条消息涉及「广告引流」，这次只做提示，不记分。请留意群规，谢谢配合。
    依据　第三条 不发广告
    编号　8F2K
    申诉　写明理由
    [ 知道了 ] [ 申诉 ]

    【群规提醒（第 2 次）】会员福利群
    您今天 14:30 的一条消息涉及「广告引流」，记 2 分（累计 4 分）。再次违规将禁言 2 小时。
    依据　第三条 不发广告
    次数　第 2 次 / 共 3 次
    失效　12月23日 14:30
    编号　8F2K
    申诉　写明理由
    [ 知道了 ] [ 申诉 ]

    【您已被禁言】会员福利群
    您今天 14:30 的一条消息涉及「广告引流」，记 2 分（累计 4 分）。本群的禁言是暂时移出：今天 16:31 自动拉回。再次违规将移出群聊。
    依据　第三条 不发广告
    次数　第 2 次 / 共 3 次
    失效　12月23日 14:30
    编号　8F2K
    申诉　写明理由
    [ 知道了 ] [ 申诉 ]

    【您已被移出群聊】会员福利群
    您今天 14:30 的一条消息涉及「广告引流」，记 2 分（累计 4 分），按群规移出。如有异议，请点「申诉」。
    依据　第三条 不发广告
    次数　第 2 次 / 共 3 次
    失效　12月23日 14:30
    编号　8F2K
    申诉　写明理由
    [ 知道了 ] [ 申诉 ]

    【请撤回一条消息】会员福利群
    您今天 14:30 的一条消息涉及「广告引流」，可能含有不宜外传的信息。请尽快在群里长按该消息撤回。不涉密请点「误报」，确需发送请点「工作需要」。
    依据　第三条 不发广告
    编号　8F2K
    申诉　写明理由
    [ 知道了 ] [ 误报 ] [ 工作需要 ]

    您在「会员福利群」的禁言已结束，可以正常发言了。谢谢配合。

    您在「会员福利群」的记录 8F2K 已撤销，相应记分不再计算。给您添麻烦了。

    您对记录 8F2K 的申诉已收到。请尽快回复「申诉 8F2K 理由」说明原因，我会一起转给管理者；不说明也会受理。

    您对记录 8F2K 的申诉未成立：内容确为广告。如仍有疑问，请联系群主。
    ");
    assert!(!all.contains('薇'), "what was said is never repeated");
    insta::assert_snapshot!(announce::public_line(&scene.case), @"【群管提醒】刚才有一条消息涉及「广告引流」，已私下提醒发言人。请大家一起维护群里的秩序。");
    // A mute in the client: the bot did not see it, the person who did it said so.
    scene.group.set.mode = Mode::Assisted;
    insta::assert_snapshot!(told(&scene, &[Topic::Mute]), @r"
    【您已被禁言】会员福利群
    您今天 14:30 的一条消息涉及「广告引流」，记 2 分（累计 4 分）。管理者已将您禁言，至 今天 16:31。再次违规将移出群聊。
    依据　第三条 不发广告
    次数　第 2 次 / 共 3 次
    失效　12月23日 14:30
    编号　8F2K
    申诉　写明理由
    [ 知道了 ] [ 申诉 ]
    ");
}

#[test]
fn what_an_owner_is_asked() {
    let mut scene = scene(str::to_owned);
    scene.group.set.kind = GroupKind::Internal;
    let cards: Vec<Value> = Request::ALL.iter().map(|request| scene.request(*request, "li")).collect();
    insta::assert_snapshot!(all_looks(&cards), @r"
    【请禁言 李四】会员福利群
    > 加 薇❤信 领红包
    请在群管理里对该成员禁言至 今天 16:31（到时再提醒您解除），操作后点「已禁言」。「改为警告」不禁言。
    成员　李四
    类别　广告引流
    时间　今天 14:30
    依据　第三条 不发广告
    请在　今天 15:01 前处理
    编号　8F2K
    [ 已禁言 ] [ 改为警告 ] [ 误判 ]

    【请移出成员 李四】会员福利群
    > 加 薇❤信 领红包
    机器人无权在本群移出成员。请在群里操作后点「已移出」，稍后自动核实。「改为警告」不移出。
    成员　李四
    类别　广告引流
    时间　今天 14:30
    依据　第三条 不发广告
    请在　今天 15:01 前处理
    编号　8F2K
    [ 已移出 ] [ 改为警告 ] [ 误判 ]

    【请提醒成员 李四】会员福利群
    > 加 薇❤信 领红包
    可以这样说：您好，群里请不要发与「广告引流」有关的内容，谢谢理解与配合。
    成员　李四
    类别　广告引流
    时间　今天 14:30
    依据　第三条 不发广告
    请在　今天 15:01 前处理
    编号　8F2K
    [ 已提醒 ] [ 误判 ]

    【请看一条消息：李四】会员福利群
    > 加 薇❤信 领红包
    机器人把握不够，请您判断：确认就按群规处理，误判就撤销。
    成员　李四
    类别　广告引流
    时间　今天 14:30
    依据　第三条 不发广告
    请在　今天 15:01 前处理
    编号　8F2K
    [ 确认违规 ] [ 误判 ]

    【疑似泄露，请关注】会员福利群
    > 加…（共 9 字）
    已私信 李四 撤回。请确认消息已撤回，或提醒本人处理。
    成员　李四
    类别　泄露个人信息
    时间　今天 14:30
    依据　第三条 不发广告
    请在　今天 15:01 前处理
    编号　8F2K
    [ 已处理 ] [ 误判 ]

    【请恢复 李四】会员福利群
    > 加 薇❤信 领红包
    处置已结束或撤销，请解除禁言或重新邀请入群。
    成员　李四
    类别　广告引流
    时间　今天 14:30
    依据　第三条 不发广告
    请在　今天 15:01 前处理
    编号　8F2K
    [ 已恢复 ]
    ");
    scene.group.set.kind = GroupKind::Customer;
    let asked = [Request::Warn, Request::Mute, Request::Remove];
    let customers = asked.map(|request| scene.request(request, "wm"));
    insta::assert_snapshot!(all_looks(&customers), @r"
    【请提醒客户 大刘】会员福利群
    > 加 薇❤信 领红包
    可以这样说：您好，群里请不要发与「广告引流」有关的内容，谢谢理解与配合。
    成员　大刘
    类别　广告引流
    时间　今天 14:30
    依据　第三条 不发广告
    请在　今天 15:01 前处理
    编号　8F2K
    [ 已提醒 ] [ 误判 ]

    【请处理 大刘：禁言】会员福利群
    > 加 薇❤信 领红包
    客户群不能禁言。请提醒对方 今天 16:31 前先不要发言，或移出后到时再邀请，处理后点「已处理」。「改为警告」不禁言。
    成员　大刘
    类别　广告引流
    时间　今天 14:30
    依据　第三条 不发广告
    请在　今天 15:01 前处理
    编号　8F2K
    [ 已处理 ] [ 改为警告 ] [ 误判 ]

    【请移出成员 大刘】会员福利群
    > 加 薇❤信 领红包
    请在群里移出并勾选「加入群聊黑名单」（否则还能再进群），再点「已移出」，稍后自动核实。常见广告可打开企业微信的「防骚扰」自动移出。「改为警告」不移出。
    成员　大刘
    类别　广告引流
    时间　今天 14:30
    依据　第三条 不发广告
    请在　今天 15:01 前处理
    编号　8F2K
    [ 已移出 ] [ 改为警告 ] [ 误判 ]
    ");
}

#[test]
fn notices_appeals_reports_and_the_breaker() {
    insta::assert_snapshot!(all_looks(&scene(str::to_owned).others()), @r"
    【通知 7K3M · 今天 18:00 截止】
    今天 18:00 前填好考勤表
    [ 收到 ] [ 特殊情况 ]

    【成员申诉，请处理】会员福利群
    > 加 薇❤信 领红包
    申诉理由：说的是会议室的窗帘
    成立就撤销记录；不成立请点原因，也可以发：申诉 8F2K 不成立 您的话
    成员　李四
    处置　今天 14:31 警告
    记分　2 分（当时累计 2 分）
    依据　第三条 不发广告
    请在　明天 14:31 前答复
    编号　8F2K
    [ 成立，撤销 ] [ 不成立：确属违规 ]

    【成员举报，请查看】会员福利群
    > 加 薇❤信 领红包
    当时有您的广告授权（至今天 16:00）。
    举报理由：总发广告
    发言人　李四
    时间　今天 14:20
    举报人　可信度 80%
    编号　R1
    [ 不算违规 ] [ 属实 ] [ 不属实 ] [ 恶意举报 ]

    【移出过多，已暂停处置】会员福利群
    10 分钟内移出 4 人，已自动熔断：之后的违规只记录、不处置。移出的是：李四、大刘。请确认是否正确。
    [ 恢复处置 ] [ 全部撤销 ]
    ");
}

#[test]
fn a_second_card_for_the_same_request_has_its_own_id() {
    let scene = scene(str::to_owned);
    let mut ask = Ask::new(Request::Remove);
    let id = |ask: &Ask| {
        let card =
            ask::card(&scene.task("ask-8F2K-remove"), ask, &scene.case, &scene.group, &Known::default(), scene.now);
        card["task_id"].as_str().unwrap().to_owned()
    };
    assert_eq!(id(&ask), "ask-8F2K-remove");
    ask.cards = 1; // asked, claimed done, found not done: nobody counts as asked any more
    assert_eq!(id(&ask), "ask-8F2K-remove@2");
}

#[test]
fn wecom_takes_every_card_however_long_the_names_are() {
    fn long(text: &str) -> String {
        format!("{text}很长的名字😀").repeat(60)
    }
    for words in [str::to_owned as fn(&str) -> String, long] {
        let cards = scene(words).every_card();
        assert_eq!(cards.len(), 5 + 12 + 4);
        for card in cards {
            assert!(card_fits(&card), "{card:#}");
        }
    }
    let cut = look(&scene(long).request(Request::Remove, "li"));
    assert!(cut.matches('…').count() >= 4, "what is missing is marked: {cut}");
}

proptest::proptest! {
    /// A card never counts up to itself: 第 2 次 / 共 2 次 says nothing, and 第 4 次 / 共 3 次 is nonsense.
    #[test]
    fn no_card_counts_up_to_itself(n in 1_u32..9, of in 0_u32..9, points in 0_u32..3, by_person: bool) {
        let scene = scene(ToOwned::to_owned);
        let case = Case { points, ..scene.case.clone() };
        let mut cards = Vec::new();
        for topic in Topic::ALL.iter().copied() {
            let tell = Tell { n, of, by_person, ..Tell::new(topic) };
            if let Private::Card(card) = message(&scene.task("tell"), &tell, &case, &scene.group, None, scene.now) {
                cards.push(card);
            }
            for request in Request::ALL.iter().copied() {
                let ask = Ask { tell: Some(tell.clone()), ..Ask::new(request) };
                cards.push(ask::card(&scene.task("ask"), &ask, &case, &scene.group, &Known { earlier: 2, follows: "警告".into() }, scene.now));
            }
        }
        let count = regex::Regex::new("第 ([0-9]+) 次 / 共 ([0-9]+) 次").unwrap();
        for card in cards {
            for found in count.captures_iter(&card.to_string()) {
                let number = |at: usize| found[at].parse::<u32>().unwrap();
                proptest::prop_assert!(number(1) < number(2), "{}", &found[0]);
            }
        }
    }
}
