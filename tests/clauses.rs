//! Every clause of the seventeen rulebooks: somebody breaks it, and what that brings is what its label says, in every mode and
//! under every policy. The case names the clause. What is not about a single message is played elsewhere; the table below says
//! where.

#[path = "common/house.rs"]
mod house;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use house::{House, SALES};
use insta::assert_snapshot;
use qunguan::{
    detect::{Detector, Finding, Verdict, lexicon::Pattern},
    labels::{Label, Place, Reach, label},
    model::{Category, Mode, Severity, SignedDuration},
    policy::{
        self, Policy,
        rulebook::{Check, Duty, Rulebook},
    },
    settings::{Settings, files::Kind},
    store::TaskQuery,
};
use serde_json::json;

/// What somebody writes who breaks the rule. Each is said by a member of its own who was there before the bot came.
fn broken(category: Category) -> Vec<String> {
    let once = |text: &str| vec![text.to_owned()];
    match category {
        Category::Ads => once("加我V信领红包"),
        Category::CrossPromotion => once("欢迎加入，扫码进群 78451236，那边天天有活动"),
        Category::Junk => once("帮我砍一刀，就差你一个了"),
        Category::Flood => (1..=12).map(|n| format!("有人在吗有人在吗{}", "！".repeat(n % 3))).collect(),
        Category::Insult => once("你就是个废物，滚出去"),
        Category::Rumour => once("紧急扩散！刚接到通知今晚全城停水，看完马上删"),
        Category::Gambling => once("澳门皇冠注册送彩金，首存翻倍"),
        Category::Porn => once("少妇激情视频全集无码，想看的来"),
        Category::Drugs => once("出售K粉和冰毒，货到付款"),
        Category::Fraud => once("您的银行卡已被冻结，请点击 http://card-verify.top/login 登录验证"),
        Category::Violence => once("再跟我抢单，我找人弄死你"),
        Category::Politics => once("大家都来谈谈某敏感人物"),
        Category::LeakSecret => once("公司报价底价表发出来了，内部机密千万别外传"),
        Category::LeakPersonal => once("客户张三，身份证110101199003074477，手机13912345678"),
        Category::FalseClaim => once("这个茶包治百病，三天根治高血压"),
        Category::UnauthorisedPromise => once("我私下给你便宜两百，别让公司知道"),
        Category::Disparage => once("别家的都是假货，坑人的"),
        Category::Recruit => once("诚招代理，发展下线拿提成"),
        Category::PrivateDeal => once("不走公司账，付款转给我个人微信就行"),
        Category::Minors => once("不查年龄，未成年也可以买香烟"),
        Category::Bribery => once("给采购王经理塞个红包，这单回扣百分之五"),
        Category::FakeGoods => once("高仿包包，一比一复刻A货"),
        Category::Malware => once("点这个安装 http://a1b2.top/app.apk"),
        Category::Disrespect => once("这些少数民族又脏又野蛮"),
        Category::Repost => once("翻录的付费课程，网盘自取"),
        Category::Impersonation => once("我是财务，这笔货款您先垫付一下"),
    }
}

/// Where a duty is played: file and test.
fn played(duty: Duty) -> Option<(&'static str, &'static str)> {
    const HOUSE: &str = include_str!("house.rs");
    const STORIES: &str = include_str!("stories.rs");
    const TIMERS: &str = include_str!("timers.rs");
    const SERVICE: &str = include_str!("service.rs");
    const CLAUSES: &str = include_str!("clauses.rs");
    Some(match duty {
        Duty::Illegal => return None, // its categories are rows of their own
        Duty::NoticeAck => (HOUSE, "a_notice_is_answered_in_private_and_in_the_group"),
        Duty::FineLedger => (HOUSE, "a_month_of_late_answers_is_settled_closed_and_signed_by_somebody_else"),
        Duty::ReplyTime => (SERVICE, "a_question_that_nobody_answers_climbs"),
        Duty::TimeWindow => (SERVICE, "promotion_at_the_wrong_time_is_told_in_private"),
        Duty::WorkChat => (SERVICE, "long_chat_at_work_is_told_in_private"),
        Duty::Tickets => (SERVICE, "a_suggestion_in_private_is_answered"),
        Duty::Activity => (HOUSE, "an_activity_is_announced_signed_in_to_and_reported"),
        Duty::Ladder => (HOUSE, "once_warns_twice_mutes_three_times_removes"),
        Duty::Ban => (TIMERS, "a_ban_has_no_end"),
        Duty::Reports => (STORIES, "a_member_reports_and_hears_what_came_of_it"),
        Duty::Appeals => (STORIES, "default_an_appeal_is_upheld_and_the_sentence_passes"),
        Duty::Forwarded => (HOUSE, "a_forwarded_record_is_its_senders_word_only_where_the_rulebook_says_so"),
        Duty::RuleAnnouncement => (TIMERS, "a_changed_rulebook_is_announced_and_holds_three_days_later"),
        Duty::AgreeRules => (CLAUSES, "a_group_is_told_its_rules_before_anybody_is_punished_and_staff_agree"),
        _ => {
            assert!(duty.by_people().is_some(), "{duty:?} is neither played nor left to people");
            return None;
        }
    })
}

