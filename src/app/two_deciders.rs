//! Two people decide about the same thing at the same moment: the first is heard, the second reads so, and nothing counts
//! twice. And what this version cannot read stays as it is.

use std::sync::Arc;

use serde_json::json;

use super::{App, Overrides};
use crate::{
    appeals::AppealState,
    chat_commands::Desk,
    clicks::{Clicks, Shown},
    groups::{GROUPS, Learned},
    model::{CaseId, Channel, Clock, MemberId, Message, ShiftedClock, TaskId, Timestamp},
    reports::ReportState,
    settings::Settings,
    store::{
        CaseState, Commit, Committed, Document, Name, Store, StoreError, TaskQuery, TaskState, meanwhile::Meanwhile,
        transaction::transact,
    },
    tasks::{Ask, Request},
};

struct Bench {
    store: Arc<Meanwhile>,
    desk: Arc<Desk>,
    clicks: Arc<Clicks>,
    now: Timestamp,
}

fn member(id: &str) -> MemberId {
    id.into()
}

impl Bench {
    async fn new() -> Self {
        let now: Timestamp = "2026-05-04T10:00:00Z".parse().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(ShiftedClock::fixed(now));
        let store = Arc::new(Meanwhile::default());
        let text =
            "[[group]]\nid = \"g\"\nname = \"销售群\"\nmode = \"assisted\"\nowner = \"wang\"\nadmins = [\"zhao\"]\n";
        let settings = Settings::parse(text, "here.toml".as_ref(), None).unwrap();
        let app = App::build(settings, store.clone(), clock, Overrides::default()).await.unwrap();
        let desk = app.desk.clone();
        let clicks = Arc::new(Clicks {
            store: store.clone(),
            clock: desk.clock.clone(),
            groups: desk.groups.clone(),
            moderation: desk.moderation.clone(),
            appeals: desk.appeals.clone(),
            reports: desk.reports.clone(),
            notices: desk.notices.clone(),
            escalation: Vec::new(),
        });
        Self { store, desk, clicks, now }
    }

    /// Li advertises.
    async fn case(&self) -> CaseId {
        let message = Message::text(Channel::Http, "1", "g", "li", self.now, "加我V信领红包");
        self.desk.moderation.handle(message, None).await.unwrap().answer.case.unwrap()
    }

    /// The owner is asked what the case is.
    async fn asked_about(&self, case: &CaseId) -> TaskId {
        let ask = Ask::new(Request::Review);
        let case = self.store.case(case).await.unwrap().unwrap();
        let task = ask.task(&case, &case.group, self.now);
        let id = task.id.clone();
        self.store.commit(Commit { tasks: vec![task], ..Commit::default() }).await.unwrap();
        id
    }

    /// Presses that were counted for the rules behind Li's case.
    fn reviewed(&self) -> usize {
        self.desk.moderation.rules_shown().iter().map(|rule| rule.reviewed).sum()
    }

    async fn task_ids(&self) -> Vec<String> {
        let tasks = self.store.tasks(&TaskQuery::default()).await.unwrap();
        tasks.into_iter().map(|task| task.id.to_string()).collect()
    }
}

#[tokio::test]
async fn one_of_two_answers_to_an_appeal_counts() {
    let bench = Bench::new().await;
    let case = bench.case().await;
    bench.desk.appeals.open(&member("li"), &case, "发错群了").await.unwrap();
    let (appeals, about) = (bench.desk.appeals.clone(), case.clone());
    bench.store.just_before(async move {
        appeals.answer(&about, &member("zhao"), false, "").await.unwrap();
    });
    let late = bench.desk.appeals.answer(&case, &member("wang"), true, "").await;
    assert!(bench.store.has_happened());
    assert_eq!(late.unwrap_err().to_string(), format!("{case} 的申诉已处理：不成立"));
    let appeal = bench.desk.appeals.get(&case).await.unwrap().unwrap();
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
    let (moderation, about) = (bench.desk.moderation.clone(), case.clone());
    bench.store.just_before(async move { moderation.confirm(&about, "zhao").await.unwrap() });
    bench.desk.moderation.confirm(&case, "wang").await.unwrap();
    assert!(bench.store.has_happened());
    let history = bench.store.case(&case).await.unwrap().unwrap().history;
    let confirmed: Vec<_> = history.iter().filter(|event| event.what == "confirmed").map(|event| &event.by).collect();
    assert_eq!(confirmed, ["zhao"]);
    let once = bench.reviewed();
    let alone = Bench::new().await;
    let case = alone.case().await;
    alone.desk.moderation.confirm(&case, "zhao").await.unwrap();
    assert_eq!(once, alone.reviewed());
    assert!(once > 0);
}

