//! Two people decide about the same thing at the same moment: the first is heard, the second reads so, and nothing counts
//! twice. And what this version cannot read stays as it is.

use serde_json::json;

use super::bench::{Bench, member, person, program};
use crate::{
    access::AccountRole,
    accounts::{Wanted, at_the_machine},
    card_actions::Shown,
    cases::{appeal::AppealState, report::ReportState},
    groups::{GROUPS, GroupState},
    notices::Draft,
    orders::Term,
    refusal::Code,
    store::{CaseState, Commit, Committed, Document, Name, Store, StoreError, TaskState, transaction::transact},
};

#[tokio::test]
async fn one_of_two_answers_to_an_appeal_counts() {
    let bench = Bench::new().await;
    let case = bench.case().await;
    bench.commands.cases.open_appeal(&person("li"), &case, "发错群了").await.unwrap();
    let (cases, about) = (bench.commands.cases.clone(), case.clone());
    bench.store.just_before(async move {
        cases.answer_appeal(&person("zhao"), &about, false, "").await.unwrap();
    });
    let late = bench.commands.cases.answer_appeal(&person("wang"), &case, true, "").await;
    assert!(bench.store.has_happened());
    assert_eq!(late.unwrap_err().to_string(), format!("{case} 的申诉已处理：不成立"));
    let appeal = bench.commands.cases.appeal(&case).await.unwrap().unwrap();
    assert_eq!((appeal.state, appeal.by), (AppealState::Refused, Some(member("zhao"))));
    assert_ne!(bench.store.case(&case).await.unwrap().unwrap().state, CaseState::Revoked);
    let told = bench.task_ids().await;
    assert!(told.contains(&format!("tell-{case}-appeal_refused")), "{told:?}");
    assert!(!told.contains(&format!("tell-{case}-revoked")), "{told:?}");
}

#[tokio::test]
async fn two_who_agree_with_a_case_count_once() {
    let bench = Bench::new().await;
    let case = bench.case().await;
    let (cases, about) = (bench.commands.cases.clone(), case.clone());
    bench.store.just_before(async move { cases.confirm(&person("zhao"), &about).await.unwrap() });
    let late = bench.commands.cases.confirm(&person("wang"), &case).await;
    assert_eq!(late.unwrap_err().code(), Some(Code::AlreadyDecided));
    assert!(bench.store.has_happened());
    let history = bench.store.case(&case).await.unwrap().unwrap().history;
    let confirmed: Vec<_> = history.iter().filter(|event| event.what == "confirmed").map(|event| &event.by).collect();
    assert_eq!(confirmed, ["zhao"]);
    let once = bench.reviewed();
    let alone = Bench::new().await;
    let case = alone.case().await;
    alone.commands.cases.confirm(&person("zhao"), &case).await.unwrap();
    assert_eq!(once, alone.reviewed());
    assert!(once > 0);
}

#[tokio::test]
async fn one_of_two_presses_on_a_request_counts() {
    let bench = Bench::new().await;
    let case = bench.case().await;
    let id = bench.asked_about(&case).await;
    let (cards, card, at) = (bench.cards.clone(), id.to_string(), bench.now());
    bench.store.just_before(async move {
        let shown = cards.press(&member("zhao"), &card, "wrong", at).await.unwrap();
        assert_eq!(shown, Shown::Label("已记为误判并撤销".into()));
    });
    let late = bench.cards.press(&member("wang"), id.as_str(), "confirm", bench.now()).await.unwrap();
    assert!(bench.store.has_happened());
    assert_eq!(late, Shown::Label("已处理：记录已撤销".into()));
    assert_eq!(bench.store.case(&case).await.unwrap().unwrap().state, CaseState::Revoked);
    assert_eq!(bench.store.task(&id).await.unwrap().unwrap().state, TaskState::Cancelled);
    let standing = bench.store.member(&"g".into(), &member("li")).await.unwrap().standing;
    assert_eq!(standing.live_points(bench.now()), 0, "nothing was counted against Li by the second press");
}

/// Of the last two who manage accounts, each takes the other's away: one is left.
#[tokio::test]
async fn somebody_who_manages_accounts_is_always_left() {
    let bench = Bench::new().await;
    let root = Wanted { role: AccountRole::Root, person: None, groups: None };
    for name in ["甲", "乙"] {
        bench.accounts.create(&at_the_machine(), name, &root).await.unwrap();
    }
    let accounts = bench.accounts.clone();
    bench.store.just_before(async move { accounts.disable(&at_the_machine(), "乙", true).await.unwrap() });
    let late = bench.accounts.disable(&at_the_machine(), "甲", true).await;
    assert!(bench.store.has_happened());
    assert_eq!(late.unwrap_err().to_string(), "这是最后一个超级管理员，请先另设一个");
}

#[tokio::test]
async fn one_of_two_reviews_of_a_report_counts() {
    let bench = Bench::new().await;
    let group = bench.commands.groups.get(&"g".into());
    bench.commands.cases.open_report(&person("qian"), &group, "老板跑路了", "造谣").await.unwrap();
    let id = bench.task_ids().await.into_iter().find_map(|id| Some(id.strip_prefix("report-")?.to_owned())).unwrap();
    let (cases, about) = (bench.commands.cases.clone(), id.clone());
    bench.store.just_before(async move {
        cases.judge_report(&person("zhao"), &about, ReportState::Unfounded).await.unwrap();
    });
    let late = bench.commands.cases.judge_report(&person("wang"), &id, ReportState::Malicious).await;
    assert!(bench.store.has_happened());
    assert_eq!(late.unwrap_err().to_string(), format!("{id} 已处理：不属实"));
    let credit = bench.commands.cases.credit(&member("qian")).await.unwrap();
    assert_eq!((credit.open, credit.unfounded, credit.malicious), (0, 1, 0));
    let standing = bench.store.member(&"g".into(), &member("qian")).await.unwrap().standing;
    assert_eq!(standing.live_points(bench.now()), 0, "nobody is punished by the second review");
}