fn books() -> BTreeMap<String, Rulebook> {
    let books = Settings::default().rulebooks().unwrap();
    books.into_iter().map(|(name, book)| (name, Rulebook::clone(&book))).collect()
}

/// The categories of messages that a rulebook leaves to the bot.
fn categories(book: &Rulebook) -> Vec<Category> {
    let whole = |check: &&Check| matches!(check, Check::Message(_) | Check::Duty(Duty::Illegal));
    let checks: Vec<&Check> = book.clauses.iter().flat_map(|clause| &clause.checks).filter(whole).collect();
    let named = |category: &Category| checks.iter().any(|check| check.categories().contains(category));
    let watched = |category: &Category| policy::rulebook::watched_only([book], *category, &[]);
    Category::ALL.iter().copied().filter(|category| named(category) && !watched(category)).collect()
}

#[test]
fn every_duty_of_the_rulebooks_is_played_or_left_to_people() {
    let mut seen = 0;
    for duty in Duty::ALL {
        if let Some((file, test)) = played(*duty) {
            assert!(file.contains(&format!("async fn {test}(")), "{duty:?} should be played in {test}");
            seen += 1;
        }
    }
    assert_eq!(seen, 14);
    assert_eq!(books().len(), 17);
    assert_eq!(Settings::default().files.list(Kind::Rulebook).len(), 17);
}