#[tokio::test]
async fn one_of_two_presses_on_a_request_counts() {
    let bench = Bench::new().await;
    let case = bench.case().await;
    let id = bench.asked_about(&case).await;
    let (clicks, card, at) = (bench.clicks.clone(), id.to_string(), bench.now);
    bench.store.just_before(async move {
        let shown = clicks.press(&member("zhao"), &card, "wrong", at).await.unwrap();
        assert_eq!(shown, Shown::Label("已记为误判并撤销".into()));
    });
    let late = bench.clicks.press(&member("wang"), id.as_str(), "confirm", bench.now).await.unwrap();
    assert!(bench.store.has_happened());
    assert_eq!(late, Shown::Label("已处理：记录已撤销".into()));
    assert_eq!(bench.store.case(&case).await.unwrap().unwrap().state, CaseState::Revoked);
    assert_eq!(bench.store.task(&id).await.unwrap().unwrap().state, TaskState::Cancelled);
    let standing = bench.store.member(&"g".into(), &member("li")).await.unwrap().standing;
    assert_eq!(standing.live_points(bench.now), 0, "nothing was counted against Li by the second press");
}

#[tokio::test]
async fn one_of_two_reviews_of_a_report_counts() {
    let bench = Bench::new().await;
    let group = bench.desk.groups.get(&"g".into());
    bench.desk.reports.open(&group, &member("qian"), "老板跑路了", "造谣").await.unwrap();
    let id = bench.task_ids().await.into_iter().find_map(|id| Some(id.strip_prefix("report-")?.to_owned())).unwrap();
    let (reports, about) = (bench.desk.reports.clone(), id.clone());
    bench.store.just_before(async move {
        reports.close(&about, &member("zhao"), ReportState::Unfounded).await.unwrap();
    });
    let late = bench.desk.reports.close(&id, &member("wang"), ReportState::Malicious).await;
    assert!(bench.store.has_happened());
    assert_eq!(late.unwrap_err().to_string(), format!("{id} 已处理：不属实"));
    let credit = bench.desk.reports.credit(&member("qian")).await.unwrap();
    assert_eq!((credit.open, credit.unfounded, credit.malicious), (0, 1, 0));
    let standing = bench.store.member(&"g".into(), &member("qian")).await.unwrap().standing;
    assert_eq!(standing.live_points(bench.now), 0, "nobody is punished by the second review");
}

#[tokio::test]
async fn what_two_learn_of_a_group_at_once_is_all_known() {
    let bench = Bench::new().await;
    let (groups, id) = (bench.desk.groups.clone(), "g".into());
    let other = groups.clone();
    bench.store.just_before(async move {
        let edit = |learned: &mut Learned| learned.name = "销售二群".into();
        other.learn(&"g".into(), edit).await.unwrap();
    });
    groups.learn(&id, |learned| learned.owner = Some(member("sun"))).await.unwrap();
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
    let refused = bench.desk.groups.learn(&"g2".into(), |learned| learned.name = "新名字".into()).await;
    assert!(matches!(refused, Err(StoreError::Format(_))), "{refused:?}");
    let overwrite = async || -> Result<(), StoreError> {
        transact!(bench.store.as_ref(), |tx| tx.put(GROUPS, "g2", &Learned::default()).await?);
        Ok(())
    };
    assert!(matches!(overwrite().await, Err(StoreError::Format(_))));
    assert_eq!(bench.store.document("group", "g2").await.unwrap().unwrap().body, body);
}
