//! Every clause that the seventeen rulebooks leave to the bot: somebody in a group under that rulebook breaks it, and the case
//! names the clause. What is not about a single message is played elsewhere; the table below says where.

#[path = "common/house.rs"]
mod house;

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use house::{House, SALES};
use insta::assert_snapshot;
use qunguan::{
    model::{Category, SignedDuration},
    policy::rulebook::{Check, Coverage, Duty, Rulebook},
    settings::{Settings, files::Kind},
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
    Some(match duty {
        Duty::Illegal => return None, // its categories are rows of their own
        Duty::NoticeAck => (HOUSE, "a_notice_is_answered_in_private_and_in_the_group"),
        Duty::FineLedger => (HOUSE, "a_month_of_late_answers_is_settled_closed_and_signed_by_somebody_else"),
        Duty::Activity => (HOUSE, "an_activity_is_announced_signed_in_to_and_reported"),
        Duty::Ladder => (HOUSE, "once_warns_twice_mutes_three_times_removes"),
        Duty::Ban => (TIMERS, "a_ban_has_no_end"),
        Duty::Reports => (STORIES, "a_member_reports_and_hears_what_came_of_it"),
        Duty::Appeals => (STORIES, "default_an_appeal_is_upheld_and_the_sentence_passes"),
        Duty::Forwarded => (HOUSE, "a_forwarded_record_is_its_senders_word_only_where_the_rulebook_says_so"),
        Duty::RuleAnnouncement => (TIMERS, "a_changed_rulebook_is_announced_and_holds_three_days_later"),
        Duty::ReplyTime
        | Duty::TimeWindow
        | Duty::Quota
        | Duty::ContentApproval
        | Duty::GroupName
        | Duty::MemberName
        | Duty::Membership
        | Duty::InviteApproval
        | Duty::AgreeRules
        | Duty::MandatoryGroup
        | Duty::Handover
        | Duty::SpotCheck
        | Duty::Evaluation => {
            assert!(duty.planned(), "{duty:?} is neither played nor planned");
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
    let of_bot = book.clauses.iter().filter(|c| matches!(c.coverage(), Coverage::Enforced | Coverage::Watched));
    let checks: Vec<Check> = of_bot.flat_map(|clause| clause.checks.clone()).collect();
    Category::ALL.iter().copied().filter(|category| checks.iter().any(|check| check.covers(*category))).collect()
}

#[test]
fn every_duty_of_the_rulebooks_is_played_or_planned() {
    let mut seen = 0;
    for duty in Duty::ALL {
        if let Some((file, test)) = played(*duty) {
            assert!(file.contains(&format!("async fn {test}(")), "{duty:?} should be played in {test}");
            seen += 1;
        }
    }
    assert_eq!(seen, 9);
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
        assert!(clause.checks.iter().any(|check| check.covers(category)), "{name}: {category} cites {cited}");
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
    警告 广告引流：micro-business@1/2.1
    人工复核 跨群推广：micro-business@1/3.6
    人工复核 灌水：micro-business@1/2.1
    禁言 辱骂：micro-business@1/2.3
    提示 谣言：micro-business@1/2.3
    移出 赌博：micro-business@1/2.2
    移出 色情：micro-business@1/2.2
    移出 违禁品：micro-business@1/2.2
    移出 诈骗：micro-business@1/3.4
    移出 暴恐：micro-business@1/2.2
    警告 虚假夸大：micro-business@1/2.4
    警告 擅自承诺：micro-business@1/3.2
    人工复核 诋毁同行：micro-business@1/2.5
    警告 招代理：micro-business@1/4.1
    禁言 商业贿赂：micro-business@1/2.5
    警告 售假：micro-business@1/3.3
    ");
    // Whatever the bot can find is asked for by some regulation.
    let idle: Vec<_> = Category::ALL.iter().filter(|category| !named.contains(category)).collect();
    assert!(idle.is_empty(), "{idle:?}");
}