/// One line a category: what happened and which clause was named.
async fn play(name: &str, book: &Rulebook) -> Vec<(Category, String)> {
    let mut house = House::empty_under("default", name, "").await;
    // What is politics is for the group's owner to say.
    house.write("wordlists/politics/own.txt", "[阶段=执行 分=3]\n某敏感人物\n");
    let categories = categories(book);
    for (n, category) in categories.iter().enumerate() {
        let who = format!("m-{}", category.id());
        house.act(
            json!({"do": "new_person", "id": who, "name": format!("同事{n}"), "kind": "employee", "department": 2}),
        );
        house.act(json!({"do": "invite", "as": "wang", "group": SALES, "people": [who]}));
    }
    house.start_bot().await;
    let mut rows = Vec::new();
    for category in categories {
        let who = format!("m-{}", category.id());
        for text in broken(category) {
            house.act(json!({"do": "post", "as": who, "group": SALES, "text": text}));
        }
        house.settled().await;
        let cases = house.cases(SALES, &who).await;
        let case = cases.iter().find(|case| case.category == category);
        let case = case.unwrap_or_else(|| {
            let found: Vec<_> = cases.iter().map(|case| (case.category, &case.evidence)).collect();
            panic!("{name}: nobody minds {category}: {found:?}")
        });
        let cited = case.clause.as_deref().unwrap_or_default();
        let id = cited.strip_prefix(&format!("{name}@{}/", book.version));
        let clause = id.and_then(|id| book.clause(id)).unwrap_or_else(|| panic!("{name}: {category} cites {cited:?}"));
        assert!(
            clause.checks.iter().any(|check| check.categories().contains(&category)),
            "{name}: {category} cites {cited}"
        );
        assert_ne!(clause.response, policy::rulebook::Response::Watch, "{name}: {category} cites {cited}");
        // So that the breaker takes the removals for what they are: one now and then.
        house.later(SignedDuration::from_hours(2)).await;
        rows.push((category, format!("{} {}：{}", case.step.zh(), case.category.zh(), cited)));
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_clause_is_found_in_a_group_under_it_and_the_case_names_the_clause() {
    let books = books();
    let played = stream::iter(&books).map(async |(name, book)| (name, play(name, book).await));
    let mut played: BTreeMap<&String, _> = played.buffer_unordered(3).collect().await;
    let mut named: Vec<Category> = played.values().flatten().map(|(category, _)| *category).collect();
    named.sort();
    named.dedup();
    let strict: Vec<String> =
        played.remove(&"micro-business".to_owned()).unwrap().into_iter().map(|(_, row)| row).collect();
    assert_snapshot!(strict.join("\n"), @r"
    警告 广告引流：micro-business@2/2.1
    人工复核 跨群推广：micro-business@2/3.6
    人工复核 灌水：micro-business@2/2.1
    禁言 辱骂：micro-business@2/2.3
    提示 谣言：micro-business@2/2.3
    移出 赌博：micro-business@2/2.2
    移出 色情：micro-business@2/2.2
    移出 违禁品：micro-business@2/2.2
    移出 诈骗：micro-business@2/3.4
    移出 暴恐：micro-business@2/2.2
    警告 虚假夸大：micro-business@2/2.4
    警告 擅自承诺：micro-business@2/3.2
    人工复核 诋毁同行：micro-business@2/2.5
    警告 招代理：micro-business@2/4.2
    禁言 商业贿赂：micro-business@2/2.5
    警告 售假：micro-business@2/3.3
    ");
    // Whatever the bot can find is asked for by some regulation.
    let idle: Vec<_> = Category::ALL.iter().filter(|category| !named.contains(category)).collect();
    assert!(idle.is_empty(), "{idle:?}");
}

/// A message by which one check is broken first of all: one that acts if a single hit can, as gravely as the lists know, else
/// one that a person is asked about. Nobody said it before.
fn breach(
    (detector, reach, said): (&Detector, &Reach, &[(Category, String)]),
    check: &Check,
    category: Category,
    used: &BTreeSet<String>,
) -> Option<String> {
    let worst = reach.check(check, category)?.acts.last().copied();
    let acts = worst.is_some();
    let fits = |text: &&String, worst: Option<Severity>| {
        let report = detector.scan(&message(text), None);
        let hit = |finding: &&Finding| finding.category == category && finding.score > 0.0;
        let named =
            !matches!(check, Check::Rule(..)) || report.findings.iter().any(|f| hit(&f) && check.names(&[&f.rule]));
        let grave = report.findings.iter().filter(hit).map(|finding| finding.severity).max();
        let brings = if acts {
            report.acting == [category] && (worst.is_none() || grave == worst)
        } else {
            report.verdict == Verdict::Review
        };
        !used.contains(*text) && named && report.categories.first() == Some(&category) && brings
    };
    let of_category = || said.iter().filter(|(of, _)| *of == category).map(|(_, text)| text);
    of_category().find(|text| fits(text, worst)).or_else(|| of_category().find(|text| fits(text, None))).cloned()
}

/// What may be said: by hand, words of the lists, and the sentences that stand beside them.
fn sayings(settings: &Settings, detector: &Detector) -> Vec<(Category, String)> {
    let by_hand = Category::ALL.iter().flat_map(|category| broken(*category).into_iter().map(|text| (*category, text)));
    let more = [
        (Category::LeakSecret, "登录密码：Xk29dk3021"),
        (Category::LeakSecret, "企业微信账号密码是 Abc12345 大家共用"),
        (Category::LeakSecret, "报价表传到百度网盘"),
        (Category::Minors, "招未成年陪酒"),
    ];
    let mut all: Vec<(Category, String)> =
        by_hand.chain(more.map(|(category, text)| (category, text.to_owned()))).collect();
    for entry in detector.entries() {
        if let Pattern::Literal(words) = &entry.entry.pattern {
            all.push((entry.category, words.clone()));
        }
    }
    for document in settings.lists().0.read_all().0 {
        if let Some(category) = document.category {
            all.extend(document.examples().filter(|e| e.must_hit).map(|e| (category, e.text.clone())));
        }
    }
    all
}

fn message(text: &str) -> qunguan::detect::Input<'_> {
    static NOWHERE: std::sync::LazyLock<(qunguan::model::GroupId, qunguan::model::MemberId)> =
        std::sync::LazyLock::new(|| ("".into(), "".into()));
    qunguan::detect::Input {
        text,
        attachments: &[],
        group: &NOWHERE.0,
        sender: &NOWHERE.1,
        sender_name: None,
        role: qunguan::model::Role::Member,
        at: house::morning(),
        explain: false,
    }
}

/// Every check of the rulebooks about messages, category by category.
fn checks(books: &BTreeMap<String, Rulebook>) -> BTreeSet<(Check, Category)> {
    let all = books.values().flat_map(|book| &book.clauses).flat_map(|clause| &clause.checks);
    all.flat_map(|check| check.categories().iter().map(move |category| (check, *category)))
        // What `illegal` stands for are categories.
        .map(|(check, category)| match check {
            Check::Duty(_) => (Check::Message(category), category),
            other => (other.clone(), category),
        })
        .collect()
}

/// Breaks every check once in a group of that mode under that policy; what followed, as a label says it.
async fn play_all(
    mode: Mode,
    policy: &str,
    played: &BTreeMap<(Check, Category), Vec<String>>,
) -> BTreeMap<(Check, Category), Label> {
    let mut house = House::empty_under(policy, "sales-group", "").await;
    house.change_settings(move |text| {
        text.replacen("mode = \"full\"", &format!("mode = \"{mode}\"\nkind = \"app\""), 1)
    });
    let who = |n: usize| format!("m{n}");
    for n in 0..played.len() {
        let person =
            json!({"do": "new_person", "id": who(n), "name": format!("同事{n}"), "kind": "employee", "department": 2});
        house.act(person);
        house.act(json!({"do": "invite", "as": "wang", "group": SALES, "people": [who(n)]}));
    }
    house.start_bot().await;
    let mut followed = BTreeMap::new();
    for (n, ((check, category), texts)) in played.iter().enumerate() {
        for text in texts {
            house.act(json!({"do": "post", "as": who(n), "group": SALES, "text": text}));
        }
        house.settled().await;
        let cases = house.cases(SALES, &who(n)).await;
        let label = match cases.iter().find(|case| case.category == *category) {
            None => Label::Disabled,
            Some(case) => {
                let query = TaskQuery { limit: usize::MAX, ..TaskQuery::default() };
                let tasks = house.store().tasks(&query).await.unwrap();
                let kinds: Vec<&str> = tasks
                    .iter()
                    .filter(|task| task.case.as_ref() == Some(&case.id))
                    .map(|task| task.kind.as_str())
                    .collect();
                // A leak is taken back by who said it, and then the owner hears of it.
                if kinds.contains(&"tell") || kinds.contains(&"remove") {
                    Label::Enforced
                } else if kinds.contains(&"ask") {
                    Label::Asked
                } else {
                    Label::Watched
                }
            }
        };
        followed.insert((check.clone(), *category), label);
        // So that the breaker takes the removals for what they are: one now and then.
        house.later(SignedDuration::from_hours(2)).await;
    }
    followed
}

#[tokio::test(flavor = "multi_thread")]
async fn every_label_is_what_a_breach_brings_in_every_mode_and_under_every_policy() {
    let (settings, books) = (Settings::default(), books());
    let (detector, _) = settings.detector(house::morning()).unwrap();
    let reach = Reach::of(&detector);
    let said = sayings(&settings, &detector);
    let (mut played, mut used, mut unsaid) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
    for (check, category) in checks(&books) {
        let texts = match category {
            Category::Flood => broken(category),
            Category::Politics => vec!["大家都来谈谈某敏感人物".to_owned()],
            _ => match breach((&detector, &reach, &said), &check, category, &used) {
                Some(text) => vec![text],
                None => {
                    unsaid.push(check.id());
                    continue;
                }
            },
        };
        used.extend(texts.clone());
        played.insert((check, category), texts);
    }
    assert!(unsaid.is_empty(), "nothing to say for {unsaid:?}");
    let places: Vec<(Mode, &str)> = Mode::ALL
        .iter()
        .flat_map(|mode| ["default", "gentle", "three-strikes", "strict"].map(|policy| (*mode, policy)))
        .collect();
    let brought =
        stream::iter(places).map(async |(mode, policy)| (mode, policy, play_all(mode, policy, &played).await));
    let brought: Vec<_> = brought.buffer_unordered(3).collect().await;
    let mut walked = 0;
    let mut wrong = BTreeSet::new();
    for (mode, name, followed) in &brought {
        let policy = Policy::shipped(name);
        let mut place = Place::best(&policy, &reach);
        place.group.set.mode = *mode;
        for book in books.values() {
            for clause in &book.clauses {
                walked += 1;
                let says = label(&place, &[book], clause);
                let mut worst = Label::Enforced;
                for (check, category) in clause.checks.iter().flat_map(|c| c.categories().iter().map(move |g| (c, *g)))
                {
                    let key = match check {
                        Check::Duty(_) => Check::Message(category),
                        other => other.clone(),
                    };
                    let watched = policy::rulebook::watched_only([book], category, &[]);
                    let happened = if watched { Label::Watched } else { followed[&(key, category)] };
                    worst = worst.max(happened);
                    let part = place.parts(&[book], check);
                    let part = part.iter().find(|part| part.check == category.zh()).unwrap_or(&part[0]);
                    if part.label != happened {
                        wrong.insert(format!("{mode} {name} {}: says {}, was {happened}", check.id(), part.label));
                    }
                }
                assert!(says.label >= worst, "{mode} {name} {} {}: {}", book.name, clause.id, says.zh());
                if let (Label::Enforced, Some(rest)) = (says.label, &clause.rest) {
                    panic!("{} {} promises all and leaves {rest}", book.name, clause.id);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(walked, 267 * 12);
}

#[tokio::test]
async fn what_a_rulebook_only_watches_is_written_down_and_nobody_hears_of_it() {
    let house = House::start_under("default", "customer-contact", "").await;
    house.say("li", SALES, "帮我砍一刀，就差你一个了").await;
    let cases = house.cases(SALES, "li").await;
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].history[0].what, "watched");
    assert_eq!(cases[0].clause.as_deref(), Some("customer-contact@2/6"));
    assert!(house.told("li").is_empty() && house.told("wang").is_empty());
}

#[tokio::test]
async fn a_group_is_told_its_rules_before_anybody_is_punished_and_staff_agree() {
    let mut house = House::empty_under("default", "group-sales", "").await;
    house.change_settings(|text| text.replacen("tell_rules = \"changes\"", "tell_rules = \"all\"", 1));
    // What was said before the group heard of its rules is held against nobody.
    house.act(json!({"do": "post", "as": "li", "group": SALES, "text": house::AD}));
    house.sim.advance(SignedDuration::from_mins(1));
    house.start_bot().await;
    let lines = house.lines(SALES);
    let told: Vec<&String> = lines.iter().filter(|line| line.contains("【群规】")).collect();
    assert_eq!(told.len(), 1, "{lines:#?}");
    assert!(
        told[0].contains("本群按《微信群管理制度销售》管理，现在起生效：\n· 二(1) 群名写清主题，不夸大"),
        "{}",
        told[0]
    );
    let before = house.cases(SALES, "li").await;
    assert!(before.iter().all(|case| case.step == qunguan::model::Step::None && case.points == 0), "{before:?}");
    house.later(SignedDuration::from_mins(1)).await;
    house.say("li", SALES, house::AD).await;
    let cases = house.cases(SALES, "li").await;
    assert!(cases.iter().any(|case| case.step == qunguan::model::Step::Warn), "{cases:?}");

    // Staff are asked for their yes; who has not said it is reminded.
    let asked = |who: &str| house.told(who).iter().filter(|card| card.contains("[同意]")).count();
    assert_eq!((asked("li"), asked("chen")), (1, 1));
    house.say("li", SALES, "同意").await;
    house.later(SignedDuration::from_hours(13)).await;
    assert_eq!((asked("li"), asked("chen")), (1, 2));

    // Who joins later hears the rules in private, once, and is asked too.
    house.act(json!({"do": "new_person", "id": "new", "name": "小新", "kind": "employee", "department": 2}));
    house.act(json!({"do": "invite", "as": "wang", "group": SALES, "people": ["new"]}));
    house.later(SignedDuration::from_mins(11)).await;
    let private = house.told("new");
    let whole = "欢迎加入「华东销售群」。本群按《微信群管理制度销售》管理：\n· 二(1) 群名写清主题，不夸大";
    assert!(private.iter().any(|text| text.starts_with(whole)), "{private:?}");
    assert_eq!(private.iter().filter(|card| card.contains("[同意]")).count(), 1, "{private:?}");
    house.later(SignedDuration::from_mins(11)).await;
    assert_eq!(house.told("new").len(), private.len());
}