#[tokio::test]
async fn of_two_answers_to_the_breaker_the_first_counts() {
    let bench = Bench::new().await;
    let case = bench.case().await;
    bench.breaker_opens(std::slice::from_ref(&case)).await;
    let group = bench.group();
    let (orders, same) = (bench.commands.orders.clone(), group.clone());
    bench.store.just_before(async move { orders.resume_breaker(&person("zhao"), &same).await.unwrap() });
    let late = bench.commands.orders.undo_breaker(&person("wang"), &group).await;
    assert!(bench.store.has_happened());
    assert_eq!(late.unwrap_err().to_string(), "没有熔断，无需处理");
    assert_ne!(bench.store.case(&case).await.unwrap().unwrap().state, CaseState::Revoked);
    assert_eq!(bench.acts().await, ["resume_breaker zhao"]);
}

#[tokio::test]
async fn a_mute_that_two_end_at_once_ends_once() {
    let bench = Bench::new().await;
    bench.muted("li").await;
    let (group, li) = (bench.group(), member("li"));
    let (orders, same) = (bench.commands.orders.clone(), group.clone());
    bench.store.just_before(async move { orders.end_mute(&person("zhao"), &same, &member("li")).await.unwrap() });
    let late = bench.commands.orders.end_mute(&person("wang"), &group, &li).await;
    assert!(bench.store.has_happened());
    assert_eq!(late.unwrap_err().code(), Some(Code::WrongState));
    assert_eq!(bench.acts().await, ["end_mute zhao", "punish wang"]);
}

#[tokio::test]
async fn two_orders_at_once_both_hold_and_both_are_on_record() {
    let bench = Bench::new().await;
    let group = bench.group();
    let (orders, same) = (bench.commands.orders.clone(), group.clone());
    bench.store.just_before(async move {
        orders.be_strict(&person("zhao"), &same, Term::Usual).await.unwrap();
    });
    bench.commands.orders.exempt(&person("wang"), &group, &member("li"), Term::Usual).await.unwrap();
    assert!(bench.store.has_happened());
    let orders = &bench.group().learned.orders;
    assert!(orders.strict_until.is_some() && orders.exempt.contains_key(&member("li")));
    assert_eq!(bench.acts().await, ["exempt wang", "be_strict zhao"]);
}

#[tokio::test]
async fn a_notice_that_two_review_at_once_is_sent_once() {
    let bench = Bench::new().await;
    let draft = Draft { review: true, ..Draft::new("明天盘点", &["g"], "2h".parse().unwrap()) };
    let notices = bench.commands.notices.clone();
    let id = notices.publish(&person("wang"), &draft, None).await.unwrap().id;
    let (other, same) = (notices.clone(), id.clone());
    bench.store.just_before(async move {
        other.review(&person("zhao"), &same).await.unwrap();
    });
    let late = notices.review(&program("hr", None, None), &id).await;
    assert!(bench.store.has_happened());
    assert_eq!(late.unwrap_err().code(), Some(Code::WrongState));
    assert_eq!(bench.acts().await, ["review_notice zhao", "draft_notice wang"]);
}

#[tokio::test]
async fn what_two_learn_of_a_group_at_once_is_all_known() {
    let bench = Bench::new().await;
    let (groups, id) = (bench.commands.groups.clone(), "g".into());
    let other = groups.clone();
    bench.store.just_before(async move {
        let edit = |learned: &mut GroupState| learned.name = "销售二群".into();
        other.update(&"g".into(), edit).await.unwrap();
    });
    groups.update(&id, |learned| learned.owner = Some(member("sun"))).await.unwrap();
    let learned = &groups.get(&id).learned;
    assert_eq!((learned.name.as_str(), &learned.owner), ("销售二群", &Some(member("sun"))));
    let stored = GROUPS.get(bench.store.as_ref(), "g").await.unwrap();
    assert_eq!(stored.as_ref(), Some(learned));
}

#[tokio::test]
async fn what_cannot_be_read_is_not_overwritten() {
    let bench = Bench::new().await;
    let body = json!({ "members": "written by a later version" });
    let collection = Name::Group.id().to_owned();
    let unreadable = Document { collection, id: "g2".into(), version: 0, body: body.clone() };
    let written = bench.store.commit(Commit { documents: vec![unreadable], ..Commit::default() }).await.unwrap();
    assert_eq!(written, Committed::Applied);
    let refused = bench.commands.groups.update(&"g2".into(), |learned| learned.name = "新名字".into()).await;
    assert!(matches!(refused, Err(StoreError::Format(_))), "{refused:?}");
    let overwrite = async || -> Result<(), StoreError> {
        transact!(bench.store.as_ref(), |tx| tx.put(GROUPS, "g2", &GroupState::default()).await?);
        Ok(())
    };
    assert!(matches!(overwrite().await, Err(StoreError::Format(_))));
    assert_eq!(bench.store.document("group", "g2").await.unwrap().unwrap().body, body);
}
